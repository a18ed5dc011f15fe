"""Which edition a file speaks, and the `tkyt icd` commands."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from support import reference_path

from mortality.cli.icd import icd as command
from mortality.icd import FLAGS, Edition
from mortality.icd.edition_check import CLASSES, check_edition, check_edition_of_file, classify_code
from tkyt_analysis.errors import InputError


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("I21.9", "both"),
        ("I64", "who_only"),
        ("X70.4", "who_only"),  # place digit
        ("N18.0", "legacy"),
        ("S72.001A", "cm_only"),
        ("e08.9", "cm_only"),
        ("Q00.9", "neither"),
    ],
)
def test_a_code_belongs_to_who_to_the_us_edition_to_both_or_to_neither(code, name):
    assert classify_code(code) == name


@given(st.lists(st.sampled_from(["I21.9", "I64", "N18.0", "C4A", "ZZZ", "", "i219"])))
def test_every_code_is_counted_in_one_class(codes):
    found = check_edition(codes)
    assert sum(found.classes.values()) == found.codes == sum(code != "" for code in codes)
    assert sum(found.share(name) for name in CLASSES) == pytest.approx(1 if found.codes else 0)


def test_one_us_code_in_a_hundred_is_a_slip_and_two_are_a_us_file():
    assert not check_edition(["I64"] * 99 + ["C4A"]).looks_like_cm
    assert check_edition(["I64"] * 98 + ["C4A"] * 2).looks_like_cm


def test_three_character_codes_that_the_ministry_wants_finer_are_counted_and_still_accepted():
    ministry = Edition("VN-X", {"vi": {"C22": "Ung thư gan", "C22.9": "Ung thư gan"}}, {"C22": frozenset({FLAGS[2]})})
    found = check_edition(["C22", "C22", "C22.9", "I64"], against=ministry)
    assert found.against == {"not_listed": 1, "use_more_specific": 2}
    assert found.classes["neither"] == 0
    assert check_edition(["C22"]).against == {}


def test_each_us_code_comes_with_the_who_code_or_with_none_where_a_person_decides():
    assert check_edition(["S72.001A", "E08.9"]).suggestions == {"S72.001A": "S72.0", "E08.9": ""}


@pytest.fixture
def hospital_file(tmp_path):
    path = tmp_path / "benh_vien.csv"
    path.write_text("id,icd,ghi_chu\n1,S72.001A I64,x\n2,E11.65,y\n3,,\n", "utf-8")
    return path


def test_the_columns_of_codes_are_found_and_cells_may_hold_several(hospital_file):
    found = check_edition_of_file(hospital_file)
    assert found.columns == ("icd",)
    assert (found.codes, found.classes["cm_only"], found.classes["who_only"]) == (3, 2, 1)


def test_a_file_without_codes_or_without_the_named_column_is_refused(hospital_file, tmp_path):
    for options in ({"columns": ("absent",)}, {"columns": ()}):
        path = hospital_file
        if not options["columns"]:
            path = tmp_path / "none.csv"
            path.write_text("a,b\n1,x\n", "utf-8")
        with pytest.raises(InputError, match="--column"):
            check_edition_of_file(path, **options)
    with pytest.raises(InputError, match="UTF-8"):
        check_edition_of_file(tmp_path / "absent.csv")


def test_real_coded_certificates_speak_whos_edition():
    found = check_edition_of_file(reference_path("icd/ucod_open.csv"))
    assert found.classes["cm_only"] == found.classes["neither"] == 0
    assert not found.looks_like_cm
    assert found.classes["legacy"] == 39


def run(*arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments], catch_exceptions=False)


def test_the_check_command_says_us_edition_in_words_and_in_json(hospital_file):
    assert "ICD-10-CM của Hoa Kỳ" in run("check", hospital_file).output
    found = json.loads(run("check", hospital_file, "--json").output)
    assert found["looks_like_cm"]
    assert found["suggestions"]["E11.65"] == "E11.6"


def test_the_show_command_names_the_code_its_level_and_the_editions(tmp_path):
    assert "Nhồi máu cơ tim cấp" in run("show", "i219", "--home", tmp_path).output
    found = json.loads(run("show", "A90", "--home", tmp_path, "--json").output)
    assert (found["status"], found["code"]) == ("legacy", "A97.9")
    assert [row["edition"] for row in found["editions"]] == ["WHO-2019", "CM-2020"]


def test_the_load_command_keeps_the_list_and_shows_what_differs_from_the_published_figures(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["MÃ BỆNH", "TÊN BỆNH"])
    book.active.append(["I64", "Đột quỵ"])
    book.active.append(["U13/9", "Tiêm chủng"])
    book.save(tmp_path / "a.xlsx")
    said = run("load", tmp_path / "a.xlsx", "--edition", "VN-TT06-2026", "--home", tmp_path).output
    assert "15.844" in said
    assert "U13/9 → U13.9" in said
    shown = json.loads(run("show", "I64", "--home", tmp_path, "--json").output)
    assert shown["title_source"] == "ministry"
    assert [row["edition"] for row in shown["editions"]] == ["WHO-2019", "VN-TT06-2026", "CM-2020"]
    assert json.loads(run("show", "U13.9", "--home", tmp_path, "--json").output)["status"] == "ministry_only"

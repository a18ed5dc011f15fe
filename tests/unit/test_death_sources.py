"""Several sources of the same deaths: each file goes to its own door, and only one source counts in figures."""

from collections import defaultdict
from types import SimpleNamespace

import pandas as pd
import pytest
from document_files import CERTIFICATE_FORM, NOTICE_FORM, csv_file, form_file, list_file
from ingest_support import read_all, received

from mortality.practice.source import SOURCE
from mortality.release_tables import analysed_deaths, communes_of_registers, counted_source, death_flow
from tkyt_analysis.ingest.receive import _sureness, best_door, doors
from tkyt_analysis.practice.world import create_world

OWN_DOOR = {
    "a6": "death_register", "ho_tich/KhaiTu": "civil_registration_list", "giay_bao_tu/GiayBaoTu.xlsx": "death_notice_list",
    "giay_bao_tu/GiayBaoTu.xml": "death_notice_xml", "benh_vien/PhieuNNTV": "certificate_list", "benh_vien/NangXinVe": "sent_home_list",
    "benh_vien/form_certificate": "certificate_form", "benh_vien/form_death_notice": "death_notice_form",
    "phong_van/va_odk": "verbal_autopsy",
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("sources")
    SOURCE.make(create_world("commune", directory), lambda step, share: None)
    return directory


@pytest.fixture(scope="module")
def files(made):
    """Every file of the other sources, and every sixth book and form."""
    paths = [path for path in sorted(made.rglob("received/*/**/*")) if path.is_file()]
    others = [path for path in paths if kind_of(_name(made, path)) not in ("", "a6")]
    books = [path for path in paths if path not in others]
    return [received(path, name=_name(made, path)) for path in [*others, *books[::6]]]


def _name(made, path):
    return path.relative_to(made / "received").as_posix()


@pytest.fixture(scope="module")
def pairs(made):
    return pd.concat(map(pd.read_parquet, sorted((made / "truth/death_sources").glob("*.parquet"))), ignore_index=True)


def kind_of(name):
    stem, suffix = name.rsplit("_", 2)[0], name.rpartition(".")[2]
    return next((k for k in OWN_DOOR if k in (stem, f"{stem}.{suffix}")), "a6" if name.startswith("a6/") else "")


# ------------------------------------------------------------------------------------------------- doors


def test_every_practice_file_about_deaths_goes_to_its_own_door_and_to_no_other(files):
    matrix = defaultdict(lambda: defaultdict(int))
    known = doors()
    for file in files:
        if kind := kind_of(file.name):
            door = best_door(file, known)
            matrix[kind][door.id if door else "none"] += 1
    assert {kind: set(row) for kind, row in matrix.items()} == {kind: {door} for kind, door in OWN_DOOR.items()}


def test_no_document_door_claims_a_file_that_is_no_document_on_a_death(files):
    own = {door.id: door for door in doors() if door.id in OWN_DOOR.values() and door.id != "death_register"}
    others = [file for file in files if not kind_of(file.name) or file.name.startswith("a6/")]
    assert len(others) >= 5
    claims = {(file.name, name) for file in others for name, door in own.items() if door.recognise(file)}
    assert claims == set()


@pytest.mark.parametrize("kind", ["civil_registration", "death_notice", "sent_home", "certificate"])
@pytest.mark.parametrize("make", [list_file, csv_file])
def test_a_list_goes_to_its_own_door_among_all_doors_also_without_titles(tmp_path, make, kind):
    assert best_door(make(tmp_path, kind), doors()).id == f"{kind}_list"


@pytest.mark.parametrize(("form", "door"), [(CERTIFICATE_FORM, "certificate_form"), (NOTICE_FORM, "death_notice_form")])
def test_a_printed_form_goes_to_its_own_door_among_all_doors(tmp_path, form, door):
    scores = {other.id: _sureness(other, form_file(tmp_path, form)) for other in doors()}
    assert {name for name, score in scores.items() if score} == {door}


def test_the_coded_certificates_in_csv_stay_with_their_door(tmp_path):
    text = "id,sex,age_value,age_unit,line_a,line_b,line_c,line_d,part2\nA,F,20,years,J189,,,,\n"
    assert best_door(received(tmp_path / "c.csv", text), doors()).id == "certificate"


def test_a_book_with_a_column_for_the_number_of_the_notice_is_still_a_book(tmp_path):
    title = [
        "Trạm Y tế xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi",
        "SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG (A6)",
        "Năm 2024",
    ]
    assert best_door(list_file(tmp_path, "death_notice", titles=title), doors()).id == "death_register"


# ---------------------------------------------------------------------------------------------- practice


def test_every_pair_of_the_truth_stands_where_it_says_and_nothing_else_does(files, pairs):
    known = doors()
    for file in files:
        if (kind := kind_of(file.name)) and kind != "a6" and "_202501" not in file.name:
            answer = read_all(best_door(file, known), file)
            rows = answer.tables.get("death", answer.tables.get("sent_home_dying"))
            true = pairs[pairs["file"] == file.name]
            place = set(zip(rows["sheet"], rows["row_number"].astype(int), strict=True))
            assert place == set(zip(true["sheet"], true["row_number"].astype(int), strict=True)), file.name
            assert answer.received == answer.landed == len(true)


def test_the_same_deaths_stand_in_several_sources_with_differences(made, pairs):
    deaths = pd.concat(map(pd.read_parquet, sorted((made / "truth/deaths").glob("*.parquet"))))
    real = pairs[pairs["death_id"] != ""]
    assert set(real["death_id"]) <= set(deaths["death_id"])
    assert 0.30 < len(real[real["source"] == "civil_registration"]) / len(deaths) < 0.40
    registered = set(deaths.loc[deaths["registered"], "death_id"])
    assert (
        ~real["death_id"].isin(registered)
    ).any()  # deaths that the book missed, so that its completeness can be estimated
    assert real.groupby("death_id")["source"].nunique().max() >= 3
    assert 0.3 < real["differs"].ne("").mean() < 0.9
    assert (
        pairs.loc[pairs["death_id"] == "", "source"] == "sent_home"
    ).all()  # who lived on stands in no list of deaths


# ----------------------------------------------------------------------------------------------- figures


class Context:
    """A release context over drawn deaths."""

    def __init__(self, rows):
        self.made, self.rows, self.warehouse = {}, rows, SimpleNamespace(tables=list, has=lambda *names: False)

    def query(self, sql):
        assert "lake.death " in sql
        return self.rows

    def add_scope(self, table):
        return table.assign(scope="VN2025-51")


@pytest.fixture
def no_replacements(monkeypatch):
    monkeypatch.setattr("mortality.release_tables.replaced_files_sql", lambda warehouse: "")


def deaths(*rows):
    frame = pd.DataFrame(rows, columns=["source", "unit_id", "again"])
    return frame.assign(
        death_id=[str(n) for n in range(len(rows))], person_id=[str(n) for n in range(len(rows))], death_date=pd.Timestamp("2025-09-01"), age_years=70.0, sex="male",
        underlying_cause="I64", decision="auto", rule="", received_at="2026-01-01", place_of_death="home", replaced=False,
    )  # fmt: skip


BINH_SON, OTHER = "VN2025:21040", "VN2025:21025"


def test_deaths_of_a_second_list_are_counted_in_the_flow_as_reference_and_in_no_figure(no_replacements):
    context = Context(
        deaths(
            ("a6", BINH_SON, False), ("a6", BINH_SON, True), ("civil_registration", BINH_SON, False),
            ("death_notice", OTHER, False), ("verbal_autopsy", BINH_SON, True),
        )
    )  # fmt: skip
    rows = analysed_deaths(context)
    assert rows["excluded"].tolist() == ["", "duplicate", "reference_source", "reference_source", "reference_source"]
    flow = death_flow(context).groupby(["source", "excluded"])["deaths"].sum().to_dict()
    assert flow == {
        ("a6", ""): 1, ("a6", "duplicate"): 1, ("civil_registration", "reference_source"): 1,
        ("death_notice", "reference_source"): 1, ("verbal_autopsy", "reference_source"): 1,
    }  # fmt: skip


def test_a_commune_known_only_from_a_reference_source_is_in_no_denominator(no_replacements):
    context = Context(deaths(("a6", BINH_SON, False), ("civil_registration", OTHER, False)))
    assert communes_of_registers(context) == {BINH_SON}


@pytest.mark.parametrize(
    ("present", "counted"),
    [
        (["civil_registration", "a6", "certificate"], "a6"), (["certificate", "civil_registration"], "certificate"),
        (["death_notice", "civil_registration"], "civil_registration"), (["verbal_autopsy"], "verbal_autopsy"), (["hdss"], "hdss"), ([], ""),
    ],
)  # fmt: skip
def test_one_source_counts_the_book_before_all_others(present, counted):
    assert counted_source(pd.Series(present, dtype="str")) == counted

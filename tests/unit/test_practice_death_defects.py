"""Defects of single death records in practice data: planted, noted, visible in the files, and none over another."""

import hashlib

import openpyxl
import pandas as pd
import pytest

from mortality.practice.big_book import draw_book, draw_certificates
from mortality.practice.document_defects import CHAIN_KINDS
from mortality.practice.legacy_encodings import ENCODERS
from mortality.practice.source import SOURCE
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.practice.world import NOTE, create_world


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    directory = tmp_path_factory.mktemp("deaths")
    SOURCE.make(create_world("commune", directory), lambda step, share: None)
    return directory


@pytest.fixture(scope="module")
def truth(made):
    return pd.concat(map(pd.read_parquet, sorted((made / "truth/truth").glob("*.parquet"))), ignore_index=True)


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    return draw_book(tmp_path_factory.mktemp("book") / "A6.xlsx", 2000, seed=11, profile="heavy")


def read_cell(books, made, file, place):
    if file not in books:
        books[file] = openpyxl.load_workbook(made / "received" / file)
    sheet, _, position = place.rpartition("!")
    value = books[file][sheet][position].value
    return "" if value is None else str(value)


def test_every_kind_of_record_defect_is_planted_in_a_small_practice_home(truth):
    kinds = set(read_codelist("defect_kinds").query("kind.str.startswith('V_')")["kind"])
    # a month or a day without its word needs a child whose age was written, a place code needs a book of many communes
    assert kinds - set(truth["kind"]) <= {"V_age_unit", "V_place_code"}


def test_every_planted_kind_is_described(truth, book):
    known = set(read_codelist("defect_kinds")["kind"])
    assert set(truth["kind"]) <= known
    assert set(book.planted["kind"]) <= known


def test_what_was_planted_stands_in_the_file(made, truth):
    rows = truth[truth["kind"].str.startswith("V_")]
    font = truth[truth["element"] == "encoding"].set_index("file")["shown_value"].to_dict()
    books = {}
    wrong = [
        (row.kind, row.file, row.place_in_file)
        for row in rows.itertuples()
        if read_cell(books, made, row.file, row.place_in_file) != ENCODERS.get(font.get(row.file), str)(row.shown_value)
    ]
    assert wrong == []
    assert len(rows) > 60
    assert rows["file"].str.startswith(("a6/", "ho_tich/", "benh_vien/")).all()


def test_the_planted_value_differs_from_the_true_one_but_where_the_record_itself_is_the_point(truth, book):
    rows = pd.concat([truth, book.planted])
    rows = rows[rows["kind"].str.startswith("V_")]
    same = rows[rows["true_value"] == rows["shown_value"]]
    assert set(same["kind"]) <= {"V_id_shared", "V_hiv_words"}


def test_no_line_bears_two_defects_of_which_one_could_hide_the_other(truth):
    """A habit (year of birth only, vague cause, late registration) may stand beside a defect; nothing else may."""
    rows = truth[truth["file"].str.endswith(".xlsx") & ~truth["kind"].isin(["F6", "F8", "F11", "E3", "F12"])]
    line = rows["file"] + rows["place_in_file"].str.replace(r"![A-Z]+", "!", regex=True)
    of_record = rows["kind"].str.startswith("V_")
    assert not line[of_record].duplicated().any()
    assert not set(line[of_record]) & set(line[~of_record])


def test_a_large_book_has_the_lines_that_were_asked_and_names_its_cells(book):
    sheet = openpyxl.load_workbook(book.path)["A6"]
    assert len(book.lines) == 2000
    filled = [row for row in sheet.iter_rows(min_row=book.lines["row_number"].min(), values_only=True) if row[1]]
    assert len(filled) == 2000
    assert any(NOTE in str(row[0]) for row in sheet.iter_rows(max_row=5, values_only=True))
    direct = book.planted[~book.planted["element"].isin(["line", "sex", "cause_text"])]
    for row in direct.itertuples():
        assert str(sheet[row.place_in_file.rpartition("!")[2]].value or "") == row.shown_value


def test_copies_of_a_line_lie_in_the_same_book_as_the_line(book):
    copies = book.lines[book.lines["duplicate_of"] >= 0].merge(
        book.lines, left_on="duplicate_of", right_on="line_id", suffixes=("", "_first")
    )
    assert len(copies) == (book.lines["duplicate_of"] >= 0).sum() > 20
    assert (copies["death_id"] == copies["death_id_first"]).all()


def test_the_place_code_of_before_july_2025_is_no_code_of_after(book):
    from tkyt_analysis.reference.places import places

    new = set(places("VN2025", at="2025-07-01")["code"])
    planted = book.planted.query("kind == 'V_place_code'")
    assert len(planted) >= 3
    assert not set(planted["shown_value"]) & new
    assert set(planted["true_value"]) <= new


def test_the_same_seed_draws_the_same_book_and_another_seed_does_not(book, tmp_path):
    def digest(path):
        return hashlib.sha256(path.read_bytes()).hexdigest()

    again = draw_book(tmp_path / "A6.xlsx", 2000, seed=11, profile="heavy")
    assert digest(again.path) == digest(book.path)
    pd.testing.assert_frame_equal(again.planted, book.planted)
    assert digest(draw_book(tmp_path / "other.xlsx", 2000, seed=12, profile="heavy").path) != digest(book.path)


def test_the_heavy_profile_plants_two_and_a_half_times_as_much(book, tmp_path):
    light = draw_book(tmp_path / "light.xlsx", 2000, seed=11).planted
    few = light["kind"].isin(["V_id_length", "V_id_sex", "V_id_year", "V_death_time", "V_asterisk"]).sum()
    many = book.planted["kind"].isin(["V_id_length", "V_id_sex", "V_id_year", "V_death_time", "V_asterisk"]).sum()
    assert 1.5 < many / few < 4


def test_an_id_number_errs_in_the_way_of_its_kind(truth):
    """051 1 50 912345: province, century and sex, year, serial."""
    rows = truth[truth["kind"].str.startswith("V_id_")].set_index("kind")
    for row in rows.loc[["V_id_sex"]].itertuples():
        assert abs(int(row.true_value[3]) - int(row.shown_value[3])) == 1
        assert row.true_value[:3] + row.true_value[4:] == row.shown_value[:3] + row.shown_value[4:]
    for row in rows.loc[["V_id_year"]].itertuples():
        assert row.true_value[4:6] != row.shown_value[4:6]
    for row in rows.loc[["V_id_province"]].itertuples():
        assert row.shown_value[:3] not in set("0" + read_codelist("provinces_2024")["code"])
    assert all(len(text) in (11, 13) for text in rows.loc[["V_id_length"], "shown_value"])
    shared = rows.loc[["V_id_shared"], "shown_value"]
    assert (shared.value_counts() == 2).all()


def test_a_certificate_without_defect_keeps_the_rules_of_the_form(made, truth):
    """Intervals grow downward, an external cause stands under its injury, no code twice."""
    spoilt = set(truth.loc[truth["file"].str.contains("PhieuNNTV"), ["file", "place_in_file"]].agg(" ".join, axis=1))
    spoilt = {
        place.rpartition("!")[0] + place.rpartition("!")[2].lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") for place in spoilt
    }
    checked = 0
    for path in sorted((made / "received/benh_vien").glob("PhieuNNTV*.xlsx")):
        sheet = openpyxl.load_workbook(path)["certificate"]
        head = {cell.value: cell.column - 1 for cell in sheet[7]}
        for number, row in enumerate(sheet.iter_rows(min_row=8, values_only=True), start=8):
            if f"benh_vien/{path.name} certificate{number}" in spoilt:
                continue
            codes = [row[head[f"Mã ICD-10 dòng {line}"]] for line in "abc"]
            written = [code for code in codes if code]
            assert len(set(written)) == len(written)
            external = [code for code in written if code[0] in "VWXY"]
            if external:
                assert codes[2] == external[0]
                assert codes[1][0] in "ST"
            manner = row[head["Hình thức tử vong"]]
            assert (manner == "Bệnh") == (not external)
            checked += 1
    assert checked > 40


def test_a_large_list_of_certificates_names_what_is_wrong_in_each_row(tmp_path):
    listed = draw_certificates(tmp_path / "list.xlsx", 600, seed=5, profile="heavy")
    sheet = openpyxl.load_workbook(listed.path)["certificate"]
    head = {cell.value: cell.column - 1 for cell in sheet[7]}
    planted = listed.planted
    assert set(planted["kind"]) == set(CHAIN_KINDS)
    assert planted["row_number"].is_unique
    rows = {number: [cell.value for cell in sheet[number]] for number in planted["row_number"]}
    for row in planted.query("kind == 'V_part1_blank'").itertuples():
        values = rows[row.row_number]
        assert [values[head[f"Mã ICD-10 dòng {line}"]] for line in "abc"] == [None] * 3
        assert values[head["Mã ICD-10 mục 2"]]
    for row in planted.query("kind == 'V_duplicate_code'").itertuples():
        values = rows[row.row_number]
        assert values[head["Mã ICD-10 dòng b"]] == values[head["Mã ICD-10 dòng c"]] == row.shown_value
    manner = planted.query("kind == 'V_manner'")
    assert {"Bệnh", "Tai nạn"} <= set(manner["shown_value"])
    assert (manner["true_value"] != manner["shown_value"]).all()

"""Sheets as grids with true addresses, and the tables on them."""

import datetime
from pathlib import Path

import openpyxl
import pytest

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.excel_grid import CellError, column_letters, peek_workbook, read_workbook
from tkyt_analysis.ingest.excel_tables import find_tables

FIELDS = {
    "TT": "number",
    "Họ tên": "name",
    "Ngày chết": "date",
    "Nguyên nhân": "cause",
    "Sinh | Nam": "male",
    "Sinh | Nữ": "female",
}


def match(text):
    return FIELDS.get(text, "")


def workbook(path: Path, cells: dict, *, merges=(), sheet="Số liệu") -> Path:
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for address, value in cells.items():
        page[address] = value
        if isinstance(value, str) and value.startswith("#"):
            page[address].data_type = "e"
    for one in merges:
        page.merge_cells(one)
    book.save(path)
    return path


def row(number: int, *values) -> dict:
    return {f"{column_letters(place)}{number}": value for place, value in enumerate(values, 1) if value is not None}


def test_cells_keep_their_excel_addresses_and_kinds(tmp_path):
    cells = {
        "C3": "Tên",
        "D4": datetime.date(2024, 5, 3),
        "E5": 1.5,
        "C6": 45000,
        "D6": True,
        "E7": "#REF!",
        "C8": "=RAND()",
    }
    grid = read_workbook(workbook(tmp_path / "a.xlsx", cells))[0]
    assert grid.values[2, 2] == "Tên"
    assert grid.texts[3, 3] == "03/05/2024"
    assert grid.texts[4, 4] == "1.5"
    assert grid.texts[5, 2] == "45000"
    assert grid.values[6, 4] == CellError("#REF!")
    assert grid.values[7, 2] == CellError("=")  # a formula that no program has computed is not an empty cell


def test_hidden_and_empty_sheets_are_given_with_the_others(tmp_path):
    book = openpyxl.Workbook()
    book.active["A1"] = "x"
    book.create_sheet("Ẩn").sheet_state = "hidden"
    book.create_sheet("Trống")
    book.save(tmp_path / "a.xlsx")
    grids = read_workbook(tmp_path / "a.xlsx")
    assert [(grid.sheet, grid.hidden, grid.is_empty) for grid in grids] == [
        ("Sheet", False, False), ("Ẩn", True, True), ("Trống", False, True),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content", [b"", b"Day khong phai so tinh", b"PK\x03\x04 cut off", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
def test_a_file_that_is_no_workbook_ends_in_a_sentence(tmp_path, content):
    path = tmp_path / "so.xlsx"
    path.write_bytes(content)
    with pytest.raises(InputError) as error:
        read_workbook(path)
    assert "so.xlsx" in error.value.sentence("vi")
    assert peek_workbook(path) == ()


def test_a_header_in_row_seven_with_numbering_below_it_is_found(tmp_path):
    cells = (
        row(2, None, "SỔ")
        | row(7, "TT", "Họ tên", "Ngày chết", "Nguyên nhân")
        | row(8, 1, 2, 3, 4)
        | row(9, 1, "A", "1/2/2024", "Già")
    )
    table = find_tables(read_workbook(workbook(tmp_path / "a.xlsx", cells))[0], match)[0]
    assert (table.header_rows, table.numbering_rows, table.first_row, table.last_row) == ((7, 7), (8,), 9, 9)
    assert table.above() == [(2, "SỔ")]


def test_merged_headers_of_two_rows_are_joined(tmp_path):
    cells = (
        row(3, "TT", "Họ tên", "Sinh", None, "Ngày chết")
        | row(4, None, None, "Nam", "Nữ")
        | row(5, 1, "A", 1950, None, "1/2/2024")
    )
    path = workbook(tmp_path / "a.xlsx", cells, merges=["A3:A4", "B3:B4", "C3:D3", "E3:E4"])
    table = find_tables(read_workbook(path)[0], match)[0]
    assert table.fields == {1: "number", 2: "name", 3: "male", 4: "female", 5: "date"}
    assert table.first_row == 5


def test_two_tables_under_each_other_are_two_with_their_own_titles(tmp_path):
    header = ("TT", "Họ tên", "Ngày chết", "Nguyên nhân")
    cells = (
        row(1, "Xã Một") | row(2, *header) | row(3, 1, "A", "1/2/2024", "Già") | row(4, 2, "B", "1/3/2024", "Già")
        | row(6, "Xã Hai") | row(7, *header) | row(8, 1, "C", "1/4/2024", "Già")
    )  # fmt: skip
    first, second = find_tables(read_workbook(workbook(tmp_path / "a.xlsx", cells))[0], match)
    assert (first.first_row, first.last_row, [text for _, text in first.above()]) == (3, 4, ["Xã Một"])
    assert (second.first_row, second.last_row, [text for _, text in second.above()]) == (8, 8, ["Xã Hai"])


def test_two_tables_side_by_side_are_two(tmp_path):
    header = ("TT", "Họ tên", "Ngày chết")
    cells = row(1, *header, None, *header) | row(2, 1, "A", "1/2/2024", None, 2, "B", "1/3/2024")
    tables = find_tables(read_workbook(workbook(tmp_path / "a.xlsx", cells))[0], match, anchor="name")
    assert [sorted(table.fields) for table in tables] == [[1, 2, 3], [5, 6, 7]]


def test_a_data_line_with_words_of_the_header_is_no_header(tmp_path):
    header = ("TT", "Họ tên", "Ngày chết", "Nguyên nhân")
    cells = row(1, *header) | row(2, 1, "Họ tên", "Ngày chết", "Nguyên nhân") | row(3, 2, "B", "1/3/2024", "Già")
    tables = find_tables(read_workbook(workbook(tmp_path / "a.xlsx", cells))[0], match)
    assert [(table.first_row, table.last_row) for table in tables] == [(2, 3)]


def test_repaired_texts_are_listed_with_their_place(tmp_path):
    grid = read_workbook(workbook(tmp_path / "a.xlsx", {"B2": "Hòa\u00a0", "C3": "ok"}))[0]
    assert grid.repairs[["row", "column", "became", "note"]].values.tolist() == [
        [2, 2, "Hòa", "note.invisible_characters_removed"]
    ]

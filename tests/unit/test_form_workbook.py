"""Biểu 16/BCH in Excel: rows by label and number, every cell lands or is quarantined with a sentence."""

import json
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from tkyt_analysis.catalog import load_entry, read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.form_workbook import DOOR
from tkyt_analysis.ingest.legacy_fonts import encode
from tkyt_analysis.ingest.report_heading import read_heading_period, read_reporting_unit, read_year
from tkyt_analysis.ingest.summary import sentence

UNIT = "Đơn vị báo cáo: Huyện Bình Sơn, tỉnh Quảng Ngãi"
ROWS = read_codelist("form16bch_rows")
AGES = ["< 1 tuổi", "1-<5", "5-<15", "15-<60", "≥60"]
HEAD = 7  # first header row; the numbering stands in 9, TỔNG SỐ in 10, row 1 in 11
FIRST = HEAD + 4


def form(tmp_path: Path, change=None, *, unit=UNIT, period="6 tháng năm 2024", store=None, name="bieu16.xlsx") -> Path:
    """A form as exports have it: headings of two rows, numbering, TỔNG SỐ, 25 causes of 1 each, Tổng cộng, signature."""
    store = store or (lambda text: text)
    book = openpyxl.Workbook()
    page = book.active
    page["A1"], page["H1"], page["H2"] = "Biểu: 16/BCH", unit, "Đơn vị nhận báo cáo: Sở Y tế tỉnh Quảng Nam"
    page["C3"], page["C4"] = "BÁO CÁO TÌNH HÌNH TỬ VONG TỪ CỘNG ĐỒNG", period
    for column, text in zip("ABCEJ", ["TT", "Nguyên nhân tử vong", "Số tử vong", "Trong đó: theo tuổi", "TV mẹ"]):
        page[f"{column}{HEAD}"] = text
    for column, text in zip("CDEFGHI", ["Tổng số", "Nữ", *AGES]):
        page[f"{column}{HEAD + 1}"] = text
    for cells in ("A7:A8", "B7:B8", "C7:D7", "E7:I7", "J7:J8"):
        page.merge_cells(cells)
    for column in range(1, 11):
        page.cell(HEAD + 2, column, column)
    lines = [
        ("", "TỔNG SỐ", 25),
        *((row, text, 1) for row, text in zip(ROWS["row"], ROWS["label_vi"])),
        ("", "Tổng cộng", 25),
    ]
    for at, (number, text, count) in enumerate(lines, HEAD + 3):
        page.cell(at, 1, int(number) if number else None)
        page.cell(at, 2, text)
        for column in range(3, 11):
            page.cell(at, column, count)
    page.cell(at + 2, 8, "Người lập biểu")
    if change:
        change(page)
    for cells in page.iter_rows():
        for cell in cells:
            if isinstance(cell.value, str) and cell.data_type == "s":
                cell.value = store(cell.value)
    book.save(tmp_path / name)
    return tmp_path / name


def read(path: Path):
    file = ReceivedFile(path, path.name, "0" * 64, path.stat().st_size)
    batches = list(DOOR.read(file, None))
    for batch in batches:
        assert batch.received == len(batch.rows) + len(batch.quarantined)
    tables = ([b.rows for b in batches], [b.quarantined for b in batches], [b.notes for b in batches])
    return tuple(pd.concat(parts, ignore_index=True) for parts in tables)


def value_of(rows: pd.DataFrame, element: str, category: str) -> float:
    return rows.set_index(["element_id", "category_id"])["value"][element, category]


def test_every_cell_of_the_form_lands_and_the_second_total_does_not(tmp_path):
    rows, quarantined, notes = read(form(tmp_path))
    assert len(rows) == (1 + 25) * 8
    assert len(quarantined) == 0
    assert set(rows["unit_id"]) == {"VN2024:524"}
    assert set(rows["period_id"]) == {"2024C6"}
    assert value_of(rows, "16BCH/total", "age_60_plus") == 25
    assert rows.loc[rows["element_id"].eq("16BCH/1"), "row_number"].unique().tolist() == [FIRST]
    assert notes["note"].tolist() == ["note.form_lines_not_data"]


def test_the_catalog_entry_has_the_columns_and_rows_of_the_printed_form():
    version = next(iter(load_entry("forms", "form16bch").versions.values()))
    assert [column.id for column in version.columns] == [
        "total", "female", "age_0", "age_1_4", "age_5_14", "age_15_59", "age_60_plus", "maternal",
    ]  # fmt: skip
    assert ROWS["row"].tolist() == [str(number) for number in range(1, 26)]


@pytest.mark.parametrize(
    ("written", "value", "note"),
    [("1.184", 1184, "note.number_thousands"), ("12 ca", 12, "note.number_word_dropped"), ("\u00a05", 5, "note.invisible_characters_removed"),
     ("-", None, "note.number_dash"), (7.0, 7, None)],
)  # fmt: skip
def test_numbers_as_people_write_them_land_with_a_note(tmp_path, written, value, note):
    def change(page):
        page.cell(FIRST, 3, written)

    rows, quarantined, notes = read(form(tmp_path, change))
    found = value_of(rows, "16BCH/1", "total")
    assert (found == value) if value is not None else pd.isna(found)
    assert len(quarantined) == 0
    assert note is None or note in set(notes["note"])


@pytest.mark.parametrize(
    ("written", "reason"),
    [("nhiều", "quarantine.not_a_number"), ("#REF!", "quarantine.formula_error"), ("=RAND()", "quarantine.formula_not_computed"),
     (1.5, "quarantine.number_not_whole"), ("03/05/2024", "quarantine.not_a_number")],
)  # fmt: skip
def test_a_cell_that_is_no_number_is_quarantined_and_the_rest_lands(tmp_path, written, reason):
    def change(page):
        page.cell(FIRST + 2, 5, written)
        if written == "#REF!":
            page.cell(FIRST + 2, 5).data_type = "e"

    rows, quarantined, _ = read(form(tmp_path, change))
    assert quarantined[["row_number", "column_name", "reason"]].values.tolist() == [
        [FIRST + 2, "Trong đó: theo tuổi | < 1 tuổi", reason]
    ]
    assert len(rows) == 26 * 8 - 1
    place = {"file": "b.xlsx", "row_number": FIRST + 2, "column_name": "x", "value": str(written)}
    said = sentence(reason, place | {"fields": json.dumps(quarantined["fields"][0])})
    assert "quarantine." not in said


def test_rows_are_matched_by_label_wherever_they_stand(tmp_path):
    def exchange(page):  # rows 3 and 4 change places, numbers and all
        for column in range(1, 11):
            upper, lower = page.cell(FIRST + 2, column), page.cell(FIRST + 3, column)
            upper.value, lower.value = lower.value, upper.value
        page.cell(FIRST + 2, 3, 44)

    rows, quarantined, _ = read(form(tmp_path, exchange))
    assert value_of(rows, "16BCH/4", "total") == 44
    assert len(quarantined) == 0


def test_an_extra_row_is_quarantined_and_shifts_nothing(tmp_path):
    def insert(page):
        page.insert_rows(FIRST + 5)
        page.cell(FIRST + 5, 2, "Bệnh do tôi thêm vào")
        page.cell(FIRST + 5, 3, 9)
        page.cell(FIRST + 6, 3, 66)  # row 6 of the form, one line further down

    rows, quarantined, _ = read(form(tmp_path, insert))
    assert quarantined[["row_number", "value", "reason"]].values.tolist() == [
        [FIRST + 5, "9", "quarantine.form_row_unknown"]
    ]
    assert value_of(rows, "16BCH/6", "total") == 66


def test_a_missing_row_is_said_and_is_no_zero(tmp_path):
    rows, _, notes = read(form(tmp_path, lambda page: page.delete_rows(FIRST + 9)))
    assert "16BCH/10" not in set(rows["element_id"])
    assert notes.loc[notes["note"].eq("note.form_rows_missing"), "value"].tolist() == ["10"]


def test_a_renamed_row_is_quarantined_and_a_misspelt_one_is_taken_with_a_note(tmp_path):
    def rename(page):
        page.cell(FIRST + 4, 2, "Một bệnh hoàn toàn khác")
        page.cell(FIRST + 7, 2, "Các bệnh về tâm thần")

    rows, quarantined, notes = read(form(tmp_path, rename))
    assert set(quarantined["reason"]) == {"quarantine.form_row_label_differs"}
    assert len(quarantined) == 8
    assert {"16BCH/8"} <= set(rows["element_id"])
    similar = notes[notes["note"].eq("note.form_row_label_similar")]
    assert similar[["row_number", "became"]].values.tolist() == [[FIRST + 7, "Các bệnh tâm thần"]]


def test_a_heading_that_cannot_be_read_is_told_by_the_row_of_column_numbers(tmp_path):
    rows, quarantined, notes = read(form(tmp_path, lambda page: page.cell(HEAD + 1, 9, "Ghi gì đó")))
    assert len(rows) == 26 * 8
    assert len(quarantined) == 0
    assert "note.form_column_by_number" in set(notes["note"])


def test_a_row_written_twice_is_taken_once(tmp_path):
    def copy(page):
        page.cell(FIRST + 1, 1, 1)
        page.cell(FIRST + 1, 2, "Bệnh lao")

    rows, quarantined, _ = read(form(tmp_path, copy))
    assert set(quarantined["reason"]) == {"quarantine.form_row_twice"}
    assert rows["element_id"].eq("16BCH/1").sum() == 8


def test_a_missing_column_is_said_and_the_others_land(tmp_path):
    def retitle(page):
        page.cell(HEAD + 1, 9, "Ghi gì đó")
        page.cell(HEAD + 2, 9).value = None

    rows, quarantined, notes = read(form(tmp_path, retitle))
    assert "age_60_plus" not in set(rows["category_id"])
    assert quarantined["reason"].tolist() == ["quarantine.form_column_unknown"] * 26
    assert notes.loc[notes["note"].eq("note.form_columns_missing"), "value"].tolist() == ["≥60 tuổi"]
    assert {"note.form_column_unknown"} <= set(notes["note"])


@pytest.mark.parametrize(
    ("unit", "period", "reason"),
    [
        ("Đơn vị báo cáo: Huyện Trên Mây, tỉnh Quảng Ngãi", "6 tháng năm 2024", "places.unknown_unit"),
        ("Đơn vị báo cáo: Huyện Châu Thành", "6 tháng năm 2024", "places.duplicate_name"),
        ("Đơn vị báo cáo: Đặc khu Lý Sơn, tỉnh Quảng Ngãi", "Năm 2023", "places.unit_not_valid_at_date"),
        ("", "6 tháng năm 2024", "quarantine.heading_unit_missing"),
        (UNIT, "", "quarantine.form_period_missing"),
    ],
)  # fmt: skip
def test_without_unit_or_period_every_cell_waits_with_the_reason(tmp_path, unit, period, reason):
    rows, quarantined, _ = read(form(tmp_path, unit=unit, period=period))
    assert len(rows) == 0
    assert quarantined["reason"].tolist() == [reason] * 26 * 8
    said = sentence(
        reason, {"file": "b.xlsx", "row_number": 10, "fields": json.dumps(quarantined["fields"][0], default=str)}
    )
    assert reason not in said


@pytest.mark.parametrize(
    ("heading", "period"),
    [("3 tháng năm 2023", "2023C3"), ("6 tháng đầu năm 2024", "2024C6"), ("9 tháng năm 2024", "2024C9"), ("Năm 2024", "2024C12"),
     ("Quý I/2024", "2024C3"), ("Tháng 6 năm 2024", "202406")],
)  # fmt: skip
def test_the_form_counts_from_january(heading, period):
    assert read_heading_period([heading], kinds=("cumulative",)).period_id == period


def test_a_form_after_its_circular_ended_lands_and_says_so(tmp_path):
    rows, _, notes = read(form(tmp_path, unit="Đơn vị báo cáo: Xã Bình Sơn, tỉnh Quảng Ngãi", period="Năm 2025"))
    assert len(rows) == 26 * 8
    assert "note.form_not_in_force" in set(notes["note"])


@pytest.mark.parametrize("encoding", ["tcvn3", "vni"])
def test_a_form_in_a_legacy_font_reads_like_the_unicode_one(tmp_path, encoding):
    def store(text):
        return encode(text.lower() if text.isupper() and encoding == "tcvn3" else text, encoding)

    columns = ["element_id", "category_id", "unit_id", "period_id", "value"]
    plain, _, _ = read(form(tmp_path))
    old, quarantined, notes = read(form(tmp_path, store=store, name="cu.xlsx"))
    pd.testing.assert_frame_equal(plain[columns], old[columns])
    assert "note.legacy_font_converted" in set(notes["note"])
    assert len(quarantined) == 0


def test_a_workbook_without_a_known_form_ends_in_a_sentence(tmp_path):
    openpyxl.Workbook().save(tmp_path / "trong.xlsx")
    with pytest.raises(InputError) as error:
        read(tmp_path / "trong.xlsx")
    assert "trong.xlsx" in error.value.sentence("vi")


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("Đơn vị báo cáo: Trạm Y tế xã Bình Châu", {"commune": "xã Bình Châu"}),
        ("Xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi",
         {"commune": "Xã Bình Châu", "district": "huyện Bình Sơn", "province": "tỉnh Quảng Ngãi"}),
        ("Phường 4, thành phố Vũng Tàu, tỉnh Bà Rịa - Vũng Tàu",
         {"commune": "Phường 4", "city": "thành phố Vũng Tàu", "province": "tỉnh Bà Rịa - Vũng Tàu"}),
        ("Thị xã Đức Phổ", {"district": "Thị xã Đức Phổ"}),
        ("SỞ Y TẾ QUẢNG NGÃI", {"province": "QUẢNG NGÃI"}),
        ("Xã: ........ Huyện: ......", {}),
    ],
)  # fmt: skip
def test_headings_name_their_unit(line, names):
    unit = read_reporting_unit([line])
    assert {name: text for name, text in vars(unit).items() if text} == names


def test_the_year_of_a_circular_is_not_the_year_of_the_book():
    assert read_year(["A6/YTCS (TT 27/2014/TT-BYT)"]) == 0
    assert read_year(["Thông tư số 37/2019/TT-BYT", "Từ ngày 01/01/2023 đến ngày 31/12/2023"]) == 2023

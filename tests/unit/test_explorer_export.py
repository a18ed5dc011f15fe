"""A file that leaves says what it is, keeps numbers as numbers, runs nothing, and hides small numbers."""

import csv
import datetime
import io
import stat
from dataclasses import replace

import numpy as np
import pytest
from drawn_figures import CRUDE, DEATHS, figures
from openpyxl import load_workbook

from tkyt_analysis.access.decision import Account, Scope
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.explorer.described import file_name
from tkyt_analysis.explorer.export import KINDS, export, rendered
from tkyt_analysis.explorer.export_text import guarded
from tkyt_analysis.explorer.export_workbook import number_format
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.pivot import pivot

ROWS = """
    measure | province  | year  | value | numerator | status   | lower | upper | findings
    deaths  | VN2025:01 | 2024  | 1240  | 1240      | ok       | .     | .     | 2
    deaths  | VN2025:01 | 2025  | 1300  | 1300      | ok       | .     | .     | 0
    deaths  | VN2025:04 | 2024  | 30    | 30        | ok       | .     | .     | 0
    deaths  | VN2025:04 | 2025  | 3     | 3         | ok       | .     | .     | 0
    deaths  | total     | 2024  | 1270  | 1270      | ok       | .     | .     | 0
    deaths  | total     | 2025  | 1303  | 1303      | ok       | .     | .     | 0
    crude_death_rate | VN2025:01 | 2024  | 4.61 | 1240 | modelled | 4.36 | 4.88 | 0
    crude_death_rate | VN2025:01 | 2025  | 4.82 | 1300 | ok       | 4.56 | 5.09 | 0
    crude_death_rate | VN2025:04 | 2024  | 3.14 | 30   | ok       | 2.12 | 4.48 | 0
    crude_death_rate | VN2025:04 | 2025  | 0.3  | 3    | ok       | 0.06 | 0.88 | 0
    crude_death_rate | total     | 2024  | 4.56 | 1270 | ok       | 4.31 | 4.82 | 0
    crude_death_rate | total     | 2025  | 4.65 | 1303 | ok       | 4.40 | 4.91 | 0
"""
BY = ["province", "year"]
LAYOUT = Layout(rows=("province",), columns=("year", "measure"))
MINISTRY = Account("vu_ke_hoach", "ministry", "VN", Scope(nation=True), grants=frozenset({"identifiers"}))
AT = datetime.datetime(2026, 3, 1, 9, 30)


def drawn(layout=LAYOUT, **view):
    view = {"where": (("sex", ("female",)),), "period": "2024..2025", **view}
    found = figures(ROWS, BY, measures=(DEATHS, CRUDE), remarks=("Sổ A6 còn thiếu tháng 12.",), **view)
    return pivot(found, layout)


def sheets(data):
    return load_workbook(io.BytesIO(data))


def texts_of(sheet):
    return [str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value is not None]


def test_numbers_of_a_workbook_are_numbers_with_their_decimals_and_signs():
    sheet = sheets(rendered(drawn(), "xlsx", account=MINISTRY, purpose="internal"))["Bảng"]
    found = {cell.value: cell.number_format for row in sheet.iter_rows() for cell in row if cell.data_type == "n"}
    assert found[1240] == '[$-42A]#,##0" ●"'
    assert found[4.61] == '[$-42A]#,##0.0" ≈"'
    assert found[1300] == "[$-42A]#,##0"


def test_an_english_workbook_has_the_plain_format():
    assert number_format(2, "", "en") == "#,##0.00"


def test_a_workbook_says_title_filters_signs_release_and_practice():
    book = sheets(rendered(drawn(), "xlsx", made_at=AT))
    assert book.sheetnames == ["Bảng", "Lý lịch số liệu"]
    table, passport = ("\n".join(texts_of(book[name])) for name in book.sheetnames)
    for said in ("Số tử vong", "Nơi: Cả nước", "Thời gian: 2024–2025", "Giới: nữ", "Sổ A6 còn thiếu", "mô phỏng"):
        assert said in table, said
    assert "ẩn để bảo mật" in table
    for said in (
        "r-0123456789ab",
        "31/12/2025",
        "0a1b2c3d4e5f",
        "0.1.0+abcdef01",
        "01/03/2026 09:30",
        "crude_death_rate",
    ):
        assert said in passport, said


def test_a_workbook_prints_across_an_a4_page_with_its_header_repeated_and_frozen():
    sheet = sheets(rendered(drawn(), "xlsx"))["Bảng"]
    assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    first = next(cell.row for row in sheet.iter_rows() for cell in row if cell.value == "Hà Nội")
    assert sheet.freeze_panes == f"B{first}"
    assert sheet.print_title_rows == f"${first - 2}:${first - 1}"


def test_limits_have_columns_of_their_own_beside_the_measures_that_have_them():
    sheet = sheets(rendered(drawn(replace(LAYOUT, intervals=True)), "xlsx"))["Bảng"]
    line = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "Hà Nội")
    assert line[1:5] == (1240, 4.61, 4.36, 4.88)
    assert line[5:9] == ("*", "*", None, None)  # 1303 - 1300 would give away the 3 of Cao Bằng
    line = next(row for row in sheet.iter_rows(values_only=True) if row[0] == "Tổng số" or row[0] == "Chung")
    assert line[1:5] == (1270, 4.56, 4.31, 4.82)


def test_texts_never_become_formulas_or_links():
    names = {"province": {"VN2025:01": '=HYPERLINK("http://x","y")', "VN2025:04": "http://example.org"}}
    rows = figures("province | value\nVN2025:01 | 40\nVN2025:04 | 30", ["province"], names=names)
    data = rendered(pivot(rows, Layout(rows=("province",), picture="bar")), "xlsx")
    book = sheets(data)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not any(cell.data_type == "f" or cell.hyperlink for cell in cells)
    assert '=HYPERLINK("http://x","y")' in [cell.value for cell in cells]


@pytest.mark.parametrize("text", ["=1+1", "+84", "-5", "@SUM(A1)", "\tx", " =1", "\r=1"])
def test_a_text_that_a_spreadsheet_would_run_is_guarded_in_csv(text):
    assert guarded(text) == f"'{text}"


def test_csv_is_one_line_per_figure_with_points_and_its_own_passport():
    data = rendered(drawn(), "csv", account=MINISTRY, purpose="internal")
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    assert len(rows) == 12
    first = rows[0]
    assert (first["mã tỉnh"], first["tỉnh"], first["giá trị"], first["trạng thái"]) == (
        "VN2025:01", "Hà Nội", "1240", "ok",
    )  # fmt: skip
    assert rows[1]["giá trị"] == "4.61"
    assert rows[-1]["tỉnh"] == "Chung"
    assert all("nữ" in row["điều kiện lọc"] and "r-0123456789ab" in row["nguồn"] for row in rows)
    assert all("mô phỏng" in row["cảnh báo"] and "NỘI BỘ" in row["cảnh báo"] for row in rows)


def test_csv_names_that_begin_with_a_sign_are_guarded():
    names = {"province": {"VN2025:01": "=cmd|' /C calc'!A0"}}
    rows = figures("province | value\nVN2025:01 | 40", ["province"], names=names)
    read = list(
        csv.DictReader(io.StringIO(rendered(pivot(rows, Layout(rows=("province",))), "csv").decode("utf-8-sig")))
    )
    assert read[0]["tỉnh"] == "'=cmd|' /C calc'!A0"
    assert read[0]["giá trị"] == "40"


def test_small_numbers_are_hidden_in_every_kind_unless_the_file_is_for_inside():
    hidden = rendered(drawn(), "csv", account=MINISTRY).decode("utf-8-sig")
    inside = rendered(drawn(), "csv", account=MINISTRY, purpose="internal").decode("utf-8-sig")
    read = {
        text: {(row["mã tỉnh"], row["mã năm"], row["mã chỉ tiêu"]): row for row in csv.DictReader(io.StringIO(text))}
        for text in (hidden, inside)
    }
    small = ("VN2025:04", "2025", "deaths")
    assert (read[hidden][small]["giá trị"], read[hidden][small]["trạng thái"]) == ("", "suppressed")
    assert (read[inside][small]["giá trị"], read[inside][small]["trạng thái"]) == ("3", "ok")
    book = sheets(rendered(drawn(), "xlsx", account=MINISTRY))
    numbers = [cell.value for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "n"]
    assert 3 not in numbers
    assert 0.3 not in numbers


def test_who_may_not_read_records_gets_no_internal_file():
    with pytest.raises(InputError, match="nội bộ"):
        rendered(drawn(), "csv", account=None, purpose="internal")


@pytest.mark.parametrize("picture", ["bar", "line"])
def test_bars_and_lines_come_as_a_chart_of_excel_over_the_body_without_totals(picture):
    rows = figures("\n".join(ROWS.splitlines()[:8]), BY)
    table = pivot(rows, Layout(rows=("province",), columns=("year",), picture=picture))
    data = rendered(table, "xlsx", account=MINISTRY, purpose="internal")
    book = sheets(data)
    charts = book["Biểu đồ"]._charts
    assert len(charts) == 1
    references = [one.val.numRef.f.replace("'", "") for one in charts[0].series]
    table = book["Bảng"]
    first = next(cell.row for row in table.iter_rows() for cell in row if cell.value == "Hà Nội")
    if picture == "bar":  # a series per year, over the two provinces
        assert references == [f"Bảng!${column}${first}:${column}${first + 1}" for column in "BC"]
    else:  # a line per province, over the years
        assert references == [f"Bảng!$B${row}:$C${row}" for row in (first, first + 1)]


def test_a_hidden_number_is_a_gap_in_the_chart_not_a_zero():
    # Excel draws the text "*" as 0, so the chart reads a sheet of numbers alone
    rows = figures("\n".join(ROWS.splitlines()[:8]), BY)
    table = pivot(rows, Layout(rows=("province",), columns=("year",), picture="bar"))
    book = sheets(rendered(table, "xlsx"))
    assert book["Số liệu vẽ"].sheet_state == "hidden"
    assert [[cell.value for cell in row] for row in book["Số liệu vẽ"].iter_rows()] == [
        ["Hà Nội", 1240],
        ["Cao Bằng", 30],
    ]
    references = [one.val.numRef.f for one in book["Biểu đồ"]._charts[0].series]
    assert references == ["'Số liệu vẽ'!$B$1:$B$2", "'Số liệu vẽ'!$C$1:$C$2"]


def test_lines_of_a_picture_are_drawn_on_the_page():
    from matplotlib.image import imread

    rows = figures(
        "province | year | value\n" + "\n".join(f"VN2025:01 | {year} | 900" for year in range(2010, 2026)), BY
    )
    page = rendered(pivot(rows, Layout(rows=("province",), columns=("year",), picture="line")), "png")
    blue = np.abs(imread(io.BytesIO(page))[:, :, :3] - np.array([10, 77, 140]) / 255).max(axis=2) < 0.1
    assert blue.any(axis=0).mean() > 0.5  # a line from side to side, not dots


PAGES = {"pdf": b"%PDF-", "png": b"\x89PNG", "svg": b"<svg"}


@pytest.mark.parametrize("kind", PAGES)
def test_tables_come_as_pages_and_pictures(kind):
    data = rendered(drawn(replace(LAYOUT, intervals=True)), kind)
    assert data.startswith(PAGES[kind])
    assert len(data) > 5000


def test_a_pdf_is_tagged_names_its_language_and_carries_our_type():
    data = rendered(drawn(), "pdf")
    for mark in (b"/StructTreeRoot", b"/Lang", b"BeVietnamPro"):
        assert mark in data, mark
    assert b"Times" not in data


def test_a_long_table_runs_over_pages_and_a_wide_one_is_cut_between_columns():
    from tkyt_analysis.explorer.export_document import PAGE_WIDTH, _parts

    months = [f"2024{month:02}" for month in range(1, 13)] + [f"2025{month:02}" for month in range(1, 13)]
    lines = [f"VN2025:{code:05} | {month} | 123456" for code in range(1, 40) for month in months]
    rows = figures("commune | month | value\n" + "\n".join(lines), ["commune", "month"])
    table = pivot(rows, Layout(rows=("commune",), columns=("month",)))
    parts = _parts(table, "vi", PAGE_WIDTH)
    assert sum(len(part["columns"]) for part in parts) == 24
    assert all(part["width"] <= PAGE_WIDTH for part in parts)
    data = rendered(table, "pdf")
    assert data.count(b"/Type /Page\n") + data.count(b"/Type/Page/") > 1 or len(data) > 60000


@pytest.mark.parametrize("kind", ["pdf", "png", "svg", "xlsx"])
def test_a_chart_leaves_as_page_picture_and_workbook(kind):
    rows = figures("\n".join(ROWS.splitlines()[:8]), BY)
    data = rendered(pivot(rows, Layout(rows=("province",), columns=("year",), picture="bar")), kind)
    assert len(data) > 6000


def test_names_of_files_are_ascii_and_say_what_is_in_them():
    name = file_name(drawn(), "xlsx")
    assert name.isascii()
    assert name.startswith("so_tu_vong_va_ty_suat_chet_tho_theo_tinh_va_nam")
    assert name.endswith(".xlsx")


def test_a_file_is_written_where_it_was_asked_for(tmp_path):
    written = export(drawn(), tmp_path, kind="csv")
    assert written.parent == tmp_path
    assert written.name == file_name(drawn(), "csv")
    inside = export(drawn(), tmp_path / "noi_bo.csv", account=MINISTRY, purpose="internal")
    assert stat.S_IMODE(inside.stat().st_mode) == 0o600


def test_a_kind_or_place_that_cannot_be_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="xlsx, csv, pdf, png, svg"):
        export(drawn(), tmp_path / "bang.docx")
    with pytest.raises(ProcessingError, match="Không ghi được"):
        export(drawn(), tmp_path / "khong_co" / "bang.csv")
    assert set(PAGES) < set(KINDS)


def test_a_table_of_nothing_leaves_as_a_file_too():
    rows = figures("province | year | value\nVN2025:01 | 2024 | 40", BY)
    empty = replace(rows, rows=rows.rows[:0])
    for kind in KINDS:
        for layout in (Layout(rows=("province", "year")), Layout(rows=("province",), columns=("year",))):
            assert rendered(pivot(empty, layout), kind)


def test_what_cannot_be_drawn_leaves_as_a_table_that_says_why():
    table = drawn(Layout(rows=("province",), columns=("year", "measure"), picture="pyramid"))
    assert rendered(table, "pdf")
    assert any("Tháp tuổi cần" in text for text in texts_of(sheets(rendered(table, "xlsx"))["Biểu đồ"]))
    with pytest.raises(InputError, match="Tháp tuổi cần"):
        rendered(table, "png")

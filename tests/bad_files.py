"""Makers of the damaged files of the bad-input battery: each gives the bytes of one small file."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from mortality.practice.legacy_encodings import to_nfd, to_tcvn3, to_vni
from tkyt_analysis.catalog import read_codelist

# Planted: what must never be seen outside the restricted store.
SECRET_NAME = "Trần Thị Bí Mật"
SECRET_NUMBER = "000299000777"  # no province has the code 000: it can be nobody's
SECRET_PLACE = "Ngõ Khuất Nẻo 77"
SECRET_CAUSE = "Nhiễm HIV giai đoạn AIDS"

A6_HEADERS = ["TT", "Họ và tên", "Nam", "Nữ", "Dân tộc", "Địa chỉ", "Số CCCD", "Ngày tử vong", "Nơi tử vong",
              "Nguyên nhân tử vong", "Tử vong mẹ", "Ghi chú"]  # fmt: skip
A6_TITLE = ["Trạm Y tế xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi", "SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG", "Năm 2024"]
FORM_UNIT = "Đơn vị báo cáo: Huyện Bình Sơn, tỉnh Quảng Ngãi"
FORM_HEAD = 7  # first header row; numbering in 9, TỔNG SỐ in 10, row 1 of the form in 11
FORM_FIRST = FORM_HEAD + 4
_AGES = ["< 1 tuổi", "1-<5", "5-<15", "15-<60", "≥60"]


def keep(text: str) -> str:
    return text


decomposed, tcvn3, vni = to_nfd, to_tcvn3, to_vni


def saved(book: Any) -> bytes:
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


# ------------------------------------------------------------------------------------------------------- A6 books


def death(number: int = 1, **cells: Any) -> dict[str, Any]:
    """One line of a register, its person planted."""
    usual = {"TT": number, "Họ và tên": f"{SECRET_NAME} {number}", "Nữ": "1950", "Địa chỉ": SECRET_PLACE,
             "Số CCCD": SECRET_NUMBER, "Ngày tử vong": f"{number:02}/03/2024", "Nơi tử vong": "Tại nhà",
             "Nguyên nhân tử vong": "Già yếu"}  # fmt: skip
    return usual | cells


def deaths(count: int = 3, **cells: Any) -> list[dict[str, Any]]:
    return [death(number, **cells) for number in range(1, count + 1)]


def write_register(
    page: Any,
    lines: Iterable[dict[str, Any]],
    *,
    title: list[str] = A6_TITLE,
    headers: list[str] = A6_HEADERS,
    at: int = 5,
    left: int = 0,
    store: Callable[[str], str] = keep,
) -> None:
    """Titles over row `at`, headings in it, the lines below; a text that begins with # becomes an error cell."""
    rows = {at - len(title) - 1 + n: {headers[0]: text} for n, text in enumerate(title)}
    rows |= {at: {name: name for name in headers}} | {at + 1 + n: one for n, one in enumerate(lines)}
    for row, cells in rows.items():
        for heading, value in cells.items():
            if value is not None:
                text = store(value) if isinstance(value, str) else value
                cell = page.cell(row, left + headers.index(heading) + 1, text)
                if isinstance(value, str) and value.startswith("#"):
                    cell.data_type = "e"


def a6(lines: list[dict[str, Any]] | None = None, change: Callable[[Any], None] | None = None, **options: Any) -> bytes:
    """An A6 book of one sheet; `change` gets the workbook before it is saved."""
    from openpyxl import Workbook

    book = Workbook()
    book.active.title = "A6"
    write_register(book.active, deaths() if lines is None else lines, **options)
    if change:
        change(book)
    return saved(book)


def a6_of(*title: str, year: int = 2024) -> bytes:
    """A book whose heading names a unit as given; deaths of `year`."""
    lines = [death(1, **{"Ngày tử vong": f"05/03/{year}"}), death(2, **{"Ngày tử vong": f"06/08/{year}"})]
    return a6(lines, title=[*title, f"Năm {year}"])


def a6_merged_header() -> bytes:
    """Headings over two rows in row 7 and 8, merged, with a row of column numbers under them."""
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    for row, text in enumerate(A6_TITLE, start=1):
        page.cell(row, 1, text)
    above = ["TT", "Họ và tên", "Năm sinh", None, "Địa chỉ", "Tử vong", None, None]
    below = [None, None, "Nam", "Nữ", None, "Ngày", "Nơi tử vong", "Nguyên nhân tử vong"]
    for column, (upper, lower) in enumerate(zip(above, below, strict=True), start=1):
        page.cell(7, column, upper)
        page.cell(8, column, lower)
        page.cell(9, column, column)
        if lower is None:
            page.merge_cells(start_row=7, end_row=8, start_column=column, end_column=column)
    page.merge_cells("C7:D7")
    page.merge_cells("F7:H7")
    for number in (1, 2, 3):
        cells = [
            number,
            f"{SECRET_NAME} {number}",
            None,
            "1950",
            SECRET_PLACE,
            f"0{number}/03/2024",
            "Tại nhà",
            "Già yếu",
        ]
        for column, value in enumerate(cells, start=1):
            page.cell(9 + number, column, value)
    return saved(book)


def a6_two_tables() -> bytes:
    """Two registers of two communes under each other, one sheet."""
    from openpyxl import Workbook

    book = Workbook()
    write_register(book.active, deaths(3))
    title = ["Trạm Y tế xã Bình Hải, huyện Bình Sơn, tỉnh Quảng Ngãi", "Năm 2024"]
    write_register(book.active, deaths(2), title=title, at=15)
    return saved(book)


def a6_side_by_side() -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    write_register(book.active, deaths(2))
    write_register(book.active, deaths(2), title=[], left=len(A6_HEADERS) + 1)
    return saved(book)


def a6_with_sheets(change: Callable[[Any], None]) -> bytes:
    return a6(change=change)


def empty_sheet_first(book: Any) -> None:
    book.create_sheet("Trống", 0)


def only_empty_sheet() -> bytes:
    from openpyxl import Workbook

    return saved(Workbook())


def dated(lines: list[dict[str, Any]], *days: Any) -> list[dict[str, Any]]:
    return [line | {"Ngày tử vong": day} for line, day in zip(lines, days, strict=True)]


# ----------------------------------------------------------------------------------------------------- Biểu 16/BCH


@cache
def _form_rows() -> list[tuple[str, str]]:
    rows = read_codelist("form16bch_rows")
    return list(zip(rows["row"], rows["label_vi"], strict=True))


def form16(
    change: Callable[[Any], None] | None = None, *, unit: str = FORM_UNIT, period: str = "6 tháng năm 2024",
    store: Callable[[str], str] = keep,
) -> bytes:  # fmt: skip
    """A form with merged headings in row 7, a row of column numbers, TỔNG SỐ, 25 causes of 1 each, Tổng cộng."""
    from openpyxl import Workbook

    book = Workbook()
    page = book.active
    page["A1"], page["H1"] = "Biểu: 16/BCH", unit
    page["C3"], page["C4"] = "BÁO CÁO TÌNH HÌNH TỬ VONG TỪ CỘNG ĐỒNG", period
    for column, text in zip("ABCEJ", ["TT", "Nguyên nhân tử vong", "Số tử vong", "Trong đó: theo tuổi", "TV mẹ"]):
        page[f"{column}{FORM_HEAD}"] = text
    for column, text in zip("CDEFGHI", ["Tổng số", "Nữ", *_AGES]):
        page[f"{column}{FORM_HEAD + 1}"] = text
    for cells in ("A7:A8", "B7:B8", "C7:D7", "E7:I7", "J7:J8"):
        page.merge_cells(cells)
    for column in range(1, 11):
        page.cell(FORM_HEAD + 2, column, column)
    lines = [("", "TỔNG SỐ", 25), *((row, text, 1) for row, text in _form_rows()), ("", "Tổng cộng", 25)]
    for at, (number, text, count) in enumerate(lines, FORM_HEAD + 3):
        page.cell(at, 1, int(number) if number else None)
        page.cell(at, 2, text)
        for column in range(3, 11):
            page.cell(at, column, count)
    if change:
        change(page)
    for cells in page.iter_rows():
        for cell in cells:
            if isinstance(cell.value, str) and cell.data_type == "s":
                cell.value = store(cell.value)
    return saved(book)


FORM_CELLS = 26 * 8  # TỔNG SỐ and the 25 rows, eight columns


def form_with(**cells: Any) -> bytes:
    """A form with other contents in some cells, "C12" and the like; a text that begins with # is an error cell."""

    def change(page: Any) -> None:
        for address, value in cells.items():
            page[address] = value
            if isinstance(value, str) and value.startswith("#"):
                page[address].data_type = "e"

    return form16(change)


# ------------------------------------------------------------------------------------------------------ DHIS2, CSV


def values_json(values: list[dict[str, Any]]) -> bytes:
    return json.dumps({"dataValues": values}, ensure_ascii=False).encode()


def population(rows: Iterable[tuple[str, Any]], *, year: int = 2024, encoding: str = "utf-8", **more: str) -> bytes:
    """A population table of (unit, persons) in the workbench's columns."""
    columns = {"sex": "total", "age_group": "total", "series": "TEST", "status": "modelled", "source_id": "thử"} | more
    lines = ["unit_id,year,persons," + ",".join(columns)]
    lines += [f"{unit},{year},{persons}," + ",".join(columns.values()) for unit, persons in rows]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def line_list(*lines: str) -> bytes:
    """Deaths as CSV: name, number, unit, date, cause."""
    return "\n".join(["full_name,id_number,unit_code,death_date,cause_text", *lines, ""]).encode()


def certificates(*lines: str) -> bytes:
    return "\n".join(["id,sex,age_value,age_unit,line_a,line_b,line_c,line_d,part2", *lines, ""]).encode()


# --------------------------------------------------------------------------------------------------- other kinds


def zipped(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def ole(name: str) -> bytes:
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 504 + name.encode("utf-16-le") + b"\x00" * 100


@cache
def _zeros(megabytes: int) -> bytes:
    """So many MB of zeros deflated to a thousandth: one flushed block, repeated."""
    import zlib

    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(bytes(16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(16 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (megabytes // 16 - 1) + packer.flush(zlib.Z_FINISH)


def zip_bomb(member: str, megabytes: int, **others: bytes) -> bytes:
    """A zip with one member of zeros beside `others`: written as stored, then its headers say "deflated"."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(member, _zeros(megabytes))
        for name, content in others.items():
            archive.writestr(name, content)
    changed = bytearray(stream.getvalue())
    local, directory = changed.index(b"PK\x03\x04"), changed.index(b"PK\x01\x02", -2000)
    for at, size in ((local + 8, local + 22), (directory + 10, directory + 24)):
        struct.pack_into("<H", changed, at, 8)
        struct.pack_into("<I", changed, size, megabytes << 20)
    return bytes(changed)


def gz_bomb(megabytes: int) -> bytes:
    """A gz that begins like a population table and goes on with zeros."""
    head = b"unit_id,year,persons,sex,age_group,series,status,source_id\nVN2024:51,2024,1,total,total,T,modelled,x\n"
    return gzip.compress(head) + gzip.compress(bytes(16 << 20)) * (megabytes // 16)

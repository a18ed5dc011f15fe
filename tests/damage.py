"""What people do to a workbook between receiving a template and sending it back: damage with a name each.

A damage takes a `Filled` workbook (openpyxl) and a `random.Random`, and changes it in place. Cells are followed as
objects, so that it is known where every planted value stands afterwards.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.utils import get_column_letter

from tkyt_analysis.ingest.legacy_fonts import encode

Key = tuple[str, str]


@dataclass
class Filled:
    """A filled form: its sheet, and the planted cells ({key: cell object}) with their true values.

    first_header, last_header, first, last : rows of the sheet; label : number of the label column
    spoilt : keys whose cell no longer says its value (it must be reported); emptied : keys that now say "nothing"
    """

    book: Any
    sheet: Any
    cells: dict[Key, Any]
    truth: dict[Key, Any]
    first_header: int
    last_header: int
    first: int
    last: int
    label: int
    spoilt: set[Key] = field(default_factory=set)
    emptied: set[Key] = field(default_factory=set)
    copies: list[Any] = field(default_factory=list)
    own_cells: list[Any] = field(default_factory=list)

    def some(self, draw: random.Random, count: int = 4) -> list[Key]:
        """A few planted cells that hold numbers typed in (no formula)."""
        typed = sorted(key for key, cell in self.cells.items() if isinstance(cell.value, (int, float)))
        return draw.sample(typed, min(count, len(typed)))

    def formulas(self) -> list[Key]:
        return sorted(key for key, cell in self.cells.items() if cell.data_type == "f")

    def rows(self) -> list[int]:
        return sorted({cell.row for cell in self.cells.values()})

    def labels(self) -> list[Any]:
        return [self.sheet.cell(row, self.label) for row in self.rows() if self.sheet.cell(row, self.label).value]


DAMAGES: dict[str, Callable[[Filled, random.Random], None]] = {}


def damage(function: Callable[[Filled, random.Random], None]) -> Callable[[Filled, random.Random], None]:
    DAMAGES[function.__name__] = function
    return function


def _values_for_formulas(form: Filled) -> None:
    """openpyxl does not move the references of formulas: whoever inserts rows in Excel keeps right totals."""
    for key in form.formulas():
        form.cells[key].value = form.truth[key]


def _unmerge(form: Filled, top: int, bottom: int) -> None:
    for merged in list(form.sheet.merged_cells.ranges):
        if merged.min_row <= bottom and merged.max_row >= top:
            form.sheet.unmerge_cells(str(merged))


# ----------------------------------------------------------------------------------------------- rows and columns


def _insert_rows(form: Filled, at: int, count: int) -> None:
    _values_for_formulas(form)
    _unmerge(form, at, 10_000)
    form.sheet.insert_rows(at, count)


@damage
def blank_rows_inserted(form, draw):
    for _ in range(3):
        _insert_rows(form, draw.randint(form.first, form.last), draw.randint(1, 2))


@damage
def rows_inserted_above_the_table(form, draw):
    _values_for_formulas(form)
    merges = [(m.min_row, m.min_col, m.max_row, m.max_col) for m in form.sheet.merged_cells.ranges]
    _unmerge(form, 1, 10_000)
    form.sheet.insert_rows(1, 2)
    for top, left, bottom, right in merges:
        form.sheet.merge_cells(start_row=top + 2, start_column=left, end_row=bottom + 2, end_column=right)


@damage
def remarks_between_the_rows(form, draw):
    at = draw.randint(form.first + 1, form.last)
    _insert_rows(form, at, 1)
    form.sheet.cell(at, form.label, "Số liệu do trạm y tế báo cáo qua điện thoại")


@damage
def a_row_of_its_own_inserted(form, draw):
    at = draw.randint(form.first + 1, form.last)
    _insert_rows(form, at, 1)
    form.sheet.cell(at, form.label, "Bệnh lạ do đơn vị thêm vào mẫu")
    column = next(iter(form.cells.values())).column
    form.own_cells.append(form.sheet.cell(at, column, 77))


@damage
def blank_column_inserted(form, draw):
    _values_for_formulas(form)
    _unmerge(form, 1, 10_000)
    columns = sorted({cell.column for cell in form.cells.values()})
    form.sheet.insert_cols(draw.choice(columns), 1)


@damage
def column_of_its_own_inserted(form, draw):
    _values_for_formulas(form)
    _unmerge(form, 1, 10_000)
    at = draw.choice(sorted({cell.column for cell in form.cells.values()}))
    form.sheet.insert_cols(at, 1)
    form.sheet.cell(form.last_header, at, "Số của đơn vị")
    form.own_cells.append(form.sheet.cell(form.rows()[1], at, 55))


@damage
def columns_exchanged(form, draw):
    _values_for_formulas(form)
    _unmerge(form, 1, 10_000)
    columns = sorted({cell.column for cell in form.cells.values()})
    one, other = draw.sample(columns, 2)
    for row in range(form.first_header, form.last + 1):
        _exchange(form.sheet, (row, one), (row, other))


def _exchange(sheet, one, other):
    first, second = sheet.cell(*one), sheet.cell(*other)
    sheet._cells[one], sheet._cells[other] = second, first
    (first.row, first.column), (second.row, second.column) = other, one


@damage
def a_column_deleted(form, draw):
    _values_for_formulas(form)
    _unmerge(form, 1, 10_000)
    columns = sorted({cell.column for cell in form.cells.values()})
    gone = draw.choice(columns)
    form.cells = {key: cell for key, cell in form.cells.items() if cell.column != gone}
    form.sheet.delete_cols(gone, 1)


@damage
def a_row_deleted(form, draw):
    _values_for_formulas(form)
    _unmerge(form, form.first, 10_000)
    gone = draw.choice(form.rows())
    form.cells = {key: cell for key, cell in form.cells.items() if cell.row != gone}
    form.sheet.delete_rows(gone, 1)


@damage
def hidden_rows_and_columns(form, draw):
    form.sheet.row_dimensions[draw.choice(form.rows())].hidden = True
    column = draw.choice(sorted({cell.column for cell in form.cells.values()}))
    form.sheet.column_dimensions[get_column_letter(column)].hidden = True


@damage
def rows_in_another_order(form, draw):
    _values_for_formulas(form)
    _unmerge(form, form.first, 10_000)
    one, other = draw.sample(form.rows(), 2)
    for column in range(1, form.sheet.max_column + 1):
        _exchange(form.sheet, (one, column), (other, column))


# ---------------------------------------------------------------------------------------------------------- sheets


@damage
def sheet_renamed(form, draw):
    form.sheet.title = draw.choice(["Sheet1", "BC gửi tỉnh (sửa)", "T6"])


@damage
def sheets_added_and_reordered(form, draw):
    extra = form.book.create_sheet("Ghi chép", 0)
    extra["A1"], extra["A2"], extra["B2"] = "Việc cần làm", "Gọi lại cho trạm", 3
    form.book._sheets.reverse()


@damage
def sheet_copied(form, draw):
    copy = form.book.copy_worksheet(form.sheet)
    form.copies.append(copy)


@damage
def hidden_sheet_deleted(form, draw):
    del form.book["_tkyt"]


# -------------------------------------------------------------------------------------------------------- headings


@damage
def header_cells_split(form, draw):
    _unmerge(form, form.first_header, form.last_header)


@damage
def header_cells_merged(form, draw):
    columns = sorted({cell.column for cell in form.cells.values()})
    at = draw.choice(columns[:-1])
    _unmerge(form, form.last_header, form.last_header)
    form.sheet.merge_cells(start_row=form.last_header, start_column=at, end_row=form.last_header, end_column=at + 1)


@damage
def a_heading_retyped(form, draw):
    column = draw.choice(sorted({cell.column for cell in form.cells.values()}))
    _unmerge(form, form.first_header, form.last_header)
    form.sheet.cell(form.last_header, column).value = "Cột này"


@damage
def heading_without_accents(form, draw):
    for row in form.sheet.iter_rows(max_row=form.first_header - 1):
        for cell in row:
            if isinstance(cell.value, str) and "Đơn vị báo cáo" in cell.value:
                plain = unicodedata.normalize("NFD", cell.value.replace("Đ", "D").replace("đ", "d"))
                cell.value = "".join(c for c in plain if not unicodedata.combining(c))


@damage
def labels_misspelt(form, draw):
    for cell in draw.sample(form.labels(), min(3, len(form.labels()))):
        if len(cell.value) >= 14:
            at = draw.randint(4, len(cell.value) - 4)
            cell.value = cell.value[:at] + cell.value[at + 1 :]


@damage
def labels_emptied(form, draw):
    for cell in draw.sample(form.labels(), 2):
        cell.value = None


@damage
def labels_replaced(form, draw):
    draw.choice(form.labels()).value = "Một hàng hoàn toàn khác, không có trong mẫu nào"


# ----------------------------------------------------------------------------------------------------------- texts


def _retype(form, draw, write, count=6):
    for key in form.some(draw, count):
        cell = form.cells[key]
        cell.value = write(form.truth[key])
        if isinstance(cell.value, str):
            cell.data_type = "s"


@damage
def numbers_as_text(form, draw):
    _retype(form, draw, lambda value: str(value))
    for cell in form.cells.values():
        cell.quotePrefix = True


@damage
def pasted_from_word(form, draw):
    _retype(form, draw, lambda value: draw.choice(["\u00a0{}", "{}\n", " {} \u200b", "\u202f{}\u00a0"]).format(value))
    for cell in draw.sample(form.labels(), 3):
        cell.value = cell.value.replace(" ", "\u00a0", 1).replace(" ", "\n", 1)


@damage
def thousands_separated(form, draw):
    def write(value):
        return f"{int(value):,}".replace(",", draw.choice([".", " ", ",", "\u00a0"])) if value >= 1000 else str(value)

    _retype(form, draw, write, 12)


@damage
def dash_or_cross_for_nothing(form, draw):
    for key in form.some(draw):
        form.cells[key].value = draw.choice(["-", "–", "x", "X", "không", "…"])
        form.emptied.add(key)


@damage
def words_beside_numbers(form, draw):
    _retype(form, draw, lambda value: f"{value} ca")


@damage
def words_for_numbers(form, draw):
    for key in form.some(draw):
        form.cells[key].value = draw.choice(["nhiều", "khoảng 12", "12-15", "mười hai", "12?", "0O1"])
        form.spoilt.add(key)


@damage
def fractions_for_counts(form, draw):
    for key in [one for one in form.some(draw) if not one[0].startswith("5.2")]:  # money may have a fraction
        form.cells[key].value = draw.choice(["12,5", 3.25, "1/2"])
        form.spoilt.add(key)


@damage
def numbers_turned_into_dates(form, draw):
    import datetime

    for key in form.some(draw, 2):
        form.cells[key].value = datetime.datetime(2024, 5, draw.randint(1, 28))
        form.cells[key].number_format = "dd/mm/yyyy"
        form.spoilt.add(key)


@damage
def letters_decomposed(form, draw):
    for cell in _texts(form):
        cell.value = unicodedata.normalize("NFD", cell.value)


@damage
def font_tcvn3(form, draw):
    _legacy(form, "tcvn3")


@damage
def font_vni(form, draw):
    _legacy(form, "vni")


def _texts(form):
    return [
        cell for row in form.sheet.iter_rows() for cell in row if isinstance(cell.value, str) and cell.data_type == "s"
    ]


def _legacy(form, encoding):
    for cell in _texts(form):
        text = cell.value.lower() if encoding == "tcvn3" and cell.value.isupper() else cell.value
        cell.value = encode(text, encoding)


# ----------------------------------------------------------------------------------------------- formulas and cells


@damage
def formulas_replaced_by_values(form, draw):
    _values_for_formulas(form)


@damage
def formulas_never_computed(form, draw):
    """As openpyxl saves every workbook: formulas without values."""


@damage
def formulas_broken(form, draw):
    formulas = form.formulas() or form.some(draw)
    for key in draw.sample(formulas, min(3, len(formulas))):
        form.cells[key].value, form.cells[key].data_type = draw.choice(["#REF!", "#VALUE!", "#DIV/0!"]), "e"
        form.spoilt.add(key)
    for key in form.formulas():  # totals of totals may stand on a broken one
        form.cells[key].value = form.truth[key]


@damage
def formulas_that_are_no_sums(form, draw):
    for key in form.some(draw, 3):
        form.cells[key].value = "=ROUND(RAND()*10,0)"
        form.spoilt.add(key)
    for key in form.formulas():
        if key not in form.spoilt:
            form.cells[key].value = form.truth[key]


@damage
def data_cells_merged(form, draw):
    key = form.some(draw, 1)[0]
    cell = form.cells[key]
    _values_for_formulas(form)
    covered = [k for k, other in form.cells.items() if other.column == cell.column and other.row == cell.row + 1]
    for other in covered:
        del form.cells[other]
    form.sheet.merge_cells(start_row=cell.row, start_column=cell.column, end_row=cell.row + 1, end_column=cell.column)
    form.spoilt.add(key)


@damage
def signatures_and_footnotes(form, draw):
    row = form.sheet.max_row + 1
    form.sheet.cell(row, 1, "(*) Số liệu chưa gồm các xã vùng sâu")
    form.sheet.cell(row + 1, form.label, "Ngày 05 tháng 7 năm 2024")
    form.sheet.cell(row + 2, form.label, "Người lập biểu")
    form.sheet.cell(row + 2, form.label + 2, "Thủ trưởng đơn vị (ký, đóng dấu)")


@damage
def coloured_and_commented(form, draw):
    for key in form.some(draw, 6):
        form.cells[key].fill = PatternFill("solid", fgColor="FFFF00")
        form.cells[key].comment = Comment("xem lại", "A")


@damage
def numbers_under_the_table(form, draw):
    column = next(iter(form.cells.values())).column
    form.own_cells.append(form.sheet.cell(form.sheet.max_row + 2, column, 999))

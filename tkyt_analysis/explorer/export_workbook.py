"""A table as a workbook: numbers as numbers, signs in their formats, a chart of Excel's own, a page with the passport."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from tkyt_analysis.explorer.described import Description, Pairs
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.marks import cell_texts, decimals_of, marks_of, signs
from tkyt_analysis.explorer.pivot_html import Heading, column_names, headings, is_total, row_names
from tkyt_analysis.explorer.titles import dimension_name
from tkyt_analysis.labels import label

_LETTERS = 10  # of a bold heading in a column of the usual width
_BRAND, _TINT, _LINE, _SOFT = "#0A4D8C", "#F2F6F9", "#C3CCD4", "#4A5560"


def workbook(pivot: Pivot, words: Description, language: str) -> bytes:
    """The bytes of the workbook: sheets "Bảng", "Biểu đồ" (where the layout has a picture), "Lý lịch số liệu"."""
    import xlsxwriter

    from tkyt_analysis.explorer.export_chart import picture_sheet

    stream = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(stream, options) as book:
        book.set_properties({"title": words.title, "subject": "; ".join(words.bands), "comments": words.footer})
        sheet = TableSheet(book, pivot, words, language)
        sheet.write()
        if pivot.layout.picture != "table":
            picture_sheet(book, sheet, pivot, words, language)
        _passport_sheet(book, words, language)
    return stream.getvalue()


def number_format(decimals: int, sign: str, language: str) -> str:
    """An Excel format; the Vietnamese prefix makes separators 1.234,5 where a program heeds it (Excel takes the machine's)."""
    places = "." + "0" * decimals if decimals else ""
    prefix = "[$-42A]" if language == "vi" else ""
    behind = f'" {sign}"' if sign else ""
    return f"{prefix}#,##0{places}{behind}"


class TableSheet:
    """The sheet of the table. `top`, `left`: where its cells begin; `at`: the sheet column of each column of the table and,
    last, of what follows; a column with limits takes three."""

    def __init__(self, book: Any, pivot: Pivot, words: Description, language: str) -> None:
        self.book, self.pivot, self.words, self.language = book, pivot, words, language
        self.name = label("export.sheet.table", language)
        self.sheet = book.add_worksheet(self.name)
        self.left = max(len(pivot.layout.rows), 1)
        asked = pivot.layout.intervals and pivot.layout.shows == "value"
        self.limited = np.isfinite(pivot.lower).any(axis=0) & asked
        self.at = (self.left + np.append(0, np.cumsum(np.where(self.limited, 3, 1)))).tolist()
        self.levels = max(len(pivot.layout.columns), 1) + bool(self.limited.any())
        self.head = 2 + len(words.bands) + len(words.filters) + bool(words.unit)
        self.top = self.head + self.levels
        self._formats: dict[tuple[Any, ...], Any] = {}

    def write(self) -> None:
        """Everything of the sheet."""
        self._above()
        self._header()
        self._rows()
        self._cells()
        self._below(self.top + len(self.pivot.row_keys) + 1)
        self._page()

    def format(self, **properties: Any) -> Any:
        """A cell format, made once."""
        key = tuple(sorted(properties.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format({"valign": "top", **properties})
        return self._formats[key]

    def last_column(self) -> int:
        """The last sheet column of the table."""
        return int(self.at[-1]) - 1

    def _above(self) -> None:
        self.sheet.write_string(0, 0, self.words.title, self.format(bold=True, font_size=14))
        row = 1
        self.sheet.set_row(0, 21)
        for band in self.words.bands:
            style = self.format(bold=True, font_color="#5C3B00", bg_color="#FFF2CC")
            self.sheet.write_string(row, 0, band, style)
            for column in range(1, self.last_column() + 1):
                self.sheet.write_blank(row, column, None, style)
            row += 1
        for name, value in self.words.filters:
            self.sheet.write_string(row, 0, f"{name}: {value}", self.format(font_color=_SOFT))
            row += 1
        if self.words.unit:
            self.sheet.write_string(row, 0, self.words.unit, self.format(font_color=_SOFT))

    def _header(self) -> None:
        pivot, language = self.pivot, self.language
        style = self.format(bold=True, bg_color=_TINT, border=1, border_color=_LINE, text_wrap=True)
        for place, name in enumerate(pivot.layout.rows or ("",)):
            text = dimension_name(name, language) if name else ""
            self._block(self.head, place, self.levels, 1, text[:1].upper() + text[1:], style)
        names = column_names(pivot, language)
        right = self.format(
            bold=True, bg_color=_TINT, border=1, border_color=_LINE, text_wrap=True, align="center", valign="bottom"
        )
        if not pivot.layout.columns:
            width = self.at[-1] - self.left
            self._block(self.head, self.left, 1, width, label("table.value", language), right)
        lines = [1] * len(pivot.layout.columns)
        for level in range(len(lines)):
            for one in headings(names, pivot.column_keys, level):
                first, last = self.at[one.first], self.at[one.first + one.span]
                self._block(self.head + level, first, one.levels, last - first, one.text, right)
                lines[level] = max(lines[level], -(-len(one.text) // (_LETTERS * (last - first))))
        for level, number in enumerate(lines):
            self.sheet.set_row(self.head + level, 15 * min(number, 5))
        if self.limited.any():
            for column in range(len(pivot.column_keys)):
                words = ("table.value", "export.lower", "export.upper")[: self.at[column + 1] - self.at[column]]
                for place, word in enumerate(words):
                    self.sheet.write_string(self.top - 1, self.at[column] + place, label(word, language), right)

    def _block(self, row: int, column: int, height: int, width: int, text: str, style: Any) -> None:
        """A text over one cell or several merged ones."""
        if height == 1 and width == 1:
            self.sheet.write_string(row, column, text, style)
        else:
            self.sheet.merge_range(row, column, row + height - 1, column + width - 1, "", style)
            self.sheet.write_string(row, column, text, style)

    def _rows(self) -> None:
        pivot = self.pivot
        names = row_names(pivot, self.language)
        if not pivot.layout.rows:
            for row in range(len(pivot.row_keys)):
                self.sheet.write_string(self.top + row, 0, label("table.value", self.language), self._row_style(False))
        for level in range(len(pivot.layout.rows)):
            for one in headings(names, pivot.row_keys, level):
                self._row_heading(one, level)

    def _row_heading(self, one: Heading, level: int) -> None:
        style = self._row_style(is_total(self.pivot.row_keys[one.first]))
        self._block(self.top + one.first, level, one.span, one.levels, one.text, style)

    def _row_style(self, total: bool) -> Any:
        return self.format(bold=total, border=1, border_color=_LINE, text_wrap=True, top=2 if total else 1)

    def _cells(self) -> None:
        pivot = self.pivot
        behind, decimals = signs(marks_of(pivot)).tolist(), decimals_of(pivot).tolist()
        texts, numbers = cell_texts(pivot, self.language), pivot.shown.tolist()
        limits = (pivot.lower.tolist(), pivot.upper.tolist())
        totals = [is_total(key) for key in pivot.column_keys]
        for row, key in enumerate(pivot.row_keys):
            for column, total in enumerate(totals):
                bold, at = total or is_total(key), self.at[column]
                places, sign = decimals[row][column], behind[row][column]
                self._number(row, at, numbers[row][column], texts[row][column], places, sign, bold)
                for place, one in enumerate(limits if self.limited[column] else (), start=1):
                    limit = one[row][column] if numbers[row][column] == numbers[row][column] else float("nan")
                    self._number(row, at + place, limit, "", places, "", False)

    def _number(self, row: int, column: int, value: float, text: str, places: int, sign: str, bold: bool) -> None:
        base = {"bold": bold, "border": 1, "border_color": _LINE, "align": "right"}
        if value == value:
            style = self.format(num_format=number_format(places, sign, self.language), **base)
            self.sheet.write_number(self.top + row, column, value, style)
        elif text:
            self.sheet.write_string(self.top + row, column, f"{text} {sign}".strip(), self.format(**base))
        else:
            self.sheet.write_blank(self.top + row, column, None, self.format(**base))

    def _below(self, row: int) -> None:
        soft = self.format(font_color=_SOFT)
        lines = [f"{sign}  {text}" for sign, text in self.words.legend]
        for text in (*lines, *self.words.notes, self.words.footer):
            self.sheet.write_string(row, 0, text, soft)
            row += 1

    def _page(self) -> None:
        sheet, words = self.sheet, self.words
        for level in range(self.left):
            longest = max((len(name[level]) for name in self.pivot.row_names if len(name) > level), default=8)
            sheet.set_column(level, level, min(max(longest + 2, 12), 42))
        sheet.set_column(self.left, self.last_column(), 11)
        sheet.freeze_panes(self.top, self.left)
        sheet.repeat_rows(self.head, self.top - 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
        sheet.fit_to_pages(1, 0)
        page = label("export.page", self.language)
        sheet.set_footer(f"&L&8{_footer_text(words.footer)}&R&8{page} &P/&N")
        if words.bands:
            sheet.set_header(f"&C&9{_footer_text(' · '.join(words.bands))}")


def _footer_text(text: str) -> str:
    """Text for a header or footer of Excel: & begins a code there, and 255 characters are the most."""
    return text.replace("&", "&&")[:200]


def _passport_sheet(book: Any, words: Description, language: str) -> None:
    sheet = book.add_worksheet(label("export.sheet.passport", language))
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 1, 90)
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    bold, plain = (
        book.add_format({"bold": True, "valign": "top"}),
        book.add_format({"text_wrap": True, "valign": "top"}),
    )
    head = book.add_format({"bold": True, "font_color": _BRAND, "bottom": 2, "bottom_color": _BRAND})
    notes: Pairs = [("", text) for text in words.notes]
    blocks = [
        (words.title, [("", band) for band in words.bands]),
        (label("export.filters", language), words.filters),
        *((label("export.measure", language), pairs) for pairs in words.measures),
        (label("export.legend", language), words.legend),
        (label("export.notes", language), notes),
        (label("export.sheet.passport", language), words.passport),
    ]
    row = 0
    for heading, pairs in blocks:
        if pairs or row == 0:
            sheet.write_string(row, 0, heading, head)
            sheet.write_string(row, 1, "", head)
            for name, value in pairs:
                row += 1
                sheet.write_string(row, 0, name, bold)
                sheet.write_string(row, 1, value, plain)
            row += 2

"""The sheet of a workbook that holds its picture: a chart of Excel's own of bars or lines, else the picture itself."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from tkyt_analysis.cube.model import PERIODS
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.described import Description
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.pivot_html import is_total
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.explorer.export_workbook import TableSheet

NATIVE = {"bar": "bar", "line": "line"}
MOST_SERIES = 30
LINE, SOFT = "#C3CCD4", "#4A5560"


def picture_sheet(book: Any, table: TableSheet, pivot: Pivot, words: Description, language: str) -> None:
    """A chart of Excel's own of bars or lines, which follows the cells; of other pictures the picture itself."""
    sheet = book.add_worksheet(label("export.sheet.picture", language))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 1)
    sheet.hide_gridlines(2)
    lines = (words.title, *words.bands, *(f"{name}: {value}" for name, value in words.filters), words.unit)
    row = 0
    for text in (line for line in lines if line):
        sheet.write_string(row, 0, text, table.format(bold=row == 0))
        row += 1
    if not np.isfinite(pivot.shown).any():
        sheet.write_string(row + 1, 0, label("export.nothing", language))
    elif pivot.layout.picture in NATIVE:
        sheet.insert_chart(row + 1, 0, _native_chart(book, table, pivot, words))
    else:
        row = _drawn(sheet, row, pivot, language)
    sheet.write_string(row + 32, 0, words.footer, table.format(font_color=SOFT))


def _drawn(sheet: Any, row: int, pivot: Pivot, language: str) -> int:
    """Put in the picture, or the reason why there is none; the row from which the sheet goes on."""
    from tkyt_analysis.explorer.export_document import picture_png

    try:
        image = io.BytesIO(picture_png(pivot, language))
    except InputError as error:
        sheet.write_string(row + 1, 0, error.sentence(language))
        return row
    sheet.insert_image(row + 1, 0, "picture.png", {"image_data": image, "x_scale": 0.5, "y_scale": 0.5})
    return row + 16  # it lies over the rows below


def _native_chart(book: Any, table: TableSheet, pivot: Pivot, words: Description) -> Any:
    chart = book.add_chart({"type": NATIVE[pivot.layout.picture]})
    rows = np.array([place for place, key in enumerate(pivot.row_keys) if not is_total(key)])
    columns = np.array([place for place, key in enumerate(pivot.column_keys) if not is_total(key)])
    across = pivot.layout.picture == "line" and any(name in PERIODS for name in pivot.layout.columns)
    plotted = _Plotted(book, table, rows, columns, across=across)
    for number in range(min(plotted.series, MOST_SERIES)):
        chart.add_series(plotted.one(number) | _colour(number, pivot))
    chart.set_title({"name": words.title, "name_font": {"size": 12}, "overlay": False})
    value_axis = {"num_format": "#,##0.##", "major_gridlines": {"visible": True, "line": {"color": LINE}}}
    if pivot.layout.picture == "bar":
        chart.set_y_axis({"reverse": True})
        chart.set_x_axis({**value_axis, "name": words.unit, "label_position": "low"})
    else:
        chart.set_y_axis({**value_axis, "name": words.unit})
    chart.show_blanks_as("gap")
    chart.show_hidden_data()
    chart.set_legend({"position": "bottom"} if len(chart.series) > 1 else {"none": True})
    chart.set_size({"width": 1000, "height": max(520, 22 * len(rows)) if pivot.layout.picture == "bar" else 520})
    return chart


class _Plotted:
    """What a chart of Excel's own draws: the cells of the table, or, where some hold a sign instead of a number, a hidden
    sheet with the numbers alone (Excel draws a text as 0)."""

    def __init__(self, book: Any, table: TableSheet, rows: np.ndarray, columns: np.ndarray, *, across: bool) -> None:
        self.table, self.across = table, across
        self.rows, self.columns = rows, columns
        self.series = len(rows) if across else len(columns)
        shown = table.pivot.shown[np.ix_(rows, columns)]
        said = table.pivot.status[np.ix_(rows, columns)] != ""
        whole = len(table.limited) == 0 or not (table.limited.any() and across)
        self.sheet = None if whole and not (said & ~np.isfinite(shown)).any() else self._numbers(book, shown)

    def _numbers(self, book: Any, shown: np.ndarray) -> Any:
        """The hidden sheet: the headings of each series' points in the first column, a column per series."""
        sheet = book.add_worksheet(label("export.sheet.plotted", self.table.language))
        sheet.hide()
        names = self._names(self.table.pivot, self.across)
        for row, name in enumerate(names):
            sheet.write_string(row, 0, name)
        for row, line in enumerate((shown.T if self.across else shown).tolist()):
            for column, value in enumerate(line, start=1):
                if value == value:
                    sheet.write_number(row, column, value)
        return sheet

    def _names(self, pivot: Pivot, points_are_columns: bool) -> list[str]:
        names = pivot.column_names if points_are_columns else pivot.row_names
        return [_joined(names[place]) for place in (self.columns if points_are_columns else self.rows)]

    def one(self, number: int) -> dict[str, Any]:
        """One series, with the cells that it draws."""
        table, (first, last) = self.table, (self.table.top + self.rows[0], self.table.top + self.rows[-1])
        left, right = table.at[self.columns[0]], table.at[self.columns[-1]]
        name = {"name": self._names(table.pivot, not self.across)[number].lstrip("=")}
        if self.sheet is not None:
            end, sheet = (len(self.columns) if self.across else len(self.rows)) - 1, self.sheet.get_name()
            return name | {
                "categories": [sheet, 0, 0, end, 0],
                "values": [sheet, 0, number + 1, end, number + 1],
            }
        if self.across:
            row = table.top + int(self.rows[number])
            return name | {
                "categories": [table.name, table.head, left, table.top - 1, right],
                "values": [table.name, row, left, row, right],
            }
        at = table.at[self.columns[number]]
        return name | {
            "categories": [table.name, int(first), 0, int(last), table.left - 1],
            "values": [table.name, int(first), at, int(last), at],
        }


def _joined(names: Sequence[str]) -> str:
    return ", ".join(name for name in names if name)


def _colour(number: int, pivot: Pivot) -> dict[str, Any]:
    from tkyt_analysis.explorer.palette import SERIES

    colour = {"color": SERIES[number % len(SERIES)]}
    if pivot.layout.picture == "bar":
        return {"fill": colour}
    mark = {"type": "circle", "size": 4, "fill": colour, "border": colour}
    return {"line": {**colour, "width": 2}, "marker": mark}

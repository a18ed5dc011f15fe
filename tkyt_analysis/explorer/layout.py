"""How figures are laid out on a page: rows, columns, picture, what the cells show; and the pivot itself as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from tkyt_analysis.cube.model import Figures

PICTURES = (
    "table",
    "bar",
    "stacked",  # counts on one another
    "stacked_share",  # the same as 100 %
    "line",
    "year_over_year",  # months along, one line per year
    "pyramid",
    "small_multiples",
    "scatter",  # two measures against one another
    "card",  # single figures, large
    "map",
)
SHOWS = ("value", "share_row", "share_column", "share_all", "cumulative", "change_previous", "change_year")


@dataclass(frozen=True)
class Layout:
    """Where the dimensions of a view stand and how its cells are shown.

    rows, columns : dimensions of the view, and "measure"; every dimension of the view stands in one of the two
    picture : one of PICTURES
    shows : one of SHOWS: the value; its share of the row's, column's or whole total (additive measures only); the sum since
        the beginning of the year ("lũy kế", additive measures only; of years: since the first); its change against the
        period before or the same period a year before, in percent
    totals : with a total row and column (rates: measured again on the whole, never summed)
    subtotals : of a table with several dimensions on its rows: a line for every member of the outer ones, measured again
        like the totals; not with `sort` or `top`
    shade : tint the cells of a table by the fifth of its measure's values that they lie in
    intervals : show 95 % limits where there are any
    sort : "" (natural order), "value" (largest first, by the last column) ; top : keep the first n rows (0 = all),
        the rest shown as one row where the measure is additive
    scheme, classes : of a map (tkyt_analysis.maps.classify)
    """

    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    picture: str = "table"
    shows: str = "value"
    totals: bool = True
    subtotals: bool = False
    shade: bool = False
    intervals: bool = False
    sort: str = ""
    top: int = 0
    scheme: str = "quantile"
    classes: int = 5

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `layout_from` reads them back."""
        return asdict(self)


def layout_from(values: Mapping[str, Any]) -> Layout:
    """A layout from what `Layout.as_dict` wrote."""
    return Layout(**{**values, "rows": tuple(values.get("rows", ())), "columns": tuple(values.get("columns", ()))})


@dataclass(frozen=True, eq=False)
class Pivot:
    """Figures as a table: arrays of shape (rows, columns), totals as the last row and column where the layout has them.

    row_keys, column_keys : codes per row and column, one per dimension of the layout (TOTAL in total rows and columns)
    row_names, column_names : the same as words to show
    value, lower, upper, numerator, denominator : float arrays; value is missing where status is not ok or modelled
    shown : float array of what the cells show (value, share or change)
    status : array of words (cube.model.STATUSES, "" where there is no such figure)
    expected, received, findings : float arrays of the quality marks
    measure : array of measure ids per cell
    figures : what it was made of
    """

    layout: Layout
    figures: Figures
    row_keys: list[tuple[str, ...]]
    column_keys: list[tuple[str, ...]]
    row_names: list[tuple[str, ...]]
    column_names: list[tuple[str, ...]]
    value: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    numerator: np.ndarray
    denominator: np.ndarray
    shown: np.ndarray
    status: np.ndarray
    expected: np.ndarray
    received: np.ndarray
    findings: np.ndarray
    measure: np.ndarray

"""Reported values as numbers in one sorted scratch table, from which panels and forms are read a piece at a time.

Tables made (integers in place of names, so that hundreds of millions of cells sort and scan quickly):
  unit    unit_no, unit_id, province_id, level, valid_from, valid_to
  period  period_no, period_id, kind, period_start, period_end
  series  series_no, dataset_id, element_id, category_id
  cell    series_no, unit_no, period_no, value      one row per cell: of several submissions the one received last
  aggregate_value (view)  dataset_id, element_id, category_id, unit_id, period_id, value
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock, Panel
from tkyt_analysis.reference.periods import Period, period, period_range, period_windows

if TYPE_CHECKING:
    import duckdb

_CELLS_OF_A_BLOCK = 12_000_000
_SERIES_AT_ONCE = 50

MAKE_SERIES = """
    CREATE OR REPLACE TABLE series AS
    SELECT row_number() OVER (ORDER BY dataset_id, element_id, category_id)::INTEGER AS series_no, *
    FROM (SELECT DISTINCT dataset_id, element_id, coalesce(category_id, '') AS category_id FROM received_value)
"""
MAKE_UNITS = """
    CREATE OR REPLACE TABLE unit AS
    SELECT row_number() OVER (ORDER BY unit_id)::INTEGER AS unit_no, unit_id, coalesce(o.province_id, '') AS province_id,
           o.level, o.valid_from, o.valid_to
    FROM (SELECT DISTINCT unit_id FROM received_value) LEFT JOIN (
        SELECT unit_id, any_value(province_id) AS province_id, any_value(level) AS level,
               any_value(valid_from) AS valid_from, any_value(valid_to) AS valid_to
        FROM organisation_unit GROUP BY unit_id
    ) o USING (unit_id)
"""
MAKE_CELLS = "CREATE OR REPLACE TABLE cell (series_no INTEGER, unit_no INTEGER, period_no INTEGER, value DOUBLE)"
ADD_CELLS = """
    INSERT INTO cell
    SELECT series_no, unit_no, period_no, arg_max_null(value, received_order) AS value
    FROM received_value v JOIN series s ON s.dataset_id = v.dataset_id AND s.element_id = v.element_id
         AND s.category_id = coalesce(v.category_id, '')
    JOIN unit USING (unit_id) JOIN period USING (period_id)
    WHERE s.series_no BETWEEN ? AND ?
    GROUP BY ALL ORDER BY series_no, unit_no, period_no
"""
MAKE_VIEW = """
    CREATE OR REPLACE VIEW aggregate_value AS
    SELECT dataset_id, element_id, category_id, unit_id, period_id, value
    FROM cell JOIN series USING (series_no) JOIN unit USING (unit_no) JOIN period USING (period_no)
"""


def make_cells(con: duckdb.DuckDBPyConnection, progress: Callable[[int, int], None] | None = None) -> int:
    """Make the scratch tables from the relations `received_value` and `organisation_unit`; the number of cells.

    received_value : dataset_id, element_id, category_id, unit_id, period_id, value, received_order (later is larger)
    """
    con.execute(MAKE_SERIES)
    con.execute(MAKE_UNITS)
    _make_periods(con)
    con.execute(MAKE_CELLS)
    (last,) = con.execute("SELECT coalesce(max(series_no), 0) FROM series").fetchall()[0]
    for first in range(1, last + 1, _SERIES_AT_ONCE):
        if progress:
            progress(first - 1, last)
        con.execute(ADD_CELLS, [first, min(first + _SERIES_AT_ONCE - 1, last)])
    con.execute(MAKE_VIEW)
    return int(con.execute("SELECT count(*) FROM cell").fetchall()[0][0])


def _make_periods(con: duckdb.DuckDBPyConnection) -> None:
    rows = con.execute("SELECT DISTINCT period_id FROM received_value ORDER BY 1").fetchall()
    ids = [row[0] for row in rows if row[0]]  # a value without a period belongs to no panel
    windows = period_windows(ids) if ids else pd.DataFrame(columns=["period_id", "kind", "period_start", "period_end"])
    windows = windows.sort_values(["kind", "period_start"], ignore_index=True).assign(period_no=range(len(windows)))
    con.register("windows", windows.astype({"period_id": "str", "kind": "str"}))
    con.execute(
        "CREATE OR REPLACE TABLE period AS SELECT period_no::INTEGER AS period_no, period_id::VARCHAR AS period_id, kind::VARCHAR AS kind, "
        "period_start::DATE AS period_start, period_end::DATE AS period_end FROM windows"
    )
    con.unregister("windows")


def panel_list(con: duckdb.DuckDBPyConnection, kinds: tuple[str, ...], datasets: tuple[str, ...] = ()) -> pd.DataFrame:
    """One row per panel there is: series_no, dataset_id, element_id, category_id, kind, cells."""
    chosen = "AND dataset_id IN (SELECT unnest(?))" if datasets else ""
    return con.execute(
        f"""
        SELECT series_no, dataset_id, element_id, category_id, kind, count(*) AS cells
        FROM cell JOIN series USING (series_no) JOIN period USING (period_no)
        WHERE kind IN (SELECT unnest(?)) {chosen} GROUP BY ALL ORDER BY series_no, kind
        """,
        [list(kinds), *([list(datasets)] if datasets else [])],
    ).df()


class Grid:
    """The units and periods of one data set and kind of period, and which unit reported when."""

    def __init__(self, con: duckdb.DuckDBPyConnection, dataset_id: str, kind: str) -> None:
        self.con, self.dataset_id, self.kind = con, dataset_id, kind
        numbers = con.execute("SELECT series_no FROM series WHERE dataset_id = ? ORDER BY 1", [dataset_id]).fetchall()
        self.series_numbers = np.array([row[0] for row in numbers])
        self.from_series, self.to_series = int(self.series_numbers.min()), int(self.series_numbers.max())
        seen = con.execute(
            """
            SELECT DISTINCT unit_no, period_no FROM cell JOIN period USING (period_no)
            WHERE series_no BETWEEN ? AND ? AND kind = ? AND value IS NOT NULL
            """,
            [self.from_series, self.to_series, kind],
        ).fetchnumpy()
        self._number_units(np.unique(np.asarray(seen["unit_no"])))
        self._number_periods(np.unique(np.asarray(seen["period_no"])))
        self.reported = np.zeros((len(self.unit_numbers), len(self.periods)), dtype=bool)
        self.reported[self.rows_of(seen["unit_no"]), self.columns_of(seen["period_no"])] = True

    def _number_units(self, numbers: np.ndarray) -> None:
        rows = self.con.execute("SELECT unit_no, unit_id, province_id FROM unit ORDER BY unit_no").df()
        rows = rows[rows["unit_no"].isin(numbers)]
        self.unit_numbers = rows["unit_no"].to_numpy()
        self.units = rows["unit_id"].to_numpy(dtype=object)
        self.groups = rows["province_id"].to_numpy(dtype=object)

    def _number_periods(self, numbers: np.ndarray) -> None:
        ids = dict(self.con.execute("SELECT period_no, period_id FROM period").fetchall())
        present = {int(number): period(ids[int(number)]) for number in numbers}
        self.periods = whole_range(sorted(present.values(), key=lambda one: one.start))
        place = {one.period_id: at for at, one in enumerate(self.periods)}
        self._column = np.full(max(ids, default=0) + 1, -1)
        for number, one in present.items():
            self._column[number] = place[one.period_id]

    def rows_of(self, unit_numbers: np.ndarray) -> np.ndarray:
        """Row of each unit number."""
        return np.searchsorted(self.unit_numbers, np.asarray(unit_numbers))

    def columns_of(self, period_numbers: np.ndarray) -> np.ndarray:
        """Column of each period number."""
        return self._column[np.asarray(period_numbers)]

    def asked(self, wanted: frozenset[str] | None) -> np.ndarray:
        """Which periods findings are wanted for."""
        return np.array([wanted is None or one.period_id in wanted for one in self.periods], dtype=bool)


def whole_range(present: list[Period]) -> tuple[Period, ...]:
    """Every period from the first to the last of one kind, without gaps; of cumulative ones those present."""
    if not present or present[0].kind == "cumulative":
        return tuple(present)
    return tuple(period_range(present[0], present[-1]))


def read_panels(
    con: duckdb.DuckDBPyConnection, listed: pd.DataFrame, wanted: frozenset[str] | None = None
) -> Iterator[Panel]:
    """The panels of `panel_list`, one after the other."""
    for (dataset, kind), group in listed.groupby(["dataset_id", "kind"], sort=False):
        grid = Grid(con, dataset, kind)
        asked = grid.asked(wanted)
        for one in group.itertuples():
            found = con.execute(
                "SELECT unit_no, period_no, value FROM cell JOIN period USING (period_no) "
                "WHERE series_no = ? AND kind = ? AND value IS NOT NULL",
                [int(one.series_no), kind],
            ).fetchnumpy()
            rows, columns = grid.rows_of(found["unit_no"]), grid.columns_of(found["period_no"])
            here = np.unique(rows)  # units that never have a value for this element have no row
            counts = np.full((len(here), len(grid.periods)), np.nan)
            counts[np.searchsorted(here, rows), columns] = np.asarray(found["value"], dtype=float)
            yield Panel(
                dataset, one.element_id, one.category_id, counts, grid.units[here], grid.groups[here], grid.periods,
                grid.reported[here], asked,
            )  # fmt: skip


def read_forms(
    con: duckdb.DuckDBPyConnection, listed: pd.DataFrame, wanted: frozenset[str] | None = None
) -> Iterator[FormBlock]:
    """The forms of the data sets in `panel_list`, so many units at once that a block has about 12 million cells."""
    for (dataset, kind), group in listed.groupby(["dataset_id", "kind"], sort=False):
        grid = Grid(con, dataset, kind)
        numbers = group["series_no"].to_numpy()
        series = tuple(zip(group["element_id"], group["category_id"], strict=True))
        step = max(1, _CELLS_OF_A_BLOCK // (len(grid.periods) * len(series)))
        for first in range(0, len(grid.units), step):
            part = slice(first, first + step)
            inside = grid.unit_numbers[part]
            found = con.execute(
                "SELECT series_no, unit_no, period_no, value FROM cell JOIN period USING (period_no) WHERE series_no BETWEEN ? AND ? "
                "AND unit_no BETWEEN ? AND ? AND kind = ? AND value IS NOT NULL",
                [int(numbers.min()), int(numbers.max()), int(inside[0]), int(inside[-1]), kind],
            ).fetchnumpy()
            values = np.full((len(inside), len(grid.periods), len(series)), np.nan)
            at = (
                np.searchsorted(inside, found["unit_no"]), grid.columns_of(found["period_no"]),
                np.searchsorted(numbers, found["series_no"]),
            )  # fmt: skip
            values[at] = np.asarray(found["value"], dtype=float)
            yield FormBlock(
                dataset, values, grid.units[part], grid.groups[part], grid.periods, series, grid.asked(wanted)
            )

"""What checks may look at: relations in DuckDB by name, and the reported values as panels and forms.

The same names whether the tables come from a warehouse, from a test or from a file: a check never knows.

Relations (those without a row are absent, and rules that need them are "not assessable"):
  aggregate_value      one row per cell, the value received last (dataset_id, element_id, category_id, unit_id, period_id, value)
  received_value       every value as often as it arrived, with received_order, file_sha256, sheet, row_number
  cell, series, unit, period   the same with integers for names (see `cells`); fast for large joins
  data_set_assignment, organisation_unit, reporting_status, due_period (periods for which reports were due, per data set),
  death, population, data_element, category, data_set, facility, unit_geometry, submission_event and every line list: as the warehouse has them
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.quality.cells import make_cells, panel_list, read_forms, read_panels
from tkyt_analysis.quality.frames import keep_frame
from tkyt_analysis.quality.panel import FormBlock, Panel

if TYPE_CHECKING:
    import duckdb

_UNITS = ["unit_id", "level", "province_id", "parent_unit_id", "name", "valid_from", "valid_to"]
# Renamed where a table of the warehouse is not what checks should see under its own name.
OWN_NAMES = ("aggregate_value", "finding", "rule_coverage", "quarantine", "ingest_note")


class CheckContext:
    """A connection on which the relations above exist.

    scope : units (unit_id) findings are wanted for, None for all; periods : period_ids, None for all. Everything
    else still informs the models: a value is judged alike whether its province or the nation is asked about.
    """

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        relations: frozenset[str],
        *,
        scope: frozenset[str] | None = None,
        periods: frozenset[str] | None = None,
        home: Path | None = None,
    ) -> None:
        self.con, self.relations, self.scope, self.periods, self.home = con, relations, scope, periods, home

    def has(self, *names: str) -> bool:
        """Do all these relations have rows?"""
        return set(names) <= self.relations

    def query(self, sql: str, parameters: list[Any] | None = None) -> pd.DataFrame:
        """The answer of a query over the relations."""
        return self.con.execute(sql, parameters or []).df()

    def panels(self, kinds: tuple[str, ...], datasets: tuple[str, ...] = ()) -> Iterator[Panel]:
        """Every element and category of these kinds of period, one after the other."""
        yield from read_panels(self.con, panel_list(self.con, kinds, datasets), self.periods)

    def forms(self, kinds: tuple[str, ...], datasets: tuple[str, ...] = ()) -> Iterator[FormBlock]:
        """Every data set of these kinds of period, some hundred units at a time."""
        yield from read_forms(self.con, panel_list(self.con, kinds, datasets), self.periods)


def context_of_tables(tables: Mapping[str, pd.DataFrame], **options: Any) -> CheckContext:
    """A context over data frames: for tests, files and notebooks. `aggregate_value` may hold a cell several times: its last row counts."""
    import duckdb

    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    given = {name: rows for name, rows in tables.items() if len(rows)}
    for name, rows in given.items():
        if name not in ("aggregate_value", "organisation_unit", "period"):
            keep_frame(con, name, rows, temporary=False)
    if "period" in given:
        keep_frame(con, "due_period", given["period"], temporary=False)
    keep_frame(con, "organisation_unit", _with_columns(given.get("organisation_unit"), _UNITS), temporary=False)
    relations = set(given) | ({"due_period"} if "period" in given else set())
    if "aggregate_value" in given:
        rows = given["aggregate_value"]
        keep_frame(con, "received_value", rows.assign(received_order=range(len(rows))), temporary=False)
        make_cells(con)
        relations |= {"received_value", "cell", "series", "unit", "period"}
    return CheckContext(con, frozenset(relations), **options)


def _with_columns(rows: pd.DataFrame | None, names: list[str]) -> pd.DataFrame:
    """The rows with every one of these columns, text where they had none."""
    if rows is None:
        return pd.DataFrame({name: pd.Series(dtype="str") for name in names})
    absent = {name: pd.Series([None] * len(rows), index=rows.index, dtype="str") for name in names if name not in rows}
    return rows.assign(**absent)

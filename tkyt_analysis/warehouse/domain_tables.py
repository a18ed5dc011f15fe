"""Release tables of the domain data sets: their indicators by unit and period, and counts of their line lists."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.entries import Dataset, DatasetIndicator
from tkyt_analysis.catalog.expressions import names_in
from tkyt_analysis.quality.dataset_checks import KEY, wide
from tkyt_analysis.warehouse.release import ReleaseContext
from tkyt_analysis.warehouse.release_tables import CURRENT_VALUE

NUMBERS = ["numerator", "denominator", "value"]
INDICATOR_COLUMNS = ["dataset_id", "indicator_id", *KEY, *NUMBERS, "status"]
COUNT_COLUMNS = ["dataset_id", "unit_id", "period_id", "counted_by", "counted_value", "sex", "events"]


def programme_indicator(context: ReleaseContext) -> pd.DataFrame:
    """The ratios that data sets define: numerator, denominator, value; status not_assessable where nothing divides."""
    held = set(context.query("SELECT DISTINCT dataset_id FROM lake.aggregate_value")["dataset_id"])
    entries = [entry for entry in _datasets() if entry.panel and entry.indicators and entry.id in held]
    parts = [_indicators(context, entry) for entry in entries]
    rows = pd.concat([pd.DataFrame(columns=INDICATOR_COLUMNS), *parts], ignore_index=True)
    rows = rows.astype({name: "float64" if name in NUMBERS else "str" for name in INDICATOR_COLUMNS})
    rows = context.add_scope(rows)
    context.keep("programme_indicator", rows)
    return rows


def event_count(context: ReleaseContext) -> pd.DataFrame:
    """Rows of line lists counted by unit, month of the event, one column at a time (vaccine, disease, outcome) and sex."""
    parts = [
        _counts(context, entry, column) for entry in _datasets() if entry.event_date for column in entry.counted_by
    ]
    rows = pd.concat([pd.DataFrame(columns=COUNT_COLUMNS), *parts], ignore_index=True)
    return context.add_scope(rows.astype({"events": "int64"}))


def _datasets() -> list[Dataset]:
    return [entry for entry in load_entries("datasets").values() if entry.access != "personal"]


def _indicators(context: ReleaseContext, entry: Dataset) -> pd.DataFrame:
    names = list(
        dict.fromkeys(
            name for one in entry.indicators for part in (one.numerator, one.denominator) for name in names_in(part)
        )
    )
    values = context.warehouse.query(f"SELECT * FROM ({CURRENT_VALUE}) WHERE dataset_id = ?", [entry.id])
    table = wide(values, entry.id, names).reindex(columns=[*KEY, *names])
    return pd.concat([_indicator(table, entry, one) for one in entry.indicators], ignore_index=True)


def _indicator(table: pd.DataFrame, entry: Dataset, one: DatasetIndicator) -> pd.DataFrame:
    import duckdb

    with duckdb.connect() as connection:
        connection.register("given", table)
        sql = (
            f"SELECT unit_id, period_id, ({one.numerator}) AS numerator, ({one.denominator}) AS denominator FROM given"
        )
        rows = connection.execute(sql).df()
    rows = rows[rows["numerator"].notna() | rows["denominator"].notna()]
    good = rows["numerator"].notna() & (rows["denominator"] > 0)
    value = (one.per * rows["numerator"] / rows["denominator"].where(good)).astype("float64")
    status = good.map({True: "ok", False: "not_assessable"})
    return rows.assign(dataset_id=entry.id, indicator_id=one.id, value=value, status=status)[INDICATOR_COLUMNS]


def _counts(context: ReleaseContext, entry: Dataset, column: str) -> pd.DataFrame:
    sql = f"""
        SELECT '{entry.id}' AS dataset_id, unit_id, strftime("{entry.event_date}", '%Y%m') AS period_id,
               '{column}' AS counted_by, CAST("{column}" AS VARCHAR) AS counted_value, coalesce(sex, '') AS sex, count(*) AS events
        FROM (SELECT DISTINCT * EXCLUDE (file_sha256, sheet, row_number, record_id, record_key) FROM lake."{entry.target}")
        WHERE "{entry.event_date}" IS NOT NULL GROUP BY ALL
    """
    return context.warehouse.query(sql)

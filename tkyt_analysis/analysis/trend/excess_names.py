"""Names of columns as other programs write them → ours: Year, DEATHS, epoch, wk2 …"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import pandas as pd

OTHER_NAMES = {
    "date": ("date", "period_start", "week_start", "week_end", "day", "epoch", "week_ending", "weekenddate", "week_date"),
    "period": ("period_id", "period", "wk2", "yearweek", "year_week", "isoweek", "iso_week", "yearmonth", "year_month"),
    "outcome": (
        "outcome", "events", "deaths", "observed", "count", "counts", "cases", "total_deaths", "deaths_total", "all_deaths",
        "nbc", "nb", "value",
    ),
    "population": ("population", "person_years", "persons", "pop"),
}  # fmt: skip
_PARTS = {"year": ("year", "yodi", "iso_year"), "week": ("week", "wodi"), "month": ("month", "m", "mon")}
_WEEKLY = ("wk2", "yearweek", "year_week", "isoweek", "iso_week", "week")


def with_known_names(rows: pd.DataFrame, kept: Collection[str]) -> pd.DataFrame:
    """The table with its columns under the names we know, whatever their capitals; `kept` columns stay as they are."""
    known = {word for words in (*OTHER_NAMES.values(), *_PARTS.values()) for word in words}
    renamed: dict[Any, str] = {}
    for name in rows.columns:
        plain = "_".join(str(name).strip().casefold().replace(".", " ").split())
        if name not in kept and plain in known and plain not in rows.columns and plain not in renamed.values():
            renamed[name] = plain
    rows = rows.rename(columns=renamed)
    for part, words in _PARTS.items():
        other = next((word for word in words if word in rows and word not in kept), None)
        if part not in rows and other is not None:
            rows = rows.rename(columns={other: part})
    return _month_within_year(rows, kept)


def _month_within_year(rows: pd.DataFrame, kept: Collection[str]) -> pd.DataFrame:
    """A running month (1 … 72) beside `m` (1 … 12) gives way to it."""
    if not {"month", "m"} <= set(rows.columns) or "m" in kept:
        return rows
    running = pd.to_numeric(rows["month"], errors="coerce").max() > 12
    return rows.assign(month=rows["m"]) if running else rows


def period_texts(values: pd.Series) -> pd.Series:
    """Period ids of texts: "2008-23" and "2008-W23" in a column of weeks are 2008W23; 2008-05 elsewhere is 200805."""
    texts = values.astype("str").str.strip()
    middle = "W" if str(values.name) in _WEEKLY else ""
    texts = texts.str.replace(r"^(\d{4})-W(\d{2})$", r"\1W\2", regex=True)
    return texts.str.replace(r"^(\d{4})-(\d{2})$", rf"\1{middle}\2", regex=True)

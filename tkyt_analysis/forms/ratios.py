"""Indicators that a form's own cells give: one cell (or a sum) over another, against the target of the document."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import pandas as pd

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.entries import Indicator

METHOD = "form_ratio"
KEY = ["unit_id", "period_id", "period_end"]
ONE = "1"  # the denominator of a figure that is a count


def form_ratios(values: pd.DataFrame, *, indicators: Iterable[Indicator] | None = None) -> pd.DataFrame:
    """The indicators of `method: form_ratio` for every unit and period that reported one of their cells.

    values : unit_id, period_id, period_end, element_id, value: answers of forms (`aggregate_value`, column "answer")
    indicators : default: all of the catalog

    Returns one row per indicator, unit and period: indicator_id, numerator, denominator, value [per `per`], status
    (ok | not_assessable: a cell is missing or the denominator is 0), target and target_day (the first target not yet past
    at the end of the period, else the last), reached (missing where not assessable or without a target).
    A sum with a missing part is missing: nothing is taken for 0.
    """
    wanted = indicators if indicators is not None else load_entries("indicators").values()
    cells = values.pivot_table(index=KEY, columns="element_id", values="value", aggfunc="last")
    parts = [_ratio(cells, one) for one in wanted if one.method == METHOD]
    used = [part for part in parts if len(part)]
    return pd.concat(used, ignore_index=True) if used else _ratio(cells.iloc[:0], None)


def _ratio(cells: pd.DataFrame, indicator: Indicator | None) -> pd.DataFrame:
    """Rows of one indicator where at least one of its cells was reported."""
    index = cells.index
    upper = _sum(cells, indicator.numerator) if indicator else pd.Series(dtype=float, index=index)
    lower = _sum(cells, indicator.denominator) if indicator else upper
    frame = pd.DataFrame({"numerator": upper, "denominator": lower}, index=index)
    if indicator:
        counted = frame if indicator.denominator != ONE else frame[["numerator"]]
        frame = frame[counted.notna().any(axis=1)]
    assessable = frame.notna().all(axis=1) & frame["denominator"].gt(0)
    per = indicator.per if indicator else 1.0
    frame["value"] = (per * frame["numerator"] / frame["denominator"]).where(assessable)
    frame["status"] = assessable.map({True: "ok", False: "not_assessable"}).astype("str")
    frame = frame.reset_index()
    aims = [_target(indicator, day) for day in frame["period_end"]]
    frame["target"] = pd.Series([aim[0] for aim in aims], dtype="float64")
    frame["target_day"] = pd.Series([aim[1] for aim in aims], dtype="datetime64[s]")
    known = frame["value"].notna() & frame["target"].notna()
    frame["reached"] = frame["value"].ge(frame["target"]).astype("boolean").where(known)
    frame.insert(0, "indicator_id", indicator.id if indicator else "")
    return frame


def _sum(cells: pd.DataFrame, formula: str) -> pd.Series:
    """The sum of the cells "a + b"; missing where one of them is."""
    if formula == ONE:
        return pd.Series(1.0, index=cells.index)
    names = [part.strip() for part in formula.split("+")]
    return cells.reindex(columns=names).sum(axis=1, skipna=False)


def _target(indicator: Indicator | None, day: datetime.date) -> tuple[float | None, datetime.date | None]:
    """(figure, day) of the next target at the end of a period, else of the last one."""
    if indicator is None or not indicator.targets:
        return None, None
    days = sorted(indicator.targets)
    aim = next((one for one in days if pd.Timestamp(one) >= pd.Timestamp(day)), days[-1])
    return float(indicator.targets[aim].value), aim

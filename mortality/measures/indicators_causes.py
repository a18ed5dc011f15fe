"""Indicators by cause: items of a list, measures of a definition (suicide, road traffic …), garbage codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.indicator_frame import GROUP, NOT_ASSESSABLE, OK, TOTAL, counts
from mortality.tabulation.cause_lists import GAP, UNKNOWN, load_cause_list
from mortality.tabulation.definitions import counted_in, load_definition
from tkyt_analysis.analysis.rates import crude_rate, wilson_limits


def _by_cause(frame: pd.DataFrame, deaths: pd.DataFrame, items: list[str]) -> pd.DataFrame:
    """The frame once per item, with the number of deaths."""
    each = frame.merge(pd.DataFrame({"cause": items}), how="cross")
    each["numerator"] = counts(deaths, each, [*GROUP, "cause"]).to_numpy()
    return each


def _with_items(entry: Any, deaths: pd.DataFrame, code: str) -> tuple[pd.DataFrame, list[str]]:
    cause_list = load_cause_list(entry.cause_list)
    items = cause_list.items.loc[~cause_list.items["heading"], "item"].tolist()
    return deaths.assign(cause=cause_list.item_of(deaths[code])), [*items, GAP, UNKNOWN]


def cause_specific(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    named, items = _with_items(entry, deaths, code)
    each = _by_cause(frame, named, items)
    rates = crude_rate(each["numerator"], each["person_years"], per=entry.per)
    return each.assign(
        denominator=each["person_years"],
        value=rates["rate"],
        lower=rates["lower"],
        upper=rates["upper"],
        method="crude_" + rates["method"],
        status=rates["status"],
        reason=rates["reason"],
    )


def proportion(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    named, items = _with_items(entry, deaths, code)
    each = _by_cause(frame, named, items)
    total = counts(deaths, each, GROUP)
    limits = wilson_limits(each["numerator"], total)
    return each.assign(
        denominator=total,
        value=entry.per * limits["share"],
        lower=entry.per * limits["lower"],
        upper=entry.per * limits["upper"],
        method="proportion_wilson",
        status=np.where(total > 0, OK, NOT_ASSESSABLE),
        reason=np.where(total > 0, "", "reason.no_deaths"),
        population_source="deaths",
        population_status=OK,
    )


def defined_deaths(entry: Any, deaths: pd.DataFrame, *, code: str) -> pd.DataFrame:
    """The deaths that the entry's cause definition counts."""
    definition = load_definition(entry.cause_definition)
    return deaths[counted_in(deaths, definition, entry.cause_measure, code=code)]


def defined_rate(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    """Deaths of a cause definition over the population (suicide, road traffic)."""
    number = counts(defined_deaths(entry, deaths, code=code), frame, GROUP)
    rates = crude_rate(number, frame["person_years"], per=entry.per)
    return frame.assign(
        numerator=rates["events"],
        denominator=frame["person_years"],
        value=rates["rate"],
        lower=rates["lower"],
        upper=rates["upper"],
        method="crude_" + rates["method"],
        status=rates["status"],
        reason=rates["reason"],
    )


def defined_count(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    """The number of deaths of a cause definition: what a commune can say where a ratio would mislead."""
    frame = frame[frame["sex"] == TOTAL].reset_index(drop=True)
    number = counts(defined_deaths(entry, deaths, code=code), frame, GROUP).astype(float)
    return frame.assign(
        numerator=number,
        denominator=np.nan,
        value=number,
        lower=np.nan,
        upper=np.nan,
        method="count",
        status=OK,
        reason="",
        population_source="deaths",
        population_status=OK,
    )


def garbage_share(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    """Deaths whose code stands in the entry's list of garbage codes, over all deaths (Wilson)."""
    from mortality.garbage.lists import USABLE

    item = load_cause_list(entry.cause_list).item_of(deaths[code])
    number = counts(deaths[~item.isin([USABLE, GAP, UNKNOWN])], frame, GROUP)
    total = counts(deaths, frame, GROUP)
    limits = wilson_limits(number, total)
    return frame.assign(
        numerator=number,
        denominator=total,
        value=entry.per * limits["share"],
        lower=entry.per * limits["lower"],
        upper=entry.per * limits["upper"],
        method="proportion_wilson",
        status=np.where(total > 0, OK, NOT_ASSESSABLE),
        reason=np.where(total > 0, "", "reason.no_deaths"),
        population_source="deaths",
        population_status=OK,
    )

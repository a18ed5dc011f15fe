"""Indicators by cause: items of a list, measures of a definition (suicide, road traffic …), garbage codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.indicator_figures import with_rate, with_share
from mortality.measures.indicator_frame import GROUP, OK, TOTAL, counts
from mortality.tabulation.cause_lists import GAP, UNKNOWN, load_cause_list
from mortality.tabulation.definitions import counted_in, load_definition


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
    return with_rate(each, each["numerator"], each["person_years"], per=entry.per)


def proportion(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    named, items = _with_items(entry, deaths, code)
    each = _by_cause(frame, named, items)
    return with_share(each, each["numerator"], counts(deaths, each, GROUP), per=entry.per)


def defined_deaths(entry: Any, deaths: pd.DataFrame, *, code: str) -> pd.DataFrame:
    """The deaths that the entry's cause definition counts."""
    definition = load_definition(entry.cause_definition)
    return deaths[counted_in(deaths, definition, entry.cause_measure, code=code)]


def defined_rate(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **_: Any) -> pd.DataFrame:
    """Deaths of a cause definition over the population (suicide, road traffic)."""
    number = counts(defined_deaths(entry, deaths, code=code), frame, GROUP)
    return with_rate(frame, number, frame["person_years"], per=entry.per)


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
    return with_share(frame, number, counts(deaths, frame, GROUP), per=entry.per)

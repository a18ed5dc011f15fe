"""The picture of each step, from the assessment of one place and year; "" where there is nothing to draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from mortality.garbage.codes import CATEGORIES, GRAVE, GROUPS
from mortality.ten_steps import pictures
from mortality.ten_steps.assess import BANDS, Assessment
from mortality.ten_steps.panel import Numbers
from mortality.ten_steps.words import figure_name
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.reports.charts import shortened

YEARS, LONGEST = 6, 58


def picture(found: Assessment, place: str, year: int, step: int, language: str) -> str:
    """SVG figure of a step, or ""."""
    draw = _DRAWN.get(step)
    return draw(found, place, year, language) if draw and found.series_of(place, year) >= 0 else ""


def _rows(found: Assessment, place: str, figures: list[str], *, year: int | None = None) -> pd.DataFrame:
    """The assessable figures of a place, oldest first."""
    rows = found.figures
    rows = rows[(rows["place"] == place) & rows["figure"].isin(figures) & rows["status"].eq("ok")]
    return rows if year is None else rows[rows["year"] == year]


def _dots(
    rows: pd.DataFrame,
    names: list[str],
    picture: str,
    language: str,
    *,
    low: float | None = None,
    high: float | None = None,
) -> str:
    """Shares with their intervals, in per cent, one dot per row, and the limits of the catalog where there are some."""
    return pictures.dots(
        names,
        rows["value"],
        rows["lower"],
        rows["upper"],
        low=np.nan if low is None else low,
        high=np.nan if high is None else high,
        scale=100,
        language=language,
        caption=label(f"ten_steps.picture.{picture}", language),
    )


def _completeness(found: Assessment, place: str, year: int, language: str) -> str:
    methods = ["completeness_lists", "completeness_adair_lopez", "completeness_expected"]
    rows = _rows(found, place, methods, year=year)
    limit = found.limits.get("completeness_lists")
    if rows.empty or limit is None:
        return ""
    names = [figure_name(one, language) for one in rows["figure"]]
    return _dots(rows, names, "completeness", language, low=limit.low, high=1.0)


def _rates(found: Assessment, place: str, year: int, language: str) -> str:
    at, panel = found.series_of(place, year), found.panel
    deaths, persons, expected = panel.deaths[at], panel.persons[at], panel.expected[at]
    if persons.sum() == 0:
        return ""
    own = _ratio(1000 * deaths, persons)
    return pictures.age_rates(
        panel.first,
        [
            (label("sex.male", language), own[0]),
            (label("sex.female", language), own[1]),
            (label("ten_steps.key.reference", language), _ratio(1000 * expected.sum(axis=0), persons.sum(axis=0))),
        ],
        language=language,
        caption=label("ten_steps.picture.rates", language),
        unit=label("ten_steps.picture.rates.unit", language),
    )


def _ratio(part: Numbers, whole: Numbers) -> Numbers:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1.0), np.nan)


def _ages(found: Assessment, place: str, year: int, language: str) -> str:
    at, panel = found.series_of(place, year), found.panel
    deaths, expected = panel.deaths[at].sum(axis=0), panel.expected[at].sum(axis=0)
    if deaths.sum() == 0:
        return ""
    return pictures.age_columns(
        [f"{first:g}" for first in panel.first],
        deaths / deaths.sum(),
        _ratio(expected, np.full_like(expected, expected.sum())),
        key=(label("ten_steps.key.registered", language), label("ten_steps.key.expected", language)),
        language=language,
        caption=label("ten_steps.picture.ages", language),
    )


def _children(found: Assessment, place: str, year: int, language: str) -> str:
    rows = _rows(found, place, ["under_five_expected"]).tail(YEARS)
    limit = found.limits.get("under_five_expected")
    if rows.empty or limit is None:
        return ""
    years = [str(one) for one in rows["year"]]
    return _dots(rows, years, "children", language, low=limit.low, high=limit.high)


def _groups(found: Assessment, place: str, year: int, language: str) -> str:
    names = [f"{group}_share" for group in GROUPS]
    rows = _rows(found, place, names)
    if rows.empty:
        return ""
    wide = rows.pivot_table(index="year", columns="figure", values=["value", "base"]).tail(YEARS)
    return pictures.stacked(
        [str(one) for one in wide.index],
        wide["value"][names],
        [label(f"ten_steps.group.{group}", language) for group in GROUPS],
        [format_number(one, 0, language) for one in wide["base"][names[0]]],
        caption=label("ten_steps.picture.groups", language),
    )


def _group_ages(found: Assessment, place: str, year: int, language: str) -> str:
    rows = found.groups[found.groups["series"] == found.series_of(place, year)]
    if rows.empty:
        return ""
    bands = [name for name, *_ in BANDS]
    wide = rows.pivot_table(index="band", columns="group", values="deaths", aggfunc="sum", fill_value=0)
    wide = wide.reindex(index=bands, columns=list(GROUPS), fill_value=0)
    total = wide.sum(axis=1)
    return pictures.stacked(
        [band.replace("-", "–") for band in bands],
        np.nan_to_num(_ratio(wide.to_numpy(float), total.to_numpy(float)[:, None])),
        [label(f"ten_steps.group.{group}", language) for group in GROUPS],
        [format_number(one, 0, language) for one in total],
        caption=label("ten_steps.picture.group_ages", language),
    )


def _leading(found: Assessment, place: str, year: int, language: str) -> str:
    from mortality.tabulation.cause_lists import load_cause_list
    from mortality.ten_steps.steps_causes import LIST

    rows = found.leading[found.leading["series"] == found.series_of(place, year)]
    if rows.empty:
        return ""
    names = load_cause_list(LIST).items.set_index("item")[f"label_{language}"]
    shown = [shortened(f"{row.rank}. {names[row.item]}{_ranks(row)}", LONGEST) for row in rows.itertuples()]
    notes = [
        f"{format_number(one, 0, language)} ({100 * one / all_:.0f} %)"
        for one, all_ in zip(rows["deaths"], rows["total"])
    ]
    return pictures.bars(
        shown,
        rows["deaths"],
        rows["garbage"],
        notes,
        (label("ten_steps.key.garbage", language), label("ten_steps.key.of_use", language)),
        label("ten_steps.picture.leading", language),
    )


def _ranks(row: Any) -> str:
    """ " [2–4]": the ranks that chance leaves open; "" where there is no doubt."""
    low, high = int(row.rank_lower), int(row.rank_upper)
    return "" if low == high else f" [{low}–{high}]"


def _garbage(found: Assessment, place: str, year: int, language: str) -> str:
    rows = found.garbage[found.garbage["series"] == found.series_of(place, year)]
    if rows.empty:
        return ""
    total = rows.groupby("category")["deaths"].sum().reindex(CATEGORIES, fill_value=0)
    grave = rows[rows["severity"].isin(GRAVE)].groupby("category")["deaths"].sum().reindex(CATEGORIES, fill_value=0)
    return pictures.bars(
        [label(f"ten_steps.type.{category}", language) for category in CATEGORIES],
        total,
        grave,
        [format_number(one, 0, language) for one in total],
        (label("ten_steps.key.grave", language), label("ten_steps.key.light", language)),
        label("ten_steps.picture.garbage", language),
    )


def _ill_defined(found: Assessment, place: str, year: int, language: str) -> str:
    names = ["symptoms_below_65", "symptoms_from_65"]
    rows = _rows(found, place, names, year=year)
    limit = found.limits.get("symptoms_from_65")
    if rows.empty or limit is None:
        return ""
    shown = [figure_name(one, language) for one in rows["figure"]]
    return _dots(rows, shown, "ill_defined", language, high=limit.high)


_DRAWN: dict[int, Callable[[Assessment, str, int, str], str]] = {
    2: _completeness,
    3: _rates,
    4: _ages,
    5: _children,
    6: _groups,
    7: _group_ages,
    8: _leading,
    9: _garbage,
    10: _ill_defined,
}

"""Periods that move with the data: "last_12_months" of this release, and of the next one when it comes.

They count back from the last month for which the release holds reports, not from today's date: a saved view shows the same
figures whoever opens it on whatever day, until there are new data.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from tkyt_analysis.cube.model import View
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.periods import make_period, period, period_of, shift

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release

RELATIVE = ("last_month", "last_3_months", "last_6_months", "last_12_months", "this_year", "last_year", "last_5_years")
_LAST = re.compile(r"last_(?:(\d{1,2})_)?(month|quarter|year)s?")


def on_dates(release: Release, view: View) -> View:
    """The view with its relative period, if it has one, as dates of this release."""
    if not is_relative(view.period):
        return view
    return replace(view, period=dated(view.period, latest_month(release)))


def is_relative(text: str) -> bool:
    """Whether a period counts back from the latest data."""
    return text == "this_year" or bool(_LAST.fullmatch(text))


def dated(text: str, latest: str) -> str:
    """A relative period as a range of period ids, counted back from the latest month ("YYYYMM"), which it holds.

    "last_month" is the latest month itself; "last_2_quarters" ends with the quarter it lies in; "this_year" is its year,
    "last_year" the year before, "last_5_years" the five years that end with this one.
    """
    month = period(latest)
    if text == "this_year":
        return str(month.year)
    if text == "last_year":
        return str(month.year - 1)
    match = _LAST.fullmatch(text)
    if not match:
        raise InputError("error.cube_relative", found=text, choices=", ".join(RELATIVE))
    number, kind = int(match[1] or 1), match[2]
    end = make_period("year", month.year) if kind == "year" else period_of(month.end, kind)
    first = shift(end, 1 - number)
    return str(end) if number == 1 else f"{first}..{end}"


def latest_month(release: Release) -> str:
    """The last month for which the release holds a report or a death ("YYYYMM"); InputError where there is none."""
    asked = {
        "province_report": "SELECT max(period_id) FROM province_report WHERE received > 0 AND regexp_full_match(period_id, '[0-9]{6}')",
        "reporting": "SELECT max(period_id) FROM reporting WHERE received AND regexp_full_match(period_id, '[0-9]{6}')",
        "province_value": "SELECT max(period_id) FROM province_value WHERE regexp_full_match(period_id, '[0-9]{6}')",
        "death": "SELECT max(CAST(year * 100 + month AS VARCHAR)) FROM death WHERE coalesce(excluded, '') = ''",
    }
    known: list[str] = release.__dict__.setdefault("_latest_month", [])
    for table, sql in asked.items():
        if not known and table in release.tables():
            row = release.con.execute(sql).fetchone()
            known += [row[0]] if row and row[0] else []
    if not known:
        raise InputError("error.cube_no_month", release=release.release_id)
    return known[0]

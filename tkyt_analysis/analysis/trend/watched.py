"""Watched events: what is looked at every month for outbreaks, with codes, season and the fewest events of an alarm.

Dated facts of the catalog (code list `watched_events`); the ministry's own folder of the catalog may hold another list.
"""

from __future__ import annotations

import datetime
import re

import pandas as pd

from tkyt_analysis.errors import InputError

CAUSE, ELEMENT, CASE = "death_cause", "element", "case"
KINDS = (CAUSE, ELEMENT, CASE)
_SEASON = re.compile(r"(\d{1,2})-(\d{1,2})")


def watched_events(*, kind: str | None = None, at: datetime.date | str | None = None) -> pd.DataFrame:
    """The list in force at a day (today): watch_id, subject, kind, dataset_id, codes, season, least, title_vi, title_en, legal_source, status.

    kind : "death_cause" (codes: ranges of ICD-10), "element" (codes: data elements of the form `dataset_id`) or "case" (codes:
        diseases of the case list); None: all. subject : events with the same one are several sources about one thing. season : months "4-9" ("11-2" over the year's end), "" = all the year.
    Raises InputError for a season, number or kind that is none.
    """
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("watched_events")
    day = str(at or datetime.date.today())
    rows = rows[(rows["valid_from"] <= day) & ((rows["valid_to"] == "") | (day <= rows["valid_to"]))]
    for row in rows.to_dict("records"):
        months_of_season(row["season"])
        if row["kind"] not in KINDS or not row["least"].isdecimal():
            raise InputError("error.outbreak_watch_row", row=row["watch_id"], found=f"{row['kind']}, {row['least']}")
    chosen = rows if kind is None else rows[rows["kind"] == kind]
    return chosen.drop(columns=["valid_from", "valid_to"]).astype({"least": int}).reset_index(drop=True)


def months_of_season(season: str) -> frozenset[int]:
    """Months (1–12) of "4-9", of "11-2" (November to February), all of them for ""."""
    if season == "":
        return frozenset(range(1, 13))
    ends = _SEASON.fullmatch(season)
    first, last = (int(part) for part in ends.groups()) if ends else (0, 0)
    if not (1 <= first <= 12 and 1 <= last <= 12):
        raise InputError("error.outbreak_season", found=season)
    return frozenset((first - 1 + step) % 12 + 1 for step in range((last - first) % 12 + 1))

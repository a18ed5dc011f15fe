"""Where the dead lived, and which unit reports: from columns, codes or a written address, all rows at once."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd

from mortality.documents.causes import column
from tkyt_analysis.ingest.report_heading import ReportingUnit, read_reporting_unit
from tkyt_analysis.reference.places import FIRST_DAY_2025, find_places
from tkyt_analysis.reference.unit_list import COMMUNE, DISTRICT, PROVINCE

LAST_DAY_2024 = FIRST_DAY_2025 - datetime.timedelta(days=1)
PARTS = ["province", "district", "commune", "city", "code"]


def parts_of_texts(texts: pd.Series) -> pd.DataFrame:
    """province, district, commune, city, code as addresses name them ("" where they do not)."""
    codes, distinct = pd.factorize(texts.fillna(""))
    found = [read_reporting_unit([text]) if text else ReportingUnit() for text in distinct]
    table = pd.DataFrame([[getattr(one, name) for name in PARTS] for one in found], columns=PARTS, dtype="str")
    return table.take(codes).set_axis(texts.index)


def written_parts(lines: pd.DataFrame, heading: ReportingUnit) -> pd.DataFrame:
    """The parts of each row's residence: its own columns, else its address; the province of the heading where none is named."""
    parts = parts_of_texts(column(lines, "address"))
    for name, field in (
        ("commune", "commune"),
        ("district", "district"),
        ("province", "province"),
        ("code", "unit_code"),
    ):
        own = column(lines, field)
        parts[name] = parts[name].mask(own.ne(""), own)
    unnamed = parts["province"].eq("") & parts["city"].eq("")
    parts["province"] = parts["province"].mask(unnamed, heading.province or heading.city)
    return parts


def find_units(parts: pd.DataFrame, days: pd.Series, usual_day: datetime.date) -> pd.DataFrame:
    """unit_id, reason, note, fields of the communes that `parts` name; unit_id "" where none can be told.

    A commune that is not found on the day of the event is looked for among the units of before 2025-07-01 (families
    go on writing the old names), but never the other way round.
    """
    own = days.fillna(pd.Timestamp(usual_day))
    found = _find(parts, own)
    again = found["unit_id"].eq("") & own.ge(pd.Timestamp(FIRST_DAY_2025)) & _named(parts)
    if again.any():
        old = pd.Series(pd.Timestamp(LAST_DAY_2024), index=parts.index[again])
        second = _find(parts[again], old)
        better = second[second["unit_id"].ne("")]
        found.loc[better.index] = better
    return found


def _named(parts: pd.DataFrame) -> pd.Series:
    return parts["commune"].ne("") | parts["code"].ne("")


def _find(parts: pd.DataFrame, days: pd.Series) -> pd.DataFrame:
    """One pass: province, then district (units of before 2025-07-01 only), then commune within what was found."""
    province = _ids(parts["province"].mask(parts["province"].eq(""), parts["city"]), PROVINCE, days, None)
    city_is_district = parts["province"].ne("") & parts["city"].ne("") & parts["district"].eq("")
    district_text = parts["district"].mask(city_is_district, parts["city"])
    old = days.lt(pd.Timestamp(FIRST_DAY_2025))
    district = _ids(district_text.where(old, ""), DISTRICT, days, province)
    parent = district.mask(district.eq(""), province)
    written = parts["code"].mask(parts["code"].str.len().ne(5), "")
    written = written.mask(written.eq(""), parts["commune"])
    found = find_places(written, level=COMMUNE, at=days, parent=parent)
    # A commune without a province would be any of that name in the nation: only a code is enough by itself.
    lone = parent.eq("") & ~written.str.fullmatch(r"\d{5}|VN20\d\d:\d{5}")
    found.loc[lone, "unit_id"] = ""
    return found


def _ids(written: pd.Series, level: int, days: pd.Series, parent: pd.Series | None) -> pd.Series:
    """unit_ids of the texts, "" where empty or not found."""
    result = pd.Series("", index=written.index, dtype="str")
    asked = written[written.ne("")]
    if len(asked):
        within = None if parent is None else parent[asked.index]
        result.loc[asked.index] = find_places(asked, level=level, at=days[asked.index], parent=within)["unit_id"]
    return result


def usual_day(days: pd.Series, book_year: int, today: datetime.date) -> datetime.date:
    """The middle day of the events, else the middle of the year of the list, else today."""
    sensible = days[days.le(pd.Timestamp(today)) & days.ge(pd.Timestamp("1990-01-01"))]
    if len(sensible):
        return pd.Timestamp(np.sort(sensible.to_numpy())[len(sensible) // 2]).date()
    return datetime.date(book_year, 6, 30) if book_year else today

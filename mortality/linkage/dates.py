"""Dates of a list read once per distinct text: the day, its digits, its year, and the day that its numbers mean in the lunar calendar."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

_YEAR_FIRST = re.compile(r"((?:1[5-9]|20)\d{2})[-/. ]?(\d{2})[-/. ]?(\d{2})(?:[T ].*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})")
_ANY_YEAR = re.compile(r"(?<!\d)((?:18|19|20)\d{2})(?!\d)")


def offer_dates(con: duckdb.DuckDBPyConnection, table: str, columns: tuple[str, ...]) -> None:
    """Temporary table `linkage_date`: written, day, digits (YYYYMMDD, also of an impossible day), year, lunar, lunar_before.

    lunar : the solar day if the numbers of `day` were lunar ones that nobody marked; lunar_before : the same, if the year
        was the solar one (a lunar twelfth month falls into the next solar year).
    """
    texts = " UNION ".join(f"SELECT {column} AS written FROM {table} WHERE {column} IS NOT NULL" for column in columns)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE linkage_date (written VARCHAR, day DATE, digits VARCHAR, year SMALLINT, lunar DATE, lunar_before DATE)"
    )
    written = con.execute(texts).fetchall()
    rows = [_row(text) for (text,) in written]
    if rows:
        import pandas as pd

        frame = pd.DataFrame(rows, columns=["written", "day", "digits", "year", "lunar", "lunar_before"], dtype=object)
        con.register("linkage_dates_read", frame)
        con.execute(
            "INSERT INTO linkage_date SELECT written, CAST(day AS DATE), digits, CAST(year AS SMALLINT), CAST(lunar AS DATE), CAST(lunar_before AS DATE) FROM linkage_dates_read"
        )
        con.unregister("linkage_dates_read")


def _row(text: str) -> tuple[Any, ...]:
    from mortality.register_dates import lunar_to_solar, read_date

    reading = read_date(text)
    if reading.day is not None:
        day = reading.day
        lunar, before = (lunar_to_solar(day.day, day.month, day.year - back) for back in (0, 1))
        before = before if before and before.year == day.year else None
        return text, str(day), f"{day:%Y%m%d}", day.year, lunar and str(lunar), before and str(before)
    digits = _digits(text)
    year = reading.year or (int(digits[:4]) if digits else None)
    if year is None and (found := _ANY_YEAR.search(text)):
        year = int(found[1])
    return text, None, digits, year, None, None


def _digits(text: str) -> str | None:
    """YYYYMMDD of a date that does not exist (31/02, month 13): a slip of one figure can still be seen."""
    if found := _YEAR_FIRST.fullmatch(text):
        return found[1] + found[2] + found[3]
    if found := _DAY_FIRST.fullmatch(text):
        return f"{found[3]}{int(found[2]):02d}{int(found[1]):02d}"
    return None

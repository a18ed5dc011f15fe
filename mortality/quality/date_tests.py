"""Dates of death: impossible ones, day and month exchanged, a lunar date read as a solar one."""

from __future__ import annotations

from mortality.quality.matches import OTHER_LIST, prepare_other_lists
from mortality.quality.record_checks import RecordTest

_DAY = "(epoch(r.death_date) / 86400)"
_YEAR = "CAST(year(r.death_date) AS VARCHAR)"
_YEAR_AROUND = "year(make_timestamp(CAST(r.around_day * 86400000000 AS BIGINT)))"
_SOLAR = "(epoch(r.day_solar) / 86400)"
_SOLAR_LEAP = "(epoch(r.day_solar_leap) / 86400)"
# Days between the lines around and the date read as a lunar one, of the month or of the leap month of its number.
_LUNAR_APART = f"least(abs({_SOLAR} - r.around_day), coalesce(abs({_SOLAR_LEAP} - r.around_day), 9999))"
_SWAPPED = "try_cast(strftime(r.death_date, '%Y-%d-%m') AS DATE)"
_SWAPPED_DAY = f"(epoch({_SWAPPED}) / 86400)"
# Lines stand in the book in the order of registration; a line that is said to be late stands apart for that reason.
_IN_BOOK = "r.source = 'a6' AND r.death_date IS NOT NULL AND r.around_rows >= 6 AND r.registered_on IS NULL"

TESTS = {
    "death_in_future": RecordTest(
        field="death_date",
        alone=True,
        judged="r.death_date IS NOT NULL AND r.received_on IS NOT NULL",
        breach="r.death_date > r.received_on",
        verdict="error",
        suggestion=f"CASE WHEN r.lunar_marked THEN '' WHEN {_SWAPPED} BETWEEN r.received_on - 400 AND r.received_on AND {_SWAPPED} <> r.death_date "
        "THEN 'day_and_month_exchanged' WHEN r.death_date - INTERVAL 1 YEAR <= r.received_on THEN 'year_before' ELSE '' END",
        probability="0.99",
        fields={"year_written": _YEAR, "year_received": "CAST(year(r.received_on) AS VARCHAR)"},
    ),
    "death_after_registration": RecordTest(
        field="death_date",
        alone=True,
        judged="r.death_date IS NOT NULL AND r.registered_on IS NOT NULL",
        breach="r.death_date > r.registered_on",
        value="r.death_date - r.registered_on",
        upper="0",
        verdict="error",
        suggestion=f"CASE WHEN r.lunar_marked THEN 'lunar_was_solar' WHEN {_SWAPPED} BETWEEN r.registered_on - 60 AND r.registered_on "
        "THEN 'day_and_month_exchanged' WHEN (r.death_date - INTERVAL 1 YEAR)::DATE BETWEEN r.registered_on - 60 AND r.registered_on THEN 'year_before' ELSE '' END",
        probability="0.95",
    ),
    "death_before_birth": RecordTest(
        field="death_date",
        alone=True,
        judged="r.death_date IS NOT NULL AND (r.days_lived IS NOT NULL OR r.birth_year IS NOT NULL)",
        breach="r.days_lived < 0 OR r.birth_year > year(r.death_date)",
        verdict="error",
        probability="0.99",
        fields={"year_written": _YEAR, "year_of_birth": "CAST(r.birth_year AS VARCHAR)"},
    ),
    "death_outside_book": RecordTest(
        field="death_date",
        judged=f"{_IN_BOOK} AND NOT coalesce(r.death_date > r.received_on, false)",
        breach=f"abs(year(r.death_date) - {_YEAR_AROUND}) >= 2 AND abs({_DAY} - r.around_day) > 400",
        verdict="error",
        probability="0.9",
        fields={"year_written": _YEAR, "year_around": f"CAST({_YEAR_AROUND} AS VARCHAR)"},
    ),
    "day_and_month_exchanged": RecordTest(
        field="death_date",
        judged=_IN_BOOK,
        breach=f"day(r.death_date) <= 12 AND day(r.death_date) <> month(r.death_date) AND abs({_DAY} - r.around_day) > {{apart}} "
        f"AND abs({_SWAPPED_DAY} - r.around_day) <= {{near}} AND NOT abs({_SOLAR} - r.around_day) <= {{near}}",
        value="month(r.death_date)",
        expected="day(r.death_date)",
        explanation="'day_and_month_exchanged'",
        suggestion="'day_and_month_exchanged'",
        probability="0.8",
    ),
    "lunar_date_by_book": RecordTest(
        field="death_date",
        judged=f"{_IN_BOOK} AND r.day_solar IS NOT NULL",
        breach=f"r.around_day - {_DAY} BETWEEN {{apart}} AND 90 AND {_LUNAR_APART} <= {{near}} AND r.around_spread <= {{spread}} "
        "AND contains(r.death_date_as_written, '/') AND NOT regexp_matches(lower(r.death_date_as_written), 'l|âm')",
        value="month(r.death_date)",
        expected=f"month(CASE WHEN abs({_SOLAR} - r.around_day) <= {{near}} THEN r.day_solar ELSE r.day_solar_leap END)",
        explanation="'lunar_date'",
        suggestion="'lunar_date'",
        probability="0.7",
    ),
    "registered_late": RecordTest(
        field="death_date",
        alone=True,
        judged="r.death_date IS NOT NULL AND r.registered_on IS NOT NULL AND r.registered_on >= r.death_date",
        breach="r.registered_on - r.death_date > {days}",
        value="r.registered_on - r.death_date",
        upper="{days}",
        explanation="'registered_late'",
        probability="0.3",
    ),
    "date_on_another_list": RecordTest(
        field="death_date",
        judged="r.death_date IS NOT NULL AND o.death_date IS NOT NULL",
        breach="abs(r.death_date - o.death_date) > {days} AND r.source = 'a6'",
        value="abs(r.death_date - o.death_date)",
        expected="0",
        explanation=f"CASE WHEN abs(r.day_solar - o.death_date) <= 3 THEN 'lunar_date' WHEN {_SWAPPED} = o.death_date THEN 'day_and_month_exchanged' "
        "ELSE '' END",
        probability="CASE WHEN abs(r.day_solar - o.death_date) <= 3 THEN 0.95 ELSE 0.6 END",
        joins=OTHER_LIST,
        fields={"other_source": "o.source"},
        prepare=prepare_other_lists,
    ),
}  # fmt: skip

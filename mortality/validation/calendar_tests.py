"""Dates of death and the two calendars: lunar days read both ways, years of two digits, days before an admission."""

from __future__ import annotations

from mortality.quality.record_checks import RecordTest

_KNOWN_BY = "least(coalesce(r.registered_on, r.received_on), r.received_on)"
_WRITTEN = "coalesce(r.death_date_as_written, '') <> ''"
_AS_SOLAR = "try_strptime(regexp_extract(r.death_date_as_written, '[0-9]+/[0-9]+/[0-9]+'), '%d/%m/%Y')"

TESTS = {
    "lunar_day_only": RecordTest(
        judged=_WRITTEN,
        breach="r.lunar_only_day IS NOT NULL",
        verdict="error",
        suggestion="'lunar_date'",
        explanation="'lunar_date'",
        field="death_date",
        alone=True,
    ),
    "lunar_day_impossible": RecordTest(
        judged="r.lunar_marked",
        breach="r.lunar_impossible",
        verdict="error",
        suggestion="'lunar_month_length'",
        field="death_date",
        alone=True,
    ),
    "lunar_day_too_late": RecordTest(
        judged=f"r.lunar_marked AND r.death_date IS NOT NULL AND {_KNOWN_BY} IS NOT NULL",
        breach=f"r.death_date > {_KNOWN_BY}",
        value=f"r.death_date - {_KNOWN_BY}",
        upper="0",
        verdict="error",
        suggestion=f"CASE WHEN {_AS_SOLAR} <= {_KNOWN_BY} THEN 'lunar_was_solar' ELSE 'lunar_year_before' END",
        field="death_date",
        alone=True,
    ),
    "lunar_leap_month": RecordTest(
        judged="r.lunar_marked AND r.death_date IS NOT NULL",
        breach=f"r.lunar_leap_day IS NOT NULL AND NOT coalesce(r.lunar_leap_day > {_KNOWN_BY}, false)",
        value="month(r.death_date)",
        expected="month(r.lunar_leap_day)",
        probability="0.4",
        suggestion="'lunar_leap_month'",
        field="death_date",
        alone=True,
    ),
    "calendars_disagree": RecordTest(
        judged="r.calendars_apart IS NOT NULL",
        breach="r.calendars_apart > 0",
        value="r.calendars_apart",
        expected="0",
        suggestion="'calendars_disagree'",
        field="death_date",
        alone=True,
    ),
    "year_of_two_digits": RecordTest(
        judged="r.death_date IS NOT NULL OR r.birth_kind = 'date'",
        breach="(r.birth_short_year AND r.birth_year BETWEEN year(r.death_date) - 20 AND year(r.death_date) "
        "AND r.age_unit IS DISTINCT FROM 'years')",
        value="r.birth_year",
        expected="r.birth_year - 100",
        probability="0.6",
        suggestion="'four_digits'",
        field="birth",
        alone=True,
    ),
    "death_before_admission": RecordTest(
        judged="r.death_date IS NOT NULL AND r.admission_on IS NOT NULL",
        breach="r.death_date < r.admission_on",
        value="r.admission_on - r.death_date",
        upper="0",
        verdict="error",
        field="death_date",
        alone=True,
    ),
    "death_time_impossible": RecordTest(
        judged="coalesce(r.death_time, '') <> ''",
        breach="NOT regexp_full_match(r.death_time, '([01]?[0-9]|2[0-3]):[0-5][0-9]')",
        verdict="error",
        suggestion="'time_form'",
        field="death_time",
        alone=True,
    ),
}

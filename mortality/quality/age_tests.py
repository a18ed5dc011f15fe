"""Ages: against the dates, by the traditional count (tuổi mụ), days taken for years, and against another list."""

from __future__ import annotations

from mortality.quality.matches import OTHER_LIST, prepare_other_lists
from mortality.quality.record_checks import RecordTest

_BY_YEARS = "(year(r.death_date) - r.birth_year)"
_TRADITIONAL = "'traditional_age'"
_OTHER_AGE = "(year(o.death_date) - o.birth_year)"

TESTS = {
    "age_against_dates": RecordTest(
        field="age",
        alone=True,
        judged="r.death_date IS NOT NULL AND r.birth_year IS NOT NULL AND r.age_value IS NOT NULL AND r.age_unit = 'years'",
        breach=f"r.age_value NOT BETWEEN coalesce(r.years_lived, {_BY_YEARS} - 1) AND coalesce(r.years_lived, {_BY_YEARS})",
        value="r.age_value",
        expected=f"coalesce(r.years_lived, {_BY_YEARS})",
        lower=f"coalesce(r.years_lived, {_BY_YEARS} - 1)",
        upper=f"coalesce(r.years_lived, {_BY_YEARS})",
        explanation=f"CASE WHEN r.age_value - coalesce(r.years_lived, {_BY_YEARS}) BETWEEN 1 AND 2 THEN {_TRADITIONAL} "
        f"WHEN r.days_lived = r.age_value THEN 'days_as_years' ELSE '' END",
        suggestion=f"CASE WHEN r.age_value - coalesce(r.years_lived, {_BY_YEARS}) BETWEEN 1 AND 2 THEN 'age_traditional' "
        "WHEN r.days_lived = r.age_value THEN 'age_unit' ELSE '' END",
        probability="0.9",
    ),
    "days_as_years": RecordTest(
        field="age",
        alone=True,
        judged="r.age_years IS NOT NULL AND r.code <> ''",
        breach="r.age_unit = 'years' AND r.age_value BETWEEN 1 AND 31 AND left(r.code, 1) = 'P'",
        value="r.age_value",
        upper="0",
        explanation="'days_as_years'",
        suggestion="'age_unit'",
        probability="0.85",
    ),
    "age_impossible": RecordTest(
        field="age",
        alone=True,
        judged="r.age_value IS NOT NULL OR (r.birth_year IS NOT NULL AND r.death_date IS NOT NULL)",
        breach=f"coalesce(r.age_years, {_BY_YEARS}) > {{oldest}} OR (r.age_unit = 'months' AND r.age_value >= 24) "
        "OR (r.age_unit = 'days' AND r.age_value > 366)",
        value=f"coalesce(r.age_value, r.age_years, {_BY_YEARS})",
        lower="0",
        upper="{oldest}",
        verdict="error",
        probability="0.8",
    ),
    "age_on_another_list": RecordTest(
        field="age",
        judged="r.source = 'a6' AND r.age_years IS NOT NULL AND o.birth_kind = 'date' AND o.death_date IS NOT NULL",
        breach="CASE WHEN r.birth_kind = 'age' THEN r.age_value - o.age_years NOT BETWEEN -1 AND 0 "
        "AND r.age_value <> o.age_years ELSE r.birth_year <> o.birth_year END",
        value="CASE WHEN r.birth_kind = 'age' THEN r.age_value END",
        expected="CASE WHEN r.birth_kind = 'age' THEN o.age_years END",
        explanation="CASE WHEN r.birth_kind = 'age' AND r.age_value - o.age_years BETWEEN 1 AND 2 THEN 'traditional_age' "
        "WHEN r.birth_kind = 'year' AND o.birth_year - r.birth_year BETWEEN 1 AND 2 THEN 'traditional_age' ELSE '' END",
        probability="0.7",
        joins=OTHER_LIST,
        fields={
            "other_source": "o.source",
            "written": "CAST(CASE WHEN r.birth_kind = 'age' THEN CAST(r.age_value AS INTEGER) ELSE r.birth_year END AS VARCHAR)",
            "elsewhere": "CAST(CASE WHEN r.birth_kind = 'age' THEN CAST(o.age_years AS INTEGER) ELSE o.birth_year END AS VARCHAR)",
        },
        prepare=prepare_other_lists,
    ),
    "birth_year_only": RecordTest(
        field="birth",
        alone=True,
        judged="r.birth_kind <> 'none' AND r.identified",
        breach="r.birth_kind = 'year'",
        verdict="missing",
        probability="0.3",
        fields={"year_of_birth": "CAST(r.birth_year AS VARCHAR)"},
    ),
    "birth_on_new_year": RecordTest(
        field="birth",
        alone=True,
        judged="r.birth_kind = 'date'",
        breach="r.new_year_birth",
        explanation="'heaped'",
        probability="0.8",
    ),
}  # fmt: skip

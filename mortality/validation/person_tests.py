"""What the other words of a record say against its age and place: occupation, stillbirth, unit of age, place of death, residence, HIV."""

from __future__ import annotations

from mortality.quality.record_checks import RecordTest

_FOLD = "replace(strip_accents(lower(trim(coalesce({0}, '')))), 'đ', 'd')"
_WORK = _FOLD.format("r.occupation")
_NO_WORK = "x|k|ko|khong( co)?|chua|0|-|\\?|khong ro|chua (co|xac dinh).*|tre.*|em be|con nho|nho|.*(duoi tuoi|chua den tuoi|phu thuoc).*|khac"
_CHILD = (
    "tre (em|nho|so sinh|con)|so sinh|con nho|mam non|mau giao|nha tre|(hoc sinh|hs)( (cap|lop|tieu hoc|mam non).*)?"
)
_PUPIL = "(hoc sinh|hs|sinh vien|di hoc|hoc sinh.*)"
_OLD = ".*(huu tri|huu\\b|ve huu|nghi huu|mat suc|huu ).*|gia( yeu)?|nguoi gia|nguoi cao tuoi|cao tuoi"
_YOUNGEST_WORKER = "13"  # light work is allowed from 13 on (Labour Code 2019, Article 143: recalled, unverified)


def _is(pattern: str) -> str:
    return f"regexp_full_match({_WORK}, '{pattern}')".replace("{", "{{").replace("}", "}}")


_INFANT = "r.age_years < 1 OR r.age_unit IN ('hours', 'days')"
_UNIT_DAYS = (
    "CASE r.age_unit WHEN 'hours' THEN r.age_value / 24 WHEN 'days' THEN r.age_value ELSE r.age_value * 30.44 END"
)
_SLACK = "CASE r.age_unit WHEN 'hours' THEN 2 WHEN 'days' THEN 2 ELSE 46 END"

TESTS = {
    "occupation_against_age": RecordTest(
        judged=f"{_WORK} <> '' AND r.age_years IS NOT NULL",
        breach=f"(r.age_years < {_YOUNGEST_WORKER} AND NOT {_is(_NO_WORK)} AND NOT {_is(_CHILD)} AND NOT {_is(_PUPIL)}) "
        f"OR (r.age_years < {{retired}} AND {_is(_OLD)}) OR (r.age_years > {{pupil}} AND {_is(_CHILD)})",
        value="r.age_years",
        fields={"retired": "'{retired}'"},
        suggestion=f"CASE WHEN {_is(_OLD)} OR NOT {_is(_CHILD)} THEN 'age_unit_or_occupation' ELSE '' END",
        probability="0.7",
        field="occupation",
        alone=True,
    ),
    "stillbirth": RecordTest(
        judged="r.noted_stillborn OR r.age_years IS NOT NULL OR r.name_state = 'newborn'",
        breach=f"r.noted_stillborn AND ({_INFANT} OR (r.age_years IS NULL AND r.birth_year IS NULL) OR r.name_state = 'newborn')",
        suggestion="'stillbirth'",
        probability="0.8",
        field="cause_text",
        alone=True,
    ),
    "age_unit_against_dates": RecordTest(
        judged="r.age_unit IN ('hours', 'days', 'months') AND r.age_value IS NOT NULL AND (r.days_lived IS NOT NULL OR r.birth_year IS NOT NULL) "
        "AND r.death_date IS NOT NULL",
        breach=f"CASE WHEN r.days_lived IS NOT NULL THEN abs(r.days_lived - {_UNIT_DAYS}) > {_SLACK} "
        "ELSE year(r.death_date) - r.birth_year > 2 END",
        value="r.age_value",
        expected="CASE r.age_unit WHEN 'months' THEN round(r.days_lived / 30.44) WHEN 'days' THEN r.days_lived WHEN 'hours' THEN r.days_lived * 24 END",
        suggestion="'age_unit'",
        probability="0.8",
        field="age",
        alone=True,
    ),
    "hours_too_many": RecordTest(
        judged="r.age_unit = 'hours' AND r.age_value IS NOT NULL",
        breach="r.age_value > 72",
        value="r.age_value",
        upper="72",
        suggestion="'age_unit'",
        probability="0.3",
        field="age",
        alone=True,
    ),
    "place_against_words": RecordTest(
        judged="r.place_of_death IN ('home', 'health_facility') AND (r.noted_facility OR r.noted_home)",
        breach="(r.place_of_death = 'home' AND r.noted_facility AND NOT r.noted_home) "
        "OR (r.place_of_death = 'health_facility' AND r.noted_home AND NOT r.noted_facility)",
        suggestion="CASE WHEN r.noted_home THEN 'place_home' ELSE 'place_facility' END",
        probability="0.7",
        field="place_of_death",
        alone=True,
    ),
    "residence_unknown": RecordTest(
        judged="r.unit_id IS NOT NULL OR r.residence_unit_id IS NOT NULL",
        breach="NOT regexp_full_match(coalesce(r.home, ''), 'VN20[0-9][0-9]:[0-9][0-9][0-9][0-9][0-9]')",
        verdict="missing",
        suggestion="'residence_commune'",
        probability="0.5",
        field="address",
    ),
    "unit_outside_its_life": RecordTest(
        judged="r.death_date IS NOT NULL AND coalesce(r.residence_unit_id, r.death_place_unit_id) IS NOT NULL",
        breach="r.death_date < u.valid_from OR r.death_date > u.valid_to",
        joins="LEFT JOIN unit_place u ON u.unit_id IN (r.residence_unit_id, r.death_place_unit_id)",
        suggestion="CASE WHEN r.death_date < u.valid_from THEN 'unit_before' ELSE 'unit_after' END",
        probability="0.5",
        field="address",
        alone=True,
    ),
    "hiv_words": RecordTest(
        judged="true", breach="r.hiv", restricted=True, suggestion="'restricted_record'", probability="1.0", field="cause_text", alone=True
    ),
}  # fmt: skip

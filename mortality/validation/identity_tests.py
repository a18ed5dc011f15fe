"""ID numbers and names: verdicts only (see `citizen_id`, `names`), the number and the name stay inside the restricted store."""

from __future__ import annotations

from mortality.quality.record_checks import RecordTest
from mortality.validation.citizen_id import MOST_NAMES

_SHAPED = "r.id_state IN ('valid', 'identity_card')"
_HAS_NUMBER = "r.id_state NOT IN ('', 'none')"
_NEWBORN = "coalesce(r.age_years, 99) < 1"


def _number(breach: str, *, judged: str = _HAS_NUMBER, suggestion: str = "''", probability: str = "0.9") -> RecordTest:
    return RecordTest(
        judged=judged, breach=breach, verdict="error", suggestion=suggestion, probability=probability, field="id_number", alone=True
    )  # fmt: skip


TESTS = {
    "id_form": _number(
        "r.id_state IN ('length', 'characters', 'lost_zero')",
        suggestion="CASE r.id_state WHEN 'lost_zero' THEN 'id_lost_zero' WHEN 'characters' THEN 'id_characters' ELSE 'id_length' END",
        probability="0.95",
    ),
    "id_province": _number("r.id_state = 'province'"),
    "id_placeholder": _number("r.id_state = 'placeholder'", suggestion="'id_leave_empty'", probability="0.99"),
    "id_sex": _number("NOT r.id_sex_agrees", judged="r.id_sex_agrees IS NOT NULL", suggestion="'id_look_at_card'"),
    "id_year": RecordTest(
        judged="r.id_year <> ''",
        breach="r.id_year <> 'fits'",
        verdict="error",
        explanation="CASE WHEN r.id_year = 'traditional' THEN 'traditional_age' ELSE '' END",
        suggestion="CASE WHEN r.id_year = 'traditional' THEN 'birth_traditional' ELSE 'id_look_at_card' END",
        probability="0.8",
        field="id_number",
        alone=True,
    ),
    "id_age": _number(
        "r.id_age IN ('traditional', 'other')",
        judged="r.id_age <> '' AND r.birth_year IS NULL",
        suggestion="CASE WHEN r.id_age = 'traditional' THEN 'age_traditional' ELSE 'id_look_at_card' END",
        probability="CASE WHEN r.id_age = 'traditional' THEN 0.85 ELSE 0.7 END",
    ),
    "id_shared": RecordTest(
        judged=_SHAPED,
        breach="r.id_others > 0",
        value="r.id_others",
        verdict="error",
        suggestion=f"CASE WHEN r.id_others > {MOST_NAMES} THEN 'id_leave_empty' ELSE 'id_compare' END",
        field="id_number",
    ),
    "name_missing": RecordTest(
        judged="r.name_state <> ''",
        breach=f"r.name_state IN ('missing', 'unknown') AND NOT {_NEWBORN}",
        verdict="missing",
        suggestion="CASE WHEN r.name_state = 'unknown' THEN 'name_unknown_person' ELSE '' END",
        field="full_name",
        alone=True,
    ),
    "name_form": RecordTest(
        judged="r.name_state NOT IN ('', 'missing')",
        breach="r.name_state IN ('digits', 'two_people', 'initials', 'one_word')",
        verdict="error",
        probability="CASE r.name_state WHEN 'one_word' THEN 0.4 ELSE 0.9 END",
        suggestion="'name_' || r.name_state",
        field="full_name",
        alone=True,
    ),
    "name_of_newborn": RecordTest(
        judged="r.name_state NOT IN ('', 'missing') AND r.age_years IS NOT NULL",
        breach="r.name_state = 'newborn' AND r.age_years >= 1",
        value="r.age_years",
        upper="0",
        suggestion="'name_or_age'",
        field="full_name",
        alone=True,
    ),
    "name_is_informant": RecordTest(
        judged="r.name_state NOT IN ('', 'missing', 'unknown')",
        breach="r.name_is_informant",
        verdict="error",
        suggestion="'name_of_the_dead'",
        field="full_name",
        alone=True,
    ),
    "sex_against_given_name": RecordTest(
        judged="r.sex IN ('male', 'female') AND r.name_sex = '' AND r.given_sex <> ''",
        breach="r.sex <> r.given_sex",
        fields={"sex": "r.sex"},
        probability="0.5",
        field="sex",
        alone=True,
    ),
}

"""The edits of certificates and coded deaths as tests of death records: one rule each, over the relations of `edit_relation`."""

from __future__ import annotations

from mortality.quality.record_checks import RecordTest
from mortality.validation.edit_relation import HABIT_FROM, prepare_edits

_AGE = "coalesce(r.age_years, CASE WHEN r.age_unit IN ('days', 'hours', 'months') THEN 0 END)"
_CAUSE_FIELD = "CASE WHEN coalesce(r.icd10_as_written, '') <> '' THEN 'icd10_as_written' ELSE 'cause_text' END"
CODED, AGED, LINED = "e.has_code", "e.has_age", "e.has_line"


def edit_test(
    rule: str, judged: str, probability: str, *, field: str = "icd10_as_written", verdict: str = "inconsistent"
) -> RecordTest:
    """The test of the rule `rule`: a record breaks it that has a finding of it."""
    return RecordTest(
        judged=judged,
        breach="k.death_id IS NOT NULL",
        value="k.value",
        lower="k.lower",
        upper="k.upper",
        verdict=verdict,
        probability=probability,
        joins=f"LEFT JOIN edited e ON e.death_id = r.death_id LEFT JOIN edit_finding k ON k.death_id = r.death_id AND k.rule_id = '{rule}'",
        fields={
            "cause": "k.code", "limit": "k.limit_name", "sex": "r.sex", "use": "nullif(k.suggested_code, '')",
            "field": f"coalesce(nullif(k.field, ''), {_CAUSE_FIELD})",
        },
        suggestion="CASE WHEN k.suggested_code <> '' THEN 'use_code' ELSE '' END",
        prepare=prepare_edits,
        field=field,
        alone=True,
    )  # fmt: skip


def _tests(*rows: tuple[str, str, str]) -> dict[str, RecordTest]:
    return {rule.removeprefix("death_"): edit_test(rule, judged, probability) for rule, judged, probability in rows}


_WITH_PERSON = f"{CODED} AND (r.sex IN ('male', 'female') OR {_AGE} IS NOT NULL)"
_INJURED = f"{LINED} AND {CODED}"
# Where most codes of a list have their fourth character (of those that have one) a shorter one is an omission; certificates ask for it.
_FINE = f"({LINED} OR r.file_sha256 IN (SELECT file_sha256 FROM edit_habit WHERE short < {HABIT_FROM} * codes))"
TESTS = _tests(
    ("death_cause_impossible", _WITH_PERSON, "0.95"),
    ("death_cause_unusual", _WITH_PERSON, "0.3"),
    ("death_edit_notable", f"{CODED} AND {_AGE} IS NOT NULL", "0.2"),
    ("death_edit_eradicated", CODED, "0.98"),
    ("death_edit_rare", CODED, "0.6"),
    ("death_edit_asterisk", CODED, "0.95"),
    ("death_edit_incomplete", f"{CODED} AND r.code_rule IN ('as_given', 'as_written') AND {_FINE}", "0.6"),
    ("death_senility_young", _WITH_PERSON, "0.9"),
    ("death_edit_not_underlying", CODED, "0.95"),
    ("death_edit_if_known", CODED, "0.3"),
    ("death_edit_unlikely", CODED, "0.7"),
    ("death_edit_age_unit", AGED, "0.9"),
    ("death_edit_age_unit_unusual", AGED, "0.4"),
    ("death_edit_covid_suspected", f"{CODED} AND e.has_words", "0.6"),
    ("death_edit_stillbirth_code", CODED, "0.95"),
    ("certificate_code", LINED, "0.95"),
    ("certificate_place_digit", LINED, "0.95"),
    ("certificate_code_legacy", LINED, "0.3"),
    ("certificate_external_without_nature", _INJURED, "0.6"),
    ("certificate_external_without_manner", _INJURED, "0.6"),
    ("certificate_nature_without_external", _INJURED, "0.8"),
    ("certificate_external_on_top", _INJURED, "0.8"),
    ("certificate_manner_disagrees", f"{CODED} AND e.has_manner", "0.8"),
    ("certificate_manner_of_disease", f"{CODED} AND e.has_manner", "0.8"),
    ("certificate_part1_blank", LINED, "0.9"),
    ("certificate_code_twice", LINED, "0.8"),
    ("certificate_interval", f"{LINED} AND e.has_interval", "0.8"),
)

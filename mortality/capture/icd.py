"""Codes for the words of a field: proposals of the coding function, numbered for the keys 1–9."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

from mortality.capture.typed import clean
from tkyt_analysis.labels import current_language, format_number, label

MOST = 9
CODE_OF = {
    "cause_text": "icd10_as_written",
    **{f"line_{line}": f"line_{line}_icd10" for line in "abcd"},
    "part2": "part2_icd10",
}


@dataclass(frozen=True)
class Proposal:
    """One code with the wording of the dictionary that led to it."""

    number: int
    code: str
    wording: str
    score: str  # "0,90"


def proposals(values: Mapping[str, str], field: str, *, today: datetime.date) -> list[Proposal]:
    """At most nine codes for the words of `field`, best first; [] where no word is known or the field has no code."""
    from mortality.coding.suggest import suggest_codes

    words = clean(values.get(field, ""))
    if field not in CODE_OF or not words:
        return []
    found = suggest_codes(words, limit=MOST, sex=values.get("sex") or None, age_years=age_of(values, today))
    return [
        Proposal(number, one.code, one.expression, format_number(one.score, 2)) for number, one in enumerate(found, 1)
    ]


def age_of(values: Mapping[str, str], today: datetime.date) -> float | None:
    """Completed years as the register's door would take them; None where they cannot be told."""
    from mortality.register_dates import read_date
    from mortality.register_values import UNIT_YEARS, read_age

    age = read_age(values.get("age", ""))
    if age.value is not None:
        return age.value * UNIT_YEARS[age.unit]
    birth = read_date(values.get("birth", ""), 0, today.year)
    death = read_date(values.get("death_date", ""), today.year, today.year)
    if birth.year is None or death.year is None:
        return None
    return float(max(0, death.year - birth.year))


def heading(field: str) -> str:
    """For which field the proposals are, in the current language."""
    from mortality.capture.fields import form_fields

    return label("capture.icd.for", field=form_fields()[field].title[current_language()])

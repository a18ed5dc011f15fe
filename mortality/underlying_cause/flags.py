"""Flags of a selection: why a coder must decide ("reject:…"), and where the profile decided ("profile:…")."""

from __future__ import annotations

from collections.abc import Iterator

from mortality.underlying_cause.case import Case
from mortality.underlying_cause.conditions import ConditionBook
from mortality.underlying_cause.injuries import manner_of
from mortality.underlying_cause.maternal import EARLY
from mortality.underlying_cause.rules import Rules
from mortality.underlying_cause.steps import Step

NO_CODE = "reject:no_code"
INVALID_CODE = "reject:invalid_code"
NEVER_UNDERLYING = "reject:never_underlying"
ASTERISK = "reject:asterisk"
NO_EXTERNAL_CAUSE = "reject:no_external_cause"
MANNER_DISAGREES = "reject:manner_disagrees"
MATERNAL_UNCLEAR = "reject:maternal_unclear"
FIFTH_CHARACTER = "profile:fifth_character_dropped"
LEGACY, DIABETES, PLACE = "profile:legacy_code", "profile:diabetes_complication", "profile:place_dropped"


def flags_of(steps: list[Step], case: Case, rules: Rules) -> tuple[str, ...]:
    """The flags of a finished selection, rejects first."""
    return tuple(_rejects(steps, case, rules)) + tuple(_profile(steps, case, rules))


def _written(case: Case) -> Iterator[str]:
    for codes in (*case.certificate.lines, case.certificate.part2):
        yield from codes


def unreadable(case: Case, book: ConditionBook) -> bool:
    """Whether something written on the certificate is no code of ICD-10."""
    certificate = case.certificate
    written = sum(map(len, certificate.lines)) + len(certificate.part2)
    return written != len(case.conditions)


def _rejects(steps: list[Step], case: Case, rules: Rules) -> Iterator[str]:
    result = rules.book[steps[-1].code]
    if unreadable(case, rules.book):
        yield INVALID_CODE
    if result.never is not None:
        yield NEVER_UNDERLYING
    if result.asterisk:
        yield ASTERISK
    if any(step.detail == "M4:manner" for step in steps):
        yield NO_EXTERNAL_CAUSE
    elif _manner_disagrees(result.category, case.certificate.manner):
        yield MANNER_DISAGREES
    if case.certificate.pregnancy in EARLY and result.code[0] not in "OVWXY" and result.category != "A34":
        yield MATERNAL_UNCLEAR


def _manner_disagrees(category: str, manner: str) -> bool:
    return bool(manner) and category[0] in "VWXY" and manner_of(category) not in ("", manner.strip().lower())


def _profile(steps: list[Step], case: Case, rules: Rules) -> Iterator[str]:
    if rules.book.shortened and not rules.book.shortened.isdisjoint(_written(case)):
        yield FIFTH_CHARACTER
    details = {step.detail for step in steps}
    if "M1:legacy" in details:
        yield LEGACY
    if "M4:place" in details:
        yield PLACE
    by_2016 = rules.profile.edition >= 2016 and rules.profile.diabetes_complications
    if by_2016 and any(s.detail == "M1:diabetes" and s.code.endswith((".6", ".7")) for s in steps):
        yield DIABETES

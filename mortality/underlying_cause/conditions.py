"""Conditions: the codes on certificates, each known once with what the code lists say about it."""

from __future__ import annotations

from dataclasses import dataclass, field

from mortality.icd import is_valid_code, normalise_code, replace_legacy
from mortality.underlying_cause.facts import Facts
from mortality.underlying_cause.profile import RuleProfile
from mortality.underlying_cause.code_sets import code_set


@dataclass(eq=False, slots=True)
class Condition:
    """One code and what is known about it. There is one object per code, so that `is` tells conditions apart.

    number : place in the order of first use; the key of pair tables
    key : the code without dot, at most four characters, for tables that carry no dot
    category : first three characters
    youngest : from this age (years) the condition is unlikely to cause death; None where it is not on that list
    """

    code: str
    number: int
    valid: bool
    ill_defined: bool = False
    if_known: bool = False
    never: str | None = None
    asterisk: bool = False
    youngest: int | None = None
    injury_rank: int = 9
    key: str = field(init=False)
    category: str = field(init=False)
    external: bool = field(init=False)
    injury: bool = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.code.replace(".", "")[:4]
        self.category = self.code[:3]
        self.external = self.code[0] in "VWXY"
        self.injury = self.code[0] in "ST"


class ConditionBook:
    """The conditions met so far, by the code as written."""

    def __init__(self, facts: Facts, profile: RuleProfile) -> None:
        self._facts = facts
        self._profile = profile
        self._by_writing: dict[str, Condition] = {}
        self._by_code: dict[str, Condition] = {}

    def __getitem__(self, written: str) -> Condition:
        found = self._by_writing.get(written)
        if found is None:
            found = self._by_writing[written] = self._of_code(normalise_code(written))
        return found

    def _of_code(self, code: str) -> Condition:
        found = self._by_code.get(code)
        if found is None:
            found = self._by_code[code] = self._look_up(code)
        return found

    def _look_up(self, code: str) -> Condition:
        facts, profile = self._facts, self._profile
        return Condition(
            code=code,
            number=len(self._by_code),
            valid=bool(code) and (is_valid_code(code) or bool(replace_legacy(code))),
            ill_defined=profile.ill_defined and code in facts.ill_defined,
            if_known=profile.if_known and code in facts.if_known,
            never=self._never(code),
            asterisk=code in facts.asterisk,
            youngest=self._youngest(code),
            injury_rank=self._injury_rank(code),
        )

    def _never(self, code: str) -> str | None:
        rows = self._facts.never if self._profile.never_underlying else ()
        return next((row["suggestion"] for row in rows if code in code_set(row["icd10_ranges"])), None)

    def _youngest(self, code: str) -> int | None:
        rows = self._facts.unlikely[self._profile.unlikely_edition] if self._profile.unlikely else ()
        return next((int(row["youngest"] or 0) for row in rows if code in code_set(row["icd10_ranges"])), None)

    def _injury_rank(self, code: str) -> int:
        rows = self._facts.injury_priority if code[:1] in "ST" else ()
        return next((int(row["rank"]) for row in rows if code in code_set(row["icd10_ranges"])), 9)

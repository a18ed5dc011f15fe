"""Conditions: the codes on certificates, each known once with what the code lists say about it.

The rows of a list that hold a condition stand in it as a bit set (bit i = row i of the list).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mortality.icd import is_valid_code, normalise_code, replace_legacy
from mortality.icd.who import without_fifth_character
from mortality.underlying_cause.bit_sets import RowsHolding, first_bit
from mortality.underlying_cause.facts import COVID, SURGERY, Facts, Rows, in_edition
from mortality.underlying_cause.profile import RuleProfile

YEAR = 365.0
DIABETES = "E10-E14"


@dataclass(eq=False, slots=True)
class Condition:
    """One code and what is known about it. There is one object per code, so that `is` tells conditions apart.

    number : place in the order of first use; the key of pair tables
    key : the code without dot, at most four characters, for tables that carry no dot
    category : first three characters
    terminal : ends a train of events (sepsis, lung oedema)
    never : None, or what stands for a code that is never the underlying cause ("" where that depends)
    youngest : from this age (years) the condition is unlikely to cause death; None where it is not on that list
    injury_rank : priority as main injury, 1 first; 9 for no injury
    with_hiv : the subcategory that HIV disease with this condition makes
    sequela, in_pregnancy : the code for its late effects, and in a maternal death
    obvious_after, obvious_cause : rows of `ucod_obvious_cause` that name it as consequence, as cause
    linked, links : rows of the linkages that name it as tentative cause, as the other condition
    vague, specific : rows of `ucod_specificity`
    """

    code: str
    number: int
    valid: bool
    ill_defined: bool = False
    if_known: bool = False
    never: str | None = None
    asterisk: bool = False
    terminal: bool = False
    youngest: int | None = None
    injury_rank: int = 9
    with_hiv: str = ""
    obvious_after: int = 0
    obvious_cause: int = 0
    linked: int = 0
    links: int = 0
    sequela: str = ""
    in_pregnancy: str = ""
    vague: int = 0
    specific: int = 0
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
    """The conditions met so far, by the code as written, and the rows that their bit sets count.

    shortened : writings met so far that carried WHO's optional fifth character
    """

    def __init__(self, facts: Facts, profile: RuleProfile) -> None:
        self.linkage = in_edition(facts.linkage + (facts.linkage_nchs if profile.nchs else ()), profile.edition)
        if not profile.diabetes_complications:
            self.linkage = tuple(
                row for row in self.linkage if row["from_edition"] == "" or row["tentative"] != DIABETES
            )
        self.obvious = in_edition(facts.obvious, profile.edition)
        if not profile.covid:
            self.obvious = tuple(row for row in self.obvious if row["condition"] != COVID)
        asks = [row["condition"] == SURGERY and row["by_default"] == "no" for row in self.obvious]
        self.only_after_surgery = sum(1 << bit for bit, only in enumerate(asks) if only)
        self._facts = facts
        self._profile = profile
        self._lists = _ListsOfConditions(facts, profile, self.obvious, self.linkage)
        self.shortened: set[str] = set()
        self._by_writing: dict[str, Condition] = {}
        self._by_code: dict[str, Condition] = {}

    def __getitem__(self, written: str) -> Condition:
        found = self._by_writing.get(written)
        if found is None:
            found = self._by_writing[written] = self._of_code(self._code(written))
        return found

    def _code(self, written: str) -> str:
        """The code without WHO's optional fifth character ("S06.31" → "S06.3"); such writings are kept in `shortened`."""
        code = normalise_code(written)
        if is_valid_code(code) or replace_legacy(code):
            return code
        coarser = without_fifth_character(code) if code else ""
        if coarser:
            self.shortened.add(written)
        return coarser or code

    def _of_code(self, code: str) -> Condition:
        found = self._by_code.get(code)
        if found is None:
            found = self._by_code[code] = self._look_up(code)
        return found

    def _look_up(self, code: str) -> Condition:
        number = len(self._by_code)
        if not (is_valid_code(code) or replace_legacy(code)):
            return Condition(code or "-", number, valid=False)
        facts, profile = self._facts, self._profile
        return Condition(
            code=code,
            number=number,
            valid=True,
            ill_defined=profile.ill_defined and code in facts.ill_defined,
            if_known=profile.if_known and code in facts.if_known,
            asterisk=code in facts.asterisk,
            terminal=code in facts.terminal,
            **self._lists.about(code),
        )


class _ListsOfConditions:
    """For one code, the rows of each list that hold it."""

    def __init__(self, facts: Facts, profile: RuleProfile, obvious: Rows, linkage: Rows) -> None:
        self._bits = {
            "obvious_after": _index(obvious, "consequence"),
            "obvious_cause": _index(obvious, "cause"),
            "linked": _index(linkage, "tentative"),
            "links": _index(linkage, "other"),
            "vague": _index(facts.specificity, "general"),
            "specific": _index(facts.specificity, "specific"),
        }
        self._never = _FirstRow(facts.never if profile.never_underlying else (), "icd10_ranges")
        self._unlikely = _FirstRow(facts.unlikely[profile.unlikely_edition] if profile.unlikely else (), "icd10_ranges")
        self._sequelae = _FirstRow(facts.sequelae, "tentative")
        self._maternal = _FirstRow(facts.maternal, "icd10_ranges")
        self._hiv = _FirstRow(facts.hiv_combinations, "other")
        self._injuries = _FirstRow(facts.injury_priority, "icd10_ranges")

    def about(self, code: str) -> dict[str, Any]:
        """The attributes of a condition that come from lists."""
        youngest = self._unlikely.value(code, "youngest")
        return {name: rows[code] for name, rows in self._bits.items()} | {
            "never": self._never.value(code, "suggestion"),
            "youngest": None if youngest is None else int(youngest or 0),
            "with_hiv": self._hiv.value(code, "result") or "",
            "sequela": self._sequelae.value(code, "result") or "",
            "in_pregnancy": self._maternal.value(code, "result") or "",
            "injury_rank": int(self._injuries.value(code, "rank") or 9),
        }


class _FirstRow:
    """The first row of a list that holds a code."""

    def __init__(self, rows: Rows, column: str) -> None:
        self._rows = rows
        self._index = _index(rows, column)

    def value(self, code: str, column: str) -> str | None:
        bits = self._index[code]
        return self._rows[first_bit(bits)][column] if bits else None


def _index(rows: Rows, column: str) -> RowsHolding:
    return RowsHolding(row[column] for row in rows)

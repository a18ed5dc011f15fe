"""The rules of one profile with one causal table: the conditions, and answers on pairs of them."""

from __future__ import annotations

from mortality.underlying_cause.bit_sets import all_bits
from mortality.underlying_cause.conditions import Condition, ConditionBook
from mortality.underlying_cause.due_to import AmendedTable, CausalTable, WhoCausalTable
from mortality.underlying_cause.facts import Facts, facts
from mortality.underlying_cause.profile import DEFAULT, RuleProfile

PAIRS_KEPT = 2_000_000
_SHIFT = 20


class Rules:
    """What the steps ask: the profile, the conditions, and answers on pairs of conditions.

    A question to the causal table is asked once per pair; at most PAIRS_KEPT answers are kept.
    """

    def __init__(self, profile: RuleProfile = DEFAULT, table: CausalTable | None = None) -> None:
        self.profile = profile
        self.given = table
        self.facts: Facts = facts()
        self.table: CausalTable = table or WhoCausalTable(self.facts.rejected)
        amended = tuple(row for row in self.facts.sequences_nchs if profile.nchs or row["accept"] == "yes")
        self.table = AmendedTable(self.table, amended)
        self.book = ConditionBook(self.facts, profile)
        self._due: dict[int, bool] = {}

    def due_to(self, effect: Condition, cause: Condition) -> bool:
        """Whether a sequence "effect due to cause" is accepted."""
        key = effect.number << _SHIFT | cause.number
        known = self._due.get(key)
        if known is None:
            if len(self._due) >= PAIRS_KEPT:
                self._due.clear()
            known = self._due[key] = self.table.accepts(effect.code, cause.code)
        return known

    def obvious(self, effect: Condition, cause: Condition, *, surgery: bool = False) -> bool:
        """Whether the effect is an obvious consequence of the cause (`ucod_obvious_cause`).

        surgery : an operation was done within four weeks: rows that ask for it hold too
        """
        bits = effect.obvious_after & cause.obvious_cause
        return bits != 0 and (surgery or bits & ~self.book.only_after_surgery != 0)

    def links(self, tentative: Condition, other: Condition) -> list[tuple[int, dict[str, str]]]:
        """The linkages of a tentative cause with another condition: (rank, row), in the order of the list."""
        bits = tentative.linked & other.links
        return [(rank, self.book.linkage[rank]) for rank in all_bits(bits)] if bits else []

    @staticmethod
    def says_more(general: Condition, specific: Condition) -> bool:
        """Whether the second condition says more about the first (`ucod_specificity`)."""
        return general.vague & specific.specific != 0

"""The rules of one profile with one causal table: conditions and pair tables, filled as pairs are met."""

from __future__ import annotations

from mortality.underlying_cause.conditions import Condition, ConditionBook
from mortality.underlying_cause.due_to import CausalTable, WhoCausalTable
from mortality.underlying_cause.facts import Facts, Rows, facts
from mortality.underlying_cause.profile import DEFAULT, RuleProfile
from mortality.underlying_cause.code_sets import code_set

PAIRS_KEPT = 2_000_000
_SHIFT = 20


class Rules:
    """What the steps ask: the profile, the conditions, and answers on pairs of conditions (each worked once)."""

    def __init__(self, profile: RuleProfile = DEFAULT, table: CausalTable | None = None) -> None:
        self.profile = profile
        self.facts: Facts = facts()
        self.table: CausalTable = table or WhoCausalTable(self.facts.rejected)
        self.book = ConditionBook(self.facts, profile)
        self._due: dict[int, bool] = {}
        self._obvious: dict[int, dict[str, str] | None] = {}
        self._links: dict[int, tuple[tuple[int, dict[str, str]], ...]] = {}
        self._specific: dict[int, bool] = {}
        self._hiv: dict[int, str] = {}
        self._linkage = _in_edition(self.facts.linkage, profile.edition)
        self._linkage += self.facts.linkage_nchs if profile.nchs else ()
        self._obvious_rows = _in_edition(self.facts.obvious, profile.edition)

    def due_to(self, effect: Condition, cause: Condition) -> bool:
        """Whether a sequence "effect due to cause" is accepted."""
        key = effect.number << _SHIFT | cause.number
        known = self._due.get(key)
        if known is None:
            known = _keep(self._due, key, self.table.accepts(effect.code, cause.code))
        return known

    def obvious(self, effect: Condition, cause: Condition) -> dict[str, str] | None:
        """The line of `ucod_obvious_cause` by which the effect is an obvious consequence of the cause."""
        key = effect.number << _SHIFT | cause.number
        if key not in self._obvious:
            found = first_row(self._obvious_rows, consequence=effect.code, cause=cause.code)
            return _keep(self._obvious, key, found)
        return self._obvious[key]

    def links(self, tentative: Condition, other: Condition) -> tuple[tuple[int, dict[str, str]], ...]:
        """The linkages of a tentative cause with another condition: (rank, line of `ucod_linkage`), in the order of the list."""
        key = tentative.number << _SHIFT | other.number
        known = self._links.get(key)
        if known is None:
            found = tuple(
                (rank, row)
                for rank, row in enumerate(self._linkage)
                if tentative.code in code_set(row["tentative"]) and other.code in code_set(row["other"])
            )
            known = _keep(self._links, key, found)
        return known

    def with_hiv(self, other: Condition) -> str:
        """The subcategory of B20–B23 that HIV disease with this condition makes; "" where it makes none."""
        known = self._hiv.get(other.number)
        if known is None:
            row = first_row(self.facts.hiv_combinations, other=other.code)
            known = _keep(self._hiv, other.number, row["result"] if row else "")
        return known

    def says_more(self, general: Condition, specific: Condition) -> bool:
        """Whether the second condition says more about the first (`ucod_specificity`)."""
        key = general.number << _SHIFT | specific.number
        known = self._specific.get(key)
        if known is None:
            row = first_row(self.facts.specificity, general=general.code, specific=specific.code)
            known = _keep(self._specific, key, row is not None)
        return known


def first_row(rows: Rows, **codes: str) -> dict[str, str] | None:
    """The first line whose ranges hold each of the codes."""
    return next((row for row in rows if all(code in code_set(row[name]) for name, code in codes.items())), None)


def _in_edition(rows: Rows, edition: int) -> Rows:
    return tuple(row for row in rows if int(row.get("from_edition") or 0) <= edition)


def _keep(store: dict, key: int, value):  # type: ignore[no-untyped-def]
    if len(store) >= PAIRS_KEPT:
        store.clear()
    store[key] = value
    return value

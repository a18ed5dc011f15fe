"""The decision itself: account × action × table × place → allowed or not, and why. Pure; no files of a home, no clock.

The roles follow Article 9 of the regulation of the software (draft decision of 2021, seeds/001): departments of the
ministry see the nation; units under the ministry their own scope, and what the leadership's tasks need; a provincial
department its province, and may delegate to units of its province; facilities, public or private, themselves. Checking
and approval are Article 8.3, publication Article 11.1, accounts Article 7. The table stands in docs/access.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tkyt_analysis.access.scopes import NATION, is_known, within

ROLES = ("administrator", "ministry", "ministry_unit", "province", "province_unit", "facility")
ACTIONS = (
    "read", "read_identifiers", "read_hiv", "receive", "check", "approve", "return", "reopen",
    "publish", "pull", "push", "backup", "restore", "administer", "delegate",
)  # fmt: skip
RIGHTS: dict[str, frozenset[str]] = {
    "administrator": frozenset({"read", "receive", "pull", "backup", "restore", "administer", "delegate"}),
    "ministry": frozenset({"read", "receive", "check", "publish", "pull", "push"}),
    "ministry_unit": frozenset({"read", "receive"}),
    "province": frozenset({"read", "receive", "check", "approve", "return", "reopen", "pull", "push", "delegate"}),
    "province_unit": frozenset({"read", "receive"}),
    "facility": frozenset({"read", "receive"}),
}
GRANTED: dict[str, frozenset[str]] = {
    "identifiers": frozenset({"read_identifiers"}),
    "hiv": frozenset({"read_hiv"}),
    "check": frozenset({"check", "return"}),
    "approve": frozenset({"approve", "return"}),
    "reopen": frozenset({"reopen"}),
    "administer": frozenset({"backup", "restore", "administer", "delegate"}),
}
MAY_HOLD: dict[str, frozenset[str]] = {
    "administrator": frozenset(),
    "ministry": frozenset(GRANTED),
    "ministry_unit": frozenset({"identifiers", "hiv"}),
    "province": frozenset({"identifiers", "hiv"}),
    "province_unit": frozenset({"identifiers", "hiv", "check", "approve"}),
    "facility": frozenset({"identifiers", "hiv"}),
}
READING = frozenset({"read", "read_identifiers", "read_hiv"})
OF_THE_WHOLE_HOME = frozenset({"publish", "backup", "restore", "administer"})


@dataclass(frozen=True)
class Scope:
    """The places an account may see: the whole nation, or units (unit ids) with everything below them and their past."""

    nation: bool = False
    units: frozenset[str] = frozenset()

    def covers(self, place: str, above: Iterable[str] = ()) -> bool:
        """Whether a place lies in the scope; `above`: units known to contain it."""
        return self.nation or within(place, self.units, above)


@dataclass(frozen=True)
class Account:
    """One account of one unit. `grants` are extra rights ("identifiers", "hiv", "check", "approve", "reopen",
    "administer"); `scope` is where it works, `tasks` are further places that it may read for a task of the leadership."""

    name: str
    role: str
    unit_id: str
    scope: Scope = field(default_factory=Scope)
    grants: frozenset[str] = frozenset()
    tasks: frozenset[str] = frozenset()
    active: bool = True

    @property
    def reads(self) -> Scope:
        """What the account may read: its scope and the places of its tasks."""
        return replace(self.scope, units=self.scope.units | self.tasks)


@dataclass(frozen=True)
class Decision:
    """`allowed`, and the label key of the reason with its fields."""

    allowed: bool
    reason: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def decide(
    account: Account, action: str, *, table: str | None = None, place: str | None = None, above: Iterable[str] = ()
) -> Decision:
    """Whether an account may do an action on a table at a place. Never raises; what is not known is refused.

    place : None asks about no particular one: the action is then allowed as such, and what comes back is filtered
    above : units known to contain the place (for units of other code systems)
    """
    who = {"account": account.name, "role": account.role, "action": action, "unit": account.unit_id}
    if not account.active:
        return Decision(False, "error.account_withdrawn", {"account": account.name})
    if account.role not in RIGHTS:
        return Decision(False, "error.access_role", who)
    if action not in ACTIONS:
        return Decision(False, "error.access_action", who)
    needed = _needed(action, table)
    missing = sorted(needed - rights(account))
    if missing:
        return _lacks(missing[0], who)
    where = NATION if action in OF_THE_WHOLE_HOME else place
    if where is None:
        return Decision(True)
    return _at(account, action, str(where), tuple(above), who)


def rights(account: Account) -> frozenset[str]:
    """The actions that a role has, and those of its grants (a grant that the role may not hold counts for nothing)."""
    held = account.grants & MAY_HOLD.get(account.role, frozenset())
    return RIGHTS.get(account.role, frozenset()).union(*(GRANTED[grant] for grant in held))


def _needed(action: str, table: str | None) -> set[str]:
    """The rights that an action needs: reading a table of persons is reading identifiers, HIV rows need both grants."""
    needed = {action}
    if action == "read_hiv" or (action == "read" and is_personal(table)):
        needed.add("read_identifiers")
    return needed


def is_personal(table: str | None) -> bool:
    """Whether a table holds direct identifiers (its entry says access: personal)."""
    if not table:
        return False
    from tkyt_analysis.catalog import load_entries

    entry = load_entries("datasets").get(table)
    return entry is not None and entry.access == "personal"


def _lacks(action: str, who: dict[str, str]) -> Decision:
    if action == "read_identifiers":
        return Decision(False, "error.access_identifiers", who)
    if action == "read_hiv":
        return Decision(False, "error.access_hiv", who)
    return Decision(False, "error.access_not_of_role", {**who, "action": action})


def _at(account: Account, action: str, place: str, above: tuple[str, ...], who: dict[str, str]) -> Decision:
    scope = account.reads if action in READING else account.scope
    if not is_known(place):
        return Decision(False, "error.access_place", {**who, "place": place})
    if scope.covers(place, above):
        return Decision(True)
    return Decision(False, "error.outside_scope", {**who, "place": place})

"""The decision itself: account × action × table × place → allowed or not, and why. Pure; no files, no clock.

The roles follow Article 9 of the regulation of the software (draft decision of 2021, seeds/001): departments of the
ministry see the nation; units under the ministry their own; a provincial department its province, and may delegate to
units of its province; facilities, public or private, themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

NATION = "VN"
ROLES = ("administrator", "ministry", "ministry_unit", "province", "province_unit", "facility")
ACTIONS = (
    "read", "read_identifiers", "read_hiv", "receive", "check", "approve", "return", "reopen",
    "publish", "pull", "push", "backup", "restore", "administer",
)  # fmt: skip


@dataclass(frozen=True)
class Scope:
    """The places an account may see: the whole nation, or units (unit ids) with everything below them."""

    nation: bool = False
    units: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Account:
    """One account of one unit. `grants` are extra rights: "identifiers", "hiv", "approve", …; `scope` what it sees."""

    name: str
    role: str
    unit_id: str
    scope: Scope = field(default_factory=Scope)
    grants: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Decision:
    """`allowed`, and the label key of the reason with its fields."""

    allowed: bool
    reason: str = ""
    fields: dict[str, str] = field(default_factory=dict)


def decide(account: Account, action: str, *, table: str | None = None, place: str | None = None) -> Decision:
    """Whether an account may do an action on a table at a place (None: no particular one)."""
    return Decision(account.role in ("ministry", "administrator"))

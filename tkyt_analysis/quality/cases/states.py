"""The state of a case as a pure function of its timeline. See docs/quality_cases.md.

A case is one finding: one rule (in one version) about one place, period and cell. Its timeline holds what the checks saw
(new, changed, gone, back, superseded, retested) and what people did (asked, assigned, explained, accepted, rejected,
closed, withdrawn, reopened), in the order of their moments. Nothing is stored but the timeline.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

STATES = ("open", "asked", "explained", "accepted", "closed", "withdrawn", "mended", "reopened", "superseded")
WAITING = ("open", "asked", "reopened")  # an answer of the unit is still wanted
SETTLED = ("accepted", "closed", "withdrawn")  # decided; only new facts open them again
SEEN = ("new", "changed", "gone", "back", "superseded", "retested")
DONE = ("asked", "assigned", "explained", "accepted", "rejected", "closed", "withdrawn", "reopened")
ANSWERS = ("right", "wrong", "unclear")

# event → states in which it may happen
ALLOWED: dict[str, tuple[str, ...]] = {
    "asked": ("open", "asked", "reopened"),
    "assigned": ("open", "asked", "explained", "reopened"),
    "explained": ("open", "asked", "explained", "reopened"),
    "accepted": ("open", "asked", "explained", "reopened"),
    "rejected": ("explained",),
    "closed": ("open", "asked", "explained", "reopened"),
    "withdrawn": ("open", "asked", "explained", "reopened"),
    "reopened": SETTLED,
}
_AFTER = {
    "asked": "asked", "explained": "explained", "accepted": "accepted", "rejected": "asked", "closed": "closed",
    "withdrawn": "withdrawn", "reopened": "reopened",
}  # fmt: skip


@dataclass(frozen=True)
class Event:
    """One entry of a timeline. `value` is the value that it is about (None: the rule names none).

    answer : of "explained": right | wrong | unclear
    """

    event: str
    value: float | None = None
    answer: str = ""


def case_state(timeline: Iterable[Event]) -> str:
    """The state after the events in their order; "" before the first. An event that may not happen changes nothing."""
    state, settled_value = "", None
    for one in timeline:
        before = state
        state = _seen(state, one, settled_value) if one.event in SEEN else _done(state, one)
        if state != before or one.event in ("explained", "accepted"):
            settled_value = one.value
    return state


def allowed(state: str, event: str) -> bool:
    """Whether an event may happen to a case in a state."""
    return state in ALLOWED[event]


def _done(state: str, one: Event) -> str:
    if not allowed(state, one.event) or one.event == "assigned":
        return state
    if one.event == "explained" and one.answer == "unclear":
        return state  # the unit does not know either: the question stays
    return _AFTER[one.event]


def _seen(state: str, one: Event, settled_value: float | None) -> str:
    """What a check saw: decisions stand while the value is the one that was decided about."""
    if one.event == "superseded":  # what was accepted of the cell stays known
        return state if state in ("accepted", "withdrawn") else "superseded"
    if one.event == "gone":
        return state if state in SETTLED else "mended"
    if state in ("", "superseded"):
        return "open"
    if state == "mended" or (state == "closed" and one.event in ("back", "retested", "changed")):
        return "reopened"
    decided = state in ("explained", "accepted", "withdrawn")
    return "reopened" if decided and one.event != "retested" and not same(one.value, settled_value) else state


def same(one: float | None, other: float | None) -> bool:
    """Whether two values are the same, or both are none."""
    return one == other or (_none(one) and _none(other))


def _none(value: float | None) -> bool:
    return value is None or value != value

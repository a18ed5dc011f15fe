"""The states of a report as a pure function of its events, its due date and now. See docs/submissions.md.

Article 8 of the regulation of the software (seeds/001): units check and approve reports; after the deadline an
approved report can no longer be edited. So "locked" is no event: an approved report is locked from the day after its
due date, without any job that runs. Days are those of Viet Nam (UTC+7); events carry UTC.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

EVENTS = ("received", "checked", "approved", "returned", "reopened")
STATES = ("received", "checked", "approved", "locked", "returned", "reopened")
REASON_NEEDED = ("returned", "reopened")
VIET_NAM = datetime.timedelta(hours=7)

# event → states in which it may happen ("" = nothing received yet)
ALLOWED: dict[str, tuple[str, ...]] = {
    "received": ("", "received", "checked", "approved", "returned", "reopened"),
    "checked": ("received", "reopened"),
    "approved": ("checked", "received", "reopened"),  # the last two only with a reason ("despite")
    "returned": ("received", "checked", "approved", "reopened"),
    "reopened": ("locked",),
}


@dataclass(frozen=True)
class Event:
    """One event of a report. `changes` is false for values that came again as they were."""

    event: str
    at: datetime.datetime
    reason: str = ""
    changes: bool = True


def local_day(at: datetime.datetime) -> datetime.date:
    """The day in Viet Nam of a time in UTC."""
    return (at + VIET_NAM).date()


def locked(state: str, due: datetime.date | None, now: datetime.datetime) -> bool:
    """Whether a report in `state` is locked: approved, and its due date (a day that still counts) is over."""
    return state == "approved" and due is not None and local_day(now) > due


def allowed(state: str, event: str) -> bool:
    """Whether an event may happen to a report in a state."""
    return state in ALLOWED[event]


def state_of(events: Iterable[Event], due: datetime.date | None, now: datetime.datetime) -> str:
    """The state after the events, in their order; "" where nothing was received. An event that may not happen changes nothing."""
    state = ""
    for one in events:
        current = "locked" if locked(state, due, one.at) else state
        if one.changes and allowed(current, one.event) and (one.reason or one.event not in REASON_NEEDED):
            state = one.event
    return "locked" if locked(state, due, now) else state

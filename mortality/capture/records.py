"""A record in work: what was typed, what was confirmed, and how far it is."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from mortality.capture.fields import COPIED, CORRECTS, REASON, form_fields

UNFINISHED, FINISHED = "unfinished", "finished"
STATES = (UNFINISHED, FINISHED)


@dataclass(frozen=True)
class Draft:
    """One record that is not handed in yet.

    values : {field: value}, empty ones left out; confirmed : {rule_id: value(s) it was confirmed for} of warnings that were
    answered "as written"; errors : whether errors were open when it was kept; refused : why the door sent it back
    """

    key: str
    values: dict[str, str] = field(default_factory=dict)
    confirmed: dict[str, str] = field(default_factory=dict)
    state: str = UNFINISHED
    errors: bool = False
    refused: str = ""
    changed_at: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(self.values.get(name) for name in form_fields())

    @property
    def is_correction(self) -> bool:
        return bool(self.values.get(CORRECTS))

    def with_value(self, name: str, value: str) -> Draft:
        """The record with another value; it is then unfinished until it is kept again."""
        values = {key: kept for key, kept in self.values.items() if key != name}
        if value:
            values[name] = value
        return replace(self, values=values, state=UNFINISHED, refused="", changed_at=now())

    def with_confirmed(self, rule_id: str, about: str) -> Draft:
        return replace(self, confirmed={**self.confirmed, rule_id: about}, changed_at=now())

    def without_confirmed(self, rule_id: str) -> Draft:
        kept = {rule: about for rule, about in self.confirmed.items() if rule != rule_id}
        return replace(self, confirmed=kept, changed_at=now())


def new_draft(values: Mapping[str, str] | None = None) -> Draft:
    """An empty record, or one that begins with values."""
    return Draft(secrets.token_hex(8), dict(values or {}), changed_at=now())


def copied(draft: Draft, before: Draft | None) -> Draft:
    """The record with its empty fields filled from the one before, where deaths commonly agree."""
    if before is None:
        return draft
    given = {name: before.values[name] for name in COPIED if before.values.get(name) and not draft.values.get(name)}
    return replace(draft, values={**draft.values, **given}, changed_at=now()) if given else draft


def now() -> str:
    """The moment (UTC, seconds)."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def to_plain(draft: Draft) -> dict[str, Any]:
    """The record as JSON knows it."""
    return asdict(draft)


def from_plain(kept: Mapping[str, Any]) -> Draft:
    """The record of such a value; fields that this version does not have are dropped."""
    known = {*form_fields(), CORRECTS, REASON}
    values = {str(name): str(value) for name, value in dict(kept["values"]).items() if name in known and value}
    confirmed = {str(rule): str(about) for rule, about in dict(kept["confirmed"]).items()}
    state = kept["state"] if kept["state"] in STATES else UNFINISHED
    return Draft(
        str(kept["key"]), values, confirmed, state, bool(kept["errors"]), str(kept["refused"]), str(kept["changed_at"])
    )

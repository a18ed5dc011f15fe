"""Accounts as data of the home: `access/accounts.json`, readable by its owner, written whole, every change audited.

One account per unit (Article 7.2), tied to one user of the operating system, or to none (then a server acts for it).
Grants and places for a task have a reason, a giver and, where wanted, a last day. What a province has delegated lapses
with the province's own account and never exceeds it.
"""

from __future__ import annotations

import datetime
import json
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tkyt_analysis.access.decision import Account, Scope
from tkyt_analysis.access.scopes import covered_units
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.warehouse.whole_files import file_lock, write_whole

LOCK_SECONDS = 10.0
OF_THE_NATION = ("administrator", "ministry")


@dataclass(frozen=True)
class Right:
    """One grant or one place for a task: `what` is a grant ("identifiers") or a unit id."""

    what: str
    why: str
    given_by: str
    since: str
    until: str = ""

    def holds(self, day: str) -> bool:
        return self.since <= day and (not self.until or day <= self.until)


@dataclass(frozen=True)
class AccountRecord:
    """An account as it is kept. Days are ISO dates (UTC); `until` is the last day; `withdrawn` ends it at once.

    units : where it works besides its own unit (delegated to it, or the scope of a unit under the ministry)
    """

    name: str
    role: str
    unit_id: str
    os_user: str = ""
    units: tuple[str, ...] = ()
    grants: tuple[Right, ...] = ()
    tasks: tuple[Right, ...] = ()
    delegated_by: str = ""
    since: str = ""
    until: str = ""
    withdrawn: str = ""
    withdrawn_why: str = ""

    def active(self, day: str) -> bool:
        return not self.withdrawn and self.since <= day and (not self.until or day <= self.until)


def accounts_file(home: Path) -> Path:
    """Where the accounts stand."""
    return Path(home) / "access" / "accounts.json"


def name_of_user(uid: int | None = None) -> str:
    """The operating system's name of a user id (default: of this process); the number where it has none."""
    number = os.getuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def today() -> str:
    """The day that decides which accounts and grants hold (UTC)."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def read_accounts(home: Path) -> dict[str, AccountRecord]:
    """{name: account}; {} for a home without accounts. A file that cannot be understood is a ProcessingError."""
    try:
        text = accounts_file(home).read_text("utf-8")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProcessingError("error.accounts_unreadable", file=accounts_file(home), problem=error.strerror) from None
    try:
        return {one["name"]: _record(one) for one in json.loads(text)["accounts"]}
    except (ValueError, KeyError, TypeError) as error:
        problem = type(error).__name__
        raise ProcessingError("error.accounts_unreadable", file=accounts_file(home), problem=problem) from None


def _record(kept: dict[str, Any]) -> AccountRecord:
    rights = {name: tuple(Right(**one) for one in kept[name]) for name in ("grants", "tasks")}
    return AccountRecord(**{**kept, **rights, "units": tuple(kept["units"])})


def account_of(record: AccountRecord, records: dict[str, AccountRecord], *, day: str | None = None) -> Account:
    """What the record allows on a day (default: today)."""
    day = day or today()
    if record.role in OF_THE_NATION:
        scope = Scope(nation=True)
    else:
        scope = Scope(units=frozenset({record.unit_id}) | _delegated(record, records, day))
    lapsed = bool(record.delegated_by) and not _giver_active(record, records, day)
    grants = frozenset(right.what for right in record.grants if right.holds(day)) if not lapsed else frozenset()
    tasks = frozenset(right.what for right in record.tasks if right.holds(day))
    return Account(record.name, record.role, record.unit_id, scope, grants, tasks, record.active(day))


def _giver_active(record: AccountRecord, records: dict[str, AccountRecord], day: str) -> bool:
    giver = records.get(record.delegated_by)
    return giver is not None and giver.active(day)


def _delegated(record: AccountRecord, records: dict[str, AccountRecord], day: str) -> frozenset[str]:
    """The units besides the account's own: of a delegated account those that its giver covers, while it is active."""
    if not record.delegated_by:
        return frozenset(record.units)
    if not _giver_active(record, records, day):
        return frozenset()
    giver = records[record.delegated_by]
    covered = covered_units(frozenset({giver.unit_id, *giver.units}))
    return frozenset(unit for unit in record.units if giver.role in OF_THE_NATION or unit in covered)


@contextmanager
def changing(home: Path) -> Iterator[dict[str, AccountRecord]]:
    """The accounts for a change, which is written whole when the block ends well; one change at a time."""
    path = accounts_file(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with file_lock(path.with_suffix(".lock"), wait=LOCK_SECONDS):
            records = read_accounts(home)
            before = dict(records)
            yield records
            if records != before:
                write_whole(path, _text(records))
    except TimeoutError:
        raise ProcessingError("error.accounts_busy", file=path) from None


def _text(records: dict[str, AccountRecord]) -> str:
    kept = [asdict(records[name]) for name in sorted(records)]
    return json.dumps({"version": 1, "accounts": kept}, ensure_ascii=False, indent=1)


def without(rights: tuple[Right, ...], what: str) -> tuple[Right, ...]:
    """The rights other than `what`."""
    return tuple(right for right in rights if right.what != what)


def require_record(records: dict[str, AccountRecord], name: str) -> AccountRecord:
    """The account of that name, or an InputError that says which there are."""
    if name not in records:
        raise InputError("error.account_unknown", account=name, known=", ".join(sorted(records)) or "–")
    return records[name]


def withdrawn(record: AccountRecord, why: str) -> AccountRecord:
    """The account, ended at once; its name and OS user stay on record."""
    now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%S")
    return replace(record, withdrawn=now, withdrawn_why=why)

"""Changes of accounts: who may make them, what they must say, and one line in the audit log for each."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tkyt_analysis.access import accounts as store
from tkyt_analysis.access.accounts import AccountRecord, Right
from tkyt_analysis.access.audit import record as audit
from tkyt_analysis.access.decision import GRANTED, MAY_HOLD, NATION, ROLES, Account, decide
from tkyt_analysis.access.door import current_account, owner_uid, require
from tkyt_analysis.access.scopes import is_known
from tkyt_analysis.errors import InputError

DELEGATED_ROLES = ("province_unit", "facility")
DELEGATED_GRANTS = ("check", "approve")


def add_account(
    home: Path, name: str, *, role: str, unit_id: str, os_user: str = "", units: tuple[str, ...] = (), until: str = "",
    why: str,
) -> AccountRecord:  # fmt: skip
    """A new account, by an administrator. The first one of a home also writes down the owner's own account.

    unit_id : its unit (accounts of the nation: VN); units : further places of a unit under the ministry
    """
    require(home, "administer")
    made = AccountRecord(name, role, unit_id, os_user, units, since=store.today(), until=_day(until))
    return _added(home, made, _reason(why))


def delegate(
    home: Path, name: str, *, role: str, unit_id: str, units: tuple[str, ...] = (), grants: tuple[str, ...] = (),
    os_user: str = "", until: str = "", why: str,
) -> AccountRecord:  # fmt: skip
    """A provincial department makes an account of a unit of its province and says what it may do where.

    units : places in which it checks or approves besides its own unit; grants : "check", "approve"
    """
    giver = require(home, "delegate", place=unit_id)
    for unit in units:
        require(home, "delegate", place=unit)
    _require_one_of(role, DELEGATED_ROLES, "error.access_delegated_role")
    given = tuple(Right(_delegated_grant(role, one), _reason(why), giver.name, store.today()) for one in grants)
    by = giver.name if giver.role == "province" else ""
    made = AccountRecord(name, role, unit_id, os_user, units, given, (), by, store.today(), _day(until))
    return _added(home, made, _reason(why))


def withdraw(home: Path, name: str, *, why: str) -> AccountRecord:
    """End an account at once, by an administrator or by the province that delegated it."""
    return _changed(home, name, lambda record, by: store.withdrawn(record, _reason(why)), "account_withdrawn", why)


def grant(home: Path, name: str, what: str, *, why: str, until: str = "") -> AccountRecord:
    """Give a right ("identifiers", "hiv", "check", …) or, for a unit id, a place to read for a task."""

    def change(record: AccountRecord, by: Account) -> AccountRecord:
        right = Right(what, _reason(why), by.name, store.today(), _day(until))
        if what in GRANTED:
            _require_may_hold(record, what)
            return replace(record, grants=(*store.without(record.grants, what), right))
        if not is_known(what):
            raise InputError("error.access_no_such_right", what=what, known=", ".join(GRANTED))
        if record.role != "ministry_unit" or not until:
            raise InputError("error.access_task", account=name, place=what)
        return replace(record, tasks=(*store.without(record.tasks, what), right))

    return _changed(home, name, change, "right_granted", why, what)


def revoke(home: Path, name: str, what: str, *, why: str) -> AccountRecord:
    """Take a right or a place for a task back."""

    def change(record: AccountRecord, by: Account) -> AccountRecord:
        return replace(record, grants=store.without(record.grants, what), tasks=store.without(record.tasks, what))

    return _changed(home, name, change, "right_revoked", why, what)


def visible_accounts(home: Path) -> list[AccountRecord]:
    """The accounts that the current one may see: all for administrators, for others their own and what they delegated."""
    by = require(home, "read")
    records = store.read_accounts(home)
    if decide(by, "administer").allowed:
        return sorted(records.values(), key=lambda one: one.name)
    return sorted(
        (one for one in records.values() if by.name in (one.name, one.delegated_by)), key=lambda one: one.name
    )


# ----------------------------------------------------------------------------------


def _added(home: Path, made: AccountRecord, why: str) -> AccountRecord:
    _require_sensible(made)
    if not (Path(home) / "restricted").is_dir():
        raise InputError("error.no_warehouse", home=home)
    with store.changing(home) as records:
        if not records:
            first = _owners_record(home)
            records[first.name] = first
        if made.name in records:
            raise InputError("error.account_exists", account=made.name)
        other = next((one for one in records.values() if made.os_user and one.os_user == made.os_user), None)
        if other and not other.withdrawn:
            raise InputError("error.account_user_taken", user=made.os_user, account=other.name)
        audit(home, "account_added", why=why, name=made.name, role=made.role, unit=made.unit_id, units=made.units)
        records[made.name] = made
    return made


def _owners_record(home: Path) -> AccountRecord:
    """What the owner had alone, as an account that can be seen, changed and withdrawn."""
    user = store.name_of_user(owner_uid(home))
    reason = "owner of the home before it had accounts"
    rights = tuple(Right(what, reason, user, store.today()) for what in sorted(GRANTED))
    return AccountRecord(user, "ministry", NATION, user, grants=rights, since=store.today())


def _changed(
    home: Path,
    name: str,
    change: Callable[[AccountRecord, Account], AccountRecord],
    event: str,
    why: str,
    right: str = "",
) -> AccountRecord:
    by = current_account(home)
    with store.changing(home) as records:
        record = store.require_record(records, name)
        _require_may_change(home, by, record, event)
        new = change(record, by)
        audit(home, event, why=why, name=name, right=right)
        records[name] = new
    return new


def _require_may_change(home: Path, by: Account, record: AccountRecord, event: str) -> None:
    """Administrators change any account but their own; a province withdraws what it delegated."""
    if event == "account_withdrawn" and record.delegated_by == by.name:
        require(home, "delegate")
        return
    require(home, "administer")
    if record.name == by.name and event != "right_revoked":
        raise InputError("error.account_own", account=by.name)


def _require_sensible(made: AccountRecord) -> None:
    _require_one_of(made.role, ROLES, "error.access_no_such_role")
    if not made.name or not made.name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise InputError("error.account_name", account=made.name)
    for unit in (made.unit_id, *made.units):
        if not is_known(unit):
            raise InputError("error.access_place", place=unit, account=made.name)
    if (made.role in store.OF_THE_NATION) != (made.unit_id == NATION):
        raise InputError("error.account_place_of_role", role=made.role, unit=made.unit_id)
    if made.units and made.role not in ("ministry_unit", "province_unit"):
        raise InputError("error.account_units", role=made.role)


def _require_may_hold(record: AccountRecord, what: str) -> None:
    if what not in MAY_HOLD[record.role]:
        raise InputError("error.access_may_not_hold", account=record.name, role=record.role, right=what)


def _delegated_grant(role: str, what: str) -> str:
    _require_one_of(what, DELEGATED_GRANTS, "error.access_delegated_grant")
    if what not in MAY_HOLD[role]:
        raise InputError("error.access_may_not_hold", account="–", role=role, right=what)
    return what


def _require_one_of(found: str, choices: tuple[str, ...], key: str) -> None:
    if found not in choices:
        raise InputError(key, found=found, choices=", ".join(choices))


def _reason(why: str) -> str:
    if not why.strip():
        raise InputError("error.access_no_reason")
    return why.strip()


def _day(text: str) -> str:
    if not text:
        return ""
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError:
        raise InputError("error.access_day", found=text) from None

"""What the doors call: who is at work here, and may they.

Who is at work is told by the user id of the process, never by the environment. A home without accounts belongs to the
user that owns its folder, alone and with the whole nation. Once it has accounts, each stands for its OS user; the owner
without an account of its own keeps the right to administer, no more.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from pathlib import Path

from tkyt_analysis.access.accounts import AccountRecord, account_of, name_of_user, read_accounts, require_record
from tkyt_analysis.access.decision import GRANTED, NATION, Account, Scope, decide
from tkyt_analysis.errors import InputError, TkytError

ACTING_AS = "TKYT_ACTING_AS"  # set by a process that acts for an account, for the processes that it starts
NEVER_FOR_OTHERS = frozenset({"identifiers", "hiv", "administer"})
_acting: ContextVar[tuple[Path, str] | None] = ContextVar("tkyt_acting_as", default=None)
_filtering: ContextVar[bool] = ContextVar("tkyt_filtering", default=False)


def current_account(home: Path) -> Account:
    """The account at work; InputError for a user without one, or one whose account was withdrawn."""
    home = Path(home)
    records = read_accounts(home)
    own = _own_account(home, records)
    name = _acted_for(home)
    return own if name is None else _for_other(own, records, name)


def require(
    home: Path, action: str, *, table: str | None = None, place: str | None = None, above: Iterable[str] = ()
) -> Account:
    """The current account, or an InputError that says what it may not do and whom to ask; refusals are audited."""
    account = current_account(home)
    if place is not None and not above:
        above = containing_units(home, account, place)
    decision = decide(account, action, table=table, place=place, above=above)
    if not decision.allowed:
        _record_refusal(home, action, table, place, decision.reason)
        raise InputError(decision.reason, **decision.fields)
    return account


def require_whole_home(home: Path) -> None:
    """Raw rows of a warehouse are for accounts of the nation; others work through releases and functions that filter."""
    if _filtering.get():
        return
    account = current_account(home)
    if not account.active or not account.reads.nation:
        raise InputError("error.access_raw_rows", account=account.name, unit=account.unit_id)


def require_restricted_store(home: Path) -> None:
    """Who opens the restricted store other than through `read_identities` needs the grant, and leaves an audit line."""
    if _filtering.get():
        return
    require(home, "read_identifiers", place=NATION)
    from tkyt_analysis.access.audit import record

    record(home, "restricted_store_opened")


@contextmanager
def working_within() -> Iterator[None]:
    """For functions that open the warehouse for an account of any scope and give out only what it may see."""
    token = _filtering.set(True)
    try:
        yield
    finally:
        _filtering.reset(token)


@contextmanager
def acting_as(home: Path, name: str) -> Iterator[Account]:
    """Work as the named account, in a process of the owner or of an administrator (a server for its signed-in user).

    Identifiers and administration are never acted for another. Processes started within do the same.
    """
    home = Path(home)
    records = read_accounts(home)
    account = _for_other(_own_account(home, records), records, name)
    token = _acting.set((home.resolve(), name))
    try:
        yield account
    finally:
        _acting.reset(token)


def acting_environment(home: Path) -> dict[str, str]:
    """What a process must hand to one that it starts, so that it works as the same account."""
    name = _acted_for(Path(home))
    return {} if name is None else {ACTING_AS: name}


def owner_account(home: Path, *, alone: bool) -> Account:
    """The account of the folder's owner: everything while it is alone, else the right to administer only."""
    name = name_of_user()
    if alone:
        return Account(name, "ministry", NATION, Scope(nation=True), frozenset(GRANTED))
    return Account(name, "administrator", NATION, Scope(nation=True))


def owner_uid(home: Path) -> int:
    """The user id that owns a home's folder (of one still to be made: that of this process)."""
    try:
        return Path(home).stat().st_uid
    except FileNotFoundError:
        return os.getuid()


# ----------------------------------------------------------------------------------


def _own_account(home: Path, records: dict[str, AccountRecord]) -> Account:
    is_owner = owner_uid(home) == os.getuid()
    user = name_of_user()
    if not records:
        if is_owner:
            return owner_account(home, alone=True)
        raise InputError("error.home_of_other", home=home, user=user, owner=name_of_user(owner_uid(home)))
    mine = [account_of(record, records) for record in records.values() if record.os_user == user]
    active = [account for account in mine if account.active]
    if active:
        return active[0]
    if is_owner:
        return owner_account(home, alone=False)
    if mine:
        raise InputError("error.account_withdrawn", account=mine[0].name)
    raise InputError("error.no_account", home=home, user=user)


def _acted_for(home: Path) -> str | None:
    chosen = _acting.get()
    if chosen is not None:
        return chosen[1] if chosen[0] == home.resolve() else None
    return os.environ.get(ACTING_AS) or None


def _for_other(own: Account, records: dict[str, AccountRecord], name: str) -> Account:
    """The named account without what is never acted for others; only those who may administer act for another."""
    if not decide(own, "administer").allowed:
        raise InputError("error.acting_refused", account=own.name, other=name)
    account = account_of(require_record(records, name), records)
    if not account.active:
        raise InputError("error.account_withdrawn", account=name)
    return replace(account, grants=account.grants - NEVER_FOR_OTHERS)


def containing_units(home: Path, account: Account, place: str) -> tuple[str, ...]:
    """The administrative units that contain a facility or a unit of another system, as the home's lists say."""
    system = place.partition(":")[0]
    if account.reads.nation or system in ("VN", "VN2024", "VN2025") or not (home / "warehouse").exists():
        return ()
    from tkyt_analysis.warehouse.lake import Warehouse

    with working_within(), Warehouse(home) as warehouse:
        rows = warehouse.con.execute(CONTAINING, [place]).fetchall()
    return tuple(unit for (unit,) in rows if unit != NATION)


CONTAINING = """
    WITH RECURSIVE link AS (
        SELECT unit_id, parent_unit_id AS above FROM lake.organisation_unit
        UNION SELECT unit_id, province_id FROM lake.organisation_unit UNION SELECT facility_id, unit_id FROM lake.facility
    ), up AS (
        SELECT CAST(? AS VARCHAR) AS unit
        UNION SELECT link.above FROM up JOIN link ON link.unit_id = up.unit WHERE coalesce(link.above, '') <> ''
    ) SELECT unit FROM up
"""


def _record_refusal(home: Path, action: str, table: str | None, place: str | None, reason: str) -> None:
    from tkyt_analysis.access.audit import record

    with contextlib.suppress(TkytError, OSError):
        record(home, "refused", action=action, table=table or "", place=place or "", reason=reason)

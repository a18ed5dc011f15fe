"""`tkyt scope`: accounts, what they see and may do, and their changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.access.accounts import AccountRecord, account_of, read_accounts, require_record
from tkyt_analysis.access.decision import GRANTED, ROLES, Account, rights
from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import label

NAMES = ("account", "role", "own_unit", "os_user", "grants", "state")


@click.group(help=label("cli.scope"))
def scope() -> None:
    """The group itself does nothing."""


why_option = click.option("--why", required=True, help=label("cli.scope.why"))
until_option = click.option("--until", default="", metavar="YYYY-MM-DD", help=label("cli.scope.until"))
unit_option = click.option("--unit", "unit_id", required=True, help=label("cli.scope.unit"))
user_option = click.option("--os-user", default="", help=label("cli.scope.os_user"))
place_option = click.option("--place", "places", multiple=True, help=label("cli.scope.place"))


@scope.command("list", help=label("cli.scope.list"))
@home_option
@json_option
def list_accounts(home: Path, as_json: bool) -> None:
    from tkyt_analysis.access.changes import visible_accounts

    records = read_accounts(home)
    found = [described(one, records) for one in visible_accounts(home)]
    if as_json:
        print_json(found)
    elif not found:
        click.echo(label("cli.scope.none"))
    else:
        print_table(
            [label(f"column.{name}") for name in NAMES], [[_words(name, one[name]) for name in NAMES] for one in found]
        )


@scope.command("show", help=label("cli.scope.show"))
@click.argument("name")
@home_option
@json_option
def show(name: str, home: Path, as_json: bool) -> None:
    from tkyt_analysis.access.changes import visible_accounts

    records = read_accounts(home)
    record = require_record({one.name: one for one in visible_accounts(home)}, name)
    _say(described(record, records), as_json)


@scope.command("whoami", help=label("cli.scope.whoami"))
@home_option
@json_option
def whoami(home: Path, as_json: bool) -> None:
    from tkyt_analysis.access import current_account

    _say(described_account(current_account(home)), as_json)


@scope.command("add", help=label("cli.scope.add"))
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(ROLES), help=label("cli.scope.role"))
@unit_option
@user_option
@place_option
@until_option
@why_option
@home_option
@json_option
def add(
    name: str, role: str, unit_id: str, os_user: str, places: tuple[str, ...], until: str, why: str, home: Path,
    as_json: bool,
) -> None:  # fmt: skip
    from tkyt_analysis.access.changes import add_account

    made = add_account(home, name, role=role, unit_id=unit_id, os_user=os_user, units=places, until=until, why=why)
    _say(described(made, read_accounts(home)), as_json)


@scope.command("delegate", help=label("cli.scope.delegate"))
@click.argument("name")
@click.option("--role", default="province_unit", show_default=True, help=label("cli.scope.role"))
@unit_option
@user_option
@place_option
@click.option("--may", "grants", multiple=True, type=click.Choice(["check", "approve"]), help=label("cli.scope.may"))
@until_option
@why_option
@home_option
@json_option
def delegate(
    name: str, role: str, unit_id: str, os_user: str, places: tuple[str, ...], grants: tuple[str, ...], until: str,
    why: str, home: Path, as_json: bool,
) -> None:  # fmt: skip
    from tkyt_analysis.access.changes import delegate as give

    made = give(
        home, name, role=role, unit_id=unit_id, units=places, grants=grants, os_user=os_user, until=until, why=why
    )
    _say(described(made, read_accounts(home)), as_json)


@scope.command("withdraw", help=label("cli.scope.withdraw"))
@click.argument("name")
@why_option
@home_option
@json_option
def withdraw(name: str, why: str, home: Path, as_json: bool) -> None:
    from tkyt_analysis.access.changes import withdraw as end

    _say(described(end(home, name, why=why), read_accounts(home)), as_json)


@scope.command("grant", help=label("cli.scope.grant"))
@click.argument("name")
@click.argument("right", metavar=f"{'|'.join(GRANTED)}|UNIT_ID")
@until_option
@why_option
@home_option
@json_option
def grant(name: str, right: str, until: str, why: str, home: Path, as_json: bool) -> None:
    from tkyt_analysis.access.changes import grant as give

    _say(described(give(home, name, right, why=why, until=until), read_accounts(home)), as_json)


@scope.command("revoke", help=label("cli.scope.revoke"))
@click.argument("name")
@click.argument("right")
@why_option
@home_option
@json_option
def revoke(name: str, right: str, why: str, home: Path, as_json: bool) -> None:
    from tkyt_analysis.access.changes import revoke as take

    _say(described(take(home, name, right, why=why), read_accounts(home)), as_json)


# ----------------------------------------------------------------------------------


def described(record: AccountRecord, records: dict[str, AccountRecord]) -> dict[str, Any]:
    """An account as it stands today, with what is written about it."""
    return {
        **described_account(account_of(record, records)),
        "os_user": record.os_user,
        "delegated_by": record.delegated_by,
        "since": record.since,
        "until": record.until,
        "withdrawn": record.withdrawn,
        "withdrawn_why": record.withdrawn_why,
        "given": [vars(right) for right in (*record.grants, *record.tasks)],
    }


def described_account(account: Account) -> dict[str, Any]:
    """Name, role, unit, what it reads, where it works and what it may do."""
    return {
        "account": account.name,
        "role": account.role,
        "own_unit": account.unit_id,
        "sees": ["VN"] if account.reads.nation else sorted(account.reads.units),
        "works_in": ["VN"] if account.scope.nation else sorted(account.scope.units),
        "rights": sorted(rights(account)) if account.active else [],
        "grants": sorted(account.grants),
        "state": "active" if account.active else "withdrawn",
    }


def _say(about: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(about)
        return
    for name in ("account", "role", "own_unit", "sees", "works_in", "rights", "state"):
        click.echo(f"{label(f'column.{name}')}: {_words(name, about[name])}")


def _words(name: str, value: Any) -> str:
    if name == "role":
        return label(f"access.role.{value}")
    if name == "rights":
        return ", ".join(label(f"access.action.{one}") for one in value) or "–"
    if name == "state":
        return label(f"access.state.{value}")
    if name == "grants":
        return ", ".join(label(f"access.grant.{one}") for one in value) or "–"
    return ", ".join(value) if isinstance(value, list) else str(value or "–")

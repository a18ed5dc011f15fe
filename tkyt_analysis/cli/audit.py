"""`tkyt audit`: read the audit log and check that it is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.access import NATION, require
from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_number, label


@click.group(help=label("cli.audit"))
def audit() -> None:
    """The group itself does nothing."""


@audit.command("show", help=label("cli.audit.show"))
@click.option("--since", default="", metavar="YYYY-MM-DD", help=label("cli.audit.since"))
@click.option("--event", default="", help=label("cli.audit.event"))
@click.option("--account", default="", help=label("cli.audit.account"))
@home_option
@json_option
def show(since: str, event: str, account: str, home: Path, as_json: bool) -> None:
    events = chosen_events(home, since=since, event=event, account=account)
    if as_json:
        print_json(events)
    elif not events:
        click.echo(label("cli.audit.none"))
    else:
        names = ("time", "account", "event", "rows", "why")
        print_table(
            [label(f"column.{name}") for name in names],
            [[_cell(one[name]) for name in names] for one in events],
            numbers=(3,),
        )


def _cell(value: Any) -> str:
    return format_number(value) if isinstance(value, int) else str(value or "–").partition(".")[0]


def chosen_events(home: Path, *, since: str = "", event: str = "", account: str = "") -> list[dict[str, Any]]:
    """The events of a day and later, of one kind, of one account; one that may not administer sees its own only."""
    from tkyt_analysis.access import decide
    from tkyt_analysis.access.audit import read_log

    reader = require(home, "read")
    if not decide(reader, "administer", place=NATION).allowed:
        if account not in ("", reader.name):
            require(home, "administer")
        account = reader.name
    return [
        one
        for one in read_log(home)
        if one["time"] >= since and event in ("", one["event"]) and account in ("", one["account"])
    ]


@audit.command("check", help=label("cli.audit.check"))
@home_option
@json_option
def check(home: Path, as_json: bool) -> int:
    from tkyt_analysis.access.audit import check_chain, sealed

    require(home, "read")
    problems = check_chain(home)
    if as_json:
        print_json({"problems": problems, **sealed(home)})
    else:
        for problem in problems:
            click.echo(problem)
        if not problems:
            click.echo(label("cli.audit.whole", None, **{"count": "0", "mac": "–"} | sealed(home)))
    return 1 if problems else 0

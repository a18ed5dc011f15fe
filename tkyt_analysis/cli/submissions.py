"""`tkyt submission …`: states of reports. `tkyt calendar …`: days off and deadlines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_date, format_number, label

SHOWN = 40  # lines of a table for people


def wanted_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--form` and `--period`, alike in all commands."""
    command = click.option("--period", default=None, metavar="P", help=label("cli.submission.period"))(command)
    return click.option("--form", default=None, metavar="ID", help=label("cli.submission.form"))(command)


def place_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--place`, which every action must name."""
    return click.option("--place", required=True, metavar="UNIT", help=label("cli.submission.place"))(command)


@click.group(help=label("cli.submission"))
def submission() -> None:
    """Reports and their states."""


@submission.command("list", help=label("cli.submission.list"))
@click.option("--state", default=None, help=label("cli.submission.state"))
@click.option("--place", default=None, metavar="UNIT", help=label("cli.submission.place"))
@wanted_options
@home_option
@json_option
def submission_list(
    state: str | None, place: str | None, form: str | None, period: str | None, home: Path, as_json: bool
) -> None:
    from tkyt_analysis.workflow.listing import list_submissions

    limit = None if as_json else SHOWN
    rows, counts = list_submissions(home, state=state, form=form, period=period, place=place, limit=limit)
    if as_json:
        print_json({"states": counts, "reports": rows.astype(object).where(rows.notna(), None).to_dict("records")})
        return
    click.echo(label("submission.counts", counts=_counts(counts)))
    _print_reports(rows)
    total = counts.get(state, 0) if state else sum(counts.values())
    if total > len(rows):
        click.echo(label("submission.more", shown=format_number(len(rows)), total=format_number(total)))


def _counts(counts: dict[str, int]) -> str:
    parts = [f"{label(f'submission.state.{name}')} {format_number(count)}" for name, count in counts.items()]
    return ", ".join(parts) or "0"


def _print_reports(rows: Any) -> None:
    if rows.empty:
        return
    names = ("dataset", "unit", "period", "state", "due", "late", "open_errors")
    print_table(
        [label(f"submission.column.{name}") for name in names],
        [
            [
                row.dataset_id,
                row.unit_id,
                row.period_id,
                label(f"submission.state.{row.state}") + (" *" if row.approval_lapsed else ""),
                format_date(row.due.date()) if row.due == row.due else "–",
                format_number(int(row.days_late)) if row.days_late == row.days_late else "–",
                format_number(int(row.errors)),
            ]
            for row in rows.itertuples()
        ],
        numbers=(5, 6),
    )
    if rows["approval_lapsed"].any():
        click.echo(label("submission.lapsed"))


def say(outcome: Any, as_json: bool) -> int:
    """What an action did; exit code 1 where some reports were refused."""
    if as_json:
        print_json(outcome.as_dict())
    else:
        click.echo(label(f"submission.done.{outcome.event}", count=format_number(outcome.done)))
        for why, group in outcome.refused.groupby("why", sort=False):
            click.echo(label(f"submission.refused.{why}", count=format_number(len(group))))
            for row in group.head(5).itertuples():
                state = label(f"submission.state.{row.state}")
                click.echo(
                    label(
                        "submission.refused_line",
                        dataset=row.dataset_id,
                        unit=row.unit_id,
                        period=row.period_id,
                        state=state,
                        errors=format_number(int(row.errors)),
                    )
                )
    return 1 if len(outcome.refused) else 0


@submission.command("check", help=label("cli.submission.check"))
@place_option
@wanted_options
@home_option
@json_option
def submission_check(place: str, form: str | None, period: str | None, home: Path, as_json: bool) -> int:
    from tkyt_analysis.workflow.actions import check_reports

    return say(check_reports(home, place=place, form=form, period=period), as_json)


@submission.command("approve", help=label("cli.submission.approve"))
@click.option("--despite", default="", metavar="REASON", help=label("cli.submission.despite"))
@place_option
@wanted_options
@home_option
@json_option
def submission_approve(
    despite: str, place: str, form: str | None, period: str | None, home: Path, as_json: bool
) -> int:
    from tkyt_analysis.workflow.actions import approve_reports

    return say(approve_reports(home, place=place, form=form, period=period, despite=despite), as_json)


@submission.command("return", help=label("cli.submission.return"))
@click.option("--reason", required=True, help=label("cli.submission.reason"))
@place_option
@wanted_options
@home_option
@json_option
def submission_return(reason: str, place: str, form: str | None, period: str | None, home: Path, as_json: bool) -> int:
    from tkyt_analysis.workflow.actions import return_reports

    return say(return_reports(home, place=place, form=form, period=period, reason=reason), as_json)


@submission.command("reopen", help=label("cli.submission.reopen"))
@click.option("--reason", required=True, help=label("cli.submission.reason"))
@place_option
@wanted_options
@home_option
@json_option
def submission_reopen(reason: str, place: str, form: str | None, period: str | None, home: Path, as_json: bool) -> int:
    from tkyt_analysis.workflow.actions import reopen_reports

    return say(reopen_reports(home, place=place, form=form, period=period, reason=reason), as_json)


@click.group(help=label("cli.calendar"))
def calendar() -> None:
    """Days off and deadlines."""


@calendar.command("days", help=label("cli.calendar.days"))
@click.argument("year", type=int)
@json_option
def calendar_days(year: int, as_json: bool) -> None:
    from tkyt_analysis.reference.calendar import holidays

    found = holidays(year)
    if as_json:
        print_json(found.to_dict("records"))
        return
    print_table(
        [label("calendar.column.day"), label("calendar.column.name"), label("calendar.column.sure")],
        [
            [format_date(row.day), row.name, label("calendar.unverified") if row.unverified else ""]
            for row in found.itertuples(index=False)
        ],
    )


@calendar.command("due", help=label("cli.calendar.due"))
@click.argument("form")
@click.option("--period", required=True, metavar="P", help=label("cli.submission.period"))
@json_option
def calendar_due(form: str, period: str, as_json: bool) -> None:
    from tkyt_analysis.reference.deadlines import due_date

    found = due_date(form, period)
    if as_json:
        print_json(
            {"form": form, "period": period, "due": found.day, "basis": found.basis, "unverified": found.unverified}
        )
        return
    day = format_date(found.day) if found.day else "–"
    click.echo(label("calendar.due", form=form, period=period, day=day, basis=found.basis))
    if found.unverified:
        click.echo(label("calendar.due_unverified"))

"""The `tkyt case` commands: questions to units, their answers, and what was decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_number, label

SHOWN = 40  # lines of a table for people


@click.group(help=label("cli.case"))
def case() -> None:
    """Cases and their states."""


@case.command("list", help=label("cli.case.list"))
@click.option("--place", default=None, metavar="UNIT", help=label("cli.case.place"))
@click.option("--state", default=None, help=label("cli.case.state"))
@click.option("--rule", default=None, metavar="ID", help=label("cli.case.rule"))
@click.option("--period", default=None, metavar="P", help=label("cli.case.period"))
@home_option
@json_option
def case_list(
    place: str | None, state: str | None, rule: str | None, period: str | None, home: Path, as_json: bool
) -> None:
    from tkyt_analysis.quality.cases.actions import list_cases
    from tkyt_analysis.quality.cases.workbook import ranked

    rows = ranked(list_cases(home, place=place, state=state, rule=rule, period=period))
    if as_json:
        print_json({"states": rows["state"].value_counts().to_dict(), "cases": _records(rows)})
        return
    counts = rows["state"].value_counts()
    said = ", ".join(f"{label(f'case.state.{name}')} {format_number(int(number))}" for name, number in counts.items())
    click.echo(label("case.counts", None, counts=said or "0"))
    _print_cases(rows.head(SHOWN))
    if len(rows) > SHOWN:
        click.echo(label("case.more", None, shown=format_number(SHOWN), total=format_number(len(rows))))


def _records(rows: Any) -> list[dict[str, Any]]:
    return list(rows.astype(object).where(rows.notna(), None).to_dict("records"))


def _print_cases(rows: Any) -> None:
    from tkyt_analysis.quality.cases.naming import figure, rule_title

    if rows.empty:
        return
    names = ("id", "state", "unit", "period", "rule", "value")
    print_table(
        [label(f"case.column.{name}") for name in names],
        [
            [row.finding_id[:8], label(f"case.state.{row.state}"), row.unit_id, row.period_id, rule_title(row.rule_id)[:60],
             figure(row.value)]
            for row in rows.itertuples()
        ],
        numbers=(5,),
    )  # fmt: skip


@case.command("show", help=label("cli.case.show"))
@click.argument("case_id")
@home_option
@json_option
def case_show(case_id: str, home: Path, as_json: bool) -> None:
    from tkyt_analysis.quality.cases.actions import show_case
    from tkyt_analysis.quality.cases.naming import figure

    found, timeline = show_case(home, case_id)
    if as_json:
        about = {name: (None if value is None or value != value else value) for name, value in found.items()}
        print_json({"case": about, "timeline": _records(timeline)})
        return
    click.echo(f"{found['finding_id']}  {label('case.state.' + str(found['state']))}")
    click.echo(found["question"])
    if found["state"] == "explained" and found["answer"] == "wrong":
        click.echo(label("case.pending", None, value=figure(found["reported_value"])))
    print_table(
        [label(f"case.column.{name}") for name in ("moment", "event", "account", "value", "said")],
        [[str(one.moment)[:16], _event_words(one), one.account or "", figure(one.value), one.note or ""]
         for one in timeline.itertuples()],
        numbers=(3,),
    )  # fmt: skip


def _event_words(one: Any) -> str:
    from tkyt_analysis.quality.cases.reply_sheet import answer_word

    words = label(f"case.event.{one.event}")
    return f"{words}: {answer_word(one.answer)}" if isinstance(one.answer, str) and one.answer else words


def _say(outcome: Any, as_json: bool) -> int:
    """What an action did; exit code 1 where it could not happen to some cases."""
    if as_json:
        print_json(outcome.as_dict())
    else:
        click.echo(
            label("case.done", None, event=label(f"case.event.{outcome.event}"), count=format_number(outcome.done))
        )
        for row in outcome.refused.itertuples():
            click.echo(label("case.refused", None, case=row.finding_id[:8], state=label(f"case.state.{row.state}")))
    return 1 if len(outcome.refused) else 0


def _cases_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.argument("case_ids", nargs=-1, required=True)(home_option(json_option(command)))


@case.command("assign", help=label("cli.case.assign"))
@click.option("--to", required=True, metavar="WHO", help=label("cli.case.to"))
@_cases_argument
def case_assign(to: str, case_ids: tuple[str, ...], home: Path, as_json: bool) -> int:
    from tkyt_analysis.quality.cases.actions import assign_cases

    return _say(assign_cases(home, case_ids, to=to), as_json)


@case.command("explain", help=label("cli.case.explain"))
@click.argument("case_id")
@click.option(
    "--answer", required=True, type=click.Choice(["right", "wrong", "unclear"]), help=label("cli.case.answer")
)
@click.option("--note", default="", help=label("cli.case.note"))
@click.option("--kind", "explanation", default="", metavar="KEY", help=label("cli.case.kind"))
@click.option("--value", "reported_value", type=float, default=None, help=label("cli.case.value"))
@click.option("--by", "said_by", default="", help=label("cli.case.by"))
@click.option("--evidence", type=click.Path(path_type=Path), default=None, help=label("cli.case.evidence"))
@home_option
@json_option
def case_explain(case_id: str, home: Path, as_json: bool, **said: Any) -> int:
    from tkyt_analysis.quality.cases.actions import explain_case

    return _say(explain_case(home, case_id, **said), as_json)


@case.command("accept", help=label("cli.case.accept"))
@click.option("--note", default="", help=label("cli.case.note"))
@click.option("--kind", "explanation", default="", metavar="KEY", help=label("cli.case.kind"))
@_cases_argument
def case_accept(note: str, explanation: str, case_ids: tuple[str, ...], home: Path, as_json: bool) -> int:
    from tkyt_analysis.quality.cases.actions import accept_cases

    return _say(accept_cases(home, case_ids, note=note, explanation=explanation), as_json)


def _with_reason(name: str) -> None:
    """A command that needs a reason: reject, close, withdraw, reopen."""

    @case.command(name, help=label(f"cli.case.{name}"))
    @click.option("--note", required=True, help=label("cli.case.note"))
    @_cases_argument
    def command(note: str, case_ids: tuple[str, ...], home: Path, as_json: bool) -> int:
        from tkyt_analysis.quality.cases import actions

        return _say(getattr(actions, f"{name}_cases")(home, case_ids, note=note), as_json)


for _name in ("reject", "close", "withdraw", "reopen"):
    _with_reason(_name)


@case.command("workbook", help=label("cli.case.workbook"))
@click.argument("place")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.case.output"))
@click.option("--most", type=click.IntRange(1, 5000), default=200, show_default=True, help=label("cli.case.most"))
@click.option("--budget", type=click.IntRange(1, 10_000), default=None, help=label("cli.case.budget"))
@click.option("--period", default=None, metavar="P", help=label("cli.case.period"))
@home_option
@json_option
def case_workbook(
    place: str, output: Path, most: int, budget: int | None, period: str | None, home: Path, as_json: bool
) -> None:
    from tkyt_analysis.quality.cases.workbook import write_case_workbook

    made = write_case_workbook(home, place, output, most=most, budget=budget, period=period)
    if as_json:
        print_json(made.as_dict())
        return
    fields = made.as_dict() | {"asked": format_number(made.asked), "waiting": format_number(made.waiting)}
    click.echo(label("case.workbook_done", None, **fields))


@case.command("runs", help=label("cli.case.runs"))
@home_option
@json_option
def case_runs(home: Path, as_json: bool) -> None:
    from tkyt_analysis.quality.cases.actions import list_runs

    rows = list_runs(home)
    if as_json:
        print_json(_records(rows))
        return
    names = ("run_number", "run_at", "findings", "new", "gone", "back", "changed", "still")
    print_table(
        [label(f"case.run.{name}") for name in names],
        [[str(row[name])[:16] if name == "run_at" else format_number(int(row[name])) for name in names]
         for row in rows.to_dict("records")],
        numbers=(0, 2, 3, 4, 5, 6, 7),
    )  # fmt: skip

"""`tkyt deaths review`: pairs of records that wait for a person, and what people decide about them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_number, label

SHORT = 8  # characters of a record id in a table for people


@click.group("review", help=label("cli.deaths.review"))
def review() -> None:
    """Clerical review of linked deaths."""


@review.command("list", help=label("cli.deaths.review.list"))
@click.option(
    "--limit", type=click.IntRange(1, 5000), default=20, show_default=True, help=label("cli.deaths.review.limit")
)
@home_option
@json_option
def review_list(limit: int, home: Path, as_json: bool) -> None:
    from mortality.linkage.review import review_queue

    rows = review_queue(home, limit=limit)
    waiting = int(rows.attrs.get("waiting", 0))
    if as_json:
        print_json({"waiting": waiting, "pairs": _records(rows)})
        return
    click.echo(label("persons.waiting", None, waiting=format_number(waiting), shown=format_number(len(rows))))
    if len(rows):
        print_table(
            [label(f"persons.column.{name}") for name in ("record_a", "record_b", "probability", "sources", "reasons")],
            [[one.record_a[:SHORT], one.record_b[:SHORT], _percent(one.probability), _sources(one), _why(one)] for one in rows.itertuples()],
            numbers=(2,),
        )  # fmt: skip


def _records(rows: Any) -> list[dict[str, Any]]:
    return list(rows.astype(object).where(rows.notna(), None).to_dict("records"))


def _percent(value: float) -> str:
    return "–" if value != value else f"{format_number(100 * value, 1)} %"


def _sources(one: Any) -> str:
    return " + ".join(label(f"persons.source.{source}") for source in (one.source_a, one.source_b))


def _why(one: Any) -> str:
    return f"{one.held_back} – {one.reasons}" if one.held_back else one.reasons


@review.command("show", help=label("cli.deaths.review.show"))
@click.argument("records", nargs=-1, required=True, metavar=label("cli.deaths.review.records"))
@click.option("--why", default="", help=label("cli.deaths.review.why"))
@home_option
@json_option
def review_show(records: tuple[str, ...], why: str, home: Path, as_json: bool) -> None:
    from mortality.linkage.decisions import history
    from mortality.linkage.review import side_by_side

    rows = side_by_side(home, records, why=why)
    ids = [name for name in rows.columns if name not in ("field", "title")]
    said = history(home, ids[0], ids[1]) if len(ids) == 2 else None
    if as_json:
        print_json(
            {
                "identifiers": rows.attrs["identifiers"],
                "fields": _records(rows),
                "decisions": [] if said is None else _records(said),
            }
        )
        return
    if not rows.attrs["identifiers"]:
        click.echo(label("persons.no_identifiers"))
    print_table(
        [label("persons.column.field"), *(one[:SHORT] for one in ids)],
        [[row.title, *(str(getattr(row, f"_{at}")) for at in range(3, 3 + len(ids)))] for row in rows.itertuples()],
    )
    for one in () if said is None else said.itertuples():
        words = {
            "at": one.decided_at[:16],
            "by": one.decided_by,
            "decision": label(f"persons.decision.{one.decision}"),
            "reason": one.reason,
        }
        click.echo(label("persons.decided", None, **words))


def _say(outcome: Any, as_json: bool) -> None:
    if as_json:
        print_json(outcome.as_dict())
        return
    click.echo(
        label(
            "persons.done",
            None,
            count=format_number(outcome.pairs),
            decision=label(f"persons.decision.{outcome.decision}"),
        )
    )
    for record, person in outcome.persons.items():
        key = "persons.now_with" if person else "persons.now_alone"
        click.echo(label(key, None, record=record[:SHORT], person=person[: SHORT + 1]))


def _decision(name: str) -> None:
    """A command that decides about a pair: same, different, open."""

    @review.command(name, help=label(f"cli.deaths.review.{name}"))
    @click.argument("record_a")
    @click.argument("record_b")
    @click.option("--reason", required=True, help=label("cli.deaths.review.reason"))
    @home_option
    @json_option
    def command(record_a: str, record_b: str, reason: str, home: Path, as_json: bool) -> None:
        from mortality.linkage.decisions import decide

        _say(decide(home, record_a, record_b, name, reason), as_json)


for _name in ("same", "different", "open"):
    _decision(_name)


@review.command("split", help=label("cli.deaths.review.split"))
@click.argument("record")
@click.option("--reason", required=True, help=label("cli.deaths.review.reason"))
@home_option
@json_option
def review_split(record: str, reason: str, home: Path, as_json: bool) -> None:
    from mortality.linkage.decisions import split

    _say(split(home, record, reason), as_json)


@review.command("workbook", help=label("cli.deaths.review.workbook"))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.review.output"))
@click.option(
    "--limit", type=click.IntRange(1, 5000), default=200, show_default=True, help=label("cli.deaths.review.limit")
)
@click.option("--why", default="", help=label("cli.deaths.review.why"))
@home_option
@json_option
def review_workbook(output: Path, limit: int, why: str, home: Path, as_json: bool) -> None:
    from mortality.linkage.workbook import write_review_workbook

    made = write_review_workbook(home, output, limit=limit, why=why)
    if as_json:
        print_json(made)
    else:
        click.echo(label("persons.workbook_done", None, path=made["path"], pairs=format_number(made["pairs"])))


@review.command("take", help=label("cli.deaths.review.take"))
@click.argument("workbook", type=click.Path(path_type=Path))
@home_option
@json_option
def review_take(workbook: Path, home: Path, as_json: bool) -> int:
    from mortality.linkage.workbook import take_review_workbook

    taken = take_review_workbook(home, workbook)
    if as_json:
        print_json(taken)
    else:
        click.echo(
            label("persons.taken", None, decided=format_number(taken["decided"]), blank=format_number(taken["blank"]))
        )
        for problem in taken["problems"]:
            click.echo(problem)
    return 1 if taken["problems"] else 0


def link_warehouse(home: Path, as_json: bool) -> None:
    """`tkyt deaths link` without a file: run the step on the warehouse and say what came out."""
    from mortality.linkage.persons import link_home
    from tkyt_analysis.access import NATION, require
    from tkyt_analysis.cli.terminal import ProgressBar

    require(home, "check", place=NATION)
    bar = ProgressBar(label("persons.linking"))
    try:
        summary = link_home(home, bar)
    finally:
        bar.close()
    if as_json:
        print_json(summary.as_dict())
        return
    if not summary.names:
        click.echo(label("persons.no_identifiers"))
    shown = {
        "records": format_number(summary.records),
        "candidate_pairs": "–" if summary.candidate_pairs is None else format_number(summary.candidate_pairs),
        "ceiling": label("persons.not_assessable") if summary.ceiling is None else f"{format_number(100 * summary.ceiling, 1)} %",
        "auto_pairs": format_number(summary.auto_pairs),
        "review_pairs": format_number(summary.review_pairs),
        "linked_records": format_number(summary.linked_records),
        "persons": format_number(summary.persons),
    }  # fmt: skip
    print_table(
        ["", label("persons.column.count")],
        [[label(f"persons.run.{name}"), value] for name, value in shown.items()],
        numbers=(1,),
    )

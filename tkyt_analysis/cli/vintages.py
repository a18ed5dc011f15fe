"""Commands of vintages: compact, revisions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import format_number, label

MOST = 20  # changes shown to people; --json has all


@click.command(help=label("cli.compact"))
@click.option("--now", "at_once", is_flag=True, help=label("cli.compact.at_once"))
@home_option
@json_option
def compact(at_once: bool, home: Path, as_json: bool) -> None:
    from tkyt_analysis.warehouse.retention import compact as compact_home
    from tkyt_analysis.warehouse.retention import retention_rule

    results = compact_home(home, at_once=at_once)
    if as_json:
        print_json([result.as_dict() for result in results])
        return
    rows = [
        [
            label(f"compact.{result.lake}"),
            label(f"compact.{when}"),
            format_number(size.snapshots),
            format_number(size.files),
            format_number(size.size_bytes / 1e6, 1),
        ]
        for result in results
        for when, size in (("before", result.before), ("after", result.after))
    ]
    columns = ("store", "when", "snapshots", "data_files", "megabytes")
    print_table([label(f"column.{name}") for name in columns], rows, numbers=(2, 3, 4))
    waiting = sum(result.waiting_files for result in results)
    if waiting:
        hours = retention_rule()["delete_after_hours"]
        click.echo(label("cli.compact.waiting", count=format_number(waiting), hours=hours))


@click.command(help=label("cli.revisions"))
@click.option(
    "--table",
    type=click.Choice(["aggregate_value", "death", "indicator_value"]),
    default="aggregate_value",
    show_default=True,
    help=label("cli.revisions.table"),
)
@click.option("--dataset", default=None, help=label("cli.revisions.dataset"))
@click.option("--what", default=None, help=label("cli.revisions.what"))
@click.option("--unit", default=None, help=label("cli.revisions.unit"))
@click.option("--as-of", "as_of", multiple=True, help=label("cli.revisions.as_of"))
@click.option("--by", type=click.Choice(["dataset_id", "province"]), multiple=True, help=label("cli.revisions.by"))
@home_option
@json_option
def revisions(
    table: str,
    dataset: str | None,
    what: str | None,
    unit: str | None,
    as_of: tuple[str, ...],
    by: tuple[str, ...],
    home: Path,
    as_json: bool,
) -> None:
    from tkyt_analysis.warehouse.moments import local_text
    from tkyt_analysis.warehouse.vintages import compare_vintages, vintages_of

    vintages = vintages_of(home, as_of)
    triangle, changes = compare_vintages(home, vintages, table=table, dataset=dataset, what=what, unit=unit, by=by)
    if as_json:
        print_json({"triangle": _records(triangle), "changes": _records(changes)})
        return
    for vintage in vintages:
        if not vintage.exact:
            click.echo(label("cli.revisions.about", asked=vintage.name, made=local_text(vintage.made_at)))
    if table != "death" and not what:
        click.echo(label("cli.revisions.sum_of_all"))
    headers = [label(f"column.{name}") for name in (*by, "period_id")] + [one.name for one in vintages]
    _print_frame(headers, triangle, text_columns=len(by) + 1)
    if changes.empty:
        click.echo(label("cli.revisions.none"))
        return
    click.echo(label("cli.revisions.changed", count=format_number(len(changes))))
    _print_frame([label(f"column.{name}") for name in changes.columns], changes.head(MOST), text_columns=4)


def _print_frame(headers: list[str], frame: Any, *, text_columns: int) -> None:
    rows = [
        [*(str(cell) for cell in row[:text_columns]), *(_number(cell) for cell in row[text_columns:])]
        for row in frame.itertuples(index=False)
    ]
    print_table(headers, rows, numbers=range(text_columns, len(headers)))


def _number(cell: Any) -> str:
    """A number as people here write it, "–" where there is none."""
    if cell != cell:
        return "–"
    return format_number(cell, 0 if float(cell).is_integer() else 1)


def _records(frame: Any) -> list[dict[str, Any]]:
    """Rows for machines: missing is null."""
    return frame.astype(object).where(frame.notna(), None).to_dict("records")

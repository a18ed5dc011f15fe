"""The `tkyt errors` commands: error workbooks for units, and what became of their questions."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import ProgressBar, home_option, json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label


@click.group(help=label("cli.errors"))
def errors() -> None:
    """The group itself does nothing."""


@errors.command("write", help=label("cli.errors.write"))
@click.option("--file", "file", default=None, help=label("cli.errors.file"))
@click.option("--unit", default=None, help=label("cli.errors.unit"))
@click.option("--period", default=None, help=label("cli.errors.period"))
@click.option("--form", default=None, help=label("cli.errors.form"))
@click.option("--for", "place", default=None, help=label("cli.errors.for"))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.errors.output"))
@home_option
@json_option
def write(
    file: str | None, unit: str | None, period: str | None, form: str | None, place: str | None, output: Path,
    home: Path, as_json: bool,
) -> None:  # fmt: skip
    from tkyt_analysis.correction.error_workbook import find_file, write_error_workbook, write_for_place

    if place:
        bar = ProgressBar(label("cli.errors.progress"))
        written = write_for_place(home, place, output, progress=bar)
        bar.close()
    elif file or unit:
        sha256 = find_file(home, file=file, unit=unit, period=period, form=form)
        written = [write_error_workbook(home, sha256, output)]
    else:
        raise InputError("error.correction_which")
    if as_json:
        print_json([one.as_dict() for one in written])
        return
    for one in written:
        click.echo(label("cli.errors.done", None, **one.as_dict()))
    if place:
        click.echo(label("cli.errors.many", count=format_number(len(written)), folder=output))


@errors.command("status", help=label("cli.errors.status"))
@click.option("--place", default=None, help=label("cli.errors.place"))
@click.option("--period", default=None, help=label("cli.errors.period"))
@home_option
@json_option
def status(place: str | None, period: str | None, home: Path, as_json: bool) -> None:
    from tkyt_analysis.correction.status import STATUSES, question_counts

    rows = question_counts(home, place=place, period=period)
    if as_json:
        print_json(rows.to_dict("records"))
        return
    if rows.empty:
        click.echo(label("cli.errors.none"))
        return
    headers = [label("cli.errors.column_unit"), label("cli.errors.column_asked")]
    headers += [label(f"correction.status.{name}") for name in STATUSES]
    lines = [
        [row["name"], *(format_number(row[name]) for name in ("asked", *STATUSES))] for row in rows.to_dict("records")
    ]
    print_table(headers, lines, numbers=range(1, len(headers)))

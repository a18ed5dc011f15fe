"""`tkyt deaths unmatched`: the deaths that the book or civil registration lacks, as a workbook for the commune."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json
from tkyt_analysis.labels import format_number, label


@click.command("unmatched", help=label("cli.deaths.unmatched"))
@click.option("--scope", required=True, help=label("cli.deaths.unmatched.scope"))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.unmatched.output")
)
@click.option("--year", type=int, default=0, help=label("cli.deaths.unmatched.year"))
@click.option("--names", is_flag=True, help=label("cli.deaths.unmatched.names"))
@home_option
@json_option
def unmatched(scope: str, output: Path, year: int, names: bool, home: Path, as_json: bool) -> None:
    from mortality.persons_release.unmatched_workbook import write_unmatched_workbook

    result = write_unmatched_workbook(home, scope, output, year=year, names=names)
    if as_json:
        print_json(result)
        return
    counts = {name: format_number(result[name]) for name in ("not_registered", "not_in_book")}
    click.echo(label("unmatched.done", None, file=result["file"], **counts))
    if result["left_out"]:
        click.echo(label("unmatched.left_out", None, count=format_number(result["left_out"])))

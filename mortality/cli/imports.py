"""`tkyt deaths import PATH…`: lists of deaths into the warehouse, with what landed, what did not, and why."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import ProgressBar, home_option, json_option, print_json
from tkyt_analysis.labels import format_number, label

COUNTS = ("received", "landed", "quarantined", "notes")


@click.command("import", help=label("cli.deaths.import"))
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--columns", multiple=True, help=label("cli.deaths.import.columns"))
@click.option("--source", default="", help=label("cli.deaths.import.source"))
@click.option("--retry", is_flag=True, help=label("cli.ingest.retry"))
@home_option
@json_option
def import_command(
    paths: tuple[Path, ...], columns: tuple[str, ...], source: str, retry: bool, home: Path, as_json: bool
) -> None:
    from mortality.records.imports import import_deaths

    bar = ProgressBar(label("cli.ingest.progress"))
    result = import_deaths(home, paths, columns=columns, source=source, progress=bar, retry=retry)
    bar.close()
    if as_json:
        print_json({"files": result.files, **{name: result.total(name) for name in COUNTS}})
        return
    for row in result.files:
        _print_file(row)
    click.echo(label("imports.total", **{name: format_number(result.total(name)) for name in COUNTS}))


def _print_file(row: dict[str, object]) -> None:
    if row["status"] != "read":
        click.echo(label("imports.known", file=row["name"]))
        return
    counts = {name: format_number(int(str(row[name]))) for name in COUNTS}
    click.echo(label("imports.file", file=row["name"], **counts))
    tables = row["tables"]
    assert isinstance(tables, dict)
    for table, rows in tables.items():
        click.echo(f"    {table}: {format_number(rows)}")
    for name in ("reasons", "remarks"):
        said = row[name]
        assert isinstance(said, list)
        for count, text in said[:12]:
            click.echo(f"  {format_number(count)} × {text}")

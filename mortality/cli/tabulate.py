"""`tkyt deaths tabulate`: deaths of a CSV, or of the current release, by a cause list."""

from __future__ import annotations

from pathlib import Path

import click

from mortality.tabulation.cause_lists import DEFAULT_LIST
from tkyt_analysis.cli.terminal import home_option, json_option, print_json
from tkyt_analysis.labels import format_number, label

SHOWN = 10


@click.command("tabulate", help=label("cli.deaths.tabulate"))
@click.argument("source", metavar="[IN.csv]", required=False, type=click.Path(path_type=Path))
@click.option("--list", "list_id", default=DEFAULT_LIST, show_default=True, help=label("cli.deaths.tabulate.list"))
@click.option("--by", default="", metavar="COLUMN[,COLUMN]", help=label("cli.deaths.tabulate.by"))
@click.option("--code", default="", metavar="COLUMN", help=label("cli.deaths.tabulate.code"))
@click.option("--headings", is_flag=True, help=label("cli.deaths.tabulate.headings"))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.tabulate.output")
)
@home_option
@json_option
def tabulate(
    source: Path | None, list_id: str, by: str, code: str, headings: bool, output: Path, home: Path, as_json: bool
) -> None:
    from mortality.tabulation.tabulate import tabulate as tabulate_source
    from mortality.tabulation.tabulate import write_tabulation

    columns = [name.strip() for name in by.split(",") if name.strip()]
    result = tabulate_source(source, list_id=list_id, by=columns, home=home, code=code, headings=headings)
    write_tabulation(result, output)
    if as_json:
        print_json({**result.counts(), "file": output, "outside": result.outside.head(SHOWN).to_dict("records")})
        return
    counts = {name: format_number(getattr(result, name)) for name in ("deaths", "tabulated", "gap", "unknown")}
    if "measure" in result.table:
        click.echo(label("tabulation.done_definition", None, list=list_id, deaths=counts["deaths"], file=output))
        return
    click.echo(label("tabulation.done", None, list=list_id, file=output, **counts))
    if len(result.outside):
        codes = "; ".join(
            f"{row.code or '–'} ({format_number(row.deaths)})" for row in result.outside.head(SHOWN).itertuples()
        )
        click.echo(label("tabulation.outside", None, codes=codes))

"""`tkyt series`: a file of counts on one geography through the merger of July 2025; no warehouse needed."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import json_option, print_json
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label


@click.command(help=label("cli.series"))
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--on", "geography", required=True, metavar="34|63|commune|area|nation", help=label("cli.series.on"))
@click.option("--measure", "measures", multiple=True, required=True, help=label("cli.series.measure"))
@click.option("--stock", "stocks", multiple=True, help=label("cli.series.stock"))
@click.option("--every", default="year", help=label("cli.series.every"))
@click.option("--split", default="exclude", help=label("cli.series.split"))
@click.option("--weights", type=click.Path(path_type=Path), default=None, help=label("cli.series.weights"))
@click.option("--gaps", default="refuse", help=label("cli.series.gaps"))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.series.output"))
@json_option
def series(
    table: Path,
    geography: str,
    measures: tuple[str, ...],
    stocks: tuple[str, ...],
    every: str,
    split: str,
    weights: Path | None,
    gaps: str,
    output: Path,
    as_json: bool,
) -> None:
    """Write the series and say what came through divided communes."""
    from tkyt_analysis.reference.series_file import series_of_file

    options = {"every": every, "split": split, "gaps": gaps}
    found = series_of_file(table, geography, measures, stocks=stocks, weights=weights, **options)
    try:
        found.table.to_csv(output, index=False, encoding="utf-8", lineterminator="\n", float_format="%.10g")
    except OSError as problem:
        raise InputError("error.series.output", file=output, reason=problem.strerror or problem) from None
    counts = found.table["status"].value_counts()
    if as_json:
        shares = found.split_share.to_dict("records")
        print_json({"geography": found.geography, "cells": counts.to_dict(), "split_share": shares, "output": output})
        return
    click.echo(found.sentence())
    for status, count in counts.items():
        click.echo(label("cli.series.cells", status=label(f"series.status.{status}"), count=format_number(count)))
    click.echo(label("cli.series.done", output=output))

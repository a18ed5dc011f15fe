"""`tkyt report batch`: one report for many places."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json
from tkyt_analysis.labels import format_number, label


@click.command("batch", help=label("cli.report.batch"))
@click.argument("name")
@click.option("--for", "places", required=True, metavar="PLACES", help=label("cli.report.batch.for"))
@click.option("-p", "--parameter", "given", multiple=True, metavar="k=v", help=label("cli.report.parameter"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.report.output"))
@click.option("--release", default=None, help=label("cli.release"))
@home_option
@json_option
def batch(
    name: str, places: str, given: tuple[str, ...], output: Path | None, release: str | None, home: Path, as_json: bool
) -> None:
    from tkyt_analysis.reports.batch import batch_report
    from tkyt_analysis.reports.templates import parse_parameters

    run = batch_report(home, name, places, parse_parameters(given), release_id=release, output=output)
    if as_json:
        print_json(run.as_dict())
    else:
        for place, sentence in run.failed.items():
            click.echo(label("cli.report.batch.failed", place=place, problem=sentence), err=True)
        folder = next(iter(run.made.values())).parent if run.made else output or Path(home) / "reports"
        fields = {
            "made": len(run.made),
            "failed": len(run.failed),
            "seconds": format_number(run.seconds, 1),
            "folder": folder,
        }
        click.echo(label("cli.report.batch.done", **fields))
    if run.failed:
        raise SystemExit(3)

"""`tkyt exchange`: values of a release in the formats of other systems."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json
from tkyt_analysis.labels import format_number, label

FORMATS = ("adx", "dxf2-xml", "dxf2-json", "csv")


@click.group(help=label("cli.exchange"))
def exchange() -> None:
    """Formats of other systems."""


@exchange.command("export", help=label("cli.exchange.export"))
@click.option(
    "--format", "kind", type=click.Choice(FORMATS), default="adx", show_default=True, help=label("cli.exchange.format")
)
@click.option("--dataset", "datasets", multiple=True, help=label("cli.exchange.dataset"))
@click.option("--period", "periods", multiple=True, help=label("cli.exchange.period"))
@click.option("--unit", "units", multiple=True, help=label("cli.exchange.unit"))
@click.option("--release", default=None, help=label("cli.release"))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help=label("cli.exchange.output"))
@home_option
@json_option
def export(
    kind: str,
    datasets: tuple[str, ...],
    periods: tuple[str, ...],
    units: tuple[str, ...],
    release: str | None,
    output: Path,
    home: Path,
    as_json: bool,
) -> None:
    from tkyt_analysis.exchange.write import export_values

    done = export_values(home, output, kind, release_id=release, datasets=datasets, periods=periods, units=units)
    if as_json:
        print_json(done)
        return
    if done["practice"]:
        click.echo(label("practice.note"))
    click.echo(
        label("cli.exchange.done", values=format_number(done["values"]), file=done["file"], release=done["release"])
    )

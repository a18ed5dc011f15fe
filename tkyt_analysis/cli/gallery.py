"""`tkyt gallery`: pages that show every kind of map and chart on practice data."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import json_option, print_json
from tkyt_analysis.labels import current_language, label


@click.command(help=label("cli.gallery"))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, help=label("cli.gallery.output")
)
@click.option("--only", multiple=True, metavar="ID", help=label("cli.gallery.only"))
@json_option
def gallery(output: Path, only: tuple[str, ...], as_json: bool) -> None:
    """Write the pages and say where they are."""
    from tkyt_analysis.gallery.pages import write_gallery

    files = write_gallery(output, language=current_language(), only=only)
    if as_json:
        print_json({"files": [str(path) for path in files]})
        return
    click.echo(label("gallery.written", files=len(files), index=files[0].resolve().as_uri()))

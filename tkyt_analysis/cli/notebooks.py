"""`tkyt notebook …`: which notebooks there are, and running one as a report for other places and periods."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tkyt_analysis.cli.terminal import ProgressBar, home_option, json_option, print_json, print_table
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.notebook_runs import Batch


@click.group(help=label("cli.notebook"))
def notebook() -> None:
    """Notebooks as reports."""


@notebook.command("list", help=label("cli.notebook.list"))
@home_option
@json_option
def notebook_list(home: Path, as_json: bool) -> None:
    from tkyt_analysis.notebook_templates import runnable_notebooks

    found = runnable_notebooks(home)
    if as_json:
        print_json([one.as_dict() for one in found])
        return
    headings = [label(f"column.{name}") for name in ("notebook", "title", "parameters")]
    print_table(headings, [[one.name, one.title, ", ".join(one.parameters)] for one in found])


@notebook.command("run", help=label("cli.notebook.run"))
@click.argument("name")
@click.option("-p", "--parameter", "given", multiple=True, metavar="k=v", help=label("cli.report.parameter"))
@click.option("--for", "places", default="", metavar="PLACES", help=label("cli.notebook.for"))
@click.option("--again", is_flag=True, help=label("cli.notebook.again"))
@click.option("--show-code", is_flag=True, help=label("cli.notebook.show_code"))
@click.option("-o", "--output", type=click.Path(path_type=Path), default=None, help=label("cli.report.output"))
@click.option("--release", default=None, help=label("cli.release"))
@home_option
@json_option
def notebook_run(
    name: str, given: tuple[str, ...], places: str, again: bool, show_code: bool, output: Path | None,
    release: str | None, home: Path, as_json: bool,
) -> int:  # fmt: skip
    from tkyt_analysis.notebook_runs import places_named, run_batch, run_notebook, typed_values
    from tkyt_analysis.notebook_templates import notebook_template
    from tkyt_analysis.reports.templates import parse_parameters

    parameters: dict[str, Any] = typed_values(
        notebook_template(name, home=home), parse_parameters(given), only_given=True
    )
    bar = ProgressBar(name)
    options: dict[str, Any] = {
        "home": home,
        "output": output,
        "release": release,
        "progress": bar,
        "show_code": show_code,
    }
    try:
        if places:
            wanted = places_named(places, home=home, release=release)
            return _say_batch(run_batch(name, wanted, resume=not again, **options, **parameters), as_json)
        made = run_notebook(name, **options, **parameters)
    finally:
        bar.close()
    if as_json:
        print_json(made.as_dict())
    else:
        click.echo(label("notebook.done", path=made.html))
    return 0


def _say_batch(batch: Batch, as_json: bool) -> int:
    """The summary of a batch; exit code 3 where some reports failed."""
    if as_json:
        print_json(batch.as_dict())
    else:
        for line in batch.sentences():
            click.echo(line)
    return 3 if batch.failed else 0

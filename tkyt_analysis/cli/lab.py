"""`tkyt lab`: JupyterLab. `tkyt lab copy NAME`: a template into the user's work."""

from __future__ import annotations

from pathlib import Path

import click

from tkyt_analysis.cli.terminal import home_option, json_option, print_json, print_table
from tkyt_analysis.labels import label


@click.group(help=label("cli.lab"), invoke_without_command=True)
@click.option("--port", default=8888, show_default=True, help=label("cli.port"))
@click.option("--no-browser", is_flag=True, help=label("cli.no_browser"))
@home_option
@click.pass_context
def lab(context: click.Context, port: int, no_browser: bool, home: Path) -> int | None:
    if context.invoked_subcommand:
        return None
    from tkyt_analysis.lab import start_lab

    return start_lab(home, port=port, open_browser=not no_browser)


@lab.command("copy", help=label("cli.lab.copy"))
@click.argument("names", nargs=-1, required=True, metavar="NAME…")
@home_option
@json_option
def copy(names: tuple[str, ...], home: Path, as_json: bool) -> None:
    from tkyt_analysis.lab_folders import copy_to_work

    made = [copy_to_work(name, home) for name in names]
    if as_json:
        print_json(made)
        return
    for path in made:
        click.echo(label("lab.copied", None, path=path))


@lab.command("templates", help=label("cli.lab.templates"))
@json_option
def templates(as_json: bool) -> None:
    from tkyt_analysis.lab_folders import templates as known
    from tkyt_analysis.lab_folders import title_of

    rows = [(name.removesuffix(".ipynb"), title_of(path)) for name, path in known().items()]
    if as_json:
        print_json([{"name": name, "title": title} for name, title in rows])
        return
    print_table([label("lab.column.name"), label("lab.column.title")], rows)

"""The options of `tkyt ingest --watch`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.cli.terminal import print_json
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label


def watch_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--watch DIR`, `--every`, `--done`, `--once`."""
    folder = click.Path(path_type=Path)
    command = click.option("--once", is_flag=True, help=label("cli.watch.once"))(command)
    command = click.option("--done", type=folder, default=None, metavar="DIR", help=label("cli.watch.done"))(command)
    command = click.option(
        "--every", type=click.FloatRange(0.1), default=10.0, show_default=True, help=label("cli.watch.every")
    )(command)
    return click.option("--watch", type=folder, default=None, metavar="DIR", help=label("cli.watch.watch"))(command)


def watch_instead(
    home: Path,
    paths: tuple[Path, ...],
    *,
    watch: Path | None,
    every: float,
    done: Path | None,
    once: bool,
    as_json: bool,
) -> bool:
    """Watch a folder where `--watch` asks for it: True when that is over. Either paths or `--watch`, never both or none."""
    if (watch is None) == (not paths):
        raise InputError("error.watch_paths")
    if watch is None:
        return False
    from tkyt_analysis.ingest.watch import watch as follow
    from tkyt_analysis.pipeline import prepare_home

    prepare_home(home)
    if not as_json and not once:
        click.echo(label("cli.watch.watching", directory=watch))
    follow(home, watch, every=every, done=done, once=once, language=current_language(), say=_teller(home, as_json))
    return True


def _teller(home: Path, as_json: bool) -> Callable[[Any], None]:
    """What a pass did, for people or machines (one JSON object per pass)."""

    def say(outcome: Any) -> None:
        if as_json:
            print_json(outcome.as_dict())
            return
        from tkyt_analysis.cli.commands import print_ingest

        if outcome.problem:
            click.echo(label("cli.watch.watch_problem", problem=outcome.problem))
        if outcome.files:
            print_ingest(home, outcome)
        if outcome.unreadable:
            click.echo(label("cli.watch.unreadable", files="; ".join(outcome.unreadable)))
        if outcome.not_moved:
            click.echo(label("cli.watch.not_moved", files="; ".join(outcome.not_moved)))

    return say

"""What commands share: a home option, a progress bar, tables for people and JSON for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from tkyt_analysis.labels import label
from tkyt_analysis.settings import home_directory

SLOW_SECONDS = 2.0


def home_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--home DIR`, default TKYT_HOME or ~/tkyt."""
    return click.option(
        "--home", type=click.Path(path_type=Path), default=None, callback=_home, help=label("cli.home")
    )(command)


def as_of_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--as-of WHEN`: an older snapshot, by its number or by a time."""
    return click.option("--as-of", default=None, callback=_as_of, help=label("cli.as_of"))(command)


def _as_of(context: click.Context, parameter: click.Parameter, value: str | None) -> int | str | None:
    return int(value) if value and value.isdigit() else value


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json`: the result for machines, on standard output."""
    return click.option("--json", "as_json", is_flag=True, help=label("cli.json"))(command)


def _home(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path:
    return Path(value).expanduser().absolute() if value else home_directory()


class ProgressBar:
    """A bar on standard error, shown only when the work lasts over two seconds and a person is looking."""

    def __init__(self, title: str, *, always: bool = False) -> None:
        self.title = title
        self.started = time.monotonic()
        self.wanted = always or sys.stderr.isatty()
        self._bar: Any = None

    def __call__(self, done: int, total: int = 0, what: str = "") -> None:
        if not self.wanted or time.monotonic() - self.started < SLOW_SECONDS:
            return
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total, desc=self.title, leave=False, bar_format="{desc} {percentage:3.0f}%|{bar:24}| {postfix}"
            )
        self._bar.total = total
        self._bar.n = done
        self._bar.set_postfix_str(what[-60:])

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def print_json(result: Any) -> None:
    """A result as JSON text."""
    click.echo(json.dumps(result, ensure_ascii=False, indent=1, default=str))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[str]], *, numbers: Iterable[int] = ()) -> None:
    """A table with aligned columns; the columns in `numbers` are right-aligned."""
    lines = [list(map(str, headers)), *[list(map(str, row)) for row in rows]]
    widths = [max(len(line[place]) for line in lines) for place in range(len(headers))]
    right = set(numbers)
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(widths[place]) if place in right else cell.ljust(widths[place])
            for place, cell in enumerate(line)
        ]
        click.echo("  " + "  ".join(cells).rstrip())
        if number == 0:
            click.echo("  " + "  ".join("─" * width for width in widths))

"""`tkyt analyse`: joinpoints, excess deaths, smoothed rates, clusters and Moran's I of a CSV file; no warehouse, no Python."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tkyt_analysis.cli.terminal import json_option, print_json, print_table
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from tkyt_analysis.analyse.reading import FileAnswer

MOST_ROWS = 15
LIKE_A_YEAR = 10_000  # years are written without a group mark
PICTURES = (".svg", ".png", ".pdf")


@click.group(help=label("cli.analyse"))
def analyse() -> None:
    """One command per analysis."""


def _words(name: str) -> str:
    return label(f"cli.analyse.{name}")


def _column(name: str, **more: Any) -> Callable[..., Any]:
    """`--name COLUMN`: which column holds it."""
    return click.option(f"--{name}", default=None, metavar="COLUMN", help=_words(f"column.{name}"), **more)


def _common(command: Callable[..., Any]) -> Callable[..., Any]:
    """IN.csv, -o, --picture, --title, --note, --only, --json."""
    for option in (
        json_option,
        click.option("--only", multiple=True, metavar="COLUMN=VALUE", help=_words("only")),
        click.option("--note", default="", help=_words("note")),
        click.option("--title", default="", help=_words("title")),
        click.option("--picture", type=click.Path(path_type=Path), default=None, help=_words("picture")),
        click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help=_words("output")),
        click.argument("table", type=click.Path(path_type=Path)),
    ):
        command = option(command)
    return command


def _areas(command: Callable[..., Any]) -> Callable[..., Any]:
    """--area, --vintage."""
    vintage = click.option("--vintage", type=click.Choice(["VN2024", "VN2025"]), default=None, help=_words("vintage"))
    return _column("area")(vintage(command))


_by = click.option("--by", multiple=True, metavar="COLUMN", help=_words("by"))
_neighbours = click.option("--neighbours", default=None, metavar="province|commune|FILE", help=_words("neighbours"))
_per = click.option("--per", type=float, default=100_000, show_default=True, help=_words("per"))
_seed = click.option("--seed", type=int, default=1, show_default=True, help=_words("seed"))


@analyse.command(help=_words("joinpoint"))
@_common
@_by
@_column("year")
@_column("rate")
@_column("se")
@_column("count")
@_column("population")
@click.option("--select", default="wbic", show_default=True, metavar="wbic|bic|bic3|permutation", help=_words("select"))
@click.option("--max-joinpoints", type=int, default=None, help=_words("max_joinpoints"))
@click.option("--model", default="log_linear", show_default=True, metavar="log_linear|linear", help=_words("model"))
@click.option("--break", "breaks", type=int, multiple=True, metavar="YEAR", help=_words("break"))
@click.option("--at-breaks", default="mark", show_default=True, metavar="mark|split|jump", help=_words("at_breaks"))
@_per
def joinpoint(
    table: Path, by: tuple[str, ...], only: tuple[str, ...], breaks: tuple[int, ...], year: str | None, rate: str | None,
    se: str | None, count: str | None, population: str | None, **options: Any,
) -> None:  # fmt: skip
    from tkyt_analysis.analyse.trends import joinpoint_of_file

    columns = {"year": year, "rate": rate, "se": se, "count": count, "population": population}
    _deliver(
        table,
        options,
        lambda chosen: joinpoint_of_file(table, by=by, only=only, breaks=breaks, columns=columns, **chosen),
    )


@analyse.command(help=_words("excess"))
@_common
@_by
@_column("count")
@_column("population")
@click.option("--method", default="quasipoisson", show_default=True, help=_words("method"))
@click.option("--start", default=None, metavar="DATE", help=_words("start"))
@click.option("--end", default=None, metavar="DATE", help=_words("end"))
@click.option("--baseline", default=None, metavar="2015-2019", help=_words("baseline"))
@click.option("--exclude", multiple=True, metavar="DATE:DATE", help=_words("exclude"))
@click.option("--tet", is_flag=True, help=_words("tet"))
@click.option("--regressor", "regressors", multiple=True, metavar="COLUMN", help=_words("regressor"))
@click.option("--no-trend", is_flag=True, help=_words("no_trend"))
@click.option("--incomplete-from", default=None, metavar="DATE", help=_words("incomplete_from"))
@_per
def excess(
    table: Path, count: str | None, baseline: str | None, exclude: tuple[str, ...], no_trend: bool, **options: Any
) -> None:
    from tkyt_analysis.analyse.trends import excess_of_file

    options |= {"outcome": count, "trend": not no_trend, "baseline": _years(baseline)}
    options["exclude"] = [_dates(text) for text in exclude] or None
    _deliver(table, options, lambda chosen: excess_of_file(table, **chosen))


@analyse.command(help=_words("smooth"))
@_common
@_areas
@_by
@_column("count")
@_column("population")
@_neighbours
@click.option("--method", default=None, help=_words("smooth_method"))
@click.option(
    "--islands", default="own", show_default=True, metavar="own|global|not_assessable", help=_words("islands")
)
@_per
def smooth(table: Path, count: str | None, **options: Any) -> None:
    from tkyt_analysis.analyse.areas import smooth_of_file

    _deliver(table, options, lambda chosen: smooth_of_file(table, events=count, **chosen))


@analyse.command(help=_words("scan"))
@_common
@_areas
@_column("count")
@_column("population")
@click.option("--model", default="poisson", show_default=True, metavar="poisson|bernoulli", help=_words("scan_model"))
@click.option("--direction", default="high", show_default=True, metavar="high|low|both", help=_words("direction"))
@click.option("--max-population-share", type=float, default=0.5, show_default=True, help=_words("max_population_share"))
@click.option("--max-radius", type=float, default=None, help=_words("max_radius"))
@click.option("--report", default="significant", show_default=True, metavar="significant|all", help=_words("report"))
@click.option("--replicates", type=int, default=999, show_default=True, help=_words("replicates"))
@_seed
def scan(table: Path, count: str | None, **options: Any) -> None:
    from tkyt_analysis.analyse.areas import scan_of_file

    _deliver(table, options, lambda chosen: scan_of_file(table, cases=count, **chosen))


@analyse.command(help=_words("moran"))
@_common
@_areas
@_column("value")
@_column("count")
@_column("population")
@_neighbours
@click.option("--style", default=None, metavar="W|B|C|U|S", help=_words("style"))
@click.option("--adjust", default="none", show_default=True, metavar="none|fdr|bonferroni", help=_words("adjust"))
@click.option("--alpha", type=float, default=0.05, show_default=True, help=_words("alpha"))
@click.option("--permutations", type=int, default=999, show_default=True, help=_words("permutations"))
@_seed
def moran(table: Path, count: str | None, **options: Any) -> None:
    from tkyt_analysis.analyse.areas import moran_of_file

    _deliver(table, options, lambda chosen: moran_of_file(table, events=count, **chosen))


def _deliver(table: Path, options: dict[str, Any], analysed: Callable[[dict[str, Any]], FileAnswer]) -> None:
    """Ask, draw, write, and say what was found; places that cannot be written are refused before anything is computed."""
    names = ("output", "picture", "title", "note", "as_json")
    output, picture, title, note, as_json = (options[name] for name in names)
    for path in (output, picture):
        if path is not None and not path.absolute().parent.is_dir():
            raise InputError("error.analyse.folder", folder=path.absolute().parent)
        if path is not None and path.resolve() == table.resolve():
            raise InputError("error.analyse.same_file", file=path)
    if picture is not None and picture.suffix.lower() not in PICTURES:
        raise InputError("error.analyse.picture", file=picture.name, known=", ".join(PICTURES))
    answer = analysed({name: value for name, value in options.items() if name not in names})
    if picture is not None:
        _draw(answer, picture, title, note)
    _write(answer, output)
    if as_json:
        print_json(answer.summary | {"output": output, "picture": picture})
        return
    click.echo(answer.sentence)
    _show(answer)
    for path in filter(None, (output, picture)):
        click.echo(label("analyse.written", file=path))


def _draw(answer: FileAnswer, path: Path, title: str, note: str) -> None:
    figure = answer.picture(title, note)
    try:
        figure.savefig(path, dpi=200)
    except OSError as problem:
        raise InputError("error.analyse.output", file=path, reason=problem.strerror or problem) from None


def _write(answer: FileAnswer, path: Path) -> None:
    try:
        answer.table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n", float_format="%.10g")
    except OSError as problem:
        raise InputError("error.analyse.output", file=path, reason=problem.strerror or problem) from None


def _show(answer: FileAnswer) -> None:
    """The first rows, figures with two decimals (whole ones and years as they are)."""
    rows = answer.shown.head(MOST_ROWS)
    if rows.empty:
        return
    numbers = [place for place, name in enumerate(rows) if rows[name].dtype.kind in "if"]
    print_table([str(name) for name in rows], [[_cell(cell) for cell in row] for row in rows.itertuples(index=False)], numbers=numbers)  # fmt: skip
    if len(answer.shown) > MOST_ROWS:
        click.echo(label("analyse.more", count=format_number(len(answer.shown) - MOST_ROWS)))


def _cell(cell: Any) -> str:
    if not isinstance(cell, float):
        return str(cell)
    if cell != cell:
        return "–"
    if abs(cell) == float("inf"):
        return "∞" if cell > 0 else "-∞"
    if cell == int(cell):
        return str(int(cell)) if abs(cell) < LIKE_A_YEAR else format_number(int(cell))
    return format_number(cell, 2 if abs(cell) >= 0.1 else 4)


def _years(text: str | None) -> tuple[int, int] | tuple[str, str] | None:
    """2015-2019 or two dates parted by a colon."""
    if text is None:
        return None
    first, parted, last = text.partition(":" if ":" in text else "-")
    if not parted or not (first and last):
        raise InputError("error.analyse.baseline", value=text)
    if first.isdigit() and last.isdigit():
        return int(first), int(last)
    return first, last


def _dates(text: str) -> Any:
    first, parted, last = text.partition(":")
    return (first, last) if parted else first

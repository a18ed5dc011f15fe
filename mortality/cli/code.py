"""`tkyt deaths code`: a CSV of wordings coded into a CSV of candidates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pandas as pd

from tkyt_analysis.cli.terminal import json_option, print_json
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

ROWS_AT_ONCE = 200_000
DECISIONS = ("auto", "review", "uncodable")


def read_in_blocks(path: Path) -> Iterator[pd.DataFrame]:
    """A UTF-8 CSV file as text columns, a bounded number of rows at a time."""
    try:
        with pd.read_csv(
            path, dtype=str, keep_default_na=False, chunksize=ROWS_AT_ONCE, encoding="utf-8-sig"
        ) as blocks:
            yield from blocks
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
        raise InputError("error.coding_file", file=path) from error


def code_deaths_file(
    source: Path, target: Path, *, at_most_wrong: float = 0.02, home: Path | None = None
) -> dict[str, object]:
    """Code a CSV (id, text[, sex, age_years, maternal]) into a CSV (see `code_deaths`); counts of decisions come back.

    home : the home whose learnt entries count, beside the shipped dictionary; without it the shipped dictionary alone
    The target appears only when all rows are done. Raises InputError for a file that is not such a CSV.
    """
    from mortality.coder.entries import learnt_entries
    from mortality.coding.dictionary import load_dictionary
    from mortality.coding.suggest import code_deaths

    learnt = learnt_entries(home) if home is not None else None
    counts = dict.fromkeys(DECISIONS, 0)
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            for number, block in enumerate(read_in_blocks(source)):
                coded = code_deaths(block, at_most_wrong=at_most_wrong, learnt=learnt)
                coded.to_csv(out, index=False, header=number == 0, lineterminator="\n")
                for decision, rows in coded["decision"].value_counts().items():
                    counts[str(decision)] += int(rows)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return {
        "file": str(target),
        "rows": sum(counts.values()),
        **counts,
        "at_most_wrong": at_most_wrong,
        "learnt_entries": 0 if learnt is None else len(learnt),
        "dictionary_version": load_dictionary(learnt=learnt).version,
    }


@click.command("code", help=label("cli.deaths.code"))
@click.argument("source", metavar="IN.csv", type=click.Path(path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path), help=label("cli.deaths.output"))
@click.option("--at-most", "at_most", type=float, default=2.0, show_default=True, help=label("cli.deaths.at_most"))
@click.option("--home", type=click.Path(path_type=Path), default=None, help=label("cli.deaths.code.home"))
@json_option
def code(source: Path, output: Path, at_most: float, home: Path | None, as_json: bool) -> None:
    result = code_deaths_file(source, output, at_most_wrong=at_most / 100, home=home)
    if as_json:
        print_json(result)
    else:
        shown = {name: result[name] for name in ("rows", *DECISIONS, "file")}
        click.echo(label("coding.done", **shown, at_most=format_number(at_most, 1)))

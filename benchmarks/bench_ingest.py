"""Receiving A6 books and DHIS2 JSON: `tkyt ingest` beside reading the file with pandas and writing Parquet.

The plain way keeps no bytes, resolves no unit, period or element, types nothing, quarantines nothing, separates no
identifiers, encrypts nothing, and is not safe against a kill; it is the floor that any reader stands on.
"""

from __future__ import annotations

import datetime
import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
from measuring import compare, options, present, scratch

from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice.generate import make_practice_data

SIZES = {"dhis2": [5_000, 20_000, 80_000], "a6": [200, 800, 3_200]}
BOOK = "A6_21124_2024.xlsx"
LARGE = {"dhis2": [320_000], "a6": [12_800]}
NOTES = [
    "The plain way is pandas (json.load or read_excel) and to_parquet: no custody, no look-up of units, periods or "
    "elements, no typing, no quarantine, no separation of identifiers, no encryption, no transaction.",
    "An ingest has a fixed cost of about the time of the smallest size (opening two encrypted lakes, look-ups, commit); "
    "growth below the growth of size (×4) is that cost wearing off.",
    "Rows are those of the practice data (synthetic), repeated under other years.",
]


def dhis2_values(received: Path) -> list[dict[str, str]]:
    """The practice values of all months."""
    files = sorted((received / "dhis2").glob("dataValueSets_*.json"))
    return [row for file in files for row in json.loads(file.read_text("utf-8"))["dataValues"]]


def write_dhis2(target: Path, values: list[dict[str, str]], size: int) -> Path:
    """`size` values: the practice months again and again, each time two years earlier."""
    rows = (
        {**row, "period": f"{int(row['period'][:4]) - 2 * turn}{row['period'][4:]}"}
        for turn in itertools.count()
        for row in values
    )
    target.write_text(json.dumps({"dataValues": list(itertools.islice(rows, size))}), "utf-8")
    return target


def write_book(target: Path, book: Path, size: int) -> Path:
    """An A6 book of `size` lines: head and lines of a practice book, repeated."""
    import xlsxwriter
    from python_calamine import CalamineWorkbook

    workbook = CalamineWorkbook.from_path(book)
    grid = max((workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names), key=len)
    head = next(number for number, row in enumerate(grid) if row[:2] == [1, 2]) + 1  # below the column numbers
    lines = [row for row in grid[head:] if isinstance(row[0], float) and row[1]]
    with xlsxwriter.Workbook(target, {"default_date_format": "dd/mm/yyyy"}) as workbook:
        sheet = workbook.add_worksheet("A6")
        for number, row in enumerate([*grid[:head], *itertools.islice(itertools.cycle(lines), size)]):
            for column, cell in enumerate(row):
                if isinstance(cell, datetime.date):
                    sheet.write_datetime(number, column, datetime.datetime(cell.year, cell.month, cell.day))
                else:
                    sheet.write(number, column, cell)
    return target


def ingester(ready: Path, folder: Path, file: Path, size: int) -> Callable[[], None]:
    """Ingest into a fresh copy of the prepared home, made outside the clock one copy ahead."""
    homes = (folder / f"home-{file.stem}-{number}" for number in itertools.count())
    copies: Iterator[Path] = (shutil.copytree(ready, home) for home in homes)
    waiting = [next(copies) for _ in range(12)]

    def run() -> None:
        result = ingest(waiting.pop(), [file])
        assert result.total("received") == size, (result.total("received"), size)

    return run


def main() -> None:
    chosen = options(__doc__)
    with scratch() as name:
        folder = Path(name)
        make_practice_data("commune", folder / "practice", seed=20261122)
        received = folder / "practice" / "received"
        prepare_home(folder / "ready", practice=True)
        ingest(folder / "ready", [received / "dhis2" / "metadata.json"])
        values = dhis2_values(received)
        book = received / "a6" / "2024" / BOOK

        def dhis2(size: int) -> dict[str, Callable[[], object]]:
            file = write_dhis2(folder / f"values{size}.json", values, size)
            out = folder / "plain.parquet"
            plain = lambda: pd.DataFrame(json.loads(file.read_text("utf-8"))["dataValues"]).to_parquet(out)  # noqa: E731
            return {
                "DHIS2 JSON: json.load + to_parquet": plain,
                "DHIS2 JSON: tkyt ingest": ingester(folder / "ready", folder, file, size),
            }

        def a6(size: int) -> dict[str, Callable[[], object]]:
            file = write_book(folder / f"book{size}.xlsx", book, size)
            out = folder / "plain.parquet"
            return {
                "A6 book: pandas.read_excel + to_parquet": lambda: (
                    pd.read_excel(file, header=None, engine="calamine").astype(str).to_parquet(out)
                ),
                "A6 book: tkyt ingest": ingester(folder / "ready", folder, file, size),
            }

        tables = [
            compare(SIZES[kind] + LARGE[kind] * chosen.large, prepare, repeats=min(chosen.repeats, 12))
            for kind, prepare in (("dhis2", dhis2), ("a6", a6))
        ]
    question = "Receiving files: tkyt ingest beside pandas"
    present(
        "bench_ingest", question, pd.concat(tables), NOTES, repeats=min(chosen.repeats, 12), markdown=chosen.markdown
    )


if __name__ == "__main__":
    main()

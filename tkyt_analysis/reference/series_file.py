"""A supplied CSV file of counts by unit and period, on one geography: what `tkyt series` does."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.series_geography import SeriesOnGeography, series_on


def series_of_file(
    path: Path,
    geography: str,
    measures: Sequence[str],
    *,
    stocks: Sequence[str] = (),
    weights: Path | None = None,
    **options: Any,
) -> SeriesOnGeography:
    """`series_on` of a CSV file (UTF-8; comma, semicolon or tab; units as ids such as VN2024:10).

    Numbers are plain (1234.5); an empty cell is missing. Raises InputError with file, line and column of what cannot be read.
    """
    rows = read_counts_file(path, [*measures, *stocks])
    shares = None if weights is None else read_counts_file(weights, ["weight"])
    return series_on(geography, rows, measures, stocks=stocks, weights=shares, **options)


def read_counts_file(path: Path, numbers: Sequence[str]) -> pd.DataFrame:
    """All columns as text but `numbers`, which are numbers (whole ones where all are)."""
    if not path.is_file():
        raise InputError("error.supplied.file_missing", file=str(path))
    try:
        text = path.read_bytes().decode("utf-8-sig")
        first = text.split("\n", 1)[0]
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise InputError("error.supplied.not_utf8", file=path.name) from None
    if not lines:
        raise InputError("error.series.file_empty", file=path.name)
    _require_even(path, lines)
    table = pd.DataFrame([line for line in lines[1:] if any(line)], columns=lines[0], dtype="str")
    absent = [name for name in numbers if name not in table.columns]
    if absent:
        raise InputError("error.series.columns", columns=", ".join(absent), found=", ".join(table.columns))
    return table.assign(**{name: _numbers(table[name], path) for name in numbers})


def _require_even(path: Path, lines: list[list[str]]) -> None:
    for number, line in enumerate(lines[1:], start=2):
        if any(line) and len(line) != len(lines[0]):
            fields = {"line": number, "found": len(line), "expected": len(lines[0])}
            raise InputError("error.series.file_width", file=path.name, **fields)


def _numbers(cells: pd.Series, path: Path) -> pd.Series:
    values = pd.to_numeric(cells.where(cells.str.strip() != ""), errors="coerce").astype(float)
    bad = values.isna() & (cells.str.strip() != "")
    if bad.any():
        at = int(bad.to_numpy().argmax())
        fields = {"line": at + 2, "column": cells.name, "value": cells.iloc[at]}
        raise InputError("error.series.file_number", file=path.name, **fields)
    whole = values.notna().all() and (values == values.round()).all()
    return values.astype("int64") if whole else values

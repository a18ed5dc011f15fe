"""The forms in which people hold a table that is to be protected → one row per cell, with its dimensions and counts named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

METHODS = {"auto": "auto", "optimal": "optimal", "opt": "optimal", "opt(1)": "optimal", "one_by_one": "one_by_one"}
COSTS = {"value": "value", "values": "value", "cells": "cells", "number": "cells"}
COUNTED = ("n", "count", "counts", "freq", "cases", "deaths", "events", "value")


def with_counts(
    counts: pd.DataFrame, dimensions: str | Sequence[str] | None, value: str | None
) -> tuple[pd.DataFrame, list[str], str]:
    """(cells, dimensions, column of counts).

    dimensions None: every column but the counts; a table of figures alone is two-way (its index and its columns).
    value None: n, count, … or the one column of numbers; no such column: every row is one event, counted as n.
    Raises InputError for what is no table.
    """
    if not isinstance(counts, pd.DataFrame):
        raise InputError("error.not_a_table", found=type(counts).__name__)
    names = None if dimensions is None else [dimensions] if isinstance(dimensions, str) else list(dimensions)
    if names is None and value is None and _two_way(counts):
        rows, columns = counts.index.name or "row", counts.columns.name or "column"
        tall = counts.rename_axis(index=rows, columns=columns).stack().rename("n").reset_index()
        return tall, [rows, columns], "n"
    value = value or count_column(counts, names or [])
    if value is not None:
        return counts, names if names is not None else [str(name) for name in counts.columns if name != value], value
    names = names if names is not None else [str(name) for name in counts.columns]
    if not names or not len(counts) or not set(names) <= set(counts.columns):
        return counts, names, "n"
    return counts.groupby(names, sort=False, dropna=False, observed=True).size().rename("n").reset_index(), names, "n"


def table_option(option: str, given: str, known: Mapping[str, str]) -> str:
    """The word that is meant; UsageError that lists them."""
    word = option_word(given, list(known))
    if not isinstance(word, str) or word not in known:
        words = ", ".join(dict.fromkeys(known.values()))
        raise UsageError("error.disclosure_option", option=option, found=given, expected=words)
    return known[word]


def require_positive(option: str, given: object) -> None:
    """UsageError for what is no number of 0 or more."""
    if isinstance(given, bool) or not isinstance(given, int | float | np.number) or not given >= 0:
        raise UsageError("error.disclosure_option", option=option, found=given, expected="0, 1, 2, …")


def count_column(table: pd.DataFrame, dimensions: Sequence[str]) -> str | None:
    """The column of counts: one of the usual names, else the one column of numbers that is no dimension."""
    free = [name for name in table.columns if name not in dimensions]
    lower = {str(name).casefold(): str(name) for name in reversed(free)}
    named = next((lower[word] for word in COUNTED if word in lower), None)
    numbers = [str(name) for name in table[free].select_dtypes("number").columns]
    return named or (numbers[0] if len(numbers) == 1 else None)


def _two_way(table: pd.DataFrame) -> bool:
    plain = isinstance(table.index, pd.RangeIndex) or table.index.nlevels > 1 or table.columns.nlevels > 1
    return not plain and table.shape[1] > 1 and table.select_dtypes("number").shape[1] == table.shape[1]

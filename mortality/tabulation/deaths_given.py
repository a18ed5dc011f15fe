"""What every tabulation asks of the deaths that it is given, and of the table that it makes."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from tkyt_analysis.errors import InputError, ProcessingError


def require_columns(known: Iterable[object], wanted: Iterable[str]) -> None:
    """Raises InputError with the columns that are missing."""
    names = list(map(str, known))
    missing = [name for name in wanted if name not in names]
    if missing:
        raise InputError("error.tabulation_columns", missing=", ".join(missing), found=", ".join(names))


def number_of_deaths(deaths: pd.DataFrame, column: str | None) -> pd.Series:
    """Deaths that each row stands for: one, or what the column says. InputError for words."""
    if column is None:
        return pd.Series(1, index=deaths.index)
    number = deaths[column]
    if pd.api.types.is_numeric_dtype(number):
        return number
    try:
        return pd.to_numeric(number)
    except (TypeError, ValueError) as problem:
        raise InputError("error.column_not_numbers", column=column, problem=str(problem)) from None


def require_total(given: pd.Series, tabulated: pd.Series) -> None:
    """What goes in comes out. Raises ProcessingError."""
    if tabulated.sum() != given.sum():
        raise ProcessingError("error.tabulation_total", given=given.sum(), tabulated=tabulated.sum())

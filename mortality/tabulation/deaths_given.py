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
    """Deaths that each row stands for: one, or what the column says."""
    return pd.Series(1, index=deaths.index) if column is None else deaths[column]


def require_total(given: pd.Series, tabulated: pd.Series) -> None:
    """What goes in comes out. Raises ProcessingError."""
    if tabulated.sum() != given.sum():
        raise ProcessingError("error.tabulation_total", given=given.sum(), tabulated=tabulated.sum())

"""Options of the functions of trends, checked: a wrong one is answered with a sentence."""

from __future__ import annotations

from numbers import Real

from tkyt_analysis.errors import InputError, UsageError


def require_number(name: str, value: object, *, low: float, high: float = float("inf"), whole: bool = False) -> None:
    """Raises UsageError where an option is no number from `low` to `high` (`whole`: without fraction)."""
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else float("nan")
    if not low <= number <= high or (whole and not number.is_integer()):
        known = f"{low:g}, {low + 1:g}, …" if whole else f"{low:g} … {high:g}" if high < float("inf") else f">= {low:g}"
        raise UsageError("error.trend_option", name=name, value=value, known=known)


def require_series(n: int) -> None:
    """Raises InputError where a table has no row."""
    if n == 0:
        raise InputError("error.trend_empty")

"""Dates as people name them: days, period ids, ranges with an open end."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.errors import InputError

Flags = npt.NDArray[np.bool_]
Days = npt.NDArray[np.datetime64]


def as_days(values: Any, where: str = "date", *, last: bool = False) -> Days:
    """Dates of any kind as days; a period id (2020W10, 202003, 2020) is its first or `last` day. InputError names what is none."""
    codes, distinct = pd.factorize(pd.Series(values), use_na_sentinel=False)
    plain = pd.Series([_day_of_period(one, last) for one in distinct], dtype=object)
    read = pd.to_datetime(plain, errors="coerce", format=None if len(plain) < 2 else "mixed")
    if read.isna().any():
        raise InputError("error.excess_date", column=where, value=distinct[int(read.isna().to_numpy().argmax())])
    found: Days = read.to_numpy().astype("datetime64[D]")[codes]
    return found


def _day_of_period(value: Any, last: bool) -> Any:
    """The day of a period id or of a number such as 20200315; anything else as it is."""
    text = str(value) if isinstance(value, str | int | np.integer) else ""
    if re.fullmatch(r"\d{4}-(W\d{2}|\d{2})", text):
        text = text.replace("-", "")
    if re.fullmatch(r"\d{4}(W\d{2}|\d{2}|Q[1-4])?", text):
        from tkyt_analysis.reference.periods import period

        return period(text).end if last else period(text).start
    return text if text and not isinstance(value, bool) else value


def dates_meant(given: Any, dates: Days) -> Flags:
    """Which of `dates` are named.

    given : a list of dates (each names the period of that date); a tuple (first, last) or "first..last" names all between,
        an open end (None or nothing) goes to the end; a list may hold such tuples; a mask of the length of `dates`.
    """
    chosen = np.zeros(len(dates), dtype=bool)
    if given is None:
        return chosen
    if isinstance(given, str | tuple) or not hasattr(given, "__iter__"):
        given = [given]
    given = list(given)
    if len(given) == len(dates) and all(isinstance(one, bool | np.bool_) for one in given):
        return np.asarray(given, dtype=bool)
    single = []
    for one in given:
        if isinstance(one, str) and ".." in one:
            first, _, last = one.partition("..")
            one = (first or None, last.strip(".") or None)
        if isinstance(one, tuple):
            chosen |= _between(one, dates)
        else:
            single.append(one)
    return chosen | np.isin(dates, as_days(single)) if single else chosen


def _between(window: tuple[Any, ...], dates: Days) -> Flags:
    if len(window) != 2:
        raise InputError("error.excess_range", value=", ".join(map(str, window)))
    ends = [None if one is None else as_days([one], last=at == 1)[0] for at, one in enumerate(window)]
    low = dates >= ends[0] if ends[0] is not None else np.ones(len(dates), dtype=bool)
    return low & (dates <= ends[1]) if ends[1] is not None else low

"""Tables of series → panels for joinpoint regression: one row per series, one column per year."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import column, groups, names_of
from tkyt_analysis.analysis.trend.joinpoint_forms import table_of, year_numbers
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
MODELS = ("log_linear", "linear")
WEIGHTS = ("constant", "standard_error", "poisson", "given")
AT_BREAKS = ("mark", "split", "jump")
ZEROS = ("half", "refuse")
LAST_YEAR = 9999
MODEL_WORDS = {"ln": "log_linear", "log": "log_linear", "loglinear": "log_linear"}
_WEIGHT_WORDS = {
    "none": "constant", "constant_variance": "constant", "homoscedastic": "constant", "ols": "constant",
    "se": "standard_error", "count": "poisson", "poisson_count": "poisson", "poisson_variance": "poisson",
    "weight": "given", "weights": "given",
}  # fmt: skip
_NAMES = {  # what a column may be called where the caller does not name it
    "year": ("year", "time", "x", "nam", "yr", "calendar_year", "year_of_diagnosis", "year_of_death", "date"),
    "rate": ("rate", "value", "asr", "age_adjusted_rate", "adjusted_rate", "crude_rate", "aapr", "y"),
    "se": ("se", "standard_error", "std_error", "std_err", "stderr", "stderror", "rate_se", "se_rate", "serate"),
    "count": ("count", "counts", "events", "deaths", "cases", "observed", "number"),
    "population": ("population", "person_years", "persons", "pop"),
    "weight": ("weight", "weights"),
}


@dataclass(frozen=True)
class Panel:
    """keys: one row per series (index 0 …); x (T,) years; rate, y, scale (series, T): the observed value, what is fitted and
    the root of its weight, missing where there is none; reason (series,): why a series cannot be fitted ("": it can);
    halved (series,): zero counts that became one half; breaks: (series, year) of marks; weights: the kind that was used."""

    keys: pd.DataFrame
    x: Numbers
    rate: Numbers
    y: Numbers
    scale: Numbers
    reason: npt.NDArray[np.str_]
    halved: npt.NDArray[np.intp]
    breaks: pd.DataFrame
    weights: str


def known_word(option: str, value: str, words: Sequence[str], also: Mapping[str, str] | None = None) -> str:
    """The word of an option; UsageError with the words that are known."""
    word = option_word(value, tuple(words), also)
    if word not in words:
        raise UsageError("error.joinpoint_option", option=option, value=value, known=", ".join(words))
    return str(word)


def read_panel(
    series: object,
    *,
    by: str | Sequence[str] | None,
    columns: Mapping[str, Any],
    model: str,
    weights: str,
    zeros: str,
    per: float,
    breaks: object,
    at_breaks: str,
) -> Panel:
    """The panel of a table (rows: series × years), of a Series indexed by year, or of a mapping of lists.

    columns : {"year": …, "rate": …, "se": …, "count": …, "population": …, "weight": …}: a name or the values; None: found
        by its usual name
    """
    table, by, columns = table_of(series, names_of(by) if by is not None else [], columns, _NAMES)
    absent = [name for name in by if name not in table.columns]
    if absent:
        raise InputError("error.rate_columns_missing", missing=", ".join(absent), found=_found(table))
    names = {part: _column_name(table, part, columns.get(part), by) for part in _NAMES}
    if names["year"] is None:
        raise InputError("error.joinpoint_no_year", found=_found(table))
    if names["rate"] is None and names["count"] is None:
        names["rate"] = _only_number(table, {*by, *(name for name in names.values() if name)})
    table = table.dropna(subset=[names["year"]]) if table[names["year"]].isna().any() else table
    year = _years_of(table, names["year"])
    number, keys = groups(table, by)
    marks = _breaks_of(breaks, keys, by)
    if at_breaks == "split" and len(marks):
        number, keys, marks = _split(number, keys, marks, year)
    x, at = np.unique(year, return_inverse=True)
    _require_one_value_per_year(number, at, keys, x)
    kind = _weight_kind(weights, names)
    place = (number, at)
    shape = (len(keys), len(x))
    got = {part: _wide(table, name, place, shape) for part, name in names.items() if part != "year"}
    rate, y, weight, reason, halved = _fitted_values(got, kind, model=model, zeros=zeros, per=per)
    return Panel(keys, x, rate, y, np.sqrt(np.where(weight > 0, weight, np.nan)), reason, halved, marks, kind)


def _found(table: pd.DataFrame) -> str:
    return ", ".join(map(str, table.columns))


def _column_name(table: pd.DataFrame, part: str, given: str | None, by: list[str]) -> str | None:
    """The column that holds a part: the one that is named, else one of the usual names, else none."""
    if given is not None:
        if given not in table.columns:
            raise InputError("error.rate_columns_missing", missing=given, found=_found(table))
        return given
    lower = {_plain(name): str(name) for name in table.columns if name not in by}
    return next((lower[name] for name in _NAMES[part] if name in lower), None)


def _plain(name: object) -> str:
    """A column's name without capitals, with _ for spaces, points and hyphens: "Age-Adjusted Rate" → age_adjusted_rate."""
    return re.sub(r"[\s.\-]+", "_", str(name).strip().casefold()).strip("_")


def _years_of(table: pd.DataFrame, name: str) -> Numbers:
    """Years (or other numbers that rise evenly with time); InputError for 202501, which does not."""
    year = column(table.assign(**{name: year_numbers(table[name])}), name)
    wrong = year[~(np.abs(year) <= LAST_YEAR)]
    if len(wrong):
        raise InputError("error.joinpoint_not_years", column=name, value=f"{wrong[0]:g}")
    return year


def _only_number(table: pd.DataFrame, taken: set[str]) -> str:
    """The one other column of numbers, whatever its name; InputError where there is none or more than one."""
    free = [str(name) for name in table.select_dtypes("number").columns if name not in taken]
    if len(free) != 1:
        raise InputError("error.joinpoint_no_value", found=_found(table))
    return free[0]


def _require_one_value_per_year(
    number: npt.NDArray[np.intp], at: npt.NDArray[np.intp], keys: pd.DataFrame, x: Numbers
) -> None:
    cell = number * len(x) + at
    twice = np.flatnonzero(np.bincount(cell, minlength=1) > 1)
    if len(twice):
        one, place = divmod(int(twice[0]), len(x))
        whose = ", ".join(f"{name} = {value}" for name, value in keys.iloc[one].items()) or "–"
        raise InputError("error.joinpoint_year_twice", year=f"{x[place]:g}", series=whose, cases=len(twice))


def _weight_kind(weights: str, names: Mapping[str, str | None]) -> str:
    """The kind of weights, checked against the columns; "auto": what the columns allow."""
    word = known_word("weights", weights, ("auto", *WEIGHTS), _WEIGHT_WORDS)
    if word == "auto":
        given = {"given": names["weight"], "standard_error": names["se"]}
        found = next((kind for kind, name in given.items() if name is not None), None)
        return found or ("poisson" if names["rate"] is None else "constant")
    needs = {"standard_error": "se", "poisson": "count", "given": "weight"}.get(word)
    if needs and names[needs] is None and not (word == "standard_error" and names["rate"] is None):
        raise InputError("error.joinpoint_weights_need", weights=word, column=needs)
    return word


def _wide(table: pd.DataFrame, name: str | None, place: tuple[Any, Any], shape: tuple[int, int]) -> Numbers | None:
    if name is None:
        return None
    wide = np.full(shape, np.nan)
    wide[place] = column(table, name)
    return wide


def _fitted_values(
    got: Mapping[str, Numbers | None], kind: str, *, model: str, zeros: str, per: float
) -> tuple[Numbers, Numbers, Numbers, npt.NDArray[np.str_], npt.NDArray[np.intp]]:
    """(rate as observed, y, weight, reason, zero counts made one half)."""
    rate, count, people = got["rate"], got["count"], got["population"]
    halved = np.zeros(max(len(one) for one in (rate, count) if one is not None), dtype=np.intp)
    reasons: list[tuple[npt.NDArray[np.bool_], str]] = []
    if rate is None:
        assert count is not None
        reasons.append((np.any(count < 0, axis=1), "reason.events_missing"))
        reasons.append((~np.any(count > 0, axis=1), "reason.joinpoint_no_events"))
        if people is not None:
            reasons.append((np.any((count >= 0) & ~(people > 0), axis=1), "reason.no_person_years"))
        observed = count if people is None else per * count / np.where(people > 0, people, np.nan)
        zero = (count == 0) & (zeros == "half") & ((model == "log_linear") | (kind == "poisson"))
        halved = zero.sum(axis=1)
        count = np.where(zero, 0.5, count)
        rate = count if people is None else per * count / np.where(people > 0, people, np.nan)
    else:
        observed = rate
    if model == "log_linear":
        reasons.append((np.any(rate == 0, axis=1), "reason.joinpoint_zero_rate"))
    reasons.append((np.any((rate < 0) | np.isinf(rate), axis=1), "reason.joinpoint_bad_rate"))
    weight = _weights(kind, rate, count, people, got["se"], got["weight"], model=model, per=per)
    known = np.isfinite(rate)
    reasons.append((np.any(known & ~((weight > 0) & np.isfinite(weight)), axis=1), "reason.joinpoint_bad_weight"))
    reason = np.select([bad for bad, _ in reasons], [word for _, word in reasons], default="")
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.log(rate) if model == "log_linear" else rate
    return observed, y, np.where(known, weight, np.nan), reason, halved


def _weights(
    kind: str,
    rate: Numbers,
    count: Numbers | None,
    people: Numbers | None,
    error: Numbers | None,
    given: Numbers | None,
    *,
    model: str,
    per: float,
) -> Numbers:
    """The weight of each value: NCI's heteroscedastic errors options (help, "Heteroscedastic Errors Option")."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if kind == "constant":
            return np.ones_like(rate)
        if kind == "given":
            assert given is not None
            return given
        if kind == "poisson" or error is None:
            assert count is not None
            variance = count if people is None else count * np.square(per / people)
            return count if model == "log_linear" else 1 / variance
        return np.square(rate / error) if model == "log_linear" else 1 / np.square(error)


def _breaks_of(breaks: object, keys: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """(series, year) of the marks: years in which something new begins, for all series or for those that are named.

    breaks : a year, years, or a table with the column year (or at, as `series_breaks` gives) and some columns of `by`
    """
    empty = pd.DataFrame({"series": np.array([], dtype=np.intp), "year": np.array([], dtype=float)})
    if breaks is None:
        return empty
    if isinstance(breaks, int | float):
        breaks = [breaks]
    if isinstance(breaks, pd.DataFrame):
        year = next((name for name in ("year", "at", "break_year") if name in breaks.columns), None)
        if year is None:
            raise InputError("error.joinpoint_breaks", found=_found(breaks))
        marks = breaks.rename(columns={year: "year"})
        shared = [name for name in by if name in marks.columns]
        numbered = keys.reset_index(drop=True).assign(series=np.arange(len(keys)))
        joined = numbered.merge(marks[[*shared, "year"]], how="inner" if shared else "cross", **_on(shared))
        found = joined[["series", "year"]].assign(year=numbers_of(joined["year"]))
    else:
        years = numbers_of(breaks)
        found = pd.DataFrame({"series": np.repeat(np.arange(len(keys)), len(years)), "year": np.tile(years, len(keys))})
    return found.dropna().drop_duplicates().sort_values(["series", "year"], ignore_index=True)


def _on(shared: list[str]) -> dict[str, Any]:
    return {"on": shared} if shared else {}


def numbers_of(values: object) -> Numbers:
    try:
        return np.asarray(list(values) if isinstance(values, Iterable) else [values], dtype=float)
    except (TypeError, ValueError):
        raise InputError("error.joinpoint_breaks", found=str(values)) from None


def _split(
    number: npt.NDArray[np.intp], keys: pd.DataFrame, marks: pd.DataFrame, year: Numbers
) -> tuple[npt.NDArray[np.intp], pd.DataFrame, pd.DataFrame]:
    """Series cut at their marks: each stretch becomes a series of its own, with the column `stretch` (1, 2, …)."""
    rows = pd.DataFrame({"series": number, "year": year, "row": np.arange(len(number))}).sort_values("year")
    steps = marks.assign(stretch=marks.groupby("series").cumcount() + 2).sort_values("year")
    joined = pd.merge_asof(rows, steps, on="year", by="series").sort_values("row")
    stretch = joined["stretch"].fillna(1).to_numpy(dtype=np.intp)
    pairs = pd.DataFrame({"series": number, "stretch": stretch})
    pairs["stretch"] = pairs.groupby("series")["stretch"].rank(method="dense").astype(int)
    fresh = pairs.drop_duplicates().sort_values(["series", "stretch"], ignore_index=True)
    found = pairs.merge(fresh.assign(fresh=np.arange(len(fresh))), on=["series", "stretch"], validate="many_to_one")
    cut = keys.iloc[fresh["series"]].reset_index(drop=True).assign(stretch=fresh["stretch"])
    return found["fresh"].to_numpy(dtype=np.intp), cut, marks.iloc[:0]

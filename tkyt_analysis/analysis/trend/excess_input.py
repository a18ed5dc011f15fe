"""Counts by day, week or month as people hand them over → arrays (series × time) on one grid of dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.trend.excess_dates import Days, Flags, as_days
from tkyt_analysis.analysis.trend.excess_names import OTHER_NAMES, period_texts, with_known_names
from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]
DAILY, WEEKLY, MONTHLY = 365, 52, 12
_TOO_MANY = 1e15  # no count of people
_MISSING_DAYS_ALLOWED = 0.4  # a step of a week or a month may be so much longer or shorter


@dataclass(frozen=True)
class Counts:
    """Counts of many series on one grid of dates.

    dates : the date that names each period (as given, or the period's first day), shape (time,)
    starts, ends : first and last day of each period
    counts, population : shape (series, time); missing is NaN, no population at all is 1 everywhere
    keys : one row per series; columns : the names of the keys
    present : whether the table had a row, shape (series, time)
    has_population : (series,) False where nobody gave one; its population is then 1 everywhere
    extra : further columns by name (regressors, completeness, nowcast), shape (series, time)
    """

    dates: Days
    starts: Days
    ends: Days
    period_ids: list[str]
    counts: Numbers
    population: Numbers
    keys: pd.DataFrame
    frequency: int
    present: Flags
    has_population: Flags
    extra: dict[str, Numbers]

    @property
    def persons(self) -> Numbers:
        """The population; NaN where a series has none."""
        return np.where(self.has_population[:, None], self.population, np.nan)

    @property
    def days(self) -> Numbers:
        """Days in each period."""
        return ((self.ends - self.starts).astype(int) + 1).astype(float)

    @property
    def year(self) -> npt.NDArray[np.intp]:
        """The year in which most of each period lies: the ISO year of a week."""
        middle = self.starts + (self.ends - self.starts) // 2
        return middle.astype("datetime64[Y]").astype(int) + 1970

    def years(self, used: Flags) -> float:
        """Years between the first and the last of some periods, both included, to a tenth."""
        if not used.any():
            return 0.0
        days = (self.ends[used].max() - self.starts[used].min()).astype(int) + 1
        return round(float(days) / 365.25, 1)

    @property
    def numbers(self) -> Numbers:
        """The dates as days since 1970-01-01."""
        return self.dates.astype("datetime64[D]").astype(int).astype(float)

    def series(self, number: int) -> Counts:
        """One of the series alone."""
        one = slice(number, number + 1)
        return replace(
            self,
            counts=self.counts[one],
            population=self.population[one],
            present=self.present[one],
            has_population=self.has_population[one],
            keys=self.keys.iloc[one].reset_index(drop=True),
            extra={name: values[one] for name, values in self.extra.items()},
        )


def read_counts(
    table: pd.DataFrame | pd.Series | Counts,
    *,
    by: str | Sequence[str] = (),
    frequency: int | None = None,
    outcome: str | None = None,
    population: str | None = None,
    extra: Sequence[str] = (),
) -> Counts:
    """The counts of a table as arrays.

    table : one row per series and period with columns date (of a day, of the week's or the month's first or last day) or
        period_id (`2026W53`, `202506`) or year with week or month; outcome (also deaths, events, observed, nbc …); population
        if there is one; capitals do not matter. A Series of counts over dates, or a mapping of columns, will do.
    by : columns that tell the series apart; frequency : periods a year (365, 52, 12); found from the dates if not given
    outcome, population : the columns, where they have other names; extra : further columns to keep

    A period between the first and the last that has no row is put in, with its count missing. Raises InputError where a
    column is absent, a date is no date, a period comes twice in a series, a count is negative or a text, or the dates are
    neither daily nor weekly nor monthly.
    """
    if isinstance(table, Counts):
        return table
    rows = _as_table(table)
    names = [by] if isinstance(by, str) else list(by)
    _require_columns(rows, [*names, *extra])
    rows = with_known_names(rows, {*names, *extra, *filter(None, (outcome, population))})
    outcome = _column(rows, "outcome", outcome)
    people = population or next((one for one in OTHER_NAMES["population"] if one in rows), None)
    if people is not None:
        _require_columns(rows, [people])
    dates, ids = _dates(rows)
    series, keys = _series_of(rows, names)
    distinct = _require_once(series, dates)
    step = _kind_of_steps(distinct) if frequency is None else _known_frequency(frequency)
    grid = _full_grid(distinct, step)
    place = np.searchsorted(grid, dates)
    shape = (len(keys), len(grid))
    columns = {name: _spread(rows, name, series, place, shape) for name in extra}
    present = np.zeros(shape, dtype=bool)
    present[series, place] = True
    starts, ends = _windows(grid, step)
    persons, known = _persons(rows, people, series, place, shape)
    return Counts(
        dates=grid,
        starts=starts,
        ends=ends,
        period_ids=_period_ids(grid, dates, ids, step),
        counts=_checked(_spread(rows, outcome, series, place, shape), outcome),
        population=persons,
        keys=keys,
        frequency=step if frequency is None else frequency,
        present=present,
        has_population=known,
        extra=columns,
    )


def _as_table(table: Any) -> pd.DataFrame:
    if isinstance(table, pd.Series):
        index = table.index.to_timestamp() if isinstance(table.index, pd.PeriodIndex) else table.index
        return pd.DataFrame({"date": index, "outcome": table.to_numpy()})
    if isinstance(table, Mapping):
        table = pd.DataFrame(dict(table))
    if not isinstance(table, pd.DataFrame):
        raise InputError("error.excess_not_a_table", found=type(table).__name__)
    if not len(table):
        raise InputError("error.excess_empty")
    return table.reset_index(drop=True)


def _require_columns(rows: pd.DataFrame, names: Sequence[str]) -> None:
    absent = [name for name in names if name not in rows]
    if absent:
        raise InputError("error.excess_column", expected=", ".join(absent), found=", ".join(map(str, rows.columns)))


def _column(rows: pd.DataFrame, kind: str, given: str | None) -> str:
    found = given or next((one for one in OTHER_NAMES[kind] if one in rows), OTHER_NAMES[kind][0])
    _require_columns(rows, [found])
    return found


def _dates(rows: pd.DataFrame) -> tuple[Days, list[str] | None]:
    """The date of each row, and the period ids where the table has them."""
    column = next((one for one in OTHER_NAMES["date"] if one in rows), None)
    if column is not None:
        return as_days(rows[column], column), None
    ids = _ids(rows)
    from tkyt_analysis.reference.periods import period_windows

    return period_windows(ids)["period_start"].to_numpy().astype("datetime64[D]"), list(ids)


def _ids(rows: pd.DataFrame) -> pd.Series:
    column = next((one for one in OTHER_NAMES["period"] if one in rows), None)
    if column is not None:
        return period_texts(rows[column])
    part = next((one for one in ("week", "month") if one in rows), None)
    if part == "week" and rows["week"].astype("str").str.contains(r"^\d{4}-?W?\d\d$").all():
        return period_texts(rows["week"])
    if "year" not in rows or part is None:
        expected = "date | period_id | year + week | year + month"
        raise InputError("error.excess_column", expected=expected, found=", ".join(map(str, rows.columns)))
    middle = "W" if part == "week" else ""
    year, place = (rows[name].astype("str").str.replace(r"\.0$", "", regex=True) for name in ("year", part))
    return year + middle + place.str.zfill(2)


def _known_frequency(frequency: int) -> int:
    if frequency >= 300:
        return DAILY
    return WEEKLY if frequency > 40 else MONTHLY


def _kind_of_steps(dates: Days) -> int:
    """365, 52 or 12 by the usual distance of two neighbours."""
    if len(dates) < 2:
        raise InputError("error.excess_one_period", found=len(dates))
    usual = float(np.median(np.diff(dates).astype(int)))
    for frequency, step in ((DAILY, 1.0), (WEEKLY, 7.0), (MONTHLY, 30.4)):
        if abs(usual - step) <= _MISSING_DAYS_ALLOWED * step:
            return frequency
    raise InputError("error.excess_steps", found=f"{usual:.0f}")


def _full_grid(dates: Days, frequency: int) -> Days:
    """The dates with those between them that are missing."""
    steps = np.diff(dates).astype(int)
    if frequency == DAILY:
        return np.arange(dates[0], dates[-1] + 1)
    if frequency == WEEKLY:
        if (steps % 7 == 0).all():
            return np.arange(dates[0], dates[-1] + 1, 7)
        at = int((steps % 7 != 0).argmax())
        raise InputError("error.excess_uneven", first=dates[at], second=dates[at + 1])
    months = dates.astype("datetime64[M]")
    if len(np.unique(months)) < len(months):
        at = int((np.diff(months).astype(int) == 0).argmax())
        raise InputError("error.excess_uneven", first=dates[at], second=dates[at + 1])
    every = np.arange(months[0], months[-1] + 1)
    first, last = every.astype("datetime64[D]"), (every + 1).astype("datetime64[D]") - 1
    grid = last if (dates == (months + 1).astype("datetime64[D]") - 1).all() else first
    grid = grid.copy()
    grid[np.searchsorted(every, months)] = dates
    return grid


def _windows(grid: Days, frequency: int) -> tuple[Days, Days]:
    """First and last day of each period. A week named by its Saturday or Sunday ends then; any other begins then."""
    if frequency == DAILY:
        return grid, grid
    if frequency == MONTHLY:
        months = grid.astype("datetime64[M]")
        return months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]") - 1
    weekday = (int(grid[0].astype(int)) + 3) % 7  # Monday is 0
    first = grid - 6 if weekday in (5, 6) else grid
    return first, first + 6


def _period_ids(grid: Days, dates: Days, ids: list[str] | None, frequency: int) -> list[str]:
    """Our ids of the periods; of weeks that do not run from Monday to Sunday, and of days, the date."""
    starts, _ = _windows(grid, frequency)
    if frequency == MONTHLY:
        return [str(one).replace("-", "") for one in grid.astype("datetime64[M]")]
    if frequency == WEEKLY and (int(starts[0].astype(int)) + 3) % 7 == 0:
        iso = pd.Series(starts).dt.isocalendar()
        return [f"{year}W{week:02}" for year, week in zip(iso["year"], iso["week"], strict=True)]
    return [str(one) for one in grid]


def _series_of(rows: pd.DataFrame, by: list[str]) -> tuple[npt.NDArray[np.intp], pd.DataFrame]:
    """The number of each row's series, and the keys of the series."""
    if not by:
        return np.zeros(len(rows), dtype=np.intp), pd.DataFrame(index=range(1))
    groups = rows.groupby(by, sort=False, dropna=False)
    return groups.ngroup().to_numpy(), rows[by].drop_duplicates(ignore_index=True)


def _require_once(series: npt.NDArray[np.intp], dates: Days) -> Days:
    """The distinct dates in order; InputError where a series has one of them twice."""
    distinct, place = np.unique(dates, return_inverse=True)
    twice = pd.Series(series * len(distinct) + place).duplicated().to_numpy()
    if twice.any():
        at = int(twice.argmax())
        raise InputError("error.excess_twice", date=dates[at], row=at + 1, rows=int(twice.sum()))
    found: Days = distinct
    return found


def _spread(
    rows: pd.DataFrame,
    name: str,
    series: npt.NDArray[np.intp],
    place: npt.NDArray[np.intp],
    shape: tuple[int, int],
) -> Numbers:
    """A column on the grid (series × time)."""
    try:
        values = rows[name].to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as problem:
        raise InputError("error.not_numbers", problem=f"{name}: {problem}") from None
    grid = np.full(shape, np.nan)
    grid[series, place] = values
    return grid


def _persons(
    rows: pd.DataFrame,
    people: str | None,
    series: npt.NDArray[np.intp],
    place: npt.NDArray[np.intp],
    shape: tuple[int, int],
) -> tuple[Numbers, Flags]:
    """(population, whether a series has one): a series without any is counted as it is."""
    if people is None:
        return np.ones(shape), np.zeros(shape[0], dtype=bool)
    persons = _checked(_spread(rows, people, series, place, shape), people)
    known = np.asarray(np.isfinite(persons).any(axis=1))
    return np.where(known[:, None], persons, 1.0), known


def _checked(values: Numbers, name: str) -> Numbers:
    """The values themselves; InputError at a negative or an infinite one."""
    wrong = (values < 0) | (values > _TOO_MANY)
    if wrong.any():
        raise InputError("error.excess_negative", column=name, value=values[wrong][0], rows=int(wrong.sum()))
    return values

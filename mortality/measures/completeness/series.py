"""What the death-distribution methods read: counts by age, many places, periods and sexes at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table, names_of
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
Table: TypeAlias = pd.DataFrame | Mapping[str, Any]
COUNTS = ("pop1", "pop2", "deaths", "migration")
OTHER_NAMES = {
    "population_1": "pop1",
    "population_2": "pop2",
    "pop_1": "pop1",
    "pop_2": "pop2",
    "population": "pop1",
    "pop": "pop1",
    "persons": "pop1",
    "mig": "migration",
    "death": "deaths",
    "events": "deaths",
    "age_group": "age",
    "cod": "id",
    "year1": "date1",
    "year2": "date2",
}
_OTHER_KINDS = {
    "average": "annual", "mean": "annual", "yearly": "annual", "per_year": "annual", "summed": "total", "sum": "total",
    "period": "total", "period_total": "total", "intercensal": "total",
}  # fmt: skip
KEYS = ("id", "place", "unit_id", "province_code", "province", "country", "year", "period", "period_id")
SEXES = {"f": "female", "female": "female", "females": "female", "2": "female", "nữ": "female",
         "m": "male", "male": "male", "males": "male", "1": "male", "nam": "male"}  # fmt: skip
OLDEST_OF_MODEL = 95  # the model life tables go no further


@dataclass(frozen=True)
class AgeSeries:
    """Series that share one set of ages. Arrays are (series, ages) unless said otherwise.

    keys : one row per series, what names it; age, width : (ages,) lower ends and years (the open group has the width before)
    pop1, pop2 : persons at the first and second count; deaths, migration : per year; sex : (series,) male | female | ""
    interval : (series,) years between the counts; reason : (series,) why a series cannot be assessed, "" where it can
    """

    keys: pd.DataFrame
    age: Numbers
    width: Numbers
    pop1: Numbers
    pop2: Numbers
    deaths: Numbers
    migration: Numbers
    sex: Texts
    interval: Numbers
    reason: Texts

    def with_oldest(self, oldest: int = OLDEST_OF_MODEL) -> AgeSeries:
        """The same with everybody of `oldest` and above in one open group."""
        if self.age[-1] <= oldest:
            return self
        last = int(np.searchsorted(self.age, oldest))
        if self.age[last] != oldest:
            raise InputError("error.completeness_open_age", found=f"{self.age[-1]:g}", expected=oldest)
        parts: dict[str, Any] = {name: _closed(getattr(self, name), last) for name in COUNTS}
        return replace(self, age=self.age[: last + 1], width=self.width[: last + 1], **parts)


def _closed(counts: Numbers, last: int) -> Numbers:
    return np.column_stack([counts[:, :last], counts[:, last:].sum(axis=1)])


def read_series(
    data: Table,
    *,
    by: str | Sequence[str] | None = None,
    deaths_are: str = "annual",
    migration_are: str | None = None,
    two_counts: bool = True,
) -> Iterator[AgeSeries]:
    """The series of a table, those with the same ages together.

    data : one row per series and age: age (lower end; "80+" and "5-9" are read too), deaths, pop1, pop2, date1, date2 (years,
        decimal years or dates), sex where it matters, migration (net, optional); or a mapping of arrays with these names
    by : the columns that name a series; by default those of KEYS, and sex, that are there
    deaths_are, migration_are : "annual" (mean per year) or "total" (sum between the two counts)
    two_counts : False: one count of people (column population) is enough
    """
    table = _columns(data, two_counts=two_counts)
    names = names_of(by) if by is not None else [name for name in (*KEYS, "sex") if name in table]
    whole = table.assign(_series=table.groupby(names, sort=False, dropna=False).ngroup() if names else 0)
    _require_one_row_per_age(whole)
    keys = whole.drop_duplicates("_series").set_index("_series").sort_index()
    wide = {name: whole.pivot(index="_series", columns="age", values=name).sort_index() for name in COUNTS}
    present = whole.assign(one=True).pivot(index="_series", columns="age", values="one").notna().sort_index()
    patterns, which = np.unique(present.to_numpy(), axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        rows = np.flatnonzero(which.ravel() == number)
        parts = {name: frame.to_numpy()[np.ix_(rows, pattern)] for name, frame in wide.items()}
        age = present.columns.to_numpy(dtype=float)[pattern]
        yield _series(keys.iloc[rows], names, age, parts, (deaths_are, migration_are or deaths_are), two_counts)


def _columns(data: Table, *, two_counts: bool) -> pd.DataFrame:
    table = as_table(data)
    table = table.rename(columns=lambda name: str(name).strip().lower())
    table = table.rename(columns={old: new for old, new in OTHER_NAMES.items() if new not in table}).reset_index(
        drop=True
    )
    needed = ["age", "deaths", "pop1", *(["pop2", "date1", "date2"] if two_counts else [])]
    missing = [name for name in needed if name not in table]
    if missing:
        shown = ["population" if name == "pop1" and not two_counts else name for name in missing]
        raise InputError(
            "error.completeness_columns", missing=", ".join(shown), found=", ".join(map(str, table.columns))
        )
    if table.empty:
        raise InputError("error.completeness_no_rows")
    table = table.assign(age=_ages(table["age"]), migration=table.get("migration", 0.0))
    if not two_counts:
        table = table.assign(pop2=table["pop1"], date1=0.0, date2=1.0)
    for name in COUNTS:
        table[name] = pd.to_numeric(table[name], errors="coerce").astype(float)
    return table


def _ages(column: pd.Series) -> pd.Series:
    """Lower ends of age groups as numbers."""
    number = pd.to_numeric(column, errors="coerce")
    written = column.astype(str).str.extract(r"^\s*[<≥>=]*\s*(\d+(?:\.\d+)?)", expand=False)
    number = number.fillna(pd.to_numeric(written, errors="coerce"))
    if number.isna().any():
        wrong = column[number.isna()].astype(str).unique()
        raise InputError("error.completeness_age", found=", ".join(map(str, wrong[:3])))
    return number


def _require_one_row_per_age(table: pd.DataFrame) -> None:
    twice = table[table.duplicated(["_series", "age"])]
    if len(twice):
        raise InputError("error.completeness_age_twice", age=f"{twice['age'].iloc[0]:g}", number=len(twice))


def _series(
    keys: pd.DataFrame,
    names: list[str],
    age: Numbers,
    parts: dict[str, Numbers],
    are: tuple[str, str],
    two_counts: bool,
) -> AgeSeries:
    interval = decimal_year(keys["date2"]) - decimal_year(keys["date1"])
    safe = np.where(interval > 0, interval, 1.0)[:, None]
    parts = {
        **parts,
        "deaths": _per_year(parts["deaths"], are[0], safe),
        "migration": _per_year(parts["migration"], are[1], safe),
    }
    age, parts = _infants_with_children(age, parts)
    if len(age) < 3:
        raise InputError("error.completeness_ages_few", found=len(age))
    width = np.append(np.diff(age), np.diff(age)[-1])
    sex = keys["sex"].astype(str).str.strip().str.lower() if "sex" in keys else pd.Series("", index=keys.index)
    reason = _why_not(parts, interval if two_counts else np.ones(len(keys)))
    return AgeSeries(
        keys=keys[names].reset_index(drop=True) if names else pd.DataFrame(index=range(len(keys))),
        age=age,
        width=width,
        sex=sex.map(SEXES).fillna("").to_numpy(dtype=str),
        interval=safe[:, 0],
        reason=reason,
        **{name: np.nan_to_num(part) for name, part in parts.items()},
    )


def _per_year(counts: Numbers, are: str, interval: Numbers) -> Numbers:
    are = option_word(are, ("annual", "total"), _OTHER_KINDS)
    if are not in ("annual", "total"):
        raise UsageError("error.completeness_option", option="deaths_are", found=are, expected="annual, total")
    return counts / interval if are == "total" else counts


def _infants_with_children(age: Numbers, parts: dict[str, Numbers]) -> tuple[Numbers, dict[str, Numbers]]:
    """Ages 0 and 1–4 as one group, where the table is abridged that way."""
    if list(age[:3]) != [0.0, 1.0, 5.0]:
        return age, parts
    joined = {name: np.column_stack([part[:, :2].sum(axis=1), part[:, 2:]]) for name, part in parts.items()}
    return np.delete(age, 1), joined


def decimal_year(dates: pd.Series) -> Numbers:
    """Years as numbers: 2009, 2009.25, "2009-04-01" or a date."""
    number = (
        pd.to_numeric(dates, errors="coerce") if dates.dtype.kind not in "M" else pd.Series(np.nan, index=dates.index)
    )
    day = pd.to_datetime(dates.where(number.isna()), errors="coerce")
    length = np.where(day.dt.is_leap_year, 366, 365)
    return number.fillna(day.dt.year + (day.dt.dayofyear - 1) / length).to_numpy(dtype=float)


def _why_not(parts: dict[str, Numbers], interval: Numbers) -> Texts:
    people, deaths = np.hstack([parts["pop1"], parts["pop2"]]), parts["deaths"]
    return np.select(
        [
            ~(interval > 0),
            np.isnan(people).any(axis=1) | (people < 0).any(axis=1),
            np.isnan(deaths).any(axis=1) | (deaths < 0).any(axis=1),
            (people == 0).any(axis=1),
            deaths.sum(axis=1) == 0,
        ],
        [
            "reason.completeness_interval",
            "reason.completeness_population",
            "reason.completeness_deaths",
            "reason.completeness_empty_age",
            "reason.completeness_no_deaths",
        ],
        "",
    )

"""Rows of deaths and population by age → arrays (series, ages), as life tables take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.life_table_inputs import Numbers, age_starts
from tkyt_analysis.analysis.groups import as_table, names_of
from tkyt_analysis.errors import InputError

AGE_COLUMNS = ("age_group", "age", "startage", "start_age", "ageband", "agegroup")
POPULATION_COLUMNS = ("person_years", "population", "persons", "pops", "pop", "exposure", "exposures")
DEATHS_COLUMNS = ("deaths", "death", "events", "dx", "dths")


@dataclass(frozen=True)
class CountsByAge:
    """Deaths and population of many series over the same ages.

    keys : one row per series, the `by` columns
    age : (ages,) first years, the last group open; labels : as the rows name them
    deaths, population : (series, ages); missing where a series has no such row (`absent`)
    """

    keys: pd.DataFrame
    age: Numbers
    labels: list[object]
    deaths: Numbers
    population: Numbers
    absent: Numbers

    @property
    def sex(self) -> Any:
        """The column `sex` where the series have one, else "total"."""
        return self.keys["sex"].to_numpy(dtype=object) if "sex" in self.keys else "total"

    def opened_at(self, age: float) -> CountsByAge:
        """The same counts with one open group from `age` on: older groups are added up."""
        at = np.flatnonzero(self.age == age)
        if not len(at):
            known = ", ".join(f"{x:g}" for x in self.age)
            raise InputError("error.life_table_no_such_age", age=f"{age:g}", known=known)
        keep = int(at[0])

        def added(values: Numbers) -> Numbers:
            return np.concatenate([values[:, :keep], values[:, keep:].sum(axis=1, keepdims=True)], axis=1)

        absent = np.concatenate([self.absent[:, :keep], self.absent[:, keep:].max(axis=1, keepdims=True)], axis=1)
        labels = [*self.labels[:keep], f"{age:g}+"]
        return CountsByAge(self.keys, self.age[: keep + 1], labels, added(self.deaths), added(self.population), absent)


def counts_by_age(table: pd.DataFrame, by: str | Sequence[str] = ()) -> CountsByAge:
    """Rows → arrays. The rows may stand in any order; each series has one row per age group.

    table : columns deaths, person_years (or population, persons, pops, pop), age_group (or age, startage), and `by`;
        capitals do not matter

    Raises InputError where columns are missing, an age group stands twice within a series, or ages do not follow on.
    """
    table, columns = as_table(table), names_of(by)
    age_column, population = _first_of(table, AGE_COLUMNS), _first_of(table, POPULATION_COLUMNS)
    died = _first_of(table, DEATHS_COLUMNS)
    missing = [] if died else ["deaths"]
    missing += [name for name in columns if name not in table]
    missing += [] if age_column else [" | ".join(AGE_COLUMNS[:2])]
    missing += [] if population else [" | ".join(POPULATION_COLUMNS[:2])]
    if missing or not age_column or not population or not died:
        found = ", ".join(map(str, table.columns))
        raise InputError("error.rate_columns_missing", missing=", ".join(missing), found=found)
    labels = _ages_in_order(table[age_column])
    place = table[age_column].map({label: at for at, label in enumerate(labels)}).to_numpy(dtype=int)
    series, keys = _series(table, columns)
    cells = series * len(labels) + place
    if len(np.unique(cells)) < len(cells):
        raise InputError("error.age_group_repeated", columns=age_column)
    shape = (len(keys), len(labels))
    filled = {name: np.full(shape[0] * shape[1], np.nan) for name in (died, population)}
    for name, values in filled.items():
        values[cells] = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    absent = np.ones(shape[0] * shape[1])
    absent[cells] = 0
    deaths, persons = filled[died].reshape(shape), filled[population].reshape(shape)
    return CountsByAge(keys, age_starts(labels), labels, deaths, persons, absent.reshape(shape))


def _first_of(table: pd.DataFrame, names: Sequence[str]) -> str | None:
    """The table's column of the first of these names; capitals do not matter."""
    written = {str(name).casefold(): name for name in reversed(table.columns)}
    return next((written[name] for name in names if name in written), None)


def _ages_in_order(column: pd.Series) -> list[object]:
    from tkyt_analysis.reference.ages import parse_band

    distinct = list(pd.unique(column.dropna()))
    if len(distinct) < column.nunique(dropna=False):
        raise InputError("error.life_table_age_empty", column=str(column.name))
    if pd.api.types.is_numeric_dtype(column):
        return sorted(distinct)
    return sorted(distinct, key=lambda label: parse_band(str(label))[0])


def _series(table: pd.DataFrame, by: list[str]) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], pd.DataFrame]:
    if not by:
        return np.zeros(len(table), dtype=np.int64), pd.DataFrame(index=[0])
    codes = table.groupby(by, sort=False, observed=True, dropna=False).ngroup().to_numpy(dtype=np.int64)
    first = pd.Series(codes).drop_duplicates().index
    return codes, table[by].iloc[first].reset_index(drop=True)

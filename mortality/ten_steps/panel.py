"""Deaths and persons of all places and years as arrays, with what the United Nations' rates would make of the same persons."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.release_tables import AGE_BANDS
from mortality.ten_steps.data import TenStepsData
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import OUTSIDE, UNKNOWN, nesting, parse_bands

Numbers = npt.NDArray[np.float64]
SEXES = ("male", "female")
NO_AGE = (UNKNOWN, OUTSIDE, "")
UN_RATES = "practice_death_rates"  # UN, World Population Prospects 2024: the code list that the practice data use too


@dataclass(frozen=True)
class Panel:
    """Arrays over series (place × year), sex (male, female) and age.

    frame : place, year – one row per series; ages : labels, first : their first completed year
    deaths, persons : (series, 2, ages) of known sex and age; expected : deaths that the UN's rates give (NaN without persons)
    all_deaths, all_persons : (series,) unknown sex and age included; modelled : whether a population is a model's
    cells : place, year, sex, age_group, code, deaths with `series`, the row of `frame`
    """

    frame: pd.DataFrame
    ages: tuple[str, ...]
    first: Numbers
    deaths: Numbers
    persons: Numbers
    expected: Numbers
    all_deaths: Numbers
    all_persons: Numbers
    modelled: npt.NDArray[np.bool_]
    cells: pd.DataFrame

    def from_age(self, low: float, below: float = np.inf) -> npt.NDArray[np.bool_]:
        """Which ages begin at `low` or later and before `below`."""
        return (self.first >= low) & (self.first < below)

    def summed(self, wanted: npt.NDArray[np.bool_] | pd.Series) -> Numbers:
        """Deaths per series of the cells that are wanted."""
        rows = self.cells[np.asarray(wanted)]
        return np.bincount(rows["series"], rows["deaths"], len(self.frame)).astype(float)


def panel_of(data: TenStepsData) -> Panel:
    """Every place that was asked for in every year that has ended, also those without a death."""
    frame = pd.MultiIndex.from_product([list(data.names), data.years], names=["place", "year"]).to_frame(index=False)
    number = pd.Series(range(len(frame)), index=pd.MultiIndex.from_frame(frame), dtype="int64")
    cells, people = _with_series(data.deaths, number), _with_series(data.persons, number)
    ages = common_ages(people["age_group"])
    deaths = _array(cells, "deaths", ages, len(frame))
    persons = _array(people, "persons", ages, len(frame))
    modelled = np.bincount(people["series"], people["modelled"], len(frame)) > 0
    return Panel(
        frame,
        ages,
        parse_bands(ages)["low"].to_numpy(dtype=float),
        deaths,
        persons,
        persons * _un_rates(frame["year"].to_numpy(), ages),
        np.bincount(cells["series"], cells["deaths"], len(frame)).astype(float),
        np.bincount(people["series"], people["persons"], len(frame)).astype(float),
        modelled,
        cells,
    )


def _with_series(rows: pd.DataFrame, number: pd.Series) -> pd.DataFrame:
    """The rows of the frame with the place of their series."""
    keys = pd.MultiIndex.from_frame(rows[["place", "year"]])
    place = number.reindex(keys).to_numpy()
    known = ~pd.isna(place)
    return rows[known].assign(series=place[known].astype(int)).reset_index(drop=True)


def common_ages(groups: pd.Series) -> tuple[str, ...]:
    """The age groups of the population where the deaths' own groups nest in them, else the deaths' groups."""
    named = [one for one in dict.fromkeys(groups) if one not in (*NO_AGE, "total")]
    try:
        bands = tuple(parse_bands(named)["age_group"])
        return bands if bands and nesting(AGE_BANDS, bands) else AGE_BANDS
    except InputError:
        return AGE_BANDS


def _array(rows: pd.DataFrame, column: str, ages: tuple[str, ...], series: int) -> Numbers:
    """(series, sex, age) sums of the rows of known sex and age."""
    holds = dict(nesting(AGE_BANDS, ages)) | {age: age for age in ages}
    age = rows["age_group"].map(holds).map({one: place for place, one in enumerate(ages)})
    sex = rows["sex"].map({one: place for place, one in enumerate(SEXES)})
    known = (age.notna() & sex.notna()).to_numpy()
    shape = (series, len(SEXES), len(ages))
    at = np.ravel_multi_index(
        [rows["series"][known].to_numpy(int), sex[known].to_numpy(int), age[known].to_numpy(int)], shape
    )
    return np.bincount(at, rows[column][known], int(np.prod(shape))).astype(float).reshape(shape)


@cache
def _printed_rates() -> pd.DataFrame:
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist(UN_RATES)
    return rows.assign(
        year_from=rows["year_from"].astype(int), rate=pd.to_numeric(rows["deaths_per_1000"]).astype(float) / 1000
    )


def _un_rates(years: npt.NDArray[np.int64], ages: tuple[str, ...]) -> Numbers:
    """(series, 2, ages) deaths per person-year of Viet Nam; NaN where the list has no such age group."""
    printed = _printed_rates()
    periods = sorted(printed["year_from"].unique())
    tables = np.stack(
        [
            printed[printed["year_from"] == period]
            .pivot(index="sex", columns="age_group", values="rate")
            .reindex(index=list(SEXES), columns=list(ages))
            .to_numpy(dtype=float)
            for period in periods
        ]
    )
    place = np.clip(np.searchsorted(periods, years, side="right") - 1, 0, len(periods) - 1)
    return np.asarray(tables[place], dtype=float)


def un_under_five(years: npt.NDArray[np.int64]) -> Numbers:
    """5q0 of Viet Nam, both sexes, as a probability, for each year: 1 − exp(−(m0 + 4 m1–4)) of the rates' mean over the sexes."""
    rates = _un_rates(years, ("0", "1-4")).mean(axis=1)
    return np.asarray(-np.expm1(-(rates[:, 0] + 4 * rates[:, 1])), dtype=float)

"""Tables → arrays for the simulation: which axis is which, what is missing, and why a figure cannot be given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.uncertainty.draws import Numbers
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import parse_bands

Words = npt.NDArray[np.str_]
ALL, TOTAL = "all", "total"
PLACE = ("unit_id", "year")
_DEATHS, _PERSONS = ("deaths", "events", "count"), ("persons", "person_years", "population")


@dataclass(frozen=True)
class Frame:
    """The axes and arrays of a table of deaths: (places, sexes, ages, causes) and (places, sexes, ages).

    places : unit_id and, where given, year, one row each; NaN where a number is missing
    """

    places: pd.DataFrame
    sexes: tuple[str, ...]
    ages: tuple[str, ...]
    causes: tuple[str, ...]
    counts: Numbers
    persons: Numbers

    def keys(self) -> tuple[str, ...]:
        """A name for each place, e.g. "VN2024:51|2024"."""
        return tuple("|".join(map(str, row)) for row in self.places.itertuples(index=False))

    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Each sex, and all of them where there are several."""
        each: list[tuple[int, ...]] = [(number,) for number in range(len(self.sexes))]
        return tuple(each + ([tuple(range(len(self.sexes)))] if len(self.sexes) > 1 else []))

    def group_names(self) -> tuple[str, ...]:
        """male, female, …, total."""
        return (*self.sexes, TOTAL) if len(self.sexes) > 1 else self.sexes


def frame_of(counts: pd.DataFrame, population: pd.DataFrame) -> Frame:
    """Deaths (unit_id[, year], sex, age_group, cause, deaths) and population (…, persons) on common axes.

    A pair of cause and age without a row has 0 deaths; an age without a row in the population has no person-years. Rows of
    sex "total" and cause "all" are left out: totals are added up here. InputError where ages or sexes do not agree.
    """
    place = [name for name in PLACE if name in counts.columns]
    deaths = _numbers(counts, [*place, "sex", "age_group", "cause"], _DEATHS, "counts")
    persons = _numbers(population, [*place, "sex", "age_group"], _PERSONS, "population")
    deaths = deaths[(deaths["cause"] != ALL) & _own_sex(deaths)]
    persons = persons[_own_sex(persons)]
    if deaths.empty:
        raise InputError("error.uncertainty_no_deaths")
    places = deaths[place].drop_duplicates().sort_values(place, ignore_index=True)
    sexes, ages = _sexes(deaths, persons), _ages(deaths, persons)
    causes = tuple(sorted(deaths["cause"].unique()))
    axes = {"sex": sexes, "age_group": ages, "cause": causes}
    return Frame(
        places, sexes, ages, causes,
        counts=_array(deaths, places, axes, empty=0.0),
        persons=_array(persons, places, {"sex": sexes, "age_group": ages}, empty=np.nan),
    )  # fmt: skip


def interval_on(frame: Frame, given: object) -> tuple[Numbers, Words]:
    """(places, sexes, ages, 3) value, lower, upper of completeness, and (places,) the reason why a place has none.

    given : a table with value (or completeness), lower, upper and any of unit_id, year, sex, age_group; or three numbers
    """
    if not isinstance(given, pd.DataFrame):
        value, lower, upper = (float(one) for one in np.ravel(np.asarray(given, dtype=float)))
        table = pd.DataFrame({"value": [value], "lower": [lower], "upper": [upper]})
    else:
        table = given if "value" in given.columns else given.rename(columns={"completeness": "value"})
    array = np.stack([_spread(frame, table, name) for name in ("value", "lower", "upper")], axis=-1)
    value, lower, upper = np.moveaxis(array, -1, 0)
    missing = np.asarray(np.isnan(array).any(axis=(1, 2, 3)))
    with np.errstate(invalid="ignore"):
        wrong = ((lower <= 0) | (lower > value) | (value > upper) | (upper > 1)).any(axis=(1, 2))
    reason = np.select([missing, wrong], ["reason.completeness_missing", "reason.completeness_outside"], "")
    return np.where((reason == "")[:, None, None, None], array, 1.0), reason


def relative_error_on(frame: Frame, given: object) -> tuple[Numbers, Words]:
    """(places, sexes, ages) relative standard errors of the population, and (places,) the reason why a place has none."""
    if not isinstance(given, pd.DataFrame):
        given = pd.DataFrame({"relative_standard_error": [float(np.asarray(given))]})
    array = _spread(frame, given, "relative_standard_error")
    wrong = np.asarray(~(array >= 0).all(axis=(1, 2)) | np.isinf(array).any(axis=(1, 2)))
    reason = np.where(wrong, "reason.denominator_error_missing", "")
    return np.where(wrong[:, None, None], 0.0, array), reason


# ------------------------------------------------------------------------------------------------ helpers


def _numbers(table: pd.DataFrame, keys: Sequence[str], names: Sequence[str], what: str) -> pd.DataFrame:
    """The keys as text and the first of `names` as `number`; InputError where one is absent or a row stands twice."""
    number = next((name for name in names if name in table.columns), None)
    missing = [name for name in keys if name not in table.columns] + ([names[0]] if number is None else [])
    if missing:
        raise InputError(
            "error.uncertainty_columns",
            table=what,
            missing=", ".join(missing),
            found=", ".join(map(str, table.columns)),
        )
    rows = table[list(keys)].astype("str").assign(number=pd.to_numeric(table[number]).to_numpy(float, na_value=np.nan))
    double = rows.duplicated(list(keys))
    if double.any():
        raise InputError("error.uncertainty_twice", table=what, row=", ".join(rows.loc[double, list(keys)].iloc[0]))
    return rows


def _own_sex(rows: pd.DataFrame) -> pd.Series:
    """Rows of one sex; those of "total" only where nothing else is there."""
    total = rows["sex"] == TOTAL
    return ~total if (~total).any() else total


def _sexes(deaths: pd.DataFrame, persons: pd.DataFrame) -> tuple[str, ...]:
    found, known = set(deaths["sex"]), set(persons["sex"])
    if not found <= known:
        raise InputError("error.uncertainty_axis", axis="sex", found=", ".join(sorted(found - known)), known=", ".join(sorted(known)))  # fmt: skip
    return tuple(name for name in dict.fromkeys(["male", "female", *sorted(known)]) if name in known)


def _ages(deaths: pd.DataFrame, persons: pd.DataFrame) -> tuple[str, ...]:
    known = parse_bands(persons["age_group"].unique())["age_group"]
    found = set(deaths["age_group"]) - set(known)
    if found:
        raise InputError("error.uncertainty_axis", axis="age_group", found=", ".join(sorted(found)), known=", ".join(known))  # fmt: skip
    return tuple(known)


def _array(rows: pd.DataFrame, places: pd.DataFrame, axes: dict[str, tuple[str, ...]], *, empty: float) -> Numbers:
    """The numbers on the axes (places, *axes); `empty` where there is no row; rows of other places are left out."""
    place = _place_number(rows, places)
    inside = place >= 0
    at = [place[inside], *(pd.Index(values).get_indexer(rows.loc[inside, name]) for name, values in axes.items())]
    array = np.full((len(places), *(len(values) for values in axes.values())), empty)
    array[tuple(at)] = rows["number"].to_numpy()[inside]
    return array


def _place_number(rows: pd.DataFrame, places: pd.DataFrame) -> npt.NDArray[np.intp]:
    if places.shape[1] == 1:
        return np.asarray(pd.Index(places.iloc[:, 0]).get_indexer(rows[places.columns[0]]), dtype=np.intp)
    return np.asarray(
        pd.MultiIndex.from_frame(places).get_indexer(pd.MultiIndex.from_frame(rows[list(places.columns)]))
    )


def _spread(frame: Frame, table: pd.DataFrame, column: str) -> Numbers:
    """A column on (places, sexes, ages): joined by those of unit_id, year, sex, age_group that the table has."""
    axes = {"sex": frame.sexes, "age_group": frame.ages}
    keys = [name for name in (*PLACE, *axes) if name in table.columns]
    if column not in table.columns:
        raise InputError(
            "error.uncertainty_columns", table=column, missing=column, found=", ".join(map(str, table.columns))
        )
    if not keys and len(table) != 1:
        raise InputError("error.uncertainty_twice", table=column, row=str(len(table)))
    grid = frame.places.merge(pd.DataFrame({"sex": frame.sexes}), how="cross")
    grid = grid.merge(pd.DataFrame({"age_group": frame.ages}), how="cross")
    if keys:
        numbers = _numbers(table, keys, [column], column)
        values = grid.merge(numbers, on=keys, how="left", validate="many_to_one")["number"].to_numpy()
    else:
        values = np.full(len(grid), float(table[column].iloc[0]))
    return np.asarray(values.reshape(len(frame.places), len(frame.sexes), len(frame.ages)), dtype=float)

"""What a scan is asked about, from the forms in which people hold it: a table, or arrays side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table, column
from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import as_numbers
from tkyt_analysis.analysis.spatial.neighbour_forms import opened
from tkyt_analysis.errors import InputError

AREA = ("area", "unit_id", "id", "area_id", "county", "district", "commune_code", "province_code", "code", "name")
CASES = ("cases", "events", "deaths", "observed", "count", "number_of_cases")
POPULATION = ("population", "person_years", "persons", "pop")
EXPECTED = ("expected", "expected_cases", "expected_events", "e")
PERIOD = ("period", "period_id", "time", "year", "month", "week", "date")
PLACES = (
    ("x", "y"),
    ("longitude", "latitude"),
    ("lon", "lat"),
    ("long", "lat"),
    ("lng", "lat"),
    ("easting", "northing"),
)
_TOO_MANY = 1e15  # more than that is no count of people
DEGREES = ("longitude", "lon", "long", "lng")


@dataclass(frozen=True)
class ScanData:
    """Areas × periods (one period without time), in the order in which the areas came.

    population is the mean over the periods; NaN columns are absent as a whole.
    """

    areas: tuple[Any, ...]
    cases: Numbers
    population: Numbers | None
    expected: Numbers | None
    places: Numbers
    degrees: bool
    periods: tuple[Any, ...] = ("",)


def scan_data(
    cases: Any, population: Any, coordinates: Any, *, expected: Any, areas: Any, time: bool, periods: Any = None
) -> ScanData:
    """Everything that the caller gave, checked; InputError says what is missing or cannot be."""
    if isinstance(cases, pd.DataFrame) and _find(cases, CASES) is not None or isinstance(cases, dict):
        return _from_table(as_table(cases), population, coordinates, expected=expected, areas=areas, time=time)
    counts = _matrix(cases, "cases")
    names = _names(areas, cases, len(counts))
    places, degrees = _places(coordinates)
    data = ScanData(
        names, counts, _perhaps(population, "population"), _perhaps(expected, "expected"), places, degrees,
        tuple(periods) if periods is not None else _periods_of(cases, counts.shape[1]),
    )  # fmt: skip
    return _checked(data)


def _periods_of(cases: Any, count: int) -> tuple[Any, ...]:
    if isinstance(cases, pd.DataFrame):
        return tuple(cases.columns)
    return tuple(range(1, count + 1)) if count > 1 else ("",)


def _find(table: pd.DataFrame, known: Sequence[str]) -> str | None:
    """The column that goes by one of these names, whatever its capitals."""
    lower = {str(name).casefold(): name for name in reversed(list(table.columns))}
    return next((lower[name] for name in known if name in lower), None)


def _from_table(
    table: pd.DataFrame, population: Any, coordinates: Any, *, expected: Any, areas: Any, time: bool
) -> ScanData:
    table = _with_controls(table)
    area, period = _find(table, AREA) if areas is None else areas, _find(table, PERIOD)
    if isinstance(area, str) and area in table and time:
        return _checked(_long(table, area, period, coordinates))
    names = _names(table[area] if isinstance(area, str) and area in table else area, table, len(table))
    parts = {}
    for name, known, given in (("population", POPULATION, population), ("expected", EXPECTED, expected)):
        found = given if isinstance(given, str) else _find(table, known) if given is None else None
        parts[name] = _perhaps(given if found is None else table[found], name)
    counts = _matrix(table[_required(table, CASES, "cases")], "cases")
    places, degrees = _places(table if coordinates is None else coordinates)
    return _checked(ScanData(names, counts, parts["population"], parts["expected"], places, degrees))


def _with_controls(table: pd.DataFrame) -> pd.DataFrame:
    """Cases and controls make a population."""
    controls = _find(table, ("controls", "control"))
    if controls is None or _find(table, POPULATION) is not None:
        return table
    return table.assign(population=column(table, _required(table, CASES, "cases")) + column(table, controls))


def _long(table: pd.DataFrame, area: str, period: str | None, coordinates: Any) -> ScanData:
    """One row per area and period → areas × periods; what has no row has no case."""
    if period is None:
        raise InputError("error.scan_period", found=", ".join(map(str, table.columns)))
    code, names = pd.factorize(table[area])
    place, times = pd.factorize(table[period], sort=True)
    shape = len(names), len(times)
    if (code < 0).any() or (place < 0).any() or pd.Series(code * shape[1] + place).duplicated().any():
        raise InputError("error.scan_rows", area=area, period=period)

    def spread(known: Sequence[str]) -> Numbers | None:
        name = _find(table, known)
        if name is None:
            return None
        grid = np.zeros(shape)
        grid[code, place] = column(table, name)
        return grid

    cases = spread((_required(table, CASES, "cases").casefold(),))
    assert cases is not None
    first = table.loc[~table[area].duplicated()]
    places, degrees = _places(first if coordinates is None else coordinates)
    return ScanData(
        tuple(names), cases, spread(POPULATION), spread(EXPECTED), places, degrees, tuple(times)
    )  # fmt: skip


def _required(table: pd.DataFrame, known: Sequence[str], what: str) -> str:
    found = _find(table, known)
    if found is None:
        columns = ", ".join(map(str, table.columns))
        raise InputError("error.scan_column", what=what, known=", ".join(known), found=columns)
    return found


def _perhaps(values: Any, name: str) -> Numbers | None:
    return None if values is None else _matrix(values, name)


def _matrix(values: Any, name: str) -> Numbers:
    """areas × periods; a simple list is one period."""
    numbers = as_numbers(values.to_numpy() if isinstance(values, pd.DataFrame) else values)
    if numbers.ndim > 2:
        raise InputError("error.scan_shape", what=name, found=" × ".join(map(str, numbers.shape)))
    return numbers[:, None] if numbers.ndim == 1 else numbers


def _names(areas: Any, cases: Any, count: int) -> tuple[Any, ...]:
    if areas is None:
        index = cases.index if isinstance(cases, (pd.Series, pd.DataFrame)) else pd.RangeIndex(count)
        return tuple(index.tolist())
    names = tuple(pd.Index(areas).tolist())
    if len(names) != count or len(set(names)) != count:
        raise InputError("error.scan_areas", found=len(set(names)), expected=count)
    return names


def _places(coordinates: Any) -> tuple[Numbers, bool]:
    """n × 2 coordinates, and whether they are degrees (told by the names of the columns, or by the map's projection)."""
    if coordinates is None:
        raise InputError("error.scan_coordinates")
    coordinates = opened(coordinates)
    if hasattr(coordinates, "geometry") and hasattr(coordinates, "crs"):
        middle = coordinates.geometry.representative_point()
        crs = coordinates.crs
        return np.column_stack([middle.x, middle.y]), bool(crs is not None and crs.is_geographic)
    if isinstance(coordinates, pd.DataFrame):
        for pair in PLACES:
            names = [_find(coordinates, (name,)) for name in pair]
            if None not in names:
                return np.column_stack([column(coordinates, str(name)) for name in names]), pair[0] in DEGREES
        numeric = coordinates.select_dtypes("number")
        coordinates = numeric if numeric.shape[1] == 2 else coordinates
    places = as_numbers(coordinates.to_numpy() if isinstance(coordinates, pd.DataFrame) else coordinates)
    if places.ndim == 2 and places.shape[0] == 2 and places.shape[1] > 2:
        places = places.T  # (x, y), two lists
    if places.ndim != 2 or places.shape[1] != 2:
        raise InputError("error.scan_coordinates")
    return places, False


def _checked(data: ScanData) -> ScanData:
    """The same data; InputError for lengths that do not fit and for numbers that cannot be."""
    count = len(data.cases)
    shapes = {"cases": data.cases, "population": data.population, "expected": data.expected, "places": data.places}
    wrong = [f"{name} {len(part)}" for name, part in shapes.items() if part is not None and len(part) != count]
    if wrong:
        raise InputError("error.scan_lengths", found="; ".join(wrong), expected=count)
    for name, part in shapes.items():
        if part is not None:
            _require_usable(name, part, data.areas, lowest=-np.inf if name == "places" else 0.0)
    return data


def _require_usable(name: str, part: Numbers, areas: tuple[Any, ...], *, lowest: float) -> None:
    bad = ~((np.abs(part) < _TOO_MANY) & (part >= lowest)).all(axis=1)
    if bad.any():
        some = ", ".join(str(areas[place]) for place in np.flatnonzero(bad)[:5])
        raise InputError("error.scan_value", what=name, number=int(bad.sum()), areas=some)


def at_risk(data: ScanData, model: str) -> tuple[Numbers, Numbers]:
    """(base of the model, people by area who decide how far windows grow).

    base : people (Bernoulli), expected cases (Poisson: given, or in proportion to the population), or the product of
        the margins (space–time permutation), areas × periods
    """
    whole = np.ones((1, data.cases.shape[1]))
    if model == "space_time_permutation":
        margins = np.outer(data.cases.sum(axis=1), data.cases.sum(axis=0))
        people = data.cases if data.population is None else data.population
        return margins / max(data.cases.sum(), 1.0), people.sum(axis=1)
    chosen = data.expected if model == "poisson" and data.expected is not None else data.population
    if chosen is None:
        raise InputError("error.scan_population", model=model)
    base = chosen * whole if chosen.shape[1] == 1 else chosen
    if base.shape != data.cases.shape:
        raise InputError("error.scan_lengths", found=f"{base.shape[1]}", expected=f"{data.cases.shape[1]}")
    people = chosen if data.population is None else data.population
    impossible = (data.cases > 0) & (base <= 0) if model == "poisson" else data.cases > base
    if impossible.any():
        some = ", ".join(str(data.areas[place]) for place in np.flatnonzero(impossible.any(axis=1))[:5])
        key = "error.scan_cases_without_people" if model == "poisson" else "error.scan_more_cases_than_people"
        raise InputError(key, number=int(impossible.any(axis=1).sum()), areas=some)
    return base, people.mean(axis=1)


def counts_type(cases: npt.NDArray) -> bool:
    """Whether all counts are whole."""
    return bool(np.all(cases == np.round(cases)))

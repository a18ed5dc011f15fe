"""What a hierarchical model is asked about: events, expected events, people and covariates, from tables or arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.groups import column
from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import as_numbers
from tkyt_analysis.errors import InputError

_EVENTS = ("events", "cases", "deaths", "observed", "y")
_EXPECTED = ("expected", "expected_events", "e")
_POPULATION = ("population", "person_years", "persons", "pop")
_AREAS = ("area", "unit_id", "id", "area_id", "county", "district", "code", "name")


def read_events(events: Any, expected: Any, population: Any, areas: Any) -> pd.DataFrame:
    """area, events, expected, population as columns; what is absent is missing. attrs["named"]: whether areas have names."""
    if isinstance(events, Mapping):
        events = pd.DataFrame(dict(events))
    if isinstance(events, pd.DataFrame):
        table = events
        events = column(table, _named(table, _EVENTS, "events"))
        expected = _from_table(table, expected, _EXPECTED)
        population = _from_table(table, population, _POPULATION)
        area = areas if areas is not None else _find(table, _AREAS)
        areas = table[area] if isinstance(area, str) and area in table else (table.index if area is None else area)
    elif areas is None:
        areas = events.index if isinstance(events, pd.Series) else pd.RangeIndex(len(as_numbers(events)))
    parts = {"events": events, "expected": expected, "population": population}
    numbers = {name: as_numbers(np.nan if part is None else part).ravel() for name, part in parts.items()}
    n = len(numbers["events"])
    names = pd.Index(areas)
    wrong = [f"{name} {len(part)}" for name, part in numbers.items() if len(part) not in (1, n)]
    if wrong or len(names) != n:
        raise InputError("error.scan_lengths", found="; ".join([*wrong, f"areas {len(names)}"]), expected=n)
    if names.has_duplicates:
        raise InputError("error.scan_areas", found=names.nunique(), expected=n)
    table = pd.DataFrame({"area": names, **{name: np.broadcast_to(part, n) for name, part in numbers.items()}})
    counted = isinstance(names, pd.RangeIndex) and (names.start, names.step) == (0, 1)
    table.attrs["named"] = not counted
    return table


def _find(table: pd.DataFrame, known: tuple[str, ...]) -> Any:
    lower = {str(name).casefold(): name for name in reversed(list(table.columns))}
    return next((lower[name] for name in known if name in lower), None)


def _named(table: pd.DataFrame, known: tuple[str, ...], what: str) -> Any:
    found = _find(table, known)
    if found is None:
        columns = ", ".join(map(str, table.columns))
        raise InputError("error.scan_column", what=what, known=", ".join(known), found=columns)
    return found


def _from_table(table: pd.DataFrame, given: Any, known: tuple[str, ...]) -> Any:
    if given is not None and not isinstance(given, str):
        return given
    name = given if given is not None else _find(table, known)
    return None if name is None else column(table, name)


def read_covariates(covariates: Any, events: Any, n: int) -> tuple[Numbers, list[str]]:
    """areas × k and their names."""
    if covariates is None:
        return np.empty((n, 0)), []
    if isinstance(covariates, str):
        covariates = [covariates]
    if (
        isinstance(events, pd.DataFrame)
        and isinstance(covariates, list)
        and all(isinstance(c, str) for c in covariates)
    ):
        covariates = events[covariates]
    if isinstance(covariates, (pd.DataFrame, Mapping)):
        frame = pd.DataFrame(covariates)
        values, names = np.column_stack([column(frame, name) for name in frame]), [str(name) for name in frame]
    else:
        values = as_numbers(covariates)
        values = values[:, None] if values.ndim == 1 else values
        names = [f"x{number}" for number in range(1, values.shape[1] + 1)]
    if len(values) != n or not np.isfinite(values).all():
        raise InputError(
            "error.bym_covariates", found=len(values), expected=n, missing=int((~np.isfinite(values)).sum())
        )
    return values, names


def standardised(x: Numbers) -> Numbers:
    spread = x.std(axis=0)
    return np.asarray((x - x.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


def why_not(table: pd.DataFrame) -> pd.Series:
    """Why the events of an area do not count; "" where they do."""
    base = table["expected"].where(table["expected"].notna(), table["population"])
    if base.isna().all():
        raise InputError("error.bym_expected")
    events = table["events"]
    found = np.select(
        [base.isna() | (base < 0) | np.isinf(base), base == 0, events.isna(), (events < 0) | np.isinf(events)],
        ["reason.bym_expected_missing", "reason.bym_nobody", "reason.bym_events_missing", "reason.events_missing"],
        default="",
    )
    return pd.Series(found, table.index, dtype="str")


def expected_or_share(table: pd.DataFrame, reason: pd.Series) -> pd.Series:
    """Expected events: given, or the population times the rate of the areas that count."""
    if table["expected"].notna().any():
        return table["expected"]
    usable = reason.eq("")
    total, people = (table.loc[usable, name].sum() for name in ("events", "population"))
    return table["population"] * (total / people if people > 0 else np.nan)

"""What the caller gave for the areas of one map or of many, as one array of areas × maps; and the table of answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import as_numbers, rate_table
from tkyt_analysis.analysis.spatial.weights import Weights, some_of, spatial_weights
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
ALTERNATIVES = ("two_sided", "greater", "less")


@dataclass(frozen=True, eq=False)
class Maps:
    """Values of areas (rows) on maps (columns), and what both are called."""

    values: Numbers  # (areas, maps)
    areas: pd.Index | None  # None: not named
    series: pd.Index | None  # None: one map, given as a list
    index: pd.Index | None  # of the answer, one map only

    def long(self, values: npt.ArrayLike) -> npt.NDArray[Any]:
        """An array of areas × maps below each other: all areas of the first map, then of the second."""
        return np.broadcast_to(np.asarray(values), self.values.shape).ravel(order="F")

    def keys(self) -> dict[str, npt.NDArray[Any]]:
        """Columns area and series of a long answer about many maps; none for one map (its index tells)."""
        if self.series is None:
            return {}
        areas = np.arange(len(self.values)) if self.areas is None else self.areas.to_numpy()
        return {
            "series": np.repeat(self.series.to_numpy(), len(self.values)),
            "area": np.tile(areas, len(self.series)),
        }

    def answers(
        self, columns: Mapping[str, npt.ArrayLike], *, method: npt.ArrayLike, reason: npt.ArrayLike
    ) -> pd.DataFrame:
        """One row per area and map: keys, columns, method, status, reason."""
        flat = {name: self.long(values) for name, values in columns.items()}
        methods = np.asarray(method, dtype=object)
        return rate_table(
            self.keys() | flat,
            method=methods if methods.ndim == 0 else self.long(methods),
            reason=self.long(np.asarray(reason, dtype=str)),
            index=self.index if self.series is None else None,
        )

    def one_each(self, columns: Mapping[str, npt.ArrayLike], *, method: str, reason: npt.ArrayLike) -> pd.DataFrame:
        """One row per map."""
        key = {} if self.series is None else {"series": self.series.to_numpy()}
        flat = {name: np.broadcast_to(np.asarray(values), (self.values.shape[1],)) for name, values in columns.items()}
        return rate_table(key | flat, method=method, reason=np.asarray(reason, dtype=str))


def maps_of(values: Any, ids: Any = None) -> Maps:
    """Values as areas × maps: a list, an array, a Series (index = areas), or a table (columns = maps)."""
    areas = None if ids is None else pd.Index(list(ids))
    if isinstance(values, pd.Series):
        areas = values.index if areas is None else areas
        return Maps(as_numbers(values)[:, None], _named(areas), None, values.index)
    if isinstance(values, pd.DataFrame):
        areas = values.index if areas is None else areas
        columns = (
            np.column_stack([as_numbers(values[name]) for name in values])
            if values.shape[1]
            else np.empty(values.shape)
        )
        return Maps(columns, _named(areas), values.columns, None)
    numbers = as_numbers(values)
    if numbers.ndim == 1:
        return Maps(numbers[:, None], areas, None, None)
    if numbers.ndim != 2:
        raise InputError("error.lengths_differ", found=" × ".join(map(str, numbers.shape)))
    return Maps(numbers, areas, pd.RangeIndex(numbers.shape[1]), None)


def _named(areas: pd.Index | None) -> pd.Index | None:
    """The areas' names; None where a table only counts its rows."""
    counted = isinstance(areas, pd.RangeIndex) and areas.start == 0 and areas.step == 1
    return None if counted else areas


def beside(maps: Maps, values: Any, name: str) -> Numbers:
    """Other values of the same areas and maps: of the same shape, one column for all maps, or one number.

    A Series whose index names the areas is put into their order; InputError where an area is absent.
    """
    if isinstance(values, (pd.Series, pd.DataFrame)) and maps.areas is not None:
        values = _in_order(values, maps.areas, name)
    numbers = (
        np.column_stack([as_numbers(values[c]) for c in values])
        if isinstance(values, pd.DataFrame)
        else as_numbers(values)
    )
    if numbers.ndim == 1 and len(numbers) != 1:
        numbers = numbers[:, None]
    try:
        return np.broadcast_to(numbers, maps.values.shape)
    except ValueError:
        shape = " × ".join(map(str, numbers.shape))
        ours = " × ".join(map(str, maps.values.shape))
        raise InputError("error.lengths_differ", found=f"{name} {shape}, {ours}") from None


def _in_order(values: Any, areas: pd.Index, name: str) -> Any:
    """Rows in the order of the areas; a table that only counts its rows is taken as it stands."""
    if values.index.equals(areas) or _named(values.index) is None:
        return values
    absent = ~areas.isin(values.index)
    if absent.any() or not values.index.is_unique:
        raise InputError("error.spatial_areas_differ", name=name, count=int(absent.sum()), areas=some_of(areas[absent]))
    return values.reindex(areas)


def weights_of(maps: Maps, neighbours: Any, style: str | None, *, default: str = "W") -> Weights:
    """The weights of the map's areas, in the style asked for (or their own, or `default`)."""
    if not isinstance(neighbours, Weights) and style is None:
        style = default
    ids = maps.areas
    return spatial_weights(neighbours, ids=ids, n=None if ids is not None else len(maps.values), style=style)


def alternative_word(alternative: str) -> str:
    """ "two_sided", "greater" or "less"; UsageError for another word."""
    word = option_word(alternative, ALTERNATIVES, {"two": "two_sided", "both": "two_sided"})
    if word not in ALTERNATIVES:
        raise UsageError("error.spatial_option", option="alternative", value=alternative, known=", ".join(ALTERNATIVES))
    return str(word)


def chosen(value: Any, known: tuple[str, ...], option: str, also: dict[str, str] | None = None) -> str:
    """The word of `known` that is meant; UsageError that lists them."""
    word = option_word(value, known, also)
    if word not in known:
        raise UsageError("error.spatial_option", option=option, value=value, known=", ".join(known))
    return str(word)


def normal_p(z: npt.ArrayLike, alternative: str) -> Numbers:
    """P-value of a standard normal deviate."""
    from scipy.special import ndtr

    deviate = np.asarray(z, dtype=float)
    if alternative == "two_sided":
        return np.asarray(2 * ndtr(-np.abs(deviate)))
    return np.asarray(ndtr(-deviate) if alternative == "greater" else ndtr(deviate))

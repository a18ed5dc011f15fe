"""Slope and relative index of inequality: how much a value changes from the worst-off to the best-off.

Low & Low, J Public Health 2004;26:388-95; OHID, Technical guide: slope index of inequality.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import column, groups, names_of, require_columns
from tkyt_analysis.analysis.limits import Numbers, tail, z_value
from tkyt_analysis.analysis.rates import rate_table
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

VALUE_TYPES = ("value", "rate", "proportion")
LEVELS = ("auto", "simulated", "fixed")
_CELLS_AT_ONCE = 8_000_000  # simulated values in memory at a time (64 MB)


def slope_index_of_inequality(
    values: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    value_type: str | int = "value",
    transform: bool = False,
    multiplier: float = 1,
    confidence: float = 0.95,
    repetitions: int = 100_000,
    seed: int = 20_260,
    level: str = "auto",
) -> pd.DataFrame:
    """Slope (SII) and relative (RII) index of inequality with simulated limits, for many areas at once.

    The quantiles stand on an axis from 0 (worst-off) to 1 at the middle of their share of the population; a line is
    fitted by least squares weighted by population. SII = height at 1 less height at 0, RII = height at 1 over height at 0.

    Parameters
    ----------
    values : one row per `by` and quantile, with columns
        quantile          ordered from worst-off to best-off (numbers)
        population        > 0
        value             the indicator; for proportions `events` (over population) will do
        standard_error    of the value (of its logarithm for rates, of its logit for proportions), or
        lower, upper      its limits of 95 %
    value_type : "value" (life expectancy), "rate" (errors on the logarithm), "proportion" (errors on the logit); the
        numbers 0, 1, 2 of PHEindicatormethods are understood
    transform : fit the line to logarithms (rates) or logits (proportions) instead of the values
    multiplier : SII is multiplied by it; a negative one turns its sign and inverts the RII
    confidence, repetitions, seed : limits are quantiles of simulated indices; the same seed gives the same limits. All
        areas use the same random numbers, mirrored (antithetic), so areas do not depend on what else is in the table.
    level : of the simulated lines: "simulated" (height and slope vary together), "fixed" (only the slope varies, the height
        in the middle is the estimate's; found to be what OHID's published limits of transformed values hold), "auto":
        fixed where `transform`, else simulated. It does not matter to the SII of a line that is not transformed.

    Returns
    -------
    One row per `by`, sorted: population, quantiles, intercept (height at 0), sii, lower, upper, rii, rii_lower, rii_upper,
    method, status, reason. An area that lacks a quantile that others have, a population, a value or its error is
    not_assessable.
    """
    value_type = _value_type(value_type)
    if value_type not in VALUE_TYPES:
        raise UsageError("error.sii_value_type", value=value_type, known=", ".join(VALUE_TYPES))
    if level not in LEVELS:
        raise UsageError("error.sii_level", value=level, known=", ".join(LEVELS))
    if repetitions < 1000:
        raise UsageError("error.sii_repetitions", value=repetitions)
    by = names_of(by)
    require_columns(values, [*by, "quantile", "population"])
    keys, cells, reason = _cells_of(values, by, value_type)
    usable = reason == ""
    line = _Line(_line_weights(cells.population[usable]), value_type, value_type if transform else "value", multiplier)
    value, error = cells.value[usable], cells.error[usable]
    heights = line.heights(value[None])
    fixed = level == "fixed" or (level == "auto" and transform)
    limits = _simulated(value, error, line, repetitions, tail(confidence), seed, fixed=fixed)
    columns = {"population": cells.population.sum(axis=1), "quantiles": np.isfinite(cells.population).sum(axis=1)}
    figures = [heights[0][0], *line.indices(heights), *limits]
    for name, figure in zip(
        ("intercept", "sii", "rii", "lower", "upper", "rii_lower", "rii_upper"), figures, strict=True
    ):
        columns[name] = np.full(len(keys), np.nan)
        columns[name][usable] = figure.ravel()
    order = ["population", "quantiles", "intercept", "sii", "lower", "upper", "rii", "rii_lower", "rii_upper"]
    words = f"simulation;repetitions={repetitions};value_type={value_type}" + (";transformed" if transform else "")
    table = rate_table({name: columns[name] for name in order}, method=words, reason=reason)
    return pd.concat([keys, table], axis="columns")


def _value_type(value_type: str | int) -> Any:
    """0, 1, 2 (also as text) → the words of `VALUE_TYPES`."""
    by_number = {str(number): word for number, word in enumerate(VALUE_TYPES)}
    return option_word(
        str(value_type), VALUE_TYPES, by_number | {"default": "value", "rates": "rate", "proportions": "proportion"}
    )


@dataclass(frozen=True)
class _Cells:
    """Areas × quantiles; NaN where absent."""

    population: Numbers
    value: Numbers
    error: Numbers


def _cells_of(
    values: pd.DataFrame, by: list[str], value_type: str
) -> tuple[pd.DataFrame, _Cells, npt.NDArray[np.str_]]:
    group, keys = groups(values, by)
    order = np.sort(values["quantile"].unique())
    if len(order) < 2:
        raise InputError("error.sii_quantiles", found=len(order))
    place = group * len(order) + np.searchsorted(order, values["quantile"])
    if len(np.unique(place)) < len(place):
        raise InputError("error.sii_quantile_repeated", columns=", ".join([*by, "quantile"]))

    def spread(figures: Numbers) -> Numbers:
        cells = np.full(len(keys) * len(order), np.nan)
        cells[place] = figures
        return cells.reshape(len(keys), len(order))

    population = column(values, "population")
    value = _values(values, population)
    cells = _Cells(spread(population), spread(value), spread(_errors(values, value_type)))
    low, high = {"value": (-np.inf, np.inf), "rate": (0, np.inf), "proportion": (0, 1)}[value_type]
    reason: npt.NDArray[np.str_] = np.select(
        [
            (~((cells.population > 0) & (cells.population < np.inf))).any(axis=1),
            (~((cells.value > low) & (cells.value < high))).any(axis=1),
            (~((cells.error >= 0) & (cells.error < np.inf))).any(axis=1),
        ],
        ["reason.quantile_without_population", "reason.quantile_without_value", "reason.quantile_without_error"],
        default="",
    )
    return keys, cells, reason


def _values(values: pd.DataFrame, population: Numbers) -> Numbers:
    if "value" in values:
        return column(values, "value")
    require_columns(values, ["events"])
    return np.divide(column(values, "events"), population, out=np.full(len(values), np.nan), where=population > 0)


def _errors(values: pd.DataFrame, value_type: str) -> Numbers:
    """Standard errors on the scale on which they are symmetric."""
    if "standard_error" in values:
        return column(values, "standard_error")
    require_columns(values, ["lower", "upper"])
    ends = [_linked(column(values, name), value_type) for name in ("lower", "upper")]
    return (ends[1] - ends[0]) / (2 * z_value(0.95))


def _linked(values: Numbers, link: str) -> Numbers:
    with np.errstate(divide="ignore", invalid="ignore"):
        if link == "rate":
            return np.log(values)
        return np.log(values / (1 - values)) if link == "proportion" else values


def _unlinked(values: Numbers, link: str) -> Numbers:
    if link == "rate":
        return np.exp(values)
    return 1 / (1 + np.exp(-values)) if link == "proportion" else values


def _line_weights(population: Numbers) -> tuple[Numbers, Numbers]:
    """What each quantile adds to the line's height at 0 and to its slope (areas × quantiles): least squares."""
    share = population / population.sum(axis=1, keepdims=True)
    middle = np.cumsum(share, axis=1) - share / 2
    away = middle - (share * middle).sum(axis=1, keepdims=True)
    slope = share * away / (share * away**2).sum(axis=1, keepdims=True)
    return share - slope * (share * middle).sum(axis=1, keepdims=True), slope


@dataclass(frozen=True)
class _Line:
    """How the values of the quantiles make a line: the scale of their errors, the scale of the line, its multiplier."""

    weights: tuple[Numbers, Numbers]
    value_type: str
    link: str
    multiplier: float

    def heights(
        self, values: Numbers, *, areas: slice = slice(None), middle: Numbers | None = None
    ) -> tuple[Numbers, Numbers]:
        """Heights of the line at 0 and at 1, of draws × areas × quantiles; `middle` holds its height at one half."""
        linked = _linked(values, self.link)
        at_zero, slope = (np.einsum("daq,aq->da", linked, part[areas]) for part in self.weights)
        if middle is not None:
            at_zero = middle - slope / 2
        return _unlinked(at_zero, self.link), _unlinked(at_zero + slope, self.link)

    def indices(self, heights: tuple[Numbers, Numbers]) -> tuple[Numbers, Numbers]:
        """SII and RII."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = heights[0] / heights[1] if self.multiplier < 0 else heights[1] / heights[0]
        return self.multiplier * (heights[1] - heights[0]), ratio


def _simulated(
    value: Numbers,
    error: Numbers,
    line: _Line,
    repetitions: int,
    error_share: float,
    seed: int,
    *,
    fixed: bool,
) -> list[Numbers]:
    """Lower and upper limits of SII and RII: order statistics of simulated indices, some areas at a time."""
    half = np.random.default_rng(seed).standard_normal(((repetitions + 1) // 2, value.shape[1]))
    noise = np.concatenate([half, -half])[:repetitions, None, :]
    below, above = round(repetitions * error_share), round(repetitions * (1 - error_share))
    places = [max(below, 1) - 1, min(above, repetitions) - 1]
    centre = _linked(value, line.value_type)
    middle = sum(np.einsum("aq,aq->a", _linked(value, line.link), part) / n for n, part in zip((1, 2), line.weights))
    limits = np.empty((4, len(value)))
    step = max(1, _CELLS_AT_ONCE // (repetitions * value.shape[1]))
    for start in range(0, len(value), step):
        some = slice(start, start + step)
        draws = _unlinked(centre[some] + noise * error[some], line.value_type)
        heights = line.heights(draws, areas=some, middle=middle[some] if fixed else None)
        for number, index in enumerate(line.indices(heights)):
            limits[2 * number : 2 * number + 2, some] = np.partition(index, places, axis=0)[places]
    return list(limits)

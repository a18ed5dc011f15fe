"""Values → classes of a map: where the bounds lie, what the legend says, which colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.maps.palettes import SEQUENTIAL, sequential
from tkyt_analysis.maps.schemes import SAMPLE, SCHEMES, SELF_COUNTED, raw_bounds

MAX_CLASSES = len(SEQUENTIAL)


@dataclass(frozen=True)
class Classes:
    """Class i holds bounds[i] <= value < bounds[i + 1]; the last class holds its upper bound too."""

    scheme: str
    bounds: tuple[float, ...]
    decimals: int
    palette: tuple[str, ...] = ()  # one colour per class; default: light to dark
    sampled: bool = False  # the bounds come from a sample of the values

    @property
    def number(self) -> int:
        """How many classes there are."""
        return max(len(self.bounds) - 1, 0)

    @property
    def colours(self) -> list[str]:
        """One colour per class, by default light (low) to dark (high)."""
        return list(self.palette or sequential(self.number))

    def index(self, values: np.ndarray) -> np.ndarray:
        """Class number of each value."""
        return np.clip(np.searchsorted(self.bounds, values, side="right") - 1, 0, self.number - 1)

    def text(self, i: int, language: str | None = None) -> str:
        """The class in words: "1.234,5 – dưới 2.345,6"."""
        low, high = (format_number(bound, self.decimals, language) for bound in self.bounds[i : i + 2])
        if low == high:
            return low
        return label("map.class_last" if i == self.number - 1 else "map.class", language, low=low, high=high)


def classify(
    values: np.ndarray,
    *,
    scheme: str = "quantile",
    n_classes: int = 5,
    bounds: Sequence[float] | None = None,
    decimals: int | None = None,
) -> Classes:
    """Classes of the finite `values`.

    Bounds are rounded to what the legend shows *before* values are put into classes, so that a reader
    can put every value into its class by the legend. Equal values never part; with few distinct values
    there are fewer classes than asked for.

    scheme : classes of `mapclassify` by these names: "quantile" (about as many units in each class), "equal" (equal
        width), "fisher_jenks" (least squares within classes: Fisher, JASA 1958;53:789-98; above 400 values from a
        sample at equal ranks), "maximum_breaks" (at
        the widest gaps), "pretty" (round numbers, about `n_classes`); with their own number of classes "head_tail"
        (long right tails), "std_mean" (mean and standard deviations), "box_plot" (quartiles and hinges),
        "percentiles" (1, 10, 50, 90, 99); "given" (`bounds`, for maps that are compared)
    decimals : of the bounds; default: as few as keep them apart (at most 4)
    """
    _require_options(scheme, n_classes, bounds)
    values = np.sort(np.asarray(values, dtype=float))
    if scheme == "given":
        return _given_classes(values, tuple(float(bound) for bound in bounds or ()), decimals)
    if not len(values):
        return Classes(scheme, (), decimals or 0)
    raw = raw_bounds(values, scheme, n_classes, MAX_CLASSES)
    if scheme in ("equal", "pretty"):
        places = _decimals(raw) if decimals is None else decimals
        return Classes(scheme, _rounded(raw, raw[1:-1], places), places)
    places = _decimals_between(values, raw) if decimals is None else decimals
    inner = [_between(values, bound, places)[0] for bound in raw[1:-1]]
    sampled = scheme == "fisher_jenks" and len(values) > SAMPLE
    return Classes(scheme, _rounded(raw, inner, places), places, sampled=sampled)


def _require_options(scheme: str, n_classes: int, bounds: Sequence[float] | None) -> None:
    if scheme not in SCHEMES:
        raise UsageError("error.map_option", option="scheme", value=scheme, expected=", ".join(SCHEMES))
    if scheme not in SELF_COUNTED and not 2 <= n_classes <= MAX_CLASSES:
        raise UsageError("error.map_option", option="n_classes", value=n_classes, expected=f"2–{MAX_CLASSES}")
    steps = list(bounds or ())
    if scheme == "given" and not (3 <= len(steps) <= MAX_CLASSES + 1 and steps == sorted(set(steps))):
        raise UsageError("error.map_bounds", value=steps, most=MAX_CLASSES)


def _given_classes(values: np.ndarray, bounds: tuple[float, ...], decimals: int | None) -> Classes:
    """Given bounds; a value outside them is an error, never a colour it does not have."""
    outside = values[(values < bounds[0]) | (values > bounds[-1])]
    if len(outside):
        raise UsageError("error.map_value_outside_bounds", value=outside[0], low=bounds[0], high=bounds[-1])
    return Classes("given", bounds, _decimals(bounds) if decimals is None else decimals)


def _decimals(bounds: Sequence[float]) -> int:
    """The fewest decimals, 0 to 4, that keep distinct bounds apart and about two figures of the range."""
    distinct = sorted(set(bounds))
    spread = distinct[-1] - distinct[0]
    least = max(0, min(4, 1 - math.floor(math.log10(spread)))) if spread > 0 else 0
    for places in range(least, 4):
        if len({round(bound, places) for bound in distinct}) == len(distinct) and (
            spread or round(distinct[0], places) == distinct[0]
        ):
            return places
    return 4


def _decimals_between(values: np.ndarray, raw: Sequence[float]) -> int:
    """One decimal more than the fewest, where it keeps every unit on its side of the bounds."""
    least = _decimals(raw)
    keeps = all(_between(values, bound, least)[1] for bound in raw[1:-1])
    return least if keeps else min(least + 1, 4)


def _between(values: np.ndarray, bound: float, decimals: int) -> tuple[float, bool]:
    """`bound` rounded so that the values below it stay below and the others do not, and whether that is possible."""
    step = 10.0**decimals
    place = int(np.searchsorted(values, bound, side="left"))
    if place in (0, len(values)):
        return round(float(bound), decimals), True
    low, high = float(values[place - 1]), float(values[place])
    for rounded in (round(float(bound), decimals), math.floor(high * step) / step, math.ceil(low * step) / step):
        if low < rounded <= high:
            return rounded, True
    return round(float(bound), decimals), False


def _rounded(raw: Sequence[float], inner: Sequence[float], decimals: int) -> tuple[float, ...]:
    """The lowest rounded down and the highest up, so that no value falls out; equal bounds become one."""
    step = 10.0**decimals
    low, high = math.floor(raw[0] * step + 1e-9) / step, math.ceil(raw[-1] * step - 1e-9) / step
    between = {round(float(bound), decimals) for bound in inner}
    steps = sorted({low, high, *(bound for bound in between if low < bound < high)})
    return tuple(steps) if len(steps) > 1 else (steps[0], steps[0])

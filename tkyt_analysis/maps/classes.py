"""Values → classes of a map: where the bounds lie, what the legend says, which colour."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import format_number, label

SCHEMES = ("quantile", "equal", "fisher_jenks", "given")
# ColorBrewer 2.0 YlGnBu, 7 classes (Brewer & Harrower; Apache 2.0): readable with every kind of colour blindness
# and in a grey print, where it runs from light to dark. The palest yellow is left out: it looks like paper.
PALETTE = ("#edf8b1", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84")
MAX_CLASSES = len(PALETTE)


@dataclass(frozen=True)
class Classes:
    """Class i holds bounds[i] <= value < bounds[i + 1]; the last class holds its upper bound too."""

    scheme: str
    bounds: tuple[float, ...]
    decimals: int

    @property
    def number(self) -> int:
        """How many classes there are."""
        return max(len(self.bounds) - 1, 0)

    @property
    def colours(self) -> list[str]:
        """One colour per class, light (low) to dark (high)."""
        picks = np.linspace(0, MAX_CLASSES - 1, self.number) if self.number > 1 else [2] * self.number
        return [PALETTE[round(float(pick))] for pick in picks]

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

    scheme : "quantile" (about as many units in each class), "equal" (equal width), "fisher_jenks" (least
        squares within classes: Fisher, JASA 1958;53:789-98), "given" (`bounds`, for maps that are compared)
    decimals : of the bounds; default: as few as keep them apart (at most 4)
    """
    _require_options(scheme, n_classes, bounds)
    values = np.sort(np.asarray(values, dtype=float))
    if scheme == "given":
        return _given_classes(values, tuple(float(bound) for bound in bounds or ()), decimals)
    if not len(values):
        return Classes(scheme, (), decimals or 0)
    raw = {"quantile": _quantile, "equal": _equal, "fisher_jenks": fisher_jenks}[scheme](values, n_classes)
    if scheme == "equal":
        places = _decimals(raw) if decimals is None else decimals
        return Classes(scheme, _rounded(raw, raw[1:-1], places), places)
    places = _decimals_between(values, raw) if decimals is None else decimals
    return Classes(scheme, _rounded(raw, [_between(values, bound, places)[0] for bound in raw[1:-1]], places), places)


def _require_options(scheme: str, n_classes: int, bounds: Sequence[float] | None) -> None:
    if scheme not in SCHEMES:
        raise UsageError("error.map_option", option="scheme", value=scheme, expected=", ".join(SCHEMES))
    if not 2 <= n_classes <= MAX_CLASSES:
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


def _quantile(values: np.ndarray, number: int) -> list[float]:
    return list(np.quantile(values, np.linspace(0, 1, number + 1)))


def _equal(values: np.ndarray, number: int) -> list[float]:
    return list(np.linspace(values[0], values[-1], number + 1))


def fisher_jenks(values: np.ndarray, number: int) -> list[float]:
    """Bounds of the `number` classes with the least sum of squares within them (exact, dynamic programming).

    A bound lies midway between the two values that it parts.
    """
    values = np.sort(values)
    number = min(number, len(np.unique(values)))
    centred = values - values.mean()
    total = np.concatenate([[0.0], np.cumsum(centred)])
    squares = np.concatenate([[0.0], np.cumsum(centred**2)])
    ends = np.arange(len(values) + 1)
    count = np.maximum(ends[None] - ends[:, None], 1)
    within = squares[None] - squares[:, None] - (total[None] - total[:, None]) ** 2 / count
    within[ends[None] <= ends[:, None]] = np.inf  # within[i, j]: sum of squares of values[i:j]
    best, starts = within[0], []
    for _ in range(number - 1):
        cost = best[:, None] + within
        starts.append(cost.argmin(axis=0))
        best = cost.min(axis=0)
    cuts = [len(values)]
    for start in reversed(starts):
        cuts.append(int(start[cuts[-1]]))
    return [values[0], *((values[cut - 1] + values[cut]) / 2 for cut in cuts[:0:-1]), values[-1]]


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


def ink_on(colour: str) -> str:
    """Black or white, whichever has the better contrast on `colour` (WCAG relative luminance)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#1a1a1a" if luminance > 0.179 else "#ffffff"

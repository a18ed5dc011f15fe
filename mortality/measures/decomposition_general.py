"""Which parameters make the difference between two values of any function: along a line, or step by step.

The function takes (k, parameters) and answers k values, so that many series and many changes are asked in one call. It may
be anything that follows from rates: life expectancy, a probability of dying, a standardised rate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mortality.measures.life_table_inputs import Numbers
from tkyt_analysis.errors import UsageError

Function = Callable[[Numbers, npt.NDArray[np.intp]], Numbers]
DIRECTIONS = ("up", "down", "both")
CHUNK = 4_000_000  # parameters given to the function at once: memory stays flat as series grow
SMALLEST_STEP = 3e-4  # of the rate: where two rates are (nearly) equal the slope is taken over this width


def line_slopes(function: Function, first: Numbers, second: Numbers, *, steps: int = 20, floor: float = 0.0) -> Numbers:
    """Mean slope of the function by each parameter along the straight line from `first` to `second`.

    Parameters
    ----------
    function : (k, parameters), (k,) number of the series of each row → (k,) values
    first, second : (series, parameters)
    steps : pieces of the line; the slope is taken over each piece, around its middle
    floor : parameters do not go below (rates: 0)

    Returns
    -------
    (series, parameters). Slope times difference is the contribution (Horiuchi, Wilmoth & Pletcher 2008); they add up to the
    difference of the function but for an error that falls with the square of `steps`.
    """
    if steps < 1:
        raise UsageError("error.decomposition_steps", value=steps)
    piece = (second - first) / steps
    total = np.zeros(first.shape)
    for at in range(steps):
        middle = first + piece * (at + 0.5)
        half = np.maximum(np.abs(piece) / 2, np.maximum(SMALLEST_STEP * np.abs(middle), 1e-9))
        total += _slopes_at(function, middle, half, floor)
    return total / steps


def slopes_at(function: Function, rates: Numbers, *, floor: float = 0.0) -> Numbers:
    """Slope of the function by each parameter at `rates` (series, parameters), by central differences."""
    return _slopes_at(function, rates, np.maximum(SMALLEST_STEP * np.abs(rates), 1e-9), floor)


def _slopes_at(function: Function, middle: Numbers, half: Numbers, floor: float) -> Numbers:
    """(f(high) - f(low)) / (high - low) by each parameter, the others at the middle; (series, parameters)."""
    series, parameters = middle.shape
    high, low = middle + half, np.maximum(middle - half, floor)
    slopes = np.empty(middle.shape)
    at_once = max(1, CHUNK // (2 * parameters**2))
    for start in range(0, series, at_once):
        rows = slice(start, start + at_once)
        up, down = _one_by_one(middle[rows], high[rows]), _one_by_one(middle[rows], low[rows])
        number = np.repeat(np.arange(series)[rows], parameters)
        values = function(np.concatenate([up, down]), np.concatenate([number, number]))
        rise = (values[: len(up)] - values[len(up) :]).reshape(-1, parameters)
        slopes[rows] = rise / (high[rows] - low[rows])
    return slopes


def _one_by_one(base: Numbers, changed: Numbers) -> Numbers:
    """(series x parameters, parameters): in the p-th copy of each series the p-th parameter is the changed one."""
    series, parameters = base.shape
    copies = np.repeat(base[:, np.newaxis, :], parameters, axis=1)
    own = np.arange(parameters)
    copies[:, own, own] = changed
    return copies.reshape(-1, parameters)


def stepwise(
    function: Function, first: Numbers, second: Numbers, *, direction: str = "both", symmetric: bool = True
) -> Numbers:
    """Contribution of each parameter when the first values are replaced by the second one after another.

    direction : "up" from the first parameter on, "down" from the last, "both" the mean of the two
    symmetric : the mean of replacing first by second and second by first (Andreev, Shkolnikov & Begun 2002)

    Returns (series, parameters); the contributions add up to the difference exactly.
    """
    if direction not in DIRECTIONS:
        raise UsageError("error.decomposition_direction", value=direction, known=", ".join(DIRECTIONS))
    ways = {"up": (False,), "down": (True,), "both": (False, True)}[direction]
    passes = [_replaced(function, first, second, reverse) for reverse in ways]
    if symmetric:
        passes += [-_replaced(function, second, first, reverse) for reverse in ways]
    return np.mean(passes, axis=0)


def _replaced(function: Function, first: Numbers, second: Numbers, reverse: bool) -> Numbers:
    """Change of the function as each parameter in turn takes its second value and keeps it."""
    order, done = np.arange(first.shape[1]), np.arange(first.shape[1] + 1)[:, np.newaxis]
    taken = order >= len(order) - done if reverse else order < done  # (mixtures, parameters)
    changes = np.diff(_values(function, first, second, taken), axis=1)
    return changes[:, ::-1] if reverse else changes


def _values(function: Function, first: Numbers, second: Numbers, taken: npt.NDArray[np.bool_]) -> Numbers:
    """The function of each mixture of first and second values; (series, mixtures)."""
    series, parameters = first.shape
    values = np.empty((series, len(taken)))
    at_once = max(1, CHUNK // taken.size)
    for start in range(0, series, at_once):
        rows = slice(start, start + at_once)
        mixed = np.where(taken, second[rows, np.newaxis, :], first[rows, np.newaxis, :])
        number = np.repeat(np.arange(series)[rows], len(taken))
        values[rows] = function(mixed.reshape(-1, parameters), number).reshape(-1, len(taken))
    return values

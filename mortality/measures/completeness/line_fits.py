"""Lines y = intercept + slope · x through points, for many series and many ranges of ages at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Line = tuple[Numbers, Numbers]


def fit_lines(x: Numbers, y: Numbers, masks: Mask, *, fit: str = "oldschool") -> Line:
    """intercept, slope, each (series, ranges).

    x, y : (series, ages); masks : (ranges, ages)
    fit : "oldschool" (slope = standard deviation of y over that of x, through the means), "ols" (least squares), "deming"
        (orthogonal), "tukey" (resistant line through the medians of the outer thirds)
    """
    fit = fit_word(fit)
    if fit not in FITS:
        raise UsageError("error.completeness_option", option="fit", found=fit, expected=", ".join(FITS))
    with np.errstate(divide="ignore", invalid="ignore"):
        return FITS[fit](x, y, masks)


def _moments(x: Numbers, y: Numbers, masks: Mask) -> tuple[Numbers, Numbers, Numbers, Numbers, Numbers]:
    """Means of x and y, and the sums of squares xx, yy, xy about them: (series, ranges) each."""
    weight = masks / masks.sum(axis=1, keepdims=True)
    mean_x, mean_y = x @ weight.T, y @ weight.T
    dx = (x[:, None, :] - mean_x[..., None]) * masks
    dy = (y[:, None, :] - mean_y[..., None]) * masks
    return mean_x, mean_y, (dx * dx).sum(axis=-1), (dy * dy).sum(axis=-1), (dx * dy).sum(axis=-1)


def _through_means(mean_x: Numbers, mean_y: Numbers, slope: Numbers) -> Line:
    return mean_y - slope * mean_x, slope


def _oldschool(x: Numbers, y: Numbers, masks: Mask) -> Line:
    mean_x, mean_y, xx, yy, _ = _moments(x, y, masks)
    return _through_means(mean_x, mean_y, np.sqrt(yy / xx))


def _ols(x: Numbers, y: Numbers, masks: Mask) -> Line:
    mean_x, mean_y, xx, _, xy = _moments(x, y, masks)
    return _through_means(mean_x, mean_y, xy / xx)


def _deming(x: Numbers, y: Numbers, masks: Mask) -> Line:
    mean_x, mean_y, xx, yy, xy = _moments(x, y, masks)
    return _through_means(mean_x, mean_y, (yy - xx + np.sqrt((yy - xx) ** 2 + 4 * xy**2)) / (2 * xy))


def _tukey(x: Numbers, y: Numbers, masks: Mask) -> Line:
    lines = [_resistant(x[:, mask], y[:, mask]) for mask in masks]
    return np.column_stack([line[0] for line in lines]), np.column_stack([line[1] for line in lines])


def _resistant(x: Numbers, y: Numbers, rounds: int = 10) -> Line:
    """Tukey's resistant line (Velleman & Hoaglin, ABC of EDA, 1981, chapter 5): slope polished on the residuals' medians."""
    order = np.argsort(x, axis=1, kind="stable")
    x, y = np.take_along_axis(x, order, 1), np.take_along_axis(y, order, 1)
    outer = (x.shape[1] + 1) // 3  # of 3k, 3k+1, 3k+2 points the outer thirds hold k, k, k+1
    left, right = slice(0, outer), slice(x.shape[1] - outer, None)
    distance = np.median(x[:, right], axis=1) - np.median(x[:, left], axis=1)
    slope = np.zeros(len(x))
    for _ in range(rounds):
        rest = y - slope[:, None] * x
        slope = slope + (np.median(rest[:, right], axis=1) - np.median(rest[:, left], axis=1)) / distance
    return np.median(y - slope[:, None] * x, axis=1), slope


FITS: dict[str, Callable[[Numbers, Numbers, Mask], Line]] = {
    "oldschool": _oldschool,
    "ols": _ols,
    "deming": _deming,
    "tukey": _tukey,
}


def r_squared(x: Numbers, y: Numbers, masks: Mask) -> Numbers:
    """(series, ranges): squared correlation of x and y; missing where either does not vary."""
    _, _, xx, yy, xy = _moments(x, y, masks)
    with np.errstate(divide="ignore", invalid="ignore"):
        return xy**2 / (xx * yy)


def rising(x: Numbers, y: Numbers, masks: Mask) -> Mask:
    """(series, ranges): whether y rises with x, as it must for a completeness."""
    return _moments(x, y, masks)[4] > 0


def residuals(x: Numbers, y: Numbers, line: Line) -> Numbers:
    """(series, ranges, ages): y minus the line, at every age."""
    return y[:, None, :] - line[0][..., None] - line[1][..., None] * x[:, None, :]


def misfit(x: Numbers, y: Numbers, masks: Mask, line: Line, *, choose: str) -> Numbers:
    """(series, ranges): what the choice of ages makes as small as it can.

    choose : "r2" (minus the squared correlation), "rmse", "mae", "mape", "orss" (spread along the second axis)
    """
    choose = choose_word(choose)
    if choose == "r2":
        return -r_squared(x, y, masks)
    rest, number = residuals(x, y, line), masks.sum(axis=1)
    if choose == "rmse":
        return np.sqrt((rest**2 * masks).sum(axis=-1) / number)
    if choose == "mae":
        return (np.abs(rest) * masks).sum(axis=-1) / number
    if choose == "mape":
        return (np.abs(rest / y[:, None, :]) * masks).sum(axis=-1) / number
    if choose == "orss":
        return np.sqrt((rest**2 * masks).sum(axis=-1) / number / (1 + line[1] ** 2))
    raise UsageError("error.completeness_option", option="choose", found=choose, expected="r2, rmse, mae, mape, orss")


CHOICES = ("r2", "rmse", "mae", "mape", "orss")
_OTHER_FITS = {
    "lm": "ols", "least_squares": "ols", "tls": "deming", "orthogonal": "deming", "total_least_squares": "deming",
    "resistant": "tukey", "median": "tukey", "old_school": "oldschool", "sd": "oldschool", "sd_ratio": "oldschool",
}  # fmt: skip


def fit_word(fit: str) -> str:
    """The name of `FITS` that is meant: R's DDM also says "lm", "tls", "orthogonal", "resistant"."""
    return str(option_word(fit, FITS, _OTHER_FITS))


def choose_word(choose: str) -> str:
    """The name of `CHOICES` that is meant."""
    return str(option_word(choose, CHOICES, {"r_squared": "r2", "r²": "r2", "rms": "rmse"}))

"""Ranges of ages that a line or a mean is fitted to: all runs of neighbouring ages, or the ones that somebody fixed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
LOWEST_AGE, HIGHEST_AGE, MINIMUM_AGES = 15, 75, 8


def all_ranges(
    age: Numbers, usable: Mask, *, lowest: float = LOWEST_AGE, highest: float = HIGHEST_AGE, minimum: int = MINIMUM_AGES
) -> Mask:
    """(ranges, ages): every run of at least `minimum` usable ages from `lowest` to `highest`; the longest first, then the youngest."""
    places = np.flatnonzero(usable & (age >= lowest) & (age <= highest))
    runs = [
        places[start : start + length]
        for length in range(len(places), max(minimum, 3) - 1, -1)
        for start in range(len(places) - length + 1)
    ]
    masks = np.zeros((len(runs), len(age)), dtype=bool)
    for row, run in enumerate(runs):
        masks[row, run] = True
    return masks


def fixed_range(age: Numbers, usable: Mask, ages: Sequence[float]) -> Mask:
    """(1, ages): two numbers are the first and the last age, more are the ages themselves."""
    wanted = np.asarray(ages, dtype=float)
    inside = (age >= wanted.min()) & (age <= wanted.max()) if wanted.size == 2 else np.isin(age, wanted)
    mask = inside & usable
    if mask.sum() < 3:
        raise InputError(
            "error.completeness_fixed_ages",
            found=", ".join(f"{one:g}" for one in wanted),
            ages=", ".join(f"{a:g}" for a in age),
        )
    return mask[None, :]


def ranges_to_fit(
    age: Numbers, usable: Mask, ages: Sequence[float] | None, *, lowest: float, highest: float, minimum: int
) -> tuple[Mask, bool]:
    """(ranges, ages) the fixed range first where `ages` says one, then all; and whether there is any (else all usable ages)."""
    masks = all_ranges(age, usable, lowest=lowest, highest=highest, minimum=minimum)
    if ages is not None:
        masks = np.vstack([fixed_range(age, usable, ages), masks])
    enough = len(masks) > 0
    return (masks if enough else usable[None, :]), enough


def chosen_range(criterion: Numbers, ages: Sequence[float] | None) -> npt.NDArray[np.intp]:
    """(series,): the range that is used, the fixed one or the best."""
    return first_best(criterion) if ages is None else np.zeros(len(criterion), dtype=np.intp)


def first_best(criterion: Numbers) -> npt.NDArray[np.intp]:
    """(series,): the range with the smallest criterion of (series, ranges); of equal ones the longest."""
    return np.argmin(np.where(np.isnan(criterion), np.inf, criterion), axis=1)


def ends(age: Numbers, masks: Mask) -> tuple[Numbers, Numbers]:
    """(ranges,) first and last age of each range."""
    return age[masks.argmax(axis=1)], age[masks.shape[1] - 1 - masks[:, ::-1].argmax(axis=1)]


def chosen_columns(
    age: Numbers, masks: Mask, completeness: Numbers, chosen: npt.NDArray[np.intp], limits: tuple[Numbers, Numbers]
) -> dict[str, Numbers]:
    """completeness, lower, upper, lowest_age and highest_age of the range that each series uses."""
    low_age, high_age = ends(age, masks)
    return {
        "completeness": completeness[np.arange(len(chosen)), chosen],
        "lower": limits[0],
        "upper": limits[1],
        "lowest_age": low_age[chosen],
        "highest_age": high_age[chosen],
    }


def band(values: Numbers) -> tuple[Numbers, Numbers]:
    """Smallest and largest value of each row; missing where the row has none."""
    known = np.isfinite(values)
    low = np.where(known, values, np.inf).min(axis=1, initial=np.inf)
    high = np.where(known, values, -np.inf).max(axis=1, initial=-np.inf)
    some = known.any(axis=1)
    return np.where(some, low, np.nan), np.where(some, high, np.nan)

"""Relations that a form keeps without anybody having said so: totals that are the sums of parts, parts within wholes.

Learned from the reports themselves, then held against each report. A sum is believed when it holds exactly in most
reports; an order ("deaths within admissions") when it is broken far less often than figures of unrelated months would
break it. Nothing is assumed about which element is what.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

_ROUNDS = 12  # of reweighting, towards the smallest sum of absolute residuals
_FORMS_TO_LEARN = 1_500
_FORMS_TO_CONFIRM = 30_000


@dataclass(frozen=True)
class Sum:
    """total = sum of parts (places in the form). share : of the reports with all figures in which it holds exactly."""

    total: int
    parts: tuple[int, ...]
    share: float
    reports: int


@dataclass(frozen=True)
class Order:
    """part ≤ whole. broken : share of reports that break it; by_chance : share that figures of different periods would."""

    part: int
    whole: int
    broken: float
    by_chance: float


def learn_sums(values: np.ndarray, *, minimum_share: float = 0.7, minimum_reports: int = 50) -> list[Sum]:
    """Sums of two or more parts that hold exactly in at least `minimum_share` of the reports where all parts are not trivially zero.

    values : (units, periods, series). A total is explained by the parts that the smallest absolute residuals choose
    (coefficients rounded to 0 or 1), on a sample of reports; the share is then counted on up to 30,000 others.
    """
    forms = values.reshape(-1, values.shape[2])
    rng = np.random.default_rng(20251122)
    found: list[Sum] = []
    for total in range(forms.shape[1]):
        seen = np.flatnonzero(forms[:, total] > 0)
        if len(seen) < minimum_reports:
            continue
        sample = forms[np.sort(rng.permutation(seen)[:_FORMS_TO_CONFIRM])]
        parts = _parts_of(sample, total, rng)
        one = _confirmed(sample, total, parts, minimum_reports) if len(parts) >= 2 else None
        if one and one.share >= minimum_share:
            found.append(one)
    return _without_consequences(found)


def _parts_of(sample: np.ndarray, total: int, rng: np.random.Generator) -> np.ndarray:
    """Places of the elements that add up to the total, by reweighted least squares with coefficients in [0, 1]."""
    whole = sample[:, total]
    seen = np.isfinite(sample).mean(axis=0) >= 0.2
    with np.errstate(invalid="ignore"):
        within = (sample <= whole[:, None]).sum(axis=0) >= 0.8 * np.isfinite(sample).sum(axis=0)
        filled = (sample > 0).sum(axis=0) >= 0.01 * len(sample)
    candidates = np.flatnonzero(seen & within & filled)
    candidates = candidates[candidates != total]
    if len(candidates) < 2:
        return candidates[:0]
    rows = sample[np.isfinite(sample[:, candidates]).mean(axis=1) > 0.5][:_FORMS_TO_LEARN]
    if len(rows) < 30:
        return candidates[:0]
    a, y = np.nan_to_num(rows[:, candidates]), rows[:, total]
    return candidates[_smallest_absolute(a, y)]


def _smallest_absolute(a: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Which columns have a coefficient near 1 in the least absolute residuals fit of y on a (none below zero)."""
    keep = np.arange(a.shape[1])
    weight = 1 / np.sqrt(y + 1)
    for round_ in range(_ROUNDS):
        scaled = a[:, keep] * weight[:, None]
        gram = scaled.T @ scaled + 1e-6 * np.eye(len(keep))
        coefficient = np.linalg.solve(gram, scaled.T @ (y * weight))
        residual = np.abs(y - a[:, keep] @ coefficient)
        weight = 1 / np.sqrt(np.maximum(residual, 0.02 if round_ > 4 else 0.3))
        if round_ >= 2:
            stay = coefficient > (0.05 if round_ < 6 else 0.3)
            if not stay.any():
                return keep[:0]
            keep, coefficient = keep[stay], coefficient[stay]
    return keep[np.abs(coefficient - 1) < 0.15]


def _confirmed(sample: np.ndarray, total: int, parts: np.ndarray, minimum_reports: int) -> Sum | None:
    """How often the sum holds, in reports where at least two parts are not zero or the total differs from a single part."""
    values = sample[:, parts]
    telling = np.isfinite(values).all(axis=1) & ((values > 0).sum(axis=1) >= 2)
    if telling.sum() < max(10, minimum_reports // 3) or (values[telling] > 0).mean(axis=0).min() < 0.02:
        return None
    share = float((values[telling].sum(axis=1) == sample[telling, total]).mean())
    return Sum(total, tuple(int(one) for one in parts), share, int(telling.sum()))


def _without_consequences(found: list[Sum]) -> list[Sum]:
    """Each total once; a sum that only restates another (total − parts = part) is not learned because coefficients are positive."""
    return sorted(found, key=lambda one: one.total)


def learn_orders(
    values: np.ndarray, *, most_broken: float = 0.02, times_fewer: float = 8.0, minimum_breaches: int = 40
) -> list[Order]:
    """Pairs part ≤ whole that are broken in at most `most_broken` of the reports, and at least `times_fewer` times less
    often than the part of one period exceeds the whole of the next (of which at least `minimum_breaches` were seen).
    """
    units, periods, series = values.shape
    if periods < 2:
        return []
    step = max(1, units * periods // 20_000)
    now, following = values[::step, :-1].reshape(-1, series), values[::step, 1:].reshape(-1, series)
    found = []
    with np.errstate(invalid="ignore"):
        for whole in range(series):
            both = (np.isfinite(now) & np.isfinite(now[:, [whole]])).sum(axis=0)
            real = (now > now[:, [whole]]).sum(axis=0)
            chance = (now > following[:, [whole]]).sum(axis=0)
            smaller = np.nansum(now, axis=0) < np.nansum(now[:, whole])
            good = (
                smaller & (chance >= minimum_breaches) & (real <= most_broken * both) & (times_fewer * real <= chance)
            )
            found += [
                Order(
                    int(part), whole, float(real[part] / max(both[part], 1)), float(chance[part] / max(both[part], 1))
                )
                for part in np.flatnonzero(good)
                if part != whole
            ]
    known = {(one.part, one.whole) for one in found}
    return _closest(found) + [one for one in _of_companions(values) if (one.part, one.whole) not in known]


def _of_companions(values: np.ndarray, *, most_broken: float = 0.005, largest_ratio: float = 0.25) -> list[Order]:
    """Orders between an element and its companion that is at least four times as large: chance would hardly break them,
    so nothing shows that they are rules; but a report that does break one is wrong in either case."""
    from tkyt_analysis.quality.special.ratios import companions

    found = []
    with np.errstate(invalid="ignore"):
        for part, whole in companions(values):
            x, y = values[:, :, part], values[:, :, whole]
            both = np.isfinite(x) & np.isfinite(y)
            broken = float((x > y).sum() / max(both.sum(), 1))
            if x[both].sum() <= largest_ratio * y[both].sum() and broken <= most_broken:
                found.append(Order(part, whole, broken, max(10 * broken, 0.01)))
    return found


def _closest(found: list[Order]) -> list[Order]:
    """Of orders that follow from others (a ≤ b, b ≤ c, so a ≤ c) only the closest: at most the three that chance would break most."""
    kept: list[Order] = []
    for part in sorted({one.part for one in found}):
        own = sorted((one for one in found if one.part == part), key=lambda one: -one.by_chance)
        wholes = {one.whole for one in own}
        direct = [one for one in own if not any(o.part in wholes and o.whole == one.whole for o in found)]
        kept += (direct or own)[:3]
    return kept

"""Zero or missing: what a blank cell in a form that was sent means, and whether a form of nothing but zeros is true.

For each cell the count to be expected comes from the unit's other months (never from the cell itself), shrunk to the
element's mean times the unit's size; counts vary as a negative binomial. A true zero is left blank with the unit's own
habit, any other count with the form's; both are estimated from what the units do elsewhere (EM).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock

_PRIOR_MONTHS = 1.0
_HABIT_CELLS = 5.0
_ROUNDS = 25


@dataclass(frozen=True)
class ZeroModel:
    """Shape (units, periods, series) each: expected count, probability of a true zero, judged (enough other months),
    and of each blank the probability that it is a true zero (NaN elsewhere)."""

    expected: np.ndarray
    zero: np.ndarray
    assessable: np.ndarray
    blank_is_zero: np.ndarray


def zero_model(values: np.ndarray, reported: np.ndarray, *, least_others: int = 3) -> ZeroModel:
    """The model above for the values (units, periods, series; NaN blank) of one form and which forms were sent."""
    known = np.isfinite(values)
    counts = _tamed(values, known)
    expected = _expected(counts, known)
    shape = _shape(counts, expected, known)
    zero = (shape / (shape + expected)) ** shape
    others = known.sum(axis=1, keepdims=True) - known
    written = known.any(axis=(0, 1))
    blank = reported[:, :, None] & ~known & written
    assessable = others >= least_others
    posterior = _blank_is_zero(zero, blank & assessable, known & (counts == 0), known & (counts > 0))
    return ZeroModel(expected, zero, assessable, posterior)


def _tamed(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Counts cut at ten more than three times the unit's median: one typing error must not make every zero likely."""
    median = np.nan_to_num(np.nanmedian(np.where(known.any(axis=1, keepdims=True), values, 0.0), axis=1, keepdims=True))
    return np.where(known, np.clip(np.nan_to_num(values), 0, 3 * np.maximum(median, 0) + 10), 0.0)


def _expected(counts: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean of the unit's other months, shrunk to (mean of the element) × (size of the unit)."""
    sums, numbers = counts.sum(axis=1), known.sum(axis=1)
    element = sums.sum(axis=0) / np.maximum(numbers.sum(axis=0), 1)
    usual = (numbers * element).sum(axis=1)
    size = (sums.sum(axis=1) + 1) / (usual + 1)
    prior = np.maximum(element * size[:, None], 1e-3)
    others_sum = sums[:, None, :] - counts
    others_number = numbers[:, None, :] - known
    return (others_sum + _PRIOR_MONTHS * prior[:, None, :]) / (others_number + _PRIOR_MONTHS)


def _shape(counts: np.ndarray, expected: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Shape of the negative binomial of each element, by moments; between 0.3 and 1,000 (nearly Poisson)."""
    excess = np.where(known, (counts - expected) ** 2 - expected, 0).sum(axis=(0, 1))
    square = np.where(known, expected**2, 0).sum(axis=(0, 1))
    return np.clip(square / np.maximum(excess, 1e-9), 0.3, 1000.0)


def _blank_is_zero(zero: np.ndarray, blank: np.ndarray, zeros: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """P(true zero | blank), NaN elsewhere; habits of leaving zeros and counts blank by expectation-maximisation."""
    unit, period, series = np.nonzero(blank)
    chance = zero[unit, period, series]
    posterior = np.full(zero.shape, np.nan)
    if not len(chance):
        return posterior
    zeros_of_unit = zeros.sum(axis=(1, 2)).astype(float)
    positives = positive.sum()
    is_zero = chance.copy()
    for _ in range(_ROUNDS):
        of_unit = np.bincount(unit, is_zero, minlength=len(zeros_of_unit))
        habit = (is_zero.sum() + 0.5) / (is_zero.sum() + zeros_of_unit.sum() + 1)
        own = (of_unit + _HABIT_CELLS * habit) / (of_unit + zeros_of_unit + _HABIT_CELLS)
        lost = ((1 - is_zero).sum() + 0.5) / ((1 - is_zero).sum() + positives + 1)
        is_zero = chance * own[unit] / (chance * own[unit] + (1 - chance) * lost)
    posterior[unit, period, series] = is_zero
    return posterior


def zero_forms(values: np.ndarray, model: ZeroModel, *, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """Forms with nothing but zeros: (units, periods) probability that a missing report was stored as zeros (NaN: another
    form), and the sum that was to be expected. rate : how often that happens at all (prior)."""
    known = np.isfinite(values)
    total = np.nansum(values, axis=2)
    expected = np.where(known, model.expected, 0).sum(axis=2)
    whole = known.any(axis=2)
    only_zero = whole & (total == 0) & (np.where(known, model.assessable, True)).all(axis=2)
    excess = np.where(whole, (total - expected) ** 2 - expected, 0).sum()
    shape = np.clip(np.where(whole, expected**2, 0).sum() / max(excess, 1e-9), 0.3, 1000.0)
    by_chance = (shape / (shape + expected)) ** shape
    by_cells = np.exp(np.where(known, np.log(np.maximum(model.zero, 1e-300)), 0).sum(axis=2))
    chance = np.maximum(by_chance, np.minimum(by_cells, by_chance))
    return np.where(only_zero, rate / (rate + (1 - rate) * chance), np.nan), expected


def judge_zeros(form: FormBlock, parameters: Mapping[str, Any]) -> tuple[pd.DataFrame, int, int]:
    """Blanks that hide a count, and forms of nothing but zeros, where at least `least_expected` events hang on it.

    parameters : least_expected (5), least_probability (0.5), zero_form_rate (0.005)
    judged and total count the blanks in forms that were sent and the forms of nothing but zeros.
    """
    least = float(parameters.get("least_expected", 5))
    likely = float(parameters.get("least_probability", 0.5))
    model = zero_model(form.values, form.reported)
    rate = float(parameters.get("zero_form_rate", 0.005))
    whole, expected = zero_forms(form.values, model, rate=rate)
    blank = form.reported[:, :, None] & ~np.isfinite(form.values) & np.isfinite(form.values).any(axis=(0, 1))
    blank &= form.asked[None, :, None]
    whole = np.where(form.asked[None, :], whole, np.nan)
    zero_only = form.reported & (np.nansum(form.values, axis=2) == 0) & form.asked[None, :]
    judged = int((blank & model.assessable).sum() + np.isfinite(whole).sum())
    rows = pd.concat([_blank_rows(form, model, blank, least, likely), _form_rows(form, whole, expected, least, likely)])
    return rows, judged, int(blank.sum() + zero_only.sum())


def _blank_rows(form: FormBlock, model: ZeroModel, blank: np.ndarray, least: float, likely: float) -> pd.DataFrame:
    hidden = 1 - model.blank_is_zero
    with np.errstate(invalid="ignore"):
        unit, period, series = np.nonzero(blank & (hidden >= likely) & (hidden * model.expected >= least))
    return _rows(
        form, unit, period, [form.series[one] for one in series], model.expected[unit, period, series], hidden[unit, period, series]
    ).assign(what="blank")  # fmt: skip


def _form_rows(form: FormBlock, whole: np.ndarray, expected: np.ndarray, least: float, likely: float) -> pd.DataFrame:
    with np.errstate(invalid="ignore"):
        unit, period = np.nonzero((whole >= likely) & (expected >= least))
    rows = _rows(form, unit, period, [("", "")] * len(unit), expected[unit, period], whole[unit, period])
    return rows.assign(value=0.0, explanation="blank_as_zero", what="zero_form")


def _rows(
    form: FormBlock, unit: np.ndarray, period: np.ndarray, series: list[tuple[str, str]], expected: np.ndarray, probability: np.ndarray
) -> pd.DataFrame:  # fmt: skip
    periods = np.array([one.period_id for one in form.periods], dtype=object)
    return pd.DataFrame(
        {
            "unit_id": form.units[unit],
            "period_id": periods[period],
            "element_id": [one[0] for one in series],
            "category_id": [one[1] for one in series],
            "value": np.nan,
            "expected": expected.round(1),
            "verdict": "missing_or_zero",
            "explanation": "",
            "probability": probability.round(4),
            "at_stake": (expected * probability).round(1),
        }
    )

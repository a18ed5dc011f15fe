"""How well assigned causes agree with true ones: for a population (cause fractions) and for single deaths (CCC).

Sources: Murray CJL et al., Robust metrics for assessing the performance of different verbal autopsy cause assignment
methods, Population Health Metrics 2011;9:28; Flaxman AD et al., Measuring causes of death in populations: a new metric
that corrects cause-specific mortality fractions for chance, Population Health Metrics 2015;13:28.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.errors import InputError

CHANCE = 1 - np.exp(-1)  # CSMF accuracy that guessing reaches
REPLICATES, SEED = 1000, 20261123
Fractions: TypeAlias = pd.Series | Mapping[Any, float] | Sequence[float] | npt.NDArray[np.float64]
_COLUMNS = {
    "true": ("true", "truth", "true_cause", "actual", "reference", "gold"),
    "predicted": ("predicted", "pred", "predicted_cause", "assigned", "estimated", "cod"),
}


def csmf_accuracy(true: Fractions, predicted: Fractions) -> float:
    """1 − Σ|true − predicted| / (2 (1 − least true fraction)); Series or {cause: fraction}, or lists in the same order.

    Fractions are taken as they are; deaths (where they sum to more than 1.5) are divided by their sum. A cause that one of the two
    Series lacks counts as 0 there; lists must be equally long.
    """
    known, found = _fractions_of(true), _fractions_of(predicted)
    if not (hasattr(true, "keys") and hasattr(predicted, "keys")) and len(known) != len(found):
        raise InputError("error.csmf_shapes", found=len(found), expected=len(known))
    both = pd.concat([known.rename("true"), found.rename("predicted")], axis=1).fillna(0.0)
    if both["true"].min() >= 1:
        raise InputError("error.csmf_one_cause")
    return float(1 - (both["true"] - both["predicted"]).abs().sum() / (2 * (1 - both["true"].min())))


def _fractions_of(given: Fractions) -> pd.Series:
    """Fractions by cause; InputError for words, missing or negative figures, and where nothing was counted."""
    try:
        values = pd.Series(given, dtype=float)
    except (TypeError, ValueError):
        raise InputError("error.csmf_values") from None
    if not len(values) or values.sum() <= 0:
        raise InputError("error.csmf_empty")
    if not (values >= 0).all():
        raise InputError("error.csmf_values")
    return values / values.sum() if values.sum() > 1.5 else values


def chance_corrected_csmf_accuracy(true: Fractions, predicted: Fractions) -> float:
    """CSMF accuracy corrected for chance: 0 is guessing, 1 is perfect."""
    return float((csmf_accuracy(true, predicted) - CHANCE) / (1 - CHANCE))


def chance_corrected_concordance(pairs: pd.DataFrame, *, causes: int | None = None) -> pd.Series:
    """CCC of each true cause: (sensitivity − 1/N) / (1 − 1/N).

    pairs : columns true, predicted, one row per death; causes : N, by default the number of causes that occur
    """
    pairs = _pairs(pairs)
    count = causes or len(set(pairs["true"]) | set(pairs["predicted"]))
    if count < 2:
        raise InputError("error.ccc_one_cause", found=count)
    sensitivity = (pairs["true"] == pairs["predicted"]).groupby(pairs["true"]).mean()
    return ((sensitivity - 1 / count) / (1 - 1 / count)).rename("ccc")


def _pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """The pairs with the columns true and predicted, under whatever usual names they came."""
    written = {str(name).casefold(): name for name in reversed(pairs.columns)}
    found = {word: next((written[name] for name in names if name in written), None) for word, names in _COLUMNS.items()}
    if None in found.values():
        missing = ", ".join(word for word, name in found.items() if name is None)
        raise InputError("error.ccc_columns", missing=missing, found=", ".join(map(str, pairs.columns)))
    table = pd.DataFrame({word: pairs[name] for word, name in found.items()})
    if table.isna().any(axis=None):
        raise InputError("error.ccc_missing", rows=int(table.isna().any(axis=1).sum()))
    return table


def fractions(causes: pd.Series) -> pd.Series:
    """Share of each cause among the deaths."""
    return causes.value_counts(normalize=True)


def agreement(pairs: pd.DataFrame, *, replicates: int = REPLICATES, seed: int = SEED) -> pd.DataFrame:
    """CSMF accuracy, the same corrected for chance, and mean CCC with 95 % limits from resampled deaths.

    pairs : columns true, predicted. Returns measure, value, lower, upper, deaths, replicates, method, status, reason.
    """
    pairs = _pairs(pairs)
    if not len(pairs):
        raise InputError("error.csmf_empty")
    count = len(set(pairs["true"]) | set(pairs["predicted"]))
    true, predicted = pd.factorize(pd.concat([pairs["true"], pairs["predicted"]]))[0].reshape(2, -1)
    random = np.random.default_rng(seed)
    draws = np.array(
        [_measures(true[rows], predicted[rows], count) for rows in (random.integers(0, len(true), len(true)) for _ in range(replicates))]
    )  # fmt: skip
    lower, upper = np.nanpercentile(draws, [2.5, 97.5], axis=0)
    return pd.DataFrame(
        {
            "measure": ["csmf_accuracy", "chance_corrected_csmf_accuracy", "ccc"],
            "value": _measures(true, predicted, count), "lower": lower, "upper": upper,
            "deaths": len(pairs), "replicates": replicates,
            "method": f"percentiles of {replicates} resamples of the deaths", "status": "ok", "reason": "",
        }
    )  # fmt: skip


def _measures(true: np.ndarray, predicted: np.ndarray, count: int) -> tuple[float, float, float]:
    """The three measures over deaths whose causes are numbered 0 … count − 1."""
    known, guessed = (np.bincount(one, minlength=count) / len(one) for one in (true, predicted))
    least = known.min()
    accuracy = 1 - np.abs(known - guessed).sum() / (2 * (1 - least)) if least < 1 else float("nan")
    hits = np.bincount(true[true == predicted], minlength=count)
    present = np.bincount(true, minlength=count)
    sensitivity = hits[present > 0] / present[present > 0]
    concordance = (sensitivity.mean() - 1 / count) / (1 - 1 / count) if count > 1 else float("nan")
    return accuracy, (accuracy - CHANCE) / (1 - CHANCE), concordance


def concordance_by_cause(pairs: pd.DataFrame, *, replicates: int = REPLICATES, seed: int = SEED) -> pd.DataFrame:
    """CCC of each true cause with 95 % limits from resampled deaths.

    pairs : columns true, predicted. Returns cause, deaths (with this true cause), predicted (with this one found), found
    (both), ccc, lower, upper. Limits are over the samples in which the cause occurs.
    """
    pairs = _pairs(pairs)
    if not len(pairs):
        raise InputError("error.csmf_empty")
    codes, names = pd.factorize(pd.concat([pairs["true"], pairs["predicted"]]), sort=True)
    true, predicted = codes.reshape(2, -1)
    count = len(names)
    if count < 2:
        raise InputError("error.ccc_one_cause", found=count)
    random = np.random.default_rng(seed)
    draws = np.array(
        [_concordance(true[rows], predicted[rows], count) for rows in (random.integers(0, len(true), len(true)) for _ in range(replicates))]
    )  # fmt: skip
    present = np.flatnonzero(np.bincount(true, minlength=count))
    lower, upper = np.nanpercentile(draws[:, present], [2.5, 97.5], axis=0)
    return pd.DataFrame(
        {
            "cause": names[present], "deaths": np.bincount(true, minlength=count)[present],
            "predicted": np.bincount(predicted, minlength=count)[present],
            "found": np.bincount(true[true == predicted], minlength=count)[present],
            "ccc": _concordance(true, predicted, count)[present], "lower": lower, "upper": upper,
            "method": f"percentiles of {replicates} resamples of the deaths", "status": "ok", "reason": "",
        }
    )  # fmt: skip


def _concordance(true: np.ndarray, predicted: np.ndarray, count: int) -> np.ndarray:
    """(causes,) CCC, NaN where no death has the cause."""
    present = np.bincount(true, minlength=count)
    hits = np.bincount(true[true == predicted], minlength=count)
    sensitivity = np.divide(hits, present, out=np.full(count, np.nan), where=present > 0)
    return (sensitivity - 1 / count) / (1 - 1 / count)

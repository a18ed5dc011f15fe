"""Cause-specific mortality fractions with limits from resampled deaths."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.agreement import REPLICATES, SEED
from mortality.verbal_autopsy.interva import MOST_CAUSES, UNDETERMINED
from tkyt_analysis.errors import InputError

DECIMALS = 6  # of fractions: more is noise of the order of summation


def weights(summary: pd.DataFrame, causes: list[str]) -> np.ndarray:
    """(deaths, causes + 1) likelihoods of each death's causes; the last column is what stays undetermined."""
    position = {cause: at for at, cause in enumerate(causes)}
    result = np.zeros((len(summary), len(causes) + 1))
    for n in range(1, MOST_CAUSES + 1):
        at = summary[f"cause_{n}"].map(position).to_numpy(float)
        rows = np.flatnonzero(~np.isnan(at))
        np.add.at(result, (rows, at[rows].astype(int)), summary[f"likelihood_{n}"].fillna(0).to_numpy()[rows])
    result[:, -1] = summary["undetermined"].to_numpy()
    return result


def fractions_with_limits(
    summary: pd.DataFrame, causes: list[str], *, replicates: int = REPLICATES, seed: int = SEED
) -> pd.DataFrame:
    """Fraction of each cause and of Undetermined with 95 % limits.

    summary : rows of `interva`; causes : their names in the order wanted
    The limits are percentiles over `replicates` samples of the deaths (with replacement, `seed`): how much chance there is
    in who was interviewed, not whether the method finds the true cause. Returns cause, fraction, lower, upper, deaths.
    """
    if not len(summary):
        raise InputError("error.csmf_empty")
    share = weights(summary, causes)
    random, count = np.random.default_rng(seed), len(share)
    draws = np.stack(
        [np.bincount(random.integers(0, count, count), minlength=count) @ share for _ in range(replicates)]
    )
    lower, upper = np.percentile(draws / count, [2.5, 97.5], axis=0)
    frame = {"fraction": share.mean(axis=0), "lower": lower, "upper": upper}
    return pd.DataFrame({"cause": [*causes, UNDETERMINED]} | {name: one.round(DECIMALS) for name, one in frame.items()}).assign(
        deaths=count
    )  # fmt: skip

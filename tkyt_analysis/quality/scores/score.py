"""Scores of places from counts: a row per component, and the composite with its interval and band."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import wilson_limits
from tkyt_analysis.quality.scores.estimates import (
    Numbers,
    Shares,
    bands,
    clustered_shares,
    composite,
    score_limits,
    shrunken_shares,
)
from tkyt_analysis.quality.scores.settings import COMPOSITE, ScoreSettings

OK, NOT_ASSESSABLE = "ok", "not_assessable"
KEY = ["dataset_id", "place"]
SCORE_COLUMNS = ["dataset_id", "place", "component", "numerator", "denominator", "share", "score", "lower", "upper",
                 "weight", "reliability", "status", "band"]  # fmt: skip


@dataclass(frozen=True)
class Matrix:
    """Counts of places: a row per place (`keys`: KEY), a column per component; 0 of 0 where nothing was judged.

    peers : what kind of unit each is; small units are pulled to the mean of their own kind in the same data set
    units, good_squared, cross, total_squared : of places that are sums over units (see `clustered_shares`), else None
    """

    keys: pd.DataFrame
    peers: npt.NDArray[np.object_]
    good: Numbers
    total: Numbers
    units: Numbers | None = None
    good_squared: Numbers | None = None
    cross: Numbers | None = None
    total_squared: Numbers | None = None


def matrix_of(counts: pd.DataFrame, settings: ScoreSettings) -> Matrix:
    """Rows of counts: dataset_id, place, component, good, total; of units their kind, of sums over units also units,
    good_squared, cross, total_squared."""
    kinds = counts if "kind" in counts else counts.assign(kind="")
    listed = kinds[[*KEY, "kind"]].drop_duplicates(KEY).sort_values(KEY, ignore_index=True)
    keys = listed[KEY]
    row = pd.MultiIndex.from_frame(keys).get_indexer(pd.MultiIndex.from_frame(counts[KEY]))
    column = pd.Index(settings.components).get_indexer(counts["component"])

    def filled(name: str) -> Numbers:
        values = np.zeros((len(keys), len(settings.components)))
        values[row, column] = counts[name].to_numpy(float)
        return values

    sums = ("units", "good_squared", "cross", "total_squared")
    more = {name: filled(name) for name in sums if name in counts}
    peers = (listed["dataset_id"] + "\x1f" + listed["kind"].astype("str")).to_numpy(dtype=object)
    return Matrix(keys, peers, filled("good"), filled("total"), **more)


def shares_of(matrix: Matrix) -> tuple[Numbers, Numbers, Numbers]:
    """(means, variances, reliabilities), a column per component: units shrunken to their peers, sums over units
    as they are."""
    parts = [np.full(matrix.good.shape, np.nan) for _ in range(3)]
    for component in range(matrix.good.shape[1]):
        for one in pd.unique(matrix.peers):
            rows = np.flatnonzero(matrix.peers == one)
            found = _shares(matrix, rows, component)
            for part, values in zip(parts, (found.mean, found.variance, found.reliability), strict=True):
                part[rows, component] = values
    return parts[0], parts[1], parts[2]


def _shares(matrix: Matrix, rows: npt.NDArray[np.int64], component: int) -> Shares:
    good, total = matrix.good[rows, component], matrix.total[rows, component]
    if matrix.units is None:
        return shrunken_shares(good, total)
    sums = (matrix.units, matrix.good_squared, matrix.cross, matrix.total_squared)
    return clustered_shares(good, total, *(one[rows, component] for one in sums if one is not None))


def score_rows(matrix: Matrix, settings: ScoreSettings) -> pd.DataFrame:
    """SCORE_COLUMNS: a row per place and component, and one for the composite.

    share : as counted, with Wilson limits; of a sum over units the limits know that units differ
    score : the share after shrinkage (composite: the weighted mean of these); reliability : how much of it is the place's
    own; weight : the component's part of the composite as it was computed; band : of the composite, "undecided" where the
    interval reaches over an edge
    """
    means, variances, reliabilities = shares_of(matrix)
    parts = [
        _component_rows(matrix, settings, number, means[:, number], variances[:, number], reliabilities[:, number])
        for number in range(len(settings.components))
    ]
    return pd.concat([*parts, _composite_rows(matrix, settings, means, variances, reliabilities)], ignore_index=True)


def _component_rows(
    matrix: Matrix, settings: ScoreSettings, number: int, mean: Numbers, variance: Numbers, reliability: Numbers
) -> pd.DataFrame:
    name = settings.components[number]
    good, total = matrix.good[:, number], matrix.total[:, number]
    wilson = wilson_limits(pd.Series(good), pd.Series(total))
    lower, upper = wilson["lower"].to_numpy(), wilson["upper"].to_numpy()
    if matrix.units is not None:
        wide_low, wide_high = score_limits(mean, variance)
        lower, upper = np.fmin(lower, wide_low), np.fmax(upper, wide_high)
    rows = matrix.keys.assign(
        component=name, numerator=good, denominator=total, share=wilson["share"].to_numpy(), score=mean, lower=lower,
        upper=upper, weight=settings.weights[name], reliability=reliability,
        status=np.where(total > 0, OK, NOT_ASSESSABLE), band="",
    )  # fmt: skip
    return rows[SCORE_COLUMNS]


def _composite_rows(
    matrix: Matrix, settings: ScoreSettings, means: Numbers, variances: Numbers, reliabilities: Numbers
) -> pd.DataFrame:
    score, variance, present = composite(means, variances, settings)
    lower, upper = score_limits(score, variance)
    weights = np.array(list(settings.weights.values())) * np.isfinite(means)
    own = (np.nan_to_num(reliabilities) * weights).sum(axis=1) / np.where(present > 0, present, 1.0)
    rows = matrix.keys.assign(
        component=COMPOSITE, numerator=np.nan, denominator=np.nan, share=np.nan, score=score, lower=lower, upper=upper,
        weight=present, reliability=np.where(np.isfinite(score), own, np.nan),
        status=np.where(np.isfinite(score), OK, NOT_ASSESSABLE), band=bands(lower, upper, settings),
    )  # fmt: skip
    return rows[SCORE_COLUMNS]

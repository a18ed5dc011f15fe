"""How sure an order is: ranks under chance, and under other weights than ours. Seeded: the same every time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.quality.scores.estimates import Numbers, beta_parameters, composite, point_band
from tkyt_analysis.quality.scores.settings import ScoreSettings

SEED = 20261123
DRAWS = 500  # of scores under chance; of weights
RANK_COLUMNS = ["rank", "rank_lower", "rank_upper", "rank_best", "rank_worst", "rank_share", "band_share"]


def ranks(scores: Numbers) -> npt.NDArray[np.int64]:
    """Rank of each row in each column, 1 = the highest; of equals the one that stands first."""
    order = np.argsort(-scores, axis=0, kind="stable")
    found = np.empty_like(order)
    np.put_along_axis(found, order, np.arange(1, len(scores) + 1)[:, None].repeat(scores.shape[1], 1), axis=0)
    return found


def rank_table(means: Numbers, variances: Numbers, settings: ScoreSettings, *, seed: int = SEED) -> pd.DataFrame:
    """The order of some places (a row per place, a column per component as in `composite`), and how sure it is.

    Returns RANK_COLUMNS, NaN for places without a score:
    rank : by the score; rank_lower, rank_upper : 90 % of the ranks that chance would give (draws from each score's Beta
    distribution); rank_best, rank_worst : over random weights, all mixtures alike (Dirichlet 1, 1, …);
    rank_share, band_share : share of the random weights under which the rank (within a tenth of the places) and the band
    of the score stay
    """
    score, variance, _ = composite(means, variances, settings)
    table = pd.DataFrame(np.nan, index=range(len(score)), columns=RANK_COLUMNS)
    here = np.flatnonzero(np.isfinite(score))
    if not len(here):
        return table
    generator = np.random.default_rng(seed)
    a, b = beta_parameters(score[here], variance[here])
    chance = ranks(generator.beta(a[:, None], b[:, None], (len(here), DRAWS)))
    own = ranks(score[here][:, None])[:, 0]
    other, moved = _other_weights(means[here], settings, generator)
    others = ranks(other)
    near = np.abs(others - own[:, None]) <= max(1, len(here) // 10)
    found = {
        "rank": own,
        "rank_lower": np.quantile(chance, 0.05, axis=1, method="lower"),
        "rank_upper": np.quantile(chance, 0.95, axis=1, method="higher"),
        "rank_best": others.min(axis=1),
        "rank_worst": others.max(axis=1),
        "rank_share": near.mean(axis=1),
        "band_share": (moved == point_band(score[here], settings)[:, None]).mean(axis=1),
    }
    table.loc[here, RANK_COLUMNS] = np.column_stack([found[name] for name in RANK_COLUMNS])
    return table


def _other_weights(
    means: Numbers, settings: ScoreSettings, generator: np.random.Generator
) -> tuple[Numbers, npt.NDArray[np.int64]]:
    """(scores, bands) under random weights, a column per draw. What could not be judged leaves its weight to the others."""
    weights = generator.dirichlet(np.ones(len(settings.components)), DRAWS).T
    there = np.isfinite(means).astype(float)
    scores = (np.nan_to_num(means) @ weights) / np.maximum(there @ weights, 1e-12)
    return scores, point_band(scores, settings)

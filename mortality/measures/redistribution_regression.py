"""Weights of target groups by regression: where garbage grows, which targets shrink?

Within the deaths of a package (its garbage and its targets) the share of each target group is regressed on the share of
garbage, over places and the ages of a broad age group, each age with a level of its own and each place weighted by its deaths.
The shares sum to one, so the slopes sum to −1: a group's share of the garbage is minus its slope (none below 0).

Idea: Ahern RM et al., Popul Health Metr 2011;9:8. Own implementation.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mortality.measures.redistribution_levels import broad_age_groups
from mortality.measures.redistribution_rules import RedistributionRules

Numbers = npt.NDArray[np.float64]
LEAST_CELLS = 20  # place × age cells with deaths of the package, below which the deaths of the targets are the weights


def regression_weights(evidence: Numbers, rules: RedistributionRules, weights: Numbers) -> Numbers:
    """`weights` (S, A, P, J) with those of regression packages replaced.

    evidence : (S, A, P, C) deaths as coded. Where there are too few cells, a group weighs its deaths (proportional).
    """
    broad, result = broad_age_groups(rules.ages), weights.copy()
    for number, kind in enumerate(rules.weights):
        if kind == "regression":
            mine = np.flatnonzero(rules.pool_package == number)
            garbage = _sum(evidence, rules.source == number)
            targets = np.stack([_sum(evidence, rules.pools[..., one]) for one in mine], axis=-1)
            for group in np.unique(broad):
                ages = np.flatnonzero(broad == group)
                for sex in range(evidence.shape[0]):
                    found = _shares(garbage[sex, ages], targets[sex, ages])
                    result[sex, ages[:, None, None], np.arange(evidence.shape[2])[:, None], mine] = found
    return result


def _sum(evidence: Numbers, members: npt.NDArray[np.bool_]) -> Numbers:
    """(S, A, P) deaths of the classes that are members in this sex and age."""
    return np.einsum("sapc,sac->sap", evidence, members.astype(float))


def _shares(garbage: Numbers, targets: Numbers) -> Numbers:
    """(J,) weights of the groups from garbage (ages, places) and targets (ages, places, J)."""
    total = garbage + targets.sum(axis=-1)
    used = total > 0
    pooled = targets.sum(axis=(0, 1))
    if used.sum() < LEAST_CELLS or pooled.sum() == 0:
        return pooled
    safe = np.where(used, total, 1.0)
    x, y = _centred(garbage / safe, total), _centred_each(targets / safe[..., None], total)
    spread = (total * x**2).sum()
    if spread <= 1e-12 * total.sum():
        return pooled
    slope = (total[..., None] * x[..., None] * y).sum(axis=(0, 1)) / spread
    taken = np.where(pooled > 0, np.maximum(-slope, 0.0), 0.0)
    return taken if taken.sum() > 0 else pooled


def _centred(share: Numbers, weight: Numbers) -> Numbers:
    """Share less the mean of its age group."""
    whole = weight.sum(axis=1, keepdims=True)
    mean = np.divide((weight * share).sum(axis=1, keepdims=True), whole, out=np.zeros_like(whole), where=whole > 0)
    return np.where(weight > 0, share - mean, 0.0)


def _centred_each(share: Numbers, weight: Numbers) -> Numbers:
    return np.stack([_centred(share[..., one], weight) for one in range(share.shape[-1])], axis=-1)

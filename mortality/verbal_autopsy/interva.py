"""InterVA-5: the probable causes of a death from the answers of an interview, by Bayes' theorem over agreed probabilities.

Our own implementation of the published algorithm (Byass P et al., BMC Medicine 2019;17:102), for all interviews at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.consistency import answers_array, consistent_answers
from mortality.verbal_autopsy.probability_base import MISSING, ProbabilityBase
from tkyt_analysis.errors import InputError

# How common HIV and malaria deaths are at the place: the prior of the causes (h high, l low, v very low).
LEVELS = ("h", "l", "v")
HIV_PRIOR = {"h": 0.05, "l": 0.005, "v": 1e-5}
MALARIA_PRIOR = {"h": 0.05, "l": 0.005, "v": 1e-5}
SICKLE_PRIOR = {"h": 0.05, "l": 1e-5, "v": 1e-5}
HIV, MALARIA, SICKLE = "b_0103", "b_0105", "b_0403"
FIRST_CAUSE, FURTHER_CAUSE = 0.4, 0.5  # least likelihood of the first cause; of a further one as share of the first
MOST_CAUSES = 3
PREGNANCY_LEAST, CIRCUMSTANCE_LEAST = 0.1, 0.5
UNDETERMINED = "Undetermined"


@dataclass(frozen=True)
class VerbalAutopsyResult:
    """
    summary : one row per interview: id, pregnancy, pregnancy_likelihood, cause_1 … cause_3, likelihood_1 … likelihood_3,
        undetermined, circumstance, circumstance_likelihood (likelihoods 0–1)
    causes : (interviews, causes) likelihoods, columns by title; pregnancy, circumstances alike
    changes : what the consistency rules changed (row by position)
    """

    summary: pd.DataFrame
    causes: pd.DataFrame
    pregnancy: pd.DataFrame
    circumstances: pd.DataFrame
    changes: pd.DataFrame


def interva(interviews: pd.DataFrame, base: ProbabilityBase, *, hiv: str, malaria: str) -> VerbalAutopsyResult:
    """The probable causes of each interview.

    interviews : column ID (or id) and one column per indicator (i004a …) holding Y, N or "."
    hiv, malaria : how common these deaths are at the place: "h", "l" or "v"
    """
    for name, level in (("hiv", hiv), ("malaria", malaria)):
        if level not in LEVELS:
            raise InputError("error.verbal_autopsy_level", name=name, found=level, expected=", ".join(LEVELS))
    answers, changes = consistent_answers(answers_array(interviews, base), base)
    shares = _shares(answers, base, _prior(base, hiv, malaria))
    parts = {
        group: pd.DataFrame(_to_one(shares[:, columns]), columns=list(base.titles[columns]))
        for group, columns in base.groups.items()
    }
    ids = next((interviews[name] for name in ("ID", "id") if name in interviews), pd.Series(range(len(interviews))))
    summary = pd.DataFrame({"id": ids.astype("str").to_numpy()})
    summary = pd.concat([summary, _pregnancy(parts["pregnancy"], answers[:, base.position("i019b")] == 1)], axis=1)
    summary = pd.concat([summary, _causes(parts["cause"]), _circumstance(parts["circumstance"])], axis=1)
    return VerbalAutopsyResult(summary, parts["cause"], parts["pregnancy"], parts["circumstance"], changes)


def _prior(base: ProbabilityBase, hiv: str, malaria: str) -> np.ndarray:
    prior = base.prior.copy()
    for code, value in (
        (HIV, HIV_PRIOR[hiv]), (MALARIA, MALARIA_PRIOR[malaria]), (SICKLE, SICKLE_PRIOR[malaria])
    ):  # fmt: skip
        prior[base.codes.index(code)] = value
    return prior


def _shares(answers: np.ndarray, base: ProbabilityBase, prior: np.ndarray) -> np.ndarray:
    """Prior × probability of each indicator that is present, brought to one within each group after every indicator.

    The steps and their order are the published program's, so that causes of equal likelihood fall as they do there.
    """
    shares = np.tile(prior, (len(answers), 1))
    present = (answers != MISSING) & (answers == base.substantive)
    for at in np.flatnonzero(present.any(axis=0)):
        rows = present[:, at]
        product = shares[rows] * base.given[at]
        for columns in base.groups.values():
            product[:, columns] = _to_one(product[:, columns])
        shares[rows] = product
    return shares


def _to_one(weights: np.ndarray) -> np.ndarray:
    """Each row as shares that sum to one; a row in which nothing is possible stays zero."""
    total = weights.astype(np.longdouble).sum(axis=1, keepdims=True).astype(float)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)


def _pregnancy(shares: pd.DataFrame, women: np.ndarray) -> pd.DataFrame:
    best, most = _best(shares)
    state = np.where(most < PREGNANCY_LEAST, "indeterminate", best)
    known = women & (most >= PREGNANCY_LEAST)
    return pd.DataFrame(
        {"pregnancy": np.where(women, state, "n/a"), "pregnancy_likelihood": np.where(known, most, np.nan)}
    )


def _best(shares: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    values = shares.to_numpy()
    return shares.columns.to_numpy()[values.argmax(axis=1)], values.max(axis=1)


def _causes(shares: pd.DataFrame) -> pd.DataFrame:
    """Up to three causes: the first from FIRST_CAUSE, others from FURTHER_CAUSE of the first; the rest undetermined."""
    values = shares.to_numpy()
    order = np.argsort(-values, axis=1, kind="stable")[:, :MOST_CAUSES]
    ranked = np.take_along_axis(values, order, axis=1)
    kept = ranked >= FURTHER_CAUSE * ranked[:, :1]
    kept &= ranked > 0
    kept &= ranked[:, :1] >= FIRST_CAUSE
    names = np.where(kept, shares.columns.to_numpy()[order], "")
    columns = {f"cause_{n + 1}": names[:, n] for n in range(MOST_CAUSES)}
    columns |= {f"likelihood_{n + 1}": np.where(kept[:, n], ranked[:, n], np.nan) for n in range(MOST_CAUSES)}
    return pd.DataFrame(columns | {"undetermined": 1 - np.where(kept, ranked, 0.0).sum(axis=1)})


def _circumstance(shares: pd.DataFrame) -> pd.DataFrame:
    best, most = _best(shares)
    several = most < CIRCUMSTANCE_LEAST
    return pd.DataFrame(
        {
            "circumstance": np.where(several, "Multiple", best),
            "circumstance_likelihood": np.where(several, np.nan, most),
        }
    )


def cause_fractions(summary: pd.DataFrame, titles: list[str] | None = None) -> pd.Series:
    """Cause-specific mortality fractions: each interview counts as one, by the likelihoods of its causes; the rest is Undetermined."""
    long = [
        summary[[f"cause_{n}", f"likelihood_{n}"]].set_axis(["cause", "weight"], axis=1)
        for n in range(1, MOST_CAUSES + 1)
    ]
    sums = pd.concat(long).query("cause != ''").groupby("cause")["weight"].sum()
    sums.loc[UNDETERMINED] = summary["undetermined"].sum()
    order = [*(titles if titles is not None else sorted(sums.index.drop(UNDETERMINED))), UNDETERMINED]
    return (sums / len(summary)).reindex(order).fillna(0.0).rename("fraction")

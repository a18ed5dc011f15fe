"""What may have happened to a value: a probability for each explanation, and what the value should then have been.

Every explanation says how the written number came out of a sound one, in exact digit arithmetic; its likelihood is that
of the sound number behind it. Bayes' rule weighs it against "the number is sound". The chances before looking are those
of `settings.PRIORS`, moved towards what the panel shows (EM, held within bounds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tkyt_analysis.quality.model.density import log_probability
from tkyt_analysis.quality.model.settings import EXPLANATIONS, PRIORS, ModelSettings
from tkyt_analysis.quality.model.situation import Situation

_CLUSTER_CHANCE, _CLUSTER_SIZE, _CLUSTER_SPREAD, _RARE = 0.05, 2.0, 1.0, 4.0  # clusters of rare events (log scale)
_WIDE = 1.1  # standard deviation of an unexplained error on the log scale
_ALREADY = 1.4  # the figure before is this many times what is usual: it may be cumulative itself
_PRIOR_CELLS = 1_000
_PLACES = 3
NEVER = -np.inf


@dataclass(frozen=True)
class Posterior:
    """Arrays of one length.

    probability : that the value is an error of any kind; explanation : place of the likeliest kind in EXPLANATIONS;
    suggested : the number that this kind points to, NaN where it points to none; event : that it is part of a shared event
    """

    probability: np.ndarray
    explanation: np.ndarray
    suggested: np.ndarray
    event: np.ndarray


def explain_values(
    cells: Situation,
    mean: np.ndarray,
    spread: np.ndarray,
    *,
    event: np.ndarray | None = None,
    total: int | None = None,
    zero_ends: float | None = None,
    settings: ModelSettings | None = None,
    priors: Mapping[str, float] = PRIORS,
) -> Posterior:
    """Posterior over the explanations for a run of values of one panel.

    Parameters
    ----------
    cells : the situation of each value, one-dimensional; mean, spread : its expected count and log variance
    event : log of chance × probability of each value as part of a shared event (see `together`)
    total : values of the panel if `cells` are only the conspicuous ones among them
    zero_ends : share of the panel's values that end in 0 (default: of these values)
    priors : chance of each explanation before looking
    """
    settings = settings or ModelSettings()
    value = cells.value.astype(float)
    zero_ends = ends_in_zero(value) if zero_ends is None else zero_ends
    sound = log_probability(value, mean, spread, settings.tail)
    sound = np.where(value == 0, np.logaddexp(sound, np.log(cells.zero_rate)), sound)
    sound = np.logaddexp(sound, _cluster(value, mean))
    kinds = _kinds(cells, mean, spread, settings.tail, zero_ends)
    likelihood = np.stack([kinds[name][0] for name in EXPLANATIONS])
    likelihood[EXPLANATIONS.index("copied_form")] -= _heaping(value, zero_ends)
    ratio = np.exp(np.clip(likelihood - sound, -60, 60))
    shared = np.zeros(len(value)) if event is None else np.exp(np.clip(event - sound, -60, 60))
    weights = _posterior_weights(ratio, 1 + shared, priors, total or len(value))
    best = weights.argmax(axis=0)
    suggested = np.stack([kinds[name][1] for name in EXPLANATIONS])[best, np.arange(len(value))]
    in_order = 1 - weights.sum(axis=0)
    return Posterior(weights.sum(axis=0), best, suggested, in_order * shared / (1 + shared))


def _cluster(value: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Log probability of a true cluster: where one case is rare, the cases of one outbreak come together."""
    away = (np.log((value + 0.5) / (mean + 0.5)) - _CLUSTER_SIZE) / _CLUSTER_SPREAD
    density = -0.5 * away**2 - np.log(_CLUSTER_SPREAD * np.sqrt(2 * np.pi)) - np.log(value + 0.5)
    return np.log(_CLUSTER_CHANCE * _RARE / (_RARE + mean**2)) + density


def _posterior_weights(ratio: np.ndarray, in_order: np.ndarray, priors: Mapping[str, float], total: int) -> np.ndarray:
    start = np.array([priors[name] for name in EXPLANATIONS])
    chance = start.copy()
    for _ in range(3):
        weight = chance[:, None] * ratio
        posterior = weight / (weight.sum(axis=0) + (1 - chance.sum()) * in_order)
        seen = (posterior.sum(axis=1) + start * _PRIOR_CELLS) / (total + _PRIOR_CELLS)
        chance = np.clip(seen, start / 3, start * 10)
    return posterior


def ends_in_zero(value: np.ndarray) -> float:
    """Share of the values from 10 on that end in 0 (0.1 where digits are not rounded), held within 0.05 and 0.9."""
    large = value[value >= 10]
    return float(np.clip((large % 10 == 0).mean(), 0.05, 0.9)) if len(large) > 30 else 0.2


def _kinds(
    cells: Situation, mean: np.ndarray, spread: np.ndarray, tail: float, zero_ends: float
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """{explanation: (log likelihood of the written number, number that should have stood there)}"""
    value, nowhere = cells.value, np.full(len(cells.value), np.nan)

    def of(sound: np.ndarray) -> np.ndarray:
        return log_probability(np.maximum(sound, 0.0), mean, spread, tail)

    tenth, tenfold = np.floor(value / 10), np.clip(np.round(mean), 10 * value, 10 * value + 9)
    last = np.where(value % 10 == 0, np.log(0.5 / zero_ends), np.log(0.5 / (1 - zero_ends)))
    swapped, swap_likelihood = _swapped(value, of)
    period, from_start = _taken_off(cells, mean, of)
    half = cells.gap - np.log(2)
    away = np.log((value + 0.5) / (mean + 0.5))
    wide = _WIDE**2 + 1 / (mean + 0.5)
    again = (value == cells.previous) & (value >= 20)
    return {
        "extra_digit": (np.where(value >= 10, of(value / 10) - np.log(10) + last, NEVER), tenth),
        "lost_digit": (np.where(value >= 1, of(10 * value + 4.5) + np.log(10), NEVER), tenfold),
        "swapped_digits": (swap_likelihood, swapped),
        "blank_as_zero": (np.where(value == 0, 0.0, NEVER), nowhere),
        "cumulative_as_period": (period, from_start),
        "two_periods_in_one": (np.where(value >= 2, of(value / 2) + half, NEVER), np.round(value / 2)),
        "copied_form": (np.where(again, 0.0, NEVER), nowhere),
        "unknown": (-0.5 * away**2 / wide - 0.5 * np.log(2 * np.pi * wide) - np.log(value + 0.5), nowhere),
    }


def exchanged_digits(value: np.ndarray, place: int) -> np.ndarray:
    """The number with its digits at `place` and `place` + 1 from the left exchanged; NaN where there are not so many."""
    order = np.floor(np.log10(np.maximum(value, 1)))
    unit = 10.0 ** np.maximum(order - place - 1, 0)
    pair = np.floor(value / unit) % 100
    changed = value + unit * (10 * (pair % 10) + pair // 10 - pair)
    return np.where((order >= place + 1) & (value % 1 == 0), changed, np.nan)


def _swapped(value: np.ndarray, of: object) -> tuple[np.ndarray, np.ndarray]:
    """(likeliest number before two neighbouring digits were exchanged, log likelihood over all exchanges)"""
    assert callable(of)
    digits = np.floor(np.log10(np.maximum(value, 1))) + 1
    candidates, likelihoods = [], []
    for place in range(_PLACES):
        other = exchanged_digits(value, place)
        valid = np.isfinite(other) & (other != value) & (np.floor(np.log10(np.maximum(other, 1))) + 1 == digits)
        weight = np.log(np.where(place == 0, 0.6, 0.2))
        candidates.append(other)
        likelihoods.append(np.where(valid, of(np.where(valid, other, 0.0)) + weight, NEVER))
    every = np.stack(likelihoods)
    best = every.argmax(axis=0)
    return np.stack(candidates)[best, np.arange(len(value))], np.logaddexp.reduce(every, axis=0)


def _taken_off(cells: Situation, mean: np.ndarray, of: object) -> tuple[np.ndarray, np.ndarray]:
    """(log likelihood, sound number) of a cumulative figure: less the year so far, or less the figure before."""
    assert callable(of)
    rest = [cells.value - cells.year_so_far, cells.value - cells.previous]
    rest[1] = np.where(cells.previous > _ALREADY * mean, rest[1], np.nan)
    valid = [np.isfinite(one) & (one >= 0) & (cells.year_so_far > 0) for one in rest]
    found = np.stack([np.where(ok, of(np.where(ok, one, 0.0)), NEVER) for ok, one in zip(valid, rest)])
    best = found.argmax(axis=0)
    return np.logaddexp.reduce(found, axis=0) - np.log(2), np.stack(rest)[best, np.arange(len(best))]


def _heaping(value: np.ndarray, zero_ends: float) -> np.ndarray:
    """Log of how much likelier a round number is than the smooth density says: repeating it proves less."""
    zeros = (value % 10 == 0).astype(float) + (value % 100 == 0) + (value % 1000 == 0)
    return zeros * max(float(np.log(zero_ends / 0.1)), 0.0) + np.log(3.0)

"""From expected counts to verdicts: every cell of a panel with its limits, probability of error and explanation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tkyt_analysis.quality.model.density import counts_at, distance_from, stabilised
from tkyt_analysis.quality.model.expected import Expected
from tkyt_analysis.quality.model.posterior import ends_in_zero, explain_values
from tkyt_analysis.quality.model.settings import EXPLANATIONS, ModelSettings
from tkyt_analysis.quality.model.situation import Situation
from tkyt_analysis.quality.model.together import shared_event

REACH = 3.355  # 99 % limits of Student's t with 8 degrees of freedom
_CONSPICUOUS = 1.0  # standard deviations from which explanations are weighed
_SHARED_RATIO = np.log(1.5)
_SMALLEST_SPREAD = 2e-4
_MANY_UNITS = 20


@dataclass(frozen=True)
class Judged:
    """Arrays of the cells with a value, in the order of `rows`, `columns`.

    mean, lower, upper : expected count and its 99 % limits; explanation : key or "";
    probability : that the value is an error; suggested : what probably should have stood there
    """

    rows: np.ndarray
    columns: np.ndarray
    value: np.ndarray
    mean: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    assessable: np.ndarray
    probability: np.ndarray
    explanation: np.ndarray
    suggested: np.ndarray
    shared: np.ndarray

    def verdicts(self, threshold: float) -> np.ndarray:
        """error_high | error_low | missing_or_zero | repeated | cumulative | shock | ok | not_assessable"""
        verdict = np.full(len(self.value), "ok", dtype="<U15")
        verdict[self.shared] = "shock"
        asked = self.probability >= threshold
        verdict[asked] = np.where(self.value > self.mean, "error_high", "error_low")[asked]
        verdict[asked & (self.explanation == "cumulative_as_period")] = "cumulative"
        verdict[asked & (self.explanation == "copied_form")] = "repeated"
        verdict[asked & (self.value == 0)] = "missing_or_zero"
        verdict[~self.assessable] = "not_assessable"
        return verdict


def judge_cells(
    expected: Expected,
    situation: Situation,
    settings: ModelSettings,
    *,
    mean: np.ndarray | None = None,
    variance: np.ndarray | None = None,
    shared: np.ndarray | None = None,
) -> Judged:
    """Judge every value of a panel; `mean`, `variance` and `shared` (log change beyond the panel's own) replace those of
    `expected` where other indicators have spoken."""
    present = np.isfinite(expected.counts)
    rows, columns = np.nonzero(present)
    value = expected.counts[present]
    middle = (expected.mean if mean is None else mean)[present]
    spread = np.maximum((expected.variance if variance is None else variance)[present], _SMALLEST_SPREAD)
    assessable = _assessable(expected, settings, helped=mean is not None)[present]
    event = _event(expected.counts, present, middle, spread)
    probability, explanation, suggested, in_event = _explained(
        value, middle, spread, event, situation.at(present), settings
    )
    change = (expected.shared if shared is None else shared)[present]
    low, high = (counts_at(stabilised(middle, spread) + side * REACH, spread) for side in (-1, 1))
    return Judged(
        rows, columns, value, middle, low, high, assessable, np.where(assessable, probability, 0.0), explanation,
        suggested, _would_stray(value, middle, spread, change) | in_event,
    )  # fmt: skip


def _assessable(expected: Expected, settings: ModelSettings, *, helped: bool) -> np.ndarray:
    """Enough other values in the series; or fewer, where many units or other indicators tell how large the unit is."""
    enough = expected.others >= settings.minimum_others
    pooled = helped | ((expected.others > 0) & (len(expected.counts) >= _MANY_UNITS))
    return enough | (pooled & (expected.level_variance <= settings.widest_level))


def _event(counts: np.ndarray, present: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """`shared_event` of the cells with a value."""
    distance, ratio = np.full(counts.shape, np.nan), np.full(counts.shape, np.nan)
    distance[present] = distance_from(counts[present], mean, spread)
    ratio[present] = np.log((counts[present] + 0.5) / (mean + 0.5))
    return shared_event(distance, ratio, counts)[present]


def _explained(
    value: np.ndarray,
    mean: np.ndarray,
    spread: np.ndarray,
    event: np.ndarray,
    cells: Situation,
    settings: ModelSettings,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(probability of error, explanation, suggested number, part of a shared event) of each value."""
    distance = distance_from(value, mean, spread)
    some = np.flatnonzero((np.abs(distance) > _CONSPICUOUS) | (value == 0) | (value == cells.previous))
    probability, suggested = np.zeros(len(value)), np.full(len(value), np.nan)
    explanation, in_event = np.full(len(value), "", dtype=object), np.zeros(len(value), dtype=bool)
    if len(some):
        found = explain_values(
            cells.at(some), mean[some], spread[some], event=event[some], total=len(value),
            zero_ends=ends_in_zero(value), settings=settings,
        )  # fmt: skip
        probability[some], suggested[some] = found.probability, found.suggested
        explanation[some] = np.array(EXPLANATIONS, dtype=object)[found.explanation]
        in_event[some] = (found.event > 0.5) & (np.abs(distance[some]) > REACH)
    return probability, explanation, suggested, in_event


def _would_stray(value: np.ndarray, mean: np.ndarray, spread: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Values that would stand out if the unit had not shared the change of the others."""
    alone = distance_from(value, mean * np.exp(-change), spread)
    return (np.abs(change) > _SHARED_RATIO) & (np.abs(alone) > REACH) & (np.sign(alone) == np.sign(change))


def expected_false(probability: np.ndarray, settings: ModelSettings) -> np.ndarray:
    """For each value asked about, how much of a false alarm it is expected to be: 1 − (1 − misfit) × probability."""
    return 1 - (1 - settings.misfit) * probability


def limit_for(probability: np.ndarray, settings: ModelSettings, max_flags: float | None) -> float:
    """The probability from which values are asked about.

    max_flags : at most this share of the sound values may be asked about, as far as the probabilities tell (quality.md §3
        calls it the flag rate). Values are ranked by probability; asking stops where the false alarms to be expected
        reach the share. A share with room to spare lowers the limit too, to nine tenths of the share and never below
        `lowest_threshold`.
    """
    if max_flags is None:
        return settings.threshold
    ranked = np.sort(probability)[::-1]
    false = np.cumsum(expected_false(ranked, settings)) / max(float((1 - probability).sum()), 1e-9)
    if (false[ranked >= settings.threshold] > max_flags).any():
        return float(np.nextafter(ranked[(false > max_flags).argmax()], 2.0))
    within = ranked[false <= 0.9 * max_flags]
    lowest = float(within[-1]) if len(within) else settings.threshold
    return max(settings.lowest_threshold, min(settings.threshold, lowest))

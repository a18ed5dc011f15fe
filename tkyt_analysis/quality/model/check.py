"""The count model as a check of the catalog: values of one element that are probably wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.checks import PanelCheck
from tkyt_analysis.quality.model.expected import expected_counts
from tkyt_analysis.quality.model.judge import Judged, judge_cells
from tkyt_analysis.quality.model.seasons import numbers_and_years, tet_share
from tkyt_analysis.quality.model.settings import ModelSettings
from tkyt_analysis.quality.model.situation import situation_of
from tkyt_analysis.quality.panel import Panel


def judge_panel(panel: Panel, settings: ModelSettings | None = None) -> Judged:
    """Every value of one element and category of all units."""
    number, year = numbers_and_years(panel.periods)
    cumulative = panel.periods[0].kind == "cumulative"
    expected = expected_counts(
        panel.counts, number=number, groups=np.asarray(panel.groups), tet=tet_share(panel.periods)
    )
    return judge_cells(
        expected, situation_of(expected.counts, None if cumulative else year), settings or ModelSettings()
    )


def judge_outliers(panel: Panel, parameters: Mapping[str, Any]) -> tuple[pd.DataFrame, int, int]:
    """(values that are probably wrong, values judged, values): what the rule `outlier_count` asks.

    Rows: unit_id, period_id, value, expected, lower, upper, verdict, explanation, probability, suggested, at_stake; most
    events at stake × probability first. True changes that units share (verdict shock) are no findings.
    """
    settings = ModelSettings(**parameters)
    if not panel.counts.size:
        return _rows(panel, _nothing(), np.array([], dtype=bool), np.array([])), 0, 0
    judged = judge_panel(panel, settings)
    verdict = judged.verdicts(settings.threshold)
    wanted = panel.asked[judged.columns]
    asked = (judged.probability >= settings.threshold) & judged.assessable & wanted
    rows = _rows(panel, judged, asked, verdict)
    return rows, int((judged.assessable & wanted).sum()), int(wanted.sum())


def _rows(panel: Panel, judged: Judged, chosen: np.ndarray, verdict: np.ndarray) -> pd.DataFrame:
    periods = np.array([one.period_id for one in panel.periods], dtype=object)
    value, suggested, mean = (part[chosen] for part in (judged.value, judged.suggested, judged.mean))
    at_stake = np.abs(value - np.where(np.isfinite(suggested), suggested, mean))
    rows = pd.DataFrame(
        {
            "unit_id": panel.units[judged.rows[chosen]],
            "period_id": periods[judged.columns[chosen]],
            "value": value,
            "expected": mean.round(1),
            "lower": judged.lower[chosen].round(1),
            "upper": judged.upper[chosen].round(1),
            "verdict": verdict[chosen],
            "explanation": judged.explanation[chosen],
            "probability": judged.probability[chosen].round(4),
            "suggested": suggested,
            "at_stake": at_stake.round(1),
        }
    )
    order = (-(rows["at_stake"] * rows["probability"])).argsort(kind="stable")
    return rows.iloc[order.to_numpy()].reset_index(drop=True)


def _nothing() -> Judged:
    none, places = np.array([]), np.array([], dtype=int)
    empty = np.array([], dtype=object)
    return Judged(places, places, none, none, none, none, none.astype(bool), none, empty, none, none.astype(bool))


CHECK = PanelCheck(judge_outliers)

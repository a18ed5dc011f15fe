"""Anchors' rules by name, and the check that asks one of them of every element: `tkyt check --rules dhis2_z`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.quality.anchors import countdown, dhis2, fastr, snt, who
from tkyt_analysis.quality.anchors.series import AnchorFlags
from tkyt_analysis.quality.checks import PanelCheck
from tkyt_analysis.quality.panel import Panel

RULES: Mapping[str, Callable[..., AnchorFlags]] = {
    "dhis2_z": dhis2.dhis2_z,
    "dhis2_modified_z": dhis2.dhis2_modified_z,
    "dhis2_min_max": dhis2.dhis2_min_max,
    "who_2a": who.who_2a,
    "who_2b": who.who_2b,
    "who_2c": who.who_2c,
    "cd2030": countdown.cd2030,
    "fastr": fastr.fastr,
    "magic_glasses": snt.magic_glasses,
    "sntutils": snt.sntutils,
}


def anchor_flags(rule: str, values: np.ndarray, years: np.ndarray, **settings: Any) -> AnchorFlags:
    """What the rule of this name says of a units × periods matrix.

    values : NaN missing; years : the calendar year of each column; settings : parameters of the rule's function
    Errors: an unknown rule or setting is an InputError that names those there are.
    """
    if rule not in RULES:
        raise InputError("error.anchor_unknown", found=rule, expected=", ".join(RULES))
    function = RULES[rule]
    known = [name for name in inspect.signature(function).parameters if name != "values"]
    for name in settings:
        if name not in known:
            raise InputError("error.anchor_setting", rule=rule, found=name, expected=", ".join(known))
    if "years" in known:
        settings = {"years": years} | settings
    return function(np.asarray(values, dtype=float), **settings)


def judge_anchor(panel: Panel, parameters: Mapping[str, Any]) -> tuple[pd.DataFrame, int, int]:
    """Values of one element that the anchor `parameters["rule"]` flags; an outbreak is a shock, not an error."""
    settings = {name: value for name, value in parameters.items() if name != "rule"}
    years = np.array([one.start.year for one in panel.periods])
    result = anchor_flags(str(parameters["rule"]), panel.counts, years, **settings)
    present = np.isfinite(panel.counts) & panel.asked
    row, column = np.nonzero(result.flags & panel.asked)
    periods = np.array([one.period_id for one in panel.periods], dtype=object)
    value, expected = panel.counts[row, column], result.expected[row, column]
    found = pd.DataFrame(
        {
            "unit_id": panel.units[row],
            "period_id": periods[column],
            "value": value,
            "expected": expected,
            "lower": result.lower[row, column],
            "upper": result.upper[row, column],
            "verdict": verdicts(value, expected, result.outbreak[row, column]),
            "at_stake": np.abs(value - expected).round(1),
            "score": result.score[row, column].round(2),
        }
    ).sort_values("at_stake", ascending=False, kind="stable")
    return found, int((present & ~result.not_assessable).sum()), int(present.sum())


def verdicts(value: np.ndarray, expected: np.ndarray, outbreak: np.ndarray) -> np.ndarray:
    """shock | missing_or_zero | error_low | error_high of flagged values."""
    with np.errstate(invalid="ignore"):
        low = value < expected
    return np.select([outbreak, low & (value == 0), low], ["shock", "missing_or_zero", "error_low"], "error_high")


def why_not_assessable(result: AnchorFlags, language: str | None = None) -> pd.DataFrame:
    """How many values the rule could not judge, and why: reason (word), title, values; most first."""
    words, numbers = np.unique(result.reason[result.not_assessable], return_counts=True)
    table = pd.DataFrame({"reason": words.astype(object), "values": numbers})
    table.insert(1, "title", [label(f"anchor_reason.{word}", language) for word in words])
    return table.sort_values(["values", "reason"], ascending=[False, True], ignore_index=True)


ANCHOR_OUTLIERS = PanelCheck(judge_anchor)

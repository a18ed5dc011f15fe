"""Answers made consistent before they are weighed: what cannot be asked is taken out, what is implied is put in.

The rules stand in the probability base: an indicator is not asked beside others, only beside another, or of newborns
only. They are applied twice, indicator by indicator, over all interviews at once. Source: InterVA-5 user guide; BMC
Medicine 2019;17:102.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.probability_base import MISSING, ProbabilityBase
from tkyt_analysis.errors import InputError

ANSWERS = {"y": 1, "1": 1, "yes": 1, "n": 0, "0": 0, "no": 0, ".": MISSING, "-": MISSING, "": MISSING, "nan": MISSING}
PASSES = 2


def answers_array(interviews: pd.DataFrame, base: ProbabilityBase) -> np.ndarray:
    """(interviews, indicators) of 1 yes, 0 no, -1 not known, from columns named by indicator holding Y, N or "." / "-".

    A column that is absent is not known. Raises InputError for another value (a "don't know" code is no answer).
    """
    known = {name.lower(): name for name in map(str, interviews.columns)}
    result = np.full((len(interviews), len(base.indicators)), MISSING, dtype=np.int8)
    for at, indicator in enumerate(base.indicators):
        if indicator not in known:
            continue
        text = interviews[known[indicator]].astype("str").str.strip().str.lower()
        values = text.map(ANSWERS)
        if values.isna().any():
            found = sorted(text[values.isna()].unique())[:5]
            raise InputError("error.verbal_autopsy_answer", column=indicator, found=", ".join(found))
        result[:, at] = values.to_numpy(np.int8)
    return result


def consistent_answers(answers: np.ndarray, base: ProbabilityBase) -> tuple[np.ndarray, pd.DataFrame]:
    """The answers after both passes, and what was changed: row, pass, indicator, change (removed | implied), because."""
    current = answers.copy()
    changes: list[pd.DataFrame] = []
    for number in range(1, PASSES + 1):
        for at in range(len(base.indicators)):
            changes += _judge(current, base, at, number)
    columns = ["row", "pass", "indicator", "change", "because"]
    return current, pd.concat(changes, ignore_index=True) if changes else pd.DataFrame(columns=columns)


def _judge(current: np.ndarray, base: ProbabilityBase, at: int, number: int) -> list[pd.DataFrame]:
    """One indicator of all interviews: taken out where it cannot be, else what it implies is put in."""
    changes = []
    for other, answer in base.never_with[at]:
        wrong = (current[:, at] == base.substantive[at]) & (current[:, other] == answer)
        changes.append(_set(current, wrong, base, at, MISSING, number, "removed", at, other))
    newborn = base.newborn_only[at]
    if newborn is not None:
        wrong = (current[:, at] == base.substantive[at]) & (current[:, newborn[0]] != newborn[1])
        changes.append(_set(current, wrong, base, at, MISSING, number, "removed", at, newborn[0]))
    filter_of = base.only_with[at]
    if filter_of is not None:
        other, answer = filter_of
        implied = (current[:, at] == base.substantive[at]) & (current[:, other] != answer)
        changes.append(_set(current, implied, base, other, answer, number, "implied", other, at))
    return [change for change in changes if change is not None]


def _set(
    current: np.ndarray, rows: np.ndarray, base: ProbabilityBase, column: int, value: int, number: int,
    change: str, indicator: int, because: int,
) -> pd.DataFrame | None:  # fmt: skip
    if not rows.any():
        return None
    current[rows, column] = value
    return pd.DataFrame(
        {
            "row": np.flatnonzero(rows), "pass": number, "indicator": base.indicators[indicator], "change": change,
            "because": base.indicators[because],
        }
    )  # fmt: skip

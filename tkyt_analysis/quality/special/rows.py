"""Findings of form detectors as rows: where in the block they stand, and which cell of a form to ask about first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock


def cell_rows(block: FormBlock, unit: np.ndarray, column: np.ndarray, place: np.ndarray, **more: Any) -> pd.DataFrame:
    """One row per cell in the periods asked for: unit_id, period_id, element_id, category_id, value and `more`.

    at_stake is |value − suggested| where not given; `cells` counts the rows of the same form, `leads` marks the one
    with most at stake: a question about the form is asked through it.
    """
    periods = np.array([one.period_id for one in block.periods], dtype=object)
    elements = np.array([one[0] for one in block.series], dtype=object)
    categories = np.array([one[1] for one in block.series], dtype=object)
    rows = pd.DataFrame(
        {
            "unit_id": block.units[unit],
            "period_id": periods[column],
            "element_id": elements[place],
            "category_id": categories[place],
            "value": block.values[unit, column, place],
            **more,
        }
    )
    if "at_stake" not in rows:
        rows["at_stake"] = (rows["value"] - rows["suggested"]).abs().round(1)
    rows = rows[block.asked[column]].sort_values("at_stake", ascending=False, kind="stable", ignore_index=True)
    form = rows.groupby(["unit_id", "period_id"], sort=False)["value"]
    return rows.assign(cells=form.transform("size"), leads=form.cumcount() == 0)


def form_rows(block: FormBlock, unit: np.ndarray, column: np.ndarray, **more: Any) -> pd.DataFrame:
    """One row per whole form in the periods asked for: unit_id, period_id, no element; value is the sum of its cells."""
    periods = np.array([one.period_id for one in block.periods], dtype=object)
    value = np.nansum(block.values[unit, column], axis=-1) if len(unit) else np.zeros(0)
    rows = pd.DataFrame(
        {
            "unit_id": block.units[unit], "period_id": periods[column], "element_id": "", "category_id": "", "value": value,
            **more,
        }
    )  # fmt: skip
    return rows[block.asked[column]].reset_index(drop=True)


def no_rows() -> pd.DataFrame:
    """Nothing found."""
    return pd.DataFrame({"unit_id": pd.Series(dtype="str"), "period_id": pd.Series(dtype="str")})

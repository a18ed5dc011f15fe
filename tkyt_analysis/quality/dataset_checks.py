"""A data set's panel as one row per unit and period with a column per element."""

from __future__ import annotations

import pandas as pd

KEY = ["unit_id", "period_id"]


def wide(values: pd.DataFrame, dataset: str, names: list[str]) -> pd.DataFrame:
    """A panel's values as one row per unit and period with a column per element; the value received last counts."""
    own = values[values["dataset_id"] == dataset]
    own = own.assign(column=own["element_id"].str.removeprefix(f"{dataset}/"))
    own = own[own["column"].isin(names)].drop_duplicates([*KEY, "column"], keep="last")
    return own.pivot(index=KEY, columns="column", values="value").reset_index()

"""The revision triangle: what each vintage said of each reference period, and what changed after publication. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd


def revision_triangle(values: pd.DataFrame, *, by: Sequence[str] = ()) -> pd.DataFrame:
    """Reference periods in rows, vintages in columns.

    values : vintage, period_id, value, and the columns of `by`; several rows of a cell are added up. The order of the
        vintages is that of their first row.
    by : further columns that split the rows (e.g. ["province"])
    Returns the columns `by`, period_id, and one per vintage; missing where a vintage knew nothing of a period yet.
    """
    vintages = list(dict.fromkeys(values["vintage"]))
    rows = [*by, "period_id"]
    totals = values.groupby([*rows, "vintage"], sort=True, dropna=False)["value"].sum(min_count=1).unstack("vintage")
    return totals.reindex(columns=vintages).rename_axis(columns=None).sort_index().reset_index()


def revisions(values: pd.DataFrame, *, by: Sequence[str]) -> pd.DataFrame:
    """What was first published of each cell, and what the last vintage says.

    values : as above; `by` names the columns of a cell (e.g. dataset_id, province, period_id)
    Returns one row per cell that changed after its first vintage, the largest change first: the columns `by`,
    first_vintage, first_value, last_value (missing: the last vintage has it no longer), difference, percent (of the
    first value; missing where that is 0), times_changed.
    """
    order = {vintage: number for number, vintage in enumerate(dict.fromkeys(values["vintage"]))}
    names = {number: vintage for vintage, number in order.items()}
    numbered = values.assign(number=values["vintage"].map(order))
    cells = (
        numbered.groupby([*by, "number"], dropna=False)["value"]
        .sum(min_count=1)
        .unstack("number")
        .reindex(columns=sorted(names))
    )
    first = cells.notna().to_numpy().argmax(axis=1) if len(cells) else []
    first_value = pd.Series([row[place] for row, place in zip(cells.to_numpy(), first)], cells.index, dtype="float64")
    last_value = cells.iloc[:, -1] if len(cells.columns) else first_value
    table = pd.DataFrame(
        {
            "first_vintage": [names[number] for number in first],
            "first_value": first_value,
            "last_value": last_value,
            "difference": last_value.fillna(0) - first_value,
            "percent": 100 * (last_value.fillna(0) - first_value) / first_value.where(first_value != 0),
            "times_changed": _times_changed(cells, first),
        },
        cells.index,
    )
    changed = table[table["times_changed"] > 0]
    order_of_size = changed["difference"].abs().sort_values(ascending=False, kind="stable").index
    return changed.loc[order_of_size].reset_index()


def _times_changed(cells: pd.DataFrame, first: Sequence[int]) -> list[int]:
    """Steps from one vintage to the next at which a cell that was known became another value, or none."""
    known = cells.astype("float64").fillna(float("inf")).to_numpy()  # no value is not any value
    return [int((row[place + 1 :] != row[place:-1]).sum()) for row, place in zip(known, first)]

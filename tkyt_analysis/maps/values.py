"""The table that a map is asked to show: checked, completed to every unit, its gaps named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.maps.boundaries import Boundaries
from tkyt_analysis.maps.classes import Classes

# A value is shown for these …
SHOWN = ("ok", "modelled")
# … and a pattern, with its meaning in the legend, for these.
GAPS = ("missing", "suppressed", "not_assessable")


@dataclass(frozen=True)
class Mark:
    """How one unit is drawn and what is said of it."""

    unit_id: str
    name: str
    status: str
    value: float
    colour: str | None  # None: a pattern for the status
    text: str  # "34,6", "Không có số liệu" …


def complete(values: pd.DataFrame, shapes: Boundaries) -> pd.DataFrame:
    """One row per unit of `shapes`: unit_id, value, status; no row or no number means "missing".

    The value of a suppressed or not assessable unit is dropped here and reaches no picture.
    Raises InputError for a missing column, an unknown or repeated unit, an unknown status, an infinite value.
    """
    _require_columns(values)
    table = pd.DataFrame({"unit_id": values["unit_id"].astype(str)})
    table["value"] = _numbers(values)
    table["status"] = values["status"].fillna("missing").astype(str) if "status" in values else "ok"
    _require_units(table, shapes)
    full = shapes.units[["unit_id"]].merge(table, on="unit_id", how="left", validate="one_to_one")
    status = full["status"].fillna("missing").where(full["value"].notna() | ~full["status"].isin(SHOWN), "missing")
    return full.assign(status=status, value=full["value"].where(status.isin(SHOWN)))


def _require_columns(values: pd.DataFrame) -> None:
    missing = [name for name in ("unit_id", "value") if name not in values]
    if missing:
        raise InputError("error.map_columns", missing=", ".join(missing), found=", ".join(map(str, values.columns)))


def _numbers(values: pd.DataFrame) -> pd.Series:
    numbers = pd.to_numeric(values["value"], errors="coerce").astype(float)
    wrong = values["unit_id"][np.isinf(numbers) | (numbers.isna() & values["value"].notna())]
    if len(wrong):
        first = wrong.index[0]
        raise InputError("error.map_value", unit=wrong.iloc[0], value=values.loc[first, "value"])
    return numbers


def _require_units(table: pd.DataFrame, shapes: Boundaries) -> None:
    unknown = table.loc[~table["unit_id"].isin(shapes.units["unit_id"]), "unit_id"]
    if len(unknown):
        listed = ", ".join(unknown.iloc[:6])
        raise InputError("error.map_unknown_unit", units=listed, vintage=shapes.vintage, number=len(shapes.units))
    twice = table.loc[table["unit_id"].duplicated(), "unit_id"]
    if len(twice):
        raise InputError("error.map_unit_twice", units=", ".join(twice.iloc[:6]))
    strange = table.loc[~table["status"].isin([*SHOWN, *GAPS]), "status"]
    if len(strange):
        raise InputError("error.map_status", value=strange.iloc[0], expected=", ".join([*SHOWN, *GAPS]))


def marks(
    table: pd.DataFrame, shapes: Boundaries, classes: Classes, *, unit: str, decimals: int, language: str | None
) -> dict[str, Mark]:
    """unit_id → how it is drawn; `table` comes from `complete`."""
    names = shapes.names
    colours = classes.colours
    shown = table["status"].isin(SHOWN).to_numpy()
    place = np.full(len(table), -1)
    if shown.any():
        place[shown] = classes.index(table.loc[shown, "value"].to_numpy())
    found = {}
    for unit_id, value, status, i in zip(table["unit_id"], table["value"], table["status"], place):
        text = value_text(value, status, unit=unit, decimals=decimals, language=language)
        found[unit_id] = Mark(unit_id, names[unit_id], status, value, colours[i] if i >= 0 else None, text)
    return found


def value_text(value: float, status: str, *, unit: str, decimals: int, language: str | None) -> str:
    """A value with its unit, or the reason why there is none."""
    if status in GAPS:
        return label(f"map.status.{status}", language)
    text = f"{format_number(value, decimals, language)} {unit}".strip()
    return f"{text} ({label('map.status.modelled', language)})" if status == "modelled" else text

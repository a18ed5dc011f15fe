"""What cannot be moved between geographies, each as a sentence."""

from __future__ import annotations

from functools import cache

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_date, format_number
from tkyt_analysis.reference.places import places

LAST_DAY_2024 = pd.Timestamp("2025-06-30")
_WEIGHT_COLUMNS = ["old_unit_id", "new_unit_id", "weight"]


@cache
def _level_of() -> pd.Series:
    """Level of every unit of both systems; the five districts without communes count as communes."""
    units = pd.concat([places("VN2024"), places("VN2025")]).drop_duplicates("unit_id")
    level = units.set_index("unit_id")["level"].copy()
    level["VN2024:" + read_codelist("island_districts")["old_code"]] = 3
    return level


def _shown(values: pd.Series) -> str:
    distinct = values.astype("str").unique()
    return ", ".join(distinct[:5]) + (f", … ({len(distinct)})" if len(distinct) > 5 else "")


def require_movable(unit_ids: pd.Series, target: str, movable: pd.Index) -> None:
    """Raise InputError where a unit is missing, unknown, or has no place in the target geography."""
    if unit_ids.isna().any() or (unit_ids == "").any():
        raise InputError("error.geography.unit_missing", count=int((unit_ids.isna() | (unit_ids == "")).sum()))
    distinct = pd.Series(unit_ids.unique(), dtype="str")
    stuck = distinct[movable.get_indexer(pd.Index(distinct)) < 0]
    if stuck.empty:
        return
    unknown = stuck[_level_of().index.get_indexer(pd.Index(stuck)) < 0]
    if len(unknown):
        raise InputError("error.geography.unknown_units", units=_shown(unknown))
    new = stuck[stuck.str.startswith("VN2025:")]
    if target == "VN2024:district" and len(new):
        raise InputError("error.geography.no_districts_2025", units=_shown(new))
    if target == "VN2024:province" and len(new):
        raise InputError("error.geography.new_province_to_old", units=_shown(new))
    raise InputError("error.geography.cannot_divide", units=_shown(stuck), target=target)


def require_one_level(unit_ids: pd.Series) -> None:
    """Raise InputError where units of one system stand beside their own parts: sums would count twice."""
    distinct = pd.Series(unit_ids.unique(), dtype="str")
    level = distinct.map(_level_of())
    for system in ("VN2024", "VN2025"):
        of_system = distinct.str.startswith(f"{system}:") | (distinct == "VN")
        examples = distinct[of_system].groupby(level[of_system]).first()
        if len(examples) > 1:
            raise InputError("error.geography.mixed_levels", units=", ".join(examples))


def require_before_july_2025(table: pd.DataFrame) -> None:
    """Raise InputError where a row's period ends after the districts did (2025-06-30)."""
    for column in ("period_end", "period_start"):
        if column in table.columns:
            latest = pd.to_datetime(table[column]).max()
            if latest > LAST_DAY_2024:
                raise InputError("error.geography.district_after_june_2025", column=column, date=format_date(latest))
            return


def require_weights(weights: pd.DataFrame | None, divided: pd.DataFrame) -> pd.DataFrame:
    """The weights of the divided units in use (old_unit_id, new_unit_id, weight), after every check.

    Raises InputError where columns are missing, an edge does not exist or stands twice, a weight is not a number
    from 0 to 1, a divided unit has none, or the weights of one old unit do not sum to 1 (within 1e-6).
    """
    missing = [name for name in _WEIGHT_COLUMNS if weights is None or name not in weights.columns]
    if weights is None or missing:
        raise InputError("error.geography.weights_columns", columns=", ".join(missing))
    weights = weights.loc[weights["old_unit_id"].isin(divided["unit_id"]), _WEIGHT_COLUMNS]
    pairs = weights["old_unit_id"] + " → " + weights["new_unit_id"]
    unknown = pairs[~pairs.isin(divided["unit_id"] + " → " + divided["target_id"]) | pairs.duplicated()]
    if len(unknown):
        raise InputError("error.geography.weights_edges", edges=_shown(unknown))
    values = pd.to_numeric(weights["weight"], errors="coerce")
    if not values.between(0, 1).all():
        raise InputError("error.geography.weights_range", edges=_shown(pairs[~values.between(0, 1)]))
    without = divided["unit_id"][~divided["unit_id"].isin(weights["old_unit_id"])]
    if len(without):
        raise InputError("error.geography.weights_missing", units=_shown(without))
    total = values.groupby(weights["old_unit_id"]).sum()
    wrong = total[(total - 1).abs() > 1e-6]
    if len(wrong):
        sums = ", ".join(f"{unit}: {format_number(value, 6)}" for unit, value in wrong.head(5).items())
        raise InputError("error.geography.weights_sum", sums=sums)
    return weights.assign(weight=values)

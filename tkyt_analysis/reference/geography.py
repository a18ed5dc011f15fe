"""Moving counts between the units of 2024 and of 2025.

Provinces: the 34 are exact unions of the 63, so any additive figure moves exactly. No new commune straddles two old
provinces, so 63-province series can still be made from new communes. Communes: 441 old ones were divided among
several new ones and no official weights exist; the result says what share of the figure came through them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.reference.geography_checks import (
    require_before_july_2025,
    require_movable,
    require_one_level,
    require_weights,
)
from tkyt_analysis.reference.places import places
from tkyt_analysis.reference.unit_sources import corrected_edges, package_edges, require_overlay

TARGETS = ("VN2025", "VN2025:province", "VN2024:province", "VN2024:district", "VN")
Split = Literal["exclude", "default", "weights"]


@dataclass(frozen=True)
class GeographyResult:
    """What `to_geography` gives.

    table : the moved counts: one row per target unit and combination of the other columns
    split_share : one row per measure: measure, total, through_split (part that came through units divided in
        2025), share (0-1, missing where the total is 0), excluded (part left out)
    excluded : the received rows that were left out (split="exclude"), unchanged
    affected : targets that got, or lack, a part of a divided unit: their figures are approximate
    """

    table: pd.DataFrame
    split_share: pd.DataFrame
    excluded: pd.DataFrame
    affected: list[str]

    def sentence(self, language: str | None = None) -> str:
        """One line per measure for the foot of a table: how much came through divided communes."""
        lines = []
        for row in self.split_share.itertuples(index=False):
            share = None if pd.isna(row.share) else 100 * row.share
            lines.append(
                label(
                    "geography.split_share",
                    language,
                    measure=row.measure,
                    share=format_number(share, 1, language),
                    through=format_number(row.through_split, 0, language),
                    total=format_number(row.total, 0, language),
                    excluded=format_number(row.excluded, 0, language),
                )
            )
        return "\n".join(lines)


@cache
def _crosswalk() -> pd.DataFrame:
    require_overlay()
    communes = corrected_edges(package_edges())
    islands = read_codelist("island_districts")[["old_code", "new_code"]].assign(is_default=True)
    edges = pd.concat([communes, islands], ignore_index=True)
    targets = edges.groupby("old_code")["new_code"].transform("size")
    edges["relation"] = pd.Series("whole", index=edges.index).where(targets == 1, "split")
    edges["old_unit_id"] = "VN2024:" + edges["old_code"]
    edges["new_unit_id"] = "VN2025:" + edges["new_code"]
    edges = edges.sort_values(["old_unit_id", "new_unit_id"], ignore_index=True)
    return edges[["old_unit_id", "new_unit_id", "relation", "is_default"]]


def crosswalk() -> pd.DataFrame:
    """Old communes (and five island districts) to new communes: 10 571 edges.

    Columns: old_unit_id, new_unit_id, relation ("whole" or "split": the old unit went to several new ones),
    is_default (one per old unit: where most of it is taken to have gone).
    Source: PyPI vietnamadminunits 1.0.4, corrected by data_catalog/codelists/crosswalk_corrections.csv.
    """
    return _crosswalk().copy()


def province_merge() -> pd.DataFrame:
    """The 63 provinces and the one of the 34 that each joined whole: old_unit_id, new_unit_id; 63 rows."""
    merge = read_codelist("provinces_2024")
    return pd.DataFrame({"old_unit_id": "VN2024:" + merge["code"], "new_unit_id": "VN2025:" + merge["code_2025"]})


@cache
def _links(target: str) -> pd.DataFrame:
    """unit_id, target_id, relation, is_default for every unit that can be moved to `target`."""
    old, new = places("VN2024"), places("VN2025")
    units = pd.concat([old, new[new["unit_id"] != "VN"]], ignore_index=True)
    if target == "VN":
        return _whole(units["unit_id"], pd.Series("VN", index=units.index))
    if target == "VN2025":
        edges = _crosswalk().set_axis(["unit_id", "target_id", "relation", "is_default"], axis=1)
        merge = province_merge()
        return pd.concat(
            [edges, _whole(merge["old_unit_id"], merge["new_unit_id"]), _whole(new["unit_id"], new["unit_id"])],
            ignore_index=True,
        )
    if target == "VN2024:district":
        districts = old[old["level"] == 2]
        communes = old[old["level"] == 3]
        return pd.concat(
            [
                _whole(districts["unit_id"], districts["unit_id"]),
                _whole(communes["unit_id"], communes["parent_unit_id"]),
            ],
            ignore_index=True,
        )
    units = units[units["level"] > 0]
    if target == "VN2025:province":
        to_new = province_merge().set_index("old_unit_id")["new_unit_id"]
        return _whole(units["unit_id"], units["province_id"].replace(to_new.to_dict()))
    old = old[old["level"] > 0]
    from_new = _old_province_of_new_communes()
    return pd.concat([_whole(old["unit_id"], old["province_id"]), from_new], ignore_index=True)


def unit_links(target: str) -> pd.DataFrame:
    """Every unit that can be moved to `target` (one of TARGETS) and where it goes: unit_id, target_id, relation, is_default."""
    return _links(target).copy()


@cache
def _movable(target: str) -> pd.Index:
    return pd.Index(_links(target)["unit_id"].unique())


def _whole(unit_ids: pd.Series, target_ids: pd.Series) -> pd.DataFrame:
    links = pd.DataFrame({"unit_id": unit_ids.to_numpy(), "target_id": target_ids.to_numpy()})
    return links.assign(relation="whole", is_default=True)


def _old_province_of_new_communes() -> pd.DataFrame:
    """New communes and the one old province each lies in (no new commune straddles two: tested)."""
    province = places("VN2024").set_index("unit_id")["province_id"]
    edges = _crosswalk()
    old = edges["old_unit_id"].map(province)
    pairs = pd.DataFrame({"unit_id": edges["new_unit_id"], "target_id": old}).drop_duplicates()
    return _whole(pairs["unit_id"], pairs["target_id"])


def to_geography(
    table: pd.DataFrame,
    target: str,
    *,
    unit: str = "unit_id",
    measures: Sequence[str],
    split: Split = "exclude",
    weights: pd.DataFrame | None = None,
) -> GeographyResult:
    """Counts per unit moved to another geography, every other column kept as it is.

    Parameters
    ----------
    table : one row per unit and whatever other columns; units of both systems may stand together
    target : "VN2025" (communes to communes, provinces to provinces), "VN2025:province" (34),
        "VN2024:province" (63), "VN2024:district" (to 2025-06-30 only), or "VN"
    unit : the column with unit_id
    measures : additive columns (counts, persons, person-years); never rates, means or shares
    split : for communes divided in 2025: leave them out, give them to their default target, or use `weights`
    weights : old_unit_id, new_unit_id, weight; the weights of each old unit sum to 1

    Returns
    -------
    GeographyResult. Sums are kept exactly (integers stay integers) but for what `excluded` holds.
    A sum over missing values only is missing.

    Raises
    ------
    InputError where a unit is unknown, cannot be moved to the target, stands beside its own parts (double
    counting), where weights do not fit, or where a column is not a number.
    """
    _require_arguments(table, target, unit, measures, split)
    links = _links(target)
    require_movable(table[unit], target, _movable(target))
    if target != "VN2025":
        require_one_level(table[unit])
    if target == "VN2024:district":
        require_before_july_2025(table)
    used = links[links["unit_id"].isin(table[unit].unique())]
    divided = used[used["relation"] == "split"]
    through = table[unit].isin(divided["unit_id"])
    left_out = table[through] if split == "exclude" else table.iloc[:0]
    kept = table[~through] if split == "exclude" else table
    if split == "weights":
        located = _by_weights(kept, used, unit, list(measures), weights)
    else:
        target_of = used[used["is_default"]].set_index("unit_id")["target_id"]
        located = kept.assign(**{unit: _look_up(kept[unit], target_of)})
    shares = _split_share(table, through, left_out, measures)
    affected = sorted(divided["target_id"].unique())
    return GeographyResult(_summed(located, list(measures)), shares, left_out, affected)


def _require_arguments(table: pd.DataFrame, target: str, unit: str, measures: Sequence[str], split: str) -> None:
    choices = [("target", target, TARGETS), ("split", split, ("exclude", "default", "weights"))]
    choices += [("unit", unit, tuple(table.columns))] + [("measures", name, tuple(table.columns)) for name in measures]
    for argument, value, allowed in choices:
        if value not in allowed:
            shown = ", ".join(map(str, allowed))
            raise InputError("error.geography.argument", argument=argument, value=value, choices=shown)
    for name in measures:
        if not pd.api.types.is_numeric_dtype(table[name]) or pd.api.types.is_bool_dtype(table[name]):
            raise InputError("error.geography.not_a_number", column=name, dtype=table[name].dtype)


def _summed(located: pd.DataFrame, measures: list[str]) -> pd.DataFrame:
    keys = [column for column in located.columns if column not in measures]
    total = located.groupby(keys, sort=False, dropna=False, observed=True)[measures].sum(min_count=1)
    return total.reset_index()[list(located.columns)]


def _look_up(unit_ids: pd.Series, values: pd.Series) -> pd.Series:
    """`values` (indexed by unit) for a long column: each distinct unit is looked up once."""
    codes, distinct = pd.factorize(unit_ids)
    return pd.Series(values.reindex(distinct).array.take(codes), index=unit_ids.index)


def _by_weights(
    table: pd.DataFrame, links: pd.DataFrame, unit: str, measures: list[str], weights: pd.DataFrame | None
) -> pd.DataFrame:
    """`table` at its targets, the counts of divided units multiplied by their weights."""
    divided = links[links["relation"] == "split"]
    shares = require_weights(weights, divided)
    whole = links[links["relation"] == "whole"].set_index("unit_id")["target_id"]
    is_divided = table[unit].isin(divided["unit_id"])
    kept = table[~is_divided]
    parts = table[is_divided].merge(shares, left_on=unit, right_on="old_unit_id", suffixes=("", "_of_weights"))
    parts[measures] = parts[measures].mul(parts["weight"], axis=0)
    parts[unit] = parts["new_unit_id"]
    return pd.concat([kept.assign(**{unit: _look_up(kept[unit], whole)}), parts[list(table.columns)]])


def _split_share(
    table: pd.DataFrame, through: pd.Series, left_out: pd.DataFrame, measures: Sequence[str]
) -> pd.DataFrame:
    rows = []
    for name in measures:
        total, part = table[name].sum(), table.loc[through, name].sum()
        share = part / total if total else float("nan")
        rows.append((name, total, part, share, left_out[name].sum()))
    return pd.DataFrame(rows, columns=["measure", "total", "through_split", "share", "excluded"])

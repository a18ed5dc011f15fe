"""Which unit counts in which unit of a geography: the links that series through 1 July 2025 stand on.

Communes: 441 old communes were divided, and no official weights exist. Old and new communes that hang together through
divided ones make one **stable area**; whatever was divided stays inside it, so that its series is exact without any
weights. Of the 3 030 stable areas 2 907 are one new commune; the other 123 hold the remaining 414.
"""

from __future__ import annotations

from functools import cache

import pandas as pd

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.errors import UsageError
from tkyt_analysis.reference.geography import crosswalk, province_merge, unit_links
from tkyt_analysis.reference.places import places

GEOGRAPHIES = ("VN2025:province", "VN2024:province", "VN2025:commune", "VN2025:area", "VN")
_WORDS = {
    "34": "VN2025:province", "63": "VN2024:province", "commune": "VN2025:commune", "area": "VN2025:area", "nation": "VN",
}  # fmt: skip
AREA = "AREA2025:"


def known_geography(word: str) -> str:
    """The geography that a word means ("34", "63", "commune", "area", "nation", or its id); UsageError for any other."""
    geography = _WORDS.get(str(word), str(word))
    if geography not in GEOGRAPHIES:
        choices = ", ".join((*GEOGRAPHIES, *_WORDS))
        raise UsageError("error.series.argument", argument="geography", value=word, choices=choices)
    return geography


@cache
def series_links(geography: str) -> pd.DataFrame:
    """Every unit that counts in `geography` (one of GEOGRAPHIES) and where.

    unit_id, target_id, split (divided among several targets), is_default (the target that is taken to have got most),
    level_id (system and level of the unit, e.g. "VN2024:3"), members (units of that level_id that make up the target).
    The five districts without communes stand on the level of communes; their people are few and no source needs to
    name them, so that they are no `members`.
    """
    links = _LINKS[geography]().drop_duplicates(["unit_id", "target_id"], ignore_index=True)
    level, islands = _level_ids(), "VN2024:" + read_codelist("island_districts")["old_code"]
    links = links.assign(level_id=links["unit_id"].map(level), island=links["unit_id"].isin(islands))
    counted = links[~links["island"]].groupby(["target_id", "level_id"]).size().rename("members").reset_index()
    links = links.merge(counted, on=["target_id", "level_id"], how="left", validate="many_to_one")
    links["members"] = links["members"].fillna(0).astype(int)
    return links[["unit_id", "target_id", "split", "is_default", "level_id", "members", "island"]]


@cache
def _level_ids() -> pd.Series:
    units = pd.concat([places("VN2024"), places("VN2025")]).drop_duplicates("unit_id").set_index("unit_id")
    level = units["level"].copy()
    level["VN2024:" + read_codelist("island_districts")["old_code"]] = 3
    ids = units["system"] + ":" + level.astype("str")
    ids["VN"] = "VN"
    return ids


def _of(target: str) -> pd.DataFrame:
    links = unit_links(target)
    return links.assign(split=links.pop("relation").eq("split"))


def _old_provinces() -> pd.DataFrame:
    """The 63, with the eleven of the 34 that are one of them, unchanged."""
    merge = province_merge()
    unchanged = merge[~merge["new_unit_id"].duplicated(keep=False)]
    same = pd.DataFrame({"unit_id": unchanged["new_unit_id"], "target_id": unchanged["old_unit_id"]})
    return pd.concat([_of("VN2024:province"), same.assign(split=False, is_default=True)], ignore_index=True)


def _communes() -> pd.DataFrame:
    links = _of("VN2025")
    return links[links["target_id"].str.fullmatch(r"VN2025:\d{5}")]


def _areas() -> pd.DataFrame:
    area = stable_areas().set_index("unit_id")["area_id"]
    return pd.DataFrame({"unit_id": area.index, "target_id": area.to_numpy()}).assign(split=False, is_default=True)


_LINKS = {
    "VN2025:province": lambda: _of("VN2025:province"),
    "VN2024:province": _old_provinces,
    "VN2025:commune": _communes,
    "VN2025:area": _areas,
    "VN": lambda: _of("VN"),
}


@cache
def stable_areas() -> pd.DataFrame:
    """Old and new communes and the stable area each lies in: unit_id, area_id ("AREA2025:" + its lowest new code).

    The connected components of the crosswalk: no unit of either system lies in two areas.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges = crosswalk()
    old, old_ids = pd.factorize(edges["old_unit_id"])
    new, new_ids = pd.factorize(edges["new_unit_id"], sort=True)
    n = len(old_ids) + len(new_ids)
    graph = coo_array((np.ones(len(edges)), (old, len(old_ids) + new)), shape=(n, n))
    component = connected_components(graph, directed=False)[1]
    lowest = pd.Series(new_ids, index=component[len(old_ids) :]).groupby(level=0).min()
    code = pd.Series(component).map(lowest).str.removeprefix("VN2025:")
    return pd.DataFrame({"unit_id": [*old_ids, *new_ids], "area_id": AREA + code})

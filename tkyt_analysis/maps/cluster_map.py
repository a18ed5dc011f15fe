"""Areas by the kind of cluster they lie in: quadrants of local Moran, hot and cold spots, clusters of a scan."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.class_legend import counted_row, gap_rows
from tkyt_analysis.maps.content import Legend, MapContent, Panel, Swatch
from tkyt_analysis.maps.palettes import CLUSTERS, RANKS
from tkyt_analysis.maps.values import SHOWN, Mark, complete

_NONE = "not_significant"


def cluster_map(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    method: str = "",
    decimals: int = 1,
    words: Mapping[str, str] | None = None,
    practice: bool = False,
    tiles: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """Map of clusters.

    values : unit_id; cluster, either a word of `local_moran` or `local_g` (high_high, high_low, low_high, low_low,
        hot, cold, not_significant) or the rank of a scan cluster (1 the most likely; missing or 0: in none); and
        optionally value (for hints) and status. A unit without a row is "missing"; an island without neighbours
        has the status not_assessable.
    method : how the clusters were found, printed above the legend
    words : other names of the clusters, code → text in the map's language
    Other parameters and errors as `draw_province_map`.
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    table = _codes(values, shapes)
    names = {code: _word(code, words or {}, language) for code in table["code"].unique() if code}
    colours = _colours(list(names))
    marked = {}
    for unit_id, value, status, code in table.itertuples(index=False):
        text = names[code] if code else label(f"map.status.{status}", language)
        if code and pd.notna(value):
            text = f"{text} ({format_number(value, decimals, language)} {unit}".rstrip() + ")"
        kind = "ok" if code else status
        marked[unit_id] = Mark(unit_id, shapes.names[unit_id], kind, value, colours.get(code), text)
    counts = table["code"].value_counts()
    rows = [
        counted_row(names[code], int(counts[code]), Swatch("ok", colours[code]), language)
        for code in sorted(names, key=_order)
    ]
    gaps = gap_rows(table.loc[table["code"] == "", "status"], language)
    legend = Legend(method, (*rows, *gaps), label(f"map.legend_note.{shapes.level}", language))
    return MapContent("clusters", title, unit, practice, language, shapes, (Panel(marked),), legend)


def _codes(values: pd.DataFrame, shapes: Boundaries) -> pd.DataFrame:
    """unit_id, value, status, code ("" where none can be shown)."""
    if "cluster" not in values:
        found = ", ".join(map(str, values.columns))
        raise InputError("error.map_kind_columns", missing="cluster", found=found, needed="unit_id")
    codes = values["cluster"].map(_code)
    strange = sorted({code for code in codes if code not in CLUSTERS and code and not code.isdigit()})
    if strange:
        expected = ", ".join([*CLUSTERS, "1, 2, 3, …"])
        raise InputError("error.map_cluster", value=strange[0], expected=expected)
    present = values.assign(value=1.0)  # `complete` asks for a number: having a cluster is one
    table = complete(present, shapes).drop(columns="value")
    number = values["value"] if "value" in values else float("nan")
    known = pd.DataFrame({"unit_id": values["unit_id"].astype(str), "value": number, "code": codes})
    table = table.merge(known, on="unit_id", how="left", validate="one_to_one")
    shown = table["status"].isin(SHOWN)
    ranked = bool(codes.map(str.isdigit).any()) or pd.api.types.is_numeric_dtype(values["cluster"])
    code = table["code"].fillna("").where(shown, "")
    code = code.where((code != "") | ~shown, _NONE if ranked else "")
    status = table["status"].where(~shown | (code != ""), "not_assessable")
    return table.assign(status=status, code=code, value=table["value"].where(shown))[
        ["unit_id", "value", "status", "code"]
    ]


def _code(cluster: object) -> str:
    """ "high_high", "1" or "" (none)."""
    if cluster is None or cluster is pd.NA or (isinstance(cluster, float) and pd.isna(cluster)):
        return ""
    text = str(int(cluster)) if isinstance(cluster, float) else str(cluster)
    return "" if text in ("0", "") else text


def _word(code: str, words: Mapping[str, str], language: str) -> str:
    if code in words:
        return words[code]
    if code.isdigit():
        return label("map.cluster.rank", language, rank=code)
    return label(f"map.cluster.{code}", language)


def _colours(codes: list[str]) -> dict[str, str]:
    """By word, or by rank; ranks beyond the colours share the last one and keep their number in words."""
    return {code: RANKS[min(int(code), len(RANKS)) - 1] if code.isdigit() else CLUSTERS[code] for code in codes}


def _order(code: str) -> tuple[int, int]:
    """Ranks first, then the words in their order; "not significant" last."""
    return (0, int(code)) if code.isdigit() else (1, list(CLUSTERS).index(code))

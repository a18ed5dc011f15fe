"""How 63 provinces became 34 on 1 July 2025: groups in colours, arrows to where the new centre is."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.content import Arrows, Legend, MapContent, Panel, Row, Swatch
from tkyt_analysis.maps.palettes import GROUPS
from tkyt_analysis.maps.values import GAPS, Mark, complete, value_text

_WIDTHS = (0.6, 2.6)  # points: of the smallest and the largest arrow
_PLAIN = 0.8
_UNCHANGED = "#ffffff"


def merger_flow(
    values: pd.DataFrame | None = None,
    *,
    title: str,
    unit: str = "",
    decimals: int = 0,
    vintage: str = "VN2024",
    practice: bool = False,
    tiles: bool = False,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> MapContent:
    """Map of the merger of 1 July 2025 (Resolution 202/2025/QH15) on the 63 old provinces.

    values : optionally unit_id of the 63 ("VN2024:02"), value (population, deaths …: the width of the arrow by which
        it goes to the new province) and status; an arrow without a value is thin
    An arrow runs from a province that joined another to the old province whose code the new one bears (its centre
    lies there); old provinces of one new province have one colour, and thick borders part the 34.
    Other parameters and errors as `draw_province_map`.
    """
    language = language or current_language()
    if vintage != "VN2024":
        raise InputError("error.map_merger_vintage", vintage=vintage)
    own = shapes is not None
    shapes = shapes or boundaries("province", "VN2024", tiles=tiles)
    table = complete(values, shapes) if values is not None else None
    groups, new_names = _groups(), boundaries("province", "VN2025").names
    said = _values(table, unit, decimals, language)
    marked = _marks(shapes, groups, new_names, table, said, language)
    panel = Panel(marked, arrows=_arrows(shapes, groups, new_names, table, said, language))
    over = None if own or tiles else boundaries("province", "VN2025")
    return MapContent(
        "merger", title, unit, practice, language, shapes, (panel,), _legend(groups, table, unit, language),
        over=over, listing=_listing(groups, shapes.names, new_names, language),
    )  # fmt: skip


@cache
def _groups() -> dict[str, str]:
    """Old unit_id → new unit_id."""
    from tkyt_analysis.reference.geography import province_merge

    merge = province_merge()
    return dict(zip(merge["old_unit_id"], merge["new_unit_id"]))


def _joined(groups: dict[str, str]) -> dict[str, list[str]]:
    """New unit_id → its old ones, the one whose code it bears first."""
    found: dict[str, list[str]] = {}
    for old, new in groups.items():
        found.setdefault(new, []).append(old)
    return {new: sorted(olds, key=lambda old: (_code(old) != _code(new), old)) for new, olds in sorted(found.items())}


def _code(unit_id: str) -> str:
    return unit_id.partition(":")[2]


@cache
def _tints() -> dict[str, str]:
    """New unit_id → colour; neighbours differ. Provinces that nobody joined stay white."""
    groups = {new: olds for new, olds in _joined(_groups()).items() if len(olds) > 1}
    outlines = boundaries("province", "VN2025").shapes
    corners = {
        new: {tuple(corner) for part in outlines[new] for ring in part for corner in ring.round(4)} for new in groups
    }
    chosen: dict[str, int] = {}
    for new in sorted(groups, key=lambda one: -len(corners[one])):
        beside = {chosen[other] for other in chosen if corners[new] & corners[other]}
        used = list(chosen.values())
        chosen[new] = min(range(len(GROUPS)), key=lambda i: (i in beside, used.count(i), i))
    return {new: GROUPS[i] for new, i in chosen.items()}


def _values(table: pd.DataFrame | None, unit: str, decimals: int, language: str) -> dict[str, str]:
    """Old unit_id → ", 1.234 người" in words, where a table is given."""
    if table is None:
        return {}
    return {
        one: value_text(value, status, unit=unit, decimals=decimals, language=language)
        for one, value, status in table.itertuples(index=False)
    }


def _marks(
    shapes: Boundaries, groups: dict[str, str], names: dict[str, str], table: pd.DataFrame | None,
    said: dict[str, str], language: str,
) -> dict[str, Mark]:  # fmt: skip
    """Old provinces in the colour of their group; a gap in the given figures keeps its pattern over it."""
    sizes = pd.Series(groups).value_counts()
    status = dict(zip(table["unit_id"], table["status"])) if table is not None else {}
    marked = {}
    for old, name in shapes.names.items():
        new = groups[old]
        key = "map.merger.to" if sizes[new] > 1 else "map.merger.unchanged_one"
        text = label(key, language, new=names[new]) + (f"; {said[old]}" if old in said else "")
        kind = status.get(old, "ok")
        colour = _tints().get(new, _UNCHANGED)
        marked[old] = Mark(old, name, kind if kind in GAPS else "ok", float("nan"), colour, text)
    return marked


def _arrows(
    shapes: Boundaries, groups: dict[str, str], names: dict[str, str], table: pd.DataFrame | None,
    said: dict[str, str], language: str,
) -> Arrows | None:  # fmt: skip
    """From the middle of each province that joined another to the middle of the one that kept its code."""
    if shapes.kind == "tiles":
        return None
    pairs = [(old, olds[0]) for olds in _joined(groups).values() for old in olds[1:]]
    value = dict(zip(table["unit_id"], table["value"])) if table is not None else {}
    size = np.array([value.get(old, np.nan) for old, _ in pairs], dtype=float)
    start, end = (np.array([_middle(shapes, pair[side]) for pair in pairs]) for side in (0, 1))
    texts = tuple(
        f"{shapes.names[old]} → {names[groups[old]]}" + (f": {said[old]}" if old in said else "") for old, _ in pairs
    )
    return Arrows(start, start + 0.93 * (end - start), _width(size), texts)


def _width(size: np.ndarray) -> np.ndarray:
    """Points, in proportion to the value; thin where there is none."""
    largest = np.nanmax(np.append(size, 0.0))
    if largest <= 0:
        return np.full(len(size), _PLAIN)
    return np.where(np.isnan(size), _PLAIN, np.maximum(_WIDTHS[1] * size / largest, _WIDTHS[0]))


def _middle(shapes: Boundaries, unit_id: str) -> tuple[float, float]:
    """Middle of the box of the largest part, degrees."""
    largest = max((part[0] for part in shapes.shapes[unit_id]), key=lambda ring: float(np.prod(np.ptp(ring, axis=0))))
    middle = (largest.min(axis=0) + largest.max(axis=0)) / 2
    return float(middle[0]), float(middle[1])


def _legend(groups: dict[str, str], table: pd.DataFrame | None, unit: str, language: str) -> Legend:
    joined = [olds for olds in _joined(groups).values() if len(olds) > 1]
    moved = sum(len(olds) - 1 for olds in joined)
    alone = len(set(groups.values())) - len(joined)
    rows = [
        Row(label("map.merger.unchanged", language, number=alone), (Swatch("ok", _UNCHANGED),)),
        Row(
            label("map.merger.joined", language, old=sum(map(len, joined)), new=len(joined)),
            tuple(Swatch("ok", colour) for colour in GROUPS[:3]),
        ),
        Row(label("map.merger.arrow", language, number=moved), (Swatch("ok", "", "arrow", 1.0),)),
    ]
    if table is None:
        return Legend("", tuple(rows))
    from tkyt_analysis.maps.class_legend import gap_rows

    largest = table["value"].max()
    if pd.notna(largest):
        old = [one for olds in joined for one in olds[1:]]
        most = table.set_index("unit_id").loc[old, "value"].max()
        if pd.notna(most) and most > 0:
            text = label("map.merger.width", language, value=f"{format_number(most, 0, language)} {unit}".strip())
            rows.append(Row(text, (Swatch("ok", "", "arrow", _WIDTHS[1]),)))
    return Legend("", (*rows, *gap_rows(table["status"].where(table["status"].isin(GAPS)).dropna(), language)))


def _listing(
    groups: dict[str, str], names: dict[str, str], new_names: dict[str, str], language: str
) -> tuple[str, ...]:
    """ "Tuyên Quang ← Hà Giang, Tuyên Quang" for each province that others joined."""
    lines = []
    for new, olds in _joined(groups).items():
        if len(olds) > 1:
            old = ", ".join(names[one] for one in olds)
            lines.append(label("map.merger.line", language, new=new_names[new], old=old))
    return tuple(lines)

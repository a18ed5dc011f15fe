"""What the pictures of small areas share: the sheet, the frame, words around it, names where they meet nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.explorer.palette import GREY, INK, RULE
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTHS = {"print": 7.2, "phone": 4.2}  # inches
MOST_NAMED = {"print": 8, "phone": 5}
FAINT = "#e8ecef"

Spot = tuple[float, float, float, float]


def new_sheet(size: str, heights: Mapping[str, float]) -> tuple[Figure, Axes]:
    """An empty figure of "print" or "phone" width with one pair of axes. Raises UsageError for another size."""
    from matplotlib.figure import Figure

    if size not in WIDTHS:
        raise UsageError("error.area_picture_size", found=size, known=", ".join(WIDTHS))
    drawing = Figure(figsize=(WIDTHS[size], heights[size]), layout="constrained")
    axes = drawing.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(RULE)
    axes.tick_params(color=RULE, labelcolor=INK, labelsize=8)
    axes.set_axisbelow(True)
    return drawing, axes


def rows_of(table: pd.DataFrame, needed: Sequence[str]) -> pd.DataFrame:
    """The rows that can be drawn. Raises InputError where columns are missing or no row has figures."""
    absent = [name for name in needed if name not in table]
    if absent:
        raise InputError("error.rate_columns_missing", missing=", ".join(absent), found=", ".join(map(str, table)))
    whole = np.isfinite(table[list(needed)].to_numpy(dtype=float)).all(axis=1)
    if not whole.any():
        raise InputError("error.area_picture_empty", found=len(table))
    return table[whole]


def say(
    drawing: Figure, axes: Axes, *, title: str, across: str, lines: Sequence[str], size: str, columns: Mapping[str, int]
) -> None:
    """Title above, legend below the axis, and over it what must be said, broken into lines."""
    from tkyt_analysis.maps.sheet import wrap

    room = 72 * WIDTHS[size] - 16
    if title:
        head = "\n".join(wrap(title, room, 11, "SemiBold"))
        drawing.suptitle(head, x=0.01, ha="left", fontsize=11, fontweight=600, color=INK)
    axes.set_xlabel(across, fontsize=8.5, color=INK)
    foot = "\n".join(part for line in lines if line for part in wrap(line, room, 7.5))
    drawing.legend(
        *axes.get_legend_handles_labels(), loc="outside lower left", ncols=columns[size], frameon=False, fontsize=8,
        title=foot, title_fontsize=7.5, alignment="left",
    )  # fmt: skip


def not_drawn(shown: int, all_: int, language: str) -> str:
    """How many areas have no place in the picture; "" where every area has one."""
    if shown == all_:
        return ""
    return label("area_picture.not_drawn", language, areas=format_number(all_ - shown, 0, language))


def numbers(axis: Any, language: str, *, decimals: int | None = None) -> None:
    """Numbers at an axis as people of the language write them; without `decimals` as many as each needs."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    def said(value: float, _: Any) -> str:
        need = next((n for n in range(4) if abs(value - round(value, n)) < 1e-9 * max(1.0, abs(value))), 3)
        return ("−" if value < 0 else "") + format_number(abs(value), need if decimals is None else decimals, language)

    axis.set_major_formatter(FuncFormatter(said))
    axis.set_minor_formatter(NullFormatter())


def name_places(
    drawing: Figure, axes: Axes, places: npt.ArrayLike, names: Sequence[str], *, taken: npt.ArrayLike, most: int
) -> None:
    """Write names beside their points, the first ones first, where they meet no point of `taken` and no other name.

    places, taken : (n, 2) in data units. Call it last: the layout is fixed here.
    """
    from tkyt_analysis.maps.sheet import text_size

    drawing.draw_without_rendering()
    drawing.set_layout_engine("none")
    unit = drawing.dpi / 72
    spots: list[Spot] = [
        (x - 3.5 * unit, y - 3.5 * unit, x + 3.5 * unit, y + 3.5 * unit)
        for x, y in axes.transData.transform(np.asarray(taken, dtype=float).reshape(-1, 2))
    ]
    spots += [_spot(text) for text in axes.texts]
    (left, low), (right, high) = axes.transAxes.transform([(0, 0), (1, 1)])
    written = 0
    for (x, y), name in zip(
        axes.transData.transform(np.asarray(places, dtype=float).reshape(-1, 2)), names, strict=True
    ):
        wide = (text_size(name, 7.5, "Regular")[0] + 2) * unit
        for side, ha in ((1, "left"), (-1, "right")):
            start = x + 5 * unit if side > 0 else x - 5 * unit - wide
            spot = (start, y - 4.5 * unit, start + wide, y + 4.5 * unit)
            inside = spot[0] >= left and spot[2] <= right and spot[1] >= low and spot[3] <= high
            if inside and not any(_meet(spot, other) for other in spots):
                across, upwards = axes.transData.inverted().transform((x, y))
                axes.annotate(
                    name, (across, upwards), xytext=(side * 6, 0), textcoords="offset points", ha=ha, va="center_baseline",
                              fontsize=7.5, color=INK, zorder=6, path_effects=_halo())  # fmt: skip
                spots.append(spot)
                written += 1
                break
        if written >= most:
            return


def _halo() -> list[Any]:
    """A white edge, so that lines behind a name do not cross it."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=2, foreground="white")]


def _spot(text: Any) -> Spot:
    box = text.get_window_extent()
    return box.x0, box.y0, box.x1, box.y1


def _meet(one: Spot, other: Spot) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


__all__ = ["FAINT", "GREY", "INK", "MOST_NAMED", "RULE", "WIDTHS", "name_places", "new_sheet", "not_drawn", "numbers",
           "rows_of", "say"]  # fmt: skip

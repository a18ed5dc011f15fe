"""A picture in one or two sentences, for those who cannot see it: what it shows, the highest and the lowest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tkyt_analysis.explorer.grid import by_unit, dimensions_of
from tkyt_analysis.explorer.titles import subtitle, title
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.explorer.grid import Grid
    from tkyt_analysis.explorer.layout import Pivot


def alternative(pivot: Pivot, *, language: str) -> str:
    """ "Biểu đồ cột: Tỷ suất chết thô theo tỉnh, 2024. Cả nước. 34 giá trị; cao nhất: …; thấp nhất: …"."""
    from tkyt_analysis.explorer.grid import arrange

    along = tuple(one for one in dimensions_of(pivot) if one != "measure")
    grid = arrange(pivot, along, language=language)
    kind = label(f"chart.picture.{pivot.layout.picture}", language)
    figures = pivot.figures
    words = [f"{kind}: {title(figures, pivot.layout, language)}.", f"{subtitle(figures, language)}."]
    words += [_extremes(part, language) for part in by_unit(grid)]
    return " ".join(words)


def _extremes(grid: Grid, language: str) -> str:
    known = np.isfinite(grid.shown)
    if not known.any():
        return label("chart.spoken_nothing", language)
    high = np.unravel_index(np.nanargmax(grid.shown), grid.shown.shape)
    low = np.unravel_index(np.nanargmin(grid.shown), grid.shown.shape)
    places = [(int(place[0]), int(place[1])) for place in (high, low)]
    if known.sum() == 1:
        return label("chart.spoken_one", language, figure=grid.said(*places[0]))
    missing = int(np.isin(grid.status, ("suppressed", "not_assessable")).sum())
    text = label(
        "chart.spoken",
        language,
        number=int(known.sum()),
        high=grid.said(*places[0]),
        low=grid.said(*places[1]),
    )
    return f"{text} {label('chart.spoken_withheld', language, number=missing)}" if missing else text

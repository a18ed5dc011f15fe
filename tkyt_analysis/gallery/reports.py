"""Exhibits of the charts that reports and dashboards share, on drawn shares of reports and practice rates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.gallery import practice_figures as made
from tkyt_analysis.gallery.model import Exhibit
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    import numpy.typing as npt

MONTHS = [f"2025{month:02d}" for month in range(1, 13)]
UNITS = 24


def exhibits() -> list[Exhibit]:
    """One exhibit per chart of `tkyt_analysis.reports.charts`; all are SVG in a page, the same for paper and phone."""
    pictures: dict[str, Callable[[str], str]] = {
        "report_course": _course,
        "report_matrix": _matrix,
        "report_bars": _bars,
    }
    return [Exhibit(name, "reports", partial(_drawn, picture)) for name, picture in pictures.items()]


def _drawn(picture: Callable[[str], str], width: float, language: str) -> str:
    return picture(language)


def _received() -> npt.NDArray[np.float64]:
    """Share of reports received by unit and month: drawn, some missing, one unit not due before July."""
    rng = np.random.default_rng(20_251_123)
    share = np.where(rng.random((UNITS, len(MONTHS))) < np.linspace(0.35, 0.02, UNITS)[:, None], 0.5, 1.0)
    share[3, :6] = np.nan
    return share


def _course(language: str) -> str:
    from tkyt_analysis.reports.charts import draw_completeness_course

    course = pd.DataFrame({"period_id": MONTHS, "share": np.nanmean(_received(), axis=0)})
    return draw_completeness_course(course, language, threshold=0.8)


def _matrix(language: str) -> str:
    from tkyt_analysis.reports.charts import draw_reporting_matrix

    names = pd.Series(made.province_names())
    return draw_reporting_matrix(pd.DataFrame(_received(), names.index[:UNITS], MONTHS), names, language)


def _bars(language: str) -> str:
    from tkyt_analysis.reports.charts import draw_bars

    table = made.drowning_rates().sort_values("value", ascending=False)
    table = table.assign(name=table["province"].map(made.province_names()))
    unit = label("gallery.map.unit_100000", language)
    caption = label("gallery.report_bars.title", language)
    return draw_bars(table, name="name", value="value", decimals=1, unit=unit, caption=caption, language=language)

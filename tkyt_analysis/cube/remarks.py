"""What to be careful about with these figures: sentences computed from their marks, never typed beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tkyt_analysis.cube.model import MODELLED, NOT_ASSESSABLE, TOTAL, UNKNOWN, Figures
from tkyt_analysis.labels import current_language, format_number, label

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.cube.session import Cube

LOW_REPORTING = 0.8
SMALL = 20


def remarks_on(cube: Cube, figures: Figures) -> Iterator[str]:
    """Sentences in the language of the session; none where there is nothing to say."""
    rows = figures.rows[(figures.rows[list(figures.view.by)] != TOTAL).all(axis=1)] if figures.view.by else figures.rows
    if rows.empty:
        yield label("cube.remark.empty")
        if any(one.method == "published" for one in figures.measures.values()):
            yield label("cube.remark.of_one_year")
        return
    yield from _about_status(rows)
    yield from _about_reports(rows)
    yield from _about_elements(figures)
    if (rows["findings"] > 0).any():
        yield label("cube.remark.findings", None, figures=_number((rows["findings"] > 0).sum()))
    if (rows["moved"] > 0).any():
        yield label("cube.remark.moved", None, figures=_number((rows["moved"] > 0).sum()))
    rates = rows[rows["measure"].map(lambda one: figures.measures[one].method in ("crude", "direct", "proportion"))]
    small = rates[(rates["numerator"] < SMALL) & (rates["status"] != NOT_ASSESSABLE)]
    if len(small):
        yield label("cube.remark.small", None, figures=_number(len(small)), of=_number(len(rates)), limit=SMALL)
    unverified = sorted(one.title[current_language()] for one in figures.measures.values() if one.unverified)
    if unverified:
        yield label("cube.remark.unverified", None, measures="; ".join(unverified))


def _about_status(rows: pd.DataFrame) -> Iterator[str]:
    for status in (NOT_ASSESSABLE, MODELLED):
        count = int((rows["status"] == status).sum())
        if count:
            yield label(f"cube.remark.{status}", None, figures=_number(count), of=_number(len(rows)))


def _about_reports(rows: pd.DataFrame) -> Iterator[str]:
    share = (rows["received"] / rows["expected"]).where(rows["expected"] > 0)
    low = int((share < LOW_REPORTING).sum())
    if low:
        yield label(
            "cube.remark.reports", None, figures=_number(low), of=_number(len(rows)), share=_number(100 * LOW_REPORTING)
        )


def _about_elements(figures: Figures) -> Iterator[str]:
    others = sum(int(one.options.get("others") or 0) for one in figures.measures.values())
    if others:
        yield label("cube.remark.other_levels", None, values=_number(others))
    for kind in ("last", "average"):
        titles = [m.title[current_language()] for m in figures.measures.values() if m.options.get("over_time") == kind]
        if titles:
            yield label(f"cube.remark.{kind}", None, measures="; ".join(titles))
    for name in ("sex", "age_group"):
        if name in figures.view.by and (figures.rows[name] == UNKNOWN).any():
            yield label(f"cube.remark.unknown_{name}")


def _number(value: float) -> str:
    return format_number(float(value), 0)

"""What stands in a cell: the number as people write it, the signs beside it, and the legend of those that occur."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tkyt_analysis.cube.model import MODELLED, NOT_ASSESSABLE, SUPPRESSED
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.labels import current_language, format_number, label

SIGNS: Mapping[str, str] = {
    "not_assessable": "–",
    "suppressed": "*",
    "modelled": "≈",
    "under_reported": "†",
    "findings": "●",
}
PERCENT_DECIMALS = 1


@dataclass(frozen=True, eq=False)
class Marks:
    """Boolean arrays (rows, columns), one per sign of SIGNS: which cells carry it."""

    not_assessable: np.ndarray
    suppressed: np.ndarray
    modelled: np.ndarray
    under_reported: np.ndarray
    findings: np.ndarray

    def present(self) -> list[str]:
        """The signs that occur, in the order of SIGNS."""
        return [name for name in SIGNS if getattr(self, name).any()]


def marks_of(pivot: Pivot, *, day: datetime.date | None = None) -> Marks:
    """Which cells carry which sign. A share of reports below the threshold of `day` (default today) is marked."""
    number = np.isfinite(pivot.shown)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(pivot.expected > 0, pivot.received / pivot.expected, np.nan)
    said = number | (pivot.status == NOT_ASSESSABLE)
    return Marks(
        not_assessable=~number & (pivot.status == NOT_ASSESSABLE),
        suppressed=~number & (pivot.status == SUPPRESSED),
        modelled=number & (pivot.status == MODELLED),
        under_reported=number & (share < least_share(day)),
        findings=said & (pivot.findings > 0),
    )


def signs(marks: Marks) -> np.ndarray:
    """The signs behind the number of each cell, as text."""
    texts = np.full(marks.modelled.shape, "", dtype="<U4")
    for name in ("modelled", "under_reported", "findings"):
        texts = np.char.add(texts, np.where(getattr(marks, name), SIGNS[name], ""))
    return texts


def legend(pivot: Pivot, language: str | None = None, *, day: datetime.date | None = None) -> list[tuple[str, str]]:
    """(sign, what it means) of the signs that occur, and of nothing else."""
    share = format_number(100 * least_share(day), 0, language)
    least = format_number(least_count(day), 0, language)
    change = pivot.layout.shows.startswith("change_")
    keys = {"not_assessable": "change"} if change else {}
    return [
        (SIGNS[name], label(f"table.mark.{keys.get(name, name)}", language, share=share, least=least))
        for name in marks_of(pivot, day=day).present()
    ]


def notes(pivot: Pivot, language: str | None = None) -> list[str]:
    """Sentences under the table: what the choice of the cells means, then the remarks of the figures."""
    own = []
    shows = pivot.layout.shows
    if shows.startswith("share_") and not all(one.additive for one in pivot.figures.measures.values()):
        own.append(label("table.note.share_of_counts_only", language))
    if pivot.layout.totals and shows == "value" and not all(one.additive for one in pivot.figures.measures.values()):
        own.append(label("table.note.totals_measured", language))
    if shows == "cumulative":
        own.append(label("table.note.cumulative", language))
    if pivot.layout.intervals and np.isfinite(pivot.lower).any() and shows == "value":
        own.append(label("table.note.intervals", language))
    return [*own, *pivot.figures.remarks]


def decimals_of(pivot: Pivot) -> np.ndarray:
    """Decimals of each cell (array of int)."""
    if pivot.layout.shows not in ("value", "cumulative"):
        return np.full(pivot.shown.shape, PERCENT_DECIMALS)
    places = np.zeros(pivot.shown.shape, dtype=int)
    for one in pivot.figures.measures.values():
        places[pivot.measure == one.id] = one.decimals
    return places


def cell_texts(pivot: Pivot, language: str | None = None) -> list[list[str]]:
    """The cells as words: the number without its signs, "–", "*", or nothing where there is no figure."""
    language = language or current_language()
    without = np.full(pivot.shown.shape, "", dtype="<U1")
    without[pivot.status == NOT_ASSESSABLE] = SIGNS["not_assessable"]
    without[pivot.status == SUPPRESSED] = SIGNS["suppressed"]
    return number_texts(pivot.shown, decimals_of(pivot), without, language)


def number_texts(values: np.ndarray, decimals: np.ndarray, missing: np.ndarray, language: str) -> list[list[str]]:
    """Numbers as words of the language; `missing` where there is none."""
    swap = str.maketrans(",.", ".,") if language == "vi" else {}
    lines = zip(values.tolist(), decimals.tolist(), missing.tolist())
    return [
        [
            f"{value:,.{places}f}".translate(swap) if value == value else other
            for value, places, other in zip(*line, strict=True)
        ]
        for line in lines
    ]


def interval_texts(pivot: Pivot, language: str | None = None) -> list[list[str]] | None:
    """ "4,1–5,2" per cell, "" without limits; None where the layout shows none."""
    if not pivot.layout.intervals or pivot.layout.shows != "value":
        return None
    language = language or current_language()
    known = np.isfinite(pivot.lower) & np.isfinite(pivot.upper) & np.isfinite(pivot.shown)
    if not known.any():
        return None
    none, places = np.full(known.shape, ""), decimals_of(pivot)
    low, high = (
        number_texts(np.where(known, one, np.nan), places, none, language) for one in (pivot.lower, pivot.upper)
    )
    return [[f"{a}–{b}" if a else "" for a, b in zip(*line)] for line in zip(low, high)]


def least_share(day: datetime.date | None = None) -> float:
    """The share of reports received below which a figure is marked, in force on a day."""
    return float(_threshold("reports_behind_a_figure", day or datetime.date.today()))


def least_count(day: datetime.date | None = None) -> int:
    """The smallest count that is shown outside, in force on a day."""
    return int(_threshold("small_numbers", day or datetime.date.today())["least_count"])


def _threshold(name: str, day: datetime.date) -> Any:
    from tkyt_analysis.catalog import load_entry

    return load_entry("thresholds", name).at(day)

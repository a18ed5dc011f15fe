"""What every file of figures says about itself: what, where, when, filters, unit, signs, source, release."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass

from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.marks import legend, notes
from tkyt_analysis.explorer.pivot_html import unit_words
from tkyt_analysis.explorer.titles import dimension_name, listing, member_name, period_words, place_words, title
from tkyt_analysis.labels import format_date, label
from tkyt_analysis.reference.vietnamese_text import fold

Pairs = list[tuple[str, str]]
_MOST_NAMES = 12
_LONGEST = 90


@dataclass(frozen=True)
class Description:
    """Words of a file. `bands` stand on top of every page (practice data, for internal use); pairs are (name, value)."""

    title: str
    unit: str
    bands: tuple[str, ...]
    filters: Pairs
    legend: Pairs
    notes: tuple[str, ...]
    passport: Pairs
    measures: tuple[Pairs, ...]

    @property
    def footer(self) -> str:
        """Source, date of the data and release, in one line."""
        return ". ".join(f"{name}: {value}" for name, value in self.passport[:3])


def describe(
    pivot: Pivot,
    language: str,
    *,
    internal: bool = False,
    account: str = "",
    made_at: datetime.datetime | None = None,
) -> Description:
    """The words of a file made of a table at a moment (default: now)."""
    bands = []
    if pivot.figures.passport.get("practice"):
        bands.append(label("practice.note", language))
    if internal:
        bands.append(label("export.internal", language))
    return Description(
        title=title(pivot.figures, pivot.layout, language),
        unit=unit_words(pivot, language),
        bands=tuple(bands),
        filters=_filters(pivot, language),
        legend=legend(pivot, language),
        notes=tuple(notes(pivot, language)),
        passport=_passport(pivot, language, account, made_at or datetime.datetime.now().astimezone()),
        measures=tuple(_measure(pivot, one, language) for one in pivot.figures.view.measures),
    )


def file_name(pivot: Pivot, kind: str, language: str | None = None) -> str:
    """An ASCII name that says what is in the file: "so_tu_vong_theo_tinh_va_nam_2024_2025.xlsx"."""
    words = re.sub(r"[^a-z0-9]+", "_", fold(title(pivot.figures, pivot.layout, language or "vi"))).strip("_")
    return f"{words[:_LONGEST].rstrip('_') or 'bang'}.{kind}"


def _filters(pivot: Pivot, language: str) -> Pairs:
    figures = pivot.figures
    pairs = [
        (label("export.place", language), place_words(figures, language)),
        (label("export.period", language), period_words(figures, language) or label("export.all_periods", language)),
    ]
    for dimension, kept in figures.view.where:
        names = [member_name(figures, dimension, code, language) for code in kept]
        words = dimension_name(dimension, language)
        pairs.append((words[:1].upper() + words[1:], listing(names, language, most=_MOST_NAMES)))
    return pairs


def _passport(pivot: Pivot, language: str, account: str, made_at: datetime.datetime) -> Pairs:
    passport = pivot.figures.passport
    groups = dict.fromkeys(one.group_title[language] for one in pivot.figures.measures.values())
    values = {
        "source": "; ".join(groups),
        "data_as_of": format_date(passport.get("data_as_of"), language),
        "release": str(passport.get("release") or "–"),
        "snapshot": str(passport.get("snapshot") or "–"),
        "catalog": str(passport.get("catalog_version") or "–"),
        "code": str(passport.get("code_version") or "–"),
        "made_at": f"{made_at:%d/%m/%Y %H:%M}" if language == "vi" else f"{made_at:%Y-%m-%d %H:%M}",
        "account": account,
    }
    return [(label(f"export.passport.{name}", language), value) for name, value in values.items() if value]


def _measure(pivot: Pivot, measure_id: str, language: str) -> Pairs:
    """What is said about one measure on the page of the passport."""
    one = pivot.figures.measures.get(measure_id)
    if one is None:
        return [(measure_id, "")]
    said = {
        "unit": one.unit[language],
        "definition": one.definition[language] if one.definition else "",
        "source": one.source + (f" ({label('export.unverified', language)})" if one.unverified else ""),
        "id": one.id,
    }
    lines = [(label(f"export.measure.{name}", language), text) for name, text in said.items() if text]
    return [(label("export.measure", language), one.title[language]), *lines]

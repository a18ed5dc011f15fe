""" "Show the code": the cell that gives exactly the table or picture on the screen, as short as a person would write it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tkyt_analysis.cube.model import NATION, View
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.titles import dimension_name, listing, period_name, place_name
from tkyt_analysis.labels import current_language, label

WIDTH = 88  # characters of a line before a call is written over several


def code_of(view: View, layout: Layout, *, language: str | None = None, release_id: str = "") -> str:
    """The cell for a view and its layout; what is as always is left out.

    release_id : named where the figures come from another release than the current one
    language : of the comment lines
    """
    language = language or current_language()
    lines = ["import tkyt_analysis as tk", ""]
    if release_id:
        lines += [_comment("release", language, release=release_id), f"tk.open(release={_text(release_id)})", ""]
    lines += [_comment("question", language, words=_question_words(view, language))]
    lines += [f"figures = {_call('tk.indicator', _question(view))}", ""]
    lines += [_comment(f"layout_{layout.picture}", language, words=_layout_words(layout, language))]
    lines += [_call("figures.pivot", _layout(layout))]
    return "\n".join(lines) + "\n"


def _question(view: View) -> list[str]:
    """The arguments of the question."""
    ids = _text(view.measures[0]) if len(view.measures) == 1 else _list(view.measures)
    always = View(view.measures)
    named = {
        "by": _list(view.by) if view.by else "",
        "place": _text(view.place) if view.place != always.place else "",
        "geography": _text(view.geography) if view.geography != always.geography else "",
        "period": _text(view.period) if view.period else "",
        "where": _where(view.where) if view.where else "",
        "cause_list": _text(view.cause_list) if _asks_causes(view) and view.cause_list != always.cause_list else "",
    }
    return [ids, *(f"{name}={value}" for name, value in named.items() if value)]


def _asks_causes(view: View) -> bool:
    return "cause" in view.by or any(name == "cause" for name, _ in view.where)


def _layout(layout: Layout) -> list[str]:
    """The arguments of the layout: rows and columns, and the options that differ from a plain table."""
    plain = Layout().as_dict()
    sides = [f"{side}={_list(getattr(layout, side))}" for side in ("rows", "columns") if getattr(layout, side)]
    others = {name: value for name, value in layout.as_dict().items() if name not in ("rows", "columns")}
    return [*sides, *(f"{name}={_plain(value)}" for name, value in others.items() if value != plain[name])]


def _call(function: str, arguments: Sequence[str]) -> str:
    short = f"{function}({', '.join(arguments)})"
    if len(short) <= WIDTH:
        return short
    return f"{function}(\n" + "".join(f"    {one},\n" for one in arguments) + ")"


def _text(value: str) -> str:
    """A text as Python reads it back, in double quotes, letters of Vietnamese as they are."""
    plain = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{plain}"' if plain.isprintable() else repr(value)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(_text(one) for one in values)}]"


def _where(where: Sequence[tuple[str, Sequence[str]]]) -> str:
    return "{" + ", ".join(f"{_text(name)}: {_list(kept)}" for name, kept in where) + "}"


def _plain(value: Any) -> str:
    return _text(value) if isinstance(value, str) else repr(value)


# -- the comment lines


def _comment(step: str, language: str, **fields: str) -> str:
    words = " ".join(label(f"explorer.code.{step}", language, **fields).split())
    return "# " + "".join(letter for letter in words if letter.isprintable())  # a comment never ends early


def _question_words(view: View, language: str) -> str:
    """By what, where, when: "theo tỉnh và năm; cả nước; 2023–2025"."""
    parts = []
    if view.by:
        names = listing([dimension_name(one, language) for one in view.by], language, most=len(view.by))
        parts.append(label("explorer.code.by", language, names=names))
    place = (
        label("chart.nation", language) if view.place == NATION else place_name(view.place, view.geography, language)
    )
    parts.append(place)
    if view.period:
        parts.append(" – ".join(period_name(one, language) for one in view.period.split("..")))
    kept = [dimension_name(name, language) for name, _ in view.where]
    if kept:
        parts.append(label("explorer.code.kept", language, names=listing(kept, language, most=len(kept))))
    return "; ".join(parts)


def _layout_words(layout: Layout, language: str) -> str:
    """What stands where: "hàng: tỉnh; cột: năm"."""
    parts = []
    for side in ("rows", "columns"):
        names = [dimension_name(one, language) for one in getattr(layout, side)]
        if names:
            parts.append(label(f"explorer.code.{side}", language, names=listing(names, language, most=len(names))))
    if layout.shows != "value":
        parts.append(label(f"chart.shows.{layout.shows}", language))
    return "; ".join(parts)

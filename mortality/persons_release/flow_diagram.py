"""The flow of death records drawn as boxes (as in the CONSORT statement): what is left on the left, what left the way on the right."""

from __future__ import annotations

import textwrap
from typing import Any

import pandas as pd

from mortality.persons_release.flow import (
    ANALYSED,
    DUPLICATE,
    LANDED,
    MERGED,
    NOT_A_DEATH,
    OTHER_LIST,
    OUTSIDE,
    PERSONS,
    QUARANTINED,
    RECEIVED,
    REPLACED,
    flow_totals,
)
from tkyt_analysis.labels import all_labels, format_number, label

# The boxes of the way, and between them what is left out there.
WAY = (
    (RECEIVED, (QUARANTINED,)),
    (LANDED, (REPLACED, NOT_A_DEATH, DUPLICATE, MERGED)),
    (PERSONS, ("stillbirth", "no_date", "future_date", OTHER_LIST, OUTSIDE)),
    (ANALYSED, ()),
)
BY_LIST = (DUPLICATE, MERGED, OTHER_LIST)
MOST_REASONS = 4
MAIN, SIDE, GAP = 3.1, 3.9, 0.5  # inches: widths of the boxes, and between them
LINE, PAD = 0.19, 0.12
BLUE, GREY = "#0a4d8c", "#5c6670"


def side_lines(flow: pd.DataFrame, step: str, language: str) -> list[tuple[int, str]]:
    """(indent, text) of what one step leaves out: its number, and under it its parts by list or by reason, most first."""
    rows = flow[flow["step"] == step]
    lines = [(0, label(f"flow.side.{step}", language, count=_number(rows["records"].sum(), language)))]
    column = "source" if step in BY_LIST else "reason"
    parts = rows[rows[column] != ""].groupby(column)["records"].sum()
    parts = parts[parts > 0].sort_values(ascending=False, kind="stable")
    most = len(parts) if step in BY_LIST else MOST_REASONS
    shown = [(_word(column, name, language), count) for name, count in parts.head(most).items()]
    if len(parts) > most:
        shown.append((label("flow.others", language), parts.iloc[most:].sum()))
    return lines + [
        (1, label("flow.part", language, what=what, count=_number(count, language))) for what, count in shown
    ]


def _word(column: str, name: str, language: str) -> str:
    """The words for a list, or for a reason (one of ours, or that of a quarantine)."""
    from tkyt_analysis.reports.quality_report import reason_title

    key = f"flow.{column}.{name}"
    return label(key, language) if key in all_labels() else reason_title(name, language)


def _number(count: float, language: str) -> str:
    return format_number(int(count), 0, language)


def draw_flow(flow: pd.DataFrame, language: str, *, asked: bool = False) -> str:
    """The diagram of a flow (see `flow_of`) as SVG; the same flow gives the same bytes.

    asked : whether the flow is of one place or year only; else the step "outside" is not drawn
    """
    from matplotlib.figure import Figure

    from tkyt_analysis.assets import chart_style
    from tkyt_analysis.reports.charts import svg_of

    with chart_style():
        boxes = [_box(flow, name, steps, language, asked=asked) for name, steps in WAY]
        height = sum(one["height"] for one in boxes) + PAD
        drawing = Figure(figsize=(MAIN + GAP + SIDE + 0.1, height))
        axes = drawing.add_axes((0, 0, 1, 1))
        axes.set(xlim=(-0.05, MAIN + GAP + SIDE + 0.05), ylim=(-height, 0))
        axes.axis("off")
        top = -PAD / 2
        for place, one in enumerate(boxes):
            _draw(axes, one, top, last=place == len(boxes) - 1)
            top -= one["height"]
        return svg_of(drawing)


def _box(flow: pd.DataFrame, name: str, steps: tuple[str, ...], language: str, *, asked: bool) -> dict[str, Any]:
    """The words and measures of one box and of what leaves the way below it."""
    words = textwrap.wrap(label(f"flow.{name}", language), 38)
    count = label("flow.count", language, count=_number(flow_totals(flow)[name], language))
    lines = [
        (indent, text)
        for step in steps
        if asked or step != OUTSIDE
        for indent, whole in side_lines(flow, step, language)
        for text in textwrap.wrap(whole, 56 - 3 * indent)
    ]
    own = (len(words) + 1) * LINE + 2 * PAD
    side = len(lines) * LINE + 2 * PAD if lines else 0.0
    return {
        "words": words,
        "count": count,
        "lines": lines,
        "own": own,
        "side": side,
        "height": own + (side + 2 * PAD if lines else 0),
    }


def _draw(axes: Any, box: dict[str, Any], top: float, *, last: bool) -> None:
    _rectangle(axes, 0, top, MAIN, box["own"], edge=BLUE, face="#eaf1f8")
    for number, text in enumerate([*box["words"], box["count"]]):
        weight = "semibold" if number == len(box["words"]) else "normal"
        y = top - PAD - LINE * (number + 0.5)
        axes.text(MAIN / 2, y, text, ha="center", va="center", fontsize=10, fontweight=weight, color="#1a1a1a")
    if last:
        return
    below, middle = top - box["own"], top - box["own"] - PAD - box["side"] / 2
    arrow = {"arrowstyle": "-|>", "color": GREY, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=(MAIN / 2, top - box["height"]), xytext=(MAIN / 2, below), arrowprops=arrow)
    axes.annotate("", xy=(MAIN + GAP, middle), xytext=(MAIN / 2, middle), arrowprops=arrow)
    _rectangle(axes, MAIN + GAP, middle + box["side"] / 2, SIDE, box["side"], edge=GREY, face="#ffffff")
    for number, (indent, text) in enumerate(box["lines"]):
        y = middle + box["side"] / 2 - PAD - LINE * (number + 0.5)
        color = "#1a1a1a" if indent == 0 else GREY
        axes.text(MAIN + GAP + PAD + 0.2 * indent, y, text, ha="left", va="center", fontsize=9, color=color)


def _rectangle(axes: Any, left: float, top: float, width: float, height: float, *, edge: str, face: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((left, top - height), width, height, edgecolor=edge, facecolor=face, linewidth=1.1))


def flow_figure(flow: pd.DataFrame, language: str, *, place: str, year: int, asked: bool = True) -> str:
    """The diagram as an HTML figure with a caption and a text for those who cannot see it."""
    from tkyt_analysis.pages import figure

    totals = {name: _number(flow_totals(flow)[name], language) for name, _ in WAY}
    when = str(year) if year else label("deaths.all_years", language)
    return figure(
        draw_flow(flow, language, asked=asked),
        caption=label("flow.caption", language, place=place, year=when),
        alternative=label("flow.alternative", language, **totals),
    )

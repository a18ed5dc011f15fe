"""Legend and table below a map for screens."""

from __future__ import annotations

from html import escape

import numpy as np

from tkyt_analysis.labels import label
from tkyt_analysis.maps.content import Legend, MapContent, Swatch
from tkyt_analysis.maps.frame import Box
from tkyt_analysis.maps.palettes import POINT_RIM
from tkyt_analysis.maps.screen_marks import arrow_path, layers, point_sample
from tkyt_analysis.maps.values import Mark

MOST_ROWS = 700  # of the table below a map; more are thousands of communes, which are taken from the data themselves


def legend_html(legend: Legend) -> str:
    items = []
    for row in legend.rows:
        if any(one.shape == "size" for one in row.swatches):
            continue  # drawn in the map
        if not row.swatches:
            items.append(f'<li class="head">{escape(row.text)}</li>')
            continue
        samples, across, high = "", 0.0, 13.0
        for swatch in row.swatches:
            wide = 22.0 if swatch.shape != "dot" else max(2 * swatch.size, 13.0)
            high = max(high, wide if swatch.shape == "dot" else 13.0)
            samples += _sample(swatch, across, wide)
            across += wide
        look = (
            f'class="many" style="width:{across:.0f}px;height:{high:.0f}px"'
            if len(row.swatches) > 1 or high > 13
            else ""
        )
        items.append(
            f'<li><svg {look} viewBox="0 0 {across:.0f} {high:.0f}" aria-hidden="true">{samples}</svg>'
            f"{escape(row.text)}</li>"
        )
    return f"<ul>{''.join(items)}</ul>"


def _sample(swatch: Swatch, x: float, wide: float) -> str:
    """One sample of the legend, its left edge at x."""
    if swatch.shape == "arrow":
        return arrow_path(np.array([x + 1, 6.5]), np.array([x + wide - 2, 6.5]), swatch.size, bend=0.0)
    if swatch.shape == "dot":
        return point_sample(swatch.status, swatch.colour, x + wide / 2, max(wide, 13.0) / 2, swatch.size)
    mark = Mark("", "", swatch.status, float("nan"), swatch.colour or None, "")
    return layers(f'<rect x="{x + 0.5:.1f}" y=".5" width="21" height="12" stroke="#4d5a63"', mark)


def table_html(content: MapContent) -> str:
    """The figures of the map: one row per unit (or point), one column per panel."""
    language, panels = content.language, content.panels
    rows = _rows(content)
    if len(rows) > MOST_ROWS:
        return f'<p class="note">{label("map.table_too_long", language, number=len(rows))}</p>'
    unit = f" ({escape(content.unit)})" if content.unit else ""
    several = [escape(panel.heading) for panel in panels] if len(panels) > 1 else [label("map.column.value", language)]
    head = "".join(f'<th scope="col">{text}{unit}</th>' for text in several)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    first = label(f"map.column.{'commune' if panels[0].points is not None else content.shapes.level}", language)
    return (
        f"<details><summary>{label('map.table', language)}</summary><table><thead><tr>"
        f'<th scope="col">{first}</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></details>"
    )


def _rows(content: MapContent) -> list[list[str]]:
    first = content.panels[0]
    if first.points is not None:
        return [list(text.partition(": ")[::2]) for text in first.points.text]
    ending = f" {content.unit}"
    return [
        [mark.name, *(panel.marked[unit_id].text.removesuffix(ending) for panel in content.panels)]
        for unit_id, mark in first.marked.items()
    ]


def size_marks(legend: Legend, box: Box, scale: float) -> str:
    """Circles of round counts in the empty west of the map, at its own scale."""
    rows = [(row.text, one) for row in legend.rows for one in row.swatches if one.shape == "size"]
    middle = box[0] * scale + max((one.size * scale / 2 for _, one in rows), default=0) + 1
    drawn, y = "", (box[1] + box[3]) / 2 * scale
    for text, one in rows:
        radius = max(one.size * scale / 2, 0.8)
        y += max(2 * radius + 3, 13.0)
        look = f'r="{radius:.1f}" fill="{one.colour}" stroke="{POINT_RIM}" stroke-width=".3"'
        drawn += f'<circle cx="{middle:.1f}" cy="{y - 4:.1f}" {look}/><text x="{2 * middle + 6:.1f}" y="{y:.1f}">{text}</text>'
    return f'<g aria-hidden="true">{drawn}</g>' if rows else ""

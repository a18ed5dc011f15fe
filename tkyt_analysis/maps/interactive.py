"""A province map for screens: one piece of HTML with inline SVG; no script, no file, no network.

Hover, touch or the Tab key shows a province's name and value in the map; a table below says the same for
screen readers and for copying. It works in an HTML report and in ipywidgets.HTML.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd

from tkyt_analysis.labels import current_language, label
from tkyt_analysis.maps.boundaries import Boundaries, boundaries
from tkyt_analysis.maps.classes import classify, ink_on
from tkyt_analysis.maps.frame import Box, Frame, Inset, Polygon, frame, short_lines
from tkyt_analysis.maps.values import SHOWN, Mark, complete, legend_rows, marks

_WIDTH = 344.0  # of the drawing in CSS pixels at 360 pixels of screen; wider screens enlarge it
_TYPE = 10.5
_CSS = """
.tkyt-map{margin:0 0 1rem;max-width:560px;font-family:"Be Vietnam Pro",system-ui,sans-serif;color:#1a1a1a}
.tkyt-map svg{display:block;width:100%;min-width:0;height:auto;overflow:visible}
.tkyt-map figcaption b{display:block;font-size:1.05rem;line-height:1.35}
.tkyt-map figcaption span,.tkyt-map .note{font-size:.82rem;color:#444}
.tkyt-map .band{background:#fff2cc;border:1px solid #8a5a00;color:#5c3b00;font-weight:600;padding:.25rem .5rem;margin:0 0 .4rem}
.tkyt-map .unit{stroke:#4d5a63;stroke-width:.5;outline:none;cursor:default}
.tkyt-map .unit:hover,.tkyt-map .unit:focus{stroke:#000;stroke-width:2}
.tkyt-map .name{pointer-events:none}
@media (max-width:30rem){.tkyt-map .name{display:none}}
.tkyt-map .tip{visibility:hidden;pointer-events:none;stroke:none}
.tkyt-map .unit:hover .tip,.tkyt-map .unit:focus .tip{visibility:visible}
.tkyt-map .unit:hover~.unit:focus .tip{visibility:hidden}
.tkyt-map ul{list-style:none;margin:.3rem 0;padding:0;display:flex;flex-wrap:wrap;gap:.15rem .9rem;font-size:.82rem}
.tkyt-map li{display:flex;align-items:center;gap:.4rem}
.tkyt-map li svg{width:22px;height:13px;flex:none}
.tkyt-map table{border-collapse:collapse;font-size:.85rem}.tkyt-map td,.tkyt-map th{padding:.15rem .5rem;border-bottom:1px solid #ccc;text-align:left}
.tkyt-map td+td{text-align:right;font-variant-numeric:tabular-nums}
.tkyt-map p{margin:.3rem 0}
""".strip()


def interactive_map_html(
    values: pd.DataFrame,
    *,
    vintage: str = "VN2025",
    title: str,
    unit: str = "",
    scheme: str = "quantile",
    n_classes: int = 5,
    bounds: Sequence[float] | None = None,
    decimals: int | None = None,
    value_decimals: int = 1,
    practice: bool = False,
    tiles: bool = False,
    table: bool = True,
    shapes: Boundaries | None = None,
    language: str | None = None,
) -> str:
    """HTML of a map of one value per province; parameters and errors as `draw_province_map`.

    value_decimals : of the values in the map's hints and in its table
    table : False leaves out the table below the map, where the page has its own
    """
    language = language or current_language()
    shapes = shapes or boundaries("province", vintage, tiles=tiles)
    full = complete(values, shapes)
    shown = full.loc[full["status"].isin(SHOWN), "value"].to_numpy()
    classes = classify(shown, scheme=scheme, n_classes=n_classes, bounds=bounds, decimals=decimals)
    marked = marks(full, shapes, classes, unit=unit, decimals=value_decimals, language=language)
    legend = legend_rows(full, classes, language)
    drawn = _drawing(shapes, marked, title=title, language=language)
    band = f'<p class="band">{label("map.practice", language)}</p>' if practice else ""
    unit_line = f"<span>{escape(label('map.unit', language, unit=unit))}</span>" if unit else ""
    scheme_text = label("map.scheme", language, scheme=label(f"map.scheme.{classes.scheme}", language))
    key = hashlib.sha256((drawn + title).encode()).hexdigest()[:8]
    parts = [
        f"<style>{_CSS}</style>{band}<figcaption><b>{escape(title)}</b>{unit_line}</figcaption>",
        drawn,
        f'<p class="note">{scheme_text}. {label("map.legend_note", language)}.</p>{_legend(legend)}',
        f'<p class="note">{label("map.hint", language)}</p>',
        f'<p class="note">{escape(shapes.attribution[language])}</p>',
        _table(marked, unit, language) if table else "",
    ]
    html = f'<figure class="tkyt-map" lang="{language}">{"".join(parts)}</figure>'
    return html.replace("PATTERN-", f"p{key}-")


def _drawing(shapes: Boundaries, marked: dict[str, Mark], *, title: str, language: str) -> str:
    plain = frame(shapes, language)
    scale = _WIDTH / plain.width
    plain = frame(shapes, language, strip=2.75 * _TYPE / scale)
    units = "".join(_unit(mark, _path(plain.shapes[unit_id], scale), plain, scale) for unit_id, mark in marked.items())
    insets = "".join(_inset(inset, marked[inset.unit_id], plain, scale) for inset in plain.insets)
    summary = escape(label("map.summary", language, number=len(marked), title=title), quote=True)
    box = f"-1 -1 {_WIDTH + 2:.0f} {plain.height * scale + 2:.0f}"
    return (
        f'<svg viewBox="{box}" role="group" aria-label="{summary}" xmlns="http://www.w3.org/2000/svg" '
        f'font-size="{_TYPE}">{_PATTERN_DEFINITIONS}{insets}{units}</svg>'
    )


def _path(polygons: tuple[Polygon, ...], scale: float) -> str:
    """SVG path in tenths of a pixel, relative steps: short."""
    pieces = []
    for polygon in polygons:
        for ring in polygon:
            corners = np.round(ring * scale, 1)
            steps = np.diff(corners, axis=0)[:-1].round(1)
            steps = steps[(steps != 0).any(axis=1)]
            start = f"M{_short(corners[0, 0])},{_short(corners[0, 1])}"
            pieces.append(start + "l" + " ".join(f"{_short(x)},{_short(y)}" for x, y in steps) + "z")
    return "".join(pieces)


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0").replace("-0.", "-.").removeprefix("0") or "0"


def _unit(mark: Mark, path: str, plain: Frame, scale: float) -> str:
    """One province: shape, native title, and its hint in the empty west of the map."""
    said = escape(f"{mark.name}: {mark.text}", quote=True)
    shape = _layers(f'<path d="{path}"', mark)
    head = f'<g class="unit" tabindex="0" role="img" aria-label="{said}"><title>{said}</title>'
    name = _tile_name(mark, plain.shapes[mark.unit_id], scale) if plain.tiles else ""
    return f"{head}{shape}{name}{_tip(mark, plain.legend, scale)}</g>"


def _tile_name(mark: Mark, polygons: tuple[Polygon, ...], scale: float) -> str:
    """The name in its tile, for screens wide enough to read it."""
    lines = short_lines(mark.name)
    x, y = polygons[0][0][:4].mean(axis=0) * scale
    rim = mark.colour or "#ffffff"
    size = 6.4 if max(map(len, lines)) < 8 else 5.7
    text = "".join(
        f'<text x="{x:.1f}" y="{y + (i - len(lines) / 2 + 0.8) * 7.6:.1f}" text-anchor="middle" font-size="{size}" '
        f'fill="{ink_on(rim)}" stroke="{rim}" stroke-width="{0 if mark.status == "ok" else 2}" '
        f'paint-order="stroke">{escape(line)}</text>'
        for i, line in enumerate(lines)
    )
    return f'<g class="name">{text}</g>'


def _layers(shape: str, mark: Mark) -> str:
    """The shape filled by its class, or by the pattern of its gap."""
    fill = mark.colour or _GROUND.get(mark.status, "#ffffff")
    first = f'{shape} fill="{fill}"/>'
    return first + (f'{shape} fill="url(#PATTERN-{mark.status})"/>' if mark.status in _GROUND else "")


def _tip(mark: Mark, box: Box, scale: float) -> str:
    """Name and value, shown while the province is pointed at or focused."""
    x, y, width = box[0] * scale, box[1] * scale, (box[2] - box[0]) * scale + 6
    lines = [mark.name, *_wrapped(mark.text, width)]
    height = 8 + 14 * len(lines)
    text = "".join(
        f'<tspan x="{x + 6:.0f}" dy="{14 if i else 0}"{_BOLD if not i else ""}>{escape(line)}</tspan>'
        for i, line in enumerate(lines)
    )
    return (
        f'<g class="tip"><rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{height}" rx="3" fill="#1a1a1a"/>'
        f'<text x="{x + 6:.0f}" y="{y + 15:.0f}" fill="#ffffff">{text}</text></g>'
    )


_BOLD = ' font-weight="600"'


def _wrapped(text: str, width: float) -> list[str]:
    """Lines for the hint, by the usual width of a letter."""
    import textwrap

    return textwrap.wrap(text, max(int((width - 12) / (_TYPE * 0.58)), 8)) or [""]


def _inset(inset: Inset, mark: Mark, plain: Frame, scale: float) -> str:
    """One archipelago with its label; its islands in the colour of their province."""
    x0, y0, x1, y1 = (part * scale for part in inset.box)
    rectangle = f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}"'
    said = escape(f"{' '.join(inset.lines)}: {mark.text}", quote=True)
    if plain.tiles:
        ground, islands, ink = _layers(rectangle, mark), "", ink_on(mark.colour or "#ffffff")
    else:
        ground, islands, ink = f'{rectangle} fill="#eef4f8"/>', _islands(inset, mark, scale), "#1a1a1a"
    rim = (mark.colour or "#ffffff") if plain.tiles else "#eef4f8"
    size = 9.4 if plain.tiles else _TYPE
    x, way = ((x0 + x1) / 2, "middle") if plain.tiles else (x0 + 5, "start")
    first = (y0 + y1) / 2 - 2.5 if plain.tiles else y0 + _TYPE + 3
    text = "".join(
        f'<text x="{x:.1f}" y="{first + i * (size + 2.2):.1f}" fill="{ink}" stroke="{rim}" stroke-width="2" '
        f'paint-order="stroke" font-size="{size}" text-anchor="{way}">{escape(line)}</text>'
        for i, line in enumerate(inset.lines)
    )
    head = f'<g class="unit" tabindex="0" role="img" aria-label="{said}"><title>{said}</title>'
    return f"{head}{ground}{islands}{text}{_tip(mark, plain.legend, scale)}</g>"


def _islands(inset: Inset, mark: Mark, scale: float) -> str:
    if inset.polygons:
        return _layers(f'<path d="{_path(inset.polygons, scale)}"', mark)
    fill = mark.colour or _GROUND.get(mark.status, "#ffffff")
    return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{fill}"/>' for x, y in inset.points * scale)


_GROUND = {"missing": "#ffffff", "suppressed": "#dcdcdc", "not_assessable": "#f3e9dc", "modelled": "#ffffff"}
_LINES = {
    "missing": "M-1,1l2,-2M0,6l6,-6M5,7l2,-2",
    "suppressed": "M-1,5l2,2M0,0l6,6M5,-1l2,2",
    "not_assessable": "M0,0l6,6M0,6l6,-6",
    "modelled": "M3,0v6",
}
_PATTERN_DEFINITIONS = (
    "<defs>"
    + "".join(
        f'<pattern id="PATTERN-{status}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<path d="{lines}" stroke="#666" stroke-width=".9" fill="none"/></pattern>'
        for status, lines in _LINES.items()
    )
    + "</defs>"
)


def _legend(rows: list[tuple[str, str, str]]) -> str:
    items = []
    for status, colour, text in rows:
        mark = Mark("", "", "ok" if status == "class" else status, float("nan"), colour or None, "")
        square = _layers('<rect x=".5" y=".5" width="21" height="12" stroke="#4d5a63"', mark)
        items.append(f'<li><svg viewBox="0 0 22 13" aria-hidden="true">{square}</svg>{escape(text)}</li>')
    return f"<ul>{''.join(items)}</ul>"


def _table(marked: dict[str, Mark], unit: str, language: str) -> str:
    head = label("map.column.value", language) + (f" ({escape(unit)})" if unit else "")
    rows = "".join(
        f"<tr><td>{escape(mark.name)}</td><td>{escape(mark.text.removesuffix(' ' + unit))}</td></tr>"
        for mark in marked.values()
    )
    return (
        f"<details><summary>{label('map.table', language)}</summary><table><thead><tr>"
        f'<th scope="col">{label("map.column.province", language)}</th><th scope="col">{head}</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></details>"
    )

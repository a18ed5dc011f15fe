"""A map for screens: every kind goes this way from `MapContent` to one piece of HTML with inline SVG.

No script, no file, no network: it works in an HTML report and in ipywidgets.HTML. Hover, touch or the Tab key shows a
unit's name and value in the map; a table below says the same for screen readers and for copying.
"""

from __future__ import annotations

import hashlib
from html import escape

import numpy as np

from tkyt_analysis.labels import label
from tkyt_analysis.maps.content import MapContent, Panel
from tkyt_analysis.maps.frame import Box, Frame, Inset, Polygon, frame, short_lines
from tkyt_analysis.maps.palettes import ink_on
from tkyt_analysis.maps.screen_legend import legend_html, size_marks, table_html
from tkyt_analysis.maps.screen_marks import GROUND, PATTERN_DEFINITIONS, arrow_marks, layers, point_marks
from tkyt_analysis.maps.values import Mark

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
.tkyt-map.many{max-width:60rem}.tkyt-map .panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(15rem,1fr));gap:.6rem 1rem}
.tkyt-map .panels h4{margin:0 0 .2rem;text-align:center}
.tkyt-map li svg.many{width:auto}.tkyt-map li.head{flex-basis:100%;color:#444}
.tkyt-map .over{fill:none;stroke:#4d5a63;stroke-width:1.6;pointer-events:none}
.tkyt-map .points circle:hover,.tkyt-map .points path:hover{stroke:#000;stroke-width:2}
.tkyt-map .listing{columns:14rem;font-size:.8rem;display:block;list-style:none}.tkyt-map .listing li{display:block}
""".strip()


def html_of(content: MapContent, *, table: bool = True) -> str:
    """The map as one `<figure>`; `table=False` leaves out the table, where the page has its own."""
    language, legend = content.language, content.legend
    drawn = _panels(content)
    band = f'<p class="band">{label("map.practice", language)}</p>' if content.practice else ""
    unit = f"<span>{escape(label('map.unit', language, unit=content.unit))}</span>" if content.unit else ""
    said = ". ".join(part for part in (legend.head, legend.note) if part)
    remarks = "".join(f'<p class="note">{escape(note)}</p>' for note in content.notes)
    listing = "".join(f"<li>{escape(line)}</li>" for line in content.listing)
    parts = [
        f"<style>{_CSS}</style>{band}<figcaption><b>{escape(content.title)}</b>{unit}</figcaption>",
        drawn,
        f'<p class="note">{escape(said)}{"." if said else ""}</p>{legend_html(legend)}',
        remarks,
        f'<p class="note">{label("map.hint", language)}</p>',
        f'<ul class="listing">{listing}</ul>' if listing else "",
        f'<p class="note">{escape(content.shapes.attribution[language])}</p>',
        table_html(content) if table else "",
    ]
    many = " many" if len(content.panels) > 1 else ""
    html = f'<figure class="tkyt-map{many}" lang="{language}">{"".join(parts)}</figure>'
    key = hashlib.sha256((drawn + content.title).encode()).hexdigest()[:8]
    return html.replace("PATTERN-", f"p{key}-")


def _panels(content: MapContent) -> str:
    """One drawing, or several with their headings; the patterns are defined once, in the first."""
    if len(content.panels) == 1:
        return _drawing(content, content.panels[0], PATTERN_DEFINITIONS)
    drawn = (
        f"<div><h4>{escape(panel.heading)}</h4>{_drawing(content, panel, PATTERN_DEFINITIONS if not i else '')}</div>"
        for i, panel in enumerate(content.panels)
    )
    return f'<div class="panels">{"".join(drawn)}</div>'


def _drawing(content: MapContent, panel: Panel, definitions: str) -> str:
    shapes, language, marked = content.shapes, content.language, panel.marked
    plain = frame(shapes, language)
    scale = _WIDTH / plain.width
    plain = frame(shapes, language, strip=2.75 * _TYPE / scale)
    units = "".join(_unit(mark, _path(plain.shapes[unit_id], scale), plain, scale) for unit_id, mark in marked.items())
    sizes = "" if plain.tiles else size_marks(content.legend, plain.legend, scale)
    islands = [(inset, panel.island(inset.archipelago, inset.unit_id)) for inset in plain.insets]
    insets = "".join(_inset(inset, mark, plain, scale) for inset, mark in islands)
    over = "" if plain.tiles else _over(content, panel, scale)
    words = f"{content.title} – {panel.heading}" if panel.heading else content.title
    summary = escape(label(f"map.summary.{shapes.level}", language, number=len(marked), title=words), quote=True)
    box = f"-1 -1 {_WIDTH + 2:.0f} {plain.height * scale + 2:.0f}"
    return (
        f'<svg viewBox="{box}" role="group" aria-label="{summary}" xmlns="http://www.w3.org/2000/svg" '
        f'font-size="{_TYPE}">{definitions}{sizes}{insets}{units}{over}</svg>'
    )


def _over(content: MapContent, panel: Panel, scale: float) -> str:
    """Thick borders, symbols and arrows, where the kind has them."""
    borders = frame(content.over, content.language).shapes.values() if content.over else ()
    lines = "".join(f'<path class="over" d="{_path(polygons, scale)}"/>' for polygons in borders if polygons)
    arrows = arrow_marks(panel.arrows, scale) if panel.arrows else ""
    return lines + arrows + (point_marks(panel.points, scale) if panel.points else "")


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
    said = escape(f"{mark.name}: {mark.text}" if mark.text else mark.name, quote=True)
    shape = layers(f'<path d="{path}"', mark)
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


def _tip(mark: Mark, box: Box, scale: float) -> str:
    """Name and value, shown while the province is pointed at or focused."""
    x, y, width = box[0] * scale, box[1] * scale, (box[2] - box[0]) * scale + 6
    lines = [*_wrapped(mark.name, width), *(_wrapped(mark.text, width) if mark.text else ())]
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
    name = " ".join(inset.lines)
    said = escape(f"{name}: {mark.text}" if mark.text else name, quote=True)
    if plain.tiles:
        ground, islands, ink = layers(rectangle, mark), "", ink_on(mark.colour or "#ffffff")
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
        return layers(f'<path d="{_path(inset.polygons, scale)}"', mark)
    fill = mark.colour or GROUND.get(mark.status, "#ffffff")
    return "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.2" fill="{fill}"/>' for x, y in inset.points * scale)

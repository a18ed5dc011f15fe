"""Fills, symbols and arrows of a map for screens, as short SVG."""

from __future__ import annotations

from html import escape

import numpy as np

from tkyt_analysis.maps.content import Arrows, Points
from tkyt_analysis.maps.frame import project
from tkyt_analysis.maps.palettes import ARROW, POINT_RIM
from tkyt_analysis.maps.values import Mark

LEAST_RADIUS = 0.8  # pixels of the drawing
# Path of a symbol without a value around (0, 0), and its look: told apart by form.
_FORMS = {
    "missing": ("M-1.6,0a1.6,1.6 0 1 0 3.2,0a1.6,1.6 0 1 0 -3.2,0", 'fill="#fff" stroke="#6b6b6b" stroke-width=".6"'),
    "suppressed": ("M-1.5,-1.5h3v3h-3z", 'fill="#bdbdbd" stroke="#4a4a4a" stroke-width=".6"'),
    "not_assessable": ("M-1.6,-1.6l3.2,3.2M-1.6,1.6l3.2,-3.2", 'fill="none" stroke="#5c3b00" stroke-width=".9"'),
}


def point_marks(points: Points, scale: float) -> str:
    """Circles in groups of one colour, the largest first; then the symbols of what has no value."""
    place = (project(points.position) * scale).round(1)
    radius = np.maximum(points.radius * scale, LEAST_RADIUS).round(1)
    groups = []
    for status, (form, look) in _FORMS.items():
        chosen = np.flatnonzero(points.status == status)
        marks = (_form(form, place[i], points.text[i]) for i in chosen)
        groups.append(f"<g {look}>{''.join(marks)}</g>" if len(chosen) else "")
    valued = np.flatnonzero(points.colour != "")
    order = valued[np.lexsort((points.status[valued], -radius[valued]))]
    circles = "".join(_circle(place[i], radius[i], points.colour[i], points.status[i], points.text[i]) for i in order)
    groups.append(f'<g stroke="{POINT_RIM}" stroke-width=".3" fill-opacity=".85">{circles}</g>')
    return f'<g class="points">{"".join(groups)}</g>'


def _circle(place: np.ndarray, radius: float, colour: str, status: str, text: str) -> str:
    rim = ' stroke="#b35806" stroke-width=".8"' if status == "modelled" else ""
    said = f"<title>{escape(text)}</title>"
    return f'<circle cx="{place[0]:g}" cy="{place[1]:g}" r="{radius:g}" fill="{colour}"{rim}>{said}</circle>'


def _form(form: str, place: np.ndarray, text: str) -> str:
    return f'<path d="{form}" transform="translate({place[0]:g},{place[1]:g})"><title>{escape(text)}</title></path>'


def point_sample(status: str, colour: str, x: float, y: float, size: float) -> str:
    """A symbol of the legend; `size` points across."""
    if status in _FORMS:
        form, look = _FORMS[status]
        return f'<path d="{form}" {look} transform="translate({x:g},{y:g}) scale(1.6)"/>'
    rim = "#b35806" if status == "modelled" else POINT_RIM
    return f'<circle cx="{x:g}" cy="{y:g}" r="{size:g}" fill="{colour or "#ffffff"}" stroke="{rim}" stroke-width=".8"/>'


def arrow_marks(arrows: Arrows, scale: float) -> str:
    """Arrows with a white rim and their words."""
    starts, ends = (project(side) * scale for side in (arrows.start, arrows.end))
    return "".join(
        f"<g><title>{escape(text)}</title>{arrow_path(start, end, float(width))}</g>"
        for start, end, width, text in zip(starts, ends, arrows.width, arrows.text)
    )


def arrow_path(start: np.ndarray, end: np.ndarray, width: float, *, bend: float = 0.12) -> str:
    """A curved arrow from `start` to `end` (pixels)."""
    across = end - start
    middle = (start + end) / 2 + bend * np.array([across[1], -across[0]])
    along = end - middle
    along = along / max(float(np.hypot(*along)), 1e-9)
    side, length = np.array([-along[1], along[0]]), 4 + width
    base = end - along * length
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in (end, base + side * length * 0.45, base - side * length * 0.45))
    curve = f"M{start[0]:.1f},{start[1]:.1f}Q{middle[0]:.1f},{middle[1]:.1f} {base[0]:.1f},{base[1]:.1f}"
    return (
        f'<path d="{curve}" fill="none" stroke="#fff" stroke-width="{width + 1.6:.1f}"/>'
        f'<path d="{curve}" fill="none" stroke="{ARROW}" stroke-width="{width:.1f}"/>'
        f'<polygon points="{head}" fill="{ARROW}" stroke="#fff" stroke-width=".4"/>'
    )


GROUND = {
    "missing": "#ffffff",
    "suppressed": "#dcdcdc",
    "not_assessable": "#f3e9dc",
    "modelled": "#ffffff",
    "uncertain": "#ffffff",
}
_LINES = {
    "missing": "M-1,1l2,-2M0,6l6,-6M5,7l2,-2",
    "suppressed": "M-1,5l2,2M0,0l6,6M5,-1l2,2",
    "not_assessable": "M0,0l6,6M0,6l6,-6",
    "modelled": "M3,0v6",
    "uncertain": "M1.5,2h1.4M4.5,5h1.4",
}
PATTERN_DEFINITIONS = (
    "<defs>"
    + "".join(
        f'<pattern id="PATTERN-{status}" width="6" height="6" patternUnits="userSpaceOnUse">'
        f'<path d="{lines}" stroke="#666" stroke-width=".9" fill="none"/></pattern>'
        for status, lines in _LINES.items()
    )
    + "</defs>"
)


def layers(shape: str, mark: Mark) -> str:
    """The shape filled by its class, or by the pattern of its gap."""
    fill = mark.colour or GROUND.get(mark.status, "#ffffff")
    first = f'{shape} fill="{fill}"/>'
    return first + (f'{shape} fill="url(#PATTERN-{mark.status})"/>' if mark.status in GROUND else "")

"""Colours of maps: told apart with every kind of colour blindness, and words on them stay readable.

Measured in tests/unit/test_maps_palettes.py (Machado, Oliveira & Fernandes 2009; distances in CIELAB).
"""

from __future__ import annotations

import numpy as np

# ColorBrewer 2.0 YlGnBu, 7 classes (Brewer & Harrower; Apache 2.0): readable with every kind of colour blindness
# and in a grey print, where it runs from light to dark. The palest yellow is left out: it looks like paper.
SEQUENTIAL = ("#edf8b1", "#c7e9b4", "#7fcdbb", "#41b6c4", "#1d91c0", "#225ea8", "#0c2c84")
# ColorBrewer 2.0 PuOr, from violet (low) to orange (high) over near white: no red against green, no "good" colour.
_DIVERGING = {
    2: ("#998ec3", "#f1a340"),
    3: ("#998ec3", "#f7f7f7", "#f1a340"),
    4: ("#5e3c99", "#b2abd2", "#fdb863", "#e66101"),
    5: ("#5e3c99", "#b2abd2", "#f7f7f7", "#fdb863", "#e66101"),
    6: ("#542788", "#998ec3", "#d8daeb", "#fee0b6", "#f1a340", "#b35806"),
    7: ("#542788", "#998ec3", "#d8daeb", "#f7f7f7", "#fee0b6", "#f1a340", "#b35806"),
}
NEUTRAL = "#f2f2f0"  # land that is shown without a value of its own
POINT, POINT_RIM = "#3d8fd1", "#06294d"
ARROW = "#7a1230"
# Cluster maps: ColorBrewer RdBu for the four quadrants of Moran's scatter plot, near white for the rest.
CLUSTERS = {
    "high_high": "#ca0020",
    "high_low": "#f4a582",
    "low_high": "#92c5de",
    "low_low": "#0571b0",
    "hot": "#ca0020",
    "cold": "#0571b0",
    "not_significant": "#f7f7f7",
}
# Clusters by rank, the most likely one first: strong to weak; the rank also stands in words on the map.
RANKS = ("#7a1230", "#0a4d8c", "#c96a00", "#2f919c", "#4d7fe8", "#9d6f50")
# Groups of provinces that joined; neighbours differ, and thick borders part the groups for every reader.
GROUPS = ("#fbe3a2", "#b9dcf2", "#f0bfa0", "#d6efd0", "#cfc3e6", "#e6e0d6")
# Reliability: from the full colour to one grey; the least reliable also bears the pattern "uncertain".
_FADE_TO, _FADE = "#d9d9d9", (0.0, 0.5, 0.85)


def sequential(number: int) -> tuple[str, ...]:
    """`number` (1–7) colours from light (low) to dark (high)."""
    picks = np.linspace(0, len(SEQUENTIAL) - 1, number) if number > 1 else [2.0] * number
    return tuple(SEQUENTIAL[round(float(pick))] for pick in picks)


def diverging(number: int) -> tuple[str, ...]:
    """`number` (2–7) colours from violet (low) over near white to orange (high)."""
    return _DIVERGING[number]


def bivariate(values: int, levels: int) -> tuple[tuple[str, ...], ...]:
    """Colours [level of reliability, the best first][class of value]; less reliable is nearer to grey."""
    fades = np.interp(np.linspace(0, 2, levels), [0, 1, 2], _FADE)
    return tuple(tuple(mixed(colour, _FADE_TO, float(fade)) for colour in _strong(values)) for fade in fades)


def _strong(number: int) -> tuple[str, ...]:
    """Sequential colours without the two palest, which fading would make alike."""
    return tuple(SEQUENTIAL[round(float(pick))] for pick in np.linspace(1, len(SEQUENTIAL) - 1, number))


def mixed(first: str, second: str, share: float) -> str:
    """`first` with `share` of `second`, in sRGB."""
    parts = [(int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5)]
    return "#" + "".join(f"{round((1 - share) * a + share * b):02x}" for a, b in parts)


def ink_on(colour: str) -> str:
    """Black or white, whichever has the better contrast on `colour` (WCAG relative luminance)."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#1a1a1a" if luminance > 0.179 else "#ffffff"

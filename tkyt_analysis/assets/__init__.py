"""The typeface and the style sheet that charts, maps and pages share. Nothing here is loaded from a network.

Be Vietnam Pro (SIL Open Font License 1.1, `fonts/OFL.txt`) has every Vietnamese letter.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

ASSETS = Path(__file__).parent
FONT_FAMILY = "Be Vietnam Pro"
DIGITS_FAMILY = "TKYT Digits"
_STYLES = {"Regular": 400, "SemiBold": 600}


def font_path(style: str = "Regular") -> Path:
    """The full TTF of "Regular" or "SemiBold"."""
    return ASSETS / "fonts" / f"BeVietnamPro-{style}.ttf"


@cache
def use_fonts() -> str:
    """Make the shipped typeface known to matplotlib once; returns its family name.

    No setting of matplotlib changes: pass the name on, or draw inside `chart_style()`.
    """
    from matplotlib import font_manager

    for style in _STYLES:
        font_manager.fontManager.addfont(font_path(style))
    return FONT_FAMILY


@contextmanager
def chart_style() -> Iterator[None]:
    """Draw charts in the shipped typeface; settings return to what they were on leaving.

    SVG text is stored as outlines, so a chart looks the same on every machine.
    """
    import matplotlib

    settings: Any = {
        "font.family": [use_fonts()],
        "svg.fonttype": "path",
        "svg.hashsalt": "tkyt",
        "text.parse_math": False,
    }
    with matplotlib.rc_context(settings):
        yield


@cache
def font_face_css() -> str:
    """`@font-face` rules with the web fonts as data URIs (about 58 KB), for pages that load nothing."""
    rules = []
    for family, kind in ((FONT_FAMILY, "subset"), (DIGITS_FAMILY, "digits")):
        for style, weight in _STYLES.items():
            data = base64.b64encode(font_path(style).with_suffix(f".{kind}.woff").read_bytes()).decode("ascii")
            source = f"url(data:font/woff;base64,{data}) format('woff')"
            rules.append(f'@font-face{{font-family:"{family}";font-weight:{weight};font-display:swap;src:{source}}}')
    return "\n".join(rules)


@cache
def page_css() -> str:
    """The style sheet of every page, without the fonts."""
    return (ASSETS / "page.css").read_text("utf-8")

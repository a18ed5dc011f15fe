"""Make the web subset (WOFF) of the shipped typeface from its full TTF files.

    python tools/make_fonts.py

Keeps Latin, every Vietnamese letter, the punctuation and signs of statistical text. The typeface has digits of
different widths, so a second tiny font holds ten digits of one width for columns of numbers.
"""

from __future__ import annotations

from pathlib import Path

from fontTools.subset import Options, Subsetter, load_font, save_font

FOLDER = Path(__file__).resolve().parent.parent / "tkyt_analysis" / "assets" / "fonts"
VIETNAMESE = "ĂăĐđĨĩŨũƠơƯư"
SIGNS = "–—‘’“”…•‰€₫−≠≤≥"


def characters() -> list[int]:
    """Code points that a page may need."""
    ranges = [range(0x20, 0x7F), range(0xA0, 0x100), range(0x1EA0, 0x1EFA), range(0x300, 0x304)]
    marks = [0x306, 0x309, 0x31B, 0x323]
    return sorted({*(code for part in ranges for code in part), *marks, *map(ord, VIETNAMESE + SIGNS)})


def make_subset(source: Path) -> Path:
    """`BeVietnamPro-X.ttf` → `BeVietnamPro-X.subset.woff` beside it, without hinting."""
    options = Options(flavor="woff", hinting=False, layout_features=["kern", "mark", "mkmk", "ccmp", "locl"])
    font = load_font(str(source), options)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=characters())
    subsetter.subset(font)
    target = source.with_suffix(".subset.woff")
    save_font(font, str(target), options)
    return target


def make_digits(source: Path) -> Path:
    """`BeVietnamPro-X.ttf` → `BeVietnamPro-X.digits.woff`: 0–9 only, each as wide as the zero."""
    options = Options(flavor="woff", hinting=False, layout_features=[])
    font = load_font(str(source), options)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=range(ord("0"), ord("9") + 1))
    subsetter.subset(font)
    names = font.getBestCmap()
    width = font["hmtx"][names[ord("0")]][0]
    for name in names.values():
        advance, bearing = font["hmtx"][name]
        shift = round((width - advance) / 2)
        glyph = font["glyf"][name]
        glyph.coordinates.translate((shift, 0))
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, bearing + shift)
    target = source.with_suffix(".digits.woff")
    save_font(font, str(target), options)
    return target


if __name__ == "__main__":
    for ttf in sorted(FOLDER.glob("*.ttf")):
        for made in (make_subset(ttf), make_digits(ttf)):
            print(made.name, made.stat().st_size)

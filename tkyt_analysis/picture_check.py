"""Is a matplotlib picture fit to be seen? No text cut by the sheet, none upon another, none too small to read.

For tests and for whoever adds a picture; a reader never sees these sentences. `maps.check` adds what a map must have.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from tkyt_analysis.assets import chart_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]
Words = tuple[Any, Box]  # a text of matplotlib and where it is [pixels]
EDGE = 0.5  # pixels by which a box may stand over an edge: rounding
TOUCH = 0.35  # share of the height by which lines of one paragraph may meet: room for accents
LEAST_TYPE = 4.3  # points


def text_problems(figure: Figure) -> list[str]:
    """What is wrong with the words of a figure (titles, ticks, legends, notes), one English sentence each; empty: nothing.

    Measured by the renderer's own extents, so it holds for the size the figure has.
    """
    texts = drawn_texts(figure)
    return [*cut(texts, sheet_of(figure)), *overlaps(texts), *too_small(texts)]


def drawn_texts(figure: Figure) -> list[Words]:
    """Every text that is drawn and its box: ticks beyond the ends of their axis and hidden axes do not count."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    with chart_style():
        FigureCanvasAgg(figure)
        figure.draw_without_rendering()
        hidden = {id(text) for axes in figure.axes for text in _not_drawn(axes)}
        texts = [one for one in figure.findobj(Text) if id(one) not in hidden and one.get_visible()]
        return [(one, box_of(one)) for one in texts if one.get_text().strip()]


def _not_drawn(axes: Any) -> list[Any]:
    """Texts that matplotlib keeps but does not draw."""
    from matplotlib.text import Text

    if not axes.get_visible():
        return list(axes.findobj(Text))
    found: list[Any] = []
    for axis in (axes.xaxis, axes.yaxis):
        if not (axes.axison and axis.get_visible()):
            found += axis.findobj(Text)
            continue
        low, high = sorted(axis.get_view_interval())
        slack = 1e-9 * (high - low)
        for tick in [*axis.get_major_ticks(), *axis.get_minor_ticks()]:
            if not low - slack <= tick.get_loc() <= high + slack or not tick.get_visible():
                found += [tick.label1, tick.label2]
    return found


def box_of(artist: Any, renderer: Any = None) -> Box:
    """Where an artist is, in pixels from the lower left corner; of an annotation its words, not its arrow."""
    from matplotlib.text import Annotation, Text

    extent = (Text if isinstance(artist, Annotation) else type(artist)).get_window_extent(artist, renderer)
    return extent.x0, extent.y0, extent.x1, extent.y1


def sheet_of(figure: Figure) -> Box:
    """The whole sheet."""
    return 0.0, 0.0, float(figure.bbox.x1), float(figure.bbox.y1)


def within(inner: Box, outer: Box) -> bool:
    """Whether a box lies in another, rounding apart."""
    low = inner[0] >= outer[0] - EDGE and inner[1] >= outer[1] - EDGE
    return low and inner[2] <= outer[2] + EDGE and inner[3] <= outer[3] + EDGE


def shared(first: Box, second: Box) -> tuple[float, float]:
    """Width and height that two boxes have in common (negative: none)."""
    return min(first[2], second[2]) - max(first[0], second[0]), min(first[3], second[3]) - max(first[1], second[1])


def plain(text: Any) -> str:
    """The words of a text on one line."""
    return " ".join(text.get_text().split())


def cut(texts: Sequence[Words], sheet: Box) -> list[str]:
    """Texts that leave the sheet, or the axes by which they are clipped."""
    found = [f"{plain(text)!r} is cut by the edge of the sheet" for text, box in texts if not within(box, sheet)]
    return found + [
        f"{plain(text)!r} is cut by the edge of its axes"
        for text, box in texts
        if _clipped(text) and not within(box, text.axes.bbox.extents)
    ]


def _clipped(text: Any) -> bool:
    """Whether only that part of a text is drawn that lies on its axes."""
    bounded = text.get_clip_box() is not None or text.get_clip_path() is not None
    return bool(text.get_clip_on() and bounded and text.axes is not None)


def overlaps(texts: Sequence[Words]) -> list[str]:
    """Pairs of texts that lie upon each other."""
    found = []
    for (text, box), (other, second) in combinations(texts, 2):
        across, along = shared(box, second)
        if across > EDGE and along > TOUCH * min(box[3] - box[1], second[3] - second[1]):
            found.append(f"{plain(text)!r} and {plain(other)!r} overlap")
    return found


def too_small(texts: Sequence[Words]) -> list[str]:
    """Type that no reader can read."""
    small = [text for text, _ in texts if text.get_fontsize() < LEAST_TYPE]
    return [f"{plain(text)!r} is set in {text.get_fontsize():.1f} points" for text in small]

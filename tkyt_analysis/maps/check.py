"""Is a printed map fit to be seen? Both archipelagos named on every panel, no text cut and none upon another."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

from tkyt_analysis.maps.boundaries import ARCHIPELAGOS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Box = tuple[float, float, float, float]
_EDGE = 0.5  # pixels by which a box may stand over an edge: rounding
_TOUCH = 0.35  # share of the height by which lines of one paragraph may meet: room for accents
LEAST_TYPE = 4.3  # points


def problems(figure: Figure) -> list[str]:
    """What is wrong with a map that `maps.composition` made, one English sentence each; empty: nothing.

    Measured by the renderer's own extents, so it holds for the size the figure has. For tests and for whoever adds
    a kind of map; a reader never sees these sentences.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    renderer = FigureCanvasAgg(figure).get_renderer()
    texts = [(text, _box(text, renderer)) for axes in figure.axes for text in axes.texts if text.get_text().strip()]
    frames = _patches(figure, renderer, "archipelago-frame-")
    panels = [box for _, box in _patches(figure, renderer, "panel-")] or [_sheet(figure)]
    return [
        *_islands_missing(texts, panels),
        *_labels_outside_frames(texts, frames),
        *_cut(texts, frames, _sheet(figure)),
        *_overlaps(texts),
        *_too_small(texts),
    ]


def _box(artist: Any, renderer: Any) -> Box:
    extent = artist.get_window_extent(renderer)
    return extent.x0, extent.y0, extent.x1, extent.y1


def _sheet(figure: Figure) -> Box:
    return 0.0, 0.0, float(figure.bbox.x1), float(figure.bbox.y1)


def _patches(figure: Figure, renderer: Any, start: str) -> list[tuple[str, Box]]:
    """Rectangles whose id begins with `start`: the rest of the id, and where they are."""
    found = [patch for axes in figure.axes for patch in axes.patches if (patch.get_gid() or "").startswith(start)]
    return [(str(patch.get_gid()).removeprefix(start), _box(patch, renderer)) for patch in found]


def _within(inner: Box, outer: Box) -> bool:
    low = inner[0] >= outer[0] - _EDGE and inner[1] >= outer[1] - _EDGE
    return low and inner[2] <= outer[2] + _EDGE and inner[3] <= outer[3] + _EDGE


def _plain(text: Any) -> str:
    return " ".join(text.get_text().split())


_NAMES = {"hoang_sa": "Hoàng Sa", "truong_sa": "Trường Sa"}


def _islands_missing(texts: list[tuple[Any, Box]], panels: list[Box]) -> list[str]:
    """Each panel names each archipelago once."""
    found = []
    for i, panel in enumerate(panels):
        for name in ARCHIPELAGOS:
            labels = [text for text, box in texts if text.get_gid() == f"archipelago-{name}" and _within(box, panel)]
            if len(labels) != 1 or _NAMES[name] not in _plain(labels[0]) or not labels[0].get_visible():
                found.append(f"panel {i + 1}: {_NAMES[name]} is not named once")
    return found


def _labels_outside_frames(texts: list[tuple[Any, Box]], frames: list[tuple[str, Box]]) -> list[str]:
    """The label of an archipelago lies in a frame of it."""
    found = []
    for text, box in texts:
        name = (text.get_gid() or "").removeprefix("archipelago-")
        if name in ARCHIPELAGOS and not any(other == name and _within(box, frame) for other, frame in frames):
            found.append(f"the label {_plain(text)!r} leaves its frame")
    return found


def _cut(texts: list[tuple[Any, Box]], frames: list[tuple[str, Box]], sheet: Box) -> list[str]:
    """Nothing leaves the sheet; nothing but an archipelago's label meets its frame."""
    found = [f"{_plain(text)!r} is cut by the edge of the sheet" for text, box in texts if not _within(box, sheet)]
    for text, box in texts:
        own = (text.get_gid() or "").removeprefix("archipelago-")
        meets = any(_shared(box, frame)[0] > _EDGE and _shared(box, frame)[1] > _EDGE for _, frame in frames)
        if own not in ARCHIPELAGOS and meets:
            found.append(f"{_plain(text)!r} runs into the frame of an archipelago")
    return found


def _shared(first: Box, second: Box) -> tuple[float, float]:
    """Width and height that two boxes have in common (negative: none)."""
    return min(first[2], second[2]) - max(first[0], second[0]), min(first[3], second[3]) - max(first[1], second[1])


def _overlaps(texts: list[tuple[Any, Box]]) -> list[str]:
    found = []
    for (text, box), (other, second) in combinations(texts, 2):
        across, along = _shared(box, second)
        if across > _EDGE and along > _TOUCH * min(box[3] - box[1], second[3] - second[1]):
            found.append(f"{_plain(text)!r} and {_plain(other)!r} overlap")
    return found


def _too_small(texts: list[tuple[Any, Box]]) -> list[str]:
    """Type that no reader can read."""
    small = [text for text, _ in texts if text.get_fontsize() < LEAST_TYPE]
    return [f"{_plain(text)!r} is set in {text.get_fontsize():.1f} points" for text in small]

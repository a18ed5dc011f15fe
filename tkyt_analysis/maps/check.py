"""Is a printed map fit to be seen? Both archipelagos named on every panel, no text cut and none upon another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tkyt_analysis.maps.boundaries import ARCHIPELAGOS
from tkyt_analysis.picture_check import (
    EDGE,
    Box,
    Words,
    box_of,
    cut,
    drawn_texts,
    overlaps,
    plain,
    shared,
    sheet_of,
    too_small,
    within,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMES = {"hoang_sa": "Hoàng Sa", "truong_sa": "Trường Sa"}


def problems(figure: Figure) -> list[str]:
    """What is wrong with a map that `maps.composition` made, one English sentence each; empty: nothing.

    Measured by the renderer's own extents, so it holds for the size the figure has. For tests and for whoever adds
    a kind of map; a reader never sees these sentences.
    """
    texts = drawn_texts(figure)
    frames = _patches(figure, "archipelago-frame-")
    panels = [box for _, box in _patches(figure, "panel-")] or [sheet_of(figure)]
    return [
        *_islands_missing(texts, panels),
        *_labels_outside_frames(texts, frames),
        *cut(texts, sheet_of(figure)),
        *_in_frames(texts, frames),
        *overlaps(texts),
        *too_small(texts),
    ]


def _patches(figure: Figure, start: str) -> list[tuple[str, Box]]:
    """Rectangles whose id begins with `start`: the rest of the id, and where they are."""
    found = [patch for axes in figure.axes for patch in axes.patches if (patch.get_gid() or "").startswith(start)]
    return [(str(patch.get_gid()).removeprefix(start), box_of(patch)) for patch in found]


def _islands_missing(texts: list[Words], panels: list[Box]) -> list[str]:
    """Each panel names each archipelago once."""
    found = []
    for i, panel in enumerate(panels):
        for name in ARCHIPELAGOS:
            labels = [text for text, box in texts if text.get_gid() == f"archipelago-{name}" and within(box, panel)]
            if len(labels) != 1 or _NAMES[name] not in plain(labels[0]):
                found.append(f"panel {i + 1}: {_NAMES[name]} is not named once")
    return found


def _labels_outside_frames(texts: list[Words], frames: list[tuple[str, Box]]) -> list[str]:
    """The label of an archipelago lies in a frame of it."""
    found = []
    for text, box in texts:
        name = (text.get_gid() or "").removeprefix("archipelago-")
        if name in ARCHIPELAGOS and not any(other == name and within(box, frame) for other, frame in frames):
            found.append(f"the label {plain(text)!r} leaves its frame")
    return found


def _in_frames(texts: list[Words], frames: list[tuple[str, Box]]) -> list[str]:
    """Nothing but an archipelago's label meets its frame."""
    found = []
    for text, box in texts:
        own = (text.get_gid() or "").removeprefix("archipelago-")
        meets = any(min(shared(box, frame)) > EDGE for _, frame in frames)
        if own not in ARCHIPELAGOS and meets:
            found.append(f"{plain(text)!r} runs into the frame of an archipelago")
    return found

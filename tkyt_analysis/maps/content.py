"""What a map says, before it is drawn: one form for every kind, so that print and screen show the same.

A kind of map (`maps.registry`) turns a table into a `MapContent`; `maps.composition` makes a figure of it and
`maps.screen` a piece of HTML. Both draw the archipelagos of every panel, the attribution, the legend and the stamp of
practice data themselves: a kind can neither forget nor switch off any of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from tkyt_analysis.maps.boundaries import Boundaries
from tkyt_analysis.maps.values import Mark


@dataclass(frozen=True)
class Swatch:
    """A sample in the legend.

    shape : "box"; "dot" of `size` points across; "size", a circle `size` degrees of the map across, drawn at the
        map's own scale; or "arrow" of `size` points width
    """

    status: str = "ok"
    colour: str = ""
    shape: str = "box"
    size: float = 6.0


@dataclass(frozen=True)
class Row:
    """One line of the legend; without swatches it is a heading."""

    text: str
    swatches: tuple[Swatch, ...] = ()


@dataclass(frozen=True)
class Legend:
    """The way the classes were made, the rows, and what the numbers in brackets are."""

    head: str
    rows: tuple[Row, ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Points:
    """Symbols at places, as arrays of one length; positions in degrees (longitude, latitude).

    radius   degrees of the map; drawn no smaller than can be seen
    colour   "#rrggbb", or "" for a point whose status is shown by its form
    status   as of `Mark`
    text     "name: value" of each
    """

    position: np.ndarray
    radius: np.ndarray
    colour: np.ndarray
    status: np.ndarray
    text: np.ndarray


@dataclass(frozen=True, eq=False)
class Arrows:
    """Arrows from place to place (degrees), `width` in points, with their words."""

    start: np.ndarray
    end: np.ndarray
    width: np.ndarray
    text: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Panel:
    """One map of the country.

    marked    unit_id → how it is drawn, for every unit of the outlines
    heading   of the panel, where there are several
    islands   archipelago → how its islands are drawn; default: as the unit that they belong to
    """

    marked: Mapping[str, Mark]
    heading: str = ""
    points: Points | None = None
    arrows: Arrows | None = None
    islands: Mapping[str, Mark] = field(default_factory=dict)

    def island(self, archipelago: str, unit_id: str) -> Mark:
        """How an archipelago is drawn and what is said of it."""
        found = self.islands.get(archipelago) or self.marked.get(unit_id)
        return found or Mark(unit_id, "", "ok", float("nan"), "#ffffff", "")


@dataclass(frozen=True, eq=False)
class MapContent:
    """A map in words, colours and places.

    over      outlines drawn thickly on top (the provinces that others joined into)
    notes     remarks below the map; listing: short lines set in columns below them
    table     head and rows of the figures, for screens: (texts, …)
    named     whether a print sheet names the provinces
    """

    kind: str
    title: str
    unit: str
    practice: bool
    language: str
    shapes: Boundaries
    panels: tuple[Panel, ...]
    legend: Legend
    over: Boundaries | None = None
    notes: tuple[str, ...] = ()
    listing: tuple[str, ...] = ()
    named: bool = True

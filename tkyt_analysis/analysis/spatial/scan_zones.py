"""Windows of a scan: around each centre the areas in order of distance, as far as the limits of size allow.

A window is a prefix of one row's order; so all windows of a row are answered by one cumulative sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.errors import UsageError

Whole = npt.NDArray[np.intp]
EARTH_RADIUS_KM = 6371.0088
KEPT_ENTRIES = 20_000_000  # orders up to this many entries stay in memory, larger ones are made again when asked for
# Long side over short side → how many directions are tried (SaTScan's defaults; user guide v10, "Elliptic scanning window").
ELLIPSES = {1.0: 1, 1.5: 4, 2.0: 6, 3.0: 9, 4.0: 12, 5.0: 15}
PENALTY = {"none": 0.0, "medium": 0.5, "strong": 1.0}


@dataclass(frozen=True)
class Row:
    """The windows around one centre: the first 1, 2, … areas of `order`."""

    centre: int
    order: Whole
    distance: Numbers
    ratio: float = 1.0
    angle: float = 0.0
    weight: float = 1.0


@dataclass
class Zones:
    """All windows; `rows()` gives them centre by centre.

    places : n × 2, x and y, or longitude and latitude in degrees with `metric="great_circle"`
    population : decides how far windows grow (`max_population_share` of the total)
    max_radius : in the unit of the distances (km for longitude and latitude); max_areas : areas in a window
    ellipses : {long over short side: directions}; penalty : SaTScan's exponent of the non-compactness penalty
    """

    places: Numbers
    population: Numbers
    metric: str = "euclidean"
    max_population_share: float = 0.5
    max_radius: float | None = None
    max_areas: int | None = None
    ellipses: dict[float, int] = field(default_factory=lambda: {1.0: 1})
    penalty: float = 0.0

    def __post_init__(self) -> None:
        self._kept: list[Row] | None = None

    def rows(self) -> Iterator[Row]:
        """Rows in the order of the centres; kept after the first walk where they are not too many."""
        if self._kept is not None:
            yield from self._kept
            return
        kept: list[Row] = []
        entries = 0
        for row in self._made():
            entries += len(row.order)
            if entries <= KEPT_ENTRIES:
                kept.append(row)
            else:
                kept.clear()
            yield row
        self._kept = kept if entries <= KEPT_ENTRIES else None

    def _made(self) -> Iterator[Row]:
        plane = self.places if self.metric == "euclidean" else None
        for centre in range(len(self.places)):
            for ratio, directions in self.ellipses.items():
                for angle in np.arange(directions) * np.pi / directions:
                    row = self._row(centre, plane, ratio, float(angle))
                    if len(row.order):
                        yield row

    def _row(self, centre: int, plane: Numbers | None, ratio: float, angle: float) -> Row:
        if ratio == 1:
            distance = distances(self.places, centre, metric=self.metric)
        else:
            distance = elliptic_distances(
                self.places if plane is None else plane, centre, ratio, angle, metric=self.metric
            )
        order = np.argsort(distance, kind="stable")
        length = self._length(order, distance)
        weight = (4 * ratio / (ratio + 1) ** 2) ** self.penalty
        return Row(centre, order[:length], distance[order[:length]], ratio, angle, weight)

    def _length(self, order: Whole, distance: Numbers) -> int:
        """How many areas the largest window of this order holds."""
        people = np.cumsum(self.population[order])
        inside = people / self.population.sum() <= self.max_population_share
        if self.max_radius is not None:
            inside &= distance[order] <= self.max_radius
        length = int(np.count_nonzero(inside))
        return length if self.max_areas is None else min(length, self.max_areas)


def distances(places: Numbers, centre: int, *, metric: str) -> Numbers:
    """From one place to all: straight lines, or km along the great circle for longitude and latitude in degrees."""
    if metric == "euclidean":
        return np.asarray(np.hypot(*(places - places[centre]).T))
    longitude, latitude = np.radians(places).T
    half = np.sin((latitude - latitude[centre]) / 2) ** 2
    half = half + np.cos(latitude) * np.cos(latitude[centre]) * np.sin((longitude - longitude[centre]) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(half, 0, 1)))


def elliptic_distances(places: Numbers, centre: int, ratio: float, angle: float, *, metric: str) -> Numbers:
    """Half the short side of the ellipse around one place that reaches each place."""
    step = places - places[centre]
    if metric != "euclidean":
        step = np.radians(step) * EARTH_RADIUS_KM * [np.cos(np.radians(places[centre, 1])), 1.0]
    along = step[:, 0] * np.cos(angle) + step[:, 1] * np.sin(angle)
    across = step[:, 1] * np.cos(angle) - step[:, 0] * np.sin(angle)
    return np.asarray(np.hypot(along / ratio, across))


def spatialepi_grid(longitude: npt.ArrayLike, latitude: npt.ArrayLike) -> Numbers:
    """x, y in km as SpatialEpi::latlong2grid makes them: mean of two earth radii, x shrunk by sin 51.5° everywhere.

    51.5° suits London; far from it distances east–west are wrong (at 16° N by 19 %). It is here to repeat results that
    were made so; `metric="great_circle"` is right everywhere.
    """
    radius = 0.5 * (6378.2 + 6356.7)
    x = np.radians(np.asarray(longitude, float)) * radius * np.sin(np.radians(51.5))
    return np.column_stack([x, np.radians(np.asarray(latitude, float)) * radius])


def time_windows(periods: int, *, kind: str, max_share: float, max_periods: int | None = None) -> Whole:
    """(start, end) of each run of periods, end not included: all runs, or those that reach the last ("prospective")."""
    longest = max(1, int(np.floor(max_share * periods + 1e-9)))
    longest = longest if max_periods is None else min(longest, max_periods)
    start, end = np.triu_indices(periods + 1, k=1)
    fits = end - start <= longest
    if kind == "prospective":
        fits &= end == periods
    elif kind != "retrospective":
        raise UsageError("error.scan_option", option="time", found=kind, known="retrospective, prospective")
    return np.column_stack([start[fits], end[fits]]).astype(np.intp)


def sums_over_windows(values: npt.NDArray, windows: Whole) -> npt.NDArray:
    """areas × periods [× more] → areas × windows [× more]."""
    running = np.concatenate([np.zeros_like(values[:, :1]), np.cumsum(values, axis=1)], axis=1)
    return running[:, windows[:, 1]] - running[:, windows[:, 0]]

"""Spatial weights: who is whose neighbour, and how much each neighbour counts.

Styles after Tiefelsdorf, Griffith & Boots, Environment and Planning A 1999;31:165-80, with the letters of R's spdep:
B as given (0/1), W rows add to 1, C all add to the number of areas, U all add to 1, S variance-stabilising, "minmax"
divided by the smaller of the largest row and column sum. Islands (areas without neighbours) are areas like others: their
row is empty, C and minmax do not count them (spdep with zero.policy=TRUE).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.option_words import option_word

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
STYLES = ("W", "B", "C", "U", "S", "minmax")
_OTHER_STYLES = {
    "w": "W", "r": "W", "row": "W", "row_standardised": "W", "row_standardized": "W", "b": "B", "o": "B", "binary": "B",
    "c": "C", "u": "U", "d": "U", "s": "S", "v": "S", "variance_stabilising": "S", "variance_stabilizing": "S",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Weights:
    """Neighbours of n areas and the style in which they are weighted.

    links : (n, n) sparse matrix of weights as given; 1 where only neighbourhood was told
    ids : name of each area, in order
    style : one of STYLES
    """

    links: csr_array
    ids: pd.Index
    style: str = "W"

    @property
    def n(self) -> int:
        """Number of areas."""
        return len(self.ids)

    @cached_property
    def cardinality(self) -> npt.NDArray[np.int64]:
        """Number of neighbours of each area (itself counts where it was included)."""
        return np.diff(self.links.indptr).astype(np.int64)

    @property
    def islands(self) -> Mask:
        """True for areas without neighbours."""
        return self.cardinality == 0

    @property
    def self_included(self) -> bool:
        """Whether areas are among their own neighbours."""
        return bool((self.links.diagonal() != 0).any())

    @cached_property
    def matrix(self) -> csr_array:
        """The weights in their style."""
        return _styled(self.links, self.style)

    @property
    def binary(self) -> csr_array:
        """1 for neighbours, whatever their weight."""
        ones = self.links.copy()
        ones.data = np.ones_like(ones.data)
        return ones

    def restyled(self, style: str | None) -> Weights:
        """The same neighbours in another style (None: as they are)."""
        return self if style is None or style == self.style else replace(self, style=style_word(style))

    def with_self(self) -> Weights:
        """Each area also its own neighbour, with weight 1 (spdep's include.self)."""
        from scipy.sparse import eye_array

        missing = self.links.diagonal() == 0
        return replace(self, links=(self.links + eye_array(self.n).multiply(missing[:, None])).tocsr())

    def subset(self, kept: Mask) -> Weights:
        """Only some areas; the rest stop being neighbours, and the style is applied anew."""
        if kept.all():
            return self
        return replace(self, links=self.links[kept][:, kept], ids=self.ids[kept])

    def symmetric(self) -> Weights:
        """Neighbours if either names the other (the larger weight of both)."""
        return replace(self, links=self.links.maximum(self.links.T).tocsr())

    def table(self) -> pd.DataFrame:
        """One row per pair: i, j (ids), weight in its style."""
        pairs = self.matrix.tocoo()
        return pd.DataFrame({"i": self.ids[pairs.row], "j": self.ids[pairs.col], "weight": pairs.data})

    def components(self) -> npt.NDArray[np.int32]:
        """Number of the connected part that each area belongs to; each island is a part of its own."""
        from scipy.sparse.csgraph import connected_components

        return connected_components(self.links, directed=False)[1]


def spatial_weights(
    neighbours: Any,
    *,
    ids: Iterable[Any] | None = None,
    n: int | None = None,
    style: str | None = None,
    contiguity: str = "queen",
) -> Weights:
    """Weights from whatever tells neighbours.

    Parameters
    ----------
    neighbours : one of
        a table of pairs: columns i, j [, weight] (or from/to, unit_id/neighbour_id, …; else the first two); a row
        without j names an island;
        a list with one list of neighbours per area (positions); a dictionary area → neighbours, or → {neighbour: weight};
        an n × n matrix, dense or sparse; a libpysal W or Graph; a GeoDataFrame (polygons that touch, see `contiguity`);
        the path of a map or of a CSV file of pairs, or GeoJSON;
        `Weights`.
    ids : the areas in order, where pairs name areas (words whose pairs are 1 … n: the places in that order). Without them, and with `n`, pairs are positions: counted from 0
        where a 0 occurs, else from 1.
    style : "W" (default), "B", "C", "U", "S", "minmax"; a `Weights` keeps its own
    contiguity : "queen" (a common point) or "rook" (a common line), for polygons

    Raises InputError where a pair names an unknown area, stands twice, or has a weight that is no number >= 0.
    """
    from tkyt_analysis.analysis.spatial.neighbour_forms import read_links

    if isinstance(neighbours, Weights):
        return _in_order(neighbours, ids, n).restyled(style)
    names: pd.Index | None = ids if ids is None or isinstance(ids, pd.Index) else pd.Index(list(ids))
    if names is not None and _is_counted(names):
        n, names = len(names), None
    elif names is not None and names.has_duplicates:
        raise InputError("error.spatial_areas_repeated", areas=some_of(names[names.duplicated()]))
    links, names = read_links(neighbours, names, n, contiguity)
    return Weights(links, names, style_word(style or "W"))


def _in_order(weights: Weights, ids: Iterable[Any] | None, n: int | None) -> Weights:
    """The weights for the areas that are asked about, in their order."""
    if ids is None:
        if n is not None and n != weights.n:
            raise InputError("error.spatial_weights_length", areas=n, weights=weights.n)
        return weights
    names = pd.Index(list(ids)) if not isinstance(ids, pd.Index) else ids
    if names.equals(weights.ids):
        return weights
    if _is_counted(names):
        return _in_order(weights, None, len(names))
    place = weights.ids.get_indexer(names)
    if (place < 0).any():
        raise InputError(
            "error.spatial_neighbours_unknown", areas=some_of(names[place < 0]), count=int((place < 0).sum())
        )
    return replace(weights, links=weights.links[place][:, place], ids=names)


def _is_counted(names: pd.Index) -> bool:
    """0, 1, 2 … of a table without names: positions, no names."""
    return isinstance(names, pd.RangeIndex) and names.start == 0 and names.step == 1


def style_word(style: str) -> str:
    """The letter of a style; UsageError where there is none."""
    word = option_word(style, STYLES, _OTHER_STYLES)
    if word not in STYLES:
        raise UsageError("error.spatial_option", option="style", value=style, known=", ".join(STYLES))
    return str(word)


def _styled(links: csr_array, style: str) -> csr_array:
    from scipy.sparse import diags_array

    if style == "B":
        return links
    row = np.asarray(links.sum(axis=1)).ravel()
    if style == "W":
        return (diags_array(_inverse(row)) @ links).tocsr()
    n, joined = links.shape[0], int((np.diff(links.indptr) > 0).sum())
    if style == "S":
        length = np.sqrt(np.asarray(links.multiply(links).sum(axis=1)).ravel())
        even = diags_array(_inverse(length)) @ links
        return (even * _over(n, even.sum())).tocsr()
    largest = min(row.max(initial=0.0), np.asarray(links.sum(axis=0)).ravel().max(initial=0.0))
    factor = {"C": _over(joined, row.sum()), "U": _over(1.0, row.sum()), "minmax": _over(1.0, largest)}[style]
    return links * factor


def _inverse(values: Numbers) -> Numbers:
    return np.divide(1.0, values, out=np.zeros(len(values)), where=values > 0)


def _over(top: float, bottom: float) -> float:
    return float(top / bottom) if bottom > 0 else 0.0


def some_of(names: Iterable[Any], most: int = 8) -> str:
    """The first names and how many more there are."""
    listed = [str(name) for name in names]
    return ", ".join(listed[:most]) + (f" … (+{len(listed) - most})" if len(listed) > most else "")

"""Groups of cells from which redistribution takes its evidence: the cell itself, a broad age, a wider place, the nation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mortality.measures.redistribution_limits import age_span
from tkyt_analysis.errors import UsageError

Numbers = npt.NDArray[np.float64]
BROAD_AGES = (1, 5, 15, 30, 45, 60, 70, 80)  # where a broad age group begins (besides 0)
OWN = "own"
BORROW = ("broad_age", "parents", "nation", "nation_broad_age", "nation_all_ages", "everyone")
KNOWN_LEVELS = (OWN, "broad_age", "all_ages", "parents", "nation", "nation_broad_age", "nation_all_ages", "everyone")


@dataclass(frozen=True)
class Level:
    """A group from which a cell takes its evidence: places with the same number, ages with the same number; None is all."""

    name: str
    places: npt.NDArray[np.int64] | None
    ages: npt.NDArray[np.int64] | None
    both_sexes: bool = False

    def pooled(self, evidence: Numbers) -> Numbers:
        """(…, S, A, P, C) the evidence of each cell's group."""
        return np.broadcast_to(self.summed(evidence), evidence.shape)

    def summed(self, evidence: Numbers) -> Numbers:
        """`pooled`, with one place where all places (ages, sexes) have the same."""
        found = evidence.sum(axis=-4, keepdims=True) if self.both_sexes else evidence
        places_first = _grouped(found, self.places, -2)  # the longest axis first
        return _grouped(places_first, self.ages, -3)


def _grouped(values: Numbers, groups: npt.NDArray[np.int64] | None, axis: int) -> Numbers:
    """Sums over the groups along an axis, laid out over their members."""
    if groups is None:
        return values.sum(axis=axis, keepdims=True)
    if len(np.unique(groups)) == len(groups):
        return values
    last = np.moveaxis(values, axis, -1) @ np.eye(groups.max() + 1)[groups]
    return np.moveaxis(last[..., groups], -1, axis)


def make_levels(
    ages: Sequence[str], places: int, *, parents: Sequence[npt.ArrayLike] = (), borrow: Sequence[str] = BORROW
) -> list[Level]:
    """The cell itself, then the wider groups in the order of `borrow`. Raises UsageError for an unknown one."""
    unknown = [name for name in borrow if name not in KNOWN_LEVELS]
    if unknown:
        raise UsageError("error.redistribution_borrow", found=", ".join(unknown), known=", ".join(KNOWN_LEVELS[1:]))
    own_places, own_ages, broad = np.arange(places), np.arange(len(ages)), broad_age_groups(ages)
    kinds: Mapping[str, list[Level]] = {
        "broad_age": [Level("broad_age", own_places, broad)],
        "all_ages": [Level("all_ages", own_places, None)],
        "parents": [Level(f"parent_{n + 1}", _numbers(one, places), own_ages) for n, one in enumerate(parents)],
        "nation": [Level("nation", None, own_ages)],
        "nation_broad_age": [Level("nation_broad_age", None, broad)],
        "nation_all_ages": [Level("nation_all_ages", None, None)],
        "everyone": [Level("everyone", None, None, both_sexes=True)],
    }
    return [Level(OWN, own_places, own_ages), *(level for name in borrow for level in kinds.get(name, []))]


def broad_age_groups(ages: Sequence[str]) -> npt.NDArray[np.int64]:
    """The broad group of each age group, by its first year; unknown ages are a group of their own."""
    low = np.array([age_span(age)[0] for age in ages], dtype=float)
    group = np.searchsorted(BROAD_AGES, np.where(np.isnan(low), -1, low), side="right")
    return np.unique(np.where(np.isnan(low), 99, group), return_inverse=True)[1]


def _numbers(labels: npt.ArrayLike, places: int) -> npt.NDArray[np.int64]:
    values = np.asarray(labels)
    if values.shape != (places,):
        raise UsageError("error.redistribution_parents", found=str(values.shape), expected=f"({places},)")
    return np.unique(values, return_inverse=True)[1]

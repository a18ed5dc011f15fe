"""Which windows are reported beside the most likely one.

"spatialepi": the best window of all that shares no area with those reported before, again and again (SpatialEpi::kulldorff).
The other rules are SaTScan's and start from the best window of each centre (user guide v10, "Criteria for Reporting
Secondary Clusters"; recalled, unverified against the program).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.spatial.scan_score import Best, Score, best_windows
from tkyt_analysis.analysis.spatial.scan_zones import Zones

RULES = (
    "spatialepi", "no_overlap", "no_centres_in_other", "no_centres_in_more_likely", "no_centres_in_less_likely",
    "no_pairs_of_centres", "all_centres", "none",
)  # fmt: skip
Members = npt.NDArray[np.intp]


def reported(zones: Zones, counts: Numbers, base: Numbers, score: Score, *, rule: str) -> Iterator[Best]:
    """Windows in the order of their score: the most likely first, then those that the rule lets stand."""
    if rule == "spatialepi":
        yield from _without_shared_areas(zones, counts, base, score)
        return
    best = sorted(best_windows(zones, counts, base, score), key=lambda found: -found.score)
    kept: list[Best] = []
    centres: set[int] = set()
    for found in best:
        if found.row.centre in centres or (kept and not _stands(found, kept, rule)):
            continue
        centres.add(found.row.centre)
        kept.append(found)
        yield found


def _without_shared_areas(zones: Zones, counts: Numbers, base: Numbers, score: Score) -> Iterator[Best]:
    taken = np.zeros(len(counts), dtype=bool)
    while True:
        best = max(best_windows(zones, counts, base, score, taken=taken), key=lambda found: found.score, default=None)
        if best is None:
            return
        yield best
        taken[members(best)] = True


def members(best: Best) -> Members:
    """Positions of the areas in a window, nearest first."""
    return best.row.order[: best.areas]


def _stands(found: Best, kept: list[Best], rule: str) -> bool:
    """Whether a window may stand beside the more likely ones."""
    clash: Callable[[Best], bool] = {
        "no_overlap": lambda other: bool(np.isin(members(found), members(other)).any()),
        "no_centres_in_other": lambda other: _holds(other, found) or _holds(found, other),
        "no_centres_in_more_likely": lambda other: _holds(other, found),
        "no_centres_in_less_likely": lambda other: _holds(found, other),
        "no_pairs_of_centres": lambda other: _holds(other, found) and _holds(found, other),
        "all_centres": lambda other: False,
        "none": lambda other: True,
    }[rule]
    return not any(clash(other) for other in kept)


def _holds(window: Best, other: Best) -> bool:
    """Whether a window holds the centre of another."""
    return other.row.centre in members(window)

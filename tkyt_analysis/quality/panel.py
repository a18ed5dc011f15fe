"""What detectors look at: counts of units over periods, one element at a time or a whole form at a time.

A detector is a pure function from one of these to rows (see `tkyt_analysis.quality.checks`). It never sees files,
clocks or the warehouse.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tkyt_analysis.reference.periods import Period


@dataclass(frozen=True)
class Panel:
    """One element and category over a regular grid of periods of one kind.

    counts : shape (units, periods); NaN where no value stands; as reported, so fractions and negatives may occur
    reported : same shape, bool; the unit sent the form (any cell of the data set) in that period
    units : unit_id, sorted; groups : province_id of each unit ("" where unknown), same length
    periods : every period from the first to the last with a value in the data set, in order, without gaps
    asked : bool per period; findings are wanted for these only (all of the history informs the model)
    """

    dataset_id: str
    element_id: str
    category_id: str
    counts: np.ndarray
    units: np.ndarray
    groups: np.ndarray
    periods: tuple[Period, ...]
    reported: np.ndarray = field(default_factory=lambda: np.zeros((0, 0), dtype=bool))
    asked: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        if self.reported.size == 0:
            object.__setattr__(self, "reported", np.isfinite(self.counts))
        if self.asked.size == 0:
            object.__setattr__(self, "asked", np.ones(len(self.periods), dtype=bool))


@dataclass(frozen=True)
class FormBlock:
    """All elements of one data set for some of its units.

    values : shape (units, periods, series), NaN where no value stands; series : (element_id, category_id) of the last
    axis, in the order of the form; the rest as in `Panel`
    """

    dataset_id: str
    values: np.ndarray
    units: np.ndarray
    groups: np.ndarray
    periods: tuple[Period, ...]
    series: tuple[tuple[str, str], ...]
    asked: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))

    def __post_init__(self) -> None:
        if self.asked.size == 0:
            object.__setattr__(self, "asked", np.ones(len(self.periods), dtype=bool))

    @property
    def reported(self) -> np.ndarray:
        """(units, periods) bool: any cell of the form has a value."""
        return np.isfinite(self.values).any(axis=2)

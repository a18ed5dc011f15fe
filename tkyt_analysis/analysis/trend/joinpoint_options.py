"""Options of joinpoint regression, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from tkyt_analysis.analysis.trend.joinpoint_input import numbers_of
from tkyt_analysis.analysis.trend.joinpoint_select import PermutationPlan
from tkyt_analysis.errors import UsageError

LIMITS = ("parametric", "empirical")
Window = int | tuple[float, float]


@dataclass(frozen=True)
class Options:
    """See `joinpoint`."""

    most: int | None
    least: int
    select: str
    model: str
    min_end: int
    min_between: int
    points_between: int
    limits: str
    standard_errors: str
    confidence: float
    alpha: float
    plan: PermutationPlan
    draws: int
    windows: Window | Sequence[Window] | None
    autocorrelation: float | str | None
    at_breaks: str

    @property
    def log(self) -> bool:
        """Whether rates were fitted on the log scale."""
        return self.model == "log_linear"

    def require_usable(self) -> None:
        """UsageError for a number that cannot be."""
        whole = {"min_joinpoints": self.least, "min_end": self.min_end, "min_between": self.min_between}
        whole |= {"points_between": self.points_between, "max_joinpoints": self.most if self.most is not None else 0}
        for option, value in whole.items():
            if isinstance(value, bool) or int(value) != value or value < 0:
                raise UsageError("error.joinpoint_number", option=option, value=value, expected="0, 1, 2 …")
        for option, value in {"draws": self.draws, "permutations": self.plan.permutations}.items():
            if value < 1:
                raise UsageError("error.joinpoint_number", option=option, value=value, expected="1, 2, 3 …")
        for option, share in {"confidence": self.confidence, "alpha": self.alpha}.items():
            if not 0 < share < 1:
                raise UsageError("error.joinpoint_number", option=option, value=share, expected="0 < … < 1")
        if self.most is not None and self.least > self.most:
            raise UsageError(
                "error.joinpoint_number", option="min_joinpoints", value=self.least, expected=f"≤ {self.most}"
            )
        rho = self.autocorrelation
        if rho is not None and rho != "estimate" and (isinstance(rho, str) or not 0 <= rho < 1):
            raise UsageError(
                "error.joinpoint_number", option="autocorrelation", value=rho, expected='"estimate", 0 ≤ … < 1'
            )

    def windows_on(self, first: float, last: float, x: Sequence[float]) -> list[tuple[float, float]]:
        """(start, end) of each window on a series with the years x; NaN where its last observations are too few."""
        if self.windows is None:
            return [(first, last)]
        return [self._window(part, x) for part in as_windows(self.windows)]

    @staticmethod
    def _window(part: Window, x: Sequence[float]) -> tuple[float, float]:
        if isinstance(part, int):
            return (float(x[-part]), float(x[-1])) if 2 <= part <= len(x) else (float("nan"), float(x[-1]))
        ends = numbers_of(part)
        if len(ends) != 2 or not ends[0] < ends[1]:
            raise UsageError("error.joinpoint_number", option="windows", value=part, expected="(2010, 2020)")
        return float(ends[0]), float(ends[1])


def as_windows(given: object) -> list[Window]:
    """One window, a number or two numbers in a tuple, or a list of them."""
    if isinstance(given, int) or (isinstance(given, tuple) and len(given) == 2 and not isinstance(given[0], tuple)):
        return [cast(Window, given)]
    return list(cast(Sequence[Window], given))

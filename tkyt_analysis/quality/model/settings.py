"""What the count model takes as given: prior chances of each explanation, and when a value cannot be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# Prior chance of each explanation per value. The panel itself moves them (up to ten times up, three times down).
PRIORS: Mapping[str, float] = {
    "extra_digit": 0.02,
    "lost_digit": 0.01,
    "swapped_digits": 0.006,
    "blank_as_zero": 0.003,
    "cumulative_as_period": 0.001,
    "two_periods_in_one": 0.0005,
    "copied_form": 0.0002,
    "unknown": 0.02,
}
EXPLANATIONS = tuple(PRIORS)


@dataclass(frozen=True)
class ModelSettings:
    """The catalog rule gives the values.

    threshold : a value is asked about from this probability of error on
    minimum_others : other values of its own series that let a value be judged without help from elsewhere
    widest_level : largest variance of the expected log count at which a value is still judged
    tail : degrees of freedom of the distribution of sound values (Student's t on the stabilised scale)
    misfit : share of the values that the model is sure of and that are no error all the same; measured on planted panels
        (Kenya .13–.15, NHS .16, Sierra Leone and dengue below .05: benchmarks/bench_panel_errors.py)
    lowest_threshold : no share of flags asks about values less probable than this
    """

    threshold: float = 0.33
    minimum_others: int = 3
    widest_level: float = 0.8
    tail: float = 8.0
    misfit: float = 0.15
    lowest_threshold: float = 0.05

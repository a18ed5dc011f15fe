"""The catalog kind `desk_review`: what a WHO desk review looks at, and from which value on something diverges, by date."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tkyt_analysis.catalog.dated import DatedValue, overlap_problems
from tkyt_analysis.catalog.dated import value_at as _value_at
from tkyt_analysis.catalog.entries import Problems, Text

Dated = Mapping[datetime.date, DatedValue]

# Every number that decides something in the review; an entry must date each of them.
THRESHOLD_NAMES = (
    "1a", "1b", "1c", "1d", "2a", "2a_values", "2b", "2b_values", "2c", "2c_values", "2c_extreme", "2d", "2e_eq", "2e_aGTb",
    "2e_do", "2e_level", "3a", "4a", "4b", "years_before", "minimum_years", "forecast_years", "estimate_years_apart",
    "confidence", "vf_lower", "vf_upper",
)  # fmt: skip


@dataclass(frozen=True)
class ReviewDataSet:
    """A data set whose reporting has thresholds of its own: {metric ("1a", "1b", "1d"): dated values}."""

    thresholds: Mapping[str, Dated] = field(default_factory=dict)


@dataclass(frozen=True)
class ReviewIndicator:
    """A count that the review follows: one or more elements of a data set, added up.

    categories : only these; empty = all of the elements
    over_time : how the months make the year (a stock is never added up)
    trend : constant (the mean of the years before is expected) | forecast (their straight line)
    compare_to : parent (a subunit should change as its place does) | one (it should not change)
    thresholds : {metric: dated values} where they are not those of the entry
    """

    title: Text
    dataset_id: str
    elements: tuple[str, ...]
    categories: tuple[str, ...] = ()
    over_time: Literal["sum", "last", "average"] = "sum"
    trend: Literal["constant", "forecast"] = "constant"
    compare_to: Literal["parent", "one"] = "parent"
    thresholds: Mapping[str, Dated] = field(default_factory=dict)


@dataclass(frozen=True)
class ReviewPair:
    """Two indicators that belong together. kind : eq (A = B) | aGTb (A at least B) | do (B never above A: no negative
    dropout) | level (A/B as in the place as a whole). threshold : where it is not that of the entry."""

    title: Text
    kind: Literal["eq", "aGTb", "do", "level"]
    a: str
    b: str
    threshold: Dated = field(default_factory=dict)


@dataclass(frozen=True)
class PopulationGroup:
    """Persons of these age groups; none named: of every age."""

    title: Text
    age_groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReviewDenominator:
    """Two denominators whose ratio should be alike everywhere; each a population group or an indicator."""

    title: Text
    a: str
    b: str
    threshold: Dated = field(default_factory=dict)


@dataclass(frozen=True)
class ReviewCoverage:
    """A routine rate and the outside estimate that it is compared with.

    numerator : an indicator; denominator : a population group or an indicator; per : the rate is per this many
    estimate : `indicator` in the code list external_estimates
    """

    title: Text
    numerator: str
    denominator: str
    per: float
    estimate: str
    threshold: Dated = field(default_factory=dict)


@dataclass(frozen=True)
class DeskReview:
    """One configuration of the desk review. Every data set with a list of expected reporters is reviewed; `data_sets`
    names only those with thresholds of their own."""

    id: str
    title: Text
    owner: str
    source: str
    thresholds: Mapping[str, Dated]
    indicators: Mapping[str, ReviewIndicator]
    pairs: Mapping[str, ReviewPair] = field(default_factory=dict)
    population_groups: Mapping[str, PopulationGroup] = field(default_factory=dict)
    denominators: Mapping[str, ReviewDenominator] = field(default_factory=dict)
    coverage: Mapping[str, ReviewCoverage] = field(default_factory=dict)
    data_sets: Mapping[str, ReviewDataSet] = field(default_factory=dict)

    def problems(self) -> Problems:
        """Names that the entry does not explain, thresholds that are missing, and dates that overlap."""
        missing: Problems = [
            (f"thresholds.{name}", "catalog.missing_key", {}) for name in THRESHOLD_NAMES if name not in self.thresholds
        ]
        return missing + self._unknown_names() + self._dates()

    def _unknown_names(self) -> Problems:
        counts, groups = set(self.indicators), set(self.population_groups)
        used = [
            (f"pairs.{name}.{part}", getattr(one, part), counts) for name, one in self.pairs.items() for part in "ab"
        ]
        used += [(f"denominators.{name}.{part}", getattr(one, part), counts | groups)
                 for name, one in self.denominators.items() for part in "ab"]  # fmt: skip
        used += [(f"coverage.{name}.numerator", one.numerator, counts) for name, one in self.coverage.items()]
        used += [
            (f"coverage.{name}.denominator", one.denominator, counts | groups) for name, one in self.coverage.items()
        ]
        used += [(f"{where}.{name}", name, set(THRESHOLD_NAMES)) for where, all_of in self._blocks() for name in all_of]
        return [
            (key, "catalog.review_unknown", {"found": name, "known": ", ".join(sorted(known))})
            for key, name, known in used
            if name not in known
        ]

    def _blocks(self) -> list[tuple[str, Mapping[str, Dated]]]:
        """Every block {threshold name: dated values} and where it stands."""
        return [
            ("thresholds", self.thresholds),
            *((f"indicators.{name}.thresholds", one.thresholds) for name, one in self.indicators.items()),
            *((f"data_sets.{name}.thresholds", one.thresholds) for name, one in self.data_sets.items()),
        ]

    def _dates(self) -> Problems:
        dated = [(f"{where}.{name}", values) for where, block in self._blocks() for name, values in block.items()]
        for kind in ("pairs", "denominators", "coverage"):
            dated += [(f"{kind}.{name}.threshold", one.threshold) for name, one in getattr(self, kind).items()]
        return [(f"{key}.{day}", name, more) for key, values in dated for day, name, more in overlap_problems(values)]

    def threshold(self, name: str, day: datetime.date, *, own: Dated | None = None) -> Any:
        """The number in force on `day`: the subject's own where it has one, else the entry's; InputError before the first."""
        return _value_at(f"{self.id}.{name}", own or self.thresholds[name], day).value

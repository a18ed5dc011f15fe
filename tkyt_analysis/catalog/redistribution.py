"""The catalog kind `redistribution`: packages that say among which causes the deaths of garbage codes are divided."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tkyt_analysis.catalog.dated import Validity
from tkyt_analysis.catalog.entries import Problems, Text

_PART = r"[A-Z]\d{2}(?:\.\d{1,2})?(?:-[A-Z]\d{2}(?:\.\d{1,2})?)?"
_RANGES = re.compile(rf"\s*{_PART}(?:\s*;\s*{_PART})*\s*")
Weights = Literal["proportional", "fixed", "regression"]


def _range_problems(key: str, ranges: str) -> Problems:
    return [] if _RANGES.fullmatch(ranges) else [(key, "catalog.redistribution_ranges", {"found": ranges})]


def _age_problems(low: int, high: int | None) -> Problems:
    wrong = low < 0 or (high is not None and high < low)
    return [("age_to", "catalog.redistribution_ages", {"low": low, "high": high})] if wrong else []


@dataclass(frozen=True)
class RedistributionTarget:
    """Causes that may have hidden behind a code.

    codes : ICD-10 ranges with dots, joined by ";"; except_ : ranges among them that are not meant
    weight : relative weight of the group (weights: fixed), None elsewhere
    sex, age_from, age_to (completed years, both included) : whom the target is for
    """

    codes: str
    except_: str | None = None
    weight: float | None = None
    sex: Literal["both", "male", "female"] = "both"
    age_from: int = 0
    age_to: int | None = None

    def problems(self) -> Problems:
        found = _range_problems("codes", self.codes) + _age_problems(self.age_from, self.age_to)
        if self.except_ is not None:
            found += _range_problems("except", self.except_)
        if self.weight is not None and self.weight < 0:
            found.append(("weight", "catalog.redistribution_weight", {"found": self.weight}))
        return found


@dataclass(frozen=True)
class RedistributionPackage:
    """Garbage codes that hide the same causes.

    sources : ICD-10 ranges; without_code : deaths without any code belong here too
    weights : proportional (to the deaths already coded to the targets, in the same place, sex and age) | fixed (the weights of
        the target groups, inside a group proportional) | regression (groups weighted by how they shrink where garbage grows)
    stage : 1 first; a later stage counts as evidence what the earlier ones gave back
    judgement : own (ours, from the literature named) | source (taken from the source named)
    """

    title: Text
    sources: str
    targets: tuple[RedistributionTarget, ...]
    judgement: Literal["own", "source"]
    literature: str
    why: Text
    weights: Weights = "proportional"
    stage: Literal[1, 2] = 1
    sex: Literal["both", "male", "female"] = "both"
    age_from: int = 0
    age_to: int | None = None
    without_code: bool = False
    unverified: bool = False

    def problems(self) -> Problems:
        found = _range_problems("sources", self.sources) + _age_problems(self.age_from, self.age_to)
        if not self.targets:
            found.append(("targets", "catalog.missing_key", {}))
        given = [one.weight is not None for one in self.targets]
        if self.weights == "fixed" and not all(given):
            found.append(("targets", "catalog.redistribution_weight_missing", {}))
        if self.weights == "fixed" and all(given) and not sum(one.weight or 0 for one in self.targets):
            found.append(("targets", "catalog.redistribution_weight", {"found": 0}))
        if self.weights != "fixed" and any(given):
            found.append(("targets", "catalog.redistribution_weight_unused", {"weights": self.weights}))
        return found


@dataclass(frozen=True)
class Redistribution:
    """A set of packages, dated. `never_targets` : ranges that get no death, whatever a package says; reason in `remark`."""

    id: str
    title: Text
    edition: str
    source: str
    valid: Validity
    packages: Mapping[str, RedistributionPackage]
    never_targets: str | None = None
    remark: Text | None = None
    unverified: bool = False
    literature: tuple[str, ...] = field(default=())

    def problems(self) -> Problems:
        return [] if self.never_targets is None else _range_problems("never_targets", self.never_targets)

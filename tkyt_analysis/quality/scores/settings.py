"""What a score is made of, as the catalog has it on a day: components, weights, bands, and the component of each rule."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule

COMPOSITE = "composite"


@dataclass(frozen=True)
class ScoreSettings:
    """weights : {component: share of the score}, adding up to 1, in the order of the catalog
    work : {component: report_due | report_timed | report | cell | value | unit_year | record}
    bands : {band: least score}, the highest first; usual_share : a cell is usual in a form where this share of its reports
    fills it; least_weight : a score needs components that weigh at least this together
    """

    weights: Mapping[str, float]
    work: Mapping[str, str]
    kinds: Mapping[str, frozenset[str]]
    functions: Mapping[str, frozenset[str]]
    bands: Mapping[str, float]
    usual_share: float
    least_weight: float

    @property
    def components(self) -> tuple[str, ...]:
        """The components in the order of the catalog."""
        return tuple(self.weights)

    def component_of(self, rule: Rule) -> str:
        """The component that a rule's findings count against; "" for none (rules of reporting are counted themselves)."""
        for name in self.components:
            if self.kinds[name] & set(rule.detects):
                return name
        return next((name for name in self.components if rule.function in self.functions[name]), "")

    def rules_of(self, rules: Iterable[Rule]) -> dict[str, str]:
        """{rule id: component} of the rules that have one."""
        found = {rule.id: self.component_of(rule) for rule in rules}
        return {rule: component for rule, component in found.items() if component}


def score_settings(day: datetime.date | None = None) -> ScoreSettings:
    """The settings in force on `day` (today)."""
    from tkyt_analysis.catalog import load_entry

    return settings_of(load_entry("thresholds", "quality_score").at(day or datetime.date.today()))


def settings_of(value: Mapping[str, Any]) -> ScoreSettings:
    """Settings from the catalog's value; weights are brought to a sum of 1."""
    parts = value["components"]
    total = sum(float(one["weight"]) for one in parts.values())
    return ScoreSettings(
        weights={name: float(one["weight"]) / total for name, one in parts.items()},
        work={name: str(one["work"]) for name, one in parts.items()},
        kinds={name: frozenset(one.get("kinds", ())) for name, one in parts.items()},
        functions={name: frozenset(one.get("functions", ())) for name, one in parts.items()},
        bands={name: float(least) for name, least in sorted(value["bands"].items(), key=lambda item: -item[1])},
        usual_share=float(value["usual_share"]),
        least_weight=float(value["least_weight"]),
    )


def component_title(component: str, language: str | None = None) -> str:
    """The words for a component, and for the composite."""
    from tkyt_analysis.labels import label

    return label(f"score.component.{component}", language)


def band_title(band: str, language: str | None = None) -> str:
    """The words for a band: good, fair, poor, undecided."""
    from tkyt_analysis.labels import label

    return label(f"score.band.{band}", language)

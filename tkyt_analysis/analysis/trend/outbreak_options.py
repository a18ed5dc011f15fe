"""Options of outbreak detection, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.trend.farrington_control import METHODS as OWN_METHODS
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

POOLED = "pooled"
METHODS = (*OWN_METHODS, POOLED)
# A year of months is too short for the ten seasons of weekly data: the months around, and three seasons between.
MONTHLY = {"w": 1, "no_periods": 4, "past_weeks_not_included": 6}
COARSE = {"w": 0, "no_periods": 1, "past_weeks_not_included": 0}  # quarters and years: the same one of the years before


@dataclass(frozen=True)
class OutbreakOptions:
    """How outbreaks are looked for.

    method : "noufaily", "farrington", "flexible", "classic" (each series by its own past) or "pooled" (all series by the pooled
        reference)
    alpha : one-sided error of the bound `upper`
    small : expected events under which a series is judged by the pooled reference; 0: never
    years : years of the past of each reference; least_years : fewest years for the pooled one
    left_out : last periods that do not enter the pooled past (an outbreak that is going on); None: a quarter of a year
    fdr : share of false alarms tolerated among the alarms of one period (Benjamini & Hochberg); None: no such rule
    least : fewest events of an alarm, where the list of watched events does not say
    shared : tell apart what all places share; shared_alpha, shared_ratio : from when on; least_places : fewest other places
    tet : take the days of Tết into account; prior : share of the periods with an outbreak, before the count is seen
    budget : most alarms followed up per period and `per` (None: all); per : columns of `by`, () = all series together
    """

    method: str = "noufaily"
    alpha: float = 0.01
    small: float = 5.0
    years: int = 5
    least_years: int = 3
    left_out: int | None = None
    fdr: float | None = 0.1
    least: int = 2
    shared: bool = True
    shared_alpha: float = 1e-4
    shared_ratio: float = 1.2
    least_places: int = 5
    tet: bool = True
    prior: float = 0.01
    budget: int | None = 5
    per: Sequence[str] = ()
    control: dict[str, Any] = field(default_factory=dict)

    def text(self) -> str:
        """The options as they stand in `method` of the result."""
        fdr = "none" if self.fdr is None else f"{self.fdr:g}"
        own = f"{self.method};alpha={self.alpha:g};small={self.small:g};years={self.years};fdr={fdr}"
        return own + (";tet" if self.tet else "") + (";shared" if self.shared else "")


def options_of(given: dict[str, Any]) -> OutbreakOptions:
    """The options; UsageError for an unknown name or a value without sense."""
    known = [one.name for one in fields(OutbreakOptions)]
    unknown = [name for name in given if name not in known]
    if unknown:
        raise UsageError(
            "error.surveillance_option", option="detect_outbreaks", found=", ".join(unknown), known=", ".join(known)
        )
    word = option_word(given.get("method", "noufaily"), METHODS)
    named = {name: value for name, value in given.items() if name not in ("method", "per")}
    options = OutbreakOptions(method=word, per=tuple(names_of(given.get("per", ()))), **named)
    _require_sense(options)
    return options


def _require_sense(options: OutbreakOptions) -> None:
    checks: list[tuple[str, bool, str]] = [
        ("method", options.method in METHODS, ", ".join(METHODS)),
        ("alpha", 0 < options.alpha < 1, "0 < alpha < 1"),
        ("small", options.small >= 0, "≥ 0"),
        ("years", options.years >= 1, "≥ 1"),
        ("least_years", options.least_years >= 1, "≥ 1"),
        ("fdr", options.fdr is None or 0 < options.fdr <= 1, "0 < fdr ≤ 1"),
        ("shared_alpha", 0 < options.shared_alpha < 1, "0 < shared_alpha < 1"),
        ("shared_ratio", options.shared_ratio >= 1, "≥ 1"),
        ("prior", 0 < options.prior < 1, "0 < prior < 1"),
        ("budget", options.budget is None or options.budget >= 1, "≥ 1"),
    ]
    for option, fine, known in checks:
        if not fine:
            raise UsageError("error.surveillance_option", option=option, found=getattr(options, option), known=known)

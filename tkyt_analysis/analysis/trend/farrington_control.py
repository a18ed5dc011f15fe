"""Options of the Farrington detectors: one frozen table, readable by our names and by those of the R package surveillance."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import Any

from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

METHODS = ("noufaily", "farrington", "flexible", "classic")
_OTHER_METHODS = {
    "improved": "noufaily", "farrington_noufaily": "noufaily", "noufaily_2013": "noufaily", "original": "farrington",
    "farrington_1996": "farrington", "farringtonflexible": "flexible", "farrington_flexible": "flexible",
    "algo_farrington": "classic",
}  # fmt: skip
THRESHOLDS = ("delta", "nbPlugin", "muan")
POWERS = ("2/3", "1/2", "none")


@dataclass(frozen=True)
class FarringtonControl:
    """Parameters of a detector; defaults are those of surveillance::farringtonFlexible.

    range : monitored periods, counted from 1; None: all that have enough history
    b : years back; w : half width of the window around the same week of those years
    reweight : weigh past outbreaks down; weights_threshold : from which residual (1 in 1996, 2.58 improved)
    alpha : one-sided error of the bound (method "classic": two-sided)
    trend : try a time trend; p_threshold_trend : keep it where its p-value is below (1: always)
    limit54 : (events, periods): no alarm with fewer events than this in the last periods
    powertrans : "2/3", "1/2" or "none", of the bound "delta"
    population_offset : expected counts follow the population
    no_periods : seasonal periods of the year (1: only the windows; 10: improved)
    past_weeks_not_included : the last periods left out of the past; None: w
    threshold_method : "delta" (normal on the transformed scale), "nbPlugin" (quantile of the negative binomial around the
        expected count), "muan" (the same around the upper limit of the expected count)
    standard_error : "surveillance" (what the package computes) or "dispersion" (dispersion of the bound, at least 1)
    few_as_zero : upperbound 0, as `algo.farrington` writes it, where `limit54` says too few; else missing
    classic : rules of `algo.farrington` (set by the method)
    """

    name: str = "flexible"
    range: Any = None
    b: int = 5
    w: int = 3
    reweight: bool = True
    weights_threshold: float = 2.58
    alpha: float = 0.05
    trend: bool = True
    p_threshold_trend: float = 0.05
    limit54: tuple[float, ...] = (5, 4)
    powertrans: str = "2/3"
    population_offset: bool = False
    no_periods: int = 1
    past_weeks_not_included: int | None = None
    threshold_method: str = "delta"
    standard_error: str = "surveillance"
    few_as_zero: bool = False
    classic: bool = False

    @property
    def left_out(self) -> int:
        """Last periods that do not enter the past."""
        return self.w if self.past_weeks_not_included is None else int(self.past_weeks_not_included)

    def text(self) -> str:
        """The method of a result: its name and every option that matters."""
        parts = [
            f"farrington_{self.name}", f"b={self.b}", f"w={self.w}", f"no_periods={self.no_periods}",
            f"past_weeks_not_included={self.left_out}", f"threshold={self.threshold_method}", f"alpha={self.alpha:g}",
            f"weights_threshold={self.weights_threshold:g}" if self.reweight else "no_weights",
            f"p_threshold_trend={self.p_threshold_trend:g}" if self.trend else "no_trend",
            f"limit54={self.limit54[0]:g}/{self.limit54[1]:g}",
        ]  # fmt: skip
        if self.threshold_method == "delta":
            parts.append(f"powertrans={self.powertrans}")
        if self.population_offset:
            parts.append("population_offset")
        return ";".join(parts)


_PRESETS: dict[str, dict[str, Any]] = {
    "noufaily": {
        "no_periods": 10, "past_weeks_not_included": 26, "p_threshold_trend": 1.0, "threshold_method": "nbPlugin",
    },
    "farrington": {"weights_threshold": 1.0},
    "flexible": {},
    "classic": {"weights_threshold": 1.0, "past_weeks_not_included": 0, "classic": True},
}  # fmt: skip
_IGNORED = {"verbose", "glmWarnings", "fitFun", "plot"}  # of R: what it prints, and with which function it fits
_SPELLING = {
    "pThresholdTrend": "p_threshold_trend", "noPeriods": "no_periods", "populationOffset": "population_offset",
    "pastWeeksNotIncluded": "past_weeks_not_included", "thresholdMethod": "threshold_method",
    "weightsThreshold": "weights_threshold",
}  # fmt: skip


def control_of(method: str, options: dict[str, Any]) -> FarringtonControl:
    """The parameters of a method with some of them changed. Raises UsageError for what is unknown or out of range."""
    chosen = option_word(method, METHODS, _OTHER_METHODS)
    if chosen not in METHODS:
        raise UsageError("error.surveillance_option", option="method", found=method, known=", ".join(METHODS))
    named = {_SPELLING.get(name, name): value for name, value in options.items() if name not in _IGNORED}
    known = [one.name for one in fields(FarringtonControl) if one.name not in ("name", "classic")]
    unknown = [name for name in named if name not in known]
    if unknown:
        raise UsageError(
            "error.surveillance_option", option="control", found=", ".join(unknown), known=", ".join(known)
        )
    control = replace(FarringtonControl(name=chosen, **_PRESETS[chosen]), **named)
    control = replace(control, limit54=tuple(control.limit54), powertrans=_power(control.powertrans))
    control = replace(control, threshold_method=option_word(control.threshold_method, THRESHOLDS, _OTHER_THRESHOLDS))
    _require_sense(control)
    return control


_OTHER_THRESHOLDS = {
    "nbplugin": "nbPlugin",
    "nb_plugin": "nbPlugin",
    "negative_binomial": "nbPlugin",
    "farrington": "delta",
}


def _power(value: Any) -> str:
    return re.sub(r"\s", "", str(value))


def _require_sense(control: FarringtonControl) -> None:
    """Raises UsageError for the first parameter that makes no sense."""
    checks: list[tuple[str, bool, str]] = [
        ("threshold_method", control.threshold_method in THRESHOLDS, ", ".join(THRESHOLDS)),
        ("powertrans", control.powertrans in POWERS, ", ".join(POWERS)),
        ("standard_error", control.standard_error in ("surveillance", "dispersion"), "surveillance, dispersion"),
        ("alpha", 0 < control.alpha < 1, "0 < alpha < 1"),
        ("b", control.b >= 1, "≥ 1"),
        ("w", control.w >= 0, "≥ 0"),
        ("no_periods", control.no_periods >= 1, "≥ 1"),
        ("past_weeks_not_included", control.left_out >= 0, "≥ 0"),
        ("weights_threshold", control.weights_threshold > 0, "> 0"),
        ("limit54", len(control.limit54) == 2 and control.limit54[0] >= 0 and control.limit54[1] > 0, "(≥ 0, > 0)"),
    ]
    for option, fine, known in checks:
        if not fine:
            found = getattr(control, option)
            raise UsageError("error.surveillance_option", option=option, found=found, known=known)
    if control.classic and (control.no_periods != 1 or control.threshold_method != "delta"):
        raise UsageError(
            "error.surveillance_option", option="classic", found=control.threshold_method, known="no_periods=1, delta"
        )

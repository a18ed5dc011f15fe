"""The answer of `excess_deaths` as a table: what is known, what is not, and why."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.excess_baselines import Baseline
from tkyt_analysis.analysis.trend.excess_completeness import Observed
from tkyt_analysis.analysis.trend.excess_input import Counts
from tkyt_analysis.analysis.trend.expected import MODELLED, SHORT_TREND_YEARS

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def result_table(
    series: Counts,
    seen: Observed,
    found: Baseline,
    limits: dict[str, Numbers],
    at: npt.NDArray[np.intp],
    per: float,
    confidence: float,
) -> pd.DataFrame:
    """The answer from the arrays."""
    shape = series.counts.shape
    reason, status = _verdict(found, seen)
    good = status != NOT_ASSESSABLE
    value = np.where(good, seen.value, np.nan)
    excess = {"excess": value - found.expected, "lower": value - limits["high"], "upper": value - limits["low"]}
    persons = series.persons
    with np.errstate(divide="ignore", invalid="ignore"):
        base = np.where(found.expected > 0, found.expected, np.nan)
        score = {name: 100 * one / base for name, one in _named("p_score", excess).items()}
        rate = {name: per * one / persons for name, one in _named("excess_rate", excess).items()}
        log_se = found.se / base
    signal = np.select([good & (excess["lower"] > 0), good & (excess["upper"] < 0)], ["high", "low"], default="")
    columns: dict[str, Any] = {
        "observed": seen.value, "reported": series.counts, "population": persons, "expected": found.expected,
        "expected_lower": np.maximum(limits["low"], 0), "expected_upper": limits["high"], "log_expected_se": log_se,
        **excess, **score, **rate, "signal": signal, "in_baseline": np.broadcast_to(found.used, shape),
        **_sums(value, limits, persons, good, at, per),
    }  # fmt: skip
    labels = {"baseline": baseline_words(series, found.used), "unit": f"per {per:,.0f}", "method": found.method}
    columns |= {name: np.full(shape, text, dtype=object) for name, text in labels.items()}
    columns |= {"status": status, "reason": reason, "confidence": np.full(shape, confidence)}
    number, times = shape
    table = series.keys.loc[np.repeat(np.arange(number), times)].reset_index(drop=True)
    table["date"] = pd.Series(np.tile(series.dates, number)).astype("datetime64[s]")
    table["period_end"] = pd.Series(np.tile(series.ends, number)).astype("datetime64[s]")
    table["period_id"] = pd.Series(np.tile(series.period_ids, number), dtype="str")
    flat = {name: np.asarray(values).ravel() for name, values in columns.items()}
    texts = {"signal", "status", "reason", *labels}
    return table.assign(**{n: pd.Series(v, dtype="str") if n in texts else v for n, v in flat.items()})


def _named(name: str, excess: dict[str, Numbers]) -> dict[str, Numbers]:
    """The three figures of the excess under the names of another measure."""
    return {name: excess["excess"], f"{name}_lower": excess["lower"], f"{name}_upper": excess["upper"]}


def _verdict(found: Baseline, seen: Observed) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """(reason, status) of every period."""
    series = np.broadcast_to(found.reason[:, None], seen.value.shape)
    none = ~np.isfinite(found.expected)
    own = np.full(none.shape, "", dtype=object) if found.why is None else found.why
    short = found.years < SHORT_TREND_YEARS and "no trend" not in found.method
    reason = np.select(
        [series != "", seen.reason != "", none & (own != ""), none, np.full(none.shape, short)],
        [series, seen.reason, own, "reason.excess_no_expected", "reason.excess_short_baseline"],
        default="",
    )
    missing = (series != "") | none | ((seen.reason != "") & ~seen.estimated)
    status = np.select([missing, seen.estimated | short], [NOT_ASSESSABLE, MODELLED], default=OK)
    return reason, status


def _sums(
    value: Numbers, limits: dict[str, Numbers], persons: Numbers, good: Flags, at: npt.NDArray[np.intp], per: float
) -> dict[str, Numbers]:
    """Figures added up over the periods under study; empty elsewhere."""
    total = np.nancumsum(value[:, at], axis=1)
    known = np.isfinite(persons[:, at])
    size = np.where(known, persons[:, at], 0.0).sum(axis=1, keepdims=True)
    size = np.where(size > 0, size, np.nan) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    found = {
        "cumulative_excess": total - limits["sum"],
        "cumulative_lower": total - limits["sum_high"],
        "cumulative_upper": total - limits["sum_low"],
        "cumulative_expected": limits["sum"],
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        found["cumulative_p_score"] = (
            100 * found["cumulative_excess"] / np.where(limits["sum"] > 0, limits["sum"], np.nan)
        )
    found["cumulative_rate"] = per * found["cumulative_excess"] / size
    found["periods_missing"] = (~good[:, at]).cumsum(axis=1).astype(float)
    nothing = good[:, at].cumsum(axis=1) == 0
    answer = {}
    for name, values in found.items():
        grid = np.full(value.shape, np.nan)
        grid[:, at] = values if name == "periods_missing" else np.where(nothing, np.nan, values)
        answer[name] = grid
    return answer


def baseline_words(series: Counts, used: Flags) -> str:
    """First and last year of the baseline: "2015–2019"; of all periods where each has its own."""
    years = series.year[used] if used.any() else series.year
    return f"{years.min()}–{years.max()}"

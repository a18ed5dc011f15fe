"""Joinpoint regression: straight segments that meet, on the log scale as a rule, as NCI's Joinpoint program fits them.

Follows NCI's program (v4.9 and v5): grid search over the observed years, its spacing rules, weights, selectors and
parametric limits. `segmented` and `ljr` of R let joinpoints lie between years, so that their APCs differ a little
(`tkyt_analysis.analysis.trend.breakpoints` follows those).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.trend.joinpoint_input import AT_BREAKS, MODEL_WORDS, MODELS, ZEROS, known_word, read_panel
from tkyt_analysis.analysis.trend.joinpoint_options import LIMITS, Options, Window
from tkyt_analysis.analysis.trend.joinpoint_select import SELECTORS, PermutationPlan
from tkyt_analysis.analysis.trend.joinpoint_tables import result_tables

__all__ = ["JoinpointResult", "joinpoint"]
_SELECT_WORDS = {
    "weighted_bic": "wbic", "bic_3": "bic3", "permutation_test": "permutation", "permutations": "permutation",
    "perm": "permutation", "perm_test": "permutation",
}  # fmt: skip
_LIMIT_WORDS = {"t": "parametric", "empirical_quantile": "empirical", "eq": "empirical", "quantile": "empirical"}


@dataclass(frozen=True)
class JoinpointResult:
    """What `joinpoint` found; every table begins with the columns of `by` (and `stretch` where series were cut at breaks).

    segments : segment, start, end, n (observations, ends included), slope, se (of the slope, parametric), slope_lower,
        slope_upper, apc, lower, upper [% per year; log-linear only], p_value, significant, n_joinpoints, breaks, mark, method, status, reason
    joinpoints : joinpoint (number), year, lower, upper, slope_change, p_value, method, status, reason
    aapc : start, end, slope, se, slope_lower, slope_upper, aapc, lower, upper, p_value, significant, method, status, reason
    series : n, first, last, n_joinpoints, max_joinpoints, autocorrelation, zeros_replaced, sse, method, status, reason
    models : n_joinpoints, joinpoints ("1985, 1995"), sse, bic, bic3, wbic, selected
    fitted : year, rate (observed), fitted, segment
    tests : null, alternative, statistic, p_value, level, permutations, rejected (permutation test only)
    jumps : year, jump, lower, upper (log-linear: % that the level changes), p_value …, only with at_breaks="jump"
    """

    segments: pd.DataFrame
    joinpoints: pd.DataFrame
    aapc: pd.DataFrame
    series: pd.DataFrame
    models: pd.DataFrame
    fitted: pd.DataFrame
    tests: pd.DataFrame
    jumps: pd.DataFrame

    def __getitem__(self, name: str) -> pd.Series | pd.DataFrame:
        """A column of `segments` by its name, or a whole table: result["apc"], result["aapc"]."""
        tables = {one.name for one in fields(self)}
        return getattr(self, name) if name in tables else self.segments[name]

    def __getattr__(self, name: str) -> pd.Series:
        """A column of `segments` as an attribute: result.apc, result.lower."""
        segments = self.__dict__.get("segments", ())
        if not name.startswith("_") and name in segments:
            return segments[name]
        raise AttributeError(name)

    def __len__(self) -> int:
        return len(self.segments)

    def _repr_html_(self) -> str | None:
        return self.segments.to_html()


def joinpoint(
    series: object,
    *,
    max_joinpoints: int | None = None,
    select: str = "wbic",
    by: str | Sequence[str] | None = None,
    year: str | npt.ArrayLike | None = None,
    rate: str | npt.ArrayLike | None = None,
    se: str | npt.ArrayLike | None = None,
    count: str | npt.ArrayLike | None = None,
    population: str | npt.ArrayLike | None = None,
    weight: str | npt.ArrayLike | None = None,
    weights: str = "auto",
    model: str = "log_linear",
    min_joinpoints: int = 0,
    min_end: int = 2,
    min_between: int = 2,
    points_between: int = 0,
    limits: str = "parametric",
    standard_errors: str = "lerman",
    confidence: float = 0.95,
    alpha: float = 0.05,
    permutations: int = 4499,
    early_stopping: bool = False,
    draws: int = 5000,
    seed: int = 7160,
    windows: Window | Sequence[Window] | None = None,
    autocorrelation: float | str | None = None,
    zeros: str = "half",
    per: float = 100_000,
    breaks: object = None,
    at_breaks: str = "mark",
) -> JoinpointResult:
    """Segments of one or many series: when the trend changed, and the annual percent change (APC) of each segment.

    Parameters
    ----------
    series : table with one row per series and year (any order); or a Series indexed by year, a mapping of lists, rates in
        a list, an array of year, rate[, se]; a wide table (index: years, one column per series) is read as many series.
        Columns are found by their usual names (year; rate, or count with population; se; weight) unless year, rate, …
        name them or hold the values
    by : columns that name one series; none: the table is one series
    max_joinpoints : None: "Determined by # points" (0 up to 6 points, then one more per 5 points, at most 5). More than the
        points allow are lowered to what they allow (`series.max_joinpoints` says); min_joinpoints likewise
    select : "wbic" (NCI's default since v5), "bic", "bic3", "permutation" (default of v4: 4499 permutations, overall
        `alpha`, each test at alpha / (max − null); `early_stopping` ends a test once its decision is sure)
    weights : "auto" (weight column, else se, else Poisson for counts, else constant), "constant", "standard_error"
        ((rate/se)²; linear: 1/se²), "poisson" (count; linear: 1/variance), "given"
    model : "log_linear" (APC) or "linear" (slopes only)
    min_end, min_between : observations before the first, after the last and strictly between joinpoints, a joinpoint that
        falls on an observation not counted; points_between : places on the grid between two observations
    limits : "parametric" (t; see `standard_errors`) or "empirical" (quantiles of `draws` resampled series; one after another)
    standard_errors : "lerman" (as NCI's program) or "conditional" (joinpoints taken for known: narrower; always so with
        autocorrelation or jumps)
    windows : (start, end) or the number of last observations, one or several, for AAPC; None: all years
    autocorrelation : lag-one correlation of the errors: a number, "estimate" (from the residuals of the largest model;
        unverified against NCI's), or None
    zeros : zero counts: "half" adds 0.5 (as NCI) where logs or Poisson weights need it, "refuse" does not. A zero rate
        without counts cannot be fitted on the log scale: not assessable
    per : rate per this many persons, from count and population
    breaks : years in which another population or cause-list vintage begins (see `series_breaks`): a year, a list, or a table
        with `year` (or `at`) and some columns of `by`. at_breaks : "mark" (fitted through; the segment says so), "split"
        (each stretch by itself), "jump" (common slopes, the level may shift there; NCI's jump model)
    seed : of permutations and draws; each series has its own stream from it, so that answers do not depend on the others.
        NCI's random numbers are not ours: p-values differ by chance

    Returns
    -------
    `JoinpointResult`. Figures that cannot be given are missing, with status "not_assessable" and a reason (label key).
    InputError: columns absent, words for numbers, a year twice; UsageError: unknown option.

    References
    ----------
    Kim et al., Stat Med 2000;19:335-51; Lerman, Appl Stat 1980;29:77-84; Clegg et al., Stat Med 2009;28:3670-82 (AAPC);
    Kim et al., J Appl Stat 2022;50:1992-2013 (weighted BIC); NCI Joinpoint help, "Statistical Notes".
    """
    model = known_word("model", model, MODELS, MODEL_WORDS)
    zeros = known_word("zeros", zeros, ZEROS)
    at_breaks = known_word("at_breaks", at_breaks, AT_BREAKS)
    options = Options(
        most=max_joinpoints,
        least=min_joinpoints,
        select=known_word("select", select, SELECTORS, _SELECT_WORDS),
        model=model,
        min_end=min_end,
        min_between=min_between,
        points_between=points_between,
        limits=known_word("limits", limits, LIMITS, _LIMIT_WORDS),
        standard_errors=known_word("standard_errors", standard_errors, ("lerman", "conditional")),
        confidence=confidence,
        alpha=alpha,
        plan=PermutationPlan(permutations, seed, alpha, 450 if early_stopping else 0),
        draws=draws,
        windows=windows,
        autocorrelation=autocorrelation,
        at_breaks=at_breaks,
    )
    options.require_usable()
    panel = read_panel(
        series,
        by=by,
        columns={"year": year, "rate": rate, "se": se, "count": count, "population": population, "weight": weight},
        model=model,
        weights=weights,
        zeros=zeros,
        per=per,
        breaks=breaks,
        at_breaks=at_breaks,
    )
    return JoinpointResult(**result_tables(panel, options))

"""Joinpoints of a proportion or a rate as a binomial share: logistic joinpoint regression, as R's ljr."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.limits import Numbers, tail, z_value
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.batch_glm import safe_inverse
from tkyt_analysis.analysis.trend.logistic_search import LogisticFit, best_fit
from tkyt_analysis.analysis.trend.logistic_tests import backward, forward
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid, series_rows
from tkyt_analysis.analysis.trend.series_marks import breaks_of_grid, marks_of
from tkyt_analysis.analysis.trend.trend_options import require_number, require_series
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

SELECT = ("bic", "forward", "backward")


@dataclass(frozen=True)
class BinomialJoinpointResult:
    """Tables of one call, all with the keys of the series, method, status and reason.

    coefficients : term ("Intercept", "t", covariates, "max(t-tau1,0)", …, "tau1", …), value, se
    joinpoints : number, tau, se, lower, upper
    segments : segment, start, end, slope [logit per time], se, odds_ratio, apc, lower, upper [% of the odds], p_value
    models : joinpoints, loglik, weighted_loglik (loglik / largest population, as ljr prints), bic, chosen, marks
    tests : null, alternative (joinpoints), statistic (difference of log-likelihoods), p_value (Monte Carlo)
    """

    coefficients: pd.DataFrame
    joinpoints: pd.DataFrame
    segments: pd.DataFrame
    models: pd.DataFrame
    tests: pd.DataFrame


@dataclass(frozen=True)
class _Series:
    """One series, in order of time."""

    events: Numbers
    sizes: Numbers
    time: Numbers
    extra: Numbers
    offset: Numbers

    @property
    def terms(self) -> int:
        return 2 + self.extra.shape[1]

    def fit(self, k: int) -> LogisticFit:
        return best_fit(self.events[None], self.sizes[None], self.time, k, extra=self.extra, offset=self.offset)


def binomial_joinpoint(
    series: object = None,
    *,
    joinpoints: int | str = "bic",
    max_joinpoints: int = 3,
    by: str | Sequence[str] = (),
    time: Given = None,
    events: Given = None,
    population: Given = None,
    covariates: str | Sequence[str] | npt.NDArray = (),
    offset: Given = None,
    replicates: int = 1_000,
    alpha: float = 0.05,
    seed: int = 20_080,
    minimum_times: int = 5,
    breaks: object = None,
    confidence: float = 0.95,
) -> BinomialJoinpointResult:
    """Logistic joinpoint regression with joinpoints anywhere in time: maximum likelihood over all admissible places.

    logit P = offset + b0 + g0 × t + covariates + sum of g_i × max(t - tau_i, 0). Equal to ljr0, ljr1, ljrk of R's
    package ljr (Czajkowski, Gill, Rempala 2008). A Poisson rate with a small share of events gives the same joinpoints.

    Parameters
    ----------
    series : table with year (any number, say year + 0.5), events, population; times may repeat (with covariates).
        Or None, with the arrays as `events`, `population`, `time`
    joinpoints : a number (0 allowed); "bic": the least BIC of 0 … `max_joinpoints`; "forward", "backward": ljr's
        sequences of likelihood-ratio tests, p-values from `replicates` simulated series (`seed`), level `alpha`
    covariates : names of columns (or an array, one column each) that enter linearly; offset : known part of the logit
    minimum_times : distinct times with data; fewer are not assessable
    breaks : vintage marks as of `series_breaks`; said in `models.marks`, the line is not cut there

    Standard errors, which ljr does not print, are those of the model made linear at its maximum, limits by z: at the
    joinpoint they are approximate, and take the number of joinpoints as known.
    """
    tail(confidence)
    if option_word(joinpoints, SELECT) not in SELECT and not _whole(joinpoints):
        raise UsageError(
            "error.trend_option", name="joinpoints", value=joinpoints, known="0, 1, 2, …, bic, forward, backward"
        )
    for name, number_given, low in (("max_joinpoints", max_joinpoints, 0), ("replicates", replicates, 1)):
        require_number(name, number_given, low=low, whole=True)
    names = names_of(covariates) if not isinstance(covariates, np.ndarray) else []
    arrays = {} if names else {f"x{i + 1}": column for i, column in enumerate(_columns_of(covariates))}
    extra = {name: name for name in names} | arrays
    number, keys, columns = series_rows(
        series, by=by, needed={"events": events, "population": population, "time": time},
        optional={"offset": offset, **extra},
    )  # fmt: skip
    require_series(len(keys))
    parts, reason = zip(
        *[_series(columns, number == i, list(extra), minimum_times) for i in range(len(keys))], strict=True
    )
    plan = _Plan(option_word(joinpoints, SELECT), max_joinpoints, replicates, alpha, seed, confidence, list(extra))
    answers = [_answer(part, why, plan) for part, why in zip(parts, reason, strict=True)]
    return _result(keys, answers, plan, _marks(breaks, keys, parts))


def _whole(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and bool(value >= 0)


def _columns_of(covariates: object) -> list[npt.NDArray]:
    values = np.asarray(covariates, dtype=float)
    return [] if values.size == 0 else list(np.atleast_2d(values.T if values.ndim == 2 else values))


@dataclass(frozen=True)
class _Plan:
    joinpoints: int | str
    largest: int
    replicates: int
    alpha: float
    seed: int
    confidence: float
    covariates: list[str]

    @property
    def method(self) -> str:
        simulated = self.joinpoints in ("forward", "backward")
        how = f";replicates={self.replicates};alpha={self.alpha:g};seed={self.seed}" if simulated else ""
        return f"ljr;link=logit;joinpoints={self.joinpoints}{how}"


def _series(
    columns: dict[str, Numbers], rows: npt.NDArray[np.bool_], extra: list[str], minimum_times: int
) -> tuple[_Series, str]:
    """The usable rows of one series in order of time, and the reason why it cannot be assessed ("" if it can)."""
    part = {name: values[rows] for name, values in columns.items()}
    events, sizes = part["events"], part["population"]
    covariates = np.column_stack([part[name] for name in extra]) if extra else np.empty((len(events), 0))
    shift = part.get("offset", np.zeros(len(events)))
    use = np.isfinite(events) & np.isfinite(shift) & np.isfinite(covariates).all(axis=1) & (sizes > 0)
    order = np.flatnonzero(use)[np.argsort(part["time"][use], kind="stable")]
    found = _Series(events[order], sizes[order], part["time"][order], covariates[order], shift[order])
    return found, _why_not(found, events, sizes, minimum_times)


def _why_not(found: _Series, events: Numbers, sizes: Numbers, minimum_times: int) -> str:
    checks = {
        "reason.trend_no_data": not len(found.time),
        "reason.events_missing": bool((events < 0).any()),
        "reason.events_without_person_years": bool(((events > 0) & ~(sizes > 0)).any()),
        "reason.more_events_than_total": bool((found.events > found.sizes).any()),
        "reason.trend_too_few_years": len(np.unique(found.time)) < minimum_times,
        "reason.trend_no_events": not 0 < found.events.sum() < found.sizes.sum(),
    }
    return next((key for key, holds in checks.items() if holds), "")


@dataclass(frozen=True)
class _Answer:
    series: _Series
    fits: dict[int, LogisticFit]
    chosen: int
    tests: list[tuple[int, int, float, float]]
    reason: str


def _answer(series: _Series, reason: str, plan: _Plan) -> _Answer:
    """All fits that were asked for, the tests, and the number of joinpoints taken."""
    wanted = plan.largest if isinstance(plan.joinpoints, str) else int(plan.joinpoints)
    times = len(np.unique(series.time))
    possible = min(wanted, max(times - 2, 0), max((len(series.time) - series.terms - 1) // 2, 0))
    if not reason and not isinstance(plan.joinpoints, str) and possible < wanted:
        reason = "reason.trend_too_few_values"
    fits = {} if reason else {k: series.fit(k) for k in range(possible + 1)}
    fits = {k: fit for k, fit in fits.items() if np.isfinite(fit.loglik[0])}
    if not fits:
        return _Answer(series, {}, wanted, [], reason or "reason.trend_not_converged")
    if plan.joinpoints in ("forward", "backward"):
        test = forward if plan.joinpoints == "forward" else backward
        chosen, tests = test(series, fits, alpha=plan.alpha, replicates=plan.replicates, seed=plan.seed)
        return _Answer(series, fits, chosen, tests, reason)
    scores = {k: _bic(series, fits[k]) for k in fits}
    chosen = min(scores, key=scores.__getitem__) if plan.joinpoints == "bic" else wanted
    return _Answer(series, fits, chosen, [], reason)


def _bic(series: _Series, fit: LogisticFit) -> float:
    terms = series.terms + 2 * fit.tau.shape[1]
    return float(-2 * fit.loglik[0] + terms * np.log(len(series.time)))


def _covariance(series: _Series, fit: LogisticFit) -> Numbers:
    """Of constant, time, covariates, changes of slope, joinpoints: binomial information made linear at the maximum."""
    t, k, centre = series.time[:, None], fit.tau.shape[1], series.time.mean()
    hinges, after = np.maximum(t - fit.tau, 0.0), (t > fit.tau).astype(float)
    line = np.column_stack([np.ones_like(series.time), series.time])
    eta = series.offset + line @ fit.beta[0, :2] + series.extra @ fit.beta[0, 2:] + hinges @ fit.change[0]
    p = 1 / (1 + np.exp(-eta))
    line[:, 1] -= centre
    full = np.column_stack([line, series.extra, hinges, -fit.change * after])
    covariance = safe_inverse((full.T * (series.sizes * p * (1 - p))) @ full[None])[0]
    back = np.eye(series.terms + 2 * k)
    back[0, 1] = -centre
    return back @ covariance @ back.T


def _result(
    keys: pd.DataFrame, answers: list[_Answer], plan: _Plan, marks: npt.NDArray[np.object_]
) -> BinomialJoinpointResult:
    makers = {
        "coefficients": _coefficient_rows, "joinpoints": _joinpoint_rows, "segments": _segment_rows,
        "models": _model_rows, "tests": _test_rows,
    }  # fmt: skip
    tables = {}
    for name, make in makers.items():
        frames = [make(answer, plan).assign(_series=i) for i, answer in enumerate(answers)]
        table = pd.concat([frame for frame in frames if len(frame)] or frames[:1], ignore_index=True)
        series = table.pop("_series").to_numpy(dtype=int)
        reason = np.array([answer.reason for answer in answers], dtype=object)[series]
        table = pd.concat([keys.iloc[series].reset_index(drop=True), table], axis=1)
        if name == "models":
            table["marks"] = pd.array(marks[series], dtype="str")
        tables[name] = table.assign(
            method=pd.array([plan.method] * len(table), dtype="str"),
            status=pd.array(np.where(reason == "", OK, NOT_ASSESSABLE), dtype="str"),
            reason=pd.array(reason, dtype="str"),
        )
    return BinomialJoinpointResult(**tables)


def _marks(breaks: object, keys: pd.DataFrame, parts: Sequence[_Series]) -> npt.NDArray[np.object_]:
    times = np.unique(np.concatenate([part.time for part in parts])) if len(keys) else np.array([])
    seen = np.full((len(keys), len(times)), np.nan)
    for i, part in enumerate(parts):
        seen[i, np.searchsorted(times, part.time)] = 1.0
    return marks_of(breaks_of_grid(breaks, SeriesGrid(keys, times, {"seen": seen})), len(keys))


def _coefficient_rows(answer: _Answer, plan: _Plan) -> pd.DataFrame:
    k = answer.chosen
    terms = ["Intercept", "t", *plan.covariates, *(f"max(t-tau{i},0)" for i in range(1, k + 1))]
    terms += [f"tau{i}" for i in range(1, k + 1)]
    value = se = np.full(len(terms), np.nan)
    if answer.fits:
        fit = answer.fits[k]
        value = np.concatenate([fit.beta[0], fit.change[0], fit.tau[0]])
        se = np.sqrt(np.diag(_covariance(answer.series, fit)))
    return pd.DataFrame({"term": pd.array(terms, dtype="str"), "value": value, "se": se})


def _joinpoint_rows(answer: _Answer, plan: _Plan) -> pd.DataFrame:
    k, rows = answer.chosen, _coefficient_rows(answer, plan)
    found = rows.iloc[len(rows) - k :].reset_index(drop=True)
    half = z_value(plan.confidence) * found["se"]
    return pd.DataFrame(
        {"number": np.arange(1, k + 1), "tau": found["value"], "se": found["se"], "lower": found["value"] - half,
         "upper": found["value"] + half}
    )  # fmt: skip


def _segment_rows(answer: _Answer, plan: _Plan) -> pd.DataFrame:
    """Slope of each segment with its odds ratio per time."""
    from scipy import stats

    k = answer.chosen
    start, end, slope, se = (np.full(k + 1, np.nan) for _ in range(4))
    if answer.fits:
        fit, terms = answer.fits[k], answer.series.terms
        combine = np.zeros((k + 1, terms + 2 * k))
        combine[:, 1] = 1.0
        combine[:, terms : terms + k] = np.tri(k + 1, k, -1)
        slope = combine @ np.concatenate([fit.beta[0], fit.change[0], np.zeros(k)])
        se = np.sqrt(np.einsum("ja,ab,jb->j", combine, _covariance(answer.series, fit), combine))
        bounds = np.concatenate([answer.series.time[:1], fit.tau[0], answer.series.time[-1:]])
        start, end = bounds[:-1], bounds[1:]
    half = z_value(plan.confidence) * se
    percent = {
        name: 100 * np.expm1(part) for name, part in (("apc", slope), ("lower", slope - half), ("upper", slope + half))
    }
    return pd.DataFrame(
        {"segment": np.arange(1, k + 2), "start": start, "end": end, "slope": slope, "se": se,
         "odds_ratio": np.exp(slope), **percent, "p_value": 2 * stats.norm.sf(np.abs(slope / se))}
    )  # fmt: skip


def _model_rows(answer: _Answer, _plan: _Plan) -> pd.DataFrame:
    numbers = list(answer.fits) or [answer.chosen]
    loglik = np.array([answer.fits[k].loglik[0] if k in answer.fits else np.nan for k in numbers])
    largest = answer.series.sizes.max() if len(answer.series.sizes) else np.nan
    bic = [_bic(answer.series, answer.fits[k]) if k in answer.fits else np.nan for k in numbers]
    return pd.DataFrame(
        {"joinpoints": numbers, "loglik": loglik, "weighted_loglik": loglik / largest, "bic": bic,
         "chosen": [bool(answer.fits) and k == answer.chosen for k in numbers]}
    )  # fmt: skip


def _test_rows(answer: _Answer, _plan: _Plan) -> pd.DataFrame:
    return pd.DataFrame(answer.tests, columns=["null", "alternative", "statistic", "p_value"])

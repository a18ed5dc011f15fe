"""Trend of counts over years: Poisson, quasi-Poisson or negative binomial with log link, many series at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import text_with
from tkyt_analysis.analysis.limits import Numbers, tail
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.batch_glm import BatchFit, fit_counts, fit_negative_binomial
from tkyt_analysis.analysis.trend.series_grid import Given, SeriesGrid, series_grid
from tkyt_analysis.analysis.trend.series_marks import breaks_of_grid, marks_of
from tkyt_analysis.analysis.trend.trend_options import require_number
from tkyt_analysis.errors import UsageError
from tkyt_analysis.option_words import option_word

MODELS = ("quasipoisson", "poisson", "negative_binomial")
ALSO = {"quasi": "quasipoisson", "quasi_poisson": "quasipoisson", "qp": "quasipoisson", "nb": "negative_binomial",
        "negbin": "negative_binomial", "glm_nb": "negative_binomial"}  # fmt: skip
AT_BREAKS = ("mark", "step", "split", "refuse")
MINIMUM_YEARS = 5
COLUMNS = [
    "first", "last", "n", "events", "apc", "lower", "upper", "rate_ratio", "rate_ratio_lower", "rate_ratio_upper",
    "slope", "se", "p_value", "dispersion", "overdispersed", "theta", "marks", "method", "status", "reason",
]  # fmt: skip


def count_trend(
    series: object = None,
    *,
    by: str | Sequence[str] = (),
    time: Given = None,
    events: Given = None,
    population: Given = None,
    model: str = "quasipoisson",
    minimum_years: float = MINIMUM_YEARS,
    periods_per_year: float = 1,
    floor_dispersion: bool = False,
    breaks: object = None,
    at_breaks: str = "mark",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Rate ratio per year and annual percentage change of counts, or of rates where a population is given.

    log E(events) = log(population) + a + b × time; annual change = 100 (exp(b) - 1).

    Parameters
    ----------
    series : table with year, events and, for rates, population; one row per series and time. Years may be missing.
        Or a Series of counts whose index is the year, or a list. `by` names the columns of one series.
    time, events, population : names of the columns (or arrays), where they are not the usual ones
    model : "quasipoisson" (default: Poisson with the variance times the dispersion, limits by t), "poisson" (limits by
        z), "negative_binomial" (theta by maximum likelihood, limits by z; as MASS::glm.nb; where counts vary no more
        than Poisson counts, theta is inf)
    minimum_years : a series that spans fewer years with data is not assessable; 5 by default: with fewer one cannot
        tell a trend from two odd years (excessmort warns likewise)
    periods_per_year : times per year: 1 where `time` is a year, 12 where it counts months
    floor_dispersion : True: dispersion below 1 counts as 1 (R's glm, the default here, lets it narrow the limits)
    breaks, at_breaks : as of `series_breaks` ("catalog", a table, times). "mark" (default) fits one line and says so in
        `marks`; "step" lets the level jump at each break, one slope; "split" fits the pieces apart (one row each,
        column `piece`); "refuse" does not assess a series with a break

    Returns
    -------
    One row per series (and piece): keys, first, last, n (times used), events, apc, lower, upper [% per year],
    rate_ratio with limits [per year], slope and se [log scale, per time], p_value, dispersion (Pearson chi-square / df
    of the Poisson model), overdispersed (chi-square test at 5 %), theta, marks, method, status, reason.

    Times without a usable denominator and without events are left out (see `n`). Limits are Wald's.
    """
    tail(confidence)
    require_number("minimum_years", minimum_years, low=0)
    require_number("periods_per_year", periods_per_year, low=1)
    model, at_breaks = model_word(model), _word("at_breaks", at_breaks, AT_BREAKS)
    grid = series_grid(
        series, by=by, needed={"events": events, "time": time}, optional={"population": population}
    )  # fmt: skip
    found = breaks_of_grid(breaks, grid)
    if at_breaks == "split":
        grid, found = _pieces(grid, found)
    counts, offset, reason = _usable(grid)
    need = minimum_years * periods_per_year
    reason = _why_not(counts, grid, reason, need=need, steps=found if at_breaks == "refuse" else None)
    steps = found if at_breaks == "step" else found.iloc[:0]
    fit, method = _fit(counts, offset, grid.time, steps, reason == "", model)
    wald = _Wald(model, confidence, periods_per_year, floor_dispersion)
    columns = _columns(grid, counts, fit, wald, reason)
    notes = [f"denominator={'population' if 'population' in grid.columns else 'none'}", f"breaks={at_breaks}"]
    notes[1] = notes[1] if breaks is not None else "breaks=not_given"
    marks = marks_of(found, len(grid))
    return _table(grid, columns, marks, text_with(f"{method};{wald.words()}", notes))


def model_word(model: str) -> str:
    """The model that is meant ("nb", "glm.nb", "quasi-Poisson" too); UsageError for any other word."""
    return _word("model", model, MODELS, ALSO)


def _word(name: str, value: str, known: Sequence[str], also: dict[str, str] | None = None) -> str:
    word = option_word(value, known, also)
    if word not in known:
        raise UsageError("error.trend_option", name=name, value=value, known=", ".join(known))
    return word


def _usable(grid: SeriesGrid) -> tuple[Numbers, Numbers, npt.NDArray[np.str_]]:
    """Counts with NaN where they cannot be used, log(population), and the reason why a series cannot."""
    counts = grid.columns["events"]
    wrong = (counts < 0) | np.isinf(counts)
    persons = grid.columns.get("population", np.ones_like(counts))
    nobody = ~((persons > 0) & np.isfinite(persons))
    orphan = nobody & (counts > 0)
    reason = np.select(
        [wrong.any(axis=1), orphan.any(axis=1)], ["reason.events_missing", "reason.events_without_person_years"], ""
    )
    keep = ~(np.isnan(counts) | wrong | nobody)
    return np.where(keep, counts, np.nan), np.log(np.where(keep, persons, 1.0)), reason


def _why_not(
    counts: Numbers, grid: SeriesGrid, reason: npt.NDArray[np.str_], *, need: float, steps: pd.DataFrame | None
) -> npt.NDArray[np.str_]:
    broken = np.zeros(len(counts), dtype=bool)
    if steps is not None:
        broken[steps["series"].to_numpy(dtype=int)] = True
    n = (~np.isnan(counts)).sum(axis=1)
    few, none = n < max(need, 2), np.nansum(counts, axis=1) == 0
    rest = np.select(
        [n == 0, broken, few, none],
        ["reason.trend_no_data", "reason.trend_break_inside", "reason.trend_too_few_years", "reason.trend_no_events"],
        "",
    )
    return np.where(reason == "", rest, reason)


def _pieces(grid: SeriesGrid, found: pd.DataFrame) -> tuple[SeriesGrid, pd.DataFrame]:
    """Each series cut at its breaks: column `piece` (1, 2, …) joins the keys."""
    ends = found[["series", "at"]].drop_duplicates()
    starts = pd.concat([pd.DataFrame({"series": range(len(grid)), "at": -np.inf}), ends]).sort_values(["series", "at"])
    number, since = starts["series"].to_numpy(dtype=int), starts["at"].to_numpy(dtype=float)
    until = np.where(np.r_[number[1:] == number[:-1], False], np.r_[since[1:], np.inf], np.inf)
    inside = (grid.time >= since[:, None]) & (grid.time < until[:, None])
    keys = grid.keys.iloc[number].reset_index(drop=True)
    keys["piece"] = starts.groupby("series").cumcount().to_numpy() + 1
    cut = {name: np.where(inside, values[number], np.nan) for name, values in grid.columns.items()}
    whole = pd.Series(np.arange(len(number)), index=pd.MultiIndex.from_arrays([number, since]))
    at = whole[pd.MultiIndex.from_frame(found[["series", "at"]])].to_numpy() if len(found) else []
    return SeriesGrid(keys, grid.time, cut), found.assign(series=at)


@dataclass(frozen=True)
class _Fits:
    """Slope and what goes with it, per series; NaN where not fitted."""

    slope: Numbers
    variance: Numbers
    df: Numbers
    dispersion: Numbers
    pearson: Numbers
    theta: Numbers
    converged: npt.NDArray[np.bool_]


def _fit(
    counts: Numbers, offset: Numbers, time: Numbers, steps: pd.DataFrame, wanted: npt.NDArray[np.bool_], model: str
) -> tuple[_Fits, str]:
    """Fits per number of steps in a series: series with as many steps share one stacked design."""
    n = len(counts)
    out = {name: np.full(n, np.nan) for name in ("slope", "variance", "df", "dispersion", "pearson", "theta")}
    converged, centre = np.zeros(n, dtype=bool), time - np.mean(time if len(time) else 0.0)
    jumps = _jumps(counts, time, steps)
    for k in np.unique(jumps.sum(axis=1)[wanted]):
        rows = np.flatnonzero(wanted & (jumps.sum(axis=1) == k))
        design = _design(centre, jumps[rows], int(k))
        poisson = fit_counts(counts[rows], design, offset=offset[rows])
        last = (
            poisson
            if model != "negative_binomial"
            else fit_negative_binomial(counts[rows], design, offset=offset[rows])
        )
        for name, values in _parts(last, poisson).items():
            out[name][rows] = values
        converged[rows] = last.converged
    return _Fits(converged=converged, **out), model + (";theta=ml" if model == "negative_binomial" else "")


def _parts(fit: BatchFit, poisson: BatchFit) -> dict[str, Numbers]:
    return {
        "slope": fit.coefficients[:, 1], "variance": fit.covariance[:, 1, 1], "df": fit.df, "theta": fit.theta,
        "dispersion": poisson.dispersion, "pearson": poisson.pearson,
    }  # fmt: skip


def _jumps(counts: Numbers, time: Numbers, steps: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """(series, time): the level jumps from here on; only where a used time stands on both sides since the last jump."""
    at = np.zeros(counts.shape, dtype=bool)
    place = np.searchsorted(time, steps["at"].to_numpy(dtype=float))
    at[steps["series"].to_numpy(dtype=int), np.minimum(place, len(time) - 1)] = True
    used = ~np.isnan(counts)
    kept, since = np.zeros_like(at), np.zeros(len(at), dtype=int)
    for t in range(len(time)):
        fresh = at[:, t] & (since > 0) & used[:, t:].any(axis=1)
        kept[:, t] = fresh
        since = np.where(at[:, t], 0, since) + used[:, t]
    return kept


def _design(centre: Numbers, jumps: npt.NDArray[np.bool_], k: int) -> Numbers:
    """Constant, time and one step per jump; shared where nothing jumps."""
    line = np.column_stack([np.ones_like(centre), centre])
    if k == 0:
        return line
    rank = jumps.cumsum(axis=1)
    parts = [(rank >= j + 1).astype(float) for j in range(k)]
    return np.stack([*np.broadcast_to(line.T[:, None, :], (2, *jumps.shape)), *parts], axis=-1)


@dataclass(frozen=True)
class _Wald:
    """How limits are made."""

    model: str
    confidence: float
    periods_per_year: float
    floor: bool

    def words(self) -> str:
        """For the method column."""
        quasi = self.model == "quasipoisson"
        return ("limits=wald_t" if quasi else "limits=wald_z") + (";dispersion>=1" if quasi and self.floor else "")

    def spread(self, fit: _Fits) -> tuple[Numbers, Numbers, Numbers]:
        """Standard error of the slope, quantile, two-sided p-value."""
        from scipy import stats

        if self.model != "quasipoisson":
            se = np.sqrt(fit.variance)
            return se, np.full(se.shape, stats.norm.isf(tail(self.confidence))), 2 * stats.norm.sf(abs(fit.slope / se))
        scale = np.maximum(fit.dispersion, 1) if self.floor else fit.dispersion
        se, df = np.sqrt(fit.variance * scale), np.where(fit.df > 0, fit.df, np.nan)
        with np.errstate(invalid="ignore", divide="ignore"):
            return se, stats.t.isf(tail(self.confidence), df), 2 * stats.t.sf(abs(fit.slope / se), df)


def _columns(
    grid: SeriesGrid, counts: Numbers, fit: _Fits, wald: _Wald, reason: npt.NDArray[np.str_]
) -> dict[str, npt.NDArray]:
    """Everything but keys, marks and method; a reason where the fit did not settle."""
    from scipy import stats

    se, quantile, p_value = wald.spread(fit)
    reason = np.where((reason == "") & ~fit.converged, "reason.trend_not_converged", reason)
    reason = np.where((reason == "") & ~np.isfinite(se * quantile), "reason.trend_no_limits", reason)
    ok = np.isin(reason, ["", "reason.trend_no_limits"])
    seen, year = ~np.isnan(counts), wald.periods_per_year
    ratios = [np.exp(year * part) for part in (fit.slope, fit.slope - quantile * se, fit.slope + quantile * se)]
    figures = {
        **dict(zip(("apc", "lower", "upper"), [100 * (ratio - 1) for ratio in ratios], strict=True)),
        **dict(zip(("rate_ratio", "rate_ratio_lower", "rate_ratio_upper"), ratios, strict=True)),
        "slope": fit.slope, "se": se, "p_value": p_value, "dispersion": fit.dispersion, "theta": fit.theta,
    }  # fmt: skip
    tested = stats.chi2.sf(fit.pearson, np.where(fit.df > 0, fit.df, np.nan)) < 0.05
    return {
        "first": np.where(seen.any(axis=1), np.where(seen, grid.time, np.inf).min(axis=1, initial=np.inf), np.nan),
        "last": np.where(seen.any(axis=1), np.where(seen, grid.time, -np.inf).max(axis=1, initial=-np.inf), np.nan),
        "n": seen.sum(axis=1), "events": np.nansum(counts, axis=1),
        **{name: np.where(ok, values, np.nan) for name, values in figures.items()},
        "overdispersed": ok & tested, "reason": reason,
    }  # fmt: skip


def _table(grid: SeriesGrid, columns: dict[str, npt.NDArray], marks: npt.ArrayLike, method: str) -> pd.DataFrame:
    reason = columns["reason"]
    columns = columns | {
        "marks": pd.array(marks, dtype="str"),
        "method": pd.array([method] * len(grid), dtype="str"),
        "status": pd.array(np.where(reason == "", OK, NOT_ASSESSABLE), dtype="str"),
        "reason": pd.array(reason, dtype="str"),
    }
    return pd.concat([grid.keys, pd.DataFrame({name: columns[name] for name in COLUMNS})], axis=1)

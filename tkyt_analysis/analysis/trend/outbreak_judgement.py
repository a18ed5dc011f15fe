"""What outbreak detection says of each count: bounds, strength, probability, extent of the shock, verdict."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE, OK
from tkyt_analysis.analysis.trend.farrington_bounds import at_least, count_quantile
from tkyt_analysis.analysis.trend.outbreak_input import event_column
from tkyt_analysis.analysis.trend.outbreak_options import OutbreakOptions
from tkyt_analysis.analysis.trend.outbreak_pooled import PooledInput
from tkyt_analysis.analysis.trend.outbreak_ranking import outbreak_probability
from tkyt_analysis.analysis.trend.outbreak_shared import extent_of, shared_shock
from tkyt_analysis.analysis.trend.series_panel import Panel

MODELLED, SHOCK = "modelled", "shock"
OWN, BORROWED = "own", "pooled"


def judgement(
    panel: Panel,
    given: PooledInput,
    found: dict[str, npt.NDArray],
    places: npt.NDArray[np.intp],
    watch: pd.DataFrame | None,
    settings: OutbreakOptions,
) -> dict[str, npt.NDArray]:
    """The columns of the result except the ranks."""
    mean, spread = found["mean"], found["dispersion"]
    observed = panel.counts[:, places]
    known = np.isfinite(mean) & np.isfinite(observed)
    strength = _strength(observed, mean, spread, known, settings)
    shock = _shocks(observed, mean, spread, given.group, settings)
    season, least = _of_the_watch(panel, places, watch, settings)
    alarm = known & (strength["score"] > 1) & (observed >= least)
    if settings.fdr is not None:
        alarm &= strength["qvalue"] <= settings.fdr
    status = np.select([~known, found["pooled"]], [NOT_ASSESSABLE, MODELLED], default=OK)
    chance = outbreak_probability(observed, mean, spread, settings.prior)
    return {
        **strength,
        "probability": chance,
        "alarm": alarm,
        "extent": extent_of(alarm, shock["found"], shock["local_pvalue"], settings.alpha),
        **{name: shock[name] for name in ("shared_ratio", "shared_pvalue", "local_pvalue")},
        "tet": np.broadcast_to(given.tet[places], mean.shape),
        "in_season": season,
        "least": least,
        "verdict": np.select([~known, alarm], [NOT_ASSESSABLE, SHOCK], default="ok").astype(object),
        "reference": np.select([~known, found["pooled"]], ["", BORROWED], default=OWN).astype(object),
        "method": np.full(mean.shape, f"outbreaks_{settings.text()}", dtype=object),
        "status": status.astype(object),
        "reason": found["reason"],
    }


def _strength(
    observed: Numbers, mean: Numbers, spread: Numbers, known: npt.NDArray[np.bool_], settings: OutbreakOptions
) -> dict[str, npt.NDArray]:
    """Bounds and measures of how far a count is from what was expected."""
    from tkyt_analysis.analysis.spatial.multiple_tests import adjusted

    base, width = np.where(known & (mean > 0), mean, 1e-9), np.where(known, spread, 1.0)
    lower, upper = (count_quantile(level, base, width) for level in (settings.alpha, 1 - settings.alpha))
    count = np.where(known, observed, 0.0)
    p_value = np.where(known, at_least(count, base, width), np.nan)
    room = np.maximum(upper - base, 1e-9)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(mean > 0, observed / mean, np.nan)
    shown = {name: np.where(known, part, np.nan) for name, part in {"lower": lower, "upper": upper}.items()}
    return {
        "observed": observed,
        "expected": np.where(known, mean, np.nan),
        **shown,
        "ratio": np.where(known, ratio, np.nan),
        "excess": np.where(known, observed - mean, np.nan),
        "score": np.where(known, (count - base) / room, np.nan),
        "pvalue": p_value,
        "qvalue": adjusted(p_value, "fdr", np.zeros(len(p_value))),
    }


def _shocks(
    observed: Numbers, mean: Numbers, spread: Numbers, group: npt.NDArray[np.intp], settings: OutbreakOptions
) -> dict[str, npt.NDArray]:
    """shared_ratio, shared_pvalue, local_pvalue, found; without `shared` nothing is shared."""
    shock = shared_shock(observed, mean, spread, group, settings)
    names = {"shared_ratio": shock.ratio, "shared_pvalue": shock.pvalue, "local_pvalue": shock.local_pvalue}
    if settings.shared:
        return {**names, "found": shock.found}
    nothing = np.full(observed.shape, np.nan)
    return dict.fromkeys(names, nothing) | {"found": np.zeros(observed.shape, dtype=bool)}


def _of_the_watch(
    panel: Panel, places: npt.NDArray[np.intp], watch: pd.DataFrame | None, settings: OutbreakOptions
) -> tuple[npt.NDArray, Numbers]:
    """(is the period in the season of the event, fewest events of an alarm)."""
    shape = (len(panel.counts), len(places))
    if watch is None:
        return np.ones(shape, dtype=bool), np.full(shape, float(settings.least))
    from tkyt_analysis.analysis.trend.watched import months_of_season

    rows = watch.drop_duplicates("watch_id").set_index("watch_id").loc[panel.keys[event_column(panel)]]
    least = pd.to_numeric(rows["least"], errors="coerce").fillna(settings.least).to_numpy(dtype=float)
    seasons = [months_of_season(text) for text in rows["season"]]
    if panel.times.dates is None:
        return np.ones(shape, dtype=bool), np.repeat(least[:, None], shape[1], axis=1)
    month = panel.times.dates[places].astype("datetime64[M]").astype(int) % 12 + 1
    inside = np.array([np.isin(month, list(months)) for months in seasons]).reshape(shape)
    return inside, np.repeat(least[:, None], shape[1], axis=1)

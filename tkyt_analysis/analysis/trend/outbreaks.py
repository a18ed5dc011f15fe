"""Outbreaks and shocks in many series at once: forms, case lists and deaths by place and event.

Each count is set against what was to be expected from the past of its own series (Farrington, Noufaily) or, where events are
few, from the pooled reference (`outbreak_pooled`). What all places share in a period is told apart from what one place has
alone; false alarms among the alarms of a period are held at a share; alarms are ranked and cut at a budget. An alarm is a
true shock (verdict `shock`) that somebody should look into, not an error of the data.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.groups import as_table, names_of
from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.rates import NOT_ASSESSABLE
from tkyt_analysis.analysis.trend.outbreak_input import (
    groups_of,
    judged,
    place_column,
    read_panel,
    tet_share,
    watched_only,
)
from tkyt_analysis.analysis.trend.outbreak_judgement import judgement
from tkyt_analysis.analysis.trend.outbreak_options import COARSE, MONTHLY, POOLED, OutbreakOptions, options_of
from tkyt_analysis.analysis.trend.outbreak_pooled import PooledInput, pooled_reference, tet_effect
from tkyt_analysis.analysis.trend.outbreak_ranking import ranked
from tkyt_analysis.analysis.trend.series_panel import Panel, long_table
from tkyt_analysis.errors import InputError


def detect_outbreaks(
    events: object,
    *,
    by: str | Sequence[str] = (),
    period: str | npt.ArrayLike | None = None,
    method: str = "noufaily",
    watch: pd.DataFrame | None = None,
    value: str | None = None,
    population: str | None = None,
    place: str | None = None,
    gaps: str = "missing",
    last: int | None = None,
    frequency: int | None = None,
    neighbours: pd.DataFrame | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Judge the last periods of many series of counts.

    Parameters
    ----------
    events, by, period, value, gaps, frequency : as in `farrington`: a table with one row per series and period (or an array,
        list, Series); by names a series, e.g. ["unit_id", "element_id"]; gaps="zero" for counts of single events
    method, **options : see `OutbreakOptions` (alpha, small, years, fdr, shared, tet, prior, budget, per, control …)
    watch : watched events (`watched.watched_events()`): series of other events are left out and named in `.attrs["unwatched"]`;
        it gives the season and the fewest events of an alarm
    population : column of person-years, persons or reports behind each count (expected counts follow it)
    place : the column of `by` that is the place (default: the first of unit_id, province_id …); the rest of `by` is the event
    last : judge the last so many periods (default: a year)
    neighbours : table i, j of places: counts the neighbours that have an alarm of the same event in the same period

    Returns
    -------
    One row per series and judged period, in their order: by, index, period, period_start, observed, expected, lower, upper (bounds
    of the usual), ratio (observed / expected), excess, score ((observed − expected) / (upper − expected); above 1 = beyond the
    bound), pvalue, qvalue (Benjamini–Hochberg within the period), probability (of an outbreak; see `outbreak_probability`), alarm,
    extent (local | shared | both), shared_ratio, shared_pvalue (the other places), local_pvalue, neighbours (with an alarm), tet
    (share of Tết days), in_season, least, importance (excess × probability), rank, within_budget, verdict (shock | ok |
    not_assessable), reference (own | pooled), method, status (ok; modelled: pooled reference; not_assessable), reason.
    """
    settings = options_of({"method": method, **options})
    panel = read_panel(events, by, period, value, population, gaps, frequency)
    panel, unwatched = watched_only(panel, watch)
    spot = place_column(panel, place)
    event = [name for name in panel.keys.columns if name != spot]
    _require_per(settings, panel)
    group = groups_of(panel, event)
    places = judged(panel, last)
    tet = tet_share(panel) if settings.tet else np.zeros(panel.periods)
    exposure = panel.columns[population] if population else np.ones(panel.counts.shape)
    given = PooledInput(panel.counts, exposure, group, tet, panel.times.frequency)
    found = _references(panel, given, places, settings)
    columns = judgement(panel, given, found, places, watch, settings)
    table = long_table(panel, places, columns)
    table = _with_neighbours(table, neighbours, spot, event)
    table = ranked(table, settings, event)
    table.attrs["unwatched"] = unwatched
    return table[_order(panel, table)]


def shared_events(
    found: pd.DataFrame, *, event: str | Sequence[str] = "element_id", alpha: float = 1e-4, least_ratio: float = 1.2
) -> pd.DataFrame:
    """The shocks that places share, one row per event and period of `detect_outbreaks`, whether or not a place has an alarm of its own.

    Shared: most places see the others above what was expected (p-value at most `alpha`, ratio at least `least_ratio`).
    Columns: event, index, period (dated series), places (judged), alarms, observed, expected (of all judged places), ratio.
    """
    keys = [*names_of(event), *[name for name in ("index", "period") if name in found]]
    rows = found[found["status"] != NOT_ASSESSABLE]
    rows = rows.assign(lifted=(rows["shared_pvalue"] <= alpha) & (rows["shared_ratio"] >= least_ratio))
    table = rows.groupby(keys, as_index=False).agg(
        places=("alarm", "size"), alarms=("alarm", "sum"), observed=("observed", "sum"), expected=("expected", "sum"),
        lifted=("lifted", "mean"),
    )  # fmt: skip
    table = table[table["lifted"] > 1 / 2].drop(columns="lifted").reset_index(drop=True)
    return table.assign(ratio=table["observed"] / table["expected"])


def _require_per(settings: OutbreakOptions, panel: Panel) -> None:
    unknown = [name for name in settings.per if name not in panel.keys]
    if unknown:
        raise InputError("error.outbreak_per", found=", ".join(unknown), known=", ".join(panel.keys.columns) or "–")


# ---- what was to be expected


def _references(
    panel: Panel, given: PooledInput, places: npt.NDArray[np.intp], settings: OutbreakOptions
) -> dict[str, npt.NDArray]:
    """mean, dispersion, pooled (the pooled reference was used), reason: (series, judged periods)."""
    borrowed = pooled_reference(given, places, settings)
    missing = ~given.present[:, places]
    if settings.method == POOLED:
        own = np.full(missing.shape, np.nan)
        reason, spread = np.full(missing.shape, "", dtype=object), own
    else:
        own, spread, reason = _own(panel, given, places, settings)
    few = ~np.isfinite(own) | (np.fmax(own, np.nan_to_num(borrowed.mean)) < settings.small)
    use = few & borrowed.enough & np.isfinite(borrowed.mean)
    mean = np.where(missing, np.nan, np.where(use, borrowed.mean, own))
    known = np.isfinite(mean)
    why = np.select(
        [missing, use, known, reason != ""],
        ["reason.count_now_missing", "reason.outbreak_pooled", "", reason],
        default="reason.outbreak_short",
    )
    spread = np.where(use, borrowed.dispersion, np.fmax(spread, 1.0))
    return {"mean": mean, "dispersion": spread, "pooled": use, "reason": why.astype(object)}


def _own(
    panel: Panel, given: PooledInput, places: npt.NDArray[np.intp], settings: OutbreakOptions
) -> tuple[Numbers, Numbers, npt.NDArray]:
    """Expected count, variance over mean, reason of each series by its own past (Farrington); exposure carries Tết."""
    from tkyt_analysis.analysis.trend.farrington_detection import farrington

    control = {"alpha": settings.alpha, "b": settings.years, "threshold_method": "nbPlugin", "population_offset": True}
    if settings.method == "classic":
        control["threshold_method"] = "delta"
    if panel.times.frequency == 12:
        monthly = MONTHLY if settings.method == "noufaily" else {"w": MONTHLY["w"]}
        control |= monthly
    elif panel.times.frequency < 12:
        control |= COARSE
    effect = tet_effect(given, int(places[0]), settings) if settings.tet else np.zeros(int(given.group.max()) + 1)
    exposure = given.exposure * np.exp(np.outer(effect[given.group], given.tet))
    found = farrington(
        panel.counts, method=settings.method, time=panel.times.dates, frequency=panel.times.frequency,
        population=exposure, last=len(places), control={**control, **settings.control},
    )  # fmt: skip
    shape = (len(panel.counts), len(places))
    mean, spread = (found[name].to_numpy(dtype=float).reshape(shape) for name in ("expected", "dispersion"))
    return mean, spread, found["reason"].to_numpy(dtype=object).reshape(shape)


def _with_neighbours(
    table: pd.DataFrame, neighbours: pd.DataFrame | None, spot: str | None, event: list[str]
) -> pd.DataFrame:
    """`neighbours`: how many places beside it have an alarm of the same event in the same period (missing: not asked)."""
    if neighbours is None or spot is None:
        return table.assign(neighbours=pd.array([pd.NA] * len(table), dtype="Int64"))
    neighbours = as_table(neighbours)
    missing = [name for name in ("i", "j") if name not in neighbours]
    if missing:
        found = ", ".join(map(str, neighbours.columns))
        raise InputError("error.outbreak_neighbours", missing=", ".join(missing), found=found)
    keys = [*event, "index"]
    alarms = table.loc[table["alarm"], [spot, *keys]].merge(neighbours[["i", "j"]], left_on=spot, right_on="j")
    counts = alarms.groupby(["i", *keys], dropna=False).size().rename("neighbours").reset_index()
    joined = table.merge(counts, left_on=[spot, *keys], right_on=["i", *keys], how="left").drop(columns="i")
    return joined.assign(neighbours=joined["neighbours"].fillna(0).astype("Int64"))


_COLUMNS = [
    "observed", "expected", "lower", "upper", "ratio", "excess", "score", "pvalue", "qvalue", "probability", "alarm", "extent",
    "shared_ratio", "shared_pvalue", "local_pvalue", "neighbours", "tet", "in_season", "least", "importance", "rank",
    "within_budget", "verdict", "reference", "method", "status", "reason",
]  # fmt: skip


def _order(panel: Panel, table: pd.DataFrame) -> list[str]:
    times = [name for name in ("index", "period", "period_start") if name in table]
    return [*panel.keys.columns, *times, *_COLUMNS]

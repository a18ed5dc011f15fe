"""Which alarms to follow up first: events in excess × probability, cut at a budget, as the quality questions are ranked."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.analysis.limits import Numbers
from tkyt_analysis.analysis.trend.outbreak_options import OutbreakOptions
from tkyt_analysis.analysis.trend.outbreak_shared import SHARED

_FACTORS = np.exp(
    np.linspace(np.log(1.5), np.log(10.0), 12)
)  # an outbreak multiplies the expected count by one of these


def outbreak_probability(observed: Numbers, mean: Numbers, dispersion: Numbers, prior: float) -> Numbers:
    """Probability that a count comes from an outbreak, not from chance.

    Bayes: chance is the negative binomial around the expected count; an outbreak multiplies the expected count by 1.5 to 10
    (all equally likely on the log scale); `prior` is the share of periods with an outbreak. Counts not above the expected one
    have 0. NaN where the count or what was expected is not known.
    """
    known = np.isfinite(observed) & np.isfinite(mean) & (mean > 0)
    count, base = np.where(known, observed, 0.0), np.where(known, mean, 1.0)
    spread = np.where(known, dispersion, 1.0)
    chance = _log_probability(count, base, spread)
    lifted = np.stack([_log_probability(count, base * factor, spread) - chance for factor in _FACTORS])
    evidence = np.exp(np.clip(lifted, -700, 700)).mean(axis=0)
    found = prior * evidence / (prior * evidence + 1 - prior)
    return np.where(known, np.where(count > base, found, 0.0), np.nan)


def _log_probability(count: Numbers, mean: Numbers, dispersion: Numbers) -> Numbers:
    """Log probability of a count: negative binomial with variance = mean × dispersion, Poisson where dispersion is 1."""
    from scipy.special import gammaln, xlogy

    wide = dispersion > 1 + 1e-9
    size = mean / np.where(wide, dispersion - 1, 1.0)
    share = 1 / np.where(wide, dispersion, 2.0)
    broad = gammaln(count + size) - gammaln(size) - gammaln(count + 1) + size * np.log(share) + count * np.log1p(-share)
    narrow = xlogy(count, mean) - mean - gammaln(count + 1)
    return np.asarray(np.where(wide, broad, narrow))


def ranked(rows: pd.DataFrame, options: OutbreakOptions, event: list[str]) -> pd.DataFrame:
    """The rows with `importance`, `rank` and `within_budget` (rows without an alarm: missing, False).

    An alarm that is nothing but its share of a shared shock counts once: all places of it are one case, whose importance is
    the sum of theirs. Ranked within each period and `per`. event : the columns that name the event (not the place)
    """
    importance = (rows["excess"].clip(lower=0) * rows["probability"]).where(rows["alarm"])
    table = rows.assign(importance=importance, row=np.arange(len(rows)))
    alarms = table[table["alarm"]].copy()
    inside = ["index", *options.per]
    alarms["case"] = _cases(alarms, [*inside, *event])
    cases = alarms.groupby([*inside, "case"], as_index=False, dropna=False)["importance"].sum()
    cases = cases.sort_values([*inside, "importance", "case"], ascending=[*[True] * len(inside), False, True])
    cases["rank"] = cases.groupby(inside, dropna=False).cumcount() + 1
    placed = alarms.merge(cases[[*inside, "case", "rank"]], on=[*inside, "case"], how="left").set_index("row")["rank"]
    rank = placed.reindex(table["row"]).astype("Int64").to_numpy()
    within = pd.Series(rank, index=table.index).notna()
    if options.budget is not None:
        within &= pd.Series(rank, index=table.index).le(options.budget).fillna(False).astype(bool)
    return table.drop(columns="row").assign(rank=pd.array(rank, dtype="Int64"), within_budget=within.to_numpy(bool))


def _cases(alarms: pd.DataFrame, columns: list[str]) -> pd.Series:
    """A number per case: rows of one shared shock have the same, all others their own."""
    alone = alarms["row"]
    first = alarms.groupby(columns, dropna=False)["row"].transform("min")
    shock = alarms["extent"] == SHARED
    lowest = alarms["row"].where(shock).groupby([alarms[name] for name in columns], dropna=False).transform("min")
    return alone.where(~shock, lowest.fillna(first)).astype(int)

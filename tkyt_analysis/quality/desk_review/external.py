"""Domains 3 and 4: outside estimates (3a), population against the United Nations (4a), denominators (4b)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.quality.desk_review.counting import ratio_interval
from tkyt_analysis.quality.desk_review.judged import GROUP, KEY, band_verdict, distance_from_one, summarise


def external_consistency(
    routine: pd.DataFrame,
    estimates: pd.DataFrame,
    *,
    threshold: float = 0.33,
    per: float = 1.0,
    years_apart: int = 2,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """3a: routine rate / outside estimate, of the place and of those subunits that have an estimate of their own.

    Parameters
    ----------
    routine : KEY, numerator, denominator
    estimates : unit (place or subunit), year, value and, where published, lower, upper, source
    per : the rate is per this many of the denominator, as the estimates are
    years_apart : the newest estimate of the year or of at most so many years before stands for the year

    Beyond noise: the ratio lies outside the band whatever the value in the estimate's interval and in the interval of the
    routine count. Facts: routine, estimate, estimate_year, source.
    """
    rates = routine.assign(rate=per * routine["numerator"] / routine["denominator"].where(routine["denominator"] > 0))
    judged = _against_estimates(rates, "subunit", estimates, years_apart)
    judged = _judge_estimates(judged, threshold, per, confidence)
    sums = routine.assign(both=routine[["numerator", "denominator"]].notna().all(axis=1))
    sums = sums[sums["both"]].groupby(GROUP, observed=True, sort=True)[["numerator", "denominator"]].sum()
    every = routine[GROUP].drop_duplicates().sort_values(GROUP)
    places = every.merge(sums.reset_index(), on=GROUP, how="left")
    places["rate"] = per * places["numerator"] / places["denominator"].where(places["denominator"] > 0)
    places = _judge_estimates(_against_estimates(places, "place", estimates, years_apart), threshold, per, confidence)
    overall = places.rename(columns={"value": "estimate", "rate": "routine"})
    overall = overall.assign(reason=overall["status"].replace("ok", ""))
    columns = [*GROUP, "score", "reason", "routine", "estimate", "estimate_year", "source"]
    return summarise(judged, overall[columns], threshold=threshold)


def _against_estimates(rates: pd.DataFrame, unit: str, estimates: pd.DataFrame, years_apart: int) -> pd.DataFrame:
    """The rates with the newest estimate that stands for their year: value, lower, upper, source, estimate_year."""
    wanted = ["unit", "year", "value", "lower", "upper", "source"]
    known = estimates.reindex(columns=wanted).rename(columns={"year": "estimate_year"})
    keys = rates[[unit, "year"]].astype({unit: "str"}).drop_duplicates()
    found = keys.merge(known.astype({"unit": "str"}), left_on=unit, right_on="unit", how="left").drop(columns="unit")
    late = found["year"].astype(float) - found["estimate_year"].astype(float)
    found = (
        found[(late >= 0) & (late <= years_apart)]
        .sort_values("estimate_year")
        .drop_duplicates([unit, "year"], keep="last")
    )
    return rates.assign(**{unit: rates[unit].astype("str")}).merge(
        found, on=[unit, "year"], how="left", validate="many_to_one"
    )


def _judge_estimates(rows: pd.DataFrame, threshold: float, per: float, confidence: float) -> pd.DataFrame:
    status = pd.Series("ok", index=rows.index).mask(rows["value"].isna() | (rows["value"] <= 0), "no_estimate")
    status = status.mask(rows["rate"].isna(), "no_values")
    ratio = (rows["rate"] / rows["value"].astype(float)).where(status == "ok")
    low, high = ratio_interval(rows["numerator"], rows["denominator"], confidence=confidence)
    lower = per * low / rows["upper"].fillna(rows["value"]).astype(float)
    upper = per * high / rows["lower"].fillna(rows["value"]).astype(float)
    diverges, sure = band_verdict(ratio, lower, upper, 1 - threshold, 1 + threshold)
    return rows.assign(
        score=ratio, status=status, diverges=diverges, beyond_noise=sure, distance=distance_from_one(ratio)
    )


def population_against_projection(
    totals: pd.DataFrame, projections: pd.DataFrame, *, threshold: float = 0.1
) -> pd.DataFrame:
    """4a: the nation's population total / the United Nations' for the same year.

    totals : geography, place, year, persons (and source); projections : year, persons (and source). No subunits: the nation itself is
    what diverges, counted as one. Facts: persons, projected, source, projection_source.
    """
    known = projections.rename(columns={"persons": "projected", "source": "projection_source"})
    rows = totals.merge(known, on="year", how="left", validate="many_to_one")
    status = (
        pd.Series("ok", index=rows.index)
        .mask(~(rows["projected"] > 0), "no_projection")
        .mask(rows["persons"].isna(), "no_values")
    )
    ratio = (rows["persons"] / rows["projected"]).where(status == "ok")
    diverges, _ = band_verdict(ratio, ratio, ratio, 1 - threshold, 1 + threshold)
    judged = rows[GROUP].assign(
        subunit=rows["place"],
        score=ratio,
        status=status,
        diverges=diverges,
        beyond_noise=pd.NA,
        distance=distance_from_one(ratio),
    )
    overall = rows.drop(columns="threshold", errors="ignore").assign(score=ratio, reason=status.replace("ok", ""))
    return summarise(judged, overall, threshold=threshold)


def consistency_of_denominators(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    nation: str = "VN",
    threshold: float = 0.1,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """4b: A/B of each subunit / A/B of the nation; the score of a place is its own A/B over the nation's.

    a, b : KEY, value of two denominators (under 1, live births, pregnant women, total). The nation's ratio is the one
    of the rows whose place is `nation`, of the same geography and year. Facts: ratio, of_nation, a, b.
    """
    both = a[[*KEY, "value"]].merge(
        b[[*KEY, "value"]], on=KEY, how="outer", suffixes=("_a", "_b"), validate="one_to_one"
    )
    both = both[both[["value_a", "value_b"]].notna().any(axis=1)].reset_index(drop=True)
    complete = both[["value_a", "value_b"]].notna().all(axis=1)
    sums = both.assign(a=both["value_a"].where(complete, 0.0), b=both["value_b"].where(complete, 0.0))
    sums = sums.groupby(GROUP, observed=True, sort=True)[["a", "b"]].sum().reset_index()
    sums["ratio"] = sums["a"] / sums["b"].where(sums["b"] > 0)
    of_nation = sums.loc[sums["place"] == nation, ["geography", "year", "ratio"]].rename(columns={"ratio": "of_nation"})
    overall = sums.merge(of_nation, on=["geography", "year"], how="left", validate="many_to_one")
    overall["score"] = overall["ratio"] / overall["of_nation"].where(overall["of_nation"] > 0)
    overall["reason"] = _denominator_reason(overall)
    rows = both.merge(of_nation, on=["geography", "year"], how="left", validate="many_to_one")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = rows["value_a"] / rows["value_b"] / rows["of_nation"].where(rows["of_nation"] > 0)
    lower, upper = ratio_interval(rows["value_a"], rows["value_b"], confidence=confidence)
    diverges, sure = band_verdict(
        ratio, lower / rows["of_nation"], upper / rows["of_nation"], 1 - threshold, 1 + threshold
    )
    judged = rows[KEY].assign(
        score=ratio,
        status=_denominator_status(rows),
        diverges=diverges,
        beyond_noise=sure,
        distance=distance_from_one(ratio),
    )
    return summarise(judged, overall, threshold=threshold)


def _denominator_reason(overall: pd.DataFrame) -> pd.Series:
    reason = pd.Series("", index=overall.index).mask(~(overall["of_nation"] > 0), "parent_unknown")
    return reason.mask(overall["ratio"].isna(), "one_missing")


def _denominator_status(rows: pd.DataFrame) -> pd.Series:
    status = pd.Series("ok", index=rows.index).mask(~(rows["of_nation"] > 0), "parent_unknown")
    status = status.mask((rows["value_a"] == 0) & (rows["value_b"] == 0), "no_events")
    return status.mask(rows[["value_a", "value_b"]].isna().any(axis=1), "one_missing")

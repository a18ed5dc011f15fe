"""Domain 2, consistency over time (2d) and between related indicators (2e), each with counting noise told apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.quality.desk_review.counting import ratio_interval
from tkyt_analysis.quality.desk_review.history import expected_from
from tkyt_analysis.quality.desk_review.judged import GROUP, KEY, band_verdict, distance_from_one, summarise
from tkyt_analysis.quality.desk_review.outliers import month_columns

PAIR_KINDS = ("eq", "aGTb", "do", "level")


def annual_values(months: pd.DataFrame, over_time: str = "sum") -> pd.DataFrame:
    """KEY, value: the months of each subunit and year made into one figure (sum | last | average); missing only where
    no month has a value: a year of zeros is 0."""
    values = months[month_columns(months)].to_numpy(float)
    return months[KEY].assign(value=_of_year(values, over_time))


def _of_year(values: np.ndarray, over_time: str) -> np.ndarray:
    seen = ~np.isnan(values)
    n = seen.sum(axis=1)
    sums = np.where(n > 0, np.where(seen, values, 0.0).sum(axis=1), np.nan)
    if over_time == "sum" or not values.shape[1]:
        return sums
    if over_time == "average":
        return sums / np.where(n > 0, n, np.nan)
    last = values.shape[1] - 1 - np.argmax(seen[:, ::-1], axis=1)
    return np.where(n > 0, values[np.arange(len(values)), last], np.nan)


def consistency_over_time(
    months: pd.DataFrame,
    *,
    threshold: float = 0.33,
    over_time: str = "sum",
    trend: str = "constant",
    compare_to: str = "parent",
    years_before: int = 3,
    minimum_years: int = 1,
    forecast_years: int = 3,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """2d: the year's value / what the years before let expect (their mean, or their line cut at 0).

    A subunit diverges where its ratio over that of its place (compare_to="parent"; else over 1) lies outside 1 ± threshold.
    Only months that the whole table has in the year are compared, with the same months of the years before, so that an
    unfinished year does not look like a fall; an earlier year without these months is left out.
    months : see `outliers`. Facts: years (used), months (compared), value, expected of the place.
    """
    options = (over_time, trend, years_before, minimum_years, forecast_years)
    places = _sums_of_places(months)
    judged, overall = _over_time(months, KEY, options), _over_time(places, GROUP, options)
    against = overall[[*GROUP, "ratio"]].rename(columns={"ratio": "of_place"})
    judged = judged.merge(against, on=GROUP, how="left", validate="many_to_one")
    level = judged["of_place"] if compare_to == "parent" else 1.0
    status = judged["status"]
    if compare_to == "parent":
        status = status.mask((status == "ok") & ~(judged["of_place"] > 0).to_numpy(), "parent_unknown")
    relative = (judged["ratio"] / level).where(status == "ok")
    lower, upper = ratio_interval(judged["value"], judged["before"], confidence=confidence)
    scale = (judged["before"] / judged["expected"]).to_numpy(float) / np.asarray(level, float)
    scale = np.where(np.isfinite(scale), scale, 1.0)
    diverges, sure = band_verdict(relative, lower * scale, upper * scale, 1 - threshold, 1 + threshold)
    judged = judged.assign(
        score=relative, status=status, diverges=diverges, beyond_noise=sure, distance=distance_from_one(relative)
    )
    if over_time != "sum":
        judged["beyond_noise"] = pd.NA  # a stock is no count of the year
    overall = overall.rename(columns={"ratio": "score"}).assign(reason=overall["status"].replace("ok", ""))
    columns = [*GROUP, "score", "reason", "years", "months", "value", "expected"]
    return summarise(judged, overall[columns], threshold=threshold)


def _sums_of_places(months: pd.DataFrame) -> pd.DataFrame:
    return months.groupby(GROUP, observed=True, sort=True)[month_columns(months)].sum(min_count=1).reset_index()


def _over_time(months: pd.DataFrame, keys: list[str], options: tuple[str, str, int, int, int]) -> pd.DataFrame:
    """keys, value, before (sum of the earlier years used), expected, ratio, years, months, status of every row."""
    over_time, trend, years_before, minimum, forecast = options
    columns = [name for name in months.columns if name not in keys]
    names = [name for name in keys if name != "year"]
    years = months["year"].astype(int)
    present = {year: months.loc[years == year, columns].notna().any().to_numpy() for year in sorted(years.unique())}
    parts = []
    for year, in_year in present.items():
        now = months.loc[years == year, keys].reset_index(drop=True)
        now["value"] = _of_year(months.loc[years == year, columns].to_numpy(float)[:, in_year], over_time)
        earlier = np.full((len(now), years_before), np.nan)
        for back in range(1, years_before + 1):
            if year - back in present and not (in_year & ~present[year - back]).any():
                earlier[:, back - 1] = _earlier(months, now, names, year - back, columns, in_year, over_time)
        expected, used = expected_from(earlier, trend, minimum=minimum, forecast=forecast)
        parts.append(
            now.assign(before=np.nansum(earlier, axis=1), expected=expected, years=used, months=int(in_year.sum()))
        )
    rows = (
        pd.concat(parts, ignore_index=True)
        if parts
        else months[keys].assign(value=0.0, before=0.0, expected=0.0, years=0, months=0)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = rows["value"] / rows["expected"]
    return rows.assign(ratio=ratio, status=_time_status(rows))


def _earlier(
    months: pd.DataFrame,
    now: pd.DataFrame,
    names: list[str],
    year: int,
    columns: list[str],
    in_year: np.ndarray,
    over_time: str,
) -> np.ndarray:
    """The figure of an earlier year, over the same months, of each row of `now`."""
    then = months[months["year"].astype(int) == year]
    figures = then[names].assign(earlier=_of_year(then[columns].to_numpy(float)[:, in_year], over_time))
    return now.merge(figures, on=names, how="left", validate="one_to_one")["earlier"].to_numpy(float)


def _time_status(rows: pd.DataFrame) -> pd.Series:
    """A value of 0 after years with events is 0 and diverges; 0 after 0 says nothing."""
    status = pd.Series("ok", index=rows.index)
    status = status.mask((rows["expected"] == 0) & (rows["value"] == 0), "no_events")
    status = status.mask(rows["expected"].isna(), "no_earlier_years")
    return status.mask(rows["value"].isna(), "no_values")


def related_indicators(
    a: pd.DataFrame,
    b: pd.DataFrame,
    *,
    kind: str,
    threshold: float,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """2e: two indicators that belong together, as totals of the year.

    kind : eq     A/B outside 1 ± threshold
           aGTb   A/B below 1 - threshold (A should be at least B)
           do     dropout (A - B)/A below -threshold (0: any negative dropout)
           level  (A/B) / (A/B of the place) outside 1 ± threshold
    a, b : KEY, value (see `annual_values`)

    A true zero is a number: A > 0 with B = 0 makes an infinite ratio and diverges (eq, level), 0/0 says nothing
    (no_events); a subunit that lacks A or B is not assessable (one_missing).
    The place's score is A/B of the sums over subunits that have both (of `do` the dropout). Facts: a, b, ratio.
    """
    if kind not in PAIR_KINDS:
        raise ValueError(kind)
    both = a[[*KEY, "value"]].merge(
        b[[*KEY, "value"]], on=KEY, how="outer", suffixes=("_a", "_b"), validate="one_to_one"
    )
    both = both[both[["value_a", "value_b"]].notna().any(axis=1)].reset_index(drop=True)
    rows = both.assign(status=_pair_status(both), ratio=_ratio(both["value_a"], both["value_b"]))
    overall = _pair_of_places(rows)
    rows = rows.merge(overall[[*GROUP, "ratio"]].rename(columns={"ratio": "of_place"}), on=GROUP, how="left")
    if kind == "level":
        unknown = ~(rows["of_place"] > 0) | np.isinf(rows["of_place"])
        rows["status"] = rows["status"].mask((rows["status"] == "ok") & unknown, "parent_unknown")
        level = rows["of_place"].where(rows["status"] == "ok")
    else:
        level = pd.Series(1.0, index=rows.index)
    lower, upper = ratio_interval(rows["value_a"], rows["value_b"], confidence=confidence)
    low, high = _band(kind, threshold)
    relative = rows["ratio"] / level
    diverges, sure = band_verdict(relative, lower / level, upper / level, low, high)
    score = 1 - 1 / relative if kind == "do" else relative
    judged = rows[[*KEY, "status"]].assign(
        score=score, diverges=diverges, beyond_noise=sure, distance=distance_from_one(relative)
    )
    shown = 1 - 1 / overall["ratio"] if kind == "do" else overall["ratio"]
    overall = overall.assign(score=shown.where(overall["reason"] == ""), kind=kind)
    return summarise(judged, overall[[*GROUP, "score", "reason", "kind", "a", "b", "ratio"]], threshold=threshold)


def _band(kind: str, threshold: float) -> tuple[float, float]:
    """The accepted ratios A/B."""
    if kind == "do":
        return 1 / (1 + threshold), np.inf
    return 1 - threshold, np.inf if kind == "aGTb" else 1 + threshold


def _ratio(a: pd.Series, b: pd.Series) -> pd.Series:
    with np.errstate(divide="ignore", invalid="ignore"):
        return pd.Series(a.to_numpy(float) / b.to_numpy(float), index=a.index)


def _pair_status(both: pd.DataFrame) -> pd.Series:
    status = pd.Series("ok", index=both.index)
    status = status.mask((both["value_a"] == 0) & (both["value_b"] == 0), "no_events")
    return status.mask(both[["value_a", "value_b"]].isna().any(axis=1), "one_missing")


def _pair_of_places(rows: pd.DataFrame) -> pd.DataFrame:
    """GROUP, a, b, ratio, reason: sums over the subunits that have both."""
    complete = rows["status"] != "one_missing"
    kept = rows.assign(a=rows["value_a"].where(complete, 0.0), b=rows["value_b"].where(complete, 0.0), both=complete)
    sums = (
        kept.groupby(GROUP, observed=True, sort=True)
        .agg(a=("a", "sum"), b=("b", "sum"), both=("both", "any"))
        .reset_index()
    )
    reason = pd.Series("", index=sums.index).mask(sums["b"] == 0, "zero_denominator")
    reason = reason.mask((sums["a"] == 0) & (sums["b"] == 0), "no_events").mask(~sums["both"], "one_missing")
    return sums.drop(columns="both").assign(ratio=_ratio(sums["a"], sums["b"]), reason=reason)

"""Domain 1, completeness and timeliness: metrics 1a, 1b, 1c, 1d."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.quality.desk_review.history import earlier_years, expected_from
from tkyt_analysis.quality.desk_review.judged import GROUP, KEY, band_verdict, distance_from_one, summarise


def completeness_of_reporting(reports: pd.DataFrame, *, threshold: float = 0.9) -> pd.DataFrame:
    """1a: reports received / reports expected over the year; never capped.

    reports : KEY, expected, received
    Facts: expected, received, above (subunits above 100 %: their list of expected reporters is wrong). See `summarise`.
    """
    judged = _share(reports, "received", "expected", threshold)
    overall = _share_of_place(reports, "received", "expected")
    above = judged[(judged["status"] == "ok") & (judged["score"] > 1 + 1e-12)].groupby(GROUP, observed=True).size()
    above = overall[GROUP].merge(above.rename("above").reset_index(), on=GROUP, how="left")["above"]
    return summarise(judged, overall.assign(above=above.fillna(0).astype("int64").to_numpy()), threshold=threshold)


def timeliness(reports: pd.DataFrame, *, threshold: float = 0.9) -> pd.DataFrame:
    """1b: reports that came by their dated deadline / reports expected.

    reports : KEY, expected, received, on_time, untimed (received, but the day of submission or the deadline is not known)
    Reports of unknown time are taken out of the denominator; where none can be timed the subunit, or the place, is not
    assessable.
    Facts: on_time, expected, untimed.
    """
    timed = reports.assign(due=(reports["expected"] - reports["untimed"]).clip(lower=0))
    sums = reports.groupby(GROUP, observed=True)[["received", "untimed"]].transform("sum")
    unknown = (reports["received"] > 0) & (reports["untimed"] >= reports["received"])
    unknown |= (sums["received"] > 0) & (
        sums["untimed"] >= sums["received"]
    )  # nobody could be timed: silence says nothing
    judged = _share(timed, "on_time", "due", threshold)
    judged["status"] = judged["status"].mask(unknown, "no_deadline_or_time")
    known = timed.assign(**{name: timed[name].where(~unknown, 0) for name in ("on_time", "due", "expected")})
    overall = _share_of_place(known, "on_time", "due", more=("expected", "untimed"))
    overall["reason"] = overall["reason"].mask(
        overall["untimed"] > 0, overall["reason"].replace("nothing_expected", "no_deadline_or_time")
    )
    return summarise(judged, overall, threshold=threshold)


def completeness_of_values(cells: pd.DataFrame, *, threshold: float = 0.9) -> pd.DataFrame:
    """1c: values present / (reports expected × cells); a true zero is present.

    cells : KEY, expected (reports × cells of the indicator), present, zeros
    Facts: present, expected, zeros, not_zero (the older form: 1 - (missing + zero) / expected) and no_zeros: this place
    stores no zero at all, so that a blank may mean zero and the share is too low.
    """
    judged = _share(cells, "present", "expected", threshold)
    overall = _share_of_place(cells, "present", "expected", more=("zeros",))
    overall["not_zero"] = (overall["present"] - overall["zeros"]) / overall["expected"].where(overall["expected"] > 0)
    overall["no_zeros"] = (overall["zeros"] == 0) & (overall["present"] < overall["expected"])
    return summarise(judged, overall, threshold=threshold)


def consistency_of_completeness(
    reports: pd.DataFrame,
    *,
    threshold: float = 0.33,
    trend: str = "constant",
    years_before: int = 3,
    minimum_years: int = 1,
    forecast_years: int = 3,
) -> pd.DataFrame:
    """1d: this year's completeness (1a) / the mean of the years before, or their straight line cut at 0 and 100 %.

    reports : KEY, expected, received
    Facts: years (how many preceding years were used).
    """
    options = (trend, years_before, minimum_years, forecast_years)
    shares = _share(reports, "received", "expected", 0.0)
    judged = _against_before(shares, [*(name for name in KEY if name != "year")], options)
    of_place = _share_of_place(reports, "received", "expected").rename(columns={"reason": "status"})
    of_place["status"] = of_place["status"].replace("", "ok")
    overall = _against_before(of_place, [name for name in GROUP if name != "year"], options)
    diverges, _ = band_verdict(judged["score"], judged["score"], judged["score"], 1 - threshold, 1 + threshold)
    judged = judged.assign(diverges=diverges, beyond_noise=pd.NA, distance=distance_from_one(judged["score"]))
    overall = overall.rename(columns={"status": "reason"})[[*GROUP, "score", "reason", "years"]]
    return summarise(judged, overall, threshold=threshold)


def _against_before(shares: pd.DataFrame, keys: list[str], options: tuple[str, int, int, int]) -> pd.DataFrame:
    """The shares over what the years before let expect: score becomes that ratio, and `years` how many there were."""
    trend, years_before, minimum, forecast = options
    shares = shares.reset_index(drop=True)
    before = earlier_years(shares, keys, "score", years_before)
    expected, years = expected_from(before, trend, minimum=minimum, forecast=forecast, most=1.0)
    ratio = shares["score"] / expected.where(expected > 0)
    status = shares["status"].mask((shares["status"] == "ok") & (expected.isna()), "no_earlier_years")
    status = status.mask((status == "ok") & (expected == 0), "nothing_before")
    return shares.assign(score=ratio.where(status == "ok"), status=status, years=years)


def _share(rows: pd.DataFrame, part: str, whole: str, threshold: float) -> pd.DataFrame:
    """Judged subunits of a share that should reach a threshold; nothing expected is not assessable."""
    share = rows[part] / rows[whole].where(rows[whole] > 0)
    return rows[KEY].assign(
        score=share,
        status=pd.Series("ok", index=rows.index).mask(share.isna(), "nothing_expected"),
        diverges=share < threshold - 1e-12,
        beyond_noise=pd.NA,
        distance=threshold - share,
    )


def _share_of_place(rows: pd.DataFrame, part: str, whole: str, more: tuple[str, ...] = ()) -> pd.DataFrame:
    """GROUP, score, reason and the sums: the share of the place is that of the sums, not the mean of shares."""
    columns = list(dict.fromkeys((part, whole, *more)))
    sums = rows.groupby(GROUP, observed=True, sort=True)[columns].sum().reset_index()
    score = sums[part] / sums[whole].where(sums[whole] > 0)
    return sums.assign(score=score, reason=pd.Series("", index=sums.index).mask(score.isna(), "nothing_expected"))

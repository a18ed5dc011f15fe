"""The six figures of the overview, each with its change and with what is known about how far to trust it."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.dashboards.overview_data import Figure, OverviewData
from tkyt_analysis.reference.periods import Period, make_period, shift
from tkyt_analysis.reports.quality_data import completeness_threshold

FEW_DEATHS = 20  # below, a rate varies too much to rank by (relative standard error above 22 %; US NCHS's rule)


def six_figures(data: OverviewData, place: str, this: Period) -> list[Figure]:
    """Completeness, missing reports, questions, deaths, crude death rate, share of ill-defined causes."""
    data.look_at(place, this)
    course = data.reporting_course(this)
    return [
        completeness_figure(data, course, this),
        missing_figure(data, course, this),
        questions_figure(data, this, reported=last(course["expected"]) not in (None, 0.0)),
        deaths_figure(data, this),
        indicator_figure(data, "crude_death_rate", place, this),
        indicator_figure(data, "ill_defined_share", place, this),
    ]


def completeness_figure(data: OverviewData, course: pd.DataFrame, this: Period) -> Figure:
    """Reports received over reports expected [%], never capped."""
    share = 100 * course["received"] / course["expected"].where(course["expected"] > 0)
    now = last(share)
    if now is None:
        return Figure(
            "completeness", None, status="not_assessable", trust="not_assessable", reason="overview.no_reports"
        )
    trusted = "high" if 100 * completeness_threshold(this.end) <= now <= 100 else "low"
    reason = "overview.above_expected" if now > 100 else "" if trusted == "high" else "overview.below_90"
    return Figure(
        "completeness", now, trust=trusted, reason=reason, change=change(data, share, this), course=listed(share)
    )


def missing_figure(data: OverviewData, course: pd.DataFrame, this: Period) -> Figure:
    """Reports that were due and did not come."""
    if last(course["expected"]) in (None, 0.0):
        return Figure("missing", None, status="not_assessable", trust="not_assessable", reason="overview.no_reports")
    missing = course["missing"]
    return Figure("missing", last(missing), change=change(data, missing, this), course=listed(missing))


def questions_figure(data: OverviewData, this: Period, *, reported: bool) -> Figure:
    """Questions of the last check that wait for an answer; none where nothing was there to check is no zero."""
    if not data.release.has("rule_coverage"):
        return Figure("questions", None, status="not_assessable", trust="not_assessable", reason="overview.not_checked")
    questions = data.questions(this)
    if not questions and not reported:
        return Figure("questions", None, status="not_assessable", trust="not_assessable", reason="overview.no_reports")
    return Figure("questions", questions)


def deaths_figure(data: OverviewData, this: Period) -> Figure:
    """Deaths registered: not corrected for those that nobody registered."""
    known = {one.year for one in data.periods}
    steps = [one for step in range(-11, 1) if (one := shift(this, step)).year in known]
    course = pd.Series([data.deaths(one) for one in steps], dtype="float64")
    if not course.sum():
        return Figure("deaths", None, status="not_assessable", trust="not_assessable", reason="overview.no_deaths")
    return Figure(
        "deaths",
        last(course),
        trust="not_assessable",
        reason="overview.registration_unknown",
        change=change(data, course, this),
        course=listed(course),
    )


def indicator_figure(data: OverviewData, indicator_id: str, place: str, this: Period) -> Figure:
    """A figure of the year that the period lies in, as the release has it; limits where the release has them."""
    rows = data.indicator(indicator_id, place)
    now = rows[rows["year"] == this.year]
    if now.empty or now["status"].iloc[0] == "not_assessable" or pd.isna(now["value"].iloc[0]):
        return Figure(
            indicator_id, None, status="not_assessable", trust="not_assessable", reason="overview.no_indicator"
        )
    row, year = now.iloc[0], make_period("year", this.year)
    values = rows.loc[rows["year"] <= this.year, "value"]
    few = (row["numerator"] if indicator_id != "ill_defined_share" else row["denominator"]) < FEW_DEATHS
    return Figure(
        indicator_id,
        float(row["value"]),
        lower=None if pd.isna(row["lower"]) else float(row["lower"]),
        upper=None if pd.isna(row["upper"]) else float(row["upper"]),
        status=str(row["status"]),
        trust="low" if few or row["status"] == "modelled" else "medium",
        reason="overview.few_deaths" if few else f"overview.{row['status']}_rate",
        change=None if few else change(data, values, year),
        events=float(row["numerator"]),
        course=listed(values),
    )


def last(values: pd.Series) -> float | None:
    """The last value; None where there is none."""
    return None if values.empty or pd.isna(values.iloc[-1]) else float(values.iloc[-1])


def change(data: OverviewData, values: pd.Series, this: Period) -> float | None:
    """Last value less the one before; None in a period that was not over when the data were received."""
    if len(values) < 2 or pd.isna(values.iloc[-2:]).any() or str(this.end) > data.release.manifest["data_as_of"]:
        return None
    return float(values.iloc[-1] - values.iloc[-2])


def listed(values: pd.Series) -> list[float | None]:
    """Values for a sparkline; missing ones are None."""
    return [None if pd.isna(value) else float(value) for value in values]

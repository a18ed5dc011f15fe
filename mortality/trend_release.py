"""Release tables of time: province_trend (annual change of indicators) and excess_deaths (expected and excess by month).

Both stand on the units of 2025, onto which every death and denominator was moved, so that the merger of July 2025 makes no
break. Of registered deaths only: where registration improves, rates rise without a death more, and the tables cannot tell.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

TREND_COLUMNS = [
    "figure_id", "indicator_id", "unit_id", "sex", "age_group", "cause", "from_year", "to_year", "years", "joinpoints", "segment",
    "segment_start", "segment_end", "apc", "lower", "upper", "p_value", "significant", "aapc", "aapc_lower", "aapc_upper", "breaks",
    "method", "status", "reason", "population_source",
]  # fmt: skip
COUNTED = frozenset({"crude", "defined_rate", "per_live_births", "maternal_ratio"})  # events over a denominator
STANDARDISED = frozenset({"direct"})
SERIES = ["indicator_id", "unit_id", "sex", "age_group", "cause"]
LEAST_YEARS = 5  # of fewer points a yearly change says nothing
FEW_YEARS = "reason.trend_few_years"
MONTHS = 12


def province_trend(context: ReleaseContext) -> pd.DataFrame:
    """TREND_COLUMNS and scope: one row per province of 2025 (and the nation), sex, indicator and segment.

    figure_id : of the last year's figure in `indicator_value`. Years that have not ended, or began within, are left out.
    apc, aapc : percent a year with 95 % limits; breaks : years in which the source of the population, or the form of the death
    register, changes (the trend goes through them and says so)
    """
    from mortality.measure_release import large_units, registered_indicators

    rows = registered_indicators(context)
    if rows.empty:
        return pd.DataFrame(columns=[*TREND_COLUMNS, "scope"]).astype("str")
    years = whole_years(context)
    found = trends(large_units(rows[rows["period_id"].isin([str(year) for year in years])]))
    return context.add_scope(found)


def whole_years(context: ReleaseContext) -> list[int]:
    """The years with counted deaths from January to December."""
    from mortality.release_tables import analysed_deaths

    rows = analysed_deaths(context)
    rows = rows[(rows["excluded"] == "") & rows["year"].notna()]
    months = rows.groupby("year")["month"].agg(["min", "max"])
    return [int(year) for year in months.index[(months["min"] == 1) & (months["max"] == MONTHS)]]


def trends(figures: pd.DataFrame) -> pd.DataFrame:
    """TREND_COLUMNS of yearly figures (as `indicator_value`) of provinces and the nation, all series at once."""
    from tkyt_analysis.catalog.loader import load_entries

    entries = load_entries("indicators")
    kinds = figures["indicator_id"].map({name: entry.method for name, entry in entries.items()})
    rows = figures.assign(kind=kinds)[kinds.isin(COUNTED | STANDARDISED)]
    rows = rows[rows["denominator"].notna()].assign(year=rows["period_id"].astype(int))
    if rows.empty:
        return pd.DataFrame(columns=TREND_COLUMNS).astype("str")
    rows = rows.sort_values([*SERIES, "year"], ignore_index=True)
    counted = rows["kind"].isin(COUNTED)
    parts = [
        _joined(part, standardised=one) for one, part in ((False, rows[counted]), (True, rows[~counted])) if len(part)
    ]
    found = pd.concat(parts, ignore_index=True).merge(_about(rows), on=SERIES, how="left", validate="many_to_one")
    return _refused(found)[TREND_COLUMNS].sort_values([*SERIES, "segment"], ignore_index=True)


def _about(rows: pd.DataFrame) -> pd.DataFrame:
    """What each series is: its years, its last figure and the source of its denominators."""
    return rows.groupby(SERIES, as_index=False).agg(
        from_year=("year", "first"), to_year=("year", "last"), years=("year", "size"), figure_id=("figure_id", "last"),
        population_source=("population_source", "last"),
    )  # fmt: skip


def _joined(rows: pd.DataFrame, *, standardised: bool) -> pd.DataFrame:
    """Segments and the average of the whole series: SERIES and the figures of TREND_COLUMNS."""
    from tkyt_analysis.analysis.trend import joinpoint
    from tkyt_analysis.analysis.trend.series_marks import series_breaks
    from tkyt_analysis.catalog import read_codelist

    marks = series_breaks(rows, kinds=("death_register",), columns=["population_source"], by=SERIES, time="year")
    if standardised:
        rows = rows.assign(rate=rows["value"], se=(rows["upper"] - rows["lower"]) / (2 * 1.959964))
        columns = {"rate": "rate", "se": "se"}
    else:
        rows = rows.assign(count=rows["numerator"], persons=rows["denominator"])
        columns = {"count": "count", "population": "persons"}
    table = rows[[*SERIES, "year", *columns.values()]]
    found = joinpoint(table, by=SERIES, year="year", breaks=marks, per=1000, **columns)
    average = found.aapc.rename(columns={"lower": "aapc_lower", "upper": "aapc_upper"})
    average = average[[*SERIES, "aapc", "aapc_lower", "aapc_upper"]]
    named = found.segments.rename(
        columns={"start": "segment_start", "end": "segment_end", "n_joinpoints": "joinpoints"}
    )
    joined = named.drop(columns="breaks").merge(average, on=SERIES, how="left", validate="many_to_one")
    known = read_codelist("a6_vintages").drop_duplicates("vintage").set_index("vintage")["legal"]
    before, after = (marks[name].replace(known) for name in ("before", "after"))
    texts = marks.assign(text=marks["at"].astype("str") + ": " + before + " → " + after)
    texts = texts.groupby(SERIES, as_index=False).agg(breaks=("text", "; ".join))
    return joined.merge(texts, on=SERIES, how="left", validate="many_to_one").fillna({"breaks": ""})


def _refused(found: pd.DataFrame) -> pd.DataFrame:
    """Series of fewer than LEAST_YEARS have one row without a trend."""
    few = found["years"] < LEAST_YEARS
    kept = found[~few | ~found.duplicated(SERIES)].copy()
    few = kept["years"] < LEAST_YEARS
    figures = ["apc", "lower", "upper", "p_value", "aapc", "aapc_lower", "aapc_upper"]
    kept[figures] = kept[figures].astype(float).mask(few, axis=0).round(4)
    kept["joinpoints"] = kept["joinpoints"].astype("Int64").mask(few)
    kept["significant"] = kept["significant"].astype("boolean").mask(few)
    modelled = kept["population_source"].isin(["MODEL", "PROJECTION"]) & (kept["status"] == "ok")
    status = kept["status"].mask(modelled, "modelled").mask(few, "not_assessable")
    return kept.assign(status=status, reason=kept["reason"].mask(few, FEW_YEARS))


# ---- expected and excess deaths

EXCESS_COLUMNS = [
    "figure_id", "unit_id", "period_id", "observed", "expected", "lower", "upper", "excess", "excess_lower", "excess_upper", "p_score",
    "population", "baseline", "method", "status", "reason", "population_source",
]  # fmt: skip
_ROUNDED = ["expected", "lower", "upper", "excess", "excess_lower", "excess_upper", "p_score"]
SHORT_BASELINE = "reason.excess_release_baseline"


def excess_deaths(context: ReleaseContext) -> pd.DataFrame:
    """EXCESS_COLUMNS and scope: the last months of each province of 2025 (and the nation) against what was to be expected.

    figure_id : of the year's crude death rate, whose rows hold these deaths. Registered deaths of all causes; the numbers of
    years, months and the time left out of the baseline are the catalog's (threshold excess_deaths).
    """
    counts, people = monthly_deaths(context), yearly_people(context)
    if counts.empty or people.empty:
        return pd.DataFrame(columns=[*EXCESS_COLUMNS, "scope"]).astype("str")
    return context.add_scope(excess_of(counts, people, **_judgements(context)))


def monthly_deaths(context: ReleaseContext) -> pd.DataFrame:
    """unit_id (provinces and the nation), period_id, deaths: counted deaths; a month without any has no row."""
    from mortality.measure_release import large_units
    from mortality.release_tables import analysed_deaths, ancestors, at_levels

    rows = analysed_deaths(context)
    rows = rows[(rows["excluded"] == "") & rows["year"].notna() & rows["month"].notna()]
    month = rows["year"].astype(int) * 100 + rows["month"].astype(int)
    rows = pd.DataFrame({"unit_id": rows["unit_2025"], "period_id": month.astype("str")})
    counts = rows.groupby(["unit_id", "period_id"], as_index=False).size().rename(columns={"size": "deaths"})
    placed = large_units(at_levels(counts, ancestors(context.units)))
    return placed.groupby(["unit_id", "period_id"], as_index=False)["deaths"].sum()


def yearly_people(context: ReleaseContext) -> pd.DataFrame:
    """unit_id, year, persons, population_source of the communes with registers."""
    from mortality.measure_release import large_units, population_at_levels

    rows = large_units(population_at_levels(context))
    grouped = rows.astype({"year": int}).groupby(["unit_id", "year"], as_index=False)
    return grouped.agg(persons=("persons", "sum"), population_source=("series", "last"))


def _judgements(context: ReleaseContext) -> dict[str, Any]:
    """The catalog's numbers (threshold excess_deaths) at the day of the last file, and the first month that is not over by then."""
    from tkyt_analysis.catalog import load_entry

    last = context.query("SELECT max(left(received_at, 10)) AS day FROM lake.received_file")["day"].dropna()
    day = datetime.date.fromisoformat(last.iloc[0]) if len(last) else datetime.date(2026, 1, 1)
    return {"rules": dict(load_entry("thresholds", "excess_deaths").at(day)), "open_from": day.replace(day=1)}


def excess_of(
    counts: pd.DataFrame, people: pd.DataFrame, *, rules: dict[str, Any], open_from: datetime.date
) -> pd.DataFrame:
    """EXCESS_COLUMNS of monthly deaths (unit_id, period_id, deaths) and people (unit_id, year, persons, population_source).

    rules : study_months, least_years, trend_years, excluded_from, excluded_to; open_from : first day whose month is not over
    """
    rows = counts.assign(year=counts["period_id"].str[:4].astype(int))
    rows = rows[rows["period_id"] < f"{open_from:%Y%m}"].merge(people, on=["unit_id", "year"], how="inner")
    if rows.empty:
        return pd.DataFrame(columns=EXCESS_COLUMNS).astype("str")
    months = pd.period_range(rows["period_id"].min(), rows["period_id"].max(), freq="M")
    study = months[-int(rules["study_months"]) :]
    first = rows.groupby("unit_id")["period_id"].transform("min")
    span = (study[0].year - first.str[:4].astype(int)) + (study[0].month - first.str[4:].astype(int)) / MONTHS
    asked = rows["period_id"] >= study[0].strftime("%Y%m")
    parts = [_without_baseline(rows[asked & (span < rules["least_years"])])]
    for with_trend in (True, False):
        known = (span >= rules["least_years"]) & ((span >= rules["trend_years"]) == with_trend)
        parts += [_expected(part, study, rules, with_trend) for _, part in rows[known].groupby(first[known])]
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    table["figure_id"] = "crude_death_rate|" + table["unit_id"] + "|" + table["period_id"].str[:4] + "|total|all|all"
    return table[EXCESS_COLUMNS].sort_values(["unit_id", "period_id"], ignore_index=True)


def _expected(rows: pd.DataFrame, study: pd.PeriodIndex, rules: dict[str, Any], with_trend: bool) -> pd.DataFrame:
    """The months under study of series that begin in the same month: quasi-Poisson with season and Tết, trend where asked for."""
    from tkyt_analysis.analysis.trend.excess import excess_deaths as measured

    found = measured(
        rows[["unit_id", "period_id", "deaths", "persons"]], by=["unit_id"], outcome="deaths", population="persons",
        method="quasipoisson", start=study[0].strftime("%Y-%m-01"), trend=with_trend, tet=True, frequency=MONTHS,
        exclude=[(rules["excluded_from"], rules["excluded_to"]), (study[0].strftime("%Y-%m-01"), str(study[-1].end_time.date()))],
    )  # fmt: skip
    found = found[found["period_id"] >= study[0].strftime("%Y%m")]
    told = found.rename(columns={"lower": "excess_lower", "upper": "excess_upper"})
    told = told.rename(columns={"expected_lower": "lower", "expected_upper": "upper"})
    told[_ROUNDED] = told[_ROUNDED].mask(told["status"] == "not_assessable").round(3)
    level = (told["status"] == "ok") & (not with_trend)
    sources = rows.drop_duplicates(["unit_id", "period_id"])[["unit_id", "period_id", "population_source"]]
    told = told.merge(sources, on=["unit_id", "period_id"], how="left", validate="one_to_one")
    return told.assign(
        status=told["status"].mask(level.to_numpy(), "modelled"),
        reason=told["reason"].mask(level.to_numpy(), "reason.excess_level_only"),
        observed=told["observed"], population_source=told["population_source"].fillna(""),
    )  # fmt: skip


def _without_baseline(rows: pd.DataFrame) -> pd.DataFrame:
    """Months of units whose deaths are known for too short a time to say what was to be expected."""
    empty = dict.fromkeys(_ROUNDED, np.nan)
    return rows.assign(
        **empty, observed=rows["deaths"].astype(float), population=rows["persons"], baseline="", method="quasipoisson",
        status="not_assessable", reason=SHORT_BASELINE,
    )  # fmt: skip

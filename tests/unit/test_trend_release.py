"""Release tables of time: planted joinpoints and the truth of expected deaths are found, short series say that they are short."""

import datetime
import itertools
from functools import cache

import numpy as np
import pandas as pd
import pytest
from deaths_support import COMMUNE, PROVINCE, drawn_home, record, release_context

from mortality.measure_release import deaths_at_levels, population_at_levels
from mortality.measures.indicators import measure_indicators
from mortality.release_tables import AGE_BANDS
from mortality.small_area_release import small_area_rate
from mortality.trend_release import (
    EXCESS_COLUMNS,
    TREND_COLUMNS,
    excess_deaths,
    excess_of,
    province_trend,
    trends,
    whole_years,
)
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.practice.country_base import CountrySeries
from tkyt_analysis.practice.country_series import deaths_by_month, deaths_by_province_year
from tkyt_analysis.warehouse.lake import Warehouse

RULES = {
    "study_months": 12,
    "trend_years": 5,
    "least_years": 3,
    "excluded_from": "2021-07-01",
    "excluded_to": "2022-03-31",
}
OPEN_FROM = datetime.date(2026, 2, 1)


@cache
def yearly() -> CountrySeries:
    return deaths_by_province_year(geography="VN2025")


@cache
def monthly() -> CountrySeries:
    return deaths_by_month(nation=False)


def figures(table: pd.DataFrame, indicator: str = "crude_death_rate") -> pd.DataFrame:
    """Rows of `indicator_value` of the deaths of a practice country."""
    value, share = 1000 * table["events"] / table["population"], 1.959964 / np.sqrt(table["events"])
    own = {"indicator_id": indicator, "sex": "total", "age_group": "all", "cause": "all", "status": "ok", "reason": ""}
    return table[["unit_id", "period_id"]].assign(
        **own, figure_id=indicator + "|" + table["unit_id"] + "|" + table["period_id"] + "|total|all|all", method="crude_byar",
        numerator=table["events"].astype(float), denominator=table["population"].astype(float), value=value,
        lower=value * (1 - share), upper=value * (1 + share), population_source="NSO-B",
    )  # fmt: skip


def test_planted_joinpoints_are_found_in_counts():
    found = trends(figures(yearly().table))
    assert list(found.columns) == TREND_COLUMNS
    both = found.drop_duplicates("unit_id").merge(yearly().truth.drop_duplicates("unit_id"), on="unit_id")
    assert len(both) == 34
    assert (both["joinpoints_x"] == both["joinpoints_y"]).mean() > 0.9
    flat = both.query("joinpoints_x == 0 and joinpoints_y == 0")
    assert (flat["apc_x"] - flat["apc_y"]).abs().max() < 0.3
    assert flat["apc_x"].between(flat["aapc_lower"], flat["aapc_upper"]).all()


def test_standardised_rates_are_weighed_by_their_limits_and_counts_by_their_number():
    some = yearly().table.query("unit_id in ['VN2025:01', 'VN2025:48']")
    both = trends(pd.concat([figures(some), figures(some, "age_standardised_death_rate")]))
    methods = both.groupby("indicator_id")["method"].first()
    assert "weights=poisson" in methods["crude_death_rate"]
    assert "weights=standard_error" in methods["age_standardised_death_rate"]
    apc = both.pivot(index=["unit_id", "segment"], columns="indicator_id", values="apc")  # the same rates
    assert (apc.max(axis=1) - apc.min(axis=1)).max() < 0.1


def test_fewer_than_five_years_are_no_trend():
    found = trends(figures(yearly().table.query("year >= 2022")))
    assert len(found) == 34
    assert set(found["status"]) == {"not_assessable"}
    assert set(found["reason"]) == {"reason.trend_few_years"}
    assert found[["apc", "aapc", "p_value", "joinpoints"]].isna().all(axis=None)


def test_a_change_of_population_source_is_marked_on_the_series():
    rows = figures(yearly().table.query("unit_id == 'VN2025:01'"))
    mixed = rows.assign(population_source=np.where(rows["period_id"] < "2017", "NSO-A", "NSO-B"))
    assert "2017: NSO-A → NSO-B" in trends(mixed)["breaks"].iloc[0]
    assert "NSO" not in trends(rows)["breaks"].iloc[0]
    assert "2014: QĐ 3440/QĐ-BYT → TT 27/2014/TT-BYT" in trends(rows)["breaks"].iloc[0]  # form of the register


def test_life_tables_and_shares_have_no_trend_here():
    assert trends(figures(yearly().table, "life_expectancy_at_birth")).empty


def people() -> pd.DataFrame:
    rows = monthly().table.groupby(["unit_id", "year"], as_index=False)["population"].first()
    return rows.rename(columns={"population": "persons"}).assign(population_source="PRACTICE")


def counts(first: str = "201501") -> pd.DataFrame:
    rows = monthly().table[monthly().table["period_id"] >= first]
    return rows[["unit_id", "period_id", "events"]].rename(columns={"events": "deaths"})


def test_expected_deaths_of_the_last_year_are_those_of_the_practice_country():
    found = excess_of(counts(), people(), rules=RULES, open_from=OPEN_FROM)
    assert list(found.columns) == EXCESS_COLUMNS
    assert found["period_id"].unique().tolist() == [f"2025{month:02d}" for month in range(1, 13)]
    both = found.merge(monthly().truth, on=["unit_id", "period_id"], suffixes=("", "_true"))
    assert (both["expected"] / both["expected_true"]).mean() == pytest.approx(1, abs=0.01)
    assert both["observed"].between(both["lower"], both["upper"]).mean() == pytest.approx(0.95, abs=0.03)
    assert np.allclose(both["excess"], both["observed"] - both["expected"], atol=0.01)
    assert (both["baseline"] == "2015–2024").all()
    # Tết of 2025 lay in January and February, that of 2024 in February only: expected deaths move with it.
    by_month = both.groupby("period_id")[["expected", "expected_true"]].sum()
    assert (by_month["expected"] / by_month["expected_true"]).to_numpy() == pytest.approx(np.ones(12), abs=0.012)


def test_three_or_four_years_of_baseline_give_a_level_that_says_so_and_two_give_nothing():
    level = excess_of(counts("202101"), people(), rules=RULES, open_from=OPEN_FROM)
    assert set(level["status"]) == {"modelled"}
    assert set(level["reason"]) == {"reason.excess_level_only"}
    assert level["method"].str.contains("no trend").all()
    short = excess_of(counts("202301"), people(), rules=RULES, open_from=OPEN_FROM)
    assert set(short["status"]) == {"not_assessable"}
    assert short["observed"].notna().all()
    assert short["excess"].isna().all()


def test_a_month_that_is_not_over_is_not_studied():
    found = excess_of(counts(), people(), rules=RULES, open_from=datetime.date(2025, 12, 1))
    assert found["period_id"].max() == "202511"


def seven_years() -> list[dict[str, object]]:
    """A death a month in 2019, one more each year (and in December 2025 three more); 2018 begins in August."""
    days = [
        f"{year}-{month:02d}-{10 + n:02d}"
        for year in range(2019, 2026)
        for month in range(1, 13)
        for n in range(year - 2018)
    ]
    days += ["2018-08-01", "2018-12-01", "2025-12-05", "2025-12-06", "2025-12-07"]
    return [record(f"a{n}", day=day, home=COMMUNE) for n, day in enumerate(days)]


def with_people(home):
    """Ten thousand people in the commune in every year, half of each sex."""
    cells = itertools.product([COMMUNE], range(2018, 2026), ("male", "female"), AGE_BANDS)
    rows = [(*cell, 5000.0 / len(AGE_BANDS)) for cell in cells]
    people = pd.DataFrame(rows, columns=["unit_id", "year", "sex", "age_group", "persons"])
    people = people.assign(
        status="final", series="NSO-B", file_sha256="a6", sheet="1", row_number=range(1, len(rows) + 1)
    )
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.register("incoming", people)
        warehouse.con.execute("INSERT INTO lake.population BY NAME SELECT * FROM incoming")


def test_tables_of_a_home_stand_on_its_counted_deaths_of_whole_years(tmp_path):
    home = drawn_home(tmp_path / "home", [])
    with release_context(home) as context:
        assert province_trend(context).empty
        assert small_area_rate(context).empty
        assert excess_deaths(context).columns.tolist() == [*EXCESS_COLUMNS, "scope"]
    with_people(drawn_home(home, seven_years()))
    with release_context(home) as context:
        crude = [load_entry("indicators", "crude_death_rate")]  # all indicators of seven years take long
        measured = measure_indicators(deaths_at_levels(context), population_at_levels(context), indicators=crude)
        context.made["registered_indicators"] = measured
        trend, excess, areas = province_trend(context), excess_deaths(context), small_area_rate(context)
        assert whole_years(context) == list(range(2019, 2026))
    one = trend[(trend["indicator_id"] == "crude_death_rate") & (trend["sex"] == "total")]
    assert one["years"].eq(7).all()
    assert one["unit_id"].eq(PROVINCE).all()
    assert one["apc"].gt(10).all()  # from 12 deaths a year to 87
    assert one["figure_id"].iloc[0] == f"crude_death_rate|{PROVINCE}|2025|total|all|all"
    assert excess["observed"].tolist() == [7.0] * 11 + [10.0]
    assert excess["status"].eq("ok").all()
    assert set(excess["scope"]) == {PROVINCE.replace(":", "-")}
    assert set(areas["reason"]) == {"reason.small_area_few"}  # one commune, one province

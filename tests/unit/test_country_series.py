"""The practice country: deterministic, additive across the merger of 2025, and what is planted is really there."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.errors import UsageError
from tkyt_analysis.practice.country_series import (
    deaths_by_commune_year,
    deaths_by_month,
    deaths_by_province_year,
    deaths_by_week,
    events_by_month,
    reporting_triangle,
)

MERGE = {"VN2024:15": "VN2025:15", "VN2024:10": "VN2025:15"}  # Yên Bái and Lào Cai became Lào Cai


def _units(table: pd.DataFrame, period_id: str) -> int:
    return table.query("period_id == @period_id")["unit_id"].nunique()


def test_the_same_seed_gives_the_same_country_and_another_seed_another():
    one, again = (deaths_by_province_year(seed=7).table for _ in range(2))
    pd.testing.assert_frame_equal(one, again)
    assert not one["events"].equals(deaths_by_province_year(seed=8).table["events"])


def test_every_series_says_that_it_is_synthetic():
    assert "không phải số liệu thật" in reporting_triangle().note


def test_63_provinces_report_until_june_2025_and_34_from_july():
    table = deaths_by_province_year().table
    assert [_units(table, p) for p in ("2010", "2024", "2025S1", "2025S2")] == [63, 63, 63, 34]
    assert table.query("period_id == '2025S2'")["unit_id"].str.startswith("VN2025:").all()


def test_reported_halves_and_each_geography_hold_the_same_deaths_and_people():
    reported, old, new = (deaths_by_province_year(geography=g).table for g in ("reported", "VN2024", "VN2025"))
    for table in (old, new):
        pd.testing.assert_series_equal(reported.groupby("year")["events"].sum(), table.groupby("year")["events"].sum())
        people = table.groupby("year")["population"].sum()
        assert people[2025] == pytest.approx(table.groupby("year")["person_years"].sum()[2025])
    lao_cai = old[old["unit_id"].isin(list(MERGE))].groupby("year")["events"].sum()
    assert lao_cai.tolist() == new.query("unit_id == 'VN2025:15'")["events"].tolist()


def test_planted_joinpoints_are_in_the_expected_deaths():
    # Very many deaths: the rate itself shows, and its yearly change is the planted one.
    series = deaths_by_province_year(geography="VN2025", rate=90_000.0)
    rates = series.table.assign(rate=lambda t: t["events"] / t["population"])
    two = series.truth.query("joinpoints == 2").head(3)
    rate = rates[rates["unit_id"] == two["unit_id"].iloc[0]].set_index("year")["rate"]
    for row in two.itertuples():
        change = 100 * ((rate[row.end] / rate[row.start]) ** (1 / (row.end - row.start)) - 1)
        assert change == pytest.approx(row.apc, abs=0.35)
    assert set(series.truth["joinpoints"]) == {0, 1, 2}


def test_weeks_have_a_week_53_and_tet_moves_with_the_moon():
    table = deaths_by_week().table.query("unit_id == 'VN'").set_index("period_id")
    assert table["week"].value_counts()[53] == 2  # 2015 and 2020
    assert table.groupby("year")["tet_days"].sum().eq(9).all()
    assert [table.query("year == @y")["tet_days"].idxmax() for y in (2023, 2024)] == ["2023W04", "2024W07"]


def test_the_nation_is_the_sum_of_its_provinces_in_every_week():
    table = deaths_by_week().table
    nation = table.query("unit_id == 'VN'").set_index("period_id")["events"]
    provinces = table.query("unit_id != 'VN'").groupby("period_id")["events"].sum()
    assert (nation - provinces).eq(0).all()


def test_weeks_and_months_tell_of_the_same_deaths():
    # 2018 starts on a Monday: its 52 weeks are the year without 31 December.
    weeks, months = (
        make().table.query("year == 2018 and unit_id == 'VN'") for make in (deaths_by_week, deaths_by_month)
    )
    assert weeks["events"].sum() / 364 == pytest.approx(months["events"].sum() / 365, rel=0.002)


def test_the_planted_epidemic_lifts_deaths_in_the_south_in_2021_only():
    series = deaths_by_week(nation=False)
    planted = series.truth.query("wave == 'epidemic'")
    assert planted["period_id"].str[:4].unique().tolist() == ["2021"]
    assert planted["excess_deaths"].sum() == pytest.approx(planted["excess_expected"].sum(), rel=0.05)
    both = series.truth.merge(series.table[["unit_id", "period_id", "events"]])
    left = both["events"] - both["excess_deaths"]
    assert left.sum() == pytest.approx(both["expected"].sum(), rel=0.005)


def test_fewer_deaths_are_written_down_at_tet():
    table = deaths_by_week().table.query("unit_id == 'VN'").reset_index(drop=True)
    whole = table.index[table["tet_days"] == 7]
    around = (table["events"].shift(3) + table["events"].shift(-3)) / 2
    assert len(whole) >= 3  # of the other years Tết lies in two or three weeks
    assert (table["events"] / around)[whole].mean() == pytest.approx(0.80, abs=0.04)


def test_hot_days_come_with_high_temperatures():
    table = deaths_by_week(nation=False).table
    hot = table[table["heat_days"] > 0]
    assert len(hot) > 1000
    assert hot["temperature"].mean() > table["temperature"].mean() + 3


def test_the_triangle_holds_only_what_can_be_known_and_adds_up_to_the_deaths():
    series = reporting_triangle(weeks=30)
    last = series.table.groupby("period_id")["delay"].max()
    assert last.iloc[-3:].tolist() == [2, 1, 0]
    known = series.table.groupby("period_id")["events"].sum()
    assert known.tolist() == series.truth["reported"].tolist()
    assert series.truth["reported"].iloc[0] == series.truth["events"].iloc[0]
    assert series.truth["reported"].iloc[-1] < 0.5 * series.truth["events"].iloc[-1]


def test_outbreaks_of_watched_events_stand_in_the_truth_with_what_they_added():
    series = events_by_month(outbreaks=20)
    assert len(series.truth) == 20
    quiet = events_by_month(outbreaks=0)
    assert quiet.table["events"].sum() < series.table["events"].sum()
    expected_extra = (series.truth["expected"] * (series.truth["factor"] - 1)).sum()
    assert series.truth["extra"].sum() == pytest.approx(expected_extra, rel=0.25)


def test_communes_are_sums_of_pieces_so_that_old_and_new_ones_hold_the_same_people():
    reported, old, new = (
        deaths_by_commune_year(geography=g, first_year=2024) for g in ("reported", "VN2024", "VN2025")
    )
    assert [_units(reported.table, p) for p in ("2024", "2025S2")] == [10_040, 3_321]
    assert old.table["population"].sum() == new.table["population"].sum()
    assert old.table["events"].sum() == new.table["events"].sum() == reported.table["events"].sum()
    assert np.allclose(old.truth.groupby("old_unit_id")["weight"].sum(), 1)


def test_clusters_of_high_risk_have_the_planted_ratio():
    series = deaths_by_commune_year(geography="VN2025", first_year=2015)
    risk = series.truth.drop_duplicates("new_unit_id").set_index("new_unit_id")
    assert risk.query("cluster > 0").groupby("cluster").size().tolist() == [12, 8, 20, 6, 15]
    table = series.table.assign(cluster=series.table["unit_id"].map(risk["cluster"]))
    sums = table.groupby([table["cluster"] > 0, "province_id"])[["events", "person_years"]].sum()
    rate = sums["events"] / sums["person_years"]
    inside = rate[True]
    assert (abs(inside / rate[False].reindex(inside.index) - 1) > 0.15).all()


def test_an_unknown_geography_is_refused_with_the_choices():
    with pytest.raises(UsageError, match="reported, VN2024, VN2025"):
        deaths_by_province_year(geography="63")

"""Outbreaks: planted ones are found and ranked first, shared shocks are told apart, small counts have a reference, and what cannot be judged says so."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from tkyt_analysis.analysis.trend import detect_outbreaks, outbreak_probability, shared_events
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.practice.country_series import events_by_month

KEYS, CELL = ["unit_id", "element_id"], ["unit_id", "element_id", "period_id"]
MONTHS = [f"{year}{month:02d}" for year in range(2018, 2026) for month in range(1, 13)]


@cache
def country():
    return events_by_month()


def judged(table, **options):
    found = detect_outbreaks(table, **{"by": KEYS, "period": "period_id", **options})
    return found.rename(columns={"period": "period_id"})


def flat(places=8, level=4, months=MONTHS, event="drowning"):
    """`places` provinces with the same small count every other month one more, one less: mean `level`."""
    counts = [level + (1 if (place + month) % 2 else -1) for place in range(places) for month in range(len(months))]
    cells = [(f"P{place:02d}", event, month) for place in range(places) for month in months]
    return pd.DataFrame(cells, columns=CELL).assign(events=np.array(counts, dtype=float))


def with_count(table, unit, month, count):
    table = table.copy()
    table.loc[(table["unit_id"] == unit) & (table["period_id"] == month), "events"] = count
    return table


def cell(found, unit, month):
    return found[(found["unit_id"] == unit) & (found["period_id"] == month)].iloc[0]


@pytest.mark.parametrize("method", ["noufaily", "pooled"])
def test_planted_outbreaks_are_found_ranked_first_and_few_others_are(method):
    found = judged(country().table, method=method, population="person_years", last=60)
    both = found.merge(country().truth[[*CELL, "factor"]], on=CELL, how="left")
    planted = both[both["factor"].notna()]
    assert len(planted) == 12
    assert planted["alarm"].sum() >= 10  # two provinces have so few events that theirs hide in chance
    assert planted.loc[planted["alarm"], "rank"].max() <= 2
    assert planted.loc[planted["alarm"], "probability"].min() > 0.9
    assert both[both["factor"].isna()]["alarm"].sum() <= 12  # of 6,108 calm months
    assert (found["verdict"] == "shock").sum() == found["alarm"].sum()


def test_twelve_events_where_four_are_usual_are_an_outbreak_and_the_figures_add_up():
    row = cell(judged(with_count(flat(), "P03", "202506", 12), last=12), "P03", "202506")
    assert row["expected"] == pytest.approx(4, abs=0.3)
    assert row["excess"] == pytest.approx(12 - row["expected"])
    assert row["ratio"] == pytest.approx(12 / row["expected"])
    assert row["score"] == pytest.approx((12 - row["expected"]) / (row["upper"] - row["expected"]))
    # hardly more spread than a Poisson count: 12 or more of 4 come once in a thousand months
    assert row["pvalue"] == pytest.approx(poisson.sf(11, 4), rel=1.0)
    assert (row["alarm"], row["extent"], row["verdict"], row["reference"]) == (True, "local", "shock", "pooled")
    assert row["importance"] == pytest.approx(row["excess"] * row["probability"])


def test_a_past_outbreak_does_not_hide_the_next_one():
    calm = cell(judged(flat(), last=12), "P03", "202506")
    after = cell(judged(with_count(flat(), "P03", "202306", 60), last=12), "P03", "202506")
    assert after["expected"] == pytest.approx(calm["expected"], rel=0.1)


def test_an_outbreak_that_goes_on_is_not_taken_as_usual():
    table = flat()
    for month in ("202503", "202504", "202505"):
        table = with_count(table, "P03", month, 14)
    found = judged(table, last=12, method="pooled")
    assert [cell(found, "P03", month)["alarm"] for month in ("202503", "202504", "202505")] == [True] * 3
    calm = judged(flat(), last=12, method="pooled")  # the last three months do not enter what is expected
    assert cell(found, "P03", "202505")["expected"] == cell(calm, "P03", "202505")["expected"]


def test_a_nation_wide_shock_is_one_case_and_not_many_outbreaks():
    rng = np.random.default_rng(5)
    table = flat(places=12, level=20)
    table["events"] = rng.poisson(20, len(table)).astype(float)
    table.loc[table["period_id"] == "202507", "events"] = rng.poisson(50, 12)
    found = judged(table, last=12)
    july = found[found["period_id"] == "202507"]
    assert july["alarm"].all()
    assert set(july["extent"]) == {"shared"}
    assert set(july["rank"]) == {1}  # all of it one case
    assert july["shared_ratio"].between(2.0, 3.0).all()
    shared = shared_events(found.rename(columns={"period_id": "period"}))
    assert shared["period"].tolist() == ["202507"]
    assert shared[["places", "alarms"]].to_numpy().tolist() == [[12, 12]]
    assert shared["observed"].iloc[0] == july["observed"].sum()


def test_a_place_that_stands_out_even_in_a_shared_shock_is_told_as_both():
    rng = np.random.default_rng(6)
    table = flat(places=12)
    table["events"] = rng.poisson(20, len(table)).astype(float)
    table.loc[table["period_id"] == "202507", "events"] = rng.poisson(40, 12)
    found = judged(with_count(table, "P05", "202507", 160), last=12)
    july = found[found["period_id"] == "202507"].set_index("unit_id")
    assert july.loc["P05", "extent"] == "both"
    assert (july.drop("P05")["extent"] != "local").all()
    assert july.loc["P05", "rank"] != july.drop("P05")["rank"].dropna().iloc[0]


def test_one_outbreak_does_not_make_the_others_part_of_a_shock():
    found = judged(with_count(flat(), "P03", "202506", 90), last=12)
    others = found[(found["period_id"] == "202506") & (found["unit_id"] != "P03")]
    assert not others["alarm"].any()
    assert (others["shared_pvalue"] > 0.01).all()


def test_five_other_places_are_needed_to_speak_of_a_shared_shock():
    table = flat(places=6)
    assert judged(table, last=1)["shared_ratio"].notna().all()
    assert judged(table.query("unit_id != 'P05'"), last=1)["shared_ratio"].isna().all()


def test_without_shared_every_alarm_is_local():
    table = flat(places=12)
    table.loc[table["period_id"] == "202507", "events"] = 14.0
    found = judged(table, last=12, shared=False)
    assert set(found.loc[found["alarm"], "extent"]) == {"local"}


def test_two_years_are_too_short_and_say_so():
    found = judged(flat(months=MONTHS[-24:]), last=12)
    assert set(found["status"]) == {"not_assessable"}
    assert (found["reason"] != "").all()
    assert found[["expected", "pvalue", "probability", "rank"]].isna().all(axis=None)
    assert not found["alarm"].any()
    assert found["observed"].notna().all()


def test_a_new_province_borrows_from_the_others_and_a_lonely_one_cannot():
    table = flat()
    young = table[(table["unit_id"] != "P07") | (table["period_id"] >= "202407")]
    row = cell(judged(young, last=6), "P07", "202512")
    assert (row["status"], row["reason"]) == ("modelled", "reason.outbreak_pooled")
    assert row["expected"] == pytest.approx(4, abs=0.8)
    alone = young[young["unit_id"] == "P07"]
    assert set(judged(alone, last=6)["status"]) == {"not_assessable"}


def test_what_is_known_of_a_new_province_is_less_certain():
    levels = {f"P{place:02d}": 2.0 + 2 * place for place in range(10)}
    table = flat(places=10)
    table["events"] = np.random.default_rng(1).poisson(table["unit_id"].map(levels)).astype(float)
    young = table[(table["unit_id"] != "P05") | (table["period_id"] >= "202510")]
    rows = [cell(judged(one, last=1), "P05", "202512") for one in (table, young)]
    settled, new = (row["upper"] - poisson.ppf(0.99, row["expected"]) for row in rows)
    assert settled <= 3
    assert new >= settled + 5


def test_a_missing_count_is_no_zero():
    found = judged(flat().query("not (unit_id == 'P02' and period_id == '202511')"), last=12)
    row = cell(found, "P02", "202511")
    assert (row["status"], row["reason"], row["verdict"]) == (
        "not_assessable",
        "reason.count_now_missing",
        "not_assessable",
    )
    zero = judged(flat().query("not (unit_id == 'P02' and period_id == '202511')"), last=12, gaps="zero")
    assert (cell(zero, "P02", "202511")["observed"], cell(zero, "P02", "202511")["verdict"]) == (0, "ok")


def test_a_disease_that_never_occurs_gives_no_alarm_at_one_case_and_one_at_three():
    never = flat(event="plague").assign(events=0.0)
    assert not judged(with_count(never, "P01", "202510", 1), last=12)["alarm"].any()
    three = cell(judged(with_count(never, "P01", "202510", 3), last=12), "P01", "202510")
    assert three["alarm"]
    assert 0 < three["expected"] < 0.05
    assert np.isfinite(three["ratio"])


def test_more_people_mean_more_expected_events():
    table = flat().assign(persons=1000.0)
    table.loc[(table["unit_id"] == "P01") & (table["period_id"] >= "202501"), "persons"] = 3000.0
    row = cell(judged(table, last=12, population="persons"), "P01", "202506")
    assert row["expected"] == pytest.approx(3 * 4, rel=0.1)


def test_false_discoveries_are_held_within_each_month():
    rng = np.random.default_rng(2)
    table = flat(places=60)
    table["events"] = rng.poisson(6, len(table)).astype(float)
    held, loose = judged(table, last=24), judged(table, last=24, fdr=None)
    assert loose["alarm"].sum() > held["alarm"].sum()
    assert held["alarm"].mean() < 0.004
    month = held[held["period_id"] == "202503"].sort_values("pvalue")
    # Benjamini–Hochberg: the smallest p-value times the number of provinces is the largest that its q-value can be
    assert month["qvalue"].iloc[0] <= month["pvalue"].iloc[0] * 60 + 1e-12
    assert (month["qvalue"] >= month["pvalue"]).all()


def test_the_budget_keeps_the_most_important_alarms_of_each_month():
    table = flat(places=20)
    for place, count in {"P01": 14, "P04": 30, "P06": 18, "P09": 22}.items():
        table = with_count(table, place, "202509", count)
    september = judged(table, last=12, budget=2).query("period_id == '202509'").sort_values("rank")
    assert september["unit_id"].head(4).tolist() == ["P04", "P09", "P06", "P01"]
    assert september["within_budget"].head(4).tolist() == [True, True, False, False]
    assert september["importance"].head(4).is_monotonic_decreasing
    per_unit = judged(table, last=12, budget=1, per="unit_id").query("alarm")
    assert per_unit["within_budget"].all()


def test_days_of_tet_move_between_january_and_february_without_an_alarm():
    from tkyt_analysis.analysis.trend import tet_regressors

    share = dict(zip(MONTHS, tet_regressors(MONTHS, windows={"tet": (-1, 5)})["tet"], strict=True))
    rng = np.random.default_rng(4)
    table = flat(places=15)
    table["events"] = rng.poisson(30 * (1 + 6 * table["period_id"].map(share))).astype(float)
    told, blind = judged(table, last=36), judged(table, last=36, tet=False)
    # 1 of Tết: 2023-01-22 (all days in January), 2024-02-10 (all in February), 2025-01-29 (some in each)
    for month in ("202301", "202302", "202401", "202402", "202501"):
        usual = 30 * (1 + 6 * share[month])
        assert told.query("period_id == @month")["expected"].mean() == pytest.approx(usual, rel=0.15)
    assert blind.query("period_id == '202301'")["expected"].mean() < 0.7 * 30 * (1 + 6 * share["202301"])
    alarms = [found.loc[found["period_id"].isin(["202301", "202402"]), "alarm"].sum() for found in (blind, told)]
    assert alarms[0] > 2 * alarms[1]
    assert cell(told, "P01", "202501")["tet"] == pytest.approx(share["202501"])


def watch_list(**changes):
    row = {"watch_id": "drowning", "season": "4-9", "least": 3, **changes}
    return pd.DataFrame([row])


def test_only_watched_events_are_judged_and_the_others_are_named():
    both = pd.concat([flat(), flat(event="falls")])
    found = judged(both, watch=watch_list(), last=12)
    assert set(found["element_id"]) == {"drowning"}
    assert found.attrs["unwatched"] == ["falls"]
    inside = found.drop_duplicates("period_id").set_index("period_id")["in_season"]
    assert inside[inside].index.tolist() == [f"2025{month:02d}" for month in range(4, 10)]


def test_fewer_events_than_the_list_says_are_no_alarm():
    table = with_count(flat(), "P03", "202506", 13)
    assert cell(judged(table, watch=watch_list(), last=12), "P03", "202506")["alarm"]
    assert not cell(judged(table, watch=watch_list(least=14), last=12), "P03", "202506")["alarm"]


def test_neighbours_with_the_same_alarm_are_counted():
    table = with_count(with_count(flat(), "P03", "202506", 15), "P04", "202506", 15)
    beside = pd.DataFrame({"i": ["P03", "P04", "P04", "P05"], "j": ["P04", "P03", "P05", "P04"]})
    found = judged(table, neighbours=beside, last=12)
    june = found[found["period_id"] == "202506"].set_index("unit_id")["neighbours"]
    assert june[["P03", "P04", "P05", "P06"]].tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize("method", ["noufaily", "farrington", "flexible", "classic", "pooled"])
def test_every_method_takes_weeks_with_week_53(method):
    weeks = pd.date_range("2015-01-05", "2026-01-03", freq="W-MON")
    assert "2020W53" in weeks.strftime("%GW%V").tolist()
    rng = np.random.default_rng(9)
    table = pd.DataFrame(
        {"unit_id": "P1", "period_id": weeks.strftime("%GW%V"), "events": rng.poisson(20, len(weeks)).astype(float)}
    )
    table.loc[table.index[-1], "events"] = 70
    found = detect_outbreaks(table, by="unit_id", period="period_id", method=method, last=2)
    assert found["alarm"].tolist() == [False, True]
    assert found["period"].tolist() == weeks.strftime("%GW%V").tolist()[-2:]
    assert found["expected"].to_numpy() == pytest.approx([20, 20], rel=0.25)


@pytest.mark.parametrize(("frequency", "expected"), [(1, 30), (4, 30)])
def test_years_and_quarters_are_judged_too(frequency, expected):
    counts = np.random.default_rng(3).poisson(30, (6, 12 * frequency)).astype(float)
    counts[2, -1] = 90
    found = detect_outbreaks(counts, frequency=frequency, last=1)
    assert found["alarm"].tolist() == [False, False, True, False, False, False]
    assert found["expected"].to_numpy() == pytest.approx(np.full(6, expected), rel=0.4)


def test_a_single_list_of_numbers_is_a_series():
    found = detect_outbreaks([5.0, 4.0, 6.0] * 24 + [30.0], frequency=12, last=1)
    assert found["alarm"].tolist() == [True]
    assert found["rank"].tolist() == [1]


def test_the_order_of_rows_does_not_matter():
    table = with_count(flat(), "P03", "202506", 12)
    mixed = table.sample(frac=1, random_state=3)
    pd.testing.assert_frame_equal(judged(table, last=6), judged(mixed, last=6))


@settings(max_examples=60, deadline=None)
@given(st.floats(0.05, 200), st.floats(1, 5), st.floats(0.001, 0.2), st.integers(0, 400))
def test_the_probability_of_an_outbreak_is_bayes_and_rises_with_the_count(mean, dispersion, prior, count):
    counts = np.array([count, count + 1.0])
    lower, higher = outbreak_probability(counts, np.full(2, mean), np.full(2, dispersion), prior)
    assert 0 <= lower <= higher + 1e-12 <= 1 + 1e-9
    if count <= mean:
        assert lower == 0
    elif dispersion > 1.01:
        size = [factor * mean / (dispersion - 1) for factor in [1.0, *np.exp(np.linspace(np.log(1.5), np.log(10), 12))]]
        likely = nbinom.pmf(count, size, 1 / dispersion)
        if likely[0] > 1e-250:
            assert lower == pytest.approx(1 / (1 + (1 - prior) * likely[0] / (prior * likely[1:].mean())), rel=1e-5)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"method": "crystal ball"}, "error.surveillance_option"),
        ({"alpha": 2}, "error.surveillance_option"),
        ({"budgget": 3}, "error.surveillance_option"),
        ({"last": 500}, "error.surveillance_range"),
        ({"place": "village"}, "error.outbreak_place"),
        ({"watch": watch_list().drop(columns="season")}, "error.outbreak_watch"),
        ({"watch": watch_list(watch_id="plague")}, "error.outbreak_none_watched"),
        ({"watch": watch_list(season="summer")}, "error.outbreak_season"),
        ({"neighbours": pd.DataFrame({"a": [1]})}, "error.outbreak_neighbours"),
        ({"per": "village"}, "error.outbreak_per"),
        ({"population": "persons"}, "error.surveillance_columns"),
        ({"watch": ["drowning"]}, "error.not_a_table"),
    ],
)
def test_nonsense_gets_a_sentence(options, key):
    with pytest.raises(UsageError) as problem:
        judged(flat(), **options)
    assert problem.value.key == key
    assert problem.value.sentence("vi") != problem.value.sentence("en")


def test_a_list_needs_a_column_that_names_the_event():
    with pytest.raises(InputError) as problem:
        detect_outbreaks(
            flat()[["unit_id", "period_id", "events"]], by="unit_id", period="period_id", watch=watch_list()
        )
    assert problem.value.key == "error.outbreak_event_column"


def test_the_picture_of_surveillance_draws_a_series_and_names_its_method():
    from tkyt_analysis.analysis.trend import surveillance_picture
    from tkyt_analysis.analysis.trend.surveillance_drawing import method_words

    one = detect_outbreaks(flat(), by=KEYS, period="period_id", last=24).query("unit_id == 'P03'")
    assert surveillance_picture(one, title="Đuối nước").axes
    assert "nền chung" in method_words(one, "vi")

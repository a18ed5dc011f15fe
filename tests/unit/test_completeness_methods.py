"""Completeness of registration: growth balance, extinct generations, Adair–Lopez, expected deaths, the panel, adjusted rates."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.measures.completeness import (
    adair_lopez,
    adjusted_rates,
    age_range_estimates,
    brass_growth_balance,
    completeness_by_age,
    completeness_panel,
    death_distribution_methods,
    expected_deaths,
    extinct_generation_points,
    generalised_growth_balance,
    ggb_seg,
    growth_balance_points,
    published_deaths,
    synthetic_extinct_generations,
)
from tkyt_analysis.errors import InputError, UsageError

AGES = np.array([*range(0, 85, 5)])


def stable_population(*, growth=0.02, registered=0.8, first_count=1.0, years=10.0, sex="female"):
    """Two exact counts of a stable population, ten years apart, and deaths of which a share is registered.

    Deaths grow with the people: their yearly mean over the interval is that at its middle (geometric), as the methods take it.
    """
    people, deaths = _alive_and_dying(growth)
    first, second = people * np.exp(-growth * years / 2), people * np.exp(growth * years / 2)
    return pd.DataFrame(
        {"id": "01", "sex": sex, "age": AGES, "pop1": first * first_count, "pop2": second,
         "deaths": deaths * registered, "date1": 2009.0, "date2": 2009.0 + years}
    )  # fmt: skip


@cache
def _alive_and_dying(growth):
    """People and deaths of a year by age groups of five, in steps of 0.05 years."""
    hazard = np.where(AGES < 5, 0.01, 0.0008 * np.exp(0.085 * AGES))
    fine = np.arange(0, 120, 0.05)
    at = np.interp(fine, AGES + 2.5, hazard) * np.where(fine > 82.5, np.exp(0.085 * (fine - 82.5)), 1)
    alive = np.exp(-np.cumsum(at) * 0.05) * np.exp(-growth * fine) * 0.05 * 20_000
    group = np.minimum(fine // 5, 16).astype(int)
    return np.bincount(group, alive), np.bincount(group, alive * at)


@pytest.mark.parametrize("registered", [0.5, 0.8, 1.0])
@pytest.mark.parametrize("fit", ["oldschool", "ols", "deming", "tukey"])
def test_growth_balance_finds_the_share_that_was_registered(registered, fit):
    found = generalised_growth_balance(stable_population(registered=registered), fit=fit).iloc[0]
    assert found["completeness"] == pytest.approx(registered, rel=0.03)  # people reaching an age are approximated
    assert found["lower"] <= found["completeness"] <= found["upper"]
    assert (found["status"], found["reason"]) == ("ok", "")


def test_extinct_generations_find_the_share_that_was_registered():
    found = synthetic_extinct_generations(stable_population(registered=0.7)).iloc[0]
    assert found["completeness"] == pytest.approx(0.7, rel=0.03)


def test_growth_balance_sees_that_the_first_count_missed_people_and_ggb_seg_repairs_it():
    # The first count missed 4 %: growth looks 0.4 points a year too high, extinct generations go astray, the two together do not.
    missed = stable_population(registered=0.8, first_count=0.96)
    balance = generalised_growth_balance(missed).iloc[0]
    assert balance["delta"] == pytest.approx(0.96, abs=0.012)
    assert (balance["census_1"], balance["census_2"]) == (pytest.approx(balance["delta"]), 1.0)
    alone, repaired = (method(missed)["completeness"].iloc[0] for method in (synthetic_extinct_generations, ggb_seg))
    assert abs(repaired - 0.8) < 0.02 < abs(alone - 0.8)


def test_one_count_is_enough_for_brass_where_the_population_is_stable():
    one = stable_population(growth=0.015, registered=0.75).rename(columns={"pop2": "population"}).drop(columns="pop1")
    one = one.assign(deaths=one["deaths"] * np.exp(0.015 * 5))
    found = brass_growth_balance(one).iloc[0]
    assert found["completeness"] == pytest.approx(0.75, rel=0.03)
    assert found["intercept"] == pytest.approx(0.015, abs=0.002)


def test_emigration_that_is_told_does_not_look_like_deaths_that_are_missing():
    whole = stable_population(registered=0.9)
    left = whole["pop2"] * 0.0  # 20–39 lose 1 % of the mean population each year
    moved = np.where(whole["age"].between(20, 39), 0.01 * np.sqrt(whole["pop1"] * whole["pop2"]), left)
    emptied = whole.assign(pop2=whole["pop2"] - 10 * moved, migration=-moved)
    with_it = generalised_growth_balance(emptied, ages=(15, 65))["completeness"].iloc[0]
    without = generalised_growth_balance(emptied.drop(columns="migration"), ages=(15, 65))["completeness"].iloc[0]
    assert abs(with_it - 0.9) < abs(without - 0.9)
    assert with_it == pytest.approx(0.9, abs=0.03)


@settings(max_examples=15)
@given(st.floats(0.2, 5.0), st.floats(0.1, 1.0))
def test_scale_of_the_population_does_not_matter_and_completeness_is_proportional_to_deaths(scale, share):
    data = stable_population()
    scaled = data.assign(pop1=data["pop1"] * scale, pop2=data["pop2"] * scale, deaths=data["deaths"] * scale * share)
    for method in (generalised_growth_balance, synthetic_extinct_generations):
        whole, part = (
            method(data, ages=(15, 60))["completeness"].iloc[0],
            method(scaled, ages=(15, 60))["completeness"].iloc[0],
        )
        assert part == pytest.approx(share * whole, rel=1e-9)


def test_many_series_with_other_ages_in_one_call_are_the_same_as_one_by_one():
    first = stable_population(registered=0.6).assign(id="01")
    second = stable_population(registered=0.9, sex="male").assign(id="02")
    third = first[first["age"] <= 75].assign(id="03")
    together = ggb_seg(pd.concat([second, third, first])).set_index("id")
    for one in (first, second, third):
        alone = ggb_seg(one).iloc[0]
        assert together.loc[alone["id"], "completeness"] == pytest.approx(alone["completeness"], rel=1e-12)


def test_plain_arrays_and_total_deaths_are_read_too():
    data = stable_population()
    arrays = {name: data[name].to_numpy() for name in ("age", "pop1", "pop2", "date1", "date2")}
    total = generalised_growth_balance({**arrays, "deaths": list(data["deaths"] * 10)}, deaths_are="total")
    assert total["completeness"].iloc[0] == pytest.approx(generalised_growth_balance(data)["completeness"].iloc[0])


def test_infants_and_children_1_to_4_are_one_group_and_the_rest_is_untouched():
    data = stable_population()
    young = data[data["age"] == 0].assign(
        pop1=lambda part: part["pop1"] / 5, pop2=lambda part: part["pop2"] / 5, deaths=9.0
    )
    rest = data[data["age"] == 0].assign(
        age=1, pop1=lambda part: part["pop1"] * 4 / 5, pop2=lambda part: part["pop2"] * 4 / 5
    )
    rest["deaths"] -= 9.0
    abridged = pd.concat([young, rest, data[data["age"] > 0]])
    assert ggb_seg(abridged)["completeness"].iloc[0] == pytest.approx(ggb_seg(data)["completeness"].iloc[0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"deaths": 0.0}, "reason.completeness_no_deaths"),
        ({"date2": 2009.0}, "reason.completeness_interval"),
        ({"pop2": np.nan}, "reason.completeness_population"),
        ({"deaths": np.nan}, "reason.completeness_deaths"),
    ],
)
@pytest.mark.parametrize("method", [generalised_growth_balance, synthetic_extinct_generations, ggb_seg])
def test_what_cannot_be_assessed_says_why_and_has_no_figure(change, reason, method):
    whole = pd.concat([stable_population(), stable_population().assign(id="02", **change)])
    found = method(whole).set_index("id")
    assert found.loc["02", ["status", "reason"]].tolist() == ["not_assessable", reason]
    assert found.loc["02", ["completeness", "lower", "upper"]].isna().all()
    assert found.loc["01", "status"] == "ok"


def test_an_age_without_people_and_a_range_without_ages_say_so():
    empty = stable_population().assign(pop1=lambda part: part["pop1"].where(part["age"] != 40, 0))
    assert generalised_growth_balance(empty)["reason"].tolist() == ["reason.completeness_empty_age"]
    few = generalised_growth_balance(stable_population(), lowest_age=40, highest_age=60)
    assert few["reason"].tolist() == ["reason.completeness_ages"]
    nobody = stable_population(sex="")
    assert synthetic_extinct_generations(nobody)["reason"].tolist() == ["reason.completeness_sex"]
    assert synthetic_extinct_generations(nobody, life_expectancy_open=6.0)["status"].tolist() == ["ok"]


def test_wrong_tables_are_refused_with_a_sentence():
    data = stable_population()
    with pytest.raises(InputError, match="pop2"):
        generalised_growth_balance(data.drop(columns="pop2"))
    with pytest.raises(InputError, match="17"):
        generalised_growth_balance(pd.concat([data, data]))
    with pytest.raises(InputError, match="trẻ"):
        generalised_growth_balance(data.assign(age="trẻ"))
    with pytest.raises(InputError, match="3"):
        generalised_growth_balance(data, ages=(15, 20))
    with pytest.raises(UsageError, match="oldschool"):
        generalised_growth_balance(data, fit="robust")
    with pytest.raises(UsageError, match="rmse"):
        generalised_growth_balance(data, choose="best")


def test_age_range_table_holds_every_range_once_and_marks_the_chosen_one():
    # 15, 20 … 75 are 13 ages: 1 range of 13, 2 of 12 … 6 of 8.
    data = stable_population()
    for method, function in (
        ("ggb", generalised_growth_balance),
        ("seg", synthetic_extinct_generations),
        ("ggb_seg", ggb_seg),
    ):
        ranges = age_range_estimates(data, method=method)
        assert len(ranges) == 1 + 2 + 3 + 4 + 5 + 6
        assert not ranges.duplicated(["lowest_age", "highest_age"]).any()
        chosen = ranges[ranges["chosen"]].iloc[0]
        whole = function(data).iloc[0]
        assert chosen[["completeness", "lowest_age", "highest_age"]].tolist() == pytest.approx(
            whole[["completeness", "lowest_age", "highest_age"]].tolist()
        )
        assert whole["lower"] <= ranges["completeness"].min() <= ranges["completeness"].max() <= whole["upper"]


def test_points_of_the_pictures_are_those_of_the_fit():
    data = stable_population()
    points = growth_balance_points(data, ages=(20, 60))
    assert points.loc[points["used"], "age"].tolist() == [*range(20, 65, 5)]
    line = generalised_growth_balance(data, ages=(20, 60)).iloc[0]
    assert points["fitted"].tolist() == pytest.approx(
        (line["intercept"] + line["slope"] * points["death_rate"]).tolist()
    )
    levels = extinct_generation_points(data, ages=(20, 60))
    assert levels.loc[levels["used"], "completeness"].mean() == pytest.approx(levels["level"].iloc[0])


def test_three_distribution_methods_stand_below_each_other():
    found = death_distribution_methods(stable_population(), fit="ols", compare="birthdays")
    assert found["method_id"].tolist() == ["ggb", "seg", "ggb_seg"]
    assert found["completeness"].tolist() == pytest.approx([0.8] * 3, abs=0.03)
    with pytest.raises(UsageError, match="robust"):
        death_distribution_methods(stable_population(), robust=True)


# ------------------------------------------------------------------------------------------------ Adair–Lopez

PLACE = {"crude_death_rate": 6.0, "share_65_over": 0.08, "under5_mortality": 0.02, "year": 2015}


def test_adair_lopez_is_the_published_sum():
    # Model 2, both: −0.0238·36 + 0.8419·6 − 19.6118·0.08 − 1.5135·ln 0.02 − 0.0251·2015 + 44.3755
    logit = -0.0238 * 36 + 0.8419 * 6 - 19.6118 * 0.08 - 1.5135 * np.log(0.02) - 0.0251 * 2015 + 44.3755
    found = adair_lopez(**PLACE, model=2).iloc[0]
    assert found["completeness"] == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-12)
    assert found["lower"] < found["effect_lower"] < found["completeness"] < found["effect_upper"] < found["upper"]


def test_each_sex_has_its_own_coefficients_and_model_1_needs_under_five_completeness():
    rows = adair_lopez(**PLACE, sex=["male", "female", "both"], under5_completeness=[0.7, np.nan, 0.7])
    first, second = rows[rows["model"] == "1"], rows[rows["model"] == "2"]
    assert first["reason"].tolist() == ["", "reason.adair_lopez_under5", ""]
    assert second["status"].tolist() == ["ok"] * 3
    assert second["completeness"].nunique() == 3
    male = -0.0174 * 36 + 0.5957 * 6 - 12.9528 * 0.08 - 1.1266 * np.log(0.02) + 2.0030 * 0.7 - 0.0188 * 2015 + 32.3442
    assert first["completeness"].iloc[0] == pytest.approx(1 / (1 + np.exp(-male)), abs=1e-12)


def test_an_effect_of_a_country_moves_the_estimate_and_narrows_its_interval():
    none, viet_nam, thailand = adair_lopez(**PLACE, model=2, country=["", "Viet Nam", "Thailand"]).to_dict("records")
    assert none["completeness"] == viet_nam["completeness"] > thailand["completeness"]
    assert thailand["effect"] == pytest.approx(-0.9281)
    odds = [[one[name] / (1 - one[name]) for name in ("lower", "upper")] for one in (thailand, none)]
    width = [np.log(upper / lower) for lower, upper in odds]
    assert width[0] / width[1] == pytest.approx(
        0.389 / np.hypot(0.389, 0.677), abs=0.005
    )  # without the spread of countries


def test_few_deaths_widen_the_interval():
    many, few = adair_lopez(**PLACE, model=2, deaths=[100_000, 30]).to_dict("records")
    assert few["lower"] < many["lower"]
    assert few["upper"] > many["upper"]
    assert few["completeness"] == many["completeness"]


@pytest.mark.parametrize("rate", [20.0, 1.0, 0.0, -0.02])
def test_a_5q0_that_is_no_probability_is_refused_and_told_how_to_mend_it(rate):
    with pytest.raises(InputError, match="xác suất"):
        adair_lopez(**{**PLACE, "under5_mortality": [0.02, rate]})


def test_shares_in_per_cent_and_rates_per_person_are_refused():
    with pytest.raises(InputError, match="100"):
        adair_lopez(**{**PLACE, "share_65_over": 8.0})
    with pytest.raises(InputError, match=r"1\.000"):
        adair_lopez(**{**PLACE, "crude_death_rate": 0.006})


def test_no_deaths_a_missing_value_and_a_rate_beyond_the_model_say_why():
    found = adair_lopez(**{**PLACE, "crude_death_rate": [0.0, np.nan, 25.0, 6.0]}, model=2)
    assert found["reason"].tolist() == [
        "reason.completeness_no_deaths", "reason.adair_lopez_input", "reason.adair_lopez_rate_high", ""
    ]  # fmt: skip
    assert found["completeness"].notna().tolist() == [False, False, False, True]


# --------------------------------------------------------------------------------------------- expected deaths


def test_registered_over_expected_of_a_schedule():
    # 0.01 · 1000 + 0.1 · 100 = 20 expected, 15 registered.
    data = pd.DataFrame(
        {
            "province_code": "01",
            "sex": "male",
            "age_group": ["0-64", "65+"],
            "deaths": [7, 8],
            "person_years": [1000, 100],
        }
    )
    schedule = pd.DataFrame({"sex": "male", "age_group": ["0-64", "65+"], "rate": [0.01, 0.1]})
    found = expected_deaths(data, by=["province_code"], schedule=schedule).iloc[0]
    assert (found["expected"], found["completeness"], found["status"]) == (20.0, 0.75, "modelled")
    assert found["lower"] == pytest.approx(0.75 * np.exp(-1.959964 / np.sqrt(15)))
    wider = expected_deaths(data, by=["province_code"], schedule=schedule, spread=0.15).iloc[0]
    assert wider["lower"] == pytest.approx(0.75 * np.exp(-1.959964 * np.hypot(1 / np.sqrt(15), 0.15)))
    lacking = expected_deaths(data, by=["province_code"], schedule=schedule.head(1)).iloc[0]
    assert (lacking["status"], lacking["reason"]) == ("not_assessable", "reason.completeness_no_rate")


def test_published_totals_carry_their_own_range():
    # Viet Nam 2019, Karlinsky 2024: 556 015 registered, 667 357 expected.
    found = expected_deaths(
        pd.DataFrame(
            {"deaths": [556_015], "expected": [667_357], "expected_lower": [631_818], "expected_upper": [727_941]}
        )
    )
    assert found["completeness"].iloc[0] == pytest.approx(0.8332, abs=5e-5)
    assert found["lower"].iloc[0] < 556_015 / 700_000 < found["upper"].iloc[0]


def test_published_deaths_of_the_catalog_give_the_published_completeness():
    # Karlinsky 2024: 86.57 % in 2018, 83.32 % in 2019; with the United Nations' own 2019 deaths 556 015 / 612 164.
    listed = published_deaths("VN").assign(deaths=lambda rows: rows["year"].map({2018: 569_338, 2019: 556_015}))
    found = expected_deaths(listed.dropna(subset="deaths"), by=["year", "source"])
    of_mean = found[found["source"].str.startswith("Karlinsky")].set_index("year")["completeness"]
    assert of_mean.round(4).to_dict() == {2018: 0.8657, 2019: 0.8332}
    united_nations = found[found["source"].str.startswith("UN")].set_index("year")
    assert united_nations.loc[2019, "completeness"] == pytest.approx(556_015 / 612_164)
    assert published_deaths("VN2025:51").empty


def test_completeness_by_age_adds_up_to_the_whole_and_shows_where_deaths_are_missing():
    data = pd.DataFrame({"age_group": ["0", "1-64", "65+"], "deaths": [2, 40, 58], "expected": [10.0, 50.0, 65.0]})
    found = completeness_by_age(data, completeness=0.8)  # 100 registered = 80 % of 125
    assert found["expected"].sum() == pytest.approx(125)
    assert found["completeness"].tolist() == pytest.approx([0.2, 0.8, 58 / 65])
    assert found["share_missing"].tolist() == pytest.approx([8 / 25, 10 / 25, 7 / 25])


def test_an_age_without_registered_deaths_has_completeness_0_with_an_upper_limit():
    found = completeness_by_age(
        pd.DataFrame({"age_group": ["0", "1+"], "deaths": [0, 10], "expected": [5.0, 10.0]})
    ).iloc[0]
    assert (found["completeness"], found["lower"], found["status"]) == (0.0, 0.0, "ok")
    assert found["upper"] == pytest.approx(3.689 / 5, abs=1e-3)  # the exact upper limit of 0 events is 3.689


# ------------------------------------------------------------------------------------------ panel and adjusted


def estimate(value, lower, upper, *, status="ok", reason=""):
    return pd.DataFrame({"place": ["01"], "completeness": [value], "lower": [lower], "upper": [upper], "method": "m", "status": status, "reason": reason})  # fmt: skip


def test_panel_shows_every_method_and_combines_families_not_methods():
    lists, model = estimate(0.80, 0.76, 0.84), estimate(0.90, 0.86, 0.94)
    panel = completeness_panel(
        {"capture_recapture_2": lists, "capture_recapture_3": lists, "adair_lopez_2": model, "ggb": estimate(np.nan, np.nan, np.nan, status="not_assessable", reason="reason.completeness_interval")},
        by=["place"],
    )  # fmt: skip
    assert panel["method_id"].tolist() == [
        "capture_recapture_2",
        "capture_recapture_3",
        "adair_lopez_2",
        "ggb",
        "combined",
    ]
    combined = panel.iloc[-1]
    assert combined["methods"] == 2
    assert combined["completeness"] == pytest.approx(np.sqrt(0.8 * 0.9), rel=0.01)  # two families, nearly equal weight
    assert combined["spread"] == pytest.approx(0.9 / 0.8)


def test_methods_that_disagree_give_a_wider_interval_than_each_of_them():
    agree = completeness_panel(
        {"ggb": estimate(0.8, 0.75, 0.85), "adair_lopez_2": estimate(0.8, 0.75, 0.85)}, by=["place"]
    ).iloc[-1]
    differ = completeness_panel(
        {"ggb": estimate(0.6, 0.55, 0.65), "adair_lopez_2": estimate(0.95, 0.9, 1.0)}, by=["place"]
    ).iloc[-1]
    assert agree["upper"] - agree["lower"] < 0.1 < 0.3 < differ["upper"] - differ["lower"]
    envelope = completeness_panel({"ggb": estimate(0.6, 0.55, 0.65), "adair_lopez_2": estimate(0.95, 0.9, 1.0)}, by=["place"], combine="median").iloc[-1]  # fmt: skip
    assert envelope[["lower", "upper"]].tolist() == [0.55, 1.0]


def test_one_method_alone_is_its_own_combination_and_none_says_so():
    one = completeness_panel({"ggb": estimate(0.8, 0.72, 0.89)}, by=["place"]).iloc[-1]
    assert one["completeness"] == pytest.approx(0.8)
    assert one["upper"] / one["lower"] == pytest.approx(0.89 / 0.72)
    none = completeness_panel(
        {"ggb": estimate(np.nan, np.nan, np.nan, status="not_assessable", reason="x")}, by=["place"]
    ).iloc[-1]
    assert (none["status"], none["reason"]) == ("not_assessable", "reason.completeness_no_method")


def test_what_only_models_say_is_marked_as_modelled():
    panel = completeness_panel({"expected": estimate(0.8, 0.7, 0.9, status="modelled")}, by=["place"])
    assert panel["status"].tolist() == ["modelled", "modelled"]


def test_adjusted_rate_is_the_rate_over_completeness_and_its_interval_holds_both_errors():
    found = adjusted_rates([80, 80, 0], 10_000, [0.8, 0.8, 0.8], [0.8, 0.7, 0.7], [0.8, 0.9, 0.9])
    assert found["rate"].tolist() == [10.0, 10.0, 0.0]
    assert found.loc[1, "lower"] < found.loc[0, "lower"]
    assert found.loc[1, "upper"] > found.loc[0, "upper"]
    assert found.loc[2, "upper"] > 0
    assert (found["status"] == "ok").all()
    over = adjusted_rates(80, 10_000, 1.2)
    assert over["rate"].iloc[0] == 8.0
    assert adjusted_rates(80, 10_000, 1.25, cap=False)["rate"].iloc[0] == pytest.approx(6.4)
    assert adjusted_rates(80, 10_000, np.nan)["reason"].tolist() == ["reason.completeness_unknown"]

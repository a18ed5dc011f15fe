"""Figures from deaths and population: hand-made sums, honest statuses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.measures.indicators import (
    INDICATOR_VALUE_COLUMNS,
    METHODS,
    measure_indicators,
    unit_level,
)
from mortality.tabulation.cause_lists import load_cause_list
from tkyt_analysis.analysis.rates import wilson_limits
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.standard_populations import standard_population

BANDS = [*[f"{low}-{low + 4}" for low in range(0, 80, 5)], "80+"]


def people(unit, per_group=1_000, status="final"):
    rows = [(unit, 2024, sex, band, per_group) for sex in ("male", "female") for band in BANDS]
    frame = pd.DataFrame(rows, columns=["unit_id", "year", "sex", "age_group", "persons"])
    return frame.assign(status=status, series="TEST")


def died(unit, *rows):
    frame = pd.DataFrame(rows, columns=["sex", "age_years", "underlying_cause"])
    return frame.assign(unit_id=unit, year=2024)


def figures(deaths, population, indicator, **options):
    rows = measure_indicators(deaths, population, indicators=[load_entries("indicators")[indicator]], **options)
    return rows.set_index(["sex", "cause"]) if len(rows["cause"].unique()) > 1 else rows.set_index("sex")


DEATHS = died(
    "VN2025:51",
    ("male", 82.0, "I64"),
    ("male", 67.0, "C34.9"),
    ("female", 90.0, "R54"),
    ("female", 0.4, "P07.3"),
    ("", 3.0, "W74"),
)


def test_crude_death_rate_is_deaths_per_thousand_people():
    rows = figures(DEATHS, people("VN2025:51"), "crude_death_rate")
    assert rows.loc["total", "value"] == pytest.approx(1000 * 5 / (2 * 17 * 1000))
    assert rows.loc["male", "value"] == pytest.approx(1000 * 2 / (17 * 1000))
    assert (rows["lower"] < rows["value"]).all()
    assert (rows["value"] < rows["upper"]).all()


def test_a_death_of_unknown_sex_counts_in_the_total_only():
    rows = figures(DEATHS, people("VN2025:51"), "crude_death_rate")
    assert rows["numerator"].to_dict() == {"total": 5, "male": 2, "female": 2}


def test_the_age_standardised_rate_weights_each_age_by_the_world_standard():
    rows = figures(DEATHS, people("VN2025:51"), "age_standardised_death_rate")
    weight = standard_population("who_2000_2025", BANDS).set_index("age_group")["standard_population"]
    by_hand = 100_000 * (2 * weight["0-4"] + weight["65-69"] + 2 * weight["80+"]) / 2_000
    assert rows.loc["total", "value"] == pytest.approx(by_hand)


def test_deaths_of_unknown_age_are_left_out_of_the_standardised_rate_and_the_method_says_so():
    deaths = DEATHS.assign(age_years=[82.0, np.nan, 90.0, 0.4, 3.0])
    rows = figures(deaths, people("VN2025:51"), "age_standardised_death_rate")
    assert rows.loc["total", "numerator"] == 4
    assert "unknown_age=20.0%" in rows.loc["total", "method"]


@pytest.mark.parametrize("indicator", ["infant_mortality_rate", "under_five_mortality_rate"])
def test_rates_per_live_birth_are_not_assessable_where_births_are_unknown(indicator):
    rows = figures(DEATHS, people("VN2025:51"), indicator)
    assert set(rows["status"]) == {"not_assessable"}
    assert rows[["value", "lower", "upper"]].isna().all(axis=None)


def test_infant_and_under_five_deaths_are_counted_by_age():
    births = pd.DataFrame({"unit_id": ["VN2025:51"], "year": [2024], "live_births": [400]})
    infant = figures(DEATHS, people("VN2025:51"), "infant_mortality_rate", live_births=births)
    under_five = figures(DEATHS, people("VN2025:51"), "under_five_mortality_rate", live_births=births)
    assert infant.loc["total", "value"] == pytest.approx(1000 * 1 / 400)
    assert under_five.loc["total", "value"] == pytest.approx(1000 * 2 / 400)
    assert infant.loc["total", "lower"] > 0


@pytest.mark.parametrize(
    ("unit", "status"),
    [("VN", "ok"), ("VN2025:51", "ok"), ("VN2024:522", "not_assessable"), ("VN2025:21019", "not_assessable")],
)
def test_infant_mortality_is_never_given_below_the_province(unit, status):
    births = pd.DataFrame({"unit_id": [unit], "year": [2024], "live_births": [400]})
    rows = figures(DEATHS.assign(unit_id=unit), people(unit), "infant_mortality_rate", live_births=births)
    assert rows.loc["total", "status"] == status
    assert pd.isna(rows.loc["total", "value"]) == (status == "not_assessable")


def test_a_modelled_denominator_is_said():
    rows = figures(DEATHS, people("VN2025:51", status="modelled"), "crude_death_rate")
    assert set(rows["status"]) == {"modelled"}
    assert set(rows["population_source"]) == {"TEST"}


def test_without_population_nothing_is_assessable_and_nothing_is_zero():
    rows = measure_indicators(DEATHS, people("VN2025:01"))
    entries = load_entries("indicators")
    without_population = {name for name, one in entries.items() if one.denominator in ("deaths", "1")}  # shares, counts
    of_population = rows[~rows["indicator_id"].isin(without_population)]
    assert set(of_population["status"]) == {"not_assessable"}
    assert of_population["value"].isna().all()


@pytest.mark.parametrize("indicator", ["cause_specific_death_rate_form16bch", "cause_specific_death_rate_list1"])
def test_rates_by_cause_add_up_to_the_rate_of_all_causes(indicator):
    rows = figures(DEATHS, people("VN2025:51"), indicator)
    assert rows.loc["total", "value"].sum() == pytest.approx(100_000 * 5 / 34_000)
    assert rows.loc["total", "numerator"].sum() == 5


def test_a_cause_without_deaths_has_rate_zero_with_an_upper_limit():
    rows = figures(DEATHS, people("VN2025:51"), "cause_specific_death_rate_list1")
    cholera = rows.loc[("total", "1-002")]
    assert (cholera["value"], cholera["lower"]) == (0, 0)
    assert cholera["upper"] == pytest.approx(100_000 * 3.6889 / 34_000, rel=1e-3)  # exact Poisson limit of 0


def test_the_share_of_old_age_and_ill_defined_deaths():
    rows = figures(DEATHS, people("VN2025:51"), "ill_defined_share")
    assert rows.loc[("total", "SENILITY"), "value"] == pytest.approx(100 * 1 / 5)
    assert rows.loc[("total", "ILL_DEFINED"), "value"] == 0
    assert rows.loc["total", "value"].sum() == pytest.approx(100)


def test_rows_have_the_columns_of_the_contract_and_one_id_each():
    rows = measure_indicators(DEATHS, people("VN2025:51"))
    assert rows.columns.tolist() == INDICATOR_VALUE_COLUMNS
    assert rows["figure_id"].is_unique
    of_deaths = {name for name, entry in load_entries("indicators").items() if entry.method in METHODS}
    assert set(rows["indicator_id"]) == of_deaths


def test_wilson_limits_of_one_in_ten():
    """Newcombe, Stat Med 1998;17:857, method 3: 1 of 29 is 0.0061 to 0.1718."""
    limits = wilson_limits(pd.Series([1]), pd.Series([29])).iloc[0]
    assert (round(limits["lower"], 4), round(limits["upper"], 4)) == (0.0061, 0.1718)


@settings(max_examples=15)
@given(st.lists(st.sampled_from(["I64", "R54", "U07.1", "C86.0", "", "XYZ"]), min_size=1, max_size=40))
def test_causes_of_any_deaths_sum_to_all_causes(codes):
    deaths = died("VN", *[("male", 50.0, code) for code in codes])
    rows = figures(deaths, people("VN"), "cause_specific_death_rate_list1")
    assert rows.loc["total", "numerator"].sum() == len(codes)
    assert rows.loc["female", "numerator"].sum() == 0


@pytest.mark.parametrize(
    ("unit", "level"),
    [
        ("VN", "nation"),
        ("VN2024:51", "province"),
        ("VN2024:522", "district"),
        ("VN2025:21019", "commune"),
        ("KCB:51Z01", "commune"),
    ],
)
def test_the_level_of_a_unit_follows_from_its_id(unit, level):
    assert unit_level(unit) == level


def test_missing_columns_are_named():
    with pytest.raises(InputError, match="age_years"):
        measure_indicators(DEATHS.drop(columns="age_years"), people("VN2025:51"))


def test_every_cause_list_of_an_indicator_exists():
    for entry in load_entries("indicators").values():
        if entry.cause_list:
            assert load_cause_list(entry.cause_list).items["item"].is_unique

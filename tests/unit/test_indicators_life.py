"""Indicators of life tables, of causes by definition and of garbage codes: by hand, and the same in the cube's function."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mortality.measure_release import life_tables_of
from mortality.measures.indicators import measure_indicators
from mortality.measures.indicators_life import by_series, common_bands, life_figures
from mortality.measures.life_table import abridged_life_table
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError

BANDS = ["0", "1-4", *[f"{low}-{low + 4}" for low in range(5, 85, 5)], "85+"]
UNIT = "VN2025:51"


def people(persons=1_000, unit=UNIT):
    rows = [(unit, 2024, sex, band, persons) for sex in ("male", "female") for band in BANDS]
    frame = pd.DataFrame(rows, columns=["unit_id", "year", "sex", "age_group", "persons"])
    return frame.assign(status="final", series="TEST")


def died(*groups):
    """(sex, age, code, how many) …"""
    rows = [(sex, age, code) for sex, age, code, number in groups for _ in range(number)]
    frame = pd.DataFrame(rows, columns=["sex", "age_years", "underlying_cause"])
    return frame.assign(unit_id=UNIT, year=2024, age_years=frame["age_years"].astype(float))


def figures(deaths, indicator, population=None):
    population = people() if population is None else population
    rows = measure_indicators(deaths, population, indicators=[load_entries("indicators")[indicator]])
    return rows.set_index("sex")


EVERY_AGE = died(
    *[(sex, int(band.rstrip("+").split("-")[0]), "I64", 4) for sex in ("male", "female") for band in BANDS]
)


def test_life_expectancy_is_that_of_the_life_table_of_the_same_rates():
    found = figures(EVERY_AGE, "life_expectancy_at_birth")
    by_hand = abridged_life_table([4 / 1_000] * len(BANDS), BANDS, "male")["ex"].iloc[0]
    assert found.loc["male", "value"] == pytest.approx(by_hand)
    assert found.loc["male", "lower"] < by_hand < found.loc["male", "upper"]
    assert "greville" in found.loc["male", "method"]


def test_at_the_open_age_life_expectancy_is_one_over_the_rate():
    table = pd.DataFrame({"place": "A", "age_group": BANDS, "events": 4.0, "person_years": 1_000.0})
    found = life_figures(table, ["place"], kind="life_expectancy", options={"at_age": 85}, per=1)
    assert found["value"].iloc[0] == pytest.approx(1_000 / 4)
    assert (found["numerator"].iloc[0], found["denominator"].iloc[0]) == (4, 1_000)


def test_no_death_in_the_open_group_leaves_no_life_expectancy_and_says_why():
    found = figures(EVERY_AGE[EVERY_AGE["age_years"] < 85], "life_expectancy_at_birth").loc["total"]
    assert (found["status"], found["reason"]) == (
        "not_assessable",
        "reason.life_table_open_group_without_deaths",
    )
    assert pd.isna(found["value"])


def test_premature_mortality_is_the_product_over_eight_ages_of_the_four_groups_of_diseases():
    ages = [(sex, age, "C34.9", 10) for sex in ("male", "female") for age in range(30, 70, 5)]
    others = [("male", 50, "V89.2", 30), ("male", 72, "C34.9", 9)]  # an injury; a cancer beyond 70
    found = figures(died(*ages, *others), "premature_ncd_mortality").loc["male"]
    m = 10 / 1_000
    assert found["value"] == pytest.approx(100 * (1 - (1 - 5 * m / (1 + 2.5 * m)) ** 8))
    assert (found["numerator"], found["denominator"]) == (80, 8_000)
    assert found["lower"] < found["value"] < found["upper"]


def test_adult_mortality_counts_deaths_from_15_to_59():
    found = figures(EVERY_AGE, "adult_mortality_45q15").loc["total"]
    assert found["numerator"] == 2 * 9 * 4
    q = 5 * 0.004 / (1 + 2.5 * 0.004)  # about: the UN's ax lies near the middle
    assert found["value"] == pytest.approx(1000 * (1 - (1 - q) ** 9), rel=0.01)


def test_years_of_life_lost_weigh_a_young_death_more():
    young = figures(died(("male", 20, "V89.2", 10), ("male", 70, "I64", 1)), "years_of_life_lost_rate").loc["male"]
    old = figures(died(("male", 80, "I64", 10), ("male", 70, "I64", 1)), "years_of_life_lost_rate").loc["male"]
    assert young["value"] > 4 * old["value"]
    assert young["lower"] < young["value"] < young["upper"]


def test_age_specific_rates_have_a_row_per_age_group():
    rows = figures(EVERY_AGE, "age_specific_death_rate")
    male = rows.loc["male"].set_index("age_group")
    assert set(male.index) == set(BANDS)
    assert male.loc["30-34", "value"] == pytest.approx(1000 * 4 / 1_000)


def test_deaths_of_unknown_age_are_named_in_the_method():
    deaths = pd.concat([EVERY_AGE, died(("male", np.nan, "R99", 4))])
    assert "unknown_age=5.0%" in figures(deaths, "life_expectancy_at_birth").loc["male", "method"]  # 4 of 80


def test_suicide_and_road_deaths_are_those_of_their_codes():
    deaths = died(("male", 40, "X70", 3), ("female", 20, "V29.4", 2), ("male", 60, "W19", 5), ("male", 60, "Y87.0", 1))
    persons = 2 * 19 * 1_000
    assert figures(deaths, "suicide_death_rate").loc["total", "value"] == pytest.approx(100_000 * 4 / persons)
    assert figures(deaths, "road_traffic_death_rate").loc["total", "numerator"] == 2


def test_the_garbage_share_has_deaths_without_a_code_in_its_denominator_only():
    found = figures(died(("male", 80, "R99", 3), ("male", 70, "C34.9", 5), ("male", 60, "", 2)), "garbage_code_share")
    assert found.loc["male", ["numerator", "denominator", "value"]].tolist() == [3, 10, pytest.approx(30)]


@pytest.mark.parametrize(
    ("given_bands", "common"),
    [
        (["0", "1-4", "5+"], ["0", "1-4", "5+"]),
        (["0-4", "0", "1-4", "5+"], ["0-4", "5+"]),
        (["0-79", "80+", "80-84", "85+"], ["0-79", "80+"]),
    ],
)
def test_places_of_different_age_groups_meet_in_the_coarser_ones(given_bands, common):
    assert common_bands(given_bands) == common


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=len(BANDS), max_size=len(BANDS)))
def test_a_life_table_of_a_release_closes_and_gives_its_counts_back(deaths):
    male = died(
        *[("male", int(band.rstrip("+").split("-")[0]), "I64", n) for band, n in zip(BANDS, deaths, strict=True)]
    )
    rows = life_tables_of(male, people()).query("sex == 'male'").reset_index(drop=True)
    assert rows["age_group"].tolist() == BANDS
    assert rows["deaths"].tolist() == deaths
    assert rows["dx"].sum() == pytest.approx(100_000)
    assert rows["Tx"].iloc[0] / 100_000 == pytest.approx(rows["ex"].iloc[0])
    assert (rows["ex_lower"] < rows["ex"]).all()


def test_a_cell_without_people_is_missing_and_not_zero():
    table = pd.DataFrame(
        {"place": ["A", "A", "B"], "age_group": ["0-4", "5+", "0-4"], "events": 1.0, "person_years": 10.0}
    )
    _, bands, events, persons = by_series(table, ["place"])
    assert bands == ["0-4", "5+"]
    assert np.isnan(persons[1, 1])
    assert events[1, 1] == 0


def test_an_age_that_no_group_begins_with_is_an_error():
    table = pd.DataFrame({"place": "A", "age_group": ["0-9", "10+"], "events": 1.0, "person_years": 10.0})
    with pytest.raises(InputError, match="65"):
        life_figures(table, ["place"], kind="life_expectancy", options={"at_age": 65}, per=1)

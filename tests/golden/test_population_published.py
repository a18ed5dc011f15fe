"""The re-entered population figures against published totals."""

import pandas as pd
import pytest
from support import reference_path

from tkyt_analysis.reference.population import population
from tkyt_analysis.reference.population_series import national_population, projection_by_age

# NSO, national average population, thousand persons, as printed in its yearbooks of the time (series NSO-A, then NSO-B).
NSO_NATIONAL = {2009: 86_025.0, 2012: 88_809.3, 2015: 91_709.8, 2016: 92_695.1, 2017: 94_286.0, 2018: 95_385.2,
                2019: 96_484.0}  # fmt: skip


@pytest.mark.parametrize("year", NSO_NATIONAL)
def test_the_provinces_sum_to_the_national_figure_of_their_series(year):
    provinces = population("VN2024", year, by=())["persons"].sum() / 1000
    assert provinces == pytest.approx(NSO_NATIONAL[year], abs=0.6)  # rounding of 63 figures


def test_six_provinces_of_the_2019_census_lie_just_below_their_average_population():
    # Census 1 April 2019, persons, General Statistics Office; mid-year is up to 0.8 % later and larger.
    census = {"01": 8_053_663, "79": 8_993_082, "38": 3_640_128, "40": 3_327_791, "51": 1_231_697, "06": 313_905}
    ours = population([f"VN2024:{code}" for code in census], 2019, by=()).set_index("unit_id")["persons"]
    for code, counted in census.items():
        assert 0 <= ours[f"VN2024:{code}"] / counted - 1 < 0.008, code


def test_the_age_structure_of_2025_is_near_the_published_one():
    # NSO press release of 2026-01-05: 0-14 22.8 %, 15-59 62.7 %, 60+ 14.5 % of 102.3 million. Ours come from a
    # projection of 2016: within one percentage point.
    ages = population("VN", 2025, by=("age_group",), age_groups=["0-14", "15-59", "60+"]).set_index("age_group")
    shares = 100 * ages["persons"] / ages["persons"].sum()
    assert shares.to_dict() == pytest.approx({"0-14": 22.8, "15-59": 62.7, "60+": 14.5}, abs=1)
    assert ages["persons"].sum() == pytest.approx(102_300_000)


def test_the_revised_national_series_grows_by_about_one_percent_a_year_without_a_break():
    totals = national_population().set_index("year")["total"]
    assert totals.pct_change().dropna().between(0.008, 0.013).all()
    assert totals[2023] == 100_309_200


def test_our_copy_of_the_projection_holds_the_reference_figures():
    theirs = pd.read_csv(
        reference_path("vietnam", "province_age_sex_projection_2014_2034.csv.gz"), dtype={"code": str, "age": str}
    ).rename(columns={"code": "province_code", "age": "age_group"})
    keys = ["province_code", "year", "sex", "age_group"]
    both = projection_by_age().merge(theirs, on=keys, validate="one_to_one")
    assert len(both) == len(theirs) == 44_982
    assert (both["persons"] == both["n"]).all()


def test_modelled_provinces_are_within_three_percent_of_seven_published_figures_of_2023():
    table = pd.read_csv(reference_path("vietnam", "province_population.csv"), dtype={"code": str, "admin": str})
    quoted = table[table["series"] == "NSO-C"].set_index("code")["total"]
    ours = population([f"VN2024:{code}" for code in quoted.index], 2023, by=()).set_index("unit_id")["persons"]
    error = ours.to_numpy() / 1000 / quoted.to_numpy() - 1
    assert len(error) == 7
    assert abs(error).max() < 0.03

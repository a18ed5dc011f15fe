"""Standard populations come from the catalog and are regrouped only where bands nest."""

import pytest
from support import table

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import ABRIDGED_85, FIVE_YEAR_80, FIVE_YEAR_85
from tkyt_analysis.reference.standard_populations import (
    standard_population,
    standard_populations,
    with_standard_population,
)

ALL = ["who_2000_2025", "who_2000_2025_seer", "who_2000_2025_seer_100", "esp_2013", "esp_1976", "segi_1960", "us_2000"]


def test_every_standard_has_a_title_a_source_and_weights():
    titles = standard_populations()
    assert list(titles["standard"]) == ALL
    assert (titles[["title_vi", "title_en", "source", "checked"]] != "").all(axis=None)
    assert set(read_codelist("standard_populations")["standard"]) == set(ALL)


@pytest.mark.parametrize("standard", ALL)
@pytest.mark.parametrize("bands", [None, FIVE_YEAR_80, ["0-14", "15-59", "60+"]])
def test_the_shares_of_a_standard_sum_to_one_however_grouped(standard, bands):
    assert standard_population(standard, bands)["standard_population"].sum() == pytest.approx(1)


def test_whos_printed_percentages_sum_to_100_03_and_are_divided_by_it():
    under_five = standard_population("who_2000_2025").set_index("age_group")["standard_population"]["0-4"]
    assert under_five == pytest.approx(8.86 / 100.03)


def test_the_open_group_of_a_standard_is_added_up_to_the_callers():
    weights = standard_population("esp_2013", FIVE_YEAR_80).set_index("age_group")["standard_population"]
    assert weights["80+"] == pytest.approx((2500 + 1500 + 1000) / 100_000)
    assert weights["0-4"] == pytest.approx((1000 + 4000) / 100_000)


def test_a_rate_of_some_ages_gets_the_weights_of_those_ages():
    weights = standard_population("segi_1960", ["30-34", "35-39"])
    assert list(weights["standard_population"]) == pytest.approx([0.06, 0.06])


def test_a_standard_that_does_not_split_infants_refuses_to():
    with pytest.raises(InputError) as refusal:
        standard_population("who_2000_2025", ABRIDGED_85)
    assert "who_2000_2025" in refusal.value.sentence("vi")
    assert len(standard_population("esp_1976", ABRIDGED_85)) == 19
    with pytest.raises(InputError):
        standard_population("esp_1976", ["0-4", "5-9", "10-17", "18+"])


def test_an_unknown_standard_is_answered_with_the_known_ones():
    with pytest.raises(InputError) as refusal:
        standard_population("who_1900", FIVE_YEAR_85)
    assert "who_2000_2025" in refusal.value.sentence("vi")


def test_us_2000_agrees_with_the_eleven_groups_of_its_report():
    # Anderson & Rosenberg, NVSR 47(3), 1998, table I; the report rounds 75-84 up to reach a million.
    printed = {"0": 13818, "1-4": 55317, "5-14": 145565, "15-24": 138646, "25-34": 135573, "35-44": 162613,
               "45-54": 134834, "55-64": 87247, "65-74": 66037, "75-84": 44842, "85+": 15508}  # fmt: skip
    ours = standard_population("us_2000", list(printed)).set_index("age_group")["standard_population"] * 1_000_000
    assert ours.to_dict() == pytest.approx(printed, abs=1.01)


def test_weights_are_joined_to_a_table_by_age_group_not_by_place():
    deaths = table("""
        unit_id   | age_group | events
        VN2025:51 | 60+       | 70
        VN2025:51 | 0-59      | 30
    """)
    weighted = with_standard_population(deaths, "esp_2013")
    over_sixty = 6000 + 5500 + 5000 + 4000 + 2500 + 1500 + 1000
    assert list(weighted["standard_population"]) == pytest.approx([over_sixty / 1e5, 1 - over_sixty / 1e5])


def test_deaths_of_unknown_age_are_not_dropped_in_silence():
    deaths = table("""
        age_group | events
        0-59      | 30
        60+       | 70
        unknown   | 2
    """)
    with pytest.raises(InputError) as refusal:
        with_standard_population(deaths, "esp_2013")
    assert "1" in refusal.value.sentence("vi")

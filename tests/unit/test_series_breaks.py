"""Marks of a series: where it changes its population vintage, units, ICD list, register form, or what its columns say."""

import pandas as pd
import pytest
from support import table

from tkyt_analysis.analysis.trend import known_vintages, series_breaks
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import all_labels


def test_a_series_of_rates_over_2017_changes_its_population_vintage_there():
    found = series_breaks([2015, 2016, 2017, 2018], kinds="population")
    assert found[["at", "before", "after", "mixed"]].values.tolist() == [[2017, "NSO-A", "NSO-B", False]]


def test_a_year_in_which_provinces_merge_holds_both_units():
    found = series_breaks(range(2020, 2027), kinds="units")
    assert found[["at", "before", "after", "mixed"]].values.tolist() == [[2025, "VN2024", "VN2025", True]]


def test_months_know_the_day_of_the_merger():
    found = series_breaks(["202505", "202506", "202507", "202508"], kinds=["units"])
    assert found[["at", "mixed"]].values.tolist() == [["202507", False]]


def test_a_series_that_skips_the_year_of_the_change_is_marked_at_its_next_year():
    assert series_breaks([2014, 2015, 2018, 2019], kinds="population")["at"].tolist() == [2018]


def test_that_the_catalog_begins_in_2009_is_no_break():
    assert series_breaks(range(2005, 2017), kinds="population").empty


def test_a_series_on_one_side_of_every_change_has_no_mark():
    assert series_breaks([2021, 2022, 2023, 2024]).empty


def test_what_the_data_say_they_rest_on_is_a_break_where_it_changes_within_a_series():
    rows = table("""
        province | year | list
        01       | 2021 | A
        01       | 2022 | A
        01       | 2023 | B
        79       | 2021 | B
        79       | 2022 | B
        79       | 2023 | B
    """)
    found = series_breaks(rows, kinds=(), columns="list", by="province")
    assert found[["province", "kind", "at", "before", "after"]].values.tolist() == [["01", "list", 2023, "A", "B"]]


def test_two_sources_in_one_year_are_mixed():
    rows = pd.DataFrame({"year": [2021, 2022, 2022, 2023], "source": ["A6", "A6", "register", "register"]})
    found = series_breaks(rows, kinds=(), columns=["source"])
    assert found[["at", "after", "mixed"]].values.tolist() == [[2022, "A6 + register", True], [2023, "register", False]]


@pytest.mark.parametrize("kind", ["population", "units", "icd_edition", "death_register"])
def test_vintages_follow_each_other_and_name_their_source(kind):
    vintages = known_vintages(kind)
    assert vintages["first_day"].is_monotonic_increasing
    assert vintages["first_day"].is_unique
    assert (vintages["source"].str.len() > 5).all()


def test_every_mark_has_its_sentence():
    found = series_breaks(range(2008, 2028))
    assert set(found["kind"]) == {"population", "units", "icd_edition", "death_register"}
    assert set(found["note"]) <= set(all_labels())


def test_an_unknown_kind_is_answered_with_the_known_ones():
    with pytest.raises(UsageError, match="population, units, icd_edition, death_register"):
        series_breaks([2016, 2017], kinds="weather")

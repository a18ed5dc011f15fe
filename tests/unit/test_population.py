"""Denominators say where they come from and how far to trust them."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import all_labels, label
from tkyt_analysis.reference.periods import months_of, period
from tkyt_analysis.reference.population import person_years, population, year_fractions
from tkyt_analysis.reference.population_series import national_population, population_series, projection_by_age

PROVINCES_2025 = sorted("VN2025:" + read_codelist("provinces_2024")["code_2025"].unique())


def total(units, years, **options) -> float:
    return population(units, years, by=(), **options)["persons"].sum()


def test_the_columns_are_those_of_the_contract():
    columns = ["unit_id", "year", "sex", "age_group", "persons", "series", "status", "source", "method"]
    assert list(population("VN2025:51", 2019).columns) == columns


def test_quang_ngai_of_2025_is_the_sum_of_quang_ngai_and_kon_tum():
    parts = total(["VN2024:51", "VN2024:62"], 2019)
    assert total("VN2025:51", 2019) == parts == pytest.approx(1_000 * (1231.9 + 543.4))


@given(year=st.integers(2009, 2034), by=st.sampled_from([(), ("sex",)]))
@settings(max_examples=20)
def test_34_provinces_63_provinces_and_the_nation_are_the_same_people(year, by):
    sums = [population(units, year, by=by)["persons"].sum() for units in ("VN", "VN2024", "VN2025")]
    assert sums == pytest.approx([sums[0]] * 3)


def test_a_whole_system_has_63_or_34_provinces_and_no_name_is_shared():
    assert population("VN2024", 2019, by=())["unit_id"].nunique() == 63
    assert list(population("VN2025", 2019, by=())["unit_id"]) == PROVINCES_2025
    # Code 82 is Tiền Giang before and Đồng Tháp after 2025-07-01.
    assert total("VN2025:82", 2019) == total(["VN2024:82", "VN2024:87"], 2019) > total("VN2024:82", 2019)


@pytest.mark.parametrize(
    ("year", "series", "status"),
    [
        (2009, "NSO-A", "final"),
        (2016, "NSO-A", "preliminary"),
        (2018, "NSO-B", "final"),
        (2019, "NSO-B", "preliminary"),
        (2020, "MODEL", "modelled"),
        (2024, "MODEL", "modelled"),
        (2025, "MODEL", "modelled"),
        (2034, "MODEL", "modelled"),
    ],
)
def test_every_year_carries_its_series_and_an_honest_mark(year, series, status):
    rows = population("VN2025", year, by=())
    assert set(rows["series"]) == {series}
    assert set(rows["status"]) == {status}
    sources = population_series().set_index("series")["source"]
    assert set(rows["source"]) == {sources[series]}
    assert label(rows["method"][0], "vi")


def test_the_two_series_around_the_census_are_never_put_into_one_line():
    with pytest.raises(InputError) as refusal:
        population("VN", [2016, 2017], by=())
    sentence = refusal.value.sentence("vi")
    assert "2016" in sentence
    assert "MODEL" in sentence
    for series, years in (("NSO-A", [2016, 2017]), ("NSO-B", [2016, 2017]), ("NSO-B", [2020])):
        with pytest.raises(InputError):
            population("VN", years, by=(), series=series)


def test_across_the_break_only_marked_figures_are_given():
    line = population("VN", range(2011, 2026), by=(), series="MODEL").set_index("year")
    revised = national_population().set_index("year")["total"]
    assert line["persons"].to_dict() == pytest.approx(revised[line.index].to_dict(), abs=600)
    assert set(line.loc[2011:2016, "status"]) == {"modelled"}
    growth = line["persons"].pct_change().dropna()
    assert growth.between(0.005, 0.015).all()  # no jump at 2017
    projection = population("VN", range(2014, 2035), by=(), series="PROJECTION")
    assert set(projection["status"]) == {"projection"}


def test_ages_sum_to_the_published_total_of_their_sex():
    by_sex = population("VN2024", 2019, by=("sex",))
    by_age = population("VN2024", 2019)
    sums = by_age.groupby(["unit_id", "sex"])["persons"].sum()
    expected = by_sex.set_index(["unit_id", "sex"])["persons"]
    assert sums.to_dict() == pytest.approx(expected.to_dict(), rel=1e-12)
    assert list(by_age["age_group"].unique())[:2] == ["0-4", "5-9"]
    assert by_age["age_group"].iloc[-1] == "80+"


def test_ages_of_an_official_total_are_marked_as_modelled():
    assert set(population("VN2024:01", 2018, by=("sex",))["status"]) == {"final"}
    by_age = population("VN2024:01", 2018)
    assert set(by_age["status"]) == {"modelled"}
    assert set(by_age["method"]) == {"population.method.age_shares_raked"}
    projection = population("VN2024:01", 2018, series="PROJECTION")
    assert set(projection["status"]) == {"projection"}
    assert set(projection["method"]) == {"population.method.published"}


def test_coarser_age_groups_are_added_up():
    fine, coarse = population("VN", 2025), population("VN", 2025, age_groups=["0-14", "15-59", "60+"])
    assert len(coarse) == 2 * 3
    children = fine[fine["age_group"].isin(["0-4", "5-9", "10-14"])]["persons"].sum()
    assert coarse[coarse["age_group"] == "0-14"]["persons"].sum() == pytest.approx(children)
    with pytest.raises(InputError):
        population("VN", 2025, age_groups=["0", "1-4", "5+"])


def test_without_an_age_structure_there_is_a_sentence_not_a_guess():
    with pytest.raises(InputError) as refusal:
        population("VN2024:01", 2012)
    assert "2012" in refusal.value.sentence("vi")


@pytest.mark.parametrize("unit", ["VN2025:21025", "VN2024:522", "VN2025:02", "51", "XX"])
def test_units_without_shipped_population_are_refused_with_a_sentence(unit):
    with pytest.raises(InputError) as refusal:
        population(unit, 2019)
    assert unit in refusal.value.sentence("vi")


def test_wrong_questions_are_refused():
    for options in ({"by": ("ethnic_group",)}, {"by": "sex"}):
        with pytest.raises(UsageError):
            population("VN", 2019, **options)
    for options in ({"series": "NQ202"}, {"years": 2005}, {"years": 2035}):
        with pytest.raises(InputError):
            population("VN", options.pop("years", 2019), by=(), **options)


def test_the_projection_is_stored_whole():
    ages = projection_by_age()
    assert len(ages) == 63 * 2 * 17 * 21
    assert ages["persons"].gt(0).all()


def test_every_method_and_status_has_its_words():
    methods = {
        "published",
        "scaled_to_revised",
        "modelled_2020_2024",
        "carried_forward",
        "age_shares_raked",
        "supplied",
    }
    assert {f"population.method.{name}" for name in methods} <= set(all_labels())


# ---- person-years


def test_person_years_are_persons_times_the_part_of_the_year():
    persons = table("""
        unit_id   | year | persons
        VN2025:51 | 2024 | 366000
        VN2025:51 | 2025 | 365000
    """)
    lived = person_years(persons, ["2024", "202402", "202501A"]).set_index("period_id")["person_years"]
    assert lived.to_dict() == pytest.approx(
        {"2024": 366_000, "202402": 1_000 * 29, "202501A": 1_000 * 17 + 1_000 * 14}  # 15-31 December, 1-14 January
    )


@given(st.integers(2001, 2030), st.sampled_from(["Q1", "S2", "C9", ""]))
def test_the_months_of_a_window_add_up_to_its_person_years(year, part):
    whole = year_fractions([f"{year}{part}"])["fraction"].sum()
    assert year_fractions(months_of(f"{year}{part}"))["fraction"].sum() == pytest.approx(whole)


def test_a_window_across_new_year_shows_the_weaker_mark():
    persons = population("VN", [2019, 2020], by=())
    marks = person_years(persons, [period("202001A"), "2019"]).set_index("period_id")["status"]
    assert marks.to_dict() == {"202001A": "modelled", "2019": "preliminary"}


def test_person_years_need_the_population_of_every_year_touched():
    with pytest.raises(InputError) as refusal:
        person_years(population("VN", 2019, by=()), ["202001A"])
    assert "2020" in refusal.value.sentence("vi")


def test_person_years_keep_the_order_of_ages():
    lived = person_years(population("VN", 2019), ["2019Q1"])
    assert list(lived["age_group"].unique())[:4] == ["0-4", "5-9", "10-14", "15-19"]
    assert isinstance(lived, pd.DataFrame)
    assert "year" not in lived

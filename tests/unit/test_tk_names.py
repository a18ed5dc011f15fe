"""Names as people write them: with or without accents, in either language; wrong ones are answered with the nearest."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.api import names
from tkyt_analysis.api.search import Entry, ranking
from tkyt_analysis.cube.model import DIMENSIONS
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.vietnamese_text import fold

MEASURES = {
    "crude_death_rate": ["Tỷ suất chết thô", "Crude death rate"],
    "infant_mortality_rate": ["Tỷ suất tử vong trẻ dưới 1 tuổi", "Infant mortality rate"],
    "deaths": ["Số tử vong", "Deaths"],
    "mch/maternal_deaths": ["Số tử vong mẹ", "Maternal deaths"],
    "mch2/maternal_deaths": ["Số ca tử vong mẹ", "Maternal deaths, other book"],
    "a/births": ["Số trẻ đẻ sống", "Live births"],
    "b/births": ["Số trẻ đẻ sống", "Live births"],
}


@pytest.mark.parametrize(
    "written",
    ["crude_death_rate", "Tỷ suất chết thô", "ty suat chet tho", "TỶ SUẤT CHẾT THÔ", "Crude Death Rate", "crude-death-rate"],
)  # fmt: skip
def test_a_measure_answers_to_its_id_and_to_its_names(written):
    assert names.find_name(written, MEASURES, kind="measure") == "crude_death_rate"


def test_a_wrong_name_is_answered_with_the_nearest_right_ones():
    with pytest.raises(InputError) as error:
        names.find_name("crude_deth_rate", MEASURES, kind="measure")
    sentence = error.value.sentence("vi")
    assert "“crude_deth_rate”" in sentence
    assert "crude_death_rate (Tỷ suất chết thô)" in sentence


def test_a_name_of_two_things_is_not_guessed():
    with pytest.raises(InputError, match="a/births.*b/births"):
        names.find_name("số trẻ đẻ sống", MEASURES, kind="element")


@given(st.sampled_from(sorted(MEASURES)), st.data())
def test_one_wrong_letter_still_finds_the_measure(measure, data):
    written = MEASURES[measure][0]
    place = data.draw(st.integers(0, len(written) - 1))
    assert measure in names.nearest(written[:place] + "x" + written[place + 1 :], MEASURES) or measure == "b/births"


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_dimension_answers_to_its_vietnamese_name_with_and_without_accents(dimension):
    for called in names.dimension_names()[dimension]:
        assert names.find_dimensions([called]) == (dimension,)
        assert names.find_dimensions([fold(called)]) == (dimension,)


def test_a_wrong_dimension_names_the_right_one():
    with pytest.raises(InputError, match="province"):
        names.find_dimensions(["provnce"])


@pytest.mark.parametrize(
    ("written", "period"),
    [
        ("2025", "2025"),
        (2025, "2025"),
        ("2024..2025", "2024..2025"),
        ("2024-2025", "2024..2025"),
        ("2024–2025", "2024..2025"),
        ((2024, 2025), "2024..2025"),
        ("202501 .. 202506", "202501..202506"),
        ("2025-06", "202506"),
        ("Tháng 6 năm 2025", "202506"),
        ("quý II/2025", "2025Q2"),
        (datetime.date(2025, 6, 15), "202506"),
        ("", ""),
        (None, ""),
    ],
)
def test_periods_are_read_as_people_write_them(written, period):
    assert names.find_period(written) == period


def test_a_period_that_is_none_is_a_sentence():
    with pytest.raises(InputError, match="hôm qua"):
        names.find_period("hôm qua")


@pytest.mark.parametrize(
    ("written", "geography", "unit"),
    [
        ("VN", "VN2025", "VN"),
        ("Cả nước", "VN2025", "VN"),
        ("Quảng Ngãi", "VN2025", "VN2025:51"),
        ("quang ngai", "VN2025", "VN2025:51"),
        ("Tỉnh Quảng Ngãi", "VN2024", "VN2024:51"),
        ("Xã Trà Bồng, Quảng Ngãi", "VN2025", "VN2025:21115"),
        ("VN2025:51", "VN2025", "VN2025:51"),
    ],
)
def test_places_answer_to_ids_and_names(written, geography, unit):
    assert names.find_place(written, geography) == unit


def test_a_place_that_is_none_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="Quảng Ngãi"):
        names.find_place("Quảng Ngai Ngãi", "VN2025")
    with pytest.raises(InputError, match="VN2025:96"):
        names.find_place("VN2025:99", "VN2025")


def test_a_province_that_is_gone_says_in_which_units_it_stood():
    with pytest.raises(InputError, match="Kon Tum"):
        names.find_place("Kon Tum", "VN2025")
    assert names.find_place("Kon Tum", "VN2024") == "VN2024:62"


def test_members_answer_to_codes_and_names():
    sexes = {"male": "nam", "female": "nữ", "unknown": "không rõ"}
    assert names.find_members("sex", "nu", sexes) == ("female",)
    assert names.find_members("sex", ["Female", "nam"], sexes) == ("female", "male")
    with pytest.raises(InputError, match="male"):
        names.find_members("sex", "mael", sexes)


def entry(id, name, kind="measure", more=""):
    title = names.key(name)
    return Entry(id, name, kind, "", "", title, f"{title} {names.key(id)} {names.key(more)}")


ENTRIES = [
    entry("deaths", "Số tử vong"),
    entry("maternal_deaths", "Số tử vong mẹ", "element"),
    entry("form16_maternal", "Biểu 16: tử vong mẹ chỉ ở dòng 18", "rule"),
    entry("death", "Tử vong đã ghi sổ", "dataset", more="tử vong có liên quan thai sản của mẹ"),
    entry("measles", "Số ca mắc sởi", "element"),
]


@pytest.mark.parametrize("written", ["tử vong mẹ", "tu vong me", "TỬ VONG MẸ", "  tu   vong mẹ "])
def test_search_finds_with_and_without_accents_best_first(written):
    found = [one.id for one in ranking(written, ENTRIES)]
    assert found == ["maternal_deaths", "form16_maternal", "death"]


def test_a_title_that_is_the_text_itself_comes_before_longer_ones():
    assert [one.id for one in ranking("số tử vong", ENTRIES)][:2] == ["deaths", "maternal_deaths"]


def test_search_forgives_a_wrong_letter_and_finds_nothing_for_nothing():
    assert ranking("số ca mắc sỏii", ENTRIES)[0].id == "measles"
    assert ranking("", ENTRIES) == []
    assert ranking("đường sắt", ENTRIES) == []

"""Completeness by wide age: infants missed more often than others are corrected more, and the sum of deaths stays the same."""

import pandas as pd
import pytest

from mortality.completeness_ages import ONE_FOR_ALL, completeness_at_ages
from mortality.completeness_cells import HISTORIES

BANDS = ["0", "1-4", *[f"{low}-{low + 4}" for low in range(5, 85, 5)], "85+"]
PLACE = {"unit_id": "VN2025:51", "year": 2024}


def cell(age, deaths, coverage):
    """Persons on three lists that catch each `coverage` of `deaths`, one apart from the other."""
    rows = {"age_group": age}
    for history in range(1, 8):
        caught = bin(history).count("1")
        rows[f"h{history}"] = round(deaths * coverage**caught * (1 - coverage) ** (3 - caught))
    book = sum(number for name, number in rows.items() if name != "age_group" and int(name[1:]) & 1)
    return rows | {"deaths": book}


def cells(*rows):
    return pd.DataFrame(
        [{**PLACE, **cell(*row)} for row in rows], columns=["unit_id", "year", "age_group", "deaths", *HISTORIES]
    )


def whole(value=0.75, lower=0.7, upper=0.8):
    return pd.DataFrame([{**PLACE, "completeness": value, "lower": lower, "upper": upper}])


# half of 4,000 infants, four fifths of 20,000 others under 60, and of 40,000 from 60: in the book 2,000 + 16,000 + 32,000
LISTS = cells(("0", 4_000, 0.5), ("30-34", 20_000, 0.8), ("65-69", 20_000, 0.8), ("85+", 20_000, 0.8))


def test_ages_that_the_lists_miss_more_often_are_less_complete_in_the_same_proportion():
    rows, _ = completeness_at_ages(whole(), LISTS, BANDS, least=60)
    value = rows.set_index("age_group")["completeness"]
    assert value["0"] / value["40-44"] == pytest.approx(0.5 / 0.8, rel=0.01)
    assert value["80-84"] == value["85+"]


def test_the_place_as_a_whole_stays_as_complete_as_all_methods_say():
    rows, _ = completeness_at_ages(whole(), LISTS, BANDS, least=60)
    value = rows.set_index("age_group")["completeness"]
    book = LISTS.set_index("age_group")["deaths"]
    assert book.sum() / (book / value[book.index]).sum() == pytest.approx(0.75)


def test_the_limits_of_an_age_are_never_nearer_than_those_of_the_place():
    rows, _ = completeness_at_ages(whole(), LISTS, BANDS, least=60)
    assert (rows["lower"] / rows["completeness"] <= 0.7 / 0.75 + 1e-9).all()
    assert (rows["upper"] / rows["completeness"] >= 0.8 / 0.75 - 1e-9).all()


def test_an_age_with_few_persons_on_the_lists_has_the_completeness_of_the_place_and_the_words_leave_it_out():
    few = cells(("0", 40, 0.5), ("30-34", 20_000, 0.8), ("65-69", 20_000, 0.6), ("unknown", 9_000, 0.1))
    rows, words = completeness_at_ages(whole(), few, BANDS, least=60)
    value = rows.set_index("age_group")["completeness"]
    assert value["0"] == 0.75
    assert value["65-69"] < 0.75 < value["30-34"]
    assert words["ages"].tolist() == ["completeness by age from lists (1-59, 60-79)"]


@pytest.mark.parametrize("lists", [LISTS.iloc[:1], LISTS.iloc[:0]], ids=["one age alone", "no lists"])
def test_without_two_ages_to_compare_all_ages_have_one_completeness(lists):
    rows, words = completeness_at_ages(whole(), lists, BANDS, least=60)
    assert set(rows["completeness"]) == {0.75}
    assert words["ages"].tolist() == [ONE_FOR_ALL]


def test_a_population_that_ends_at_seventy_is_divided_at_sixty():
    rows, words = completeness_at_ages(whole(), LISTS, ["0", "1-4", "5-59", "60-69", "70+"], least=60)
    assert words["ages"].tolist() == ["completeness by age from lists (0, 1-59, 60+)"]
    value = rows.set_index("age_group")["completeness"]
    assert value["70+"] == value["60-69"] > value["0"]


def test_a_place_of_unknown_completeness_stays_unknown_at_every_age():
    rows, _ = completeness_at_ages(whole(float("nan"), float("nan"), float("nan")), LISTS, BANDS, least=60)
    assert rows["completeness"].isna().all()

"""True deaths of the practice world: level, causes, ages, registration, and the words for them."""

import numpy as np
import pandas as pd
import pytest

from mortality.practice import dates, people
from mortality.practice.deaths import LEVEL, Batch, draw_deaths
from mortality.practice.form16 import row_of_code
from mortality.practice.legacy_encodings import to_tcvn3, to_vni
from mortality.practice.vocabulary import (
    broad_group_of_cause,
    cause_codes,
    death_rates,
    draw_expressions,
    wording,
)
from tkyt_analysis.practice.world import create_world


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return create_world("province", tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def deaths(world):
    """Two years of one province: about 15 000 deaths."""
    years = []
    for year in (2023, 2024):
        batch = Batch("51", f"{year}01", f"{year}12", world.communes, False)
        years.append(draw_deaths(world, batch, world.population(year)))
    return pd.concat(years, ignore_index=True)


def test_the_nation_dies_at_the_published_crude_rate(tmp_path):
    population = create_world("national", tmp_path).population(2024)
    rate = death_rates(2024)
    cell = pd.MultiIndex.from_frame(population[["sex", "age_group"]])
    expected = LEVEL * (rate.reindex(cell).to_numpy() * population["persons"].to_numpy()).sum()
    assert 5.6 <= 1000 * expected / population["persons"].sum() <= 6.3


def test_broad_cause_groups_are_near_the_plan(deaths):
    share = 100 * deaths["cause"].map(broad_group_of_cause()).value_counts(normalize=True)
    assert 77 <= share["ncd"] <= 82
    assert 7.5 <= share["injury"] <= 11
    assert 8.5 <= share["cmpn"] <= 13


def test_stroke_leads_and_the_usual_causes_follow(deaths):
    leading = deaths["cause"].value_counts().index[:8].tolist()
    assert leading[0] == "stroke"
    assert {"ischaemic_heart", "copd", "lower_respiratory", "lung_cancer", "diabetes"} <= set(leading)


def test_no_true_cause_is_impossible_for_sex_or_age(deaths):
    codes = cause_codes()
    number, sex, age = (deaths[name].to_numpy() for name in ("code", "sex", "age_years"))
    assert codes.allowed(number, sex, age).all()
    of = deaths.groupby("cause")
    assert set(of.get_group("prostate_cancer")["sex"]) == {0}
    assert set(of.get_group("cervix_cancer")["sex"]) == {1}
    assert of.get_group("perinatal")["age_days"].max() < 366
    assert (deaths["cause"] != "garbage").all()


def test_mothers_die_between_15_and_49(world):
    from mortality.practice.deaths import draw_causes

    women = np.ones(200_000, int)
    age = np.random.default_rng(1).integers(0, 100, len(women))
    cause = cause_codes().cause[draw_causes(np.random.default_rng(2), women, age * 366, age)]
    maternal = age[cause == "maternal"]
    assert len(maternal) > 100
    assert maternal.min() >= 15
    assert maternal.max() <= 49


def test_age_agrees_with_birth_and_death(deaths):
    birth, death = (deaths[name].to_numpy() for name in ("birth_day", "death_day"))
    assert (death - birth == deaths["age_days"]).all()
    old = deaths["age_days"].to_numpy() >= 366
    assert (dates.completed_years(birth, death)[old] == deaths["age_years"].to_numpy()[old]).all()
    assert dates.completed_years(
        np.array([dates.day_number("2000-06-02")]), np.array([dates.day_number("2024-06-01")])
    ) == [23]


@pytest.mark.parametrize(
    ("name", "low", "high", "missed"),
    [("infants", 0, 0, 0.40), ("80 and over", 80, 130, 0.15), ("others", 1, 79, 0.08)],
)
def test_registers_miss_the_planned_share(deaths, name, low, high, missed):
    group = deaths[deaths["age_years"].between(low, high)]
    tolerance = 4 * np.sqrt(missed * (1 - missed) / len(group))
    assert 1 - group["registered"].mean() == pytest.approx(missed, abs=tolerance)


def test_the_epidemic_is_in_the_second_half_of_2021_only(world):
    population = world.population(2021)
    first = draw_deaths(world, Batch("79", "202101", "202106", world.communes, False), population)
    second = draw_deaths(world, Batch("79", "202107", "202112", world.communes, False), population)
    assert (first["cause"] != "covid").all()
    covid = second[second["cause"] == "covid"]
    expected = 2.1 / 1000 * population["persons"].sum()
    assert len(covid) == pytest.approx(expected, rel=0.1)
    assert set(cause_codes().code[covid["code"]]) == {"U07.1"}


def test_every_code_has_words_and_the_list_is_long_enough():
    texts, _, number = wording()
    assert set(number) == set(range(len(cause_codes().code)))
    assert len(texts) >= 600
    assert len(set(number)) >= 150


def test_words_belong_to_their_code():
    code = np.repeat(np.arange(len(cause_codes().code)), 20)
    texts, _, number = wording()
    own = {n: set(texts[number == n]) for n in range(len(cause_codes().code))}
    for region in range(3):
        drawn = draw_expressions(np.random.default_rng(region), code, np.full(len(code), region))
        assert all(text in own[n] for text, n in zip(drawn, code))


def test_every_code_is_counted_in_one_row_of_the_form():
    rows = {code: row_of_code(code) for code in cause_codes().code}
    assert (rows["I64"], rows["A16.9"], rows["R54"], rows["W74"], rows["X70"]) == (10, 1, 25, 20, 22)
    assert (row_of_code("Y87.0"), row_of_code("Y87.1"), row_of_code("A05.9"), row_of_code("A34")) == (22, 24, 21, 18)
    with pytest.raises(ValueError, match="S06"):
        row_of_code("S06.9")


@pytest.mark.parametrize(
    "date",
    [
        "2016-02-08",
        "2017-01-28",
        "2018-02-16",
        "2019-02-05",
        "2020-01-25",
        "2021-02-12",
        "2022-02-01",
        "2023-01-22",
        "2024-02-10",
        "2025-01-29",
        "2026-02-17",
    ],
)
def test_tet_is_the_first_day_of_the_first_lunar_month(date):
    first, table = dates.lunar_table()
    assert table[dates.day_number(date) - first].tolist() == [1, 1, 0]


def test_lunar_dates_are_written_as_families_say_them():
    day = np.array([dates.day_number(date) for date in ("2023-08-30", "2023-03-22", "2024-02-09")])
    assert dates.lunar_text(day, np.array([2, 0, 2])).tolist() == [
        "rằm tháng 7 âm lịch",
        "1/2 nhuận âl",
        "ngày 30 tháng chạp âm lịch",
    ]


def test_personal_numbers_are_built_as_the_decree_says_and_bear_the_mark_of_invented_ones():
    """051 (province) + 1 (a woman of the 1900s) + 50 (born 1950) + 9xxxxx."""
    sex = np.array([0, 1] * 50)
    birth = np.full(100, dates.day_number("1950-01-01"))
    numbers = people.draw_id_numbers(np.random.default_rng(1), sex, birth, "51")
    written = [(number, s) for number, s in zip(numbers, sex) if number]
    assert 60 <= len(written) < 100
    assert all(len(n) == 12 and n[3:6] == f"{s}50" and n[6] == "9" for n, s in written)
    assert 0.7 <= np.mean([n.startswith("051") for n, _ in written]) < 1
    assert len({n for n, _ in written}) == len(written)


def test_old_fonts_store_vietnamese_as_published():
    assert to_tcvn3("Tai biến mạch máu não, Đuối nước").encode("latin-1") == (
        b"Tai bi\xd5n m\xb9ch m\xb8u n\xb7o, \xa7u\xe8i n\xad\xedc"
    )
    assert to_vni("Tai biến mạch máu não, Đuối nước, ung thư") == "Tai bieán maïch maùu naõo, Ñuoái nöôùc, ung thö"

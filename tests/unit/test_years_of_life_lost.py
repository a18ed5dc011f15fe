"""Years of life lost: standards, limits, rates, tables by cause before and after redistribution."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from mortality.measures.life_expectancy_standards import (
    life_expectancy_standards,
    mean_ages_at_death,
    years_per_death,
)
from mortality.measures.life_table import life_tables
from mortality.measures.years_of_life_lost import (
    before_and_after,
    years_of_life_lost,
    years_of_life_lost_by_age,
    years_of_life_lost_of,
)
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.reference.ages import ABRIDGED_85
from tkyt_analysis.reference.standard_populations import standard_population

DEATHS = np.array([38, 9, 5, 6, 21, 33, 40, 55, 83, 120, 166, 239, 301, 377, 402, 455, 501, 498, 612])
PEOPLE = np.linspace(50_000, 4_000, 19)


def test_a_death_loses_what_who_s_standard_gives_its_age():
    rows = years_of_life_lost_by_age(DEATHS, ABRIDGED_85)
    assert rows["yll"][0] == pytest.approx(38 * 91.93)
    assert rows["yll"].iloc[-1] == pytest.approx(612 * 7.60)
    total = years_of_life_lost(DEATHS, ABRIDGED_85)
    assert total["yll"][0] == pytest.approx(rows["yll"].sum())
    assert total["yll_per_death"][0] == pytest.approx(rows["yll"].sum() / DEATHS.sum())
    assert years_per_death(range(106))[0][40] == 52.20
    assert years_per_death(range(116))[0][[105, 110, 115]].tolist() == [1.02, 1.02, 1.02]


def test_groups_that_the_standard_does_not_print_are_interpolated_at_the_mean_age_of_death():
    years, words = years_per_death(["0-4", "5-14", "15-79", "80-84", "85+"])
    assert years[3:].tolist() == [12.51, 7.60]  # these two are printed
    assert years[1] == pytest.approx(82.03)  # exact age 10
    assert years[2] == pytest.approx((45.30 + 44.32) / 2)  # exact age 47.5
    assert "mean age" in words
    always = years_per_death(ABRIDGED_85, at="mean_age")[0]
    assert always[3] == pytest.approx((80.03 + 79.03) / 2)  # 10-14: exact age 12.5
    given = years_per_death(["0-39", "40+"], mean_age=[10, 40])[0]
    assert given.tolist() == [82.03, 52.20]


def test_a_wide_open_group_is_not_guessed():
    with pytest.raises(InputError, match="open_mean_age"):
        years_per_death(["0-59", "60+"])
    years = years_per_death(["0-59", "60+"], open_mean_age=75)[0]
    assert years[1] == 18.62
    assert mean_ages_at_death(["0", "1-4", "5-9", "80+"]).tolist() == [0.1, 2.6, 7.5, 85.0]


@pytest.mark.parametrize("standard", [*life_expectancy_standards()["standard"], "before_70"])
def test_every_standard_of_the_catalog_falls_with_age_and_names_itself(standard):
    years, words = years_per_death(ABRIDGED_85, standard)
    assert (np.diff(years) <= 0).all()
    assert (years >= 0).all()
    assert words.startswith("years to age 70" if standard == "before_70" else standard)


def test_years_before_an_age_limit_count_nothing_beyond_it():
    years = years_per_death(ABRIDGED_85, "before_70")[0]
    assert years[2] == 70 - 7.5
    at = ABRIDGED_85.index("65-69")
    assert years[at] == pytest.approx(70 - 67.5)
    assert (years[at + 1 :] == 0).all()


def test_one_s_own_life_table_or_table_of_years_may_be_the_standard():
    nmx = np.linspace(0.01, 0.2, 19)
    own = life_tables(nmx, ABRIDGED_85)
    years, words = years_per_death(ABRIDGED_85, own)
    assert years[3] == pytest.approx(np.interp(12.5, own.age, own.ex[0]))
    assert words.startswith("own life table")
    of_table = years_per_death(ABRIDGED_85, pd.DataFrame({"age": own.age, "ex": own.ex[0]}))[0]
    np.testing.assert_allclose(of_table, years)
    np.testing.assert_allclose(years_per_death(ABRIDGED_85, dict(zip(own.age, own.ex[0], strict=True)))[0], years)
    two = life_tables(np.stack([nmx, 2 * nmx]), ABRIDGED_85)
    rows = years_of_life_lost(np.stack([DEATHS, DEATHS]), ABRIDGED_85, standard=two)
    assert rows["yll"][0] > rows["yll"][1]


def test_a_life_table_without_an_end_is_no_standard_and_says_so():
    endless = life_tables(np.append(np.linspace(0.01, 0.1, 18), 0), ABRIDGED_85)
    row = years_of_life_lost(DEATHS, ABRIDGED_85, standard=endless).iloc[0]
    assert np.isnan(row["yll"])
    assert (row["status"], row["reason"]) == ("not_assessable", "reason.yll_no_years")


def test_rates_are_per_person_year_and_standardised_rates_weigh_the_ages():
    row = years_of_life_lost(DEATHS, ABRIDGED_85, population=PEOPLE, standard_population="esp_2013").iloc[0]
    years = years_per_death(ABRIDGED_85)[0]
    assert row["rate"] == pytest.approx(100_000 * (DEATHS * years).sum() / PEOPLE.sum())
    weights = standard_population("esp_2013", list(ABRIDGED_85))["standard_population"].to_numpy()
    expected = 100_000 * (weights * DEATHS * years / PEOPLE).sum()
    assert row["standardised_rate"] == pytest.approx(expected)
    who = years_of_life_lost(DEATHS, ABRIDGED_85, population=PEOPLE, standard_population="who_2000_2025").iloc[0]
    young = 8.86 / 100.03 * (38 * 91.93 + 9 * 89.41) / PEOPLE[:2].sum()  # WHO's weights have 0-4, not 0 and 1-4
    older = standard_population("who_2000_2025")["standard_population"].to_numpy()[1:]
    rest = (older * DEATHS[2:] * years[2:] / PEOPLE[2:]).sum()
    assert who["standardised_rate"] == pytest.approx(100_000 * (young + rest))
    own = years_of_life_lost(DEATHS, ABRIDGED_85, population=PEOPLE, standard_population=PEOPLE).iloc[0]
    assert own["standardised_rate"] == pytest.approx(own["rate"])
    assert row["standardised_lower"] < expected < row["standardised_upper"]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=19, max_size=19), st.floats(1.5, 20))
def test_limits_hold_the_value_and_years_add_up_over_causes_and_scale_with_the_counts(deaths, times):
    counts = np.array(deaths)
    parts = years_of_life_lost(np.stack([0.3 * counts, 0.7 * counts, counts, times * counts]), ABRIDGED_85)
    assert parts["yll"][0] + parts["yll"][1] == pytest.approx(parts["yll"][2])
    assert parts["yll"][3] == pytest.approx(times * parts["yll"][2])
    assert (parts["lower"] <= parts["yll"] + 1e-9).all()
    assert (parts["yll"] <= parts["upper"]).all()


def test_limits_are_dobson_s():
    row = years_of_life_lost(DEATHS, ABRIDGED_85).iloc[0]
    years, total = years_per_death(ABRIDGED_85)[0], DEATHS.sum()
    spread = np.sqrt((years**2 * DEATHS).sum() / total)
    above, z = total + 1, 1.959963985
    byar = above * (1 - 1 / (9 * above) + z / (3 * np.sqrt(above))) ** 3
    assert row["upper"] == pytest.approx((years * DEATHS).sum() + spread * (byar - total))


def test_no_death_loses_no_year_and_its_upper_limit_is_that_of_an_unseen_death():
    row = years_of_life_lost(np.zeros(19), ABRIDGED_85, population=PEOPLE).iloc[0]
    assert (row["yll"], row["lower"], row["status"]) == (0, 0, "ok")
    assert row["upper"] == pytest.approx(91.93 * 3.688879, rel=1e-6)
    assert row["rate_upper"] == pytest.approx(100_000 * row["upper"] / PEOPLE.sum())


def test_missing_and_negative_counts_and_absent_people_have_reasons():
    gap = years_of_life_lost(np.where(DEATHS == 5, np.nan, DEATHS), ABRIDGED_85).iloc[0]
    assert (gap["status"], gap["reason"]) == ("not_assessable", "reason.events_missing")
    assert years_of_life_lost(-DEATHS, ABRIDGED_85)["reason"][0] == "reason.events_missing"
    people = PEOPLE.copy()
    people[2] = 0
    row = years_of_life_lost(DEATHS, ABRIDGED_85, population=people, standard_population="esp_2013").iloc[0]
    assert row["reason"] == "reason.no_person_years_in_age_group"
    assert np.isnan(row["standardised_rate"])
    assert row["yll"] > 0
    assert row["rate"] > 0
    nobody = years_of_life_lost(DEATHS, ABRIDGED_85, population=0 * people).iloc[0]
    assert nobody["reason"] == "reason.no_person_years"
    assert np.isnan(nobody["rate"])


def test_discounted_years_are_worth_less():
    plain, discounted = (years_of_life_lost([0, 10], ["0-84", "85+"], discount=rate)["yll"][0] for rate in (0, 0.03))
    assert plain == pytest.approx(76)
    assert discounted == pytest.approx(10 * (1 - np.exp(-0.03 * 7.6)) / 0.03)


# Province 01: ten ill-defined deaths at 80-84 are given back to strokes and cancers.
BY_CAUSE = table("""
    province | cause       | age_group | deaths | deaths_redistributed | people
    01       | stroke      | 80-84     |     10 |                   16 |   1000
    01       | cancer      | 45-49     |      4 |                    4 |   9000
    01       | cancer      | 80-84     |      6 |                   10 |   1000
    01       | ill-defined | 80-84     |     10 |                    0 |   1000
""")


def test_years_by_cause_before_and_after_redistribution_stand_side_by_side():
    rows = before_and_after(BY_CAUSE, ["province", "cause"]).set_index("cause")
    assert rows["yll_before"]["stroke"] == pytest.approx(10 * 12.51)
    assert rows["yll_after"]["stroke"] == pytest.approx(16 * 12.51)
    assert rows["yll_after"]["ill-defined"] == 0
    assert rows["relative_difference"]["ill-defined"] == -1
    assert rows["difference"].sum() == pytest.approx(0)  # the same ages: no year is made or lost


def test_shares_of_the_causes_add_up_to_one_and_each_cause_finds_the_people_of_the_other_rows():
    rows = years_of_life_lost_of(
        BY_CAUSE, ["province", "cause"], population="people", population_by=["province"], share_of=["province"]
    ).set_index("cause")
    assert rows["share"].sum() == pytest.approx(1)
    assert rows["rate"]["stroke"] == pytest.approx(100_000 * 10 * 12.51 / 10_000)
    assert set(rows["status"]) == {"ok"}
    alone = years_of_life_lost_of(BY_CAUSE, ["province", "cause"], population="people").set_index("cause")
    assert alone["reason"]["stroke"] == "reason.no_person_years"  # nobody at 45-49 in its own rows


def test_deaths_of_unknown_age_are_not_lost_silently():
    with pytest.raises(InputError, match="distribute_unknown_ages"):
        years_of_life_lost_of(BY_CAUSE.assign(age_group="unknown"), ["cause"])
    with pytest.raises(InputError, match="deaths"):
        years_of_life_lost_of(BY_CAUSE.drop(columns="deaths"), ["cause"])
    differ = BY_CAUSE.assign(people=[1, 2, 3, 4])
    with pytest.raises(InputError, match="people"):
        years_of_life_lost_of(differ, ["province", "cause"], population="people", population_by=["province"])


def test_wrong_use_is_a_sentence():
    with pytest.raises(InputError, match="who_ghe_2012"):
        years_of_life_lost(DEATHS, ABRIDGED_85, standard="gbd_1800")
    with pytest.raises(UsageError, match="population"):
        years_of_life_lost(DEATHS, ABRIDGED_85, standard_population="esp_2013")
    with pytest.raises(UsageError, match="0.03"):
        years_of_life_lost(DEATHS, ABRIDGED_85, discount=-1)
    with pytest.raises(InputError, match="age"):
        years_per_death(ABRIDGED_85, pd.DataFrame({"x": [1]}))
    with pytest.raises(InputError, match="19"):
        years_of_life_lost(DEATHS, ABRIDGED_85, population=PEOPLE, standard_population=[1, 2])

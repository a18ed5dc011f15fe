"""What the notebooks on completeness and course compute: expected deaths, months without a death, Tết, years enough or not."""

import datetime
from types import SimpleNamespace

import pandas as pd
import pytest
from support import table

from mortality.notebook_completeness import compared, death_schedule, expected_deaths, silent_months
from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.notebook_course import first_day_of_tet, read_years

SCHEDULE = table("""
    year_from | year_to | sex    | age_group | deaths_per_1000
    2020      | 2024    | male   | 0         | 20
    2020      | 2024    | male   | 1-4       | 1
    2025      | 2029    | male   | 0         | 10
    2025      | 2029    | male   | 1-4       | 1
""")
PEOPLE = table("""
    commune | year | sex  | age_group | value
    A       | 2024 | male | 0         | 100
    A       | 2024 | male | 1-4       | 1000
    A       | 2025 | male | 0         | 100
    A       | 2025 | male | 1-4       | 1000
    B       | 2024 | male | 0         | 100
    B       | 2024 | male | unknown   | 7
""")


def test_expected_deaths_are_persons_times_the_rate_of_their_age_sex_and_year():
    found = expected_deaths(PEOPLE, "commune", SCHEDULE).set_index(["commune", "year"])["expected"]
    assert found[("A", 2024)] == pytest.approx((100 * 20 + 1000 * 1) / 1000)
    assert found[("A", 2025)] == pytest.approx((100 * 10 + 1000 * 1) / 1000)


def test_nothing_is_expected_where_a_part_of_the_population_has_no_rate():
    found = expected_deaths(PEOPLE, "commune", SCHEDULE).set_index(["commune", "year"])["expected"]
    assert pd.isna(found[("B", 2024)])


def test_registered_against_expected_is_a_share_with_limits_and_missing_where_nothing_is_expected():
    deaths = table("""
        commune | commune_name | year | value
        A       | Xã A         | 2024 | 2
        B       | Xã B         | 2024 | 5
    """)
    rows = compared(deaths, PEOPLE, "commune", SCHEDULE).set_index("commune")
    assert rows.loc["A", "ratio"] == pytest.approx(100 * 2 / 3)
    assert rows.loc["A", "lower"] < rows.loc["A", "ratio"] < rows.loc["A", "upper"]
    assert rows.loc["B", ["ratio", "lower", "upper"]].isna().all()


def test_the_published_schedule_has_one_rate_per_year_sex_and_age():
    schedule = death_schedule()
    assert not schedule.duplicated(["year_from", "sex", "age_group"]).any()
    assert (schedule["deaths_per_1000"] > 0).all()


def asked(rows, by, **measure):
    """A question as the notebooks hold it."""
    one = SimpleNamespace(title=Text("Tỷ suất", "Rate"), unit=Text("trên 1.000", "per 1,000"), decimals=1, **measure)
    view = SimpleNamespace(by=by, measures=("rate",))
    return SimpleNamespace(to_pandas=lambda: rows, view=view, workbench=SimpleNamespace(measures={"rate": one}))


def test_months_without_a_death_are_named_worst_place_first():
    rows = table("""
        commune | commune_name | month  | value
        A       | Xã A         | 202401 | 3
        A       | Xã A         | 202402 | 2
        A       | Xã A         | 202404 | 1
        B       | Xã B         | 202402 | 1
        C       | Xã C         | 202401 | 1
        C       | Xã C         | 202404 | 1
    """)
    found = silent_months(asked(rows, ("commune", "month")))
    assert found.to_dict("records") == [
        {"name": "Xã B", "months": 3, "of": 4, "which": "1/2024, 3/2024, 4/2024"},
        {"name": "Xã C", "months": 2, "of": 4, "which": "2/2024, 3/2024"},
        {"name": "Xã A", "months": 1, "of": 4, "which": "3/2024"},  # a month in which nobody registered anything
    ]


@pytest.mark.parametrize(("year", "day"), [(2024, (2024, 2, 10)), (2025, (2025, 1, 29)), (2026, (2026, 2, 17))])
def test_tet_is_the_first_day_of_the_lunar_year(year, day):
    assert first_day_of_tet(year) == datetime.date(*day)


@pytest.mark.parametrize(("years", "enough"), [(4, False), (5, True)])
def test_fewer_than_five_years_are_no_trend(years, enough):
    rows = pd.DataFrame({"year": [str(2020 + i) for i in range(years)], "value": 5.0, "lower": 4.0, "upper": 6.0})
    compared_years, said = read_years(asked(rows, ("year",)), "en").sentences
    assert ("needs at least 5" not in said) == enough
    assert "5.0 per 1,000 in 2020 (95 % limits 4.0–6.0)" in compared_years

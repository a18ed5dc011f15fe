"""Infants, newborns and mothers: counted by hand, never without an interval, never a ratio of one commune."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chi2
from support import table

from mortality.births import births_of_communes
from mortality.measure_release import age_in_days
from mortality.measures.indicators import measure_indicators
from tkyt_analysis.catalog.loader import load_entries

PROVINCE, COMMUNE = "VN2025:51", "VN2025:21115"
OVER_BIRTHS = [one for one in load_entries("indicators").values() if one.denominator == "live_births"]


def people(unit):
    rows = [(unit, 2024, sex, band, 50_000) for sex in ("male", "female") for band in ("0-4", "5-64", "65+")]
    frame = pd.DataFrame(rows, columns=["unit_id", "year", "sex", "age_group", "persons"])
    return frame.assign(status="final", series="TEST")


def figure(text, indicator, *, births=1_000, fetal=None, unit=PROVINCE):
    deaths = table(text).assign(unit_id=unit, year=2024)
    of_year = pd.DataFrame({"unit_id": [unit], "year": [2024]})
    rows = measure_indicators(
        deaths,
        people(unit),
        indicators=[load_entries("indicators")[indicator]],
        live_births=of_year.assign(live_births=births),
        fetal_deaths=None if fetal is None else of_year.assign(fetal_deaths=fetal),
    )
    return rows.set_index("sex").loc["total"]


def exact(count, tail):
    """Garwood's limits of a Poisson count."""
    return chi2.ppf(0.025, 2 * count) / 2 if tail == "lower" else chi2.ppf(0.975, 2 * count + 2) / 2


INFANTS = """
    sex    | age_years | age_days | underlying_cause
    male   | 0         | 0        | P07.3
    female | 0         | 27       | P36.9
    male   | 0         | 28       | J18.9
    female | 0         | 200      | A09
    male   | 3         |          | W74
"""


def test_a_newborn_death_is_one_before_28_completed_days():
    found = figure(INFANTS, "neonatal_mortality_rate")
    assert (found["numerator"], found["value"], found["status"]) == (2, pytest.approx(1000 * 2 / 1_000), "ok")
    assert found["lower"] == pytest.approx(exact(2, "lower"))
    assert found["upper"] == pytest.approx(exact(2, "upper"))


def test_infants_of_unknown_days_are_shared_out_and_the_interval_reaches_from_none_to_all_of_them():
    found = figure(INFANTS + "female | 0 | | P28.5", "neonatal_mortality_rate")
    assert found["numerator"] == pytest.approx(2 + 1 * 2 / 4)  # of four infants with known days two were newborns
    assert found["lower"] == pytest.approx(exact(2, "lower"))
    assert found["upper"] == pytest.approx(exact(3, "upper"))
    assert found["status"] == "modelled"
    assert "unknown_days=20.0%_shared_out" in found["method"]


def test_where_no_infant_has_a_known_day_newborns_cannot_be_told():
    found = figure("sex | age_years | age_days | underlying_cause\nmale | 0 | | P07.3", "neonatal_mortality_rate")
    assert (found["status"], found["reason"]) == ("not_assessable", "reason.days_of_age_unknown")
    assert pd.isna(found["value"])


def test_perinatal_deaths_are_fetal_and_of_the_first_week_over_all_births():
    found = figure(INFANTS, "perinatal_mortality_rate", births=990, fetal=10)
    assert found["value"] == pytest.approx(1000 * (10 + 1) / (990 + 10))


def test_without_fetal_deaths_perinatal_mortality_says_so():
    found = figure(INFANTS, "perinatal_mortality_rate")
    assert (found["status"], found["reason"]) == ("not_assessable", "reason.fetal_deaths_unknown")


MOTHERS = """
    sex    | age_years | underlying_cause
    female | 30        | O72.1
    female | 25        | O98.7
    female | 28        | O96
    female | 31        | I21.9
    male   | 31        | O72.1
"""


def test_the_maternal_ratio_leaves_out_late_deaths_and_men_and_has_exact_limits():
    found = figure(MOTHERS, "maternal_mortality_ratio", births=5_000)
    assert found["numerator"] == 2  # O96 is late; a man with an obstetric code is an error of the record
    assert found["value"] == pytest.approx(100_000 * 2 / 5_000)
    assert found["upper"] == pytest.approx(100_000 * exact(2, "upper") / 5_000)


def test_no_maternal_death_still_has_an_upper_limit():
    found = figure("sex | age_years | underlying_cause\nfemale | 70 | I64", "maternal_mortality_ratio", births=5_000)
    assert (found["value"], found["lower"]) == (0, 0)
    assert found["upper"] == pytest.approx(100_000 * exact(0, "upper") / 5_000)


def test_of_a_commune_mothers_are_counted_and_no_ratio_is_given():
    assert figure(MOTHERS, "maternal_deaths", unit=COMMUNE)["value"] == 2
    deaths = table(MOTHERS).assign(unit_id=COMMUNE, year=2024)
    births = pd.DataFrame({"unit_id": [COMMUNE], "year": [2024], "live_births": [500]})
    ratio = load_entries("indicators")["maternal_mortality_ratio"]
    assert measure_indicators(deaths, people(COMMUNE), indicators=[ratio], live_births=births).empty


@settings(max_examples=8, deadline=None)
@given(
    unit=st.sampled_from([PROVINCE, COMMUNE, "VN2024:522", "VN"]),
    births=st.integers(0, 3_000),
    infants=st.lists(st.sampled_from([0, 5, 27, 28, 300, None]), max_size=6),
    mothers=st.integers(0, 3),
)
def test_no_rate_over_births_comes_without_an_interval_and_none_of_a_commune(unit, births, infants, mothers):
    rows = [("male", 0.0, days, "P07.3") for days in infants] + [("female", 30.0, None, "O72")] * mothers
    rows.append(("male", 70.0, None, "I64"))
    deaths = pd.DataFrame(rows, columns=["sex", "age_years", "age_days", "underlying_cause"])
    given_births = pd.DataFrame({"unit_id": [unit], "year": [2024], "live_births": [births]})
    found = measure_indicators(
        deaths.assign(unit_id=unit, year=2024), people(unit), indicators=OVER_BIRTHS, live_births=given_births
    )
    known = found[found["value"].notna()]
    assert (known["lower"] <= known["value"]).all()
    assert (known["value"] <= known["upper"]).all()
    assert (known["upper"] > known["lower"]).all()
    assert unit not in (COMMUNE, "VN2024:522") or known.empty
    assert (found.loc[found["value"].isna(), "reason"] != "").all()


# --- live births of a year


def reports(**months):
    """A row per unit and month: unit → months reported, two births in each."""
    rows = [(unit.replace("_", ":"), month, 2.0) for unit, some in months.items() for month in some]
    frame = pd.DataFrame(rows, columns=["unit_id", "month", "births"])
    return frame.assign(commune="VN2025:21115")


FIRST_HALF, SECOND_HALF = range(202501, 202507), range(202507, 202513)


def test_a_merged_commune_has_the_births_of_its_old_communes_until_june_and_its_own_from_july():
    rows = reports(VN2024_21115=FIRST_HALF, VN2024_21118=FIRST_HALF, VN2025_21115=SECOND_HALF)
    found = births_of_communes(rows).iloc[0]
    assert (found["live_births"], found["months_reported"], found["months_due"]) == (2 * 18, 18, 18)
    assert found["complete"]


@pytest.mark.parametrize("left_out", ["VN2024_21118", "VN2025_21115"])
def test_one_month_missing_and_the_births_of_the_year_are_not_known(left_out):
    units = {"VN2024_21115": FIRST_HALF, "VN2024_21118": FIRST_HALF, "VN2025_21115": SECOND_HALF}
    found = births_of_communes(reports(**{**units, left_out: list(units[left_out])[1:]})).iloc[0]
    assert not found["complete"]
    assert pd.isna(found["live_births"])


def test_before_the_change_only_the_old_communes_are_due():
    found = births_of_communes(reports(VN2024_21115=range(202401, 202413))).iloc[0]
    assert (found["year"], found["months_due"], found["complete"]) == (2024, 12, True)


def test_completed_days_come_from_days_hours_weeks_and_full_months():
    ages = table("""
        age_value | age_unit | days
        5         | days     | 5
        30        | hours    | 1
        3         | weeks    | 21
        1         | months   | 30
        0         | months   |
        0         | years    |
    """)
    found = age_in_days(ages)
    assert found.tolist()[:4] == [5, 1, 21, 30]
    assert found.isna().tolist() == [False] * 4 + [True, True]  # less than a month, less than a year: days not known


def test_no_report_of_births_is_an_empty_table_that_joins():
    found = births_of_communes(reports())
    assert found.empty
    assert found["year"].dtype == "int64"

"""Release table small_area_rate: chance is taken out by as much as it explains, and what cannot be smoothed says so."""

import pandas as pd
import pytest

from mortality.small_area_release import COLUMNS, smoothed
from tests.support import table

UNITS = pd.DataFrame(
    [(f"VN2025:2110{n}", "VN2025:51") for n in range(6)]
    + [("VN2025:51", "VN2025:51"), ("VN2025:48", "VN2025:48"), ("VN2025:01", "VN2025:01"), ("VN", "")],
    columns=["unit_id", "province_id"],
)
# Communes of one province: the same rate of 5 per 1,000 but for chance; the last has hardly anybody.
COMMUNES = table("""
    unit_id      | numerator | denominator
    VN2025:21100 |        55 |       10000
    VN2025:21101 |        46 |       10000
    VN2025:21102 |        50 |       10000
    VN2025:21103 |        49 |       10000
    VN2025:21104 |         4 |         100
""")


def figures(rows: pd.DataFrame, indicator: str = "crude_death_rate", **changed: object) -> pd.DataFrame:
    own = {
        "indicator_id": indicator, "period_id": "2024", "sex": "total", "age_group": "all", "cause": "all", "method": "crude_byar",
        "status": "ok", "reason": "", "population_source": "NSO-B",
    }  # fmt: skip
    return rows.assign(
        **(own | changed), figure_id=indicator + "|" + rows["unit_id"] + "|2024|total|all|all", value=0.0
    )


def test_differences_no_larger_than_chance_are_taken_out_whole():
    found = smoothed(figures(COMMUNES.head(4)), UNITS)
    assert list(found.columns) == COLUMNS
    assert found["registered"].tolist() == pytest.approx([5.5, 4.6, 5.0, 4.9])
    assert found["value"].tolist() == pytest.approx([1000 * (55 + 46 + 50 + 49) / 40000] * 4)
    assert (found["weight"] == 0).all()
    assert (found["status"] == "modelled").all()


def test_a_commune_of_a_hundred_people_is_drawn_far_to_the_mean_of_its_province():
    unequal = COMMUNES.assign(numerator=[90, 20, 50, 40, 4])
    found = smoothed(figures(unequal), UNITS).set_index("unit_id")
    small, large = found.loc["VN2025:21104"], found.loc["VN2025:21100"]
    assert small["registered"] == pytest.approx(40)
    assert small["mean"] < small["value"] < 15
    assert large["weight"] > 0.8 > 0.2 > small["weight"]
    assert small["lower"] < small["value"] < small["upper"]
    assert (found["pool"] == "VN2025:51").all()


def test_each_year_and_sex_is_smoothed_by_itself():
    two = pd.concat([figures(COMMUNES), figures(COMMUNES.assign(numerator=0), period_id="2025")])
    found = smoothed(two, UNITS)
    assert (found.loc[found["period_id"] == "2025", "value"] == 0).all()
    alone = smoothed(figures(COMMUNES), UNITS)
    assert found.loc[found["period_id"] == "2024", "value"].tolist() == alone["value"].tolist()


def test_provinces_are_smoothed_among_provinces_and_the_nation_is_no_area():
    rows = COMMUNES.head(4).assign(unit_id=["VN2025:51", "VN2025:48", "VN2025:01", "VN"])
    found = smoothed(figures(rows), UNITS)
    assert set(found["unit_id"]) == {"VN2025:51", "VN2025:48", "VN2025:01"}
    assert set(found["pool"]) == {"VN"}
    assert set(found["areas"]) == {3}


def test_two_areas_tell_nothing_about_how_much_areas_differ():
    found = smoothed(figures(COMMUNES.head(2)), UNITS)
    assert found["value"].isna().all()
    assert set(found["reason"]) == {"reason.small_area_few"}
    assert found["registered"].tolist() == pytest.approx([5.5, 4.6])


def test_rates_that_are_no_events_over_a_denominator_are_left_to_their_own_methods():
    assert smoothed(figures(COMMUNES, "age_standardised_death_rate"), UNITS).empty


def test_nobody_living_there_is_a_reason_not_a_zero():
    found = smoothed(
        figures(COMMUNES.assign(denominator=[10000, 10000, 10000, 10000, 0], numerator=[55, 46, 50, 49, 0])), UNITS
    )
    last = found.set_index("unit_id").loc["VN2025:21104"]
    assert (last["status"], last["reason"]) == ("not_assessable", "reason.no_person_years")
    assert pd.isna(last["value"])

"""Practice truth, small: planted completeness and causes lie in our 95 % intervals (all provinces: bench_measures_truth)."""

import sys

import pytest
from support import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "benchmarks"))

from measures_truth import Practice, causes_found, completeness_found, draw_practice, rates_found

SMALL = (
    "02",
    "04",
    "06",
    "10",
    "11",
    "12",
    "14",
    "15",
    "17",
    "19",
    "45",
    "58",
    "62",
    "64",
    "67",
    "70",
)  # few deaths: quick
OF_CAUSES = SMALL[1:5]


@pytest.fixture(scope="module")
def practice():
    return draw_practice(year=2024, seed=7, provinces=SMALL)


def test_completeness_from_three_lists_holds_the_planted_one_and_the_best_model_alone_is_surer_than_it_may(practice):
    averaged = completeness_found(practice.deaths, ["unit_id"])
    assert averaged["inside"].mean() >= 0.9
    assert ((averaged["upper"] - averaged["lower"]) < 0.15).all()
    best = completeness_found(practice.deaths, ["unit_id"], choice="best")
    assert (averaged["upper"] - averaged["lower"]).mean() > (best["upper"] - best["lower"]).mean()
    assert best["inside"].mean() <= averaged["inside"].mean()


def test_corrected_rates_hold_the_truth_where_registered_ones_do_not(practice):
    rows = rates_found(practice, draws=200)
    assert rows["inside"].mean() >= 0.9
    rates = rows[rows["quantity"] != "e0"]
    assert (rates["registered"] < 0.95 * rates["truth"]).all()


def test_redistributed_causes_hold_the_planted_ones(practice):
    units = [f"VN2024:{code}" for code in OF_CAUSES]
    some = Practice(*(rows[rows["unit_id"].isin(units)] for rows in (practice.deaths, practice.population)))
    rows = causes_found(some, draws=200)
    assert rows["inside"].mean() >= 0.85  # 3 % of the true codes are garbage codes themselves
    assert rows["inside_usable"].mean() >= 0.95
    before = (rows["registered"] - rows["truth_usable"]).abs().sum()
    assert (rows["value"] - rows["truth_usable"]).abs().sum() < 0.35 * before

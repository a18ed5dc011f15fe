"""Four scenarios side by side: what replaces an outlier or a missing month, and what is never touched."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.test_quality_anchors import panel
from tkyt_analysis.quality.adjust import (
    SCENARIOS,
    completeness_adjusted,
    completeness_factor,
    excluded_elements,
    exclusion,
    fastr_scenarios,
    replacements,
    scenarios_of_panel,
    side_by_side,
)

NAN = np.nan


def replaced(counts, at, *, outliers=()):
    values = np.array([counts], dtype=float)
    wanted = np.zeros(values.shape, dtype=bool)
    wanted[0, at] = True
    bad = wanted.copy()
    bad[0, list(outliers)] = True
    result, words = replacements(values, wanted, ~bad & (np.nan_to_num(values) > 0))
    return result[0, at], words[0, at]


def test_three_months_before_and_three_after_stand_in_for_an_outlier():
    assert replaced([10, 20, 30, 9999, 40, 50, 60], 3) == (pytest.approx((10 + 20 + 30 + 40 + 50 + 60) / 6), "centred")


def test_neighbours_that_are_missing_zero_or_outliers_are_passed_over():
    value, word = replaced([10, 20, NAN, 30, 9999, 0, 40, 8888, 50, 60], 4, outliers=[7])
    assert (value, word) == (pytest.approx((10 + 20 + 30 + 40 + 50 + 60) / 6), "centred")


def test_at_the_start_the_six_months_after_and_at_the_end_the_six_before():
    assert replaced([9999, 1, 2, 3, 4, 5, 6, 700], 0) == (pytest.approx((1 + 2 + 3 + 4 + 5 + 6) / 6), "forward")
    assert replaced([700, 1, 2, 3, 4, 5, 6, 9999], 7) == (pytest.approx((1 + 2 + 3 + 4 + 5 + 6) / 6), "backward")


def test_then_the_same_month_of_the_year_before_then_the_mean_of_the_series():
    assert replaced([77, 5, *[NAN] * 10, 9999], 12) == (77, "last_year")
    assert replaced([77, 5, *[NAN] * 9, 9999], 11) == (pytest.approx((77 + 5) / 2), "series_mean")


def test_where_nothing_can_stand_in_the_value_stays_and_says_so():
    assert replaced([NAN, 9999, 0], 1) == (9999, "unadjusted")


def test_neighbours_further_than_twelve_months_do_not_count():
    far = [1, 2, 3, *[NAN] * 12, 9999, *[NAN] * 12, 4, 5, 6]
    assert replaced(far, 15) == (pytest.approx((1 + 2 + 3 + 4 + 5 + 6) / 6), "series_mean")


def test_each_scenario_changes_only_what_its_name_says():
    values = np.array([[100.0, 110, 90, 5000, 100, 110, 90, NAN, 100, 110, 90]])
    result = fastr_scenarios(values, values == 5000, np.isnan(values))
    none, outliers, completeness, both = (result.values[name][0] for name in SCENARIOS)
    np.testing.assert_array_equal(none, values[0])
    assert (outliers[3], np.isnan(outliers[7])) == (pytest.approx(100), True)
    assert (completeness[3], completeness[7]) == (5000, pytest.approx(100))
    assert (both[3], both[7]) == (pytest.approx(100), pytest.approx(100))
    assert np.isnan(values[0, 7])  # what was reported is untouched


def test_deaths_and_low_volumes_are_never_adjusted_and_are_listed():
    deaths = scenarios_of_panel(panel([[200] * 11 + [9000]]), deaths=True)
    few = scenarios_of_panel(panel([[5] * 11 + [90]]))
    visits = scenarios_of_panel(panel([[200, 210, 190] * 3 + [200, 210, 9000]]))
    for scenario in SCENARIOS:
        assert deaths.values[scenario][0, 11] == 9000
    assert visits.values["outliers"][0, 11] == pytest.approx((210 + 200 + 190 + 210 + 200 + 190) / 6)
    listed = excluded_elements([("deaths", deaths), ("few", few), ("visits", visits)], "en")
    assert listed[["element_id", "reason"]].to_numpy().tolist() == [["deaths", "deaths"], ["few", "low_volume"]]
    assert exclusion(np.array([[NAN]]), deaths=False) == "low_volume"


def test_the_table_keeps_the_reported_beside_every_scenario():
    counts = [[200, 210, 190, 9000, 200, 210, 190, NAN, 200, 210, 190, 200]]
    table = side_by_side(panel(counts), scenarios_of_panel(panel(counts)))
    row = table[table["period_id"] == "202404"].iloc[0]
    assert (row["reported"], row["none"], row["outliers"], row["how"]) == (9000, 9000, pytest.approx(200), "centred")
    filled = table[table["period_id"] == "202408"].iloc[0]
    assert np.isnan(filled["reported"])
    assert filled["both"] == pytest.approx(200)


def test_the_factor_for_incomplete_reporting_by_hand():
    """80 %, k = 0.25: 1 + (1/0.8 − 1)·0.25 = 1.0625."""
    assert completeness_factor(np.array([[0.8]])).item() == pytest.approx(1 + (1 / 0.8 - 1) * 0.25)
    assert completeness_adjusted(np.array([[1000.0]]), np.array([[0.8]])).item() == 1062.5
    assert completeness_factor(np.array([[0.8]]), k=1).item() == 1.25


def test_a_rate_below_three_quarters_or_none_takes_the_units_usual_rate():
    factor = completeness_factor(np.array([[0.8, 0.9, 1.0, 0.3, NAN]]))
    assert factor[0, 3] == factor[0, 4] == pytest.approx(1 + (1 / 0.9 - 1) * 0.25)
    assert completeness_factor(np.array([[0.3, NAN]])).tolist() == [[1, 1]]


def test_more_reports_than_expected_never_make_a_value_smaller():
    assert completeness_factor(np.array([[1.2]])).item() == 1


cells = st.lists(st.one_of(st.none(), st.integers(0, 9000)), min_size=16, max_size=16)


@given(rows=st.lists(cells, min_size=1, max_size=4), seed=st.integers(0, 9))
def test_the_scenario_none_is_what_was_reported_and_values_that_nobody_doubts_stay(rows, seed):
    values = np.array([[NAN if cell is None else cell for cell in row] for row in rows], dtype=float)
    outlier = np.isfinite(values) & (np.random.default_rng(seed).random(values.shape) < 0.2)
    result = fastr_scenarios(values, outlier, np.isnan(values))
    np.testing.assert_array_equal(result.values["none"], values)
    for scenario in SCENARIOS:
        doubted = outlier | np.isnan(values)
        np.testing.assert_array_equal(result.values[scenario][~doubted], values[~doubted])
        touched = result.methods[scenario] != ""
        assert not (touched & ~doubted).any()


@given(rate=st.floats(0.75, 1), k=st.floats(0, 1))
def test_the_factor_lies_between_nothing_added_and_full_volume(rate, k):
    assert 1 <= completeness_factor(np.array([[rate]]), k=k).item() <= 1 / rate + 1e-9

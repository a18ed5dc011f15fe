"""A value far from its own past is asked about; where the past is too short the answer is "not assessable"."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.quality.outliers import (
    OutlierSettings,
    _loo_median_of_row,
    assess_values,
    check_outliers,
    neighbour_positions,
    score_panel,
)


def series(counts, unit="u", first="2023-01"):
    months = pd.period_range(first, periods=len(counts), freq="M").strftime("%Y%m")
    frame = pd.DataFrame({"period_id": months, "value": counts}).dropna()
    return frame.assign(dataset_id="d", element_id="e", category_id="", unit_id=unit)


def verdicts(counts):
    return assess_values(series(counts))["verdict"].tolist()


def test_ten_times_too_much_a_tenth_and_a_zero_are_found_on_twelve_months():
    usual = [100, 110, 95, 102, 99, 105, 108, 97, 101, 94, 103, 98]
    for wrong, verdict in ((1000, "error_high"), (10, "error_low"), (0, "missing_or_zero")):
        spoilt = [*usual[:6], wrong, *usual[7:]]
        assert verdicts(spoilt) == ["ok"] * 6 + [verdict] + ["ok"] * 5


def test_counting_noise_of_small_numbers_is_no_error():
    assert set(verdicts([3, 1, 4, 0, 2, 5, 3, 2, 0, 1, 4, 2])) == {"ok"}


def test_fewer_than_four_values_are_not_assessable():
    assert verdicts([10, 11, 1000]) == ["not_assessable"] * 3
    assert verdicts([10, 11, 9, 1000])[3] == "error_high"


def test_a_series_without_any_variation_is_not_assessable():
    assert verdicts([7] * 12) == ["not_assessable"] * 12
    assert verdicts([0] * 12) == ["not_assessable"] * 12


def test_a_spike_in_an_otherwise_flat_series_is_found():
    """WHO's tool and DHIS2 drop such series: their median absolute deviation is 0."""
    assert verdicts([50] * 11 + [500]) == ["ok"] * 11 + ["error_high"]


def test_a_value_never_helps_to_judge_itself():
    spoilt = np.array([[20.0, 22, 19, 21, 20, 23, 18, 21, 20, 22, 19, 21]])
    expected = [score_panel(np.where(np.arange(12) == 5, value, spoilt)).expected[0, 5] for value in (0, 23, 10_000)]
    assert expected[0] == expected[1] == expected[2]


def test_a_month_that_all_units_share_is_a_shock_not_an_error():
    rng = np.random.default_rng(5)
    level = rng.uniform(50, 400, 60)
    counts = rng.poisson(level[:, None] * np.ones(24))
    counts[:, 14] = rng.poisson(0.3 * level)  # a storm month: everybody reports a third
    panel = pd.concat([series(row, unit=f"u{i}") for i, row in enumerate(counts)])
    assessed = assess_values(panel)
    storm = assessed[assessed["period_id"] == "202403"]
    assert (storm["verdict"] == "ok").mean() > 0.95


def test_a_real_error_is_found_in_the_shock_month_too():
    rng = np.random.default_rng(6)
    counts = rng.poisson(200, (40, 24))
    counts[:, 10] = rng.poisson(60, 40)
    counts[7, 10] = 600
    panel = pd.concat([series(row, unit=f"u{i}") for i, row in enumerate(counts)])
    flagged = check_outliers(panel)
    assert ("u7", "202311") in set(zip(flagged["unit_id"], flagged["period_id"]))


def test_missing_months_and_negative_values_are_not_judged():
    assessed = assess_values(series([10, np.nan, 12, 11, -5, 9, 10]))
    assert assessed["verdict"].tolist() == ["ok", "ok", "ok", "not_assessable", "ok", "ok"]


def test_months_and_quarters_of_one_element_are_different_series():
    months = series([100, 101, 99, 100, 102, 98])
    quarters = months.iloc[:4].assign(period_id=["2023Q1", "2023Q2", "2023Q3", "2023Q4"], value=[300, 301, 305, 299])
    assert set(assess_values(pd.concat([months, quarters]))["verdict"]) == {"ok"}


def test_limits_hold_the_expected_count_and_findings_name_the_events_at_stake():
    found = check_outliers(series([100, 110, 95, 102, 99, 1050, 108, 97]))
    row = found.iloc[0]
    assert row["lower"] < row["expected"] < row["upper"] < row["value"] == 1050
    assert '"events_at_stake"' in row["fields"]


@given(st.lists(st.integers(0, 300), min_size=2, max_size=15))
def test_the_leave_one_out_median_is_the_median_of_the_others(numbers):
    row = np.array([numbers], dtype=float)
    found = _loo_median_of_row(row)[0]
    for place in range(len(numbers)):
        assert found[place] == np.median(np.delete(row[0], place))


@pytest.mark.parametrize(("periods", "window"), [(2, 12), (5, 12), (13, 12), (60, 12), (7, 3)])
def test_neighbours_are_the_nearest_others_and_never_the_month_itself(periods, window):
    positions = neighbour_positions(periods, window)
    assert positions.shape == (periods, min(window, periods - 1))
    assert all(at not in row for at, row in enumerate(positions))
    assert positions.min() >= 0
    assert positions.max() < periods


def test_a_panel_of_a_million_cells_takes_seconds_and_scales_linearly():
    import time

    rng = np.random.default_rng(1)
    times = []
    for units in (2_000, 8_000):
        counts = rng.poisson(20, (units, 60)).astype(float)
        started = time.perf_counter()
        score_panel(counts, OutlierSettings())
        times.append(time.perf_counter() - started)
    assert times[1] < 20
    assert times[1] < 16 * times[0] + 1

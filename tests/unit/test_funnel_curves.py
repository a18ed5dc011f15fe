"""Funnel plots as the public health profiles draw them (the published sheets are a reference case)."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.funnel import axis_range, axis_sizes, funnel_curves, funnel_points, funnel_significance
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.labels import label


def test_the_axis_starts_at_0_unless_all_units_are_alike_and_ends_in_a_round_number():
    assert axis_range([100, 1000]) == (0, 1100)  # 105 % of 1000, two leading digits
    assert axis_range([10_000, 15_000]) == (9_000, 16_000)  # 95 % and 105 %
    sizes = axis_sizes(0, 1100)
    assert (sizes[0], sizes[-1], len(sizes)) == (1, 1100, 100)
    assert (np.diff(sizes) >= 1).all()


def test_limits_come_closer_with_the_size_and_hold_the_average():
    curves = funnel_curves([30, 400], [100, 1000], statistic="proportion", per=100)
    assert curves["baseline"].unique() == pytest.approx([100 * 430 / 1100])
    inner, outer = (curves[f"upper_{name}"] - curves[f"lower_{name}"] for name in ("95", "99_8"))
    assert (inner.diff().dropna() <= 1e-9).all()
    assert (inner <= outer + 1e-9).all()


@pytest.mark.parametrize(("ratio_type", "baseline"), [("isr", 100), ("count", 0)])
def test_a_funnel_of_ratios_is_around_100_or_around_0(ratio_type, baseline):
    curves = funnel_curves([5, 30], [6, 25], statistic="ratio", ratio_type=ratio_type, per=100)
    assert (curves["lower_95"] < baseline).all()
    assert (curves["upper_95"] > baseline).all()
    # 30 events lie on the lower limit where the upper exact Poisson limit of 30 was expected.
    row = curves[curves["size"] == curves["size"].max()].iloc[0]
    value = row["size"] / row["lower_95_denominator"]
    assert row["lower_95"] == pytest.approx(100 * value if ratio_type == "isr" else value - 1)


def test_units_outside_the_funnel_are_named_in_both_languages():
    found = funnel_significance([50, 80, 20, 500], [1000, 1000, 1000, 10_000], statistic="proportion", per=100)
    assert list(found["significance"]) == ["not_significant", "high_outer", "low_outer", "not_significant"]
    assert label("funnel.high_outer", "en") == "High (0.001)"
    assert label("funnel.high_outer", "vi") == "Cao (0,001)"
    assert list(found["value"]) == [5, 8, 2, 5]


def test_a_ratio_is_compared_with_what_was_expected():
    found = funnel_significance([30, 10, 12, 0], [10, 10, 30, 9], statistic="ratio")
    assert list(found["significance"]) == ["high_outer", "not_significant", "low_outer", "low_outer"]


def test_between_the_two_pairs_of_limits_a_unit_is_named_after_the_inner_one():
    # 20 events: exact limits of 95 % 12.2 to 30.9, of 99.8 % 8.9 to 38.1; 5 events: 1.6 to 11.7 and 0.7 to 16.5.
    found = funnel_significance([20, 20, 5, 5], [12, 8, 12, 17], statistic="ratio")
    assert list(found["significance"]) == ["high_inner", "high_outer", "low_inner", "low_outer"]


def test_units_that_cannot_be_judged_say_why_and_do_not_move_the_average():
    counts = pd.Series([50, 60, None, 5, 4], index=list("abcde"), dtype=float)
    found = funnel_significance(counts, [1000, 1000, 1000, 3, 0], statistic="proportion")
    assert list(found.index) == list("abcde")
    assert list(found["reason"]) == [
        "", "", "reason.events_missing", "reason.more_events_than_total", "reason.no_total",
    ]  # fmt: skip
    assert found["baseline"].iloc[0] == pytest.approx((50 + 60) / 2000)
    assert list(found["significance"][2:]) == ["", "", ""]


def test_few_events_of_a_standardised_rate_are_not_compared():
    found = funnel_significance([9, 100], rate=[90, 100], statistic="rate", rate_type="dsr", per=1e5)
    assert list(found["reason"]) == ["reason.too_few_events", ""]
    points = funnel_points([9, 100], rate=[90, 100], rate_type="dsr", years=2)
    assert points["person_years"].tolist() == pytest.approx([np.nan, 1e5 * 100 / 100 / 2], nan_ok=True)


def test_what_is_not_there_cannot_be_drawn():
    with pytest.raises(UsageError):
        funnel_curves([1, 2])
    with pytest.raises(UsageError):
        funnel_curves([1, 2], [3, 4], statistic="odds")
    with pytest.raises(InputError):
        funnel_significance([1, 2], [0, 0])

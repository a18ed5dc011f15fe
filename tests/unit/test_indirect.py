"""Indirect standardisation: rates, totals without ages, limits by name; proportions and means."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.limits import LIMITS, lognormal_poisson_limits, midp_poisson_limits, poisson_limits
from tkyt_analysis.analysis.proportions import mean_value, proportion
from tkyt_analysis.analysis.rates import crude_rate, wilson_limits
from tkyt_analysis.analysis.standardise import (
    expected_events,
    indirectly_standardised_rate,
    indirectly_standardised_ratio,
)
from tkyt_analysis.errors import InputError, UsageError

REFERENCE = table("""
    age_group | events | person_years
    0-39      | 100    | 100000
    40+       | 900    | 100000
""")
AREAS = table("""
    area | age_group | events | person_years
    a    | 0-39      | 2      | 1000
    a    | 40+       | 12     | 1000
    b    | 0-39      | 1      | 3000
    b    | 40+       | 5      | 0
""")


def test_the_indirect_rate_is_the_references_crude_rate_times_observed_over_expected():
    rates = indirectly_standardised_rate(AREAS, ["area"], reference=REFERENCE, per=1_000)
    crude = 1_000 * (100 + 900) / 200_000
    assert list(rates["reference_rate"]) == [crude, crude]
    assert list(rates["expected"]) == pytest.approx([1 + 9, 3 + 0])  # nobody aged 40+ in b: nothing is expected there
    assert list(rates["observed"]) == [14, 6]
    assert list(rates["rate"]) == pytest.approx([crude * 14 / 10, crude * 6 / 3])
    assert list(rates.columns) == [
        "area", "observed", "expected", "reference_rate", "rate", "lower", "upper", "method", "status", "reason",
    ]  # fmt: skip


def test_totals_without_ages_are_enough_for_the_observed():
    totals = pd.DataFrame({"area": ["b", "a"], "observed": [6, 14]})
    without_events = AREAS.drop(columns="events")
    from_totals = indirectly_standardised_rate(without_events, ["area"], reference=REFERENCE, observed_totals=totals)
    pd.testing.assert_frame_equal(
        from_totals, indirectly_standardised_rate(AREAS, ["area"], reference=REFERENCE), check_dtype=False
    )
    ratio = indirectly_standardised_ratio(
        expected_events(without_events, REFERENCE), ["area"], observed_totals=totals.head(1)
    )
    assert list(ratio["reason"]) == ["reason.events_missing", ""]
    with pytest.raises(InputError):
        indirectly_standardised_rate(
            without_events, ["area"], reference=REFERENCE, observed_totals=pd.concat([totals, totals])
        )


def test_ages_that_the_reference_does_not_have_are_refused():
    with pytest.raises(InputError) as refusal:
        expected_events(AREAS.replace({"40+": "40-69"}), REFERENCE)
    assert "40-69" in refusal.value.sentence("vi")


@pytest.mark.parametrize("limits", LIMITS)
def test_limits_by_name_hold_the_ratio(limits):
    row = indirectly_standardised_ratio(expected_events(AREAS, REFERENCE), ["area"], limits=limits).iloc[0]
    assert row["lower"] < row["ratio"] < row["upper"]
    assert row["method"] == ("byar" if limits == "byar_exact" else limits)


def test_lognormal_limits_are_the_ratio_times_and_over_one_factor():
    lower, upper = lognormal_poisson_limits(16)
    factor = np.exp(1.959963984540054 / np.sqrt(16))
    assert (lower, upper) == pytest.approx((16 / factor, 16 * factor))


def test_lognormal_limits_do_not_exist_without_events_and_say_so():
    row = crude_rate([0], [100], limits="lognormal").iloc[0]
    assert (row["rate"], row["status"], row["reason"]) == (0, "not_assessable", "reason.no_events_no_limits")
    assert np.isnan(row["upper"])


@settings(max_examples=50, deadline=None)
@given(st.just(0.0) | st.floats(1e-3, 1e5), st.floats(0.6, 0.999))
def test_mid_p_limits_lie_within_the_exact_ones_also_of_fractions(count, confidence):
    exact, midp = (poisson_limits(count, confidence=confidence, limits=name) for name in ("exact", "midp"))
    assert exact[0] - 1e-9 <= midp[0] <= count + 1e-9
    assert count <= midp[1] <= exact[1] + 1e-9


def test_mid_p_limits_leave_half_of_the_observed_count_on_each_side():
    from scipy.stats import poisson

    lower, upper = midp_poisson_limits(7)
    assert poisson.sf(7, lower) + poisson.pmf(7, lower) / 2 == pytest.approx(0.025)
    assert poisson.cdf(6, upper) + poisson.pmf(7, upper) / 2 == pytest.approx(0.025)


# ---- proportions and means


def test_a_proportion_and_its_wilson_limits():
    # Newcombe, Stat Med 1998;17:857-72, table I: 15 of 148 → 0.0624 to 0.1605
    row = proportion([15], [148]).iloc[0]
    assert (row["share"], row["lower"], row["upper"]) == pytest.approx((15 / 148, 0.0624, 0.1605), abs=5e-5)
    exact = proportion([81], [263], limits="exact").iloc[0]  # the same table: 81 of 263 → 0.2527 to 0.3676
    assert (exact["lower"], exact["upper"]) == pytest.approx((0.2527, 0.3676), abs=5e-5)


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(1, 1000),
    st.sampled_from(["wilson", "exact", "agresti_coull", "jeffreys", "normal"]),
)
def test_limits_of_a_proportion_stay_between_0_and_1_around_it(part, rest, limits):
    row = proportion([part], [part + rest], limits=limits, per=100).iloc[0]
    assert 0 <= row["lower"] <= row["share"] + 1e-9
    assert row["share"] - 1e-9 <= row["upper"] <= 100
    if limits == "wilson":
        old = wilson_limits(pd.Series([part]), pd.Series([part + rest])).iloc[0] * 100
        assert row[["lower", "upper"]].tolist() == pytest.approx(old[["lower", "upper"]].tolist(), abs=1e-9)


@pytest.mark.parametrize(
    ("events", "total", "reason"),
    [(1, 0, "reason.no_total"), (None, 5, "reason.events_missing"), (6, 5, "reason.more_events_than_total")],
)
def test_a_proportion_that_cannot_be_told_says_why(events, total, reason):
    row = proportion(pd.Series([events], dtype=float), [total]).iloc[0]
    assert (row["status"], row["reason"]) == ("not_assessable", reason)
    with pytest.raises(UsageError):
        proportion([1], [2], limits="byar")


def test_a_mean_has_students_limits_and_one_measurement_has_none():
    days = table("""
        area | value
        a    | 30
        a    | 40
        a    | 50
        a    | 60
        b    | 7
    """)
    means = mean_value(days, ["area"])
    half = 3.182446 * np.sqrt((15**2 + 5**2 + 5**2 + 15**2) / 3) / np.sqrt(4)  # t of 3 degrees of freedom
    assert means.loc[0, ["mean", "lower", "upper"]].tolist() == pytest.approx([45, 45 - half, 45 + half], rel=1e-6)
    assert (means["mean"][1], means["reason"][1]) == (7, "reason.one_measurement")

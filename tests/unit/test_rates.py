"""Rates and their limits."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.analysis.rates import (
    age_specific_rate,
    byar_limits,
    byar_or_exact_limits,
    crude_rate,
    exact_poisson_limits,
    poisson_limits,
)
from tkyt_analysis.errors import UsageError
from tkyt_analysis.labels import label

counts = st.integers(0, 1_000_000)


@given(counts, st.floats(0.5, 0.999))
def test_limits_hold_the_count_between_them(count, confidence):
    for limits in (byar_limits, exact_poisson_limits, byar_or_exact_limits):
        lower, upper = limits(count, confidence)
        assert 0 <= lower <= count < upper


@given(st.integers(0, 500))
def test_exact_limits_leave_half_the_error_on_each_side(count):
    from scipy.stats import poisson

    lower, upper = exact_poisson_limits(count)
    assert poisson.cdf(count, upper) == pytest.approx(0.025)
    if count:
        assert poisson.sf(count - 1, lower) == pytest.approx(0.025)


def test_without_events_the_upper_limit_is_minus_the_logarithm_of_the_error():
    lower, upper = exact_poisson_limits(0)
    assert (lower, upper) == (0, pytest.approx(-np.log(0.025)))  # 3.689


@given(st.integers(10, 10_000_000))
def test_byars_approximation_is_close_to_exact_from_ten_events(count):
    assert np.allclose(byar_limits(count), exact_poisson_limits(count), rtol=0.002)


def test_limits_are_exact_below_ten_events_and_byars_from_ten_on():
    _, _, method = poisson_limits([0, 9, 10, 9.5])
    assert list(method) == ["exact", "exact", "byar", "exact"]
    assert list(poisson_limits([9, 10], limits="byar")[2]) == ["byar", "byar"]
    assert poisson_limits([9.0], limits="byar_exact")[0] == exact_poisson_limits([9.0])[0]
    assert poisson_limits([10.0], limits="byar_exact")[0] == byar_limits([10.0])[0]


def test_a_rate_is_events_over_person_years():
    deaths = pd.Series([120, 0], index=["VN2025:51", "VN2025:01"])
    rates = crude_rate(deaths, pd.Series([20_000, 5_000], index=deaths.index), per=1_000)
    assert list(rates.columns) == [
        "events", "person_years", "rate", "lower", "upper", "method", "status", "reason",
    ]  # fmt: skip
    assert list(rates.index) == ["VN2025:51", "VN2025:01"]
    assert list(rates["rate"]) == [1_000 * 120 / 20_000, 0]
    assert rates["upper"].iloc[1] == pytest.approx(1_000 * 3.6888794541139363 / 5_000)
    assert list(rates["status"]) == ["ok", "ok"]


def test_crude_rates_are_per_thousand_and_age_specific_ones_per_hundred_thousand():
    assert crude_rate([5], [1_000])["rate"][0] == 5
    assert age_specific_rate([5], [1_000])["rate"][0] == 500


@pytest.mark.parametrize(
    ("events", "person_years", "reason"),
    [
        (3, 0, "reason.events_without_person_years"),
        (0, 0, "reason.no_person_years"),
        (0, None, "reason.no_person_years"),
        (None, 100, "reason.events_missing"),
        (-1, 100, "reason.events_missing"),
        (np.inf, 100, "reason.events_missing"),
        (3, -5, "reason.person_years_wrong"),
        (3, np.inf, "reason.person_years_wrong"),
    ],
)
def test_what_cannot_be_assessed_says_why_and_is_no_zero(events, person_years, reason):
    row = crude_rate(pd.Series([events], dtype=float), pd.Series([person_years], dtype=float)).iloc[0]
    assert (row["status"], row["reason"]) == ("not_assessable", reason)
    assert row[["rate", "lower", "upper"]].isna().all()
    assert label(reason, "vi") != label(reason, "en")


@given(st.lists(st.tuples(counts | st.none(), st.integers(0, 10**7) | st.none()), max_size=20))
def test_a_rate_is_missing_exactly_where_the_row_is_not_assessable(rows):
    events, person_years = (pd.Series([row[i] for row in rows], dtype=float) for i in (0, 1))
    rates = crude_rate(events, person_years)
    missing = rates[["rate", "lower", "upper"]].isna()
    assert (missing.any(axis=1) == (rates["status"] == "not_assessable")).all()
    assert ((rates["reason"] == "") == (rates["status"] == "ok")).all()


def test_a_wrong_confidence_or_method_is_refused():
    for wrong in (0, 1, 95):
        with pytest.raises(UsageError):
            crude_rate([1], [1], confidence=wrong)
    with pytest.raises(UsageError) as refusal:
        crude_rate([1], [1], limits="guesswork")
    assert "byar_exact" in refusal.value.sentence("vi")

"""Direct standardisation: methods by name, persons with several events, empty and absent age groups, arrays."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support import table

from tkyt_analysis.analysis.limits import exact_poisson_limits, midp_poisson_limits, poisson_limits
from tkyt_analysis.analysis.standardise import (
    METHODS,
    directly_standardised_rate,
    directly_standardised_rates,
)
from tkyt_analysis.errors import InputError, UsageError

# Births by mother's age, fifth and later children: Fleiss 1981, p. 249, used by Fay & Feuer 1997 and Fay & Kim 2017.
CASES = np.array([0, 8, 63, 112, 262, 295])
BIRTHS = np.array([327, 30_666, 123_419, 149_919, 104_088, 34_392])
STANDARD = np.array([319_933, 931_318, 786_511, 488_235, 237_863, 61_313])
WITHOUT_LIMITS = {"dobson", "normal", "lognormal", "logit", "beta", "bootstrap"}


def limits_of(method, **options):
    return directly_standardised_rates(CASES, BIRTHS, STANDARD, method=method, **options).iloc[0]


def test_fay_and_feuers_printed_limits_of_the_fifth_birth():
    row = limits_of("fay_feuer")
    assert row[["rate", "lower", "upper"]].round(1).tolist() == [75.5, 67.7, 188.3]


def test_mid_p_limits_solve_their_equation_and_the_upper_one_is_below_the_gamma_limit():
    from scipy.stats import gamma

    wide, narrow = limits_of("fay_feuer"), limits_of("gamma_midp")
    assert narrow["lower"] < narrow["rate"] < narrow["upper"] < wide["upper"]
    w = STANDARD / STANDARD.sum() / BIRTHS * 1e5
    y, v = (w * CASES).sum(), (w**2 * CASES).sum()
    above = y + w.max(), v + w.max() ** 2
    for limit, share in ((narrow["lower"], 0.025), (narrow["upper"], 0.975)):
        both = [gamma.cdf(limit, m**2 / s, scale=s / m) for m, s in ((y, v), above)]
        assert np.mean(both) == pytest.approx(share, abs=1e-9)


def test_without_events_the_mid_p_limit_is_the_95_per_cent_point_of_one_event():
    row = directly_standardised_rates([0, 0], [1000, 1000], [1, 1], method="gamma_midp", per=1000).iloc[0]
    assert (row["rate"], row["lower"], row["status"]) == (0, 0, "ok")
    assert row["upper"] == pytest.approx(-np.log(0.05) / 2)  # half of the distribution stands at 0; weight 1/2


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_limits_around_the_rate_and_says_its_name(method):
    row = limits_of(method)
    assert row["lower"] < row["rate"] < row["upper"]
    assert row["method"] == method


@pytest.mark.parametrize("method", METHODS)
def test_without_events_a_method_has_limits_or_says_that_it_has_none(method):
    row = directly_standardised_rates([0, 0], [1000, 500], [1, 1], method=method).iloc[0]
    assert row["rate"] == 0
    if method in WITHOUT_LIMITS:
        assert (row["status"], row["reason"]) == ("not_assessable", "reason.no_events_no_limits")
    else:
        assert (row["status"], row["lower"]) == ("ok", 0)
        assert row["upper"] > 0


@pytest.mark.parametrize("method", ["dobson", "fay_feuer", "tiwari", "gamma_midp"])
def test_with_one_weight_for_all_the_limits_are_those_of_the_count(method):
    row = directly_standardised_rates([3, 4], [1000, 1000], [1, 1], method=method, per=2000, count_limits="exact").iloc[
        0
    ]
    expected = midp_poisson_limits(7) if method == "gamma_midp" else exact_poisson_limits(7)
    assert [row["lower"], row["upper"]] == pytest.approx([float(limit) for limit in expected])


def test_dobsons_limits_of_the_count_can_be_chosen_and_are_named():
    byar, exact = limits_of("dobson"), limits_of("dobson", count_limits="exact")
    assert (byar["method"], exact["method"]) == ("dobson", "dobson;limits=exact")
    assert byar["lower"] != exact["lower"]
    assert limits_of("dobson", count_limits="Wald")["lower"] == limits_of("dobson", count_limits="normal")["lower"]
    with pytest.raises(UsageError):
        limits_of("dobson", count_limits="clopper")


def test_normal_limits_are_the_rate_and_two_standard_errors():
    row = limits_of("normal", per=1)
    error = np.sqrt(((STANDARD / STANDARD.sum() / BIRTHS) ** 2 * CASES).sum())
    assert row["upper"] - row["rate"] == pytest.approx(1.959964 * error, rel=1e-6)


# ---- persons with several events (admissions, notifications)

ADMISSIONS = table("""
    area | age_group | times | events | person_years | standard_population
    a    | 0-39      | 1     | 10     | 1000         | 3
    a    | 0-39      | 2     | 4      | 1000         | 3
    a    | 40+       | 1     | 20     | 500          | 1
    a    | 40+       | 3     | 2      | 500          | 1
""")


def test_events_of_one_person_are_not_independent():
    row = directly_standardised_rate(ADMISSIONS, ["area"], event_frequency="times", per=1).iloc[0]
    events = np.array([10 * 1 + 4 * 2, 20 * 1 + 2 * 3])
    squares = np.array([10 * 1**2 + 4 * 2**2, 20 * 1**2 + 2 * 3**2])
    w = np.array([3 / 4 / 1000, 1 / 4 / 500])
    rate, variance = (w * events).sum(), (w**2 * squares).sum()
    low, high, _ = poisson_limits(events.sum(), limits="byar")
    spread = np.sqrt(variance / events.sum())
    assert row["events"] == events.sum()
    assert row["person_years"] == 1000 + 500
    assert row[["rate", "lower", "upper"]].tolist() == pytest.approx(
        [rate, rate + spread * (low - events.sum()), rate + spread * (high - events.sum())]
    )
    assert row["method"] == "dobson;non_independent_events"


def test_with_one_event_each_nothing_changes():
    once = ADMISSIONS[ADMISSIONS["times"] == 1]
    one_way = directly_standardised_rate(once, ["area"], event_frequency="times")
    other = directly_standardised_rate(once, ["area"])
    columns = ["rate", "lower", "upper"]
    assert one_way[columns].to_numpy() == pytest.approx(other[columns].to_numpy())


def test_a_frequency_of_0_and_populations_that_differ_are_refused():
    with pytest.raises(InputError):
        directly_standardised_rate(ADMISSIONS.assign(times=[1, 0, 1, 3]), ["area"], event_frequency="times")
    with pytest.raises(InputError):
        directly_standardised_rate(ADMISSIONS.assign(person_years=[1, 2, 3, 4]), ["area"], event_frequency="times")


# ---- age groups that are empty or absent

EMPTY = table("""
    area | age_group | events | person_years | standard_population
    a    | 0-39      | 10     | 10000        | 2
    a    | 40-69     | 90     | 10000        | 1
    a    | 70+       | 1      | 0            | 1
    b    | 0-39      | 10     | 10000        | 2
    b    | 40-69     | 9      | 1000         | 1
""")


def test_empty_and_absent_age_groups_are_refused_or_left_out_with_their_weight_and_said():
    refused = directly_standardised_rate(EMPTY, ["area"])
    assert list(refused["reason"]) == ["reason.no_person_years_in_age_group", "reason.age_group_absent"]
    dropped = directly_standardised_rate(EMPTY, ["area"], empty_age_groups="drop", absent_age_groups="drop")
    assert list(dropped["rate"]) == pytest.approx([(2 * 100 + 1 * 900) / (2 + 1)] * 2)
    assert list(dropped["events"]) == [10 + 90, 10 + 9]
    assert list(dropped["method"]) == ["dobson;empty_age_groups=1", "dobson"]
    with pytest.raises(UsageError):
        directly_standardised_rate(EMPTY, ["area"], empty_age_groups="ignore")


def test_a_missing_population_is_not_an_empty_age_group():
    unknown = EMPTY.assign(person_years=EMPTY["person_years"].replace(0, np.nan))
    rates = directly_standardised_rate(unknown, ["area"], empty_age_groups="drop", absent_age_groups="drop")
    assert list(rates["reason"]) == ["reason.no_person_years_in_age_group", ""]


# ---- properties

counts = arrays(float, (3, 4), elements=st.floats(0, 500))
persons = arrays(float, (3, 4), elements=st.floats(1, 1e6))
weights = arrays(float, 4, elements=st.floats(0.01, 100))


@settings(max_examples=40, deadline=None)
@given(counts, persons, weights, st.sampled_from(METHODS), st.floats(1e-3, 1e3))
def test_only_the_shape_of_the_standard_matters_also_for_fractions(events, person_years, standard, method, scale):
    columns = ["rate", "lower", "upper"]
    one = directly_standardised_rates(events, person_years, standard, method=method)
    other = directly_standardised_rates(events, person_years, standard * scale, method=method)
    np.testing.assert_allclose(one[columns], other[columns], rtol=1e-7, atol=1e-7)
    assert (one["status"] == other["status"]).all()


@settings(max_examples=40, deadline=None)
@given(counts, persons, weights, st.sampled_from(METHODS))
def test_a_standardised_rate_lies_between_the_smallest_and_the_largest_rate_of_the_ages(
    events, person_years, standard, method
):
    found = directly_standardised_rates(events, person_years, standard, method=method, per=1)
    by_age = events / person_years
    assert (found["rate"] >= by_age.min(axis=1) * (1 - 1e-9)).all()
    assert (found["rate"] <= by_age.max(axis=1) * (1 + 1e-9)).all()
    missing = found[["rate", "lower", "upper"]].isna().any(axis=1)
    assert (missing == (found["status"] == "not_assessable")).all()


@settings(max_examples=30, deadline=None)
@given(counts, persons, weights, st.permutations(range(12)))
def test_arrays_and_tables_in_any_order_give_the_same(events, person_years, standard, order):
    rows = pd.DataFrame(
        {
            "area": np.repeat(["01", "02", "79"], 4),
            "age_group": np.tile(["0-4", "5-39", "40-69", "70+"], 3),
            "events": events.ravel(),
            "person_years": person_years.ravel(),
            "standard_population": np.tile(standard, 3),
        }
    )
    of_table = directly_standardised_rate(rows.iloc[order], ["area"])
    of_arrays = directly_standardised_rates(events, person_years, standard)
    pd.testing.assert_frame_equal(of_table.drop(columns="area"), of_arrays)


def test_one_person_is_enough_for_a_rate():
    row = directly_standardised_rates([1], [1], [1], method="fay_feuer", per=1).iloc[0]
    assert (row["rate"], row["status"]) == (1, "ok")
    assert [row["lower"], row["upper"]] == pytest.approx([float(limit) for limit in exact_poisson_limits(1)])


def test_a_million_ages_are_not_needed_to_find_the_groups():
    # Runs of equal keys are found by comparison; a missing key is a group of its own.
    rows = EMPTY[EMPTY["area"] == "b"].assign(area=None)
    both = pd.concat([EMPTY[EMPTY["area"] == "b"], rows, EMPTY[EMPTY["area"] == "b"].assign(area="c")])
    assert len(directly_standardised_rate(both, ["area"])) == 3

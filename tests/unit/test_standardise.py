"""Standardisation removes the effect of age structure, and says where it cannot be done."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.rates import crude_rate
from tkyt_analysis.analysis.standardise import (
    METHODS,
    directly_standardised_rate,
    expected_events,
    indirectly_standardised_ratio,
)
from tkyt_analysis.errors import InputError, UsageError

# Same age-specific rates (100 and 900 per 100 000), but province 79 is much younger.
EVENTS_BY_AGE = table("""
    province_code | age_group | events | person_years | standard_population
    01            | 0-39      |     10 |        10000 |                   3
    01            | 40+       |     90 |        10000 |                   1
    79            | 0-39      |     10 |        10000 |                   3
    79            | 40+       |      9 |         1000 |                   1
""")


@pytest.mark.parametrize("method", METHODS)
def test_standardising_removes_the_effect_of_age_structure(method):
    rates = directly_standardised_rate(EVENTS_BY_AGE, by=["province_code"], method=method)
    assert dict(zip(rates["province_code"], rates["rate"])) == pytest.approx(
        {"01": (3 * 100 + 1 * 900) / 4, "79": (3 * 100 + 1 * 900) / 4}
    )
    assert (rates["lower"] < rates["rate"]).all()
    assert (rates["rate"] < rates["upper"]).all()
    assert list(rates["events"]) == [10 + 90, 10 + 9]
    assert list(rates.columns) == [
        "province_code", "events", "person_years", "rate", "lower", "upper", "method", "status", "reason",
    ]  # fmt: skip


@given(scale=st.floats(0.001, 1000), method=st.sampled_from(METHODS))
def test_only_the_shape_of_the_standard_population_matters(scale, method):
    rescaled = EVENTS_BY_AGE.assign(standard_population=EVENTS_BY_AGE["standard_population"] * scale)
    columns = ["rate", "lower", "upper"]
    first = directly_standardised_rate(EVENTS_BY_AGE, ["province_code"], method=method)[columns]
    assert np.allclose(first, directly_standardised_rate(rescaled, ["province_code"], method=method)[columns])


@given(st.permutations(range(4)))
def test_the_order_of_the_rows_does_not_matter(order):
    pd.testing.assert_frame_equal(
        directly_standardised_rate(EVENTS_BY_AGE.iloc[order], ["province_code"]),
        directly_standardised_rate(EVENTS_BY_AGE, ["province_code"]),
    )


def test_standardised_to_its_own_age_structure_a_rate_is_the_crude_rate():
    own = EVENTS_BY_AGE.assign(standard_population=EVENTS_BY_AGE["person_years"])
    standardised = directly_standardised_rate(own, ["province_code"])
    totals = own.groupby("province_code")[["events", "person_years"]].sum()
    crude = crude_rate(totals["events"], totals["person_years"], per=100_000, limits="byar")
    for column in ("rate", "lower", "upper"):
        assert standardised[column].to_numpy() == pytest.approx(crude[column].to_numpy())


def test_fay_feuer_is_the_widest_and_tiwari_lies_below_it():
    upper = {m: directly_standardised_rate(EVENTS_BY_AGE, ["province_code"], method=m)["upper"][1] for m in METHODS}
    assert upper["tiwari"] < upper["fay_feuer"]


def test_without_events_the_gamma_methods_have_limits_and_dobson_says_it_has_none():
    nobody_died = EVENTS_BY_AGE.assign(events=0)
    dobson = directly_standardised_rate(nobody_died, ["province_code"]).iloc[0]
    assert (dobson["rate"], dobson["status"], dobson["reason"]) == (0, "not_assessable", "reason.no_events_no_limits")
    assert np.isnan(dobson["upper"])
    gamma = directly_standardised_rate(nobody_died, ["province_code"], method="fay_feuer").iloc[1]
    # One event of the largest weight (1/4 / 1000): gamma of shape 1, so -ln(0.025) of it.
    assert (gamma["lower"], gamma["status"]) == (0, "ok")
    assert gamma["upper"] == pytest.approx(100_000 * (1 / 4) / 1_000 * -np.log(0.025))


def test_tiwaris_upper_limit_adds_one_event_of_the_mean_weight():
    from scipy.stats import gamma

    # Province 79: weight 3/4 over 10 000 person-years, 1/4 over 1 000. Without events only the added weight is left.
    w = np.array([3 / 4 / 10_000, 1 / 4 / 1_000])
    mean, mean_square = w.mean(), (w**2).mean()
    upper = gamma.ppf(0.975, mean**2 / mean_square, scale=mean_square / mean)
    nobody_died = directly_standardised_rate(EVENTS_BY_AGE.assign(events=0), ["province_code"], method="tiwari")
    assert nobody_died["upper"][1] == pytest.approx(100_000 * upper)


def _with(column: str, row: int, value: float) -> pd.DataFrame:
    changed = EVENTS_BY_AGE.astype({column: float})
    changed.loc[row, column] = value
    return changed


@pytest.mark.parametrize(
    ("events_by_age", "reason"),
    [
        (_with("person_years", 3, 0), "reason.no_person_years_in_age_group"),
        (_with("person_years", 3, np.nan), "reason.no_person_years_in_age_group"),
        (_with("events", 3, np.nan), "reason.events_missing"),
        (_with("events", 3, -1), "reason.events_missing"),
        (EVENTS_BY_AGE.drop(index=3), "reason.age_group_absent"),
    ],
)
@pytest.mark.parametrize("method", METHODS)
def test_an_area_that_cannot_be_standardised_says_why_and_leaves_the_others_alone(events_by_age, reason, method):
    rates = directly_standardised_rate(events_by_age, ["province_code"], method=method)
    assert list(rates["status"]) == ["ok", "not_assessable"]
    assert list(rates["reason"]) == ["", reason]
    assert rates.loc[1, ["rate", "lower", "upper"]].isna().all()
    untouched = directly_standardised_rate(EVENTS_BY_AGE, ["province_code"], method=method)
    pd.testing.assert_series_equal(rates.iloc[0], untouched.iloc[0])


def test_an_age_group_without_weight_needs_no_person_years():
    no_weight = _with("standard_population", 3, 0).assign(events=[10, 90, 10, 0], person_years=[1e4, 1e4, 1e4, 0])
    assert list(directly_standardised_rate(no_weight, ["province_code"])["status"]) == ["ok", "ok"]


def test_a_minimum_number_of_events_can_be_asked_for():
    rates = directly_standardised_rate(EVENTS_BY_AGE, ["province_code"], minimum_events=20)
    assert list(rates["reason"]) == ["", "reason.too_few_events"]
    assert rates["rate"].isna().tolist() == [False, True]


def test_wrong_tables_are_refused_with_a_sentence():
    with pytest.raises(InputError) as refusal:
        directly_standardised_rate(EVENTS_BY_AGE.drop(columns="events"), ["province_code"])
    assert "events" in refusal.value.sentence("vi")
    with pytest.raises(InputError):  # an age group twice
        directly_standardised_rate(pd.concat([EVENTS_BY_AGE, EVENTS_BY_AGE.tail(1)]), ["province_code"])
    with pytest.raises(InputError):  # a weight that was not joined
        directly_standardised_rate(_with("standard_population", 0, np.nan), ["province_code"])
    with pytest.raises(UsageError):
        directly_standardised_rate(EVENTS_BY_AGE, ["province_code"], method="wald")


def test_all_rows_together_make_one_rate_and_no_rows_make_none():
    one = directly_standardised_rate(EVENTS_BY_AGE.query("province_code == '01'"), [])
    assert list(one["rate"]) == pytest.approx([(3 * 100 + 1 * 900) / 4])
    assert len(directly_standardised_rate(EVENTS_BY_AGE.head(0), ["province_code"])) == 0
    assert len(directly_standardised_rate(EVENTS_BY_AGE.head(0), [])) == 0


# ---- indirect


def test_an_area_with_the_reference_rates_has_a_ratio_of_one():
    same = EVENTS_BY_AGE.assign(
        reference_events=[100, 900, 100, 900], reference_person_years=[100_000, 100_000, 100_000, 100_000]
    )
    ratios = indirectly_standardised_ratio(expected_events(same), ["province_code"], per=100)
    assert list(ratios["ratio"]) == pytest.approx([100, 100])
    assert list(ratios["expected"]) == pytest.approx([10 + 90, 10 + 9])
    assert list(ratios["method"]) == ["byar", "byar"]


def test_a_ratio_without_expected_events_is_not_assessable():
    rows = table("""
        unit_id | observed | expected
        a       | 3        | 0
        b       | 3        | 1.5
        c       | 0        | 2
    """)
    ratios = indirectly_standardised_ratio(rows, ["unit_id"])
    assert list(ratios["reason"]) == ["reason.nothing_expected", "", ""]
    assert ratios["ratio"].isna().tolist() == [True, False, False]
    assert list(ratios["ratio"][1:]) == [3 / 1.5, 0]
    assert ratios["upper"][2] == pytest.approx(3.6888794541139363 / 2)


def test_a_reference_group_without_people_makes_the_expected_count_unknown():
    rows = EVENTS_BY_AGE.assign(reference_events=1, reference_person_years=[0, 1000, 1000, 1000])
    ratios = indirectly_standardised_ratio(expected_events(rows), ["province_code"])
    assert list(ratios["reason"]) == ["reason.expected_missing", ""]
    # Nobody lives in the age group: nothing is expected of it, whatever the reference.
    empty_group = rows.assign(person_years=[0, 10_000, 10_000, 1_000], events=[0, 90, 10, 9])
    ratios = indirectly_standardised_ratio(expected_events(empty_group), ["province_code"])
    assert list(ratios["expected"]) == pytest.approx([0 + 10_000 / 1_000, 10_000 / 1_000 + 1_000 / 1_000])

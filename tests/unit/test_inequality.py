"""Slope index, quantiles and Kitagawa's decomposition."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from support import table

from tkyt_analysis.analysis.inequality import slope_index_of_inequality
from tkyt_analysis.analysis.quantiles import assign_quantiles
from tkyt_analysis.analysis.rate_decomposition import kitagawa_decomposition
from tkyt_analysis.errors import InputError, UsageError

# Five equal fifths of the communes, poorest first; life expectancy rises by one year from fifth to fifth.
FIFTHS = pd.DataFrame(
    {"area": "a", "quantile": range(1, 6), "population": 1000, "value": [70.0, 71, 72, 73, 74], "standard_error": 0.5}
)
FEW = {"repetitions": 2000}


def test_equal_steps_make_a_line_whose_ends_are_half_a_step_beyond():
    row = slope_index_of_inequality(FIFTHS, ["area"], **FEW).iloc[0]
    assert row["intercept"] == pytest.approx(70 - 0.5)
    assert row["sii"] == pytest.approx(5)
    assert row["rii"] == pytest.approx((70 - 0.5 + 5) / (70 - 0.5))
    assert row["lower"] < 5 < row["upper"]


def test_simulated_limits_are_those_of_the_normal_distribution_and_the_same_again():
    row = slope_index_of_inequality(FIFTHS, ["area"], repetitions=20_000).iloc[0]
    middle = np.array([0.1, 0.3, 0.5, 0.7, 0.9])
    slope = (middle - 0.5) / ((middle - 0.5) ** 2).sum()
    half = 1.959964 * 0.5 * np.sqrt((slope**2).sum())
    assert (row["lower"], row["upper"]) == pytest.approx((5 - half, 5 + half), abs=0.03 * half)
    both = pd.concat([FIFTHS, FIFTHS.assign(area="b", value=FIFTHS["value"] + 1)])
    again = slope_index_of_inequality(both, ["area"], repetitions=20_000).iloc[0]
    assert again["lower"] == row["lower"]  # whatever else is in the table


def test_a_negative_multiplier_turns_the_sign_and_inverts_the_ratio():
    one, other = (slope_index_of_inequality(FIFTHS, ["area"], multiplier=by, **FEW).iloc[0] for by in (1, -1))
    assert other["sii"] == -one["sii"]
    assert other["rii"] == pytest.approx(1 / one["rii"])
    assert (other["lower"], other["upper"]) == pytest.approx((-one["upper"], -one["lower"]), rel=1e-3)


def test_limits_of_rates_and_proportions_may_stand_for_their_errors():
    rates = FIFTHS.assign(value=[5.0, 4.5, 4, 3.5, 3], standard_error=0.1)
    limits = rates.assign(
        lower=rates["value"] * np.exp(-1.959964 * 0.1), upper=rates["value"] * np.exp(1.959964 * 0.1)
    ).drop(columns="standard_error")
    settings_ = {"value_type": "rate", **FEW}
    one, other = (slope_index_of_inequality(part, ["area"], **settings_) for part in (rates, limits))
    assert one["lower"].tolist() == pytest.approx(other["lower"].tolist(), rel=1e-6)
    shares = FIFTHS.drop(columns="value").assign(events=[300, 250, 200, 150, 100], standard_error=0.1)
    row = slope_index_of_inequality(shares, ["area"], value_type="proportion", multiplier=100, **FEW).iloc[0]
    assert row["sii"] == pytest.approx(-5 * 5)


def test_the_line_of_transformed_rates_is_multiplicative():
    rates = FIFTHS.assign(value=2.0 ** np.arange(5), standard_error=0.1)
    row = slope_index_of_inequality(rates, ["area"], value_type="rate", transform=True, **FEW).iloc[0]
    assert row["rii"] == pytest.approx(2**5)
    assert row["sii"] == pytest.approx(2**4.5 - 2**-0.5)
    moving = slope_index_of_inequality(
        rates, ["area"], value_type="rate", transform=True, level="simulated", **FEW
    ).iloc[0]
    assert moving["lower"] != row["lower"]


def test_an_area_without_a_fifth_a_value_or_an_error_says_so():
    parts = [
        FIFTHS,
        FIFTHS.assign(area="b").head(4),
        FIFTHS.assign(area="c", value=[70, 71, None, 73, 74]),
        FIFTHS.assign(area="d", standard_error=[0.5, -1, 0.5, 0.5, 0.5]),
    ]
    found = slope_index_of_inequality(pd.concat(parts), ["area"], **FEW)
    assert list(found["reason"]) == [
        "", "reason.quantile_without_population", "reason.quantile_without_value", "reason.quantile_without_error",
    ]  # fmt: skip
    assert found["sii"].isna().tolist() == [False, True, True, True]
    for wrong in ({"value_type": "odds"}, {"repetitions": 10}, {"level": "none"}):
        with pytest.raises(UsageError):
            slope_index_of_inequality(FIFTHS, ["area"], **wrong)
    with pytest.raises(InputError):
        slope_index_of_inequality(pd.concat([FIFTHS, FIFTHS]), ["area"])


# ---- quantiles


def test_communes_are_cut_into_equal_numbers_within_each_province():
    communes = pd.DataFrame({"province": np.repeat(["01", "79"], 10), "poverty": [*range(10), *range(100, 0, -10)]})
    found = assign_quantiles(communes, ["province"], value="poverty", quantiles=5)
    assert list(found["quantile"][:10]) == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]  # quantile 1 is the poorest
    assert list(found["quantile"][10:]) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    lowest = assign_quantiles(communes, ["province"], value="poverty", quantiles=5, highest_first=False)
    assert list(lowest["quantile"][:10]) == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_equal_values_share_a_quantile_and_missing_ones_have_none():
    units = pd.DataFrame({"value": [1, 1, 1, 4, None, 6]}, index=list("abcdef"))
    found = assign_quantiles(units, quantiles=5, highest_first=False)
    assert found["quantile"].tolist()[:4] == [1, 1, 1, 4]
    assert (found.loc["e", "status"], found.loc["e", "reason"]) == ("not_assessable", "reason.no_value")
    assert found["quantile"]["f"] == 5


def test_each_group_may_say_itself_which_end_comes_first():
    units = pd.DataFrame({"group": ["a", "a", "b", "b"], "value": [1, 2, 1, 2], "high": [True, True, False, False]})
    found = assign_quantiles(units, ["group"], quantiles=2, highest_first="high")
    assert list(found["quantile"]) == [2, 1, 1, 2]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 200), st.integers(1, 20))
def test_different_values_make_quantiles_that_differ_by_one_unit_at_most(n, quantiles):
    found = assign_quantiles(pd.DataFrame({"value": range(n)}), quantiles=quantiles)
    sizes = found["quantile"].value_counts().reindex(range(1, quantiles + 1), fill_value=0)
    assert sizes.max() - sizes.min() <= 1


# ---- Kitagawa

TWO = table("""
    province | population | age_group | events | person_years
    01       | 2019       | 0-39      | 10     | 10000
    01       | 2019       | 40+       | 90     | 10000
    01       | 2024       | 0-39      | 5      | 10000
    01       | 2024       | 40+       | 160    | 20000
""")


def parts_of(rows, **options):
    return kitagawa_decomposition(rows, ["province"], per=1, **options).set_index("component")["value"]


def test_the_rise_of_a_crude_rate_is_ageing_less_falling_mortality():
    parts = parts_of(TWO, between=(2024, 2019))
    c24, c19 = np.array([1 / 3, 2 / 3]), np.array([1 / 2, 1 / 2])
    m24, m19 = np.array([5, 160 / 2]) / 10_000, np.array([10, 90]) / 10_000
    assert parts["difference"] == pytest.approx((c24 * m24).sum() - (c19 * m19).sum())
    assert parts["rate_effect"] == pytest.approx(((c24 + c19) / 2 * (m24 - m19)).sum())
    assert parts["composition_effect"] == pytest.approx(((c24 - c19) * (m24 + m19) / 2).sum())
    assert parts["rate_effect"] < 0 < parts["composition_effect"]


@settings(max_examples=40, deadline=None)
@given(
    arrays(float, (2, 3), elements=st.floats(0, 1e4)),
    arrays(float, (2, 3), elements=st.floats(1, 1e6)),
    st.sampled_from(["kitagawa", "interaction"]),
)
def test_the_parts_sum_to_the_difference_over_all_ages_too(events, persons, method):
    rows = pd.DataFrame(
        {
            "population": np.repeat(["x", "y"], 3),
            "age_group": ["0-4", "5-69", "70+"] * 2,
            "events": events.ravel(),
            "person_years": persons.ravel(),
        }
    )
    whole = kitagawa_decomposition(rows, method=method, per=1)
    by_age = kitagawa_decomposition(rows, method=method, per=1, by_age=True)
    difference = events[0].sum() / persons[0].sum() - events[1].sum() / persons[1].sum()
    value = whole.set_index("component")["value"]
    size = events.max() / persons.min() + 1
    assert value["difference"] == pytest.approx(difference, abs=1e-9 * size)
    assert value.drop("difference").sum() == pytest.approx(difference, abs=1e-9 * size)
    sums = by_age.groupby("component")["value"].sum()
    assert sums.to_dict() == pytest.approx(value.to_dict(), abs=1e-9 * size)


def test_an_absent_or_empty_age_group_is_not_decomposed():
    absent = kitagawa_decomposition(TWO.drop(index=3), ["province"])
    assert set(absent["reason"]) == {"reason.age_group_absent"}
    empty = kitagawa_decomposition(TWO.assign(person_years=[10_000, 10_000, 10_000, 0]), ["province"])
    assert set(empty["reason"]) == {"reason.no_person_years_in_age_group"}
    assert empty["value"].isna().all()
    with pytest.raises(InputError):
        kitagawa_decomposition(TWO, ["province"], between=(2024, 2018))
    with pytest.raises(UsageError):
        kitagawa_decomposition(TWO, ["province"], method="oaxaca")

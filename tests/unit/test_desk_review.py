"""The metrics of WHO's desk review on small tables worked out by hand, and the errors of other tools that ours must not have."""

import datetime
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.quality.desk_review.consistency import annual_values, consistency_over_time, related_indicators
from tkyt_analysis.quality.desk_review.counting import month_is_noise, ratio_interval
from tkyt_analysis.quality.desk_review.external import (
    consistency_of_denominators,
    external_consistency,
    population_against_projection,
)
from tkyt_analysis.quality.desk_review.outliers import extreme_outliers, moderate_outliers, robust_outliers
from tkyt_analysis.quality.desk_review.reporting import (
    completeness_of_reporting,
    completeness_of_values,
    consistency_of_completeness,
    timeliness,
)


def of_place(rows, *, place="P", year=2025):
    """The rows as the metrics want them: one place, one year unless the table says otherwise."""
    given = rows.assign(subunit=rows["subunit"].astype(str))
    for name, value in (("geography", "VN2025"), ("place", place), ("year", year)):
        if name not in given:
            given = given.assign(**{name: value})
    return given


def answer(results, place="P", year=2025):
    """The one result of a place and year, its JSON opened."""
    (row,) = results[(results["place"] == place) & (results["year"] == year)].to_dict("records")
    return row | {"names": [one["unit"] for one in json.loads(row["names"])], "facts": json.loads(row["facts"])}


def months(**series):
    """One row per subunit, a column per month: None is missing."""
    width = max(len(values) for values in series.values())
    rows = [
        {"subunit": name} | {str(i + 1): (values[i] if i < len(values) else None) for i in range(width)}
        for name, values in series.items()
    ]
    frame = of_place(pd.DataFrame(rows))
    return frame.astype({str(i + 1): float for i in range(width)})


# ---- domain 1

REPORTS = of_place(
    table("""
    subunit | expected | received | on_time | untimed
    a       |       12 |       12 |      10 |       0
    b       |       12 |       10 |      10 |       0
    c       |       12 |       14 |       6 |       2
    d       |        0 |        0 |       0 |       0
""")
)


def test_1a_divides_sums_of_reports_and_never_stops_at_100_percent():
    found = answer(completeness_of_reporting(REPORTS, threshold=0.9))
    assert found["score"] == pytest.approx((12 + 10 + 14) / (12 + 12 + 12 + 0))
    assert found["names"] == ["b"]
    assert found["diverging"] == 1
    assert found["subunits"] == 3
    assert found["not_assessable"] == 1
    assert found["facts"]["above"] == 1  # c: 14/12
    only_c = completeness_of_reporting(REPORTS[REPORTS["subunit"] == "c"])
    assert answer(only_c)["score"] == pytest.approx(14 / 12)


def test_1a_of_a_unit_with_no_list_of_reporters_is_not_assessable():
    found = answer(completeness_of_reporting(REPORTS[REPORTS["subunit"] == "d"]))
    assert (found["status"], found["reason"]) == ("not_assessable", "nothing_expected")
    assert math.isnan(found["score"])
    assert found["diverging"] == 0


def test_1b_leaves_reports_of_unknown_time_out_and_a_missing_report_is_not_in_time():
    found = answer(timeliness(REPORTS, threshold=0.9))
    assert found["score"] == pytest.approx((10 + 10 + 6) / (12 + 12 + (12 - 2)))
    assert found["names"] == ["c", "a", "b"]  # 6/10, then 10/12 twice
    assert found["facts"]["untimed"] == 2


def test_1b_without_any_known_day_is_not_assessable_even_for_units_that_sent_nothing():
    rows = REPORTS.assign(on_time=0, untimed=REPORTS["received"])
    silent = of_place(table("subunit | expected | received | on_time | untimed\ne | 12 | 0 | 0 | 0"))
    found = answer(timeliness(pd.concat([rows, silent], ignore_index=True)))
    assert (found["status"], found["reason"]) == ("not_assessable", "no_deadline_or_time")


CELLS = of_place(
    table("""
    subunit | expected | present | zeros
    a       |       12 |      12 |     6
    b       |       12 |       6 |     0
""")
)


def test_1c_a_true_zero_is_a_value_and_the_older_form_of_the_metric_is_given_beside_it():
    found = answer(completeness_of_values(CELLS))
    assert found["score"] == pytest.approx((12 + 6) / 24)
    assert found["names"] == ["b"]
    assert found["facts"]["not_zero"] == pytest.approx((12 - 6 + 6) / 24)
    assert not found["facts"]["no_zeros"]


def test_1c_says_where_no_zero_is_stored_at_all():
    assert answer(completeness_of_values(CELLS.assign(zeros=0)))["facts"]["no_zeros"] is True


HISTORY = of_place(
    table("""
    subunit | year | expected | received
    a       | 2022 |       10 |       10
    a       | 2023 |       10 |        8
    a       | 2024 |       10 |        9
    a       | 2025 |       10 |        9
    b       | 2024 |       10 |       10
    b       | 2025 |       10 |        5
    c       | 2025 |       10 |       10
""")
)


def test_1d_compares_with_the_mean_of_the_years_there_are():
    found = answer(consistency_of_completeness(HISTORY, threshold=0.33))
    before = [(10 / 10), (8 / 10), (9 + 10) / 20]  # of the place: 2022, 2023, 2024
    assert found["score"] == pytest.approx((9 + 5 + 10) / 30 / np.mean(before), rel=1e-6)
    assert found["names"] == ["b"]  # a: .9/.9 = 1; b: .5/1 = .5; c has no earlier year
    assert (found["subunits"], found["not_assessable"]) == (2, 1)
    assert found["facts"]["years"] == 3


def test_1d_with_a_forecast_draws_a_straight_line_cut_at_100_percent():
    rising = HISTORY[HISTORY["subunit"] == "a"].assign(received=[6, 8, 10, 9])
    found = answer(consistency_of_completeness(rising, trend="forecast"))
    assert found["score"] == pytest.approx(0.9 / 1.0)  # .6 .8 1.0 → 1.2, cut at 1.0
    two_years = answer(consistency_of_completeness(rising[rising["year"] >= 2023], trend="forecast"))
    assert (two_years["status"], two_years["reason"]) == ("not_assessable", "no_earlier_years")


# ---- domain 2: outliers

LEVEL = [100, 104, 96, 102, 98, 100, 103, 97, 101, 99, 100]


def test_2a_counts_the_units_that_have_an_extreme_value():
    found = answer(extreme_outliers(months(calm=[*LEVEL, 100], wild=[*LEVEL, 1000]), threshold=3))
    values = np.array([*LEVEL, 1000.0])
    assert abs(values[-1] - values.mean()) / values.std(ddof=1) > 3  # by hand: 3.17
    assert found["names"] == ["wild"]
    assert found["diverging"] == 1
    assert found["beyond_noise"] == 1
    assert found["score"] == pytest.approx(1 / 24)


@pytest.mark.parametrize(("n", "status"), [(10, "not_assessable"), (11, "ok")])
def test_2a_with_ten_values_nothing_can_be_three_deviations_off_and_that_is_said(n, status):
    # one spike among n values lies (n-1)/sqrt(n) sample deviations off: 2.85 for 10, 3.02 for 11
    found = answer(extreme_outliers(months(spike=[0] * (n - 1) + [10**6])))
    assert found["status"] == status
    assert found["reason"] == ("too_few_values" if status == "not_assessable" else "")
    assert found["diverging"] == (status == "ok")


def test_2a_equal_values_have_no_deviation_and_are_not_passed():
    found = answer(extreme_outliers(months(flat=[7] * 12, zero=[0] * 12, lone=[5])))
    assert found["status"] == "not_assessable"
    assert found["not_assessable"] == 3
    assert found["subunits"] == 0
    one = answer(extreme_outliers(months(flat=[0.1] * 12)))  # the computed deviation of equal decimals is not quite 0
    assert one["reason"] == "no_spread"


def test_2a_one_event_in_a_year_of_zeros_is_flagged_by_the_rule_and_shown_as_counting_noise():
    found = answer(extreme_outliers(months(rare=[0] * 11 + [1])))
    assert (found["diverging"], found["beyond_noise"]) == (1, 0)


def test_2b_needs_two_values_of_the_same_unit():
    one, two = [10, 12] * 5 + [11, 60], [10, 12] * 8 + [60, 60]
    found = answer(moderate_outliers(months(one=one, two=two)))
    assert found["names"] == ["two"]
    assert answer(moderate_outliers(months(one=one), at_least=1))["names"] == ["one"]


def test_2c_a_spike_in_a_flat_series_is_found_although_its_mad_is_0():
    # WHO's tool and DHIS2 miss it: median 5, MAD 0, mean absolute deviation 2 × 95 / 12
    values = [5] * 10 + [100, 100]
    found = answer(robust_outliers(months(spike=values)))
    assert 0.7979 * 95 / (2 * 95 / 12) > 3.5
    assert found["diverging"] == 1
    assert found["facts"]["outlying"] == 2
    assert found["facts"]["extreme"] == 0  # 4.79 is below 5


def test_2c_does_not_flag_whatever_differs_when_the_mad_is_0():
    # four of twelve differ by one: 0.7979 × 1 / (4/12) = 2.39
    assert answer(robust_outliers(months(steady=[5] * 8 + [6] * 4)))["facts"]["outlying"] == 0


def test_2c_uses_median_and_mad_otherwise():
    values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 40, 41]  # median 6, absolute deviations 0 1 1 2 2 3 3 4 5 34 35: MAD 3
    found = answer(robust_outliers(months(a=values)))
    assert 0.6745 * 34 / 3 > 5
    assert found["facts"] == {"extreme": 2, "outlying": 2, "values": 11}
    assert answer(robust_outliers(months(a=[1, 2, 3, 40])))["reason"] == "too_few_values"


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(0, 10_000), min_size=12, max_size=12),
    st.integers(1, 50),
    st.sampled_from([extreme_outliers, moderate_outliers, robust_outliers]),
)
def test_outliers_do_not_depend_on_the_order_of_months_nor_on_the_unit_of_measure(values, factor, measure):
    def flagged(series):
        row = answer(measure(months(a=series)))
        return row["status"], row["facts"]["outlying"]

    assert flagged(values) == flagged(values[::-1])
    assert flagged([factor * one for one in values])[0] == flagged(values)[0]


# ---- domain 2: over time

YEARS = of_place(
    table("""
    subunit | year |   1 |   2
    a       | 2022 |  40 |  60
    a       | 2023 |  50 |  50
    a       | 2024 |  45 |  55
    a       | 2025 |  50 |  50
    b       | 2024 | 500 | 500
    b       | 2025 | 100 | 100
    c       | 2024 |   2 |   2
    c       | 2025 |   1 |   1
    zero    | 2024 |  50 |  50
    zero    | 2025 |   0 |   0
    none    | 2024 |   0 |   0
    none    | 2025 |   0 |   0
    new     | 2025 |  10 |  10
""")
)


def test_2d_compares_with_the_mean_of_the_years_before_and_a_zero_after_events_diverges():
    found = answer(consistency_over_time(YEARS, compare_to="one", threshold=0.33))
    # a 100/100 = 1; b 200/1000 = .2; c 2/4 = .5; zero 0/100 = 0 (a true zero, not a missing value)
    assert found["names"] == ["zero", "b", "c"]
    assert (found["subunits"], found["not_assessable"]) == (4, 2)  # none: 0 after 0; new: no earlier year
    assert found["beyond_noise"] == 2  # c: 2 against 4 may be chance
    assert found["facts"]["value"] == 100 + 200 + 2 + 0 + 0 + 20


def test_2d_against_the_place_a_unit_that_changes_with_all_others_does_not_diverge():
    halved = of_place(
        table("""
        subunit | year |    1
        a       | 2024 | 1000
        a       | 2025 |  500
        b       | 2024 | 2000
        b       | 2025 | 1000
    """)
    )
    found = answer(consistency_over_time(halved))
    assert found["score"] == pytest.approx(0.5)
    assert found["diverging"] == 0
    assert answer(consistency_over_time(halved, compare_to="one"))["diverging"] == 2


def test_2d_an_unfinished_year_is_compared_with_the_same_months():
    rows = of_place(
        table("""
        subunit | year |  1 |  2 |   3
        a       | 2024 | 10 | 20 | 900
        a       | 2025 | 10 | 20 |
    """)
    )
    rows["3"] = pd.to_numeric(rows["3"])
    found = answer(consistency_over_time(rows))
    assert found["score"] == pytest.approx((10 + 20) / (10 + 20))
    assert found["facts"]["months"] == 2


def test_2d_with_a_forecast_follows_the_line_and_never_expects_less_than_0():
    rows = of_place(
        table("""
        subunit | year |   1
        up      | 2022 | 100
        up      | 2023 | 200
        up      | 2024 | 300
        up      | 2025 | 400
        down    | 2022 | 300
        down    | 2023 | 200
        down    | 2024 | 100
        down    | 2025 |  50
    """)
    )
    found = answer(consistency_over_time(rows[rows["subunit"] == "up"], trend="forecast"))
    assert found["score"] == pytest.approx(400 / 400)
    sinking = answer(consistency_over_time(rows[rows["subunit"] == "down"], trend="forecast", compare_to="one"))
    assert sinking["names"] == ["down"]  # 50 where 0 was expected: infinitely more


def test_a_stock_is_not_added_up_over_the_year():
    rows = months(a=[10, 20, None], none=[None, None, None])
    assert annual_values(rows, "last")["value"].tolist()[0] == 20
    assert annual_values(rows, "average")["value"].tolist()[0] == (10 + 20) / 2
    assert annual_values(rows)["value"].tolist()[0] == 30
    assert annual_values(rows)["value"].isna().tolist() == [False, True]


# ---- domain 2: related indicators


def pair(text):
    rows = of_place(table(text))
    sides = [rows.rename(columns={side: "value"})[["geography", "place", "year", "subunit", "value"]] for side in "ab"]
    return [side.assign(value=pd.to_numeric(side["value"])).dropna() for side in sides]


PAIR = """
    subunit |    a |    b
    equal   | 1000 | 1000
    above   | 1500 | 1000
    below   |  500 | 1000
    small   |   12 |   10
    zero_b  |   50 |    0
    zero_a  |    0 |   50
    empty   |    0 |    0
    no_b    |   50 |
"""


def test_2e_equal_counts_true_zeros_and_leaves_out_what_is_missing():
    found = answer(related_indicators(*pair(PAIR), kind="eq", threshold=0.1))
    # WHO's tool made a sum of 0 missing: zero_a and zero_b disappeared
    assert set(found["names"]) == {"zero_a", "zero_b", "above", "below", "small"}
    assert (found["subunits"], found["not_assessable"]) == (6, 2)  # empty: 0 and 0; no_b: one is missing
    assert found["beyond_noise"] == 4  # 12 against 10 may be chance
    assert found["facts"]["ratio"] == pytest.approx((1000 + 1500 + 500 + 12 + 50) / (3 * 1000 + 10 + 50), rel=1e-5)


def test_2e_at_least_only_asks_downwards():
    found = answer(related_indicators(*pair(PAIR), kind="aGTb", threshold=0.1))
    assert set(found["names"]) == {"below", "zero_a"}
    assert found["beyond_noise"] == 2


def test_2e_dropout_is_a_minus_b_over_a_and_diverges_below_0():
    found = answer(related_indicators(*pair(PAIR), kind="do", threshold=0.0))
    assert set(found["names"]) == {"below", "zero_a"}
    alone = answer(related_indicators(*pair("subunit | a | b\nx | 1000 | 900"), kind="do", threshold=0.0))
    assert alone["score"] == pytest.approx((1000 - 900) / 1000)
    assert alone["diverging"] == 0


def test_2e_a_negative_dropout_of_small_counts_is_counting_noise():
    found = answer(
        related_indicators(*pair("subunit | a | b\nsmall | 9 | 11\nlarge | 900 | 1100"), kind="do", threshold=0.0)
    )
    assert (found["diverging"], found["beyond_noise"]) == (2, 1)


def test_2e_level_compares_with_the_ratio_of_the_place():
    found = answer(
        related_indicators(
            *pair("subunit | a | b\nx | 800 | 1000\ny | 300 | 1000\nz | 700 | 1000"), kind="level", threshold=0.33
        )
    )
    level = (800 + 300 + 700) / 3000  # .6: x 1.33, y .5, z 1.17
    assert found["facts"]["ratio"] == pytest.approx(level)
    assert found["names"] == ["y", "x"]


def test_2e_all_zero_says_nothing():
    found = answer(related_indicators(*pair("subunit | a | b\nx | 0 | 0\ny | 0 | 0"), kind="eq", threshold=0.1))
    assert (found["status"], found["reason"], found["not_assessable"]) == ("not_assessable", "no_events", 2)


def test_2e_without_b_anywhere_names_the_diverging_unit_though_the_place_has_no_ratio():
    found = answer(related_indicators(*pair("subunit | a | b\nx | 50 | 0"), kind="eq", threshold=0.1))
    assert found["status"] == "ok"
    assert found["names"] == ["x"]
    assert math.isnan(found["score"])
    assert found["reason"] == "zero_denominator"


# ---- domains 3 and 4

ROUTINE = of_place(
    table("""
    subunit | numerator | denominator
    a       |       900 |        1000
    b       |       200 |        1000
    c       |       500 |        1000
""")
)
ESTIMATES = table("""
    unit | year | value | lower | upper | source
    P    | 2024 |   0.5 |  0.45 |  0.55 | survey
    a    | 2025 |   0.5 |  0.40 |  0.90 | survey
    b    | 2025 |   0.5 |  0.45 |  0.55 | survey
    c    | 2020 |   0.5 |  0.45 |  0.55 | survey
    c    | 2026 |   9.0 |  8.00 | 10.00 | later
""")


def test_3a_divides_the_routine_rate_by_the_newest_estimate_that_stands_for_the_year():
    found = answer(external_consistency(ROUTINE, ESTIMATES, threshold=0.33))
    assert found["score"] == pytest.approx(((900 + 200 + 500) / 3000) / 0.5)
    assert found["names"] == ["b", "a"]  # .4 and 1.8; c has estimates of 2020 and 2026 only
    assert found["beyond_noise"] == 1  # of a the survey itself reaches .9
    assert (found["subunits"], found["not_assessable"]) == (2, 1)
    assert found["facts"]["estimate_year"] == 2024


def test_3a_without_an_estimate_is_not_assessable():
    found = answer(external_consistency(ROUTINE, ESTIMATES.iloc[:0]))
    assert (found["status"], found["reason"]) == ("not_assessable", "no_estimate")


def test_4a_compares_the_total_with_the_united_nations():
    totals = pd.DataFrame(
        {
            "geography": "VN2025",
            "place": "VN",
            "year": [2024, 2025, 2050],
            "persons": [101.3e6, 120.0e6, 1e8],
            "source": "s",
        }
    )
    projections = pd.DataFrame({"year": [2024, 2025], "persons": [99.5e6, 100.1e6], "source": "UN"})
    results = population_against_projection(totals, projections)
    assert answer(results, "VN", 2024)["score"] == pytest.approx(101.3 / 99.5)
    assert [answer(results, "VN", year)["diverging"] for year in (2024, 2025)] == [0, 1]
    assert answer(results, "VN", 2050)["reason"] == "no_projection"


def test_4b_compares_each_ratio_of_denominators_with_that_of_the_nation():
    a = of_place(table("subunit | value\nP | 3000"), place="VN")
    b = of_place(table("subunit | value\nP | 200000"), place="VN")
    a = pd.concat([a, of_place(table("subunit | value\nx | 1500\ny | 9\nz | 600\nw | 5"))], ignore_index=True)
    b = pd.concat([b, of_place(table("subunit | value\nx | 100000\ny | 1000\nz | 80000"))], ignore_index=True)
    found = answer(consistency_of_denominators(a, b))
    # nation .015; x .015, y .009 (9 children: chance), z .0075; of w the second figure is missing
    assert found["names"] == ["z", "y"]
    assert found["beyond_noise"] == 1
    assert (found["subunits"], found["not_assessable"]) == (3, 1)
    assert found["score"] == pytest.approx((1500 + 9 + 600) / (100000 + 1000 + 80000) / (3000 / 200000))


# ---- counting noise


def test_the_interval_of_a_ratio_holds_its_known_values():
    lower, upper = ratio_interval([10, 0, 5, 0], [10, 10, 0, 0])
    assert lower[0] == pytest.approx(1 / upper[0])  # alike for A/B and B/A
    assert (lower[1], np.isinf(upper[2])) == (0, True)
    assert (lower[3], np.isinf(upper[3])) == (0, True)  # 0/0: nothing is known
    # 10 of 20: Clopper-Pearson .2720–.7280 (printed tables) → .3736–2.676
    assert (lower[0], upper[0]) == pytest.approx((0.2720 / 0.7280, 0.7280 / 0.2720), rel=1e-3)


@settings(deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_the_interval_of_a_ratio_holds_the_ratio(a, b):
    lower, upper = ratio_interval(a, b)
    assert lower <= upper
    if b:
        assert lower <= a / b <= upper


def test_the_interval_keeps_its_promise_in_simulation():
    draws = np.random.default_rng(1)
    a, b = draws.poisson(30, 4000), draws.poisson(20, 4000)
    lower, upper = ratio_interval(a, b)
    held = ((lower <= 30 / 20) & (upper >= 30 / 20)).mean()
    assert 0.95 <= held <= 0.985  # exact limits hold at least 95 %


def test_most_negative_dropouts_of_equal_small_doses_are_noise():
    # 400 communes with a mean of 8 first and 8 third doses in truth: nothing is wrong with any of them
    draws = np.random.default_rng(2)
    rows = of_place(pd.DataFrame({"subunit": range(400), "value": draws.poisson(8, 400)}))
    other = rows.assign(value=draws.poisson(8, 400))
    found = answer(related_indicators(rows, other, kind="do", threshold=0.0))
    assert found["share_diverging"] > 0.35
    assert found["beyond_noise"] <= 0.05 * 400


def test_a_month_far_from_its_siblings_is_not_noise():
    assert month_is_noise([20, 60], [240, 280], [12, 12], z=3).tolist() == [True, False]


# ---- places and years


def test_every_place_and_year_is_answered_for_itself_in_a_fixed_order():
    rows = pd.concat([of_place(REPORTS.drop(columns=["place", "year", "geography"]), place=place, year=year)
                      for place in ("Q", "P") for year in (2025, 2024)], ignore_index=True)  # fmt: skip
    rows.loc[(rows["place"] == "Q") & (rows["year"] == 2024), "received"] = 0
    results = completeness_of_reporting(rows)
    assert results[["place", "year"]].to_numpy().tolist() == [["P", 2024], ["P", 2025], ["Q", 2024], ["Q", 2025]]
    assert answer(results, "Q", 2024)["score"] == 0
    assert answer(results, "Q", 2025)["score"] > 0.9


def test_names_are_the_farthest_first_and_limited_while_the_count_is_whole():
    rows = of_place(pd.DataFrame({"subunit": range(100, 150), "expected": 100, "received": range(50)}))
    found = answer(completeness_of_reporting(rows))
    assert found["diverging"] == 50
    assert len(found["names"]) == 20
    assert found["names"][0] == "100"


# ---- the catalog's thresholds


def test_the_shipped_review_has_who_defaults_and_dates_them():
    from tkyt_analysis.catalog import load_entry

    entry = load_entry("desk_review", "routine")
    day = datetime.date(2025, 12, 31)
    wanted = {
        "1a": 0.9,
        "1b": 0.9,
        "1c": 0.9,
        "2a": 3.0,
        "2b": 2.0,
        "2c": 3.5,
        "2d": 0.33,
        "2e_eq": 0.1,
        "3a": 0.33,
        "4a": 0.1,
        "4b": 0.1,
    }
    assert {name: entry.threshold(name, day) for name in wanted} == wanted
    assert next(iter(entry.thresholds["1d"].values())).unverified
    assert next(iter(entry.thresholds["vf_lower"].values())).unverified


def test_a_review_that_names_what_it_does_not_explain_is_refused(tmp_path):
    import yaml

    from tkyt_analysis.catalog.loader import read_entry
    from tkyt_analysis.settings import REPOSITORY

    text = yaml.safe_load((REPOSITORY / "data_catalog" / "desk_review" / "routine.yaml").read_text("utf-8"))
    text["pairs"]["penta_dropout"]["b"] = "penta_fourth"
    del text["thresholds"]["2a"]
    (tmp_path / "routine.yaml").write_text(yaml.safe_dump(text, allow_unicode=True), "utf-8")
    _, problems = read_entry(tmp_path / "routine.yaml", "desk_review")
    assert len(problems) == 2
    assert any("penta_fourth" in one for one in problems)
    assert any("thresholds.2a" in one for one in problems)

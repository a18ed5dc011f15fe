"""Outlier rules of other tools, by hand on small tables, and the errors of the anchors that ours must not have."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.anchors import dhis2, fastr, snt, who
from tkyt_analysis.quality.anchors.check import (
    ANCHOR_OUTLIERS,
    RULES,
    anchor_flags,
    judge_anchor,
    why_not_assessable,
)
from tkyt_analysis.quality.panel import Panel
from tkyt_analysis.reference.periods import period_range

NAN = np.nan


def series(*counts):
    return np.array([counts], dtype=float)


def flagged(result):
    return result.flags[0].nonzero()[0].tolist()


def reasons(result):
    return sorted(set(result.reason[0]))


# ---- WHO 2a, 2b, 2c on ten small tables, by hand


def test_1_a_spike_in_twelve_months_is_beyond_three_sample_sd():
    """Eleven 10s and one 100: mean 17.5, SD of the sample sqrt((11·7.5² + 82.5²)/11) = 25.98, z = 82.5/25.98 = 3.18."""
    result = who.who_2a(series(*[10] * 11, 100))
    assert result.score[0, 11] == pytest.approx(82.5 / ((11 * 7.5**2 + 82.5**2) / 11) ** 0.5)
    assert flagged(result) == [11]


def test_2_with_eleven_months_no_value_can_be_beyond_three_sample_sd():
    """The largest z of a sample of n is (n − 1)/sqrt(n): 10/sqrt(11) = 3.015; one value less and 3 is out of reach."""
    assert who.who_2a(series(*[10] * 10, 1e9)).score[0, 10] == pytest.approx(10 / 11**0.5)
    assert flagged(who.who_2a(series(*[10] * 9, 1e9))) == []


def test_3_two_moderate_outliers_make_a_unit_diverge_on_2b_and_one_does_not():
    one, two = series(*[10, 12] * 5, 11, 30), series(*[10, 12] * 4, 11, 11, 30, 30)
    assert who.diverging_units(who.who_2b(one), least=2).tolist() == [False]
    assert flagged(who.who_2b(one)) == [11]
    assert flagged(who.who_2b(two)) == [10, 11]
    assert who.diverging_units(who.who_2b(two), least=2).tolist() == [True]


def test_4_a_standard_deviation_of_zero_is_not_assessable_not_passed():
    for rule in (who.who_2a, who.who_2b, who.who_2c):
        result = rule(series(7, 7, 7, 7))
        assert (flagged(result), reasons(result)) == ([], ["no_spread"])


def test_5_all_zeros_are_not_assessable():
    for rule in (who.who_2a, who.who_2b, who.who_2c):
        assert reasons(rule(series(*[0] * 12))) == ["no_spread"]


def test_6_one_value_is_not_assessable():
    for rule in (who.who_2a, who.who_2b, who.who_2c):
        assert rule(series(NAN, 5, NAN)).reason.tolist() == [["", "too_few_values", ""]]


def test_7_the_modified_score_by_hand():
    """10, 11, 12, 13, 30: median 12, deviations 2, 1, 0, 1, 18, MAD 1; 0.6745·18/1 = 12.14 and 0.6745·2/1 = 1.35."""
    result = who.who_2c(series(10, 11, 12, 13, 30))
    assert result.score[0].tolist() == pytest.approx([0.6745 * one for one in (-2, -1, 0, 1, 18)])
    assert flagged(result) == [4]


def test_8_where_the_median_deviation_is_zero_the_mean_deviation_serves():
    """Eleven 50s and one 500: median 50, MAD 0, mean deviation 450/12 = 37.5; 0.7979·450/37.5 = 9.57 > 3.5."""
    result = who.who_2c(series(*[50] * 11, 500))
    assert result.score[0, 11] == pytest.approx(0.7979 * 450 / 37.5)
    assert (flagged(result), reasons(result)) == ([11], [""])


def test_9_low_values_are_outliers_as_well():
    assert flagged(who.who_2c(series(100, 104, 98, 101, 0, 99, 102))) == [4]
    assert flagged(who.who_2b(series(100, 104, 98, 101, 0, 99, 102))) == [4]


def test_10_each_year_is_judged_by_itself_and_missing_months_count_for_nothing():
    values = series(10, 11, NAN, 9, 10, 12, 100, 110, 90, 105, NAN, 95)
    years = np.repeat([2023, 2024], 6)
    assert flagged(who.who_2b(values, years=years)) == []
    spoilt = values.copy()
    spoilt[0, 7] = 10
    result = who.who_2c(spoilt, years=years)
    assert flagged(result) == [7]
    assert result.expected[0, 6] == np.median([100, 10, 90, 105, 95])


# ---- Errors of the anchors (quality brief §2.8)


def test_a_spike_in_a_flat_series_is_found_although_whos_tool_never_finds_it():
    assert flagged(who.who_2c(series(0, 0, 0, 0, 0, 40))) == [5]


def test_a_unit_with_an_extreme_outlier_diverges_although_the_rewrite_counts_none():
    assert who.diverging_units(who.who_2a(series(*[10] * 11, 100)), least=1).tolist() == [True]


def test_series_that_dhis2_drops_without_a_word_are_counted_as_not_assessable():
    flat, spiked = dhis2.dhis2_z(series(4, 4, 4)), dhis2.dhis2_modified_z(series(4, 4, 4, 4, 900))
    assert (flat.not_assessable.sum(), spiked.not_assessable.sum()) == (3, 5)
    assert why_not_assessable(spiked, "en").to_numpy().tolist() == [
        ["no_spread", "the values have no spread (deviation 0)", 5]
    ]


def test_the_two_end_points_of_dhis2_differ_exactly_on_the_threshold():
    """One in five: mean 20, SD 20, z of the spike exactly 2 = sqrt(5 − 1)."""
    values = series(10, 10, 10, 10, 60)
    assert flagged(dhis2.dhis2_z(values, threshold=2)) == [4]
    assert flagged(dhis2.dhis2_z(values, threshold=2, strict=True)) == []


def test_magic_glasses_flags_all_that_differs_from_a_flat_series_only_where_asked_to():
    values, years = series(5, 5, 5, 5, 5, 6), np.repeat(2024, 6)
    assert flagged(snt.magic_glasses(values, years=years)) == [5]
    ours = snt.magic_glasses(values, years=years, flat_series="not_assessable")
    assert (flagged(ours), reasons(ours)) == ([], ["no_spread"])


# ---- DHIS2


@pytest.mark.parametrize(("n", "largest"), [(4, 1.73), (6, 2.24), (9, 2.83), (10, 3.0), (12, 3.32), (60, 7.68)])
def test_the_population_z_can_never_exceed_the_root_of_n_minus_one(n, largest):
    score = dhis2.dhis2_z(series(*[1] * (n - 1), 1e6)).score[0, -1]
    assert score == pytest.approx(dhis2.largest_score(n)) == pytest.approx(largest, abs=0.005)


def test_too_short_series_are_named():
    values = np.array([[1.0] * 9 + [NAN], [1.0] * 10])
    assert dhis2.too_short(values, 3).tolist() == [True, False]


def test_the_generated_range_is_rounded_and_cut_at_zero():
    """2, 4, 4, 4, 5, 5, 7, 9: mean 5, SD 2; ± 2 SD = 1 to 9. 0, 0, 0, 10: mean 2.5, SD 4.33; −6.2 → 0, 11.2 → 11."""
    lower, upper = dhis2.dhis2_ranges(np.array([[2, 4, 4, 4, 5, 5, 7, 9], [0, 0, 0, 10, *[NAN] * 4]]))
    assert (lower[:, 0].tolist(), upper[:, 0].tolist()) == ([1, 0], [9, 11])
    assert dhis2.dhis2_ranges(np.array([[0.0, 0, 0, 10]]), positive=False)[0].tolist() == [[-6]]


def test_values_outside_a_received_range_are_flagged_and_units_without_one_are_not_assessable():
    result = dhis2.dhis2_min_max(
        np.array([[3.0, 8], [3, 8]]), ranges=(np.array([[4.0], [NAN]]), np.array([[8.0], [NAN]]))
    )
    assert result.flags.tolist() == [[True, False], [False, False]]
    assert result.reason.tolist() == [["", ""], ["no_range", "no_range"]]


def test_texts_that_are_no_numbers():
    written = np.array(["12", "-3.5", "0", ".5", "1e3", "1.184,5", "007", "12 ca", "-", "", None], dtype=object)
    assert dhis2.dhis2_invalid_numeric(written).tolist() == [False] * 5 + [True] * 4 + [False] * 2


# ---- Countdown 2030, FASTR, Magic Glasses, sntutils


def test_countdown_judges_the_last_year_by_the_years_before_it():
    """10, 12, 14 before: median 12, MAD 2; 12 ± 5·1.4826·2 = −2.8 to 26.8."""
    values, years = series(10, 12, 14, 27, 26), np.array([2022, 2022, 2023, 2024, 2024])
    result = anchor_flags("cd2030", values, years)
    assert (flagged(result), result.upper[0, 0]) == ([3], 26.8)


def test_countdown_cannot_judge_a_unit_that_has_the_last_year_only():
    result = anchor_flags("cd2030", np.array([[NAN, 5.0], [5, 5]]), np.array([2023, 2024]))
    assert result.reason.tolist() == [["", "no_history"], ["", ""]]


def test_fastr_measures_from_the_upper_half_and_never_judges_up_to_a_hundred():
    """Median 110; upper half 110, 120, 130, 2000: median 125, MAD 10, scaled 14.826; (2000 − 110)/14.826 = 127 > 10."""
    values, years = series(90, 100, 105, 110, 120, 130, 2000), np.repeat(2024, 7)
    result = fastr.fastr(values, years=years)
    assert result.score[0, 6] == pytest.approx((2000 - 110) / (1.4826 * 10))
    assert (flagged(result), result.not_assessable.sum()) == ([6], 2)


def test_fastr_flags_a_value_that_is_four_fifths_of_its_year():
    """In the first year 900 of 1,000; the second year has the same spike beside 300 each month."""
    values, years = series(50, 50, 900, 300, 300, 900), np.repeat([2023, 2024], 3)
    assert fastr.share_of_year(values, years)[0, 2] == 0.9
    assert flagged(fastr.fastr(values, years=years, deviations=1e9)) == [2]


def test_fastr_leaves_out_months_before_the_first_and_after_the_last_report_from_six_on():
    late, early = [NAN] * 6 + [5] * 6, [NAN] * 5 + [5] * 7
    gap, never = [5, *[NAN] * 10, 5], [NAN] * 12
    flags = fastr.completeness(np.array([late, early, gap, never], dtype=float))
    assert flags[0].tolist() == [2] * 6 + [1] * 6
    assert flags[1].tolist() == [0] * 5 + [1] * 7
    assert flags[2].tolist() == [1] + [0] * 10 + [1]
    assert np.isnan(flags[3]).all()


def test_fastr_judges_pairs_by_district_without_outliers():
    """District a: 40 + 60 = 100 over 30 + 80 = 110 → 0.91 < 1; b: 50 over 0 cannot be judged."""
    names, held = fastr.consistency(
        series(40, 60, 50).T, series(30, 80, 0).T, np.array(["a", "a", "b"]), lower=1, upper=np.inf
    )
    assert names.tolist() == ["a", "b"]
    np.testing.assert_array_equal(held, [[0], [NAN]])


def test_fastrs_score_is_the_mean_of_points_and_pairs():
    """Two indicators, the second an outlier: 3 of 4 points; one of two pairs holds: (0.75 + 0.5)/2."""
    complete = np.ones((1, 1))
    mean, binary = fastr.quality_score(
        [(complete, np.array([[False]])), (complete, np.array([[True]]))], [np.array([[1.0]]), np.array([[0.0]])]
    )
    assert (mean.item(), binary.item()) == ((0.75 + 0.5) / 2, 0)


def test_magic_glasses_looks_again_without_what_it_found():
    """Median 101, MAD 2, ± 15·2: 1000 is out. Of the rest median 100.5, MAD 1.5, 100.5 + 10·1.5 = 115.5: 116 is out."""
    values, years = series(100, 102, 98, 101, 99, 116, 1000), np.repeat(2024, 7)
    assert flagged(snt.magic_glasses(values, years=years, second=1e9)) == [6]
    assert flagged(snt.magic_glasses(values, years=years)) == [5, 6]


def test_sntutils_needs_two_of_three_methods_and_eight_values():
    usual = [100, 104, 98, 101, 97, 103, 99, 102, 100, 101, 98]
    assert flagged(snt.sntutils(series(*usual, 1000))) == [11]
    assert flagged(snt.sntutils(series(*usual, 0))) == []  # the high side only
    assert reasons(snt.sntutils(series(1, 2, 3, 4, 5, 6, 900))) == ["too_few_values"]
    assert reasons(snt.sntutils(series(*[3] * 9, 900))) == ["no_spread"]  # MAD and IQR are 0: one vote at most


def test_a_run_of_high_months_is_an_outbreak_and_a_lonely_one_an_outlier():
    usual = [100, 104, 98, 101, 97, 103, 99, 102, 100, 101, 98, 99, 103, 102, 98, 100, 101, 99, 97, 100]
    run = snt.sntutils(series(*usual, 400, 430, 100, 410))
    assert run.flags[0, -4:].tolist() == run.outbreak[0, -4:].tolist() == [True, True, False, True]
    lonely = snt.sntutils(series(400, *usual, 430))
    assert flagged(lonely) == [0, 21]
    assert not lonely.outbreak.any()


def test_a_value_far_from_the_rest_of_its_run_is_no_outbreak():
    flags = np.ones((1, 3), dtype=bool)
    inside = snt.outbreak_runs(series(400, 410, 9000), flags, run=2, tolerance=0.9, gap=1)
    assert inside.tolist() == [[True, True, False]]


# ---- The check


def panel(counts, first="202401"):
    counts = np.asarray(counts, dtype=float)
    last = pd.Period(f"{first[:4]}-{first[4:]}", "M") + counts.shape[1] - 1
    months = tuple(period_range(first, last.strftime("%Y%m")))
    units = np.array([f"u{number}" for number in range(len(counts))], dtype=object)
    return Panel("d", "e", "", counts, units, np.full(len(counts), "p"), months)


def test_the_check_gives_one_row_per_flagged_value_and_counts_what_it_judged():
    found, judged, total = judge_anchor(
        panel([[50] * 11 + [500], [7] * 12, [NAN] * 11 + [3]]), {"rule": "dhis2_z", "threshold": 3}
    )
    assert found[["unit_id", "period_id", "value", "verdict"]].to_numpy().tolist() == [
        ["u0", "202412", 500, "error_high"]
    ]
    assert (judged, total) == (12, 12 + 12 + 1)
    assert found["at_stake"].tolist() == [500 - (11 * 50 + 500) / 12]


def test_an_outbreak_is_a_shock_and_a_low_value_or_zero_says_so():
    usual = [100, 104, 98, 101, 97, 103, 99, 102, 100, 101, 98, 99, 103, 102, 98, 100, 101, 99, 97, 100]
    found, _, _ = judge_anchor(panel([[*usual, 400, 430]]), {"rule": "sntutils"})
    assert found["verdict"].tolist() == ["shock", "shock"]
    found, _, _ = judge_anchor(panel([[*usual, 0], [*usual, 9]]), {"rule": "who_2c"})
    assert sorted(found["verdict"]) == ["error_low", "missing_or_zero"]


def test_unknown_rules_and_settings_are_named_with_those_there_are():
    with pytest.raises(InputError, match="dhis2_z, dhis2_modified_z"):
        anchor_flags("dhis2", series(1, 2), np.array([2024, 2024]))
    with pytest.raises(InputError, match="“treshold”.*threshold, strict"):
        anchor_flags("dhis2_z", series(1, 2), np.array([2024, 2024]), treshold=3)


def test_every_rule_of_the_catalog_runs_and_none_runs_unless_named():
    from tkyt_analysis.catalog import load_entries
    from tkyt_analysis.quality.run import all_rules

    ours = [rule for rule in load_entries("rules").values() if rule.function == "anchor_outliers"]
    assert {rule.parameters["rule"] for rule in ours} == set(RULES)
    assert not {rule.id for rule in ours} & {rule.id for rule in all_rules()}
    counts = np.random.default_rng(1).poisson(200, (5, 30)).astype(float)
    counts[2, 20] = 90_000
    for rule in ours:
        found, judged, total = ANCHOR_OUTLIERS.run(panel(counts), rule.parameters)
        assert ("u2", "202509") in set(zip(found["unit_id"], found["period_id"])), rule.id
        assert 0 < judged <= total == 150


# ---- Properties

counts = st.lists(
    st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=14, max_size=14), min_size=1, max_size=6
).map(lambda rows: np.array([[NAN if cell is None else cell for cell in row] for row in rows], dtype=float))
YEARS = np.repeat([2023, 2024], 7)


@given(values=counts, order=st.randoms(use_true_random=False))
def test_flags_do_not_depend_on_the_order_of_units(values, order):
    places = list(range(len(values)))
    order.shuffle(places)
    for rule in RULES:
        straight, shuffled = (anchor_flags(rule, one, YEARS) for one in (values, values[places]))
        np.testing.assert_array_equal(straight.flags[places], shuffled.flags)
        np.testing.assert_array_equal(straight.reason[places], shuffled.reason)


@given(values=counts)
def test_a_missing_value_is_neither_flagged_nor_counted_and_what_is_not_assessable_is_not_flagged(values):
    for rule in RULES:
        result = anchor_flags(rule, values, YEARS)
        assert not (result.flags & (np.isnan(values) | result.not_assessable)).any()
        assert not (result.not_assessable & np.isnan(values)).any()
        assert not (result.outbreak & ~result.flags).any()

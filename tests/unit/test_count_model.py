"""The count model: what a value should have been, what may have happened to it, and what is no error at all."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.quality.model.across import predicted_by_others, signal_covariance
from tkyt_analysis.quality.model.arrays import median_of_neighbours, neighbour_positions, time_kernel
from tkyt_analysis.quality.model.check import judge_outliers, judge_panel
from tkyt_analysis.quality.model.density import counts_at, log_probability, stabilised
from tkyt_analysis.quality.model.expected import expected_counts
from tkyt_analysis.quality.model.indicators import Grid, Indicator, judge_indicators
from tkyt_analysis.quality.model.judge import limit_for
from tkyt_analysis.quality.model.posterior import ends_in_zero, exchanged_digits, explain_values
from tkyt_analysis.quality.model.seasons import tet_share
from tkyt_analysis.quality.model.settings import EXPLANATIONS, PRIORS, ModelSettings
from tkyt_analysis.quality.model.situation import situation_of
from tkyt_analysis.quality.model.words import explanation_title
from tkyt_analysis.quality.panel import Panel
from tkyt_analysis.reference.periods import period, period_range

USUAL = [100, 110, 95, 102, 99, 105, 108, 97, 101, 94, 103, 98]


def panel(counts, first="202301", groups=None):
    counts = np.atleast_2d(np.asarray(counts, dtype=float))
    months = tuple(period_range(period(first), period("203512")))[: counts.shape[1]]
    units = np.array([f"u{number:04}" for number in range(len(counts))], dtype=object)
    provinces = np.array(groups if groups is not None else [""] * len(counts), dtype=object)
    return Panel("d", "e", "", counts, units, provinces, months)


def verdicts(counts, **options):
    judged = judge_panel(panel(counts, **options))
    found = np.full(np.atleast_2d(counts).shape, "", dtype="<U15")
    found[judged.rows, judged.columns] = judged.verdicts(ModelSettings().threshold)
    return found


def drawn(units=40, months=24, mean=200.0, spread=0.1, seed=1):
    rng = np.random.default_rng(seed)
    level = mean * np.exp(rng.normal(0, 0.5, (units, 1)))
    return rng.poisson(level * np.exp(rng.normal(0, spread, (units, months)))).astype(float)


def told_about(counts, row, column):
    """(verdict, explanation, suggested) of one cell."""
    judged = judge_panel(panel(counts))
    at = np.flatnonzero((judged.rows == row) & (judged.columns == column))[0]
    return judged.verdicts(ModelSettings().threshold)[at], judged.explanation[at], judged.suggested[at]


# ---- what may have happened


@pytest.mark.parametrize(
    ("shown", "verdict", "explanation", "suggested"),
    [
        (1020, "error_high", "extra_digit", 102),
        (10, "error_low", "lost_digit", pytest.approx(101, abs=3)),
        (0, "missing_or_zero", "blank_as_zero", None),
        (910, "error_high", "unknown", None),
    ],
)
def test_a_wrong_figure_of_a_steady_series_gets_its_explanation(shown, verdict, explanation, suggested):
    told = told_about([[*USUAL[:6], shown, *USUAL[7:]]], 0, 6)
    if explanation != "unknown":  # 910 is odd, whatever the explanation
        assert told[1] == explanation
    assert told[0] == verdict
    if suggested is not None:
        assert told[2] == suggested


def test_swapped_digits_are_put_back():
    counts = drawn(mean=200, spread=0.03)
    counts[3] = 190
    counts[3, 10] = 910  # 190 with its first two digits exchanged
    assert told_about(counts, 3, 10) == ("error_high", "swapped_digits", 190)


def test_a_cumulative_figure_is_taken_apart():
    counts = drawn(months=24, spread=0.05)
    true = counts[5, 5]
    counts[5, 5] = counts[5, :6].sum()  # January to June
    assert told_about(counts, 5, 5) == ("cumulative", "cumulative_as_period", true)


def test_twice_the_usual_beside_an_empty_month_is_two_months_in_one():
    counts = drawn(spread=0.05)
    counts[2, 7] += counts[2, 6]
    counts[2, 6] = np.nan
    verdict, explanation, suggested = told_about(counts, 2, 7)
    assert (verdict, explanation) == ("error_high", "two_periods_in_one")
    assert suggested == round(counts[2, 7] / 2)


@given(st.integers(10, 999_999), st.integers(0, 4))
def test_exchanging_the_same_two_digits_twice_gives_the_number_back(number, place):
    digits = list(str(number))
    changed = exchanged_digits(np.array([float(number)]), place)[0]
    if place + 1 >= len(digits):
        assert np.isnan(changed)
    else:
        digits[place], digits[place + 1] = digits[place + 1], digits[place]
        assert changed == int("".join(digits))


@given(st.floats(0.5, 5_000), st.integers(0, 60_000), st.floats(0.001, 1.0))
def test_the_chances_of_all_explanations_never_exceed_one(mean, value, spread):
    cells = situation_of(np.array([[value, value, value + 1.0]]))
    found = explain_values(cells.at((np.array([0, 0, 0]), np.array([0, 1, 2]))), np.full(3, mean), np.full(3, spread))
    assert (found.probability >= 0).all()
    assert (found.probability <= 1).all()


def test_a_round_number_proves_less_where_figures_are_rounded():
    """1,000 where 100 is usual: half of all extra digits are zeros, but so are half of the figures of this panel."""
    cells = situation_of(np.array([[1000.0]])).at((np.array([0]), np.array([0])))
    exact, rounded = (
        explain_values(cells, np.array([100.0]), np.array([0.3]), zero_ends=share).probability[0]
        for share in (0.1, 0.6)
    )
    assert exact > rounded


def test_the_share_of_final_zeros_is_counted_from_ten_on():
    values = np.array([10.0] * 20 + [11.0] * 20 + [0.0, 5.0])
    assert ends_in_zero(values) == 20 / 40


def test_every_explanation_has_words():
    assert all(explanation_title(name, language) for name in EXPLANATIONS for language in ("vi", "en"))
    assert sum(PRIORS.values()) < 0.1


# ---- what is no error


def test_counting_noise_of_small_numbers_is_no_error():
    assert set(verdicts([3, 1, 4, 0, 2, 5, 3, 2, 0, 1, 4, 2]).ravel()) == {"ok"}


def test_a_month_in_which_all_units_fall_is_a_shock_and_an_error_in_it_is_still_found():
    counts = drawn()
    counts[:, 14] = np.round(0.3 * counts[:, 14])
    counts[7, 14] = 3 * 200 * 3
    found = verdicts(counts)
    others = np.delete(found[:, 14], 7)
    assert (others == "shock").mean() > 0.9
    assert found[7, 14] == "error_high"
    assert (np.delete(found, 14, axis=1) == "ok").mean() > 0.99


def test_the_expected_count_follows_a_change_that_all_units_share():
    counts = drawn(spread=0.03)
    level = counts.mean(axis=1)
    counts[:, 14] = np.round(0.3 * counts[:, 14])
    ratio = expected_counts(counts).mean[:, 14] / level
    assert np.median(ratio) == pytest.approx(0.3, rel=0.1)


def test_a_storm_in_one_province_is_no_error():
    counts = drawn(units=60)
    groups = [f"p{number // 10}" for number in range(60)]
    counts[:10, 9] = np.round(0.3 * counts[:10, 9])
    found = verdicts(counts, groups=groups)
    assert not np.isin(found[:10, 9], ["error_low", "missing_or_zero"]).any()


def test_a_campaign_in_a_part_of_the_units_is_no_error_though_nobody_said_which():
    counts = drawn(units=60)
    counts[:20, 9] *= 4
    found = verdicts(counts)
    assert (found[:20, 9] == "shock").mean() > 0.9


def test_a_cluster_of_cases_where_one_is_rare_is_no_error_but_the_same_factor_on_large_counts_is():
    counts = np.random.default_rng(6).poisson(1.2, (30, 24)).astype(float)
    counts[4, 9] = 12
    assert verdicts(counts)[4, 9] in ("ok", "shock")
    counts = drawn(units=30, mean=120)
    counts[4, 9] *= 10
    assert verdicts(counts)[4, 9] == "error_high"


def test_one_unit_alone_with_four_times_its_level_is_asked_about():
    counts = drawn(units=60)
    counts[0, 9] *= 4
    assert verdicts(counts)[0, 9] == "error_high"


def test_a_season_that_comes_back_every_year_is_no_error():
    month = np.arange(48) % 12
    counts = np.random.default_rng(3).poisson(100 * np.exp(1.2 * np.cos(2 * np.pi * month / 12)), (3, 48)).astype(float)
    assert (verdicts(counts) == "ok").mean() > 0.97


def test_tet_moves_between_january_and_february():
    months = [period(one) for one in ("202301", "202302", "202401", "202402")]
    shares = tet_share(months)  # 22 January 2023 and 10 February 2024
    assert shares.tolist() == [9 / 31, 0, 0, 9 / 29]


def test_a_series_where_zeros_are_a_habit_is_not_asked_about_its_zeros():
    counts = drawn(units=30, months=24)
    counts[4, ::3] = 0
    assert not (verdicts(counts)[4, ::3] == "missing_or_zero").any()


# ---- leave-one-out, too short, shapes


@given(st.sampled_from([0.0, 60.0, 95.0, 2_000.0, 1e6]), st.integers(0, 11))
@settings(deadline=None, max_examples=25)
def test_a_value_of_a_lone_series_never_helps_to_judge_itself(value, place):
    counts = np.array([USUAL], dtype=float)
    before = expected_counts(counts).mean[0, place]
    counts[0, place] = value
    assert expected_counts(counts).mean[0, place] == pytest.approx(before, rel=0.03)


def test_in_a_panel_a_wild_value_moves_its_own_expected_count_by_less_than_a_percent():
    counts = drawn()
    before = expected_counts(counts).mean[3, 5]
    counts[3, 5] = 1e6
    assert expected_counts(counts).mean[3, 5] == pytest.approx(before, rel=0.01)


def test_three_values_of_a_lone_series_are_not_assessable_and_four_are():
    assert set(verdicts([10, 11, 1000]).ravel()) == {"not_assessable"}
    assert verdicts([10, 11, 9, 1000])[0, 3] == "error_high"


def test_a_spike_in_a_flat_series_is_found():
    """The median absolute deviation of such a series is 0: DHIS2 and WHO's tool drop it."""
    assert verdicts([50] * 11 + [500])[0, 11] == "error_high"


def test_missing_and_negative_values_are_not_judged():
    found = verdicts([10, np.nan, 12, 11, -5, 9, 10])[0]
    assert found.tolist() == ["ok", "", "ok", "ok", "", "ok", "ok"]


def test_a_panel_without_values_has_no_findings():
    rows, judged, total = judge_outliers(panel(np.full((2, 5), np.nan)), {})
    assert (len(rows), judged, total) == (0, 0, 0)


def test_findings_carry_limits_probability_suggestion_and_the_events_at_stake():
    counts = drawn()
    counts[2, 3] = 10 * counts[2, 4]
    rows, judged, total = judge_outliers(panel(counts), {})
    row = rows.iloc[0]
    assert (judged, total) == (counts.size, counts.size)
    assert row["lower"] < row["expected"] < row["upper"] < row["value"]
    assert row["explanation"] == "extra_digit"
    assert row["at_stake"] == row["value"] - row["suggested"]
    assert rows["probability"].between(ModelSettings().threshold, 1).all()


def test_only_the_periods_asked_for_give_findings_and_count():
    from dataclasses import replace

    counts = drawn()
    counts[2, 3] = 10 * counts[2, 4]
    asked = np.arange(24) >= 12
    rows, judged, total = judge_outliers(replace(panel(counts), asked=asked), {})
    assert "202304" not in set(rows["period_id"])
    assert (judged, total) == (40 * 12, 40 * 12)


@given(st.lists(st.integers(0, 300), min_size=2, max_size=15))
def test_the_median_of_neighbours_leaves_the_value_out(numbers):
    row = np.array([numbers], dtype=float)
    found = median_of_neighbours(row, window=20)[0]
    for place in range(len(numbers)):
        assert found[place] == np.median(np.delete(row[0], place))


@pytest.mark.parametrize(("periods", "window"), [(2, 12), (5, 12), (13, 12), (60, 12), (7, 3)])
def test_neighbours_are_the_nearest_others_and_never_the_month_itself(periods, window):
    positions = neighbour_positions(periods, window)
    assert positions.shape == (periods, min(window, periods - 1))
    assert all(at not in row for at, row in enumerate(positions))


def test_a_kernel_gives_a_month_no_weight_on_itself():
    kernel = time_kernel(5, 2.0)
    assert np.diag(kernel).tolist() == [0] * 5
    assert kernel[0, 1] > kernel[0, 2] > kernel[0, 3]


@given(st.floats(0.0, 1e6), st.floats(0.001, 2.0))
def test_the_stabilised_scale_can_be_undone(count, spread):
    assert counts_at(stabilised(np.array(count), np.array(spread)), np.array(spread)) == pytest.approx(
        count, rel=1e-6, abs=1e-6
    )


@pytest.mark.parametrize(("mean", "spread"), [(8.0, 0.1), (150.0, 0.05), (2_000.0, 0.02)])
def test_the_probabilities_of_all_counts_add_up_to_about_one(mean, spread):
    counts = np.arange(0, int(mean * 12) + 200, dtype=float)
    total = np.exp(log_probability(counts, np.full(len(counts), mean), np.full(len(counts), spread), 8.0)).sum()
    assert total == pytest.approx(1, abs=0.05)


# ---- several indicators


def test_a_prediction_from_others_leaves_the_value_out_and_agrees_with_the_conditional_normal():
    covariance = np.array([[1.0, 0.8, 0.5], [0.8, 1.0, 0.4], [0.5, 0.4, 1.0]])
    x, noise = np.array([[1.0, -0.3, np.nan], [0.2, 0.4, 2.0]]), np.full((2, 3), 0.1)
    mean, variance = predicted_by_others(x, noise, covariance)
    # cell (0, 0) from (0, 1) alone: 0.8 / 1.1 × -0.3
    assert mean[0, 0] == pytest.approx(0.8 / 1.1 * -0.3)
    assert variance[0, 0] == pytest.approx(1.1 - 0.8**2 / 1.1)
    # cell (1, 2) from two others, by the textbook
    block = np.array([[1.1, 0.8], [0.8, 1.1]])
    weights = np.linalg.solve(block, np.array([0.5, 0.4]))
    assert mean[1, 2] == pytest.approx(weights @ np.array([0.2, 0.4]))
    assert np.isnan(mean[0, 2])


def test_the_covariance_of_the_signal_is_found_under_noise():
    rng = np.random.default_rng(4)
    signal = rng.multivariate_normal([0, 0], [[1.0, 0.7], [0.7, 1.0]], 4_000)
    found = signal_covariance(signal + rng.normal(0, 0.5, signal.shape), np.full(signal.shape, 0.25), pull=20)
    assert found[0, 1] == pytest.approx(0.7, abs=0.08)
    assert found[0, 0] == pytest.approx(1.0, abs=0.08)
    assert np.linalg.eigvalsh(found).min() > 0


def together(parts, settings=None):
    months = parts[0].shape[1]
    grid = Grid(len(parts[0]), number=np.arange(months) % 12 + 1, year=np.arange(months) // 12)
    judged = judge_indicators([Indicator(one, np.arange(len(one))) for one in parts], grid, settings)
    answers = []
    for one, counts in zip(judged, parts):
        found = np.full(counts.shape, "", dtype="<U15")
        found[one.rows, one.columns] = one.verdicts(ModelSettings().threshold)
        answers.append(found)
    return answers


def test_a_unit_whose_indicators_all_double_in_a_month_is_no_error_but_a_lone_one_is():
    rng = np.random.default_rng(8)
    activity = np.exp(rng.normal(0, 0.25, (40, 24)))  # what all indicators of a unit share
    parts = [rng.poisson(300 * share * activity).astype(float) for share in (1.0, 0.8, 1.3, 0.6)]
    for one in parts:
        one[5, 10] *= 2
    parts[0][6, 10] *= 3
    found = together(parts)
    assert found[0][6, 10] == "error_high"
    assert {one[5, 10] for one in found} <= {"ok", "shock"}


def test_one_value_is_judged_where_the_units_other_indicators_tell_its_size():
    rng = np.random.default_rng(9)
    size = np.exp(rng.normal(5, 1, (60, 1)))
    parts = [rng.poisson(size * share * np.ones((60, 6))).astype(float) for share in (1.0, 0.5, 0.7, 0.3)]
    lone = np.full((60, 6), np.nan)
    lone[:, 2] = rng.poisson(size[:, 0] * 0.4)
    lone[11, 2] *= 10
    found = together([*parts, lone])[-1]
    assert found[11, 2] == "error_high"
    assert (found[:, 2] == "ok").mean() > 0.9
    assert set(verdicts(lone)[:, 2]) == {"not_assessable"}


# ---- how many


def test_the_limit_keeps_the_expected_share_of_sound_values_within_the_budget():
    probability = np.array([0.999] * 10 + [0.9] * 10 + [0.5] * 100 + [0.0] * 880)
    assert limit_for(probability, ModelSettings(threshold=0.4), None) == 0.4
    # Of values that the model is sure of 15 % are sound all the same: 10 × (1 − 0.85 × 0.999) = 1.51 false alarms among the
    # first ten; with the second ten 1.51 + 10 × (1 − 0.85 × 0.9) = 3.86. The panel has 0.01 + 1 + 50 + 880 = 931 sound values.
    settings = ModelSettings(threshold=0.4, misfit=0.15, lowest_threshold=0.05)
    assert limit_for(probability, settings, 0.002) > 0.9  # 0.2 % of 931 are 1.86
    assert 0.5 < limit_for(probability, settings, 0.005) <= 0.9  # 0.5 % are 4.7; the hundred halves would bring 57


def test_a_share_with_room_to_spare_asks_about_less_probable_values_too():
    probability = np.array([0.999] * 10 + [0.2] * 10 + [0.01] * 980)
    settings = ModelSettings(threshold=0.4, misfit=0.15, lowest_threshold=0.05)
    assert limit_for(probability, settings, None) == 0.4
    # 1.5 + 10 × (1 − 0.85 × 0.2) = 9.8 false alarms among 978 sound values are 1.0 %
    assert limit_for(probability, settings, 0.02) == pytest.approx(0.05)  # 2 % would reach further; 0.05 is the floor
    assert limit_for(probability, settings, 0.012) <= 0.2
    assert limit_for(probability, settings, 0.0016) == 0.4  # 1.5 of 978 use it up


def test_cost_grows_linearly_with_units():
    rng = np.random.default_rng(1)
    times = []
    for units in (1_000, 4_000):
        counts = rng.poisson(20, (units, 60)).astype(float)
        started = time.process_time()
        judge_outliers(panel(counts), {})
        times.append(time.process_time() - started)
    assert times[1] < 12 * times[0] + 0.5

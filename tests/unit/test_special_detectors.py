"""Special detectors on small drawn forms: what each must find, what it must leave alone, what it cannot judge."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.quality.panel import FormBlock
from tkyt_analysis.quality.special.copied import judge_copied
from tkyt_analysis.quality.special.cumulative import judge_cumulative
from tkyt_analysis.quality.special.decimals import judge_decimals
from tkyt_analysis.quality.special.digits import false_discovery_limit, judge_heaping, judge_invented
from tkyt_analysis.quality.special.learned import judge_learned
from tkyt_analysis.quality.special.misplaced import judge_misplaced
from tkyt_analysis.quality.special.ratios import companions, judge_ratios
from tkyt_analysis.quality.special.relations import learn_orders, learn_sums
from tkyt_analysis.quality.special.swapped_units import judge_swapped_units
from tkyt_analysis.quality.special.two_in_one import judge_two_in_one
from tkyt_analysis.reference.periods import period, period_range

JUDGES = [
    judge_cumulative, judge_two_in_one, judge_copied, judge_misplaced, judge_swapped_units, judge_heaping, judge_invented,
    judge_decimals, judge_learned, judge_ratios,
]  # fmt: skip


def form(values, *, first="202301", kind="month"):
    """A block of one province from an array (units, periods, series)."""
    values = np.asarray(values, dtype=float)
    start = period(first)
    periods = [start]
    while len(periods) < values.shape[1]:
        periods.append(periods[-1].next())
    assert periods == period_range(start, periods[-1])
    names = tuple((f"E{at}", "") for at in range(values.shape[2]))
    units = np.array([f"U{at:03d}" for at in range(len(values))], dtype=object)
    return FormBlock("form", values, units, np.full(len(values), "P1", dtype=object), tuple(periods), names)


def poisson(units=30, periods=36, means=(40, 90, 15, 200, 60), seed=1):
    """Honest counts: every unit with a size of its own, every element with a rate of its own."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(0, 0.4, units))[:, None, None]
    return rng.poisson(np.broadcast_to(size * np.array(means), (units, periods, len(means)))).astype(float)


# ---- honest counts


@pytest.mark.parametrize("judge", JUDGES, ids=lambda one: one.__name__)
def test_honest_counts_raise_no_question(judge):
    rows, judged, total = judge(form(poisson()), {})
    assert len(rows) == 0
    assert 0 <= judged <= total


@pytest.mark.parametrize("judge", JUDGES, ids=lambda one: one.__name__)
def test_an_outbreak_that_all_units_share_raises_no_question(judge):
    values = poisson()
    values[:, 20:23, :2] = np.round(values[:, 20:23, :2] * 5)
    assert len(judge(form(values), {})[0]) == 0


@pytest.mark.parametrize("judge", JUDGES, ids=lambda one: one.__name__)
def test_one_report_of_each_unit_is_too_little_to_judge(judge):
    rows, judged, _ = judge(form(poisson(periods=1)), {})
    assert len(rows) == 0
    assert judged == 0 or judge is judge_decimals  # a fraction is no count, however few there are


# ---- cumulative (B5)


def test_the_sum_since_january_is_found_and_the_periods_own_figure_suggested():
    values = poisson()
    true = values[4, 12:24].copy()
    values[4, 12:24] = true.cumsum(axis=0)  # January 40, February 40 + 43, March 40 + 43 + 38 …
    rows, _, _ = judge_cumulative(form(values), {})
    assert set(rows["unit_id"]) == {"U004"}
    assert set(rows["period_id"]) == {f"2024{month:02d}" for month in range(2, 13)}  # January is right either way
    march = rows[(rows["period_id"] == "202403") & (rows["element_id"] == "E1")].iloc[0]
    assert march["suggested"] == true[2, 1]
    assert march["previous"] == true[0, 1] + true[1, 1]
    assert (march["verdict"], march["explanation"]) == ("cumulative", "cumulative_as_period")
    assert march["at_stake"] == march["value"] - march["suggested"]


def test_cumulative_quarters_of_a_single_year_are_found_without_history():
    values = np.array([[[40, 80], [42, 83], [38, 76], [41, 88]]] * 6, dtype=float)
    values += np.arange(6)[:, None, None]
    values[2] = values[2].cumsum(axis=0)  # 42, 86, 126, 169
    rows, _, _ = judge_cumulative(form(values, first="2024Q1"), {})
    assert set(rows["unit_id"]) == {"U002"}
    assert set(rows["period_id"]) == {"2024Q2", "2024Q3", "2024Q4"}


def test_growth_over_a_year_is_not_cumulation():
    values = poisson()
    values[7, 12:24] = np.round(values[7, 12:24] * np.linspace(1, 2.2, 12)[:, None])
    assert len(judge_cumulative(form(values), {})[0]) == 0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_what_is_suggested_for_cumulative_figures_adds_up_to_the_last_of_them(seed):
    values = poisson(units=12, periods=24, seed=seed)
    values[3, :12] = values[3, :12].cumsum(axis=0)
    rows, _, _ = judge_cumulative(form(values), {})
    for place in range(values.shape[2]):
        own = rows[(rows["unit_id"] == "U003") & (rows["element_id"] == f"E{place}")]
        if len(own) == 11:  # every month after January
            assert values[3, 0, place] + own["suggested"].sum() == values[3, 11, place]


# ---- two periods in one (B6)


def test_a_report_that_holds_the_empty_month_before_it_is_found():
    values = poisson()
    values[9, 15] += values[9, 14]
    values[9, 14] = np.nan
    rows, _, _ = judge_two_in_one(form(values), {})
    assert set(zip(rows["unit_id"], rows["period_id"], rows["empty_period"], strict=True)) == {
        ("U009", "202404", "202403")
    }
    assert rows["leads"].sum() == 1
    assert rows.loc[rows["leads"], "at_stake"].item() == rows["at_stake"].max()


def test_a_month_that_is_only_missing_is_no_double_report():
    values = poisson()
    values[9, 14] = np.nan
    assert len(judge_two_in_one(form(values), {})[0]) == 0


# ---- copied (B7)


def test_forms_equal_to_the_month_before_to_last_year_and_to_another_unit_are_found():
    values = poisson()
    values[1, 10] = values[1, 9]
    values[2, 30] = values[2, 18]
    values[3, 20] = values[25, 20]
    rows, _, _ = judge_copied(form(values), {})
    found = set(
        zip(rows["unit_id"], rows["period_id"], rows["source"], rows["source_unit"], rows["source_period"], strict=True)
    )
    assert found == {
        ("U001", "202311", "before", "U001", "202310"),
        ("U002", "202507", "year_ago", "U002", "202407"),
        ("U003", "202409", "other_unit", "U025", "202409"),
    }


def test_equal_forms_of_zeros_and_ones_are_no_evidence():
    rng = np.random.default_rng(3)
    rows, judged, total = judge_copied(form(rng.poisson(0.3, (40, 24, 6))), {})
    assert len(rows) == 0
    assert judged < 0.05 * total  # such forms cannot be told from chance: not assessable


def test_figures_that_stay_equal_by_nature_are_no_copies():
    values = poisson(means=(40, 90))
    beds = np.broadcast_to(np.arange(100, 130)[:, None, None], (30, 36, 12))
    assert len(judge_copied(form(np.concatenate([values, beds], axis=2)), {})[0]) == 0


# ---- misplaced (B4), swapped units


def test_two_counts_that_changed_places_are_found():
    values = poisson()
    values[5, 8, [0, 3]] = values[5, 8, [3, 0]]  # about 40 and 200
    rows, _, _ = judge_misplaced(form(values), {})
    assert set(zip(rows["unit_id"], rows["period_id"], rows["element_id"], strict=True)) == {
        ("U005", "202309", "E0"),
        ("U005", "202309", "E3"),
    }
    assert list(rows["suggested"]) == list(rows["value"])[::-1]


def test_a_run_one_row_too_far_down_is_found():
    values = poisson(means=(40, 300, 15, 120, 5, 60))
    true = values[5, 8].copy()
    values[5, 8] = [0, *true[:-1]]
    rows, _, _ = judge_misplaced(form(values), {})
    assert set(rows["unit_id"]) == {"U005"}
    suggested = dict(zip(rows["element_id"], rows["suggested"], strict=True))
    assert [suggested[f"E{at}"] for at in range(5)] == list(true[:5])
    assert np.isnan(suggested["E5"])  # the last figure was lost


def test_one_digit_too_many_is_not_called_misplaced():
    values = poisson()
    values[5, 8, 0] *= 10
    assert len(judge_misplaced(form(values), {})[0]) == 0


def test_exchanged_forms_of_two_units_are_found():
    values = poisson()
    small, large = np.argsort(values.sum(axis=(1, 2)))[[2, -3]]
    values[[small, large], 12] = values[[large, small], 12]
    rows, _, _ = judge_swapped_units(form(values), {})
    assert set(zip(rows["unit_id"], rows["other_unit"], strict=True)) == {
        (f"U{small:03d}", f"U{large:03d}"),
        (f"U{large:03d}", f"U{small:03d}"),
    }


# ---- digits (B8, B12)


def test_a_unit_that_rounds_is_found_and_small_counts_are_not_judged():
    values = poisson()
    values[6] = np.round(values[6] / 5) * 5
    values[8] = np.minimum(values[8], 9)
    rows, judged, total = judge_heaping(form(values), {})
    assert list(rows["unit_id"]) == ["U006"]
    assert rows["value"].item() == 1.0
    assert (judged, total) == (29, 30)  # U008 has no count of two digits


def test_figures_smoother_than_chance_are_found_and_stocks_are_left_alone():
    values = poisson()
    values[6] = np.round(values[6].mean(axis=0))
    beds = np.broadcast_to(np.arange(100, 130)[:, None, None], (30, 36, 2))
    rows, _, _ = judge_invented(form(np.concatenate([values, beds], axis=2)), {})
    assert list(rows["unit_id"]) == ["U006"]
    assert rows["series"].item() == 5  # the two that never change anywhere do not count


def test_false_discoveries_are_limited_as_benjamini_and_hochberg_do():
    assert false_discovery_limit(np.array([0.001, 0.008, 0.039, 0.041, 0.6]), 0.05) == 0.008  # 0.039 > 3/5 × 0.05
    assert false_discovery_limit(np.array([0.2, 0.9]), 0.05) == 0.0


# ---- not a count (B9, B10)


def test_a_lost_thousands_separator_suggests_the_whole_number():
    values = poisson(means=(4000, 90))
    true = values[3, 5, 0]
    values[3, 5, 0] = true / 1000
    values[4, 6, 1] = -values[4, 6, 1]
    values[5, 7, 1] = 37.5
    rows, _, _ = judge_decimals(form(values), {})
    found = rows.set_index("unit_id")
    assert found.loc["U003", "suggested"] == true
    assert found.loc["U003", "explanation"] == "decimal_comma"
    assert found.loc["U004", "suggested"] == -found.loc["U004", "value"]
    assert np.isnan(found.loc["U005", "suggested"])


def test_an_element_that_is_a_rate_is_not_assessable_as_a_count():
    values = poisson(means=(40, 90))
    values[:, :, 1] /= 7
    rows, judged, total = judge_decimals(form(values), {})
    assert len(rows) == 0
    assert judged == total / 2


# ---- learned relations (C1, C3)


def with_total(seed=2, broken=0.1):
    """Three parts, their total, and an unrelated element; the total is wrong in one report of ten."""
    rng = np.random.default_rng(seed)
    parts = poisson(means=(12, 30, 7), seed=seed)
    total = parts.sum(axis=2, keepdims=True)
    wrong = rng.random(total.shape) < broken
    return np.concatenate(
        [parts, total + wrong * rng.integers(1, 9, total.shape), poisson(means=(70,), seed=9)], axis=2
    ), wrong


def test_a_total_and_its_parts_are_found_without_being_told():
    values, wrong = with_total()
    (one,) = learn_sums(values)
    assert (one.total, one.parts) == (3, (0, 1, 2))
    assert one.share == pytest.approx(1 - wrong.mean(), abs=0.01)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 1000))
def test_unrelated_elements_have_no_sums(seed):
    assert learn_sums(poisson(seed=seed)) == []


def test_every_report_that_breaks_a_learned_sum_is_asked_about():
    values, wrong = with_total()
    rows, _, _ = judge_learned(form(values), {})
    sums = rows[rows["relation"] == "sum"]
    assert len(sums) == wrong.sum()
    assert (sums["suggested"] == sums["expected"]).all()
    assert set(sums["others"]) == {"E0, E1, E2"}


def test_a_part_within_its_whole_is_learned_and_a_breach_found():
    rng = np.random.default_rng(4)
    births = poisson(means=(30,), seed=5)
    attended = rng.binomial(births.astype(int), 0.93).astype(float)
    attended[2, 3] = births[2, 3] + 4
    values = np.concatenate([attended, births], axis=2)
    assert [(one.part, one.whole) for one in learn_orders(values)] == [(0, 1)]
    rows, _, _ = judge_learned(form(values), {})
    assert list(zip(rows["unit_id"], rows["period_id"], rows["at_stake"], strict=True)) == [("U002", "202304", 4.0)]


def test_a_form_without_relations_is_not_assessable():
    _, judged, _ = judge_learned(form(poisson(means=(40, 60))), {})
    assert judged == 0


# ---- ratios (C2, C4)


def doses(seed=6, means=(60, 40)):
    """Dose 1 and dose 3 of thirty units, dose 3 a little fewer: in many months chance alone puts it above."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.normal(0, 0.3, 30))[:, None]
    first = rng.poisson(size * means[0] * np.ones(36))
    third = rng.poisson(size * means[0] * 0.95 * np.ones(36))
    other = rng.poisson(np.exp(rng.normal(0, 1, 30))[:, None] * means[1] * np.ones(36))
    return np.stack([first, third, other], axis=2).astype(float)


def test_months_with_dose_3_above_dose_1_by_chance_raise_no_question():
    values = doses()
    assert 0.2 < (values[:, :, 1] > values[:, :, 0]).mean() < 0.5
    assert len(judge_ratios(form(values), {})[0]) == 0


def test_a_year_with_truly_more_third_doses_is_found():
    values = doses()
    values[11, 12:24, 1] = np.ceil(values[11, 12:24, 0] * 1.6)
    rows, _, _ = judge_ratios(form(values), {})
    assert set(rows["unit_id"]) == {"U011"}
    one = rows.iloc[0]
    assert {one["element_id"], one["other"]} == {"E0", "E1"}
    assert "202401" <= one["first_period"] <= one["period_id"] <= "202412"


def test_companions_are_the_elements_whose_ratio_units_share():
    assert {frozenset(pair) for pair in companions(doses())} == {frozenset({0, 1})}


def test_one_wrong_figure_does_not_change_a_ratio():
    values = doses()
    values[11, 14, 1] *= 10
    assert len(judge_ratios(form(values), {})[0]) == 0


# ---- what every detector keeps to


@pytest.mark.parametrize("judge", JUDGES, ids=lambda one: one.__name__)
def test_findings_are_given_only_for_the_periods_asked_for(judge):
    values, _ = with_total()
    values[4, 12:24] = values[4, 12:24].cumsum(axis=0)
    values[1, 10] = values[1, 9]
    block = form(values)
    asked = np.zeros(36, dtype=bool)
    asked[-1] = True
    rows, _, total = judge(dataclasses.replace(block, asked=asked), {})
    assert set(rows["period_id"]) <= {block.periods[-1].period_id, ""}
    assert total <= 30 * values.shape[2] * 3


@pytest.mark.parametrize("judge", JUDGES, ids=lambda one: one.__name__)
def test_probabilities_are_between_0_and_1_and_stakes_not_negative(judge):
    values, _ = with_total()
    values[4, 12:24] = values[4, 12:24].cumsum(axis=0)
    values[1, 10] = values[1, 9]
    values[6] = np.round(values[6] / 10) * 10
    values[5, 5, 0] += 0.5
    rows, judged, total = judge(form(values), {})
    assert judged <= total
    if len(rows):
        assert rows["probability"].between(0, 1).all()
        assert (rows["at_stake"].dropna() >= 0).all()

"""Indices of digit preference and of age-sex accuracy: what they must be whatever the population."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mortality.measures import age_quality as quality
from tkyt_analysis.errors import InputError

EVEN = np.full(100, 7.0)
ONLY_TENS = np.where(np.arange(100) % 10 == 0, 50.0, 0.0)
counts = st.lists(st.integers(1, 500), min_size=100, max_size=100)


@given(level=st.floats(0.1, 1e6))
def test_an_even_population_has_no_digit_preference(level):
    even = np.full(100, level)
    assert float(quality.whipple(even, minimum=0).value) == pytest.approx(100)
    assert float(quality.whipple(even, digits=(3,), last_age=65, minimum=0).value) == pytest.approx(100)
    assert float(quality.noumbissi(even, digit=4, minimum=0).value) == pytest.approx(1)
    for index in (quality.myers, quality.bachi, quality.spoorenberg):
        assert float(index(even, minimum=0).value) == pytest.approx(0, abs=1e-9)
    assert float(quality.kannisto(even, minimum=0).value) == pytest.approx(1)
    assert float(quality.coale_li(even, minimum=0).value) == pytest.approx(1)


def test_a_population_that_writes_only_whole_tens_is_at_the_end_of_every_scale():
    assert float(quality.whipple(ONLY_TENS, first_age=23, last_age=62).value) == pytest.approx(100 * 5 * 4 / 4)
    assert float(quality.whipple(ONLY_TENS, digits=(0,), last_age=65).value) == pytest.approx(1000)
    assert float(quality.myers(ONLY_TENS).value) == pytest.approx(90)
    assert float(quality.bachi(ONLY_TENS).value) == pytest.approx(90)


@given(population=counts, factor=st.integers(2, 50))
def test_only_the_shape_of_the_ages_matters_and_populations_do_not_touch_each_other(population, factor):
    one, many = np.array(population, float), np.array([population, EVEN, np.array(population) * factor], float)
    for index in (quality.whipple, quality.myers, quality.bachi, quality.spoorenberg, quality.coale_li):
        values = index(many).value
        assert values.shape == (3,)
        assert values[0] == pytest.approx(float(index(one).value)) == pytest.approx(values[2])


@given(population=counts, order=st.permutations(range(100)))
def test_the_order_of_the_columns_does_not_matter_when_their_ages_are_given(population, order):
    table, order = np.array(population, float), np.array(order)
    for index in (quality.whipple, quality.myers, quality.bachi):
        shuffled = index(table[order], ages=order)
        assert float(shuffled.value) == pytest.approx(float(index(table).value))


def test_nobody_in_the_range_is_not_assessable_and_says_so():
    result = quality.whipple(np.array([np.zeros(100), EVEN]))
    assert result.status.tolist() == ["not_assessable", "ok"]
    assert result.reason.tolist() == ["reason.no_events_in_range", ""]


def test_ages_that_are_not_there_are_not_assessable():
    assert str(quality.myers(np.ones(60)).reason) == "reason.ages_absent"
    assert str(quality.bachi(np.ones(60)).reason) == "reason.ages_absent"
    assert str(quality.kannisto(np.ones(90)).status) == "not_assessable"


def test_too_few_events_are_not_assessable_where_a_minimum_is_asked_for():
    result = quality.myers(EVEN, minimum=1000)
    assert (str(result.status), str(result.reason)) == ("not_assessable", "reason.too_few_events_for_index")


def test_a_line_of_ages_and_equal_sexes_are_accurate():
    line = np.arange(100.0, 20, -5)
    assert float(quality.age_ratio_score(line).value) == pytest.approx(0)
    assert float(quality.sex_ratio_score(line, 0.9 * line).value) == pytest.approx(0)
    assert float(quality.age_sex_accuracy_index(line, line).value) == pytest.approx(0)


def test_an_age_group_twice_its_neighbours_is_seen_in_the_age_ratios():
    ratios = quality.age_ratios([10, 20, 10])
    assert ratios[1] == pytest.approx(100 * 20 / ((10 + 10) / 2))
    assert np.isnan(ratios[[0, 2]]).all()


def test_a_missing_sex_makes_the_accuracy_index_not_assessable():
    result = quality.age_sex_accuracy_index([10, 10, 10], [10, 0, 10])
    assert (str(result.status), str(result.reason)) == ("not_assessable", "reason.no_events_in_range")


def test_negative_counts_and_a_wrong_axis_are_refused_in_words():
    with pytest.raises(InputError, match="âm|negative"):
        quality.myers([-1.0] * 100)
    with pytest.raises(InputError, match="99"):
        quality.myers(np.ones(100), ages=np.arange(99))


# ---- options by name


def test_an_index_says_its_ages_and_options():
    assert quality.whipple(EVEN).method == "whipple;ages=25-60;digits=0,5"
    assert quality.bachi(EVEN, shares_of="pooled").method == "bachi;ages=23-77;pooled"
    assert quality.myers(EVEN, first_run="whole").method == "myers;ages=10-89;whole"


@pytest.mark.parametrize("method", ["un", "zelnick", "ramachandran"])
def test_age_ratios_of_a_line_are_100_in_every_way_of_counting(method):
    ratios = quality.age_ratios([50, 40, 30, 20], method=method)
    assert ratios[1:-1] == pytest.approx([100, 100])


def test_age_ratios_count_the_group_itself_none_once_or_twice_below():
    expected = {
        "un": 2 * 20 / (10 + 10),
        "zelnick": 3 * 20 / (10 + 20 + 10),
        "ramachandran": 4 * 20 / (10 + 2 * 20 + 10),
    }
    for method, ratio in expected.items():
        assert quality.age_ratios([10, 20, 10], method=method)[1] == pytest.approx(100 * ratio)


def test_the_open_group_and_a_range_of_ages_can_be_left_out():
    males, ages = np.array([100.0, 80, 90, 60, 500]), [0, 5, 10, 15, 20]
    closed = float(quality.age_ratio_score(males[:4]).value)
    assert float(quality.age_ratio_score(males, open_group=True).value) == pytest.approx(closed)
    assert float(quality.age_ratio_score(males, ages=ages, last_age=15).value) == pytest.approx(closed)
    from tkyt_analysis.errors import UsageError

    with pytest.raises(UsageError):
        quality.age_ratio_score(males, last_age=15)


def test_a_small_population_is_forgiven_what_chance_adds():
    males, females = np.array([100.0, 80, 90, 60]), np.array([95.0, 85, 80, 62])
    plain, forgiven = (
        float(quality.age_sex_accuracy_index(males, females, small_population=small).value) for small in (False, True)
    )
    assert plain - forgiven == pytest.approx(3500 / np.sqrt(males.sum() + females.sum()) - 3.5)
    large = quality.age_sex_accuracy_index(1e4 * males, 1e4 * females, small_population=True)
    assert float(large.value) == pytest.approx(plain)


def test_das_guptas_index_by_hand():
    males, females = [10, 30, 20, 16], [10, 25, 20, 20]
    steps = np.abs([120 - 100, 100 - 120, 80 - 100])
    ends = 100 * 40 / 35, 100 * 36 / 40
    sex = (steps.sum() - abs(ends[0] - ends[1])) / 3
    age_m = (abs(200 * 30 / 40 - 100) + abs(200 * 20 / 50 - 100) + abs(200 * 16 / 36 - 100)) / (
        2 * 200 * 30 / 40 - 100 - 200 * 16 / 40
    )
    age_f = (abs(200 * 25 / 35 - 100) + abs(200 * 20 / 45 - 100) + abs(200 * 20 / 40 - 100)) / (
        2 * 200 * 25 / 35 - 100 - 200 * 20 / 35
    )
    assert float(quality.das_gupta_index(males, females).value) == pytest.approx(sex * age_m * age_f)
    assert float(quality.age_sex_accuracy_index(males, females, method="das_gupta").value) == pytest.approx(
        sex * age_m * age_f
    )


def test_groups_from_0_that_stand_above_those_from_5_make_a_sawtooth():
    flat = np.ones(100)
    heaped = flat + (np.arange(100) % 10 == 0)
    assert float(quality.sawtooth(flat).value) == pytest.approx(1)
    # Groups of 6 and 5: 6 over 5 against 5 over 6.
    assert float(quality.sawtooth(heaped).value) == pytest.approx((6 / 5) / (5 / 6))
    assert str(quality.sawtooth(flat[:30]).reason) == "reason.ages_absent"


def test_kannistos_index_with_a_power_bears_a_zero():
    counts = np.ones(100)
    counts[91] = 0
    assert str(quality.kannisto(counts).status) == "not_assessable"
    assert float(quality.kannisto(counts, power=1).value) == pytest.approx(1 / (4 / 5))

"""Deaths that no list holds, from how lists overlap: published examples and what must hold for any lists."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mortality.measures.completeness import MODELS, capture_recapture, in_common, list_totals
from tkyt_analysis.errors import InputError

# Position = sum of 1 (first list), 2 (second), 4 (third).
RABBITS = [0, 80, 7, 7]  # 87 marked, 14 seen, 7 of them marked (Skalski; recalled)
# Spina bifida, upstate New York 1969-74: birth, death and rehabilitation records (Hook, Albright & Cross, Am J Epidemiol
# 1980;112:750-8). Cells recalled; their list totals agree with the shares that the abstract prints (68, 27 and 25 %).
SPINA_BIFIDA = [0, 247, 49, 142, 60, 112, 4, 12]
# Hepatitis A in a Taiwanese college, 1995 (Chao et al., Stat Med 2001;20:3123-57): lists of 135, 122, 126; 271 in all.
HEPATITIS = [0, 69, 55, 21, 63, 17, 18, 28]


def test_two_lists_give_chapmans_estimate():
    result = capture_recapture(RABBITS)
    assert float(result.estimate) == pytest.approx((87 + 1) * (14 + 1) / (7 + 1) - 1)
    assert (str(result.status), str(result.model)) == ("ok", "chapman")
    assert 94 <= float(result.lower) < 164 < float(result.upper)


def test_the_list_totals_of_hepatitis_are_those_published():
    assert list_totals(np.array(HEPATITIS, float)).tolist() == [135, 122, 126]


def test_independent_and_saturated_models_of_hepatitis_equal_the_published_estimates():
    models = capture_recapture(HEPATITIS).models
    assert float(models["1,2,3"]["estimate"]) == pytest.approx(388, abs=0.5)
    assert float(models["12,13,23"]["estimate"]) == pytest.approx(271 + 28 * 69 * 55 * 63 / (21 * 17 * 18))


def test_spina_bifida_finds_the_dependences_that_its_authors_found():
    result = capture_recapture(SPINA_BIFIDA)
    assert str(result.model) == "12,23"  # births with deaths, deaths against rehabilitation
    with_one, with_two = (float(result.models[name]["estimate"]) for name in ("23,1", "12,23"))
    assert with_two / with_one == pytest.approx(0.88 / 0.85, abs=0.01)  # their rates per 1 000 live births
    shares = result.completeness
    assert shares == pytest.approx([0.68, 0.27, 0.25], abs=0.02)
    assert float(result.lowest) <= float(result.estimate) <= float(result.highest)


def test_a_model_without_dependence_between_two_lists_equals_the_closed_form():
    one, two, both, three, one_three, two_three, all_three = SPINA_BIFIDA[1:]
    # lists 2 and 3 depend: list 1 against "2 or 3"
    other, common = two + three + two_three, both + one_three + all_three
    found = capture_recapture(SPINA_BIFIDA).models["23,1"]["estimate"]
    assert float(found) == pytest.approx(626 + other * one / common)


cells = st.integers(1, 60)


@given(only_one=cells, only_two=cells, both=st.integers(7, 60))
def test_two_lists_may_change_places(only_one, only_two, both):
    forth, back = capture_recapture([[0, only_one, only_two, both], [0, only_two, only_one, both]]).estimate
    assert forth == pytest.approx(back)


@given(seen=st.lists(cells, min_size=7, max_size=7), order=st.permutations(range(3)))
def test_three_lists_may_change_places(seen, order):
    histories = np.array([0, *seen], float)
    moved = np.zeros(8)
    for place in range(8):
        moved[sum(((place >> one) & 1) << order[one] for one in range(3))] = histories[place]
    result = capture_recapture([histories, moved])
    for name in ("1,2,3", "12,13,23"):
        first, second = result.models[name]["estimate"]
        assert first == pytest.approx(second, rel=1e-6)


@given(seen=st.lists(st.integers(0, 40), min_size=7, max_size=7))
def test_limits_hold_the_estimate_and_never_fall_below_what_was_seen(seen):
    result = capture_recapture([0, *seen])
    if str(result.status) == "ok":
        assert sum(seen) <= float(result.lower) <= float(result.estimate) + 1e-9
        assert float(result.estimate) <= float(result.upper) + 1e-9
    else:
        assert np.isnan(float(result.estimate))
        assert str(result.reason)


def test_lists_that_never_meet_are_not_assessable():
    apart = capture_recapture([[0, 20, 20, 0], [0, 20, 0, 20], [0, 20, 20, 6], [0, 0, 20, 0]])
    assert apart.reason.tolist() == ["too_few_in_common", "", "too_few_in_common", "empty_list"]
    assert np.isnan(apart.estimate[[0, 2, 3]]).all()


def test_three_lists_without_overlap_are_not_assessable():
    result = capture_recapture([0, 30, 30, 0, 30, 0, 0, 0])
    assert (str(result.status), str(result.reason)) == ("not_assessable", "too_few_in_common")


def test_identical_lists_leave_nobody_unseen():
    result = capture_recapture([0, 0, 0, 50])
    assert float(result.estimate) == pytest.approx(50)
    assert float(result.upper) == pytest.approx(50)


def test_areas_are_judged_each_for_itself_and_keep_their_shape():
    together = capture_recapture(np.array([[SPINA_BIFIDA], [HEPATITIS]]))
    assert together.estimate.shape == (2, 1)
    assert together.completeness.shape == (2, 1, 3)
    assert float(together.estimate[1, 0]) == pytest.approx(float(capture_recapture(HEPATITIS).estimate))


def test_the_95_percent_limits_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(20261123)
    truth, areas = 400, 300
    on = [rng.random((areas, truth)) < share for share in (0.7, 0.4, 0.3)]
    history = sum(seen.astype(int) << place for place, seen in enumerate(on))
    table = np.stack([(history == place).sum(axis=1) for place in range(8)], axis=1)
    result = capture_recapture(table, models=("1,2,3",))
    inside = (result.lower <= truth) & (truth <= result.upper)
    assert 0.92 <= inside.mean() <= 0.98


def test_deaths_in_common_are_those_on_two_lists_or_more():
    assert in_common(np.array(HEPATITIS, float)) == 21 + 17 + 18 + 28


def test_other_shapes_models_and_negative_counts_are_refused_in_words():
    with pytest.raises(InputError, match="5"):
        capture_recapture([0, 1, 2, 3, 4])
    with pytest.raises(InputError, match="âm|negative"):
        capture_recapture([0, -1, 2, 3])
    with pytest.raises(InputError, match="of_my_own"):
        capture_recapture(HEPATITIS, models=("of_my_own",))
    assert len(MODELS) == 8

"""Decompositions of a difference of life expectancies: parts add up, effects, causes, equal rates, many pairs."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from mortality.measures.decomposition import (
    METHODS,
    arriaga_decomposition,
    decompose_life_expectancy,
    horiuchi_decomposition,
    stepwise_decomposition,
)
from mortality.measures.decomposition_general import line_slopes, stepwise
from mortality.measures.life_table import life_tables
from tkyt_analysis.errors import InputError, UsageError

# Two drawn populations: the second has fewer infant and heart deaths, more accidents of the young.
BOTH = table("""
    age |  all_1 | heart_1 | accident_1 |  all_2 | heart_2 | accident_2
    0   | 0.0200 |  0.0010 |     0.0030 | 0.0100 |  0.0010 |     0.0030
    1   | 0.0010 |  0.0001 |     0.0006 | 0.0008 |  0.0001 |     0.0004
    5   | 0.0005 |  0.0000 |     0.0003 | 0.0005 |  0.0000 |     0.0003
    15  | 0.0015 |  0.0002 |     0.0010 | 0.0020 |  0.0002 |     0.0015
    45  | 0.0080 |  0.0030 |     0.0010 | 0.0060 |  0.0015 |     0.0010
    65  | 0.0400 |  0.0200 |     0.0020 | 0.0350 |  0.0150 |     0.0025
    80  | 0.1500 |  0.0900 |     0.0050 | 0.1400 |  0.0800 |     0.0050
""")
AGE, ONE, TWO = BOTH["age"], BOTH["all_1"], BOTH["all_2"]
CAUSES_1, CAUSES_2 = (
    BOTH[[f"heart_{side}", f"accident_{side}"]].set_axis(["heart", "accident"], axis=1) for side in (1, 2)
)
MIDPOINT = {"ax": "midpoint"}
seven_rates = st.lists(st.floats(1e-4, 0.3), min_size=7, max_size=7).map(np.array)


def difference(first, second, sex="total", **options):
    return float(
        np.squeeze(life_tables(second, AGE, sex, **options).ex[:, 0] - life_tables(first, AGE, sex, **options).ex[:, 0])
    )


@settings(max_examples=25, deadline=None)
@given(seven_rates, seven_rates)
def test_the_parts_of_the_ages_add_up_to_the_difference_by_every_exact_method(first, second):
    expected = difference(first, second)
    for order in ("forward", "backward", "symmetric"):
        rows = arriaga_decomposition(first, second, AGE, order=order)
        assert rows["contribution"].sum() == pytest.approx(expected, abs=1e-9)
    for direction in ("up", "down", "both"):
        rows = stepwise_decomposition(first, second, AGE, direction=direction, symmetric=False)
        assert rows["contribution"].sum() == pytest.approx(expected, abs=1e-9)


@settings(max_examples=10, deadline=None)
@given(st.lists(st.floats(0.6, 1.6), min_size=7, max_size=7).map(np.array))
def test_the_parts_along_the_line_add_up_but_for_the_residual_that_is_printed(change):
    rows = horiuchi_decomposition(ONE, ONE * change, AGE, **MIDPOINT)
    left = difference(ONE, ONE * change, **MIDPOINT) - rows["contribution"].sum()
    assert rows["residual"][0] == pytest.approx(left, abs=1e-9)
    assert abs(left) < 0.001 * rows["contribution"].abs().sum() + 1e-6


def test_more_steps_leave_less():
    coarse, fine = (horiuchi_decomposition(ONE, TWO, AGE, steps=steps)["residual"].abs()[0] for steps in (5, 50))
    assert fine < coarse / 50


def test_direct_indirect_and_interaction_are_arriaga_s_formulae_and_the_open_group_has_only_the_direct_effect():
    rows = arriaga_decomposition(ONE, TWO, AGE, "male")
    one, two = life_tables(ONE, AGE, "male"), life_tables(TWO, AGE, "male")
    l1, l2, L1, L2 = (part[0] / 100_000 for part in (one.lx, two.lx, one.Lx, two.Lx))
    T1, T2 = one.Tx[0] / 100_000, two.Tx[0] / 100_000
    at = 4
    assert rows["direct"][at] == pytest.approx(l1[at] * (L2[at] / l2[at] - L1[at] / l1[at]))
    other = T2[at + 1] * (l1[at] / l2[at] - l1[at + 1] / l2[at + 1])
    assert rows["indirect"][at] + rows["interaction"][at] == pytest.approx(other)
    assert rows["indirect"][at] == pytest.approx(T1[at + 1] * (l1[at] * l2[at + 1] / (l1[at + 1] * l2[at]) - 1))
    assert rows["indirect"].iloc[-1] == rows["interaction"].iloc[-1] == 0
    assert rows["direct"].iloc[-1] == pytest.approx(l1[-1] * (1 / 0.14 - 1 / 0.15))


def test_backward_is_forward_of_the_exchanged_populations_with_the_sign_turned():
    back = arriaga_decomposition(ONE, TWO, AGE, order="backward")["contribution"]
    there = arriaga_decomposition(TWO, ONE, AGE)["contribution"]
    np.testing.assert_allclose(back, -there)
    mean = arriaga_decomposition(ONE, TWO, AGE, order="symmetric")["contribution"]
    np.testing.assert_allclose(mean, (back + arriaga_decomposition(ONE, TWO, AGE)["contribution"]) / 2)


@pytest.mark.parametrize("decomposition", [arriaga_decomposition, horiuchi_decomposition, stepwise_decomposition])
def test_the_parts_of_the_causes_add_up_to_their_age_and_what_no_cause_explains_is_a_cause(decomposition):
    by_age = decomposition(ONE, TWO, AGE, **MIDPOINT)
    rows = decomposition(ONE, TWO, AGE, causes_1=CAUSES_1, causes_2=CAUSES_2, **MIDPOINT)
    assert list(rows["cause"].unique()) == ["heart", "accident", "other_causes"]
    tolerance = 0.01 if decomposition is stepwise_decomposition else 1e-9  # replaced cause by cause, not age by age
    np.testing.assert_allclose(rows.groupby("age")["contribution"].sum(), by_age["contribution"], atol=tolerance)
    assert rows["contribution"].sum() == pytest.approx(by_age["contribution"].sum(), abs=1e-9)
    parts = rows.groupby("cause")["contribution"].sum()
    assert parts["heart"] > 0 > parts["accident"]


def test_arriaga_shares_the_part_of_an_age_as_the_causes_share_the_change_of_its_rate():
    rows = arriaga_decomposition(ONE, TWO, AGE, causes_1=CAUSES_1, causes_2=CAUSES_2, **MIDPOINT)
    by_age = arriaga_decomposition(ONE, TWO, AGE, **MIDPOINT)["contribution"]
    heart = rows[(rows["cause"] == "heart") & (rows["age"] == 45)]["contribution"].item()
    assert heart == pytest.approx(by_age[4] * (0.0015 - 0.0030) / (0.0060 - 0.0080))


def swapped(amount):
    """At 45 heart deaths fall by `amount`, accidents rise by as much: the rate of all causes stays."""
    moved = pd.Series([0, 0, 0, 0, amount, 0, 0])
    return CAUSES_1.assign(heart=CAUSES_1["heart"] - moved, accident=CAUSES_1["accident"] + moved)


def test_where_causes_trade_places_arriaga_s_shares_do_not_exist_and_horiuchi_s_stand_in_and_are_marked():
    causes = swapped(0.001)
    rows = arriaga_decomposition(ONE, ONE, AGE, causes_1=CAUSES_1, causes_2=causes, **MIDPOINT)
    at_45 = rows[rows["age"] == 45].set_index("cause")
    assert dict(at_45["status"]) == dict.fromkeys(["heart", "accident", "other_causes"], "modelled")
    assert set(at_45["reason"]) == {"reason.decomposition_rates_equal"}
    line = horiuchi_decomposition(ONE, ONE, AGE, causes_1=CAUSES_1, causes_2=causes, **MIDPOINT)
    expected = line[line["age"] == 45].set_index("cause")["contribution"]
    assert expected["heart"] > 0.1
    np.testing.assert_allclose(at_45["contribution"], expected, rtol=1e-6)
    assert rows["contribution"].sum() == pytest.approx(0, abs=1e-9)
    assert (rows[rows["age"] != 45]["reason"] == "").all()


def test_the_undefined_shares_can_be_left_out_and_say_why():
    rows = arriaga_decomposition(
        ONE, ONE, AGE, causes_1=CAUSES_1, causes_2=swapped(0.001), equal_rates="missing", **MIDPOINT
    )
    at_45 = rows[rows["age"] == 45]
    assert at_45["contribution"].isna().all()
    assert set(at_45["status"]) == {"not_assessable"}


def test_shares_of_a_small_change_that_hides_large_ones_are_marked_as_unstable():
    second = ONE.where(AGE != 45, 0.0080001)
    rows = arriaga_decomposition(ONE, second, AGE, causes_1=CAUSES_1, causes_2=swapped(0.001), **MIDPOINT)
    at_45 = rows[rows["age"] == 45]
    assert set(at_45["reason"]) == {"reason.decomposition_rates_close"}
    assert set(at_45["status"]) == {"ok"}


def test_many_pairs_are_answered_at_once_as_one_by_one():
    first = pd.DataFrame([ONE, 1.2 * ONE], index=["01", "79"])
    second = pd.DataFrame([TWO, 1.1 * TWO], index=["01", "79"])
    causes = [{name: np.stack([part[name], part[name]]) for name in part} for part in (CAUSES_1, CAUSES_2)]
    for decomposition in (arriaga_decomposition, horiuchi_decomposition, stepwise_decomposition):
        together = decomposition(first, second, AGE, ["male", "female"], causes_1=causes[0], causes_2=causes[1])
        alone = decomposition(first.loc["79"], second.loc["79"], AGE, "female", causes_1=CAUSES_1, causes_2=CAUSES_2)
        ours = together[together["series"] == "79"]["contribution"]
        np.testing.assert_allclose(ours, alone["contribution"], rtol=1e-9, atol=1e-12)


def test_life_expectancy_at_an_older_age_is_decomposed_from_the_rates_of_those_ages():
    rows = arriaga_decomposition(ONE[4:], TWO[4:], AGE[4:])
    first, second = life_tables(ONE[4:], AGE[4:]), life_tables(TWO[4:], AGE[4:])
    assert rows["contribution"].sum() == pytest.approx(second.ex[0, 0] - first.ex[0, 0])


def test_groups_without_any_death_have_no_part_and_a_missing_rate_has_a_reason():
    nobody = ONE.where(AGE != 5, 0.0)
    rows = arriaga_decomposition(nobody, nobody, AGE, causes_1={"all": nobody}, causes_2={"all": nobody})
    assert (rows["contribution"] == 0).all()
    gap = arriaga_decomposition(ONE.where(AGE != 5), TWO, AGE)
    assert gap["contribution"].isna().any()
    missing = gap[gap["contribution"].isna()]
    assert (missing["status"] == "not_assessable").all()
    assert missing["reason"].str.startswith("reason.life_table_rate_missing").all()
    endless = horiuchi_decomposition(ONE.where(AGE != 80, 0.0), TWO, AGE)
    assert set(endless["reason"]) == {"reason.life_table_open_group_without_deaths"}


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_has_its_name_in_the_answer_and_adds_up(method):
    rows = decompose_life_expectancy(ONE, TWO, AGE, "female", method=method)
    left = rows["residual"][0] if "residual" in rows else 0.0
    assert rows["contribution"].sum() + left == pytest.approx(difference(ONE, TWO, "female"), abs=1e-9)
    assert abs(left) < 0.05  # a slope of the life table over groups of 20 years is rough; it says by how much
    assert rows["method"].str.startswith(f"{method}: ").all()


def test_any_function_can_be_decomposed():
    def product(parameters, number):
        return parameters.prod(axis=1)

    first, second = np.array([[2.0, 3.0]]), np.array([[4.0, 5.0]])
    line = line_slopes(product, first, second, steps=10) * (second - first)
    np.testing.assert_allclose(line, [[8, 6]])  # mean of the other factor (4, 3) times the change
    np.testing.assert_allclose(stepwise(product, first, second), [[8, 6]])
    np.testing.assert_allclose(stepwise(product, first, second, direction="up", symmetric=False), [[6, 8]])


def test_wrong_use_is_a_sentence():
    with pytest.raises(UsageError, match="symmetric"):
        arriaga_decomposition(ONE, TWO, AGE, order="sideways")
    with pytest.raises(UsageError, match="horiuchi"):
        decompose_life_expectancy(ONE, TWO, AGE, method="magic")
    with pytest.raises(InputError, match="7"):
        arriaga_decomposition(ONE, pd.DataFrame([TWO, TWO]), AGE)
    too_many = CAUSES_1.assign(heart=CAUSES_1["heart"] + (AGE == 45) * 0.01)
    with pytest.raises(InputError, match="45"):
        arriaga_decomposition(ONE, TWO, AGE, causes_1=too_many, causes_2=CAUSES_2)
    with pytest.raises(InputError, match="heart"):
        arriaga_decomposition(ONE, TWO, AGE, causes_1=CAUSES_1, causes_2=CAUSES_2.rename(columns=str.upper))


def test_one_slope_at_weighted_rates_leaves_no_residual_and_agrees_with_the_line():
    exact, plain = (
        decompose_life_expectancy(ONE, TWO, AGE, method="numerical", optimise=best) for best in (True, False)
    )
    assert abs(exact["residual"][0]) < 1e-6 < abs(plain["residual"][0])
    line = horiuchi_decomposition(ONE, TWO, AGE)["contribution"]
    np.testing.assert_allclose(exact["contribution"], line, atol=0.02)
    of_table = decompose_life_expectancy(ONE, TWO, AGE, method="lifetable", optimise=False, **MIDPOINT)["contribution"]
    np.testing.assert_allclose(of_table[1:-1], plain["contribution"][1:-1], rtol=0.1)
    with pytest.raises(UsageError, match="lifetable"):
        decompose_life_expectancy(ONE, TWO, AGE, method="numerical", slope="steep")


def test_ages_that_nobody_reaches_have_no_part():
    deadly = ONE.where(AGE != 45, 5.0)  # everybody who is 45 dies within the group
    rows = arriaga_decomposition(deadly, TWO, AGE, **MIDPOINT)
    assert (rows["contribution"][5:] == 0).all()
    assert rows["contribution"].sum() == pytest.approx(difference(deadly, TWO, **MIDPOINT))


def test_half_of_every_group_is_the_ax_of_the_peers_of_this_room():
    table = life_tables([0.0088, 0.0006, 0.0004, 0.2], [0, 1, 5, 10], "male", ax="half", a0="andreev_kingkade")
    assert table.ax[0].tolist() == [pytest.approx(0.14929 - 1.99545 * 0.0088), 2.0, 2.5, 5.0]

"""Life tables without a cause, of one cause alone, and by cause: identities, zeros, many series at once."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from mortality.measures.cause_deleted import (
    associated_single_decrement_table,
    cause_deleted_life_table,
    gain_by_cause,
    multiple_decrement_table,
)
from mortality.measures.life_table import life_tables
from tkyt_analysis.errors import InputError, UsageError

# Deaths per person-year, drawn: heart deaths grow with age, accidents are of the young.
RATES = table("""
    age |   all  | heart  | accident
    0   | 0.0200 | 0.0010 | 0.0030
    1   | 0.0010 | 0.0001 | 0.0006
    5   | 0.0005 | 0.0000 | 0.0003
    15  | 0.0015 | 0.0002 | 0.0010
    45  | 0.0080 | 0.0030 | 0.0010
    65  | 0.0400 | 0.0200 | 0.0020
    80  | 0.1500 | 0.0900 | 0.0050
""")
CAUSES = RATES[["heart", "accident"]]
ALL, AGE = RATES["all"], RATES["age"]

rates_and_shares = st.tuples(
    st.lists(st.floats(1e-5, 0.3), min_size=7, max_size=7), st.lists(st.floats(0, 0.99), min_size=7, max_size=7)
)


def test_without_a_cause_the_chance_of_surviving_a_group_is_p_to_the_power_of_the_share_left():
    deleted = cause_deleted_life_table(ALL, CAUSES, AGE, "male")
    heart = deleted[deleted["cause"] == "heart"].reset_index(drop=True)
    whole = life_tables(ALL, AGE, "male")
    left = 1 - 0.0030 / 0.0080  # at 45: 3 of 8 deaths are of the heart
    assert heart["share_left"][4] == pytest.approx(left)
    assert heart["qx"][4] == pytest.approx(1 - (1 - whole.qx[0, 4]) ** left)
    q, q_left, a, n = whole.qx[0, 4], heart["qx"][4], whole.ax[0, 4], 20
    assert heart["ax"][4] == pytest.approx(n + left * q / q_left * (a - n))
    assert heart["ex"].iloc[-1] == pytest.approx((1 / 0.15) / (0.06 / 0.15))  # open group: a / R
    assert (heart["gain"] > 0).all()
    assert (heart["status"] == "ok").all()


@settings(max_examples=40, deadline=None)
@given(rates_and_shares)
def test_deleting_a_cause_never_lowers_life_expectancy_and_deleting_no_death_changes_nothing(drawn):
    rates, shares = np.array(drawn[0]), np.array(drawn[1])
    deleted = cause_deleted_life_table(rates, {"some": rates * shares, "none": 0 * rates}, AGE, "female")
    some, none = (deleted[deleted["cause"] == name] for name in ("some", "none"))
    assert (some["gain"] > -1e-9).all()
    np.testing.assert_allclose(none["gain"], 0, atol=1e-9)
    np.testing.assert_allclose(none["ex"], life_tables(rates, AGE, "female").ex[0], rtol=1e-12)


def test_parabola_of_the_textbook_moves_life_expectancy_even_when_no_death_is_deleted():
    # Why "chiang" is the default: where ax was not made by the parabola, the two tables differ in more than the cause.
    gains = {rule: gain_by_cause(ALL, {"none": 0 * ALL}, [0, 1, 5, 10, 15, 20, 25], ax_deleted=rule, closeout="inverse")
             for rule in ("chiang", "phg")}  # fmt: skip
    assert gains["chiang"]["gain"][0] == pytest.approx(0, abs=1e-12)
    assert abs(gains["phg"]["gain"][0]) > 1e-4


@settings(max_examples=40, deadline=None)
@given(rates_and_shares)
def test_what_survives_one_cause_alone_times_what_survives_the_others_is_what_survives_all(drawn):
    rates, shares = np.array(drawn[0]), np.array(drawn[1])
    alone = associated_single_decrement_table(rates, {"one": rates * shares}, AGE)
    others = cause_deleted_life_table(rates, {"one": rates * shares}, AGE)
    survivors = alone["lx"].to_numpy() / 1e5 * others["lx"].to_numpy() / 1e5
    # nobody: where all die in a group, a share of 0 and one of rounding are the same
    np.testing.assert_allclose(survivors, life_tables(rates, AGE).lx[0] / 1e5, rtol=1e-9, atol=1e-15)


def test_deaths_of_the_life_table_by_cause_add_up_to_all_deaths():
    rest = ALL - CAUSES.sum(axis=1)
    rows = multiple_decrement_table(ALL, CAUSES.assign(rest=rest), AGE, "male")
    whole = life_tables(ALL, AGE, "male")
    np.testing.assert_allclose(rows.groupby("age")["dx"].sum(), whole.dx[0])
    ever = rows[rows["age"] == 0].set_index("cause")["probability_ever"]
    assert ever.sum() == pytest.approx(1)
    assert ever["heart"] == pytest.approx(rows[rows["cause"] == "heart"]["dx"].sum() / 100_000)


def test_counts_of_deaths_serve_as_well_as_rates():
    deaths, heart = pd.Series([20, 4, 5, 45, 160, 400, 300]), pd.Series([1, 0, 0, 6, 60, 200, 180])
    of_counts = gain_by_cause(ALL, {"heart": heart}, AGE, total=deaths)
    of_rates = gain_by_cause(ALL, {"heart": ALL * heart / deaths}, AGE)
    assert of_counts["gain"][0] == pytest.approx(of_rates["gain"][0])


def test_many_series_and_causes_are_answered_at_once_as_one_by_one():
    places = pd.DataFrame([ALL.to_numpy(), 1.3 * ALL.to_numpy()], index=["01", "79"])
    causes = {name: np.stack([CAUSES[name], 0.9 * CAUSES[name]]) for name in CAUSES}
    together = gain_by_cause(places, causes, AGE, ["male", "female"])
    assert list(together["series"]) == ["01", "01", "79", "79"]
    alone = gain_by_cause(places.loc["79"], {name: part[1] for name, part in causes.items()}, AGE, "female")
    np.testing.assert_allclose(together["gain"][2:], alone["gain"])


def test_a_cause_that_takes_every_death_of_the_oldest_leaves_a_table_that_cannot_be_closed_and_says_so():
    all_of_them = ALL.where(AGE == 80, 0.0)
    rows = cause_deleted_life_table(ALL, {"old age": all_of_them}, AGE)
    assert rows["ex"].isna().all()
    assert set(rows["status"]) == {"not_assessable"}
    assert set(rows["reason"]) == {"reason.no_death_left_in_open_group"}
    assert rows["lx"].notna().all()


def test_missing_negative_and_excessive_causes_are_named_and_never_silent():
    causes = {
        "missing": CAUSES["heart"].where(AGE != 45),
        "negative": CAUSES["heart"].where(AGE != 45, -0.001),
        "too many": CAUSES["heart"].where(AGE != 45, 0.009),
    }
    first = gain_by_cause(ALL, causes, AGE).set_index("cause")
    assert dict(first["reason"]) == {
        "missing": "reason.cause_missing",
        "negative": "reason.cause_negative",
        "too many": "reason.cause_exceeds_total",
    }
    assert first["gain"].isna().all()
    at_65 = gain_by_cause(ALL, causes, AGE, from_age=65)
    assert (at_65["status"] == "ok").all()


def test_ages_without_any_death_and_one_person_do_no_harm():
    rates = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0])  # one person, who died at 80 of the heart disease's rival
    rows = cause_deleted_life_table(rates, {"heart": 0 * rates}, AGE)
    assert rows["ex"][0] == pytest.approx(81)
    assert (rows["gain"].abs() < 1e-12).all()
    assert (multiple_decrement_table(rates, {"heart": 0 * rates}, AGE)["probability_ever"] == 0).all()


def test_the_rate_of_the_open_group_as_given_decides_the_share_where_the_end_is_modelled():
    rates = np.array([0.01, 0.001, 0.0005, 0.002, 0.008, 0.04, 0.15])
    modelled = gain_by_cause(rates, {"half": rates / 2}, [0, 1, 5, 20, 40, 60, 80], closeout="given", open_ex=7.0)
    assert modelled["reason"][0] == ""
    assert modelled["gain"][0] > 0


def test_wrong_use_is_a_sentence():
    with pytest.raises(UsageError, match="chiang"):
        cause_deleted_life_table(ALL, CAUSES, AGE, ax_deleted="guess")
    with pytest.raises(InputError, match="7"):
        cause_deleted_life_table(ALL, {"short": [0.1, 0.2]}, AGE)
    with pytest.raises(InputError, match="age"):
        cause_deleted_life_table(ALL, CAUSES)


def test_a_missing_rate_of_a_younger_age_leaves_life_expectancy_but_no_survivors_and_says_so():
    rows = cause_deleted_life_table(ALL.where(AGE != 1), {"heart": CAUSES["heart"]}, AGE)
    older = rows[rows["age"] >= 15]
    assert older["gain"].notna().all()
    assert older["lx"].isna().all()
    assert set(older["reason"]) == {"reason.younger_rate_missing"}
    assert set(rows[rows["age"] < 5]["status"]) == {"not_assessable"}

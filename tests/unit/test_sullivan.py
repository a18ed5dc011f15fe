"""Healthy life expectancy: bounds, both variances, differences, gaps, many series."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from mortality.measures.life_table import life_tables
from mortality.measures.sullivan import (
    abridged_from_complete,
    sullivan_difference,
    sullivan_life_expectancy,
    sullivan_life_table,
)
from tkyt_analysis.errors import InputError, UsageError

# A drawn survey: share with difficulty walking, people asked, and the deaths and people behind the life table.
SURVEY = table("""
    age | ill  | asked | deaths | people
    0   | 0.00 |   100 |     20 |   1000
    1   | 0.02 |   200 |      4 |   4000
    5   | 0.03 |   300 |      5 |  10000
    15  | 0.05 |   400 |     45 |  30000
    45  | 0.15 |   300 |    160 |  20000
    65  | 0.40 |   200 |    400 |  10000
    80  | 0.60 |    50 |    300 |   2000
""")
AGE = SURVEY["age"]
TABLE = life_tables(SURVEY["deaths"] / SURVEY["people"], AGE, "female")


def healthy(prevalence=SURVEY["ill"], nmx=TABLE, **options):
    return sullivan_life_expectancy(nmx, prevalence, **options)


def test_years_in_health_are_the_years_of_the_life_table_times_the_share_who_are_well():
    rows = healthy()
    expected = sum(TABLE.Lx[0, 5:] * (1 - SURVEY["ill"][5:])) / TABLE.lx[0, 5]
    assert rows["healthy_life_expectancy"][5] == pytest.approx(expected)
    assert rows["unhealthy_life_expectancy"][5] == pytest.approx(TABLE.ex[0, 5] - expected)
    assert rows["share_healthy"].iloc[-1] == pytest.approx(0.4)  # open group: all its years at 60 % ill


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=7, max_size=7))
def test_years_in_health_never_exceed_life_and_the_two_states_add_up_to_it(ill):
    rows = healthy(pd.Series(ill))
    assert (rows["healthy_life_expectancy"] <= rows["ex"] + 1e-9).all()
    both = rows["healthy_life_expectancy"] + healthy(1 - pd.Series(ill))["healthy_life_expectancy"]
    np.testing.assert_allclose(both, rows["ex"])


def test_nobody_ill_means_a_whole_life_in_health_and_everybody_ill_means_none():
    assert healthy(0 * SURVEY["ill"])["healthy_life_expectancy"][0] == pytest.approx(TABLE.ex[0, 0])
    assert healthy(0 * SURVEY["ill"] + 1)["healthy_life_expectancy"][0] == 0


def test_the_variance_of_the_survey_is_binomial_and_that_of_the_deaths_is_chiang_s():
    rows = healthy(sample_size=SURVEY["asked"], deaths=SURVEY["deaths"])
    L, l, q, a = TABLE.Lx[0], TABLE.lx[0], TABLE.qx[0], TABLE.ax[0]
    p = SURVEY["ill"].to_numpy()
    last_two = L[5] ** 2 * p[5] * (1 - p[5]) / 200 + L[6] ** 2 * p[6] * (1 - p[6]) / 50
    assert rows["variance_prevalence"][5] == pytest.approx(last_two / l[5] ** 2)
    lost = (15 - a[5]) * (1 - p[5]) + rows["healthy_life_expectancy"][6]
    assert rows["variance_mortality"][5] == pytest.approx(lost**2 * q[5] ** 2 * (1 - q[5]) / 400)
    assert rows["variance_mortality"][6] == 0  # everybody in the open group dies: no variance
    both = rows["variance_prevalence"] + rows["variance_mortality"]
    np.testing.assert_allclose(rows["standard_error"] ** 2, both)
    np.testing.assert_allclose(
        rows["upper"] - rows["healthy_life_expectancy"], 1.959964 * rows["standard_error"], rtol=1e-6
    )
    assert rows["method"][0].startswith("Sullivan, variance of prevalence and mortality")


def test_the_survey_alone_gives_narrower_limits_and_its_error_may_be_given_instead_of_its_size():
    both = healthy(sample_size=SURVEY["asked"], deaths=SURVEY["deaths"])["standard_error"]
    alone = healthy(sample_size=SURVEY["asked"])["standard_error"]
    assert (alone[:-1] < both[:-1]).all()
    error = np.sqrt(SURVEY["ill"] * (1 - SURVEY["ill"]) / SURVEY["asked"])
    np.testing.assert_allclose(healthy(prevalence_error=error)["standard_error"], alone)


def test_without_a_sample_size_there_are_no_limits_and_the_reason_says_so():
    rows = healthy()
    assert rows["lower"].isna().all()
    assert set(rows["status"]) == {"ok"}
    assert set(rows["reason"]) == {"reason.sullivan_no_sample_size"}


def test_two_populations_differ_by_z_standard_errors():
    other = healthy(SURVEY["ill"] * 0.8, sample_size=SURVEY["asked"])
    ours = healthy(sample_size=SURVEY["asked"])
    rows = sullivan_difference(other, ours)
    error = np.hypot(other["standard_error"], ours["standard_error"])
    np.testing.assert_allclose(rows["standard_error"], error)
    np.testing.assert_allclose(rows["z"], rows["difference"] / error)
    assert rows["difference"][0] > 0
    same = sullivan_difference(ours, ours)
    assert same["p_value"][0] == pytest.approx(1)
    unknown = sullivan_difference(healthy(), ours)
    assert set(unknown["status"]) == {"not_assessable"}


def test_a_gap_in_the_survey_leaves_its_age_and_the_younger_ones_without_a_figure_but_not_the_older():
    rows = healthy(SURVEY["ill"].where(AGE != 45))
    assert (rows["status"][:5] == "not_assessable").all()
    assert set(rows["reason"][:5]) == {"reason.prevalence_missing"}
    assert (rows["status"][5:] == "ok").all()
    assert rows["healthy_life_expectancy"][5] == pytest.approx(healthy()["healthy_life_expectancy"][5])
    impossible = healthy(SURVEY["ill"].where(AGE != 45, 15))  # per cent in place of a share
    assert impossible["reason"][0] == "reason.prevalence_wrong"
    nobody = healthy(sample_size=SURVEY["asked"].where(AGE != 80, 0))
    assert set(nobody["reason"]) == {"reason.nobody_asked"}


def test_the_table_of_the_guide_takes_the_first_year_from_births():
    given_q0 = sullivan_life_table(SURVEY["deaths"], SURVEY["people"], AGE, "female", infant_probability=0.015)
    assert given_q0.lx[0, 1] == pytest.approx(98_500)
    assert given_q0.Lx[0, 0] == pytest.approx(0.2 * 100_000 + 0.8 * 98_500)
    assert given_q0.mx[0, 0] == 0.02


def test_abridging_keeps_survivors_years_and_expectancies():
    single = life_tables(np.linspace(0.001, 0.3, 91), range(91))
    coarse = abridged_from_complete(single, [0, 1, *range(5, 91, 5)])
    np.testing.assert_allclose(coarse.Lx.sum(), single.Lx.sum())
    assert coarse.ex[0, 4] == pytest.approx(single.ex[0, 15])
    np.testing.assert_allclose(coarse.dx.sum(), 100_000)
    n, a, q = coarse.n[3], coarse.ax[0, 3], coarse.qx[0, 3]
    assert q == pytest.approx(n * coarse.mx[0, 3] / (1 + (n - a) * coarse.mx[0, 3]))


def test_many_provinces_share_one_survey():
    rates = pd.DataFrame([TABLE.mx[0], 1.2 * TABLE.mx[0]], index=["01", "79"])
    rows = sullivan_life_expectancy(rates, SURVEY["ill"], AGE, "female", sample_size=SURVEY["asked"])
    assert list(rows["series"].unique()) == ["01", "79"]
    first = rows[rows["series"] == "01"]["healthy_life_expectancy"]
    np.testing.assert_allclose(first, healthy()["healthy_life_expectancy"])


def test_wrong_use_is_a_sentence():
    with pytest.raises(UsageError, match="sample_size"):
        healthy(sample_size=SURVEY["asked"], prevalence_error=SURVEY["ill"])
    with pytest.raises(InputError, match="7"):
        healthy(SURVEY["ill"][:5])
    with pytest.raises(InputError, match="7"):
        sullivan_difference(healthy(), healthy().iloc[:5])

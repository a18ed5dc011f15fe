"""Logistic joinpoints: planted ones come back, the maximum is the maximum, tests choose the number."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.analysis.trend import binomial_joinpoint
from tkyt_analysis.analysis.trend.logistic_search import best_fit, log_likelihood
from tkyt_analysis.errors import InputError, UsageError

YEARS = np.arange(2005, 2020.0)


def planted(place=2011.4, before=0.08, after=-0.06, persons=1e7):
    logit = -4 + before * (YEARS - 2005) + (after - before) * np.maximum(YEARS - place, 0)
    return pd.DataFrame({"year": YEARS, "deaths": persons / (1 + np.exp(-logit)), "population": persons})


def test_a_planted_joinpoint_between_two_years_comes_back():
    found = binomial_joinpoint(planted(), joinpoints=1)
    assert found.joinpoints.loc[0, "tau"] == pytest.approx(2011.4, abs=1e-6)
    assert found.segments["slope"].tolist() == pytest.approx([0.08, -0.06], abs=1e-8)
    assert found.segments["apc"].tolist() == pytest.approx([100 * np.expm1(0.08), 100 * np.expm1(-0.06)], abs=1e-6)


def test_a_planted_joinpoint_on_a_year_comes_back():
    assert binomial_joinpoint(planted(place=2012.0), joinpoints=1).joinpoints.loc[0, "tau"] == pytest.approx(2012.0)


def test_without_joinpoint_it_is_logistic_regression():
    import statsmodels.api as sm

    rows = planted()
    theirs = sm.GLM(
        np.column_stack([rows["deaths"], rows["population"] - rows["deaths"]]), sm.add_constant(rows["year"]),
        family=sm.families.Binomial(),
    ).fit(tol=1e-12)  # fmt: skip
    ours = binomial_joinpoint(rows, joinpoints=0).coefficients
    assert ours["value"].tolist() == pytest.approx(theirs.params.tolist(), rel=1e-6)
    assert ours["se"].tolist() == pytest.approx(theirs.bse.tolist(), rel=1e-6)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_no_joinpoint_on_a_fine_grid_is_more_likely_than_the_one_found(seed):
    time = np.arange(9.0)
    sizes = np.full((1, 9), 500.0)
    events = np.random.default_rng(seed).binomial(500, 0.1, (1, 9)).astype(float)
    none = {"extra": np.empty((9, 0)), "offset": np.zeros(9)}
    found = best_fit(events, sizes, time, 1, **none)
    for tau in np.arange(1.0, 7.001, 0.25):  # from the second to the last but one time
        hinge = {"extra": np.maximum(time - tau, 0)[:, None], "offset": np.zeros(9)}
        assert best_fit(events, sizes, time, 0, **hinge).loglik[0] <= found.loglik[0] + 1e-8
    eta = found.beta[0] @ [np.ones(9), time] + found.change[0, 0] * np.maximum(time - found.tau[0, 0], 0)
    assert log_likelihood(events[0], sizes[0], eta) == pytest.approx(found.loglik[0])


def test_two_joinpoints_are_told_apart():
    rows = planted()
    logit = -4 + 0.1 * (YEARS - 2005) - 0.2 * np.maximum(YEARS - 2009.3, 0) + 0.25 * np.maximum(YEARS - 2014.6, 0)
    rows["deaths"] = rows["population"] / (1 + np.exp(-logit))
    found = binomial_joinpoint(rows, joinpoints=2)
    assert found.joinpoints["tau"].tolist() == pytest.approx([2009.3, 2014.6], abs=1e-6)
    assert binomial_joinpoint(rows).models.query("chosen")["joinpoints"].tolist() == [2]


def test_covariates_and_offset_enter_the_logit():
    time = np.repeat(np.arange(1, 11.0), 2)
    x = np.tile([0.0, 3.0, 1.0, 4.0], 5)
    offset = np.tile([-2.0, -1.5], 10)
    logit = offset + 0.1 + 0.07 * x + 0.1 * time - 0.15 * np.maximum(time - 5.5, 0)
    events = 1e6 / (1 + np.exp(-logit))
    found = binomial_joinpoint(
        events=events, population=np.full(20, 1e6), time=time, covariates=x, offset=offset, joinpoints=1
    )
    assert found.coefficients["value"].tolist() == pytest.approx([0.1, 0.1, 0.07, -0.15, 5.5], abs=1e-6)
    rows = pd.DataFrame({"t": time, "y": events, "n": 1e6, "dose": x, "shift": offset})
    named = binomial_joinpoint(rows, covariates="dose", offset="shift", joinpoints=1)
    assert named.coefficients["value"].tolist() == pytest.approx(found.coefficients["value"].tolist())
    assert named.coefficients["term"].tolist() == ["Intercept", "t", "dose", "max(t-tau1,0)", "tau1"]


def test_simulated_tests_choose_one_joinpoint_where_one_was_planted_and_none_where_none_was():
    rows = planted(persons=1e6).assign(deaths=lambda t: np.rint(t["deaths"]))
    straight = planted(persons=1e6, after=0.08).assign(deaths=lambda t: np.rint(t["deaths"]))
    for how in ("forward", "backward"):
        options = {"joinpoints": how, "max_joinpoints": 2, "replicates": 60}
        bent = binomial_joinpoint(rows, **options)
        assert bent.models.query("chosen")["joinpoints"].tolist() == [1], how
        assert bent.tests.loc[0, "p_value"] == 0.0
        assert binomial_joinpoint(straight, **options).models.query("chosen")["joinpoints"].tolist() == [0], how
        assert bent.tests.equals(binomial_joinpoint(rows, **options).tests)  # seeded


def test_what_cannot_be_fitted_says_why():
    rows = planted()
    for case, reason in (
        (rows.assign(deaths=0), "reason.trend_no_events"),
        (rows.assign(deaths=2e7), "reason.more_events_than_total"),
        (rows.head(4), "reason.trend_too_few_years"),
        (rows.assign(population=0), "reason.trend_no_data"),
        (rows.assign(deaths=-1), "reason.events_missing"),
    ):
        found = binomial_joinpoint(case, joinpoints=1)
        assert set(found.segments["reason"]) == {reason}
        assert found.segments["apc"].isna().all()


def test_many_series_keep_their_keys_and_marks():
    both = pd.concat([planted().assign(sex="female"), planted(place=2009.7).assign(sex="male")])
    found = binomial_joinpoint(both, by="sex", joinpoints=1, breaks=pd.DataFrame({"sex": ["male"], "at": [2017]}))
    assert found.joinpoints[["sex", "tau"]].values.tolist() == [
        ["female", pytest.approx(2011.4)],
        ["male", pytest.approx(2009.7)],
    ]
    assert found.models.query("chosen")["marks"].tolist() == ["", "2017"]


def test_wrong_use_is_answered_with_a_sentence():
    with pytest.raises(UsageError):
        binomial_joinpoint(planted(), joinpoints="some")
    with pytest.raises(InputError):
        binomial_joinpoint(planted().drop(columns="population"))

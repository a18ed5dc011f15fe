"""Continuous breakpoints: planted ones are found, the search finds the lowest valley, and what cannot be fitted says why."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.analysis.trend import breakpoints
from tkyt_analysis.analysis.trend.breakpoint_search import Problem, best_breakpoints, sum_of_squares
from tkyt_analysis.errors import UsageError

YEARS = np.arange(2000, 2025.0)
# +1 % a year to mid-2008, -3 % to 2016.25, then +2 %
SLOPES = np.log([1.01, 0.97, 1.02])
PLACES = [2008.5, 2016.25]


def broken_line(years=YEARS, noise=0.0, seed=1):
    line = SLOPES[0] * (years - 2000)
    for change, place in zip(np.diff(SLOPES), PLACES, strict=True):
        line = line + change * np.maximum(years - place, 0)
    return pd.DataFrame(
        {"year": years, "rate": 50 * np.exp(line + np.random.default_rng(seed).normal(0, noise, len(years)))}
    )


def test_planted_breakpoints_and_annual_changes_come_back():
    found = breakpoints(broken_line(), n_breakpoints=2)
    assert found.breakpoints["psi"].tolist() == pytest.approx(PLACES, abs=1e-4)
    assert found.segments["apc"].tolist() == pytest.approx([1.0, -3.0, 2.0], abs=1e-4)
    assert found.segments[["start", "end"]].values.tolist()[1] == pytest.approx(PLACES, abs=1e-4)


def test_the_average_change_is_the_rise_of_the_line_over_its_run():
    found = breakpoints(broken_line(), n_breakpoints=2).aapc.iloc[0]
    weights = np.diff([2000, *PLACES, 2024]) / 24
    assert found["slope"] == pytest.approx((weights * SLOPES).sum(), abs=1e-7)
    window = breakpoints(broken_line(), n_breakpoints=2, window=(2010, 2015)).aapc.iloc[0]
    assert window["apc"] == pytest.approx(-3.0, abs=1e-4)


def test_bic3_takes_too_many_breakpoints_less_often_than_bic():
    many = pd.concat([broken_line(noise=0.02, seed=seed).assign(draw=seed) for seed in range(12)])
    tried = breakpoints(many, by="draw").candidates.set_index("n_breakpoints")
    too_many = {how: (tried.groupby("draw")[how].idxmin() > 2).sum() for how in ("bic", "bic3")}
    assert too_many["bic3"] < too_many["bic"]
    assert (tried.groupby("draw")["bic3"].idxmin() >= 2).all()
    assert len(tried) == 12 * 4


def test_no_breakpoint_is_weighted_least_squares_on_the_logarithm():
    import statsmodels.api as sm

    rows = broken_line(noise=0.05).assign(se=lambda t: 0.02 * t["rate"] * (1 + (t["year"] % 3)))
    theirs = sm.WLS(np.log(rows["rate"]), sm.add_constant(rows["year"]), weights=(rows["rate"] / rows["se"]) ** 2).fit()
    ours = breakpoints(rows, n_breakpoints=0)
    assert ours.segments.loc[0, "slope"] == pytest.approx(theirs.params["year"])
    assert ours.segments.loc[0, "se"] == pytest.approx(theirs.bse["year"])
    assert ours.segments.loc[0, ["slope_lower", "slope_upper"]].tolist() == pytest.approx(
        theirs.conf_int().loc["year"].tolist()
    )
    assert ours.fits.loc[0, "bic"] == pytest.approx(theirs.bic + np.log(25))  # R counts the variance too


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 2))
def test_no_place_on_a_fine_grid_fits_better_than_the_one_that_was_found(seed, k):
    years = np.arange(12.0)
    drawn = np.random.default_rng(seed)
    y, weight = drawn.normal(size=(1, 12)).cumsum(axis=1), drawn.uniform(0.5, 2, (1, 12))
    problem = Problem(y, weight, years, np.array([1.0]), np.array([10.0]), 2)
    best = sum_of_squares(problem, best_breakpoints(problem, k))[0]
    fine = np.arange(1, 10.01, 0.25)
    sets = fine[:, None] if k == 1 else np.array([(a, b) for a in fine for b in fine if b > a])
    many = problem.part(np.zeros(len(sets), dtype=np.intp))
    assert best <= sum_of_squares(many, sets).min() * (1 + 1e-9)


def test_limits_of_a_breakpoint_hold_the_truth_about_as_often_as_they_say():
    many = pd.concat([broken_line(noise=0.02, seed=seed).assign(draw=seed) for seed in range(60)])
    found = breakpoints(many, n_breakpoints=2, by="draw").breakpoints
    first = found[found["number"] == 1]
    covered = ((first["lower"] < PLACES[0]) & (first["upper"] > PLACES[0])).mean()
    assert 0.8 < covered <= 1.0  # nominal 0.95; of 200 such series 0.90: the linearisation is a little short


def test_the_standard_error_of_the_average_change_is_how_much_it_varies_between_drawn_series():
    many = pd.concat([broken_line(noise=0.02, seed=seed).assign(draw=seed) for seed in range(60)])
    found = breakpoints(many, n_breakpoints=2, by="draw").aapc
    assert found["se"].median() == pytest.approx(found["slope"].std(), rel=0.35)


def test_breakpoint_uncertainty_belongs_into_the_average_change():
    rows = broken_line(noise=0.02)
    whole = breakpoints(rows, n_breakpoints=2).aapc.iloc[0]
    clegg = breakpoints(rows, n_breakpoints=2, breakpoint_uncertainty=False).aapc.iloc[0]
    assert whole["slope"] == clegg["slope"]
    assert whole["se"] != clegg["se"]
    assert whole["lower"] < 100 * np.expm1((np.diff([2000, *PLACES, 2024]) / 24 * SLOPES).sum()) < whole["upper"]


def test_a_first_guess_is_followed_into_its_own_valley():
    rows = broken_line(noise=0.01)
    near = breakpoints(rows, n_breakpoints=1, start=[2015.0]).fits.loc[0, "rss"]
    best = breakpoints(rows, n_breakpoints=1).fits.loc[0, "rss"]
    assert best <= near * (1 + 1e-9)


def test_series_keep_their_order_and_do_not_change_each_other():
    straight = pd.DataFrame({"year": YEARS, "rate": 20 * 0.98 ** (YEARS - 2000)})
    straight["rate"] *= np.exp(np.random.default_rng(5).normal(0, 0.01, 25))
    both = pd.concat([broken_line(noise=0.01).assign(sex="female"), straight.assign(sex="male")])
    found = breakpoints(both, by="sex", max_breakpoints=2)
    assert found.fits[["sex", "n_breakpoints"]].values.tolist() == [["female", 2], ["male", 0]]
    alone = breakpoints(broken_line(noise=0.01), max_breakpoints=2)
    assert found.breakpoints["psi"].tolist() == pytest.approx(alone.breakpoints["psi"].tolist())
    assert len(found.fitted) == 50


def test_what_cannot_be_fitted_says_why():
    rows = broken_line()
    zero = rows.assign(rate=rows["rate"].where(rows["year"] != 2005, 0.0))
    no_se = rows.assign(se=0.0)
    for case, reason in (
        (zero, "reason.trend_zero_on_log_scale"),
        (no_se, "reason.trend_weight_missing"),
        (rows.head(4), "reason.trend_too_few_years"),
        (rows.head(6), "reason.trend_too_few_values"),
    ):
        found = breakpoints(case, n_breakpoints=2)
        assert (found.fits.loc[0, "status"], found.fits.loc[0, "reason"]) == ("not_assessable", reason)
        assert found.segments["apc"].isna().all()
        assert set(found.segments["reason"]) == {reason}


def test_zeros_are_no_trouble_on_the_linear_scale():
    rows = broken_line().assign(rate=lambda t: np.maximum(t["year"] - 2010.5, 0.0))
    found = breakpoints(rows, n_breakpoints=1, scale="linear")
    assert found.breakpoints.loc[0, "psi"] == pytest.approx(2010.5, abs=1e-4)
    assert found.segments["slope"].tolist() == pytest.approx([0.0, 1.0], abs=1e-6)
    assert found.segments["apc"].isna().all()


def test_marks_of_vintages_are_said():
    found = breakpoints(broken_line(), n_breakpoints=1, breaks=[2017])
    assert found.fits.loc[0, "marks"] == "2017"


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_breakpoints": "many"},
        {"n_breakpoints": -1},
        {"scale": "cubic"},
        {"confidence": 2},
        {"window": (2005, 2005)},
        {"edge": 2},
        {"max_breakpoints": "x"},
    ],
)
def test_an_unknown_option_is_answered_with_a_sentence(wrong):
    with pytest.raises(UsageError):
        breakpoints(broken_line(), **wrong)

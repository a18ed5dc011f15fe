"""Farrington's detectors beside a plain rewriting of their steps with statsmodels, one series and one week at a time."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tkyt_analysis.analysis.trend import farrington, farrington_flexible
from tkyt_analysis.analysis.trend.farrington_bounds import at_least, count_quantile
from tkyt_analysis.analysis.trend.farrington_control import control_of
from tkyt_analysis.analysis.trend.farrington_detection import outbreak_weights
from tkyt_analysis.analysis.trend.farrington_windows import window_of
from tkyt_analysis.analysis.trend.weeks import Times, read_times
from tkyt_analysis.errors import UsageError

WEEKS = 330


def series(mean=8.0, *, seed=1, weeks=WEEKS, slope=0.0):
    """Weekly counts with a season, more variable than Poisson counts."""
    rng = np.random.default_rng(seed)
    week = np.arange(weeks)
    level = mean * np.exp(0.3 * np.cos(2 * np.pi * week / 52) + slope * week)
    return rng.negative_binomial(4, 4 / (4 + level)).astype(float)


def by_hand(counts, now, *, b, w, no_periods, left_out, threshold, method, power, alpha, p_trend, classic=False):
    """(expected, upper) of week `now` (0 = first): the published steps, in the order in which R takes them."""
    import statsmodels.api as sm

    season = np.zeros(now + 1, int)
    centres = [now - 52 * year for year in range(b + 1)]
    season[now - w :] = no_periods
    for later, centre in zip(centres, centres[1:], strict=False):
        season[centre - w : centre + w + 1] = no_periods
        between = np.arange(centre + w + 1, later - w)
        for number, part in enumerate(np.array_split(between, no_periods - 1) if no_periods > 1 else []):
            season[part] = number + 1
    if not classic:
        season[now - left_out :] = 0
    else:
        season[now - w :] = 0
    rows = np.flatnonzero(season)
    y, time = counts[rows], rows.astype(float)
    dummies = np.column_stack([(season[rows] == level) for level in range(1, no_periods + 1)]).astype(float)
    now_row = np.array([0.0] * (no_periods - 1) + [1.0])

    def fit(trend):
        design = np.column_stack([dummies, time - now]) if trend else dummies
        row = np.append(now_row, 0.0) if trend else now_row

        def glm(weights):
            return sm.GLM(y, design, family=sm.families.Poisson(), var_weights=weights).fit(tol=1e-13, maxiter=200)

        first = glm(np.ones(len(y)))
        df = len(y) - design.shape[1]
        phi = max(((y - first.mu) ** 2 / first.mu).sum() / df, 1)
        root = np.sqrt(first.mu)[:, None] * design
        hat = np.einsum("ij,jk,ik->i", root, np.linalg.inv(root.T @ root), root)
        s = 1.5 * (y ** (2 / 3) * first.mu ** (-1 / 6) - first.mu**0.5) / np.sqrt(phi * (1 - hat))
        raw = np.where(s > threshold, s**-2.0, 1.0)
        omega = raw * len(y) / raw.sum()
        second = glm(omega)
        mu = second.mu
        phi = max((omega * (y - mu) ** 2 / mu).sum() / df, 1)
        # the package's standard errors: after omega has taken the place of the working weights
        spread = (omega * ((y - mu) / mu) ** 2).sum() / df
        if classic:
            spread = (omega * (y - mu) ** 2 / mu).sum() / df
        covariance = np.linalg.inv((design * (omega * mu)[:, None]).T @ design)
        return second.params, covariance, phi, spread, df, row

    beta, covariance, phi, spread, df, row = fit(True)
    t = beta[-1] / np.sqrt(spread * covariance[-1, -1])
    kept = 2 * stats.t.sf(abs(t), df) < p_trend and np.exp(row @ beta) <= y.max() and b >= 3
    if not kept:
        beta, covariance, phi, spread, df, row = fit(False)
    eta = row @ beta
    se = np.sqrt((phi if classic else spread) * (row @ covariance @ row))
    mean = np.exp(eta)
    if method == "delta":
        k = {"2/3": 2 / 3, "1/2": 1 / 2, "none": 1}[power]
        tau = phi + (se * mean) ** 2 / mean
        sd = {"2/3": np.sqrt(4 / 9 * mean ** (1 / 3) * tau), "1/2": np.sqrt(tau / 4), "none": np.sqrt(mean * tau)}[
            power
        ]
        z = stats.norm.ppf(1 - (alpha / 2 if classic else alpha))
        return mean, (mean**k + z * sd) ** (1 / k), kept
    mu0 = mean if method == "nbPlugin" else np.exp(stats.norm.ppf(1 - alpha, eta, se))
    law = stats.nbinom(mu0 / (phi - 1), 1 / phi) if phi > 1 else stats.poisson(mu0)
    return mean, law.ppf(1 - alpha), kept


PLAIN = {"no_periods": 1, "left_out": 3, "threshold": 1.0, "method": "delta", "p_trend": 0.05}
SEASONS = {"no_periods": 10, "left_out": 26, "threshold": 2.58, "p_trend": 1.0}


@pytest.mark.parametrize(
    ("names", "power", "options"),
    [
        ("noufaily", "2/3", {"b": 4, "method": "nbPlugin", **SEASONS}),
        ("noufaily", "2/3", {"b": 5, "method": "muan", **SEASONS}),
        ("noufaily", "1/2", {"b": 5, **SEASONS, "method": "delta"}),
        ("farrington", "2/3", {"b": 5, **PLAIN}),
        ("farrington", "1/2", {"b": 4, **PLAIN}),
        ("flexible", "none", {"b": 3, **SEASONS, "no_periods": 5, "left_out": 8, "method": "delta", "p_trend": 0.5}),
    ],
)
def test_a_detector_takes_the_published_steps(names, power, options):
    many = np.stack([series(seed=1), series(mean=40, seed=2, slope=0.004), series(mean=2, seed=3)])
    weeks = [300, 315, 330]
    ours = farrington(
        many, method=names, b=options["b"], noPeriods=options["no_periods"], range=weeks, alpha=0.02, powertrans=power,
        pastWeeksNotIncluded=options["left_out"], weightsThreshold=options["threshold"], limit54=(0, 4),
        pThresholdTrend=options["p_trend"], thresholdMethod=options["method"],
    )  # fmt: skip
    told = [by_hand(one, week - 1, w=3, power=power, alpha=0.02, **options) for one in many for week in weeks]
    assert ours["expected"].tolist() == pytest.approx([one[0] for one in told], rel=1e-5)
    assert ours["upperbound"].tolist() == pytest.approx([one[1] for one in told], rel=5e-5)  # R stops a step early
    assert ours["trend"].tolist() == [one[2] for one in told]


def test_the_older_function_has_a_two_sided_bound_and_weights_from_one():
    counts = series(mean=20, seed=5)
    ours = farrington(counts, method="classic", range=[310, 330], b=5, alpha=0.05)
    told = [
        by_hand(counts, week - 1, b=5, w=3, no_periods=1, left_out=0, threshold=1.0, method="delta", power="2/3",
                alpha=0.05, p_trend=0.05, classic=True)
        for week in (310, 330)
    ]  # fmt: skip
    assert ours["expected"].tolist() == pytest.approx([one[0] for one in told], rel=1e-5)
    assert ours["upperbound"].tolist() == pytest.approx([one[1] for one in told], rel=1e-5)


def test_many_series_at_once_give_what_each_gives_alone():
    many = np.stack([series(seed=seed, mean=mean) for seed, mean in ((1, 1), (2, 10), (3, 100), (4, 0.05))])
    together = farrington(many, range=[328, 329, 330])
    for row in range(4):
        alone = farrington(many[row], range=[328, 329, 330])
        part = together[together["series"] == row + 1].reset_index(drop=True)
        pd.testing.assert_frame_equal(part.drop(columns="series"), alone, rtol=1e-9)


def test_a_planted_outbreak_raises_an_alarm_and_nothing_else_does_in_that_week():
    many = np.tile(np.full(WEEKS, 10.0), (3, 1)) + np.array([-1.0, 0.0, 1.0] * 110)[None, :]
    many[1, -1] = 40
    week = farrington(many, range=[WEEKS])
    assert week["alarm"].tolist() == [False, True, False]
    assert (week["score"] > 1).tolist() == [False, True, False]


def test_a_past_outbreak_weighs_less_and_so_hides_less():
    counts = series(mean=10, seed=8)
    counts[WEEKS - 1 - 52 : WEEKS + 1 - 52] = 90
    with_weights, without = (
        farrington(counts, method="farrington", range=[WEEKS], reweight=weigh)["upperbound"].iloc[0]
        for weigh in (True, False)
    )
    assert with_weights < without


def test_fewer_than_five_events_in_four_weeks_raise_no_alarm_and_say_so():
    counts = np.zeros(WEEKS)
    counts[-1] = 4
    row = farrington(counts, range=[WEEKS]).iloc[0]
    assert (row["alarm"], row["status"], row["reason"]) == (False, "not_assessable", "reason.few_recent_events")
    assert np.isnan(row["upperbound"])
    assert farrington(counts, range=[WEEKS], few_as_zero=True)["upperbound"].iloc[0] == 0
    counts[-1] = 5
    assert farrington(counts, range=[WEEKS])["alarm"].iloc[0]


def test_the_last_weeks_are_those_of_the_range():
    counts = series()
    pd.testing.assert_frame_equal(farrington(counts, last=2), farrington(counts, range=[WEEKS - 1, WEEKS]))
    with pytest.raises(UsageError, match="331"):
        farrington(counts, last=331)


def test_a_missing_count_is_not_a_zero():
    counts = series(mean=10)
    counts[-1] = np.nan
    counts[100] = np.nan
    rows = farrington(counts, range=[WEEKS - 1, WEEKS])
    assert rows["status"].tolist() == ["ok", "not_assessable"]
    assert rows["reason"].tolist() == ["", "reason.count_now_missing"]
    assert not rows["alarm"].iloc[1]


def test_weeks_of_a_dated_series_are_compared_with_the_nearest_same_weekday():
    # 2021-01-04 (Monday, week 1): a year before is Saturday 2020-01-04, whose nearest Monday is 2020-01-06
    days = np.arange(np.datetime64("2014-01-06"), np.datetime64("2021-01-11"), np.timedelta64(7, "D"))
    times = read_times(days)
    now = int(np.flatnonzero(days == np.datetime64("2021-01-04"))[0])
    window = window_of(times, now, control_of("flexible", {"b": 2, "w": 0}))
    assert days[window.rows].astype(str).tolist() == ["2019-01-07", "2020-01-06"]


def test_seasonal_periods_share_the_weeks_between_the_windows():
    # 52 weeks less a window of 7 leave 45 for 9 periods: 5 each
    window = window_of(Times.numbered(300, 52), 299, control_of("noufaily", {"b": 1}))
    counted = np.bincount(window.season)[1:]
    # the last 26 weeks and the week itself are left out, 3 + 1 of them in the window: 45 - 23 = 22 weeks remain
    assert counted.tolist() == [5, 5, 5, 5, 2, 0, 0, 0, 0, 7]


def test_months_are_compared_with_the_same_months_of_other_years():
    months = pd.period_range("2015-01", "2024-12", freq="M").strftime("%Y%m")
    table = pd.DataFrame({"period_id": months, "events": [30 if month[4:] == "07" else 10 for month in months]})
    rows = farrington(table, method="farrington", w=0, limit54=(0, 1))
    july = rows[rows["period"].str.endswith("07")]
    assert july["expected"].tolist() == pytest.approx([30] * len(july))
    assert rows["period"].iloc[0] == "202001"  # five years of history


def test_expected_counts_follow_the_population_if_asked():
    persons = np.linspace(1e5, 2e5, WEEKS)
    counts = 100 * persons / 1e5
    row = farrington(counts, range=[WEEKS], population=persons, population_offset=True, trend=False).iloc[0]
    assert row["expected"] == pytest.approx(200, rel=1e-6)


def test_too_short_a_history_is_said():
    with pytest.raises(UsageError, match="b"):
        farrington([1, 2, 3])
    rows = farrington(series(weeks=200), range=[200])
    assert rows["reason"].iloc[0] == "reason.history_too_short"


@pytest.mark.parametrize(
    ("series_", "options", "word"),
    [
        ([1.0] * 330, {"noPeriod": 3}, "noPeriod"),
        ([1.0] * 330, {"method": "magic"}, "magic"),
        ([1.0] * 330, {"threshold_method": "x"}, "delta"),
        ([1.0] * 330, {"alpha": 2}, "alpha"),
        ([1.0] * 330, {"range": [331]}, "331"),
        ([-1.0] * 330, {}, "-1"),
        (pd.DataFrame({"a": [1]}), {}, "events"),
        (pd.DataFrame({"date": ["2024-01-01"] * 2, "events": [1, 2]}), {}, "2"),
        (pd.DataFrame({"date": ["2024-01-01", "x"], "events": [1, 2]}), {}, "x"),
        ([1.0] * 330, {"population_offset": True}, "population"),
    ],
)
def test_wrong_input_gets_a_sentence(series_, options, word):
    with pytest.raises(UsageError) as problem:
        farrington(series_, **options)
    assert word in problem.value.sentence("vi")
    assert problem.value.sentence("en")


def test_the_names_of_r_are_understood():
    counts = series()
    ours = farrington_flexible(
        counts, range=[330], no_periods=10, threshold_method="nbPlugin", past_weeks_not_included=26
    )
    theirs = farrington_flexible(
        counts, control={"range": [330], "noPeriods": 10, "thresholdMethod": "nbPlugin", "pastWeeksNotIncluded": 26,
                         "fitFun": "algo.farrington.fitGLM.flexible", "verbose": False},
    )  # fmt: skip
    pd.testing.assert_frame_equal(ours, theirs)


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 3000), st.floats(1, 30), st.floats(0.001, 0.999))
def test_a_quantile_is_the_smallest_count_that_is_not_exceeded_often_enough(mean, dispersion, p):
    law = stats.nbinom(mean / (dispersion - 1), 1 / dispersion) if dispersion > 1.0001 else stats.poisson(mean)
    dispersion = dispersion if dispersion > 1.0001 else 1.0
    found = count_quantile(p, np.array([mean]), np.array([dispersion]))[0]
    assert law.cdf(found) >= p * (1 - 1e-9)
    assert found == 0 or law.cdf(found - 1) < p * (1 + 1e-9)
    assert at_least(np.array([found]), np.array([mean]), np.array([dispersion]))[0] == pytest.approx(
        law.sf(found - 1), rel=1e-6, abs=1e-12
    )


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-5, 20), min_size=2, max_size=40), st.sampled_from([1.0, 2.58]))
def test_weights_of_past_weeks_sum_to_their_number(residuals, threshold):
    weights = outbreak_weights(np.array([residuals]), np.ones((1, len(residuals))), threshold)[0]
    assert weights.sum() == pytest.approx(len(residuals))
    high = np.array(residuals) > threshold
    assert not high.any() or high.all() or weights[high].max() <= weights[~high].min() + 1e-12

"""Season and trend: STL, harmonics in a model of counts, Holt–Winters."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.trend import harmonic_trend, holt_winters, stl_decomposition
from tkyt_analysis.errors import UsageError

MONTHS = np.arange(1, 61.0)
WAVE = np.array([30, 20, 10, 0, -10, -25, -30, -20, -5, 0, 10, 20.0])


def test_a_season_that_never_changes_is_found_as_it_is():
    found = stl_decomposition(200 + np.tile(WAVE, 5))
    assert found["seasonal"].to_numpy() == pytest.approx(np.tile(WAVE, 5), abs=1e-6)
    assert found["trend"].to_numpy() == pytest.approx(np.full(60, 200.0), abs=1e-6)


def test_the_parts_add_up_to_what_was_observed():
    drawn = np.random.default_rng(2).poisson(100 + np.tile(WAVE, 5))
    found = stl_decomposition(drawn, s_window=13, robust=True)
    assert (found["seasonal"] + found["trend"] + found["remainder"]).to_numpy() == pytest.approx(drawn)
    same_month = stl_decomposition(drawn).groupby(np.arange(60) % 12)["seasonal"].nunique()
    assert (same_month == 1).all()


def test_a_robust_decomposition_puts_an_outbreak_into_the_remainder():
    deaths = np.random.default_rng(6).normal(200 + np.tile(WAVE, 5), 5)
    deaths[30] += 500
    plain, robust = (stl_decomposition(deaths, s_window=13, robust=flag)["remainder"][30] for flag in (False, True))
    assert plain < 400 < robust
    assert stl_decomposition(deaths, s_window=13, robust=True)["weight"][30] == 0


def test_gaps_and_short_series_are_not_decomposed():
    gap = pd.DataFrame({"time": MONTHS, "value": np.where(MONTHS == 7, np.nan, 100.0)})
    absent = pd.DataFrame({"time": MONTHS, "value": 100.0}).drop(index=6)
    for case, log, reason in (
        (gap, False, "reason.season_gap"),
        (absent, False, "reason.season_gap"),
        (MONTHS[:20], False, "reason.season_short"),
        (MONTHS - 1, True, "reason.trend_zero_on_log_scale"),
    ):
        found = stl_decomposition(case, log=log)
        assert set(found["reason"]) == {reason}
        assert found["trend"].isna().all()


def test_years_and_months_in_two_columns_make_a_running_number():
    rows = pd.DataFrame({"year": np.repeat(np.arange(2019, 2024), 12), "month": np.tile(np.arange(1, 13), 5)})
    rows["deaths"] = 200 + np.tile(WAVE, 5)
    assert stl_decomposition(rows, value="deaths")["time"].tolist() == list(range(1, 61))
    dated = pd.Series(rows["deaths"].to_numpy(), index=pd.period_range("2019-01", periods=60, freq="M"))
    pd.testing.assert_frame_equal(harmonic_trend(dated).coefficients, harmonic_trend(rows).coefficients)


def test_planted_harmonics_and_a_yearly_change_come_back():
    angle = 2 * np.pi * MONTHS / 12
    deaths = np.exp(6 + np.log(1.04) * MONTHS / 12 + 0.3 * np.sin(angle) + 0.1 * np.cos(2 * angle))
    found = harmonic_trend(deaths, harmonics=2)
    estimate = found.coefficients.set_index("term")["estimate"]
    assert estimate[["intercept", "sin1", "cos1", "sin2", "cos2"]].tolist() == pytest.approx(
        [6, 0.3, 0, 0, 0.1], abs=1e-8
    )
    assert found.series.loc[0, "apc"] == pytest.approx(4.0)
    assert found.fitted["expected"].to_numpy() == pytest.approx(deaths)
    assert (found.fitted["trend"] * found.fitted["seasonal"]).to_numpy() == pytest.approx(deaths)


def test_the_peak_of_a_single_wave_lies_a_quarter_into_the_cycle():
    found = harmonic_trend(np.exp(5 + 0.2 * np.sin(2 * np.pi * MONTHS / 12)), harmonics=1).series.iloc[0]
    assert found["peak"] == pytest.approx(3.0, abs=0.01)
    assert found["amplitude"] == pytest.approx(np.exp(0.2), rel=1e-4)


def test_many_series_at_once_are_the_same_as_one_by_one():
    drawn = np.random.default_rng(3).negative_binomial(8, 0.1, (3, 60))
    rows = pd.DataFrame(
        {"province": np.repeat(["01", "31", "79"], 60), "time": np.tile(MONTHS, 3), "deaths": drawn.ravel()}
    )
    together = harmonic_trend(rows, by="province", model="negative_binomial").series
    alone = [harmonic_trend(one, model="nb").series.loc[0, "theta"] for one in drawn]
    assert together["theta"].tolist() == pytest.approx(alone, rel=1e-6)


def test_a_month_without_a_count_is_left_out_of_the_harmonics():
    angle = 2 * np.pi * MONTHS / 12
    deaths = np.exp(5 + 0.2 * np.sin(angle))
    deaths[10] = np.nan
    found = harmonic_trend(deaths, harmonics=1)
    assert found.series.loc[0, "n"] == 59
    assert found.coefficients["estimate"].tolist() == pytest.approx([5, 0, 0.2, 0], abs=1e-8)


@pytest.mark.parametrize("seasonal", ["additive", "multiplicative"])
def test_holt_winters_follows_a_season_on_a_level_without_error(seasonal):
    season = 200 + WAVE if seasonal == "additive" else 200 * (1 + WAVE / 100)
    found = holt_winters(np.tile(season, 5), seasonal=seasonal, horizon=12)
    assert found.parameters.loc[0, "sse"] == pytest.approx(0, abs=1e-12)
    assert found.forecast["value"].tolist() == pytest.approx(season.tolist())


def test_smoothing_of_a_level_alone_is_the_textbook_recursion():
    found = holt_winters([10, 14, 12, 20.0], alpha=0.5, beta=False, gamma=False, horizon=1)
    level = 0.5 * 20 + 0.5 * (0.5 * 12 + 0.5 * (0.5 * 14 + 0.5 * 10))
    assert found.forecast.loc[0, "value"] == pytest.approx(level)
    assert found.fitted["fitted"].tolist() == pytest.approx([10, 12, 12])


def test_smoothing_of_level_and_trend_is_the_textbook_recursion():
    found = holt_winters([10, 14, 12, 20.0], alpha=0.5, beta=0.25, gamma=False, horizon=2)
    level_3 = 0.5 * 12 + 0.5 * (14 + 4)
    trend_3 = 0.25 * (level_3 - 14) + 0.75 * 4
    level_4 = 0.5 * 20 + 0.5 * (level_3 + trend_3)
    trend_4 = 0.25 * (level_4 - level_3) + 0.75 * trend_3
    assert found.fitted["fitted"].tolist() == pytest.approx([18, level_3 + trend_3])
    assert found.forecast["value"].tolist() == pytest.approx([level_4 + trend_4, level_4 + 2 * trend_4])


def test_more_starts_never_end_higher():
    drawn = np.random.default_rng(4).poisson(100 + np.tile(WAVE, 5)).astype(float)
    one, more = (holt_winters(drawn, optimiser=name).parameters.loc[0, "sse"] for name in ("r", "global"))
    assert more <= one * (1 + 1e-12)


def test_forecast_limits_widen_with_the_distance():
    drawn = np.random.default_rng(4).poisson(100 + np.tile(WAVE, 5)).astype(float)
    width = holt_winters(drawn, alpha=0.3, beta=0.1, gamma=0.2, horizon=6).forecast.eval("upper - lower")
    assert (width.diff().dropna() > 0).all()
    ratio = holt_winters(drawn, alpha=0.3, beta=0.1, gamma=0.2, seasonal="multiplicative", horizon=2).forecast
    assert ratio["lower"].isna().all()
    assert set(ratio["reason"]) == {"reason.season_no_limits"}


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        (stl_decomposition, {"s_window": 12}),
        (stl_decomposition, {"s_window": "yearly"}),
        (harmonic_trend, {"model": "gaussian"}),
        (holt_winters, {"seasonal": "both"}),
        (holt_winters, {"alpha": 1.5}),
        (holt_winters, {"optimiser": "best"}),
    ],
)
def test_an_unknown_option_is_answered_with_a_sentence(function, wrong):
    with pytest.raises(UsageError):
        function(MONTHS, **wrong)


def test_zeros_and_a_multiplicative_season_do_not_go_together():
    found = holt_winters(np.tile(WAVE, 5), seasonal="multiplicative")
    assert set(found.parameters["reason"]) == {"reason.season_zero_multiplicative"}


@pytest.mark.parametrize(
    ("function", "given", "wrong"),
    [
        (stl_decomposition, [], {}),
        (stl_decomposition, MONTHS, {"period": 5.5}),
        (harmonic_trend, MONTHS, {"period": 0}),
        (harmonic_trend, MONTHS, {"harmonics": -1}),
        (holt_winters, [], {}),
        (holt_winters, MONTHS, {"horizon": -1}),
        (holt_winters, MONTHS, {"start_periods": 0}),
        (holt_winters, MONTHS, {"alpha": "much"}),
    ],
)
def test_nothing_and_nonsense_are_answered_with_a_sentence(function, given, wrong):
    with pytest.raises(UsageError) as answer:
        function(given, **wrong)
    assert len(answer.value.sentence("vi")) > 20

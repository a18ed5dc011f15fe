"""Excess deaths: observed less expected, with limits that hold, and with what is not known said."""

import numpy as np
import pandas as pd
import pytest
from excess_support import months, noisy, weeks

from tkyt_analysis.analysis.limits import z_value
from tkyt_analysis.analysis.trend import (
    compute_expected,
    excess_cumulative,
    excess_deaths,
    excess_model,
    excess_picture,
    interval_excess,
    nowcast,
)
from tkyt_analysis.analysis.trend.autoregression import autocorrelation, yule_walker
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.practice.country_weeks import deaths_by_week, reporting_triangle

WAVES = ["2019-12-16..2020-02-09", "2020-10-05..2020-11-15", "2021-07-05..2021-10-24"]


def with_event(size=30.0):
    """Six years of 100 deaths a week, and `size` more in each of the ten last weeks."""
    rows = weeks(312)
    rows.loc[302:, "deaths"] += size
    return rows


def test_the_excess_is_what_was_added():
    found = excess_deaths(with_event(), start="2020-10-19", trend=False)
    studied = found[found["date"] >= "2020-10-19"]
    assert studied["excess"].to_numpy() == pytest.approx(130 - 100)
    assert studied["p_score"].to_numpy() == pytest.approx(100 * 30 / 100)
    assert studied["excess_rate"].to_numpy() == pytest.approx(100_000 * 30 / 1_000_000)
    assert studied["cumulative_excess"].to_numpy() == pytest.approx(30 * np.arange(1, 11))
    assert studied["cumulative_p_score"].to_numpy() == pytest.approx(30)
    assert set(studied["signal"]) == {"high"}
    assert not studied["in_baseline"].any()
    assert set(found["baseline"]) == {"2015–2020"}
    assert set(found["unit"]) == {"per 100,000"}
    assert set(found["status"]) == {"ok"}
    assert set(found["reason"]) == {""}


def test_the_limits_hold_the_spread_of_the_count_and_of_the_expectation():
    found = excess_deaths(with_event(), start="2020-10-19", trend=False, harmonics=0)
    last = found.iloc[-1]
    used = 302  # weeks of the baseline; 302 · 100 deaths fix the log of the level with variance 1 / (302 · 100)
    spread = np.sqrt(100 + 100**2 / (used * 100))
    assert last["upper"] - last["excess"] == pytest.approx(z_value(0.95) * spread)
    sums = np.sqrt(10 * 100 + (10 * 100) ** 2 / (used * 100))
    assert last["cumulative_upper"] - last["cumulative_excess"] == pytest.approx(z_value(0.95) * sums)


def test_the_average_of_five_years_is_the_average_of_five_years():
    per_year = {2014: 900.0, 2015: 100.0, 2016: 110.0, 2017: 90.0, 2018: 105.0, 2019: 95.0, 2020: 160.0}
    rows = months("2014-01-01", 84, np.repeat(list(per_year.values()), 12))
    found = excess_deaths(rows, method="five_year_average", start="2020-01-01", days_offset=False)
    studied = found[found["date"] >= "2020-01-01"]
    assert studied["expected"].to_numpy() == pytest.approx((100 + 110 + 90 + 105 + 95) / 5)
    assert studied["excess"].to_numpy() == pytest.approx(160 - 100)
    from scipy.stats import t

    variance = 12 * (0 + 100 + 100 + 25 + 25) / (60 - 12)  # about the level of each of the twelve months
    half = t.ppf(0.975, 60 - 12) * np.sqrt(variance * (1 + 1 / 5))
    assert (studied["upper"] - studied["excess"]).to_numpy() == pytest.approx(half)
    assert studied["method"].iloc[0] == "five_year_average: 2015–2019"


def test_a_straight_line_through_the_years_goes_on():
    rows = months("2015-01-01", 72, np.repeat([100.0, 105, 110, 115, 120, 150], 12))
    found = excess_deaths(rows, method="linear_trend", baseline=(2015, 2019), start="2020-01-01", days_offset=False)
    assert found.loc[found["date"] >= "2020-01-01", "expected"].to_numpy() == pytest.approx(100 + 5 * 5)


@pytest.mark.parametrize("method", ["five_year_average", "linear_trend", "quasipoisson"])
def test_where_nobody_ever_died_nothing_is_expected_and_one_death_is_no_alarm(method):
    rows = pd.concat(
        [months("2015-01-01", 72, 0.0).assign(area="01"), months("2015-01-01", 72, 30.0).assign(area="02")]
    )
    rows.loc[(rows["area"] == "01") & (rows["date"] == "2020-06-01"), "deaths"] = 1.0
    found = excess_deaths(rows, by="area", method=method, start="2020-01-01")
    none = found["area"] == "01"
    assert set(found.loc[none, "status"]) == {"not_assessable"}
    assert set(found.loc[none, "reason"]) == {"reason.excess_no_events"}
    assert set(found.loc[none, "signal"]) == {""}
    assert set(found.loc[~none, "status"]) == {"ok"}


def test_a_month_in_which_nobody_ever_died_has_no_percentage():
    rows = months("2015-01-01", 72, np.tile([0.0, *[30.0] * 11], 6))
    rows.loc[rows["date"] == "2020-01-01", "deaths"] = 2.0
    found = excess_deaths(rows, method="five_year_average", start="2020-01-01").set_index("period_id")
    assert found.loc["202001", "excess"] == 2
    assert np.isnan(found.loc["202001", "p_score"])


def test_averages_can_count_by_persons_and_by_days():
    people = np.repeat([1.0, 1, 1, 1, 1, 2], 12) * 1e6
    days = pd.date_range("2015-01-01", periods=72, freq="MS").days_in_month.to_numpy()
    rows = months("2015-01-01", 72, 3 * days * people / 1e6).assign(population=people)
    found = excess_deaths(rows, method="five_year_average", start="2020-01-01", population_adjusted=True)
    assert found["expected"].to_numpy() == pytest.approx(rows["deaths"].to_numpy())  # 29 February 2020 has its deaths


def test_week_53_is_compared_with_week_52_and_fits_the_season_by_its_date():
    rows = weeks(314, first="2014-12-29")  # 2015 and 2020 have a week 53
    rows.loc[rows["date"] == "2020-12-28", "deaths"] = 140.0
    by_season = excess_deaths(rows, start="2020-01-06").set_index("period_id")
    assert by_season.loc["2020W53", "excess"] == pytest.approx(40)
    rows.loc[rows["date"].dt.isocalendar().week.isin([52, 53]) & (rows["date"] < "2020-01-06"), "deaths"] = 120.0
    by_level = excess_deaths(rows, start="2020-01-06", method="five_year_average").set_index("period_id")
    assert by_level.loc["2020W53", "excess"] == pytest.approx(140 - 120)
    assert by_level.loc["2020W01", "expected"] == pytest.approx(100)


def test_without_tet_the_holiday_looks_like_lives_saved():
    country = deaths_by_week()
    rows = country.table[country.table["unit_id"] == "VN"]
    truth = country.truth[country.truth["unit_id"] == "VN"]["expected"].to_numpy()
    tet = rows["tet_days"].to_numpy() >= 5
    missed, told = (
        excess_deaths(rows, exclude=WAVES, tet=tet_told)["expected"].to_numpy()[tet] / truth[tet] - 1
        for tet_told in (False, True)
    )
    assert missed.mean() > 0.1  # a tenth too many expected in the weeks of Tết
    assert abs(told.mean()) < 0.01


def test_planted_waves_are_found_within_their_limits():
    country = deaths_by_week()
    found = excess_deaths(
        country.table, by="unit_id", exclude=WAVES, start="2015-01-01", regressors=["heat_days"], tet=True
    )
    both = found.merge(country.truth[["unit_id", "period_id", "excess_deaths"]], on=["unit_id", "period_id"])
    within = both["excess_deaths"].between(both["lower"], both["upper"])
    wave = both["excess_deaths"] > 0
    assert 0.93 < within[~wave].mean() < 0.97
    assert 0.88 < within[wave].mean() < 0.98
    high = both.loc[wave & (both["excess_deaths"] > 4 * (both["upper"] - both["excess"])), "signal"]
    assert len(high) > 50
    assert (high == "high").all()


def test_heat_stays_in_the_excess_if_the_reference_has_none():
    rows = weeks(312).assign(hot=0.0)
    rows.loc[[20, 75, 130, 180, 235, 290, 300], "hot"] = 1.0
    rows.loc[rows["hot"] == 1, "deaths"] = 120.0
    within = excess_deaths(rows, start="2020-06-01", regressors=["hot"]).set_index("date").iloc[300]
    outside = excess_deaths(rows, start="2020-06-01", regressors=["hot"], reference={"hot": 0}).iloc[300]
    assert within["excess"] == pytest.approx(0, abs=0.5)
    assert outside["excess"] == pytest.approx(120 - 100, abs=0.5)


def test_a_missing_week_is_named_and_left_out_of_both_sides_of_the_sum():
    rows = with_event().drop(index=[305])
    rows.loc[306, "deaths"] = np.nan
    found = excess_deaths(rows, start="2020-10-19", trend=False)
    assert list(found["reason"].iloc[305:308]) == ["reason.excess_period_missing", "reason.events_missing", ""]
    assert list(found["status"].iloc[305:308]) == ["not_assessable", "not_assessable", "ok"]
    last = found.iloc[-1]
    assert last["cumulative_excess"] == pytest.approx((10 - 2) * 30)
    assert last["cumulative_expected"] == pytest.approx((10 - 2) * 100)
    assert last["periods_missing"] == 2


def test_weeks_still_being_reported_have_no_excess_and_do_not_lower_the_baseline():
    rows = weeks(312)
    rows.loc[308:, "deaths"] = [80.0, 60, 40, 20]
    found = excess_deaths(rows, incomplete_from="2020-11-30", trend=False)
    late = found[found["date"] >= "2020-11-30"]
    assert set(late["reason"]) == {"reason.excess_incomplete"}
    assert late["excess"].isna().all()
    assert found["expected"].to_numpy() == pytest.approx(100)


def test_a_nowcast_takes_the_place_of_the_count_and_widens_the_limits():
    rows = weeks(312)
    rows.loc[311, "deaths"] = 20.0
    estimate = pd.DataFrame({"date": rows["date"].iloc[311:], "value": [110.0], "lower": [80.0], "upper": [140.0]})
    found = excess_deaths(rows, start="2020-11-30", incomplete_from="2020-12-21", nowcast=estimate, trend=False)
    last, before = found.iloc[311], found.iloc[310]
    assert (last["observed"], last["reported"], last["status"]) == (110, 20, "modelled")
    assert last["excess"] == pytest.approx(110 - 100)
    half = before["upper"] - before["excess"]
    assert last["upper"] - last["excess"] == pytest.approx(np.hypot(half, 30), rel=1e-3)


def test_the_answer_of_the_nowcast_can_be_given_as_it_is():
    triangle = reporting_triangle()
    late = nowcast(triangle.table, by="unit_id")
    rows = deaths_by_week().table.query("unit_id == 'VN' and period_id <= '2025W52'")
    known = rows["period_id"].map(triangle.truth.set_index("period_id")["reported"])
    rows = rows.assign(events=known.fillna(rows["events"]))
    options = {"baseline": (2015, 2019), "start": "2025W27", "tet": True}
    corrected = excess_deaths(rows, nowcast=late, **options).set_index("period_id")
    as_reported = excess_deaths(rows, **options).set_index("period_id")
    incomplete = late.loc[~late["complete"], "period"]
    assert set(corrected.loc[incomplete, "reason"]) == {"reason.excess_nowcast"}
    assert set(corrected.loc["2025W27":"2025W40", "status"]) == {"ok"}
    assert as_reported.loc["2025W52", "p_score"] < -60  # two thirds of the last week are not yet reported
    assert (corrected.loc[incomplete, "lower"] <= 0).mean() >= 0.8  # nothing was planted in 2025
    assert (corrected.loc[incomplete, "upper"] >= 0).mean() >= 0.8


def test_a_short_baseline_is_marked_and_on_request_refused():
    rows = weeks(200)
    marked = excess_deaths(rows, start="2018-01-01")
    assert set(marked["status"]) == {"modelled"}
    assert set(marked["reason"]) == {"reason.excess_short_baseline"}
    assert marked["excess"].notna().all()
    refused = excess_deaths(rows, start="2018-01-01", short_trend="refuse")
    assert set(refused["status"]) == {"not_assessable"}
    assert refused["excess"].isna().all()
    assert set(excess_deaths(rows, start="2018-01-01", trend=False)["status"]) == {"ok"}


def test_five_whole_years_are_five_years():
    rows = weeks(314, first="2014-12-29")
    assert set(excess_deaths(rows, baseline=(2015, 2019))["status"]) == {"ok"}


def test_drawn_limits_are_those_of_the_formula_where_counts_are_large_and_never_below_zero():
    rows = noisy(series=2)
    options = {"by": "area", "start": "2020-10-19"}
    formula = excess_deaths(rows, **options)
    drawn = excess_deaths(rows, interval="simulation", draws=4000, seed=7, **options)
    again = excess_deaths(rows, interval="simulation", draws=4000, seed=7, **options)
    pd.testing.assert_frame_equal(drawn, again)
    studied = formula["date"] >= "2020-10-19"
    for column in ("lower", "upper", "cumulative_lower", "cumulative_upper"):
        width = (
            formula["cumulative_upper"] - formula["cumulative_lower"]
            if "cum" in column
            else formula["upper"] - formula["lower"]
        )
        assert (abs(drawn[column] - formula[column]) / width)[studied].max() < 0.12
    rare = excess_deaths(weeks(312, deaths=1.0), start="2020-10-19", interval="simulation")
    assert (rare["expected_lower"] >= 0).all()


@pytest.mark.parametrize("method", ["noufaily", "euromomo"])
def test_surveillance_methods_answer_in_the_same_columns_and_add_their_own(method):
    rows = noisy(320)
    rows.loc[314:, "deaths"] += 80
    found = excess_deaths(rows, method=method, start="2021-01-11")
    common = list(excess_deaths(rows, start="2021-01-11").columns)
    own = ["upperbound", "alarm", "score"] if method == "noufaily" else ["zscore", "upib2", "upib4", "ucib", "lcib"]
    assert list(found.columns) == [*common, *own]
    assert set(found["signal"].iloc[-6:]) == {"high"}
    assert found["cumulative_excess"].iloc[-1] == pytest.approx(6 * 80, rel=0.25)
    assert set(found["status"].iloc[-6:]) == {"ok"}
    assert found["cumulative_lower"].iloc[-6:].isna().all() == (
        method == "noufaily"
    )  # a fit per period: no limits of sums


def test_a_method_that_takes_no_regressors_says_so_and_so_does_a_misspelt_option():
    with pytest.raises(UsageError, match="tet"):
        excess_deaths(weeks(312), method="five_year_average", tet=True)
    with pytest.raises(UsageError, match="hermonics"):
        excess_deaths(weeks(312), hermonics=3)
    with pytest.raises(UsageError, match="prophecy"):
        excess_deaths(weeks(312), method="prophecy")
    with pytest.raises(UsageError):
        excess_deaths(weeks(312), start="2031-01-01")


def test_the_curve_of_an_event_finds_its_jump():
    rows = weeks(312)
    rows.loc[280:, "deaths"] = 150.0
    expected = compute_expected(rows, exclude="2020-01-01..", harmonics=0)
    curve = excess_model(expected, start="2020-01-06", end="2020-12-21", knots_per_year=4, event="2020-05-18")
    fitted = curve.table.set_index("date")["fitted"]
    assert fitted["2020-05-11"] == pytest.approx(0, abs=0.02)
    assert fitted["2020-05-18"] == pytest.approx(0.5, abs=0.02)
    smooth = excess_model(expected, start="2020-01-06", end="2020-12-21", knots_per_year=4)
    total = ((1 + smooth.table["fitted"]) * smooth.table["expected"]).sum()
    assert total == pytest.approx(smooth.table["observed"].sum())  # as in every Poisson regression with a constant
    assert 0.1 < smooth.table.set_index("date")["fitted"]["2020-05-11"] < 0.4  # a smooth curve begins too early
    assert str(curve.detected["start"].iloc[0])[:10] == "2020-05-18"


def test_the_excess_of_an_interval_has_the_spread_of_a_usual_interval():
    rows = noisy()
    expected = compute_expected(rows, exclude="2020-06-01..")
    found = interval_excess(expected, [("2020-06-01", "2020-06-28")]).iloc[0]
    at = slice(282, 286)  # four weeks from 1 June
    mu, seen = expected.expected[0, at], rows["deaths"].to_numpy()[at]
    assert found["excess"] == pytest.approx(seen.sum() - mu.sum())
    assert found["sd"] == pytest.approx(np.sqrt(expected.dispersion[0] * mu.sum()))
    assert found["obs_death_rate"] == pytest.approx(seen.sum() / 4e6 * 52 * 1000)


def test_sums_of_the_curve_begin_where_they_are_asked_to():
    rows = noisy()
    curve = excess_model(rows, exclude="2020-01-01..", start="2020-01-06", end="2020-12-21", knots_per_year=6)
    sums = excess_cumulative(curve, "2020-06-01", "2020-06-28")
    part = curve.table[curve.table["date"].between("2020-06-01", "2020-06-28")]
    assert sums["fitted"].iloc[-1] == pytest.approx((part["fitted"] * part["expected"]).sum())
    assert sums["sd"].iloc[0] == pytest.approx(
        (part["expected"] * np.hypot(part["sd"], part["log_expected_se"])).iloc[0]
    )


def test_correlated_errors_are_learned_and_widen_the_sums():
    rng = np.random.default_rng(5)
    state, shock = np.zeros(1500), rng.normal(0, 0.06, 1500)
    for day in range(1, 1500):
        state[day] = 0.7 * state[day - 1] + shock[day]
    days = pd.date_range("2015-01-01", periods=1500)
    rows = pd.DataFrame({"date": days, "deaths": rng.poisson(200 * np.exp(state)), "population": 1e6})
    expected = compute_expected(rows, exclude="2018-06-01..", include_trend=False)
    curve = excess_model(expected, start="2018-06-01", end="2018-12-31", knots_per_year=2, model="correlated")
    plain = excess_model(expected, start="2018-06-01", end="2018-12-31", knots_per_year=2, model="poisson")
    assert curve.ar is not None
    assert 0.3 < curve.ar.coefficients[0] < 0.8
    assert curve.ar.sigma == pytest.approx(0.06 / np.sqrt(1 - 0.7**2), rel=0.3)
    last = [excess_cumulative(one)["se"].iloc[-1] for one in (plain, curve)]
    assert last[1] > 1.8 * last[0]
    independent = interval_excess(expected, [("2018-07-01", "2018-07-31")], model="poisson")["sd"].iloc[0]
    together = excess_model(expected, intervals=[("2018-07-01", "2018-07-31")], model="correlated")["sd"].iloc[0]
    assert together > 1.8 * independent


def test_the_autoregression_is_that_of_yule_and_walker():
    from statsmodels.tsa.arima_process import arma_acf

    rng = np.random.default_rng(2)
    x = np.convolve(rng.normal(size=400), [1, 0.6, 0.3], mode="valid")
    ours = yule_walker(x, order_max=3, aic=False)
    centred = x - x.mean()
    covariance = np.array([centred[: len(x) - lag] @ centred[lag:] for lag in range(4)])
    equations = covariance[abs(np.subtract.outer(range(3), range(3)))]
    assert ours == pytest.approx(np.linalg.solve(equations, covariance[1:]))
    assert autocorrelation(ours, 6)[0] == pytest.approx(arma_acf(np.r_[1, -ours], [1], lags=6))
    assert len(yule_walker(rng.normal(size=400), order_max=10)) <= 3


@pytest.mark.parametrize("size", ["print", "phone"])
@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_picture_says_sum_baseline_and_what_is_incomplete(size, language):
    rows = with_event().drop(index=[304])
    found = excess_deaths(rows, start="2020-10-19", incomplete_from="2020-12-14", trend=False)
    drawing = excess_picture(found, title="Tử vong vượt mức", since="2019-01-01", size=size, language=language)
    drawing.draw_without_rendering()
    words = " ".join(
        [drawing.axes[0].get_title(loc="left"), drawing.legends[0].get_title().get_text()]
        + [one.get_text() for one in drawing.legends[0].get_texts()]
    ).replace("\n", " ")
    complete = 10 - 1 - 2  # one week has no row, two are still being reported
    assert str(complete * 30) in words
    assert "2015–2020" in words
    assert "2020" in words
    assert {"vi": "Kỳ chưa đủ báo cáo", "en": "Not fully reported yet"}[language] in words
    edge = drawing.get_window_extent()
    assert all(edge.x1 >= one.get_window_extent().x1 for one in drawing.legends[0].get_texts())
    assert drawing.axes[0].title.get_window_extent().y1 <= edge.y1


def test_a_picture_of_the_last_weeks_says_since_when_it_adds_up():
    found = excess_deaths(with_event(), start="2020-10-19", trend=False)
    drawing = excess_picture(found, title="x", since="2020-12-01", until="2020-12-20", language="en")
    words = drawing.axes[0].get_title(loc="left").replace("\n", " ")
    assert "2020-10-19" in words
    assert "270 excess deaths" in words  # nine weeks of thirty, to 20 December


def test_a_picture_of_two_series_is_refused():
    found = excess_deaths(noisy(160, series=2), by="area", start="2017-06-01")
    with pytest.raises(InputError):
        excess_picture(found, title="x")


def test_the_rows_of_the_release_s_table_are_drawn_and_added_up_without_limits():
    counts = [100.0, 90.0, 110.0, 95.0, 105.0, 100.0] * 12
    found = excess_deaths(months("2015-01-01", 72, counts), start="2020-07-01", trend=False).tail(6)
    named = {"expected_lower": "lower", "expected_upper": "upper", "lower": "excess_lower", "upper": "excess_upper"}
    published = found[["period_id", "observed", "expected", "excess", *named, "baseline", "method", "status", "reason"]]
    published = published.rename(columns=named).iloc[::-1]  # any order
    drawing = excess_picture(published.reset_index(drop=True), title="x", language="en")
    observed, total = (axes.get_lines() for axes in drawing.axes[:2])
    assert observed[1].get_ydata() == pytest.approx(found["observed"].to_numpy())
    assert total[0].get_ydata() == pytest.approx(np.cumsum(found["excess"]))
    assert "gives no limits" in " ".join(drawing.axes[0].get_title(loc="left").split())


def test_a_picture_without_any_expected_count_says_why_and_has_no_sum():
    found = excess_deaths(months("2015-01-01", 72, [100.0] * 72), start="2020-07-01", trend=False).tail(6)
    empty = found.assign(**dict.fromkeys(["expected", "expected_lower", "expected_upper", "cumulative_excess"], np.nan))
    empty = empty.assign(status="not_assessable", reason="reason.excess_release_baseline", baseline="")
    drawing = excess_picture(empty, title="x", language="en")
    assert len(drawing.axes) == 1
    assert "Too few years of baseline" in drawing.axes[0].get_title(loc="left")

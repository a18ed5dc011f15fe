"""Expected counts: what a usual year would have had, from the years that are left."""

import numpy as np
import pandas as pd
import pytest
from excess_support import months, noisy, weeks
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.trend import compute_expected, excess_deaths, heat_regressor, lunar_new_year, tet_regressors
from tkyt_analysis.analysis.trend.excess_dates import as_days, dates_meant
from tkyt_analysis.analysis.trend.excess_fit import fit_counts
from tkyt_analysis.analysis.trend.excess_input import read_counts
from tkyt_analysis.analysis.trend.expected import day_of_year
from tkyt_analysis.analysis.trend.natural_spline import natural_spline
from tkyt_analysis.errors import InputError, UsageError


def test_the_same_deaths_every_week_are_what_is_expected():
    found = compute_expected(weeks(300), exclude="2020-01-01..").table
    assert found["expected"].to_numpy() == pytest.approx(np.full(300, 100))
    assert (found["dispersion"] == 1).all()  # no more spread than a count: not below 1


def test_twice_the_people_are_expected_to_have_twice_the_deaths():
    rows = weeks(300)
    rows.loc[rows["date"] >= "2020-01-01", "population"] *= 2
    found = compute_expected(rows, exclude="2020-01-01..").table
    assert found.loc[found["excluded"], "expected"].to_numpy() == pytest.approx(2 * 100)


def test_the_model_is_the_quasi_poisson_regression_of_statsmodels():
    import statsmodels.api as sm

    rows = noisy()
    ours = compute_expected(rows, exclude=("2019-01-01", "2019-06-30"), trend_knots_per_year=1 / 2, harmonics=1)
    used = ~ours.excluded
    family = sm.families.Poisson()
    theirs = sm.GLM(
        rows["deaths"][used], ours.design.matrix[used], family=family, offset=np.log(rows["population"][used])
    ).fit(scale="X2", tol=1e-12)
    mean = np.exp(ours.design.matrix @ theirs.params) * 1_000_000
    spread = np.sqrt(
        np.diag(ours.design.matrix @ theirs.cov_params() @ ours.design.matrix.T) * max(1, 1 / theirs.scale)
    )
    assert len(ours.design.knots) == 1  # 5.98 years with one knot for two years: 2 intervals
    assert ours.expected[0] == pytest.approx(mean)
    assert ours.dispersion[0] == pytest.approx(max(1.0, theirs.scale))
    assert ours.log_se[0] == pytest.approx(spread)


def test_the_negative_binomial_has_the_theta_of_maximum_likelihood():
    import statsmodels.api as sm

    rng = np.random.default_rng(8)
    design = np.column_stack([np.ones(200), np.linspace(-1, 1, 200)])
    mean = np.exp(design @ [3.0, 0.4])
    counts = rng.negative_binomial(5, 5 / (5 + mean)).astype(float)
    ours = fit_counts(counts[None], design, np.zeros((1, 200)), np.ones((1, 200), bool), family="negative_binomial")
    theirs = sm.NegativeBinomial(counts, design).fit(disp=0, maxiter=200, method="newton")
    assert 1 / ours.theta[0] == pytest.approx(theirs.params[-1], rel=1e-4)
    assert ours.linear(ours.basis)[0] == pytest.approx(design @ theirs.params[:2], abs=1e-5)


def test_many_series_at_once_are_the_same_as_each_alone():
    rows = noisy(series=3)
    together = compute_expected(rows, by="area", exclude="2020-01-01..").table
    for area, part in rows.groupby("area"):
        alone = compute_expected(part, exclude="2020-01-01..").table
        mine = together[together["area"] == area]
        for column in ("expected", "log_expected_se", "dispersion"):
            assert mine[column].to_numpy() == pytest.approx(alone[column].to_numpy(), rel=1e-8)


@settings(max_examples=15, deadline=None)
@given(st.integers(2, 9), st.integers(0, 50))
def test_counting_in_other_units_changes_nothing_else(factor, seed):
    rows = noisy(160, seed=seed)
    once = compute_expected(rows, exclude="2017-06-01..").expected
    more = compute_expected(rows.assign(deaths=factor * rows["deaths"]), exclude="2017-06-01..").expected
    assert more == pytest.approx(factor * once, rel=1e-8)


def test_a_series_without_deaths_has_no_expectation_and_says_why():
    rows = pd.concat([weeks(160).assign(area="01"), weeks(160, deaths=0.0).assign(area="02")])
    found = compute_expected(rows, by="area", exclude="2017-06-01..").table
    nothing = found["area"] == "02"
    assert set(found.loc[nothing, "reason"]) == {"reason.excess_no_events"}
    assert found.loc[nothing, "expected"].isna().all()
    assert found.loc[~nothing, "expected"].notna().all()


def test_a_trend_held_at_its_last_value_does_not_go_on():
    rows = weeks(312)
    rows["deaths"] = 100 * np.exp(0.002 * np.arange(312))  # half as much again in four years
    held = compute_expected(rows, exclude="2019-01-01..", harmonics=0, extrapolate=False).expected[0]
    on = compute_expected(rows, exclude="2019-01-01..", harmonics=0).expected[0]
    last = np.flatnonzero(rows["date"] < "2019-01-01")[-1]
    assert held[last:] == pytest.approx(np.full(312 - last, 100 * np.exp(0.002 * last)))
    assert on[-1] == pytest.approx(100 * np.exp(0.002 * 311))


def test_months_can_count_by_their_days():
    days = pd.date_range("2015-01-01", periods=72, freq="MS").days_in_month.to_numpy()
    found = compute_expected(months("2015-01-01", 72, 10.0 * days), exclude="2020-01-01..", days_offset=True).table
    assert found["expected"].to_numpy() == pytest.approx(10 * days)  # 10 a day, 280 in February, 310 in March


def test_weekdays_of_daily_counts_differ_and_those_of_weeks_are_left_alone():
    days = pd.date_range("2018-01-01", periods=400)
    rows = pd.DataFrame({"date": days, "deaths": np.where(days.dayofweek == 6, 50.0, 100.0)})
    found = compute_expected(rows, exclude="2019-01-20..", weekday_effect=True, include_trend=False, harmonics=1)
    assert found.expected[0] == pytest.approx(rows["deaths"].to_numpy(), rel=1e-6)
    effect = found.weekday.set_index("weekday")["effect"]
    assert (1 + effect[7]) / (1 + effect[1]) == pytest.approx(50 / 100)
    assert compute_expected(weeks(200), exclude="2018-01-01..", weekday_effect=True).weekday is None


def test_the_day_of_the_year_has_365_values():
    days = as_days(["2019-03-01", "2020-02-28", "2020-02-29", "2020-03-01", "2020-12-31", "2021-12-31", "2000-12-31"])
    assert list(day_of_year(days)) == [60, 59, 60, 60, 365, 365, 365]


def test_a_natural_spline_is_the_interpolating_one_and_straight_outside():
    from scipy.interpolate import CubicSpline

    knots, values = np.array([0.0, 1, 2.5, 4, 7]), np.array([1.0, 3, 2, 5, 4])
    basis = natural_spline(knots, knots[1:-1], (0, 7))
    weight = np.linalg.solve(basis, values)
    x = np.linspace(0, 7, 50)
    assert natural_spline(x, knots[1:-1], (0, 7)) @ weight == pytest.approx(
        CubicSpline(knots, values, bc_type="natural")(x)
    )
    outside = natural_spline([-3.0, -2, -1, 8, 9, 10], knots[1:-1], (0, 7)) @ weight
    assert np.diff(outside[:3], 2) == pytest.approx([0], abs=1e-9)
    assert np.diff(outside[3:], 2) == pytest.approx([0], abs=1e-9)


# Tết: 10 February 2024, 29 January 2025 (published calendars). The holidays run from one day before to five days after.
def test_tet_moves_with_the_moon_and_is_shared_between_the_months_it_touches():
    assert [str(lunar_new_year(year)) for year in (2020, 2024, 2025)] == ["2020-01-25", "2024-02-10", "2025-01-29"]
    found = tet_regressors(["202401", "202402", "202501", "202502", "2025W05", "2025W10"], windows={"tet": (-1, 5)})
    # 28 January to 3 February 2025: four days of January, three of February; the week from 27 January has six of them
    assert list(found["tet"]) == pytest.approx([0, 7 / 29, 4 / 31, 3 / 28, 6 / 7, 0])


def test_heat_is_the_average_of_the_degrees_above_the_threshold():
    days = pd.date_range("2024-06-03", periods=14)  # two ISO weeks
    degrees = pd.Series([30, 36, 37, 35, 34, 30, 42] + [30] * 7, index=days)
    found = heat_regressor(["2024W23", "2024W24"], degrees, threshold=35)
    assert list(found["heat"]) == pytest.approx([(1 + 2 + 0 + 7) / 7, 0])
    with pytest.raises(InputError, match="2024-06-09"):
        heat_regressor(["2024W23"], degrees.drop(pd.Timestamp("2024-06-09")))


def test_a_table_is_read_by_date_period_or_year_and_week_alike():
    by_date = pd.DataFrame({"date": ["2020-12-28", "2021-01-04"], "deaths": [5, 7]})
    by_id = pd.DataFrame({"period_id": ["2020W53", "2021W01"], "events": [5, 7]})
    by_week = pd.DataFrame({"year": [2020, 2021], "week": [53, 1], "outcome": [5, 7]})
    mapping = {"date": ["2020-12-28", "2021-01-04"], "deaths": [5, 7]}
    for rows in (by_date, by_id, by_week, mapping, pd.Series([5, 7], index=by_date["date"])):
        found = read_counts(rows)
        assert list(found.dates.astype(str)) == ["2020-12-28", "2021-01-04"]
        assert found.frequency == 52
        assert found.period_ids == ["2020W53", "2021W01"]
        assert list(found.counts[0]) == [5, 7]
        assert list(found.year) == [2020, 2021]


def test_a_week_without_a_row_is_put_in_as_missing():
    rows = table("""
        date       | deaths | area
        2020-01-06 |      4 | 01
        2020-01-13 |      5 | 01
        2020-01-27 |      6 | 01
        2020-01-13 |      9 | 02
    """)
    found = read_counts(rows, by="area", frequency=52)
    assert found.counts[0] == pytest.approx([4, 5, np.nan, 6], nan_ok=True)
    assert list(found.present[1]) == [False, True, False, False]


def test_a_series_whose_population_nobody_knows_is_counted_as_it_is():
    rows = pd.concat([weeks(160).assign(area="01"), weeks(160, people=np.nan).assign(area="02")])
    found = excess_deaths(rows, by="area", start="2017-06-05", trend=False)
    assert found["excess"].to_numpy() == pytest.approx(0, abs=1e-8)
    assert found.loc[found["area"] == "02", "excess_rate"].isna().all()
    assert found.loc[found["area"] == "01", "excess_rate"].notna().all()


def test_dates_are_named_in_many_ways():
    days = as_days(["2020-01-05", "2020-01-12", "2020-01-19", "2020-02-02"])
    assert list(dates_meant(["2020-01-12"], days)) == [False, True, False, False]
    assert list(dates_meant("2020-01-12..", days)) == [False, True, True, True]
    assert list(dates_meant([("2020-01-06", "2020-01-13"), "2020-02-02"], days)) == [False, True, False, True]
    assert list(dates_meant((None, "202001"), days)) == [True, True, True, False]
    assert list(dates_meant([True, False, False, True], days)) == [True, False, False, True]
    assert list(dates_meant(pd.date_range("2020-01-10", "2020-01-20"), days)) == [False, True, True, False]
    assert list(dates_meant(np.array([True, False, False, True]), days)) == [True, False, False, True]


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        (pd.DataFrame({"date": ["2020-01-06", "yesterday"], "deaths": [1, 2]}), "yesterday"),
        (pd.DataFrame({"date": ["2020-01-06", "2020-01-06"], "deaths": [1, 2]}), "2020-01-06"),
        (pd.DataFrame({"date": ["2020-01-06", "2020-01-13"], "deaths": [1, -2]}), "-2"),
        (pd.DataFrame({"date": ["2020-01-06", "2020-01-13"], "deaths": ["1", "many"]}), "many"),
        (pd.DataFrame({"date": ["2020-01-06", "2020-01-13", "2020-01-22"], "deaths": [1, 2, 3]}), "2020-01-22"),
        (pd.DataFrame({"date": ["2020-01-06", "2020-01-20"], "deaths": [1, 2]}), "14"),
        (pd.DataFrame({"day_of_death": ["2020-01-06"], "deaths": [1]}), "day_of_death"),
        (pd.DataFrame({"date": ["2020-01-06"], "number": [1]}), "number"),
        (pd.DataFrame({"date": [], "deaths": []}), ""),
        ([1, 2, 3], "list"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence_that_names_it(rows, named):
    with pytest.raises(UsageError) as problem:
        read_counts(rows)
    assert named in problem.value.sentence("vi")
    assert named in problem.value.sentence("en")


def test_a_regressor_with_a_gap_is_refused_by_name_and_date():
    rows = weeks(160).assign(cold=1.0)
    rows.loc[3, "cold"] = np.nan
    with pytest.raises(InputError, match="cold"):
        compute_expected(rows, exclude="2017-06-01..", regressors=["cold"])
    with pytest.raises(InputError, match="160"):
        compute_expected(weeks(160), exclude=(None, None))

"""Trend of counts: annual change, its limits, over-dispersion, short series, and series that cross a break."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.trend import count_trend
from tkyt_analysis.analysis.trend.batch_glm import fit_counts, fit_negative_binomial, log_likelihood
from tkyt_analysis.errors import InputError, UsageError

YEARS = np.arange(2014, 2024)
SWINGS = np.array([12, -8, 5, -15, 20, -4, -11, 14, -9, 3])


def series(deaths, population=100_000, years=YEARS):
    return pd.DataFrame({"year": years, "deaths": deaths, "population": population})


def test_three_per_cent_more_deaths_each_year_is_an_annual_change_of_three_per_cent():
    found = count_trend(series(1000 * 1.03 ** np.arange(10))).iloc[0]
    assert found["apc"] == pytest.approx(3.0)
    assert found["rate_ratio"] == pytest.approx(1.03)
    assert (found["first"], found["last"], found["n"], found["status"]) == (2014, 2023, 10, "ok")


def test_deaths_that_grow_as_the_population_does_have_no_trend():
    growth = 1.02 ** np.arange(10)
    assert count_trend(series(500 * growth, 100_000 * growth)).loc[0, "apc"] == pytest.approx(0.0, abs=1e-9)
    assert count_trend(series(500 * growth)[["year", "deaths"]]).loc[0, "apc"] == pytest.approx(2.0)


@pytest.mark.parametrize("model", ["poisson", "quasipoisson", "negative_binomial"])
def test_estimates_and_limits_are_those_of_statsmodels(model):
    import statsmodels.api as sm
    from scipy import stats

    deaths = 100 + SWINGS + 2 * np.arange(10)
    found = count_trend(series(deaths), model=model).iloc[0]
    design = sm.add_constant(YEARS - YEARS.mean())
    family = (
        sm.families.NegativeBinomial(alpha=1 / found["theta"])
        if model == "negative_binomial"
        else sm.families.Poisson()
    )
    scale = "X2" if model == "quasipoisson" else None
    theirs = sm.GLM(deaths, design, family=family, offset=np.full(10, np.log(1e5))).fit(scale=scale, tol=1e-12)
    quantile = stats.t.isf(0.025, 8) if model == "quasipoisson" else stats.norm.isf(0.025)
    assert found["slope"] == pytest.approx(theirs.params[1], rel=1e-8)
    assert found["se"] == pytest.approx(theirs.bse[1], rel=1e-6)
    assert found["upper"] == pytest.approx(100 * np.expm1(theirs.params[1] + quantile * theirs.bse[1]), rel=1e-6)


def test_theta_is_where_the_negative_binomial_likelihood_is_greatest():
    counts = (100 + 4 * SWINGS)[None, :].astype(float)
    design = np.column_stack([np.ones(10), YEARS - YEARS.mean()])
    fit = fit_negative_binomial(counts, design)
    best = log_likelihood(counts, fit)[0]
    for factor in (0.98, 1.02):
        other = fit_counts(counts, design, theta=fit.theta * factor)
        assert log_likelihood(counts, other)[0] < best
    by_hand = 1e-3 * fit.theta[0]
    curve = [log_likelihood(counts, fit_with_theta(fit, fit.theta[0] + step))[0] for step in (-by_hand, 0.0, by_hand)]
    information = -(curve[0] - 2 * curve[1] + curve[2]) / by_hand**2
    assert fit.theta_se[0] == pytest.approx(1 / np.sqrt(information), rel=1e-3)


def fit_with_theta(fit, theta):
    from dataclasses import replace

    return replace(fit, theta=np.array([theta]))


def test_counts_that_swing_more_than_chance_are_called_overdispersed():
    calm, wild = count_trend(series(100 + SWINGS / 4)), count_trend(series(100 + 4 * SWINGS))
    assert (calm.loc[0, "overdispersed"], wild.loc[0, "overdispersed"]) == (False, True)
    assert calm.loc[0, "dispersion"] < 1 < wild.loc[0, "dispersion"]
    assert np.isinf(count_trend(series(100 + SWINGS / 4), model="nb").loc[0, "theta"])


def test_dispersion_below_one_narrows_the_limits_unless_a_floor_is_asked_for():
    calm = series(100 + SWINGS / 4)
    free, floored = count_trend(calm).iloc[0], count_trend(calm, floor_dispersion=True).iloc[0]
    poisson = count_trend(calm, model="poisson").iloc[0]
    assert floored["se"] == pytest.approx(poisson["se"])
    assert free["se"] == pytest.approx(poisson["se"] * np.sqrt(free["dispersion"]))


def test_four_years_are_no_trend_unless_asked_for():
    short = series([10, 12, 11, 14], years=YEARS[:4])
    found = count_trend(short).iloc[0]
    assert (found["status"], found["reason"]) == ("not_assessable", "reason.trend_too_few_years")
    assert np.isnan([found["apc"], found["lower"], found["upper"]]).all()
    assert count_trend(short, minimum_years=4).loc[0, "status"] == "ok"


def test_every_series_without_an_answer_says_why():
    rows = table("""
        province | year | deaths | population
        01       | 2019 |      0 |       1000
        01       | 2020 |      0 |       1000
        01       | 2021 |      0 |       1000
        01       | 2022 |      0 |       1000
        01       | 2023 |      0 |       1000
        02       | 2019 |      5 |          0
        02       | 2020 |      5 |       1000
        02       | 2021 |      5 |       1000
        02       | 2022 |      5 |       1000
        02       | 2023 |      5 |       1000
        03       | 2019 |     -5 |       1000
        03       | 2020 |      5 |       1000
        03       | 2021 |      5 |       1000
        03       | 2022 |      5 |       1000
        03       | 2023 |      5 |       1000
        04       | 2019 |      7 |       1000
        04       | 2020 |      0 |       1000
        04       | 2021 |      0 |       1000
        04       | 2022 |      0 |       1000
        04       | 2023 |      0 |       1000
        05       | 2019 |      7 |       1000
    """)
    found = count_trend(rows, by="province")
    assert dict(zip(found["province"], found["reason"], strict=True)) == {
        "01": "reason.trend_no_events",
        "02": "reason.events_without_person_years",
        "03": "reason.events_missing",
        "04": "reason.trend_not_converged",
        "05": "reason.trend_too_few_years",
    }
    assert found["apc"].isna().all()
    assert set(found["status"]) == {"not_assessable"}


def test_a_missing_year_is_left_out_and_the_count_of_years_says_so():
    whole = series(1000 * 1.03 ** np.arange(10))
    found = count_trend(whole.drop(index=[3, 4])).iloc[0]
    assert (found["n"], found["apc"]) == (8, pytest.approx(3.0))


def test_a_jump_at_a_new_population_vintage_is_marked_stepped_over_or_cut():
    rates = 1000 * 1.03 ** np.arange(10) * np.where(YEARS >= 2017, 1.25, 1.0)
    breaks = pd.DataFrame({"at": [2017], "before": ["NSO-A"], "after": ["NSO-B"]})
    marked = count_trend(series(rates), breaks=breaks).iloc[0]
    assert marked["marks"] == "2017: NSO-A → NSO-B"
    assert "breaks=mark" in marked["method"]
    assert marked["apc"] > 4  # the jump of the denominators passes for a trend
    assert count_trend(series(rates), breaks=breaks, at_breaks="step").loc[0, "apc"] == pytest.approx(3.0)
    pieces = count_trend(series(rates), breaks=breaks, at_breaks="split", minimum_years=3)
    assert pieces[["piece", "first", "last", "n"]].values.tolist() == [[1, 2014, 2016, 3], [2, 2017, 2023, 7]]
    assert pieces["apc"].tolist() == pytest.approx([3.0, 3.0])
    refused = count_trend(series(rates), breaks=breaks, at_breaks="refuse").iloc[0]
    assert refused["reason"] == "reason.trend_break_inside"


def test_the_catalog_marks_a_series_over_2017_by_itself_and_says_so_when_nobody_asked():
    assert "2017: NSO-A → NSO-B" in count_trend(series(100 + SWINGS), breaks="catalog").loc[0, "marks"]
    assert "breaks=not_given" in count_trend(series(100 + SWINGS)).loc[0, "method"]


def test_marks_belong_to_their_own_series():
    both = pd.concat([series(100 + SWINGS).assign(province=code) for code in ("01", "79")])
    breaks = pd.DataFrame({"province": ["79"], "at": [2020]})
    assert count_trend(both, by="province", breaks=breaks)["marks"].tolist() == ["", "2020"]


def test_months_give_the_change_of_a_year():
    months = pd.DataFrame({"time": np.arange(60), "events": 500 * 1.05 ** (np.arange(60) / 12)})
    assert count_trend(months, periods_per_year=12).loc[0, "apc"] == pytest.approx(5.0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.floats(0.01, 100))
def test_the_annual_change_does_not_depend_on_the_size_of_the_population_or_on_company(seed, factor):
    drawn = np.random.default_rng(seed).poisson(50, (3, 10)) + 1
    rows = pd.concat([series(deaths).assign(province=f"{i:02d}") for i, deaths in enumerate(drawn)])
    together = count_trend(rows, by="province")
    alone = count_trend(series(drawn[1], 100_000 * factor)).iloc[0]
    assert alone["apc"] == pytest.approx(together.loc[1, "apc"], abs=1e-7)
    assert alone["lower"] <= alone["apc"] <= alone["upper"]


@pytest.mark.parametrize(
    "wrong", [{"model": "gamma"}, {"at_breaks": "ignore"}, {"breaks": "everything"}, {"confidence": 95}]
)
def test_an_unknown_option_is_answered_with_a_sentence(wrong):
    with pytest.raises(UsageError):
        count_trend(series(100 + SWINGS), **wrong)


def test_two_rows_for_one_year_ask_for_the_column_that_tells_them_apart():
    with pytest.raises(InputError, match="2014"):
        count_trend(pd.concat([series(100 + SWINGS), series(90 + SWINGS)]))


@pytest.mark.parametrize(
    "wrong",
    [
        pd.DataFrame({"year": [2014], "people": [3]}),
        pd.DataFrame({"year": [None, 2015], "deaths": [3, 4]}),
        pd.DataFrame({"year": [2014], "deaths": ["ba"]}),
        7,
    ],
)
def test_a_table_that_cannot_be_read_is_answered_with_a_sentence(wrong):
    with pytest.raises(InputError) as answer:
        count_trend(wrong)
    assert len(answer.value.sentence("vi")) > 20


def test_an_empty_table_gives_an_empty_answer():
    found = count_trend(pd.DataFrame({"province": [], "year": [], "deaths": []}), by="province")
    assert len(found) == 0
    assert "apc" in found

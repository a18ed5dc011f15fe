"""Joinpoint regression: what is fitted, chosen, bounded and said."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.trend import joinpoint
from tkyt_analysis.analysis.trend.joinpoint_search import Batch, joinpoint_grid, most_joinpoints, search_series
from tkyt_analysis.analysis.trend.joinpoint_select import default_most
from tkyt_analysis.errors import InputError, UsageError

YEARS = np.arange(2005, 2025)  # 20 years


def bent(*, before=0.05, after=-0.03, at=2014, level=100.0, years=YEARS):
    """Rates that grow by `before` each year until `at`, by `after` from then on."""
    rate = level * (1 + before) ** (np.minimum(years, at) - years[0]) * (1 + after) ** np.maximum(years - at, 0)
    return pd.DataFrame({"year": years, "rate": rate})


def noisy(rows, *, seed=1, spread=0.01):
    drawn = np.random.default_rng(seed).normal(0, spread, len(rows))
    return rows.assign(rate=rows["rate"] * np.exp(drawn))


def least_squares(x, y, root, tau):
    """Sum of squares and coefficients of one configuration, by numpy."""
    columns = [np.ones_like(x), x, *(np.clip(x - one, 0, None) for one in tau)]
    design = np.stack(columns, axis=1) * root[:, None]
    beta = np.linalg.lstsq(design, y * root, rcond=None)[0]
    return float(np.square(y * root - design @ beta).sum()), beta


# ---- what is fitted


def test_a_bend_without_noise_is_found_where_it_is():
    segments = joinpoint(bent()).segments
    assert segments[["start", "end", "n"]].to_numpy().tolist() == [[2005, 2014, 10], [2014, 2024, 11]]
    assert segments["apc"].to_numpy() == pytest.approx([5, -3])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(9, 13), st.booleans())
def test_the_best_configuration_is_the_best_of_all_that_are_allowed(seed, n, weighted):
    random = np.random.default_rng(seed)
    x, y = np.arange(n, dtype=float), random.normal(0, 1, n)
    root = random.uniform(0.5, 2, n) if weighted else np.ones(n)
    grid = joinpoint_grid(x)
    squares, chosen = search_series(Batch(x, y[None], root[None]), grid, 2)
    for k in (0, 1, 2):
        # 2 observations before the first and after the last joinpoint, 2 strictly between two
        allowed = [tau for tau in itertools.combinations(x[2:-2], k) if k < 2 or tau[1] - tau[0] >= 3]
        best = min(allowed, key=lambda tau: least_squares(x, y, root, tau)[0])
        assert squares[0, k] == pytest.approx(least_squares(x, y, root, best)[0], rel=1e-9)
        if k:
            assert grid.places[chosen[k - 1][0]].tolist() == list(best)


def test_series_together_and_each_alone_give_the_same():
    rows = pd.concat(noisy(bent(at=2009 + i), seed=i).assign(unit=f"{i:02d}", se=1 + 0.1 * i) for i in range(6))
    rows = rows[~((rows["unit"] == "03") & (rows["year"] == 2011))]  # a gap
    shuffled = rows.sample(frac=1, random_state=3)
    for options in ({}, {"select": "permutation", "permutations": 99}, {"limits": "empirical", "draws": 50}):
        together = joinpoint(shuffled, by="unit", **options)
        alone = pd.concat(joinpoint(part, by="unit", **options).segments for _, part in rows.groupby("unit"))
        pd.testing.assert_frame_equal(together.segments, alone.reset_index(drop=True))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 1000), st.floats(0.001, 1000), st.integers(-500, 500))
def test_neither_the_unit_of_the_rate_nor_the_calendar_matters(seed, unit, shift):
    rows = noisy(bent(), seed=seed, spread=0.05)
    moved = rows.assign(rate=rows["rate"] * unit, year=rows["year"] + shift)
    ours, theirs = joinpoint(rows).segments, joinpoint(moved).segments
    assert theirs["apc"].to_numpy() == pytest.approx(ours["apc"].to_numpy(), rel=1e-6, abs=1e-9)
    assert (theirs["start"] - shift).tolist() == ours["start"].tolist()


def test_the_linear_model_has_slopes_and_no_annual_percent_change():
    rows = pd.DataFrame({"year": YEARS, "rate": 50 + 2.0 * np.minimum(YEARS - 2005, 9)})
    found = joinpoint(rows, model="linear").segments
    assert found["slope"].to_numpy() == pytest.approx([2, 0], abs=1e-9)
    assert found["apc"].isna().all()


def test_a_finer_grid_lets_a_joinpoint_lie_between_two_years():
    x = YEARS.astype(float)
    rows = pd.DataFrame({"year": YEARS, "rate": np.exp(0.1 * np.minimum(x - 2012.5, 0))})
    assert joinpoint(rows, points_between=1).joinpoints["year"].tolist() == [2012.5]
    assert joinpoint(rows, max_joinpoints=1).joinpoints["year"].tolist() in ([2012], [2013])


# ---- weights


def test_weights_come_from_standard_errors_counts_or_the_caller():
    import statsmodels.api as sm

    counts = table("""
        year | count | population | se | weight
        2015 |    40 |       1000 |  4 |      1
        2016 |    30 |       1100 |  3 |      2
        2017 |    35 |       1200 |  5 |      3
        2018 |    20 |       1300 |  2 |      2
        2019 |    25 |       1400 |  2 |      5
    """)
    rate = 100_000 * counts["count"] / counts["population"]
    weights = {
        "poisson": counts["count"],
        "given": counts["weight"],
        "constant": np.ones(5),
    }
    for kind, weight in weights.items():
        model = sm.WLS(np.log(rate), sm.add_constant(counts["year"] - 2017), weights=weight).fit()
        ours = joinpoint(counts, weights=kind, max_joinpoints=0).segments.iloc[0]
        expected = [model.params["year"], *model.conf_int().loc["year"], model.pvalues["year"]]
        assert ours[["slope", "slope_lower", "slope_upper", "p_value"]].tolist() == pytest.approx(expected)
    rated = counts.assign(rate=rate).drop(columns=["count", "population", "weight"])
    model = sm.WLS(np.log(rate), sm.add_constant(counts["year"] - 2017), weights=(rate / counts["se"]) ** 2).fit()
    assert joinpoint(rated, max_joinpoints=0)["slope"].tolist() == pytest.approx([model.params["year"]])
    assert "weights=standard_error" in joinpoint(rated).segments["method"].iloc[0]


def test_a_zero_count_becomes_one_half_and_is_counted():
    rows = pd.DataFrame({"year": range(2010, 2016), "deaths": [4, 0, 3, 5, 0, 2], "population": 1000})
    found = joinpoint(rows, max_joinpoints=0)
    halved = joinpoint(rows.assign(deaths=[4, 0.5, 3, 5, 0.5, 2]), max_joinpoints=0)
    assert found["apc"].tolist() == halved["apc"].tolist()
    assert found.series["zeros_replaced"].tolist() == [2]
    assert found.fitted["rate"].tolist()[1] == 0  # what was observed stays


# ---- how many


def test_the_maximum_follows_the_number_of_points():
    assert [default_most(n) for n in (2, 6, 7, 11, 12, 16, 17, 21, 22, 26, 27, 60)] == [
        *(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5),
    ]


def test_joinpoints_keep_their_distance():
    x = np.arange(2000.0, 2012)
    grid = joinpoint_grid(x)
    assert grid.places.tolist() == list(range(2002, 2010))
    assert most_joinpoints(grid) == 3  # 2 * 2 + (3 - 1) * 2 + 3 = 11 points at least
    assert most_joinpoints(joinpoint_grid(x, min_end=3, min_between=4)) == 2  # 3 before, 4 between, 3 after: 12 points


def test_more_joinpoints_than_the_points_allow_are_lowered_and_said():
    found = joinpoint(bent(years=np.arange(2015, 2022)), max_joinpoints=5)
    assert found.series["max_joinpoints"].tolist() == [1]


def test_criteria_are_fit_plus_penalty():
    n = len(YEARS)
    models = joinpoint(noisy(bent(), spread=0.03), max_joinpoints=2).models
    k, fit, share = models["n_joinpoints"].to_numpy(int), np.log(models["sse"] / n), np.log(n) / n
    assert models["bic"].to_numpy() == pytest.approx((fit + (2 * k + 2) * share).to_numpy())
    assert models["bic3"].to_numpy() == pytest.approx((fit + (3 * k + 2) * share).to_numpy())
    assert ((models["bic"] <= models["wbic"]) & (models["wbic"] <= models["bic3"])).all()


def test_the_weight_of_the_weighted_criterion_is_the_partial_r_squared():
    rows = noisy(bent(), spread=0.03)
    found = joinpoint(rows, max_joinpoints=1)
    one = found.models.iloc[1]
    x, y = rows["year"].to_numpy(float) - 2014, np.log(rows["rate"].to_numpy())
    line, both = (least_squares(x, y, np.ones(20), tau)[0] for tau in ([], [float(one["joinpoints"]) - 2014]))
    share = np.log(20) / 20
    assert (one["wbic"] - one["bic"]) / share == pytest.approx(1 - both / line)


def test_each_selector_takes_the_least_of_its_criterion():
    rows = pd.concat(noisy(bent(after=0.04), seed=i, spread=0.03).assign(unit=i) for i in range(30))
    for select in ("bic", "bic3", "wbic"):
        models = joinpoint(rows, by="unit", select=select).models
        best = models.loc[models.groupby("unit")[select].idxmin()]
        assert best["selected"].all()
        assert models["selected"].sum() == 30


def test_the_permutation_test_finds_a_bend_and_no_bend():
    rows = pd.concat([noisy(bent(), spread=0.02).assign(unit="bent"), noisy(bent(after=0.05)).assign(unit="straight")])
    found = joinpoint(rows, by="unit", select="permutation", max_joinpoints=3, permutations=499)
    assert found.series.set_index("unit")["n_joinpoints"].to_dict() == {"bent": 1, "straight": 0}
    first = found.tests[found.tests["unit"] == "bent"].iloc[0]
    assert (first["null"], first["alternative"], first["level"]) == (0, 3, 0.05 / 3)
    assert first["p_value"] == 1 / 500
    second = found.tests[found.tests["unit"] == "bent"].iloc[1]
    assert (second["null"], second["level"]) == (1, 0.05 / 2)  # rejected: the null is raised, fewer tests are left
    straight = found.tests[found.tests["unit"] == "straight"]
    assert straight["alternative"].tolist() == [3, 2, 1]  # accepted each time: the alternative is lowered
    assert straight["level"].tolist() == [0.05 / 3] * 3


def test_stopping_a_test_early_changes_no_decision():
    rows = pd.concat(noisy(bent(after=0.03), seed=i, spread=0.04).assign(unit=i) for i in range(8))
    options = {"by": "unit", "select": "permutation", "max_joinpoints": 2, "permutations": 999}
    whole, early = joinpoint(rows, **options), joinpoint(rows, **options, early_stopping=True)
    assert whole.tests["rejected"].tolist() == early.tests["rejected"].tolist()
    assert early.tests["permutations"].sum() < whole.tests["permutations"].sum()


def test_p_values_of_straight_series_are_spread_evenly():
    year = np.arange(2010, 2024)
    rate = np.exp(np.random.default_rng(4).normal(0, 0.1, (200, 14)))
    rows = pd.DataFrame({"unit": np.repeat(np.arange(200), 14), "year": np.tile(year, 200), "rate": rate.ravel()})
    found = joinpoint(rows, by="unit", select="permutation", max_joinpoints=1, permutations=199)
    share = (found.tests["p_value"] <= 0.25).mean()
    assert 0.25 - 0.1 < share < 0.25 + 0.1  # more than three standard errors of 200 series


# ---- limits


def test_limits_leave_the_joinpoint_out_and_give_each_segment_its_own_line():
    from scipy import stats

    rows = noisy(bent(), spread=0.02)
    found = joinpoint(rows, max_joinpoints=1).segments
    x, y = rows["year"].to_numpy(float), np.log(rows["rate"].to_numpy())
    bend = float(found["end"].iloc[0])
    parts = [(x[side], y[side]) for side in (x < bend, x > bend)]
    squares = sum(least_squares(part - bend, value, np.ones(len(part)), [])[0] for part, value in parts)
    freedom = (20 - 1) - 2 * (1 + 1)  # one observation stands on the joinpoint
    error = [np.sqrt(squares / freedom / np.square(part - part.mean()).sum()) for part, _ in parts]
    half = stats.t.ppf(0.975, freedom) * np.array(error)
    assert found["lower"].to_numpy() == pytest.approx(100 * np.expm1(found["slope"] - half))
    assert found["upper"].to_numpy() == pytest.approx(100 * np.expm1(found["slope"] + half))


def test_conditional_limits_take_the_joinpoints_for_known():
    import statsmodels.api as sm
    from scipy import stats

    rows = noisy(bent(), spread=0.02)
    found = joinpoint(rows, max_joinpoints=1, standard_errors="conditional").segments
    x, bend = rows["year"].to_numpy(float), float(found["end"].iloc[0])
    # the slope of the second segment is the coefficient of x where the hinge is that of the first
    design = sm.add_constant(np.column_stack([x - bend, np.clip(bend - x, 0, None)]))
    model = sm.OLS(np.log(rows["rate"].to_numpy()), design).fit()
    freedom = 20 - 2 * (1 + 1)  # the joinpoint itself counts as a parameter
    half = stats.t.ppf(0.975, freedom) * model.bse[1] * np.sqrt(model.df_resid / freedom)
    expected = [model.params[1] - half, model.params[1] + half]
    assert found[["slope_lower", "slope_upper"]].iloc[1].tolist() == pytest.approx(expected)


def test_average_change_is_the_growth_of_the_fitted_rates():
    found = joinpoint(noisy(bent(), spread=0.02), windows=[(2005, 2024), (2010, 2020), 6])
    fitted = found.fitted.set_index("year")["fitted"]
    for row in found.aapc.itertuples():
        growth = (fitted[row.end] / fitted[row.start]) ** (1 / (row.end - row.start))
        assert row.aapc == pytest.approx(100 * (growth - 1))
    assert found.aapc["start"].tolist() == [2005, 2010, 2019]
    last, segment = found.aapc.iloc[2], found.segments.iloc[-1]  # within one segment: its APC and limits
    assert last[["aapc", "lower", "upper"]].tolist() == segment[["apc", "lower", "upper"]].tolist()


def test_a_window_beyond_the_series_has_no_average_and_says_why():
    row = joinpoint(bent(), windows=(2000, 2010)).aapc.iloc[0]
    assert (row["status"], row["reason"]) == ("not_assessable", "reason.joinpoint_window_outside")
    assert np.isnan(row["aapc"])


def test_empirical_limits_are_repeatable_and_near_those_of_t_for_a_straight_line():
    rows = noisy(bent(after=0.05), spread=0.03)
    first, again = (joinpoint(rows, max_joinpoints=0, limits="empirical", draws=2000) for _ in range(2))
    assert first["lower"].tolist() == again["lower"].tolist()
    other = joinpoint(rows, max_joinpoints=0)
    width = [float((one["upper"] - one["lower"]).iloc[0]) for one in (first, other)]
    assert width[0] == pytest.approx(width[1], rel=0.15)


def test_limits_of_a_joinpoint_hold_it_and_widen_with_noise():
    quiet, loud = (
        joinpoint(noisy(bent(), spread=s), max_joinpoints=1, min_joinpoints=1).joinpoints for s in (0.01, 0.08)
    )
    for found in (quiet, loud):
        assert (found["lower"] <= found["year"].astype(float)).all()
        assert (found["year"] <= found["upper"]).all()
    assert (loud["upper"] - loud["lower"]).iloc[0] > (quiet["upper"] - quiet["lower"]).iloc[0]


def test_too_few_years_for_limits_have_a_change_but_no_limits():
    row = joinpoint(
        {"year": [1, 2, 3, 4, 5], "rate": [1, 2, 4, 3, 2]}, max_joinpoints=1, min_joinpoints=1
    ).segments.iloc[0]
    assert row["apc"] > 0
    assert np.isnan(row["lower"])
    assert (row["status"], row["reason"], row["significant"]) == ("not_assessable", "reason.joinpoint_no_limits", False)


# ---- correlated errors


def test_no_correlation_is_the_same_as_correlation_zero():
    rows = noisy(bent())
    ours = joinpoint(rows, autocorrelation=0.0)["apc"].to_numpy()
    assert ours == pytest.approx(joinpoint(rows)["apc"].to_numpy(), rel=1e-9)


def test_known_correlation_gives_generalised_least_squares():
    import statsmodels.api as sm

    rows, rho = noisy(bent(after=0.05), spread=0.05), 0.6
    sigma = rho ** np.abs(np.subtract.outer(YEARS, YEARS))
    model = sm.GLS(np.log(rows["rate"].to_numpy()), sm.add_constant(YEARS - 2014), sigma=sigma).fit()
    found = joinpoint(rows, max_joinpoints=0, autocorrelation=rho).segments.iloc[0]
    expected = [model.params[1], *model.conf_int()[1]]
    assert found[["slope", "slope_lower", "slope_upper"]].tolist() == pytest.approx(expected)


def test_correlation_is_estimated_from_the_residuals():
    random, error = np.random.default_rng(2), [0.0]
    for shock in random.normal(0, 0.05, 59):
        error.append(0.7 * error[-1] + shock)
    rows = pd.DataFrame({"year": np.arange(60), "rate": np.exp(error)})
    found = joinpoint(rows, max_joinpoints=0, autocorrelation="estimate").series
    assert 0.4 < found["autocorrelation"].iloc[0] < 0.9


# ---- breaks


def test_a_segment_over_a_break_says_so():
    segments = joinpoint(bent(), breaks=[2014, 2020]).segments
    # the year of a break belongs to what is new: a segment that begins there does not cross it
    assert segments["breaks"].tolist() == ["2014", "2020"]
    assert set(segments["mark"]) == {"mark.joinpoint_crosses_break"}
    assert joinpoint(bent(), breaks=[2005]).segments["mark"].tolist() == ["", ""]


def test_breaks_of_one_series_are_not_those_of_another():
    rows = pd.concat([bent().assign(unit="01"), bent().assign(unit="02")])
    marks = pd.DataFrame({"unit": ["02"], "at": [2020]})
    assert joinpoint(rows, by="unit", breaks=marks)["breaks"].tolist() == ["", "", "", "2020"]


def test_split_series_are_fitted_by_themselves():
    rows = pd.concat([bent(years=np.arange(2005, 2015), at=2030), bent(years=np.arange(2015, 2025), at=2000, level=9)])
    found = joinpoint(rows, breaks=2015, at_breaks="split").segments
    assert found[["stretch", "start", "end"]].to_numpy().tolist() == [[1, 2005, 2014], [2, 2015, 2024]]
    assert found["apc"].to_numpy() == pytest.approx([5, -3])


def test_breaks_before_and_after_a_series_do_not_cut_it():
    found = joinpoint(bent(), breaks=[1990, 2005, 2050], at_breaks="split").segments
    assert found["stretch"].tolist() == [1, 1]
    assert found["apc"].to_numpy() == pytest.approx([5, -3])


def test_a_level_that_jumps_is_told_from_a_trend():
    rows = bent(after=0.05)
    jumped = rows.assign(rate=rows["rate"] * np.where(rows["year"] >= 2014, 1.2, 1.0))
    found = joinpoint(jumped, breaks=2014, at_breaks="jump")
    assert found["apc"].to_numpy() == pytest.approx([5])
    assert found.jumps["jump"].to_numpy() == pytest.approx([20])
    assert found["mark"].tolist() == ["mark.joinpoint_jump"]
    assert joinpoint(jumped).series["n_joinpoints"].iloc[0] > 0  # taken for a trend where nobody says


# ---- what cannot be fitted


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ({"rate": [1, 2, np.nan, np.nan]}, "reason.joinpoint_few_points"),
        ({"rate": [1, 0, 2, 3]}, "reason.joinpoint_zero_rate"),
        ({"rate": [1, -1, 2, 3]}, "reason.joinpoint_bad_rate"),
        ({"rate": [1, 2, 2, 3], "se": [1, 0, 1, 1]}, "reason.joinpoint_bad_weight"),
        ({"rate": [1, 2, 2, 3], "se": [1, np.nan, 1, 1]}, "reason.joinpoint_bad_weight"),
        ({"deaths": [0, 0, 0, 0], "population": [9, 9, 9, 9]}, "reason.joinpoint_no_events"),
        ({"deaths": [1, 1, 2, 1], "population": [9, 0, 9, 9]}, "reason.no_person_years"),
        ({"deaths": [1, -1, 2, 1], "population": [9, 9, 9, 9]}, "reason.events_missing"),
    ],
)
def test_a_series_that_cannot_be_fitted_is_there_with_its_reason(rows, reason):
    found = joinpoint({"year": [2020, 2021, 2022, 2023], **rows})
    for part in (found.segments, found.series, found.aapc):
        assert part[["status", "reason"]].to_numpy().tolist() == [["not_assessable", reason]]
    assert found["apc"].isna().all()
    assert not found["significant"].any()


def test_a_missing_year_is_a_gap_in_time():
    whole = bent(after=0.05)
    found = joinpoint(whole[whole["year"] != 2010], max_joinpoints=0).segments.iloc[0]
    assert (found["n"], found["apc"]) == (19, pytest.approx(5))


def test_a_constant_series_does_not_change():
    row = joinpoint({"year": YEARS, "rate": np.full(20, 7.0)}).segments.iloc[0]
    assert row["apc"] == pytest.approx(0, abs=1e-9)
    assert row["p_value"] == 1
    assert not row["significant"]


def test_an_empty_table_gives_empty_tables():
    found = joinpoint(pd.DataFrame({"year": [], "rate": []}))
    assert len(found) == 0
    assert "apc" in found.segments


# ---- what people type


def test_a_series_indexed_by_year_and_any_lone_column_of_numbers_will_do():
    rows = bent()
    named = rows.rename(columns={"rate": "asr_3yr_rolling"})
    expected = joinpoint(rows)["apc"].tolist()
    assert joinpoint(rows.set_index("year")["rate"])["apc"].tolist() == expected
    assert joinpoint(named)["apc"].tolist() == expected
    assert (
        joinpoint(named, rate="asr_3yr_rolling", select="Weighted BIC", model="log-linear")["apc"].tolist() == expected
    )


@pytest.mark.parametrize(
    ("rows", "options", "error", "key"),
    [
        ({"rate": [1]}, {}, InputError, "error.joinpoint_no_year"),
        ({"year": [1], "a": ["x"]}, {}, InputError, "error.joinpoint_no_value"),
        ({"year": [1, 1], "rate": [2, 3]}, {}, InputError, "error.joinpoint_year_twice"),
        ({"year": [202412, 202501], "rate": [2, 3]}, {}, InputError, "error.joinpoint_not_years"),
        ({"year": [1], "rate": [2]}, {"by": "unit"}, InputError, "error.rate_columns_missing"),
        ({"year": [1], "rate": ["a"]}, {}, InputError, "error.column_not_numbers"),
        ({"year": [1], "rate": [2]}, {"weights": "poisson"}, InputError, "error.joinpoint_weights_need"),
        ({"year": [1], "rate": [2]}, {"weights": "heavy"}, UsageError, "error.joinpoint_option"),
        ({"year": [1], "rate": [2]}, {"select": "aic"}, UsageError, "error.joinpoint_option"),
        ({"year": [1], "rate": [2]}, {"max_joinpoints": -1}, UsageError, "error.joinpoint_number"),
        ({"year": [1], "rate": [2]}, {"confidence": 95}, UsageError, "error.joinpoint_number"),
        ({"year": [1], "rate": [2]}, {"autocorrelation": "yes"}, UsageError, "error.joinpoint_number"),
        ({"year": [1], "rate": [2]}, {"breaks": ["soon"]}, InputError, "error.joinpoint_breaks"),
        ({"year": YEARS, "rate": YEARS}, {"windows": [(2010, 2010)]}, UsageError, "error.joinpoint_number"),
    ],
)
def test_wrong_use_is_a_sentence(rows, options, error, key):
    with pytest.raises(error) as caught:
        joinpoint(rows, **options)
    assert caught.value.key == key
    assert caught.value.sentence("vi")


def test_a_search_that_would_not_end_is_refused():
    months = {"year": np.arange(240), "rate": np.exp(np.sin(np.arange(240)))}
    with pytest.raises(UsageError) as caught:
        joinpoint(months, max_joinpoints=5)
    assert caught.value.key == "error.joinpoint_too_many"

"""EuroMOMO's baseline beside statsmodels, and what a reader of its lines relies on."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.trend import cusum, euromomo
from tkyt_analysis.analysis.trend.weeks import iso_year_and_week
from tkyt_analysis.errors import UsageError

WEEKS = np.datetime64("2015-01-05") + 7 * np.arange(300)  # to 2020W39


def deaths(mean=200.0, *, seed=1, amplitude=0.15):
    rng = np.random.default_rng(seed)
    level = mean * np.exp(amplitude * np.cos(2 * np.pi * np.arange(300) / 52.18))
    return rng.negative_binomial(50, 50 / (50 + level)).astype(float)


def by_hand(counts, rows, columns):
    """Over-dispersed Poisson regression of statsmodels on the chosen weeks, predicted for all."""
    import statsmodels.api as sm

    fit = sm.GLM(counts[rows], columns[rows], family=sm.families.Poisson()).fit(tol=1e-12)
    od = max(1.0, fit.pearson_chi2 / fit.df_resid)
    eta = columns @ fit.params
    se = np.sqrt(od * np.einsum("ij,jk,ik->i", columns, fit.cov_params() / fit.scale, columns))
    return np.exp(eta), se, od


def columns_of(model):
    week = np.arange(300.0)
    parts = [np.ones(300), week]
    if model == "LINE_SIN":
        parts += [np.sin(2 * np.pi * week / 52.18), np.cos(2 * np.pi * week / 52.18)]
    return np.column_stack(parts)


@pytest.mark.parametrize("model", ["LINE", "LINE_SIN"])
def test_the_baseline_is_fitted_to_spring_and_autumn(model):
    counts = deaths()
    ours = euromomo(counts, time=WEEKS, model=model, history=None, drop_from=None)
    number = iso_year_and_week(WEEKS)[1]
    rows = ((number >= 16) & (number <= 25) | (number >= 37) & (number <= 44)) & (np.arange(300) < 299 - 3)
    assert ours["in_model"].tolist() == rows.tolist()
    expected, se, od = by_hand(counts, rows, columns_of(model))
    assert ours["expected"].to_numpy() == pytest.approx(expected, rel=1e-6)
    z = (counts ** (2 / 3) - expected ** (2 / 3)) / np.sqrt(4 / 9 * expected ** (1 / 3) * (od + se**2 * expected))
    assert ours["zscore"].to_numpy() == pytest.approx(z, abs=1e-5)
    upper = (expected ** (2 / 3) + 4 * np.sqrt(4 / 9 * expected ** (1 / 3) * (od + se**2 * expected))) ** 1.5
    assert ours["upib4"].to_numpy() == pytest.approx(upper, rel=1e-6)


def test_counts_that_vary_less_than_poisson_counts_do_not_narrow_the_lines():
    even = np.full(300, 200.0)
    even[::2] += 2
    assert euromomo(even, time=WEEKS)["dispersion"].dropna().unique().tolist() == [1.0]


def test_many_groups_give_what_each_gives_alone():
    frame = pd.concat(
        [
            pd.DataFrame({"group": name, "Model": model, "date": WEEKS, "deaths": deaths(mean, seed=seed)})
            for seed, (name, model, mean) in enumerate(
                (("0-4", "LINE", 3), ("65+", "LINE_SIN", 500), ("all", "LINES_SIN", 700))
            )
        ],
        ignore_index=True,
    )
    together = euromomo(frame)
    for name in ("0-4", "65+", "all"):
        alone = euromomo(frame[frame["group"] == name])
        part = together[together["group"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, alone, rtol=1e-9)
    assert together.groupby("group")["model"].first().tolist() == ["LINE", "LINE_SIN", "LINE_SIN"]


def test_an_excluded_epidemic_does_not_raise_the_baseline():
    counts = deaths()
    counts[270:285] *= 2  # 2020W10 to 2020W24
    plain = euromomo(counts, time=WEEKS, drop_from=None)["expected"]
    without = euromomo(counts, time=WEEKS, drop_from=None, excluded=[("2020W10", "2020W24")])["expected"]
    assert without.iloc[-1] < plain.iloc[-1]
    rule = euromomo(counts, time=WEEKS, week="2020W24")  # the summer under way begins with week 21
    fitted = rule.loc[rule["in_model"], "period"]
    assert fitted.max() == "2020W20"


def test_weeks_after_the_last_and_before_the_history_say_why_they_have_no_baseline():
    rows = euromomo(deaths(), time=WEEKS, week="2020W30", history=260)
    assert rows["expected"].notna().sum() == 260
    assert set(rows.loc[rows["expected"].isna(), "reason"]) == {"reason.outside_baseline"}
    assert rows.loc[rows["expected"].notna(), "status"].unique().tolist() == ["ok"]


def test_the_variance_of_the_delay_correction_widens_the_lines():
    counts = deaths()
    plain = euromomo(counts, time=WEEKS)
    wide = euromomo(counts, time=WEEKS, delay_variance=np.full(300, 100.0))
    assert (wide["upib2"] > plain["upib2"]).sum() == plain["upib2"].notna().sum()


def test_a_cusum_adds_what_exceeds_the_allowance_and_never_falls_below_zero():
    found = cusum(np.array([[1.0, -3.0, 1.0, 1.0, np.nan]]), k=0.25, arl0=20)
    assert found["cusum"].tolist() == [[0.75, 0, 0.75, 1.5, 1.25]]
    h = 24 / 22 * np.log(11) - 1.16666
    assert found["cusum_h"][0, 0] == pytest.approx(h)
    assert found["flag"].tolist() == [[False, False, False, h <= 1.5, False]]


@pytest.mark.parametrize(
    ("counts", "options", "word"),
    [
        (deaths(), {}, "EuroMOMO"),  # no dates
        (deaths(), {"time": WEEKS, "model": "CURVE"}, "CURVE"),
        (deaths(), {"time": WEEKS, "week": "2031W01"}, "2031W01"),
        (deaths()[:299], {"time": WEEKS}, "299"),
    ],
)
def test_wrong_input_gets_a_sentence(counts, options, word):
    with pytest.raises(UsageError) as problem:
        euromomo(counts, **options)
    assert word in problem.value.sentence("vi")


def test_a_short_series_is_not_assessable():
    rows = euromomo(deaths()[:12], time=WEEKS[:12])
    assert set(rows["reason"]) == {"reason.too_few_past_periods"}
    assert rows["expected"].isna().all()

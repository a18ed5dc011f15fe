"""Nowcasts from lag triangles: arithmetic on a small triangle, coverage on drawn ones, EuroMOMO's correction."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import table

from tkyt_analysis.analysis.trend import backtest_summary, delay_distribution, lag_triangle, nowcast, nowcast_backtest
from tkyt_analysis.errors import UsageError

# 4 weeks, delays 0 to 2: of each 10 deaths 5 are known at once, 3 a week later, 2 two weeks later
TRIANGLE = table("""
    week | delay | deaths
    1    | 0     | 5
    1    | 1     | 3
    1    | 2     | 2
    2    | 0     | 10
    2    | 1     | 6
    2    | 2     | 4
    3    | 0     | 20
    3    | 1     | 12
    4    | 0     | 30
""")
SHARES = [0.3, 0.3, 0.2, 0.1, 0.1]


def drawn(mean=60.0, *, periods=80, seed=1, spread=0.0):
    """(cells (periods, delays), final counts): multinomial delays, or shares that vary from week to week."""
    rng = np.random.default_rng(seed)
    total = rng.poisson(mean, periods)
    shares = rng.dirichlet(np.array(SHARES) / spread, periods) if spread else np.tile(SHARES, (periods, 1))
    return rng.multinomial(total, shares).astype(float), total


def test_what_is_reported_is_divided_by_the_share_that_is_usually_known():
    weeks = nowcast(TRIANGLE)
    assert weeks["reported"].tolist() == [10, 20, 32, 30]
    assert weeks["share_reported"].tolist() == pytest.approx([1, 1, 0.8, 0.5])
    assert weeks["estimate"].tolist() == pytest.approx([10, 20, 32 / 0.8, 30 / 0.5])
    assert weeks["complete"].tolist() == [True, True, False, False]
    assert weeks["status"].tolist() == ["ok", "ok", "modelled", "modelled"]
    assert weeks.loc[:1, ["lower", "upper"]].values.tolist() == [[10, 10], [20, 20]]


def test_the_shares_of_delays_are_those_of_complete_weeks_and_of_what_is_known_since():
    shares = delay_distribution(TRIANGLE)
    # known after 0 → 1 week: 5+10+20 → 8+16+32; after 1 → 2 weeks: 8+16 → 10+20
    first, second = (5 + 10 + 20) / (8 + 16 + 32), (8 + 16) / (10 + 20)
    assert shares["cumulative"].tolist() == pytest.approx([first * second, second, 1])
    assert shares["share"].sum() == pytest.approx(1)


# Claims of ten years by delay in years (cumulative), Taylor & Ashe 1983, and Mack's results: ASTIN Bulletin 1993;23, table 2 (`unverified`:
# numbers as recalled; ours agree with every one of them)
CLAIMS = """
    357848 1124788 1735330 2218270 2745596 3319994 3466336 3606286 3833515 3901463
    352118 1236139 2170033 3353322 3799067 4120063 4647867 4914039 5339085
    290507 1292306 2218525 3235179 3985995 4132918 4628910 4909315
    310608 1418858 2195047 3757447 4029929 4381982 4588268
    443160 1136350 2128333 2897821 3402672 3873311
    396132 1333217 2180715 2985752 3691712
    440832 1288463 2419861 3483130
    359480 1421128 2864498
    376686 1363294
    344014
"""
RESERVES = [0, 94634, 469511, 709638, 984889, 1419459, 2177641, 3920301, 4278972, 4625811]
ERRORS = [0, 75535, 121699, 133549, 261406, 411010, 558317, 875328, 971258, 1363155]


def test_estimates_and_standard_errors_are_those_that_mack_published():
    cells = np.full((10, 10), np.nan)
    for row, line in enumerate(CLAIMS.strip().splitlines()):
        known = np.array(line.split(), dtype=float)
        cells[row, : len(known)] = np.diff(known, prepend=0)
    found = nowcast(cells, method="mack")
    assert (found["estimate"] - found["reported"]).round().tolist() == RESERVES
    assert np.sqrt(found["variance"]).round().tolist() == ERRORS


def test_a_line_list_with_two_dates_is_the_same_triangle():
    rows = TRIANGLE.loc[TRIANGLE.index.repeat(TRIANGLE["deaths"])]
    start = np.datetime64("2024-01-01")
    people = pd.DataFrame(
        {
            "date": start + 7 * (rows["week"].to_numpy() - 1),
            "reported": start + 7 * (rows["week"] + rows["delay"] - 1).to_numpy() + 3,
        }
    )
    people["date"], people["reported"] = people["date"].astype(str), pd.to_datetime(people["reported"])
    found = nowcast(people, time="date")
    assert found["estimate"].tolist() == pytest.approx(nowcast(TRIANGLE)["estimate"].tolist())
    assert found["period"].tolist() == ["2024W01", "2024W02", "2024W03", "2024W04"]


def test_what_became_known_later_is_not_used():
    cells, _ = drawn()
    whole = lag_triangle(cells)
    then = whole.known_at(60)
    alone = lag_triangle(cells[:61])
    assert np.array_equal(then.cells, alone.cells, equal_nan=True)
    assert nowcast(then)["estimate"].tolist() == nowcast(alone)["estimate"].tolist()


def test_events_later_than_the_longest_delay_are_counted_aside():
    lags = lag_triangle(TRIANGLE, max_delay=1)
    assert (lags.longest, lags.beyond.tolist()) == (1, [2 + 4])


@pytest.mark.parametrize("method", ["chain_ladder", "multinomial", "negative_binomial", "mack"])
def test_limits_hold_the_final_count_about_as_often_as_they_say(method):
    many = np.stack([drawn(seed=seed)[0] for seed in range(20)])
    test = nowcast_backtest(many, method=method, last=20)
    summary = backtest_summary(test)
    assert summary["age"].tolist() == [0, 1, 2, 3]
    assert summary["nowcasts"].tolist() == [20 * 20] * 4
    assert summary["coverage"].between(0.9, 0.995).all(), summary
    assert summary["bias"].abs().max() < 0.05


def test_limits_that_know_of_varying_delays_are_wider_and_hold_more_often():
    many = np.stack([drawn(mean=300, seed=seed, spread=0.05)[0] for seed in range(10)])
    coverage = {
        method: nowcast_backtest(many, method=method, last=20)["covered"].mean()
        for method in ("multinomial", "chain_ladder")
    }
    assert coverage["multinomial"] < 0.8 < coverage["chain_ladder"]


def test_many_series_give_what_each_gives_alone():
    cells = np.stack([drawn(seed=1)[0], drawn(mean=3, seed=2)[0], np.zeros((80, 5))])
    together = nowcast(cells)
    for row in range(2):
        alone = nowcast(cells[row])
        part = together[together["series"] == row + 1].reset_index(drop=True).drop(columns="series")
        pd.testing.assert_frame_equal(part, alone)
    last = together[together["series"] == 3].tail(4)
    assert set(last["status"]) == {"not_assessable"}
    assert set(last["reason"]) == {"reason.no_past_delays"}


def test_no_report_yet_is_an_estimate_of_zero_with_an_upper_limit():
    cells, _ = drawn(mean=5)
    cells[-1, 0] = 0
    for method in ("chain_ladder", "multinomial", "negative_binomial", "mack"):
        row = nowcast(cells, method=method).iloc[-1]
        assert (row["estimate"], row["lower"]) == (0, 0)
        assert row["upper"] > 2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["chain_ladder", "multinomial", "negative_binomial", "euromomo"]))
def test_a_nowcast_is_never_below_what_is_reported(seed, method):
    cells, _ = drawn(mean=20, seed=seed, periods=40)
    found = nowcast(cells, method=method)
    some = found["status"] != "not_assessable"
    for name in ("estimate", "lower", "upper"):
        assert (found.loc[some, name] >= found.loc[some, "reported"] - 1e-9).all()


def test_the_correction_of_euromomo_is_its_two_regressions():
    import statsmodels.api as sm

    cells, _ = drawn(mean=400, periods=120)
    ours = nowcast(cells, method="euromomo")
    known, total = np.cumsum(cells, axis=1), cells.sum(axis=1)
    rows = np.arange(120) < 119 - 4
    for age in (0, 2):
        week = np.arange(120.0)
        share = sm.GLM((known[:, age] / total)[rows], sm.add_constant(week[rows]), family=sm.families.Binomial()).fit(
            tol=1e-12
        )
        fitted = share.predict(sm.add_constant(week))
        design = np.column_stack([np.ones(120), known[:, age], 100 * fitted, week])
        again = sm.GLM(total[rows], design[rows], family=sm.families.Poisson()).fit(tol=1e-12)
        place = 119 - age
        assert ours["estimate"].iloc[place] == pytest.approx(again.predict(design[place])[0], rel=1e-4)


def test_a_report_before_the_event_is_refused():
    with pytest.raises(UsageError, match="-1"):
        lag_triangle(pd.DataFrame({"week": [1, 2], "delay": [0, -1], "events": [3, 4]}))


@pytest.mark.parametrize(
    ("triangle", "options", "word"),
    [
        (TRIANGLE, {"method": "magic"}, "magic"),
        (TRIANGLE.drop(columns="delay"), {}, "delay"),
        (TRIANGLE, {"window": 0}, "window"),
        ([1, 2, 3], {}, "3"),
    ],
)
def test_wrong_input_gets_a_sentence(triangle, options, word):
    with pytest.raises(UsageError) as problem:
        nowcast(triangle, **options)
    assert word in problem.value.sentence("vi")


def test_too_few_periods_for_a_backtest_are_said():
    with pytest.raises(UsageError, match="4"):
        nowcast_backtest(TRIANGLE)

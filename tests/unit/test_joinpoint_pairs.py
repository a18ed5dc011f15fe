"""Pairs of series: parallel trends, coincident trends, and what cannot be compared."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.analysis.trend import compare_joinpoints
from tkyt_analysis.errors import UsageError

YEARS = np.arange(2005, 2021)


def bent(unit, *, level=100.0, after=-0.03, seed=1):
    trend = 1.04 ** np.minimum(YEARS - 2005, 7) * (1 + after) ** np.maximum(YEARS - 2012, 0)
    drawn = np.random.default_rng(seed).normal(0, 0.01, len(YEARS))
    return pd.DataFrame({"unit": unit, "year": YEARS, "rate": level * trend * np.exp(drawn)})


SERIES = pd.concat([bent("01"), bent("02", level=50, seed=2), bent("03", after=0.03, seed=3), bent("04", seed=4)])


def p_values(test):
    found = compare_joinpoints(SERIES, by="unit", test=test, permutations=299)
    return {(row.unit_1, row.unit_2): row.p_value for row in found.itertuples()}


def test_parallel_trends_have_the_same_shape_at_any_level():
    found = p_values("parallel")
    assert found["01", "02"] > 0.05
    assert found["01", "04"] > 0.05
    assert found["01", "03"] == 1 / 300  # another turn: no permutation is as far off


def test_coincident_trends_have_the_same_level_too():
    found = p_values("coincident")
    assert found["01", "04"] > 0.05
    assert found["01", "02"] == 1 / 300
    assert found["03", "04"] == 1 / 300


def test_the_statistic_is_what_a_common_model_loses():
    rows = SERIES[SERIES["unit"].isin(["01", "02"])]
    found = compare_joinpoints(rows, by="unit", joinpoints=0, permutations=9).iloc[0]
    x, y = YEARS - 2012.0, np.log(rows["rate"].to_numpy()).reshape(2, -1)
    apart = sum(np.polyfit(x, one, 1, full=True)[1][0] for one in y)
    centred = (y - y.mean(axis=1, keepdims=True)).ravel()  # own levels, one slope
    both = np.tile(x - x.mean(), 2)
    common = np.square(centred - both * (both @ centred) / (both @ both)).sum()
    assert found["statistic"] == pytest.approx((common - apart) / apart)


def test_equal_trends_are_called_different_as_rarely_as_stated():
    year = np.tile(np.arange(12), 120)
    rate = np.exp(np.random.default_rng(5).normal(0, 0.1, 12 * 120))
    rows = pd.DataFrame({"unit": np.repeat(np.arange(120), 12), "year": year, "rate": rate})
    pairs = [rows[rows["unit"].isin([2 * i, 2 * i + 1])] for i in range(60)]
    found = pd.concat(compare_joinpoints(pair, by="unit", joinpoints=0, permutations=99) for pair in pairs)
    assert 0.2 < (found["p_value"] <= 0.4).mean() < 0.6  # 60 pairs: three standard errors are 0.19


def test_short_series_and_series_that_cannot_be_fitted_are_not_compared():
    rows = pd.concat(
        [bent("01"), bent("02").head(6), bent("03").assign(rate=lambda one: one["rate"] * (one["year"] > 2005))]
    )
    found = compare_joinpoints(rows, by="unit", permutations=9)
    assert set(found["status"]) == {"not_assessable"}
    assert found["reason"].tolist() == [
        "reason.joinpoint_pair_short",
        "reason.joinpoint_zero_rate",
        "reason.joinpoint_zero_rate",
    ]
    with pytest.raises(UsageError):
        compare_joinpoints(rows, by="unit", test="similar")

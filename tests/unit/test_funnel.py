"""Funnels: small units are not shamed by chance, true outsiders are found, and the usual spread is no offence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.errors import UsageError
from tkyt_analysis.quality.scores.funnel import (
    ASK,
    NORMAL,
    NOT_ASSESSABLE,
    benjamini_hochberg,
    funnel,
    funnel_of_scores,
)
from tkyt_analysis.quality.scores.funnel_picture import PHONE, draw_funnel


def units(numerator, denominator):
    return pd.DataFrame(
        {"unit": [f"u{at}" for at in range(len(numerator))], "numerator": numerator, "denominator": denominator}
    )


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=1, max_size=30),
    st.sampled_from(["proportion", "rate"]),
)
def test_a_unit_with_one_observation_is_never_asked_about(pairs, statistic):
    rows = units([min(pair) for pair in pairs] + [0, 1], [max(pair) for pair in pairs] + [1, 1])
    found = funnel(rows, statistic=statistic)
    assert set(found["status"]) <= {NORMAL, ASK, NOT_ASSESSABLE}
    size = rows["denominator"] if statistic == "proportion" else rows["denominator"] * found["target"]
    assert (found.loc[size < 5, "status"] == NOT_ASSESSABLE).all()
    if statistic == "proportion":
        assert ASK not in set(found.loc[rows["denominator"] <= 1, "status"])


def test_the_same_share_is_chance_in_a_small_unit_and_a_question_in_a_large_one():
    found = funnel(units([900] * 20 + [6, 600], [1000] * 20 + [10, 1000]), overdispersion=False)
    assert found["value"].tail(2).tolist() == [0.6, 0.6]
    assert found["status"].tail(2).tolist() == [NORMAL, ASK]
    assert found["side"].iloc[-1] == "low"


def test_units_that_differ_by_chance_are_left_in_peace():
    generator = np.random.default_rng(7)
    asked = 0
    for _ in range(20):
        size = generator.integers(5, 400, 500)
        asked += (funnel(units(generator.binomial(size, 0.9), size))["status"] == ASK).sum()
    assert asked <= 5  # of 10 000


def test_the_usual_spread_between_units_widens_the_limits():
    generator = np.random.default_rng(3)
    size = generator.integers(100, 2000, 300)
    rows = units(generator.binomial(size, generator.beta(90, 10, 300)), size)
    narrow, wide = funnel(rows, overdispersion=False), funnel(rows)
    assert wide.attrs["dispersion"] > 2
    assert 0.5 < wide.attrs["tau2"] / (0.9 * 0.1 / 101) < 1  # of the variance of Beta(90, 10), what winsorising leaves
    assert (narrow["status"] == ASK).sum() > 20
    assert (wide["status"] == ASK).sum() <= 3
    rows.loc[0, "numerator"] = rows.loc[0, "denominator"] // 3
    assert funnel(rows)["status"][0] == ASK  # and a true outsider is found still


def test_only_the_wanted_side_is_asked_about():
    rows = units([500] * 20 + [100, 900], [1000] * 22)
    assert funnel(rows, sides="low", overdispersion=False)["status"].tail(2).tolist() == [ASK, NORMAL]
    assert funnel(rows, sides="high", overdispersion=False)["status"].tail(2).tolist() == [NORMAL, ASK]


def test_a_rate_compares_with_expected_events():
    found = funnel(
        units([100] * 15 + [180, 3], [100.0] * 16 + [1.5]), statistic="rate", target=1.0, overdispersion=False
    )
    assert found["status"].tail(2).tolist() == [ASK, NOT_ASSESSABLE]  # 180 against 100; 3 against 1.5
    assert found["lower_outer"].iloc[0] < 1 < found["upper_outer"].iloc[0]


def test_nothing_to_judge_is_not_assessable_and_never_normal():
    found = funnel(units([0, 3, -1, 5], [0, 2, 10, np.nan]))
    assert found["status"].tolist() == [NOT_ASSESSABLE] * 4


def test_q_values_are_those_of_benjamini_and_hochberg():
    p = np.array([0.01, np.nan, 0.04, 0.03, 0.5])
    assert benjamini_hochberg(p) == pytest.approx([0.04, np.nan, 4 / 3 * 0.04, 4 / 3 * 0.04, 0.5], nan_ok=True)


def test_an_unknown_statistic_is_said():
    with pytest.raises(UsageError):
        funnel(units([1], [2]), statistic="mean")


def test_the_funnel_of_scores_takes_the_units_of_one_component_year_and_province():
    scores = pd.DataFrame(
        {
            "level": ["unit"] * 3 + ["province"], "component": ["completeness"] * 4, "year": [2025, 2025, 2024, 2025], "dataset_id": [""] * 4,
            "place": ["a", "b", "a", "VN2025:51"], "numerator": [90.0, 10, 5, 100], "denominator": [100.0, 100, 5, 200],
            "scope": ["VN2025-51", "VN2025-46", "VN2025-51", "VN2025-51"],
        }
    )  # fmt: skip
    assert funnel_of_scores(scores, component="completeness", year=2025)["unit"].tolist() == ["a", "b"]
    assert funnel_of_scores(scores, component="completeness", year=2025, province="VN2025:51")["unit"].tolist() == ["a"]


@pytest.mark.parametrize("width", [PHONE, 7.4])
def test_the_picture_says_in_words_what_it_shows(width):
    found = funnel(units([900] * 20 + [6, 400, 0], [1000] * 20 + [10, 1000, 0]), per=100)
    picture = draw_funnel(
        found, title="Báo cáo nhận được (%)", across="Số báo cáo", names={"u21": "Xã Mẫu"}, width=width, language="vi"
    )
    assert picture == draw_funnel(
        found, title="Báo cáo nhận được (%)", across="Số báo cáo", names={"u21": "Xã Mẫu"}, width=width, language="vi"
    )
    assert "21 đơn vị bình thường, 1 cần hỏi, 1 không đánh giá được" in picture
    assert "<svg" in picture


def test_a_funnel_without_units_is_drawn_empty():
    assert "<svg" in draw_funnel(funnel(units([], [])), title="t", across="n", language="vi")

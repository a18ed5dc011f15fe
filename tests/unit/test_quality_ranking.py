"""Questions are ranked by what hangs on them and cut at the budget; how many are expected to be false is said."""

import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import table
from tkyt_analysis.quality.findings import make_findings
from tkyt_analysis.quality.ranking import (
    budget_curve,
    budget_summary,
    default_budget,
    months_of,
    rank_questions,
)

UNITS = pd.DataFrame({"unit_id": ["a", "b", "c"], "province_id": ["VN2025:51", "VN2025:51", "VN2025:79"]})


def findings(text):
    rows = table(text).astype({"period_id": "str"})
    parts = [
        make_findings(part, rule_id=f"{rule}", severity=severity)
        for (rule, severity), part in rows.groupby(["rule", "grade"], sort=False)
    ]
    return pd.concat(parts, ignore_index=True)


def test_a_case_is_ranked_by_events_at_stake_times_probability():
    asked = rank_questions(
        findings("""
        rule | grade   | unit_id | period_id | dataset_id | element_id | at_stake | probability | verdict
        o    | warning | a       | 202401    | d          | births     |      100 |         0.9 | error_high
        o    | warning | b       | 202401    | d          | births     |     1000 |         0.2 | error_high
        o    | warning | c       | 202401    | d          | births     |        5 |         0.9 | error_high
        """),
        UNITS,
        budget=1,
    )
    seen = asked[["province_id", "unit_id", "rank", "score", "within_budget"]].to_numpy().tolist()
    assert seen == [
        ["VN2025:51", "b", 1, 1000 * 0.2, True],
        ["VN2025:51", "a", 2, 100 * 0.9, False],
        ["VN2025:79", "c", 1, 5 * 0.9, True],
    ]


def test_findings_on_one_form_are_one_case_and_rules_that_agree_on_a_cell_are_one_doubt():
    asked = rank_questions(
        findings("""
        rule | grade   | unit_id | period_id | dataset_id | element_id | at_stake | probability | verdict
        o    | warning | a       | 202401    | d          | births     |      100 |         0.5 | error_high
        z    | warning | a       | 202401    | d          | births     |       80 |         0.4 | error_high
        o    | warning | a       | 202401    | d          | deaths     |       10 |         0.5 | error_high
        """),
        UNITS,
    )
    assert (asked["rank"].tolist(), asked["findings"].tolist()) == ([1, 1, 1], [3, 3, 3])
    assert asked["score"].tolist() == [100 * 0.5 + 10 * 0.5] * 3
    assert asked["probability"].tolist() == pytest.approx([1 - 0.5 * 0.5] * 3)
    assert len(set(asked["case_id"])) == 1


def test_arithmetic_is_certain_and_a_rule_without_a_probability_is_unknown_not_certain():
    asked = rank_questions(
        findings("""
        rule | grade   | unit_id | period_id | dataset_id | at_stake | verdict
        sum  | error   | a       | 202401    | d          |       10 | error
        miss | warning | b       | 202401    | d          |      900 | missing
        """),
        UNITS,
    )
    assert asked["unit_id"].tolist() == ["a", "b"]
    assert asked["probability"].fillna(-1).tolist() == [1, -1]
    bought = budget_summary(asked)
    assert (bought.asked, bought.judged, bought.unknown, bought.expected_false, bought.fdr) == (2, 1, 1, 0, 0)


def test_the_expected_number_of_false_alarms_is_the_sum_of_what_is_not_certain():
    asked = rank_questions(
        findings("""
        rule | grade   | unit_id | period_id | dataset_id | at_stake | probability | verdict
        o    | warning | a       | 202401    | d          |      100 |         0.9 | error_high
        o    | warning | b       | 202401    | d          |       90 |         0.7 | error_high
        o    | warning | a       | 202401    | e          |        1 |         0.1 | error_high
        """),
        UNITS,
        budget=2,
    )
    bought = budget_summary(asked)
    assert bought.expected_false == pytest.approx(0.1 + 0.3)
    assert bought.fdr == pytest.approx((0.1 + 0.3) / 2)
    assert "2 of 3 cases" in bought.sentence("en")
    assert "20 %" in bought.sentence("vi")
    curve = budget_curve(asked, (1, 2, 3))
    assert curve["expected_false"].tolist() == pytest.approx([0.1, 0.4, 1.3])


def test_shocks_notes_and_what_is_fine_are_no_questions():
    rows = findings("""
        rule | grade   | unit_id | period_id | dataset_id | at_stake | probability | verdict
        o    | warning | a       | 202401    | d          |      100 |         0.1 | shock
        o    | warning | b       | 202401    | d          |      100 |         0.0 | ok
        z    | note    | c       | 202401    | d          |      100 |         0.9 | error_high
        """)
    assert rank_questions(rows, UNITS).empty
    assert budget_summary(rank_questions(rows, UNITS)).asked == 0


def test_a_quarter_is_asked_about_in_its_first_month_and_a_unit_without_province_by_the_nation():
    asked = rank_questions(
        findings("""
        rule | grade   | unit_id | period_id | dataset_id | at_stake | probability | verdict
        o    | warning | x       | 2024Q2    | d          |      100 |         0.9 | error_high
        """),
        UNITS,
    )
    assert asked.loc[0, ["province_id", "month"]].tolist() == ["", "202404"]
    assert months_of(pd.Series(["2024", "", "202402"])).tolist() == ["202401", "", "202402"]


def test_where_a_rule_names_no_stake_the_distance_to_the_expected_is_it():
    asked = rank_questions(
        findings("""
        rule | grade | unit_id | period_id | dataset_id | value | expected | verdict
        sum  | error | a       | 202401    | d          |    70 |      100 | inconsistent
        """),
        UNITS,
    )
    assert asked["score"].tolist() == [abs(70 - 100)]


def test_the_budget_is_a_dated_threshold_of_the_catalog():
    assert default_budget(datetime.date(2026, 11, 23)) == 20


rows = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["202401", "202402"]), st.sampled_from("de"),
              st.sampled_from("xyz"), st.integers(0, 500), st.sampled_from([0.1, 0.5, 0.9])),
    min_size=1, max_size=30, unique_by=lambda row: row[:4],
)  # fmt: skip


@settings(max_examples=25)
@given(drawn=rows, budget=st.integers(1, 4), seed=st.integers(0, 99))
def test_ranks_are_whole_and_do_not_depend_on_the_order_of_findings(drawn, budget, seed):
    names = ["unit_id", "period_id", "dataset_id", "element_id", "at_stake", "probability"]
    given_rows = pd.DataFrame(drawn, columns=names).assign(verdict="error_high")
    found = make_findings(given_rows, rule_id="o", severity="warning")
    asked = rank_questions(found, UNITS, budget=budget)
    assert set(asked["finding_id"]) == set(found["finding_id"])
    cases = asked.drop_duplicates("case_id")
    for _, group in cases.groupby(["province_id", "month"]):
        assert group["rank"].tolist() == list(range(1, len(group) + 1))
        assert group["score"].is_monotonic_decreasing
        assert group["within_budget"].sum() == min(budget, len(group))
    again = rank_questions(found.sample(frac=1, random_state=seed), UNITS, budget=budget)
    pd.testing.assert_frame_equal(asked, again)

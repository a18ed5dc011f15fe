"""Findings keep their id from run to run; found against planted is counted honestly."""

import pandas as pd
import pytest
from support import table

from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.labels import all_labels
from tkyt_analysis.quality.findings import (
    FINDING_COLUMNS,
    finding_question,
    make_findings,
    no_findings,
    score_findings,
    verdict_title,
)

ROWS = table("""
    dataset_id | unit_id | period_id | element_id | value | verdict
    f          | u1      | 202501    | e1         | 5     | error_high
    f          | u2      | 202501    | e1         | 6     | error_low
""").astype({"period_id": str})


def test_findings_have_every_column_of_the_contract():
    assert make_findings(ROWS, rule_id="r", severity="error").columns.tolist() == FINDING_COLUMNS
    assert no_findings().columns.tolist() == FINDING_COLUMNS
    assert no_findings().empty


def test_the_id_depends_on_rule_version_place_period_and_element_and_on_nothing_else():
    first = make_findings(ROWS, rule_id="r", severity="error")["finding_id"].tolist()
    again = make_findings(ROWS.assign(value=99.0).iloc[::-1], rule_id="r", severity="note")["finding_id"].tolist()
    assert again == first[::-1]
    for change in ({"unit_id": "u9"}, {"period_id": "202502"}, {"element_id": "e2"}, {"dataset_id": "g"}):
        assert not set(make_findings(ROWS.assign(**change), rule_id="r", severity="error")["finding_id"]) & set(first)
    assert not set(make_findings(ROWS, rule_id="r", severity="error", rule_version=2)["finding_id"]) & set(first)


def test_the_id_is_the_same_on_every_machine():
    assert make_findings(ROWS, rule_id="r", severity="error")["finding_id"].tolist() == [
        "73b501fe84e07df6",
        "27c62dc9ce085b47",
    ]


TRUTH = table("""
    id | kind    | unit_id | period_id | element
    t1 | x10     | u1      | 202501    | e1
    t2 | x10     | u1      | 202502    | e1
    t3 | missing | u3      | 202501    |
    t4 | copied  | u2      | 202501    | e1
""").astype({"period_id": str})


def flag(*keys, verdict="error_high"):
    frame = pd.DataFrame(keys, columns=["unit_id", "period_id", "element_id"])
    return make_findings(frame.assign(verdict=verdict), rule_id="r", severity="error")


def test_found_planted_and_other_flags_are_counted():
    score = score_findings(flag(("u1", "202501", "e1"), ("u2", "202501", "e1"), ("u9", "202501", "e1")), TRUTH)
    table_of = score.set_index("kind")[["planted", "found", "share"]]
    assert table_of.loc["x10"].tolist() == [2, 1, 1 / 2]
    assert table_of.loc["missing"].tolist() == [1, 0, 0]
    assert table_of.loc["copied"].tolist() == [1, 1, 1]
    assert score["flagged_other"].unique().tolist() == [1]  # u9


def test_a_missing_report_meets_a_finding_without_element():
    score = score_findings(flag(("u3", "202501", ""), verdict="missing"), TRUTH, kinds=["missing"])
    assert score.to_dict("records") == [{"kind": "missing", "planted": 1, "found": 1, "share": 1.0, "flagged_other": 0}]


def test_verdicts_ok_and_not_assessable_find_nothing():
    for verdict in ("ok", "not_assessable"):
        assert score_findings(flag(("u1", "202501", "e1"), verdict=verdict), TRUTH)["found"].sum() == 0


def test_a_kind_that_was_not_planted_has_no_share():
    score = score_findings(flag(("u1", "202501", "e1")), TRUTH, kinds=["/10"])
    assert score["planted"].tolist() == [0]
    assert score["share"].isna().all()


def test_two_flags_on_one_error_find_it_once():
    both = pd.concat([flag(("u1", "202501", "e1")), flag(("u1", "202501", ""))])
    score = score_findings(both, TRUTH, kinds=["x10"])
    assert score["found"].tolist() == [1]
    assert score["flagged_other"].tolist() == [0]


def test_nothing_found_is_a_share_of_zero():
    assert score_findings(no_findings(), TRUTH)["share"].tolist() == pytest.approx([0, 0, 0])


def test_the_question_names_unit_period_and_figures_as_vietnamese_writes_them():
    finding = {"period_id": "202501", "value": 12500.0, "expected": 1250.4, "lower": 800.0, "upper": 2.5}
    asked = finding_question(load_entries("rules")["outlier_count"], finding, unit="Xã A", language="vi")
    assert asked.startswith("Xã A, kỳ Tháng 1 năm 2025: đã báo cáo 12.500, thường gặp khoảng 1.250 (từ 800 đến 2,5).")


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_rule_can_put_its_question_even_without_figures(language):
    for rule in load_entries("rules").values():
        asked = finding_question(rule, {"period_id": "202501"}, unit="X", language=language)
        assert "{" not in asked


def test_every_verdict_has_words():
    verdicts = [key.removeprefix("verdict.") for key in all_labels() if key.startswith("verdict.")]
    assert {"missing", "error_high", "inconsistent", "not_assessable"} <= set(verdicts)
    assert all(verdict_title(verdict, "vi") for verdict in verdicts)

"""How good the checks are: what is said of a finding that nobody measured, and what counts as found."""

import pandas as pd
import pytest

from tests.support import rule_like
from tkyt_analysis.practice import met
from tkyt_analysis.quality import truth_card as card
from tkyt_analysis.quality.findings import make_findings

MEASURED = pd.DataFrame(
    [
        ("outlier_count", "kenya", "B1", 100, 98, 0.98, 0.80, 4.0, 0.95),
        ("outlier_count", "kenya", "B2", 100, 60, 0.60, 0.80, 4.0, 0.95),
        ("outlier_count", "drawn", "B1", 200, 182, 0.91, 0.90, 2.0, 0.70),
        ("copied_form", "drawn", "B7", 50, 45, 0.90, 1.00, 0.0, 1.00),
    ],
    columns=["check", "panel", "kind", *card.NUMBERS],
).assign(seeds="1 2", measured="2026-11-23")


@pytest.fixture
def measured(monkeypatch):
    monkeypatch.setattr(card, "read_codelist", lambda name: MEASURED.astype("str"))


def findings(*rows):
    table = pd.DataFrame(rows, columns=["rule_id", "verdict", "probability"])
    made = make_findings(table.assign(unit_id="a"), rule_id="", severity="warning")
    return made.assign(rule_id=table["rule_id"])


def test_the_summary_adds_up_errors_and_takes_the_worst_coverage(measured):
    one = card.card_summary().loc["outlier_count"]
    assert one["recall"] == pytest.approx((98 + 60 + 182) / (100 + 100 + 200))
    assert one["precision"] == pytest.approx((0.80 + 0.90) / 2)  # the median of two panels
    assert one["coverage"] == 0.70


def test_the_expected_false_alarms_are_what_the_probabilities_leave_over(measured):
    table = card.expected_false_alarms(
        findings(("outlier_count", "error_high", 0.9), ("outlier_count", "error_low", 0.6))
    )
    assert table.loc[0, "expected_false"] == pytest.approx((1 - 0.9) + (1 - 0.6))
    assert table.loc[0, "basis"] == "probability"


def test_without_probabilities_the_measured_precision_speaks_and_without_both_nothing_is_claimed(measured):
    rows = findings(("outlier_count", "error_high", None), ("never_measured", "error", None))
    table = card.expected_false_alarms(rows).set_index("rule_id")
    assert table.loc["outlier_count", "expected_false"] == pytest.approx(1 * (1 - 0.85))
    assert table.loc["never_measured", "basis"] == "unknown"
    assert pd.isna(table.loc["never_measured", "expected_false"])


def test_true_events_are_no_findings_of_errors(measured):
    assert card.expected_false_alarms(findings(("outlier_count", "shock", 0.1))).empty


TRUTH = pd.DataFrame(
    [
        ("1", "B1", "u1", "202401", "births", "a.json", None),
        ("2", "B1", "u2", "202401", "births", "a.json", None),
        ("3", "A1", "u1", "202402", "form", "a.json", None),
        ("4", "D2", "u3", "202403", "births", "a.json", None),
    ],
    columns=["id", "kind", "unit_id", "period_id", "element_id", "file_name", "row_number"],
)
#          rule            unit  period    element   verdict
FOUND = [
    ("outlier_count", "u1", "202401", "births", "error_high"),  # a planted tenfold value
    ("outlier_count", "u9", "202401", "births", "error_high"),  # nothing was planted there
    ("outlier_count", "u3", "202403", "births", "error_high"),  # an outbreak called an error
    ("outlier_count", "u2", "202401", "births", "shock"),  # the error was taken for an event: not found
    ("report_missing", "u1", "202402", "", "missing"),
]


def query(sql):
    import duckdb

    found = pd.DataFrame(FOUND, columns=["rule_id", "unit_id", "period_id", "element_id", "verdict"])
    tables = {
        "finding": found.assign(finding_id=[f"f{i}" for i in range(len(found))], dataset_id="form", fields="{}"),
        "data_element": pd.DataFrame({"element_id": ["births"], "dataset_id": ["form"]}),
        "data_set_assignment": pd.DataFrame({"dataset_id": ["form"]}),
        "death": pd.DataFrame({"death_id": ["x"], "row_number": [1], "file_sha256": [""]}),
        "received_file": pd.DataFrame({"file_sha256": [""], "file_name": [""]}),
        "rule_coverage": pd.DataFrame({"rule_id": ["outlier_count", "report_missing"], "judged": [500, 40], "total": [1000, 40]}),
    }  # fmt: skip
    con = duckdb.connect()
    con.execute("ATTACH ':memory:' AS lake")
    for name, rows in tables.items():
        con.register("incoming", rows)
        con.execute(f"CREATE TABLE lake.{name} AS SELECT * FROM incoming")
        con.unregister("incoming")
    return con.execute(sql).df()


def test_a_finding_meets_the_error_planted_at_its_place_and_a_shock_meets_none():
    pairs = met.met_by_rule(query, TRUTH)[["rule_id", "finding_id", "id"]].to_numpy().tolist()
    assert sorted(pairs) == [
        ["outlier_count", "f0", "1"], ["outlier_count", "f2", "4"], ["report_missing", "f4", "3"],
    ]  # fmt: skip


def test_an_outbreak_called_an_error_is_a_false_alarm():
    rules = [rule_like(id="outlier_count", detects=("B1",)), rule_like(id="report_missing", detects=("A1",))]
    table = met.as_card(met.score_rules(query, TRUTH, rules), panel="practice", seeds="1").set_index("check")
    one = table.loc["outlier_count"]
    assert (one["planted"], one["found"], one["recall"]) == (2, 1, 1 / 2)
    assert one["precision"] == pytest.approx(1 / 3)  # of f0, f1, f2 only f0 stands on an error
    assert one["false_alarms_per_1000"] == pytest.approx(1000 * 2 / 500)
    assert one["coverage"] == 0.5
    assert table.loc["report_missing", ["recall", "precision"]].tolist() == [1.0, 1.0]


def test_two_practice_warehouses_are_added_up_before_shares_are_taken():
    rules = [rule_like(id="outlier_count", detects=("B1", "B2"))]
    once = met.score_rules(query, TRUTH, rules)
    table = met.as_card(pd.concat([once, once]), panel="practice", seeds="1 2")
    assert table["kind"].tolist() == ["B1"]  # no B2 was planted: nothing can be said about it
    assert table.loc[0, ["planted", "found", "recall"]].tolist() == [4, 2, 0.5]


def test_the_page_shows_shares_as_people_write_them_and_a_dash_where_nothing_can_be_said():
    from tkyt_analysis.quality.truth_card_page import page_of_card

    unknown = MEASURED.assign(precision=float("nan"))
    page = page_of_card(unknown)
    assert (
        "| Số liệu lệch xa mức thường gặp (`outlier_count`) | B1 Thừa một chữ số (×10) | 100 | 98 | 98,0 % | – | 95,0 % | 4,00 | 1 2 |"
        in page
    )
    assert page.index("Kê-ni-a") < page.index("Kenya")

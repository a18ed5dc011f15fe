"""Running rules: what could not be judged is said, an unknown function is refused."""

import dataclasses

import pandas as pd
import pytest

from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.findings import FINDING_COLUMNS
from tkyt_analysis.quality.run import known_checks, run_checks

MONTHS = [f"2024{month:02}" for month in range(1, 13)]
VALUES = pd.DataFrame(
    [("d", "e", "", unit, month, 40.0 + i + len(unit)) for unit in ("a", "bb") for i, month in enumerate(MONTHS)],
    columns=["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"],
).assign(file_sha256="x", sheet="", row_number=0)
PERIODS = pd.DataFrame(
    {
        "period_id": MONTHS,
        "period_start": pd.date_range("2024-01-01", periods=12, freq="MS"),
        "period_end": pd.date_range("2024-01-31", periods=12, freq="ME"),
    }
)
TABLES = {
    "aggregate_value": VALUES,
    "data_set_assignment": pd.DataFrame({"dataset_id": "d", "unit_id": ["a", "bb", "silent"]}),
    "organisation_unit": pd.DataFrame({"unit_id": ["a", "bb", "silent"]}),
    "period": PERIODS,
}


def test_every_rule_of_the_catalog_names_a_check_that_exists():
    assert {rule.function or rule.kind for rule in load_entries("rules").values()} <= set(known_checks())


def test_a_rule_whose_table_is_absent_is_not_assessable_and_says_which():
    coverage = run_checks(TABLES).coverage.set_index("rule_id")
    assert coverage.loc["duplicate_death", "status"] == "not_assessable"
    assert coverage.loc["duplicate_death", "missing_tables"] == "death"
    assert coverage.loc["form16bch_row_18_only_women", "status"] == "not_assessable"  # no such form received


def test_a_silent_unit_and_a_tenfold_value_are_both_found():
    spoilt = VALUES.assign(
        value=VALUES["value"].mask(VALUES["period_id"].eq("202405") & VALUES["unit_id"].eq("a"), 450)
    )
    result = run_checks({**TABLES, "aggregate_value": spoilt})
    assert result.findings.columns.tolist() == FINDING_COLUMNS
    missing = result.findings.query("rule_id == 'report_missing'")
    assert missing[["unit_id", "period_id", "fields"]].to_numpy().tolist() == [
        ["silent", "202401", '{"months": 12, "report": "d", "to": "202412"}']  # one question about the run, not twelve
    ]
    outlier = result.findings.query("rule_id == 'outlier_count'")
    assert outlier[["unit_id", "period_id", "verdict"]].to_numpy().tolist() == [["a", "202405", "error_high"]]
    coverage = result.coverage.set_index("rule_id")
    assert coverage.loc["outlier_count", "share_assessable"] == 24 / 24


def test_running_twice_gives_the_same_findings():
    pd.testing.assert_frame_equal(run_checks(TABLES).findings, run_checks(TABLES).findings)


def test_no_rows_at_all_is_not_assessable():
    empty = {name: rows.iloc[:0] for name, rows in TABLES.items()}
    result = run_checks(empty)
    assert result.findings.empty
    assert set(result.coverage["status"]) == {"not_assessable"}


def test_a_rule_with_an_unknown_function_is_refused_by_name():
    rule = dataclasses.replace(load_entries("rules")["outlier_count"], function="guess")
    with pytest.raises(InputError, match="guess"):
        run_checks(TABLES, [rule])

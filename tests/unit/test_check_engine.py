"""What checks are given: panels and forms from reported values, and how their answers come together."""

import numpy as np
import pandas as pd
import pytest

from tests.support import rule_like
from tkyt_analysis.quality.checks import CheckResult, FormCheck, PanelCheck, TableCheck
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.findings import make_findings
from tkyt_analysis.quality.run import results_together, run_rules
from tkyt_analysis.quality.workers import each_judged

#         unit  month  element value; the second 7 of unit a in 202401 was received later
ROWS = [
    ("a", "202401", "births", 5), ("a", "202403", "births", 6), ("b", "202402", "births", 9),
    ("a", "202401", "deaths", 1), ("a", "202401", "births", 7), ("b", "202404", "visits", 30),
    ("a", "2024Q1", "births", 99),
]  # fmt: skip


def values(rows=ROWS):
    table = pd.DataFrame(rows, columns=["unit_id", "period_id", "element_id", "value"])
    return table.assign(dataset_id="form", category_id="", value=table["value"].astype(float))


def units():
    return pd.DataFrame({"unit_id": ["a", "b"], "province_id": ["VN2024:01", "VN2024:79"]})


def context(**options):
    return context_of_tables({"aggregate_value": values(), "organisation_unit": units()}, **options)


def panel(element):
    return next(one for one in context().panels(("month",)) if one.element_id == element)


def test_a_panel_has_every_month_from_the_first_of_the_form_to_its_last_and_the_value_received_last():
    births = panel("births")
    assert [one.period_id for one in births.periods] == ["202401", "202402", "202403", "202404"]
    np.testing.assert_array_equal(births.counts, [[7, np.nan, 6, np.nan], [np.nan, 9, np.nan, np.nan]])
    assert births.groups.tolist() == ["VN2024:01", "VN2024:79"]


def test_a_panel_says_when_the_form_came_without_this_element():
    np.testing.assert_array_equal(panel("births").reported, [[True, False, True, False], [False, True, False, True]])


def test_a_unit_that_never_has_a_value_of_the_element_is_not_in_its_panel():
    assert panel("deaths").units.tolist() == ["a"]
    assert panel("visits").units.tolist() == ["b"]


def test_months_and_quarters_are_never_in_one_panel():
    (quarter,) = context().panels(("quarter",))
    assert (quarter.counts.tolist(), quarter.periods[0].period_id) == ([[99.0]], "2024Q1")


def test_a_form_block_has_all_elements_side_by_side():
    (block,) = context().forms(("month",))
    assert [element for element, _ in block.series] == ["births", "deaths", "visits"]
    np.testing.assert_array_equal(block.values[0, 0], [7, 1, np.nan])
    np.testing.assert_array_equal(block.reported, [[True, False, True, False], [False, True, False, True]])


def test_forms_read_in_small_blocks_hold_the_same_values(monkeypatch):
    (whole,) = context().forms(("month",))
    monkeypatch.setattr("tkyt_analysis.quality.cells._CELLS_OF_A_BLOCK", 1)
    parts = list(context().forms(("month",)))
    assert [part.units.tolist() for part in parts] == [["a"], ["b"]]
    np.testing.assert_array_equal(np.concatenate([part.values for part in parts]), whole.values)


def above_six(panel, parameters):
    row, column = np.nonzero(panel.counts > parameters["limit"])
    periods = np.array([one.period_id for one in panel.periods], dtype=object)
    rows = pd.DataFrame({"unit_id": panel.units[row], "period_id": periods[column], "value": panel.counts[row, column]})
    return rows.assign(verdict="error_high", seen="x"), int(np.isfinite(panel.counts).sum()), panel.counts.size


def checked(check, monkeypatch, **options):
    monkeypatch.setattr("tkyt_analysis.quality.run.check_of", lambda rule: check)
    found = []
    coverage = run_rules(context(**options), [rule_like(id="r", parameters={"limit": 6})], found.append)
    return pd.concat(found or [make_findings(pd.DataFrame({"unit_id": []}), rule_id="r", severity="note")]), coverage


def test_findings_of_a_panel_name_their_subject_and_keep_further_columns(monkeypatch):
    findings, coverage = checked(PanelCheck(above_six, kinds=("month",)), monkeypatch)
    assert findings[["unit_id", "period_id", "element_id", "value"]].to_numpy().tolist() == [
        ["a", "202401", "births", 7], ["b", "202402", "births", 9], ["b", "202404", "visits", 30],
    ]  # fmt: skip
    assert findings["fields"].unique().tolist() == ['{"seen": "x"}']
    assert coverage.loc[0, ["judged", "total", "findings"]].tolist() == [5, 8 + 4 + 4, 3]


def test_only_the_units_and_periods_that_were_asked_about_get_findings(monkeypatch):
    check = PanelCheck(above_six, kinds=("month",))
    findings, _ = checked(check, monkeypatch, scope=frozenset({"b"}))
    assert findings["unit_id"].unique().tolist() == ["b"]
    findings, _ = checked(check, monkeypatch, periods=frozenset({"202401"}))
    assert findings["period_id"].tolist() == ["202401"]


def test_a_check_that_answers_in_blocks_is_added_up(monkeypatch):
    def blocks(context, rule):
        for unit in ("a", "b"):
            rows = pd.DataFrame({"unit_id": [unit], "verdict": "error"})
            yield CheckResult(make_findings(rows, rule_id="r", severity="note"), judged=2, total=3)

    findings, coverage = checked(TableCheck((), blocks), monkeypatch)
    assert (len(findings), coverage.loc[0, "judged"], coverage.loc[0, "total"]) == (2, 4, 6)


def test_a_check_whose_relation_has_no_row_is_not_assessable_and_says_which(monkeypatch):
    _, coverage = checked(TableCheck(("death",), lambda context, rule: 1 / 0), monkeypatch)
    assert coverage.loc[0, ["status", "missing_tables"]].tolist() == ["not_assessable", "death"]


def test_work_in_processes_gives_what_work_in_one_process_gives(monkeypatch):
    rules = [rule_like(id="r", parameters={"limit": 6}), rule_like(id="s", parameters={"limit": 8})]
    monkeypatch.setattr("tkyt_analysis.quality.run.check_of", lambda rule: PanelCheck(above_six, kinds=("month",)))
    alone = pd.concat([one.findings for _, one in results_together(context(), rules)])
    monkeypatch.setattr("tkyt_analysis.quality.workers._CELLS_WORTH_A_PROCESS", 0)
    monkeypatch.setenv("TKYT_WORKERS", "2")
    beside = pd.concat([one.findings for _, one in results_together(context(), rules)])
    assert alone["rule_id"].tolist() == ["r", "r", "s", "r", "s"]  # 7 and 9 births, then 30 visits
    pd.testing.assert_frame_equal(alone, beside)


def test_a_detector_that_breaks_in_a_process_is_not_silent(monkeypatch):
    monkeypatch.setattr("tkyt_analysis.quality.workers._CELLS_WORTH_A_PROCESS", 0)
    monkeypatch.setenv("TKYT_WORKERS", "2")
    with pytest.raises(KeyError):
        list(each_judged([(above_six, {})], context().panels(("month",))))


def test_a_form_check_names_its_own_elements(monkeypatch):
    def whole_forms(block, parameters):
        return pd.DataFrame({"unit_id": ["a"], "period_id": "202401", "element_id": "", "verdict": "repeated"}), 1, 1

    findings, _ = checked(FormCheck(whole_forms, kinds=("month",)), monkeypatch)
    assert findings[["dataset_id", "element_id"]].to_numpy().tolist() == [["form", ""]]

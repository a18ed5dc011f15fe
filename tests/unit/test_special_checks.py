"""Special detectors as rules of the catalog: run over tables, their words, and the change of level by province."""

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.labels import label
from tkyt_analysis.practice.panels import design_form, each_form, rows_of, unit_rows
from tkyt_analysis.practice.panels_defects import plant_defects
from tkyt_analysis.quality.findings import finding_question
from tkyt_analysis.quality.run import run_checks

SPECIAL = [
    "cumulative_reported", "two_periods_in_one", "copied_form", "misplaced_figures", "swapped_units", "heaped_digits",
    "invented_figures", "not_a_count", "learned_relation", "related_counts", "level_shift",
]  # fmt: skip


@pytest.fixture(scope="module")
def drawn():
    design = design_form(21, provinces=6, units_per_province=20, months=30, first_month="202301", elements=30)
    (block,) = each_form(design)
    kinds = ["B4", "B5", "B6", "B7", "B8", "B9", "B10", "B12", "C1", "C3", "C4", "D1", "swapped_units"]
    rates = {"B12": 0.02, "D1": 0.03, "B4": 0.01, "swapped_units": 0.01}
    shown, truth = plant_defects(block, kinds, rates, 22, elements=design.elements)
    rules = [load_entries("rules")[rule_id] for rule_id in SPECIAL]
    result = run_checks({"aggregate_value": rows_of(shown), "organisation_unit": unit_rows(design)}, rules)
    return result, truth


def test_every_special_rule_is_judged_on_drawn_forms(drawn):
    result, _ = drawn
    assert set(result.coverage["rule_id"]) == set(SPECIAL)
    assert (result.coverage["status"] == "ok").all()
    assert (result.coverage["share_assessable"] <= 1).all()


@pytest.mark.parametrize(
    ("rule_id", "kind"),
    [("cumulative_reported", "B5"), ("copied_form", "B7"), ("two_periods_in_one", "B6"), ("not_a_count", "B9")],
)
def test_findings_stand_where_errors_were_planted_and_most_errors_of_the_kind_are_found(drawn, rule_id, kind):
    result, truth = drawn
    found = result.findings[result.findings["rule_id"] == rule_id]
    forms = set(zip(found["unit_id"], found["period_id"], strict=True))
    everywhere = set(zip(truth["unit_id"], truth["period_id"], strict=True))
    assert len(forms & everywhere) >= 0.9 * len(forms)
    planted = truth[truth["kind"] == kind]
    met = [place in forms for place in zip(planted["unit_id"], planted["period_id"], strict=True)]
    assert planted.loc[met, "id"].nunique() >= 0.7 * planted["id"].nunique()


def test_a_definition_changed_in_one_province_is_found_at_its_date(drawn):
    result, truth = drawn
    found = result.findings[result.findings["rule_id"] == "level_shift"]
    planted = truth[truth["kind"] == "D1"]
    keys = ["unit_id", "element_id", "period_id"]
    assert len(found)
    assert len(found.merge(planted, on=keys)) == len(found)


def test_each_question_is_a_sentence_with_its_figures(drawn):
    result, _ = drawn
    rules = load_entries("rules")
    for rule_id, rows in result.findings.groupby("rule_id"):
        for language in ("vi", "en"):
            question = finding_question(rules[rule_id], rows.iloc[0].to_dict(), unit="Trạm y tế A", language=language)
            assert question.startswith("Trạm y tế A")
            assert question.endswith("?")
            assert "{" not in question


def test_the_words_of_all_verdicts_and_explanations_exist(drawn):
    result, _ = drawn
    for language in ("vi", "en"):
        for verdict in result.findings["verdict"].unique():
            assert label(f"verdict.{verdict}", language)
        for explanation in result.findings["explanation"].unique():
            assert label(f"explanation.{explanation}", language)


def test_the_kinds_that_rules_look_for_are_known_and_name_them_back():
    kinds = read_codelist("defect_kinds").set_index("kind")
    for rule_id in SPECIAL:
        for kind in load_entries("rules")[rule_id].detects:
            assert rule_id in kinds.loc[kind, "looked_for_by"].split()


def test_with_few_provinces_a_level_shift_is_not_assessable():
    rng = np.random.default_rng(1)
    periods = [f"{year}{month:02d}" for year in (2023, 2024) for month in range(1, 13)]
    units = [f"U{at}" for at in range(6)]
    index = pd.MultiIndex.from_product([units, periods], names=["unit_id", "period_id"])
    rows = index.to_frame(index=False).assign(
        dataset_id="form", element_id="A", category_id="", value=rng.poisson(50, len(index)).astype(float)
    )
    places = pd.DataFrame({"unit_id": units, "province_id": ["P1", "P1", "P2", "P2", "P3", "P3"]})
    result = run_checks({"aggregate_value": rows, "organisation_unit": places}, [load_entries("rules")["level_shift"]])
    assert list(result.coverage["status"]) == ["not_assessable"]

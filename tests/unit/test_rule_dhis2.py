"""Validation rules of DHIS2: read in, written out, nothing dropped without a word."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import reference_path, rule_like

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.catalog.loader import read_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.rules.dhis2_export import export_rules
from tkyt_analysis.quality.rules.dhis2_import import import_rules, metadata_of_warehouse, read_metadata, write_rules
from tkyt_analysis.quality.rules.dhis2_words import LEVELS, OPERATORS, SEVERITY, STRATEGIES, uid_of

A, B, COC, AOC, CONSTANT, INDICATOR = (
    "aaaaaaaaaa1",
    "bbbbbbbbbb1",
    "cccccccccc1",
    "dddddddddd1",
    "eeeeeeeeee1",
    "ffffffffff1",
)
DEFAULT = "HllvX50cXC0"


def metadata(left, right="0", **more):
    sides = {
        key: {"expression": text, "missingValueStrategy": "NEVER_SKIP"}
        for key, text in (("leftSide", left), ("rightSide", right))
    }
    rule = {"id": "rrrrrrrrrr1", "name": "R", "operator": "equal_to", "importance": "HIGH", "periodType": "Monthly"}
    return {
        "validationRules": [rule | sides | more],
        "constants": [{"id": CONSTANT, "value": 2.5}],
        "indicators": [
            {"id": INDICATOR, "numerator": f"#{{{A}}}", "denominator": f"#{{{B}}}", "indicatorType": {"id": "t"}}
        ],
        "indicatorTypes": [{"id": "t", "factor": 100}],
    }


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (f"#{{{A}}} + #{{{B}}}", f"{A} + {B}"),
        (f"#{{{A}.{COC}}}", f"{A}.{COC}"),
        (f"#{{{A}.{COC}.{DEFAULT}}}", f"{A}.{COC}"),
        (f"#{{{A}.*}}", A),
        (f"#{{{A}.*.*}} * C{{{CONSTANT}}}", f"{A} * ${CONSTANT}"),
        (f"#{{{A}}} / [days]", f"{A} / days"),
        (f"N{{{INDICATOR}}}", f"{A} * 100 / {B}"),
        (f"if(isNull(#{{{A}}}) && #{{{B}}} > 1, 0, #{{{A}}})", f"if((isNull({A})) and ({B} > 1), 0, {A})"),
        (f"greatest(#{{{A}}}, #{{{B}}}, 0)", f"max({A}, {B}, 0)"),
        (f"firstNonNull(#{{{A}}}, #{{{B}}})", f"firstNonNull({A}, {B})"),
    ],
)
def test_an_expression_of_dhis2_in_our_language(theirs, ours):
    result = import_rules(metadata(theirs), source="test")
    assert result.refused == ()
    assert result.rules[0].left == ours


@pytest.mark.parametrize(
    ("theirs", "word"),
    [
        (f"#{{{A}.{COC}.{AOC}}}", "tổ hợp thuộc tính"),
        (f"OUG{{{A}}}", "đơn vị trong nhóm"),
        (f"R{{{A}.REPORTING_RATE}}", "tỷ lệ báo cáo"),
        (f"I{{{A}}}", "chương trình"),
        (f"D{{{A}.{B}}}", "chương trình"),
        (f"C{{{A}}}", "Hằng số"),
        (f"N{{{A}}}", "Chỉ số"),
        (f"#{{{A}}}.periodOffset(-1)", "đi sau dấu chấm"),
        (f"#{{{A}}} % 2", "vị trí"),
        (f"log10(#{{{A}}})", "hàm của ngôn ngữ"),
        (f"#{A}}} + 1", "vị trí"),
        ("", "không có biểu thức"),
    ],
)
def test_what_cannot_be_said_is_listed_with_the_reason(theirs, word):
    result = import_rules(metadata(theirs), source="test")
    assert result.rules == ()
    assert [(one.id, one.name) for one in result.refused] == [("rrrrrrrrrr1", "R")]
    assert word in result.refused[0].reason


@pytest.mark.parametrize(
    "changes",
    [{"periodType": "BiMonthly"}, {"operator": "about"}, {"organisationUnitLevels": [9]}, {"id": "short"},
     {"importance": "URGENT"}],
)  # fmt: skip
def test_an_unknown_word_of_a_rule_is_a_reason_too(changes):
    result = import_rules(metadata(f"#{{{A}}}", **changes), source="test")
    assert (len(result.rules), len(result.refused)) == (0, 1)


EXPRESSION = st.recursive(
    st.one_of(
        st.sampled_from([f"#{{{A}}}", f"#{{{B}}}", f"#{{{A}.{COC}}}", f"#{{{B}.{DEFAULT}}}", "[days]", f"C{{{CONSTANT}}}"]),
        st.integers(0, 99).map(str),
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
        st.tuples(st.sampled_from(["greatest", "least", "firstNonNull"]), inner, inner).map(lambda t: f"{t[0]}({t[1]}, {t[2]})"),
        st.tuples(inner, st.sampled_from(["<", ">=", "=="]), inner).map(lambda t: f"if({t[0]} {t[1]} {t[2]}, {t[0]}, -({t[2]}))"),
        inner.map(lambda one: f"if(!(isNull({one})) || {one} > 1, 1, 0)"),
    ),
    max_leaves=5,
)  # fmt: skip
RULE = st.fixed_dictionaries({
    "id": st.text("abcXYZ019", min_size=5, max_size=5).map(lambda text: uid_of(text)),
    "name": st.text("Số ca {mắc}: 1%", min_size=1, max_size=12).map(str.strip).filter(bool),
    "instruction": st.text("Kiểm tra {A} & B.", max_size=20),
    "operator": st.sampled_from(sorted(OPERATORS)), "importance": st.sampled_from(sorted(SEVERITY)),
    "periodType": st.sampled_from(["Monthly", "Quarterly", "Yearly", "SixMonthly", "Weekly"]),
    "organisationUnitLevels": st.lists(st.sampled_from(sorted(LEVELS)), unique=True).map(sorted),
    "skipFormValidation": st.booleans(),
    "leftSide": st.fixed_dictionaries({"expression": EXPRESSION.map(lambda one: f"#{{{A}}} + {one}"),
                                       "missingValueStrategy": st.sampled_from(sorted(STRATEGIES)),
                                       "description": st.just("vế trái")}),
    "rightSide": st.fixed_dictionaries({"expression": EXPRESSION, "missingValueStrategy": st.sampled_from(sorted(STRATEGIES)),
                                        "description": st.just("vế phải")}),
    "validationRuleGroups": st.lists(st.sampled_from(["g1", "g2"]), unique=True).map(lambda ids: [{"id": one} for one in ids]),
})  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(st.lists(RULE, min_size=1, max_size=3, unique_by=lambda one: one["id"]))
def test_what_was_written_out_and_read_again_is_the_same_rule(given_rules):
    whole = metadata("1") | {
        "validationRules": given_rules,
        "validationRuleGroups": [{"id": "g1", "name": "Nhóm 1"}, {"id": "g2", "name": "Nhóm 2"}],
    }
    first = import_rules(whole, source="test")
    assert first.refused == ()
    written, refused = export_rules(first.rules)
    assert refused == []
    again = import_rules(json.loads(json.dumps(written)), source="test")
    assert [_sorted_groups(rule) for rule in again.rules] == [_sorted_groups(rule) for rule in first.rules]


def _sorted_groups(rule):
    import dataclasses

    return dataclasses.replace(rule, groups=tuple(sorted(rule.groups)))


def test_entries_written_to_a_folder_are_read_by_the_catalog_as_the_same_rules(tmp_path):
    more = {"instruction": "Phải {bằng} nhau", "organisationUnitLevels": [3, 4]}
    rules = import_rules(metadata(f"#{{{A}}} + C{{{CONSTANT}}}", f"#{{{B}}}", **more), source="test").rules
    (file,) = write_rules(rules, tmp_path)
    assert read_entry(file, "rules") == (rules[0], [])
    assert (rules[0].severity, rules[0].level, rules[0].constants) == (
        "error",
        ("district", "commune"),
        {CONSTANT: 2.5},
    )


def test_the_metadata_of_the_end_to_end_tests_of_dhis2():
    """12 rules; one of them has a brace missing (#jtyuEfbNbkb}) and is listed, not dropped."""
    read = read_metadata(reference_path("quality", "conformance", "formats", "e2e_aggregate_metadata.json.gz"))
    result = import_rules(read, source="dhis2-core e2e")
    assert (len(result.rules), [one.id for one in result.refused]) == (11, ["Kejj3gJ2GD0"])
    assert "#" in result.refused[0].reason
    assert {rule.missing if rule.left_missing is None else rule.left_missing for rule in result.rules} == {"never_skip"}
    written, refused = export_rules(result.rules)
    assert refused == []
    assert import_rules(written, source="dhis2-core e2e").rules == result.rules


def test_a_metadata_file_without_rules_says_what_it_has():
    with pytest.raises(InputError, match="validationRules"):
        read_metadata(reference_path("quality", "dhis2_sl", "metadata_complete_dataEntry.json.gz"))


def test_a_broken_file_is_a_sentence(tmp_path):
    (tmp_path / "m.json").write_text('{"validationRules": [', "utf-8")
    with pytest.raises(InputError, match=r"m\.json"):
        read_metadata(tmp_path / "m.json")


def test_rows_received_from_dhis2_become_the_same_rules():
    row = {
        "rule_id": "rrrrrrrrrr1", "name": "R", "importance": "HIGH", "period_type": "Monthly", "operator": "equal_to",
        "left_side": f"#{{{A}}}", "left_missing": "NEVER_SKIP", "right_side": "0", "right_missing": "NEVER_SKIP",
        "levels": "[]", "instruction": "",
    }  # fmt: skip
    assert (
        import_rules(metadata_of_warehouse([row]), source="x").rules
        == import_rules(metadata(f"#{{{A}}}"), source="x").rules
    )


def test_our_own_rules_go_out_by_code_and_what_dhis2_lacks_is_listed():
    rules = load_entries("rules")
    codes = {"KCB_TU_VONG": A, "KCB_NOI_TRU": B, "TC_PENTA_3": A, "TC_PENTA_1": B}
    wanted = [
        rules[name] for name in ("deaths_within_admissions", "penta_later_within_first", "form16bch_rows_sum_to_total")
    ]
    without, refused = export_rules(wanted[:1])
    assert (without["validationRules"], "KCB_TU_VONG" in refused[0].reason) == ([], True)
    written, refused = export_rules(
        [rule_like(**{**{key: getattr(one, key) for key in ("id", "title", "question", "left", "operator", "right", "severity")},
                      "kind": "expression", "function": None, "tolerance": one.tolerance}) for one in wanted], codes=codes
    )  # fmt: skip
    assert [(one["leftSide"]["expression"], one["operator"]) for one in written["validationRules"]] == [
        (f"#{{{A}}}", "less_than_or_equal_to")
    ]
    assert [one.id for one in refused] == ["penta_later_within_first", "form16bch_rows_sum_to_total"]
    assert "tolerance" in refused[0].reason


def test_a_sum_and_an_absolute_value_are_said_in_functions_of_dhis2():
    words = Text("R", "R")
    rule = rule_like(id="r", kind="expression", function=None, title=words, question=words, left=f"abs(sum({A}, {B}))",
                     operator="==", right="0", left_missing="never_skip")  # fmt: skip
    written, _ = export_rules([rule])
    said = written["validationRules"][0]["leftSide"]["expression"]
    assert said == f"greatest(((#{{{A}}}) + (#{{{B}}})), -(((#{{{A}}}) + (#{{{B}}}))))"
    assert import_rules(written, source="x").refused == ()

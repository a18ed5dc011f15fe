"""The language of rules: what it says, what it refuses, and that the SQL says what plain Python says."""

import datetime

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import reference_path, rule_like

from tkyt_analysis.catalog.entries import Text
from tkyt_analysis.catalog.language import (
    Arithmetic,
    Call,
    Cells,
    Compare,
    Constant,
    Days,
    IsNull,
    Logic,
    Minus,
    Number,
    Population,
    field_name,
    written,
)
from tkyt_analysis.catalog.language_parse import ExpressionError, parse_condition, parse_number
from tkyt_analysis.catalog.rule_sides import OPERATORS, rule_problems, sides_of
from tkyt_analysis.labels import set_language
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.findings import finding_question
from tkyt_analysis.quality.rules.by_hand import BROKEN, HOLDS, NOT_ASSESSABLE, Given, judge
from tkyt_analysis.quality.rules.check import check_expression_rule
from tkyt_analysis.quality.run import run_checks

STRATEGIES = ("skip_if_any_missing", "skip_if_all_missing", "never_skip")
MONTHS = ["202501", "202502", "202503", "202504"]
DAYS = [31, 28, 31, 30]
COLUMNS = ["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"]


def rule_of(left, operator="==", right="0", **more):
    words = Text("{unit} {period} {value} {expected}", "{unit} {period} {value} {expected}")
    given = {"id": "r", "kind": "expression", "function": None, "title": words, "question": words}
    return rule_like(**(given | {"left": left, "operator": operator, "right": right} | more))


def outcome(rule, **values):
    """What a rule says of one unit and month with these values of elements."""
    rows = [("d", name, "", "u", "202501", float(value)) for name, value in values.items()]
    rows.append(("d", "anything", "", "u", "202501", 1.0))
    context = context_of_tables({"aggregate_value": pd.DataFrame(rows, columns=COLUMNS)})
    result = check_expression_rule(context, rule)
    return BROKEN if len(result.findings) else HOLDS if result.judged else NOT_ASSESSABLE


# --- what it says -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a + b * 2", "a + b * 2"),
        ("(a + b) × 2 ÷ c", "(a + b) * 2 / c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a - b - c", "a - b - c"),
        ("-a", "-a"),
        ("[16BCH/18.female]", "[16BCH/18.female]"),
        ('[form: "1.1", 2.@]', '[form: "1.1", 2.@]'),
        ("if(a > 1 and not (b = 2), a, 0)", "if((a > 1) and (not (b == 2)), a, 0)"),
        ("firstNonNull(a, b, 0)", "firstNonNull(a, b, 0)"),
        ("COALESCE(a, 1) + LEAST(a, b)", "firstNonNull(a, 1) + min(a, b)"),
        ("population('0', 'female') * days / 365.25", "population('0', 'female') * days / 365.25"),
        ("TC_BCG.HllvX50cXC0", "TC_BCG.HllvX50cXC0"),
    ],
)
def test_an_expression_is_read_and_written_out_again(text, said):
    assert written(parse_number(text)) == said
    assert parse_number(said) == parse_number(text)


def test_the_default_combination_of_dhis2_is_the_empty_category():
    assert parse_number("TC_BCG.HllvX50cXC0") == Cells(("TC_BCG",), ("",))


@pytest.mark.parametrize(
    ("text", "place", "found", "expected"),
    [
        ("a +", 4, "the end", "a value"),
        ("a + * b", 5, "*", "a value"),
        ("a b", 3, "b", "an operator"),
        ("a; DROP TABLE cell", 2, ";", "an operator"),
        ("read_csv('/etc/passwd')", 1, "read_csv", "a function of the language"),
        ("a > 1", 1, "a", "a number, not a condition"),
        ("1 + 'x'", 5, "'x'", "a number"),
        ("if(a, 1, 2)", 4, "a", "a condition"),
        ("abs(a, b)", 1, "abs", "the right number of arguments"),
        ("(a + 1", 7, "the end", "a closing bracket"),
        ("[form: *, 1.total]", 1, "[form: *, 1.total]", "* or @ on its own"),
        ("[*.total]", 1, "[*.total]", "a form and a colon"),
        ("[form: 1.a.b]", 11, ".", "a comma"),
        ("window_sum(a + b)", 12, "a", "an element or cells"),
        ("1e99", 1, "1e99", "a number of at most 1e15"),
        ("population(0)", 1, "population", "age groups in quotes"),
        ("(" * 70 + "a" + ")" * 70, 61, "(", "fewer nested brackets"),
        ("a" * 5000, 4000, "aaaaaaaaaa", "a shorter expression"),
    ],
)
def test_a_mistake_is_one_sentence_with_place_found_and_expected(text, place, found, expected):
    set_language("en")
    try:
        with pytest.raises(ExpressionError) as error:
            parse_number(text)
        sentence = str(error.value)
    finally:
        set_language("vi")
    assert f"place {place}: found “{found}”, expected {expected}" in sentence


@pytest.mark.parametrize(
    ("changes", "key", "said"),
    [
        ({"left": "a +"}, "left", "catalog.expression_wrong"),
        ({"operator": "=>"}, "operator", "catalog.not_a_choice"),
        ({"left": "$rate * 2"}, "left", "catalog.rule_names_no_value"),
        ({"left": "a * $rate"}, "left", "catalog.constant_unknown"),
        ({"left": "window_sum(a)"}, "left", "catalog.window_missing"),
        ({"window": {"before": 5}}, "window", "catalog.window_unused"),
        ({"left": "window_sum(a)", "window": {"back": 5}}, "window.back", "catalog.unknown_key"),
        ({"left": "window_sum(a)", "window": {"before": -1}}, "window.before", "catalog.window_number"),
        ({"tolerance": {"share": -1}}, "tolerance.share", "catalog.tolerance_number"),
        ({"left": "[f: @.a]", "right": "[f: 1.@]"}, "left", "catalog.rule_each_twice"),
        ({"question": Text("{births}", "{a}")}, "question.vi", "catalog.question_unknown"),
        ({"question": Text("{a", "{a}")}, "question.vi", "catalog.question_brackets"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_key(changes, key, said):
    found = rule_problems(rule_of(**({"left": "a"} | changes)))
    assert (key, said) in [(where, name) for where, name, _ in found]


def test_a_question_may_name_the_values_of_the_rule_and_what_is_absent_is_a_dash():
    words = Text("{unit}: {a} so với {b}, {cells}, {lower}", "{unit}: {a} against {b}, {cells}, {lower}")
    rule = rule_of("a", "<=", "b", question=words)
    assert rule_problems(rule) == []
    rows = pd.DataFrame([("d", n, "", "u", "202501", v) for n, v in (("a", 1200.0), ("b", 7.0))], columns=COLUMNS)
    finding = run_checks({"aggregate_value": rows}, [rule]).findings.iloc[0]
    assert finding_question(rule, finding, unit="Xã A", language="vi") == "Xã A: 1.200 so với 7, a = 1200; b = 7, –"


# --- what it means ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("missing", "values", "wanted"),
    [
        # left = a + b, right = c
        ("skip_if_any_missing", {"a": 1, "c": 1}, NOT_ASSESSABLE),
        ("skip_if_all_missing", {"a": 1, "c": 1}, HOLDS),
        ("skip_if_all_missing", {"c": 1}, NOT_ASSESSABLE),
        ("never_skip", {"c": 1}, BROKEN),  # 0 + 0 against 1
        ("never_skip", {"a": 1}, BROKEN),  # 1 against 0
        ("never_skip", {}, NOT_ASSESSABLE),  # nothing of the rule was reported
    ],
)
def test_a_missing_value_skips_its_side_or_counts_as_nought(missing, values, wanted):
    assert outcome(rule_of("a + b", "==", "c", missing=missing), **values) == wanted


def test_each_side_has_its_own_strategy():
    rule = rule_of("a", "<=", "b", left_missing="skip_if_any_missing", right_missing="never_skip")
    assert outcome(rule, a=2) == BROKEN  # 2 against nothing
    assert outcome(rule, b=2) == NOT_ASSESSABLE


# As in ValidationUtilsTest of dhis2-core: (left, right) → does the rule hold.
@pytest.mark.parametrize(
    ("left", "right", "compulsory", "exclusive"),
    [(None, 1, BROKEN, HOLDS), (1, None, BROKEN, HOLDS), (1, 1, HOLDS, BROKEN), (1, 0, HOLDS, BROKEN)],
)
def test_pairs_ask_what_is_there_and_not_how_much(left, right, compulsory, exclusive):
    values = {name: value for name, value in (("a", left), ("b", right)) if value is not None}
    assert outcome(rule_of("a", "compulsory_pair", "b"), **values) == compulsory
    assert outcome(rule_of("a", "exclusive_pair", "b"), **values) == exclusive


@pytest.mark.parametrize(
    ("operator", "holds"), [("==", "e"), ("!=", "lg"), ("<", "l"), ("<=", "le"), (">", "g"), (">=", "eg")]
)
def test_operators_at_less_equal_and_greater(operator, holds):
    for word, value in (("l", 1), ("e", 2), ("g", 3)):
        assert (outcome(rule_of("a", operator, "2"), a=value) == HOLDS) == (word in holds)


def test_division_by_nought_cannot_be_judged():
    assert outcome(rule_of("a / b", "<=", "1"), a=1, b=0) == NOT_ASSESSABLE


def test_count_uncertainty_asks_only_beyond_chance():
    rule = rule_of("dose3", "<=", "dose1", tolerance={"counts": 2})
    assert outcome(rule, dose3=14, dose1=9) == HOLDS  # 14 - 9 = 5 <= 2 * sqrt(14 + 9) = 9.6
    assert outcome(rule, dose3=140, dose1=90) == BROKEN  # 50 > 2 * sqrt(230) = 30.3
    assert outcome(rule_of("dose3", "<=", "dose1"), dose3=10, dose1=9) == BROKEN  # without tolerance


def test_a_window_adds_the_complete_periods_only_and_wants_enough_of_them():
    rule = rule_of("window_sum(a)", "<=", "window_sum(b)", window={"before": 2, "least": 2})
    rows = [("d", "a", "", "u", m, v) for m, v in zip(MONTHS, (5, 5, 5, 1))]
    rows += [("d", "b", "", "u", m, v) for m, v in ((MONTHS[0], 5), (MONTHS[2], 4), (MONTHS[3], 9))]  # February: none
    result = run_checks({"aggregate_value": pd.DataFrame(rows, columns=COLUMNS)}, [rule])
    # January: one period; February: one; March: 5 + 5 against 5 + 4; April: 5 + 1 against 4 + 9
    assert (result.findings["period_id"].tolist(), result.findings["value"].tolist()) == (["202503"], [10.0])
    assert result.coverage.loc[0, ["judged", "total"]].tolist() == [2, 4]


def test_only_the_levels_of_a_rule_and_its_days_of_validity_are_judged():
    rows = pd.DataFrame([("d", "a", "", u, m, 1.0) for u in ("p", "c", "x") for m in MONTHS], columns=COLUMNS)
    units = pd.DataFrame({"unit_id": ["p", "c"], "level": [1, 3]})
    rule = rule_of("a", "==", "0", level=("commune",), valid_from=datetime.date(2025, 2, 28))
    found = run_checks({"aggregate_value": rows, "organisation_unit": units}, [rule]).findings
    assert sorted(found["unit_id"].unique()) == ["c", "x"]  # a unit of unknown level is judged too
    assert found["period_id"].min() == "202502"


def test_a_code_of_the_metadata_names_its_element_and_category():
    rows = pd.DataFrame(
        [("ds", "tgQ6gE6JsA1", c, "u", "202501", v) for c, v in (("AnftUsMgegk", 3.0), ("nbpsjLl9laL", 4.0))],
        columns=COLUMNS,
    )
    tables = {
        "aggregate_value": rows,
        "data_element": pd.DataFrame({"element_id": ["tgQ6gE6JsA1"], "code": ["TC_BCG"]}),
        "category": pd.DataFrame({"category_id": ["AnftUsMgegk", "nbpsjLl9laL"], "code": ["NAM", "NU"]}),
    }
    for left, value in (("TC_BCG", 7), ("TC_BCG.NU", 4), ("tgQ6gE6JsA1.AnftUsMgegk", 3)):
        assert run_checks(tables, [rule_of(left, "<", "0")]).findings["value"].tolist() == [value]


def test_stillbirth_parts_that_do_not_sum_are_found_in_the_kenya_panel():
    """549 of 2,817 county-months where all three figures stand (quality.md §4)."""
    folder = reference_path("quality", "panels", "kenya_cd2030")
    panel = next(
        frame for path in sorted(folder.glob("*.csv")) if "Stillbirth_total" in (frame := pd.read_csv(path)).columns
    )
    names = ["Stillbirth_fresh", "Stillbirth_macerated", "Stillbirth_total"]
    long = panel.assign(unit_id=panel.index.astype(str)).melt("unit_id", names, "element_id", "value")
    long = long.assign(dataset_id="kenya", category_id="", period_id="202001")[COLUMNS].dropna()
    result = run_checks({"aggregate_value": long}, [rule_of(f"{names[0]} + {names[1]}", "==", names[2])])
    assert result.coverage.loc[0, ["findings", "judged"]].tolist() == [549, 2817]


# --- properties -------------------------------------------------------------------------------------------------------

ELEMENTS = ("a", "b", "c")
NAMED = st.sampled_from([Cells((name,)) for name in ELEMENTS] + [Cells(("a",), ("x",)), Cells(("a", "b"), ("x",))])
LEAVES = st.one_of(
    st.integers(0, 5).map(lambda value: Number(float(value))), NAMED, NAMED, st.just(Days()), st.just(Constant("k")),
    st.just(Population(("0",), "")),
)  # fmt: skip


def _larger(number):
    pair = st.tuples(number, number)
    compare = st.tuples(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), pair).map(lambda t: Compare(t[0], *t[1]))
    truth = st.one_of(
        compare, st.tuples(number, st.booleans()).map(lambda t: IsNull(*t)),
        st.tuples(st.sampled_from(["and", "or"]), st.tuples(compare, compare)).map(lambda t: Logic(*t)),
        compare.map(lambda one: Logic("not", (one,))),
    )  # fmt: skip
    return st.one_of(
        st.tuples(st.sampled_from("+-*/"), pair).map(lambda t: Arithmetic(t[0], *t[1])),
        number.map(Minus),
        st.tuples(st.sampled_from(["sum", "min", "max", "firstNonNull"]), pair).map(lambda t: Call(*t)),
        number.map(lambda one: Call("abs", (one,))),
        st.tuples(truth, pair).map(lambda t: Call("if", (t[0], *t[1]))),
        st.sampled_from(["window_sum", "window_average"]).flatmap(
            lambda name: NAMED.filter(lambda one: len(one.rows) == 1).map(lambda one: Call(name, (one,)))
        ),
    )


EXPRESSIONS = st.recursive(LEAVES, _larger, max_leaves=5)
VALUES = st.dictionaries(
    st.tuples(st.sampled_from(ELEMENTS), st.sampled_from(["", "x"]), st.sampled_from(range(4))), st.integers(0, 6), max_size=14
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    left=EXPRESSIONS, right=EXPRESSIONS, operator=st.sampled_from(OPERATORS), values=VALUES,
    missing=st.tuples(st.sampled_from(STRATEGIES), st.sampled_from(STRATEGIES)),
    tolerance=st.sampled_from([{}, {"absolute": 1}, {"share": 0.25}, {"counts": 1.5}]),
    window=st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 3)), people=st.sampled_from([None, 12]),
)  # fmt: skip
def test_the_sql_says_what_plain_python_says(left, right, operator, values, missing, tolerance, window, people):
    windowed = any("window" in written(side) for side in (left, right))
    rule = rule_of(
        written(left), operator, written(right), left_missing=missing[0], right_missing=missing[1], tolerance=tolerance,
        constants={"k": 2.0}, window=dict(zip(("before", "after", "least"), window)) if windowed else {},
    )  # fmt: skip
    assert parse_number(rule.left) == left
    rows = [("d", name, category, "u", MONTHS[at], float(value)) for (name, category, at), value in values.items()]
    # several cells of one element are not "the" value of an element with one category: keep to what both define
    rows += [("other", "z", "", "u", month, 1.0) for month in MONTHS]
    tables = {"aggregate_value": pd.DataFrame(rows, columns=COLUMNS)}
    if people:
        tables["population"] = pd.DataFrame(
            [("u", 2025, "total", "0", float(people), "S")],
            columns=["unit_id", "year", "sex", "age_group", "persons", "series"],
        )
    context = context_of_tables(tables)
    result = check_expression_rule(context, rule)
    history = [
        {("d", name, category): float(value) for (name, category, month), value in values.items() if month == at}
        for at in range(4)
    ]
    sides, population = sides_of(rule), {(("0",), ""): float(people)} if people else {}
    named = [one for one in sides.operands if isinstance(one, Cells)]
    there = [at for at in range(4) if any(_mentioned(key, named) for key in history[at])]
    by_hand = {at: judge(sides, Given(history, DAYS, population, at), "") for at in there}
    broken = [MONTHS[at] for at, said in by_hand.items() if said == BROKEN]
    assert result.findings["period_id"].tolist() == broken
    assert result.total == len(there)
    if named:
        assert result.judged == sum(said != NOT_ASSESSABLE for said in by_hand.values())


def _mentioned(key, named):
    return any(key[1] in one.rows and (not one.columns or key[2] in one.columns) for one in named)


SIGNS = [*"ab'\";-/*(){}[]$#.,:@=<> \n\x00", "DROP TABLE cell", "--", "é", "population", "abs", "a.b", "1", "+"]
HOSTILE = st.lists(st.sampled_from(SIGNS), max_size=14).map("".join)


@settings(max_examples=300, deadline=None)
@given(HOSTILE)
def test_no_text_reaches_the_database(text):
    """Whatever is written in a rule, the query holds our own columns, numbers and words of SQL, never its text."""
    try:
        node = parse_number(text)
    except ExpressionError:
        return
    from tkyt_analysis.catalog.language import operands
    from tkyt_analysis.quality.rules.sql import SqlWriter

    constants = {one.name: 1.0 for one in _walk(node) if isinstance(one, Constant)}
    said = SqlWriter({one: f"v{no}" for no, one in enumerate(operands(node))}, constants).number(node)
    words = set(pd.Series([said]).str.findall(r"[A-Za-z_][A-Za-z_0-9]*").iloc[0])
    ours = {f"v{no}" for no in range(20)} | {f"w_v{no}" for no in range(20)}
    assert words <= ours | {
        "coalesce", "nullif", "CAST", "AS", "DOUBLE", "VARCHAR", "CASE", "WHEN", "THEN", "ELSE", "END", "AND", "OR", "NOT",
        "IS", "NULL", "least", "greatest", "abs", "days", "window_days", "window_periods", "e",
    }  # fmt: skip
    assert not set(said) & set("'\";[]{}$#@")


def _walk(node):
    from tkyt_analysis.catalog.language import walk

    return walk(node)


@pytest.mark.parametrize("name", ["'; DROP TABLE cell; --", 'x" OR 1=1', "a]b", "\x00", "Ổ"])
def test_hostile_names_of_cells_are_names_and_nothing_else(name):
    cells = Cells((name,), (name,), "form")
    if "]" in name:
        with pytest.raises(ExpressionError):
            parse_number(written(cells))
        return
    assert parse_number(written(cells)) == cells
    rows = pd.DataFrame([("form", f"form/{name}", name, "u", "202501", 5.0)], columns=COLUMNS)
    result = run_checks({"aggregate_value": rows}, [rule_of(written(cells), "==", "0")])
    assert result.findings["value"].tolist() == [5.0]
    assert field_name(cells).isidentifier() or field_name(cells)[0].isdigit()


def test_a_condition_of_a_line_list_is_judged_with_texts_as_parameters():
    from tkyt_analysis.catalog.language import operands
    from tkyt_analysis.quality.rules.sql import SqlWriter

    node = parse_condition("vaccine NOT IN ('BCG', 'it''s') OR age IS NULL OR age < 12")
    writer = SqlWriter({one: f'"{one.rows[0]}"' for one in operands(node)})
    said = writer.truth(node, nulls=True)
    assert (writer.parameters, "BCG" in said) == (["BCG", "it's"], False)
    with duckdb.connect() as con:
        con.execute(
            "CREATE TABLE t AS SELECT * FROM (VALUES ('BCG', 3), ('BCG', 20), ('it''s', NULL), ('MR', 90)) t(vaccine, age)"
        )
        assert con.execute(f"SELECT {said} FROM t", writer.parameters).fetchall() == [
            (True,),
            (False,),
            (True,),
            (True,),
        ]

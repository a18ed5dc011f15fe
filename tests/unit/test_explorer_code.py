"""The code that the explorer shows gives the same table: the same cells, in the same order, with the same marks."""

import ast

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tkyt_analysis as tk
from tkyt_analysis.cube.model import View
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.code import code_of
from tkyt_analysis.explorer.layout import PICTURES, SHOWS, Layout
from tkyt_analysis.explorer.marks import cell_texts
from tkyt_analysis.explorer.problems import problem_of
from tkyt_analysis.explorer.source import Source
from tkyt_analysis.explorer.state import State, arranged, keeping, offered, offered_shows, within
from tkyt_analysis.warehouse.release import Release

ARRAYS = ("value", "lower", "upper", "numerator", "denominator", "shown", "expected", "received", "findings")
WORDS = ("status", "measure")
MEASURES = ("crude_death_rate", "deaths", "population", "age_standardised_death_rate", "ill_defined_share")


@pytest.fixture(scope="module")
def source(demo_home):
    tk.open(demo_home)
    return Source(Release(demo_home))


def run(code):
    """What a notebook's cell with this code would show: the value of its last line."""
    tree = ast.parse(code)
    last = tree.body.pop()
    names = {}
    exec(compile(tree, "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def same(mine, theirs):
    assert (mine.row_keys, mine.column_keys) == (theirs.row_keys, theirs.column_keys)
    assert (mine.row_names, mine.column_names) == (theirs.row_names, theirs.column_names)
    for name in ARRAYS:
        # the order in which two threads sum person-years moves the 15th digit
        np.testing.assert_allclose(getattr(mine, name), getattr(theirs, name), rtol=1e-12, err_msg=name)
    for name in WORDS:
        assert (getattr(mine, name) == getattr(theirs, name)).all(), name
    assert mine.layout == theirs.layout
    assert cell_texts(mine, "vi") == cell_texts(theirs, "vi")


@st.composite
def states(draw, source):
    """Questions that a user could put together on this release."""
    pick = lambda values: draw(st.sampled_from(list(values)))  # noqa: E731
    reported = [one for one in source.measures if "/" in one][:6]
    ids = draw(
        st.lists(
            st.sampled_from([*(one for one in MEASURES if one in source.measures), *reported]),
            min_size=1,
            max_size=2,
            unique=True,
        )
    )
    geography = pick(["VN2025", "VN2025", "VN2024"])
    measures = [source.measures[one] for one in ids]
    known = [one for one in offered(measures, geography) if one not in ("facility", "facility_type")]
    by = draw(st.lists(st.sampled_from(known), max_size=3, unique=True)) if known else []
    cut = draw(st.integers(0, len(by)))
    layout = Layout(
        picture=pick(PICTURES), totals=draw(st.booleans()), intervals=draw(st.booleans()), sort=pick(["", "value"]),
        top=pick([0, 0, 3]), scheme=pick(["quantile", "equal"]), classes=draw(st.integers(3, 6)),
    )  # fmt: skip
    place = pick(["VN", "VN2025:51"]) if geography == "VN2025" else "VN"
    view = View(
        tuple(ids), place=place, geography=geography, cause_list=pick(["icd10_chapters", "who_mortality_list_1"])
    )
    state = arranged(State(view, layout), by[:cut], by[cut:])
    state = within(state, *pick([("", ""), ("2024", "2025"), ("2025", "2025")]))
    if "sex" in known and draw(st.booleans()):
        state = keeping(
            state, "sex", draw(st.lists(st.sampled_from(["male", "female"]), min_size=1, max_size=2, unique=True))
        )
    shows = pick(offered_shows(state, source.measures))
    return State(state.view, Layout(**{**state.layout.as_dict(), "shows": shows}))


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_the_code_of_any_view_gives_the_same_table_cell_for_cell(source, data):
    state = data.draw(states(source))
    try:
        mine = source.pivot(state.view, state.layout)
    except InputError as refused:
        with pytest.raises(InputError, match=refused.key and ".*"):
            run(code_of(state.view, state.layout)).pivot  # noqa: B018 - what the explorer refuses, the code refuses
        return
    same(mine, run(code_of(state.view, state.layout)).pivot)


def test_a_view_that_the_explorer_opens_has_its_code_and_figures(source, demo_home):
    from tkyt_analysis.explorer.app import ExplorerApp

    app = ExplorerApp(demo_home, language="vi")
    app.pick.found.value = "deaths"
    app.pick.rows[0].value = "cause"
    app.pick.columns[0].value = "sex"
    app.pick.filter_by.value = "year"
    app.pick.members.value = ("2025",)
    assert problem_of(app.state, app.measures, "vi") is None
    same(app.pivot, run(app.code).pivot)
    app.close()


def test_the_code_is_as_short_as_a_person_would_write_it():
    view = View(("crude_death_rate",), ("province", "year"), period="2023..2025")
    assert code_of(view, Layout(("province",), ("year",)), language="vi") == (
        "import tkyt_analysis as tk\n\n"
        "# Hỏi số liệu: theo tỉnh và năm; Cả nước; 2023 – 2025\n"
        'figures = tk.indicator("crude_death_rate", by=["province", "year"], period="2023..2025")\n\n'
        "# Xếp thành bảng: hàng: tỉnh; cột: năm\n"
        'figures.pivot(rows=["province"], columns=["year"])\n'
    )


def test_only_what_differs_from_a_plain_table_is_written():
    view = View(("deaths",), ("cause",), geography="VN2024", cause_list="who_mortality_list_1").keeping("sex", ["male"])
    code = code_of(view, Layout(("cause",), (), picture="bar", top=10, sort="value"), language="vi")
    assert 'where={"sex": ["male"]}' in code
    assert 'cause_list="who_mortality_list_1"' in code
    assert 'figures.pivot(rows=["cause"], picture="bar", sort="value", top=10)' in code
    assert "totals" not in code
    without = View(("deaths",), ("year",), cause_list="who_mortality_list_1")
    assert "cause_list" not in code_of(without, Layout(("year",)))


@given(st.text(max_size=12))
def test_whatever_stands_in_a_view_reads_back_as_it_was(text):
    view = View((text or "x",), (), period=text, place=text or "VN").keeping("category", [text])
    tree = ast.parse(code_of(view, Layout(), release_id=text))
    call = next(
        one for one in ast.walk(tree) if isinstance(one, ast.Call) and getattr(one.func, "attr", "") == "indicator"
    )
    where = next(one.value for one in call.keywords if one.arg == "where")
    assert ast.literal_eval(where) == {"category": [text]}
    assert ast.literal_eval(call.args[0]) == (text or "x")


def test_every_picture_and_what_cells_show_has_its_comment():
    for picture in PICTURES:
        for shows in SHOWS:
            for language in ("vi", "en"):
                code = code_of(
                    View(("deaths",), ("year",)), Layout(("year",), picture=picture, shows=shows), language=language
                )
                assert len([one for one in code.splitlines() if one.startswith("# ")]) == 2

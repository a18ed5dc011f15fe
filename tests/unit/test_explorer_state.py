"""Every step of the explorer as a function from what is shown to what is shown next."""

from explorer_fakes import MEASURES
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.cube.model import View
from tkyt_analysis.explorer.layout import Layout
from tkyt_analysis.explorer.problems import nothing_found, problem_of, too_large
from tkyt_analysis.explorer.state import (
    MEASURE,
    State,
    arranged,
    inside,
    keeping,
    looked_into,
    moved,
    offered,
    offered_shows,
    on_units_of,
    placed,
    shown_as,
    state_from,
    turned,
    with_measures,
    within,
)

TABLE = State(View(("deaths",), ("province", "year")), Layout(("province",), ("year",)))
DIMENSIONS = ("province", "commune", "year", "sex", "age_group", "cause")


def both(state):
    return state.layout.rows, state.layout.columns


def test_what_is_offered_is_what_all_measures_have():
    assert offered([MEASURES["deaths"]]) == DIMENSIONS
    assert offered([MEASURES["deaths"], MEASURES["bcg/doses"]]) == ("province", "year")
    assert offered([]) == ()


def test_districts_are_offered_before_the_reform_only():
    from explorer_fakes import measure

    old = measure("x", "x", "x", dimensions=frozenset({"province", "district"}))
    assert offered([old], "VN2024") == ("province", "district")
    assert offered([old], "VN2025") == ("province",)


def test_a_dimension_put_where_another_stands_changes_places_with_it():
    assert both(placed(TABLE, "rows", 0, "year")) == (("year",), ("province",))
    assert both(placed(TABLE, "rows", 1, "sex")) == (("province", "sex"), ("year",))
    assert both(placed(TABLE, "columns", 0, "")) == (("province",), ())
    assert both(turned(TABLE)) == (("year",), ("province",))


def test_several_measures_always_stand_beside_each_other_and_a_single_one_needs_no_heading():
    two = with_measures(TABLE, ["deaths", "bcg/doses"], MEASURES)
    assert both(two) == (("province",), ("year", MEASURE))
    assert both(with_measures(two, ["deaths"], MEASURES)) == (("province",), ("year",))


def test_another_measure_keeps_what_it_has_and_drops_what_it_has_not():
    wide = State(
        View(("deaths",), ("cause", "year")).keeping("sex", ["male"]), Layout(("cause",), ("year",), shows="share_row")
    )
    after = with_measures(wide, ["bcg/doses"], MEASURES)
    assert (both(after), after.view.where, after.layout.shows) == (((), ("year",)), (), "share_row")
    rate = with_measures(shown_as(TABLE, shows="share_row"), ["crude_death_rate"], MEASURES)
    assert rate.layout.shows == "value"  # shares of a rate mean nothing


def test_shares_need_counts_and_changes_need_a_period():
    assert "share_row" in offered_shows(TABLE, MEASURES)
    assert "change_year" in offered_shows(TABLE, MEASURES)
    assert offered_shows(arranged(with_measures(TABLE, ["crude_death_rate"], MEASURES), ["sex"], []), MEASURES) == (
        "value",
    )


def test_in_a_province_a_table_of_provinces_becomes_one_of_communes():
    after = moved(TABLE, "VN2025:51", "province", MEASURES)
    assert (after.view.place, both(after)) == ("VN2025:51", (("commune",), ("year",)))
    assert both(moved(after, "VN", "nation", MEASURES)) == (("commune",), ("year",))


def test_another_geography_takes_place_and_filters_of_units_away():
    here = keeping(moved(TABLE, "VN2025:51", "province", MEASURES), "commune", ["VN2025:21115"])
    after = on_units_of(keeping(here, "sex", ["male"]), "VN2024", MEASURES)
    assert (after.view.place, after.view.where) == ("VN", (("sex", ("male",)),))


def test_one_period_is_written_as_one_and_two_as_a_range():
    assert [within(TABLE, *ends).view.period for ends in [("2023", "2025"), ("2024", "2024"), ("", ""), ("2024", "")]] == [
        "2023..2025", "2024", "", "2024",
    ]  # fmt: skip


def test_looking_into_a_province_a_year_and_a_cause():
    assert inside(TABLE, MEASURES, "province")[0] == "commune"
    commune = looked_into(TABLE, "province", "VN2025:51", "commune", "VN2025:51")
    assert (commune.view.place, both(commune)) == ("VN2025:51", (("commune",), ("year",)))
    causes = arranged(TABLE, ["cause"], ["year"])
    ages = looked_into(causes, "cause", "II", "age_group")
    assert (ages.view.where, both(ages)) == ((("cause", ("II",)),), (("age_group",), ("year",)))
    year = looked_into(TABLE, "year", "2024", "sex")
    assert (year.view.period, both(year)) == ("2024", (("province",), ("sex",)))


def test_nothing_is_found_in_a_commune_by_province():
    assert not {"province", "region", "commune"} & set(inside(arranged(TABLE, ["commune"], []), MEASURES, "commune"))


steps = st.lists(
    st.one_of(
        st.tuples(st.just(placed), st.sampled_from(["rows", "columns"]), st.integers(0, 2), st.sampled_from(["", *DIMENSIONS])),
        st.tuples(st.just(turned)),
        st.tuples(st.just(with_measures), st.lists(st.sampled_from(sorted(MEASURES)), min_size=1, max_size=3), st.just(MEASURES)),
        st.tuples(st.just(keeping), st.just("sex"), st.lists(st.sampled_from(["male", "female"]), unique=True)),
    ),
    max_size=8,
)  # fmt: skip


@given(steps)
def test_after_any_steps_every_dimension_stands_once_and_the_state_survives_writing(taken):
    import json

    state = TABLE
    for step, *arguments in taken:
        state = step(state, *arguments)
    axes = (*state.layout.rows, *state.layout.columns)
    assert len(set(axes)) == len(axes)
    assert set(axes) - {MEASURE} == set(state.view.by)
    assert (MEASURE in axes) == (len(state.view.measures) > 1)
    assert state_from(json.loads(json.dumps(state.as_dict()))) == state


def lead(state, number=0):
    """The state behind the first button of what is wrong."""
    found = problem_of(state, MEASURES, "vi")
    return found.sentence, found.fixes[number].state


def test_a_good_table_has_no_problem():
    assert problem_of(TABLE, MEASURES, "vi") is None


def test_a_map_without_units_on_the_rows_offers_to_put_them_there():
    sentence, after = lead(
        State(View(("deaths",), ("sex", "year", "province")), Layout(("sex",), ("year", "province"), "map"))
    )
    assert "Bản đồ cần đúng một cấp hành chính" in sentence
    assert both(after) == (("province",), ("year",))
    assert problem_of(after, MEASURES, "vi") is None


def test_every_problem_but_an_empty_choice_has_a_button_that_leads_out_of_it():
    wrong = [
        shown_as(arranged(TABLE, ["sex"], []), picture="line"),
        shown_as(TABLE, picture="pyramid"),
        shown_as(arranged(TABLE, ["commune"], ["year"]), picture="map"),
        shown_as(arranged(TABLE, ["sex"], []), picture="small_multiples"),
        shown_as(arranged(TABLE, [], []), picture="bar"),
        shown_as(arranged(TABLE, ["sex"], []), shows="change_year"),
        shown_as(with_measures(TABLE, ["crude_death_rate"], MEASURES), shows="share_all"),
        shown_as(with_measures(TABLE, ["nation/beds"], MEASURES), picture="map"),
        State(View(("gone", "deaths"), ("year",)), Layout((), ("year", "measure"))),
        State(View(("crude_death_rate",), ("cause",)), Layout(("cause",))),
    ]
    for state in wrong:
        for language in ("vi", "en"):
            found = problem_of(state, MEASURES, language)
            assert found.fixes, found.sentence
            for fix in found.fixes:
                assert problem_of(fix.state, MEASURES, language) is None, (found.sentence, fix.text)
    assert problem_of(with_measures(TABLE, [], MEASURES), MEASURES, "vi").fixes == ()


SIZES = {"province": 34, "commune": 3321, "month": 36, "sex": 2, "year": 3}


def test_a_table_that_nobody_could_read_is_told_before_it_is_computed():
    def wrong(rows, columns):
        return too_large(arranged(TABLE, rows, columns), MEASURES, SIZES.get, "vi")

    assert wrong(["commune"], ["year", "sex"]) is None  # 3 321 × 3 × 2 = 19 926
    assert wrong(["province", "commune"], ["year"]) is None  # communes lie in provinces: still 3 321 × 3
    found = wrong(["commune"], ["month"])  # 3 321 × 36 = 119 556
    assert "119.556 ô" in found.sentence
    assert [both(fix.state) for fix in found.fixes] == [
        (("province",), ("month",)), (("commune",), ()), ((), ("month",)),
    ]  # fmt: skip


def test_a_question_without_any_figure_can_be_widened():
    narrow = keeping(within(moved(TABLE, "VN2025:01", "province", MEASURES), "2023"), "sex", ["male"])
    states = [fix.state.view for fix in nothing_found(narrow, "VN", "vi").fixes]
    assert [(one.where, one.period, one.place) for one in states] == [
        ((), "2023", "VN2025:01"), ((("sex", ("male",)),), "", "VN2025:01"), ((("sex", ("male",)),), "2023", "VN"),
    ]  # fmt: skip

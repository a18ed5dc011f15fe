"""Answers of the WHO questionnaires → indicators: thresholds, units, choices, ages; what is not known stays not known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import probability_base_path

from mortality.verbal_autopsy.indicators import find_edition, indicator_names, indicators_from_answers
from mortality.verbal_autopsy.probability_base import read_probability_base
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError

LETTER = {1: "y", 0: "n", -1: "."}


def told(answers, edition="2016"):
    """What one interview tells: {indicator: y, n or .}."""
    found = indicators_from_answers(pd.DataFrame([answers]), edition=edition)
    return dict(zip(indicator_names(), [LETTER[int(one)] for one in found.answers[0]], strict=True))


def of(answers, *names, edition="2016"):
    found = told(answers, edition)
    return "".join(found[name] for name in names)


@pytest.mark.parametrize(
    ("answer", "letter"), [("yes", "y"), ("No", "n"), ("dk", "."), ("ref", "."), ("", "."), ("9", "."), ("99", ".")]
)
def test_yes_and_no_are_answers_and_dont_know_and_refused_are_not(answer, letter):
    assert of({"Id10147": answer}, "i147o") == letter


@pytest.mark.parametrize(
    ("answers", "less_than_1_1_to_2_over_2_weeks"),
    [
        ({"Id10148_units": "days", "Id10148_b": "6"}, "ynn"), ({"Id10148_units": "days", "Id10148_b": "7"}, "nyn"),
        ({"Id10148_units": "days", "Id10148_b": "13"}, "nyn"), ({"Id10148_units": "days", "Id10148_b": "14"}, "nny"),
        ({"Id10148_units": "months", "Id10148_c": "1"}, "nny"), ({"Id10148_a": "3"}, "ynn"), ({"Id10148": "8"}, "nyn"),
        # 88 refused, 99 not known, in the field or times 30 days by the form's own calculation
        ({"Id10148_units": "days", "Id10148_b": "99"}, "..."), ({"Id10148_units": "days", "Id10148_b": "88"}, "..."),
        ({"Id10148_units": "months", "Id10148_c": "99", "Id10148": "2970"}, "..."), ({"Id10148": "2970"}, "..."),
        ({"Id10148_units": "dk", "Id10148_b": "", "Id10148": ""}, "..."), ({"Id10148_b": "ba ngày"}, "..."),
        ({"Id10148_b": "-3"}, "..."),
    ],
)  # fmt: skip
def test_how_long_the_fever_lasted_in_days_or_months(answers, less_than_1_1_to_2_over_2_weeks):
    assert of(answers, "i148a", "i148b", "i148c") == less_than_1_1_to_2_over_2_weeks


@pytest.mark.parametrize(
    ("answers", "indicators", "expected"),
    [
        ({"id10120_unit": "years", "Id10122": "2", "Id10120": "730"}, ("i120a", "i120b"), "ny"),
        ({"id10120_unit": "days", "Id10120_1": "20"}, ("i120a", "i120b"), "yn"),
        ({"Id10154_units": "days", "Id10154_a": "21"}, ("i154a", "i154b"), "ny"),
        ({"id10161_unit": "days", "Id10161_1": "2"}, ("i161a",), "n"),
        ({"Id10178_unit": "hours", "Id10179": "1"}, ("i178a",), "y"), ({"Id10178_unit": "minutes", "Id10178": "29"}, ("i178a",), "n"),
        ({"Id10178_unit": "days", "Id10179_1": "1"}, ("i178a",), "y"),
        ({"Id10182_units": "days", "Id10182_a": "27"}, ("i182a", "i182b", "i182c"), "nyn"),
        ({"id10196_unit": "hours", "Id10196": "335"}, ("i197a", "i197b"), "yn"),  # 14 days are 336 hours
        ({"Id10209_units": "months", "Id10209_b": "1"}, ("i209a", "i209b"), "ny"),
        ({"Id10213_units": "days", "Id10213_a": "89"}, ("i213o",), "n"), ({"Id10213_units": "months", "Id10213_b": "3"}, ("i213o",), "y"),
        ({"Id10216_units": "days", "Id10216_b": "1"}, ("i216a", "i215o"), "yy"), ({"Id10216_a": "5"}, ("i216a", "i215o"), "nn"),
        ({"Id10215": "no", "Id10216_a": "30"}, ("i215o",), "n"),  # the question itself before what another one tells
        ({"Id10106": "6"}, ("i106a",), "y"), ({"Id10106": "5"}, ("i106a",), "n"), ({"Id10108": "24"}, ("i108a",), "n"),
        ({"Id10367": "9"}, ("i367a", "i367b", "i367c"), "ynn"), ({"Id10367": "8"}, ("i367a", "i367b", "i367c"), "nyn"),
        ({"Id10367": "88"}, ("i367a", "i367b", "i367c"), "..."), ({"Id10319": "0"}, ("i319a", "i319b"), "yn"),
        ({"Id10394": "4"}, ("i394a", "i394b"), "ny"), ({"Id10183": "999"}, ("i183a",), "."), ({"Id10415": "10"}, ("i415a",), "y"),
        ({"Id10309": "5"}, ("i309o",), "y"), ({"Id10358": "11"}, ("i358a",), "y"), ({"Id10359": "400"}, ("i358a",), "n"),
    ],
)  # fmt: skip
def test_amounts_meet_their_thresholds_in_their_own_unit(answers, indicators, expected):
    assert of(answers, *indicators) == expected


def test_days_that_a_form_divided_by_thirty_are_not_read_as_days():
    # swallowing was hard for 10 days; the form of 2016 calculates 10 / 30 under a question about days
    assert of({"Id10262_units": "days", "Id10262_a": "10", "Id10262": "0.3333333"}, "i262a") == "y"
    assert of({"Id10262_units": "", "Id10262_a": "", "Id10262": "0.3333333"}, "i262a") == "."
    assert of({"Id10262": "10"}, "i262a") == "y"  # a form that asks in one field, in days


@pytest.mark.parametrize(
    ("answers", "indicators", "expected"),
    [
        ({"Id10150": "severe"}, ("i150a",), "y"), ({"Id10150": "moderate"}, ("i150a",), "n"),
        ({"Id10173_a": "wheezing grunting"}, ("i173a",), "y"), ({"Id10173": "no"}, ("i173a",), "n"),
        ({"Id10199": "upper_lower_abdomen"}, ("i199a", "i199b"), "yy"), ({"Id10199": "lower_abdomen"}, ("i199a", "i199b"), "ny"),
        ({"Id10235": "face extremities"}, ("i235a", "i235b", "i235c", "i235d"), "ynyn"),
        ({"Id10235": "everywhere"}, ("i235a", "i235d"), "ny"), ({"Id10235": "dk"}, ("i235a", "i235d"), ".."),
        ({"Id10260": "left_side"}, ("i260a", "i260b", "i260g"), "nyn"), ({"Id10263": "both"}, ("i263a", "i263b"), "yy"),
        ({"Id10337": "hospital"}, ("i337a", "i337b", "i337c"), "ynn"), ({"Id10360": "other"}, ("i360a", "i360b", "i360c"), "nny"),
        ({"Id10004": "wet"}, ("i004a", "i004b"), "yn"), ({"Id10059": "married"}, ("i059o",), "y"),
        ({"Id10357": "after_delivery"}, ("i357o",), "y"), ({"Id10414": "cigarettes"}, ("i414a",), "n"),
    ],
)  # fmt: skip
def test_choices_make_indicators(answers, indicators, expected):
    assert of(answers, *indicators) == expected


AGES = ("i022a", "i022b", "i022c", "i022d", "i022e", "i022f", "i022g", "i022h", "i022i", "i022j", "i022k")


@pytest.mark.parametrize(
    ("answers", "yes"),
    [
        ({"ageInDays": "23742"}, "i022a"), ({"ageInDays": "23741"}, "i022b"),  # 65 x 365.25 = 23,741.25
        ({"age_adult": "99"}, "i022a"), ({"ageInYears": "88"}, "i022a"), ({"age_adult": "50"}, "i022b"), ({"age_adult": "15"}, "i022c"),
        ({"age_group": "child", "age_child_unit": "years", "age_child_years": "4"}, "i022e"), ({"ageInYears2": "5"}, "i022d"),
        ({"age_group": "child", "age_child_unit": "months", "age_child_months": "11"}, "i022f"), ({"ageInDays": "28"}, "i022f"),
        ({"ageInDays": "0"}, "i022g i022h"), ({"ageInDaysNeonate": "1"}, "i022g i022i"), ({"age_neonate_days": "6"}, "i022g i022j"),
        ({"ageInDays": "27"}, "i022g i022k"), ({"Id10021": "2024-03-01", "Id10023": "2024-03-03"}, "i022g i022j"),
    ],
)  # fmt: skip
def test_the_age_at_death_falls_into_one_group(answers, yes):
    found = told(answers)
    assert {name for name in AGES if found[name] == "y"} == set(yes.split())
    assert all(found[name] == "n" for name in AGES if name not in yes.split())


def test_an_age_that_is_not_sure_leaves_open_what_it_does_not_tell():
    newborn = told({"age_group": "neonate"})
    assert [newborn[name] for name in ("i022g", "i022f", "i022h")] == ["y", "n", "."]
    below_one = told({"ageInYears": "0"})
    assert [below_one[name] for name in ("i022e", "i022f", "i022g")] == ["n", ".", "."]
    adult = told({"isAdult": "1"})
    assert [adult[name] for name in ("i022g", "i022a", "i022d")] == ["n", ".", "."]  # an adult is 12 or more there
    assert told({"age_adult": "999"})["i022a"] == "."
    assert told({})["i022a"] == "."


@pytest.mark.parametrize(
    ("sex", "age", "expected"), [("female", "19", "ynn"), ("female", "34", "nyn"), ("female", "50", "nnn"), ("male", "19", "nnn"), ("dk", "19", ".nn")]
)  # fmt: skip
def test_women_have_age_groups_of_their_own(sex, age, expected):
    assert of({"Id10019": sex, "ageInYears": age}, "i022l", "i022m", "i022n") == expected


@pytest.mark.parametrize(
    ("answers", "indicator", "in_2016", "in_2022"),
    [
        ({"Id10376": "before"}, "i377o", ".", "y"),  # 2022 asks when the baby stopped moving
        ({"Id10376": "yes"}, "i376o", "y", "."), ({"Id10377": "yes"}, "i377o", "y", "."),
        ({"Id10317": "twins"}, "i317o", ".", "y"), ({"Id10317": "yes"}, "i317o", "y", "."),
        ({"Id10329_a": "no", "Id10329_b": "yes"}, "i329o", ".", "y"), ({"Id10329_a": "no", "Id10329_b": "no"}, "i329o", ".", "n"),
        ({"Id10329_a": "no", "Id10329_b": "dk"}, "i329o", ".", "."), ({"Id10306": "yes"}, "i315o", ".", "y"),
        ({"Id10414": "yes"}, "i414a", ".", "y"), ({"Id10199": "all_over"}, "i199a", "y", "y"),
    ],
)  # fmt: skip
def test_the_questionnaire_of_2022_asks_some_things_anew(answers, indicator, in_2016, in_2022):
    assert (told(answers)[indicator], told(answers, "2022")[indicator]) == (in_2016, in_2022)


def test_the_edition_is_known_by_a_question_that_only_2022_has():
    assert find_edition(["Id10147", "id10485"]) == "2022"
    assert find_edition(["Id10147", "Id10376"]) == "2016"
    with pytest.raises(InputError, match="2012"):
        indicators_from_answers(pd.DataFrame([{"Id10147": "yes"}]), edition="2012")


def test_values_that_are_no_answer_are_counted_and_named_never_dropped_in_silence():
    answers = pd.DataFrame(
        {"Id10147": ["yes", "maybe", "maybe"], "Id10148_b": ["5", "7 ngày", "dk"], "Id10150": ["severe", "x", "dk"]}
    )
    found = indicators_from_answers(answers)
    assert found.unread.values.tolist() == [["Id10147", "maybe", 2], ["Id10148_b", "7_ngày", 1], ["Id10150", "x", 1]]


def test_coverage_says_what_the_file_could_feed():
    answers = pd.DataFrame({"Id10147": ["yes", "no", "dk"], "Id10153": ["dk", "ref", ""]})
    coverage = indicators_from_answers(answers).coverage().set_index("indicator")
    assert coverage.loc["i147o", ["status", "known", "yes"]].tolist() == ["fed", 2, 1]
    assert coverage.loc["i153o", "status"] == "no_answer"
    assert coverage.loc["i159o", ["status", "questions"]].tolist() == ["not_asked", "Id10159"]
    assert len(coverage) == 353


def test_names_of_columns_may_be_written_in_any_case():
    assert of({"ID10147": "yes", "AGEINDAYS": "3"}, "i147o", "i022g") == "yy"


def test_the_indicators_are_those_of_the_probability_base_in_its_order():
    assert indicator_names() == read_probability_base(probability_base_path()).indicators


def test_every_row_of_the_code_list_names_questions_of_the_instrument_and_something_to_compare():
    rows = read_codelist("verbal_autopsy_indicators")
    questions = {one for cell in rows["questions"] for one in cell.split(";") if one}
    known = set(read_codelist("verbal_autopsy_questions")["question_id"])
    assert {one for one in questions if one[:7] not in known} == set()
    bounded = rows["kind"].isin(["number", "age", "woman"])
    assert rows.loc[bounded, ["above", "from", "below"]].ne("").any(axis=1).all()
    assert rows.loc[rows["kind"].isin(["choice", "selected"]), ["yes", "no"]].ne("").all(axis=None)
    assert set(rows["edition"]) == {"", "2016", "2022"}


SPANS = (
    "i120a i120b",
    "i148a i148b i148c",
    "i154a i154b",
    "i167a i167b",
    "i182a i182b i182c",
    "i197a i197b",
    "i221a i221b",
    "i234a i234b",
)


def test_of_the_spans_of_one_amount_exactly_one_is_true():
    amounts = [str(days) for days in range(81)]
    questions = {f"Id10{span[1:4]}": amounts for span in SPANS}
    found = indicators_from_answers(pd.DataFrame(questions), edition="2016").table()
    for span in SPANS:
        assert found[span.split()].eq("y").sum(axis=1).eq(1).all(), span


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "Id10147": st.sampled_from(["yes", "no", "dk", ""]), "Id10148_b": st.sampled_from(["", "3", "9", "99", "20"]),
                "ageInDays": st.sampled_from(["", "5", "900", "20000"]), "Id10235": st.sampled_from(["", "face", "face trunk", "dk"]),
            }
        ),
        min_size=1,
        max_size=6,
    )
)  # fmt: skip
def test_many_interviews_at_once_are_read_as_each_alone(interviews):
    together = indicators_from_answers(pd.DataFrame(interviews), edition="2016").answers
    alone = [indicators_from_answers(pd.DataFrame([one]), edition="2016").answers[0] for one in interviews]
    np.testing.assert_array_equal(together, np.stack(alone))

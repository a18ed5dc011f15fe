"""Register words to codes: the dictionary is valid, a decision is auto only where the reading is sure."""

import pandas as pd
import pytest
from support import table

from mortality.coding.dictionary import load_dictionary
from mortality.coding.suggest import code_deaths, suggest_codes
from mortality.icd import is_lowest_level, is_valid_code
from tkyt_analysis.errors import InputError


def first_code(text, **context):
    return next((one.code for one in suggest_codes(text, **context)), None)


def dictionary_entries():
    return [entry for group in load_dictionary().by_accented.values() for entry in group]


def test_the_dictionary_has_at_least_twenty_five_hundred_expressions_and_only_lowest_level_who_codes():
    entries = dictionary_entries()
    assert len({entry.expression for entry in entries}) >= 2500
    wrong = {entry.code for entry in entries if not (is_valid_code(entry.code) and is_lowest_level(entry.code))}
    assert wrong == set()


def test_no_expression_stands_twice_with_the_same_code_and_context():
    seen = [(e.expression, e.code, e.sex, e.age_from, e.age_below) for e in dictionary_entries()]
    assert len(seen) == len(set(seen))


def test_an_abbreviation_does_not_hide_an_expression_of_the_dictionary():
    for entry in dictionary_entries()[::25]:
        codes = {one.code for one in suggest_codes(entry.expression, sex=entry.sex or None, age_years=entry.age_from)}
        assert codes, entry.expression


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Tai biến mạch máu não", "I64"),
        ("tai bien mach mau nao", "I64"),
        ("K gan", "C22.9"),
        ("chết do bệnh lao phổi", "A16.2"),
        ("treo cổ tự tử", "X70"),
        ("uống thuốc cỏ", "X68"),
        ("đuối nước", "W74"),
        ("Rắn cắn", "X20"),
    ],
)
def test_plain_words_get_their_code(text, code):
    assert first_code(text) == code


def test_pneumonia_of_a_newborn_is_not_pneumonia_of_an_adult():
    assert first_code("viêm phổi", age_years=0.01) == "P23.9"
    assert first_code("viêm phổi", age_years=70) == "J18.9"
    assert first_code("viêm phổi") == "J18.9"


DEATHS = table("""
    id | text                  | sex    | age_years
    a  | già yếu               | female | 91
    b  | già yếu               | female | 48
    c  | bệnh tim              | male   | 60
    d  | ung thư cổ tử cung    | male   | 60
    e  | xơ gan + lao phổi     | male   | 60
    f  | qwertyuiop            | male   | 60
    g  | Ung thư phổi          | male   | 60
""")


def test_decisions_are_auto_only_where_the_reading_is_sure_and_plausible():
    coded = code_deaths(DEATHS).set_index("id")
    assert coded["decision"].to_dict() == {
        "a": "auto",  # senility at 91
        "b": "review",  # senility at 48 is a question
        "c": "review",  # "heart disease" names no disease
        "d": "review",  # a man with cancer of the cervix
        "e": "review",  # two causes side by side
        "f": "uncodable",
        "g": "auto",
    }
    assert coded.loc["b", "code_1"] == "R54"
    assert set(coded.loc["e", ["code_1", "code_2"]]) == {"K74.6", "A16.2"}


def test_output_has_the_columns_of_the_contract_in_the_order_of_the_input():
    coded = code_deaths(DEATHS[["id", "text"]].iloc[::-1])
    numbers = range(1, 6)
    expected = ["id", "text", "decision", *[f"code_{n}" for n in numbers], *[f"score_{n}" for n in numbers], "rule"]
    assert coded.columns.tolist() == expected
    assert coded["id"].tolist() == list("gfedcba")


def test_scores_fall_from_first_to_last_candidate():
    for text in ["viêm gan b", "xơ gan + lao phổi, suy tim", "viêm gan", "benh than"]:
        scores = [one.score for one in suggest_codes(text)]
        assert len(scores) > 1
        assert scores == sorted(scores, reverse=True)


def test_text_without_marks_that_means_two_things_is_reviewed():
    coded = code_deaths(pd.DataFrame({"id": ["1"], "text": ["benh than"]}))  # bệnh than, bệnh thận
    assert coded["decision"].tolist() == ["review"]
    assert {"A22.9", "N28.9"} <= {coded["code_1"][0], coded["code_2"][0]}


def test_empty_text_is_uncodable_and_missing_columns_are_named():
    assert code_deaths(pd.DataFrame({"id": ["1", "2"], "text": ["", None]}))["decision"].tolist() == ["uncodable"] * 2
    with pytest.raises(InputError, match="text"):
        code_deaths(pd.DataFrame({"id": ["1"]}))


def test_one_decision_codes_many_records_alike():
    many = pd.DataFrame({"id": range(3000), "text": ["tai biến", "k dạ dày", "già"] * 1000})
    coded = code_deaths(many)
    assert coded.groupby("text")["code_1"].nunique().eq(1).all()
    assert coded.attrs["dictionary_version"] == load_dictionary().version

"""The lay dictionary as a whole: every lay_dictionary*.csv, for they are read as one."""

from __future__ import annotations

import re
import unicodedata

import pandas as pd
import pytest

from mortality.coding.dictionary import CERTAINTIES, dictionary_codelists
from mortality.coding.letters import accented_letters, fold
from mortality.coding.normalise import accented_key, years_as_many
from mortality.coding.words import Phrases
from mortality.icd import is_lowest_level, is_valid_code
from tkyt_analysis.access.hiv import WORDS
from tkyt_analysis.catalog import read_codelist

CONTEXT = ["sex", "age_from", "age_below"]
COLUMNS = ["expression", "icd10", "certainty", *CONTEXT, "note", "source"]
# Items of list 1 that hardly occur in Viet Nam (yellow fever, leishmania, trypanosoma, bilharzia): one expression is enough.
RARE_ITEMS = ("1-016", "1-022", "1-023", "1-024")


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    lists = [read_codelist(name).assign(codelist=name) for name in dictionary_codelists()]
    return pd.concat(lists, ignore_index=True)


@pytest.fixture(scope="module")
def keyed(rows) -> pd.DataFrame:
    return rows.assign(key=rows["expression"].map(accented_key))


def listed(wrong: pd.DataFrame) -> list[tuple]:
    return list(wrong.itertuples(index=False, name=None))[:20]


def within(code: str, ranges: str) -> bool:
    """True where the first three characters of `code` lie in "A90-A94;A96-A99"."""
    ends = [part.split("-") * 2 for part in ranges.split(";")]
    return any(pair[0] <= code[:3] <= pair[1] for pair in ends)


def test_every_file_has_the_same_columns():
    for name in dictionary_codelists():
        assert list(read_codelist(name).columns) == COLUMNS, name


def test_there_are_at_least_2500_expressions(rows):
    assert rows["expression"].nunique() >= 2_500


def test_every_code_exists_at_the_lowest_level(rows):
    wrong = {code for code in set(rows["icd10"]) if not (is_valid_code(code) and is_lowest_level(code))}
    assert wrong == set()


def test_no_code_is_an_asterisk_code_which_never_stands_alone(rows):
    ranges = read_codelist("edit_asterisk_codes")["icd10_ranges"]
    asterisk = rows["icd10"].map(lambda code: any(within(code, part) for part in ranges))
    assert listed(rows.loc[asterisk, ["expression", "icd10", "codelist"]]) == []


def test_certainty_sex_and_ages_are_what_the_reader_expects(rows):
    assert set(rows["certainty"]) <= set(CERTAINTIES)
    assert set(rows["sex"]) <= {"", "male", "female"}
    ages = rows[["age_from", "age_below"]].replace("", None).astype("float64")
    both = ages.dropna()
    assert (both["age_from"] < both["age_below"]).all()
    assert ages.min().min() >= 0


def test_expressions_are_composed_letters_without_stray_blanks_or_capitals(rows):
    tidy = rows["expression"].map(lambda text: " ".join(unicodedata.normalize("NFC", text).split()).lower())
    assert listed(rows.loc[(tidy != rows["expression"]) | (tidy == ""), ["expression", "codelist"]]) == []


def test_an_expression_has_a_code_once_per_context(rows):
    twice = rows.duplicated(["expression", "icd10", *CONTEXT], keep=False)
    assert listed(rows.loc[twice, ["expression", "icd10", "codelist"]]) == []


def test_no_wording_is_sure_of_two_codes_in_one_context(keyed):
    sure = keyed[keyed["certainty"] == "sure"]
    codes = sure.groupby(["key", *CONTEXT])["icd10"].transform("nunique")
    assert listed(sure.loc[codes > 1, ["expression", "icd10", "codelist"]]) == []


def test_every_cause_of_mortality_list_1_can_be_reached_by_some_wording(rows):
    items = read_codelist("who_mortality_list_1")
    items = items[items["heading"] != "1"]
    codes = rows.drop_duplicates(["expression", "icd10"])["icd10"].value_counts()
    reached = {
        item: sum(count for code, count in codes.items() if within(code, ranges))
        for item, ranges in zip(items["item"], items["icd10_ranges"])
    }
    least = {item: 1 if item in RARE_ITEMS else 5 for item in reached}
    assert {item: count for item, count in reached.items() if count < least[item]} == {}


def test_a_synonym_is_written_once_and_replacing_twice_changes_nothing_more():
    synonyms = read_codelist("cause_word_synonyms")
    assert not synonyms["written"].map(accented_letters).duplicated().any()
    pairs = {
        tuple(accented_letters(written).split()): tuple(accented_letters(standard).split())
        for written, standard in zip(synonyms["written"], synonyms["standard"])
    }
    phrases = Phrases(pairs.items())
    again = {
        written: phrases.replace(standard)
        for written, standard in pairs.items()
        if phrases.replace(standard) != standard
    }
    assert again == {}


@pytest.mark.parametrize(
    ("expression", "code"),
    [  # readings that the alphabetical index (WHO ICD-10 2019, Volume 3) settles, where habit says otherwise
        ("lỵ", "A09.0"),
        ("não mô cầu", "A39.9"),
        ("viêm gan", "K75.9"),
        ("sốc nhiễm khuẩn", "R57.2"),
        ("u lympho không hodgkin", "C85.9"),
        ("basedow", "E05.0"),
        ("hở van hai lá", "I34.0"),
        ("hẹp van hai lá", "I05.0"),
        ("suy vành", "I24.8"),
        ("vỡ phình động mạch chủ", "I71.8"),
        ("đột quỵ", "I64"),
    ],
)
def test_readings_settled_by_the_index_are_the_first_choice(rows, expression, code):
    order = {certainty: place for place, certainty in enumerate(CERTAINTIES)}
    readings = rows[(rows["expression"] == expression) & (rows["sex"] == "") & (rows["age_from"] == "")]
    readings = readings[readings["age_below"] == ""]
    first = min(readings.itertuples(), key=lambda row: order[row.certainty])
    assert first.icd10 == code


@pytest.mark.parametrize(
    "text", ["Tai biến 8 năm nay", "đột quỵ cách đây 4 năm", "TBMMN 2 năm", "tai biến nằm liệt đã 6 năm"]
)
def test_a_stroke_of_years_ago_is_a_sequela_whatever_the_number_of_years(keyed, text):
    readings = keyed.loc[keyed["key"] == accented_key(years_as_many(text)), "icd10"]
    assert set(readings) == {"I69.4"}


def test_weeks_and_months_are_left_for_they_make_no_sequela():
    assert years_as_many("tai biến 8 tháng") == "tai biến 8 tháng"


def test_wording_that_surely_means_hiv_is_withheld_like_the_word_itself(rows):
    hiv = rows[rows["icd10"].str.match("B2[0-4]") & (rows["certainty"] == "sure")]
    seen = hiv["expression"].map(lambda text: re.search(WORDS, fold(text)) is not None)
    assert listed(hiv.loc[~seen, ["expression", "icd10"]]) == []


def test_wording_without_hiv_is_not_withheld(rows):
    others = rows[~rows["icd10"].str.match("B2[0-4]|D8|F02|O98|A64")]
    seen = others["expression"].map(lambda text: re.search(WORDS, fold(text)) is not None)
    assert listed(others.loc[seen, ["expression", "icd10", "codelist"]]) == []

"""Every code that the product speaks of has a Vietnamese name; where the words come from is said."""

import re
import unicodedata
from pathlib import Path

import pytest

from mortality.icd import all_titles, code_universe, title, title_with_source, who_categories
from mortality.icd import titles as titles_module
from mortality.icd.gnuhealth import read_po
from mortality.icd.titles import own_titles
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.codelists import codelist_path

LAY_DICTIONARIES = sorted(path.stem for path in codelist_path("lay_dictionary").parent.glob("lay_dictionary*.csv"))
NO_HOME = Path("/nonexistent")


@pytest.fixture(autouse=True)
def no_other_source(monkeypatch):
    """Own titles are what is judged here, whatever this machine has installed or loaded."""
    monkeypatch.setattr(titles_module, "_gnuhealth_titles", dict)
    monkeypatch.delenv("TKYT_ICD_LISTS", raising=False)


@pytest.mark.parametrize("dictionary", LAY_DICTIONARIES)
def test_every_code_of_a_lay_dictionary_is_shown_with_vietnamese_words(dictionary):
    codes = set(read_codelist(dictionary)["icd10"])
    sources = {code: title_with_source(code, home=NO_HOME).source for code in codes}
    assert sorted(code for code, source in sources.items() if source in ("who", "none")) == []


def test_hardly_a_code_of_the_lay_dictionaries_shows_only_its_category_and_number():
    codes = {code for dictionary in LAY_DICTIONARIES for code in read_codelist(dictionary)["icd10"]}
    only_number = [code for code in codes if title_with_source(code, home=NO_HOME).source == "own_item"]
    assert len(only_number) <= 0.02 * len(codes), sorted(only_number)


def test_every_category_that_a_death_can_have_has_its_own_title():
    categories = {code[:3] for code in code_universe()}
    assert sorted(categories - set(own_titles())) == []
    assert len(own_titles()) >= 2_000


def test_own_titles_name_existing_codes_once_in_composed_unicode():
    rows = read_codelist("icd10_titles_vi")
    assert rows["code"].is_unique
    assert sorted(set(rows["code"]) - who_categories()) == []
    assert (rows["title_vi"] == rows["title_vi"].map(lambda text: unicodedata.normalize("NFC", text).strip())).all()
    assert rows["title_vi"].str.len().between(2, 110).all()


def test_no_two_categories_bear_the_same_name():
    rows = read_codelist("icd10_titles_vi")
    categories = rows[rows["code"].str.len() == 3]
    assert categories["title_vi"][categories["title_vi"].duplicated(keep=False)].tolist() == []


@pytest.mark.parametrize(
    ("code", "words", "source"),
    [
        ("I64", "Đột quỵ", "own"),
        ("E11.2", "Đái tháo đường týp 2: có biến chứng thận", "own_composed"),
        ("W19.4", "Ngã không rõ cách: trên đường phố", "own_composed"),  # the place digit
        ("V23.4", "Người đi xe máy va chạm ô tô con, xe bán tải: người lái, tai nạn giao thông", "own_composed"),
        ("X59.0", "gãy xương", "own"),  # a subdivision, not the place "at home"
        ("S06.31", "có vết thương hở vào trong", "own_composed"),
        ("Y06.8", "dạng khác", "own_composed"),  # Y06 takes no place digit
        ("U99.9", "", "none"),
    ],
)
def test_a_title_says_where_its_words_come_from(code, words, source):
    found = title_with_source(code, home=NO_HOME)
    assert words in found.text
    assert found.source == source


def test_a_finer_code_without_words_of_its_own_shows_its_category_and_number(monkeypatch):
    monkeypatch.setattr(titles_module, "own_titles", lambda: {"C40": "Ung thư xương khớp chi"})
    assert title("C40.3", home=NO_HOME) == "Ung thư xương khớp chi (mục .3)"
    assert "C40.3" not in all_titles(codes=["C40.3", "C40"], home=NO_HOME)


def test_an_english_title_is_whos_and_names_the_place():
    assert title("C34.9", "en") == "Malignant neoplasm: Bronchus or lung, unspecified"
    assert title("X70.0", "en").endswith(": home")


def test_shared_fourth_characters_exist_for_the_codes_they_speak_of():
    rows = read_codelist("icd10_fourth_characters_vi")
    for row in rows[~rows["codes"].isin(["W00-Y34", "A00-Z99"])].to_dict("records"):
        first, last = row["codes"].split("-")
        spoken_of = [code for code in who_categories() if first <= code[:3] <= last and code[4:5] == row["character"]]
        assert spoken_of, row
        assert re.fullmatch(r"[0-9]", row["character"])


PO = """
msgctxt "model:gnuhealth.pathology,name:I64"
msgid "Stroke"
msgstr "Đột quỵ, không xác định"

#, fuzzy
msgctxt "model:gnuhealth.pathology,name:A00"
msgid "Cholera"
msgstr "Sai"

msgctxt "model:gnuhealth.pathology,name:C349"
msgid ""
"Malignant neoplasm of bronchus or lung, "
"unspecified"
msgstr ""
"U ác của phế quản hoặc phổi, "
"không \\"rõ\\""

msgctxt "model:gnuhealth.pathology,name:B99"
msgid "Other"
msgstr ""
"""


def test_the_optional_packages_file_is_read_as_data():
    assert read_po(PO) == {"I64": "Đột quỵ, không xác định", "C34.9": 'U ác của phế quản hoặc phổi, không "rõ"'}


def test_the_optional_packages_words_come_before_our_own(monkeypatch):
    monkeypatch.setattr(titles_module, "_gnuhealth_titles", lambda: read_po(PO))
    assert title_with_source("I64", home=NO_HOME).source == "gnuhealth"
    assert title_with_source("A00", home=NO_HOME).source == "own"

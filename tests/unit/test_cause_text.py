"""Spellings of one word meet in one look-up form; several causes are told apart."""

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mortality.coding.normalise import accented_key, fold, folded_key, has_accents, split_causes
from mortality.coding.words import key_words, text_words

VIETNAMESE = st.text(
    alphabet="aăâbcdđeêghiklmnoôơpqrstuưvxyàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ ", max_size=40
)


@given(VIETNAMESE)
def test_composed_and_decomposed_text_have_one_key(text):
    assert accented_key(unicodedata.normalize("NFD", text)) == accented_key(text)


@given(VIETNAMESE)
def test_case_and_blanks_do_not_matter(text):
    assert folded_key(f"  {text.upper()} ") == folded_key(text)


@given(VIETNAMESE)
def test_text_without_marks_reaches_the_same_folded_key(text):
    short = {tuple(map(fold, key_words(written))) for written in text_words().abbreviations}
    bare = tuple(map(fold, key_words(text)))
    assume(not any(bare[a:b] in short for a in range(len(bare)) for b in range(a, len(bare) + 1)))  # "cà" is no "ca"
    assert folded_key(fold(text)) == folded_key(text)


@given(VIETNAMESE)
def test_folding_leaves_no_marks(text):
    assert not has_accents(fold(text))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hoà", "hòa"),
        ("thuỷ đậu", "thủy đậu"),
        ("đột quỵ", "đột quị"),
        ("K gan", "ung thư gan"),
        ("TBMMN", "tai biến mạch máu não"),
        ("THA", "tăng huyết áp"),
        ("ĐTĐ", "đái tháo đường"),
        ("viêm-phổi.", "viêm phổi"),
        ("xơ gan mãn", "xơ gan mạn"),
    ],
)
def test_spellings_and_abbreviations_of_one_thing_have_one_key(one, other):
    assert folded_key(one) == folded_key(other)


def test_k_ro_means_unknown_not_cancer():
    assert accented_key("k rõ") == "không rõ"


def test_words_that_differ_in_marks_stay_apart_where_marks_are_written():
    assert accented_key("bệnh than") != accented_key("bệnh thận")


@pytest.mark.parametrize(
    ("text", "causes"),
    [
        ("suy tim do tăng huyết áp", ["tăng huyết áp", "suy tim"]),
        ("viêm phổi sau tai biến", ["tai biến", "viêm phổi"]),
        ("tiểu đường biến chứng suy thận", ["tiểu đường", "suy thận"]),
        ("suy thận biến chứng của tiểu đường", ["tiểu đường", "suy thận"]),
        ("xơ gan + lao phổi", ["xơ gan", "lao phổi"]),
        ("sởi → viêm phổi", ["sởi", "viêm phổi"]),
        ("viêm phổi, suy tim; già yếu", ["viêm phổi", "suy tim", "già yếu"]),
        ("đuối nước", ["đuối nước"]),
    ],
)
def test_the_cause_that_started_it_comes_first(text, causes):
    found = [cause for cause, _ in split_causes(text)]
    assert found == causes

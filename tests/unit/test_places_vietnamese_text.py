"""One key for every way of writing the same Vietnamese word."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.reference.vietnamese_text import fold, fold_series, to_nfc


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hòa Bình", "Hoà Bình"),
        ("Thủy", "Thuỷ"),
        ("ĐẮK LẮK", "đắk lắk"),
        ("Ðà Nẵng", "Đà Nẵng"),
        ("  Cần\u00a0 Thơ ", "Cần Thơ"),
        ("Ea H’Leo", "Ea H'leo"),
        ("Bà Rịa – Vũng Tàu", "Bà Rịa - Vũng Tàu"),
        (unicodedata.normalize("NFD", "Quảng Ngãi"), "Quảng Ngãi"),
        ("Đi\u200bện Biên", "Điện Biên"),
    ],
)
def test_two_ways_of_writing_one_word_have_one_key(one, other):
    assert fold(one) == fold(other)


def test_the_key_is_plain_lower_case():
    assert fold("Thừa Thiên Huế") == "thua thien hue"
    assert fold("ĐƯỜNG Số 1") == "duong so 1"


def test_words_that_differ_by_letters_keep_different_keys():
    assert fold("tai") != fold("tay")
    assert fold("Tân An") != fold("Tân Ân Đông")


@given(st.text())
def test_folding_twice_is_folding_once_and_composition_does_not_matter(text):
    assert fold(fold(text)) == fold(text)
    assert fold(unicodedata.normalize("NFC", text)) == fold(unicodedata.normalize("NFD", text))


def test_a_column_folds_like_its_texts_and_keeps_gaps_index_and_name():
    column = pd.Series(["Hà Nội", None, "HÀ NỘI", ""], index=[5, 5, 7, 8], name="tỉnh")
    folded = fold_series(column)
    assert folded[folded.notna()].tolist() == ["ha noi", "ha noi", ""]
    assert folded.isna().tolist() == [False, True, False, False]
    assert folded.index.tolist() == [5, 5, 7, 8]
    assert folded.name == "tỉnh"


def test_an_empty_column_stays_empty():
    assert fold_series(pd.Series([], dtype="str")).empty


def test_composed_text_is_what_is_stored():
    decomposed = unicodedata.normalize("NFD", "Quảng Ngãi")
    assert to_nfc(pd.Series([decomposed, None])).tolist()[0] == "Quảng Ngãi"

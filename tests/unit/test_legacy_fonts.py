"""Legacy Vietnamese fonts become Unicode; everything else stays as it is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tkyt_analysis.ingest.legacy_fonts import (
    ENCODINGS,
    LegacyFont,
    decode,
    detect_legacy_font,
    encode,
    is_vietnamese_syllable,
    read_text,
    to_unicode,
)
from tkyt_analysis.ingest.text_repair import repair_texts

TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
SMALL = {unicodedata.normalize("NFC", vowel + tone) for vowel in "aăâeêioôơuưy" for tone in TONES} - set("aeiouy")
LETTERS = sorted(SMALL | {"đ"} | {letter.upper() for letter in SMALL | {"đ"}})
WORDS = (
    "Nguyễn Trần Lê Phạm Huỳnh Hoàng Võ Đặng Bùi Thị Văn Đức Tú Hoà Hòa Thuý Quỳnh già yếu tai biến mạch máu não ung thư gan "
    "đuối nước xã huyện tỉnh tháng năm ngày chết do bệnh phổi tắc nghẽn mạn tính cổ tử cung thượng hạ nghiệp quốc giêng oằn"
)
SYLLABLES = WORDS.split()
ENGLISH = [
    "café",
    "Müller",
    "São Paulo",
    "naïve",
    "résumé",
    "Köln",
    "José",
    "25 °C",
    "m²",
    "© 2024",
    "µg",
    "où",
    "más años",
    "Zoë",
]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_all_134_vietnamese_letters_survive_the_way_there_and_back(encoding):
    assert len(LETTERS) == 134
    assert {letter: decode(encode(letter, encoding), encoding) for letter in LETTERS} == dict(zip(LETTERS, LETTERS))


@pytest.mark.parametrize(
    ("written", "encoding", "meant"),
    [
        ("Céng hoµ x· héi chñ nghÜa ViÖt Nam", "tcvn3", "Cộng hoà xã hội chủ nghĩa Việt Nam"),
        ("Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam", "vni", "Cộng hòa xã hội chủ nghĩa Việt Nam"),
        ("NguyÔn V¨n §øc", "tcvn3", "Nguyễn Văn Đức"),
        ("Tai bieán maïch maùu naõo", "vni", "Tai biến mạch máu não"),
        ("TRAÀN THÒ HÖÔNG", "vni", "TRẦN THỊ HƯƠNG"),
        ("n­íc ®é", "tcvn3", "nước độ"),  # ư of TCVN3 is the soft hyphen
    ],
)
def test_a_text_of_two_legacy_words_is_converted_by_itself(written, encoding, meant):
    assert read_text(written).encoding == encoding
    assert to_unicode(written, LegacyFont("", 1.0)) == meant


def test_one_legacy_word_alone_is_not_enough_but_the_sheet_around_it_is():
    alone = "Tó"  # Tú in TCVN3, and a good syllable as it stands
    sheet = ["NguyÔn V¨n §øc", "TrÇn ThÞ L·", "Hä vµ tªn", alone]
    assert to_unicode(alone, detect_legacy_font([alone])) == "Tó"
    assert to_unicode(alone, detect_legacy_font(sheet)) == "Tú"


def test_good_unicode_within_a_legacy_sheet_stays():
    font = detect_legacy_font(["NguyÔn V¨n §øc", "TrÇn ThÞ L·", "Hä vµ tªn", "Ngµy chÕt", "X· B×nh Ch©u"])
    assert font.encoding == "tcvn3"
    assert to_unicode("Nguyễn Thị Lụa", font) == "Nguyễn Thị Lụa"


@given(st.lists(st.sampled_from(SYLLABLES), min_size=1, max_size=8), st.integers(0, 2))
def test_vietnamese_that_is_unicode_already_is_never_changed(words, case):
    text = [str, str.upper, str.title][case](" ".join(words))
    assert to_unicode(text, detect_legacy_font([text])) == text


@given(st.lists(st.sampled_from([*ENGLISH, "death", "register", "total", "12", "N/A"]), min_size=1, max_size=4))
def test_text_of_other_languages_is_never_changed(words):
    text = " ".join(words)
    assert to_unicode(text, detect_legacy_font([text])) == text


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=40))
def test_plain_latin_text_is_never_changed(text):
    assert all(to_unicode(text, LegacyFont(encoding, 1.0)) == text for encoding in ("", *ENCODINGS))


MARKED = [word for word in SYLLABLES if not word.isascii()]


@given(st.lists(st.sampled_from(MARKED), min_size=3, max_size=8, unique_by=str.lower), st.sampled_from(ENCODINGS))
def test_whatever_a_legacy_font_stores_comes_back(words, encoding):
    text = " ".join(words).lower()
    stored = encode(text, encoding)
    # Few words can be read in either font; then nothing is done, or the sheet decides: never a third text.
    assert to_unicode(stored, detect_legacy_font([stored])) in (text, stored)
    assert to_unicode(stored, LegacyFont(encoding, 1.0)) == text


def test_syllables_follow_the_spelling_rules():
    assert all(is_vietnamese_syllable(word) for word in SYLLABLES)
    assert not any(map(is_vietnamese_syllable, ["Céng", "héi", "ViÖt", "cế", "ngế", "tóp̀", "bạcf", "xyz", "tàc"]))


def test_repair_says_what_it_did_to_each_text():
    texts = [
        "Nguyễn Văn A",
        unicodedata.normalize("NFD", "Tai biến"),
        "Tr\u00a0à",
        "\u200bK gan",
        "  Già  yếu ",
        "TrÇn V¨n §øc",
    ]
    work = repair_texts(texts)
    assert work["repaired"].tolist() == ["Nguyễn Văn A", "Tai biến", "Tr à", "K gan", "Già yếu", "Trần Văn Đức"]
    assert work["note"].tolist() == [
        "", "note.text_composed", "note.invisible_characters_removed", "note.invisible_characters_removed",
        "note.spaces_trimmed", "note.legacy_font_converted",
    ]  # fmt: skip

"""Letters of Vietnamese text: composed form, place of the tone, i/y, signs of poor scans, text without marks."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_OUTER_TONE = {"oà": "òa", "oá": "óa", "oả": "ỏa", "oã": "õa", "oạ": "ọa", "oè": "òe", "oé": "óe", "oẻ": "ỏe"}
_OUTER_TONE |= {"oẽ": "õe", "oẹ": "ọe", "uỳ": "ùy", "uý": "úy", "uỷ": "ủy", "uỹ": "ũy", "uỵ": "ụy"}
_TONE_AT_END = re.compile(r"(?<!q)(" + "|".join(_OUTER_TONE) + r")\b")
_Y_TO_I = str.maketrans("yỳýỷỹỵ", "iìíỉĩị")
_SINGLE_Y = re.compile(r"\b((?:[bcdghklmnpqrstvx]|th|ch|qu|tr|nh)+)([yỳýỷỹỵ])\b")
_BLANKS = re.compile(r"\s+")
_INVISIBLE = re.compile("[\u200b-\u200f\u2060\ufeff\u00ad]")
_DIGIT_AS_LETTER = re.compile(r"(?<=[^\W\d_])[01|](?=[^\W\d_])|(?<=\b[ktlb])0(?=\w*\b)")
_LETTER_OF_DIGIT = {"0": "o", "1": "i", "|": "l"}
_RESULT = re.compile(r"\(\s*(\++|[-–])\s*\)")
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")


def fold(text: str) -> str:
    """The text without diacritics, đ as d: "Đột quỵ" → "Dot quy"."""
    if text.isascii():
        return text
    bare = "".join(mark for mark in unicodedata.normalize("NFD", text) if not unicodedata.combining(mark))
    return unicodedata.normalize("NFC", bare.replace("đ", "d").replace("Đ", "D"))


@lru_cache(maxsize=50_000)
def fold_word(word: str) -> str:
    """`fold` of one word, remembered."""
    return fold(word)


@lru_cache(maxsize=50_000)
def without_tone(word: str) -> str:
    """The word without its tone but with its letters: "mạch" and "mạnh" stay apart, "phối" and "phổi" meet."""
    return unicodedata.normalize("NFC", _TONES.sub("", unicodedata.normalize("NFD", word)))


def has_accents(text: str) -> bool:
    """True where the text carries any Vietnamese mark, so that its marks mean something."""
    composed = unicodedata.normalize("NFC", text)
    return not composed.isascii() and fold(composed) != composed


def _read_scan_signs(text: str) -> str:
    """Digits that a scan or a quick hand put in place of letters: "k0 rõ" → "ko rõ", "ph0i" → "phoi"."""
    if not any(sign in text for sign in "01|"):
        return text
    return _DIGIT_AS_LETTER.sub(lambda match: _LETTER_OF_DIGIT[match.group(0)], text)


def _read_results(text: str) -> str:
    """Results of tests in signs: "BK (+)" is positive, "(-)" negative."""
    if "(" not in text:
        return text
    positive, negative = (" duong tinh ", " am tinh ") if text.isascii() else (" dương tính ", " âm tính ")
    return _RESULT.sub(lambda match: positive if match.group(1)[0] == "+" else negative, text)


@lru_cache(maxsize=4096)
def accented_letters(text: str) -> str:
    """NFC, lower case, tone on the older place (hoà → hòa), single y as i (quỵ → quị), one blank between words."""
    composed = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    lower = _read_scan_signs(_BLANKS.sub(" ", _read_results(composed.lower())).strip())
    if lower.isascii():
        return _SINGLE_Y.sub(lambda match: match.group(1) + match.group(2).translate(_Y_TO_I), lower)
    placed = _TONE_AT_END.sub(lambda match: _OUTER_TONE[match.group(1)], lower)
    return _SINGLE_Y.sub(lambda match: match.group(1) + match.group(2).translate(_Y_TO_I), placed)

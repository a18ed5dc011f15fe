"""Vietnamese text as the old fonts store it: TCVN3 (ABC) and VNI-Windows, as Latin-1 characters.

Source: TCVN 5712:1993 (VN3, lower-case letters; capitals with a tone share the code of the small letter and
are shown by a capitals font) and the VNI-Windows table, both as published; TCVN checked against glibc iconv.
"""

from __future__ import annotations

import unicodedata

_TCVN3 = {
    "ă": 0xA8, "â": 0xA9, "ê": 0xAA, "ô": 0xAB, "ơ": 0xAC, "ư": 0xAD, "đ": 0xAE,
    "Ă": 0xA1, "Â": 0xA2, "Ê": 0xA3, "Ô": 0xA4, "Ơ": 0xA5, "Ư": 0xA6, "Đ": 0xA7,
    "à": 0xB5, "ả": 0xB6, "ã": 0xB7, "á": 0xB8, "ạ": 0xB9,
    "ằ": 0xBB, "ẳ": 0xBC, "ẵ": 0xBD, "ắ": 0xBE, "ặ": 0xC6,
    "ầ": 0xC7, "ẩ": 0xC8, "ẫ": 0xC9, "ấ": 0xCA, "ậ": 0xCB,
    "è": 0xCC, "ẻ": 0xCE, "ẽ": 0xCF, "é": 0xD0, "ẹ": 0xD1,
    "ề": 0xD2, "ể": 0xD3, "ễ": 0xD4, "ế": 0xD5, "ệ": 0xD6,
    "ì": 0xD7, "ỉ": 0xD8, "ĩ": 0xDC, "í": 0xDD, "ị": 0xDE,
    "ò": 0xDF, "ỏ": 0xE1, "õ": 0xE2, "ó": 0xE3, "ọ": 0xE4,
    "ồ": 0xE5, "ổ": 0xE6, "ỗ": 0xE7, "ố": 0xE8, "ộ": 0xE9,
    "ờ": 0xEA, "ở": 0xEB, "ỡ": 0xEC, "ớ": 0xED, "ợ": 0xEE,
    "ù": 0xEF, "ủ": 0xF1, "ũ": 0xF2, "ú": 0xF3, "ụ": 0xF4,
    "ừ": 0xF5, "ử": 0xF6, "ữ": 0xF7, "ứ": 0xF8, "ự": 0xF9,
    "ỳ": 0xFA, "ỷ": 0xFB, "ỹ": 0xFC, "ý": 0xFD, "ỵ": 0xFE,
}  # fmt: skip

_VNI_BASE = {"ơ": "ô", "ư": "ö", "đ": "ñ"}
_VNI_SINGLE = {"í": "í", "ì": "ì", "ỉ": "æ", "ĩ": "ó", "ị": "ò", "ỵ": "î"}
_VNI_TONE = {"\u0301": "ù", "\u0300": "ø", "\u0309": "û", "\u0303": "õ", "\u0323": "ï"}
_VNI_CIRCUMFLEX = {"": "â", "\u0301": "á", "\u0300": "à", "\u0309": "å", "\u0303": "ã", "\u0323": "ä"}
_VNI_BREVE = {"": "ê", "\u0301": "é", "\u0300": "è", "\u0309": "ú", "\u0303": "ü", "\u0323": "ë"}


def to_tcvn3(text: str) -> str:
    """Text as a TCVN3 (ABC) font stores it; toned capitals come out as small letters, as they do in life."""
    text = unicodedata.normalize("NFC", text)
    return "".join(_tcvn3_letter(letter) for letter in text)


def _tcvn3_letter(letter: str) -> str:
    code = _TCVN3.get(letter) or _TCVN3.get(letter.lower())
    return chr(code) if code else letter


def to_vni(text: str) -> str:
    """Text as a VNI-Windows font stores it: base letter followed by a second character for its marks."""
    return "".join(_vni_letter(letter) for letter in unicodedata.normalize("NFC", text))


def _vni_letter(letter: str) -> str:
    small = letter.lower()
    written = _vni_small(small)
    return written if letter == small else written.upper()


def _vni_small(letter: str) -> str:
    if letter in _VNI_SINGLE:
        return _VNI_SINGLE[letter]
    if letter in _VNI_BASE:
        return _VNI_BASE[letter]
    parts = unicodedata.normalize("NFD", letter)
    base, marks = parts[0], parts[1:]
    if not marks:
        return letter
    tone = next((mark for mark in marks if mark in _VNI_TONE), "")
    if "\u0302" in marks:
        return base + _VNI_CIRCUMFLEX[tone]
    if "\u0306" in marks:
        return base + _VNI_BREVE[tone]
    if "\u031b" in marks:
        return _VNI_BASE[unicodedata.normalize("NFC", base + "\u031b")] + _VNI_TONE[tone]
    return base + _VNI_TONE[tone] if tone else letter


def to_nfd(text: str) -> str:
    """Decomposed text: letters and marks as separate code points."""
    return unicodedata.normalize("NFD", text)


ENCODERS = {"TCVN3": to_tcvn3, "VNI": to_vni, "NFD": to_nfd}

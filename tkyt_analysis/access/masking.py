"""Numbers that lead to a person – ID cards, insurance, telephones – are masked in free text."""

from __future__ import annotations

import re

MASK = "…"
# Nine digits or more in a row (ID cards of 9 and 12 digits, insurance, telephones), or three to five groups of three or
# four ("0912 345 678", "079.099.000.123"). Dates and codes of units are shorter. Syntax that DuckDB reads too.
NUMBER_PATTERN = r"\d{9,}|\d{3,4}(?:[ .\-]\d{3,4}){2,4}"
_NUMBER = re.compile(NUMBER_PATTERN)


def mask_numbers(text: str) -> str:
    """The text with such numbers replaced by "…"."""
    return _NUMBER.sub(MASK, text)

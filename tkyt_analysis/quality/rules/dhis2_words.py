"""What DHIS2 calls operators, strategies, importance, levels and kinds of period, and what we call them.

Sources: dhis2/dhis2-docs src/developer/web-api/data-validation.md (operators, strategies); dhis2-core
DefaultExpressionService.getExpressionValue (missing values are 0 inside a side, the strategy decides whether the side has
a value) and ValidationUtilsTest (pairs).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256

from tkyt_analysis.catalog.entries import Missing, Severity

OPERATORS = {
    "equal_to": "==", "not_equal_to": "!=", "greater_than": ">", "greater_than_or_equal_to": ">=", "less_than": "<",
    "less_than_or_equal_to": "<=", "compulsory_pair": "compulsory_pair", "exclusive_pair": "exclusive_pair",
}  # fmt: skip
STRATEGIES: dict[str, Missing] = {
    "SKIP_IF_ANY_VALUE_MISSING": "skip_if_any_missing",
    "SKIP_IF_ALL_VALUES_MISSING": "skip_if_all_missing",
    "NEVER_SKIP": "never_skip",
}
SEVERITY: dict[str, Severity] = {"HIGH": "error", "MEDIUM": "warning", "LOW": "note"}
KINDS = {"Monthly": "month", "Quarterly": "quarter", "SixMonthly": "half", "Yearly": "year", "Weekly": "week"}
LEVELS = {1: "nation", 2: "province", 3: "district", 4: "commune", 5: "facility"}  # DHIS2 counts the nation as 1
UID = re.compile(r"[A-Za-z][A-Za-z0-9]{10}")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def reverse(words: Mapping[str, str]) -> dict[str, str]:
    """The other way round."""
    return {value: key for key, value in words.items()}


def uid_of(*parts: str) -> str:
    """A DHIS2 identifier that is the same in every export: a letter and ten letters or digits."""
    number = int(sha256("\x1f".join(parts).encode()).hexdigest(), 16)
    number, first = divmod(number, len(_LETTERS))
    text, signs = _LETTERS[first], _LETTERS + "0123456789"
    for _ in range(10):
        number, at = divmod(number, len(signs))
        text += signs[at]
    return text

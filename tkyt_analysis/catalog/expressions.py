"""Expressions of catalog entries over columns: comparisons, arithmetic, AND, OR, NOT, IS NULL. Nothing else passes.

They are run as SQL, so every word is looked at first: a column of the entry, a number, a text in single quotes, an
operator or one of the few words below. No function, no sub-query, no comment, no semicolon.
"""

from __future__ import annotations

import re

WORDS = {"and", "or", "not", "is", "null", "in", "between", "coalesce", "abs", "least", "greatest"}
_TOKEN = re.compile(
    r"\s+|(?P<name>[A-Za-z_]\w*)|\d+(?:\.\d+)?|'(?:[^']|'')*'|<=|>=|<>|!=|[=<>+*/(),]|-(?!-)|(?P<other>.)", re.DOTALL
)


def unknown_words(expression: str, columns: set[str]) -> list[str]:
    """What in an expression is neither a column nor a word of the language; empty for a good one."""
    found = []
    for token in _TOKEN.finditer(expression):
        name, other = token["name"], token["other"]
        if other or (name and name not in columns and name.lower() not in WORDS):
            found.append(name or other)
    return found


def names_in(expression: str) -> list[str]:
    """The columns that an expression names, in the order of their first mention."""
    names = (token["name"] for token in _TOKEN.finditer(re.sub(r"'(?:[^']|'')*'", "''", expression)))
    return list(dict.fromkeys(name for name in names if name and name.lower() not in WORDS))

"""Findings of the edits in words: what a check is called, and a sentence for each finding."""

from __future__ import annotations

from functools import cache

import pandas as pd

from mortality.validation import edit_lists
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.labels import current_language, format_number, label


@cache
def titles(country: str, language: str) -> dict[str, str]:
    """{check: its title} of every check."""
    own = read_codelist("edit_checks").set_index("check")[f"title_{language}"].to_dict()
    lines: tuple[edit_lists.Limit | edit_lists.RareCause, ...] = (
        *edit_lists.limits(country),
        *edit_lists.rare_causes(country),
    )
    return {**own, **{line.check: line.title[language] for line in lines}}


def with_sentences(findings: pd.DataFrame, *, country: str = "VN", language: str | None = None) -> pd.DataFrame:
    """The findings of `edit_certificates` with a column `sentence` in the language that is asked for."""
    known = titles(country, language or current_language())
    parts = ["check", "code", "value", "upper", "suggestion"]
    said = [
        _sentence(known[row[0]], *row, language=language) for row in findings[parts].itertuples(index=False, name=None)
    ]
    return findings.assign(sentence=pd.Series(said, index=findings.index, dtype="str"))


def _sentence(
    title: str, check: str, code: str, value: float, upper: float, suggestion: str, *, language: str | None
) -> str:
    number = "" if value != value else format_number(round(value, 1), 0 if value == int(value) else 1, language)
    if check == "INTERVAL":
        limit = format_number(round(upper, 1), 0 if upper == int(upper) else 1, language)
        said = label("edit.sentence.interval", language, title=title, value=number, upper=limit)
    elif code:
        key = "edit.sentence.code_age" if number else "edit.sentence.code"
        said = label(key, language, title=title, code=code, **({"value": number} if number else {}))
    elif number:
        said = label("edit.sentence.age", language, title=title, value=number)
    else:
        said = label("edit.sentence.record", language, title=title)
    return label("edit.sentence.suggestion", language, sentence=said, suggestion=suggestion) if suggestion else said

"""What a question says to the unit: what was found, and what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.correction.cells import parse_fields
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.summary import sentence
from tkyt_analysis.labels import label
from tkyt_analysis.quality.findings import finding_question

_SENTENCE = re.compile(r"(?<=[.?!])\s+(?=[A-ZĐÀ-Ỹ])")
_TO_DO = re.compile(r"(?:hãy|cần|nếu|xin)\b", re.IGNORECASE)


def said_and_to_do(question: Mapping[str, Any], *, unit: str) -> tuple[str, str]:
    """(what was found, what to do) in words."""
    if question["source"] == "finding":
        return _finding_text(question, unit), label("correction.todo.finding")
    place = {
        "sheet": "", "row_number": None, "column_name": question["column_name"], "value": question["value"],
        "fields": question["fields"],
    }  # fmt: skip
    text = _without_place(sentence(question["reason"], place), question)
    parts = _SENTENCE.split(text)
    to_do = [part for part in parts if _TO_DO.match(part)]
    said = [part for part in parts if part not in to_do]
    return " ".join(said) or text, " ".join(to_do) or label(f"correction.todo.{question['source']}")


def _without_place(text: str, question: Mapping[str, Any]) -> str:
    """The sentence without "cột X: " in front: the list and the comment say the place themselves."""
    start = label("where.column_name", None, value=question["column_name"])
    return text.removeprefix(f"{start}: ") if question["column_name"] else text


def _finding_text(question: Mapping[str, Any], unit: str) -> str:
    fields = parse_fields(question["fields"])
    try:
        rule = load_entry("rules", question["reason"])
    except InputError:
        return str(question["reason"])
    return finding_question(rule, fields | {"period_id": question["period_id"]}, unit=unit)


def severity_word(severity: str) -> str:
    """The mark and the word of a severity: told apart without colour."""
    return label(f"correction.severity.{severity}")

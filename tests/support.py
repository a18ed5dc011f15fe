"""Helpers that several tests share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule

REPOSITORY = Path(__file__).resolve().parent.parent


def reference_path(*parts: str) -> Path:
    """A file of the reference data beside the project; the test is skipped where it is absent."""
    root = Path(os.environ.get("TKYT_REFERENCE") or REPOSITORY.parent / "shared" / "reference")
    path = root.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference data are absent: {path} (set TKYT_REFERENCE)")
    return path


def probability_base_path() -> Path:
    """The file of InterVA-5's probability base; the test is skipped where nobody installed it (`make test` does)."""
    from mortality.verbal_autopsy.probability_base import find_probability_base

    path = find_probability_base()
    if path is None:
        pytest.skip("the optional package vacheck, which carries the probability base, is not installed")
    return path


def table(text: str) -> pd.DataFrame:
    """A drawn table: columns split by "|", numbers as numbers, codes with a leading zero as text."""
    lines = [line.strip() for line in text.strip().splitlines()]
    header, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    frame = pd.DataFrame(rows, columns=header)
    for name in frame.columns:
        as_text = frame[name].str.match(r"^0\d")
        if not as_text.any():
            try:
                frame[name] = pd.to_numeric(frame[name])
            except ValueError:
                continue
    return frame


def rule_like(**parts: Any) -> Rule:
    """A rule with what a test says, and plain words for the rest."""
    from tkyt_analysis.catalog.entries import Rule

    words = {"vi": "Câu hỏi", "en": "Question"}
    given = {"version": 1, "title": words, "question": words, "severity": "warning", "kind": "python", "level": ()}
    return Rule(**(given | {"owner": "test", "source": "test", "function": "any"} | parts))

"""The words for what may have happened to a value."""

from __future__ import annotations

from tkyt_analysis.labels import label


def explanation_title(explanation: str, language: str | None = None) -> str:
    """The words for an explanation (`extra_digit`, `blank_as_zero`, …)."""
    return label(f"explanation.{explanation}", language)

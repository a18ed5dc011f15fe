"""What to say about a checked panel: how much was judged, what was found, and what is odd about the file."""

from __future__ import annotations

from typing import Any

from tkyt_analysis.labels import format_number, label

_SHOWN = 5


def sentences(summary: dict[str, Any], language: str | None = None) -> list[str]:
    """The summary of `check_panel` in words, one sentence per line."""
    counts = {
        name: format_number(summary[name], 0, language)
        for name in ("rows", "units", "periods", "indicators", "values", "assessable", "asked", "empty_periods")
    }
    share = summary["assessable"] / summary["values"] if summary["values"] else 0.0
    false = format_number(summary["expected_false_alarms"], 1, language)
    lines = [
        label("panel.summary.read", language, **counts),
        label("panel.summary.judged", language, share=format_number(100 * share, 1, language), **counts),
        label("panel.summary.asked", language, false=false, **counts),
    ]
    if summary["empty_periods"]:
        lines.append(label("panel.summary.empty", language, **counts))
    return lines + _oddities(summary, language)


def _oddities(summary: dict[str, Any], language: str | None) -> list[str]:
    lines = []
    if names := summary["names_with_blanks"]:
        shown = ", ".join(f"“{name}”" for name in names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
        lines.append(label("panel.summary.blanks", language, count=format_number(len(names), 0, language), names=shown))
    for name, rows in (("fractions", "fraction_rows"), ("unreadable_values", "unreadable_rows")):
        if summary[name]:
            lines.append(
                label(
                    f"panel.summary.{name}",
                    language,
                    count=format_number(summary[name], 0, language),
                    rows=", ".join(map(str, summary[rows])) + (" …" if summary[name] > len(summary[rows]) else ""),
                )
            )
    for name in ("negative_values", "repeated_rows"):
        if summary[name]:
            lines.append(label(f"panel.summary.{name}", language, count=format_number(summary[name], 0, language)))
    if summary["decimal_comma"]:
        lines.append(label("panel.summary.decimal_comma", language))
    return lines

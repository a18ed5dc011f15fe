"""A form in words and figures: what `tkyt form list` and `tkyt form show` say of it."""

from __future__ import annotations

from typing import Any

from tkyt_analysis.forms.find import FormAt
from tkyt_analysis.forms.guide import rule_sentences, unverified_sentences
from tkyt_analysis.forms.lines import form_cells, form_columns, form_lines
from tkyt_analysis.forms.plan import plan_sheet
from tkyt_analysis.labels import current_language, format_date, label


def summary(found: FormAt) -> dict[str, Any]:
    """One line of the list: id, code, title, level, days in force, circular, kinds of period, cells, marks."""
    form, version = found.form, found.version
    return {
        "form": form.id,
        "code": found.code,
        "title": form.title[current_language()],
        "level": form.level,
        "from": f"{found.start:%Y-%m-%d}",
        "to": f"{version.to:%Y-%m-%d}" if version.to else None,
        "regime": version.regime,
        "period_kinds": list(version.period_kinds),
        "layout": version.layout,
        "cells": len(form_cells(version)) if version.cells_known and version.layout != "list" else None,
        "columns": len(form_columns(version)),
        "cells_known": version.cells_known,
        "unverified": found.unverified,
    }


def details(found: FormAt) -> dict[str, Any]:
    """Everything of a version: the summary, source, deadline, cells, rules and what is not certain."""
    form, version, language = found.form, found.version, current_language()
    lines = form_lines(version) if version.rows or version.total_row else []
    return summary(found) | {
        "reference": version.reference,
        "document": found.regime.document if found.regime else None,
        "reporters": form.reporters[language] if form.reporters else None,
        "receiver": version.receiver[language] if version.receiver else None,
        "deadline": deadline_words(found),
        "due_dates": {period: f"{day:%Y-%m-%d}" for period, day in version.due_dates.items()},
        "windows": {period: [str(one.from_), str(one.to)] for period, one in version.windows.items()},
        "rows": [
            {
                "row": line.row, "number": line.number, "unit": line.unit, "kind": line.value,
                "label": line.label if language == "vi" or not line.label_en else line.label_en,
                "unverified": line.unverified,
            }
            for line in lines
        ],
        "column_ids": [
            {"column": one.id, "title": one.title[language], "kind": one.value} for one in form_columns(version)
        ],
        "rules": rule_sentences(plan_sheet(found), language),
        "doubts": unverified_sentences(plan_sheet(found), language),
        "notes": form.notes[language] if form.notes else None,
    }  # fmt: skip


def deadline_words(found: FormAt) -> str:
    """The deadline of the form in words, without a period."""
    version = found.version
    if version.deadline_days is None:
        return label("forms.deadline.unknown")
    return label(f"forms.deadline.{version.deadline_kind}", days=version.deadline_days)


def in_force_words(found: FormAt) -> str:
    """ "01/07/2025 – 28/02/2027"."""
    if found.version.to is None:
        return label("forms.span_open", start=format_date(found.start))
    return label("forms.span", start=format_date(found.start), end=format_date(found.version.to))

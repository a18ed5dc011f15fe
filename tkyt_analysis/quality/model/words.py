"""The words for what may have happened to a value, and the reason for a verdict as a sentence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.labels import format_number, label

_BY_VERDICT = ("cumulative", "repeated", "missing_or_zero", "shock")


def explanation_title(explanation: str, language: str | None = None) -> str:
    """The words for an explanation (`extra_digit`, `blank_as_zero`, …)."""
    return label(f"explanation.{explanation}", language)


def reason_for(rows: pd.DataFrame, language: str | None = None) -> list[str]:
    """One sentence per row: what is odd and what it probably should be; "" for values that are in order.

    rows : value, expected, others, verdict, explanation, suggested, problem, written
    """
    reasons = np.full(len(rows), "", dtype=object)
    empty = (rows["problem"] == "no_report").to_numpy()
    reasons[empty] = label("panel.problem.no_report", language, written="")
    wanted = (rows["verdict"].to_numpy() != "ok") & ~empty
    names = ["value", "expected", "others", "verdict", "explanation", "suggested", "problem", "written"]
    columns = [rows.loc[wanted, name].tolist() for name in names]
    reasons[wanted] = [_sentence(dict(zip(names, one)), language) for one in zip(*columns)]
    return list(reasons)


def _sentence(row: dict[str, object], language: str | None) -> str:
    verdict, explanation = str(row["verdict"]), str(row["explanation"])
    if verdict == "not_assessable":
        return _not_assessable(row, language)
    fields = {name: _figure(row[name], language) for name in ("value", "expected", "suggested")}
    if verdict in _BY_VERDICT:
        key = verdict
    else:
        key = explanation if fields["suggested"] != "–" else verdict
    return label(f"panel.reason.{key}", language, **fields, ratio=_ratio(row, language))


def _not_assessable(row: dict[str, object], language: str | None) -> str:
    if row["problem"]:
        return label(f"panel.problem.{row['problem']}", language, written=str(row["written"]).strip())
    if row["value"] != row["value"]:
        return label("panel.problem.no_report", language, written="")
    return label("panel.problem.too_few", language, others=_figure(row["others"], language))


def _ratio(row: dict[str, object], language: str | None) -> str:
    value, expected = float(str(row["value"])), float(str(row["expected"]))
    ratio = max(value, 0.5) / max(expected, 0.5)
    ratio = ratio if ratio >= 1 else 1 / ratio
    return format_number(ratio, 0 if ratio >= 10 else 1, language)


def _figure(number: object, language: str | None) -> str:
    number = float(str(number))
    if number != number:
        return "–"
    return format_number(number, 0 if number >= 10 or number.is_integer() else 1, language)

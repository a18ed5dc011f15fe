"""Figures, limits and verdicts in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from mortality.ten_steps.limits import GOOD, NOT_ASSESSABLE, REVIEW, TOO_FEW, Limit
from tkyt_analysis.labels import all_labels, format_number, label

SIGNS = {GOOD: "✓", REVIEW: "▲", NOT_ASSESSABLE: "○", "": "·"}
JOIN, SPACE = "\u2060", "\u00a0"  # an interval and a verdict stay on one line
PERCENT = "\u00a0%"
# figure → (what its number is multiplied by, decimals, sign behind it)
PLAIN = {
    "crude_death_rate": (1, 2, ""),
    "sex_ratio_15_59": (1, 1, ""),
    "rise_with_age": (1, 1, PERCENT),
    "life_expectancy": (1, 1, ""),
    "whipple": (1, 0, ""),
    "under_five_risk": (1, 1, ""),
    "ncd_cd_ratio": (1, 1, ""),
    "vspi_like": (1, 0, ""),
    "communicable_early": (100, 0, ""),
    "external_young": (100, 0, ""),
    "completeness_expected": (100, 0, PERCENT),
    "under_five_expected": (100, 0, PERCENT),
}  # fmt: skip
SHARE = (100, 1, PERCENT)
MAIN = {
    1: ("without_code",),
    2: ("completeness_lists", "completeness_adair_lopez"),
    3: ("rise_with_age",),
    4: ("age_dissimilarity",),
    5: ("under_five_expected",),
    6: ("noncommunicable_share",),
    7: ("noncommunicable_late",),
    8: ("garbage_among_leading",),
    9: ("garbage_share",),
    10: ("ill_defined_share",),
}


def figure_name(figure: str, language: str) -> str:
    """The name of a figure."""
    return label(f"ten_steps.figure.{figure}", language)


def number(figure: str, value: float, language: str, *, sign: bool = True) -> str:
    """A figure's number as it is shown: shares in per cent."""
    scale, decimals, unit = PLAIN.get(figure, SHARE)
    return format_number(scale * value, decimals, language) + (unit if sign and np.isfinite(value) else "")


def value_text(row: Mapping[str, Any], language: str, *, limit: Limit | None = None) -> str:
    """The value with its interval; where there is none, or it says nothing, the reason."""
    if row["status"] != "ok":
        return reason_text(str(row["reason"]), language)
    figure = str(row["figure"])
    value = number(figure, row["value"], language)
    if pd.notna(row["lower"]) and pd.notna(row["upper"]):
        low, high = (number(figure, row[name], language, sign=False) for name in ("lower", "upper"))
        value = f"{value} ({low}{JOIN}–{JOIN}{high})"
    if row["reason"] == TOO_FEW and limit:
        base, least = (format_number(one, 0, language) for one in (row["base"], limit.least))
        value += f" – {label('ten_steps.least', language, least=least, base=base)}"
    elif row["reason"]:
        value += f" – {reason_text(str(row['reason']), language)}"
    return value


def reason_text(reason: str, language: str) -> str:
    """Why there is no figure; what another table says in its own words counts as too few."""
    key = f"ten_steps.reason.{reason}"
    return label(key if key in all_labels() else "ten_steps.reason.too_few", language)


def limit_text(limit: Limit | None, language: str) -> str:
    """The limits of a figure."""
    if limit is None:
        return label("ten_steps.not_judged", language)
    low, high = (None if one is None else _edge(limit.figure, one, language) for one in (limit.low, limit.high))
    kind = "between" if low and high else "from" if low else "to"
    fields = {name: one for name, one in (("low", low), ("high", high)) if one}
    return label(f"ten_steps.limit.{kind}", language, **fields)


def _edge(figure: str, value: float, language: str) -> str:
    """A limit with no more decimals than it needs."""
    scale, decimals, unit = PLAIN.get(figure, SHARE)
    shown = round(scale * value, decimals)
    return format_number(shown, 0 if shown == round(shown) else decimals, language) + unit


def verdict_text(row: Mapping[str, Any], language: str) -> str:
    """A sign and the verdict in words, with a remark where the interval reaches over the limit."""
    verdict = str(row["verdict"])
    if not verdict:
        return "–"
    said = f"{SIGNS[verdict]} {label(f'ten_steps.verdict.{verdict}', language)}".replace(" ", SPACE)
    unsure = verdict != NOT_ASSESSABLE and not bool(row.get("sure", True))
    return f"{said} ({label('ten_steps.unsure', language)})" if unsure else said


def deciding_figure(figures: pd.DataFrame, step: int, verdict: str) -> pd.Series:
    """The figure that a step is shown by: its main one where that has the step's verdict, else the first one that has."""
    rows = figures[figures["step"] == step]
    same = rows[rows["verdict"] == verdict]
    main = same[same["figure"] == MAIN[step][0]]
    return (main if len(main) else same if len(same) else rows).iloc[0]

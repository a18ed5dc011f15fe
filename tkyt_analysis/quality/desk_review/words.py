"""What a result of the desk review means, in words made from the result."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from tkyt_analysis.labels import format_number, label

SHARES = ("1a", "1b", "1c", "2a", "2b", "2c")  # scores shown as percent
RATIOS = ("1d", "2d", "3a", "4a", "4b")  # scores compared with 1


def interpretation(row: Mapping[str, Any], language: str | None = None) -> str:
    """The sentences about one row of the table `desk_review`: what was found, who diverges, what chance explains, what is unknown."""
    if row["status"] != "ok":
        return label("desk_review.text.not_assessable", language, reason=reason_text(row["reason"], language))
    parts = [_lead(row, language), _units(row, language), _noise(row, language), _remarks(row, language)]
    return " ".join(part for part in parts if part)


def reason_text(reason: str, language: str | None = None) -> str:
    """Why something could not be judged."""
    return label(f"desk_review.reason.{reason or 'no_values'}", language)


def facts_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The figures behind the score."""
    return dict(json.loads(row["facts"] or "{}"))


def score_text(row: Mapping[str, Any], language: str | None = None) -> str:
    """The score as it is read: percent, or a ratio; "–" where there is none."""
    score = row["score"]
    if pd.isna(score):
        return "–"
    if row["metric"] in SHARES or facts_of(row).get("kind") == "do":
        return label("desk_review.percent", language, value=format_number(100 * score, 1, language))
    return format_number(score, 2, language)


def place_diverges(row: Mapping[str, Any]) -> bool | None:
    """Whether the place as a whole goes beyond the threshold; None where the metric does not say (outliers, level, no score)."""
    score, threshold, metric = row["score"], row["threshold"], row["metric"]
    kind = facts_of(row).get("kind")
    if pd.isna(score) or metric in ("2a", "2b", "2c") or kind == "level":
        return None
    if metric in ("1a", "1b", "1c"):
        return bool(score < threshold - 1e-12)
    if kind == "do":
        return bool(score < -threshold - 1e-12)
    if kind == "aGTb":
        return bool(score < 1 - threshold - 1e-12)
    return bool(abs(score - 1) > threshold + 1e-12)


def _lead(row: Mapping[str, Any], language: str | None) -> str:
    facts = facts_of(row)
    metric = f"2e_{facts['kind']}" if "kind" in facts else row["metric"]
    if pd.isna(row["score"]):
        return label("desk_review.text.no_score", language, reason=reason_text(row["reason"], language))
    return label(f"desk_review.text.{metric}", language, **_numbers(row, facts, language))


def _numbers(row: Mapping[str, Any], facts: Mapping[str, Any], language: str | None) -> dict[str, Any]:
    """Every field that a lead sentence may name, written as people write numbers."""
    threshold = float(row["threshold"])
    ratio = facts.get("ratio")
    shown = {name: _plain(value, language) for name, value in facts.items()}
    outside = place_diverges(row)
    return {
        **shown,
        "score": score_text(row, language),
        "ratio": format_number(ratio, 4 if row["metric"] == "4b" else 2, language),
        "of_nation": format_number(facts.get("of_nation"), 4, language),
        "limit": format_number(100 * threshold, 0, language),
        "strict": format_number(threshold, 1, language),
        "low": format_number(1 - threshold, 2, language),
        "high": format_number(1 + threshold, 2, language),
        "reaches": label("desk_review.below" if outside else "desk_review.reaches", language),
        "inside": label("desk_review.outside" if outside else "desk_review.inside", language),
        "source": facts.get("source") or "–",
        "estimate_year": int(facts["estimate_year"]) if facts.get("estimate_year") else "–",
    }


def _plain(value: Any, language: str | None) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    return format_number(value, 0 if float(value).is_integer() else 1, language)


def _units(row: Mapping[str, Any], language: str | None) -> str:
    """How many subunits diverge, and how many could not be judged."""
    subunits, diverging = int(row["subunits"]), int(row["diverging"])
    if row["metric"] == "4a":
        return ""
    if not subunits:
        return label("desk_review.text.no_subunits", language)
    key = "desk_review.text.some_diverge" if diverging else "desk_review.text.none_diverges"
    share = format_number(100 * diverging / subunits, 0, language)
    text = label(key, language, diverging=diverging, subunits=subunits, share=share)
    unknown = int(row["not_assessable"])
    return f"{text} {label('desk_review.text.units_unknown', language, count=unknown)}" if unknown else text


def _noise(row: Mapping[str, Any], language: str | None) -> str:
    diverging = int(row["diverging"])
    if pd.isna(row["beyond_noise"]) or not diverging:
        return ""
    beyond = int(row["beyond_noise"])
    if beyond == diverging:
        return label("desk_review.text.all_beyond_noise", language)
    if not beyond:
        return label("desk_review.text.all_noise", language)
    return label("desk_review.text.some_beyond_noise", language, beyond=beyond, rest=diverging - beyond)


def _remarks(row: Mapping[str, Any], language: str | None) -> str:
    facts, metric = facts_of(row), row["metric"]
    found = []
    if metric == "1a" and facts.get("above"):
        found.append(label("desk_review.text.above", language, count=facts["above"]))
    if metric == "1b" and facts.get("untimed"):
        found.append(label("desk_review.text.untimed", language, count=facts["untimed"]))
    if metric == "1c" and row["score"] > 1 + 1e-12:
        found.append(label("desk_review.text.above_values", language))
    if metric == "1c" and facts.get("no_zeros"):
        found.append(label("desk_review.text.no_zeros", language))
    return " ".join(found)


def names_text(row: Mapping[str, Any], language: str | None = None, *, most: int = 6) -> str:
    """The diverging units, the farthest first, "*" where counting noise does not explain it, and how many more there are."""
    listed = json.loads(row["names"] or "[]")
    shown = [one.get("name", one["unit"]) + ("*" if one["beyond_noise"] else "") for one in listed[:most]]
    more = int(row["diverging"]) - len(shown)
    if more > 0:
        shown.append(label("desk_review.and_more", language, count=more))
    return "; ".join(shown) or "–"

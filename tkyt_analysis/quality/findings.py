"""Findings: one row per problem, with an id that is the same in every run, and the score against planted truth."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import pandas as pd

from tkyt_analysis.labels import current_language, format_number, label
from tkyt_analysis.reference.periods import format_period

FINDING_COLUMNS = [
    "finding_id",
    "rule_id",
    "rule_version",
    "severity",
    "dataset_id",
    "unit_id",
    "period_id",
    "element_id",
    "category_id",
    "value",
    "expected",
    "lower",
    "upper",
    "verdict",
    "explanation",
    "probability",
    "suggested",
    "at_stake",
    "fields",
]
_TEXT = ["rule_id", "severity", "dataset_id", "unit_id", "period_id", "element_id", "category_id", "verdict",
         "explanation"]  # fmt: skip
_NUMBER = ["value", "expected", "lower", "upper", "probability", "suggested", "at_stake"]
# A year alone is left as it stands: it may be anything else as well.
_PERIOD_ID = re.compile(r"(?:19|20)\d\d(?:0[1-9]A?|1[0-2]A?|Q[1-4]|S[12]|C(?:3|6|9|12)|W[0-5]\d)")
_IDENTITY = ["rule_id", "rule_version", "dataset_id", "unit_id", "period_id", "element_id", "category_id"]


def no_findings() -> pd.DataFrame:
    """An empty table of findings."""
    return make_findings(pd.DataFrame({"unit_id": []}), rule_id="", severity="note")


def _fields_json(rows: pd.DataFrame, names: list[str]) -> list[str]:
    if not names or rows.empty:
        return ["{}"] * len(rows)
    records = rows[names].astype(object).where(rows[names].notna(), None).to_dict("records")
    return [json.dumps(record, ensure_ascii=False, sort_keys=True, default=str) for record in records]


def finding_ids(rows: pd.DataFrame, subject: pd.Series | None = None) -> pd.Series:
    """Sixteen hexadecimal digits of rule, version, data set, place, period, element and category.

    `subject` tells apart findings that share all of these (two duplicate persons in one commune-month).
    """
    parts = [rows[name].astype("str") for name in _IDENTITY]
    joined = parts[0].str.cat([*parts[1:], *([] if subject is None else [subject.astype("str")])], sep="\x1f")
    return joined.map(lambda text: sha256(text.encode()).hexdigest()[:16]).astype("str")


def make_findings(
    rows: pd.DataFrame,
    *,
    rule_id: str,
    severity: str,
    rule_version: int = 1,
    fields: list[str] | None = None,
    subject: str | None = None,
) -> pd.DataFrame:
    """Rows → findings with every column of the contract; columns absent from `rows` are empty.

    Parameters
    ----------
    rows : any of dataset_id, unit_id, period_id, element_id, category_id, value, expected, lower, upper, verdict,
        explanation (key of `explanation.<key>`: what probably happened), probability (that the value is an error, 0–1),
        suggested (value to ask about), at_stake (events that hang on it)
    fields : further columns of `rows` that the question to the unit names; kept as JSON
    subject : column that tells apart findings of the same place and period (a record key)
    """
    result = rows.reset_index(drop=True).copy()
    result["rule_id"], result["severity"], result["rule_version"] = rule_id, severity, rule_version
    for name in _TEXT:
        result[name] = (result[name] if name in result else pd.Series("", index=result.index)).fillna("").astype("str")
    for name in _NUMBER:
        result[name] = pd.to_numeric(result[name]) if name in result else np.nan
    result["fields"] = pd.Series(_fields_json(result, fields or []), index=result.index, dtype="str")
    result["finding_id"] = finding_ids(result, None if subject is None else result[subject])
    return result[FINDING_COLUMNS]


def finding_question(
    rule: Any,
    finding: Mapping[str, Any],
    *,
    unit: str,
    language: str | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """The question that a finding puts to its unit, in words: the rule's text with the finding's figures.

    `unit` is the unit's name; numbers are written as the language does. The text may name the finding's own fields; what a
    finding does not have is written "–". names : of units and elements by their ids, for ids among the fields.
    """
    language = language or current_language()
    given = _own_fields(finding) | {name: finding.get(name) for name in _NUMBER}
    known = names if names is not None else {}
    words = {name: known.get(str(value)) or _as_text(value, language) for name, value in given.items()}
    words |= {"unit": unit, "period": _as_text(str(finding.get("period_id", "")), language)}
    return rule.question[language].format_map(_Absent(words))


class _Absent(dict[str, str]):
    """Words of a question; one that is not there is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"


def _own_fields(finding: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a finding, whether they stand beside its columns or inside `fields` (JSON or already read)."""
    inside = finding.get("fields") or {}
    if isinstance(inside, str):
        inside = json.loads(inside)
    return {name: value for name, value in finding.items() if name != "fields"} | dict(inside)


def _as_text(value: Any, language: str) -> str:
    """A field as people read it: numbers as the language writes them, periods by their names."""
    if isinstance(value, str):
        return format_period(value, language) if _PERIOD_ID.fullmatch(value) else value
    if isinstance(value, np.number):
        value = value.item()
    if value is None or isinstance(value, int | float):
        return format_number(value, _decimals(value), language)
    return str(value)


def verdict_title(verdict: str, language: str | None = None) -> str:
    """The words for a verdict."""
    return label(f"verdict.{verdict}", language)


def _decimals(number: Any) -> int:
    return 0 if number is None or number != number or abs(number) >= 10 or float(number).is_integer() else 1


def score_findings(
    findings: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    kinds: list[str] | None = None,
    match: tuple[str, ...] = ("unit_id", "period_id", "element_id"),
) -> pd.DataFrame:
    """How many planted errors of each kind were found.

    Parameters
    ----------
    findings : rows of the finding table; those with verdict ok or not_assessable do not count
    truth : one row per planted error: id, kind, unit_id, period_id, element, true_value, shown_value, file, place_in_file
    kinds : the kinds that these findings claim to detect (default: all); errors of other kinds are still
        known, so that a finding on them is not called wrong
    match : columns by which a finding meets an error; a side that is empty there meets anything (a missing
        report has no element)

    Returns
    -------
    kind, planted, found, share (NaN where nothing was planted), flagged_other: findings that meet no planted
    error of any kind, the same number in every row (among them are true errors of the data as received).
    """
    planted = truth.rename(columns={"element": "element_id"})[["id", "kind", *match]].fillna("").astype("str")
    asked = findings.loc[~findings["verdict"].isin(["ok", "not_assessable"]), [*match]].fillna("").astype("str")
    asked = asked.drop_duplicates().reset_index(drop=True).rename_axis("finding").reset_index()
    met = meetings(planted.reset_index(drop=True), asked, match)
    shown = planted if kinds is None else planted[planted["kind"].isin(kinds)]
    table = shown.assign(found=shown["id"].isin(met["id"])).groupby("kind", sort=True)["found"].agg(["size", "sum"])
    table = table.reindex(sorted(set(kinds or shown["kind"])), fill_value=0)
    result = table.set_axis(["planted", "found"], axis=1).reset_index()
    share = result["found"] / result["planted"].where(result["planted"] > 0)
    return result.assign(share=share, flagged_other=len(asked) - met["finding"].nunique())


def meetings(planted: pd.DataFrame, asked: pd.DataFrame, match: tuple[str, ...]) -> pd.DataFrame:
    """(id, finding) pairs whose columns `match` agree where both are filled ("" meets anything), at least one of them.

    planted : id and the columns; asked : finding and the columns; all text
    """
    filled_planted, filled_asked = _filled(planted, match), _filled(asked, match)
    pairs = [pd.DataFrame({"id": [], "finding": []})]
    for one in filled_planted.unique():
        for other in filled_asked.unique():
            keys = [name for bit, name in enumerate(match) if one & other & (1 << bit)]
            if keys:
                left = planted.loc[filled_planted == one, ["id", *keys]]
                right = asked.loc[filled_asked == other, ["finding", *keys]]
                pairs.append(left.merge(right, on=keys)[["id", "finding"]])
    return pd.concat(pairs, ignore_index=True)


def _filled(rows: pd.DataFrame, match: tuple[str, ...]) -> pd.Series:
    """For each row the columns that are filled, as the bits of one number."""
    bits = sum((rows[name] != "").astype(int) * (1 << bit) for bit, name in enumerate(match))
    return pd.Series(bits, index=rows.index, dtype=int)

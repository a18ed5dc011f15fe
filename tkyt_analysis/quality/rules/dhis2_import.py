"""Validation rules of DHIS2 → rules of the catalog; what cannot be said in our language is listed with the reason."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from tkyt_analysis.catalog.entries import Missing, Rule, Text
from tkyt_analysis.catalog.language import DEFAULT_CATEGORY, Cells, written
from tkyt_analysis.catalog.language_parse import parse_number
from tkyt_analysis.catalog.rule_sides import rule_problems
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.quality.rules.dhis2_words import KINDS, LEVELS, OPERATORS, SEVERITY, STRATEGIES, UID

_ITEM = re.compile(r"(?P<kind>#|[A-Z]{1,3})\{(?P<inside>[^{}]*)\}(?P<after>\s*\.\s*\w+)?|\[days\]")
_DEEPEST = 4  # indicators inside indicators


@dataclass(frozen=True)
class Refused:
    """A rule that was not translated, and why in words."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class Imported:
    """What a metadata file gave."""

    rules: tuple[Rule, ...]
    refused: tuple[Refused, ...]


Word = TypeVar("Word", bound=str)


class _NotSayable(Exception):
    """Something of DHIS2 that our language does not have; the text is the reason."""


def read_metadata(path: Path) -> dict[str, Any]:
    """A metadata export with validation rules; a file without is an InputError."""
    import gzip

    try:
        raw = path.read_bytes()
        data = json.loads(gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw)
    except (OSError, EOFError, ValueError) as error:
        raise InputError("error.rule.metadata_unreadable", file=path.name, problem=str(error)[:120]) from error
    if not isinstance(data, dict) or not isinstance(data.get("validationRules"), list):
        found = ", ".join(sorted(data)[:12]) if isinstance(data, dict) else type(data).__name__
        raise InputError("error.rule.metadata_without_rules", file=path.name, found=found)
    return data


def import_rules(metadata: Mapping[str, Any], *, source: str) -> Imported:
    """The `validationRules` of a metadata export as rules of the catalog, in the order of the file.

    source : where they come from, kept in each rule. Constants, indicators and groups are taken from the same metadata.
    """
    rules, refused = [], []
    groups = _groups(metadata)
    for number, given in enumerate(metadata["validationRules"], 1):
        given = given if isinstance(given, dict) else {}
        uid, name = str(given.get("id") or f"#{number}"), str(given.get("name") or given.get("displayName") or "")
        try:
            rules.append(_rule(given, uid, name or uid, metadata, groups.get(uid, ()), source))
        except _NotSayable as reason:
            refused.append(Refused(uid, name, str(reason)))
        except InputError as error:
            refused.append(Refused(uid, name, str(error)))
    return Imported(tuple(rules), tuple(refused))


def metadata_of_warehouse(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Rows of `dhis2_validation_rule` as the metadata that they came from."""
    return {
        "validationRules": [
            {
                "id": row["rule_id"], "name": row["name"], "importance": row["importance"],
                "periodType": row["period_type"], "operator": row["operator"], "instruction": row["instruction"],
                "organisationUnitLevels": json.loads(row["levels"] or "[]"),
                "leftSide": {"expression": row["left_side"], "missingValueStrategy": row["left_missing"]},
                "rightSide": {"expression": row["right_side"], "missingValueStrategy": row["right_missing"]},
            }
            for row in rows
        ]
    }  # fmt: skip


def _groups(metadata: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """{rule uid: names of its groups}, from the groups and from the rules themselves."""
    found: dict[str, list[str]] = {}
    names = {one.get("id"): str(one.get("name", one.get("id"))) for one in metadata.get("validationRuleGroups") or []}
    for group in metadata.get("validationRuleGroups") or []:
        for member in group.get("validationRules") or []:
            found.setdefault(str(member.get("id")), []).append(names[group.get("id")])
    for rule in metadata["validationRules"]:
        for group in (rule.get("validationRuleGroups") or []) if isinstance(rule, dict) else []:
            found.setdefault(str(rule.get("id")), []).append(names.get(group.get("id"), str(group.get("name", ""))))
    return {uid: tuple(dict.fromkeys(name for name in several if name)) for uid, several in found.items()}


def _rule(
    given: Mapping[str, Any], uid: str, name: str, metadata: Mapping[str, Any], groups: tuple[str, ...], source: str
) -> Rule:
    if not UID.fullmatch(uid):
        raise _NotSayable(label("rule.dhis2.no_uid", found=uid))
    constants: dict[str, float] = {}
    left, left_missing, left_said = _side(given, "leftSide", metadata, constants)
    right, right_missing, right_said = _side(given, "rightSide", metadata, constants)
    instruction = str(given.get("instruction") or "")
    period_type = str(given.get("periodType") or "Monthly")
    further = {
        "kinds": [_word(KINDS, period_type, "periodType")],
        "instruction": instruction,
        "left_description": left_said,
        "right_description": right_said,
        "skip_form_validation": bool(given.get("skipFormValidation", False)),
    }
    said = _braces(instruction or str(given.get("description") or "") or name)
    rule = Rule(
        id=f"dhis2_{uid}",
        version=1,
        title=Text(name, name),
        question=Text(*(label("rule.dhis2.question", language, said=said) for language in ("vi", "en"))),
        severity=_word(SEVERITY, str(given.get("importance") or "MEDIUM"), "importance"),
        kind="expression",
        level=tuple(_level(one) for one in given.get("organisationUnitLevels") or []),
        owner="DHIS2",
        source=source,
        left=left,
        operator=_word(OPERATORS, str(given.get("operator") or "").lower(), "operator"),
        right=right,
        left_missing=left_missing,
        right_missing=right_missing,
        constants=constants,
        groups=groups,
        external_id=uid,
        parameters=further,
    )
    if problems := rule_problems(rule):
        key, name_of_label, about = problems[0]
        raise _NotSayable(label(name_of_label, file=uid, key=key, **about))
    return rule


def _word(words: Mapping[str, Word], found: str, key: str) -> Word:
    if found not in words:
        raise _NotSayable(label("rule.dhis2.unknown_word", key=key, found=found, known=", ".join(words)))
    return words[found]


def _level(found: Any) -> str:
    if found not in LEVELS:
        raise _NotSayable(label("rule.dhis2.unknown_word", key="organisationUnitLevels", found=found, known="1–5"))
    return LEVELS[found]


def _side(
    given: Mapping[str, Any], key: str, metadata: Mapping[str, Any], constants: dict[str, float]
) -> tuple[str, Missing, str]:
    """(expression in our language, missing strategy, description) of a side."""
    side = given.get(key) or {}
    text = str(side.get("expression") or "")
    if not text.strip():
        raise _NotSayable(label("rule.dhis2.empty_side", key=key))
    strategy = str(side.get("missingValueStrategy") or "NEVER_SKIP")
    node = parse_number(_translated(text, metadata, constants, 0))
    return written(node), _word(STRATEGIES, strategy, "missingValueStrategy"), str(side.get("description") or "")


def _translated(text: str, metadata: Mapping[str, Any], constants: dict[str, float], depth: int) -> str:
    return _ITEM.sub(lambda found: _item(found, metadata, constants, depth), text)


def _item(found: re.Match[str], metadata: Mapping[str, Any], constants: dict[str, float], depth: int) -> str:
    if found[0] == "[days]":
        return "days"
    kind, inside = found["kind"], found["inside"].strip()
    if found["after"]:
        raise _NotSayable(label("rule.dhis2.modifier", found=found[0]))
    if kind == "#":
        return written(_element(inside))
    if kind == "C":
        constants[inside] = _constant(inside, metadata)
        return f"${inside}"
    if kind == "N":
        return _indicator(inside, metadata, constants, depth)
    reasons = {
        "R": "reporting_rate",
        "OUG": "unit_group",
        "I": "program",
        "D": "program",
        "A": "program",
        "V": "program",
    }
    raise _NotSayable(label(f"rule.dhis2.refused.{reasons.get(kind, 'item')}", found=found[0]))


def _element(inside: str) -> Cells:
    """ "de", "de.coc", "de.coc.aoc", "de.*" → the operand; another attribute option combination than the default is not ours."""
    parts = [part.strip() for part in inside.split(".")]
    if len(parts) > 3 or not UID.fullmatch(parts[0]) or not all(one == "*" or UID.fullmatch(one) for one in parts[1:]):
        raise _NotSayable(label("rule.dhis2.refused.item", found=f"#{{{inside}}}"))
    if len(parts) == 3 and parts[2] not in ("*", DEFAULT_CATEGORY):
        raise _NotSayable(label("rule.dhis2.refused.attribute", found=f"#{{{inside}}}"))
    category = parts[1] if len(parts) > 1 else "*"
    if category == "*":
        return Cells((parts[0],))
    return Cells((parts[0],), ("" if category == DEFAULT_CATEGORY else category,))


def _constant(uid: str, metadata: Mapping[str, Any]) -> float:
    for one in metadata.get("constants") or []:
        if one.get("id") == uid and isinstance(one.get("value"), int | float) and UID.fullmatch(uid):
            return float(one["value"])
    raise _NotSayable(label("rule.dhis2.refused.constant", found=uid))


def _indicator(uid: str, metadata: Mapping[str, Any], constants: dict[str, float], depth: int) -> str:
    """The indicator's own formula, from the same metadata."""
    factors = {one.get("id"): one.get("factor", 1) for one in metadata.get("indicatorTypes") or []}
    for one in metadata.get("indicators") or []:
        if one.get("id") == uid and depth < _DEEPEST:
            factor = factors.get((one.get("indicatorType") or {}).get("id"))
            if factor is None:
                raise _NotSayable(label("rule.dhis2.refused.indicator_factor", found=uid))
            upper, lower = (
                _translated(str(one.get(part) or "0"), metadata, constants, depth + 1)
                for part in ("numerator", "denominator")
            )
            return f"(({upper}) * {float(factor)!r} / ({lower}))"
    raise _NotSayable(label("rule.dhis2.refused.indicator", found=uid))


def _braces(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def write_rules(rules: Iterable[Rule], folder: Path) -> list[Path]:
    """One catalog entry per rule in a folder; the files written. An entry that is there already is written again."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for rule in rules:
        path = folder / f"{rule.id}.yaml"
        path.write_text(rule_yaml(rule), "utf-8")
        files.append(path)
    return files


def rule_yaml(rule: Rule) -> str:
    """A rule as the text of its catalog entry; keys with their default value are left out."""
    import yaml

    plain = asdict(rule)
    kept = {one.name: plain[one.name] for one in fields(rule) if not _is_default(rule, one)}
    return yaml.safe_dump(_lists(kept), allow_unicode=True, sort_keys=False, width=120)


def _is_default(rule: Rule, one: Field[Any]) -> bool:
    value = getattr(rule, one.name)
    if one.default_factory is not MISSING:
        return bool(value == one.default_factory())
    return one.default is not MISSING and bool(value == one.default)


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lists(one) for key, one in value.items()}
    return [_lists(one) for one in value] if isinstance(value, tuple | list) else value

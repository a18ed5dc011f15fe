"""Rules of the catalog → DHIS2 metadata (validationRules, validationRuleGroups); what DHIS2 cannot say is listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tkyt_analysis.catalog.entries import Rule
from tkyt_analysis.catalog.language import (
    DEFAULT_CATEGORY,
    Among,
    Arithmetic,
    Between,
    Call,
    Cells,
    Compare,
    Constant,
    Days,
    IsNull,
    Logic,
    Minus,
    Node,
    Number,
    written,
)
from tkyt_analysis.catalog.rule_sides import sides_of
from tkyt_analysis.labels import label
from tkyt_analysis.quality.rules.dhis2_import import Refused
from tkyt_analysis.quality.rules.dhis2_words import (
    KINDS,
    LEVELS,
    OPERATORS,
    SEVERITY,
    STRATEGIES,
    UID,
    reverse,
    uid_of,
)

_FUNCTIONS = {
    "min": "least",
    "max": "greatest",
    "isNull": "isNull",
    "isNotNull": "isNotNull",
    "firstNonNull": "firstNonNull",
}
_LOGIC = {"and": "&&", "or": "||"}


class _NotSayable(Exception):
    """Something of ours that DHIS2 does not have; the text is the reason."""


def export_rules(
    rules: Iterable[Rule], *, codes: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[Refused]]:
    """(metadata, refused): expression rules as DHIS2 metadata to import there.

    codes : {code of an element or category: its uid} of the DHIS2 that shall read them; without it elements must be
        named by uid
    """
    found: dict[str, list[dict[str, Any]]] = {"constants": [], "validationRules": [], "validationRuleGroups": []}
    refused: list[Refused] = []
    members: dict[str, Any] = {}
    constants: dict[str, Any] = {}
    for rule in rules:
        if rule.kind != "expression":
            continue
        try:
            said = _rule(rule, codes or {})
        except _NotSayable as reason:
            refused.append(Refused(rule.id, rule.title.vi, str(reason)))
            continue
        found["validationRules"].append(said)
        constants |= {name: value for name, value in rule.constants.items() if UID.fullmatch(name)}
        for group in rule.groups:
            members.setdefault(group, []).append({"id": said["id"]})
    found["constants"] = [
        {"id": uid, "name": uid, "shortName": uid, "value": value} for uid, value in sorted(constants.items())
    ]
    found["validationRuleGroups"] = [
        {"id": uid_of("validationRuleGroup", name), "name": name, "validationRules": several}
        for name, several in members.items()
    ]
    return {key: several for key, several in found.items() if several or key == "validationRules"}, refused


def _rule(rule: Rule, codes: Mapping[str, str]) -> dict[str, Any]:
    sides = sides_of(rule)
    for key, there in (
        ("window", sides.window),
        ("tolerance", rule.tolerance),
        ("valid_from", rule.valid_from or rule.valid_to),
    ):
        if there:
            raise _NotSayable(label("rule.dhis2.not_there", found=key))
    writer = _Writer(codes, sides.constants)
    further = rule.parameters
    levels = reverse({str(number): name for number, name in LEVELS.items()})
    kinds = list(further.get("kinds", ["month"]))
    if len(kinds) != 1 or kinds[0] not in reverse(KINDS):
        raise _NotSayable(label("rule.dhis2.not_there", found=f"kinds {', '.join(kinds)}"))
    unknown = [name for name in rule.level if name not in levels]
    if unknown:
        raise _NotSayable(label("rule.dhis2.not_there", found=f"level {', '.join(unknown)}"))

    def side(node: Node, missing: str, description: str) -> dict[str, Any]:
        return {
            "expression": writer.text(node),
            "description": str(further.get(description) or written(node)),
            "missingValueStrategy": reverse(STRATEGIES)[missing],
            "slidingWindow": False,
        }

    return {
        "id": rule.external_id or uid_of("validationRule", rule.id),
        "name": rule.title.vi,
        "instruction": str(further.get("instruction", rule.title.vi)),
        "importance": reverse(SEVERITY)[rule.severity],
        "operator": reverse(OPERATORS)[sides.operator],
        "periodType": reverse(KINDS)[kinds[0]],
        "leftSide": side(sides.left, sides.left_missing, "left_description"),
        "rightSide": side(sides.right, sides.right_missing, "right_description"),
        "organisationUnitLevels": sorted(int(levels[name]) for name in rule.level),
        "skipFormValidation": bool(further.get("skip_form_validation", False)),
    }


class _Writer:
    def __init__(self, codes: Mapping[str, str], constants: Mapping[str, float]) -> None:
        self.codes, self.constants = codes, constants

    def text(self, node: Node) -> str:
        """An expression in the language of DHIS2."""
        match node:
            case Number():
                return written(node)
            case Days(False):
                return "[days]"
            case Constant(name):
                return f"C{{{name}}}" if UID.fullmatch(name) else repr(float(self.constants[name]))
            case Cells():
                return self._element(node)
            case Minus(of):
                return f"-({self.text(of)})"
            case Arithmetic(sign, left, right):
                return f"{self._inside(left)} {sign} {self._inside(right)}"
            case Call():
                return self._call(node)
            case Compare(sign, left, right):
                return f"({self.text(left)}) {sign} ({self.text(right)})"
            case Logic("not", (part,)):
                return f"!({self.text(part)})"
            case Logic(sign, parts):
                return f" {_LOGIC[sign]} ".join(f"({self.text(one)})" for one in parts)
            case IsNull(of, denied):
                return f"{'isNotNull' if denied else 'isNull'}({self.text(of)})"
            case Between(of, low, high, denied):
                inside = Logic("and", (Compare(">=", of, low), Compare("<=", of, high)))
                return self.text(Logic("not", (inside,)) if denied else inside)
            case Among(of, values, denied):
                inside = Logic("or", tuple(Compare("==", of, one) for one in values))
                return self.text(Logic("not", (inside,)) if denied else inside)
        raise _NotSayable(label("rule.dhis2.not_there", found=written(node)))

    def _inside(self, node: Node) -> str:
        plain = isinstance(node, Number | Days | Constant | Cells | Call)
        return self.text(node) if plain else f"({self.text(node)})"

    def _call(self, node: Call) -> str:
        said = [self.text(one) for one in node.arguments]
        if node.name == "sum":
            return "(" + " + ".join(f"({one})" for one in said) + ")"
        if node.name == "abs":
            return f"greatest({said[0]}, -({said[0]}))"
        if node.name == "if":
            return f"if({', '.join(said)})"
        if node.name in _FUNCTIONS:
            return f"{_FUNCTIONS[node.name]}({', '.join(said)})"
        raise _NotSayable(label("rule.dhis2.not_there", found=written(node)))

    def _element(self, cells: Cells) -> str:
        if cells.dataset or len(cells.rows) > 1 or len(cells.columns) > 1:
            raise _NotSayable(label("rule.dhis2.form_cells", found=written(cells)))
        parts = [self._uid(cells.rows[0])]
        if cells.columns:
            parts.append(DEFAULT_CATEGORY if cells.columns[0] == "" else self._uid(cells.columns[0]))
        return f"#{{{'.'.join(parts)}}}"

    def _uid(self, name: str) -> str:
        uid = self.codes.get(name, name)
        if not UID.fullmatch(uid):
            raise _NotSayable(label("rule.dhis2.element_without_uid", found=name))
        return uid

"""A rule of the catalog as its two sides, read; and every sentence about what is wrong with it."""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tkyt_analysis.catalog.language import (
    WINDOW_FUNCTIONS,
    Call,
    Cells,
    Constant,
    Days,
    Node,
    Operand,
    each_axis,
    field_name,
    operands,
    walk,
)
from tkyt_analysis.catalog.language_parse import ExpressionError, parse_number

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule

OPERATORS = ("==", "!=", ">", ">=", "<", "<=", "compulsory_pair", "exclusive_pair")
PAIRS = ("compulsory_pair", "exclusive_pair")
ANY, ALL, NEVER = "skip_if_any_missing", "skip_if_all_missing", "never_skip"
LEVELS = {"nation": 0, "ministry": 0, "province": 1, "district": 2, "commune": 3, "facility": 4}
# what every question may name, besides the values of the rule
QUESTION_WORDS = frozenset(
    {"unit", "period", "value", "expected", "lower", "upper", "probability", "suggested", "at_stake"}
)
RESULT_WORDS = frozenset({"margin", "periods", "cells"})
Problems = list[tuple[str, str, dict[str, Any]]]


@dataclass(frozen=True)
class Window:
    """Periods that one judgement adds up: the one at hand, so many before it and after it.

    least : so many of them (1 or more) must have every value; ends : the period at hand must end a quarter or year ("": any)
    """

    before: int = 0
    after: int = 0
    least: int = 1
    ends: str = ""


@dataclass(frozen=True)
class Tolerance:
    """How far the sides may lie apart before anybody is asked: absolute + share x |right| + counts x standard error of
    (left - right), every reported count taken as a Poisson count (its variance is its value, at least 1)."""

    absolute: float = 0.0
    share: float = 0.0
    counts: float = 0.0


@dataclass(frozen=True)
class Sides:
    """A rule ready to be judged."""

    left: Node
    operator: str
    right: Node
    left_missing: str
    right_missing: str
    window: Window | None
    tolerance: Tolerance
    constants: Mapping[str, float]

    @property
    def operands(self) -> list[Operand]:
        """What both sides name, each once."""
        return list(dict.fromkeys([*operands(self.left), *operands(self.right)]))

    @property
    def windowed(self) -> list[Cells]:
        """The values that are added up over the window."""
        return list(dict.fromkeys(
            call.arguments[0] for side in (self.left, self.right) for call in walk(side)
            if isinstance(call, Call) and call.name in WINDOW_FUNCTIONS and isinstance(call.arguments[0], Cells)
        ))  # fmt: skip

    @property
    def each(self) -> str:
        """ "row", "column" or ""."""
        return each_axis(self.left, self.right)


def sides_of(rule: Rule) -> Sides:
    """The two sides of an expression rule; ExpressionError where one cannot be read."""
    window = window_of(rule.window) if rule.window else None
    return Sides(
        parse_number(rule.left or ""), rule.operator or "", parse_number(rule.right or ""),
        rule.left_missing or rule.missing, rule.right_missing or rule.missing, window,
        Tolerance(**{name: float(value) for name, value in rule.tolerance.items()}), dict(rule.constants),
    )  # fmt: skip


def window_of(given: Mapping[str, Any]) -> Window:
    """The window of an entry; without `least` every one of its periods must be there."""
    before, after = int(given.get("before", 0)), int(given.get("after", 0))
    return Window(before, after, max(1, int(given.get("least", before + after + 1))), str(given.get("ends", "")))


def rule_problems(rule: Rule) -> Problems:
    """Everything wrong with an expression rule: (key, label key, fields)."""
    missing = [key for key in ("left", "operator", "right") if not getattr(rule, key)]
    if missing:
        return [(key, "catalog.missing_key", {}) for key in missing]
    found: Problems = []
    nodes: dict[str, Node] = {}
    for key in ("left", "right"):
        try:
            nodes[key] = _read(getattr(rule, key))
        except ExpressionError as error:
            found.append((key, "catalog.expression_wrong", error.details))
    if rule.operator not in OPERATORS:
        found.append(("operator", "catalog.not_a_choice", {"value": rule.operator, "choices": ", ".join(OPERATORS)}))
    found += _window_problems(rule) + _tolerance_problems(rule)
    return found or [*_meaning_problems(rule, nodes), *question_problems(rule, _own_words(nodes))]


@lru_cache(maxsize=4096)
def _read(text: str) -> Node:
    return parse_number(text)


def _window_problems(rule: Rule) -> Problems:
    found: Problems = [
        (f"window.{key}", "catalog.unknown_key", {"choices": "before, after, least, ends"})
        for key in rule.window
        if key not in ("before", "after", "least", "ends")
    ]
    for key in ("before", "after", "least"):
        value = rule.window.get(key, 0)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 120:
            found.append((f"window.{key}", "catalog.window_number", {"value": value}))
    if rule.window.get("ends", "") not in ("", "quarter", "year"):
        found.append(
            ("window.ends", "catalog.not_a_choice", {"value": rule.window["ends"], "choices": "quarter, year"})
        )
    return found


def _tolerance_problems(rule: Rule) -> Problems:
    choices = ("absolute", "share", "counts")
    found: Problems = [
        (f"tolerance.{key}", "catalog.unknown_key", {"choices": ", ".join(choices)})
        for key in rule.tolerance
        if key not in choices
    ]
    return found + [
        (f"tolerance.{key}", "catalog.tolerance_number", {"value": value})
        for key, value in rule.tolerance.items()
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9
    ]


def _meaning_problems(rule: Rule, nodes: Mapping[str, Node]) -> Problems:
    """What is well written and still makes no sense."""
    found: Problems = []
    everything = [(key, one) for key, side in nodes.items() for one in walk(side)]
    cells = [one for _, one in everything if isinstance(one, Cells)]
    if not operands(nodes["left"]) and not operands(nodes["right"]):
        found.append(("left", "catalog.rule_names_no_value", {}))
    if any("@" in one.rows for one in cells) and any("@" in one.columns for one in cells):
        found.append(("left", "catalog.rule_each_twice", {}))
    for key, one in everything:
        if isinstance(one, Constant) and one.name not in rule.constants:
            found.append(
                (key, "catalog.constant_unknown", {"name": one.name, "known": ", ".join(rule.constants) or "–"})
            )
        over = isinstance(one, Call) and one.name in WINDOW_FUNCTIONS or isinstance(one, Days) and one.window
        if over and not rule.window:
            found.append((key, "catalog.window_missing", {}))
    if rule.window and not any(isinstance(one, Call) and one.name in WINDOW_FUNCTIONS for _, one in everything):
        found.append(("window", "catalog.window_unused", {}))
    return found


def _own_words(nodes: Mapping[str, Node]) -> frozenset[str]:
    return frozenset(field_name(one) for side in nodes.values() for one in operands(side)) | RESULT_WORDS


def question_problems(rule: Rule, own: frozenset[str] = frozenset()) -> Problems:
    """Words in the question's curly brackets that no finding of the rule will have (of a check in Python: where the entry
    says its `fields`)."""
    found: Problems = []
    for language in ("vi", "en"):
        try:
            named = [name for _, name, _, _ in string.Formatter().parse(rule.question[language]) if name is not None]
        except ValueError:
            found.append((f"question.{language}", "catalog.question_brackets", {}))
            continue
        known = QUESTION_WORDS | own | set(rule.fields)
        sure = rule.kind == "expression" or bool(rule.fields)
        unknown = [name for name in named if name not in known and (sure or not name.isidentifier())]
        if unknown:
            about = {"found": ", ".join(unknown), "known": ", ".join(sorted(known))}
            found.append((f"question.{language}", "catalog.question_unknown", about))
    return found

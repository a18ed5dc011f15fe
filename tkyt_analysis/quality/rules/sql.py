"""Expressions as SQL over columns that we name ourselves. Of a rule's text nothing but checked numbers gets there:
operands are v0, v1 …, texts are parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from tkyt_analysis.catalog.language import (
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
    Operand,
    Population,
    Word,
    mentions,
)
from tkyt_analysis.catalog.rule_sides import ALL, ANY, PAIRS, Sides
from tkyt_analysis.quality.rules.by_hand import SMALL

_COMPARE = {"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_CALLS = {"min": "least", "max": "greatest", "abs": "abs"}


def sql_number(value: float) -> str:
    """A finite number as SQL."""
    if not math.isfinite(value):
        raise ValueError(value)
    return f"CAST({float(value)!r} AS DOUBLE)"


class SqlWriter:
    """Writes expressions; `columns` gives the SQL name of each operand, `parameters` collects the texts in order."""

    def __init__(self, columns: Mapping[Operand, str], constants: Mapping[str, float] | None = None) -> None:
        self.columns, self.constants = dict(columns), dict(constants or {})
        self.parameters: list[Any] = []

    def number(self, node: Node, *, nulls: bool = False) -> str:
        """A number; missing values count as 0 unless `nulls`."""
        match node:
            case Number(value):
                return sql_number(value)
            case Constant(name):
                return sql_number(float(self.constants[name]))
            case Word(value):
                self.parameters.append(value)
                return "CAST(? AS VARCHAR)"
            case Days(window):
                return "window_days" if window else "days"
            case Cells() | Population():
                return self.columns[node] if nulls else f"coalesce({self.columns[node]}, 0)"
            case Minus(of):
                return f"(-{self.number(of, nulls=nulls)})"
            case Arithmetic("/", left, right):
                return f"({self.number(left, nulls=nulls)} / nullif({self.number(right, nulls=nulls)}, 0))"
            case Arithmetic(sign, left, right):
                return f"({self.number(left, nulls=nulls)} {sign} {self.number(right, nulls=nulls)})"
            case Call():
                return self._call(node, nulls=nulls)
        return self.truth(node, nulls=nulls)

    def _call(self, node: Call, *, nulls: bool) -> str:
        if node.name == "if":
            truth = self.truth(node.arguments[0], nulls=nulls)
            yes, no = (self.number(one, nulls=nulls) for one in node.arguments[1:])
            return f"(CASE WHEN {truth} THEN {yes} ELSE {no} END)"
        if node.name in ("window_sum", "window_average"):
            assert isinstance(node.arguments[0], Cells)
            total = window_column(self.columns[node.arguments[0]])
            return total if node.name == "window_sum" else f"({total} / nullif(window_periods, 0))"
        if node.name == "firstNonNull":
            first = ", ".join(self.number(one, nulls=True) for one in node.arguments)
            return f"coalesce({first}{'' if nulls else ', 0'})"
        found = [self.number(one, nulls=nulls) for one in node.arguments]
        if node.name == "sum":
            return f"({' + '.join(found)})"
        return f"{_CALLS[node.name]}({', '.join(found)})"

    def truth(self, node: Node, *, nulls: bool = False) -> str:
        """True, false, or NULL where it cannot be told."""
        match node:
            case Logic("not", (part,)):
                return f"(NOT {self.truth(part, nulls=nulls)})"
            case Logic(sign, parts):
                return (
                    "("
                    + f" {'AND' if sign == 'and' else 'OR'} ".join(self.truth(one, nulls=nulls) for one in parts)
                    + ")"
                )
            case Compare(sign, left, right):
                return f"({self.number(left, nulls=nulls)} {_COMPARE[sign]} {self.number(right, nulls=nulls)})"
            case IsNull(of, denied):
                return f"({self.number(of, nulls=True)} IS {'NOT ' if denied else ''}NULL)"
            case Call(name, (of,)):
                return f"({self.number(of, nulls=True)} IS {'' if name == 'isNull' else 'NOT '}NULL)"
            case Between(of, low, high, denied):
                low_sql = f"{self.number(of, nulls=nulls)} >= {self.number(low, nulls=nulls)}"
                high_sql = f"{self.number(of, nulls=nulls)} <= {self.number(high, nulls=nulls)}"
                return f"({'NOT ' if denied else ''}({low_sql} AND {high_sql}))"
            case Among(of, values, denied):
                one_sql = [f"{self.number(of, nulls=nulls)} = {self.number(one, nulls=nulls)}" for one in values]
                return f"({'NOT ' if denied else ''}({' OR '.join(one_sql)}))"
        raise TypeError(type(node).__name__)

    def variance(self, node: Node) -> str:
        """Of a number made of Poisson counts, by linear propagation (see `by_hand`)."""
        match node:
            case Cells():
                return f"greatest(abs({self.number(node)}), 1)"
            case Minus(of):
                return self.variance(of)
            case Arithmetic(sign, left, right) if sign in "+-":
                return f"({self.variance(left)} + {self.variance(right)})"
            case Arithmetic(sign, left, right):
                one, other = self.variance(left), self.variance(right)
                a, b = f"coalesce({self.number(left)}, 0)", f"coalesce({self.number(right)}, 0)"
                if sign == "*":
                    return f"({one} * {b} * {b} + {other} * {a} * {a})"
                return f"coalesce({one} / nullif({b} ** 2, 0) + {other} * {a} ** 2 / nullif({b} ** 4, 0), 0)"
            case Call("window_sum", _):
                return f"greatest(abs(coalesce({self.number(node)}, 0)), 1)"
            case Call("window_average", _):
                value = f"coalesce({self.number(node)}, 0)"
                return f"(greatest(abs({value} * window_periods), 1) / greatest(window_periods, 1) ** 2)"
            case Call("sum", arguments):
                return "(" + " + ".join(self.variance(one) for one in arguments) + ")"
            case Call(name, arguments):
                several = arguments[1:] if name == "if" else arguments
                return f"greatest({', '.join(self.variance(one) for one in several)})"
        return "0"


def window_column(column: str) -> str:
    """The column with the sum over the window of the column `v0` …"""
    return f"w_{column}"


def asked(side: Node, missing: str, there: Mapping[Operand, tuple[str, int]]) -> str:
    """Whether a side may be judged: SQL over the counts of values (`there`: column and how many are needed)."""
    found = [there[one] for one in mentions(side)]
    if not found or missing not in (ANY, ALL):
        return "true"
    return _all_there(found) if missing == ANY else _any_there(found)


def present(side: Node, missing: str, there: Mapping[Operand, tuple[str, int]]) -> str:
    """Whether a side of a pair has a value."""
    found = [there[one] for one in mentions(side)]
    if not found:
        return "true"
    return _all_there(found) if missing == ANY else _any_there(found)


def _all_there(found: Sequence[tuple[str, int]]) -> str:
    return "(" + " AND ".join(f"coalesce({count}, 0) >= {int(needed)}" for count, needed in found) + ")"


def _any_there(found: Sequence[tuple[str, int]]) -> str:
    return "(" + " OR ".join(f"coalesce({count}, 0) > 0" for count, _ in found) + ")"


def breach_sql(operator: str) -> str:
    """Whether value_, expected_ contradict the operator by more than margin_ (see `by_hand.breach`)."""
    small = f"({SMALL!r} * (1 + abs(value_) + abs(expected_)))"
    return {
        "==": f"abs(value_ - expected_) > margin_ + {small}",
        "!=": f"abs(value_ - expected_) <= {small}",
        "<=": f"value_ - expected_ > margin_ + {small}",
        "<": f"value_ - expected_ > margin_ - {small}",
        ">=": f"expected_ - value_ > margin_ + {small}",
        ">": f"expected_ - value_ > margin_ - {small}",
        "compulsory_pair": "left_there <> right_there",
        "exclusive_pair": "left_there AND right_there",
    }[operator]


def margin_sql(sides: Sides, writer: SqlWriter) -> str:
    """The tolerance of a rule in the units of its sides."""
    tolerance = sides.tolerance
    parts = [sql_number(tolerance.absolute)]
    if tolerance.share:
        parts.append(f"{sql_number(tolerance.share)} * abs({writer.number(sides.right)})")
    if tolerance.counts:
        spread = f"{writer.variance(sides.left)} + {writer.variance(sides.right)}"
        parts.append(f"{sql_number(tolerance.counts)} * sqrt({spread})")
    return " + ".join(parts)


def is_pair(sides: Sides) -> bool:
    """Does the rule ask only what is there, not how much?"""
    return sides.operator in PAIRS

"""An expression judged in plain Python on one unit: independent of the SQL, for examples and for testing it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tkyt_analysis.catalog.language import (
    EACH,
    EVERY,
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
    Population,
    mentions,
)
from tkyt_analysis.catalog.rule_sides import ALL, ANY, PAIRS, Sides

HOLDS, BROKEN, NOT_ASSESSABLE = "holds", "broken", "not_assessable"
Key = tuple[str, str, str]  # data set, element, category
Value = float | bool | str | None
SMALL = 1e-9


@dataclass(frozen=True)
class Given:
    """What one unit reported: `periods` from the earliest on ({(data set, element, category): value}, what is absent is
    missing), the days of each, the population by (ages, sex), the place of the period at hand (the last)."""

    periods: Sequence[Mapping[Key, float]]
    days: Sequence[int] = (30,)
    population: Mapping[tuple[tuple[str, ...], str], float] = field(default_factory=dict)
    at: int = -1


def judge(sides: Sides, given: Given, each: str = "") -> str:
    """holds | broken | not_assessable, for one row or column `each` where the rule is asked for each."""
    values = _Values(sides, given, each)
    if sides.window and values.complete < sides.window.least:
        return NOT_ASSESSABLE
    left, right = (_present(side, missing, values) for side, missing in
                   ((sides.left, sides.left_missing), (sides.right, sides.right_missing)))  # fmt: skip
    if sides.operator in PAIRS:
        wrong = (left != right) if sides.operator == "compulsory_pair" else (left and right)
        return BROKEN if wrong else HOLDS
    if not (_asked(sides.left, sides.left_missing, values) and _asked(sides.right, sides.right_missing, values)):
        return NOT_ASSESSABLE
    value, expected = values.number(sides.left), values.number(sides.right)
    if value is None or expected is None:
        return NOT_ASSESSABLE
    margin = _margin(sides, values, expected)
    return BROKEN if breach(value, sides.operator, expected, margin) else HOLDS


def breach(value: float, operator: str, expected: float, margin: float) -> bool:
    """Do the sides contradict the operator by more than the margin?"""
    apart, small = value - expected, SMALL * (1 + abs(value) + abs(expected))
    return {
        "==": abs(apart) > margin + small,
        "!=": abs(apart) <= small,
        "<=": apart > margin + small,
        "<": apart > margin - small,
        ">=": -apart > margin + small,
        ">": -apart > margin - small,
    }[operator]


def _margin(sides: Sides, values: _Values, expected: float) -> float:
    tolerance = sides.tolerance
    spread = values.variance(sides.left) + values.variance(sides.right) if tolerance.counts else 0.0
    return tolerance.absolute + tolerance.share * abs(expected) + tolerance.counts * math.sqrt(spread)


def _asked(side: Node, missing: str, values: _Values) -> bool:
    found = [values.found(one) for one in mentions(side)]
    if missing == ANY:
        return all(count >= needed for count, needed in found)
    return not found or missing != ALL or any(count > 0 for count, _ in found)


def _present(side: Node, missing: str, values: _Values) -> bool:
    """Whether a side of a pair has a value: all of it where the strategy is skip_if_any_missing, else any of it."""
    found = [values.found(one) for one in mentions(side)]
    if missing == ANY:
        return all(count >= needed for count, needed in found)
    return not found or any(count > 0 for count, _ in found)


class _Values:
    def __init__(self, sides: Sides, given: Given, each: str) -> None:
        self.sides, self.given, self.each = sides, given, each
        every = [all(self._count(cells, at)[1] >= cells.needed for cells in sides.windowed)
                 for at in range(len(given.periods))]  # fmt: skip
        self.at = range(len(given.periods))[given.at]
        window = sides.window
        first, last = (self.at - window.before, self.at + window.after) if window else (0, -1)
        self.inside = [at for at in range(len(given.periods)) if first <= at <= last and every[at]]
        self.complete = len(self.inside)

    def _count(self, cells: Cells, at: int | None = None) -> tuple[float | None, int]:
        """(sum, number of values) of cells in one period (default: the one at hand)."""
        found = [
            value for key, value in self.given.periods[self.at if at is None else at].items() if self._of(cells, key)
        ]
        return (math.fsum(found), len(found)) if found else (None, 0)

    def _of(self, cells: Cells, key: Key) -> bool:
        dataset, element, category = key
        short = (element.rsplit("/", 1)[-1], category.rsplit("/", 1)[-1])
        if cells.dataset and cells.dataset != dataset:
            return False
        rows = {element} if not cells.dataset else {element, short[0]}
        return self._named(cells.rows, rows) and (not cells.columns or self._named(cells.columns, {category, short[1]}))

    def _named(self, wanted: Iterable[str], own: set[str]) -> bool:
        return any(one == EVERY or one in own or (one == EACH and self.each in own) for one in wanted)

    def found(self, one: Node) -> tuple[int, int]:
        """(values there, values needed) of one mention."""
        if isinstance(one, Population):
            return int((one.ages, one.sex) in self.given.population), 1
        assert isinstance(one, Cells)
        if len(one.rows) > 1 and not one.columns:
            several = [self._count(Cells((row,), (), one.dataset))[1] for row in one.rows]
            return sum(count > 0 for count in several), len(one.rows)
        return self._count(one)[1], one.needed

    def number(self, node: Node, *, nulls: bool = False) -> float | None:
        """A number; missing values count as 0 unless `nulls`."""
        match node:
            case Number(value):
                return value
            case Constant(name):
                return float(self.sides.constants[name])
            case Days(window):
                return float(sum(self.given.days[at] for at in self.inside) if window else self.given.days[self.at])
            case Population(ages, sex):
                return _or_zero(self.given.population.get((ages, sex)), nulls)
            case Cells():
                return _or_zero(self._count(node)[0], nulls)
            case Minus(of):
                positive = self.number(of, nulls=nulls)
                return None if positive is None else -positive
            case Arithmetic(sign, left, right):
                return _arithmetic(sign, self.number(left, nulls=nulls), self.number(right, nulls=nulls))
            case Call():
                return self._call(node, nulls=nulls)
        raise TypeError(type(node).__name__)

    def _call(self, node: Call, *, nulls: bool) -> float | None:
        if node.name == "if":
            chosen = node.arguments[1] if self.truth(node.arguments[0], nulls=nulls) else node.arguments[2]
            return self.number(chosen, nulls=nulls)
        if node.name in ("window_sum", "window_average"):
            assert isinstance(node.arguments[0], Cells)
            total = math.fsum(self._count(node.arguments[0], at)[0] or 0.0 for at in self.inside)
            return total if node.name == "window_sum" else total / self.complete
        if node.name == "firstNonNull":
            first = next((v for one in node.arguments if (v := self.number(one, nulls=True)) is not None), None)
            return _or_zero(first, nulls)
        found = [self.number(one, nulls=nulls) for one in node.arguments]
        there = [one for one in found if one is not None]
        if node.name == "sum":
            return math.fsum(there) if len(there) == len(found) else None
        if node.name == "abs":
            return abs(there[0]) if there else None
        return {"min": min, "max": max}[node.name](there) if there else None

    def truth(self, node: Node, *, nulls: bool = False) -> bool | None:
        """True, False, or None where it cannot be told."""
        match node:
            case Logic("not", (part,)):
                value = self.truth(part, nulls=nulls)
                return None if value is None else not value
            case Logic(sign, parts):
                found = [self.truth(one, nulls=nulls) for one in parts]
                decisive = sign == "or"
                return decisive if decisive in found else None if None in found else not decisive
            case Compare(sign, left, right):
                return _compare(sign, self.number(left, nulls=nulls), self.number(right, nulls=nulls))
            case IsNull(of, denied):
                return (self.number(of, nulls=True) is None) != denied
            case Call(name, (of,)):
                return (self.number(of, nulls=True) is None) == (name == "isNull")
            case Between(of, low, high, denied):
                inside = self.truth(Logic("and", (Compare("<=", low, of), Compare("<=", of, high))), nulls=nulls)
                return None if inside is None else inside != denied
            case Among(of, values, denied):
                inside = self.truth(Logic("or", tuple(Compare("==", of, one) for one in values)), nulls=nulls)
                return None if inside is None else inside != denied
        raise TypeError(type(node).__name__)

    def variance(self, node: Node) -> float:
        """Of a number made of Poisson counts, by linear propagation."""
        match node:
            case Cells():
                return max(abs(self._count(node)[0] or 0.0), 1.0)
            case Minus(of):
                return self.variance(of)
            case Arithmetic(sign, left, right):
                one, other = self.variance(left), self.variance(right)
                if sign in "+-":
                    return one + other
                a, b = self.number(left) or 0.0, self.number(right) or 0.0
                if sign == "*":
                    return one * b * b + other * a * a
                return (one / b**2 + other * a**2 / b**4) if b else 0.0
            case Call("window_sum" | "window_average" as name, _):
                total = self._call(node, nulls=False) or 0.0
                periods = 1 if name == "window_sum" else max(self.complete, 1)
                return max(abs(total * periods), 1.0) / periods**2
            case Call("sum", arguments):
                return math.fsum(self.variance(one) for one in arguments)
            case Call("if", (_, yes, no)):
                return max(self.variance(yes), self.variance(no))
            case Call(_, arguments):
                return max(self.variance(one) for one in arguments)
        return 0.0


def _or_zero(value: float | None, nulls: bool) -> float | None:
    return value if value is not None or nulls else 0.0


def _arithmetic(sign: str, left: float | None, right: float | None) -> float | None:
    if left is None or right is None or (sign == "/" and right == 0):
        return None
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / right if right else 0.0}[sign]


def _compare(sign: str, left: Value, right: Value) -> bool | None:
    if left is None or right is None:
        return None
    one: Any = left
    order = (one > right) - (one < right)
    return {"==": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[
        sign
    ]

"""Text of a rule → expression. Own tokens, recursive descent; every mistake is one sentence: where, found, expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from tkyt_analysis.catalog.language import (
    DEFAULT_CATEGORY,
    FUNCTIONS,
    WINDOW_FUNCTIONS,
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
    Word,
    is_truth,
)
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

LONGEST = 4000  # letters of one expression
DEEPEST = 60  # levels of brackets
_TOKEN = re.compile(
    r"""\s+|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.]))|(?P<name>[A-Za-z_]\w*)|(?P<text>'(?:[^']|'')*')
    |(?P<cells>\[[^\[\]]*\])|(?P<constant>\$[A-Za-z_]\w*)|(?P<sign><=|>=|==|!=|<>|&&|\|\||[-+*/×÷()<>=!,.])|(?P<other>.)""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_CELL = re.compile(r'\s*(?:"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^\s\[\]":,.*@]+)|(?P<star>[*@]))\s*')
_SIGNS = {"×": "*", "÷": "/", "=": "==", "<>": "!=", "&&": "and", "||": "or", "!": "not"}
_COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
_ALIASES = {"coalesce": "firstNonNull", "least": "min", "greatest": "max"}
_NAMES = {name.lower(): name for name in FUNCTIONS} | _ALIASES


class ExpressionError(InputError):
    """An expression that cannot be read; `fields` has text, place (from 1), found, expected."""

    def __init__(self, text: str, place: int, found: str, expected: str) -> None:
        self.details = {"text": text[:200], "place": place, "found": found[:60], "expected": label(expected)}
        super().__init__("error.rule.expression", **self.details)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


@lru_cache(maxsize=4096)
def parse_number(text: str) -> Node:
    """An expression whose value is a number: a side of a rule."""
    return _Parser(text).whole(truth=False)


@lru_cache(maxsize=4096)
def parse_condition(text: str) -> Node:
    """An expression that is true or false: a check over the columns of a data set."""
    return _Parser(text).whole(truth=True)


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0
        if len(text) > LONGEST:
            raise ExpressionError(text, LONGEST, text[LONGEST : LONGEST + 10], "rule.expected.shorter")
        self.tokens = [_Token(m.lastgroup, m[0], m.start() + 1) for m in _TOKEN.finditer(text) if m.lastgroup]
        self.tokens.append(_Token("end", "", len(text) + 1))

    # -- small steps ------------------------------------------------------------------------------------------------
    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    @property
    def word(self) -> str:
        """The sign or small word at hand, in its one spelling."""
        text = self.token.text
        if self.token.kind == "sign":
            return _SIGNS.get(text, text)
        return text.lower() if self.token.kind == "name" else ""

    def fail(self, expected: str, token: _Token | None = None) -> ExpressionError:
        token = token or self.token
        return ExpressionError(self.text, token.at, token.text or label("rule.found.end"), f"rule.expected.{expected}")

    def step(self) -> _Token:
        self.at += 1
        return self.tokens[self.at - 1]

    def take(self, *words: str) -> str:
        """The word at hand if it is one of these, else ""."""
        found = self.word
        if not found or found not in words:
            return ""
        self.step()
        return found

    def need(self, word: str, expected: str) -> None:
        if not self.take(word):
            raise self.fail(expected)

    def number(self, node: Node, token: _Token) -> Node:
        if is_truth(node) or isinstance(node, Word):
            raise self.fail("number", token)
        return node

    def condition(self, node: Node, token: _Token) -> Node:
        if not is_truth(node):
            raise self.fail("condition", token)
        return node

    # -- the grammar ------------------------------------------------------------------------------------------------
    def whole(self, *, truth: bool) -> Node:
        first = self.token
        node = self.either()
        if self.token.kind != "end":
            raise self.fail("operator")
        return self.condition(node, first) if truth else self.number(node, first)

    def either(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("simpler")
        node = self._chain("or", self._both)
        self.depth -= 1
        return node

    def _both(self) -> Node:
        return self._chain("and", self._denied)

    def _chain(self, sign: str, below: Callable[[], Node]) -> Node:
        first = self.token
        parts = [below()]
        while self.word == sign:
            self.condition(parts[-1], first)
            self.step()
            first = self.token
            parts.append(self.condition(below(), first))
        return parts[0] if len(parts) == 1 else Logic(sign, tuple(parts))

    def _denied(self) -> Node:
        if not self.take("not"):
            return self._comparison()
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.fail("simpler")
        first = self.token
        node = Logic("not", (self.condition(self._denied(), first),))
        self.depth -= 1
        return node

    def _comparison(self) -> Node:
        first = self.token
        left = self._sum()
        if sign := self.take(*_COMPARISONS):
            self._value(left, first)
            second = self.token
            return Compare(sign, left, self._value(self._sum(), second))
        if self.take("is"):
            denied = bool(self.take("not"))
            self.need("null", "null")
            return IsNull(left, denied)
        denied = self.word == "not" and self.tokens[self.at + 1].text.lower() in ("in", "between")
        if denied:
            self.step()
        if self.take("in"):
            self.need("(", "open")
            return Among(left, tuple(self._arguments()), denied)
        if self.take("between"):
            low = self._sum()
            self.need("and", "and")
            return Between(left, low, self._sum(), denied)
        return left

    def _value(self, node: Node, token: _Token) -> Node:
        if is_truth(node):
            raise self.fail("number", token)
        return node

    def _sum(self) -> Node:
        return self._signs(("+", "-"), lambda: self._signs(("*", "/"), self._factor))

    def _signs(self, signs: tuple[str, ...], below: Callable[[], Node]) -> Node:
        first = self.token
        node = below()
        while self.word in signs and self.token.kind == "sign":
            self.number(node, first)
            sign = _SIGNS.get(self.token.text, self.step().text)
            second = self.token
            node = Arithmetic(sign, node, self.number(below(), second))
        return node

    def _factor(self) -> Node:
        minuses = 0
        while self.take("-"):
            minuses += 1
        first = self.token
        node = self._atom()
        if minuses:
            self.number(node, first)
        return Minus(node) if minuses % 2 else node

    def _atom(self) -> Node:
        token = self.step()
        match token.kind:
            case "number":
                return self._finite(token)
            case "text":
                return Word(token.text[1:-1].replace("''", "'"))
            case "cells":
                return _cells_inside(self.text, token)
            case "constant":
                return Constant(token.text[1:])
            case "name":
                return self._named(token)
        if token.text == "(":
            node = self.either()
            self.need(")", "close")
            return node
        raise self.fail("value", token)

    def _finite(self, token: _Token) -> Node:
        value = float(token.text)
        if value > 1e15:
            raise self.fail("smaller_number", token)
        return Number(value)

    def _named(self, token: _Token) -> Node:
        if token.text.lower() in ("days", "window_days"):
            return Days(token.text.lower() == "window_days")
        if self.take("("):
            return self._call(token)
        if token.text.lower() in ("and", "or", "not", "is", "null", "in", "between"):
            raise self.fail("value", token)
        columns: tuple[str, ...] = ()
        if self.take("."):
            after = self.step()
            if after.kind != "name":
                raise self.fail("category", after)
            columns = _column(after.text)
        return Cells((token.text,), columns)

    def _arguments(self) -> list[Node]:
        found = [self.either()]
        while self.take(","):
            found.append(self.either())
        self.need(")", "close")
        return found

    def _call(self, token: _Token) -> Node:
        if token.text.lower() == "population":
            return self._population(token)
        name = _NAMES.get(token.text.lower())
        if name is None:
            raise self.fail("function", token)
        first = self.token
        arguments = self._arguments()
        fewest, most = FUNCTIONS[name]
        if len(arguments) < fewest or (most and len(arguments) > most):
            raise self.fail("arguments", token)
        if name == "if":
            self.condition(arguments[0], first)
        for one in arguments[1:] if name == "if" else arguments:
            self.number(one, first)
        if name in WINDOW_FUNCTIONS and not isinstance(arguments[0], Cells):
            raise self.fail("cells", first)
        return Call(name, tuple(arguments))

    def _population(self, token: _Token) -> Node:
        words = [] if self.take(")") else self._arguments()
        if not all(isinstance(one, Word) for one in words):
            raise self.fail("population", token)
        texts = [one.value for one in words if isinstance(one, Word)]
        sexes = [one for one in texts if one in ("male", "female")]
        if len(sexes) > 1:
            raise self.fail("population", token)
        return Population(tuple(one for one in texts if one not in sexes), sexes[0] if sexes else "")


def _column(name: str) -> tuple[str, ...]:
    return ("",) if name == DEFAULT_CATEGORY else (name,)


def _cells_inside(text: str, token: _Token) -> Cells:
    """[form: row, row.column, column] → Cells."""
    inside, at, marks = token.text[1:-1], 0, [""]
    groups: list[list[str]] = [[]]
    while at < len(inside) or not groups[-1]:
        found = _CELL.match(inside, at)
        if not found:
            raise ExpressionError(text, token.at + 1 + at, inside[at : at + 12] or "]", "rule.expected.cell_name")
        groups[-1].append(found["star"] or found["plain"] or found["quoted"].replace('""', '"'))
        at = found.end()
        if at == len(inside):
            break
        mark = inside[at]
        allowed = {":": marks == [""] and len(groups[0]) == 1, ".": "." not in marks, ",": True}.get(mark, False)
        if not allowed:
            raise ExpressionError(text, token.at + 1 + at, mark, "rule.expected.cell_mark")
        at += 1
        if mark != ",":
            groups.append([])
            marks.append(mark)
    dataset = groups[0][0] if marks[1:2] == [":"] else ""
    rows, *columns = groups[1:] if dataset else groups
    named = tuple(one for name in (columns[0] if columns else ()) for one in _column(name))
    for names in (rows, named):
        if len(names) > 1 and {"*", "@"} & set(names):
            raise ExpressionError(text, token.at, token.text, "rule.expected.star_alone")
    if not dataset and ({"*", "@"} & set(rows)):
        raise ExpressionError(text, token.at, token.text, "rule.expected.form_named")
    return Cells(tuple(dict.fromkeys(rows)), tuple(dict.fromkeys(named)), dataset)

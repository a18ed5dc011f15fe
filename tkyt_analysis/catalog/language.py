"""The words of rules: what an expression of a quality rule is made of, as values.

One language for rules of kind `expression` (two sides of numbers and an operator between them) and for the checks that a
data set's entry gives (one condition over its columns). Grammar and meaning: docs/quality_rules.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields

EVERY = "*"  # every row or column that the form has
EACH = "@"  # the row or column at hand: the rule is asked for each
DEFAULT_CATEGORY = "HllvX50cXC0"  # DHIS2's "default" option combination, stored as an empty category


@dataclass(frozen=True)
class Number:
    """A plain number."""

    value: float


@dataclass(frozen=True)
class Word:
    """A text in quotes: 'BCG'."""

    value: str


@dataclass(frozen=True)
class Cells:
    """A reported value, or the sum of several cells.

    dataset : data set (form) that the rows belong to; "" where `rows` are elements by id or code
    rows, columns : names, ("*",) for every one, ("@",) for the one at hand; no columns: the sum over all categories
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...] = ()
    dataset: str = ""

    @property
    def needed(self) -> int:
        """How many cells must be there for none to be missing ("every one" needs at least one)."""
        return max(1, len(self.rows)) * max(1, len(self.columns))


@dataclass(frozen=True)
class Population:
    """Registered or projected population of the unit in the year in which the period ends."""

    ages: tuple[str, ...] = ()
    sex: str = ""


@dataclass(frozen=True)
class Constant:
    """A named number of the rule."""

    name: str


@dataclass(frozen=True)
class Days:
    """Days of the period; of the whole window inside a rule with one (`window_days`)."""

    window: bool = False


@dataclass(frozen=True)
class Arithmetic:
    """left sign right, with + - * /."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Minus:
    """The negative of a number."""

    of: Node


@dataclass(frozen=True)
class Call:
    """A function of the language with its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Compare:
    """left sign right, true or false."""

    sign: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Logic:
    """and, or of conditions; not of one."""

    sign: str
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class IsNull:
    """Whether a value is absent (or, denied, present)."""

    of: Node
    denied: bool = False


@dataclass(frozen=True)
class Among:
    """Whether a value is one of some."""

    of: Node
    values: tuple[Node, ...]
    denied: bool = False


@dataclass(frozen=True)
class Between:
    """Whether a value lies between two, both included."""

    of: Node
    low: Node
    high: Node
    denied: bool = False


Operand = Cells | Population
Node = (
    Number | Word | Cells | Population | Constant | Days | Arithmetic | Minus | Call | Compare | Logic | IsNull | Among | Between
)  # fmt: skip

# {name: (fewest, most arguments)}; most None: any number
FUNCTIONS: dict[str, tuple[int, int | None]] = {
    "sum": (1, None),
    "min": (1, None),
    "max": (1, None),
    "abs": (1, 1),
    "if": (3, 3),
    "isNull": (1, 1),
    "isNotNull": (1, 1),
    "firstNonNull": (1, None),
    "window_sum": (1, 1),
    "window_average": (1, 1),
}
TRUTHS = (Compare, Logic, IsNull, Among, Between)
TRUE_FUNCTIONS = ("isNull", "isNotNull")
NULL_FUNCTIONS = ("isNull", "isNotNull", "firstNonNull")
WINDOW_FUNCTIONS = ("window_sum", "window_average")


def is_truth(node: Node) -> bool:
    """Is it a condition (true or false), not a number?"""
    return isinstance(node, TRUTHS) or (isinstance(node, Call) and node.name in TRUE_FUNCTIONS)


def parts_of(node: Node) -> tuple[Node, ...]:
    """The nodes directly below one."""
    below: list[Node] = []
    for one in fields(node):
        value = getattr(node, one.name)
        if isinstance(value, tuple):
            below += [part for part in value if not isinstance(part, str)]
        elif not isinstance(value, str | bool | float | int):
            below.append(value)
    return tuple(below)


def walk(node: Node) -> Iterator[Node]:
    """The node and all below it, in the order of writing."""
    yield node
    for part in parts_of(node):
        yield from walk(part)


def operands(node: Node) -> list[Operand]:
    """The reported values and populations that an expression names, each once, in the order of their first mention."""
    return list(dict.fromkeys(one for one in walk(node) if isinstance(one, Cells | Population)))


def mentions(node: Node) -> list[Operand]:
    """The same as often as each is named, outside of window functions: what missing-value strategies count (a window
    without enough periods is never judged)."""
    if isinstance(node, Call) and node.name in WINDOW_FUNCTIONS:
        return []
    if isinstance(node, Cells | Population):
        return [node]
    return [one for part in parts_of(node) for one in mentions(part)]


def each_axis(*nodes: Node) -> str:
    """ "row", "column" or "": what the rule is asked for each of."""
    cells = [one for node in nodes for one in operands(node) if isinstance(one, Cells)]
    if any(EACH in one.rows for one in cells):
        return "row"
    return "column" if any(EACH in one.columns for one in cells) else ""


def field_name(one: Operand) -> str:
    """The name of a value in a question: letters, digits and _ only ("18_female", "1_to_25_maternal")."""
    if isinstance(one, Population):
        raw = "_".join(("population", *one.ages, *([one.sex] if one.sex else [])))
    else:
        raw = "_".join(_few(names) for names in (one.rows, one.columns) if names and names != (EACH,))
    clean = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in raw).strip("_")
    return f"cell_{clean}" if clean.isdigit() else clean or "cells"


def _few(names: tuple[str, ...], between: str = "_to_", comma: str = "_") -> str:
    """Several names in a row, many of them as the first and the last."""
    return comma.join(names) if len(names) <= 3 else f"{names[0]}{between}{names[-1]}"


def short_text(one: Operand, each: str = "") -> str:
    """An operand for people: "18.female", "1…25.total"; `each` stands for the row or column at hand."""
    if isinstance(one, Population):
        return written(one)
    rows, columns = (_few(names, "…", ", ").replace(EACH, each or EACH) for names in (one.rows, one.columns))
    return f"{rows}.{columns}" if columns else rows


_STRENGTH = {"+": 1, "-": 1, "*": 2, "/": 2}


def written(node: Node) -> str:
    """An expression as text; parsing it gives the same expression."""
    match node:
        case Number(value):
            return repr(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))
        case Word(value):
            return "'" + value.replace("'", "''") + "'"
        case Cells():
            return _cells(node)
        case Population(ages, sex):
            return f"population({', '.join(written(Word(one)) for one in (*ages, *([sex] if sex else [])))})"
        case Constant(name):
            return f"${name}"
        case Days(window):
            return "window_days" if window else "days"
        case Arithmetic(sign, left, right):
            return f"{_inside(left, _STRENGTH[sign])} {sign} {_inside(right, _STRENGTH[sign] + 1)}"
        case Minus(of):
            return f"-{_inside(of, 3)}"
        case Call(name, arguments):
            return f"{name}({', '.join(written(one) for one in arguments)})"
        case Compare(sign, left, right):
            return f"{written(left)} {sign} {written(right)}"
        case Logic("not", (part,)):
            return f"not ({written(part)})"
        case Logic(sign, several):
            return f" {sign} ".join(f"({written(one)})" for one in several)
        case IsNull(of, denied):
            return f"{written(of)} is {'not ' if denied else ''}null"
        case Among(of, values, denied):
            return f"{written(of)} {'not ' if denied else ''}in ({', '.join(written(one) for one in values)})"
        case Between(of, low, high, denied):
            return f"{written(of)} {'not ' if denied else ''}between {written(low)} and {written(high)}"
    raise TypeError(type(node).__name__)


def _inside(node: Node, strength: int) -> str:
    own = _STRENGTH.get(node.sign, 0) if isinstance(node, Arithmetic) else 2.5 if isinstance(node, Minus) else 9
    return written(node) if own >= strength and not is_truth(node) else f"({written(node)})"


def plain_name(text: str) -> bool:
    """Can it stand without quotes?"""
    return bool(text) and text.isascii() and text.replace("_", "a").isalnum()


def _name(text: str) -> str:
    if (
        text in (EVERY, EACH)
        or plain_name(text)
        or (text.isascii() and text.replace("_", "a").replace("/", "a").isalnum())
    ):
        return text
    return '"' + text.replace('"', '""') + '"'


def _cells(cells: Cells) -> str:
    shown = tuple(one or DEFAULT_CATEGORY for one in cells.columns)
    cells = Cells(cells.rows, shown, cells.dataset)
    if not cells.dataset and len(cells.rows) == 1 and len(cells.columns) <= 1:
        parts = (*cells.rows, *cells.columns)
        if all(plain_name(one) and one[0].isalpha() for one in parts) and parts[0].lower() not in RESERVED:
            return ".".join(parts)
    prefix = f"{_name(cells.dataset)}: " if cells.dataset else ""
    columns = "." + ", ".join(_name(one) for one in cells.columns) if cells.columns else ""
    return f"[{prefix}{', '.join(_name(one) for one in cells.rows)}{columns}]"


RESERVED = frozenset({"and", "or", "not", "is", "null", "in", "between", "days", "window_days", "population"} |
                     {name.lower() for name in FUNCTIONS} | {"coalesce", "least", "greatest", "average"})  # fmt: skip

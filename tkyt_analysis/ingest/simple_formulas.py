"""Sums that nobody computed: the formulas that forms have (SUM, + and -, empty while nothing is filled in).

A workbook that a program wrote and no spreadsheet opened holds formulas without values. Those of forms are plain sums of
cells; they are computed here, with a note. Any other formula stays uncomputed and goes to quarantine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

Cell = tuple[int, int]
Look = Callable[[Cell], object]

_REFERENCE = re.compile(r"\$?([A-Z]{1,3})\$?(\d{1,7})(?::\$?([A-Z]{1,3})\$?(\d{1,7}))?")
_SUM = re.compile(r"SUM\(([^()]*)\)")
_WHEN_FILLED = re.compile(r'IF\(COUNT\(([^()]*)\)=0,"",(SUM\([^()]*\))\)')
_TERM = re.compile(r"([+-]?)(SUM\([^()]*\)|\$?[A-Z]{1,3}\$?\d{1,7}|\d+(?:\.\d+)?)")
MOST_CELLS = 100_000


class NotSimple(Exception):
    """A formula that is no plain sum of numbers."""


def compute_sums(values: np.ndarray, formulas: Mapping[Cell, str]) -> dict[Cell, float | str]:
    """{(row, column): value} of the formulas that are plain sums; rows and columns count from 1.

    values : the sheet's cells (float, str, …); a formula may use cells that are formulas themselves
    """
    known: dict[Cell, float | str] = {}
    failed: set[Cell] = set()

    def value_at(cell: Cell, open_cells: frozenset[Cell]) -> object:
        if cell in formulas and cell not in known:
            if cell in open_cells or cell in failed:
                raise NotSimple
            known[cell] = _evaluate(formulas[cell], lambda one: value_at(one, open_cells | {cell}))
        if cell in known:
            return known[cell]
        row, column = cell
        return values[row - 1, column - 1] if row <= values.shape[0] and column <= values.shape[1] else ""

    for cell in formulas:
        try:
            value_at(cell, frozenset())
        except (NotSimple, RecursionError):
            failed.add(cell)
    return {cell: value for cell, value in known.items() if cell not in failed}


def _evaluate(formula: str, value_at: Look) -> float | str:
    text = re.sub(r"\s", "", formula).lstrip("=").upper()
    if guarded := _WHEN_FILLED.fullmatch(text):
        parts = [one for one in _values(guarded[1], value_at) if one != ""]
        return _evaluate(guarded[2], value_at) if parts else ""
    total, end = 0.0, 0
    for term in _TERM.finditer(text):
        if term.start() != end or (end and not term[1]):
            raise NotSimple
        total += -_term(term[2], value_at) if term[1] == "-" else _term(term[2], value_at)
        end = term.end()
    if not end or end != len(text):
        raise NotSimple
    return total


def _term(text: str, value_at: Look) -> float:
    if inner := _SUM.fullmatch(text):
        found = _values(inner[1], value_at)
        if any(one != "" and _number_of(one) is None for one in found):
            raise NotSimple  # a spreadsheet would leave a text out of the sum without a word
        return sum(_number_of(one) or 0.0 for one in found)
    if _REFERENCE.fullmatch(text):
        (one,) = _values(text, value_at)
        number = 0.0 if one == "" else _number_of(one)
        if number is None:
            raise NotSimple
        return number
    return float(text)


def _number_of(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _values(arguments: str, value_at: Look) -> list[object]:
    """The values of "C13:C37,C40", in order."""
    found: list[object] = []
    for part in arguments.split(","):
        match = _REFERENCE.fullmatch(part)
        if not match:
            raise NotSimple
        top, left = int(match[2]), _number(match[1])
        bottom, right = (int(match[4]), _number(match[3])) if match[3] else (top, left)
        if (bottom - top + 1) * (right - left + 1) > MOST_CELLS:
            raise NotSimple
        found += [value_at((row, column)) for row in range(top, bottom + 1) for column in range(left, right + 1)]
    return found


def _number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number

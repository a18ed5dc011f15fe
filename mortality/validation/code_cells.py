"""The codes of a block of certificates as arrays: one entry per code, with its row, its field and what the code is."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mortality.validation.code_edits import CodeFacts, facts_of_code

UNDERLYING = "underlying_cause"
LINES = ("line_a", "line_b", "line_c", "line_d", "part2")
FIELDS = (UNDERLYING, *LINES)
NOTHING = CodeFacts("")
_SPLIT = r"[\s;,/|]+"


@dataclass(frozen=True)
class CodeCells:
    """Entry i: code `facts[code[i]]` of row `row[i]`, field `FIELDS[line[i]]`; entries are sorted by row, line, position.

    underlying : entries that are the underlying cause: given as such, or the only code of the row
    """

    rows: int
    row: np.ndarray
    line: np.ndarray
    code: np.ndarray
    facts: tuple[CodeFacts, ...]
    properties: dict[str, np.ndarray] = field(default_factory=dict)  # those asked for so far

    def of(self, name: str) -> np.ndarray:
        """One property of the code, for every entry."""
        if name not in self.properties:
            values = [getattr(fact, name) for fact in self.facts]
            kind: Any = bool if isinstance(getattr(NOTHING, name), bool) else object
            self.properties[name] = np.array([*values, None], dtype=object)[:-1].astype(kind)[self.code]
        return self.properties[name]

    def within_limit(self, number: int) -> np.ndarray:
        """For every entry, whether this line of `edit_lists.limits` concerns its code."""
        return np.array([number in fact.limits for fact in self.facts], dtype=bool)[self.code]

    @cached_property
    def underlying(self) -> np.ndarray:
        given = self.line == 0
        first = np.r_[True, self.row[1:] != self.row[:-1]] if self.row.size else given
        alone = (self.count(np.ones(self.row.size, dtype=bool)) == 1)[self.row]
        return first & (given | alone)

    def count(self, chosen: np.ndarray) -> np.ndarray:
        """How many chosen entries each row has."""
        return np.bincount(self.row[np.asarray(chosen, dtype=bool)].astype(np.intp), minlength=self.rows)

    def anywhere(self, chosen: np.ndarray) -> np.ndarray:
        """For each row, whether it has a chosen entry."""
        return self.count(chosen) > 0


def code_cells(frame: pd.DataFrame, *, country: str, edition: int) -> CodeCells:
    """The codes of the columns FIELDS of a frame (those it has); a cell may hold several, apart by blanks, "," ";" or "/"."""
    parts = [_column_codes(frame[name], number) for number, name in enumerate(FIELDS) if name in frame]
    row, line, written = (np.concatenate(part) for part in zip(*parts, strict=True))
    code, distinct = pd.factorize(written)
    order = np.lexsort((line, row))
    facts = tuple(facts_of_code(text, country=country, edition=edition) for text in distinct)
    return CodeCells(len(frame), row[order], line[order], code[order], facts)


def _column_codes(cells: pd.Series, line: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(row, field, written code) of one column; each distinct cell is split once."""
    number, distinct = pd.factorize(cells.astype(object))
    texts = pd.Series(distinct, dtype="str").str.replace("*", " ", regex=False).str.strip()
    codes = [[part for part in text.split() if part] for text in texts.str.replace(_SPLIT, " ", regex=True)]
    sizes = np.array([len(one) for one in codes] + [0])  # the last entry: an empty cell, number -1
    starts = np.cumsum(sizes) - sizes
    repeats = sizes[number]
    row = np.repeat(np.arange(len(number)), repeats)
    within = np.arange(row.size) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    flat = np.array([code for one in codes for code in one], dtype=object)
    return row, np.full(row.size, line), flat[starts[number][row] + within] if row.size else flat[:0]

"""Rows of ranges as bit sets: which rows of a list hold a code, as one integer with bit i for row i.

Two conditions then fit a row where the bits of both columns meet: one AND instead of a search per row.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from mortality.underlying_cause.code_sets import code_set
from mortality.validation.code_ranges import code_ends

# Between the codes of two ranges lies nothing else than what sorts after the last one: "A15.9" < "A15.9~" < "A16.0".
_AFTER = "~"


class RowsHolding:
    """An index of many range texts: `rows[code]` is the bit set of the texts that hold the code."""

    def __init__(self, texts: Iterable[str]) -> None:
        bounds = [
            (bit, first, last + _AFTER) for bit, text in enumerate(texts) for first, last in code_set(text).bounds
        ]
        self._edges = sorted({edge for _, first, after in bounds for edge in (first, after)})
        self._bits = [0] * (len(self._edges) + 1)
        for bit, first, after in bounds:
            for at in range(bisect_left(self._edges, first) + 1, bisect_left(self._edges, after) + 1):
                self._bits[at] |= 1 << bit

    def __getitem__(self, code: str) -> int:
        first, last = code_ends(code)
        low, high = bisect_right(self._edges, first), bisect_right(self._edges, last)
        bits = self._bits[low]
        for at in range(low + 1, high + 1):
            bits &= self._bits[at]
        return bits


def first_bit(bits: int) -> int:
    """The number of the first row in a bit set that is not empty."""
    return (bits & -bits).bit_length() - 1


def all_bits(bits: int) -> list[int]:
    """The numbers of the rows in a bit set, in the order of the list."""
    found = []
    while bits:
        found.append(first_bit(bits))
        bits &= bits - 1
    return found

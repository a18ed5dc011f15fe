"""Ranges of ICD-10 codes such as "C53-C55;N40;M80.0-M80.1".

Both ends count with their subdivisions. A category of three characters lies in a range only if all of it does: M80 is not in
M80.0-M80.1.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache


class CodeRanges:
    """A set of ranges; `code in ranges` asks for one code (upper case, with dot)."""

    def __init__(self, text: str) -> None:
        parts = [part.strip().partition("-") for part in text.split(";") if part.strip()]
        self.bounds = _joined(sorted((code_ends(low)[0], code_ends(high or low)[1]) for low, _, high in parts))
        self.begins = [begin for begin, _ in self.bounds]

    def __contains__(self, code: str) -> bool:
        first, last = code_ends(code)
        at = bisect_right(self.begins, first) - 1
        return bool(code) and at >= 0 and last <= self.bounds[at][1]


def _joined(bounds: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Sorted ranges with those that overlap made one, so that the last one that begins before a code decides."""
    joined: list[tuple[str, str]] = []
    for begin, end in bounds:
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((begin, end))
    return joined


def code_ends(code: str) -> tuple[str, str]:
    """The first and the last four-character code that a code stands for: "C53" → "C53.0", "C53.9"; "C53.12" → "C53.1"."""
    return (f"{code}.0", f"{code}.9") if len(code) == 3 else (code[:5], code[:5])


@cache
def ranges_of(text: str) -> CodeRanges:
    """The ranges that a text names, read once."""
    return CodeRanges(text)


def in_ranges(code: str, text: str) -> bool:
    """Whether a code lies in the ranges that a text names."""
    return code in ranges_of(text)

"""Sets of codes from ranges that may overlap, such as "A15-A19;A00-B99"."""

from __future__ import annotations

from functools import cache

from mortality.validation.code_ranges import CodeRanges


class CodeSet(CodeRanges):
    """As `CodeRanges`, with overlapping ranges joined: `code in codes`."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        joined: list[tuple[str, str]] = []
        for first, last in self.bounds:
            if joined and first <= joined[-1][1]:
                joined[-1] = joined[-1][0], max(joined[-1][1], last)
            else:
                joined.append((first, last))
        self.bounds = joined
        self.begins = [first for first, _ in joined]


@cache
def code_set(text: str) -> CodeSet:
    """The set of codes that a text names, read once."""
    return CodeSet(text)

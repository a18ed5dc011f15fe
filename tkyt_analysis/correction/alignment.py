"""Which row of a mended sheet is which row of the earlier one, though rows were added, removed or changed."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence

from tkyt_analysis.ingest.excel_grid import Grid


def align_rows(old: Sequence[str], new: Sequence[str]) -> dict[int, int]:
    """{place in `old`: place in `new`}, counted from 0.

    Rows that stand once on both sides are the fixed points (in their longest common order); the rows between two fixed
    points belong together one by one from the upper one on.
    """
    once = {row for row, count in Counter(old).items() if count == 1 and row}
    where = {row: place for place, row in enumerate(new)}
    counts = Counter(new)
    pairs = [(at, where[row]) for at, row in enumerate(old) if row in once and counts.get(row) == 1]
    fixed = [(-1, -1), *_increasing(pairs), (len(old), len(new))]
    matched: dict[int, int] = {}
    for (first, new_first), (last, new_last) in zip(fixed, fixed[1:], strict=False):
        if first >= 0:
            matched[first] = new_first
        for step in range(1, last - first):
            if new_first + step < new_last:
                matched[first + step] = new_first + step
    return matched


def _increasing(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The longest part of the pairs whose second numbers rise (the first ones do)."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for index, (_, second) in enumerate(pairs):
        place = bisect_left(tails, second)
        before.append(ends[place - 1] if place else -1)
        if place == len(tails):
            tails.append(second)
            ends.append(index)
        else:
            tails[place], ends[place] = second, index
    chosen, at = [], ends[-1] if ends else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def row_texts(grid: Grid) -> list[str]:
    """One text per row of a sheet, for comparison."""
    return ["\x1f".join(row).strip("\x1f") for row in grid.texts]


def moved_rows(old: Mapping[str, Grid], new: Mapping[str, Grid]) -> dict[tuple[str, int], tuple[str, int]]:
    """{(sheet, row): (sheet, row)} from the earlier workbook to the mended one; a renamed sheet is found by its rows."""
    moved: dict[tuple[str, int], tuple[str, int]] = {}
    texts = {name: row_texts(grid) for name, grid in new.items()}
    for name, grid in old.items():
        own = row_texts(grid)
        target = name if name in texts else max(texts, key=lambda one: len(set(own) & set(texts[one])), default="")
        if target:
            pairs = align_rows(own, texts[target])
            moved |= {(name, at + 1): (target, to + 1) for at, to in pairs.items()}
    return moved

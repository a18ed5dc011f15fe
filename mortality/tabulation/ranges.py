"""Ranges of ICD-10 codes as cause lists write them: "A15-A19", "Y87.0", "V12-V14[.3-.9]"."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right

from tkyt_analysis.errors import InputError

_RANGE = re.compile(
    r"^([A-Z]\d{2}(?:\.\d{1,2})?)(?:-([A-Z]\d{2}(?:\.\d{1,2})?))?(?:\[\.(\d)(?:-\.(\d))?\])?$",
)
_HIGHEST = "\uffff"


def expand_range(text: str, codes: list[str], *, where: str = "") -> list[str]:
    """The codes (sorted list) inside "A15-A19", "B90" or "Y87.0"; both ends with all their subdivisions.

    "V12-V14[.3-.9]" takes only the fourth characters 3 to 9 of V12, V13 and V14. Raises InputError for anything else.
    """
    match = _RANGE.match(text.strip())
    if not match:
        raise InputError("error.cause_list_range", where=where, found=text)
    first, last, low, high = match[1], match[2] or match[1], match[3], match[4] or match[3]
    if last < first or (low and (low > high or "." in first + last)):
        raise InputError("error.cause_list_range", where=where, found=text)
    inside = codes[bisect_left(codes, first) : bisect_right(codes, last + _HIGHEST)]
    return [code for code in inside if low <= code[4:5] <= high] if low else inside


def codes_in_ranges(ranges: str, codes: list[str], *, where: str = "") -> list[str]:
    """The codes inside ranges joined by ";" or ","."""
    parts = [part for part in re.split(r"[;,]", ranges) if part.strip()]
    return [code for part in parts for code in expand_range(part, codes, where=where)]


def as_ranges(codes: list[str], universe: list[str]) -> str:
    """The shortest usual way to write `codes`, which lie in the sorted `universe`: "C86; I15; U00-U07.0".

    Codes that stand side by side in the universe are joined; a category with all its subdivisions is written with three
    characters.
    """
    place = {code: number for number, code in enumerate(universe)}
    runs: list[list[str]] = []
    for code in sorted(codes):
        if runs and place[code] == place[runs[-1][-1]] + 1:
            runs[-1].append(code)
        else:
            runs.append([code])
    return "; ".join(_run(run, universe, place) for run in runs)


def _run(run: list[str], universe: list[str], place: dict[str, int]) -> str:
    before, after = place[run[0]] - 1, place[run[-1]] + 1
    first, last = run[0], run[-1]
    if before < 0 or universe[before][:3] != first[:3]:
        first = first[:3]
    if after == len(universe) or universe[after][:3] != last[:3]:
        last = last[:3]
    if first[:3] == last[:3] and len(first) != len(last):
        first, last = run[0], run[-1]
    return first if first == last else f"{first}-{last}"

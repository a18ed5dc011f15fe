"""Tabulation lists: items with code ranges, compiled once to a code → item map and checked to be a partition."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pandas as pd

from mortality.icd import code_universe, is_valid_code, normalise_code, replace_legacy, who_categories
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.loader import load_entry
from tkyt_analysis.errors import InputError

RESIDUAL = "*"
GAP = "gap"
UNKNOWN = "unknown"
_RANGE = re.compile(r"^([A-Z]\d{2}(?:\.\d)?)(?:-([A-Z]\d{2}(?:\.\d)?))?$")
_HIGHEST = "\uffff"


@dataclass(frozen=True)
class CauseList:
    """A compiled list.

    items : item, label_vi, label_en, heading (bool), in the order of the list
    code_to_item : every WHO category that belongs to one item
    headings : heading → its items
    gaps : lowest-level codes of the universe that no item takes
    """

    id: str
    edition: str
    items: pd.DataFrame
    code_to_item: dict[str, str]
    headings: dict[str, tuple[str, ...]]
    gaps: tuple[str, ...]

    def item_of(self, codes: pd.Series) -> pd.Series:
        """The item of each code; "gap" for a valid code without item, "unknown" where there is no valid code."""
        distinct = pd.Series(codes.dropna().unique(), dtype="str")
        mapping = {written: self._one(normalise_code(written)) for written in distinct}
        return codes.map(mapping).fillna(UNKNOWN).astype("str")

    def _one(self, code: str) -> str:
        if not is_valid_code(code):
            code = replace_legacy(code)
        if not code:
            return UNKNOWN
        return self.code_to_item.get(code) or self.code_to_item.get(code[:3]) or GAP


def expand_range(text: str, codes: list[str], *, where: str = "") -> list[str]:
    """The codes (sorted list) inside "A15-A19", "B90" or "Y87.0"; both ends with all their subdivisions."""
    match = _RANGE.match(text.strip())
    if not match:
        raise InputError("error.cause_list_range", where=where, found=text)
    first, last = match[1], match[2] or match[1]
    if last < first:
        raise InputError("error.cause_list_range", where=where, found=text)
    return codes[bisect_left(codes, first) : bisect_right(codes, last + _HIGHEST)]


def codes_in_ranges(ranges: str, codes: list[str], *, where: str = "") -> list[str]:
    """The codes inside ranges joined by ";" or ","."""
    parts = [part for part in re.split(r"[;,]", ranges) if part.strip()]
    return [code for part in parts for code in expand_range(part, codes, where=where)]


def compile_items(rows: pd.DataFrame, codes: Iterable[str], *, list_id: str = "") -> dict[str, str]:
    """Rows (item, icd10_ranges, heading) → code→item; two items that claim one code are an InputError.

    One row may have the ranges "*": it takes every code that no other row takes.
    """
    ordered = sorted(codes)
    claimed: dict[str, str] = {}
    overlaps: list[str] = []
    parts = rows[rows["heading"] == ""]
    for item, ranges in zip(parts["item"], parts["icd10_ranges"]):
        if ranges.strip() == RESIDUAL:
            continue
        for code in codes_in_ranges(ranges, ordered, where=f"{list_id}, {item}"):
            if claimed.setdefault(code, item) != item:
                overlaps.append(f"{code} ({claimed[code]}, {item})")
    if overlaps:
        shown = "; ".join(overlaps[:10])
        raise InputError("error.cause_list_overlap", cause_list=list_id, count=len(overlaps), codes=shown)
    residual = parts.loc[parts["icd10_ranges"].str.strip() == RESIDUAL, "item"]
    if len(residual) > 1:
        raise InputError("error.cause_list_overlap", cause_list=list_id, count=len(residual), codes=RESIDUAL)
    for item in residual:
        claimed |= {code: item for code in ordered if code not in claimed}
    return claimed


def _headings(rows: pd.DataFrame, code_to_item: dict[str, str], codes: list[str]) -> dict[str, tuple[str, ...]]:
    order = {item: number for number, item in enumerate(rows["item"])}
    inside: dict[str, tuple[str, ...]] = {}
    for item, ranges in rows.loc[rows["heading"] != "", ["item", "icd10_ranges"]].itertuples(index=False):
        members = {code_to_item[code] for code in codes_in_ranges(ranges, codes) if code in code_to_item}
        inside[item] = tuple(sorted(members, key=order.__getitem__))
    return inside


def compile_cause_list(list_id: str, rows: pd.DataFrame, *, edition: str) -> CauseList:
    """A cause list from its rows: item (or row), label_vi, label_en, icd10_ranges, optionally heading."""
    named = rows.rename(columns={"row": "item"})
    if "heading" not in named.columns:
        named = named.assign(heading="")
    codes = sorted(who_categories())
    code_to_item = compile_items(named, codes, list_id=list_id)
    return CauseList(
        id=list_id,
        edition=edition,
        items=named[["item", "label_vi", "label_en"]].assign(heading=named["heading"] != ""),
        code_to_item=code_to_item,
        headings=_headings(named, code_to_item, codes),
        gaps=tuple(code for code in code_universe() if code not in code_to_item),
    )


@cache
def load_cause_list(list_id: str) -> CauseList:
    """The list `data_catalog/cause_lists/<list_id>.yaml`, compiled over all WHO 2019 categories.

    Raises InputError where two items claim a code or a range cannot be read; gaps are listed in `.gaps`.
    """
    entry = load_entry("cause_lists", list_id)
    return compile_cause_list(entry.id, read_codelist(entry.items), edition=entry.edition)

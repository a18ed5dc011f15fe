"""Tabulation lists: items with code ranges, compiled once to a code → item map and checked to be a partition.

A list is rows of item and ranges. A heading is a sum of items. "*" takes what no other item takes, "*A00-B99" what no other
item takes of that chapter. Two items that claim one code are an error, unless the list states which comes first (column
`precedence`, the smaller number wins); what was decided so is kept in `CauseList.resolved`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import pandas as pd

from mortality.icd import code_universe, is_valid_code, normalise_code, replace_legacy, who_categories
from mortality.tabulation.ranges import codes_in_ranges, expand_range
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.loader import load_entry
from tkyt_analysis.errors import InputError

__all__ = [
    "DEFAULT_LIST", "GAP", "RESIDUAL", "UNKNOWN", "CauseList", "codes_in_ranges", "compile_cause_list", "compile_items",
    "expand_range", "load_cause_list",
]  # fmt: skip

DEFAULT_LIST = "who_mortality_list_1"
RESIDUAL = "*"
GAP = "gap"
UNKNOWN = "unknown"
_UNSPECIFIED = ".9"


@dataclass(frozen=True)
class CauseList:
    """A compiled list.

    items : item, label_vi, label_en, heading (bool), in the order of the list
    code_to_item : every WHO category that belongs to one item
    headings : heading → its items
    gaps : lowest-level codes of the universe that no item takes
    incomplete : three-character codes whose subdivisions lie in several items → the item of their ".9"
    resolved : codes that several items claim → those items, the one that was preferred first
    """

    id: str
    edition: str
    items: pd.DataFrame
    code_to_item: dict[str, str]
    headings: dict[str, tuple[str, ...]]
    gaps: tuple[str, ...]
    incomplete: Mapping[str, str] = field(default_factory=dict)
    resolved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def item_of(self, codes: pd.Series) -> pd.Series:
        """The item of each code; "gap" for a valid code without item, "unknown" where there is no valid code."""
        number, distinct = pd.factorize(codes)
        items = pd.array([self._one(normalise_code(written)) for written in distinct] + [UNKNOWN], dtype="str")
        return pd.Series(items.take(number), index=codes.index, name=codes.name)  # -1, a missing code, takes the last

    def _one(self, code: str) -> str:
        if not is_valid_code(code):
            code = replace_legacy(code)
        if not code:
            return UNKNOWN
        if code not in who_categories():  # a place of occurrence: V and W to Y stand with their three characters
            code = code[:3]
        return self.code_to_item.get(code) or self.incomplete.get(code) or GAP


def compile_items(rows: pd.DataFrame, codes: Iterable[str], *, list_id: str = "") -> dict[str, str]:
    """Rows (item, icd10_ranges, heading[, precedence]) → code→item; two items that claim one code are an InputError."""
    ordered = sorted(codes)
    claims = _claims(rows, ordered, list_id)
    _require_no_overlap(claims, list_id)
    return _with_residuals({code: items[0][0] for code, items in claims.items()}, rows, ordered, list_id)


def _claims(rows: pd.DataFrame, ordered: list[str], list_id: str) -> dict[str, list[tuple[str, str]]]:
    """code → (item, precedence) of every item that claims it, the preferred one first."""
    precedence = rows["precedence"] if "precedence" in rows else pd.Series("", index=rows.index)
    claims: dict[str, list[tuple[str, str]]] = {}
    for item, ranges, heading, rank in zip(rows["item"], rows["icd10_ranges"], rows["heading"], precedence):
        if heading == "" and not ranges.strip().startswith(RESIDUAL):
            for code in dict.fromkeys(codes_in_ranges(ranges, ordered, where=f"{list_id}, {item}")):
                claims.setdefault(code, []).append((item, rank))
    return {code: sorted(items, key=lambda one: one[1]) for code, items in claims.items()}


def _require_no_overlap(claims: dict[str, list[tuple[str, str]]], list_id: str) -> None:
    """Two claims of one rank (or of none) are an overlap."""
    found = [
        f"{code} ({', '.join(item for item, _ in items)})"
        for code, items in sorted(claims.items())
        if len(items) > 1 and items[0][1] == items[1][1]
    ]
    if found:
        shown = "; ".join(found[:10])
        raise InputError("error.cause_list_overlap", cause_list=list_id, count=len(found), codes=shown)


def _with_residuals(claimed: dict[str, str], rows: pd.DataFrame, ordered: list[str], list_id: str) -> dict[str, str]:
    """The map with the rows "*…" filled, the narrowest first. Two that overlap without one lying in the other are an error."""
    scopes = {}
    for item, ranges, heading in zip(rows["item"], rows["icd10_ranges"], rows["heading"]):
        if heading == "" and ranges.strip().startswith(RESIDUAL):
            text = ranges.strip().removeprefix(RESIDUAL)
            scopes[item] = set(codes_in_ranges(text, ordered, where=f"{list_id}, {item}") if text else ordered)
    narrow_first = sorted(scopes, key=lambda item: len(scopes[item]))
    for place, item in enumerate(narrow_first):
        for wider in narrow_first[place + 1 :]:
            common = scopes[item] & scopes[wider]
            if common and (common != scopes[item] or scopes[item] == scopes[wider]):
                shown = f"{min(common)} ({item}, {wider})"
                raise InputError("error.cause_list_overlap", cause_list=list_id, count=len(common), codes=shown)
        claimed |= {code: item for code in sorted(scopes[item]) if code not in claimed}
    return claimed


def _headings(rows: pd.DataFrame, code_to_item: dict[str, str], codes: list[str]) -> dict[str, tuple[str, ...]]:
    order = {item: number for number, item in enumerate(rows["item"])}
    inside: dict[str, tuple[str, ...]] = {}
    for item, ranges in rows.loc[rows["heading"] != "", ["item", "icd10_ranges"]].itertuples(index=False):
        members = {code_to_item[code] for code in codes_in_ranges(ranges, codes) if code in code_to_item}
        inside[item] = tuple(sorted(members, key=order.__getitem__))
    return inside


def _incomplete(code_to_item: dict[str, str], codes: list[str]) -> dict[str, str]:
    """Categories of three characters that no item takes whole: a death coded so counts where its ".9" does."""
    open_categories = [code for code in codes if len(code) == 3 and code not in code_to_item]
    return {code: code_to_item[code + _UNSPECIFIED] for code in open_categories if code + _UNSPECIFIED in code_to_item}


def compile_cause_list(list_id: str, rows: pd.DataFrame, *, edition: str) -> CauseList:
    """A cause list from its rows: item (or row), label_vi, label_en, icd10_ranges, optionally heading and precedence."""
    named = rows.rename(columns={"row": "item"})
    if "heading" not in named.columns:
        named = named.assign(heading="")
    codes = sorted(who_categories())
    code_to_item = compile_items(named, codes, list_id=list_id)
    claims = _claims(named, codes, list_id)
    return CauseList(
        id=list_id,
        edition=edition,
        items=named[["item", "label_vi", "label_en"]].assign(heading=named["heading"] != ""),
        code_to_item=code_to_item,
        headings=_headings(named, code_to_item, codes),
        gaps=tuple(code for code in code_universe() if code not in code_to_item),
        incomplete=_incomplete(code_to_item, codes),
        resolved={code: tuple(item for item, _ in items) for code, items in claims.items() if len(items) > 1},
    )


@cache
def load_cause_list(list_id: str) -> CauseList:
    """The list `data_catalog/cause_lists/<list_id>.yaml`, compiled over all WHO 2019 categories.

    Raises InputError where two items claim a code or a range cannot be read; gaps are listed in `.gaps`.
    """
    entry = load_entry("cause_lists", list_id)
    return compile_cause_list(entry.id, read_codelist(entry.items), edition=entry.edition)

"""The partition report of a cause list: how many items, which codes have no place, what precedence decided.

Every code of the universe (lowest-level codes that may be an underlying cause) is in exactly one item or in the gaps;
overlaps never get this far, they stop the list from loading.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cache

from mortality.icd import code_universe
from mortality.tabulation.cause_lists import CauseList, load_cause_list
from mortality.tabulation.ranges import as_ranges
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.loader import load_entries, load_entry

EDITION = 2019


@dataclass(frozen=True)
class PartitionReport:
    """One list. universe = placed + gaps; `gap_ranges` writes the gaps as ranges.

    gaps_underlying : gaps that may be an underlying cause, neither an asterisk code nor never one; `gap_ranges_underlying` writes them
    resolved : codes that two items claim and the list's precedence decides
    incomplete : three-character codes counted where their ".9" is; unverified_items : items whose ranges were not compared
    """

    id: str
    edition: str
    unverified: bool
    items: int
    headings: int
    universe: int
    placed: int
    gaps: int
    gap_ranges: str
    gaps_underlying: int
    gap_ranges_underlying: str
    resolved: int
    resolved_ranges: str
    incomplete: int
    unverified_items: int

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def partition_report(list_id: str) -> PartitionReport:
    """The report of one list of the catalog; raises InputError where the list does not compile (overlap, wrong range)."""
    entry = load_entry("cause_lists", list_id)
    status = read_codelist(entry.items).get("status")
    return report_of(
        load_cause_list(list_id),
        unverified=entry.unverified,
        unverified_items=0 if status is None else int(status.eq("unverified").sum()),
    )


def report_of(compiled: CauseList, *, unverified: bool = False, unverified_items: int = 0) -> PartitionReport:
    """The report of a compiled list."""
    universe = code_universe()
    placed = sum(code in compiled.code_to_item for code in universe)
    resolved = [code for code in universe if code in compiled.resolved]
    underlying = [code for code in compiled.gaps if code not in never_underlying()]
    return PartitionReport(
        id=compiled.id,
        edition=compiled.edition,
        unverified=unverified,
        items=int((~compiled.items["heading"]).sum()),
        headings=int(compiled.items["heading"].sum()),
        universe=len(universe),
        placed=placed,
        gaps=len(compiled.gaps),
        gap_ranges=as_ranges(list(compiled.gaps), universe),
        gaps_underlying=len(underlying),
        gap_ranges_underlying=as_ranges(underlying, universe),
        resolved=len(resolved),
        resolved_ranges=as_ranges(resolved, universe),
        incomplete=len(compiled.incomplete),
        unverified_items=unverified_items,
    )


@cache
def never_underlying() -> frozenset[str]:
    """Codes of the universe that are never an underlying cause: asterisk codes, WHO's "not to be used", codes in reserve (U10–U49)."""
    from mortality.validation import edit_lists

    never = [ranges for use, ranges, _ in edit_lists.not_underlying(EDITION) if use == "never"]
    groups = [edit_lists.asterisk_ranges(), *never]
    return frozenset(code for code in code_universe() if any(code in group for group in groups))


def partition_reports() -> list[PartitionReport]:
    """The report of every list of the catalog, by id."""
    return [partition_report(list_id) for list_id in sorted(load_entries("cause_lists"))]

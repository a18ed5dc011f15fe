"""Which snapshots stay, by a dated catalog rule, and the compaction of both lakes.

All snapshots of the last days stay; of older days the last one of each day, of still older months the last one of each
month (days and months of Viet Nam). A snapshot that a release names always stays, and the newest one. Files that no
snapshot needs any more are deleted some hours later, so that readers finish; never while a backup copies them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require, working_within
from tkyt_analysis.access.audit import record
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.warehouse.disk import says_disk_trouble
from tkyt_analysis.warehouse.home_locks import files_may_go
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.moments import VIET_NAM
from tkyt_analysis.warehouse.vintages import released_snapshots, snapshots

MOSTLY_DELETED = 0.5  # a data file with this share of its rows deleted is written anew


@dataclass(frozen=True)
class LakeSize:
    """What a lake keeps: snapshots, data files on disk, their bytes."""

    snapshots: int
    files: int
    size_bytes: int


@dataclass(frozen=True)
class CompactResult:
    """Sizes of a lake ("lake" or "restricted") before and after, and what was removed."""

    lake: str
    before: LakeSize
    after: LakeSize
    expired_snapshots: int
    waiting_files: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def snapshots_to_keep(
    known: Iterable[tuple[int, datetime.datetime]],
    now: datetime.datetime,
    rule: Mapping[str, int],
    named: Iterable[int] = (),
) -> set[int]:
    """Numbers of the snapshots that the rule keeps.

    known : (number, moment with a zone)
    rule : {"every_snapshot_days": 90, "one_a_day_days": 800}; older ones are kept one a month
    named : snapshots that releases name
    """
    ordered = sorted(known)
    numbers = {number for number, _ in ordered}
    kept = set(named) & numbers | ({ordered[-1][0]} if ordered else set())
    last_of_span: dict[Any, int] = {}
    for number, when in ordered:
        age = (now - when).total_seconds() / 86400
        day = when.astimezone(VIET_NAM).date()
        if age <= rule["every_snapshot_days"]:
            kept.add(number)
        elif age <= rule["one_a_day_days"]:
            last_of_span[day] = number
        else:
            last_of_span[(day.year, day.month)] = number
    return kept | set(last_of_span.values())


def retention_rule(day: datetime.date | None = None) -> dict[str, int]:
    """The rule in force."""
    return dict(load_entry("thresholds", "snapshot_retention").at(day or datetime.date.today()))


@says_disk_trouble
def compact(home: Path, *, at_once: bool = False) -> list[CompactResult]:
    """Expire snapshots by the rule, merge small files, delete files that nothing needs; sizes of both lakes.

    at_once : delete files now, also those that a reader may have open (default: the hours of the rule later)
    Raises ProcessingError while a backup or another writer is at work.
    """
    home = Path(home)
    require(home, "administer")
    rule = retention_rule()
    hours = 0 if at_once else rule["delete_after_hours"]
    with files_may_go(home), working_within(), Warehouse(home, write=True) as warehouse:
        results = [_compact_lake(warehouse, "lake", "warehouse/data", rule, hours)]
        with warehouse.restricted():
            results.append(_compact_lake(warehouse, "restricted", "restricted/data", rule, hours))
    expired = sum(result.expired_snapshots for result in results)
    record(home, "compact", expired_snapshots=expired)
    return results


def _compact_lake(warehouse: Warehouse, lake: str, folder: str, rule: Mapping[str, int], hours: int) -> CompactResult:
    known = snapshots(warehouse, lake)
    now = datetime.datetime.now(datetime.UTC)
    named = released_snapshots(warehouse.home) if lake == "lake" else ()
    kept = snapshots_to_keep(known, now, rule, named)
    expired = sorted({number for number, _ in known} - kept)
    data = warehouse.home / folder
    before = _size(data, len(known))
    with warehouse.turn():
        if expired:
            _call(warehouse, "expire_snapshots", lake, f"versions => {expired}")
        _call(warehouse, "rewrite_data_files", lake, f"delete_threshold => {MOSTLY_DELETED}")
        _call(warehouse, "merge_adjacent_files", lake)
        until = "cleanup_all => true" if hours == 0 else f"older_than => now() - INTERVAL '{hours} hours'"
        _call(warehouse, "cleanup_old_files", lake, until)
        _call(
            warehouse,
            "delete_orphaned_files",
            lake,
            f"older_than => now() - INTERVAL '{rule['delete_after_hours']} hours'",
        )
    waiting = _waiting(warehouse, lake)
    return CompactResult(lake, before, _size(data, len(snapshots(warehouse, lake))), len(expired), waiting)


def _call(warehouse: Warehouse, function: str, lake: str, *options: str) -> None:
    warehouse.con.execute(f"CALL ducklake_{function}({', '.join([repr(lake), *options])})")


def _waiting(warehouse: Warehouse, lake: str) -> int:
    """Files that are to be deleted later."""
    catalog = f"__ducklake_metadata_{lake}"
    if lake == "lake" and warehouse.place.schema:
        catalog = f"{catalog}.{warehouse.place.schema}"
    return int(warehouse.one(f"SELECT count(*) FROM {catalog}.ducklake_files_scheduled_for_deletion")[0])


def _size(folder: Path, count: int) -> LakeSize:
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return LakeSize(count, len(sizes), sum(sizes))

"""Which backups stay: a dated catalog rule (so many days, weeks, months); the last good one always does."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping

from tkyt_analysis.catalog import load_entry
from tkyt_analysis.warehouse.backup_store import BackupStore

VIET_NAM = datetime.timezone(datetime.timedelta(hours=7))


def made_on(backup_id: str) -> datetime.date:
    """The day in Viet Nam on which a backup was made."""
    moment = datetime.datetime.strptime(backup_id[:15], "%Y%m%dT%H%M%S").replace(tzinfo=datetime.UTC)
    return moment.astimezone(VIET_NAM).date()


def backups_to_keep(backup_ids: Iterable[str], rule: Mapping[str, int]) -> set[str]:
    """The last backup of each of the latest days, ISO weeks and months that have one, as many as the rule says.

    rule : {"daily": 7, "weekly": 5, "monthly": 12}
    """
    ids = sorted(backup_ids)
    kept = set(ids[-1:])
    spans = {
        "daily": lambda day: day,
        "weekly": lambda day: day.isocalendar()[:2],
        "monthly": lambda day: (day.year, day.month),
    }
    for name, span in spans.items():
        last = {span(made_on(one)): one for one in ids}  # ids are sorted: the last of a span wins
        kept |= {last[key] for key in sorted(last)[-rule[name] :] if rule[name] > 0}
    return kept


def retention_rule(day: datetime.date | None = None) -> dict[str, int]:
    """The rule in force."""
    return dict(load_entry("thresholds", "backup_retention").at(day or datetime.date.today()))


def prune(store: BackupStore) -> int:
    """Remove backups that the rule no longer keeps, and pieces that no kept one needs; how many backups went.

    Manifests go first: a run that is killed leaves pieces too many, never one too few. A kept backup whose manifest
    cannot be read stops the removal of pieces: what it needs is unknown.
    """
    known = store.backup_ids()
    kept = backups_to_keep(known, retention_rule())
    needed = {name for one in sorted(kept) for name in store.read_manifest(one).chunks()}
    removed = [one for one in known if one not in kept]
    store.drop(removed)
    store.target.remove(sorted(set(store.target.sizes("chunks")) - needed))
    rings = {f"rings/{one}.json" for one in kept}
    store.target.remove(sorted(set(store.target.sizes("rings")) - rings))
    return len(removed)

"""Backup of a home: consistent while a writer works, encrypted, incremental, read back before it counts.

Only content that the target does not have is sent. A backup is listed once its pieces were read back from the target;
one found damaged there is sent again. The master key is not in the backup.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.access.audit import record
from tkyt_analysis.errors import ProcessingError, TkytError
from tkyt_analysis.version import code_version
from tkyt_analysis.warehouse.backup_prune import prune
from tkyt_analysis.warehouse.backup_run import BackupRun, Progress
from tkyt_analysis.warehouse.backup_sources import sources
from tkyt_analysis.warehouse.backup_state import note_failure, note_success
from tkyt_analysis.warehouse.backup_store import BackupStore, Manifest
from tkyt_analysis.warehouse.backup_target import Target, open_target
from tkyt_analysis.warehouse.disk import says_disk_trouble
from tkyt_analysis.warehouse.home_locks import files_stay, one_backup
from tkyt_analysis.warehouse.keys import create_key, home_id, key_file, read_key
from tkyt_analysis.warehouse.work_folder import private_folder


@dataclass(frozen=True)
class BackupResult:
    """What a backup did: files and bytes of the home in it, pieces and bytes that had to be sent, what was read back."""

    backup_id: str
    target: str
    files: int
    size_bytes: int
    sent_pieces: int
    sent_bytes: int
    read_back: int
    sent_again: int
    removed_backups: int
    key_file: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def backup(
    home: Path,
    target: Target | str | Path,
    *,
    quick: bool = False,
    keep_all: bool = False,
    progress: Progress | None = None,
) -> BackupResult:
    """Back a home up to a folder or `user@host:/path`; ProcessingError where it failed or could not be verified.

    quick : read back only what was sent now, and check that the rest is there (default: read back everything)
    keep_all : remove no old backup
    """
    home = Path(home)
    require(home, "backup")
    place = str(target) if isinstance(target, (str, Path)) else target.place
    try:
        with one_backup(home), files_stay(home):
            result = _backup(home, target, quick, keep_all, progress)
    except TkytError as error:
        note_failure(home, place, error)
        raise
    note_success(home, result.target, result.backup_id)
    record(home, "backup", target=result.target, backup=result.backup_id, files=result.files)
    return result


@says_disk_trouble
def _backup(
    home: Path, target: Target | str | Path, quick: bool, keep_all: bool, progress: Progress | None
) -> BackupResult:
    create_key(home)
    identity = home_id(home) or ""
    store = _ready_store(home, target, identity)
    with private_folder(home) as folder:
        run = BackupRun(store, sources(home, folder), progress)
        files = run.send()
        manifest = Manifest(_new_id(store), identity, _now(), {"code_version": code_version()}, tuple(files))
        store.write_manifest(manifest, (folder / "keyring.json").read_bytes())
        read_back, sent_again = run.verify(manifest, quick=quick)
    store.declare_good(manifest.backup_id)
    removed = 0 if keep_all else prune(store)
    return BackupResult(
        backup_id=manifest.backup_id,
        target=store.target.place,
        files=len(manifest.files),
        size_bytes=manifest.size,
        sent_pieces=run.sent_pieces,
        sent_bytes=run.sent_bytes,
        read_back=read_back,
        sent_again=sent_again,
        removed_backups=removed,
        key_file=str(key_file(home)),
    )


def _ready_store(home: Path, target: Target | str | Path, identity: str) -> BackupStore:
    """The target, known to be this home's own, without leftovers of runs that were killed."""
    opened = open_target(target) if isinstance(target, (str, Path)) else target
    store = BackupStore(opened, read_key(home, "backup"))
    store.claim(identity)
    opened.sweep()
    store.drop_pending()
    return store


def _new_id(store: BackupStore) -> str:
    """The time in UTC, as a name that sorts; later than every listed one."""
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    last = max(store.backup_ids(), default="")
    if name <= last:
        raise ProcessingError("error.backup_clock", last=last, now=name, target=store.target.place)
    return name


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def list_backups(home: Path, target: Target | str | Path) -> list[dict[str, Any]]:
    """The good backups of a home in a target, oldest first: backup_id, made_at (UTC), files, size_bytes."""
    require(home, "backup")
    opened = open_target(target, create=False) if isinstance(target, (str, Path)) else target
    store = BackupStore(opened, read_key(home, "backup"))
    manifests = [store.read_manifest(one) for one in store.backup_ids()]
    return [
        {"backup_id": one.backup_id, "made_at": one.made_at, "files": len(one.files), "size_bytes": one.size}
        for one in manifests
    ]

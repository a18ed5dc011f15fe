"""Restore of a backup into an empty home, on any machine that has the master key.

Everything is read, decrypted and checked in a folder beside the new home, which takes its name at one instant: a
restore that was killed or failed leaves no half home.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.access.audit import record
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.settings import configuration_directory
from tkyt_analysis.warehouse.backup_run import Progress
from tkyt_analysis.warehouse.backup_store import (
    PIECE,
    BackupStore,
    Manifest,
    StoredFile,
    good_backups,
    read_mark,
    read_ring,
)
from tkyt_analysis.warehouse.backup_target import FULL, Target, open_target
from tkyt_analysis.warehouse.keyring import fingerprint, read_ring_text, ring_file
from tkyt_analysis.warehouse.keys import has_master, key_file, read_key, retired_key
from tkyt_analysis.warehouse.whole_files import file_lock, sync_directory, write_new

WAIT_SECONDS = 1.0


@dataclass(frozen=True)
class RestoreResult:
    """What a restore did."""

    backup_id: str
    made_at: str
    home: str
    files: int
    size_bytes: int
    key_file: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def restore(
    source: Target | str | Path,
    home: Path,
    *,
    backup_id: str | None = None,
    key: Path | None = None,
    progress: Progress | None = None,
) -> RestoreResult:
    """Make the home of a backup (default: the latest good one) at `home`, which must be absent or an empty folder.

    key : the master key file of the backed-up home (default: TKYT_KEY_FILE or this user's key of that home). It is put
        where this user's keys lie, unless one is there.
    """
    home = Path(home).expanduser().absolute()
    require(home, "restore")
    _require_empty(home)
    target = open_target(source, create=False) if isinstance(source, (str, Path)) else source
    chosen = backup_id or _latest(target)
    home.parent.mkdir(parents=True, exist_ok=True)
    part = home.with_name(f".{home.name}.restoring")
    with _only_one(home):
        shutil.rmtree(part, ignore_errors=True)
        try:
            manifest = _restore_into(part, target, chosen, key, progress or (lambda done, total, what: None))
            _take_name(part, home)
        except OSError as error:
            known = "error.restore_full" if error.errno in FULL else "error.restore_target"
            raise ProcessingError(known, home=home, problem=error.strerror or type(error).__name__) from None
        finally:
            shutil.rmtree(part, ignore_errors=True)
    record(home, "restore", source=target.place, backup=chosen, files=len(manifest.files))
    return RestoreResult(chosen, manifest.made_at, str(home), len(manifest.files), manifest.size, str(key_file(home)))


def _require_empty(home: Path) -> None:
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise InputError("error.restore_not_empty", home=home)


def _latest(target: Target) -> str:
    if read_mark(target) is None:
        raise InputError("error.restore_no_backup", target=target.place)
    known = good_backups(target)
    if not known:
        raise InputError("error.restore_no_backup", target=target.place)
    return known[-1]


@contextlib.contextmanager
def _only_one(home: Path) -> Iterator[None]:
    lock = home.with_name(f".{home.name}.restore.lock")
    try:
        with file_lock(lock, wait=WAIT_SECONDS):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except TimeoutError:
        raise ProcessingError("error.restore_running", home=home) from None


def _restore_into(part: Path, target: Target, backup_id: str, key: Path | None, progress: Progress) -> Manifest:
    part.mkdir(mode=0o700)
    store = BackupStore(target, _backup_key(part, target, backup_id, key))
    manifest = store.read_manifest(backup_id)
    _write_files(part, store, manifest, progress)
    (part / "work" / "spill").mkdir(parents=True, exist_ok=True, mode=0o700)
    return manifest


def _backup_key(part: Path, target: Target, backup_id: str, key: Path | None) -> bytes:
    """The backup key, from the ring that lies beside the backup and the master key at hand."""
    ring = read_ring(target, backup_id)
    if ring is None:
        known = ", ".join(good_backups(target)[-5:]) or "–"
        raise InputError("error.no_such_backup", backup=backup_id, target=target.place, known=known)
    ring_file(part).parent.mkdir(mode=0o700)
    ring_file(part).write_bytes(ring)
    key = key or _own_key(part)
    if key is not None:
        _install_key(part, key)
    try:
        return read_key(part, "backup")
    except InputError as error:
        if error.key not in ("error.key_missing", "error.key_wrong"):
            raise
        raise InputError("error.restore_needs_key", backup=backup_id, path=key_file(part)) from None


def _own_key(part: Path) -> Path | None:
    """This user's key file that fits the ring, whatever its name (the first version named keys after a home's path)."""
    stored = read_ring_text(part)
    if has_master(part) or stored is None:
        return None
    for path in sorted((configuration_directory() / "keys").glob("*.key")):
        with contextlib.suppress(OSError, ValueError):
            if fingerprint(bytes.fromhex(path.read_text("ascii").strip())) == stored["master"]:
                return path
    return None


def _install_key(part: Path, key: Path) -> None:
    """Put a copy of the given key file where the restored home will look for it; another one that is there stays."""
    try:
        text = key.expanduser().read_text("ascii").strip()
        mark = fingerprint(bytes.fromhex(text))
    except (OSError, UnicodeDecodeError, ValueError):
        raise InputError("error.restore_key_file", key=key) from None
    place = key_file(part)
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not write_new(place, text + "\n") and place.read_text("ascii").strip() != text:
        write_new(retired_key(place, mark), text + "\n")


def _write_files(part: Path, store: BackupStore, manifest: Manifest, progress: Progress) -> None:
    """All files. Each piece is fetched once, in one stream, and written wherever it belongs."""
    places: dict[str, list[tuple[Path, int]]] = {}
    for file in manifest.files:
        path = part / _inside(file)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        for number, name in enumerate(file.chunks):
            places.setdefault(name, []).append((path, number * PIECE))
    for number, (name, content) in enumerate(store.read_back(places)):
        progress(number, len(places), name)
        if content is None:
            lost = places[name][0][0].relative_to(part)
            raise ProcessingError("error.restore_damaged", path=lost, target=store.target.place)
        for path, offset in places[name]:
            _write_at(path, offset, content)
    for file in manifest.files:
        _finish(part / file.path, file)


def _write_at(path: Path, offset: int, content: bytes) -> None:
    with open(path, "r+b") as sink:
        sink.seek(offset)
        sink.write(content)


def _finish(path: Path, file: StoredFile) -> None:
    """Length, time and rights as they were."""
    if path.stat().st_size != file.size:
        raise ProcessingError("error.restore_damaged", path=file.path, target="manifest")
    os.utime(path, ns=(file.mtime_ns, file.mtime_ns))
    os.chmod(path, file.mode)


def _inside(file: StoredFile) -> str:
    """The path of a file, which must lie inside the home."""
    path = PurePosixPath(file.path)
    if path.is_absolute() or ".." in path.parts:
        raise ProcessingError("error.restore_damaged", path=file.path, target="manifest")
    return file.path


def _take_name(part: Path, home: Path) -> None:
    os.sync()
    os.rename(part, home)  # onto an empty folder, or where none is
    sync_directory(home.parent)

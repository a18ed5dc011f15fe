"""One run of a backup: read the sources in pieces, send what the target lacks, read it back, send damaged pieces again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.warehouse.backup_sources import Source
from tkyt_analysis.warehouse.backup_store import PIECE, BackupStore, Manifest, StoredFile

Progress = Callable[[int, int, str], None]


class BackupRun:
    """What one run knows: what the target has, where each piece came from, how much was sent."""

    def __init__(self, store: BackupStore, plan: list[Source], progress: Progress | None = None) -> None:
        self.store, self.plan = store, plan
        self._progress = progress or (lambda done, total, what: None)
        self._before = self._last_backup()
        self._present = set(store.target.sizes("chunks"))
        self._trusted = {name for file in self._before.values() for name in file.chunks}
        self._origin: dict[str, tuple[Path, int]] = {}
        self._files: list[StoredFile] = []
        self._new: set[str] = set()
        self.sent_bytes = 0

    @property
    def sent_pieces(self) -> int:
        return len(self._new)

    def _last_backup(self) -> dict[str, StoredFile]:
        """{path: file} of the last good backup ({} where there is none, or it can no longer be read)."""
        known = self.store.backup_ids()
        try:
            return {file.path: file for file in self.store.read_manifest(known[-1]).files} if known else {}
        except ProcessingError:
            return {}

    def send(self) -> list[StoredFile]:
        """Send every piece that the target lacks; the files as they go into the manifest."""
        self.store.target.put(self._missing_pieces())
        return self._files

    def _missing_pieces(self) -> Iterator[tuple[str, bytes]]:
        for number, source in enumerate(self.plan):
            self._progress(number, 2 * len(self.plan), source.path)
            try:
                yield from self._pieces_of(source)
            except FileNotFoundError:  # a report may be replaced meanwhile; what the catalog or a release names may not
                if source.needed:
                    raise ProcessingError("error.backup_data_missing", path=source.read_from) from None
            except OSError as error:
                raise ProcessingError(
                    "error.backup_unreadable", path=source.read_from, problem=error.strerror
                ) from None

    def _pieces_of(self, source: Source) -> Iterator[tuple[str, bytes]]:
        status = os.stat(source.read_from)
        before = self._before.get(source.path)
        if before and source.same_as(before.size, before.mtime_ns, status) and self._present >= set(before.chunks):
            self._remember(before, source.read_from)
            return
        names, size = [], 0
        with open(source.read_from, "rb") as file:
            while piece := file.read(PIECE):
                name = self.store.name_of(piece)
                names.append(name)
                self._origin.setdefault(name, (source.read_from, size))
                size += len(piece)
                if name not in self._present:
                    self._present.add(name)
                    self._new.add(name)
                    data = self.store.sealed(name, piece)
                    self.sent_bytes += len(data)
                    yield name, data
        mode = status.st_mode & 0o777
        self._files.append(StoredFile(source.path, size, mode, status.st_mtime_ns, tuple(names)))

    def _remember(self, before: StoredFile, path: Path) -> None:
        for number, name in enumerate(before.chunks):
            self._origin.setdefault(name, (path, number * PIECE))
        self._files.append(before)

    def verify(self, manifest: Manifest, *, quick: bool) -> tuple[int, int]:
        """Read the pieces and the manifest back from the target; (pieces read back, pieces sent again).

        ProcessingError where pieces stay missing or damaged.
        """
        if self.store.read_manifest(manifest.backup_id, pending=True) != manifest:
            raise ProcessingError("error.backup_not_verified", count=1, target=self.store.target.place)
        wanted = manifest.chunks()
        if quick:
            wanted -= (self._trusted - self._new) & set(self.store.target.sizes("chunks"))
        bad = self._bad(wanted)
        if bad:
            self.store.target.put(self._again(bad))
            left = self._bad(bad)
            if left:
                raise ProcessingError("error.backup_not_verified", count=len(left), target=self.store.target.place)
        return len(wanted), len(bad)

    def _bad(self, names: set[str]) -> set[str]:
        bad = set()
        for number, (name, content) in enumerate(self.store.read_back(sorted(names)), start=1):
            self._progress(len(names) + number, 2 * len(names), name)
            if content is None:
                bad.add(name)
        return bad

    def _again(self, names: set[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(names):
            path, at = self._origin[name]
            with open(path, "rb") as file:
                file.seek(at)
                piece = file.read(PIECE)
            if self.store.name_of(piece) == name:
                yield name, self.store.sealed(name, piece)

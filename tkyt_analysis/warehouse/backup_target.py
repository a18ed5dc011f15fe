"""Where backups lie: a folder (another disk, a mounted share), or a folder of another machine over SSH.

A target keeps named objects. Each is written whole or not at all; nothing is ever changed in place.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

from tkyt_analysis.errors import InputError, ProcessingError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Target(Protocol):
    """Objects by name ("chunks/ab/…"); names are ours, contents are encrypted."""

    place: str

    def sizes(self, prefix: str) -> dict[str, int]:
        """{name: bytes} of the whole objects below a prefix ("" for all)."""
        ...

    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        """Write objects, each whole or absent, safely on disk when this returns."""
        ...

    def get(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Read objects back from the target; None for one that is not there."""
        ...

    def rename(self, name: str, to: str) -> None:
        """Give an object another name at one instant."""
        ...

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; those that are not there are no matter."""
        ...

    def sweep(self) -> None:
        """Remove what a killed backup left half written."""
        ...


def open_target(text: str | Path, *, create: bool = True) -> Target:
    """The target that a person names: `user@host:/path` is another machine, anything else a folder here."""
    ssh = re.fullmatch(r"([A-Za-z0-9_][^:/\s]*):(.+)", str(text))
    if ssh:
        from tkyt_analysis.warehouse.backup_ssh import SshTarget

        return SshTarget(ssh[1], ssh[2], create=create)
    return FolderTarget(Path(text).expanduser().absolute(), create=create)


class FolderTarget:
    """A folder of this machine."""

    def __init__(self, folder: Path, *, create: bool = True) -> None:
        self.folder = folder
        self.place = str(folder)
        if not create:
            if not folder.is_dir():
                raise InputError("error.backup_no_target", target=self.place)
            return
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise self._failed(error) from None

    def sizes(self, prefix: str) -> dict[str, int]:
        base = self.folder / prefix
        found = (path for path in base.rglob("*") if path.is_file() and not path.name.endswith(".part"))
        return {path.relative_to(self.folder).as_posix(): path.stat().st_size for path in found}

    def put(self, objects: Iterable[tuple[str, bytes]]) -> None:
        made: set[Path] = set()
        for name, data in objects:
            path = self.folder / name
            part = path.with_name(f".{path.name}.{os.getpid()}.part")
            try:
                if path.parent not in made:
                    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                    made.add(path.parent)
                part.write_bytes(data)
                os.chmod(part, 0o600)
                os.replace(part, path)
            except OSError as error:
                part.unlink(missing_ok=True)
                raise self._failed(error) from None
        os.sync()

    def get(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        for name in names:
            try:
                with open(self.folder / name, "rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)  # from the disk, not from memory
                    yield name, file.read()
            except FileNotFoundError:
                yield name, None
            except OSError as error:
                raise self._failed(error) from None

    def rename(self, name: str, to: str) -> None:
        try:
            os.replace(self.folder / name, self.folder / to)
        except OSError as error:
            raise self._failed(error) from None
        os.sync()

    def remove(self, names: Iterable[str]) -> None:
        try:
            for name in names:
                (self.folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._failed(error) from None

    def sweep(self) -> None:
        """Remove what a killed backup left half written."""
        for left in self.folder.rglob(".*.part"):
            left.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> ProcessingError:
        if error.errno in FULL:
            return ProcessingError("error.backup_full", target=self.place)
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            return ProcessingError("error.backup_read_only", target=self.place)
        return ProcessingError("error.backup_target", target=self.place, problem=error.strerror or type(error).__name__)

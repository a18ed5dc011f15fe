"""Custody of received files: their bytes are kept, sealed, under the SHA-256 of what was received.

They hold names, so they lie in the restricted store, encrypted with the home's key `custody`. Homes of the first
version have them there in the clear: these are still read, and `tkyt verify --seal` encrypts them.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.warehouse.keys import read_key
from tkyt_analysis.warehouse.sealed_files import MAGIC, SealBrokenError, is_sealed, seal, unseal
from tkyt_analysis.warehouse.whole_files import sync_directory
from tkyt_analysis.warehouse.work_folder import open_private, private_folder


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept_path(home: Path, sha256: str) -> Path:
    """Where the (sealed) bytes of a received file lie."""
    return Path(home) / "restricted" / "received" / sha256[:2] / sha256


def has(home: Path, sha256: str) -> bool:
    """Whether the bytes are in custody."""
    return kept_path(home, sha256).exists()


def keep(home: Path, path: Path) -> tuple[str, Path]:
    """Seal a file's bytes into custody; (SHA-256, kept path). Whole or not at all; a second copy is not made.

    A file that changes while it is read is an InputError.
    """
    sha256 = file_sha256(path)
    target = kept_path(home, sha256)
    if not target.exists():
        _seal_into(home, path, sha256, target)
    return sha256, target


def _seal_into(home: Path, path: Path, sha256: str, target: Path) -> None:
    key = read_key(home, "custody")
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with private_folder(home) as folder:
        part = folder / "sealed"
        with open(path, "rb") as source, os.fdopen(open_private(part), "wb") as sink:
            found = seal(source, sink, key, sha256.encode())
            sink.flush()
            os.fsync(sink.fileno())
        if found != sha256:
            raise InputError("error.file_changing", file=path)
        os.chmod(part, 0o400)
        os.replace(part, target)
    sync_directory(target.parent)


@contextlib.contextmanager
def opened(home: Path, sha256: str) -> Iterator[Path]:
    """The plain bytes of a kept file: a path (0600) in the home's work folder, gone at the end.

    ProcessingError where the bytes are not in custody, or are not those that were received.
    """
    kept = kept_path(home, sha256)
    if not kept.exists():
        raise ProcessingError("error.custody_missing", sha256=sha256, path=kept)
    if lies_in_the_clear(kept, sha256):
        yield kept
        return
    with private_folder(home) as folder:
        plain = folder / sha256
        with open(kept, "rb") as source, os.fdopen(open_private(plain), "wb") as sink:
            try:
                unseal(source, sink, read_key(home, "custody"), sha256.encode())
            except SealBrokenError:
                raise ProcessingError("error.custody_altered", sha256=sha256, path=kept) from None
        yield plain


def lies_in_the_clear(kept: Path, sha256: str) -> bool:
    """Whether a kept file is one of the first version, unencrypted and unchanged."""
    with open(kept, "rb") as file:
        sealed = is_sealed(file.read(len(MAGIC)))
    if sealed:  # as good as always; only a received file that itself starts like a sealed one is looked at twice
        return os.stat(kept).st_size < (1 << 20) and file_sha256(kept) == sha256
    if file_sha256(kept) != sha256:
        raise ProcessingError("error.custody_altered", sha256=sha256, path=kept)
    return True


def is_intact(home: Path, sha256: str, key: bytes) -> bool:
    """Whether the kept bytes are those that were received (read in full, nothing is written)."""
    kept = kept_path(home, sha256)
    try:
        if lies_in_the_clear(kept, sha256):
            return True
        with open(kept, "rb") as source:
            unseal(source, None, key, sha256.encode())
    except (SealBrokenError, ProcessingError, OSError):
        return False
    return True


def kept_hashes(home: Path) -> list[str]:
    """SHA-256 of every file in custody, sorted."""
    folder = Path(home) / "restricted" / "received"
    return sorted(path.name for path in folder.glob("??/*") if len(path.name) == 64)


def seal_clear_files(home: Path) -> int:
    """Encrypt kept files of the first version; how many. Each is replaced at one instant."""
    count = 0
    for sha256 in kept_hashes(home):
        kept = kept_path(home, sha256)
        with contextlib.suppress(ProcessingError):  # an altered file is left for `verify` to name
            if lies_in_the_clear(kept, sha256):
                _seal_into(home, kept, sha256, kept)
                count += 1
    return count

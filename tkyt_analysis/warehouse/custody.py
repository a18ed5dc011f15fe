"""Received files, kept byte for byte under their SHA-256. They hold names, so they lie in the restricted store."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

CHUNK = 1 << 20


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, read in pieces."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def kept_path(home: Path, sha256: str) -> Path:
    """Where the bytes of a received file lie."""
    return home / "restricted" / "received" / sha256[:2] / sha256


def keep(home: Path, path: Path) -> tuple[str, Path]:
    """Copy a file's bytes into custody; (SHA-256, kept path). Whole or not at all; a second copy is not made."""
    sha256 = file_sha256(path)
    target = kept_path(home, sha256)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = target.with_suffix(f".{os.getpid()}.part")
        with open(path, "rb") as source, open(part, "wb") as sink:
            shutil.copyfileobj(source, sink, CHUNK)
            sink.flush()
            os.fsync(sink.fileno())
        os.chmod(part, 0o400)
        os.replace(part, target)
    return sha256, target

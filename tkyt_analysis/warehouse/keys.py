"""The key of a home: protects the restricted store and makes pseudonyms. It never lies in home or repository."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from tkyt_analysis.errors import InputError
from tkyt_analysis.settings import configuration_directory


def key_file(home: Path) -> Path:
    """TKYT_KEY_FILE, else a file of the user's configuration folder named after the home's path."""
    if os.environ.get("TKYT_KEY_FILE"):
        return Path(os.environ["TKYT_KEY_FILE"]).expanduser()
    name = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    return configuration_directory() / "keys" / f"{name}.key"


def create_key(home: Path) -> Path:
    """Make the key of a new home (32 random bytes, readable by its owner only); an existing key is kept."""
    path = key_file(home)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
    return path


def read_key(home: Path, purpose: str) -> bytes:
    """A 32-byte key for one purpose ("pseudonym", "restricted"), derived from the home's key."""
    path = key_file(home)
    try:
        master = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError:
        raise InputError("error.key_missing", path=path, home=home) from None
    except (ValueError, UnicodeDecodeError):
        raise InputError("error.key_unreadable", path=path) from None
    return hashlib.blake2b(purpose.encode(), key=master, digest_size=32).digest()

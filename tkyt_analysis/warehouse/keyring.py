"""The key ring of a home: one random data key per purpose, each wrapped by the home's master key (AES-256-GCM).

`restricted/keyring.json` may lie beside the data and in backups: without the master key it says nothing. The master
can be replaced at any time (the ring is wrapped again), while the data keys, and so the pseudonyms, stay.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.whole_files import write_whole

PURPOSES = ("pseudonym", "restricted", "custody", "backup", "audit")
NEXT_RESTRICTED = "restricted_next"  # only while the restricted store is moved to a new key
FORMAT = 1
KEY_BYTES = 32
NONCE_BYTES = 12


@dataclass(frozen=True)
class KeyRing:
    """Data keys by purpose, unwrapped.

    made : {purpose: day on which the key was made}
    """

    home_id: str
    keys: dict[str, bytes] = field(repr=False)
    made: dict[str, str] = field(default_factory=dict)

    def with_key(self, purpose: str, key: bytes | None = None) -> KeyRing:
        """The ring with a (new random) key for a purpose."""
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        return replace(
            self,
            keys={**self.keys, purpose: key or secrets.token_bytes(KEY_BYTES)},
            made={**self.made, purpose: day},
        )

    def without_key(self, purpose: str) -> KeyRing:
        """The ring without the key of a purpose."""
        return replace(
            self,
            keys={name: key for name, key in self.keys.items() if name != purpose},
            made={name: day for name, day in self.made.items() if name != purpose},
        )


def ring_file(home: Path) -> Path:
    """Where a home's ring lies."""
    return Path(home) / "restricted" / "keyring.json"


def new_ring(home_id: str) -> KeyRing:
    """A ring with a random key for every purpose."""
    ring = KeyRing(home_id, {})
    for purpose in PURPOSES:
        ring = ring.with_key(purpose)
    return ring


def derived_key(master: bytes, purpose: str) -> bytes:
    """The key that the first version derived from the master; homes of that version keep them in their ring."""
    return hashlib.blake2b(purpose.encode(), key=master, digest_size=KEY_BYTES).digest()


def derived_ring(home_id: str, master: bytes) -> KeyRing:
    """The ring of a home made by the first version: what it has stored stays readable, its pseudonyms stay."""
    ring = KeyRing(home_id, {})
    for purpose in PURPOSES:
        ring = ring.with_key(purpose, derived_key(master, purpose))
    return ring


def fingerprint(master: bytes) -> str:
    """16 hexadecimal digits that tell masters apart and say nothing about them."""
    return hashlib.blake2b(b"tkyt master key", key=master, digest_size=8).hexdigest()


def read_ring_text(home: Path) -> dict[str, Any] | None:
    """The ring as stored (keys wrapped); None where the home has none. A damaged ring is an InputError."""
    path = ring_file(home)
    try:
        stored = json.loads(path.read_text("utf-8"))
        if stored["format"] != FORMAT or not isinstance(stored["keys"], dict):
            raise ValueError
        return {"home_id": str(stored["home_id"]), "master": str(stored["master"]), "keys": stored["keys"]}
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        raise InputError("error.keyring_unreadable", path=path) from None


def unwrap(home: Path, stored: dict[str, Any], master: bytes) -> KeyRing:
    """The data keys of a stored ring. InputError where the ring was altered; the caller has matched the fingerprint."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(master)
    keys = {}
    try:
        for purpose, wrapped in stored["keys"].items():
            data = base64.b64decode(wrapped["wrapped"], validate=True)
            bound = _bound_to(stored["home_id"], purpose)
            keys[purpose] = cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], bound)
    except (InvalidTag, ValueError, KeyError, TypeError):
        raise InputError("error.keyring_unreadable", path=ring_file(home)) from None
    made = {purpose: str(wrapped.get("made", "")) for purpose, wrapped in stored["keys"].items()}
    return KeyRing(stored["home_id"], keys, made)


def save_ring(home: Path, ring: KeyRing, master: bytes) -> None:
    """Write the ring wrapped by `master`, whole or not at all."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    cipher = AESGCM(master)
    wrapped = {}
    for purpose, key in sorted(ring.keys.items()):
        nonce = os.urandom(NONCE_BYTES)
        data = nonce + cipher.encrypt(nonce, key, _bound_to(ring.home_id, purpose))
        wrapped[purpose] = {"made": ring.made.get(purpose, ""), "wrapped": base64.b64encode(data).decode("ascii")}
    stored = {"format": FORMAT, "home_id": ring.home_id, "master": fingerprint(master), "keys": wrapped}
    path = ring_file(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_whole(path, json.dumps(stored, indent=1) + "\n")


def _bound_to(home_id: str, purpose: str) -> bytes:
    """What a wrapped key is bound to: it cannot be moved to another purpose or home."""
    return f"tkyt keyring {FORMAT}/{home_id}/{purpose}".encode()

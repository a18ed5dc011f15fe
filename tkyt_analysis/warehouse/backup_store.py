"""The encrypted layer of a backup target: chunks named by a keyed hash of their content, manifests, key rings.

tkyt-backup.json        which home this target belongs to (its random id; nothing else)
chunks/ab/<name>        AES-256-GCM of one piece of a file; the name is BLAKE2b of the content under the backup key
manifests/<id>          AES-256-GCM of the list of files; `.pending` until it was read back and found good
rings/<id>.json         the home's key ring as it lay then, wrapped by the master key (which is not in the backup)
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.warehouse.backup_target import Target

MARK = "tkyt-backup.json"
FORMAT = 1
PENDING = ".pending"
PIECE = 1 << 20
_RAW, _PACKED = b"\0", b"\1"


@dataclass(frozen=True)
class StoredFile:
    """One file of a backup: where it lay in the home, its size, mode and time, and the names of its pieces."""

    path: str
    size: int
    mode: int
    mtime_ns: int
    chunks: tuple[str, ...]


@dataclass(frozen=True)
class Manifest:
    """What one backup holds, and from which state of the home."""

    backup_id: str
    home_id: str
    made_at: str
    about: dict[str, Any]
    files: tuple[StoredFile, ...]

    def chunks(self) -> set[str]:
        """Names of all its chunks."""
        return {name for file in self.files for name in file.chunks}

    @property
    def size(self) -> int:
        """Bytes of the files."""
        return sum(file.size for file in self.files)


class BackupStore:
    """A target with its key. `key` is the home's backup key."""

    def __init__(self, target: Target, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.target = target
        self._naming = hashlib.blake2b(b"name", key=key, digest_size=32).digest()
        self._cipher = AESGCM(hashlib.blake2b(b"content", key=key, digest_size=32).digest())

    def claim(self, home_id: str) -> None:
        """Make an empty target this home's own; one of another home, or with other files in it, is an InputError."""
        owner = read_mark(self.target)
        if owner is None:
            if self.target.sizes(""):
                raise InputError("error.backup_foreign_files", target=self.target.place)
            text = json.dumps({"tkyt_backup": FORMAT, "home_id": home_id}) + "\n"
            self.target.put([(MARK, text.encode("ascii"))])
        elif owner != home_id:
            raise InputError("error.backup_other_home", target=self.target.place)

    def name_of(self, content: bytes) -> str:
        """The name of a chunk: a keyed hash, so that equal content has one name and the name tells nothing."""
        digest = hashlib.blake2b(content, key=self._naming, digest_size=24).hexdigest()
        return f"chunks/{digest[:2]}/{digest}"

    def sealed(self, name: str, content: bytes) -> bytes:
        """The bytes to store under a name."""
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, _packed(content), name.encode())

    def unsealed(self, name: str, data: bytes | None) -> bytes | None:
        """The content stored under a name; None where it is missing or was altered."""
        from cryptography.exceptions import InvalidTag

        try:
            return _unpacked(self._cipher.decrypt((data or b"")[:12], (data or b"")[12:], name.encode()))
        except (InvalidTag, ValueError, zlib.error):
            return None

    def read_back(self, names: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """(name, content) of chunks read from the target; None where one is missing or altered."""
        for name, data in self.target.get(names):
            content = self.unsealed(name, data)
            good = content is not None and self.name_of(content) == name
            yield name, content if good else None

    def backup_ids(self) -> list[str]:
        """Ids of the backups that were found good, oldest first."""
        return good_backups(self.target)

    def write_manifest(self, manifest: Manifest, ring: bytes) -> None:
        """Write it as pending, with the key ring of its time."""
        name = _manifest(manifest.backup_id) + PENDING
        text = json.dumps(_as_dict(manifest), ensure_ascii=False, separators=(",", ":")).encode()
        sealed = self.sealed(_manifest(manifest.backup_id), text)
        self.target.put([(_ring(manifest.backup_id), ring), (name, sealed)])

    def read_manifest(self, backup_id: str, *, pending: bool = False) -> Manifest:
        """A manifest read from the target; missing: InputError, altered or of another key: ProcessingError."""
        stored = _manifest(backup_id) + (PENDING if pending else "")
        data = next((data for _, data in self.target.get([stored])), None)
        if data is None:
            raise InputError("error.no_such_backup", backup=backup_id, target=self.target.place, known=self._known())
        text = self.unsealed(_manifest(backup_id), data)
        if text is None:
            raise ProcessingError("error.backup_manifest", backup=backup_id, target=self.target.place)
        return _from_dict(json.loads(text))

    def _known(self) -> str:
        return ", ".join(self.backup_ids()[-5:]) or "–"

    def declare_good(self, backup_id: str) -> None:
        """List a backup from now on."""
        self.target.rename(_manifest(backup_id) + PENDING, _manifest(backup_id))

    def drop(self, backup_ids: Iterable[str]) -> None:
        """Take manifests and their rings away (their chunks stay until `drop_chunks`)."""
        self.target.remove([name for one in backup_ids for name in (_manifest(one), _ring(one))])

    def drop_pending(self) -> None:
        """Take away manifests that were never found good."""
        left = [name for name in self.target.sizes("manifests") if name.endswith(PENDING)]
        self.target.remove(left)


def read_mark(target: Target) -> str | None:
    """The id of the home that a target belongs to, None where it is not a backup target."""
    data = next((data for _, data in target.get([MARK])), None)
    if data is None:
        return None
    try:
        return str(json.loads(data)["home_id"])
    except (ValueError, KeyError, TypeError):
        raise InputError("error.backup_foreign_files", target=target.place) from None


def read_ring(target: Target, backup_id: str) -> bytes | None:
    """The wrapped key ring that lies beside a backup."""
    return next((data for _, data in target.get([_ring(backup_id)])), None)


def good_backups(target: Target) -> list[str]:
    """Ids of the listed backups, oldest first; needs no key."""
    names = (name.removeprefix("manifests/") for name in target.sizes("manifests"))
    return sorted(name for name in names if not name.endswith(PENDING))


def _manifest(backup_id: str) -> str:
    return f"manifests/{backup_id}"


def _ring(backup_id: str) -> str:
    return f"rings/{backup_id}.json"


def _packed(content: bytes) -> bytes:
    """Compressed where that helps: encrypted files do not get smaller, catalogs and text do."""
    if len(zlib.compress(content[:65536], 1)) < 0.9 * len(content[:65536]):
        return _PACKED + zlib.compress(content, 1)
    return _RAW + content


def _unpacked(data: bytes) -> bytes:
    return zlib.decompress(data[1:]) if data[:1] == _PACKED else data[1:]


def _as_dict(manifest: Manifest) -> dict[str, Any]:
    files = [[file.path, file.size, file.mode, file.mtime_ns, list(file.chunks)] for file in manifest.files]
    return {
        "format": FORMAT,
        "backup_id": manifest.backup_id,
        "home_id": manifest.home_id,
        "made_at": manifest.made_at,
        "about": manifest.about,
        "files": files,
    }


def _from_dict(stored: dict[str, Any]) -> Manifest:
    files = tuple(
        StoredFile(path, size, mode, time, tuple(chunks)) for path, size, mode, time, chunks in stored["files"]
    )
    return Manifest(stored["backup_id"], stored["home_id"], stored["made_at"], stored["about"], files)

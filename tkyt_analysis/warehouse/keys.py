"""Keys of a home. The master key lies outside home and repository; it opens the home's key ring (see `keyring`).

`read_key(home, purpose)` is the only thing that other rooms need. A home is known by its `home_id`, so that a home
that was moved or copied finds its key. Homes of the first version (no ring) keep the keys derived from their master.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import AbstractContextManager
from pathlib import Path

from tkyt_analysis.errors import InputError
from tkyt_analysis.settings import configuration_directory
from tkyt_analysis.warehouse.keyring import (
    NEXT_RESTRICTED,
    PURPOSES,
    KeyRing,
    derived_key,
    derived_ring,
    fingerprint,
    new_ring,
    read_ring_text,
    ring_file,
    save_ring,
    unwrap,
)
from tkyt_analysis.warehouse.whole_files import file_lock, write_new, write_whole

LOCK_SECONDS = 30.0
TRIES = 5  # reads of ring and master, where a rotation is under way between the two


def home_id(home: Path) -> str | None:
    """The 16 hexadecimal digits that a home is known by (file `home_id`, else its ring); None for the first version."""
    try:
        return (Path(home) / "home_id").read_text("ascii").strip()
    except FileNotFoundError:
        stored = read_ring_text(home)
        return stored["home_id"] if stored else None


def key_file(home: Path) -> Path:
    """Where the master key lies: TKYT_KEY_FILE, else a file of the user's configuration folder.

    That file is named by the home's id; a file named after the home's path (first version) still counts.
    """
    if os.environ.get("TKYT_KEY_FILE"):
        return Path(os.environ["TKYT_KEY_FILE"]).expanduser()
    by_path = _named(hashlib.sha256(str(Path(home).resolve()).encode()).hexdigest()[:16])
    identity = home_id(home)
    if identity is None or (by_path.exists() and not _named(identity).exists()):
        return by_path
    return _named(identity)


def _named(name: str) -> Path:
    return configuration_directory() / "keys" / f"{name}.key"


def has_master(home: Path) -> bool:
    """Whether a master key is at hand (it may still be the wrong one)."""
    return bool(os.environ.get("TKYT_KEY")) or key_file(home).exists()


def read_key(home: Path, purpose: str) -> bytes:
    """The home's 32-byte key for one purpose ("pseudonym", "restricted", "custody", "backup", "audit").

    InputError, each with its sentence: master missing, malformed or of another home; ring lost or damaged.
    """
    stored = read_ring_text(home)
    if stored is None and _is_first_version(home):
        return derived_key(read_master(home), purpose)
    ring, _ = open_ring(home)
    if purpose not in ring.keys:
        raise InputError("error.key_purpose", home=home, purpose=purpose)
    return ring.keys[purpose]


def read_restricted_keys(home: Path) -> list[bytes]:
    """The key of the restricted store; after a rotation of it that was killed also the key that was to come."""
    keys = [read_key(home, "restricted")]
    if read_ring_text(home) is not None:
        ring, _ = open_ring(home)
        keys += [ring.keys[NEXT_RESTRICTED]] if NEXT_RESTRICTED in ring.keys else []
    return keys


def open_ring(home: Path) -> tuple[KeyRing, bytes]:
    """The home's data keys, unwrapped, and the master that opened them."""
    for _ in range(TRIES):
        stored = read_ring_text(home)
        if stored is None:
            raise InputError("error.keyring_missing", path=ring_file(home), home=home)
        master = _master_of(home, stored["master"])
        if master is not None:
            return unwrap(home, stored, master), master
    read_master(home)
    raise InputError("error.key_wrong", home=home, path=_place_of_master(home))


def read_master(home: Path) -> bytes:
    """The master key: TKYT_KEY (64 hexadecimal digits), else the key file."""
    given = os.environ.get("TKYT_KEY")
    if given:
        return _parse(given, "TKYT_KEY")
    path = key_file(home)
    try:
        return _parse(path.read_text("ascii"), path)
    except FileNotFoundError:
        raise InputError("error.key_missing", path=path, home=home) from None
    except UnicodeDecodeError:
        raise InputError("error.key_unreadable", path=path) from None


def _parse(text: str, place: object) -> bytes:
    try:
        master = bytes.fromhex(text.strip())
    except ValueError:
        master = b""
    if len(master) != 32:
        raise InputError("error.key_unreadable", path=place)
    return master


def _place_of_master(home: Path) -> object:
    return "TKYT_KEY" if os.environ.get("TKYT_KEY") else key_file(home)


def _master_of(home: Path, wanted: str) -> bytes | None:
    """The master with this fingerprint: the key in force, one that a killed rotation left waiting, or a retired one."""
    if os.environ.get("TKYT_KEY"):
        master = read_master(home)
        return master if fingerprint(master) == wanted else None
    path = key_file(home)
    for candidate in (path, waiting_key(path), retired_key(path, wanted)):
        try:
            master = _parse(candidate.read_text("ascii"), candidate)
        except FileNotFoundError:
            continue
        except UnicodeDecodeError:
            raise InputError("error.key_unreadable", path=candidate) from None
        if fingerprint(master) == wanted:
            return master
    return None


def waiting_key(path: Path) -> Path:
    """Where a rotation puts the new master until the ring is wrapped by it."""
    return path.with_name(path.name + ".new")


def retired_key(path: Path, mark: str) -> Path:
    """Where a master stays after its rotation: backups made before need it."""
    return path.with_name(f"{path.name}.retired-{mark}")


def create_key(home: Path) -> Path:
    """Give a home its id, master key and ring; what is there is kept. The place of the master key file.

    A home of the first version gets a ring of the keys that it has used so far. A home with data whose master or ring
    is lost gets no new one (nothing could be read with it): InputError.
    """
    home = Path(home)
    (home / "restricted").mkdir(parents=True, exist_ok=True, mode=0o700)
    with ring_lock(home):
        stored = read_ring_text(home)
        if stored is None:
            _make_ring(home)
        else:
            _complete(home, stored["home_id"])
    return key_file(home)


def ring_lock(home: Path) -> AbstractContextManager[None]:
    """The lock under which a home's ring is changed."""
    return file_lock(Path(home) / "restricted" / "keyring.lock", wait=LOCK_SECONDS)


def _make_ring(home: Path) -> None:
    if _is_first_version(home):
        ring = derived_ring(secrets.token_hex(8), read_master(home))
    elif _has_data(home):
        raise InputError("error.keyring_missing", path=ring_file(home), home=home)
    else:
        ring = new_ring(home_id(home) or secrets.token_hex(8))
        if not (home / "home_id").exists():
            write_whole(home / "home_id", ring.home_id + "\n")
        _make_master(home)
    save_ring(home, ring, read_master(home))
    _complete(home, ring.home_id)


def _complete(home: Path, identity: str) -> None:
    """Write the home's id where a kill came between, and keys of purposes that a later version added."""
    if not (home / "home_id").exists():
        write_whole(home / "home_id", identity + "\n")
    if not has_master(home):
        raise InputError("error.key_missing", path=key_file(home), home=home)
    ring, master = open_ring(home)
    missing = [purpose for purpose in PURPOSES if purpose not in ring.keys]
    for purpose in missing:
        ring = ring.with_key(purpose)
    if missing:
        save_ring(home, ring, master)


def _make_master(home: Path) -> None:
    if has_master(home):
        return
    path = key_file(home)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_new(path, secrets.token_hex(32) + "\n")


def _has_data(home: Path) -> bool:
    return (Path(home) / "restricted" / "catalog.duckdb").exists()


def _is_first_version(home: Path) -> bool:
    """Data, but neither ring nor id: made before rings were."""
    return _has_data(home) and not ring_file(home).exists() and not (Path(home) / "home_id").exists()

"""The audit log of a home: one JSON line per event, chained by HMAC, and a sealed head that knows the last line.

`audit/log.jsonl` only grows. Every line carries the code (`mac`) of the line before it, and its own code over all it
says, made with the home's audit key: a removed, altered, swapped or inserted line is found. `audit/head.json` holds
count, last code and length, sealed with the same key: a tail that was cut off is found. The line is written first, the
head after it; a process that dies between the two leaves one line more than the head knows, which is no alarm: it
verifies by the chain, and the next event seals it. Who can put back an old copy of both files is found only against a
copy elsewhere (the backup): see docs/access.md.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.access.accounts import name_of_user
from tkyt_analysis.access.masking import mask_numbers
from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.labels import label
from tkyt_analysis.warehouse.keys import read_key
from tkyt_analysis.warehouse.whole_files import write_whole

FIRST = "0" * 64  # what stands before the first line
SEAL_BROKEN = "audit_seal_broken"
UNKNOWN_ACCOUNT = "?"


def record(home: Path, event: str, *, why: str = "", rows: int | None = None, **fields: Any) -> None:
    """Append one event, safely on disk when this returns; ProcessingError where the log cannot be written.

    why : the reason that the person gave; rows : how many rows were handed out or changed. `fields` must name no person:
    numbers that look like those of an ID card or a telephone are masked all the same.
    """
    body = {
        "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "account": _account_name(home),
        "user": name_of_user(),
        "event": event,
        "why": mask_numbers(why),
        "rows": rows,
        "fields": {name: _field(value) for name, value in sorted(fields.items())},
    }
    key = read_key(home, "audit")
    try:
        with _locked(home) as descriptor:
            head = _sealed_head(home, descriptor, key)
            _append(home, descriptor, key, head, body)
    except OSError as error:
        raise ProcessingError("error.audit_not_written", file=log_file(home), problem=error.strerror) from None


def read_log(home: Path) -> Iterator[dict[str, Any]]:
    """The events in their order; a line that cannot be read is left out (`check_chain` names it)."""
    for line in _lines(home):
        entry = _parsed(line)
        if entry is not None:
            yield entry


def sealed(home: Path) -> dict[str, Any]:
    """count and mac of the sealed head ({} without one): write them down elsewhere, and an old copy put back is found."""
    head = _read_head(home, read_key(home, "audit")) if head_file(home).exists() else None
    return {name: head[name] for name in ("count", "mac")} if head else {}


def check_chain(home: Path) -> list[str]:
    """What is wrong with the log, a sentence each (empty: nothing): removed, altered, swapped, inserted, cut off."""
    home = Path(home)
    if not log_file(home).exists() and not head_file(home).exists():
        return [label("audit.problem.missing")] if _was_in_use(home) else []
    key = read_key(home, "audit")
    found, last, count = _chain_problems(home, key)
    return found + _head_problems(home, key, last, count)


def log_file(home: Path) -> Path:
    """Where the events stand."""
    return Path(home) / "audit" / "log.jsonl"


def head_file(home: Path) -> Path:
    """Where the seal stands."""
    return Path(home) / "audit" / "head.json"


# ---------------------------------------------------------------------------------- writing


def _field(value: Any) -> str:
    """A field as text, numbers of persons masked; hashes stay as they are."""
    text = str(value)
    return text if re.fullmatch(r"[0-9a-f]{16,64}", text) and not text.isdigit() else mask_numbers(text)


def _account_name(home: Path) -> str:
    from tkyt_analysis.access.door import current_account
    from tkyt_analysis.errors import TkytError

    try:
        return current_account(home).name
    except TkytError:
        return UNKNOWN_ACCOUNT


@contextmanager
def _locked(home: Path) -> Iterator[int]:
    log_file(home).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(log_file(home), os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def _append(home: Path, descriptor: int, key: bytes, head: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Write one line behind the head and seal it; the new head."""
    entry = {"n": head["count"] + 1, **body, "prev": head["mac"]}
    entry["mac"] = _mac(key, entry)
    line = json.dumps(entry, ensure_ascii=False).encode() + b"\n"
    if os.write(descriptor, line) != len(line):
        raise OSError(28, "no space left on device")
    os.fsync(descriptor)
    return _write_head(home, key, entry["n"], entry["mac"], os.fstat(descriptor).st_size)


def _sealed_head(home: Path, descriptor: int, key: bytes) -> dict[str, Any]:
    """The head behind which the next line goes, after what an interrupted writer left has been mended.

    A complete line behind the head that verifies is sealed; an unfinished one was never an event and goes. Where head and
    log do not fit for another reason, the log goes on behind a line that says so: `check_chain` reports it for good.
    """
    size = os.fstat(descriptor).st_size
    head = _read_head(home, key)
    if head is None:
        head = {"count": 0, "mac": FIRST, "bytes": 0}
        broken = head_file(home).exists()
    else:
        broken = False
    if size == head["bytes"] and not broken:
        return head
    behind = os.pread(descriptor, size - head["bytes"], head["bytes"]) if size > head["bytes"] else b""
    if not broken and behind and behind.count(b"\n") == 0:
        os.ftruncate(descriptor, head["bytes"])
        return head
    entry = _parsed(behind) if behind.count(b"\n") == 1 and behind.endswith(b"\n") else None
    if not broken and entry and _follows(key, entry, head["count"], head["mac"]):
        return _write_head(home, key, entry["n"], entry["mac"], size)
    return _go_on(home, descriptor, key, head)


def _go_on(home: Path, descriptor: int, key: bytes, head: dict[str, Any]) -> dict[str, Any]:
    """A new beginning behind whatever stands in the log, marked as such."""
    if os.fstat(descriptor).st_size and os.pread(descriptor, 1, os.fstat(descriptor).st_size - 1) != b"\n":
        os.write(descriptor, b"\n")
    count = max([head["count"], *(entry["n"] for entry in read_log(home) if isinstance(entry.get("n"), int))])
    body: dict[str, Any] = {
        "time": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
        "account": "",
        "user": name_of_user(),
        "event": SEAL_BROKEN,
        "why": "",
        "rows": None,
        "fields": {},
    }
    return _append(home, descriptor, key, {**head, "count": count}, body)


def _write_head(home: Path, key: bytes, count: int, mac: str, size: int) -> dict[str, Any]:
    head: dict[str, Any] = {"count": count, "mac": mac, "bytes": size}
    write_whole(head_file(home), json.dumps({**head, "seal": _mac(key, head)}))
    return head


# ---------------------------------------------------------------------------------- checking


def _mac(key: bytes, entry: dict[str, Any]) -> str:
    said = {name: value for name, value in entry.items() if name not in ("mac", "seal")}
    text = json.dumps(said, ensure_ascii=False, sort_keys=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def _lines(home: Path) -> Iterator[bytes]:
    try:
        with open(log_file(home), "rb") as file:
            yield from file
    except FileNotFoundError:
        return


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except (ValueError, UnicodeDecodeError):
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("n"), int) else None


def _follows(key: bytes, entry: dict[str, Any], count: int, mac: str) -> bool:
    return entry["n"] == count + 1 and entry.get("prev") == mac and _genuine(key, entry)


def _genuine(key: bytes, entry: dict[str, Any]) -> bool:
    return hmac.compare_digest(str(entry.get("mac", "")).encode(), _mac(key, entry).encode())


def _chain_problems(home: Path, key: bytes) -> tuple[list[str], str, int]:
    """Problems of the lines themselves, and code and number of the last genuine line."""
    found: list[str] = []
    last, count = FIRST, 0
    for number, line in enumerate(_lines(home), start=1):
        entry = _parsed(line)
        if entry is None:
            if line.endswith(b"\n"):  # else the unfinished line of a writer that died, never an event
                found.append(label("audit.problem.unreadable", None, line=number))
            continue
        if not _genuine(key, entry):
            found.append(label("audit.problem.altered", None, line=number, event=entry["n"]))
        elif entry["n"] > count + 1:
            found.append(label("audit.problem.removed", None, line=number, first=count + 1, last=entry["n"] - 1))
        elif entry["n"] <= count or entry["prev"] != last:
            found.append(label("audit.problem.order", None, line=number, event=entry["n"], expected=count + 1))
        if entry.get("event") == SEAL_BROKEN:
            found.append(label("audit.problem.seal_broken", None, line=number, time=entry.get("time")))
        last, count = str(entry.get("mac", "")), max(count, entry["n"])
    return found, last, count


def _head_problems(home: Path, key: bytes, last: str, count: int) -> list[str]:
    head = _read_head(home, key)
    if head is None:
        if head_file(home).exists():
            return [label("audit.problem.head_altered")]
        return [label("audit.problem.head_missing", None, count=count)] if count > 1 else []
    if count < head["count"]:
        return [label("audit.problem.cut_off", None, sealed=head["count"], found=count)]
    if count > head["count"] + 1:
        return [label("audit.problem.head_old", None, sealed=head["count"], found=count)]
    if count == head["count"] and last != head["mac"]:
        return [label("audit.problem.last_line", None, event=count)]
    return []


def _read_head(home: Path, key: bytes) -> dict[str, Any] | None:
    """The head, where it is there and its seal is right."""
    try:
        head = json.loads(head_file(home).read_bytes())
        right = hmac.compare_digest(str(head["seal"]).encode(), _mac(key, head).encode())
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return head if right else None


def _was_in_use(home: Path) -> bool:
    return (home / "releases" / "CURRENT").exists() or any((home / "restricted" / "received").glob("*/*"))

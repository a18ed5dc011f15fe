"""The objects of one long JSON list, streamed, and salvaged where the file is damaged or cut off.

A DHIS2 export is one object with one list of flat objects in it. Flat objects end at their own brace, so a damaged
one costs nothing but itself: reading goes on with the next. Memory is one block, whatever the size of the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

BLOCK = 4 << 20
MAX_OBJECT = 1 << 20
_HEADER_LIMIT = 1 << 20
# One flat object with at least one pair. Possessive quantifiers: linear time on any input.
_STRING = rb'"(?:[^"\\\x00-\x1f]++|\\.)*+"'
_OBJECT = re.compile(rb"\{\s*+(?:%(s)s\s*+:\s*+(?:%(s)s|[^\s\"{}\[\],:]++)\s*+,?\s*+)++\}" % {b"s": _STRING})
_SEPARATOR = re.compile(rb"\s*,?\s*")
_END = re.compile(rb"\s*\](?=\s*(?:\}|,\s*\"|$))")  # what cannot follow a list says that the bracket is damage


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class BrokenPiece:
    """Bytes of the list that are no object: where they begin, how they begin, why (label key)."""

    row_number: int
    position: int
    text: str
    reason: str


@dataclass
class Objects:
    """A piece of the list: objects with their numbers (from 1, in the file's order), and broken pieces."""

    numbers: list[int] = field(default_factory=list)
    objects: list[dict[str, Any]] = field(default_factory=list)
    broken: list[BrokenPiece] = field(default_factory=list)


class ObjectList:
    """The list under `key` ("" for a file that is itself a list). Iterate it once; then read `attributes`, `closed`.

    attributes : the plain texts beside the list, before or after it (dataSet, period, orgUnit, completeDate, …)
    closed : the list's closing bracket was found; False means that the file was cut off at byte `position`
    """

    def __init__(self, stream: Readable, key: str, *, block_size: int = BLOCK) -> None:
        self.stream, self.key, self.block_size = stream, key, block_size
        self.attributes: dict[str, str] = {}
        self.closed = False
        self.position = 0
        self._number = 0
        self._tail: tuple[int, bytes] | None = None

    def __iter__(self) -> Iterator[Objects]:
        buffer = self._open_list()
        while True:
            got = self.stream.read(self.block_size)
            buffer += got
            piece, used = self._scan(buffer, last=not got)
            self.position += used
            buffer = buffer[used:]
            if piece.objects or piece.broken:
                yield piece
            if self.closed or not got:
                break
        if not self.closed:
            yield Objects(broken=[self._cut_off])
        tail = buffer + self.stream.read(_HEADER_LIMIT)
        self._read_attributes(tail)
        if (more := _OBJECT.search(tail)) and self.closed:
            self._number += 1
            yield Objects(broken=[self._piece(more.start(), tail[more.start() :], "quarantine.json_after_list")])

    def _open_list(self) -> bytes:
        """Read up to the list's opening bracket; returns what follows it. No list: nothing follows."""
        start = re.compile(rb'"%s"\s*:\s*\[' % self.key.encode() if self.key else rb"\s*\[")
        buffer = b""
        while len(buffer) < _HEADER_LIMIT:
            found = start.search(buffer)
            if found:
                self._read_attributes(buffer[: found.start()])
                self.position = found.end()
                return buffer[found.end() :]
            got = self.stream.read(1 << 16)
            if not got:
                break
            buffer += got
        return b""

    def _read_attributes(self, text: bytes) -> None:
        for name, value in re.findall(rb'"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*")', text[:_HEADER_LIMIT]):
            try:
                self.attributes.setdefault(name.decode(), json.loads(value))
            except ValueError:
                continue

    def _scan(self, buffer: bytes, *, last: bool) -> tuple[Objects, int]:
        """Objects and broken pieces of the buffer, and how far it is used up."""
        piece, raws, numbers = Objects(), [], []
        used = 0
        while True:
            after = _SEPARATOR.match(buffer, used).end()  # type: ignore[union-attr]
            match = _OBJECT.match(buffer, after)
            if match:
                self._number += 1
                raws.append((after, match.group()))
                numbers.append(self._number)
                used = match.end()
                continue
            end = _END.match(buffer, after)
            if end and end.end() == len(buffer.rstrip()) and not last:
                break  # what follows the bracket decides
            if end:
                self.closed, used = True, end.end()
                break
            broken_to = self._end_of_damage(buffer, after, last=last)
            if broken_to is None:
                break
            if last and broken_to == len(buffer) and not self.closed:
                self._tail = (self.position + after, buffer[after:])
            else:
                self._number += 1
                piece.broken.append(self._piece(after, buffer[after:broken_to], "quarantine.json_damaged"))
            used = broken_to
            if used >= len(buffer):
                break
        self._load(piece, raws, numbers)
        return piece, used

    def _end_of_damage(self, buffer: bytes, start: int, *, last: bool) -> int | None:
        """Where reading can go on after bytes that are no object; None: wait for more bytes."""
        if start >= len(buffer):
            return None
        following = _OBJECT.search(buffer, start + 1)
        if following:
            return following.start()
        if last:
            return self._close_at_end(buffer, start)
        return len(buffer) - 1 if len(buffer) - start > MAX_OBJECT else None  # given up: bounded memory

    def _close_at_end(self, buffer: bytes, start: int) -> int:
        """The file's last bytes: a bracket somewhere in them closes the list after a damaged object."""
        end = re.search(rb"[}\"\w]?\s*\]\s*(?=[,}]|$)", buffer[start:])
        if end and b"{" in buffer[start : start + end.end()]:
            self.closed = True
        return len(buffer)

    @property
    def _cut_off(self) -> BrokenPiece:
        """The one row that says where the file was cut off, with what was left of the last object."""
        position, raw = self._tail or (self.position, b"")
        shown = raw[:160].decode("utf-8", errors="replace").strip()
        return BrokenPiece(self._number + 1, position, shown, "quarantine.json_truncated")

    def _piece(self, start: int, raw: bytes, reason: str) -> BrokenPiece:
        shown = raw[:160].decode("utf-8", errors="replace").strip()
        return BrokenPiece(self._number, self.position + start, shown, reason)

    def _load(self, piece: Objects, raws: list[tuple[int, bytes]], numbers: list[int]) -> None:
        joined = b"[" + b",".join(raw for _, raw in raws) + b"]"
        try:
            piece.objects, piece.numbers = json.loads(joined), numbers
            if joined.count(b'":') == sum(map(len, piece.objects)):  # no key stands twice in its object
                return
        except ValueError:
            pass
        piece.objects, piece.numbers = [], []
        for number, (start, raw) in zip(numbers, raws, strict=True):
            try:
                piece.objects.append(json.loads(raw, object_pairs_hook=_without_contradiction))
                piece.numbers.append(number)
            except ValueError as problem:
                shown = raw[:160].decode("utf-8", errors="replace")
                reason = "quarantine.json_key_twice" if isinstance(problem, KeyTwice) else "quarantine.json_damaged"
                piece.broken.append(BrokenPiece(number, self.position + start, shown, reason))


class KeyTwice(ValueError):
    """An object says two things under one key; readers differ in which of them they take."""


def _without_contradiction(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) and any(found[key] != value for key, value in pairs):
        raise KeyTwice
    return found

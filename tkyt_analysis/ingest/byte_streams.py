"""Received bytes as streams: gz unpacked within limits, any detected encoding turned into UTF-8."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.labels import format_number

SAMPLE = 64 << 10


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to. A ratio above `ratio` counts only once `ratio_from` bytes came out."""

    unpacked_bytes: int = 16 << 30
    workbook_bytes: int = 1 << 30
    ratio: int = 200
    ratio_from: int = 64 << 20
    members: int = 2_000


LIMITS = Limits()


def bomb(file: ReceivedFile, unpacked: int) -> InputError:
    """The sentence for a file that would unpack to more than is safe."""
    return InputError(
        "error.archive_bomb",
        file=file.name,
        packed=format_number(max(file.size, 1) / (1 << 20), 1),
        unpacked=format_number(unpacked / (1 << 20), 0),
    )


# ------------------------------------------------------------------------------------------------------------- streams


class ByteStream:
    """The bytes of a received file, gz unpacked on the way and counted against the limits.

    A gz stream that breaks off ends early: `broken_at` then says after how many unpacked bytes.
    """

    def __init__(self, file: ReceivedFile, *, limits: Limits = LIMITS) -> None:
        self.file, self.limits = file, limits
        self.position = 0
        self.broken_at: int | None = None
        self._raw = file.path.open("rb")
        self._packed = self._raw.read(2) == b"\x1f\x8b"
        self._raw.seek(0)
        self._source: BinaryIO = gzip.open(self._raw) if self._packed else self._raw  # type: ignore[assignment]

    def read(self, size: int = -1) -> bytes:
        if self.broken_at is not None:
            return b""
        try:
            # read1: what a broken gz still gives comes out before the break is met
            block = self._source.read1(size) if self._packed else self._source.read(size)  # type: ignore[attr-defined]
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.broken_at = self.position
            return b""
        self.position += len(block)
        if self._packed:
            self._check_size()
        return block

    def _check_size(self) -> None:
        packed = max(self._raw.tell(), 1)
        if self.position > self.limits.unpacked_bytes or (
            self.position > self.limits.ratio_from and self.position > self.limits.ratio * packed
        ):
            raise bomb(self.file, self.position)

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._source.close()
        self._raw.close()


class Utf8Stream:
    """Any detected encoding as UTF-8 bytes, without a byte order mark; bytes that mean nothing stay invalid."""

    def __init__(self, source: ByteStream, encoding: str) -> None:
        self.source, self.encoding = source, encoding
        errors = "replace" if encoding.startswith("utf-16") else "surrogateescape"
        self._decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)(errors)
        self._first = True

    @property
    def broken_at(self) -> int | None:
        return self.source.broken_at

    def read(self, size: int = -1) -> bytes:
        block = self.source.read(size)
        if self._decoder is None:
            if self._first:
                block = block.removeprefix(codecs.BOM_UTF8)
        else:
            text = self._decoder.decode(block, final=not block)
            if self._first:
                text = text.removeprefix("\ufeff")
            block = text.encode("utf-8", errors="surrogateescape") or (self.read(size) if block else b"")
        self._first = False
        return block

    def __enter__(self) -> Utf8Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.source.__exit__()


def open_utf8(file: ReceivedFile, encoding: str | None = None, *, limits: Limits = LIMITS) -> Utf8Stream:
    """The text of a file (gz or not) as a UTF-8 byte stream; `encoding` as `detect_encoding` said."""
    return Utf8Stream(ByteStream(file, limits=limits), encoding or detect_encoding(file, limits=limits))


def read_head(file: ReceivedFile, size: int = SAMPLE) -> bytes:
    """The first bytes of the (unpacked) text as UTF-8, for a cheap look; never raises for bad content."""
    with ByteStream(file) as stream:
        head = stream.read(size)
    encoding = encoding_of_mark(head) or utf16_without_mark(head)
    if encoding is None:
        return head.removeprefix(codecs.BOM_UTF8)
    return head.decode(encoding, errors="replace").lstrip("\ufeff").encode()


# ----------------------------------------------------------------------------------------------------------- encodings


def encoding_of_mark(head: bytes) -> str | None:
    """The encoding that a byte order mark names."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    return None


def utf16_without_mark(head: bytes) -> str | None:
    """UTF-16 text in mostly Latin letters has a NUL in nearly every second place."""
    even, odd = head[0:4096:2], head[1:4096:2]
    if len(odd) >= 8 and odd.count(0) > 0.4 * len(odd) and even.count(0) < 0.05 * len(even):
        return "utf-16-le"
    if len(odd) >= 8 and even.count(0) > 0.4 * len(even) and odd.count(0) < 0.05 * len(odd):
        return "utf-16-be"
    return None


def detect_encoding(file: ReceivedFile, *, limits: Limits = LIMITS) -> str:
    """ "utf-8", "utf-16", "utf-16-le", "utf-16-be" or "cp1258" (Vietnamese Windows), from the whole file.

    A file with a few bad bytes among much good UTF-8 stays UTF-8: only the rows with bad bytes are quarantined.
    """
    with ByteStream(file, limits=limits) as stream:
        block = stream.read(1 << 20)
        marked = encoding_of_mark(block) or utf16_without_mark(block)
        if marked:
            return marked
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        good = bad = 0
        while block:
            if not block.isascii() or decoder.getstate()[0]:
                text = decoder.decode(block)
                lost = text.count("\ufffd")
                bad += lost
                good += len(text.encode()) - len(text) - 2 * lost
            block = stream.read(1 << 20)
    return "cp1258" if bad * 4 > good else "utf-8"

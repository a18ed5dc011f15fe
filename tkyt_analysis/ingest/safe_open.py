"""Opening what was received, safely: kind by content, never by extension; bounded unpacking; any encoding to UTF-8.

Nothing here trusts a file: a name may lie about the kind, an archive about its size. A file that cannot be taken is
an InputError with one sentence; ingest keeps its bytes and quarantines it as a whole under the same key.
"""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.labels import format_number, label


@dataclass(frozen=True)
class Limits:
    """What an archive may unpack to. A ratio above `ratio` counts only once `ratio_from` bytes came out."""

    unpacked_bytes: int = 16 << 30
    workbook_bytes: int = 1 << 30
    ratio: int = 200
    ratio_from: int = 64 << 20
    members: int = 2_000


LIMITS = Limits()
TEXT_KINDS = ("text", "json", "xml", "html")
READABLE_KINDS = ("xlsx", "xls", "ods", "text", "json", "parquet", "gz", "zip")
_SAMPLE = 64 << 10
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gz"),
    (b"PAR1", "parquet"),
    (b"%PDF", "pdf"),
    (b"\x89PNG", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"GIF8", "image"),
    (b"II*\x00", "image"),
    (b"MM\x00*", "image"),
    (b"7z\xbc\xaf\x27\x1c", "archive_other"),
    (b"Rar!", "archive_other"),
    (b"BZh", "archive_other"),
    (b"\xfd7zXZ", "archive_other"),
    (b"\x28\xb5\x2f\xfd", "archive_other"),
    (b"SQLite format 3\x00", "database"),
    (b"{\\rtf", "document"),
)


# ----------------------------------------------------------------------------------------------------- kind by content


def file_kind(path: Path) -> str:
    """What the bytes are, whatever the name says.

    One of: empty, xlsx, xls, ods, zip, gz, parquet, json, xml, html, text (CSV and the like), pdf, document,
    image, archive_other (7z, rar, …), database, encrypted_workbook, damaged_zip, binary.
    """
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
    if not head.strip(b"\x00\r\n\t \xef\xbb\xbf"):
        return "empty"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip_kind(path)
    if head.startswith(_OLE):
        return _ole_kind(path)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    return _text_kind(head)


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and b"opendocument" in archive.read("mimetype")[:80]:
                return "ods"
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError, zlib.error):
        return "damaged_zip"
    if any(name.startswith("xl/workbook.") for name in names):
        return "xlsx"
    if any(name.startswith(("word/", "ppt/")) for name in names):
        return "document"
    return "zip"


def _ole_kind(path: Path) -> str:
    """An OLE file by the names in its directory, which are UTF-16."""
    import mmap

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for name, kind in (
            ("EncryptedPackage", "encrypted_workbook"),
            ("WordDocument", "document"),
            ("PowerPoint Document", "document"),
            ("Workbook", "xls"),
            ("Book", "xls"),
        ):
            if data.find(name.encode("utf-16-le")) >= 0:
                return kind
    return "binary"


def _text_kind(head: bytes) -> str:
    encoding = _encoding_of_mark(head) or _utf16_without_mark(head) or "utf-8"
    if encoding == "utf-8" and head.count(0) * 50 > len(head):  # a single NUL is a damaged text
        return "binary"
    start = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")[:256].lower()
    if start.startswith(("{", "[")):
        return "json"
    if start.startswith("<"):
        return "html" if re.match(r"<(!doctype html|html|table)", start) else "xml"
    return "text"


def require_kind(file: ReceivedFile, kinds: tuple[str, ...]) -> str:
    """The kind of the file, which must be one of `kinds`; otherwise InputError with one sentence."""
    kind = file_kind(file.path)
    if kind in kinds:
        return kind
    if kind in ("empty", "encrypted_workbook", "damaged_zip"):
        raise InputError(f"error.file_{kind}", file=file.name)
    raise InputError(
        "error.file_wrong_kind",
        file=file.name,
        found=label(f"file_kind.{kind}"),
        expected=", ".join(label(f"file_kind.{one}") for one in kinds),
    )


def require_readable(file: ReceivedFile, *, limits: Limits = LIMITS) -> None:
    """Say in one sentence why a file cannot be taken at all; nothing is said of one that only no door knows."""
    if isinstance(file, RefusedMember):
        raise InputError(file.reason, file=file.name)
    kind = require_kind(file, READABLE_KINDS)
    if kind == "zip":
        with _open_zip(file) as archive:
            check_archive_size(file, archive.infolist(), limits=limits)
            if not any(not _is_dropping(member) for member in archive.infolist()):
                raise InputError("error.archive_empty", file=file.name)
    elif kind in ("xlsx", "ods"):
        require_safe_workbook(file, limits=limits)
    elif kind == "gz":
        with ByteStream(file, limits=limits) as stream:
            while stream.read(1 << 20):
                pass
            if stream.position == 0:
                raise InputError("error.file_empty", file=file.name)


# ------------------------------------------------------------------------------------------------------------ archives


@dataclass(frozen=True)
class RefusedMember(ReceivedFile):
    """A member of an archive that is not taken; `require_readable` says why. Its path is an empty file."""

    reason: str = ""


def expand(file: ReceivedFile, *, limits: Limits = LIMITS) -> Iterator[ReceivedFile]:
    """The file itself, or the members of a zip, in the order of the archive.

    Members are unpacked into a folder that only this user can read and that goes when the program ends.
    """
    if file_kind(file.path) != "zip":
        yield file
        return
    yield from expand_archive(file, _scratch_folder(), limits=limits)


def _scratch_folder() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="tkyt-received-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def expand_archive(file: ReceivedFile, into: Path, *, limits: Limits = LIMITS) -> list[ReceivedFile]:
    """Unpack a zip into `into`, one level deep; the received archive itself is left byte for byte.

    Each member becomes a file of its own: named "archive/member", with the SHA-256 of its own bytes. Refused one by
    one (`RefusedMember`): names that leave the folder, archives inside the archive, encrypted and damaged members.
    The whole archive is refused (InputError) where it would unpack to more than the limits allow. Folders and the
    droppings of desktop systems (__MACOSX, .DS_Store, Thumbs.db, ~$…) are no members.
    """
    into.mkdir(parents=True, exist_ok=True)
    with _open_zip(file) as archive:
        members = [one for one in archive.infolist() if not _is_dropping(one)]
        check_archive_size(file, members, limits=limits)
        return [
            _expanded_member(file, archive, member, into / f"{number:05}")
            for number, member in enumerate(members, start=1)
        ]


def _expanded_member(file: ReceivedFile, archive: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> ReceivedFile:
    name = _member_name(member)
    reason = _member_problem(member, name) or _unpack(archive, member, path)
    if not reason and file_kind(path) in ("zip", "archive_other"):
        reason = "error.archive_nested"
    full_name = f"{file.name}/{name}"
    if reason:
        path.write_bytes(b"")
        sha256 = hashlib.sha256(f"{file.sha256}/{name}".encode()).hexdigest()
        return RefusedMember(path, full_name, sha256, 0, name, reason)
    with path.open("rb") as unpacked:
        sha256 = hashlib.file_digest(unpacked, "sha256").hexdigest()
    return ReceivedFile(path, full_name, sha256, path.stat().st_size, name)


def check_archive_size(file: ReceivedFile, members: list[zipfile.ZipInfo], *, limits: Limits = LIMITS) -> None:
    """Refuse an archive whose own directory promises more than the limits; nothing is unpacked for this."""
    if len(members) > limits.members:
        raise InputError("error.archive_members", file=file.name, count=len(members), limit=limits.members)
    packed = sum(one.compress_size for one in members)
    unpacked = sum(one.file_size for one in members)
    if unpacked > limits.unpacked_bytes or (unpacked > limits.ratio_from and unpacked > limits.ratio * max(packed, 1)):
        raise _bomb(file, unpacked)


def require_safe_workbook(file: ReceivedFile, *, limits: Limits = LIMITS) -> None:
    """Refuse a workbook that unpacks to more than a spreadsheet program would hold, or is damaged.

    Called before any reader opens an xlsx or ods: those unpack whole sheets into memory.
    """
    with _open_zip(file) as archive:
        members = archive.infolist()
        bounded = replace(limits, unpacked_bytes=limits.workbook_bytes)
        check_archive_size(file, members, limits=bounded)
        for member in members:
            if _unpack(archive, member, None):
                raise InputError("error.file_damaged_zip", file=file.name)


@contextmanager
def _open_zip(file: ReceivedFile) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(file.path) as archive:
            yield archive
    except zipfile.BadZipFile:
        raise InputError("error.file_damaged_zip", file=file.name) from None


def _bomb(file: ReceivedFile, unpacked: int) -> InputError:
    return InputError(
        "error.archive_bomb",
        file=file.name,
        packed=format_number(max(file.size, 1) / (1 << 20), 1),
        unpacked=format_number(unpacked / (1 << 20), 0),
    )


def _is_dropping(member: zipfile.ZipInfo) -> bool:
    name = PurePosixPath(member.filename.replace("\\", "/"))
    return (
        member.is_dir()
        or "__MACOSX" in name.parts
        or name.name in (".DS_Store", "Thumbs.db", "desktop.ini")
        or name.name.startswith(("~$", "._"))
    )


def _member_name(member: zipfile.ZipInfo) -> str:
    """The name as its writer meant it: older Windows tools store UTF-8 without saying so."""
    if member.flag_bits & 0x800:
        return member.filename
    try:
        return member.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return member.filename


def _member_problem(member: zipfile.ZipInfo, name: str) -> str:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match(r"[A-Za-z]:", name) or "\x00" in name:
        return "error.archive_path_outside"
    return "error.archive_password" if member.flag_bits & 1 else ""


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path | None) -> str:
    """Write one member, checked against its checksum; returns a reason where that fails."""
    if member.flag_bits & 1:
        return "error.archive_password"
    try:
        with archive.open(member) as source, to.open("wb") if to else io.BytesIO() as target:
            while block := source.read(1 << 20):
                if to:
                    target.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
        return "error.archive_member_damaged"
    return ""


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
            raise _bomb(self.file, self.position)

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


def read_head(file: ReceivedFile, size: int = _SAMPLE) -> bytes:
    """The first bytes of the (unpacked) text as UTF-8, for a cheap look; never raises for bad content."""
    with ByteStream(file) as stream:
        head = stream.read(size)
    encoding = _encoding_of_mark(head) or _utf16_without_mark(head)
    if encoding is None:
        return head.removeprefix(codecs.BOM_UTF8)
    return head.decode(encoding, errors="replace").lstrip("\ufeff").encode()


# ----------------------------------------------------------------------------------------------------------- encodings


def _encoding_of_mark(head: bytes) -> str | None:
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    return None


def _utf16_without_mark(head: bytes) -> str | None:
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
        marked = _encoding_of_mark(block) or _utf16_without_mark(block)
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

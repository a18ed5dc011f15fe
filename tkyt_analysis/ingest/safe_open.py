"""Opening what was received, safely: kind by content, never by extension; bounded unpacking; any encoding to UTF-8.

Nothing here trusts a file: a name may lie about the kind, an archive about its size. A file that cannot be taken is
an InputError with one sentence; ingest keeps its bytes and quarantines it as a whole under the same key.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.byte_streams import (
    LIMITS,
    SAMPLE,
    ByteStream,
    Limits,
    Utf8Stream,
    bomb,
    detect_encoding,
    encoding_of_mark,
    open_utf8,
    read_head,
    utf16_without_mark,
)
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.scratch_place import scratch_place
from tkyt_analysis.labels import label

__all__ = [
    "LIMITS",
    "ByteStream",
    "Limits",
    "RefusedMember",
    "Utf8Stream",
    "check_archive_size",
    "detect_encoding",
    "expand",
    "expand_archive",
    "file_kind",
    "open_utf8",
    "read_head",
    "require_kind",
    "require_readable",
    "require_safe_workbook",
]


TEXT_KINDS = ("text", "json", "xml", "html")
READABLE_KINDS = ("xlsx", "xls", "ods", "text", "json", "parquet", "gz", "zip")
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
        head = file.read(SAMPLE)
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
    encoding = encoding_of_mark(head) or utf16_without_mark(head) or "utf-8"
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

    Members are unpacked into a folder that only this user can read (see `scratch_place`), gone when the program ends.
    """
    if file_kind(file.path) != "zip":
        yield file
        return
    yield from expand_archive(file, _scratch_folder(), limits=limits)


def _scratch_folder() -> Path:
    import atexit
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="tkyt-received-", dir=scratch_place())
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
        raise bomb(file, unpacked)


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


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, to: Path | None) -> str:
    """Write one member, checked against its checksum; returns a reason where that fails."""
    if member.flag_bits & 1:
        return "error.archive_password"
    try:
        with archive.open(member) as source, open(to, "wb", opener=_private) if to else io.BytesIO() as target:
            while block := source.read(1 << 20):
                if to:
                    target.write(block)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError):
        return "error.archive_member_damaged"
    return ""

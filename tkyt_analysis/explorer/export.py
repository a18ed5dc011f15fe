"""A table leaves the explorer as a file: XLSX, CSV, PDF, PNG or SVG. Small numbers are hidden first, here and only here.

Every file says what it is: title, filters in force, unit, signs and what they mean, source, date of the data, release, and
that practice data are no real figures. Names of files are ASCII (`file_name`).
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.disclosure import protect, rule_for
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.explorer.described import describe, file_name
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.labels import current_language

if TYPE_CHECKING:
    from tkyt_analysis.access.decision import Account

__all__ = ["KINDS", "export", "file_name", "rendered"]

KINDS = ("xlsx", "csv", "pdf", "png", "svg")


def export(
    pivot: Pivot,
    path: Path | str,
    *,
    kind: str | None = None,
    account: Account | None = None,
    purpose: str = "export",
    language: str | None = None,
) -> Path:
    """Write a table (as it came from `pivot`, unprotected) to a file and return its path.

    path : the file, or a folder (then the name says what is in it); kind : one of KINDS, default: the ending of `path`
    account : who exports; purpose : "export" hides small numbers, "internal" ("nội bộ") does not for those who may read
        the records, and says so on every page; the file is then readable by its owner only
    Raises InputError for an unknown kind and for "internal" without the right, ProcessingError where the file cannot be
    written.
    """
    path = Path(path)
    kind = (kind or path.suffix.lstrip(".")).lower()
    data = rendered(pivot, kind, account=account, purpose=purpose, language=language)
    target = path / file_name(pivot, kind, language) if path.is_dir() else path
    try:
        target.touch(mode=0o600 if purpose == "internal" else 0o666)
        if purpose == "internal":
            target.chmod(0o600)
        target.write_bytes(data)
    except OSError as error:
        raise ProcessingError("error.export_write", file=target, problem=error.strerror) from None
    return target


def rendered(
    pivot: Pivot,
    kind: str,
    *,
    account: Account | None = None,
    purpose: str = "export",
    language: str | None = None,
    made_at: datetime.datetime | None = None,
) -> bytes:
    """The bytes of the file that `export` writes."""
    if kind not in KINDS:
        raise InputError("error.export_kind", kind=kind or "–", expected=", ".join(KINDS))
    language = language or current_language()
    table = protect(pivot, rule_for(account, purpose))
    name = account.name if account else ""
    words = describe(table, language, internal=purpose == "internal", account=name, made_at=made_at)
    if kind == "xlsx":
        from tkyt_analysis.explorer.export_workbook import workbook

        return workbook(table, words, language)
    if kind == "csv":
        from tkyt_analysis.explorer.export_text import csv_bytes

        return csv_bytes(table, words, language)
    from tkyt_analysis.explorer.export_document import document

    return document(table, words, kind, language)

"""A file of what the explorer shows, as bytes for a link in the page and, in JupyterLab, in the user's work folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tkyt_analysis.explorer.layout import Pivot
    from tkyt_analysis.explorer.source import Source

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "png": "image/png",
    "pdf": "application/pdf",
}
FOLDER = "xuat"


@dataclass(frozen=True)
class Made:
    """A file that was made. kind : its media type; path : where it was kept too ("" for nowhere)."""

    name: str
    content: bytes
    kind: str
    path: str = ""


def take_away(pivot: Pivot, kind: str, *, source: Source, language: str, internal: bool = False) -> Made:
    """The file of a table as it came from the pivot; what may not leave is hidden by the export.

    internal : for use inside the ministry, small numbers and all; refused to accounts without the right.
    """
    from tkyt_analysis.explorer.export import file_name, rendered

    account, purpose = source.release.account, "internal" if internal else "export"
    content = rendered(pivot, kind, account=account, purpose=purpose, language=language)
    name = file_name(pivot, kind, language)
    return Made(name, content, TYPES[kind], "" if under_voila() else _kept(source.home, name, content))


def under_voila() -> bool:
    """Whether a dashboard server started this process: its viewers have no folder here."""
    return os.environ.get("SERVER_SOFTWARE", "").startswith("voila")


def _kept(home: Path, name: str, content: bytes) -> str:
    """Where the file lies in the user's work folder; "" where it cannot be written."""
    from tkyt_analysis.lab_folders import work_directory

    try:
        folder = work_directory(home) / FOLDER
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    except OSError:
        return ""
    return str(folder / name)

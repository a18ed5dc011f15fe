"""Named views: questions that a user saved, one JSON file each, outside the repository and apart from the releases.

A view keeps the question and its layout, never a figure: opened on a newer release it asks that release.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.cube.model import View
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.layout import PICTURES, SHOWS, Layout
from tkyt_analysis.explorer.state import State, state_from
from tkyt_analysis.reference.vietnamese_text import fold
from tkyt_analysis.warehouse.whole_files import write_new, write_whole

KIND = "tkyt-view"
LONGEST_NAME, LONGEST_FILE = 120, 200_000
LAST = "_last"


@dataclass(frozen=True)
class SavedView:
    """A saved question. release_id: on which it was saved; saved_at: UTC, "2026-11-22 21:05:00"."""

    name: str
    state: State
    note: str = ""
    release_id: str = ""
    saved_at: str = ""

    def text(self) -> str:
        """The file's text."""
        about = {"kind": KIND, "name": self.name, "note": self.note, "release_id": self.release_id}
        return (
            json.dumps({**about, "saved_at": self.saved_at, **self.state.as_dict()}, ensure_ascii=False, indent=1)
            + "\n"
        )


def views_directory(home: Path, account: str) -> Path:
    """Where an account's views lie (made when the first is saved)."""
    plain = account if re.fullmatch(r"[a-z0-9_][a-z0-9_.-]*", account) else f"{_plain(account)}-{_mark(account)}"
    return Path(home) / "work" / "views" / plain


def save_view(directory: Path, view: SavedView, *, replacing: bool = False) -> SavedView:
    """Keep a view under its name. Raises InputError for an empty or long name, or one that is taken (unless replacing)."""
    name = checked_name(view.name)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    kept = SavedView(name, view.state, view.note.strip(), view.release_id, now)
    directory.mkdir(parents=True, exist_ok=True)
    if replacing:
        write_whole(file_of(directory, name), kept.text())
    elif not write_new(file_of(directory, name), kept.text()):
        raise InputError("error.view_taken", name=name)
    return kept


def list_views(directory: Path) -> list[SavedView]:
    """The saved views by name; a file that is no view (any more) is left out, `open_view` says what is wrong with it."""
    found = []
    for path in directory.glob("[!.]*.json"):
        try:
            found.append(read_view(path.read_bytes(), file=path.name))
        except (InputError, OSError):
            continue
    return sorted(found, key=lambda one: (fold(one.name), one.name))


def open_view(directory: Path, name: str) -> SavedView:
    """A saved view by its name. Raises InputError where there is none."""
    path = file_of(directory, name)
    if not path.is_file():
        raise InputError("error.view_absent", name=name)
    return read_view(path.read_bytes(), file=path.name)


def rename_view(directory: Path, name: str, new_name: str) -> SavedView:
    """The view under another name; a name that is taken is refused."""
    view = open_view(directory, name)
    kept = SavedView(checked_name(new_name), view.state, view.note, view.release_id, view.saved_at)
    if file_of(directory, kept.name) == file_of(directory, name):
        write_whole(file_of(directory, name), kept.text())
    elif write_new(file_of(directory, kept.name), kept.text()):
        file_of(directory, name).unlink()
    else:
        raise InputError("error.view_taken", name=kept.name)
    return kept


def delete_view(directory: Path, name: str) -> None:
    """Remove a saved view."""
    open_view(directory, name)
    file_of(directory, name).unlink()


def read_view(content: bytes, *, file: str) -> SavedView:
    """A view from a file that somebody shared. Raises InputError for what is no view."""
    if len(content) > LONGEST_FILE:
        raise InputError("error.view_file", file=file)
    try:
        values = json.loads(content.decode("utf-8-sig"))
        if not isinstance(values, dict) or values.get("kind") != KIND:
            raise ValueError
        state = state_from({"view": _known(View, values["view"]), "layout": _known(Layout, values["layout"])})
        _require_plain(state)
        texts = {one: str(values.get(one, "")) for one in ("note", "release_id", "saved_at")}
        return SavedView(checked_name(str(values["name"])), state, **texts)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError("error.view_file", file=file) from None


def keep_last(directory: Path, state: State, release_id: str) -> None:
    """Put the view in work aside, for the case that kernel or machine stop."""
    directory.mkdir(parents=True, exist_ok=True)
    write_whole(directory / f".{LAST}.json", SavedView(LAST, state, release_id=release_id).text())


def last_state(directory: Path) -> State | None:
    """The view that was in work when the explorer was last used; None where there is none or it cannot be read."""
    try:
        return read_view((directory / f".{LAST}.json").read_bytes(), file=LAST).state
    except (OSError, InputError):
        return None


def file_of(directory: Path, name: str) -> Path:
    """The file of a name: readable letters, and a mark of the whole name, so that no two names share a file."""
    name = unicodedata.normalize("NFC", name).strip()
    return directory / f"{_plain(name)}-{_mark(name)}.json"


def checked_name(name: str) -> str:
    """The name in composed letters without outer blanks. Raises InputError where it is empty or too long."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    if not name or len(name) > LONGEST_NAME:
        raise InputError("error.view_name", longest=LONGEST_NAME, length=len(name))
    return name


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", fold(text)).strip("_")[:60] or "x"


def _known(kind: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that this version knows: a view of a later version opens with what both have."""
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _require_plain(state: State) -> None:
    """Only texts where texts belong: what is shared between people is checked like any received file."""
    view, layout = state.view, state.layout
    texts = [
        *view.measures,
        *view.by,
        view.place,
        view.geography,
        view.period,
        view.cause_list,
        layout.sort,
        layout.scheme,
    ]
    texts += [*layout.rows, *layout.columns, *(one for name, kept in view.where for one in (name, *kept))]
    numbers = (layout.top, layout.classes)
    flags = (layout.totals, layout.intervals, layout.subtotals, layout.shade)
    plain = all(isinstance(one, str) for one in texts) and all(type(one) is int for one in numbers)
    if not (
        plain and all(isinstance(one, bool) for one in flags) and layout.picture in PICTURES and layout.shows in SHOWS
    ):
        raise ValueError

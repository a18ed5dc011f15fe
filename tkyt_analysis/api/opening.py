"""Opening a release: the latest, a named one, or the state of the warehouse at a moment; and which one is open now."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.api.workbench import Workbench
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_date, label, set_language
from tkyt_analysis.settings import home_directory

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import Release
    from tkyt_analysis.warehouse.vintages import Vintage

_RELEASE_ID = re.compile(r"R\d{6}\b")
_now: Workbench | None = None


def open_workbench(
    home: str | Path = "", release: str | None = None, as_of: int | str | datetime.date | None = None,
    language: str | None = None,
) -> Workbench:  # fmt: skip
    """Open a release for the functions of `tk`, and give back its workbench.

    home : "" is TKYT_HOME (a release id may stand here too); release : its id, or enough of its beginning to be unique; None is the one readers are pointed to
    as_of : a date, a moment ("2026-10-01 08:30") or a snapshot number: what was known then. A release of that snapshot
        is made, or reused; readers stay pointed to the current one. Who may not publish gets the nearest release before it.
    """
    global _now
    if release is None and _RELEASE_ID.match(str(home)):
        home, release = "", str(home)
    if language:
        set_language(language)
    folder = Path(home) if home else home_directory()
    if release and as_of is not None:
        raise InputError("error.api.release_and_as_of")
    remark = ""
    if as_of is not None:
        opened, remark = release_as_of(folder, as_of)
    else:
        from tkyt_analysis.warehouse.release import Release

        opened = Release(folder, find_release(folder, release) if release else None)
    _now = Workbench(opened, remark=remark)
    prepare_notebook(_now)
    return _now


def current() -> Workbench:
    """The workbench opened last, else that of TKYT_HOME; opened anew where another account is at work now."""
    from tkyt_analysis.access import current_account

    if _now is None:
        return open_workbench()
    if current_account(_now.opened.home) != _now.opened.account:
        return open_workbench(_now.opened.home, _now.opened.release_id)
    return _now


def find_release(home: Path, written: str) -> str:
    """The id of a release from its id or the beginning of it; InputError with those that there are."""
    from tkyt_analysis.access import require

    require(home, "read")
    known = sorted(path.parent.name for path in (home / "releases").glob("R*/manifest.json"))
    found = [one for one in known if one == written] or [one for one in known if one.startswith(written)]
    if len(found) != 1:
        raise InputError("error.api.release_unknown", release=written, known=", ".join(known[-5:]) or "–")
    return found[0]


def release_as_of(home: Path, as_of: int | str | datetime.date) -> tuple[Release, str]:
    """(the release of what was known at a moment, what to know about it)."""
    from tkyt_analysis.access import current_account, decide, require
    from tkyt_analysis.warehouse.release import Release, publish
    from tkyt_analysis.warehouse.vintages import released_vintages

    require(home, "read")
    vintage = vintage_at(home, as_of)
    if decide(current_account(home), "publish", place="VN").allowed:
        return publish(home, as_of=vintage.snapshot), ""
    before = [one for one in released_vintages(home) if one.snapshot <= vintage.snapshot]
    if not before:
        raise InputError("error.api.no_release_then", asked=str(as_of))
    chosen = max(before, key=lambda one: (one.snapshot, one.made_at))
    remark = label(
        "api.nearest_release", None, release=chosen.release, date=format_date(chosen.made_at), asked=str(as_of)
    )
    return Release(home, chosen.release), "" if chosen.snapshot == vintage.snapshot else remark


def vintage_at(home: Path, as_of: int | str | datetime.date) -> Vintage:
    """The snapshot that a moment or number means. Snapshot numbers and times are for every account, rows are not."""
    from tkyt_analysis.access import working_within
    from tkyt_analysis.warehouse.lake import Warehouse
    from tkyt_analysis.warehouse.vintages import known_at, snapshots

    with working_within(), Warehouse(home) as warehouse:
        known = snapshots(warehouse)
    asked = _asked(as_of)
    if isinstance(asked, int):
        return _numbered(known, asked)
    return known_at(known, asked)


def _asked(as_of: int | str | datetime.date) -> int | str:
    if isinstance(as_of, datetime.datetime):
        return as_of.isoformat(sep=" ")
    if isinstance(as_of, datetime.date):
        return as_of.isoformat()
    return int(as_of) if isinstance(as_of, str) and as_of.strip().isdigit() else as_of


def _numbered(known: Sequence[tuple[int, datetime.datetime]], number: int) -> Vintage:
    from tkyt_analysis.warehouse.vintages import Vintage

    made = dict(known)
    if number not in made:
        raise InputError(
            "error.api.snapshot_unknown", found=number, first=min(made, default="–"), last=max(made, default="–")
        )
    return Vintage(str(number), number, made[number])


def prepare_notebook(workbench: Workbench) -> None:
    """In IPython: the `%%sql` cell, and what the first figure needs is read ahead. Outside it nothing happens."""
    import sys

    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        from tkyt_analysis.api.cells import register

        register(shell)
        workbench.read_ahead()

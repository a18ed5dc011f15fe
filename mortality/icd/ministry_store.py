"""Loaded lists of the ministry: one CSV and one JSON file for each edition, in the home or a folder of the settings."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from mortality.icd.editions import BUILT_IN, Edition, edition_facts
from mortality.icd.ministry_list import MinistryList, read_ministry_list
from tkyt_analysis.errors import InputError
from tkyt_analysis.settings import home_directory, icd_lists_directory

_NAME = re.compile(r"^VN-[A-Z0-9][A-Z0-9-]{1,30}$")


def lists_folder(home: Path | None = None) -> Path:
    """Where loaded lists lie: TKYT_ICD_LISTS if set, else the folder `icd` of the home."""
    return icd_lists_directory() or (Path(home) if home else home_directory()) / "icd"


def loaded_editions(home: Path | None = None) -> list[str]:
    """Ids of the loaded lists, the one in force first in time first."""
    found = [json.loads(path.read_text("utf-8")) for path in lists_folder(home).glob("VN-*.json")]
    return [one["edition"] for one in sorted(found, key=lambda one: (one["valid_from"], one["edition"]))]


def load_edition(name: str, *, home: Path | None = None) -> Edition:
    """A loaded list as an Edition. Raises InputError where it is unknown or not loaded."""
    folder = lists_folder(home)
    if not (folder / f"{name}.json").exists():
        key = "error.icd_edition_missing" if name in edition_facts() else "error.icd_edition_unknown"
        known = ", ".join([*BUILT_IN, *loaded_editions(home)])
        raise InputError(key, edition=name, folder=folder, known=known)
    return _read_edition(folder, name, (folder / f"{name}.json").stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _read_edition(folder: Path, name: str, changed: int) -> Edition:
    about = json.loads((folder / f"{name}.json").read_text("utf-8"))
    rows = pd.read_csv(folder / f"{name}.csv", dtype=str, keep_default_na=False)
    flagged = rows[rows["flags"] != ""]
    marked = rows[rows["mark"] != ""]
    return Edition(
        id=name,
        titles={language: dict(zip(rows["code"], rows[f"title_{language}"])) for language in ("vi", "en")},
        code_flags={code: frozenset(flags.split()) for code, flags in zip(flagged["code"], flagged["flags"])},
        marks=dict(zip(marked["code"], marked["mark"])),
        valid_from=_day(about["valid_from"]),
        valid_to=_day(about["valid_to"]),
        place_digits=True,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def load_ministry_file(
    path: Path, name: str, *, home: Path | None = None, valid_from: date | None = None, valid_to: date | None = None
) -> dict[str, Any]:
    """Read the ministry's Excel file and keep it as edition `name`; what stands in it and what was odd comes back.

    The dates of the known lists stand in `icd10_editions`; any other name needs `valid_from`. A list that was loaded
    before under this name is replaced. Raises InputError for a wrong name, missing date or unreadable file.
    """
    start, end = _dates(name, valid_from, valid_to)
    read = read_ministry_list(Path(path))
    folder = lists_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    about = {
        "edition": name,
        "valid_from": start.isoformat(),
        "valid_to": end.isoformat() if end else "",
        "file_name": Path(path).name,
        "file_sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(),
        "columns": read.columns,
        "rows_received": read.rows_received,
        "rows_without_code": read.rows_without_code,
        "counts": read.counts(),
        "differences": compare_counts(name, read),
        "problems": [{"row": row, "kind": kind, "value": value} for row, kind, value in read.problems],
    }
    _keep(folder, name, read, about)
    return about | {"folder": str(folder)}


def _dates(name: str, valid_from: date | None, valid_to: date | None) -> tuple[date, date | None]:
    facts = edition_facts().get(name, {})
    if not _NAME.match(name):
        raise InputError("error.icd_edition_name", edition=name)
    start = valid_from or _day(facts.get("valid_from", ""))
    if start is None:
        raise InputError("error.icd_edition_date", edition=name)
    end = valid_to or _day(facts.get("valid_to", ""))
    if end is not None and end < start:
        raise InputError("error.icd_edition_order", edition=name, start=start, end=end)
    return start, end


def _keep(folder: Path, name: str, read: MinistryList, about: dict[str, Any]) -> None:
    """The CSV first, then the JSON that makes the edition exist; each appears whole or not at all."""
    table, note = folder / f"{name}.csv", folder / f"{name}.json"
    for target, text in (
        (table, read.rows.to_csv(index=False, lineterminator="\n", quoting=csv.QUOTE_MINIMAL)),
        (note, json.dumps(about, ensure_ascii=False, indent=1)),
    ):
        unfinished = target.with_name(target.name + ".unfinished")
        unfinished.write_text(text, "utf-8")
        unfinished.replace(target)


def compare_counts(name: str, read: MinistryList) -> list[dict[str, Any]]:
    """Figures of the file that differ from the published ones of this edition: figure, expected, found."""
    facts = edition_facts().get(name, {})
    found = read.counts()
    return [
        {"figure": figure, "expected": int(facts[figure]), "found": found[figure]}
        for figure in found
        if facts.get(figure) and int(facts[figure]) != found[figure]
    ]

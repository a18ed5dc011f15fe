"""`tkyt verify`: is everything that a home keeps still there, whole and consistent? One line per question."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require, working_within
from tkyt_analysis.access.audit import check_chain, record
from tkyt_analysis.errors import TkytError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.verify_lake import check_lake_files, check_restricted_files
from tkyt_analysis.warehouse.backup_state import age_days, read_state
from tkyt_analysis.warehouse.custody import has, is_intact, kept_hashes, kept_path, lies_in_the_clear, seal_clear_files
from tkyt_analysis.warehouse.keys import read_key
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import Release

BACKUP_DAYS = 2.0  # a daily backup that is older than this was missed
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Check:
    """One question: its name, how many things were looked at, what is wrong (sentences), what to know (sentences)."""

    name: str
    looked_at: int
    problems: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.problems

    def sentence(self) -> str:
        """The line that people see."""
        state = label("verify.good" if self.good else "verify.bad", None, count=format_number(len(self.problems)))
        return label(f"verify.{self.name}", None, count=format_number(self.looked_at), state=state)

    def as_dict(self) -> dict[str, Any]:
        return {"check": self.name, "looked_at": self.looked_at, "problems": self.problems, "remarks": self.remarks}


Step = Callable[[Path, Warehouse], Check]


def verify(home: Path, *, progress: Progress | None = None) -> list[Check]:
    """Every check of a home; a check that cannot be made is a problem of its own. Nothing is changed."""
    home = Path(home)
    require(home, "administer")
    steps: dict[str, Step] = {
        "custody": _custody,
        "received": _received,
        "lake": _lake,
        "restricted": _restricted,
        "releases": _releases,
        "balance": _balance,
        "audit": _audit,
        "backup": _backup,
    }
    checks = []
    with working_within(), Warehouse(home) as warehouse:  # counts, hashes and file names; no row is handed out
        for number, (name, step) in enumerate(steps.items()):
            if progress:
                progress(number, len(steps), name)
            checks.append(_tried(name, step, home, warehouse))
    record(home, "verify", problems=sum(len(check.problems) for check in checks))
    return checks


def _tried(name: str, step: Step, home: Path, warehouse: Warehouse) -> Check:
    try:
        return step(home, warehouse)
    except TkytError as error:
        return Check(name, 0, [error.sentence()])


def _custody(home: Path, warehouse: Warehouse) -> Check:
    """Every kept file read in full against the hash it is kept under."""
    key = read_key(home, "custody")
    kept = kept_hashes(home)
    bad = [one for one in kept if not is_intact(home, one, key)]
    clear = [one for one in kept if one not in set(bad) and lies_in_the_clear(kept_path(home, one), one)]
    problems = [label("error.custody_altered", None, sha256=one, path=kept_path(home, one)) for one in bad]
    remarks = [label("verify.clear", None, count=format_number(len(clear)), home=home)] if clear else []
    return Check("custody", len(kept), problems, remarks)


def _received(home: Path, warehouse: Warehouse) -> Check:
    """The bytes of every received file are in custody, its own or those of the archive that it came in."""
    rows = warehouse.con.execute(
        "SELECT file_sha256, file_name, size_bytes, door FROM lake.received_file ORDER BY file_name"
    ).fetchall()
    archives = {name for sha256, name, _, door in rows if door == "archive" and has(home, sha256)}
    missing = [
        label("verify.missing_bytes", None, file=name, path=kept_path(home, sha256))
        for sha256, name, size, _ in rows
        if size and not has(home, sha256) and not _inside_one_of(name, archives)
    ]
    return Check("received", len(rows), missing)


def _inside_one_of(name: str, archives: set[str]) -> bool:
    parts = name.split("/")
    return any("/".join(parts[:end]) in archives for end in range(1, len(parts)))


def _lake(home: Path, warehouse: Warehouse) -> Check:
    return Check("lake", *check_lake_files(warehouse))


def _restricted(home: Path, warehouse: Warehouse) -> Check:
    return Check("restricted", *check_restricted_files(warehouse))


def _releases(home: Path, warehouse: Warehouse) -> Check:
    """Every file of every release against its manifest, and the pointer."""
    folder = home / "releases"
    problems, looked_at = [], 0
    for directory in sorted(path for path in folder.glob("R*") if path.is_dir()):
        looked_at += 1
        try:
            release = Release(home, directory.name)
            problems += [
                label("verify.release_file", None, release=directory.name, file=name) for name in release.verify()
            ]
        except (TkytError, json.JSONDecodeError, KeyError, UnicodeDecodeError):
            problems.append(label("verify.release_manifest", None, release=directory.name))
    pointer = folder / "CURRENT"
    if pointer.exists() and not (folder / pointer.read_text("utf-8", "replace").strip() / "manifest.json").exists():
        problems.append(label("verify.release_pointer", None, path=pointer))
    return Check("releases", looked_at, problems)


def _balance(home: Path, warehouse: Warehouse) -> Check:
    """received = landed + quarantined for every file, and the quarantine holds as many rows as the files say."""
    files = warehouse.one("SELECT count(*) FROM lake.received_file")[0]
    rows = warehouse.con.execute(
        """
        SELECT coalesce(file_name, file_sha256), rows_received, rows_landed, rows_quarantined, coalesce(n, 0)
        FROM lake.received_file f
        FULL JOIN (SELECT file_sha256, count(*) AS n FROM lake.quarantine GROUP BY ALL) q USING (file_sha256)
        WHERE file_name IS NULL OR rows_received <> rows_landed + rows_quarantined
           OR rows_quarantined <> coalesce(n, 0) ORDER BY 1
        """
    ).fetchall()
    names = ("file", "received", "landed", "quarantined", "found")
    return Check("balance", files, [label("verify.unbalanced", None, **dict(zip(names, row))) for row in rows])


def _audit(home: Path, warehouse: Warehouse) -> Check:
    log = home / "audit" / "log.jsonl"
    lines = sum(1 for _ in open(log, "rb")) if log.exists() else 0
    return Check("audit", lines, check_chain(home))


def _backup(home: Path, warehouse: Warehouse) -> Check:
    """The last good backup, its age, and whether a later one failed."""
    state = read_state(home)
    age = age_days(state)
    problems = []
    if state.get("failed_at"):
        failed = {"time": state["failed_at"], "target": state["failed_target"]}
        problems.append(label("verify.backup_failed", None, **failed))
    if age is None:
        return Check("backup", 0, problems, [label("verify.no_backup", None, home=home)])
    said = {"backup": state["backup_id"], "target": state["target"], "days": format_number(age, 1)}
    if age > BACKUP_DAYS:
        problems.append(label("verify.backup_old", None, **said))
    return Check("backup", 1, problems, [label("verify.backup_last", None, **said)])


def seal_older_files(home: Path) -> int:
    """Encrypt what the first version kept in the clear; how many files."""
    require(home, "administer")
    count = seal_clear_files(home)
    if count:
        record(home, "seal", files=count)
    return count

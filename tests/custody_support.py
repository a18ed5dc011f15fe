"""A small home with rows in both lakes, received bytes, a release: quick to make, to back up and to compare."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import stat
import tempfile
from pathlib import Path

import pandas as pd
import pytest

from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.door import Batch
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.release import publish

NAME = "Trần Thị Mô Phỏng"  # synthetic


class PersonDoor:
    """Each line "unit,value,name" is a reported value, and a name for the restricted store."""

    id = "people"

    def recognise(self, file):
        return 1.0 if file.name.endswith(".people") else 0.0

    def read(self, file, context):
        lines = [line.split(",") for line in file.path.read_text("utf-8").splitlines()]
        numbers = range(1, len(lines) + 1)
        values = {
            "row_number": numbers,
            "unit_id": [one[0] for one in lines],
            "value": [float(one[1]) for one in lines],
        }
        yield Batch(
            "aggregate_value",
            pd.DataFrame({**values, "element_id": "e", "dataset_id": "d", "period_id": "202501"}),
            received=len(lines),
        )
        ids = [f"{file.name}/{number}" for number in numbers]
        names = pd.DataFrame({"death_id": ids, "full_name": [one[2] for one in lines], "row_number": numbers})
        yield Batch("death_identity", names, received=0, counts=False)


def receive_people(home: Path, folder: Path, name: str, rows: int) -> None:
    """Write a file of so many lines and receive it."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.people"
    path.write_text("".join(f"VN2025:51,{number},{NAME} {name}{number}\n" for number in range(rows)), "utf-8")
    receive.ingest(home, [path])


@functools.cache
def _template(more: tuple[str, ...] = ()) -> Path:
    """The small home, made once per process; its key lies beside it."""
    folder = Path(tempfile.mkdtemp(prefix="tkyt-test-home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(folder / "key"))
        patch.setattr(receive, "doors", lambda: [PersonDoor()])
        create_home(folder / "home", practice=True)
        receive_people(folder / "home", folder / "in", "a", 30)
        receive_people(folder / "home", folder / "in", "b", 20)
        publish(folder / "home")
        for name in more:
            receive_people(folder / "home", folder / "in", name, 10)
    return folder


def small_home(tmp_path: Path, monkeypatch, more: tuple[str, ...] = ()) -> Path:
    """A home of one's own with two received files (30 and 20 lines), a release, and `more` files of 10 lines after it."""
    template = _template(more)
    shutil.copytree(template / "home", tmp_path / "home")
    shutil.copytree(template / "in", tmp_path / "in")
    shutil.copy(template / "key", tmp_path / "key")
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setattr(receive, "doors", lambda: [PersonDoor()])
    return tmp_path / "home"


@functools.cache
def small_home_digest() -> dict[str, tuple[int, str]]:
    """The digest of the small home as it is made."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(_template() / "key"))
        return warehouse_digest(_template() / "home")


def count_rows(home: Path) -> tuple[int, int, int]:
    """(received files, reported values, identities)."""
    with Warehouse(home) as warehouse, warehouse.restricted():
        return tuple(
            warehouse.one(f"SELECT count(*) FROM {table}")[0]
            for table in ("lake.received_file", "lake.aggregate_value", "restricted.death_identity")
        )


FAKE_SSH = """#!/bin/sh
# Stands in for ssh: drops its options and the host, and runs the command here. A host "down" does not answer; a
# connection is cut while the file TKYT_TEST_CUT exists.
while [ "$1" != "--" ]; do shift; done
shift
[ "$1" = "nobody@down" ] && { echo "ssh: connect to host down port 22: No route to host" >&2; exit 255; }
shift
[ -e "$TKYT_TEST_CUT" ] && { case "$*" in *tar*-cf*) echo "client_loop: send disconnect: Broken pipe" >&2; exit 255;; esac; }
exec sh -c "$*"
"""


def fake_ssh(folder: Path, monkeypatch) -> None:
    """Put a stand-in for ssh first on the PATH."""
    folder.mkdir()
    path = folder / "ssh"
    path.write_text(FAKE_SSH, "ascii")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

"""A door for small text files with a register in each: deaths, their identifiers, values, a note and a quarantined row."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.door import Batch, Note, Quarantined


class RegisterDoor:
    """Lines "unit,name,value"; a value that is no number is quarantined."""

    id = "register"

    def recognise(self, file):
        return 1.0

    def read(self, file, context):
        lines = [line.split(",") for line in file.path.read_text("utf-8").splitlines()]
        good = [(number, line) for number, line in enumerate(lines, 1) if line[2].isdigit()]
        bad = [
            Quarantined(reason="error.file_without_rows", row_number=number, value=line[2], fields={"file": file.name})
            for number, line in enumerate(lines, 1)
            if not line[2].isdigit()
        ]
        keys = [f"line {number}" for number, _ in good]
        deaths = pd.DataFrame(
            {
                "record_key": keys,
                "row_number": [number for number, _ in good],
                "unit_id": [line[0] for _, line in good],
                "cause_text": [f"cause {line[2]}" for _, line in good],
            }
        )
        notes = [
            Note(note="error.file_without_rows", row_number=1, value="1", became="one", fields={"file": file.name})
        ]
        yield Batch("death", deaths, bad, notes, received=len(lines))
        people = pd.DataFrame({"record_key": keys, "full_name": [line[1] for _, line in good]})
        yield Batch("death_identity", people, counts=False)
        values = pd.DataFrame({"unit_id": ["VN2025:51"] * 3, "value": [1.0, 2.0, float(len(lines))]})
        yield Batch("aggregate_value", values, received=3)


def write_registers(folder: Path, files: int, *, first: int = 0, lines: int = 20) -> Path:
    """A folder of small registers; every file has one line that is quarantined."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + files):
        text = [f"VN2025:51,Người Mô Phỏng {number}.{line},{number * 1000 + line}" for line in range(lines - 1)]
        (folder / f"{number:03}.txt").write_text("\n".join([*text, f"VN2025:51,Không Số {number},mười"]), "utf-8")
    return folder


def one_file_per_commit(patch: pytest.MonkeyPatch) -> None:
    """The register door is the only one, every file is a commit of its own, and no gate asks questions: this is about storage."""
    patch.setattr(receive, "doors", lambda: [RegisterDoor()])
    patch.setattr(receive, "FILES_PER_TRANSACTION", 1)
    every_part = receive.parts
    patch.setattr(receive, "parts", lambda kind: {} if kind == "gates" else every_part(kind))

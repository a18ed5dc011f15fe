"""What a home knows of its own backups: the last good one and the last failure (file `work/backup.json`)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.errors import TkytError
from tkyt_analysis.warehouse.whole_files import write_whole

FORMAT = "%Y-%m-%d %H:%M:%S"


def state_file(home: Path) -> Path:
    """Where it is noted."""
    return Path(home) / "work" / "backup.json"


def read_state(home: Path) -> dict[str, Any]:
    """backup_id, target, finished_at (UTC) of the last good backup; failed_at, failed_target, failed of the last failure."""
    try:
        found = json.loads(state_file(home).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def note_success(home: Path, target: str, backup_id: str) -> None:
    """A good backup; an older failure is no longer news."""
    _write(home, {"backup_id": backup_id, "target": target, "finished_at": _now()})


def note_failure(home: Path, target: str, error: TkytError) -> None:
    """A failure beside the last good backup."""
    if not (Path(home) / "work").is_dir():
        return
    _write(home, {**read_state(home), "failed_at": _now(), "failed_target": target, "failed": error.key})


def age_days(state: dict[str, Any]) -> float | None:
    """Days since the last good backup, None without one."""
    if not state.get("finished_at"):
        return None
    finished = datetime.strptime(state["finished_at"], FORMAT).replace(tzinfo=UTC)
    return (datetime.now(UTC) - finished).total_seconds() / 86400


def _write(home: Path, state: dict[str, Any]) -> None:
    write_whole(state_file(home), json.dumps(state, indent=1) + "\n")


def _now() -> str:
    return datetime.now(UTC).strftime(FORMAT)

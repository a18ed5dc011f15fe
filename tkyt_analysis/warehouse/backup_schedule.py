"""A daily backup by the system's own scheduler: unit files for systemd and a line for cron. No daemon of our own."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from tkyt_analysis.warehouse.keys import key_file
from tkyt_analysis.warehouse.whole_files import write_whole

HOUR = "02:30"


def write_schedule(home: Path, target: str) -> dict[str, Path]:
    """Write tkyt-backup.service, tkyt-backup.timer and crontab.txt into `home/schedule`; {name: path}.

    The timer is persistent: a machine that was off at night makes its backup when it is on again.
    """
    folder = Path(home) / "schedule"
    folder.mkdir(exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "tkyt_analysis", "backup", "--home", str(home), "--to", target]
    written = {
        "tkyt-backup.service": _service(command, home),
        "tkyt-backup.timer": _timer(),
        "crontab.txt": _cron(command, home),
    }
    for name, text in written.items():
        write_whole(folder / name, text)
    return {name: folder / name for name in written}


def _service(command: list[str], home: Path) -> str:
    quoted = " ".join(_systemd_quoted(word) for word in command)
    settings = "".join(f"Environment={_systemd_quoted(f'{name}={value}')}\n" for name, value in _settings(home).items())
    return (
        f"[Unit]\nDescription=TKYT backup of {_plain(home)}\n\n"
        f"[Service]\nType=oneshot\n{settings}"
        f"ExecStart={quoted}\nNice=10\nIOSchedulingClass=idle\n"
    )


def _settings(home: Path) -> dict[str, str]:
    """What the nightly run must know of this session's settings."""
    given = {name: os.environ[name] for name in ("TKYT_CATALOG", "TKYT_CATALOG_PATH") if os.environ.get(name)}
    return {"TKYT_KEY_FILE": str(key_file(home)), **given}


def _timer() -> str:
    return (
        "[Unit]\nDescription=TKYT backup every day\n\n"
        f"[Timer]\nOnCalendar=*-*-* {HOUR}:00\nPersistent=true\nRandomizedDelaySec=15min\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )


def _cron(command: list[str], home: Path) -> str:
    hour, minute = HOUR.split(":")
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in _settings(home).items())
    line = f"{settings} {shlex.join(command)}".replace("%", r"\%")
    return f"{int(minute)} {int(hour)} * * * {line}\n"


def _systemd_quoted(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"'


def _plain(home: Path) -> str:
    return str(home).replace("%", "%%").replace("\n", " ")

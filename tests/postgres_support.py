"""A real PostgreSQL of Debian's packages, started by the tests themselves: own folder, Unix socket, no TCP."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def server_programs() -> Path:
    """The folder of initdb and pg_ctl (newest version); the test is skipped where PostgreSQL is absent."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        pytest.skip("PostgreSQL is not installed (make system)")
    return found[-1].parent


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """A running server; yields the libpq connection of an empty database `tkyt`."""
    programs = server_programs()
    folder = Path(tempfile.mkdtemp(prefix="tkyt-pg-", dir="/tmp"))  # short: a socket's path has at most 107 characters
    folder.chmod(0o755)
    as_user = _unprivileged(folder)
    data = folder / "data"

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=200"
    try:
        run(str(programs / "initdb"), "-D", str(data), "-A", "trust", "-U", "tkyt", "--no-sync", "-E", "UTF8")
        run(str(programs / "pg_ctl"), "-D", str(data), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            run(str(programs / "createdb"), "-h", str(folder), "-U", "tkyt", "tkyt")
            yield f"host={folder} user=tkyt dbname=tkyt"
        finally:
            run(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root: root hands the folder to the user of Debian's package (or nobody)."""
    if os.getuid() != 0:
        return []
    user = (
        "postgres" if subprocess.run(["id", "postgres"], capture_output=True, check=False).returncode == 0 else "nobody"
    )
    shutil.chown(folder, user)
    return ["setpriv", f"--reuid={user}", f"--regid={_group(user)}", "--clear-groups"]


def _group(user: str) -> str:
    return subprocess.run(["id", "-gn", user], capture_output=True, check=True, text=True).stdout.strip()

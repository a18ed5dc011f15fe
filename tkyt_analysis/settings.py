"""Where things are on disk. The one place that reads TKYT_* environment variables for paths.

TKYT_HOME           the warehouse, releases, reports (default: ~/tkyt)
TKYT_CATALOG_PATH   further catalog folders of the user, ":"-separated; they add entries to the shipped ones
TKYT_MEMORY_MB      what a database connection may hold in memory before it spills to disk (default: 2048)
TKYT_KEY_FILE       file with the home's master key (default: beside the user's configuration, outside home and repo)
TKYT_KEY            the master key itself (64 hexadecimal digits), for systems that hand out secrets in the environment
TKYT_CATALOG        "postgres:<libpq connection>" puts the lake's catalog on PostgreSQL (default: SQLite in the home)
TKYT_ICD_LISTS      folder of loaded ICD-10 lists of the ministry, shared by several homes (default: `icd` in the home)
TKYT_WAIT_SECONDS   how long a command waits for another one that writes (default: 30)
"""

from __future__ import annotations

import os
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent


def home_directory() -> Path:
    """The folder that holds warehouse, releases and reports."""
    return Path(os.environ.get("TKYT_HOME") or Path.home() / "tkyt").expanduser().absolute()


def catalog_directories() -> list[Path]:
    """The shipped catalog first, then the user's own folders."""
    own = [Path(part).expanduser() for part in os.environ.get("TKYT_CATALOG_PATH", "").split(os.pathsep) if part]
    return [REPOSITORY / "data_catalog", *own]


def configuration_directory() -> Path:
    """The user's configuration folder (keys, local settings): never inside home or repository."""
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config").expanduser()
    return base / "tkyt"


def icd_lists_directory() -> Path | None:
    """The folder of loaded ICD-10 lists that TKYT_ICD_LISTS names; None where the home's own is meant."""
    given = os.environ.get("TKYT_ICD_LISTS", "")
    return Path(given).expanduser().absolute() if given else None


def memory_megabytes() -> int:
    """What one database connection may hold in memory; beyond it, it spills to disk."""
    given = os.environ.get("TKYT_MEMORY_MB", "")
    return int(given) if given.isdigit() and int(given) >= 100 else 2048


def catalog_setting() -> str:
    """What TKYT_CATALOG says ("" where it says nothing)."""
    return os.environ.get("TKYT_CATALOG", "")


def wait_seconds(default: float = 30.0) -> float:
    """How long to wait for another process that writes."""
    try:
        return max(0.0, float(os.environ.get("TKYT_WAIT_SECONDS", "")))
    except ValueError:
        return default

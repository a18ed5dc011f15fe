"""The order of the work on a home: prepare → ingest → (each module's steps) → check → publish.

A step is a function `step(home, progress) -> dict`; modules name theirs in `Module.steps`, "10_code" before "20_…".
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tkyt_analysis.access import NATION, require, working_within
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.warehouse.lake import Warehouse, create_home

Progress = Callable[[int, int, str], None]
PLACE_SYSTEMS = ("VN2024", "VN2025")
UNIT_LISTS = (
    "provinces_2024",
    "provinces_2025",
    "island_districts",
    "unit_changes",
    "unit_types",
    "crosswalk_corrections",
)


def prepare_home(home: Path, *, practice: bool = False) -> bool:
    """Make the home where it is missing, complete its tables, and load the unit lists once. True if new."""
    require(home, "receive")
    new = create_home(home, practice=practice)
    load_units(home)
    return new


def load_units(home: Path) -> int:
    """Put the unit lists of Viet Nam into `organisation_unit`; the number of rows written (0: they were there)."""
    import pandas as pd

    source = f"vietnamadminunits {version('vietnamadminunits')}, lists {_unit_lists_version()}"
    with working_within(), Warehouse(home) as warehouse:
        known = warehouse.one("SELECT count(*) FROM lake.organisation_unit WHERE file_sha256 = ?", [source])[0]
    if known:
        return 0
    from tkyt_analysis.reference.places import places

    units = pd.concat([places(system) for system in PLACE_SYSTEMS]).drop_duplicates("unit_id")
    wanted = [
        "unit_id",
        "code",
        "name",
        "level",
        "parent_unit_id",
        "province_id",
        "unit_type",
        "valid_from",
        "valid_to",
    ]
    rows = units[[*wanted, "latitude", "longitude"]].assign(name=units["full_name"], file_sha256=source)
    with working_within(), Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute("DELETE FROM lake.organisation_unit WHERE file_sha256 LIKE 'vietnamadminunits %'")
        warehouse.con.register("incoming", rows)
        warehouse.con.execute("INSERT INTO lake.organisation_unit BY NAME SELECT * FROM incoming")
    return len(rows)


def _unit_lists_version() -> str:
    """Eight digits that change with any code list of units: an amended list reaches homes that exist already."""
    import hashlib

    from tkyt_analysis.settings import catalog_directories

    digest = hashlib.sha256()
    for directory in catalog_directories():
        for name in UNIT_LISTS:
            path = directory / "codelists" / f"{name}.csv"
            if path.is_file():
                digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def run_steps(home: Path, progress: Progress | None = None) -> dict[str, dict[str, Any]]:
    """Run every module's steps in the order of their names; {step: what it did}. They read the whole home."""
    require(home, "check", place=NATION)
    return {name: load_object(reference)(home, progress) for name, reference in sorted(parts("steps").items())}


def check_warehouse(
    home: Path,
    *,
    rules: tuple[str, ...] | None = None,
    scope: str | None = None,
    period: str | None = None,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Run the checks, store their findings in place of the last ones, and return a line per rule."""
    from tkyt_analysis.access.audit import record
    from tkyt_analysis.quality.warehouse import check

    require(home, "check", place=NATION)
    summary = check(home, rules=rules, scope=scope, period=period, progress=progress)
    record(home, "check", rows=sum(row["findings"] for row in summary), rules=", ".join(rules or ()))
    return summary

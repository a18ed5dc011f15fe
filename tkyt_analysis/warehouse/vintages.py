"""Vintages: which snapshot tells what was known at a moment, and the figures of several vintages beside each other."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.warehouse.lake import Warehouse, is_practice
from tkyt_analysis.warehouse.moments import local_text, moment
from tkyt_analysis.warehouse.revisions import revision_triangle as triangle_of
from tkyt_analysis.warehouse.revisions import revisions as revisions_of

FIGURES = {
    "aggregate_value": """
        SELECT dataset_id, element_id AS what, unit_id, scope AS province, period_id, value FROM {table}
    """,
    "death": """
        SELECT source AS dataset_id, 'deaths' AS what, unit_2025 AS unit_id, scope AS province,
               year || lpad(CAST(month AS VARCHAR), 2, '0') AS period_id, 1.0 AS value
        FROM {table} WHERE coalesce(excluded, '') = '' AND year IS NOT NULL AND month IS NOT NULL
    """,
    "indicator_value": """
        SELECT indicator_id AS dataset_id, indicator_id AS what, unit_id, scope AS province, period_id, value
        FROM {table} WHERE sex NOT IN ('male', 'female') AND age_group = 'all' AND cause = 'all'
    """,
}


@dataclass(frozen=True)
class Vintage:
    """A state of the home: `name` (release id or the moment asked for), its snapshot and when that was made.

    exact : False where snapshots between this one and the moment asked for have been removed by the retention rule
    """

    name: str
    snapshot: int
    made_at: datetime.datetime
    release: str | None = None
    exact: bool = True


def snapshots(warehouse: Warehouse, lake: str = "lake") -> list[tuple[int, datetime.datetime]]:
    """(number, moment in UTC) of the snapshots that a lake still has, oldest first."""
    rows = warehouse.con.execute(
        f"SELECT snapshot_id, epoch_us(snapshot_time) FROM ducklake_snapshots('{lake}') ORDER BY 1"
    ).fetchall()
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return [(number, epoch + datetime.timedelta(microseconds=when)) for number, when in rows]


def known_at(known: Sequence[tuple[int, datetime.datetime]], asked: str) -> Vintage:
    """The snapshot that tells what was known at a moment; InputError before the first one. Pure."""
    when = moment(asked)
    before = [(number, made) for number, made in known if made <= when]
    if not before:
        first = local_text(min(made for _, made in known)) if known else "–"
        raise InputError("error.before_first_snapshot", asked=asked, first=first)
    number, made = before[-1]
    later = [one for one, _ in known if one > number]
    return Vintage(asked, number, made, None, not later or min(later) == number + 1)


def released_vintages(home: Path) -> list[Vintage]:
    """Every release of a home by the time it was made."""
    found = []
    for path in (Path(home) / "releases").glob("R*/manifest.json"):
        manifest = json.loads(path.read_text("utf-8"))
        made = datetime.datetime.fromisoformat(manifest["made_at"]).replace(tzinfo=datetime.UTC)
        found.append(Vintage(path.parent.name, int(manifest["snapshot"]), made, path.parent.name))
    return sorted(found, key=lambda vintage: (vintage.made_at, vintage.snapshot, vintage.name))


def released_snapshots(home: Path) -> set[int]:
    """Snapshots that releases name: they are never expired."""
    return {vintage.snapshot for vintage in released_vintages(home)}


def vintages_of(home: Path, as_of: Sequence[str] = ()) -> list[Vintage]:
    """The vintages to compare: the moments asked for, else every release. InputError where there are none."""
    require(home, "read")
    if not as_of:
        found = released_vintages(home)
        if not found:
            raise InputError("error.no_release", home=home)
        return found
    with Warehouse(home) as warehouse:
        known = snapshots(warehouse)
    return sorted((known_at(known, asked) for asked in as_of), key=lambda vintage: moment(vintage.name))


def vintage_values(
    home: Path, vintages: Sequence[Vintage], *, table: str = "aggregate_value", dataset: str | None = None,
    what: str | None = None, unit: str | None = None,
) -> pd.DataFrame:  # fmt: skip
    """The figures of several vintages: vintage, dataset_id, province, period_id, value (sums).

    table : "aggregate_value" (reported values), "death" (registered deaths that count), "indicator_value"
    dataset, what, unit : only this data set, element (or indicator), unit
    A release shows what the account may see of it; moments are for accounts of the whole nation.
    """
    if table not in FIGURES:
        raise InputError("error.revision_table", found=table, choices=", ".join(FIGURES))
    given = {"dataset_id": dataset, "what": what, "unit_id": unit}
    filters = {column: value for column, value in given.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in filters) or "true"
    sql = (
        f"SELECT dataset_id, province, period_id, sum(value) AS value FROM ({FIGURES[table]}) "
        f"WHERE {where} GROUP BY ALL ORDER BY ALL"
    )
    parameters = list(filters.values())
    frames = [_figures(home, one, table, sql, parameters).assign(vintage=one.name) for one in vintages]
    return pd.concat(frames, ignore_index=True)


def _figures(home: Path, vintage: Vintage, table: str, sql: str, parameters: list[Any]) -> pd.DataFrame:
    from tkyt_analysis.warehouse.release import Release, ReleaseContext

    if vintage.release:
        release = Release(home, vintage.release)
        if release.has(table):
            return release.query(sql.format(table=table), parameters)
        return pd.DataFrame({"dataset_id": [], "province": [], "period_id": [], "value": []})
    from tkyt_analysis.access import require_whole_home

    require_whole_home(home)
    with Warehouse(home, as_of=vintage.snapshot) as warehouse:
        rows = load_object(parts("release_tables")[table])(ReleaseContext(warehouse, is_practice(home)))
        if isinstance(rows, str):
            return warehouse.query(sql.format(table=f"({rows})"), parameters)
        warehouse.con.register("figures", rows)
        return warehouse.query(sql.format(table="figures"), parameters)


def compare_vintages(
    home: Path, vintages: Sequence[Vintage], *, table: str = "aggregate_value", dataset: str | None = None,
    what: str | None = None, unit: str | None = None, by: Sequence[str] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """(the triangle, what changed): totals per reference period and vintage; changes per data set, province, period."""
    values = vintage_values(home, vintages, table=table, dataset=dataset, what=what, unit=unit)
    return triangle_of(values, by=by), revisions_of(values, by=["dataset_id", "province", "period_id"])


def revision_triangle(home: Path, *, as_of: Sequence[str] = (), **figures: Any) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The same over all releases, or over the moments asked for; `figures` as in `compare_vintages`."""
    return compare_vintages(home, vintages_of(home, as_of), **figures)

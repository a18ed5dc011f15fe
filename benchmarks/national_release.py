"""A practice release of the whole nation, made as release tables: for benchmarks of what reads a release.

    python benchmarks/national_release.py --home DIR [--provinces 34] [--tier 3]

The figures are those of practice data (`tkyt_analysis.practice.activity`, `mortality.practice.deaths`) before anything is spoilt,
less the reports that did not come; they go straight into release tables, not through files, ingest and warehouse, which
would take hours. Tables are made by the makers of `publish` or by their SQL, and written in its order and layout.
Left out: indicator_value, deaths_by_cause, domain data sets, line lists, submissions (the cube does not read them at this size).
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from national_deaths import write_deaths, write_persons

from tkyt_analysis.cube import release_tables as cube_tables
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice.activity import province_basis, year_blocks
from tkyt_analysis.practice.dhis2_metadata import write_metadata
from tkyt_analysis.practice.elements import TIER_OF_SCALE, Form, practice_form, uid
from tkyt_analysis.practice.world import World, create_world
from tkyt_analysis.reference.periods import period_windows
from tkyt_analysis.warehouse import release, release_tables
from tkyt_analysis.warehouse.lake import Warehouse

MISSING = 0.04  # share of reports that did not come, as defect A1
FINDING = 1 / 2000  # share of values with a finding
BATCH = 120_000


def main() -> None:
    """Make the release and say what was made, how long each part took and how much memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--provinces", type=int, default=34, help="provinces of 2025, in the order of their codes")
    parser.add_argument("--tier", type=int, default=3, choices=sorted(TIER_OF_SCALE.values()))
    chosen = parser.parse_args()
    print(json.dumps(make(chosen.home, provinces=chosen.provinces, tier=chosen.tier), indent=1))


def make(home: Path, *, provinces: int = 34, tier: int = 3) -> dict[str, object]:
    """Make the home and its release; {"rows": per table, "seconds": per part, "mb": on disk, "peak_memory_mb"}."""
    form = practice_form(next(scale for scale, number in TIER_OF_SCALE.items() if number == tier))
    world = _world(provinces)
    seconds: dict[str, float] = {}
    prepare_home(home, practice=True)
    _timed(seconds, "metadata", lambda: _describe(home, world, form))
    with Warehouse(home) as warehouse:
        snapshot = warehouse.snapshot_id()
        release_id = f"R{snapshot:06d}-national{provinces}t{tier}"
        part = home / "releases" / f".{release_id}.part"
        shutil.rmtree(part, ignore_errors=True)
        warehouse.con.execute("SET threads = 2; SET memory_limit = '2GB'; SET preserve_insertion_order = true")
        context = release.ReleaseContext(warehouse, practice=True)
        _timed(seconds, "small tables", lambda: _small_tables(context, part))
        _timed(seconds, "values", lambda: _values(context, part, world, form))
        _timed(seconds, "deaths", lambda: write_deaths(context, part, world))
        _timed(seconds, "persons", lambda: write_persons(context, part, world))
        _timed(seconds, "findings", lambda: _findings(context, part))
        _timed(seconds, "sums", lambda: _sums(context, part))
        rows = {path.name: _count(context, path) for path in sorted((part / "tables").iterdir())}
    passport = {"snapshot": snapshot, "catalog_version": "benchmark", "code_version": "benchmark", "practice": True}
    _timed(
        seconds, "manifest", lambda: release.write_manifest(part, release_id, {**passport, "data_as_of": "2026-01-15"})
    )
    target = home / "releases" / release_id
    shutil.rmtree(target, ignore_errors=True)
    part.rename(target)
    release._point_to(home, release_id)
    size = sum(path.stat().st_size for path in target.rglob("*.parquet")) / 1e6
    return {"release": release_id, "rows": rows, "seconds": seconds, "mb": round(size), "peak_memory_mb": _peak()}


def _world(provinces: int) -> World:
    world = create_world("national", tempfile.gettempdir())
    chosen = sorted(world.communes["successor_province_id"].unique())[:provinces]
    communes = world.communes[world.communes["successor_province_id"].isin(chosen)].reset_index(drop=True)
    return World(world.scale, world.seed, world.directory, communes, world.profile)


def _describe(home: Path, world: World, form: Form) -> None:
    """Receive the metadata of the practice DHIS2: units, elements, categories, data sets, who reports what."""
    with tempfile.TemporaryDirectory() as name:
        here = World(world.scale, world.seed, Path(name), world.communes, world.profile)
        write_metadata(here, form)
        ingest(home, [Path(name) / "received"])


def _small_tables(context: release.ReleaseContext, part: Path) -> None:
    for table in ("organisation_unit", "facility", "data_element", "data_set", "rule_coverage", "received"):
        _write(context, part, table, getattr(release_tables, table)(context))
    _write(context, part, "category", cube_tables.category(context))
    context.made["place"] = cube_tables.place(context)
    _write(context, part, "place", context.made["place"])


def _values(context: release.ReleaseContext, part: Path, world: World, form: Form) -> None:
    """aggregate_value and reporting, a province of 2025 at a time, in the order in which `publish` sorts them."""
    for province, communes in world.communes.groupby("successor_province_id"):
        scope = province.replace(":", "-")
        units, cells = _province(world, communes, form)
        arrived = world.rng("national", province).random((len(form.data_sets), len(units))) >= MISSING
        values = _ordered_values(units, cells, form, arrived, scope)
        _copy(context, part / "tables" / "aggregate_value", scope, values)
        _copy(context, part / "tables" / "reporting", scope, _reports(units, form, arrived, scope))


def _province(world: World, communes: pd.DataFrame, form: Form) -> tuple[pd.DataFrame, np.ndarray]:
    """One line per unit and month (unit_id, period_id) in order, and its counts [lines × cells]."""
    lines, counts = [], []
    for old in sorted(communes["province_id"].unique()):
        basis = province_basis(world, old, form)
        for year in world.scale.years:
            for block in year_blocks(world, basis, form, year):
                units = block.units["unit_id"].to_numpy()
                months = np.tile(block.months, len(units))
                lines.append(pd.DataFrame({"unit_id": np.repeat(units, len(block.months)), "period_id": months}))
                counts.append(block.true.reshape(-1, block.true.shape[2]))
    found = pd.concat(lines, ignore_index=True)
    whole = np.concatenate(counts)
    again = found.duplicated(["unit_id", "period_id"]).to_numpy()  # a new commune with parts in two old provinces
    order = found[~again].sort_values(["unit_id", "period_id"]).index.to_numpy()
    return found.loc[order].reset_index(drop=True), whole[order]


def _ordered_values(
    units: pd.DataFrame, cells: np.ndarray, form: Form, arrived: np.ndarray, scope: str
) -> Iterator[pa.RecordBatch]:
    described = form.cells.assign(dataset_id=[uid("dataSet", one) for one in form.cells["data_set"]])
    described = described.sort_values(["dataset_id", "element_uid", "option_uid"])
    unit, period, start, end = _coded(units)
    for row in described.itertuples():
        here = np.flatnonzero(arrived[row.form])
        texts = {
            name: _same(text, len(here))
            for name, text in (
                ("dataset_id", row.dataset_id),
                ("element_id", row.element_uid),
                ("category_id", row.option_uid),
            )
        }
        columns = {
            **texts, "unit_id": unit.take(here), "period_id": period.take(here), "period_start": start.take(here),
            "period_end": end.take(here), "value": pa.array(cells[here, row.Index].astype(float)), "scope": _same(scope, len(here)),
        }  # fmt: skip
        yield pa.RecordBatch.from_pydict(columns)


def _reports(units: pd.DataFrame, form: Form, arrived: np.ndarray, scope: str) -> Iterator[pa.RecordBatch]:
    unit, period, *_ = _coded(units)
    for dataset_id, number in sorted((uid("dataSet", one), number) for number, one in enumerate(form.data_sets)):
        came = pa.array(arrived[number])
        columns = {
            "dataset_id": _same(dataset_id, len(units)), "unit_id": unit, "period_id": period,
            "expected": pa.array(np.ones(len(units), bool)), "received": came, "marked_complete": came,
            "scope": _same(scope, len(units)),
        }  # fmt: skip
        yield pa.RecordBatch.from_pydict(columns)


def _coded(units: pd.DataFrame) -> tuple[pa.Array, pa.Array, pa.Array, pa.Array]:
    """unit_id and period_id as dictionaries, first and last day of the period."""
    windows = period_windows(sorted(units["period_id"].unique())).set_index("period_id").loc[units["period_id"]]
    codes = [
        pa.array(units[name].to_numpy(object), pa.string()).dictionary_encode() for name in ("unit_id", "period_id")
    ]
    days = [pa.array(windows[name].to_numpy("datetime64[D]")) for name in ("period_start", "period_end")]
    return codes[0], codes[1], days[0], days[1]


def _same(text: str, count: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(count, np.int32)), pa.array([text]))


def _copy(context: release.ReleaseContext, directory: Path, scope: str, batches: Iterator[pa.RecordBatch]) -> None:
    """One partition from rows that come in order: what `publish` writes after sorting."""
    first = next(batches)
    rows = pa.RecordBatchReader.from_batches(first.schema, _chain(first, batches))
    folder = directory / f"scope={scope}"
    folder.mkdir(parents=True)
    context.warehouse.con.register("ordered_rows", rows)
    context.warehouse.con.execute(f"COPY (SELECT * FROM ordered_rows) TO '{folder}/data_0.parquet' ({release.PARQUET})")
    context.warehouse.con.unregister("ordered_rows")


def _chain(first: pa.RecordBatch, rest: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from rest


def _findings(context: release.ReleaseContext, part: Path) -> None:
    """An outlier for some values, and a question for every report that did not come."""
    columns = (
        "NULL::DOUBLE AS expected, NULL::DOUBLE AS lower, NULL::DOUBLE AS upper, {} AS verdict, '{{}}' AS fields, scope"
    )
    sql = f"""
        SELECT md5(concat_ws('|', element_id, category_id, unit_id, period_id))[:16] AS finding_id, 'outlier_count' AS rule_id,
               1 AS rule_version, 'warning' AS severity, dataset_id, unit_id, period_id, element_id, category_id, value,
               {columns.format("'error_high'")}
        FROM {_table(part, "aggregate_value")} WHERE hash(element_id, category_id, unit_id, period_id) % {round(1 / FINDING)} = 0
        UNION ALL
        SELECT md5(concat_ws('|', dataset_id, unit_id, period_id))[:16], 'report_missing', 1, 'warning', dataset_id, unit_id,
               period_id, '', '', NULL, {columns.format("'missing'")}
        FROM {_table(part, "reporting")} WHERE NOT received
    """
    _write(context, part, "finding", sql)


def _sums(context: release.ReleaseContext, part: Path) -> None:
    """The sums per province, by the makers' own SQL; values a province at a time, as memory stays flat."""
    cube_tables.offer_places(context)
    con = context.warehouse.con
    for path in sorted((part / "tables" / "aggregate_value").iterdir()):
        sql = cube_tables.province_value_sql(f"read_parquet('{path}/*.parquet')")
        kind = "CREATE TEMP TABLE sums AS" if path == min(path.parent.iterdir()) else "INSERT INTO sums"
        con.execute(f"{kind} {sql}")
    _write(context, part, "province_value", "SELECT * FROM sums")
    con.execute("DROP TABLE sums")
    _write(context, part, "province_report", cube_tables.province_report_sql(_table(part, "reporting")))
    _write(context, part, "province_finding", cube_tables.province_finding_sql(_table(part, "finding")))


def _write(context: release.ReleaseContext, part: Path, table: str, rows: pd.DataFrame | str) -> None:
    release.write_table(context.warehouse.con, rows, part / "tables" / table, table)


def _table(part: Path, table: str) -> str:
    return f"read_parquet('{part}/tables/{table}/**/*.parquet', hive_partitioning = false)"


def _count(context: release.ReleaseContext, path: Path) -> int:
    if not list(path.rglob("*.parquet")):
        return 0
    found = context.warehouse.con.execute(f"SELECT count(*) FROM read_parquet('{path}/**/*.parquet')").fetchone()
    return int(found[0]) if found else 0


def _timed(seconds: dict[str, float], name: str, work: object) -> None:
    started = time.perf_counter()
    work()  # type: ignore[operator]
    seconds[name] = round(time.perf_counter() - started, 1)
    print(f"{name}: {seconds[name]} s", file=sys.stderr, flush=True)


def _peak() -> int:
    import resource

    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()

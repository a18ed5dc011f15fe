"""What the imagined DHIS2 of the ministry gives: metadata, monthly values, completion marks, revisions.

Small scales write JSON, one file per month and province; the national scale writes Parquet, one file per
year and province, and one month as CSV. Values, defects and truth come from the same code.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tkyt_analysis.practice.activity import Block, ProvinceBasis, province_basis, year_blocks
from tkyt_analysis.practice.dhis2_metadata import write_metadata
from tkyt_analysis.practice.effects import WAVE, event_factors, tet_share
from tkyt_analysis.practice.elements import Form, practice_form
from tkyt_analysis.practice.planting import Spoilt, spoil
from tkyt_analysis.practice.shown import (
    registration_cells,
    registration_table,
    revised_table,
    shown_rows,
    truth_of_cells,
    truth_of_forms,
    truth_of_units,
    value_table,
)
from tkyt_analysis.practice.world import NOTE, Progress, World
from tkyt_analysis.practice.writing import write_json, write_parquet

PARALLEL_FROM = 4  # provinces; fewer are not worth a second process


class Dhis2Source:
    """Metadata, dataValueSets, completeDataSetRegistrations of every month."""

    id = "10_dhis2"

    def make(self, world: World, progress: Progress) -> None:
        """Write received/dhis2/ and its truth."""
        form = practice_form(world.scale.id)
        write_metadata(world, form)
        provinces = sorted(world.communes["province_id"].unique())
        for done, _ in enumerate(_make_provinces(world, provinces), start=1):
            progress(self.id, done / len(provinces))
        if world.scale.id == "national":
            write_last_month_csv(world)


SOURCE = Dhis2Source()


def _make_provinces(world: World, provinces: list[str]) -> Iterable[str]:
    """Make all provinces; each depends only on the seed and itself, so that processes may share them."""
    if len(provinces) < PARALLEL_FROM:
        for province in provinces:
            yield make_province(world, province)
        return
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        yield from pool.map(make_province, [_one_province(world, p) for p in provinces], provinces)


def _one_province(world: World, province_id: str) -> World:
    """The world with only this province's communes: little to send to another process."""
    communes = world.communes[world.communes["province_id"] == province_id]
    return World(world.scale, world.seed, world.directory, communes, world.profile)


def make_province(world: World, province_id: str) -> str:
    """All years of one old province; returns its id."""
    pa.set_cpu_count(1)
    form = practice_form(world.scale.id)
    basis = province_basis(world, province_id, form)
    for year in world.scale.years:
        for block in year_blocks(world, basis, form, year):
            write_block(world, block)
    code = province_id.partition(":")[2]
    world.write_truth("series", _series_truth(world, basis, form), part=code)
    return province_id


def write_block(world: World, block: Block) -> None:
    """Spoil one block, write its files and what was planted in it."""
    rng = world.rng("dhis2", "spoil", block.name)
    minimum = 0 if world.scale.id == "national" else 1
    work = spoil(block, rng, profile=world.profile, minimum=minimum)
    truth = _write_parquet_files(world, work) if world.scale.id == "national" else _write_json_files(world, work)
    world.write_truth("dhis2", pa.concat_tables(truth), part=block.name)
    if world.scale.id != "national":
        write_parquet(true_values(block), world.truth_path("values", f"{block.name}.parquet"))


def _write_json_files(world: World, work: Spoilt) -> list[pa.Table]:
    """One file of values and one of marks per month; the place of a value is its index in the list."""
    block, truth = work.block, []
    for number, month in enumerate(block.months):
        only = slice(number, number + 1)
        values = f"dataValueSets_{month}_{block.province_code}.json"
        marks = f"completeDataSetRegistrations_{month}_{block.province_code}.json"
        rows, forms = shown_rows(work, only), registration_cells(work, only)
        write_json("dataValues", value_table(work, rows), world.received_path("dhis2", values))
        table = registration_table(work, forms)
        write_json("completeDataSetRegistrations", table, world.received_path("dhis2", marks))
        files = f"dhis2/{values}", f"dhis2/{marks}"
        truth += truth_of_cells(work, rows, only, files[0], "dataValues")
        truth += truth_of_forms(work, forms, only, *files)
    name = f"dataValueSets_revised_{block.year}_{block.system}_{block.province_code}.json"
    write_json("dataValues", revised_table(work), world.received_path("dhis2", "revised", name))
    return truth + truth_of_units(work, "dhis2/")


def _write_parquet_files(world: World, work: Spoilt) -> list[pa.Table]:
    """One file of values and one of marks per block; the place of a value is its row number from 0."""
    block = work.block
    folder = (f"year={block.year}", f"province={block.system}-{block.province_code}")
    name = f"from-{block.old_province_code}.parquet"
    whole = slice(0, len(block.months))
    rows, forms = shown_rows(work, whole), registration_cells(work, whole)
    tables = {
        "dataValueSets": value_table(work, rows),
        "completeDataSetRegistrations": registration_table(work, forms),
        "revised": revised_table(work),
    }
    for kind, table in tables.items():
        write_parquet(table, world.received_path("dhis2", kind, *folder, name))
    files = ["/".join(("dhis2", kind, *folder, name)) for kind in tables]
    truth = truth_of_cells(work, rows, whole, files[0], "row")
    return truth + truth_of_forms(work, forms, whole, files[0], files[1]) + truth_of_units(work, files[0])


def true_values(block: Block) -> pd.DataFrame:
    """The undamaged values: unit_id, period_id, element, true_value."""
    units, months, cells = block.true.shape
    return pd.DataFrame(
        {
            "unit_id": np.repeat(block.units["unit_id"].to_numpy(), months * cells),
            "period_id": np.tile(np.repeat(block.months, cells), units),
            "element": np.tile(block.form.cells["code"].to_numpy(), units * months),
            "true_value": block.true.ravel(),
        }
    )


def _series_truth(world: World, basis: ProvinceBasis, form: Form) -> pd.DataFrame:
    """D1 level shifts (wrong), and D2, D3, D4 (true changes: flagging them is a false alarm)."""
    units = basis.communes["unit_id"].to_numpy()
    names = form.elements["element_id"].to_numpy()
    rows: list[tuple[Any, ...]] = [
        ("D1", units[shift.unit], shift.start, names[shift.element], "x1", f"x{shift.factor:g}")
        for shift in basis.shifts
    ]
    months = world.scale.months
    events = event_factors(form, months, basis.communes["district_id"].to_numpy(), basis.events)
    for hit, month, cells, factor, event in events:
        who = units[hit]
        if months[month] >= "202507":
            who = np.unique(basis.communes["successor_id"].to_numpy()[hit])
        element = form.cells["element_id"].iloc[cells.start]
        rows += [(event.kind, unit, months[month], element, event.name, f"x{factor:g}") for unit in who]
    rows += _calendar_truth(basis, form, months)
    columns = ["kind", "unit_id", "period_id", "element", "true_value", "shown_value"]
    return pd.DataFrame(rows, columns=columns).drop_duplicates(["kind", "unit_id", "period_id", "element"])


def _calendar_truth(basis: ProvinceBasis, form: Form, months: list[str]) -> list[tuple[Any, ...]]:
    """D2 the wave of 2021 and D4 Tết, one row per province, month and element that moves."""
    old, new = basis.communes["province_id"].iloc[0], basis.new_province_id
    elements = form.elements
    rows: list[tuple[Any, ...]] = []
    for month in months:
        province = old if month < "202507" else new
        share, wave = tet_share(month), WAVE.get(month, 0.0) * basis.wave_strength
        for name, tet, left in zip(elements["element_id"], elements["tet"], elements["wave"]):
            if share and tet:
                rows.append(("D4", province, month, name, "tet", f"x{1 - share * tet:.2f}"))
            if wave and left != 1:
                rows.append(("D2", province, month, name, "wave_2021", f"x{1 - wave * (1 - left):.2f}"))
    return rows


def write_last_month_csv(world: World) -> None:
    """The last month once more as DHIS2 CSV; the note stands in its comment column (the format has no comment lines)."""
    import pyarrow.dataset as ds

    month = world.scale.last_month
    root = world.directory / "received" / "dhis2" / "dataValueSets" / f"year={month[:4]}"
    files = sorted(root.rglob("*.parquet"))
    path = world.received_path("dhis2_csv", f"dataValueSets_{month}.csv")
    writer = None
    for file in files:
        table = ds.dataset(file).to_table(filter=pc.field("period") == month)
        table = table.rename_columns([name.lower() for name in table.column_names])
        table = table.append_column("comment", pa.array([NOTE] * len(table), pa.string()))
        table = pa.table({name: table[name].cast(pa.string()) for name in table.column_names})
        writer = writer or pa.csv.CSVWriter(path, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()

"""Biểu 16/BCH of a batch as files, and where each planted value stands in them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import export
from mortality.practice.deaths import Batch
from mortality.practice.form16 import (
    CAUSE_ROWS,
    COUNT_COLUMNS,
    book_codes,
    count_cells,
    cumulative,
    monthly_counts,
    plan_form_defects,
    plant_form_defects,
    plant_list_differences,
)
from mortality.practice.form16_workbook import SHEET, FormHead, form_cell, write_form
from mortality.practice.truth import PLANTED_COLUMNS
from tkyt_analysis.practice.rates import PROFILES
from tkyt_analysis.practice.world import World
from tkyt_analysis.practice.writing import write_parquet


def make_forms(world: World, batch: Batch, deaths: pd.DataFrame, lines: pd.DataFrame, *, as_workbooks: bool) -> None:
    """Biểu 16/BCH of every district for each cumulative period that the batch covers."""
    rng = world.rng("form16", batch.name)
    registered = deaths[deaths["registered"]]
    cells = count_cells(registered, book_codes(deaths, lines))
    districts = sorted(batch.communes["district_id"].unique())
    counts = monthly_counts(cells, districts)
    shown, differences = plant_list_differences(rng, cells, counts, districts, factor=PROFILES[world.profile])
    covered = int(batch.last_month[4:])
    periods = [months for months in (3, 6, 9, 12) if months <= covered]
    factor = PROFILES[world.profile]
    plan = plan_form_defects(
        rng, len(districts), len(periods), factor=factor, at_least_one=as_workbooks and covered == 12
    )
    tables, notes = [], []
    for number, months in enumerate(periods):
        period = f"{batch.year}C{months}"
        total, quarter = cumulative(shown, months), shown[:, months - 3 : months].sum(axis=1)
        planned = {kind: forms[:, number] for kind, forms in plan.items()}
        texts, kinds = plant_form_defects(rng, total, quarter, planned, factor=factor)
        where = _write_forms(world, batch, districts, months, texts, as_workbooks)
        notes.append(_form_notes(districts, period, total, texts, kinds, where))
        tables.append(_form_truth(districts, period, cumulative(counts, months), texts, where))
    notes.append(_difference_notes(batch, districts, differences, covered, as_workbooks))
    write_parquet(pd.concat(tables, ignore_index=True), world.truth_path("form16", f"{batch.name}.parquet"))
    world.write_truth("form16", pd.concat(notes, ignore_index=True), part=batch.name)


def _form_file(batch: Batch, district: str, months: int, as_workbooks: bool) -> str:
    period = f"{batch.year}C{months}"
    if as_workbooks:
        return f"bieu16/{batch.year}/Bieu16_{district.partition(':')[2]}_{period}.xlsx"
    return f"bieu16_cells/province={batch.province}/year={batch.year}/{period}.parquet"


def _write_forms(
    world: World, batch: Batch, districts: list[str], months: int, texts: np.ndarray, as_workbooks: bool
) -> list[str]:
    """Write the forms of one period; returns the file of each district."""
    files = [_form_file(batch, district, months, as_workbooks) for district in districts]
    if not as_workbooks:
        export.write_form_cells(
            world, tuple(files[0].split("/")), export.form_table(districts, f"{batch.year}C{months}", texts)
        )
        return files
    names = batch.communes.drop_duplicates("district_id").set_index("district_id")
    for district, file, shown in zip(districts, files, texts):
        head = FormHead(
            export.inside_line(names.loc[district, "district_name"]),
            export.inside_line(names.loc[district, "province_name"]),
            months,
            batch.year,
        )
        write_form(world.received_path(*file.split("/")), head, shown)
    return files


def _at(file: str, place: int, row: int, column: int) -> str:
    """Cell in the workbook, or column and row of the export."""
    if file.endswith(".xlsx"):
        return f"{SHEET}!{form_cell(row, column)}"
    return f"{COUNT_COLUMNS[column]}:{place * (CAUSE_ROWS + 1) + row + 1}"


def _form_notes(
    districts: list[str], period: str, true: np.ndarray, texts: np.ndarray, kinds: dict, files: list[str]
) -> pd.DataFrame:
    rows = [
        (
            kind,
            districts[place],
            period,
            f"16bch.{row}.{COUNT_COLUMNS[column]}",
            str(true[place, row, column]),
            texts[place, row, column],
            files[place],
            _at(files[place], place, row, column),
        )
        for (place, row, column), kind in kinds.items()
    ]
    return pd.DataFrame(rows, columns=PLANTED_COLUMNS)


def _form_truth(
    districts: list[str], period: str, registered: np.ndarray, texts: np.ndarray, files: list[str]
) -> pd.DataFrame:
    """Every cell: registered deaths counted right, and what the form shows."""
    place, row, column = (index.ravel() for index in np.indices(registered.shape))
    return pd.DataFrame(
        {
            "district_id": np.array(districts, object)[place],
            "period_id": period,
            "row": row,
            "column": np.array(COUNT_COLUMNS, object)[column],
            "registered": registered.ravel(),
            "shown": texts.ravel(),
            "file": np.array(files, object)[place],
        }
    )


def _difference_notes(
    batch: Batch, districts: list[str], differences: pd.DataFrame, covered: int, as_workbooks: bool
) -> pd.DataFrame:
    """F12: deaths of the commune-month in the book and in the first form that covers it."""
    rows = []
    for d in differences.itertuples():
        months = next((m for m in (3, 6, 9, 12) if d.month <= m <= covered), None)
        if months:
            place = districts.index(d.district_id)
            file = _form_file(batch, d.district_id, months, as_workbooks)
            at = _at(file, place, d.row, 0)
            period = f"{batch.year}{d.month:02d}"
            rows.append(
                ("F12", d.unit_id, period, f"16bch.{d.row}.total", str(d.true_value), str(d.shown_value), file, at)
            )
    return pd.DataFrame(rows, columns=PLANTED_COLUMNS)

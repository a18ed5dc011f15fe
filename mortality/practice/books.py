"""The books of a batch as files, and where each planted value stands in them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice import export
from mortality.practice.a6_workbook import cell_of, write_book
from mortality.practice.book_layout import BookLayout, draw_layout
from mortality.practice.deaths import Batch
from mortality.practice.register import vintage_of
from mortality.practice.truth import PLANTED_COLUMNS
from tkyt_analysis.practice.world import World

SAMPLE_BOOKS = 5  # books of an export that are written again as workbooks, in SAMPLED of the batches
SAMPLED = 0.2


def _names(batch: Batch) -> tuple[pd.Series, pd.Series]:
    """unit_id -> commune name, and -> district and province names."""
    communes = batch.communes
    if batch.new_units:
        rows = communes.drop_duplicates("successor_id").set_index("successor_id")
        return rows["successor_name"], pd.Series(
            [[f"Sở Y tế {export.inside_line(p)}"] for p in rows["province_name"]], rows.index
        )
    rows = communes.set_index("unit_id")
    parents = zip(rows["province_name"], rows["district_name"])
    return rows["full_name"], pd.Series(
        [[f"Sở Y tế {export.inside_line(p)}", f"Trung tâm Y tế {export.inside_line(d)}"] for p, d in parents],
        rows.index,
    )


def write_books(
    world: World,
    batch: Batch,
    lines: pd.DataFrame,
    planted: pd.DataFrame,
    *,
    only: list[str] | None = None,
    folder: str = "a6",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One workbook per commune under received/<folder>/<year>/; `only` some communes.

    Returns line places (line_id, sheet, row_number, file) and the planted rows with file and place_in_file.
    """
    names, parents = _names(batch)
    places, notes = [], []
    groups = dict(list(lines.groupby("unit_id", sort=True)))
    planted_of = dict(list(planted.assign(unit_id=_unit_of(lines, planted)).groupby("unit_id")))
    vintage = vintage_of(batch.first_month)
    for unit in sorted(groups) if only is None else only:
        rng = world.rng("book", unit, batch.first_month)
        layout = draw_layout(rng, vintage, names[unit], parents[unit], batch.year)
        parts = (folder, str(batch.year), _book_file(batch, unit))
        own = write_book(world.received_path(*parts), layout, groups[unit]).assign(file="/".join(parts))
        places.append(own)
        notes.append(book_notes(layout, groups[unit], planted_of.get(unit), own))
        notes.append(_layout_notes(layout, unit, batch, "/".join(parts)))
    return pd.concat(places, ignore_index=True), pd.concat(notes, ignore_index=True)


def _book_file(batch: Batch, unit: str) -> str:
    """A6_21115_2024.xlsx; A6_21115_2025_01-06.xlsx where the book covers a part of the year."""
    first, last = batch.first_month[4:], batch.last_month[4:]
    part = "" if (first, last) == ("01", "12") else f"_{first}-{last}"
    return f"A6_{unit.partition(':')[2]}_{batch.year}{part}.xlsx"


def _unit_of(lines: pd.DataFrame, planted: pd.DataFrame) -> pd.Series:
    return planted["line_id"].map(lines.set_index("line_id")["unit_id"])


def book_notes(
    layout: BookLayout, lines: pd.DataFrame, planted: pd.DataFrame | None, places: pd.DataFrame
) -> pd.DataFrame:
    """Planted rows of a book with file and cell. A birth that the book has no column for is left out."""
    if planted is None:
        return pd.DataFrame(columns=PLANTED_COLUMNS)
    rows = planted.merge(places, on="line_id").merge(lines[["line_id", "sex"]], on="line_id")
    by_sex = "birth_male" in layout.columns
    rows = rows[~((rows["element"] == "birth") & (rows["sex"] == "") & by_sex)]
    letters = [cell_of(layout, element, sex) for element, sex in zip(rows["element"], rows["sex"])]
    cells = [f"{sheet}!{a}{n}" for sheet, a, n in zip(rows["sheet"], letters, rows["row_number"])]
    return rows.assign(place_in_file=cells)


def _layout_notes(layout: BookLayout, unit: str, batch: Batch, file: str) -> pd.DataFrame:
    """E3: a misspelt commune name, or a whole book in an old font or in decomposed letters."""
    cell = f"{layout.sheet}!A{layout.place_line + 1}"
    rows = []
    if layout.shown_place != layout.true_place:
        rows.append(("E3", "place_name", layout.true_place, layout.shown_place, cell))
    if layout.encoding:
        rows.append(("E3", "encoding", "NFC", layout.encoding, layout.sheet))
    frame = pd.DataFrame(rows, columns=["kind", "element", "true_value", "shown_value", "place_in_file"])
    return frame.assign(unit_id=unit, period_id=str(batch.year), file=file)


def write_export(
    world: World, batch: Batch, lines: pd.DataFrame, planted: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All lines of the province in one Parquet file; returns what write_books returns.

    In some batches a few books are written again as workbooks under received/a6_samples (to look at; the same
    deaths, so not to be ingested besides the export).
    """
    names, _ = _names(batch)
    vintage = vintage_of(batch.first_month)
    parts = ("a6_lines", f"province={batch.province}", f"year={batch.year}", f"{batch.first_month}.parquet")
    file = export.write_a6_lines(world, parts, vintage, batch.year, lines, names)
    number = np.arange(1, len(lines) + 1)
    places = pd.DataFrame({"line_id": lines["line_id"].to_numpy(), "sheet": "", "row_number": number, "file": file})
    if world.rng("samples", batch.name).random() < SAMPLED:
        units = sorted(lines["unit_id"].unique())[:SAMPLE_BOOKS]
        write_books(world, batch, lines, planted, only=units, folder="a6_samples")
    return places, _export_notes(export.export_layout(vintage), lines, planted, number).assign(file=file)


def _export_notes(layout: BookLayout, lines: pd.DataFrame, planted: pd.DataFrame, number: np.ndarray) -> pd.DataFrame:
    """Planted rows with their place "<column>:<row>"; a birth without a column for it is left out."""
    line = pd.Index(lines["line_id"]).get_indexer(planted["line_id"])
    sex = lines["sex"].to_numpy(object)[line]
    element = planted["element"].to_numpy(object)
    if "birth_male" in layout.columns:
        of_sex = np.where(sex == "female", "birth_female", "birth_male")
        lost = (element == "birth") & (sex == "")
        element = np.where(np.isin(element, ["birth", "sex"]), of_sex, element)
    else:
        lost = np.zeros(len(planted), bool)
    heads = layout.headers | {"line": layout.headers["full_name"]}
    at = [f"{heads[name]}:{row}" for name, row in zip(element, number[line])]
    return planted.assign(place_in_file=at)[~lost]

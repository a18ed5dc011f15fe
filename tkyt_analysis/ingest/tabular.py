"""The door for tables that the catalog declares: CSV, XLSX, Parquet, plain or packed with gz.

The entry says which headers mean which column (`from`), or how a wide unit × period table becomes long (`panel`). Every
row is read as text with its number, typed in SQL over the whole table, and lands or is quarantined with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pandas as pd
import pyarrow as pa

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.entries import Dataset
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.safe_open import file_kind
from tkyt_analysis.ingest.scratch import Scratch
from tkyt_analysis.ingest.tabular_layout import best_match, receivable
from tkyt_analysis.ingest.tabular_panel import panel_batches
from tkyt_analysis.ingest.tabular_rows import row_batches
from tkyt_analysis.ingest.tabular_source import Sheet, find_sheets, peek_headers
from tkyt_analysis.settings import catalog_directories

TABLES_FIRST = ("organisation_unit", "unit_alias", "facility")


class TabularDoor:
    """Reads tables declared in data_catalog/datasets. See `tkyt_analysis.ingest.door.Door`."""

    id = "tabular"

    def recognise(self, file: ReceivedFile) -> float:
        """How well the best header of the file fits the best entry, at most 0.9: named formats go first."""
        try:
            if file_kind(file.path) not in ("text", "gz", "xlsx", "xls", "ods", "parquet"):
                return 0.0
            return min(0.9, peek_headers(file, lambda cells: _score(cells, file.name)))
        except (TkytError, OSError, ValueError):
            return 0.0

    def rank(self, file: ReceivedFile) -> int:
        """Order among files received together: 0 for unit lists, 1 otherwise."""
        try:
            sheets = find_sheets(file, lambda cells: _score(cells, file.name))
        except (TkytError, OSError, ValueError):
            return 1
        match = best_match(_entries(), sheets[0].header, file.name) if sheets else None
        return 0 if match and match.entry.target in TABLES_FIRST else 1

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Batches for the table of the entry; a panel's are for aggregate_value and data_element."""
        sheets = find_sheets(file, lambda cells: _score(cells, file.name))
        if not sheets:
            raise InputError("error.file_not_recognised", file=file.name)
        for sheet in sheets:
            yield from _sheet_batches(file, sheet, context)


def _entries() -> list[Dataset]:
    return _receivable(tuple(catalog_directories()))


@cache
def _receivable(directories: tuple[Path, ...]) -> list[Dataset]:
    return receivable(load_entries("datasets"))


def _score(cells: list[str], name: str) -> float:
    match = best_match(_entries(), cells, name)
    return match.score if match else 0.0


def _sheet_batches(file: ReceivedFile, sheet: Sheet, context: IngestContext) -> Iterator[Batch]:
    match = best_match(_entries(), sheet.header, file.name)
    assert match is not None
    names = [f"c{at}" for at in range(len(sheet.header))]
    schema = pa.schema([("row_number", pa.int64()), *((name, pa.string()) for name in names)])
    target = "aggregate_value" if match.entry.panel else match.entry.target
    notes = [Note(key, sheet.name, fields=fields) for key, fields in sheet.notes]
    yield Batch(target, pd.DataFrame(), notes=notes)
    with Scratch(schema) as scratch:
        for piece in sheet.pieces():
            scratch.add(piece.table)
            if piece.broken:
                rows = [
                    Quarantined(one.reason, sheet.name, one.row_number or None, "", one.text, one.fields)
                    for one in piece.broken
                ]
                yield Batch(target, pd.DataFrame(), rows, received=len(rows))
        scratch.close_input()
        read = panel_batches if match.entry.panel else row_batches
        yield from read(scratch, match, context, sheet.name)


DOOR = TabularDoor()

"""Files that say they are synthetic, and that come out byte for byte the same from the same seed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tkyt_analysis.practice.world import NOTE, NOTE_EN, TRUTH_COLUMNS

PARQUET_NOTE = {b"note": NOTE.encode(), b"note_en": NOTE_EN.encode()}


def write_parquet(rows: pd.DataFrame | pa.Table, path: Path, *, row_group_size: int = 1 << 20) -> None:
    """A Parquet file (zstd) whose metadata key `note` says that the data are synthetic."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table.replace_schema_metadata(PARQUET_NOTE), path, compression="zstd", row_group_size=row_group_size)


def write_csv(rows: pd.DataFrame, path: Path, *, separator: str = ",", note: bool = True) -> None:
    """A UTF-8 CSV; its first line is "# " and the note, where the format allows a comment line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        if note:
            file.write(f"# {NOTE}\n")
        rows.to_csv(file, sep=separator, index=False, lineterminator="\n")


def write_json(name: str, records: pd.DataFrame | pa.Table, path: Path) -> None:
    """{"_note": …, name: [records]}: unknown members such as `_note` are ignored by a DHIS2 import."""
    frame = _plain(records).to_pandas() if isinstance(records, pa.Table) else records
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(f'{{"_note": "{NOTE}",\n"{name}": ')
        file.write(frame.to_json(orient="records", force_ascii=False))
        file.write("}\n")


def truth_columns(rows: pd.DataFrame | pa.Table, kind: str, stem: str) -> pa.Table:
    """TRUTH_COLUMNS as text; an absent `id` becomes "<stem>-<row>", an absent `kind` the given one."""
    if isinstance(rows, pd.DataFrame):
        rows = pa.Table.from_pandas(rows.astype("str").where(rows.notna(), ""), preserve_index=False)
    columns = {name: rows[name] for name in rows.column_names}
    number = pa.array(range(len(rows))).cast(pa.string())
    columns.setdefault("id", pc.binary_join_element_wise(stem, number, "-"))
    for name in TRUTH_COLUMNS:
        columns.setdefault(name, pa.array([kind if name == "kind" else ""] * len(rows), pa.string()))
    return pa.table({name: columns[name].cast(pa.string()) for name in TRUTH_COLUMNS})


def _plain(table: pa.Table) -> pa.Table:
    """Dictionary-coded text as plain text."""
    coded = [pa.types.is_dictionary(field.type) for field in table.schema]
    columns = [column.cast(pa.string()) if c else column for column, c in zip(table.columns, coded)]
    return pa.table(columns, names=table.column_names)

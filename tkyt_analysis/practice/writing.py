"""Files that say they are synthetic, and that come out byte for byte the same from the same seed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tkyt_analysis.practice.world import NOTE, NOTE_EN

PARQUET_NOTE = {b"note": NOTE.encode(), b"note_en": NOTE_EN.encode()}


def write_parquet(rows: pd.DataFrame | pa.Table, path: Path, *, row_group_size: int = 1 << 20) -> None:
    """A Parquet file (zstd) whose metadata key `note` says that the data are synthetic."""
    table = rows if isinstance(rows, pa.Table) else pa.Table.from_pandas(rows, preserve_index=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        table.replace_schema_metadata(PARQUET_NOTE), path, compression="zstd", row_group_size=row_group_size
    )


def write_csv(rows: pd.DataFrame, path: Path, *, separator: str = ",", note: bool = True) -> None:
    """A UTF-8 CSV; its first line is "# " and the note, where the format allows a comment line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        if note:
            file.write(f"# {NOTE}\n")
        rows.to_csv(file, sep=separator, index=False, lineterminator="\n")

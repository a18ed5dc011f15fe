"""The immutable record as written: every cell of a line that landed, as text, under its own heading.

The rows go to `death_as_written` in the restricted store, whatever the workbench read from them; nothing ever changes them.
A blank cell has no row. Bytes that were repaired (an old font, decomposed letters) stand here as they were received.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.ingest.door import Batch

if TYPE_CHECKING:
    from tkyt_analysis.ingest.excel_grid import Grid
    from tkyt_analysis.ingest.excel_tables import Table

TABLE = "death_as_written"
CELLS_PER_BATCH = 100_000


@dataclass(frozen=True)
class WrittenLines:
    """The cells of lines as they stood in a file.

    texts : one row per line (index: that of the lines), one column per column of the file, in its order
    headers : heading of each column as written; fields : what it was read as, "" for nothing
    positions : number of each column in the file, from 1
    """

    texts: pd.DataFrame
    headers: Sequence[str]
    fields: Sequence[str]
    positions: Sequence[int]


def raw_texts(grid: Grid) -> np.ndarray:
    """The cells of a sheet as texts before any repair; a sum that nobody had computed stays its formula."""
    if not len(grid.repairs):
        return grid.texts
    texts = grid.texts.copy()
    rows, columns = (grid.repairs[name].to_numpy(dtype=int) - 1 for name in ("row", "column"))
    texts[rows, columns] = grid.repairs["value"].astype(object).to_numpy()
    return texts


def written_of_table(table: Table, kinds: pd.Series, *, death: str, run_on: str) -> WrittenLines:
    """The lines of a table on a sheet: all its columns, also those that no field was read from.

    kinds : kind of every line by sheet row; the cells of a line that runs on follow those of its record, after a line break
    """
    columns = list(table.headers)
    rows = kinds.index.to_numpy(dtype=int)
    texts = pd.DataFrame(raw_texts(table.grid)[rows - 1][:, np.array(columns) - 1], index=kinds.index)
    owner = pd.Series(kinds.index, index=kinds.index).where(kinds.eq(death)).ffill()
    for row in kinds.index[kinds.eq(run_on) & owner.notna()]:
        first = int(owner[row])
        joined = zip(texts.loc[first], texts.loc[row], strict=True)
        texts.loc[first] = [f"{above}\n{below}" if below else above for above, below in joined]
    fields = [table.fields.get(column, "") for column in columns]
    return WrittenLines(texts[kinds.eq(death)], [table.headers[c] for c in columns], fields, columns)


def written_of_frame(frame: pd.DataFrame, fields: Sequence[str]) -> WrittenLines:
    """The lines of a table of texts (CSV, Parquet) whose columns are headings; the index is that of the lines."""
    headers = [str(name) for name in frame.columns]
    return WrittenLines(frame.set_axis(range(len(headers)), axis=1), headers, fields, range(1, len(headers) + 1))


def as_written_batches(written: WrittenLines | None, where: pd.DataFrame) -> Iterator[Batch]:
    """The rows of `death_as_written` of the lines that landed, in bounded batches.

    where : record_key, sheet, row_number of each landed line; index of the lines
    """
    if written is None or where.empty or not len(written.headers):
        return
    lines_per_batch = max(1, CELLS_PER_BATCH // len(written.headers))
    for start in range(0, len(where), lines_per_batch):
        yield Batch(TABLE, _rows(written, where.iloc[start : start + lines_per_batch]), counts=False)


def _rows(written: WrittenLines, where: pd.DataFrame) -> pd.DataFrame:
    texts = written.texts.loc[where.index].fillna("").astype("str").to_numpy(dtype=object)
    line, column = np.nonzero(texts != "")
    said = where.iloc[line].reset_index(drop=True)[["record_key", "sheet", "row_number"]]
    return said.assign(
        position=np.asarray(written.positions, dtype=int)[column],
        column_name=np.asarray(written.headers, dtype=object)[column],
        field=np.asarray(written.fields, dtype=object)[column],
        text=texts[line, column],
    )

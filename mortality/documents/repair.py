"""Texts of a list that is no workbook, made comparable: legacy fonts, decomposed letters, invisible characters."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.register_records import IDENTIFIER_FIELDS
from tkyt_analysis.ingest.door import NOTE_COLUMNS
from tkyt_analysis.ingest.text_repair import repair_texts


def repaired_lines(lines: pd.DataFrame, headers: dict[str, str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The lines with repaired texts, and a note (NOTE_COLUMNS, row_number = index) per repaired cell.

    The columns are looked at together, as one old font wrote them all. What names a person is not repeated.
    """
    values = lines.to_numpy(dtype=object)
    work = repair_texts(values)
    changed = np.flatnonzero(work["note"].to_numpy() != "")
    if not len(changed):
        return lines, pd.DataFrame(columns=NOTE_COLUMNS)
    repaired = pd.DataFrame(work["repaired"].to_numpy().reshape(values.shape), index=lines.index, columns=lines.columns)
    row, column = np.unravel_index(changed, values.shape)
    field = lines.columns.to_numpy()[column]
    hidden = np.isin(field, list(IDENTIFIER_FIELDS))
    notes = pd.DataFrame(
        {
            "sheet": "",
            "row_number": lines.index.to_numpy()[row],
            "column_name": [headers.get(name, name) for name in field],
            "value": np.where(hidden, "", work["text"].to_numpy()[changed].astype(str)),
            "became": np.where(hidden, "", work["repaired"].to_numpy()[changed].astype(str)),
            "note": work["note"].to_numpy()[changed],
        }
    )
    notes = notes[notes["note"] != "note.spaces_trimmed"]
    return repaired.astype("str"), notes.assign(fields=[{}] * len(notes))[NOTE_COLUMNS]

"""A table of text (a form that was saved as CSV) as one sheet, so that the readers of workbooks read it too."""

from __future__ import annotations

import csv
import io

import numpy as np

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.excel_grid import Grid, _repaired

LARGEST = 20 << 20
_DELIMITERS = ",;\t|"


def read_text_grid(file: ReceivedFile) -> Grid:
    """The cells of a delimited text as a sheet named "" ; the delimiter is the one that the lines have most in common.

    Raises InputError for a text that is too large to be one form.
    """
    from tkyt_analysis.ingest.byte_streams import detect_encoding

    if file.path.stat().st_size > LARGEST:
        raise InputError("error.form_text_too_large", file=file.name, limit=LARGEST >> 20)
    text = file.path.read_bytes().decode(detect_encoding(file), errors="replace").lstrip("\ufeff").replace("\0", "")
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    width = max((len(row) for row in rows), default=0)
    values = np.full((len(rows), width), "", dtype=object)
    for number, row in enumerate(rows):
        values[number, : len(row)] = row
    return _repaired(Grid("", values))


def _delimiter(text: str) -> str:
    lines = text.splitlines()[:200]
    return max(_DELIMITERS, key=lambda mark: sum(line.count(mark) for line in lines))

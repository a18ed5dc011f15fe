"""The chain of causes on a certificate: lines a to d and part 2, each with its text, code and interval as written."""

from __future__ import annotations

import pandas as pd

from mortality.certificate_csv import ICD_SHAPE, ODD_CODE, normal_codes
from mortality.documents.headers import LINES
from mortality.documents.words import read_intervals
from tkyt_analysis.ingest.door import NOTE_COLUMNS

PART_1 = LINES[:4]
INTERVAL_UNREAD = "note.interval_not_a_number"
CAUSE_COLUMNS = [f"{line}{part}" for line in LINES for part in ("", "_icd10", "_interval")]
_NAMES = {name: name.removeprefix("line_") for name in LINES}  # as `death_cause.line` has them: a, b, c, d, part2


def column(lines: pd.DataFrame, name: str) -> pd.Series:
    """A column of texts, empty where the document has none."""
    found = lines.get(name)
    return pd.Series("", index=lines.index, dtype="str") if found is None else found.astype("str").fillna("")


def with_recorded_cause(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines with cause_text and icd10_as_written filled from the lowest used line of part 1, where they are empty.

    The form puts the underlying cause on the lowest used line; whether it is the right one is decided by the rules
    of selection later, which read `death_cause`.
    """
    text, code = column(lines, "cause_text"), column(lines, "icd10_as_written")
    own = text.ne("") | code.ne("")
    for name in reversed(PART_1):
        of_line, code_of_line = column(lines, name), column(lines, f"{name}_icd10")
        here = ~own & (of_line.ne("") | code_of_line.ne(""))
        text, code = text.mask(here, of_line), code.mask(here, code_of_line)
        own |= here
    return lines.assign(cause_text=text, icd10_as_written=code)


def cause_rows(lines: pd.DataFrame, record_key: pd.Series) -> pd.DataFrame:
    """One row per code of a line (one where it has only words): record_key, line, position from 1, icd10_code,
    icd10_as_written, cause_text, interval_as_written, interval_value, interval_unit; the index is that of `lines`."""
    parts = [_rows_of_line(lines, name) for name in LINES]
    rows = pd.concat(parts) if parts else pd.DataFrame()
    rows["position"] = rows.groupby([rows.index, "line"], sort=False).cumcount() + 1
    rows["icd10_code"] = normal_codes(rows["icd10_as_written"]).replace("", pd.NA)
    intervals = read_intervals(rows["interval_as_written"])  # the index repeats, so by position
    rows["interval_value"] = intervals["interval_value"].to_numpy()
    rows["interval_unit"] = intervals["interval_unit"].to_numpy()
    rows["record_key"] = record_key.loc[rows.index].to_numpy()
    for name in ("icd10_as_written", "cause_text", "interval_as_written", "interval_unit"):
        rows[name] = rows[name].replace("", pd.NA)
    return rows


def _rows_of_line(lines: pd.DataFrame, name: str) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "line": _NAMES[name],
            "cause_text": column(lines, name),
            "interval_as_written": column(lines, f"{name}_interval"),
            "icd10_as_written": column(lines, f"{name}_icd10").str.split(r"[\s;,/]+", regex=True),
        },
        index=lines.index,
    ).explode("icd10_as_written")
    rows["icd10_as_written"] = rows["icd10_as_written"].fillna("").astype("str")
    repeated = rows.index.duplicated() & rows["icd10_as_written"].eq("")
    used = rows["cause_text"].ne("") | rows["icd10_as_written"].ne("") | rows["interval_as_written"].ne("")
    return rows[used & ~repeated]


def cause_notes(rows: pd.DataFrame, headers: dict[str, str]) -> pd.DataFrame:
    """Notes on codes of an odd shape and on intervals that are no single number; `row_number` is the index of `rows`."""
    code = rows["icd10_as_written"].fillna("")
    odd = code.ne("") & ~normal_codes(code).str.fullmatch(ICD_SHAPE)
    unread = rows["interval_as_written"].notna() & rows["interval_value"].isna() & rows["position"].eq(1)
    names = {value: name for name, value in _NAMES.items()}
    parts = []
    for chosen, suffix, what in ((odd, "icd10", ODD_CODE), (unread, "interval", INTERVAL_UNREAD)):
        part = rows[chosen]
        field = part["line"].map(names) + f"_{suffix}"
        written = part["icd10_as_written" if suffix == "icd10" else "interval_as_written"]
        parts.append(
            pd.DataFrame(
                {
                    "sheet": "",
                    "row_number": part.index,
                    "column_name": field.map(lambda name: headers.get(name, name)).to_numpy(),
                    "value": written.to_numpy(),
                    "became": part["icd10_code"].fillna("").to_numpy() if suffix == "icd10" else "",
                    "note": what,
                    "fields": [{}] * len(part),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)[NOTE_COLUMNS]

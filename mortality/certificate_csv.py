"""The door for coded death certificates in CSV: id, sex, age, the lines a to d and part 2 as ICD-10 codes.

One row per certificate; codes of a line stand apart by blanks, the dot is optional. With a column `ucod` the underlying
cause comes along as given. No code is dropped: what does not look like ICD-10 lands with a note.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from mortality.records.as_written import as_written_batches, written_of_frame
from mortality.register_dates import read_dates
from mortality.register_values import AGE_UNREADABLE, UNIT_YEARS, read_words
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import BrokenLine, Layout, find_layout, read_records
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.numbers import parse_numbers
from tkyt_analysis.ingest.safe_open import file_kind, open_utf8, read_head
from tkyt_analysis.reference.vietnamese_text import fold_series

SOURCE = "certificate"
LINES = {"line_a": "a", "line_b": "b", "line_c": "c", "line_d": "d", "part2": "part2"}
REQUIRED = ("id", "sex", "age_value", "age_unit", "line_a", "line_b", "line_c", "line_d", "part2")
UNDERLYING = ("ucod", "underlying_cause", "underlying_cause_as_given")
ICD_SHAPE = r"[A-Z]\d[0-9A-Z](?:\.[0-9A-Z]{1,4})?"
ODD_CODE = "note.icd10_odd_format"
_FIELDS = dict.fromkeys(UNDERLYING, "underlying_cause_as_given") | {
    "id": "record_id",
    "age_value": "age",
    "age_unit": "age",
}
_UNITS = {
    "years": "years", "year": "years", "nam": "years", "tuoi": "years", "months": "months", "month": "months",
    "thang": "months", "days": "days", "day": "days", "ngay": "days", "hours": "hours", "hour": "hours", "gio": "hours",
    "minutes": "hours", "minute": "hours", "phut": "hours",
}  # fmt: skip


class CertificateDoor:
    """Recognises the header id, sex, age_value, age_unit, line_a …; yields `death` and `death_cause`."""

    id = "certificate"

    def recognise(self, file: ReceivedFile) -> float:
        """0.95 with every required column, 0.6 with id and line_a only (reading will name what is missing)."""
        if file_kind(file.path) not in ("text", "gz"):
            return 0.0
        layout = find_layout(read_head(file), _header_score)
        if layout is None:
            return 0.0
        return 0.95 if not _missing(layout) else 0.6

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Batches of bounded size; the id of a certificate must be there and be unique in the file."""
        layout = find_layout(read_head(file), _header_score)
        missing = _missing(layout) if layout else list(REQUIRED)
        if layout is None or missing:
            raise InputError("error.certificate_columns", file=file.name, columns=", ".join(missing))
        seen: set[str] = set()
        with open_utf8(file) as stream:
            for records in read_records(stream, layout):
                if not records.table.num_rows and not records.broken:
                    continue
                frame = records.table.to_pandas()
                frame.columns = ["row_number", *(name.strip().lower() for name in layout.header)]
                yield from certificate_batches(frame, records.broken, seen)


def _header_score(cells: list[str]) -> float:
    names = {cell.lower() for cell in cells}
    return float(len(names & {*REQUIRED, *UNDERLYING})) if {"id", "line_a"} <= names else 0.0


def _missing(layout: Layout) -> list[str]:
    names = {name.lower() for name in layout.header}
    return [name for name in REQUIRED if name not in names]


def certificate_batches(frame: pd.DataFrame, broken: list[BrokenLine], seen: set[str]) -> Iterator[Batch]:
    """`death` and `death_cause` of one piece of a file; `seen` holds the ids of the pieces before and grows."""
    frame = frame.astype(dict.fromkeys(frame.columns.drop("row_number"), "str")).fillna("")
    frame.index = pd.Index(frame["row_number"])
    frame["record_key"] = "|" + frame["row_number"].astype("str")
    causes, odd = certificate_causes(frame)
    refused = _refused(frame, causes, seen)
    seen.update(frame["id"])
    kept = frame[refused.eq("")]
    deaths, notes = certificate_deaths(kept)
    quarantined = [
        Quarantined(reason, "", int(row), "id", "", {"row": int(row)})  # an id may be that of a person
        for row, reason in refused[refused.ne("")].items()
    ] + [Quarantined(one.reason, "", one.row_number, "", "", {**one.fields, "text": "…"}) for one in broken]
    yield Batch("death", deaths, quarantined, notes, received=len(frame) + len(broken))
    landed = causes["record_key"].isin(kept["record_key"])
    yield Batch(
        "death_cause", causes[landed].reset_index(drop=True), [], odd[odd["row_number"].isin(kept.index)], counts=False
    )
    cells = frame.drop(columns=["row_number", "record_key"])
    where = kept[["record_key", "row_number"]].assign(sheet="")
    yield from as_written_batches(written_of_frame(cells, [_FIELDS.get(name, name) for name in cells]), where)


def _refused(frame: pd.DataFrame, causes: pd.DataFrame, seen: set[str]) -> pd.Series:
    """Why a certificate cannot land, "" where it can."""
    given = _underlying(frame).ne("") | frame["record_key"].isin(causes["record_key"])
    twice = frame["id"].isin(seen) | frame["id"].duplicated()
    reason = np.select(
        [frame["id"].eq(""), twice, ~given],
        ["quarantine.certificate_id_missing", "quarantine.certificate_id_twice", "quarantine.certificate_empty"],
        "",
    )
    return pd.Series(reason, index=frame.index)


def _underlying(frame: pd.DataFrame) -> pd.Series:
    name = next((name for name in UNDERLYING if name in frame), None)
    return normal_codes(frame[name]) if name else pd.Series("", index=frame.index, dtype="str")


def normal_codes(codes: pd.Series) -> pd.Series:
    """Upper case, one dot after the third character: "j449" → "J44.9"; † and * and blanks go."""
    bare = codes.str.upper().str.replace(r"[\s.*†+\u00a0]", "", regex=True)
    return bare.where(bare.str.len() <= 3, bare.str[:3] + "." + bare.str[3:])


def certificate_causes(frame: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per code (record_key, line, position from 1, icd10_code, sheet, row_number), and notes on odd codes."""
    parts = []
    for column, line in LINES.items():
        codes = frame[["record_key", "row_number"]].assign(written=frame[column].str.split(r"[\s;,/]+", regex=True))
        codes = codes.explode("written").assign(line=line, column_name=column)
        parts.append(codes[codes["written"].fillna("").ne("")])
    causes = pd.concat(parts, ignore_index=True)
    causes["position"] = causes.groupby(["record_key", "line"], sort=False).cumcount() + 1
    causes["icd10_code"] = normal_codes(causes["written"].astype("str"))
    causes["sheet"] = ""
    odd = causes[~causes["icd10_code"].str.fullmatch(ICD_SHAPE)]
    notes = odd.rename(columns={"written": "value", "icd10_code": "became"}).assign(
        note=ODD_CODE, fields=[{} for _ in range(len(odd))]
    )
    columns = ["sheet", "row_number", "column_name", "value", "became", "note", "fields"]
    return causes[["record_key", "line", "position", "icd10_code", "sheet", "row_number"]], notes[columns]


def certificate_deaths(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """The `death` rows of certificates: sex, age, date of death where there is one, underlying cause as given."""
    sex = read_words("sex", frame["sex"])
    ages = parse_numbers(frame["age_value"], decimal_hint="point")
    units = fold_series(frame["age_unit"]).map(_UNITS).fillna("")
    minutes = fold_series(frame["age_unit"]).isin(["minutes", "minute", "phut"])
    value = ages.values.mask(minutes, 0.0)
    written = frame.get("death_date", pd.Series("", index=frame.index, dtype="str"))
    day = read_dates(written)
    deaths = pd.DataFrame(
        {
            "record_key": frame["record_key"],
            "source": SOURCE,
            "death_date": day["day"],
            "death_date_as_written": written.where(written.ne("")),
            "age_value": value,
            "age_unit": units.where(units.ne("")),
            "age_years": _years(value, units, frame),
            "sex": sex["code"].where(sex["code"].ne("")),
            "underlying_cause_as_given": _underlying(frame).where(lambda codes: codes.ne("")),
            "icd10_as_written": None,
            "sheet": "",
            "row_number": frame["row_number"],
        }
    ).astype({"icd10_as_written": "str"})
    unreadable = frame["age_value"].ne("") & (ages.values.isna() | units.eq(""))
    found = {"sex": sex["note"], "age_value": pd.Series(np.where(unreadable, AGE_UNREADABLE, ""), index=frame.index)}
    found["death_date"] = day["note"]
    odd = deaths["underlying_cause_as_given"]
    odd = odd.notna() & ~odd.fillna("").str.fullmatch(ICD_SHAPE)
    found["ucod"] = pd.Series(np.where(odd, ODD_CODE, ""), index=frame.index)
    return deaths.reset_index(drop=True), _notes(found, frame)


def _years(value: pd.Series, units: pd.Series, frame: pd.DataFrame) -> pd.Series:
    """Completed years from value and unit; else the file's own age_years."""
    years = np.floor(value * units.map(UNIT_YEARS).astype("float64") + 1e-9)
    if "age_years" in frame:
        years = years.fillna(np.floor(parse_numbers(frame["age_years"], decimal_hint="point").values))
    return years.where(years.between(0, 130))


def _notes(found: dict[str, pd.Series], frame: pd.DataFrame) -> list[Note]:
    return [
        Note(str(note), "", int(row), name, str(frame.loc[row, name]) if name in frame else "")
        for name, notes in found.items()
        for row, note in notes[notes.ne("")].items()
    ]


DOOR = CertificateDoor()

"""Lists with headings of their own (other countries, other systems) in CSV: columns by the caller's word, else by common English and Portuguese names.

Only for judging a file that no door knows: such rows have no unit of ours, and nothing of them is kept.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from mortality.line_list import OWN_NAMES, texts_of_column
from mortality.register_layout import match_header
from mortality.register_records import records_of_lines
from mortality.validation.lines import ALIASES
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import find_layout, read_records
from tkyt_analysis.ingest.door import Batch, IngestContext, ReceivedFile
from tkyt_analysis.ingest.safe_open import file_kind, open_utf8, read_head
from tkyt_analysis.labels import label

SOURCE = "list"
# field: headings (lower case); several joined by "+" make one text.
COMMON = {
    "full_name": ("full name", "name", "given_name+surname", "first_name+surname", "first_name+last_name", "nome"),
    "sex": ("sex", "gender", "sexo"), "birth": ("date_of_birth", "dob", "birth_date", "dtnasc"), "age": ("age", "age_years"),
    "death_date": ("date_of_death", "death_date", "dod", "dtobito"), "cause_text": ("cause", "cause_of_death"),
    "icd10_as_written": ("icd10", "icd_10", "icd10_code", "causabas"), "address": ("address", "address_1+address_2+suburb", "city"),
}  # fmt: skip
WHO_OR_WHY = ("full_name", "death_date", "cause_text", "icd10_as_written")
Headings = Mapping[str, Sequence[str]]


class ForeignDoor:
    """Reads a CSV by named columns. `said` : what was read as what, and which columns were not read."""

    id = "foreign_list"

    def __init__(self, columns: Headings) -> None:
        self.columns, self.said = columns, ""

    def recognise(self, file: ReceivedFile) -> float:
        return 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """`death` and `death_identity`, without a unit. Raises InputError where no column says who died, when or of what."""
        if file_kind(file.path) not in ("text", "gz"):
            raise InputError("error.file_not_recognised", file=file.name)
        layout = find_layout(read_head(file), lambda cells: float(len(fields_of(cells, self.columns))))
        fields = fields_of(list(layout.header), self.columns) if layout else {}
        if layout is None or not set(WHO_OR_WHY) & set(fields):
            known = ", ".join(fields) or "–"
            raise InputError(
                "error.validate_columns", file=file.name, found=known, example="--columns full_name=Name+Surname"
            )
        self.said = _what_was_read(fields, list(layout.header))
        with open_utf8(file) as stream:
            for records in read_records(stream, layout):
                frame = records.table.to_pandas()
                frame.columns = ["row_number", *layout.header]
                yield from _batches(frame, fields)


def fields_of(header: Sequence[str], columns: Headings) -> dict[str, list[str]]:
    """{field: headings}: those that the caller names (all of them must be there), else what the headings say themselves."""
    there = {name.strip().lower(): name for name in header}
    if columns:
        chosen = {ALIASES.get(field, field): list(names) for field, names in columns.items()}
        return {
            field: [there[n.strip().lower()] for n in names]
            for field, names in chosen.items()
            if all(n.strip().lower() in there for n in names)
        }
    found: dict[str, list[str]] = {}
    for field, choices in COMMON.items():
        for choice in choices:
            parts = choice.split("+")
            if field not in found and all(part in there for part in parts):
                found[field] = [there[part] for part in parts]
    for name in header:
        field = OWN_NAMES.get(name.strip().lower()) or match_header(name.strip())
        if field and field not in ("record_id", "unit_code", "commune") and field not in found:
            found[field] = [name]
    return found


def _what_was_read(fields: Headings, header: list[str]) -> str:
    used = {name for names in fields.values() for name in names}
    read = "; ".join(f"{field} ← {' + '.join(names)}" for field, names in fields.items())
    left = [name for name in header if name not in used]
    shown = ", ".join(left[:12]) + (" …" if len(left) > 12 else "")
    return label("validate.foreign_read", read=read, left=shown or "–")


def _batches(frame: pd.DataFrame, fields: Headings) -> Iterator[Batch]:
    rows = frame["row_number"].to_numpy()
    lines = pd.DataFrame({field: _joined(frame, names) for field, names in fields.items()}, dtype="str").set_axis(
        pd.Index(rows, name="row_number")
    )
    read = records_of_lines(lines, source=SOURCE, book_year=0, latest_year=datetime.date.today().year)
    deaths = read.deaths.reset_index(drop=True)
    yield Batch("death", deaths, read.quarantined, read.notes, received=len(lines))
    yield Batch("death_identity", read.identities.reset_index(drop=True), counts=False)


def _joined(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    texts = [_days_first(texts_of_column(frame[name])) for name in names]
    return texts[0].str.cat(texts[1:], sep=" ").str.strip() if len(texts) > 1 else texts[0]


def _days_first(texts: pd.Series) -> pd.Series:
    """ "31122015" → "31/12/2015" where that is how most of the filled cells of the column are written."""
    filled = texts[texts.ne("")]
    shape = r"(0[1-9]|[12]\d|3[01])(0[1-9]|1[0-2])((?:18|19|20)\d{2})"
    if not len(filled) or filled.str.zfill(8).str.fullmatch(shape).mean() < 0.9:
        return texts
    return texts.mask(texts.ne(""), texts.str.zfill(8).str.replace(rf"^{shape}$", r"\1/\2/\3", regex=True))

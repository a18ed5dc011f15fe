"""The door for verbal autopsies as ODK exports them (CSV of ODK Central or Aggregate, WHO 2016 and 2022 questionnaires).

Columns are known by the question's id at the end of their name, whatever groups stand before it. An interview becomes a
record of a death from its general items; every answer is kept as written, those that can name a person in the
restricted store. Interpretation (InterVA, InSilicoVA) is a step of its own.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from functools import cache

import numpy as np
import pandas as pd

from mortality.documents.headers import DocumentKind
from mortality.documents.records import DocumentHeading, document_batches
from mortality.documents.repair import repaired_lines
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.csv_records import BrokenLine, find_layout, read_records
from tkyt_analysis.ingest.door import Batch, IngestContext, Note, Quarantined, ReceivedFile
from tkyt_analysis.ingest.safe_open import file_kind, open_utf8, read_head

VERBAL_AUTOPSY = DocumentKind("verbal_autopsy", "verbal_autopsy")
QUESTION_LIST = "verbal_autopsy_questions"
FEWEST_QUESTIONS = 10
BLOCK = 1 << 20  # bytes of the export at once: its rows are wide, and every answer becomes a row
NO_CONSENT, TWICE = "quarantine.verbal_autopsy_no_consent", "quarantine.verbal_autopsy_twice"
_QUESTION = re.compile(r"(?:^|[-./:|])id(1\d{4})((?:_?[a-z]\w*|_\d+)?)$", re.IGNORECASE)
_CALCULATED = re.compile(
    r"(?:^|[-./:|])((?:final)?ageIn\w+|age_(?:group|adult|neonate\w*|child\w*)|is(?:Neonatal|Child|Adult)\d?|narr_language)$",
    re.IGNORECASE,
)
_UNIT = re.compile(r"(?:^|[-./:|])(unit_code|unit_id|commune_code|ma_xa|maxa)$", re.IGNORECASE)
_KEY = re.compile(r"(?:^|[-./:|])(key|instanceid|instance_id|_uuid)$", re.IGNORECASE)
_FREE = re.compile(r"(?:^|[-./:|])(comment|comments)$", re.IGNORECASE)
_CLOSED = re.compile(r"(?:yes|no|dk|ref|doesnt_know|refused|true|false|nan|-?\d{1,5}(?:[.,]\d{1,4})?)", re.IGNORECASE)
_PLACES = {
    "hospital": "health_facility", "other_health_facility": "health_facility", "home": "home", "other": "other",
    "on_route_to_hospital_or_facility": "on_the_way", "on_route_to_facility": "on_the_way",
}  # fmt: skip
_YEARS = ("finalageinyears", "ageinyears", "ageinyears2", "age_adult", "age_child_years")
_MONTHS = ("ageinmonths", "age_child_months")
_DAYS = ("ageindays", "ageindays2", "ageindaysneonate", "age_neonate_days", "age_child_days")


class VerbalAutopsyDoor:
    """Recognises a CSV by at least FEWEST_QUESTIONS columns named by questions Id10xxx."""

    id = "verbal_autopsy"

    def recognise(self, file: ReceivedFile) -> float:
        """0.97 for an export with the questions of the WHO instrument."""
        if file_kind(file.path) not in ("text", "gz"):
            return 0.0
        return 0.97 if find_layout(read_head(file), _header_score) else 0.0

    def read(self, file: ReceivedFile, context: IngestContext) -> Iterator[Batch]:
        """Blocks of interviews: `death` with its identifiers, then the answers, open and restricted."""
        layout = find_layout(read_head(file), _header_score)
        if layout is None:
            raise InputError("error.verbal_autopsy_columns", file=file.name, count=FEWEST_QUESTIONS)
        header = list(layout.header)
        today = datetime.date.today()
        seen: set[str] = set()
        yield from _left_out(header)
        with open_utf8(file) as stream:
            for records in read_records(stream, layout, block_size=BLOCK):
                frame = records.table.to_pandas()
                yield from _broken_batch(records.broken)
                if len(frame):
                    frame = frame.set_index("row_number").sort_index().astype("str")
                    frame.columns = range(len(header))
                    yield from interview_batches(frame, header, seen, today)


def question_of(name: str) -> str:
    """The question of a column ("consented-illhistory-illdur-Id10120_0" → "Id10120_0"), "" where it has none."""
    match = _QUESTION.search(name.strip())
    return f"Id{match[1]}{match[2].lower()}" if match else ""


def _header_score(cells: list[str]) -> float:
    count = sum(1 for cell in cells if question_of(cell))
    return float(count) if count >= FEWEST_QUESTIONS else 0.0


@cache
def _questions() -> pd.DataFrame:
    return read_codelist(QUESTION_LIST).set_index("question_id")


def answer_columns(header: list[str]) -> dict[int, str]:
    """{position: name under which its answers are kept}: questions, calculated ages, and the interviewer's comment."""
    found: dict[int, str] = {}
    for at, name in enumerate(header):
        other = _CALCULATED.search(name) or _FREE.search(name)
        kept = question_of(name) or (other[1] if other else "")
        if kept and kept not in found.values():
            found[at] = kept
    return found


def is_restricted(question: str) -> bool | None:
    """Whether the answers of a question can name a person; None for a question that the catalog does not know."""
    if _FREE.fullmatch(question):
        return True
    if not question.startswith("Id1"):
        return False
    base, known = question[:7], _questions()
    return known.loc[base, "store"] == "restricted" if base in known.index else None


def _left_out(header: list[str]) -> Iterator[Batch]:
    """A note with the names of the columns that hold no answer (who sent it, when, attachments)."""
    used = set(answer_columns(header))
    left = [
        name for at, name in enumerate(header) if at not in used and not _KEY.search(name) and not _UNIT.search(name)
    ]
    unknown = sorted({q for q in answer_columns(header).values() if is_restricted(q) is None})
    notes = []
    if left:
        notes.append(Note("note.verbal_autopsy_columns", fields={"count": len(left), "names": ", ".join(left[:12])}))
    if unknown:
        fields = {"count": len(unknown), "names": ", ".join(unknown[:12])}
        notes.append(Note("note.verbal_autopsy_questions", fields=fields))
    if notes:
        yield Batch("death", pd.DataFrame(), [], notes, 0)


def _broken_batch(broken: list[BrokenLine]) -> Iterator[Batch]:
    if broken:
        refused = [Quarantined(one.reason, "", one.row_number, "", "", {**one.fields, "text": "…"}) for one in broken]
        yield Batch("death", pd.DataFrame(), refused, received=len(refused))


# ------------------------------------------------------------------------------------------------ interviews


def interview_batches(frame: pd.DataFrame, header: list[str], seen: set[str], today: datetime.date) -> Iterator[Batch]:
    """The batches of one block: `frame` has the columns by position, its index is the line of each record."""
    key_at = next((at for at, name in enumerate(header) if _KEY.search(name)), None)
    key = frame[key_at].str.strip() if key_at is not None else pd.Series("", index=frame.index)
    answers = frame[list(answer_columns(header))].rename(columns=answer_columns(header))
    twice = key.ne("") & (key.isin(seen) | key.duplicated())
    seen.update(key[key.ne("")])
    consent = answers.get("Id10013", pd.Series("", index=frame.index)).str.strip().str.lower()
    refused = consent.eq("no") & ~twice
    if (twice | refused).any():
        yield _refused(twice, refused)
    kept = answers[~(twice | refused)]
    if kept.empty:
        return
    unit_at = next((at for at, name in enumerate(header) if _UNIT.search(name)), None)
    unit = frame.loc[kept.index, unit_at] if unit_at is not None else pd.Series("", index=kept.index)
    names = {question_of(name) or name: name for name in header}
    lines, notes = repaired_lines(general_items(kept).assign(unit_code=unit, record_id=key[kept.index]), {})
    headers = {row.role: names.get(str(row.Index), str(row.Index)) for row in _questions().itertuples() if row.role}
    landed = pd.Index([])
    for batch in document_batches(
        VERBAL_AUTOPSY, lines, heading=DocumentHeading(), headers=headers, today=today, notes=notes
    ):
        if batch.table == "death":
            landed = pd.Index(batch.rows["row_number"])
        yield batch
    yield from answer_batches(kept.loc[landed.astype(kept.index.dtype)])


def _refused(twice: pd.Series, refused: pd.Series) -> Batch:
    rows = [(row, TWICE) for row in twice.index[twice]] + [(row, NO_CONSENT) for row in refused.index[refused]]
    quarantined = [Quarantined(reason, "", int(row), "", "", {"row": int(row)}) for row, reason in rows]
    return Batch("death", pd.DataFrame(), quarantined, received=len(quarantined))


def general_items(answers: pd.DataFrame) -> pd.DataFrame:
    """The items of the record from the answers, as the register's fields: full_name, sex, birth, age, death_date, …"""

    def said(question: str) -> pd.Series:
        found = answers.get(question)
        texts = pd.Series("", index=answers.index, dtype="str") if found is None else found.fillna("").str.strip()
        return texts.mask(texts.str.lower().isin(["dk", "ref", "nan"]), "")

    day = _first([said(name) for name in ("Id10023", "Id10023_a", "Id10023_b", "Id10024")])
    by_role = {
        str(row.role): said(str(row.Index))
        for row in _questions().itertuples()
        if row.role
        and row.role not in ("given_name", "surname", "sex", "death_date", "death_year", "place_of_death", "consent")
    }
    place = said("Id10058").str.lower()
    return pd.DataFrame(
        {
            "full_name": said("Id10018").str.cat(said("Id10017"), sep=" ").str.strip(),
            "sex": said("Id10019").str.lower().replace("undetermined", ""),
            "death_date": day,
            "age": _age(answers),
            "place_of_death": place.map(_PLACES).fillna(place),
            **by_role,
        },
        index=answers.index,
    )


def _first(columns: list[pd.Series]) -> pd.Series:
    """The first of several columns that is not empty, row by row."""
    result = columns[0]
    for column in columns[1:]:
        result = result.mask(result.eq(""), column)
    return result


def _age(answers: pd.DataFrame) -> pd.Series:
    """The age as the register writes it: years from one year on, below that days or months."""
    lower = {name.lower(): name for name in answers.columns}

    def number(names: tuple[str, ...]) -> pd.Series:
        found = pd.Series(np.nan, index=answers.index)
        for name in names:
            if name in lower:
                found = found.fillna(pd.to_numeric(answers[lower[name]], errors="coerce"))
        return found.where(found.ge(0))

    years, months, days = number(_YEARS), number(_MONTHS), number(_DAYS)
    young = years.fillna(0).lt(1)
    text = np.select(
        [~young, young & days.between(0, 366), young & months.between(1, 12), years.eq(0)],
        [_whole(years), _whole(days) + " ngày", _whole(months) + " tháng", "0"],
        "",
    )
    return pd.Series(text, index=answers.index, dtype="str")


def _whole(numbers: pd.Series) -> np.ndarray:
    return np.floor(numbers.fillna(0)).astype("int64").astype("str").to_numpy().astype(object)


def answer_batches(answers: pd.DataFrame) -> Iterator[Batch]:
    """One row per answer that is not empty: record_key, question_id, value, row_number; open and restricted apart."""
    values = answers.fillna("").to_numpy(dtype=object)
    row, column = np.nonzero(values != "")
    if not len(row):
        return
    lines = answers.index.to_numpy()[row]
    table = pd.DataFrame(
        {
            "record_key": "|" + pd.Series(lines).astype("str"),
            "question_id": answers.columns.to_numpy()[column],
            "value": values[row, column],
            "sheet": "",
            "row_number": lines,
        }
    )
    restricted = _restricted_rows(table)
    yield Batch("verbal_autopsy_answer", table[~restricted].reset_index(drop=True), counts=False)
    yield Batch("verbal_autopsy_identity", table[restricted].reset_index(drop=True), counts=False)


def _restricted_rows(table: pd.DataFrame) -> pd.Series:
    """By the catalog; of a question that it does not know, whatever is no closed answer."""
    verdict = {question: is_restricted(question) for question in table["question_id"].unique()}
    known = table["question_id"].map(lambda question: bool(verdict[question]))
    unknown = table["question_id"].isin([question for question, found in verdict.items() if found is None])
    return known | (unknown & ~table["value"].str.fullmatch(_CLOSED))


DOOR = VerbalAutopsyDoor()

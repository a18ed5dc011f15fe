"""From the lines of any document on a death to its rows: the record, identifiers apart, and the side tables."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from mortality.certificate_csv import normal_codes
from mortality.documents import certificate_parts
from mortality.documents.causes import cause_notes, cause_rows, column, with_recorded_cause
from mortality.documents.headers import CERTIFICATE, CIVIL, DocumentKind
from mortality.documents.places import find_units, parts_of_texts, usual_day, written_parts
from mortality.documents.words import read_options
from mortality.records.as_written import WrittenLines, as_written_batches
from mortality.records.corrections import correction_batches
from mortality.records.places import place_columns
from mortality.register_dates import read_dates
from mortality.register_records import LineNotes, RegisterRows, common_year, records_of_lines
from tkyt_analysis.ingest.door import NOTE_COLUMNS, QUARANTINE_COLUMNS, Batch
from tkyt_analysis.ingest.heading_unit import days_of_data, find_reporting_unit
from tkyt_analysis.ingest.report_heading import ReportingUnit, read_reporting_unit, read_year
from tkyt_analysis.reference.vietnamese_text import fold

RESIDENCE_UNKNOWN = "note.residence_not_found"
PERSON = ["full_name", "birth_date", "birth_as_written", "address", "id_number", "insurance_number", "note"]
IDENTIFIERS = ["patient_number", "document_number", "informant", "informant_id", "signed_by"]
_FACILITY_CODE = re.compile(r"\bma (?:cskcb|co so|benh vien|bv)\D{0,25}?\b(\d{2}[0-9a-z]{3})\b")
_FACILITY_NAME = re.compile(r"\bbenh vien\b|\bbv\b|\btrung tam y te\b|\bttyt\b|\bphong kham\b")


@dataclass(frozen=True)
class DocumentHeading:
    """What stands over a list, or on a form: the unit and facility that report, and the year that it is for."""

    unit: ReportingUnit = field(default_factory=ReportingUnit)
    facility_name: str = ""
    facility_id: str = ""
    year: int = 0


def read_document_heading(texts: list[str]) -> DocumentHeading:
    """Of the texts over a table (nearest first). A facility's code is no code of a commune."""
    folded = [fold(text) for text in texts]
    code = next((match[1].upper() for text in folded if (match := _FACILITY_CODE.search(text))), "")
    name = next((t for t, f in zip(texts, folded, strict=True) if _FACILITY_NAME.search(f) and len(t) < 150), "")
    about_units = [t for t, f in zip(texts, folded, strict=True) if not _FACILITY_CODE.search(f)]
    return DocumentHeading(
        read_reporting_unit(about_units), name.strip(), f"KCB:{code}" if code else "", read_year(texts)
    )


def document_batches(
    kind: DocumentKind,
    lines: pd.DataFrame,
    *,
    heading: DocumentHeading,
    headers: dict[str, str],
    today: datetime.date,
    places: pd.DataFrame | None = None,
    notes: pd.DataFrame | None = None,
    written: WrittenLines | None = None,
) -> Iterator[Batch]:
    """The batches of documents of one kind.

    lines : one row per document, columns of text by field (as `headers.match_document_header` names them), a unique index
    headers : {field: heading as written}
    places : sheet, row_number of each row of `lines`; default: no sheet, and the index
    notes : NOTE_COLUMNS of what was repaired before, row_number = index of `lines`
    written : the lines as they stood in the file, index that of `lines`
    """
    frame = with_recorded_cause(lines) if kind is CERTIFICATE else lines
    event = "death_date" if kind.deaths else "discharge_date"
    book_year = heading.year or common_year(frame.get(event))
    latest = max(heading.year + 1, 0) if heading.year else today.year
    rows = records_of_lines(frame, source=kind.source, book_year=book_year, latest_year=latest, headers=headers)
    where = places if places is not None else _own_places(lines)
    made = _Made(kind, frame, rows, where, heading, headers, book_year, latest, today)
    yield from made.batches(notes)
    landed = made.landed
    if kind.deaths:
        where = made.where.loc[landed].assign(record_key=made.key.loc[landed])
        yield from as_written_batches(written, where)
        yield from correction_batches(made.corrections(), landed)


def _own_places(lines: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"sheet": "", "row_number": lines.index}, index=lines.index)


class _Made:
    """The rows of one piece of a document list while they are made; the index is that of its lines."""

    def __init__(
        self, kind: DocumentKind, lines: pd.DataFrame, rows: RegisterRows, places: pd.DataFrame,
        heading: DocumentHeading, headers: dict[str, str], book_year: int, latest_year: int, today: datetime.date,
    ) -> None:  # fmt: skip
        self.kind, self.rows, self.places, self.heading, self.headers = kind, rows, places, heading, headers
        self.book_year, self.latest_year, self.today = book_year, latest_year, today
        self.lines = lines.loc[rows.deaths.index]
        self.all = len(lines)
        residence = headers.get("commune") or headers.get("address") or headers.get("unit_code") or ""
        self.notes = LineNotes("", {"residence": residence, **headers})
        self.where = places.loc[rows.deaths.index]
        self.key = (self.where["sheet"] + "|" + self.where["row_number"].astype("str")).astype("str")

    def day(self, name: str) -> pd.Series:
        """The date in a column, with notes on what was more than taking it as it stands."""
        written = column(self.lines, name)
        found = read_dates(written, year_hint=self.book_year, latest_year=self.latest_year)
        self.notes.add(name, found["note"], written, found["day"].dt.strftime("%Y-%m-%d").fillna(""))
        return found["day"]

    def option(self, name: str, words: str = "yes_no") -> pd.Series:
        """The code in a column of answers; an answer that is not known is noted and left empty."""
        written = column(self.lines, name)
        code = read_options(words, written)
        unread = written.ne("") & code.eq("") & ~written.str.fullmatch(r"[☐□▢\s.…_]*|.*[☐□▢].*")
        self.notes.add(name, unread.map({True: "note.option_unknown", False: ""}), written)
        return code.replace("", pd.NA)

    def placed(self, frame: pd.DataFrame) -> pd.DataFrame:
        """With record_key, sheet and row_number; the index goes."""
        where = self.where.loc[frame.index]
        keyed = frame.assign(record_key=self.key.loc[frame.index], sheet=where["sheet"], row_number=where["row_number"])
        return keyed.reset_index(drop=True)

    def text(self, name: str) -> pd.Series:
        return column(self.lines, name).replace("", pd.NA)

    def batches(self, more_notes: pd.DataFrame | None) -> Iterator[Batch]:
        event_day = self.rows.deaths["death_date"] if self.kind.deaths else self.day("discharge_date")
        homes = self._homes(event_day)
        units = self._units(event_day, homes)
        known = units["unit_id"].ne("") if self.kind is CIVIL else pd.Series(True, index=units.index)
        main = self._deaths(units, homes) if self.kind.deaths else self._sent_home(units, homes, event_day)
        self.landed = known.index[known]
        sides = list(self._sides(known))
        quarantined = self._quarantined(units[~known])
        main = self.placed(main[known])
        yield Batch(
            "death" if self.kind.deaths else "sent_home_dying",
            main,
            quarantined,
            self._all_notes(known, more_notes),
            received=len(main) + len(quarantined),
        )
        yield from sides

    # -- places

    def _homes(self, days: pd.Series) -> pd.DataFrame:
        parts = written_parts(self.lines, self.heading.unit)
        found = find_units(parts, days, usual_day(days, self.book_year, self.today))
        named = parts["commune"].ne("") | parts["code"].ne("")
        lost = (named & found["unit_id"].eq("")).map({True: RESIDENCE_UNKNOWN, False: ""})
        self.notes.add("residence", lost, lost)
        return found

    def _units(self, days: pd.Series, homes: pd.DataFrame) -> pd.DataFrame:
        """The unit that reports: the place of registration, else that of the heading, else the commune of residence.

        A civil registration belongs to a commune; of the other documents a province or district is enough.
        """
        usual = usual_day(days, self.book_year, self.today)
        sensible = days[days.notna() & days.le(pd.Timestamp(self.today))]
        first, last = (sensible.min().date(), sensible.max().date()) if len(sensible) else (usual, usual)
        whole = find_reporting_unit(
            self.heading.unit, days_of_data(first, last, has_district=bool(self.heading.unit.district))
        )
        units = pd.DataFrame({"unit_id": whole.unit_id, "reason": whole.reason, "note": whole.note}, index=homes.index)
        units["fields"] = [whole.fields] * len(units)
        if self.kind is CIVIL:
            place = column(self.lines, "registration_place")
            if place.ne("").any():
                parts = parts_of_texts(place)
                named = parts["commune"].ne("")
                parts["province"] = parts["province"].mask(
                    parts["province"].eq("") & parts["city"].eq(""),
                    self.heading.unit.province or self.heading.unit.city,
                )
                units.loc[named] = find_units(parts[named], days[named], usual)
            is_commune = units["unit_id"].str.fullmatch(r"VN20\d\d:\d{5}")
            better = ~is_commune & homes["unit_id"].ne("")
            units.loc[better] = homes[better]
            units.loc[~is_commune & ~better, "unit_id"] = ""
            units.loc[units["unit_id"].eq("") & units["reason"].eq(""), "reason"] = "quarantine.heading_unit_missing"
        else:
            unnamed = units["unit_id"].eq("")
            units.loc[unnamed] = homes[unnamed]  # no unit over it: whoever looks after the place of residence
        return units

    def _death_places(self, units: pd.DataFrame) -> pd.Series:
        texts = self.rows.places.assign(address="")
        header = self.headers.get("death_place", "death_place")
        found, notes = place_columns(texts, self.rows.deaths["death_date"], units["unit_id"], header=header)
        self.notes.add(
            "death_place", notes.set_index("row_number")["note"].reindex(texts.index).fillna(""), texts["address"]
        )
        return found["death_place_unit_id"]

    # -- tables

    def _deaths(self, units: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
        """`person_key` is that of this source: one person in two sources is no duplicate, but a pair to be linked."""
        given = normal_codes(column(self.lines, "underlying_icd10")).replace("", pd.NA)
        return self.rows.deaths.assign(
            person_key=f"{self.kind.source}|" + self.rows.deaths["person_key"],
            unit_id=units["unit_id"].replace("", pd.NA),
            residence_unit_id=homes["unit_id"].replace("", pd.NA),
            death_place_unit_id=self._death_places(units),
            underlying_cause_as_given=given,
        )

    def _sent_home(self, units: pd.DataFrame, homes: pd.DataFrame, day: pd.Series) -> pd.DataFrame:
        person = self.rows.deaths[["birth_year", "age_value", "age_unit", "sex"]]
        age = person["age_value"].where(person["age_unit"].eq("years"))
        by_year = (day.dt.year - person["birth_year"].astype("Float64").astype("float64")).where(
            lambda v: v.between(0, 130)
        )
        return person.assign(
            unit_id=units["unit_id"].replace("", pd.NA),
            residence_unit_id=homes["unit_id"].replace("", pd.NA),
            discharge_date=day,
            discharge_date_as_written=self.text("discharge_date"),
            admission_date=self.day("admission_date"),
            discharge_state=self.option("discharge_state", "discharge_state"),
            discharge_state_as_written=self.text("discharge_state"),
            expected_outcome=self.text("expected_outcome"),
            age_years=self.rows.deaths["age_years"].fillna(age).fillna(by_year),
            diagnosis_text=self.rows.deaths["cause_text"],
            icd10_as_written=self.rows.deaths["icd10_as_written"],
            **self._facility(),
        )

    def _facility(self) -> dict[str, pd.Series]:
        code = column(self.lines, "facility_code").str.strip().str.upper()
        code = ("KCB:" + code).where(code.str.fullmatch(r"\d{2}[0-9A-Z]{3}"), self.heading.facility_id)
        name = column(self.lines, "facility")
        return {
            "facility_id": code.replace("", pd.NA),
            "facility_name": name.where(name.ne(""), self.heading.facility_name).replace("", pd.NA),
            "department": self.text("department"),
        }

    def _sides(self, known: pd.Series) -> Iterator[Batch]:
        identity = self.rows.identities[PERSON].assign(**{name: self._identifier(name) for name in IDENTIFIERS})
        if not self.kind.deaths:
            people = identity.drop(columns=["document_number", "informant_id", "signed_by"])
            yield Batch("sent_home_identity", self.placed(people), counts=False)
            return
        yield Batch("death_identity", self.placed(identity[known]), counts=False)
        yield Batch("death_document", self.placed(self._document()[known]), counts=False)
        if self.kind is CERTIFICATE:
            yield Batch("certificate", self.placed(certificate_parts.part_b(self)[known]), counts=False)
            causes = cause_rows(self.lines, self.key)
            self.cause_notes = cause_notes(causes, self.headers)
            where = self.where.loc[causes.index]
            causes = causes.assign(sheet=where["sheet"], row_number=where["row_number"])
            yield Batch("death_cause", causes.reset_index(drop=True), counts=False)

    cause_notes: pd.DataFrame | None = None
    landed: pd.Index = pd.Index([])

    def corrections(self) -> pd.DataFrame:
        """The lines that correct an earlier record, under the keys of this piece."""
        found = self.rows.corrections
        where = self.places.loc[found.index]
        key = self.key.reindex(found.index).where(found["record_key"].notna())
        return found.assign(record_key=key, sheet=where["sheet"], row_number=where["row_number"])

    def _identifier(self, name: str) -> pd.Series:
        if name != "document_number":
            return self.text(name)
        number = column(self.lines, "record_id")
        for own in ("notice_number", "registration_number"):
            number = number.mask(column(self.lines, own).ne(""), column(self.lines, own))
        return number.replace("", pd.NA)

    def _document(self) -> pd.DataFrame:
        name = "registration_date" if self.kind is CIVIL else "document_date"
        return pd.DataFrame(
            {
                "kind": self.kind.id,
                "document_date": self.day(name),
                "document_date_as_written": self.text(name),
                "registration_type": self.option("registration_type", "registration_type"),
                "admission_date": self.day("admission_date"),
                "informant_relation": self.text("informant_relation"),
                **self._facility(),
            },
            index=self.lines.index,
        )

    # -- what did not land, what landed otherwise

    def _quarantined(self, lost: pd.DataFrame) -> pd.DataFrame:
        unread = self.rows.quarantined.assign(place=self.rows.quarantined["row_number"])
        refused = pd.DataFrame(
            {
                "place": lost.index,
                "column_name": "",
                "value": "",
                "reason": lost["reason"].to_numpy(),
                "fields": [{**said} for said in lost["fields"]],
            }
        )
        parts = [part for part in (unread, refused) if len(part)]
        if not parts:
            return pd.DataFrame(columns=QUARANTINE_COLUMNS)
        rows = pd.concat(parts, ignore_index=True)
        where = self.places.loc[rows["place"]]
        rows["sheet"], rows["row_number"] = where["sheet"].to_numpy(), where["row_number"].to_numpy()
        rows["fields"] = [
            {**said, "row": int(row)} for said, row in zip(rows["fields"], rows["row_number"], strict=True)
        ]
        return rows[QUARANTINE_COLUMNS]

    def _all_notes(self, known: pd.Series, more: pd.DataFrame | None) -> pd.DataFrame:
        parts = [self.rows.notes, self.notes.frame(), self.cause_notes, more]
        notes = [part for part in parts if part is not None and len(part)]
        if not notes:
            return pd.DataFrame(columns=NOTE_COLUMNS)
        frame = pd.concat(notes, ignore_index=True)
        frame = frame[frame["row_number"].isin(known.index[known])].reset_index(drop=True)
        where = self.places.loc[frame["row_number"]]
        return frame.assign(sheet=where["sheet"].to_numpy(), row_number=where["row_number"].to_numpy())


def numbers_of(texts: pd.Series) -> pd.Series:
    """The first number in each text ("2.900 g" → 2900, "38 tuần" → 38); missing where there is none."""
    bare = texts.str.replace(r"(?<=\d)[.,](?=\d{3}\b)", "", regex=True)
    found = bare.str.extract(r"(\d+(?:[.,]\d+)?)", expand=False).str.replace(",", ".", regex=False)
    return pd.to_numeric(found, errors="coerce").astype("float64").replace(np.inf, np.nan)

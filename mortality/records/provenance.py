"""Where every field of one death record comes from: the value, the words it was read from, the column, and how it was made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.hiv import DEATHS as HIV_DEATHS
from mortality.records.fields import FURTHER
from tkyt_analysis.access import require
from tkyt_analysis.access.masking import MASK
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.warehouse.replaced import RECORDS

if TYPE_CHECKING:
    from tkyt_analysis.access.decision import Account
    from tkyt_analysis.access.warehouse_view import ScopedWarehouse

COLUMNS = ["field", "value", "as_written", "column_name", "how", "method"]
IDENTIFIERS = (
    "full_name", "birth_date", "address", "id_number", "insurance_number", "patient_number", "document_number", "informant",
    "informant_id", "signed_by", "note",
)  # fmt: skip
OPEN = (
    "source", "unit_id", "death_date", "death_time", "death_calendar", "birth_year", "birth_calendar", "age_value", "age_unit",
    "age_years", "sex", "ethnic_group", "occupation", "residence_unit_id", "place_of_death", "death_place_unit_id",
    "cause_text", "icd10_as_written", "underlying_cause_as_given", "manner", "external_place", "external_activity",
    "care_before_death", "maternal_death", "maternal_timing", "source_list", "informant_relation",
)  # fmt: skip
CAUSES = {"cause_text", "icd10_as_written", "underlying_cause_as_given", "underlying_cause"}
# The fields of a file from which a field of the record is made, first match first.
READ_FROM = {
    "death_time": ("death_time", "death_date"), "death_calendar": ("death_date",),
    "birth_date": ("birth", "male", "female"), "birth_year": ("birth", "male", "female"),
    "birth_calendar": ("birth", "male", "female"),
    "age_value": ("age", "birth", "male", "female"), "age_unit": ("age", "birth", "male", "female"), "age_years": ("age",),
    "sex": ("sex", "male", "female"), "unit_id": ("unit_code", "commune", "registration_place"),
    "residence_unit_id": ("unit_code", "commune", "address"), "death_place_unit_id": ("death_place_code", "death_place"),
    "cause_text": ("cause_text", "line_d", "line_c", "line_b", "line_a"),
    "icd10_as_written": ("icd10_as_written", "line_d_icd10", "line_c_icd10", "line_b_icd10", "line_a_icd10"),
    "underlying_cause_as_given": ("underlying_cause_as_given", "underlying_icd10"),
    "maternal_timing": ("maternal_timing", "pregnancy_status", "maternal_death"),
    "external_place": ("external_place", "injury_place"), "source_list": ("source_list", "informant"),
    "document_number": ("notice_number", "registration_number", "record_id"),
}  # fmt: skip
TEXTS = {*IDENTIFIERS, "ethnic_group", "occupation", "cause_text", "icd10_as_written"}
CODED = {"sex", "place_of_death", "care_before_death", "maternal_death", *FURTHER} - {"death_time"}
PLACES = {"unit_id", "residence_unit_id", "death_place_unit_id"}
REPAIRS = {
    "note.legacy_font_converted", "note.text_composed", "note.invisible_characters_removed", "note.formula_computed",
}  # fmt: skip
LUNAR = "note.lunar_date_converted"


@dataclass(frozen=True)
class _Record:
    """One record as it lies in the warehouse, and what may be shown of it."""

    death: Mapping[str, Any]
    identity: Mapping[str, Any] | None  # None: not for this reader
    written: pd.DataFrame
    notes: pd.DataFrame
    causes: pd.DataFrame
    code: Mapping[str, Any]
    replacements: pd.DataFrame
    hide_causes: bool = False
    dates: Mapping[str, Any] = field(default_factory=dict)


def provenance(home: Path, death_id: str, *, why: str = "") -> pd.DataFrame:
    """Every field of a record: field, value, as_written, column_name, how, method (in the current language).

    why : a reason that goes into the audit log; with it identifiers and the words as written are shown to an account that
        may read them. Without it they are masked ("…").
    how : as_written | read | calculated | repaired | converted_from_lunar | matched_place | coded | corrected | not_read
        (something is written, but was not understood) | not_given
    What concerns HIV is shown to accounts with that right only. Raises InputError for an unknown record, one outside the
    account's places, or a reader without the right who gives a reason.
    """
    account = require(home, "read", table="death")
    record = _load(home, account, death_id, why)
    rows = [*_identity_rows(record), *(_open_row(record, name) for name in OPEN)]
    rows += [*_cause_rows(record), _coded_row(record), *_replacement_rows(record, death_id)]
    return pd.DataFrame(rows, columns=COLUMNS).astype("str")


# ------------------------------------------------------------------------------------------------ loading


def _load(home: Path, account: Account, death_id: str, why: str) -> _Record:
    from tkyt_analysis.access.decision import decide
    from tkyt_analysis.access.identifiers import read_identities
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    with scoped_warehouse(home, account) as view:
        death = _one(view, f"SELECT * FROM lake.death WHERE death_id = ? AND {view.units()}", death_id)
        if death is None:
            raise InputError("error.record_unknown", record=death_id)
        hiv = bool(view.warehouse.query(f"SELECT 1 FROM ({HIV_DEATHS}) WHERE death_id = ?", [death_id]).shape[0])
        causes = view.warehouse.query(
            "SELECT * FROM lake.death_cause WHERE death_id = ? ORDER BY line, position", [death_id]
        )
        notes = _notes(view, death)
        code = _one(view, "SELECT * FROM lake.death_code WHERE death_id = ?", death_id) or {}
        replacements = _replacements(view, death_id)
    identity, written = None, pd.DataFrame(columns=["position", "column_name", "field", "text"])
    if why.strip():
        people = read_identities(home, [death_id], why=why)
        written = read_identities(home, [death_id], why=why, table="death_as_written").sort_values("position")
        identity = people.iloc[0].to_dict() if len(people) else None
    hidden = hiv and not decide(account, "read_hiv").allowed
    return _Record(death, identity, written, notes, causes, code, replacements, hidden)


def _one(view: ScopedWarehouse, sql: str, death_id: str) -> dict[str, Any] | None:
    rows = view.warehouse.query(sql, [death_id])
    return {str(name): value for name, value in rows.iloc[0].items()} if len(rows) else None


def _notes(view: ScopedWarehouse, death: Mapping[str, Any]) -> pd.DataFrame:
    sql = "SELECT column_name, note, became FROM lake.ingest_note WHERE file_sha256 = ? AND coalesce(sheet, '') = ? AND row_number = ?"
    place = [death["file_sha256"], _text(death["sheet"]), int(death["row_number"])]
    return view.warehouse.query(sql, place)


def _replacements(view: ScopedWarehouse, death_id: str) -> pd.DataFrame:
    if not view.warehouse.has(RECORDS):
        return pd.DataFrame(columns=["record_id", "replaced_by", "reason", "decided_at", "decided_by"])
    return view.warehouse.query(
        f"SELECT record_id, replaced_by, reason, decided_at, decided_by FROM lake.{RECORDS} "
        "WHERE record_id = $1 OR replaced_by = $1 ORDER BY decided_at, record_id",
        [death_id],
    )


# --------------------------------------------------------------------------------------------------- rows


def _row(name: str, value: str, written: str, column: str, how: str, method: str) -> dict[str, str]:
    return dict(zip(COLUMNS, (name, value, written, column, how, method), strict=True))


def _text(value: Any) -> str:
    """A value as text: dates as YYYY-MM-DD, whole numbers without a decimal point, missing as ""."""
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and value != value):
        return ""
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _source(record: _Record, name: str) -> tuple[str, str, str]:
    """(words, heading, field) from which a field was read; "" where nothing is written or it may not be shown."""
    for wanted in READ_FROM.get(name, (name,)):
        fields = record.written["field"].astype("str").str.replace(r":.*", "", regex=True)
        here = record.written[fields == wanted]
        if len(here):
            texts = dict.fromkeys(here["text"])
            return ", ".join(texts), str(here["column_name"].iloc[0]), wanted
    return "", "", ""


def _identity_rows(record: _Record) -> list[dict[str, str]]:
    """Identifiers; to a reader without the right each of them is masked, given or not."""
    if record.identity is None:
        return [_row(name, MASK, MASK, "", "masked", label("provenance.method.masked")) for name in IDENTIFIERS]
    return [_made(record, name, _text(record.identity.get(name))) for name in IDENTIFIERS]


def _open_row(record: _Record, name: str) -> dict[str, str]:
    if record.hide_causes and name in CAUSES:
        return _row(name, MASK, MASK, "", "masked", label("provenance.method.masked"))
    return _made(record, name, _text(record.death.get(name)))


def _made(record: _Record, name: str, value: str) -> dict[str, str]:
    written, column, source = _source(record, name)
    if not written and name in ("death_date", "cause_text", "icd10_as_written"):
        written = _text(record.death.get("death_date_as_written" if name == "death_date" else name))
    how, method = _how(record, name, value, written, column, source)
    if how == "not_given":
        written, column = "", ""
    return _row(name, value, written, column, how, method)


def _how(record: _Record, name: str, value: str, written: str, column: str, source: str) -> tuple[str, str]:
    notes = list(record.notes.loc[record.notes["column_name"].isin([column, source, name]), "note"])
    said = " ".join(dict.fromkeys(_sentence(note) for note in notes))
    if not value:
        how = "not_read" if written and source == name else "not_given"
        return how, said or label(f"provenance.method.{how}")
    lunar = name in ("death_date", "birth_date", "birth_year") and record.death.get(f"{name[:5]}_calendar") == "lunar"
    if lunar:
        return "converted_from_lunar", _sentence(LUNAR)
    if name in PLACES:
        return "matched_place", label("provenance.method.place" if written else "provenance.method.heading")
    if name == "age_years" or (name in ("age_value", "age_unit") and source in ("birth", "male", "female", "")):
        return _age(record, name, written)
    if REPAIRS & set(notes):
        return "repaired", said
    if name == "source":
        return "calculated", label("provenance.method.door")
    if name in CODED:
        return "read", said or label("provenance.method.words")
    if written == value or (not written and name in TEXTS):
        return "as_written", label("provenance.method.as_written")
    return "read", said or label("provenance.method.read")


def _sentence(note: str) -> str:
    """What a note says in general; one that names figures of its own cell says only its kind."""
    text = label(note)
    return label("provenance.method.read") if "{" in text else text


def _age(record: _Record, name: str, written: str) -> tuple[str, str]:
    """How the age came about: as written, from two dates, or from two years."""
    if written and name == "age_years":
        return "read", label("provenance.method.age_written")
    value = record.death.get("age_value")
    if name != "age_years":
        return "read" if written else "calculated", label(
            "provenance.method.age_cell" if written else "provenance.method.age_days"
        )
    given = _text(value) != ""
    return (
        ("read", label("provenance.method.age_cell")) if given else ("calculated", label("provenance.method.age_dates"))
    )


def _cause_rows(record: _Record) -> list[dict[str, str]]:
    """Lines a to d and part II: code, words and interval of each entry."""
    rows = []
    for cause in record.causes.to_dict("records"):
        line, code = _text(cause["line"]), _text(cause["icd10_code"])
        words = " · ".join(
            filter(
                None,
                (_text(cause["cause_text"]), _text(cause["icd10_as_written"]), _text(cause["interval_as_written"])),
            )
        )
        name = f"cause_{line}_{int(cause['position'])}"
        if record.hide_causes:
            rows.append(_row(name, MASK, MASK, "", "masked", label("provenance.method.masked")))
            continue
        interval = " ".join(filter(None, (_text(cause["interval_value"]), _text(cause["interval_unit"]))))
        value = " · ".join(filter(None, (code, interval))) or _text(cause["cause_text"])
        how = "as_written" if value == words else "read"
        rows.append(
            _row(
                name,
                value,
                words,
                "",
                how,
                label(f"provenance.method.{'as_written' if how == 'as_written' else 'line'}"),
            )
        )
    return rows


def _coded_row(record: _Record) -> dict[str, str]:
    """The code under which the death is tabulated, and the rule that chose it."""
    name, code = "underlying_cause", _text(record.code.get("code"))
    if record.hide_causes:
        return _row(name, MASK, MASK, "", "masked", label("provenance.method.masked"))
    if not record.code:
        return _row(name, "", "", "", "not_given", label("provenance.method.not_coded"))
    rule, decision = _text(record.code.get("rule")), _text(record.code.get("decision"))
    return _row(
        name,
        code,
        _text(record.death.get("cause_text")),
        "",
        "coded",
        label("provenance.method.coded", rule=rule, decision=decision),
    )


def _replacement_rows(record: _Record, death_id: str) -> list[dict[str, str]]:
    rows = []
    for one in record.replacements.to_dict("records"):
        replaced = one["record_id"] == death_id
        other = _text(one["replaced_by"] if replaced else one["record_id"])
        name = ("replaced_by" if other else "withdrawn") if replaced else "corrects"
        said = label(f"provenance.method.{name}", moment=_text(one["decided_at"]), account=_text(one["decided_by"]))
        rows.append(_row(name, other or death_id, _text(one["reason"]), "", "corrected", said))
    return rows


def title_of(name: str) -> str:
    """The title of a field in the current language."""
    from tkyt_analysis.labels import current_language

    if name.startswith("cause_") and name.count("_") == 2:
        _, line, position = name.split("_")
        return label("records.cause_line", line="II" if line == "part2" else line, position=position)
    if name in ("underlying_cause", "replaced_by", "withdrawn", "corrects"):
        return label(f"records.field.{name}")
    for table in ("death", "death_identity"):
        column = load_entries("datasets")[table].columns.get(name)
        if column is not None:
            return str(getattr(column.title, current_language()))
    return name

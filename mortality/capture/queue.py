"""Stored records of the book that have open findings, worst first; one of them as the values of the form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.capture.fields import CORRECTS, WITH_CHOICES, form_fields
from tkyt_analysis.access import current_account, require
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from tkyt_analysis.access.warehouse_view import ScopedWarehouse

SOURCE = "a6"  # records of other documents are corrected by who wrote them
MOST = 200
SEVERITY_ORDER = "CASE severity WHEN 'error' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END"
_FINDINGS = """
    SELECT json_extract_string(f.fields, '$.death_id') AS death_id, f.rule_id, f.severity, f.at_stake, f.probability, f.fields,
           f.value, f.expected, f.lower, f.upper, f.period_id, f.explanation, d.unit_id, d.death_date, d.sex, d.age_years
    FROM lake.finding f JOIN lake.death d ON d.death_id = json_extract_string(f.fields, '$.death_id')
    WHERE d.source = '{source}' AND {units} AND coalesce(f.verdict, '') <> 'explained'
      AND d.death_id NOT IN ({replaced}) {unit} {notes}
"""


@dataclass(frozen=True)
class Waiting:
    """One record with open findings: its worst severity, and a sentence per finding. No name: the list is for the screen."""

    death_id: str
    severity: str
    sentences: tuple[str, ...]
    unit_id: str
    death_date: str
    sex: str
    age: str


def waiting_records(home: Path, *, unit_id: str = "", notes: bool = False, limit: int = MOST) -> list[Waiting]:
    """The records of the book in the account's scope that have open findings, by severity, then by what is at stake.

    unit_id : only those of this commune; notes : also records with nothing but notes
    """
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    account = require(home, "read")
    if not (Path(home) / "warehouse").exists():
        return []
    with scoped_warehouse(home, account) as view:
        rows = _findings(view, unit_id, notes, limit)
    return [_waiting(str(key), part) for key, part in rows.groupby("death_id", sort=False)]


def _findings(view: ScopedWarehouse, unit_id: str, notes: bool, limit: int) -> pd.DataFrame:
    sql = _FINDINGS.format(
        source=SOURCE, units=view.units("d.unit_id"), unit="AND d.unit_id = $unit" if unit_id else "",
        notes="" if notes else "AND f.severity <> 'note'", replaced=_hidden(view),
    )  # fmt: skip
    ranked = f"""
        WITH open AS ({sql}), best AS (
            SELECT death_id, min({SEVERITY_ORDER}) AS worst, max(at_stake) AS stake, count(*) AS number FROM open GROUP BY 1
            ORDER BY worst, stake DESC, number DESC, death_id LIMIT {int(limit)})
        SELECT open.* FROM open JOIN best USING (death_id)
        ORDER BY best.worst, best.stake DESC, best.number DESC, death_id, {SEVERITY_ORDER}, rule_id"""
    con = view.warehouse.con
    return con.execute(ranked, {"unit": unit_id} if unit_id else None).df()


def _hidden(view: ScopedWarehouse) -> str:
    """Records that are not offered: replaced ones, and those about HIV where the account has no right to them."""
    from mortality.hiv import DEATHS
    from mortality.records.replaced import replaced_records_sql
    from tkyt_analysis.access import decide

    hidden = replaced_records_sql(view.warehouse)
    if decide(current_account(view.warehouse.home), "read_hiv").allowed:
        return hidden
    return f"SELECT * FROM ({hidden}) UNION ALL SELECT * FROM ({DEATHS})"


def _waiting(death_id: str, part: pd.DataFrame) -> Waiting:
    first = part.iloc[0]
    day = "" if pd.isna(first["death_date"]) else f"{first['death_date']:%d/%m/%Y}"
    age = "" if pd.isna(first["age_years"]) else f"{first['age_years']:g}"
    sentences = tuple(_sentence(row) for row in part.to_dict("records"))
    return Waiting(
        death_id, str(first["severity"]), sentences, str(first["unit_id"]), day, str(first["sex"] or ""), age
    )


def _sentence(row: dict[str, Any]) -> str:
    """The finding in the words of its rule, without unit and month."""
    from mortality.validation.one_record import record_sentence
    from tkyt_analysis.catalog import load_entries

    rule = load_entries("rules").get(str(row["rule_id"]))
    if rule is None:
        return str(row["rule_id"])
    try:
        own = json.loads(row["fields"] or "{}")
    except ValueError:
        own = {}
    figures = {name: row[name] for name in ("value", "expected", "lower", "upper") if not pd.isna(row[name])}
    return record_sentence(rule, {**own, **figures})


# ------------------------------------------------------------------------------------ one record in the form


@dataclass(frozen=True)
class Opened:
    """A stored record as values of the form. `named`: whether the names could be shown."""

    death_id: str
    unit_id: str
    values: dict[str, str]
    named: bool


FROM_DEATH = {
    "sex": "sex", "ethnic_group": "ethnic_group", "occupation": "occupation", "death_time": "death_time",
    "place_of_death": "place_of_death", "care_before_death": "care_before_death", "cause_text": "cause_text",
    "icd10_as_written": "icd10_as_written", "maternal_timing": "maternal_timing", "manner": "manner", "external_place": "external_place",
    "external_activity": "external_activity", "source_list": "source_list", "informant_relation": "informant_relation",
}  # fmt: skip
FROM_IDENTITY = ("full_name", "address", "id_number", "insurance_number", "note")
AGE_WORDS = {"years": "", "months": " tháng", "days": " ngày", "hours": " giờ"}


def open_record(home: Path, death_id: str, *, why: str) -> Opened:
    """A stored record of the book for its correction, the texts as they were written where that is kept.

    Names and papers come with the right to identifiers alone, for a reason that the audit log keeps.
    Raises InputError where there is no such record in the account's scope.
    """
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    account = require(home, "read")
    with scoped_warehouse(home, account) as view:
        found = view.warehouse.con.execute(
            f"SELECT * FROM lake.death WHERE death_id = ? AND source = ? AND {view.units()} "
            f"AND death_id NOT IN ({_hidden(view)})",
            [death_id, SOURCE],
        ).df()
        causes = view.warehouse.con.execute("SELECT * FROM lake.death_cause WHERE death_id = ?", [death_id]).df()
    if found.empty:
        raise InputError("error.capture_no_record", record=death_id, account=account.name)
    row = found.iloc[0]
    values = _of_death(row) | _of_causes(causes)
    named = _may_read(home)
    if named:
        values |= _of_identity(home, death_id, why)
        values |= _as_written(home, death_id, why)
    known = form_fields()
    kept = {name: value for name, value in values.items() if name in known and value}
    return Opened(death_id, str(row["unit_id"]), kept | {CORRECTS: death_id}, named)


def _may_read(home: Path) -> bool:
    from tkyt_analysis.access import decide

    return decide(current_account(home), "read_identifiers", table="death_identity").allowed


def _text(value: Any) -> str:
    return "" if value is None or pd.isna(value) else str(value)


def _of_death(row: pd.Series) -> dict[str, str]:
    values = {name: _text(row.get(column)) for name, column in FROM_DEATH.items()}
    day = row.get("death_date")
    values["death_date"] = _text(row.get("death_date_as_written")) if pd.isna(day) else f"{day:%d/%m/%Y}"
    maternal = row.get("maternal_death")
    values["maternal_death"] = "" if maternal is None or pd.isna(maternal) else ("yes" if maternal else "no")
    if not pd.isna(row.get("age_value")):
        values["age"] = f"{row['age_value']:g}{AGE_WORDS.get(_text(row.get('age_unit')), '')}"
    if _text(row.get("birth_year")):
        values["birth"] = str(int(row["birth_year"]))
    return values


def _of_causes(causes: pd.DataFrame) -> dict[str, str]:
    """The lines of the certificate part, where the record has them."""
    values: dict[str, str] = {}
    for line, part in causes.sort_values(["line", "position"]).groupby("line"):
        name = "part2" if line == "part2" else f"line_{line}"
        texts, codes = [_text(one) for one in part["cause_text"]], [_text(one) for one in part["icd10_as_written"]]
        values[name] = "; ".join(dict.fromkeys(filter(None, texts)))
        values[f"{name}_icd10"] = ", ".join(dict.fromkeys(filter(None, codes)))
        values[f"{name}_interval"] = next(filter(None, map(_text, part["interval_as_written"])), "")
    return values


def _of_identity(home: Path, death_id: str, why: str) -> dict[str, str]:
    from tkyt_analysis.access.identifiers import read_identities

    rows = read_identities(home, [death_id], why=why, table="death_identity")
    if rows.empty:
        return {}
    row = rows.iloc[0]
    values = {name: _text(row.get(name)) for name in FROM_IDENTITY}
    born = row.get("birth_date")
    values |= (
        _birth_or_age(_text(row.get("birth_as_written")))
        if born is None or pd.isna(born)
        else {"birth": f"{born:%d/%m/%Y}"}
    )
    return {name: value for name, value in values.items() if value}


def _birth_or_age(text: str) -> dict[str, str]:
    """Books with one column for both: "71" is an age, "1950" a year of birth."""
    from mortality.register_values import read_age

    return {"age": text} if read_age(text).unit else {"birth": text}


def _as_written(home: Path, death_id: str, why: str) -> dict[str, str]:
    """The texts of the line as it stood, of fields that are plain text; {} for records that came before they were kept."""
    from tkyt_analysis.access.identifiers import read_identities
    from tkyt_analysis.catalog import load_entries

    if "death_as_written" not in load_entries("datasets"):
        return {}
    try:
        rows = read_identities(home, [death_id], why=why, table="death_as_written")
    except Exception as error:  # the table is not there in a home of an earlier version
        if type(error).__name__ != "CatalogException":
            raise
        return {}
    fields = form_fields()
    texts: Sequence[tuple[Any, Any]] = list(
        rows.get(["field", "text"], pd.DataFrame()).itertuples(index=False, name=None)
    )
    return {str(name): _text(text) for name, text in texts
            if name in fields and fields[name].kind not in WITH_CHOICES and _text(text)}  # fmt: skip

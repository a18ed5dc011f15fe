"""Clerical review: which pairs wait, two records side by side, and what speaks for one person in words.

Identifiers come through `read_identities` only: the right to them, a reason, the scope of the account, an audit line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.linkage.candidates import SENT_HOME
from mortality.linkage.similar import similar_to
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

__all__ = ["review_queue", "side_by_side", "similar_to"]
QUEUE_COLUMNS = [
    "record_a", "record_b", "probability", "reasons", "held_back", "source_a", "source_b", "unit_a", "unit_b",
]  # fmt: skip
IDENTIFIERS = ("full_name", "birth_as_written", "birth_date", "id_number", "address", "informant", "note")
FIELDS = (
    "source", "unit_id", "residence_unit_id", "day", "day_as_written", "birth_year", "age", "sex", "ethnic_group", "occupation",
    "place_of_death", "cause_text", "icd10_as_written", "file", "person_id",
)  # fmt: skip
_SIDES = f"""
    SELECT record_id, coalesce(unit_id, '') AS unit_id, source FROM (
        SELECT death_id AS record_id, unit_id, source FROM lake.death UNION ALL SELECT event_id, unit_id, '{SENT_HOME}' FROM lake.sent_home_dying)
"""
# Pairs that wait and whose records are not already one person by other ways; the likeliest first.
_QUEUE = """
    SELECT p.record_a, p.record_b, p.probability, p.reasons, p.held_back, a.source AS source_a, b.source AS source_b,
           a.unit_id AS unit_a, b.unit_id AS unit_b
    FROM lake.death_link_pair p JOIN side a ON a.record_id = p.record_a JOIN side b ON b.record_id = p.record_b
    LEFT JOIN lake.death_match m ON m.record_id = p.record_a LEFT JOIN lake.death_match n ON n.record_id = p.record_b
    WHERE p.state = 'review' AND coalesce(m.person_id <> n.person_id, true) AND {a_seen} AND {b_seen}
    ORDER BY p.probability DESC NULLS LAST, p.record_a, p.record_b
"""


def review_queue(home: Path, *, limit: int = 50) -> pd.DataFrame:
    """The pairs that wait for a person, the likeliest first: record_a, record_b, probability, reasons (a sentence), held_back
    (why a likely pair was not joined, a sentence or ""), source_a, source_b, unit_a, unit_b.

    An account sees the pairs of which both records came in at units that it reads; attrs["waiting"] is how many there are.
    """
    from tkyt_analysis.access import require
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    account = require(home, "read", table="death_link_pair")
    with scoped_warehouse(home, account) as view:
        if not view.warehouse.has("death_link_pair"):
            return pd.DataFrame(columns=QUEUE_COLUMNS)
        view.warehouse.con.execute(f"CREATE OR REPLACE TEMP VIEW side AS {_SIDES}")
        seen = {"a_seen": view.units("a.unit_id"), "b_seen": view.units("b.unit_id")}
        rows = view.warehouse.query(_QUEUE.format(**seen))
    shown = rows.head(limit)
    sentences = [reasons_in_words(text) for text in shown["reasons"]]
    why = [label(f"persons.held_back.{code}") if code else "" for code in shown["held_back"]]
    result = shown.assign(reasons=sentences, held_back=why)[QUEUE_COLUMNS]
    result.attrs["waiting"] = len(rows)
    return result


def reasons_in_words(reasons: str | Sequence[str], language: str | None = None) -> str:
    """Label keys (a sequence, or a text with blanks between) as one sentence."""
    keys = reasons.split() if isinstance(reasons, str) else list(reasons)
    return "; ".join(label(key, language) for key in keys)


def require_records(home: Path, warehouse: Warehouse, ids: Sequence[str], *, action: str = "read") -> None:
    """Refuse an account that may not do the action at the place of every record."""
    from mortality.linkage.decisions import units_of_records
    from tkyt_analysis.access import NATION, require

    for unit in sorted(set(units_of_records(warehouse, ids).values())):
        require(home, action, place=unit or NATION)


def side_by_side(home: Path, record_ids: Sequence[str], *, why: str = "") -> pd.DataFrame:
    """Records beside each other: one row per field, columns field, title, and one per record (its id).

    Names and other identifiers are shown to accounts with the right to them alone (`attrs["identifiers"]`), records that
    concern HIV with that right only; what may not be shown says so. why : reason for the audit log (a standard one if "").
    """
    from mortality.linkage.decisions import full_ids
    from mortality.linkage.persons import reading

    if len(record_ids) < 1:
        raise InputError("error.link_no_record")
    with reading(home) as warehouse:
        ids = full_ids(warehouse, list(record_ids))
    shown = records_in_words(home, ids, why=why or label("persons.why_side_by_side"))
    identifiers = "full_name" in shown.index
    shown = shown[shown.ne("").any(axis=1)]
    titles = [label(f"persons.field.{name}") for name in shown.index]
    result = shown.reset_index(names="field")
    result.insert(1, "title", titles)
    result.attrs["identifiers"] = identifiers
    return result


def records_in_words(home: Path, ids: Sequence[str], *, why: str) -> pd.DataFrame:
    """Fields × records as text; IDENTIFIERS only for accounts with the right to them. The account must read each record's place."""
    from mortality.linkage.persons import reading

    with reading(home) as warehouse:
        require_records(home, warehouse, ids)
        plain = _plain_fields(home, warehouse, ids)
    names = _identifiers(home, ids, why)
    return plain if names is None else pd.concat([names, plain])


def _plain_fields(home: Path, warehouse: Warehouse, ids: Sequence[str]) -> pd.DataFrame:
    """FIELDS × records as text, without identifiers; causes that concern HIV are withheld where they must be."""
    wanted = ", ".join("'" + one.replace("'", "''") + "'" for one in ids)
    rows = warehouse.query(
        f"""
        SELECT d.*, coalesce(m.person_id, '') AS person_id, f.file_name || ' / ' || coalesce(d.sheet, '') || ' / ' || coalesce(d.row_number::VARCHAR, '') AS file
        FROM (
            SELECT death_id AS record_id, source, unit_id, residence_unit_id, strftime(CAST(death_date AS DATE), '%d/%m/%Y') AS day, death_date_as_written AS day_as_written,
                   birth_year::VARCHAR AS birth_year, age_value, age_unit, sex, ethnic_group, occupation, place_of_death, cause_text,
                   icd10_as_written, file_sha256, sheet, row_number FROM lake.death WHERE death_id IN ({wanted})
            UNION ALL BY NAME
            SELECT event_id AS record_id, '{SENT_HOME}' AS source, unit_id, residence_unit_id, strftime(CAST(discharge_date AS DATE), '%d/%m/%Y') AS day,
                   discharge_date_as_written AS day_as_written, birth_year::VARCHAR AS birth_year, age_value, age_unit, sex,
                   diagnosis_text AS cause_text, icd10_as_written, file_sha256, sheet, row_number FROM lake.sent_home_dying WHERE event_id IN ({wanted})
        ) d LEFT JOIN lake.death_match m USING (record_id) LEFT JOIN lake.received_file f USING (file_sha256)
        """
    )
    rows = rows.set_index("record_id").reindex(list(ids))
    rows["age"] = [_age(value, unit) for value, unit in zip(rows["age_value"], rows["age_unit"], strict=True)]
    for name in ("unit_id", "residence_unit_id"):
        rows[name] = [_unit(warehouse, one) for one in rows[name]]
    for name in ("source", "sex"):
        rows[name] = [_word(name, one) for one in rows[name]]
    withheld = [one for one in ids if one in _hiv(home, warehouse, ids)]
    rows.loc[withheld, ["cause_text", "icd10_as_written"]] = label("persons.withheld")
    return _as_text(rows[list(FIELDS)]).T


def _as_text(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype(object).where(rows.notna(), "").astype(str)


def _age(value: Any, unit: Any) -> str:
    from tkyt_analysis.labels import format_number

    if pd.isna(value):
        return ""
    return f"{format_number(float(value), 0)} {_word('age_unit', unit)}".strip()


def _word(kind: str, code: Any) -> str:
    """The word of a code where there is one, else the code itself."""
    from tkyt_analysis.labels import all_labels

    if not isinstance(code, str) or not code:
        return ""
    key = f"persons.{kind}.{code}"
    return label(key) if key in all_labels() else code


def _unit(warehouse: Warehouse, unit: Any) -> str:
    if not isinstance(unit, str) or not unit:
        return ""
    rows = warehouse.con.execute("SELECT name FROM lake.organisation_unit WHERE unit_id = ? LIMIT 1", [unit]).fetchall()
    return f"{rows[0][0]} ({unit})" if rows else unit


def _hiv(home: Path, warehouse: Warehouse, ids: Sequence[str]) -> set[str]:
    """The records among these that concern HIV and that the account may therefore not see whole."""
    from mortality.hiv import DEATHS
    from mortality.hiv import SENT_HOME as SENT_HOME_HIV
    from tkyt_analysis.access.decision import decide
    from tkyt_analysis.access.door import current_account

    if decide(current_account(home), "read_hiv").allowed:
        return set()
    rows = warehouse.con.execute(f"({DEATHS}) UNION ({SENT_HOME_HIV})").fetchall()
    return {key for (key,) in rows} & set(ids)


def _identifiers(home: Path, ids: Sequence[str], why: str) -> pd.DataFrame | None:
    """IDENTIFIERS × records as text, None for an account without the right to them."""
    from tkyt_analysis.access.decision import decide
    from tkyt_analysis.access.door import current_account
    from tkyt_analysis.access.identifiers import read_identities

    if not decide(current_account(home), "read_identifiers").allowed:
        return None
    parts = []
    for table, key in (("death_identity", "death_id"), ("sent_home_identity", "event_id")):
        rows = read_identities(home, list(ids), why=why, table=table).rename(columns={key: "record_id"})
        parts.append(rows.reindex(columns=["record_id", *IDENTIFIERS]).astype(object))
    found = pd.concat(parts).drop_duplicates("record_id").set_index("record_id")
    found["birth_date"] = [f"{pd.Timestamp(one):%d/%m/%Y}" if pd.notna(one) else "" for one in found["birth_date"]]
    known = _as_text(found.reindex(list(ids)))
    known.loc[[one for one in ids if one not in found.index], "full_name"] = label("persons.withheld")
    return known.T

"""Stored records that may be of the person who is being typed: one record against those that could be meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.linkage import candidates

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.access.warehouse_view import ScopedWarehouse

COLUMNS = ["record_id", "probability", "reasons"]
TYPED = "typed"  # the id of the record that is typed, for the time of the comparison
MOST, SAMPLE, DAYS, LEAST = 400, 1500, 62, 0.1
_TYPED = {"full_name": "full_name", "sex": "sex", "birth": "birth", "death_date": "death_date", "address": "address",
          "place_code": "place_code", "id_number": "id_number"}  # fmt: skip
# Those that share the ID number or the name, or died in the commune about that day; and others, by which it is known how
# common names are.
_LOOKED_AT = """
    CREATE OR REPLACE TEMP TABLE similar_record AS
    SELECT * FROM ({records}) WHERE record_id IN (
        SELECT r.record_id FROM (
            SELECT p.record_id, coalesce(p.id_number = t.id_number, false) OR coalesce(p.plain_name = t.plain_name, false) AS named,
                   right(p.home_2025, 5) = t.commune OR right(p.home, 5) = t.commune AS near, abs(p.day - t.day) AS days
            FROM person_record p, typed_record t
        ) r WHERE named OR near AND days <= {days} ORDER BY named DESC, days, record_id LIMIT {most}
    ) OR record_id IN (SELECT record_id FROM person_record ORDER BY hash(record_id), record_id LIMIT {sample})
"""


def similar_to(home: Path, record: Mapping[str, str], *, limit: int = 5) -> pd.DataFrame:
    """The stored records that are most probably of the person of `record`: record_id, probability, reasons (a sentence).

    record : any of full_name, sex (male, female, or a word of it), birth, age (years), death_date, address, place_code
        (commune), id_number, as text
    Compared are records that the account sees, and only with the right to identifiers: without it the answer is empty
    and attrs["names"] is False. An audit line says that names were compared.
    """
    from tkyt_analysis.access import require
    from tkyt_analysis.access.decision import decide
    from tkyt_analysis.access.warehouse_view import scoped_warehouse

    account = require(home, "read")
    empty = pd.DataFrame(
        {
            "record_id": pd.Series(dtype="str"),
            "probability": pd.Series(dtype="float64"),
            "reasons": pd.Series(dtype="str"),
        }
    )
    empty.attrs["names"] = decide(account, "read_identifiers").allowed
    if not empty.attrs["names"]:
        return empty
    with scoped_warehouse(home, account) as view:
        try:
            found = _scored(view, dict(record)) if _offer(view, home) else empty
        finally:
            candidates.drop_records(view.warehouse.con)
    found = found[found["probability"] >= LEAST].head(limit).reset_index(drop=True)
    found.attrs["names"] = True
    return found


def _offer(view: ScopedWarehouse, home: Path) -> int:
    """`person_record` of what the account sees; how many records."""
    from mortality.records.replaced import replaced_records_sql
    from tkyt_analysis.access.audit import record as audit
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    warehouse = view.warehouse
    if not warehouse.has("death", "sent_home_dying"):
        return 0
    with warehouse.restricted():
        audit(home, "identifiers_compared", table="death_identity sent_home_identity")
        candidates.keep_identities(warehouse.con, candidates.IDENTITY_TABLES)
    death, sent = (f"(SELECT * FROM lake.{table} WHERE {view.units()})" for table in ("death", "sent_home_dying"))
    where = (
        f"r.file_sha256 NOT IN ({replaced_files_sql(warehouse)}) "
        f"AND r.record_id NOT IN ({replaced_records_sql(warehouse)})"
    )
    return candidates.make_records(warehouse.con, death=death, sent_home=sent, where=where)


def _scored(view: ScopedWarehouse, record: dict[str, str]) -> pd.DataFrame:
    from mortality.linkage.model import Scorer, starting_model
    from mortality.linkage.prepare import drop_prepared, prepare_records

    con = view.warehouse.con
    _keep_typed(con, record)
    con.execute(_LOOKED_AT.format(records=candidates.ENGINE_RECORDS, days=DAYS, most=MOST, sample=SAMPLE))
    con.execute(
        "INSERT INTO similar_record BY NAME SELECT record_id, 'typed' AS list_id, full_name, sex, birth, death_date, address, place_code, id_number FROM typed_record"
    )
    try:
        records = prepare_records(con, "similar_record")
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE similar_pair AS SELECT a.rec AS rec_l, b.rec AS rec_r FROM linkage_record a JOIN linkage_record b
            ON b.record_id = '{TYPED}' AND a.record_id <> '{TYPED}'"""
        )
        scorer = Scorer(con)
        scorer.score(starting_model(records), "similar_pair", "similar_scored", minimum=0.001)
        scorer.close()
        return _answers(con)
    finally:
        drop_prepared(con)
        for name in ("similar_record", "similar_pair", "similar_scored", "typed_record"):
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")


def _keep_typed(con: duckdb.DuckDBPyConnection, record: dict[str, str]) -> None:
    """`typed_record`: one row, with what the engine takes and by what others are looked for."""
    from mortality.register_dates import read_date
    from tkyt_analysis.reference.vietnamese_text import fold

    day = getattr(read_date(record.get("death_date", "")), "day", None)
    age = record.get("age", "").strip()
    birth = record.get("birth", "") or (str(day.year - int(age)) if day is not None and age.isdigit() else "")
    row: dict[str, Any] = {name: record.get(key, "").strip() or None for name, key in _TYPED.items()}
    row |= {"birth": birth or None, "death_date": day.strftime("%Y-%m-%d") if day is not None else row["death_date"]}
    digits = "".join(one for one in row["id_number"] or "" if one.isalnum()).upper() or None
    name = " ".join(sorted(fold(row["full_name"] or "").split())) or None
    commune = (row["place_code"] or "").rpartition(":")[2] or None
    frame = pd.DataFrame(
        [
            {
                "record_id": TYPED,
                **row,
                "id_number": digits,
                "plain_name": name,
                "commune": commune,
                "day": row["death_date"],
            }
        ]
    )
    con.register("incoming", frame.astype("str").where(frame.notna(), None))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE typed_record AS SELECT * REPLACE (try_cast(day AS DATE) AS day) FROM incoming"
    )
    con.unregister("incoming")


def _answers(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    import json

    from mortality.linkage.review import reasons_in_words

    rows = con.execute(
        "SELECT l.record_id, s.* EXCLUDE (rec_l, rec_r, match_weight) FROM similar_scored s JOIN linkage_record l ON l.rec = s.rec_l "
        "ORDER BY s.match_probability DESC, l.record_id"
    ).df()
    levels = [name for name in rows.columns if name.startswith("level_")]
    texts = [json.dumps({name.removeprefix("level_"): int(value) for name, value in zip(levels, row, strict=True)})
             for row in rows[levels].itertuples(index=False)]  # fmt: skip
    sentences = [reasons_in_words(candidates.reason_keys(text)) for text in texts]
    return rows.rename(columns={"match_probability": "probability"}).assign(reasons=sentences)[COLUMNS]

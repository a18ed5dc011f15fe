"""Corrected records: a line that says which earlier record it corrects lands as a record of its own; the earlier one stays
and no longer counts. A line with nothing but that and a reason withdraws the earlier record.

The doors read the two headings (`corrects`, `correction_reason`); the gate sees to it that a record is corrected that is
there, that the receiver may change, and only once at a time.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.ingest.door import Batch, Quarantined
from tkyt_analysis.warehouse.replaced import RECORDS, replaced_files_sql

if TYPE_CHECKING:
    from tkyt_analysis.ingest.staging import Staging
    from tkyt_analysis.warehouse.lake import Warehouse

CORRECTION_COLUMNS = ["record_id", "record_key", "reason", "sheet", "row_number"]
RECORD_ID = r"[0-9a-f]{20}"
NO_REASON = "quarantine.withdrawal_without_reason"
NO_RECORD = "quarantine.corrected_record_unknown"
IN_A_CIRCLE = "quarantine.correction_in_a_circle"
TWICE = "quarantine.record_corrected_twice"
OUTSIDE = "quarantine.outside_scope"


def corrections_of(lines: pd.DataFrame, keys: pd.Series, sheet: str) -> pd.DataFrame:
    """CORRECTION_COLUMNS of the lines that correct or withdraw a record; index of the lines.

    keys : record_key of the lines that are records of their own; the others that name a record withdraw it
    """
    if "corrects" not in lines:
        return pd.DataFrame(columns=CORRECTION_COLUMNS, index=lines.index[:0])
    empty = pd.Series("", index=lines.index, dtype="str")
    record = lines.get("corrects", empty).astype("str").fillna("").str.strip().str.lower()
    reason = lines.get("correction_reason", empty).astype("str").fillna("").str.strip()
    rows = record.index[record.ne("")]
    frame = pd.DataFrame({"record_id": record[rows], "reason": reason[rows].replace("", pd.NA)}, index=rows)
    frame["record_key"] = keys.reindex(rows)
    return frame.assign(sheet=sheet, row_number=rows)[CORRECTION_COLUMNS]


def withdrawals(corrections: pd.DataFrame) -> pd.DataFrame:
    """The corrections without a record in place of the old one."""
    return corrections[corrections["record_key"].isna()]


def correction_batches(corrections: pd.DataFrame, landed: pd.Index) -> list[Batch]:
    """`record_replacement` of the records that landed (beside them), and of withdrawals (lines that count themselves)."""
    if corrections.empty:
        return []
    beside = corrections[corrections["record_key"].notna() & corrections.index.isin(landed)]
    gone = withdrawals(corrections)
    said = gone[gone["reason"].notna()]
    silent = [Quarantined(NO_REASON, str(row.sheet), int(row.row_number), "", "", {"row": int(row.row_number)})
              for row in gone[gone["reason"].isna()].itertuples()]  # fmt: skip
    batches = [Batch(RECORDS, beside.reset_index(drop=True), counts=False)] if len(beside) else []
    if len(gone):
        batches.append(Batch(RECORDS, said.reset_index(drop=True), silent, [], len(gone)))
    return batches


# ------------------------------------------------------------------------------------------------- the gate


def record_gate(warehouse: Warehouse, staging: Staging) -> None:
    """Corrections of records that are not there (or not the receiver's), that go in a circle or name one record twice are
    quarantined with their lines; the others are dated and signed. What was corrected before is replaced in turn."""
    if RECORDS not in staging.used:
        return
    rows = _staged(warehouse)
    rows["refused"] = _reasons(warehouse, rows)
    _refuse(staging, rows[rows["refused"].ne("")])
    kept = rows[rows["refused"].eq("")]
    kept = pd.concat([kept, _earlier_corrections(warehouse, kept)], ignore_index=True)
    _put(warehouse, staging, _signed(warehouse, kept))


def _staged(warehouse: Warehouse) -> pd.DataFrame:
    """The staged corrections; of a record whose line did not land none is kept."""
    table = f"staged.{RECORDS}"
    has_deaths = warehouse.query("SELECT 1 FROM duckdb_tables() WHERE schema_name = 'staged' AND table_name = 'death'")
    if len(has_deaths):
        warehouse.con.execute(
            f"DELETE FROM {table} WHERE replaced_by IS NOT NULL AND replaced_by NOT IN (SELECT death_id FROM staged.death)"
        )
    return warehouse.query(f"SELECT * FROM {table} ORDER BY file_sha256, sheet, row_number").astype("object")


def _reasons(warehouse: Warehouse, rows: pd.DataFrame) -> pd.Series:
    reason = pd.Series("", index=rows.index, dtype="str")
    units = _units_of(warehouse, rows["record_id"])
    reason = reason.mask(~rows["record_id"].isin(units.index), NO_RECORD)
    reason = reason.mask(reason.eq("") & ~_in_scope(warehouse, rows["record_id"].map(units)), OUTSIDE)
    later = _successors(warehouse, rows["replaced_by"].dropna())
    circle = [
        old == new or old in later.get(new, set())
        for old, new in zip(rows["record_id"], rows["replaced_by"], strict=True)
    ]
    reason = reason.mask(reason.eq("") & pd.Series(circle, index=rows.index), IN_A_CIRCLE)
    return reason.mask(reason.eq("") & rows["record_id"].duplicated(), TWICE)


def _units_of(warehouse: Warehouse, ids: pd.Series) -> pd.Series:
    """The unit of each record that is known, by its id ("" where it has none)."""
    warehouse.con.register("asked_record", pd.DataFrame({"id": ids.astype("str")}))
    found = warehouse.query(
        "SELECT DISTINCT death_id, coalesce(unit_id, '') AS unit_id FROM lake.death WHERE death_id IN (SELECT id FROM asked_record)"
    )
    warehouse.con.unregister("asked_record")
    return found.drop_duplicates("death_id").set_index("death_id")["unit_id"]


def _in_scope(warehouse: Warehouse, units: pd.Series) -> pd.Series:
    from tkyt_analysis.access.door import current_account
    from tkyt_analysis.access.gates import known_units
    from tkyt_analysis.access.scopes import visible_units

    scope = current_account(warehouse.home).scope
    if scope.nation:
        return pd.Series(True, index=units.index)
    return units.isin(visible_units(scope.units, known_units(warehouse)))


def _successors(warehouse: Warehouse, ids: pd.Series) -> dict[str, set[str]]:
    """{record: what stands in its place now or stood there later}, for the records that were corrected before."""
    links = _links(warehouse)
    found = {}
    for start in ids.unique():
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            fresh = set(links.loc[links["record_id"].isin(waiting), "replaced_by"].dropna()) - seen
            seen |= fresh
            waiting = list(fresh)
        found[str(start)] = seen
    return found


def _links(warehouse: Warehouse) -> pd.DataFrame:
    files = replaced_files_sql(warehouse)
    return warehouse.query(
        f"SELECT record_id, replaced_by FROM lake.{RECORDS} WHERE file_sha256 IS NULL OR file_sha256 NOT IN ({files})"
    ).astype("object")


def _earlier_corrections(warehouse: Warehouse, rows: pd.DataFrame) -> pd.DataFrame:
    """A record that was corrected before is corrected again: what stood in its place no longer counts either."""
    known = warehouse.query(f"SELECT * FROM lake.{RECORDS}").astype("object")
    known = known[
        known["file_sha256"].isin(rows["file_sha256"])
    ]  # a file that is read again keeps what it replaced then
    fresh = rows[~rows["file_sha256"].isin(known["file_sha256"])]
    links = _successors(warehouse, fresh["record_id"])
    key = ["file_sha256", "row_number", "record_id"]
    before = known[~pd.MultiIndex.from_frame(known[key]).isin(pd.MultiIndex.from_frame(rows[key]))]
    again: list[dict[str, Any]] = before.reindex(columns=rows.columns).to_dict("records")
    for row in fresh.to_dict("records"):
        others = links.get(str(row["record_id"]), set()) - {row["replaced_by"]} - set(rows["record_id"])
        again += [{**row, "record_id": other} for other in sorted(others)]
    return pd.DataFrame(again, columns=rows.columns)


def _refuse(staging: Staging, rows: pd.DataFrame) -> None:
    """The whole line goes to quarantine: it may not count beside the record that it means to replace."""
    for reason, part in rows.groupby("refused"):
        staging.con.register(
            "refused_record", part[["file_sha256", "sheet", "row_number", "record_key", "replaced_by"]].astype("str")
        )
        said = "'{\"row\": ' || t.row_number || '}'"
        if "death" in staging.used:
            for table in ("death_cause", "death_document", "certificate"):
                if table in staging.used:
                    staging.con.execute(
                        f"DELETE FROM staged.{table} WHERE death_id IN (SELECT replaced_by FROM refused_record)"
                    )
            staging.refuse(
                "death", "t.death_id IN (SELECT replaced_by FROM refused_record)", reason=str(reason), fields=said
            )
        here = "(t.file_sha256, coalesce(t.sheet, ''), t.row_number) IN (SELECT file_sha256, sheet, row_number::BIGINT FROM refused_record)"
        staging.refuse(RECORDS, f"t.replaced_by IS NULL AND {here}", reason=str(reason), fields=said)
        staging.con.unregister("refused_record")


def _signed(warehouse: Warehouse, rows: pd.DataFrame) -> pd.DataFrame:
    """With the moment and the account; a file that is read again keeps those of the first time."""
    from tkyt_analysis.access.door import current_account

    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")
    rows = rows.drop(columns="refused", errors="ignore").assign(
        decided_at=now, decided_by=current_account(warehouse.home).name
    )
    known = warehouse.query(
        f"SELECT file_sha256, row_number, record_id, decided_at, decided_by FROM lake.{RECORDS}"
    ).astype("object")
    key = ["file_sha256", "row_number", "record_id"]
    merged = rows.merge(known.drop_duplicates(key), on=key, how="left", suffixes=("", "_before"))
    for name in ("decided_at", "decided_by"):
        merged[name] = merged[f"{name}_before"].fillna(merged[name])
    return merged[rows.columns]


def _put(warehouse: Warehouse, staging: Staging, rows: pd.DataFrame) -> None:
    columns = [row[0] for row in warehouse.con.execute(f"DESCRIBE staged.{RECORDS}").fetchall()]
    warehouse.con.execute(f"DELETE FROM staged.{RECORDS}")
    if len(rows):
        warehouse.con.register("signed_record", rows[columns].astype({"row_number": "Int64"}))
        warehouse.con.execute(f"INSERT INTO staged.{RECORDS} BY NAME SELECT * FROM signed_record")
        warehouse.con.unregister("signed_record")

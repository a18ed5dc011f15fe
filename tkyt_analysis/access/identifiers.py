"""The one function that reads identifiers of persons: grant, reason, scope, and an audit line before a row is handed out."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tkyt_analysis.access.audit import record
from tkyt_analysis.access.decision import NATION, Account, decide
from tkyt_analysis.access.door import require
from tkyt_analysis.access.warehouse_view import ScopedWarehouse, scoped_warehouse
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.modules import load_object, parts

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.catalog.entries import Dataset


RESULT_FILE = "TKYT_RESULT_FILE"  # set in the kernels of reports (tkyt_analysis.reports.kernel_run)


def read_identities(
    home: Path,
    ids: Sequence[str] | None = None,
    *,
    why: str,
    table: str = "death_identity",
    unit_id: str | None = None,
) -> pd.DataFrame:
    """Names and other identifiers of persons, for a reason that is kept in the audit log.

    ids : keys of the records (`death_id`), None for all; unit_id : only records of this unit and those below it
    table : the table of the restricted store
    Rows come only for units that the account reads. Rows that concern HIV come with the grant "hiv" alone; without it they are
    left out, and `attrs["hiv_left_out"]` and `attrs["said"]` say how many. Raises InputError in the kernel of a report (its
    outputs leave the workbench), without the grant "identifiers" or a reason, ProcessingError where the audit log cannot be written (then nothing is handed out).
    """
    if os.environ.get(RESULT_FILE):
        raise InputError("error.identifiers_in_report")
    if not why.strip():
        raise InputError("error.access_no_reason")
    account = require(home, "read_identifiers", table=table, place=unit_id)
    entry = _personal_entry(table)
    with scoped_warehouse(home, account) as view:
        rows = _rows(view, entry, ids, unit_id)
        hiv = _hiv_keys(view, table, entry)
    concerned = rows[entry.grain[0]].isin(hiv)
    left_out = 0 if _may_know_hiv(account) else int(concerned.sum())
    given = rows[~concerned] if left_out else rows
    asked = {} if ids is None else {"asked": len(ids)}
    record(
        home, "identifiers_read", why=why, rows=len(given), table=table, unit=unit_id or "", hiv_rows=int(concerned.sum()) - left_out,
        hiv_left_out=left_out, **asked,
    )  # fmt: skip
    given = given.reset_index(drop=True)
    given.attrs |= {"hiv_left_out": left_out, "said": _said(len(given), left_out)}
    return given


def _may_know_hiv(account: Account) -> bool:
    return decide(account, "read_hiv").allowed


def _personal_entry(table: str) -> Dataset:
    from tkyt_analysis.catalog import load_entries

    entry = load_entries("datasets").get(table)
    if entry is None or entry.access != "personal":
        raise InputError("error.not_personal", table=table)
    return entry


def _rows(view: ScopedWarehouse, entry: Dataset, ids: Sequence[str] | None, unit_id: str | None) -> pd.DataFrame:
    import pandas as pd

    from tkyt_analysis.access.scopes import visible_units

    view.warehouse.attach_restricted()
    key = entry.grain[0]
    conditions = [] if view.scope.nation else [f"{key} IN ({_owners(key, view.units())})"]
    if ids is not None:
        view.warehouse.con.register("wanted_id", pd.DataFrame({"id": pd.Series(list(ids), dtype="str")}))
        conditions.append(f"{key} IN (SELECT id FROM wanted_id)")
    if unit_id is not None and unit_id != NATION:
        table = view.warehouse.query("SELECT unit_id, parent_unit_id, province_id FROM lake.organisation_unit")
        below = visible_units(frozenset({unit_id}), table.astype("str").fillna(""))
        view.warehouse.con.register("wanted_unit", pd.DataFrame({"unit_id": sorted(below)}))
        conditions.append(f"{key} IN ({_owners(key, 'unit_id IN (SELECT unit_id FROM wanted_unit)')})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return view.warehouse.query(f'SELECT * FROM restricted."{entry.id}"{where} ORDER BY file_sha256, sheet, row_number')


def _owners(key: str, condition: str) -> str:
    """The keys of the analysis rows that meet a condition on their unit, over all tables with that key."""
    from tkyt_analysis.warehouse.schema import store_of, stored_datasets

    tables = [
        name
        for name, entry in stored_datasets().items()
        if store_of(entry) == "lake" and {key, "unit_id"} <= set(entry.columns)
    ]
    return " UNION ".join(f'SELECT "{key}" FROM lake."{name}" WHERE {condition}' for name in tables) or "NULL"


def _hiv_keys(view: ScopedWarehouse, table: str, entry: Dataset) -> set[str]:
    query = parts("hiv_records").get(table)
    if query is None:
        return set()
    return {key for (key,) in view.warehouse.con.execute(load_object(query)).fetchall()}


def _said(given: int, left_out: int) -> str:
    return label("identifiers.given", None, given=format_number(given), left_out=format_number(left_out))

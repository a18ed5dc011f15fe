"""Gates at ingest: rows outside the receiver's scope do not land, and nothing that names a person enters the open lake.

Both run on the staged rows of a group of files, before anything is stored (`Module.gates`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.access.masking import MASK, NUMBER_PATTERN, mask_text
from tkyt_analysis.access.scopes import visible_units
from tkyt_analysis.reference.vietnamese_text import fold

if TYPE_CHECKING:
    from tkyt_analysis.ingest.staging import Staging
    from tkyt_analysis.warehouse.lake import Warehouse

OUTSIDE = "quarantine.outside_scope"
SHARED = "quarantine.reference_by_scope"
WITHHELD = "note.identifier_withheld"
REPORTED_BY_ANYONE = frozenset({"quarantine", "ingest_note", "received_file", "file_replacement", "record_replacement"})
HARMLESS = r"#[A-Z/0!?]+|[\d\s.,/<>=+%\-]{0,6}|.{0,3}"  # an error value, a short number, a word like "Nam"
SAFE_FIELDS = frozenset(
    {"row", "rows", "count", "unit", "units", "parent", "system", "nearest", "code", "first", "last", "file", "columns"}
)
PLACES = frozenset(
    {"sheet", "record_key", "column_name", "file_name"}
)  # where something stood; needed to find it again
LONG_ENOUGH = 8  # shorter addresses and dates ("1950", "Thôn 2") name nobody


def keep_to_scope(warehouse: Warehouse, staging: Staging) -> None:
    """Rows of units outside the receiver's scope are quarantined; reference data come from accounts of the nation only."""
    from tkyt_analysis.access.door import current_account

    account = current_account(warehouse.home)
    if account.scope.nation:
        return
    units = known_units(warehouse)
    seen = visible_units(account.scope.units, units)
    warehouse.con.register("scope_unit", pd.DataFrame({"unit_id": sorted(seen)}))
    said = json.dumps({"account": account.name, "unit": account.unit_id}, ensure_ascii=False).replace("'", "''")
    for table in staging.tables("lake"):
        if table in REPORTED_BY_ANYONE:
            continue
        has_unit = "unit_id" in staging.datasets[table].columns and table not in ("organisation_unit", "unit_alias")
        where = (
            "t.unit_id IS NULL OR t.unit_id NOT IN (SELECT unit_id FROM scope_unit)"
            if has_unit
            else _by_side(staging, table)
        )
        staging.refuse(table, where, reason=OUTSIDE if has_unit else SHARED, fields=f"'{said}'")
    warehouse.con.unregister("scope_unit")


def _by_side(staging: Staging, table: str) -> str:
    """Rows without a unit: those beside a record (causes of a certificate) follow it, reference data are refused."""
    key = staging.datasets[table].grain[0]
    main = [
        other
        for other in staging.tables("lake")
        if other != table and {"unit_id", key} <= set(staging.datasets[other].columns)
    ]
    return f'FALSE AND "{key}" IS NULL' if main else "TRUE"


def known_units(warehouse: Warehouse) -> pd.DataFrame:
    """Units and facilities as `visible_units` wants them: unit_id, parent_unit_id, province_id."""
    rows = warehouse.query(
        "SELECT unit_id, parent_unit_id, province_id FROM lake.organisation_unit "
        "UNION ALL SELECT facility_id, unit_id, NULL FROM lake.facility"
    )
    return rows.astype("str").fillna("")


# ---------------------------------------------------------------------------------- identifiers


def withhold_identifiers(warehouse: Warehouse, staging: Staging) -> None:
    """In files about single persons: values of quarantine rows and notes are withheld unless they are harmless, numbers and
    names of persons in free text are masked, and identifiers without a record go."""
    if staging.personal:
        _withhold_values(staging)
        _mask_own_identifiers(staging)
        _mask_free_text(staging)
        _remove_orphans(staging)


def _files(staging: Staging, column: str = "file_sha256") -> str:
    return f"{column} IN ({', '.join(repr(sha256) for sha256 in sorted(staging.personal))})"


def _withhold_values(staging: Staging) -> None:
    """`value` and `became` of quarantine and notes stay only where they can name nobody, their fields likewise."""
    for table, columns in (("quarantine", ("value",)), ("ingest_note", ("value", "became"))):
        if table not in staging.used:
            continue
        for column in columns:
            staging.con.execute(
                f"UPDATE staged.\"{table}\" SET {column} = '{MASK}' WHERE {_files(staging)} "
                f"AND NOT regexp_full_match(coalesce({column}, ''), ?, 's')",
                [HARMLESS],
            )
        _replace_distinct(staging, table, "fields", _safe_fields, where="fields <> '{}'")


def _safe_fields(text: str) -> str:
    """The fields with the texts withheld that are not known to come from our own lists."""
    try:
        fields = json.loads(text)
    except ValueError:
        return "{}"
    kept = {name: _safe_field(name, value) for name, value in fields.items()} if isinstance(fields, dict) else {}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True)


def _safe_field(name: str, value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= 3:
        return value if isinstance(value, (int, float, str, bool, type(None))) else MASK
    return mask_text(value) if name in SAFE_FIELDS else MASK


def _mask_own_identifiers(staging: Staging) -> None:
    """Texts that repeat the name, the address or the date of birth of their own record."""
    for people in staging.tables("restricted"):
        entry = staging.datasets[people]
        key = entry.grain[0]
        for table in staging.tables("lake"):
            if {key, "file_sha256"} <= set(staging.datasets[table].columns):
                for column in _text_columns(staging, table):
                    _mask_own(staging, table, column, people, key)


OWN = ("full_name", "address", "birth_as_written", "guardian_name", "informant")


def _mask_own(staging: Staging, table: str, column: str, people: str, key: str) -> None:
    # A newborn's day of death may well be its birthday: where a date is expected, it is no repeated date of birth.
    also_a_date = column.endswith("date_as_written") or "question_id" in staging.datasets[table].columns
    names = [
        name
        for name in OWN
        if name in staging.datasets[people].columns and not (also_a_date and name == "birth_as_written")
    ]
    if not names:
        return
    text = _folded_sql(f't."{column}"')
    hit = " OR ".join(
        f'(length(p."{name}") >= {LONG_ENOUGH} AND contains({text}, {_folded_sql(f"p.{name}")}))' for name in names
    )
    source = f'staged."{table}" t JOIN staged."{people}" p ON t."{key}" = p."{key}" AND t.file_sha256 = p.file_sha256'
    columns = ", ".join(f'p."{name}"' for name in names)
    rows = staging.con.execute(
        f'SELECT DISTINCT t."{key}", t."{column}", {columns} FROM {source} WHERE t."{column}" IS NOT NULL AND ({hit})'
    ).fetchall()
    masked = [(row[0], row[1], _without(row[1], row[2:])) for row in rows]
    _update(staging, table, column, pd.DataFrame(masked, columns=["key", "before", "after"]), key)


def _folded_sql(text: str) -> str:
    return f"replace(strip_accents(lower({text})), 'đ', 'd')"


def _without(text: str, identifiers: tuple[str | None, ...]) -> str:
    """The text with every place that repeats an identifier (but for case and accents) replaced by "…"."""
    for one in identifiers:
        if one and len(one) >= LONG_ENOUGH:
            folded, wanted = "".join(fold(letter) or letter for letter in text), fold(one)
            found = folded.find(wanted)
            if len(folded) != len(text) or found < 0:
                text = MASK if wanted in fold(text) else text
                continue
            text = text[:found] + MASK + text[found + len(wanted) :]
    return text


def _mask_free_text(staging: Staging) -> None:
    """Numbers and names of persons in the text columns of the open tables."""
    for table in staging.tables("lake"):
        if table in ("quarantine", "ingest_note") or "file_sha256" not in staging.datasets[table].columns:
            continue
        for column in _text_columns(staging, table):
            maybe = f'(regexp_matches("{column}", \'{NUMBER_PATTERN}\') OR length("{column}") >= {LONG_ENOUGH})'
            _replace_distinct(staging, table, column, mask_text, where=maybe, note=True)


def _text_columns(staging: Staging, table: str) -> list[str]:
    from tkyt_analysis.warehouse.schema import column_types

    entry = staging.datasets[table]
    return [
        name
        for name in column_types(entry)
        if entry.columns[name].type == "text" and not entry.columns[name].pseudonym_of and name not in PLACES
    ]


def _replace_distinct(
    staging: Staging, table: str, column: str, change: Callable[[str], str], *, where: str, note: bool = False
) -> None:
    """Put `change` of every distinct text in its place, in the personal files; with a note for each cell if wanted."""
    cursor = staging.con.execute(
        f'SELECT DISTINCT "{column}" FROM staged."{table}" WHERE {_files(staging)} AND "{column}" IS NOT NULL AND {where}'
    )
    pairs: list[tuple[str, str]] = []
    while rows := cursor.fetchmany(50_000):
        pairs += [(text, after) for (text,) in rows if (after := change(text)) != text]
    frame = pd.DataFrame(pairs, columns=["before", "after"])
    _update(staging, table, column, frame, None, note=note)


def _update(
    staging: Staging, table: str, column: str, changes: pd.DataFrame, key: str | None, *, note: bool = True
) -> None:
    if changes.empty:
        return
    staging.con.register("masked", changes)
    match = f't."{column}" = masked.before AND {_files(staging, "t.file_sha256")}' + (
        f' AND t."{key}" = masked.key' if key else ""
    )
    if note and {"sheet", "row_number"} <= set(staging.datasets[table].columns):
        staging.prepare("ingest_note")
        staging.con.execute(
            "INSERT INTO staged.ingest_note BY NAME SELECT t.file_sha256, t.sheet, t.row_number, ? AS column_name, '' AS value, "
            f"'' AS became, '{WITHHELD}' AS note, '{{}}' AS fields FROM staged.\"{table}\" t, masked WHERE {match}",
            [column],
        )
        for sha256, count in staging.con.execute(
            f'SELECT t.file_sha256, count(*) FROM staged."{table}" t, masked WHERE {match} GROUP BY 1'
        ).fetchall():
            staging.counts[sha256][3] += count
    staging.con.execute(f'UPDATE staged."{table}" AS t SET "{column}" = masked.after FROM masked WHERE {match}')
    staging.con.unregister("masked")


def _remove_orphans(staging: Staging) -> None:
    """Identifiers whose record did not land (quarantined by a gate) are not stored."""
    for people in staging.tables("restricted"):
        key = staging.datasets[people].grain[0]
        mains = [table for table in staging.tables("lake") if key in staging.datasets[table].columns]
        if mains:
            kept = " UNION ALL ".join(f'SELECT "{key}" FROM staged."{table}"' for table in mains)
            staging.con.execute(
                f'DELETE FROM staged."{people}" WHERE "{key}" IS NOT NULL AND "{key}" NOT IN '
                f'(SELECT "{key}" FROM ({kept}) WHERE "{key}" IS NOT NULL)'
            )

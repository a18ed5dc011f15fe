"""A table whose columns are those of its entry → typed rows of the entry's table; one reason per row that fails."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.entries import Column, Dataset
from tkyt_analysis.ingest.door import Batch, IngestContext
from tkyt_analysis.ingest.line_list_people import split_people, withheld
from tkyt_analysis.ingest.scratch import Scratch
from tkyt_analysis.ingest.tabular_layout import Match
from tkyt_analysis.ingest.tabular_lookups import (
    column_hint,
    plain_pattern,
    put_numbers,
    quoted,
    read_date,
    read_period,
    resolve_units,
)

DIRECTIVES = ("unit_system", "unit_level", "dash", "decimal", "dataset_id")
_TRUE = ("true", "1", "yes", "y", "x", "co", "có", "đúng")
_FALSE = ("false", "0", "no", "n", "khong", "không", "sai")


def row_batches(scratch: Scratch, match: Match, context: IngestContext, sheet: str) -> Iterator[Batch]:
    """The rows of a table in pieces. A row fails with its first bad column; empty rows are no rows."""
    entry = match.entry
    raw = {name: f"c{at}" for name, at in match.positions.items()}
    typed: list[str] = []
    joins: list[str] = []
    reasons: list[str] = []
    notes: list[str] = []
    for name, column in raw.items():
        value, join, reason, note = _column_sql(scratch, entry, name, column, raw, context)
        typed.append(f'{value} AS "{name}"')
        joins += [join] if join else []
        trimmed = f"trim(coalesce(raw.{column}, ''))"
        if entry.columns[name].required or name in entry.grain:
            reasons.append(_case(f"{trimmed} = ''", "quarantine.value_missing", name, column))
        said = f"coalesce(look_{column}.said, '')" if entry.columns[name].type == "unit" else "''"
        reasons.append(f"WHEN {trimmed} <> '' AND {reason[0]} THEN {_struct(reason[1], name, column, said)}")
        if entry.columns[name].required:  # written, but as "no data"
            reasons.append(_case(f"({value}) IS NULL", "quarantine.value_missing", name, column))
        if note:
            notes.append(f"CASE WHEN {note} <> '' THEN {_struct(note, name, column)} END")
    filled = " OR ".join(f"trim(coalesce({column}, '')) <> ''" for column in raw.values())
    sql = f"""
        CREATE OR REPLACE VIEW typed AS
        SELECT raw.row_number, {", ".join(typed)}, CASE {" ".join(reasons)} END AS refusal,
               list_filter([{", ".join(notes) or "NULL"}], one -> one IS NOT NULL) AS noted
        FROM raw {" ".join(joins)} WHERE {filled}"""
    scratch.con.execute(sql)
    _find_repeated(scratch, list(raw))
    for piece in scratch.pieces("SELECT t.*, r.same_as FROM typed t LEFT JOIN repeated r USING (row_number)"):
        yield from _row_batches(piece, entry, list(raw), sheet)


def _struct(reason: str, name: str, column: str, said: str = "''") -> str:
    key = reason if reason.startswith(("coalesce", "n_", "CASE")) else quoted(reason)
    return f"{{'key': {key}, 'name': {quoted(name)}, 'value': raw.{column}, 'said': {said}}}"


def _case(condition: str, reason: str, name: str, column: str) -> str:
    return f"WHEN {condition} THEN {_struct(reason, name, column)}"


def _column_sql(
    scratch: Scratch, entry: Dataset, name: str, column: str, raw: dict[str, str], context: IngestContext
) -> tuple[str, str, tuple[str, str], str]:
    """(value, join, (condition of refusal, reason), note) in SQL for one column."""
    kind, described = entry.columns[name].type, entry.columns[name]
    if kind in ("number", "integer"):
        return _number_sql(scratch, entry, described, column)
    if kind in ("text", "code"):
        return _text_sql(scratch, described, column)
    if kind == "boolean":
        folded = f"lower(trim(raw.{column}))"
        true, false = (", ".join(map(quoted, words)) for words in (_TRUE, _FALSE))
        value = f"CASE WHEN {folded} IN ({true}) THEN true WHEN {folded} IN ({false}) THEN false END"
        return value, "", (f"{folded} NOT IN ({true}, {false})", "quarantine.not_boolean"), ""
    table = f"look_{column}"
    if kind == "unit":
        _put_units(scratch, table, entry, column, raw, context)
        on = f"{table}.value = raw.{column} AND {table}.moment = {_moment(entry, raw)}"
        reason = f"coalesce({table}.reason, 'quarantine.unit_unknown')"
        return f"{table}.unit_id", f"LEFT JOIN {table} ON {on}", (f"coalesce({table}.unit_id, '') = ''", reason), ""
    _put_distinct(scratch, table, column, kind)
    reason = "quarantine.not_a_date" if kind == "date" else "quarantine.period_unknown"
    join = f"LEFT JOIN {table} ON {table}.value = raw.{column}"
    return f"{table}.read", join, (f"{table}.read IS NULL", reason), ""


def _number_sql(
    scratch: Scratch, entry: Dataset, described: Column, column: str
) -> tuple[str, str, tuple[str, str], str]:
    declared = "count" if described.type == "integer" else entry.constants.get("decimal")
    hint = column_hint(scratch, column, declared)
    table = f"n_{column}"
    put_numbers(scratch, table, {column: hint}, dash_is_zero=entry.constants.get("dash") == "zero")
    plain = f"regexp_full_match(raw.{column}, '{plain_pattern(hint)}')"
    value = f"{described.scale} * CASE WHEN {plain} THEN TRY_CAST(raw.{column} AS DOUBLE) ELSE {table}.number END"
    if described.type == "integer":
        value = f"CAST({value} AS BIGINT)"
    join = f"LEFT JOIN {table} ON {table}.value = raw.{column}"
    return value, join, (f"coalesce({table}.reason, '') <> ''", f"n_{column}.reason"), f"coalesce({table}.note, '')"


def _text_sql(scratch: Scratch, described: Column, column: str) -> tuple[str, str, tuple[str, str], str]:
    """Texts are repaired (NFC, blanks, legacy fonts) and say so; codes of a list must stand in it."""
    from tkyt_analysis.ingest.text_repair import repair_texts

    table = f"t_{column}"
    odd = scratch.frame(
        f"SELECT DISTINCT {column} AS value FROM raw WHERE {column} IS NOT NULL AND ({column} <> trim({column}) "
        f"OR length({column}) <> strlen({column})) LIMIT 500000"
    )
    repaired = repair_texts(odd["value"])
    odd["became"], odd["note"] = repaired["repaired"].astype("str"), repaired["note"].astype("str")
    scratch.put(table, odd[odd["note"] != ""].astype("str"))
    value = f"coalesce({table}.became, nullif(trim(raw.{column}), ''))"
    refused = ("false", "quarantine.code_unknown")
    if described.codelist:
        codes = read_codelist(described.codelist)
        scratch.put(f"codes_{column}", pd.DataFrame({"code": codes["code"].astype("str")}))
        refused = (f"{value} NOT IN (SELECT code FROM codes_{column})", "quarantine.code_unknown")
    return value, f"LEFT JOIN {table} ON {table}.value = raw.{column}", refused, f"coalesce({table}.note, '')"


def _put_distinct(scratch: Scratch, table: str, column: str, kind: str) -> None:
    """Look-up of dates or periods: value (as written), read."""
    distinct = scratch.frame(f"SELECT DISTINCT {column} AS value FROM raw WHERE {column} IS NOT NULL")
    if kind == "date":
        read = pa.array([read_date(text) for text in distinct["value"]], pa.date32())
    else:
        found = [read_period(text.strip(), "", "") if text.strip() else None for text in distinct["value"]]
        read = pa.array([one[0] if one else None for one in found], pa.string())
    scratch.put(table, pa.table({"value": pa.array(distinct["value"].tolist(), pa.string()), "read": read}))


def _moment(entry: Dataset, raw: dict[str, str]) -> str:
    """SQL of the text that dates a row, for units whose codes changed meaning: its event, a period, a year or a date."""
    if entry.event_date in raw:
        return f"coalesce(raw.{raw[entry.event_date]}, '')"
    for kinds, names in ((("period",), ()), ((), ("year", "period_start", "valid_from", "date"))):
        for name, column in raw.items():
            if entry.columns[name].type in kinds or name in names:
                return f"coalesce(raw.{column}, '')"
    return "''"


def _put_units(
    scratch: Scratch, table: str, entry: Dataset, column: str, raw: dict[str, str], context: IngestContext
) -> None:
    pairs = scratch.frame(
        f"SELECT DISTINCT {column} AS value, '' AS parent, {_moment(entry, raw)} AS moment FROM raw "
        f"WHERE trim(coalesce({column}, '')) <> ''"
    )
    days = []
    for moment in pairs["moment"]:
        found = read_period(moment, "", "") if moment else None
        days.append(found[1] if found else read_date(moment))
    pairs["day"] = pd.to_datetime(pd.Series(days, dtype="object", index=pairs.index))
    level = entry.constants.get("unit_level")
    system = entry.constants.get("unit_system")
    units = resolve_units(pairs, context, system=system, level=int(level) if level else None)
    scratch.put(table, units[["value", "moment", "unit_id", "reason", "said"]])


def _find_repeated(scratch: Scratch, names: list[str]) -> None:
    """Rows that repeat an earlier one in every column; rows that share the key but differ stay, for the quality rules."""
    columns = ", ".join(f'"{name}"' for name in names)
    scratch.con.execute("CREATE OR REPLACE TEMP TABLE repeated (row_number BIGINT, same_as BIGINT)")
    for part in scratch.find_shared_keys(f"SELECT row_number, hash({columns}) AS key FROM typed WHERE refusal IS NULL"):
        scratch.con.execute(
            f"INSERT INTO repeated SELECT row_number, min(row_number) OVER (PARTITION BY {columns}) AS same_as "
            f"FROM typed SEMI JOIN (SELECT row_number FROM suspects WHERE {part}) USING (row_number) "
            "QUALIFY row_number > same_as"
        )


def _row_batches(piece: pa.Table, entry: Dataset, names: list[str], sheet: str) -> Iterator[Batch]:
    """The rows of a piece; identifiers of a line list apart, for the restricted store."""
    bad = pc.or_(pc.is_valid(piece["refusal"]), pc.is_valid(piece["same_as"]))
    landed = piece.filter(pc.invert(bad))
    constants = {key: value for key, value in entry.constants.items() if key not in DIRECTIVES}
    rows = pa.table(
        {name: landed[name] for name in ("row_number", *names)}
        | {key: pa.array([value] * landed.num_rows, pa.string()) for key, value in constants.items()}
        | {"sheet": pa.array([sheet] * landed.num_rows, pa.string())}
    )
    refused, notes = _refused(piece.filter(bad), sheet), _notes(landed, sheet)
    if not entry.identifiers:
        yield Batch(entry.target, rows, refused, notes, piece.num_rows)
        return
    kept, people = split_people(rows, entry)
    yield Batch(entry.target, kept, withheld(refused, entry), withheld(notes, entry), piece.num_rows)
    yield Batch("record_identity", people, counts=False)


def _refused(rows: pa.Table, sheet: str) -> pd.DataFrame:
    refusals = rows["refusal"].to_pylist()
    numbers, same = rows["row_number"].to_pylist(), rows["same_as"].to_pylist()
    repeated = {"key": "quarantine.repeated_row", "name": "", "value": "", "said": ""}
    records = [
        {
            "sheet": sheet,
            "row_number": number,
            "column_name": (one := refusal or repeated)["name"],
            "value": one["value"] or "",
            "reason": one["key"],
            "fields": {
                "value": one["value"] or "",
                "column": one["name"],
                "unit": one["value"] or "",
                "row": first,
                "system": "–",
                "nearest": "–",
            }
            | json.loads(one["said"] or "{}"),
        }
        for refusal, number, first in zip(refusals, numbers, same, strict=True)
    ]
    return pd.DataFrame(records, columns=["sheet", "row_number", "column_name", "value", "reason", "fields"])


def _notes(landed: pa.Table, sheet: str) -> pd.DataFrame:
    noted = landed.filter(pc.greater(pc.list_value_length(landed["noted"]), 0))
    records = [
        {
            "sheet": sheet,
            "row_number": number,
            "column_name": one["name"],
            "value": one["value"],
            "became": str(row),
            "note": one["key"],
            "fields": {"value": one["value"]},
        }
        for number, ones, values in zip(
            noted["row_number"].to_pylist(), noted["noted"].to_pylist(), noted.to_pylist(), strict=True
        )
        for one in ones
        for row in ["" if values[one["name"]] is None else values[one["name"]]]
    ]
    return pd.DataFrame(records, columns=["sheet", "row_number", "column_name", "value", "became", "note", "fields"])

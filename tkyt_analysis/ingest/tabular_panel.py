"""A wide unit × period table → one row per value (aggregate_value). A cell is what is received: it lands or says why."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tkyt_analysis.catalog.entries import Column, Dataset, Panel
from tkyt_analysis.ingest.door import Batch, IngestContext, Note
from tkyt_analysis.ingest.numbers import DecimalHint
from tkyt_analysis.ingest.scratch import Scratch
from tkyt_analysis.ingest.tabular_layout import Match
from tkyt_analysis.ingest.tabular_lookups import (
    column_hint,
    plain_pattern,
    put_numbers,
    quoted,
    read_period,
    resolve_units,
)
from tkyt_analysis.reference.vietnamese_text import fold


def panel_batches(scratch: Scratch, match: Match, context: IngestContext, sheet: str) -> Iterator[Batch]:
    """Batches for aggregate_value, the elements (data_element) and, for units of their own, organisation_unit."""
    entry, panel = match.entry, match.entry.panel
    assert panel is not None
    cell_columns = {name: f"c{at}" for name, at in match.positions.items() if name in panel.elements}
    hints = {column: column_hint(scratch, column, _declared(entry, name)) for name, column in cell_columns.items()}
    put_numbers(scratch, "odd_values", hints, dash_is_zero=entry.constants.get("dash") == "zero")
    scratch.con.execute(f"CREATE OR REPLACE VIEW keyed AS SELECT *, {_keys(panel, match)} FROM raw")
    notes = _put_keys(scratch, entry, panel, context, sheet)
    scratch.con.execute(_cells_view(entry, panel, cell_columns, hints))
    _find_repeated(scratch)
    yield Batch("data_element", _elements(entry, panel, list(cell_columns), sheet), notes=notes, counts=False)
    if entry.domain:
        yield Batch("data_set", _data_set(entry, sheet), counts=False)
    if units := _own_units(scratch, panel, sheet):
        yield units
    for piece in scratch.pieces(_RESULT):
        yield _cell_batch(piece, sheet)


def _declared(entry: Dataset, header: str) -> str | None:
    """What the entry says of a value column: whole numbers are counts; else its decimal mark, if any."""
    column = _column_of(entry, header)
    return "count" if column and column.type == "integer" else entry.constants.get("decimal")


def _column_of(entry: Dataset, header: str) -> Column | None:
    for name, column in entry.columns.items():
        if fold(header) in (fold(name), *map(fold, column.from_)):
            return column
    return None


def _keys(panel: Panel, match: Match) -> str:
    """SQL of unit, parent, year, month, period as written (tidied at the ends only)."""

    def text(name: str | None) -> str:
        return f"coalesce(c{match.positions[name]}, '')" if name else "''"

    parent = text(panel.unit[-2]) if len(panel.unit) > 1 else "''"
    parts = {"unit": text(panel.unit[-1]), "parent": parent}
    parts |= {name: f"trim({text(getattr(panel, name))})" for name in ("year", "month", "period")}
    return ", ".join(f"{sql} AS k_{name}" for name, sql in parts.items())


def _put_keys(scratch: Scratch, entry: Dataset, panel: Panel, context: IngestContext, sheet: str) -> list[Note]:
    """Tables periods and units; notes on unit names that were tidied, one per distinct spelling."""
    times = scratch.frame("SELECT DISTINCT k_year, k_month, k_period FROM keyed")
    found = [read_period(period, year, month) for year, month, period in times.itertuples(index=False)]
    times["period_id"] = pd.Series([one[0] if one else None for one in found], dtype="str")
    for at, name in ((1, "period_start"), (2, "period_end")):
        times[name] = pd.to_datetime(pd.Series([one[at] if one else None for one in found], dtype="object"))
    # Codes of units changed meaning on one day: two days stand for all.
    new = times["period_start"] >= pd.Timestamp("2025-07-01")
    times["day"] = pd.Series(pd.Timestamp("2025-07-01"), times.index).where(new, pd.Timestamp("2025-06-30"))
    scratch.put("periods", times)
    pairs = scratch.frame(
        "SELECT k_unit AS value, k_parent AS parent, p.day, count(*) AS rows, min(row_number) AS first "
        "FROM keyed LEFT JOIN periods p USING (k_year, k_month, k_period) GROUP BY ALL"
    )
    level = entry.constants.get("unit_level")
    units = resolve_units(pairs, context, system=panel.unit_system or None, level=int(level) if level else None)
    scratch.put("units", units[["value", "parent", "day", "unit_id", "reason", "said", "name"]])
    return _spelling_notes(units, panel.unit[-1], sheet)


def _spelling_notes(units: pd.DataFrame, column: str, sheet: str) -> list[Note]:
    changed = units[(units["name"] != units["value"]) & (units["unit_id"] != "")]
    grouped = changed.groupby(["value", "name"], as_index=False).agg(rows=("rows", "sum"), first=("first", "min"))
    return [
        Note(
            "note.unit_name_tidied",
            sheet,
            int(row.first),
            column,
            row.value,
            row.name_,
            {"value": row.value, "became": row.name_, "rows": int(row.rows)},
        )
        for row in grouped.rename(columns={"name": "name_"}).itertuples()
    ]


def _cells_view(entry: Dataset, panel: Panel, columns: dict[str, str], hints: dict[str, DecimalHint]) -> str:
    """SQL of the view `cells`: every filled cell with its key, number, note and the first reason against it."""
    structs = ", ".join(
        f"{{'name': {quoted(name)}, 'element': {quoted(panel.elements[name])}, 'position': {quoted(column)}, "
        f"'scale': {(_column_of(entry, name) or Column('number')).scale}, 'value': {column}, "
        f"'plain': regexp_full_match({column}, '{plain_pattern(hints[column])}')}}"
        for name, column in columns.items()
    )
    return f"""
CREATE OR REPLACE VIEW cells AS
SELECT l.row_number, l.cell.name AS column_name, l.cell.element AS element_id, l.cell.value AS written,
       {quoted(entry.constants.get("dataset_id", entry.id))} AS dataset_id, {quoted(entry.constants.get("category_id", ""))} AS category_id,
       u.unit_id, p.period_id, p.period_start, p.period_end, nullif(o.note, '') AS note,
       l.cell.scale * CASE WHEN l.cell.plain THEN TRY_CAST(l.cell.value AS DOUBLE) ELSE o.number END AS number,
       l.k_unit, trim(concat_ws(' ', l.k_period, l.k_month, l.k_year)) AS k_period,
       CASE WHEN u.reason <> '' THEN u.said ELSE '' END AS said,
       CASE WHEN u.reason <> '' THEN u.reason
            WHEN p.period_id IS NULL THEN 'quarantine.period_unknown'
            ELSE nullif(o.reason, '') END AS reason
FROM (SELECT row_number, k_unit, k_parent, k_year, k_month, k_period, unnest([{structs}]) AS cell FROM keyed) l
JOIN periods p USING (k_year, k_month, k_period)
JOIN units u ON u.value = l.k_unit AND u.parent = l.k_parent AND u.day = p.day
LEFT JOIN odd_values o ON NOT l.cell.plain AND o.position = l.cell.position AND o.value = l.cell.value
WHERE trim(coalesce(l.cell.value, '')) <> ''
"""


_KEYS = """
SELECT row_number, hash(u.unit_id, p.period_id) AS key
FROM keyed JOIN periods p USING (k_year, k_month, k_period)
JOIN units u ON u.value = k_unit AND u.parent = k_parent AND u.day = p.day
WHERE u.reason = '' AND p.period_id IS NOT NULL
"""

# A cell is named by row and column: the same key in two rows is a repeated row, or a contradiction.
_REPEATED = """
INSERT INTO repeated
WITH good AS (SELECT row_number, column_name, element_id, unit_id, period_id, number FROM cells
              SEMI JOIN (SELECT row_number FROM suspects WHERE {part}) USING (row_number)
              WHERE reason IS NULL AND number IS NOT NULL),
counted AS (
    SELECT row_number, column_name,
           row_number() OVER (PARTITION BY element_id, unit_id, period_id, number ORDER BY row_number) AS nth,
           min(row_number) OVER (PARTITION BY element_id, unit_id, period_id, number) AS same_as,
           min(row_number) OVER (PARTITION BY element_id, unit_id, period_id) AS first_row,
           max(row_number) OVER (PARTITION BY element_id, unit_id, period_id) AS last_row,
           min(number) OVER (PARTITION BY element_id, unit_id, period_id)
             <> max(number) OVER (PARTITION BY element_id, unit_id, period_id) AS differs
    FROM good)
SELECT * FROM counted WHERE nth > 1 OR differs
"""


def _find_repeated(scratch: Scratch) -> None:
    """Table `repeated`: cells whose unit and period stand in several rows."""
    scratch.con.execute(
        "CREATE OR REPLACE TEMP TABLE repeated (row_number BIGINT, column_name VARCHAR, nth BIGINT, same_as BIGINT, "
        "first_row BIGINT, last_row BIGINT, differs BOOLEAN)"
    )
    for part in scratch.find_shared_keys(_KEYS):
        scratch.con.execute(_REPEATED.format(part=part))


_RESULT = """
SELECT c.*, coalesce(c.reason, CASE WHEN d.nth > 1 THEN 'quarantine.repeated_cell' END) AS final_reason, d.same_as,
       CASE WHEN d.differs AND d.nth = 1
            THEN CASE WHEN c.row_number = d.first_row THEN d.last_row ELSE d.first_row END END AS other_row
FROM cells c LEFT JOIN repeated d USING (row_number, column_name)
"""


_PERIOD_TYPES = {"month": "Monthly", "quarter": "Quarterly", "half": "SixMonthly", "year": "Yearly"}


def _data_set(entry: Dataset, sheet: str) -> pd.DataFrame:
    """The data set itself, so that pages can name it."""
    title, kind = entry.title["vi"], _PERIOD_TYPES.get(entry.period_kind, "")
    row = {"dataset_id": entry.id, "name": title, "short_name": title, "period_type": kind, "sheet": sheet}
    return pd.DataFrame([row])


def _elements(entry: Dataset, panel: Panel, headers: list[str], sheet: str) -> pd.DataFrame:
    rows = [
        {
            "element_id": panel.elements[header],
            "name": column.title["vi"] if (column := _column_of(entry, header)) and column.title else header,
            "short_name": header,
            "value_type": "INTEGER" if column and column.type == "integer" else "NUMBER",
            "period_type": _PERIOD_TYPES.get(entry.period_kind, "Monthly" if panel.month else ""),
            "dataset_id": entry.constants.get("dataset_id", entry.id),
            "status": "described",
            "sheet": sheet,
        }
        for header in headers
    ]
    return pd.DataFrame(rows)


def _own_units(scratch: Scratch, panel: Panel, sheet: str) -> Batch | None:
    """The units of a system of its own: the panel itself is the only list of them."""
    if panel.unit_system in ("", "VN2024", "VN2025", "KCB", "DHIS2"):
        return None
    units = scratch.frame(
        "SELECT unit_id, any_value(name) AS name FROM units WHERE unit_id <> '' GROUP BY unit_id ORDER BY unit_id"
    )
    rows = units.assign(code=units["name"], level=1, parent_unit_id="", province_id=units["unit_id"], unit_type="",
                        sheet=sheet)  # fmt: skip
    return Batch("organisation_unit", rows, counts=False)


def _cell_batch(piece: pa.Table, sheet: str) -> Batch:
    """Cells that land, cells with a reason; cells that say "no data" are empty cells with a note."""
    filled = piece.filter(pc.or_(pc.is_valid(piece["final_reason"]), pc.is_valid(piece["number"])))
    landed = filled.filter(pc.is_null(filled["final_reason"]))
    refused = filled.filter(pc.is_valid(filled["final_reason"])).to_pandas()
    names = ("dataset_id", "element_id", "category_id", "unit_id", "period_id", "period_start", "period_end",
             "column_name", "row_number")  # fmt: skip
    rows = pa.table(
        {name: landed[name] for name in names}
        | {"value": landed["number"], "value_as_written": landed["written"]}
        | {"sheet": pa.array([sheet] * landed.num_rows, pa.string())}
    )
    return Batch("aggregate_value", rows, _refused(refused, sheet), _notes(piece, sheet), filled.num_rows)


def _refused(rows: pd.DataFrame, sheet: str) -> pd.DataFrame:
    fields = [
        {
            "value": unit if "unit" in reason else period if "period" in reason else written,
            "column": column,
            "unit": unit,
            "row": None if pd.isna(same) else int(same),
            "system": "–",
            "nearest": "–",
        }
        | json.loads(said or "{}")
        for unit, period, written, column, reason, same, said in zip(
            rows["k_unit"], rows["k_period"], rows["written"], rows["column_name"], rows["final_reason"],
            rows["same_as"], rows["said"], strict=True)
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "sheet": sheet,
            "row_number": rows["row_number"],
            "column_name": rows["column_name"],
            "value": rows["written"],
            "reason": rows["final_reason"],
            "fields": fields,
        }
    )


def _notes(piece: pa.Table, sheet: str) -> pd.DataFrame:
    keep = pc.and_(
        pc.is_null(piece["final_reason"]), pc.or_(pc.is_valid(piece["note"]), pc.is_valid(piece["other_row"]))
    )
    rows = piece.filter(keep).to_pandas()
    base = pd.DataFrame(
        {
            "sheet": sheet,
            "row_number": rows["row_number"],
            "column_name": rows["column_name"],
            "value": rows["written"],
        }
    )
    read = base.assign(became=rows["number"].map(lambda n: "" if pd.isna(n) else f"{n:.15g}"), note=rows["note"])
    read["fields"] = [{"value": value} for value in rows["written"]]
    other = base.assign(became="", note="note.contradicting_rows")
    other["fields"] = [{"row": None if pd.isna(row) else int(row)} for row in rows["other_row"]]
    return pd.concat([read[rows["note"].notna()], other[rows["other_row"].notna()]], ignore_index=True)

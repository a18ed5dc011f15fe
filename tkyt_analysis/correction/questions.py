"""What a file's error workbook asks: its quarantined rows, its notes, and the findings that its rows caused.

Every question has an id that is the same in every run: a hash of file, place and reason.
"""

from __future__ import annotations

import json
from hashlib import sha256 as digest
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.access.masking import MASK
from tkyt_analysis.correction.cells import CellFinder, parse_fields
from tkyt_analysis.errors import InputError

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.lake import Warehouse

QUESTION_COLUMNS = [
    "question_id", "source", "severity", "about_file", "unit_id", "period_id", "dataset_id", "place_sheet", "place_row",
    "column_name", "cell", "reason", "finding_id", "value", "fields",
]  # fmt: skip
QUARANTINE, NOTE, FINDING = "quarantine", "note", "finding"
SEVERITIES = ("error", "warning", "note")
# Notes on which a unit has nothing to do: the text was only tidied, or a line was rightly left out.
NOTHING_TO_DO = (
    "note.legacy_font_converted", "note.text_composed", "note.invisible_characters_removed", "note.spaces_trimmed",
    "note.form_lines_not_data", "note.register_lines.blank", "note.register_lines.total",
    "note.register_lines.numbering", "note.register_lines.heading", "note.register_lines.signature",
    "note.register_lines.continuation", "note.excel_serial_date", "note.number_odd_characters",
    "note.formula_computed",
)  # fmt: skip
# Marks and words that say "nothing": the cell lost nothing by being left empty.
SAYS_NOTHING = ("note.number_dash", "note.number_word_none", "note.number_not_available", "note.number_cross")
CELLS_OF_A_SUM = 3  # a finding on a sum marks its total; at most so many cells of a small side are marked


def questions_of_file(warehouse: Warehouse, file_sha256: str, finder: CellFinder) -> pd.DataFrame:
    """The questions on one received file, errors first, each in the order of the sheet. Columns QUESTION_COLUMNS."""
    parts = [
        _quarantined(warehouse, file_sha256),
        _noted(warehouse, file_sha256),
        _found_in_values(warehouse, file_sha256),
        _found_in_deaths(warehouse, file_sha256),
    ]
    rows = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=QUESTION_COLUMNS)])
    rows = rows.reindex(columns=QUESTION_COLUMNS).reset_index(drop=True).assign(about_file=file_sha256)
    for name in ("place_sheet", "column_name", "cell", "reason", "finding_id", "value", "dataset_id", "period_id"):
        rows[name] = rows[name].astype("object").where(rows[name].notna(), "").astype("str")
    rows = _with_place(warehouse, file_sha256, rows)
    rows["cell"] = [_cell(finder, row) for row in rows.to_dict("records")]
    rows = _in_the_units_words(finder, rows)
    rows["question_id"] = [question_id(row) for row in rows.to_dict("records")]
    order = rows["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    sheets = {sheet: place for place, sheet in enumerate(finder.grids)}
    rows = rows.assign(order=order, sheet_order=rows["place_sheet"].map(sheets).fillna(-1))
    rows = rows.sort_values(["order", "sheet_order", "place_row", "cell"], kind="stable", na_position="first")
    return rows.drop_duplicates("question_id")[QUESTION_COLUMNS].reset_index(drop=True)


def _in_the_units_words(finder: CellFinder, rows: pd.DataFrame) -> pd.DataFrame:
    """What was withheld from the open store, as it stands in the unit's own file: it goes back to the unit only."""
    masked = rows.index[(rows["value"] == MASK) & rows["cell"].ne("")]
    written = [finder.text(rows["place_sheet"][at], rows["cell"][at]) or MASK for at in masked]
    rows.loc[masked, "value"] = written
    fields = [
        json.dumps(parse_fields(rows["fields"][at]) | {"value": text}, ensure_ascii=False)
        for at, text in zip(masked, written, strict=True)
    ]
    rows.loc[masked, "fields"] = fields
    return rows


def question_id(row: dict[str, Any]) -> str:
    """Twelve hexadecimal digits of file, place, reason and finding."""
    parts = ("about_file", "place_sheet", "place_row", "column_name", "cell", "reason", "finding_id")
    written = [_plain(row[name]) for name in parts]
    return digest("\x1f".join(written).encode()).hexdigest()[:12]


def _plain(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return str(int(value)) if isinstance(value, float) else str(value)


def _cell(finder: CellFinder, row: dict[str, Any]) -> str:
    number = row["place_row"]
    place = None if number is None or number is pd.NA or number != number else int(number)
    return finder.address(row["place_sheet"], place, row["column_name"], parse_fields(row["fields"]))


def _quarantined(warehouse: Warehouse, file_sha256: str) -> pd.DataFrame:
    return warehouse.query(
        """
        SELECT 'quarantine' AS source, 'error' AS severity, sheet AS place_sheet, row_number AS place_row, column_name,
               value, reason, fields
        FROM lake.quarantine WHERE file_sha256 = ?
        """,
        [file_sha256],
    )


def _noted(warehouse: Warehouse, file_sha256: str) -> pd.DataFrame:
    """Notes of a file; one that left a filled cell empty is a warning: what was written there is lost to the figures."""
    listed, blank = (", ".join(f"'{key}'" for key in keys) for keys in (NOTHING_TO_DO, SAYS_NOTHING))
    return warehouse.query(
        f"""
        SELECT 'note' AS source, CASE WHEN coalesce(value, '') <> '' AND coalesce(became, '') = '' AND note NOT IN ({blank}) THEN 'warning' ELSE 'note' END
               AS severity, sheet AS place_sheet, row_number AS place_row, column_name, value,
               note AS reason, fields
        FROM lake.ingest_note WHERE file_sha256 = ? AND note NOT IN ({listed})
        """,
        [file_sha256],
    )


def _found_in_values(warehouse: Warehouse, file_sha256: str) -> pd.DataFrame:
    """Findings on the reports of the file; a finding on a sum stands at the cells that its rule compares."""
    found = warehouse.query(
        """
        SELECT DISTINCT f.* EXCLUDE (file_sha256, sheet, row_number) FROM lake.finding f
        JOIN (SELECT DISTINCT dataset_id, unit_id, period_id FROM lake.aggregate_value WHERE file_sha256 = ?) r
        USING (dataset_id, unit_id, period_id)
        WHERE f.verdict NOT IN ('ok', 'not_assessable', 'duplicate_identical')
        """,
        [file_sha256],
    )
    if found.empty:
        return pd.DataFrame(columns=QUESTION_COLUMNS)
    values = warehouse.query(
        """
        SELECT dataset_id, unit_id, period_id, element_id, category_id, value, value_as_written, column_name, sheet, row_number
        FROM lake.aggregate_value WHERE file_sha256 = ? ORDER BY sheet, row_number
        """,
        [file_sha256],
    )
    rows = [row for one in found.to_dict("records") for row in _cells_of_finding(one, values)]
    return pd.DataFrame(rows)


def _cells_of_finding(finding: dict[str, Any], values: pd.DataFrame) -> list[dict[str, Any]]:
    here = values
    for name in ("dataset_id", "unit_id", "period_id", "element_id", "category_id"):
        if finding[name]:
            here = here[here[name] == finding[name]]
    chosen = _compared(finding, here)
    common = {
        "source": FINDING, "severity": finding["severity"], "reason": finding["rule_id"],
        "finding_id": finding["finding_id"], "unit_id": finding["unit_id"], "period_id": finding["period_id"],
        "dataset_id": finding["dataset_id"], "fields": json.dumps(_figures(finding), ensure_ascii=False),
    }  # fmt: skip
    places = [
        common
        | {"place_sheet": one["sheet"], "place_row": one["row_number"], "column_name": one["column_name"],
           "value": one["value_as_written"]}
        for one in chosen.to_dict("records")
    ]  # fmt: skip
    return places or [common | {"place_sheet": "", "place_row": None, "column_name": "", "value": ""}]


def _figures(finding: dict[str, Any]) -> dict[str, Any]:
    names = ("value", "expected", "lower", "upper", "verdict")
    return {name: finding[name] for name in names if finding[name] == finding[name]} | parse_fields(finding["fields"])


def _compared(finding: dict[str, Any], here: pd.DataFrame) -> pd.DataFrame:
    """The cells to mark: the finding's own; of a comparison of sums those of its right side, else a small left one; where
    no single cell is meant, none."""
    if finding["element_id"] and finding["category_id"]:
        return here
    parameters = _rule_parameters(finding["rule_id"])
    if "left" in parameters and not parameters.get("right"):  # cells that must be empty
        filled = _of_side(here, parameters["left"])
        return filled[filled["value"].fillna(0) != 0]
    for side in ("right", "left"):
        cells = _of_side(here, parameters.get(side) or {})
        if 0 < len(cells) <= CELLS_OF_A_SUM:
            return cells
    return here.iloc[:0]


def _rule_parameters(rule_id: str) -> dict[str, Any]:
    from tkyt_analysis.catalog import load_entry

    try:
        return dict(load_entry("rules", rule_id).parameters)
    except InputError:  # a rule that the catalog no longer has
        return {}


def _of_side(cells: pd.DataFrame, side: dict[str, list[str]]) -> pd.DataFrame:
    for name, axis in (("rows", "element_id"), ("columns", "category_id")):
        wanted = [str(one) for one in side.get(name, ["*"])]
        if "*" not in wanted:
            cells = cells[cells[axis].str.rsplit("/", n=1).str[-1].isin(wanted)]
    return cells if side else cells.iloc[:0]


def _found_in_deaths(warehouse: Warehouse, file_sha256: str) -> pd.DataFrame:
    """Findings on single death records of the file: they stand at the record's line."""
    return warehouse.query(
        """
        SELECT 'finding' AS source, f.severity, f.rule_id AS reason, f.finding_id, d.unit_id, f.period_id, 'death' AS dataset_id,
               d.sheet AS place_sheet, d.row_number AS place_row, '' AS column_name, '' AS value, f.fields
        FROM lake.finding f JOIN lake.death d ON d.death_id = json_extract_string(f.fields, '$.death_id')
        WHERE d.file_sha256 = ? AND f.verdict NOT IN ('ok', 'not_assessable')
        """,
        [file_sha256],
    )


def _with_place(warehouse: Warehouse, file_sha256: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Unit, period and data set of the file, where a question does not name its own."""
    own = file_subject(warehouse, file_sha256)
    for name in ("unit_id", "period_id", "dataset_id"):
        rows[name] = rows[name].where(rows[name].notna() & rows[name].ne(""), own[name])
    return rows


def file_subject(warehouse: Warehouse, file_sha256: str) -> dict[str, str]:
    """unit_id, period_id, dataset_id that most rows of a file have; "" where it has none."""
    row = warehouse.con.execute(
        """
        SELECT mode(unit_id), mode(period_id), mode(dataset_id) FROM (
            SELECT unit_id, period_id, dataset_id FROM lake.aggregate_value WHERE file_sha256 = $1
            UNION ALL SELECT unit_id, '', 'death' FROM lake.death WHERE file_sha256 = $1)
        """,
        [file_sha256],
    ).fetchone()
    names = ("unit_id", "period_id", "dataset_id")
    return {name: value or "" for name, value in zip(names, row or ("", "", ""), strict=True)}

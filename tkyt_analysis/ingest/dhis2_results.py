"""Classified DHIS2 rows as batches: what landed, what was refused and why, what is to be noted."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tkyt_analysis.ingest.door import Batch

# Where a value stood and what the sentence calls it, by reason.
COLUMN_OF_REASON = {
    "quarantine.dhis2_deleted": "deleted",
    "quarantine.dhis2_no_element": "dataElement",
    "quarantine.dhis2_period_unknown": "period",
    "quarantine.dhis2_unit_unknown": "orgUnit",
    "places.unit_not_valid_at_date": "orgUnit",
    "quarantine.dhis2_data_set_missing": "dataSet",
}


def value_batch(piece: pa.Table, sheet: str) -> Batch:
    """One piece of the classified values as a batch of aggregate_value."""
    landed = piece.filter(pc.is_null(piece["final_reason"]))
    refused = piece.filter(pc.is_valid(piece["final_reason"])).to_pandas()
    rows = pa.table(
        {name: landed[name] for name in ("dataset_id", "element_id", "category_id", "unit_id", "period_id",
                                         "period_start", "period_end")}
        | {"value": landed["number"], "value_as_written": landed["written"], "row_number": landed["row_number"]}
        | {name: pa.array([text] * landed.num_rows, pa.string()) for name, text in
           (("column_name", "value"), ("sheet", sheet))}
    )  # fmt: skip
    return Batch("aggregate_value", rows, refused_rows(refused, sheet), _notes(landed, sheet), piece.num_rows)


def refused_rows(rows: pd.DataFrame, sheet: str) -> pd.DataFrame:
    """Quarantine rows of the classified rows that have a `final_reason`."""
    rows = rows.fillna({"otherwise": ""})
    column = rows["final_reason"].map(COLUMN_OF_REASON).fillna("value")
    written = {"period": "period", "orgUnit": "unit", "dataElement": "element_id", "value": "written",
               "dataSet": "data_set"}  # fmt: skip
    value = [
        row.get(written.get(name, "written"), "") for name, row in zip(column, rows.to_dict("records"), strict=True)
    ]
    fields = [
        {
            "value": shown,
            "unit": row["otherwise"] or row["unit"],
            "period": row["period"],
            "row": None if pd.isna(same) else int(same),
        }
        for shown, row, same in zip(value, rows.to_dict("records"), rows["same_as"], strict=True)
    ]
    return pd.DataFrame(
        {
            "sheet": sheet,
            "row_number": rows["row_number"],
            "column_name": column,
            "value": value,
            "reason": rows["final_reason"],
            "fields": fields,
        }
    )


def _notes(landed: pa.Table, sheet: str) -> pd.DataFrame:
    """Values read as something else than written, contradicting rows, and comments of whoever entered the value."""
    keep = pc.or_(
        pc.or_(pc.is_valid(landed["other_row"]), pc.greater(pc.fill_null(pc.utf8_length(landed["note"]), 0), 0)),
        pc.greater(pc.utf8_length(landed["comment"]), 0),
    )
    rows = landed.filter(keep).to_pandas()
    base = pd.DataFrame(
        {"sheet": sheet, "row_number": rows["row_number"], "column_name": "value", "value": rows["written"]}
    )
    read = base.assign(became=rows["number"].map(lambda n: f"{n:g}"), note=rows["note"])
    read["fields"] = [{"value": value} for value in rows["written"]]
    contradicted = base.assign(became="", note="note.dhis2_contradicting_rows")
    contradicted["fields"] = [{"row": None if pd.isna(row) else int(row)} for row in rows["other_row"]]
    commented = base.assign(became="", note="note.dhis2_comment", column_name="comment", value=rows["comment"])
    commented["fields"] = [{"comment": text} for text in rows["comment"]]
    parts = [
        read[rows["note"].fillna("") != ""],
        contradicted[rows["other_row"].notna()],
        commented[rows["comment"] != ""],
    ]
    return pd.concat(parts, ignore_index=True)

"""How many of the planted errors the product found: practice data only, kind by kind.

What each kind is and which checks claim to find it is the code list `defect_kinds`; here is how a finding, a note or a
quarantined row meets a planted error.
"""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.quality.reporting.runs import every_period
from tkyt_analysis.warehouse.release import NATION, ReleaseContext

COLUMNS = ["kind", "is_error", "has_check", "planted", "found", "share", "scope"]
TRUTH = "practice"


def truth_score(context: ReleaseContext) -> pd.DataFrame:
    """kind, is_error, has_check, planted, found, share, scope; empty unless the home holds practice data with their truth."""
    directory = context.warehouse.home / TRUTH
    if not context.practice or not list(directory.glob("truth/truth/*.parquet")):
        return pd.DataFrame(columns=COLUMNS).astype("str")
    truth = read_truth(directory)
    met = pd.concat([_met_by_subject(context, truth), _met_by_place(context, truth)])
    table = (
        truth.assign(found=truth["id"].isin(met)).groupby("kind").agg(planted=("id", "size"), found=("found", "sum"))
    )
    kinds = read_codelist("defect_kinds").set_index("kind")
    table = kinds[["is_error", "looked_for_by"]].join(table, how="inner").reset_index()
    return table.assign(has_check=table["looked_for_by"] != "", share=table["found"] / table["planted"], scope=NATION)[
        COLUMNS
    ]


def read_truth(directory: Path) -> pd.DataFrame:
    """The truth table with the ids that the warehouse uses: element and data set by uid, file as received, row."""
    import duckdb

    with duckdb.connect() as connection:
        pattern = str(directory / "truth" / "truth" / "*.parquet").replace("'", "''")
        truth = connection.execute(
            f"SELECT id, kind, unit_id, period_id, element, file, place_in_file FROM read_parquet('{pattern}', union_by_name = true)"
        ).df()
    truth = truth.fillna("").astype("str")
    uids = _uids(directory)
    plain = truth["element"].str.split(".").str[0]
    form = truth["element"].str.extract(r"^16bch\.(\d+)\.", expand=False)
    element = plain.map(uids).fillna(plain).mask(form.notna(), "16BCH/" + form.fillna(""))
    index = truth["place_in_file"].str.extract(r"\[(\d+)\]$", expand=False).astype("float")
    cell = truth["place_in_file"].str.extract(r"![A-Z]+(\d+)$", expand=False).astype("float")
    return truth.assign(
        element_id=element, file_name=truth["file"].str.removeprefix("received/"), row_number=cell.fillna(index + 1)
    )


def _uids(directory: Path) -> dict[str, str]:
    """{code: uid} of the elements and data sets of the practice metadata."""
    path = directory / "received" / "dhis2" / "metadata.json"
    if not path.exists():
        return {}
    metadata = json.loads(path.read_text("utf-8"))
    return {one["code"]: one["id"] for kind in ("dataElements", "dataSets") for one in metadata[kind]}


def _claims(matches: tuple[str, ...]) -> pd.DataFrame:
    """kind, match, key: one row per check that claims a kind."""
    kinds = read_codelist("defect_kinds")
    kinds = kinds[kinds["match"].isin(matches)].assign(key=kinds["looked_for_by"].str.split())
    return kinds[["kind", "match", "key"]].explode("key").dropna()


def _met_by_subject(context: ReleaseContext, truth: pd.DataFrame) -> pd.Series:
    """Ids of planted errors whose unit, period and element (or data set) have a finding of a claiming rule."""
    findings = every_period(
        context.query("SELECT rule_id AS key, unit_id, period_id, element_id, dataset_id, fields FROM lake.finding")
    ).drop(columns="fields")
    claimed = truth.merge(_claims(("value", "report", "form", "month", "unit")), on="kind")
    subject = {"value": ["element_id"], "report": ["dataset_id"], "form": [], "month": ["element_id"], "unit": []}
    met = []
    for match, more in subject.items():
        rows = claimed[claimed["match"] == match].assign(dataset_id=claimed["element_id"])
        if match == "month":
            rows = rows.drop(columns="unit_id")
        keys = [name for name in ("key", "unit_id", "period_id", *more) if name in rows]
        if match == "unit":
            keys.remove("period_id")  # a unit is asked about once, whenever the error shows
        met.append(rows.merge(findings[keys].drop_duplicates(), on=keys)["id"])
    of_element = claimed[claimed["match"] == "report"]  # a report-wide finding on one planted cell of it
    met.append(of_element.merge(findings, on=["key", "unit_id", "period_id", "element_id"])["id"])
    whole = findings[findings["element_id"] == ""]
    cells = of_element.merge(context.query("SELECT element_id, dataset_id FROM lake.data_element"), on="element_id")
    met.append(cells.merge(whole, on=["key", "unit_id", "period_id", "dataset_id"])["id"])
    return pd.concat(met)


def _met_by_place(context: ReleaseContext, truth: pd.DataFrame) -> pd.Series:
    """Ids of planted errors at whose row a claiming note, quarantine reason or record finding stands."""
    places = context.query(
        """
        SELECT note AS key, file_name, row_number FROM lake.ingest_note JOIN lake.received_file USING (file_sha256)
        UNION ALL SELECT reason, file_name, row_number FROM lake.quarantine JOIN lake.received_file USING (file_sha256)
        UNION ALL SELECT rule_id, file_name, d.row_number FROM lake.finding x
            JOIN lake.death d ON d.death_id IN (json_extract_string(x.fields, '$.death_id'), json_extract_string(x.fields, '$.same_as'))
            JOIN lake.received_file r ON r.file_sha256 = d.file_sha256 WHERE x.fields LIKE '%death_id%'
        UNION ALL SELECT rule_id, file_name, v.row_number FROM lake.finding x
            JOIN lake.aggregate_value v USING (dataset_id, unit_id, period_id, element_id)
            JOIN lake.received_file r ON r.file_sha256 = v.file_sha256 WHERE v.row_number IS NOT NULL
        """
    )
    claimed = truth.merge(_claims(("place",)), on="kind")
    in_file = truth.merge(_claims(("file",)), on="kind")
    return pd.concat(
        [
            claimed.merge(places.drop_duplicates(), on=["key", "file_name", "row_number"])["id"],
            in_file.merge(places[["key", "file_name"]].drop_duplicates(), on=["key", "file_name"])["id"],
        ]
    )

"""The release table `desk_review`: every catalog entry of the kind, over all places and years of the warehouse."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.desk_review.review import REVIEW_COLUMNS, review
from tkyt_analysis.quality.desk_review.sources import YEAR, Sources
from tkyt_analysis.warehouse.release import NATION, ReleaseContext
from tkyt_analysis.warehouse.replaced import replaced_files_sql


def desk_review(context: ReleaseContext) -> pd.DataFrame:
    """One row per review, metric, subject, geography, place and year (see `review.REVIEW_COLUMNS`), in the scope of its place."""
    sources = release_sources(context)
    years = _years(sources)
    parts = [
        review(
            sources, entry, estimates=external_estimates(), totals=national_totals(years), projections=un_projections()
        )
        for entry in load_entries("desk_review").values()
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=REVIEW_COLUMNS)
    return rows.assign(scope=_scope(rows["place"]))


def _scope(places: pd.Series) -> pd.Series:
    """The present-day province of each place; the nation's own rows name provinces and belong to the nation."""
    from tkyt_analysis.reference.geography import province_merge

    merge = province_merge()
    successor = dict(zip(merge["old_unit_id"], merge["new_unit_id"]))
    return places.map(lambda place: successor.get(place, place)).astype("str").str.replace(":", "-", regex=False)


def release_sources(context: ReleaseContext) -> Sources:
    """The relations of a warehouse's snapshot that the review reads."""
    from tkyt_analysis.cube.release_tables import offer_places
    from tkyt_analysis.quality.lake_context import reporting_periods
    from tkyt_analysis.warehouse.release_tables import aggregate_value

    con, replaced = context.warehouse.con, replaced_files_sql(context.warehouse)
    offer_places(context)
    arrived = f"(SELECT dataset_id, unit_id, period_id FROM lake.aggregate_value WHERE file_sha256 NOT IN ({replaced}))"
    seen = context.query(
        f"SELECT DISTINCT dataset_id, period_id FROM {arrived} WHERE dataset_id IN (SELECT dataset_id FROM lake.data_set_assignment)"
    )
    due = reporting_periods(seen).astype({"dataset_id": "str", "period_id": "str"})
    con.register("review_due", due)
    con.register("review_units", _unit_rows(context))
    con.register("review_population", context.latest("population", "unit_id", "year", "sex", "age_group", "series"))
    return Sources(
        con=con,
        values=f"({aggregate_value(context)})",
        arrived=arrived,
        places="place_of_unit",
        units="review_units",
        assignments="lake.data_set_assignment",
        due="review_due",
        submissions=_submissions(context),
        population="review_population",
    )


def _unit_rows(context: ReleaseContext) -> pd.DataFrame:
    """unit_id, name, valid_from, valid_to of units and facilities."""
    units = context.units[["unit_id", "name", "valid_from", "valid_to"]]
    facilities = context.latest("facility", "facility_id", "valid_from")
    facilities = facilities.rename(columns={"unit_id": "lies_in", "facility_id": "unit_id"})
    facilities = facilities.reindex(columns=["unit_id", "name"]).drop_duplicates("unit_id")
    rows = pd.concat([units, facilities[~facilities["unit_id"].isin(units["unit_id"])]], ignore_index=True)
    return rows.assign(
        **{name: pd.to_datetime(rows[name]).astype("datetime64[us]") for name in ("valid_from", "valid_to")}
    )


def _submissions(context: ReleaseContext) -> str:
    """Due date and day of submission of every report; the states that the table `submission` made are used again."""
    import datetime

    from tkyt_analysis.workflow.listing import LISTED, SUBMITTED, submission_rows

    con = context.warehouse.con
    made = con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'submission_state' AND temporary").fetchone()
    if made:
        sql = LISTED.format(submitted=SUBMITTED.format(source="submission_state"), more="")
    else:
        sql = submission_rows(context.warehouse, datetime.datetime(1970, 1, 1))
    return f"(SELECT dataset_id, unit_id, period_id, due, submitted_on FROM ({sql}))"


def _years(sources: Sources) -> list[int]:
    found = sources.con.execute(f"SELECT DISTINCT {YEAR} AS year FROM {sources.arrived} ORDER BY 1")
    return [row[0] for row in found.fetchall() if row[0] is not None]


def external_estimates() -> pd.DataFrame:
    """The code list external_estimates: indicator, place, year, value, lower, upper, source; numbers as numbers."""
    rows = read_codelist("external_estimates")
    numbers = {name: pd.to_numeric(rows[name], errors="coerce") for name in ("value", "lower", "upper")}
    return rows.assign(year=rows["year"].astype(int), **numbers)


def un_projections() -> pd.DataFrame:
    """The code list population_united_nations: year, persons, source."""
    rows = read_codelist("population_united_nations")
    source = "UN WPP 2022 (" + rows["variant"] + ")"
    return pd.DataFrame(
        {"year": rows["year"].astype(int), "persons": 1000 * rows["total"].astype(float), "source": source}
    )


def national_totals(years: list[int]) -> pd.DataFrame:
    """geography, place, year, persons, source: the nation's official total (missing where the catalog has none), for both ways to divide it."""
    from tkyt_analysis.reference.population import population

    found = []
    for year in years:
        try:
            row = population(NATION, year, by=()).iloc[0]
            persons, source = float(row["persons"]), f"{row['series']} ({row['status']})"
        except InputError:
            persons, source = float("nan"), ""
        both = ({"geography": geography, "place": NATION} for geography in ("VN2024", "VN2025"))
        found += [one | {"year": year, "persons": persons, "source": source} for one in both]
    return pd.DataFrame(found, columns=["geography", "place", "year", "persons", "source"])

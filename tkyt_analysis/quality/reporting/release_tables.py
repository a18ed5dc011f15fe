"""Release tables of reporting: how late reports are, when units reported, and completeness counted each way."""

from __future__ import annotations

from tkyt_analysis.quality.reporting.completeness import completeness_query
from tkyt_analysis.quality.reporting.episodes import data_set_source, episodes_query, make_successors, unit_months
from tkyt_analysis.quality.reporting.grid import SENT_BY, data_sets
from tkyt_analysis.quality.reporting.sources import release_reports
from tkyt_analysis.quality.reporting.timeliness import lag_query
from tkyt_analysis.warehouse.release import NATION, ReleaseContext

_PLACES = "LEFT JOIN place_of_unit place USING (unit_id)"
_SCOPE = f"coalesce(replace(province, ':', '-'), '{NATION}')"


def reporting_rate(context: ReleaseContext) -> str:
    """Completeness per data set, period and province (34 × 63): the counts of `completeness_query` and the share, not capped."""
    from tkyt_analysis.cube.release_tables import offer_places

    release_reports(context)
    offer_places(context)
    query = completeness_query(("dataset_id", "period_id", "province", "province_2024"))
    return f"SELECT *, {_SCOPE} AS scope FROM ({query})"


def reporting_lag(context: ReleaseContext) -> str:
    """Timeliness per data set, period and province (34 × 63): see `timeliness.lag_query`; sent_by in words (SENT_BY)."""
    from tkyt_analysis.cube.release_tables import offer_places

    release_reports(context)
    offer_places(context)
    query = lag_query("dataset_id, period_id, place.province, place.province_2024", _PLACES)
    words = " ".join(f"WHEN {number} THEN '{word}'" for number, word in SENT_BY.items())
    return f"SELECT * REPLACE (CASE sent_by {words} END AS sent_by), {_SCOPE} AS scope FROM ({query})"


def unit_episode(context: ReleaseContext) -> str:
    """Episodes of every unit over all its data sets (dataset_id empty) and per data set: see `episodes.episodes`."""
    con = release_reports(context)
    make_successors(con, "lake.facility")
    con.register("unit_scope", context.units[["unit_id", "scope"]])
    parts = [episodes_query(unit_months(con), "")]
    parts += [episodes_query(data_set_source(number), dataset) for number, dataset in data_sets(con)]
    con.execute(f"CREATE OR REPLACE TABLE made_episode AS {parts[0]}")
    for part in parts[1:]:
        con.execute(f"INSERT INTO made_episode {part}")
    return (
        f"SELECT e.*, coalesce(s.scope, '{NATION}') AS scope FROM made_episode e LEFT JOIN unit_scope s USING (unit_id)"
    )

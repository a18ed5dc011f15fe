"""Release tables of scores: quality_score and quality_rank, year by year, so that memory stays flat."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tkyt_analysis.quality.frames import keep_frame
from tkyt_analysis.quality.scores.counts import make_counts
from tkyt_analysis.quality.scores.ranks import RANK_COLUMNS, SEED, rank_table
from tkyt_analysis.quality.scores.score import SCORE_COLUMNS, Matrix, matrix_of, score_rows, shares_of
from tkyt_analysis.quality.scores.settings import COMPOSITE, ScoreSettings, score_settings
from tkyt_analysis.warehouse.release import NATION, ReleaseContext

if TYPE_CHECKING:
    import duckdb

LEVELS = ("unit", "province", "nation")
_PLACE = {"unit": "unit_id", "province": "coalesce(scope, 'VN')", "nation": "'VN'"}
# Counts of units per data set and over all of them ("").
_UNITS = """
    WITH own AS (SELECT dataset_id, unit_id, component, good, total FROM score_count WHERE year = {year}),
    each AS (
        SELECT dataset_id, unit_id, component, good, total FROM own UNION ALL
        SELECT '' AS dataset_id, unit_id, component, sum(good), sum(total) FROM own GROUP BY ALL)
"""
_AS_THEY_ARE = (
    _UNITS
    + """
    SELECT dataset_id, unit_id AS place, component, good, total, coalesce(kind, '') AS kind
    FROM each LEFT JOIN score_scope USING (unit_id) ORDER BY ALL
"""
)
_SUMMED = (
    _UNITS
    + """
    SELECT dataset_id, {place} AS place, component, sum(good) AS good, sum(total) AS total, count(*)::DOUBLE AS units,
           sum(good * good) AS good_squared, sum(good * total) AS cross, sum(total * total) AS total_squared
    FROM each LEFT JOIN score_scope USING (unit_id) GROUP BY ALL ORDER BY ALL
"""
)


def quality_score(context: ReleaseContext) -> str:
    """Scores of reporting units, provinces of 2025 and the nation, per data set ("" = all together) and year.

    place, level (unit | province | nation), dataset_id, year and SCORE_COLUMNS (see `score.score_rows`).
    """
    make_scores(context)
    return "SELECT * FROM made_quality_score"


def quality_rank(context: ReleaseContext) -> str:
    """The order of the composites over all data sets, and how sure it is: units among those of their kind (level in
    the unit list) in their province, provinces in the nation. place, level, kind, peers_of, peers, year, score, lower, upper, band and RANK_COLUMNS (see `ranks.rank_table`)."""
    make_scores(context)
    return "SELECT * FROM made_quality_rank"


def make_scores(context: ReleaseContext) -> None:
    """Make both tables once per release. The settings are those of the day of the last file received."""
    from tkyt_analysis.quality.run import all_rules

    if "quality_score" in context.made:
        return
    settings = score_settings(_day(context))
    con = make_counts(context, settings, all_rules())
    units = context.units[["unit_id", "scope"]].assign(kind=context.units["level"].astype("Int64").astype("str"))
    keep_frame(con, "score_scope", units)
    _make_empty(con)
    for year in _years(con):
        for level in LEVELS:
            _add(con, settings, int(year), level)
    context.made["quality_score"] = pd.DataFrame()


def _years(con: duckdb.DuckDBPyConnection) -> list[int]:
    """The years that reports are about; dates of records that lie outside them are wrong, and asked about elsewhere."""
    sql = "SELECT DISTINCT year FROM score_report JOIN score_period USING (period_id) ORDER BY 1"
    return [int(row[0]) for row in con.execute(sql).fetchall()]


def _day(context: ReleaseContext) -> datetime.date | None:
    (day,) = context.query("SELECT max(received_at)[1:10] AS day FROM lake.received_file")["day"]
    return datetime.date.fromisoformat(day) if isinstance(day, str) else None


def _make_empty(con: duckdb.DuckDBPyConnection) -> None:
    words = {"dataset_id", "place", "component", "status", "band"}
    columns = ", ".join(f'"{name}" {"VARCHAR" if name in words else "DOUBLE"}' for name in SCORE_COLUMNS)
    con.execute(f"CREATE OR REPLACE TABLE made_quality_score (level VARCHAR, year INTEGER, {columns}, scope VARCHAR)")
    numbers = ", ".join(f"{name} DOUBLE" for name in ("score", "lower", "upper", *RANK_COLUMNS))
    con.execute(
        "CREATE OR REPLACE TABLE made_quality_rank (level VARCHAR, kind VARCHAR, year INTEGER, place VARCHAR, peers_of VARCHAR, "
        f"peers INTEGER, band VARCHAR, {numbers}, scope VARCHAR)"
    )


def _add(con: duckdb.DuckDBPyConnection, settings: ScoreSettings, year: int, level: str) -> None:
    sql = _AS_THEY_ARE if level == "unit" else _SUMMED
    counts = con.execute(sql.format(year=year, place=_PLACE[level])).df()
    if counts.empty:
        return
    matrix = matrix_of(counts, settings)
    rows = score_rows(matrix, settings)
    scopes = _scopes(con, level, rows["place"])
    rows = _as_units(rows, level).assign(level=level, year=year, scope=scopes.to_numpy())
    _insert(con, "made_quality_score", rows)
    if level != "nation":
        _insert(con, "made_quality_rank", _ranked(con, matrix, rows, settings, year, level))


def _scopes(con: duckdb.DuckDBPyConnection, level: str, places: pd.Series) -> pd.Series:
    """The scope of each place. Provinces bear theirs as their name ("VN2025-51")."""
    if level != "unit":
        return places.where(places != NATION, NATION)
    known = dict(con.execute("SELECT unit_id, scope FROM score_scope").fetchall())
    return places.map(known).fillna(NATION)


def _as_units(rows: pd.DataFrame, level: str) -> pd.DataFrame:
    """Provinces as unit ids ("VN2025:51")."""
    return rows.assign(place=rows["place"].str.replace("-", ":", n=1, regex=False)) if level == "province" else rows


def _ranked(
    con: duckdb.DuckDBPyConnection, matrix: Matrix, rows: pd.DataFrame, settings: ScoreSettings, year: int, level: str
) -> pd.DataFrame:
    """Ranks of the composites over all data sets, among the peers."""
    every = np.flatnonzero((matrix.keys["dataset_id"] == "").to_numpy())
    means, variances, _ = shares_of(matrix)
    own = rows[(rows["component"] == COMPOSITE) & (rows["dataset_id"] == "")].reset_index(drop=True)
    kinds = pd.Series(matrix.peers[every], index=own.index).str.rpartition("\x1f")[2]
    peers = own["scope"] if level == "unit" else pd.Series(NATION, index=own.index)
    parts = []
    for number, ((group, kind), at) in enumerate(sorted(own.groupby([peers, kinds]).indices.items())):
        table = rank_table(means[every[at]], variances[every[at]], settings, seed=SEED + 1000 * year + number)
        chosen: dict[str, Any] = {
            name: own[name].to_numpy()[at] for name in ("place", "score", "lower", "upper", "band", "scope")
        }
        scored = int(np.isfinite(chosen["score"].astype(float)).sum())
        parts.append(
            table.assign(
                **chosen, peers_of=str(group).replace("-", ":", 1), kind=kind, peers=scored, level=level, year=year
            )
        )
    return pd.concat(parts, ignore_index=True)


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: pd.DataFrame) -> None:
    con.register("incoming", rows)
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM incoming")
    con.unregister("incoming")

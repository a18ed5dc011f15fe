"""Where the review's tables come from: values, reports and population of every place and its subunits, added up in SQL.

A place is seen four ways: the nation by its 34 provinces and by the 63 before, a province of 2025 by its communes (an old commune stands
with the one that most of it went to, so that a series goes on through July 2025), a province of 2024 by the units that reported in it.
Units that are no commune (facilities, districts, the province's own report) stand for themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.catalog.desk_review import PopulationGroup, ReviewIndicator
from tkyt_analysis.quality.desk_review.judged import KEY

if TYPE_CHECKING:
    import duckdb

REPORT_COLUMNS = ["expected", "received", "on_time", "untimed"]
YEAR = "TRY_CAST(left(period_id, 4) AS INTEGER)"
# Month of a month or administrative month, quarter, half; a year is one. Cumulative periods and weeks are no part of a year's sum.
SLOT = r"""CASE WHEN regexp_matches(period_id, '^\d{6}A?$') THEN CAST(substr(period_id, 5, 2) AS INTEGER)
    WHEN regexp_matches(period_id, '^\d{4}[QS]\d$') THEN CAST(right(period_id, 1) AS INTEGER)
    WHEN regexp_matches(period_id, '^\d{4}$') THEN 1 END"""
KIND = r"""CASE WHEN regexp_matches(period_id, '^\d{6}$') THEN 'month' WHEN regexp_matches(period_id, '^\d{6}A$') THEN 'administrative_month'
    WHEN regexp_matches(period_id, '^\d{4}[QS]\d$') THEN substr(period_id, 5, 1) ELSE 'year' END"""


@dataclass(frozen=True)
class Sources:
    """Relations (names or bracketed queries) on one connection.

    values : dataset_id, element_id, category_id, unit_id, period_id, value: one row per cell
    arrived : dataset_id, unit_id, period_id of values that arrived, in any number
    places : unit_id, level, commune, province, province_2024 (as the release table `place`)
    units : unit_id, name, valid_from, valid_to
    assignments : dataset_id, unit_id; due : dataset_id, period_id, period_start, period_end
    submissions : dataset_id, unit_id, period_id, due, submitted_on; None where no day of submission is known
    population : unit_id, year, sex, age_group, persons, series; None where there is none
    """

    con: duckdb.DuckDBPyConnection
    values: str
    arrived: str
    places: str
    units: str
    assignments: str
    due: str
    submissions: str | None = None
    population: str | None = None


MEMBERS = """
    CREATE OR REPLACE TEMP TABLE review_unit AS
    SELECT unit_id, level, 'VN2025' AS geography, 'VN' AS place, province AS subunit FROM {places} WHERE province IS NOT NULL AND province <> ''
    UNION ALL
    SELECT unit_id, level, 'VN2024', 'VN', province_2024 FROM {places} WHERE province_2024 IS NOT NULL AND province_2024 <> ''
    UNION ALL
    SELECT unit_id, level, 'VN2025', province, CASE WHEN level = 'commune' THEN coalesce(commune, unit_id) ELSE unit_id END
    FROM {places} WHERE province IS NOT NULL AND province <> ''
    UNION ALL
    SELECT unit_id, level, 'VN2024', province_2024, unit_id FROM {places} WHERE province_2024 IS NOT NULL AND province_2024 <> ''
"""


def make_members(sources: Sources) -> pd.DataFrame:
    """Make the tables review_member (one row per place and subunit) and review_unit (the units that each holds).

    Returns geography, place, subunit as categories, at the position of their member_no.
    """
    con = sources.con
    con.execute(MEMBERS.format(places=sources.places))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE review_member AS SELECT (row_number() OVER (ORDER BY geography, place, subunit) - 1)::INTEGER AS member_no, * "
        "FROM (SELECT DISTINCT geography, place, subunit FROM review_unit)"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unit_member AS SELECT unit_id, level, member_no "
        "FROM review_unit JOIN review_member USING (geography, place, subunit)"
    )
    con.execute("DROP TABLE review_unit")
    members = con.execute("SELECT geography, place, subunit FROM review_member ORDER BY member_no").df()
    return members.astype("category")


def unit_names(sources: Sources) -> dict[str, str]:
    """unit_id → name."""
    return dict(sources.con.execute(f"SELECT unit_id, any_value(name) FROM {sources.units} GROUP BY 1").fetchall())


EXPECTED = f"""
    SELECT dataset_id, member_no, {YEAR} AS year, count(*) AS expected
    FROM (SELECT DISTINCT dataset_id, unit_id FROM {{assignments}}) JOIN {{due}} d USING (dataset_id)
    LEFT JOIN (SELECT unit_id, min(valid_from) AS opens, max(valid_to) AS closes FROM {{units}} GROUP BY 1) USING (unit_id)
    JOIN unit_member USING (unit_id)
    WHERE (opens IS NULL OR CAST(opens AS DATE) <= CAST(d.period_end AS DATE))
      AND (closes IS NULL OR CAST(closes AS DATE) >= CAST(d.period_start AS DATE))
    GROUP BY ALL
"""
RECEIVED = f"""
    SELECT dataset_id, member_no, {YEAR} AS year, count(*) AS received,
           count(*) FILTER (WHERE s.submitted_on <= s.due) AS on_time,
           count(*) FILTER (WHERE s.due IS NULL OR s.submitted_on IS NULL) AS untimed
    FROM (SELECT DISTINCT dataset_id, unit_id, period_id FROM {{arrived}})
    SEMI JOIN (SELECT DISTINCT dataset_id FROM {{assignments}}) a USING (dataset_id)
    SEMI JOIN {{due}} d USING (dataset_id, period_id)
    LEFT JOIN {{submissions}} s USING (dataset_id, unit_id, period_id)
    JOIN unit_member USING (unit_id)
    GROUP BY ALL
"""
NO_SUBMISSIONS = (
    "(SELECT NULL::VARCHAR AS dataset_id, NULL::VARCHAR AS unit_id, NULL::VARCHAR AS period_id, NULL::DATE AS due, "
    "NULL::DATE AS submitted_on LIMIT 0)"
)


def read_reports(sources: Sources, members: pd.DataFrame) -> pd.DataFrame:
    """KEY, dataset_id, expected, received, on_time, untimed: reports of every data set with assigned reporters, per year."""
    names = {
        "assignments": sources.assignments, "due": sources.due, "units": sources.units, "arrived": sources.arrived,
        "submissions": sources.submissions or NO_SUBMISSIONS,
    }  # fmt: skip
    rows = sources.con.execute(
        f"SELECT * FROM ({EXPECTED.format(**names)}) FULL JOIN ({RECEIVED.format(**names)}) USING (dataset_id, member_no, year) "
        "ORDER BY dataset_id, member_no, year"
    ).df()
    rows[REPORT_COLUMNS] = rows[REPORT_COLUMNS].fillna(0).astype("int64")
    return _with_keys(rows, members)[[*KEY, "dataset_id", *REPORT_COLUMNS]]


def _with_keys(rows: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """The rows with geography, place and subunit of their member_no."""
    keys = members.take(rows["member_no"].to_numpy(dtype=int)).set_index(rows.index)
    return rows.assign(**{name: keys[name] for name in members.columns})


def arrived_data_sets(sources: Sources) -> set[str]:
    """Data sets with any value: the others need not be looked for among all values."""
    return {row[0] for row in sources.con.execute(f"SELECT DISTINCT dataset_id FROM {sources.arrived}").fetchall()}


INDICATOR = f"""
    WITH chosen AS (
        SELECT v.unit_id, m.member_no, m.level, {YEAR} AS year, {SLOT} AS slot, {KIND} AS kind, v.value, v.element_id, v.category_id
        FROM {{values}} v JOIN unit_member m USING (unit_id)
        WHERE v.dataset_id = ? AND v.element_id IN (SELECT unnest(?)) AND (? OR v.category_id IN (SELECT unnest(?)))
          AND ({SLOT}) IS NOT NULL AND v.value IS NOT NULL
    ),
    base AS (SELECT level, kind FROM chosen GROUP BY ALL ORDER BY count(*) DESC, level, kind LIMIT 1)
    SELECT member_no, year, slot, sum(value) AS value, count(*) AS present, count(*) FILTER (WHERE value = 0) AS zeros,
           (SELECT count(DISTINCT (element_id, category_id)) FROM chosen) AS cells
    FROM chosen SEMI JOIN base USING (level, kind) GROUP BY member_no, year, slot ORDER BY member_no, year, slot
"""


def read_indicator(
    sources: Sources, indicator: ReviewIndicator, members: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """(months, cells, number of cells of a report) of one indicator.

    months : KEY and one column per month, quarter or half ("1", "2", …), added up over elements, categories and units of the level
        and kind of period with most values (a total reported by another level is never added to its parts)
    cells : KEY, present, zeros per year
    """
    given = [indicator.dataset_id, list(indicator.elements), not indicator.categories, list(indicator.categories)]
    rows = sources.con.execute(INDICATOR.replace("{values}", sources.values), given).df()
    if rows.empty:
        return no_months()
    found = rows.groupby(["member_no", "year"], sort=True)
    cells = _with_keys(found[["present", "zeros"]].sum().reset_index(), members)
    grid = np.full((len(cells), int(rows["slot"].max())), np.nan)
    grid[found.ngroup().to_numpy(), rows["slot"].to_numpy(dtype=int) - 1] = rows["value"].to_numpy(float)
    slots = pd.DataFrame(grid, columns=[str(one + 1) for one in range(grid.shape[1])])
    return pd.concat([cells[KEY], slots], axis=1), cells[[*KEY, "present", "zeros"]], int(rows["cells"].iloc[0])


def no_months() -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """What `read_indicator` gives without any value."""
    none = pd.DataFrame(columns=KEY).astype({"year": int})
    return none.assign(**{"1": pd.Series(dtype=float)}), none.assign(present=0, zeros=0), 0


POPULATION = """
    WITH figures AS (
        SELECT unit_id, series, CAST(year AS INTEGER) AS year, {columns} FROM {population} GROUP BY ALL
    ),
    placed AS (
        SELECT f.*, m.member_no, split_part(f.unit_id, ':', 1) = g.geography AS own, coalesce(list_position(['commune', 'district', 'province'], m.level), 0) AS rank,
               {known} AS known
        FROM figures f JOIN unit_member m USING (unit_id) JOIN review_member g USING (member_no)
        WHERE m.level = 'commune' OR (g.place = 'VN' AND m.level IN ('district', 'province'))
    ),
    best AS (
        SELECT member_no, year, own, rank, series FROM (
            SELECT member_no, year, own, rank, series, min(known) AS known FROM placed GROUP BY ALL
        ) QUALIFY row_number() OVER (PARTITION BY member_no, year ORDER BY known DESC, own DESC, rank DESC, series) = 1
    )
    SELECT member_no, year, {sums} FROM placed SEMI JOIN best USING (member_no, year, own, rank, series) GROUP BY ALL ORDER BY ALL
"""


def read_population(
    sources: Sources, groups: Mapping[str, PopulationGroup], members: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """{group: KEY, value}: persons of each group, all from the same series and level of units.

    Of several, the figures with the most groups are taken, then those of the units of the same code system, then of the higher level.
    """
    if sources.population is None or not groups:
        return {name: pd.DataFrame(columns=[*KEY, "value"]) for name in groups}
    parts = [(f"g{number}", _group_sql(group)) for number, group in enumerate(groups.values())]
    sql = POPULATION.format(
        population=sources.population,
        columns=", ".join(f"{text} AS {name}" for name, text in parts),
        known=" + ".join(f"({name} IS NOT NULL)::INTEGER" for name, _ in parts),
        sums=", ".join(f"sum({name}) AS {name}" for name, _ in parts),
    )
    rows = _with_keys(sources.con.execute(sql).df(), members)
    return {
        group: rows[KEY].assign(value=rows[name].astype(float)).dropna(subset=["value"]).reset_index(drop=True)
        for (name, _), group in zip(parts, groups)
    }


def _group_sql(group: PopulationGroup) -> str:
    """Persons of the age groups as printed for both sexes, else as the sum of the sexes; missing where an age is missing."""
    if not group.age_groups:
        ages = [("age_group = 'total'", 1), ("age_group <> 'total'", 1)]
    else:
        listed = ", ".join("'" + one.replace("'", "''") + "'" for one in group.age_groups)
        ages = [(f"age_group IN ({listed})", len(group.age_groups))]
    parts = [
        f"CASE WHEN count(DISTINCT age_group) FILTER (WHERE {age} AND {sexes}) >= {least} "
        f"AND count(DISTINCT sex) FILTER (WHERE {age} AND {sexes}) >= {both} THEN sum(persons) FILTER (WHERE {age} AND {sexes}) END"
        for age, least in ages
        for sexes, both in (("sex = 'total'", 1), ("sex <> 'total'", 2))
    ]
    return f"coalesce({', '.join(parts)})"

"""One person on several lists: A6 book, civil registration, hospital notices and certificates, interviews, "taken home dying".

Deterministic passes, each with its name on record (`matched_by`). Two lines of one source meet by name, sex, a day and two
years of birth: probable duplicates, which count as one person here and are still two records. A pair counts where each record is the other's best. Nothing is merged or deleted. Without the
restricted store (no names) only the attributes are left, and the pairs say so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mortality.quality.places import offer_units
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.replaced import replaced_files_sql

if TYPE_CHECKING:
    import duckdb

Progress = Callable[[int, int], None]
HOSPITAL = ("certificate", "death_notice", "sent_home_dying")
FOLDED = "trim(regexp_replace(replace(strip_accents(lower({0})), 'đ', 'd'), '[^a-z ]+', ' ', 'g'))"
_YEARS_APART, _SAME_NAME = 2, 0.88

# One row per record on any list: deaths, and patients taken home dying (their day is that of discharge).
PERSON_RECORD = """
    CREATE OR REPLACE TEMP TABLE person_record AS
    SELECT d.death_id AS record_id, d.source, coalesce(u.home_2025, d.home) AS home, coalesce(u.province_2025, d.home) AS province,
           d.sex, d.birth_year, d.day, i.name, i.id_number
    FROM (
        SELECT death_id, source, coalesce(CASE WHEN residence_unit_id LIKE 'VN20__:_____' THEN residence_unit_id END, unit_id) AS home,
               sex, birth_year, CAST(death_date AS DATE) AS day, file_sha256 FROM {death}
        UNION ALL
        SELECT event_id, 'sent_home_dying', coalesce(residence_unit_id, unit_id), sex, birth_year, CAST(discharge_date AS DATE), file_sha256
        FROM {sent_home} WHERE coalesce(discharge_state, 'sent_home_dying') = 'sent_home_dying'
    ) d LEFT JOIN unit_place u ON u.unit_id = d.home LEFT JOIN person_name i ON i.record_id = d.death_id
    WHERE d.day IS NOT NULL {where}
"""
# Candidates share an ID number, or a name in one province, or commune, sex and almost the day. `apart` counts days from the
# death; for a patient taken home from the discharge, which comes first.
CANDIDATES = f"""
    CREATE OR REPLACE TEMP TABLE candidate AS
    SELECT *, CASE WHEN same_id THEN 'id_number' WHEN likeness IS NOT NULL THEN 'name' ELSE 'attributes' END AS matched_by,
           10 * same_id::INT + 5 * coalesce(likeness, 0) + CASE WHEN apart = 0 THEN 3 WHEN apart <= 3 THEN 2 WHEN apart <= 10 THEN 1 ELSE 0 END
           + CASE WHEN years IS NULL THEN 0 WHEN years = 0 THEN 2 WHEN years <= 1 THEN 1 ELSE 0 END
           + same_home::INT - 2 * other_sex::INT AS score
    FROM (
        SELECT a.record_id AS a, b.record_id AS b, a.source AS a_source, b.source AS b_source,
               coalesce(length(a.id_number) >= 9 AND a.id_number = b.id_number, false) AS same_id,
               CASE WHEN a.name IS NULL OR b.name IS NULL THEN NULL WHEN a.name = b.name THEN 1.0
                    ELSE jaro_winkler_similarity(a.name, b.name) END AS likeness,
               CASE WHEN b.source = 'sent_home_dying' THEN greatest(0, abs(a.day - b.day - 10) - 20) ELSE abs(a.day - b.day) END AS apart,
               abs(a.birth_year - b.birth_year) AS years, a.home = b.home AS same_home,
               coalesce(a.sex <> b.sex, false) AS other_sex
        FROM person_record a JOIN person_record b ON {{block}} AND (a.source, a.record_id) < (b.source, b.record_id)
    ) WHERE (a_source = b_source AND likeness >= {_SAME_NAME} AND apart <= 1 AND coalesce(years, 0) <= {_YEARS_APART} AND NOT other_sex
             AND (same_home OR likeness = 1))
       OR a_source <> b_source AND (same_id
       OR (likeness >= {_SAME_NAME} AND apart <= 62 AND coalesce(years, 0) <= {_YEARS_APART} AND (likeness = 1 OR apart <= 10 AND same_home))
       OR (likeness IS NULL AND same_home AND NOT other_sex AND apart <= 1 AND years <= 1))
"""
BLOCKS = (
    "a.id_number = b.id_number",
    "a.name = b.name AND a.province = b.province",
    "a.home = b.home AND a.day BETWEEN b.day - 12 AND b.day + 35",
)
# Pairs in which each is the other's best of that source; ties go to the smaller id, so that a run repeats itself.
PAIRS = """
    SELECT a, b, matched_by FROM (SELECT DISTINCT * FROM all_candidate)
    QUALIFY row_number() OVER (PARTITION BY a, b_source ORDER BY score DESC, b) = 1
        AND row_number() OVER (PARTITION BY b, a_source ORDER BY score DESC, a) = 1
"""


def match_deaths(home: Path, progress: Progress | None = None) -> dict[str, Any]:
    """Write `death_match`: the records that belong to one person. Run again, it replaces them all.

    Names and ID numbers are compared inside the restricted store; what is written holds keys only. An account without the
    right to identifiers matches by attributes (`names` in the answer says which).
    """
    from mortality.quality.identities import may_read_identifiers

    create_home(home)  # a home of an earlier version gets the table
    names = may_read_identifiers(home)
    with Warehouse(home, write=True) as warehouse:
        if names:
            with warehouse.restricted():
                keep_names(warehouse.con, ["restricted.death_identity", "restricted.sent_home_identity"])
        else:
            keep_names(warehouse.con, [])
        replaced = replaced_files_sql(warehouse)
        rows = matched_records(
            warehouse.con,
            death="lake.death",
            sent_home="lake.sent_home_dying",
            where=f"AND d.file_sha256 NOT IN ({replaced})",
        )
        with warehouse.transaction():
            warehouse.con.execute("DELETE FROM lake.death_match")
            warehouse.con.register("incoming", rows)
            warehouse.con.execute("INSERT INTO lake.death_match BY NAME SELECT * FROM incoming")
            warehouse.con.unregister("incoming")
        warehouse.con.execute("DROP TABLE IF EXISTS person_record; DROP TABLE IF EXISTS person_name")
    return {"records": len(rows), "persons": int(rows["person_id"].nunique()), "names": names}


def keep_names(con: duckdb.DuckDBPyConnection, relations: list[str]) -> None:
    """Folded names and ID numbers of these relations in a temporary table of the connection."""
    con.execute("CREATE OR REPLACE TEMP TABLE person_name (record_id VARCHAR, name VARCHAR, id_number VARCHAR)")
    for relation in relations:
        key = "event_id" if "sent_home" in relation else "death_id"
        con.execute(
            f"INSERT INTO person_name SELECT {key}, nullif({FOLDED.format('full_name')}, ''), "
            f"nullif(regexp_replace(id_number, '[^0-9]', '', 'g'), '') FROM {relation}"
        )


def matched_records(con: duckdb.DuckDBPyConnection, *, death: str, sent_home: str, where: str = "") -> pd.DataFrame:
    """record_id, person_id, source, matched_by of every record that meets another; person_id is the smallest record id.

    Needs the table `person_name` (see `keep_names`).
    """
    offer_units(con)
    con.execute(PERSON_RECORD.format(death=death, sent_home=sent_home, where=where))
    for number, block in enumerate(BLOCKS):
        con.execute(CANDIDATES.format(block=block))
        how = "CREATE OR REPLACE TEMP TABLE all_candidate AS" if number == 0 else "INSERT INTO all_candidate"
        con.execute(f"{how} SELECT * FROM candidate")
    pairs = con.execute(PAIRS).df()
    sources = con.execute("SELECT record_id, source FROM person_record").df().set_index("record_id")["source"]
    con.execute("DROP TABLE candidate; DROP TABLE all_candidate")
    return _persons(pairs, sources)


def _persons(pairs: pd.DataFrame, sources: pd.Series) -> pd.DataFrame:
    """The connected records of each person."""
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    columns = ["record_id", "person_id", "source", "matched_by"]
    if pairs.empty:
        return pd.DataFrame(columns=columns, dtype="str")
    records = np.unique(np.concatenate([pairs["a"], pairs["b"]]).astype(str))
    left, right = (np.searchsorted(records, pairs[name].to_numpy(dtype=str)) for name in ("a", "b"))
    graph = coo_array((np.ones(len(pairs)), (left, right)), shape=(len(records), len(records)))
    _, person = connected_components(graph, directed=False)
    first = pd.Series(records).groupby(person).transform("min")
    how = pd.concat([pairs.set_index("a")["matched_by"], pairs.set_index("b")["matched_by"]])
    strongest = how.map({"id_number": 0, "name": 1, "attributes": 2}).groupby(level=0).min()
    words = np.array(["id_number", "name", "attributes"])[strongest.loc[records].to_numpy()]
    return pd.DataFrame(
        {"record_id": records, "person_id": first, "source": sources.loc[records].to_numpy(), "matched_by": words}
    )

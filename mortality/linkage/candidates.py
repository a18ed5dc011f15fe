"""All records of deaths on one footing for the engine, and what the engine cannot know: days of discharge, contradictions.

Identifiers are read inside the restricted store into temporary tables of one connection (in memory; spilled encrypted), and
leave it as probabilities and levels only.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

SENT_HOME = "sent_home_dying"
IDENTITY_TABLES = {"restricted.death_identity": "death_id", "restricted.sent_home_identity": "event_id"}
RECORD_TABLES = ("person_record", "person_identity", "person_link")
# The commune of residence where it is known, else the commune that registered the death.
_HOME = "coalesce(CASE WHEN {0} LIKE 'VN20__:_____' THEN {0} END, unit_id)"
# Names in one order and without marks, and whether two of them are quite different names (the engine's own levels go first).
_PLAIN = "array_to_string(list_sort(string_split(trim(regexp_replace(replace(strip_accents(lower({0})), 'đ', 'd'), '[^a-z]+', ' ', 'g')), ' ')), ' ')"
UNLIKE_NAMES = 0.72  # Jaro-Winkler: two slips and a name left out stay above
_TWO_NAMES = f"jaro_winkler_similarity(a.plain_name, b.plain_name) < {UNLIKE_NAMES}"
_RECORDS = f"""
    CREATE OR REPLACE TEMP TABLE person_record AS
    SELECT r.*, i.full_name, {_PLAIN.format("i.full_name")} AS plain_name, i.birth, i.birth_day, i.address, i.id_number,
           coalesce(u.home_2025, r.home) AS home_2025, coalesce(u.province_2025, '') AS province_2025
    FROM (
        SELECT death_id AS record_id, source, {_HOME.format("residence_unit_id")} AS home, sex, birth_year, age_years,
               CAST(death_date AS DATE) AS day, death_date_as_written AS day_written, file_sha256
        FROM {{death}}
        UNION ALL
        SELECT event_id, '{SENT_HOME}', {_HOME.format("residence_unit_id")}, sex, birth_year, age_years, CAST(discharge_date AS DATE), NULL, file_sha256
        FROM {{sent_home}} WHERE coalesce(discharge_state, '{SENT_HOME}') = '{SENT_HOME}'
    ) r LEFT JOIN unit_place u ON u.unit_id = r.home LEFT JOIN person_identity i USING (record_id)
    WHERE {{where}}
"""
# What the engine compares, in one order: a second run draws the same random pairs. The day of a discharge is no day of
# death: it is weighed afterwards.
ENGINE_RECORDS = f"""
    SELECT record_id, source AS list_id, full_name, sex,
           coalesce(birth_day::VARCHAR, birth_year::VARCHAR, CAST(year(day) - floor(age_years) AS INTEGER)::VARCHAR, birth) AS birth,
           CASE WHEN source <> '{SENT_HOME}' THEN coalesce(day::VARCHAR, day_written) END AS death_date,
           address, home AS place_code, id_number
    FROM person_record ORDER BY record_id
"""
_FULL_ID = "(length({0}) = 12 AND regexp_full_match({0}, '[0-9]+'))"
# Why two records cannot be of one person; the first that holds is named. The same ID number silences sex and birth.
_CONTRADICTION = f"""
    CASE WHEN {_FULL_ID.format("a.id_number")} AND {_FULL_ID.format("b.id_number")} AND levenshtein(a.id_number, b.id_number) > 2 THEN 'two_id_numbers'
         WHEN a.id_number = b.id_number AND length(a.id_number) >= 9 THEN ''
         WHEN {{unlike}} THEN 'two_names'
         WHEN {{doubtful}} THEN 'names_differ'
         WHEN a.sex IN ('male', 'female') AND b.sex IN ('male', 'female') AND a.sex <> b.sex THEN 'two_sexes'
         WHEN a.source = b.source AND a.source <> '{SENT_HOME}' AND abs(a.day - b.day) > {{days_in_one_book}}
              AND NOT (year(a.day) = year(b.day) AND month(a.day) = day(b.day) AND day(a.day) = month(b.day)) THEN 'two_days'
         WHEN abs(a.birth_year - b.birth_year) > {{years_of_birth}} THEN 'two_births'
         WHEN a.source = '{SENT_HOME}' AND b.source <> '{SENT_HOME}' AND a.day > b.day + 1
              OR b.source = '{SENT_HOME}' AND a.source <> '{SENT_HOME}' AND b.day > a.day + 1 THEN 'discharge_after_death'
         WHEN a.birth_day = b.birth_day THEN ''
         WHEN a.source = '{SENT_HOME}' AND b.source <> '{SENT_HOME}' AND b.day - a.day > {{near}}
              OR b.source = '{SENT_HOME}' AND a.source <> '{SENT_HOME}' AND a.day - b.day > {{near}} THEN 'long_after_discharge'
         ELSE '' END
"""


def keep_identities(con: duckdb.DuckDBPyConnection, relations: Mapping[str, str]) -> None:
    """Make `person_identity` (record_id, full_name, birth, birth_day, address, id_number) of {relation: its key column}."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE person_identity (record_id VARCHAR, full_name VARCHAR, birth VARCHAR, birth_day DATE, "
        "address VARCHAR, id_number VARCHAR)"
    )
    for relation, key in relations.items():
        con.execute(
            f"INSERT INTO person_identity SELECT {key}, full_name, birth_as_written, CAST(birth_date AS DATE), address, "
            f"nullif(regexp_replace(upper(CAST(id_number AS VARCHAR)), '[^0-9A-Z]', '', 'g'), '') FROM {relation}"
        )


def make_records(con: duckdb.DuckDBPyConnection, *, death: str, sent_home: str, where: str = "true") -> int:
    """Make `person_record`: one row per death and per patient taken home dying; how many. Needs `person_identity`."""
    from mortality.quality.places import offer_units

    offer_units(con)
    con.execute(_RECORDS.format(death=death, sent_home=sent_home, where=where))
    found = con.execute("SELECT count(*) FROM person_record").fetchone()
    return int(found[0]) if found else 0


# The engine's pairs with the weight that the day of discharge adds, what contradicts, and levels as JSON. A patient taken
# home dying dies within days: `soon` is the share of them who die within the window, against the share of all deaths in it.
_LINKS = """
    CREATE OR REPLACE TEMP TABLE person_link AS
    WITH span AS (SELECT greatest(max(day) - min(day), 1)::DOUBLE AS days FROM person_record), pair AS (
        SELECT least(p.id_l, p.id_r) AS record_a, greatest(p.id_l, p.id_r) AS record_b, p.match_weight AS weight, {levels} AS levels,
               {contradiction} AS contradiction,
               CASE WHEN a.source = '{sent_home}' AND b.source <> '{sent_home}' THEN b.day - a.day
                    WHEN b.source = '{sent_home}' AND a.source <> '{sent_home}' THEN a.day - b.day END AS gap
        FROM {linked} p JOIN person_record a ON a.record_id = p.id_l JOIN person_record b ON b.record_id = p.id_r
    ), weighed AS (
        SELECT *, weight + CASE WHEN gap IS NULL THEN 0 WHEN gap BETWEEN -1 AND {near} THEN log2({soon} / least(1, ({near} + 2) / days))
            WHEN gap BETWEEN -1 AND {far} THEN log2({later} / least(1, ({far} - {near}) / days)) ELSE log2({never}) END AS total
        FROM pair, span
    )
    SELECT record_a, record_b, round(1 / (1 + pow(2, -least(total, 60))), 10) AS probability, round(total, 6) AS weight, levels,
           CASE WHEN gap BETWEEN -1 AND {near} THEN 'soon' WHEN gap BETWEEN -1 AND {far} THEN 'later' WHEN gap IS NOT NULL THEN 'other' ELSE '' END
               AS discharge, contradiction
    FROM weighed WHERE 1 / (1 + pow(2, -least(total, 60))) >= CASE WHEN contradiction = 'two_names' THEN {upper} ELSE {lower} END
"""
NEAR_DAYS, SOON, LATER, NEVER = 30, 0.9, 0.08, 0.02  # own judgement: "nặng xin về" die within days (unverified)
# Two records of which no names may be read: commune, sex, almost the day and the year, each the other's best of that list.
_ATTRIBUTES = f"""
    SELECT a, b FROM (
        SELECT a.record_id AS a, b.record_id AS b, a.source AS a_source, b.source AS b_source, 2 * abs(a.day - b.day) + abs(a.birth_year - b.birth_year) AS far
        FROM person_record a JOIN person_record b ON a.home = b.home AND a.sex = b.sex AND a.source < b.source
             AND abs(a.birth_year - b.birth_year) <= 1
             AND CASE WHEN b.source = '{SENT_HOME}' THEN a.day - b.day BETWEEN -1 AND 7 ELSE abs(a.day - b.day) <= 1 END
    )
    QUALIFY row_number() OVER (PARTITION BY a, b_source ORDER BY far, b) = 1 AND row_number() OVER (PARTITION BY b, a_source ORDER BY far, a) = 1
"""
_APART = """
    INSERT INTO person_link BY NAME
    SELECT record_a, record_b, '{{}}' AS levels, '' AS discharge, contradiction FROM (
        SELECT a.record_id AS record_a, b.record_id AS record_b, {contradiction} AS contradiction
        FROM record_group x JOIN record_group y ON x.component = y.component AND x.record_id < y.record_id
        JOIN person_record a ON a.record_id = x.record_id JOIN person_record b ON b.record_id = y.record_id
    ) ANTI JOIN person_link USING (record_a, record_b) WHERE contradiction <> ''
"""
LARGEST_GROUP = 400  # of a larger group of alike records only the pairs that the engine offered are looked at


def _contradiction(settings: Mapping[str, Any], *, engine: bool = False) -> str:
    """The expression over records a and b; where the engine compared them, its level of the name counts (`p.level_name`)."""
    slips = level_number("name", "slips")
    unlike, doubtful = (
        (f"p.level_name BETWEEN 0 AND {slips - 1}", f"p.level_name = {slips}") if engine else (_TWO_NAMES, "false")
    )
    return _CONTRADICTION.format(unlike=unlike, doubtful=doubtful, near=NEAR_DAYS, **settings)


def level_number(comparison: str, level: str) -> int:
    """The number that a level of a comparison has in the engine's pairs."""
    from mortality.linkage.comparisons import COMPARISONS

    ladder = next(one for one in COMPARISONS if one.key == comparison)
    return ladder.number([one.key for one in ladder.levels].index(level))


def score_records(con: duckdb.DuckDBPyConnection, linked: str, settings: Mapping[str, Any]) -> None:
    """Make `person_link` of the engine's pairs: record_a < record_b, probability, weight, levels (JSON), discharge,
    contradiction; pairs below the lower threshold are left out (of two quite different names: below the upper one). Then add, without a probability, the pairs of one connected group that
    contradict each other."""
    columns = [row[0] for row in con.execute(f"DESCRIBE {linked}").fetchall() if row[0].startswith("level_")]
    levels = ", ".join(f"'{name.removeprefix('level_')}', {name}" for name in columns)
    con.execute(
        _LINKS.format(
            levels=f"json_object({levels})", contradiction=_contradiction(settings, engine=True), linked=linked, sent_home=SENT_HOME,
            near=NEAR_DAYS, far=settings["taken_home_days"], soon=SOON, later=LATER, never=NEVER, lower=settings["lower"], upper=settings["upper"],
        )
    )  # fmt: skip
    add_contradictions(con, settings)


def add_contradictions(con: duckdb.DuckDBPyConnection, settings: Mapping[str, Any]) -> None:
    """Pairs of `person_link`'s connected groups that the engine did not offer and that contradict each other."""
    pairs = con.execute("SELECT record_a, record_b FROM person_link ORDER BY ALL").df()
    con.register("incoming", grouped_records(pairs))
    con.execute("CREATE OR REPLACE TEMP TABLE record_group AS SELECT * FROM incoming")
    con.unregister("incoming")
    con.execute(_APART.format(contradiction=_contradiction(settings)))
    con.execute("DROP TABLE record_group")


def grouped_records(pairs: pd.DataFrame) -> pd.DataFrame:
    """record_id, component of the records that hang together in groups of 3 to LARGEST_GROUP."""
    from mortality.linkage.clusters import connected_records

    records, component = connected_records(pairs)
    size = np.bincount(component) if len(component) else np.zeros(0, dtype=int)
    wanted = (size[component] > 2) & (size[component] <= LARGEST_GROUP) if len(component) else np.zeros(0, dtype=bool)
    return pd.DataFrame({"record_id": pd.Series(records[wanted], dtype="str"), "component": component[wanted]})


def match_by_attributes(con: duckdb.DuckDBPyConnection, settings: Mapping[str, Any]) -> None:
    """Make `person_link` without names: pairs have no probability and the level "attributes"."""
    con.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE person_link AS
        SELECT least(a, b) AS record_a, greatest(a, b) AS record_b, CAST(NULL AS DOUBLE) AS probability, CAST(NULL AS DOUBLE) AS weight,
               '{json.dumps({"attributes": 1})}' AS levels, '' AS discharge, '' AS contradiction
        FROM ({_ATTRIBUTES})
        """
    )
    add_contradictions(con, settings)


def reason_keys(levels: str, discharge: str = "") -> list[str]:
    """Label keys that say what agreed and what did not, of levels as JSON and the place of the discharge."""
    from mortality.linkage.comparisons import reasons_of

    found = json.loads(levels or "{}")
    keys = ["persons.reason.attributes"] if found.pop("attributes", 0) else reasons_of(found)
    return [*keys, f"persons.reason.discharge_{discharge}"] if discharge else keys


def drop_records(con: duckdb.DuckDBPyConnection) -> None:
    """Take everything with names off the connection."""
    for name in RECORD_TABLES:
        con.execute(f"DROP TABLE IF EXISTS temp.{name}")

"""A list brought to the form that is compared: one row per record in the temporary table `linkage_record`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mortality.linkage import names
from mortality.linkage.dates import offer_dates
from mortality.linkage.places import offer_places

if TYPE_CHECKING:
    import duckdb

FIELDS = ("full_name", "sex", "birth", "death_date", "address", "place_code", "id_number")
SHARED_ID = 4  # an ID number on more records than this, and on more than one in 200, is no person's number
VIETNAMESE = 0.3  # share of names with a known family name from which a list is read as Vietnamese
TABLES = (
    "linkage_input",
    "linkage_name",
    "linkage_rarity",
    "linkage_words",
    "linkage_token",
    "linkage_rare",
    "linkage_id",
    "linkage_place",
    "linkage_date",
    "linkage_record",
)


def prepare_records(con: duckdb.DuckDBPyConnection, relation: str | duckdb.DuckDBPyRelation) -> int:
    """Fill `linkage_record` from a relation (see `link_records`); the number of records comes back.

    `rec` counts the records in the order of the relation, from 1.
    """
    _take_input(con, relation)
    offer_dates(con, "linkage_input", ("birth", "death_date"))
    offer_places(con, "linkage_input")
    for statement in (_NAMES, _TOKENS, _RARITY, _WORDS, _ADDRESS_WORDS, _IDS, _RECORD):
        con.execute(statement)
    for table in TABLES:
        if table != "linkage_record":
            con.execute(f"DROP TABLE temp.{table}")
    (records,) = con.execute("SELECT count(*) FROM linkage_record").fetchone() or (0,)
    return int(records)


def drop_prepared(con: duckdb.DuckDBPyConnection) -> None:
    """Take the tables of this room off the connection."""
    for table in TABLES:
        con.execute(f"DROP TABLE IF EXISTS temp.{table}")


def _take_input(con: duckdb.DuckDBPyConnection, relation: str | duckdb.DuckDBPyRelation) -> None:
    """Every column as text, absent ones as NULL, empty texts as NULL."""
    source = relation if isinstance(relation, str) else "linkage_source"
    if not isinstance(relation, str):
        con.register("linkage_source", relation)
    present = {name.lower() for name in con.sql(f"SELECT * FROM {source} LIMIT 0").columns}
    columns = ["row_number() OVER ()::INT AS rec"]
    for field in ("record_id", "list_id", *FIELDS):
        value = f"nullif(trim(CAST({field} AS VARCHAR)), '')" if field in present else "CAST(NULL AS VARCHAR)"
        columns.append(f"{value} AS {field}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE linkage_input AS SELECT {', '.join(columns)} FROM {source}")
    if not isinstance(relation, str):
        con.unregister("linkage_source")


# Where the place code is known, the words for commune, district and province only repeat it.
_ADDRESS = (
    f"CASE WHEN place_code IN (SELECT written FROM linkage_place) THEN {names.hamlet('address')} "
    f"ELSE {names.folded('address')} END"
)
# Names repeat: what is to know of one is worked out once, for all records that write it so.
_NAMES = f"""
    CREATE OR REPLACE TEMP TABLE linkage_name AS
    WITH written AS (SELECT full_name, count(*) AS times FROM linkage_input WHERE full_name IS NOT NULL GROUP BY full_name),
    lower AS (SELECT full_name, times, {names.composed("full_name")} AS name FROM written),
    plain AS (SELECT *, {names.folded_name("name")} AS bare FROM lower),
    words AS (
        SELECT full_name, times, {names.one_i("bare")} AS name_folded, string_split({names.one_i("bare")}, ' ') AS tokens,
               CASE WHEN strip_accents(replace(name, 'đ', 'd')) <> name THEN {names.accented("name")} END AS name_accented
        FROM plain
    ), known AS (SELECT *, {names.given("tokens")} AS usual_given FROM words),
    people AS (
        SELECT sum(times) FILTER (usual_given IS NOT NULL) > {VIETNAMESE} * sum(times) FILTER (tokens IS NOT NULL) AS vietnamese FROM known
    )
    SELECT known.* EXCLUDE (usual_given), (row_number() OVER ())::INT AS name_no, {names.sex_of_name("tokens")} AS name_sex, len(tokens)::TINYINT AS name_words,
           array_to_string(list_sort(tokens), ' ') AS name_sorted, replace(name_folded, ' ', '') AS name_glued,
           {names.regional("name_folded")} AS name_regional,
           CASE WHEN vietnamese THEN coalesce(usual_given, {names.given_elsewhere("tokens")}) END AS given,
           CASE WHEN vietnamese THEN {names.family("tokens")} END AS family,
           tokens[1] AS head, CASE WHEN len(tokens) > 1 THEN tokens[-1] END AS tail,
           CASE WHEN len(tokens) > 2 THEN array_to_string(tokens[2:-2], ' ') END AS middle,
           list_distinct([tokens[1], tokens[-1]]) AS words
    FROM known CROSS JOIN people
"""
_TOKENS = """
    CREATE OR REPLACE TEMP TABLE linkage_token AS
    SELECT token, sum(times) / (SELECT greatest(sum(times), 1) FROM linkage_name WHERE tokens IS NOT NULL) AS share
    FROM (SELECT times, unnest(list_distinct(tokens)) AS token FROM linkage_name) GROUP BY token
"""
# How rare a name is, or one that is near it: seen in the list, or expected from its words (tf_… is what Splink reads).
_RARITY = """
    CREATE OR REPLACE TEMP TABLE linkage_rarity AS
    WITH full_name AS (SELECT name_folded, sum(times) AS times FROM linkage_name WHERE name_folded IS NOT NULL GROUP BY name_folded),
    people AS (SELECT greatest(coalesce(sum(times), 0), 1) AS all_names FROM full_name),
    name_chance AS (
        SELECT name_no, exp(sum(ln(share))) AS chance
        FROM (SELECT name_no, unnest(tokens) AS token FROM linkage_name) JOIN linkage_token USING (token) GROUP BY name_no
    )
    SELECT n.name_no,
           least(1.0, greatest(f.times - 2, 0) / all_names + 2 * c.chance + 1e-6) AS tf_name,
           least(1.0, greatest(f.times - 2, 0) / all_names + 8 * c.chance + 4e-6) AS tf_near,
           least(1.0, 30 * c.chance + 1e-6) AS tf_far,
           h.share AS tf_head, t.share AS tf_tail, coalesce(2 * h.share * t.share + 1e-7, 1) AS tf_ends
    FROM linkage_name n CROSS JOIN people
    LEFT JOIN full_name f USING (name_folded)
    LEFT JOIN name_chance c ON c.name_no = n.name_no
    LEFT JOIN linkage_token h ON h.token = n.head
    LEFT JOIN linkage_token t ON t.token = n.tail
"""
_WORDS = f"""
    CREATE OR REPLACE TEMP TABLE linkage_words AS
    WITH lower AS (
        SELECT rec, record_id, list_id, name_no, {names.composed("address")} AS address, {names.sex("sex")} AS sex,
               nullif(regexp_replace(upper(strip_accents(id_number)), '[^0-9A-Z]', '', 'g'), '') AS id_number,
               birth, death_date, place_code
        FROM linkage_input LEFT JOIN linkage_name USING (full_name)
    )
    SELECT * REPLACE ({_ADDRESS} AS address), list_distinct(string_split({_ADDRESS}, ' ')) AS address_tokens FROM lower
"""
# The three words of an address that the fewest records have: "7 wallaby place" is known by "wallaby" and "7".
_ADDRESS_WORDS = """
    CREATE OR REPLACE TEMP TABLE linkage_rare AS
    WITH word AS (SELECT rec, unnest(address_tokens) AS token FROM linkage_words),
    known AS (SELECT token, count(*) AS times FROM word GROUP BY token)
    SELECT rec, list_sort(min_by(token, (times, token), 3)) AS rare FROM word JOIN known USING (token) GROUP BY rec
"""
_IDS = f"""
    CREATE OR REPLACE TEMP TABLE linkage_id AS
    SELECT id_number FROM linkage_words
    WHERE length(id_number) >= 5 AND regexp_matches(id_number, '[0-9]{{4}}')
      AND NOT regexp_matches(id_number, '^(0+|1+|2+|3+|4+|5+|6+|7+|8+|9+|0*123456789?0?[0-9]{{0,2}}|9876543210?)[X]*$')
      AND NOT regexp_matches(id_number, '(0{{6,}}|1{{7,}}|9{{6,}})$')
    GROUP BY id_number
    HAVING count(*) <= greatest({SHARED_ID}, (SELECT count(id_number) FROM linkage_words) / 200)
"""
# An age in the place of a birth ("75 tuổi"): the year of birth follows from that of death.
_AGE = "TRY_CAST(regexp_extract(w.birth, '^([0-9]{1,3}) *(?:t|tuổi|tuoi|years?)?$', 1) AS SMALLINT)"
_RECORD = f"""
    CREATE OR REPLACE TEMP TABLE linkage_record AS
    WITH people AS (SELECT greatest(count(*), 1) AS all_records FROM linkage_words)
    SELECT w.rec, w.record_id, w.list_id, w.sex, n.* EXCLUDE (full_name, times, name_no),
           b.digits AS birth_digits, b.day AS birth_day, b.lunar AS birth_lunar, b.lunar_before AS birth_lunar_before,
           coalesce(b.year, d.year - {_AGE}) AS birth_year,
           d.digits AS death_digits, d.day AS death_day, d.lunar AS death_lunar, d.lunar_before AS death_lunar_before, d.year AS death_year,
           CASE WHEN len(p.communes) > 0 THEN p.communes WHEN w.place_code IS NOT NULL THEN [w.place_code] END AS places,
           r.rare AS address_rare, w.address AS address_folded, replace(w.address, ' ', '') AS address_glued, w.address_tokens,
           w.place_code, p.communes, p.district, p.province, i.id_number, y.* EXCLUDE (name_no),
           greatest(a.times / all_records, CASE WHEN len(p.communes) > 0 AND len(w.address_tokens) <= 3 THEN 0.03 ELSE 0 END) AS tf_address, z.times / all_records AS tf_place
    FROM linkage_words w CROSS JOIN people
    LEFT JOIN linkage_name n ON n.name_no = w.name_no
    LEFT JOIN linkage_rarity y ON y.name_no = w.name_no
    LEFT JOIN (SELECT address, count(*) AS times FROM linkage_words GROUP BY ALL) a ON a.address = w.address
    LEFT JOIN (SELECT place_code, count(*) AS times FROM linkage_words GROUP BY ALL) z ON z.place_code = w.place_code
    LEFT JOIN linkage_rare r ON r.rec = w.rec
    LEFT JOIN linkage_date b ON b.written = w.birth
    LEFT JOIN linkage_date d ON d.written = w.death_date
    LEFT JOIN linkage_place p ON p.written = w.place_code
    LEFT JOIN linkage_id i ON i.id_number = w.id_number
"""

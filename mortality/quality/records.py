"""Death records as the checks see them: one row each with what the dates, the name and the book say, no identifier.

`death_record` is made once per run in the scratch database. Columns beside those of `death`:
  home : commune of residence, else of registration; home_2025, province_2025 : on the units of 2025; period_id : month of death, "" unknown
  received_on, registered_on : days; registered_on from the document, or from the book's remark "ghi sổ ngày …"
  code, code_rule, code_decision : the code that counts (see `mortality.pipeline`), "" where there is none
  name_sex : the sex that the name speaks for (a word of it, weak evidence), "" none
  birth_kind : date | year | age | none (how the birth stands in the book); new_year_birth : a date of 1 January
  days_lived : from date of birth to date of death; day_solar : the date of death if what is written were a lunar date
  work_accident : the words or the remark say that it was one
  around_day, around_rows : median date of death of the lines around it in the book, and how many there are
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.quality.identities import identities
from mortality.quality.matching import FOLDED
from mortality.quality.places import offer_units

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

TABLE = "death_record"
FEMALE_WORDS, MALE_WORDS = ("thi",), ("van",)
_COLUMNS = {
    "death_id": "VARCHAR", "source": "VARCHAR", "unit_id": "VARCHAR", "residence_unit_id": "VARCHAR", "person_key": "VARCHAR",
    "death_date": "DATE", "death_date_as_written": "VARCHAR", "birth_year": "INTEGER", "age_value": "DOUBLE", "age_unit": "VARCHAR",
    "age_years": "DOUBLE", "sex": "VARCHAR", "place_of_death": "VARCHAR", "cause_text": "VARCHAR", "icd10_as_written": "VARCHAR",
    "underlying_cause_as_given": "VARCHAR", "maternal_death": "BOOLEAN", "file_sha256": "VARCHAR", "sheet": "VARCHAR",
    "row_number": "INTEGER",
}  # fmt: skip
_NOTED = r"ghi so(?: ngay)? (\d+/\d+/\d+)|dang ky(?: ngay)? (\d+/\d+/\d+)"
_WORK = r"\btnld\b|tai nan lao dong"
_FOLD_NOTE = "replace(strip_accents(lower(CAST(i.note AS VARCHAR))), 'đ', 'd')"
_MIDDLE = "list_slice(string_split(" + FOLDED.format("CAST(i.full_name AS VARCHAR)") + ", ' '), 2, -2)"

_PERSON = f"""
    CREATE OR REPLACE TABLE death_person AS
    SELECT i.death_id, CAST(i.birth_date AS DATE) AS birth_date,
           CASE WHEN list_has_any({_MIDDLE}, {{female}}) THEN 'female' WHEN list_has_any({_MIDDLE}, {{male}}) THEN 'male' ELSE '' END AS name_sex,
           try_strptime(coalesce(nullif(regexp_extract({_FOLD_NOTE}, '{_NOTED}', 1), ''),
               nullif(regexp_extract({_FOLD_NOTE}, '{_NOTED}', 2), '')), '%d/%m/%Y')::DATE AS noted_on,
           coalesce(regexp_matches({_FOLD_NOTE}, '{_WORK}'), false) AS noted_work
    FROM {{relation}} i
"""
_NOBODY = """
    CREATE OR REPLACE TABLE death_person (death_id VARCHAR, birth_date DATE, name_sex VARCHAR, noted_on DATE, noted_work BOOLEAN)
"""
_FOLD_CAUSE = "replace(strip_accents(lower(d.cause_text)), 'đ', 'd')"
_RECORD = f"""
    CREATE OR REPLACE TABLE death_record AS
    SELECT d.* EXCLUDE (sex), coalesce(d.sex, '') AS sex, coalesce(strftime(d.death_date, '%Y%m'), '') AS period_id,
           coalesce(CASE WHEN d.residence_unit_id LIKE 'VN20__:_____' THEN d.residence_unit_id END, d.unit_id) AS home,
           f.received_on, coalesce(o.document_date, p.noted_on) AS registered_on, coalesce(c.code, '') AS code, coalesce(c.rule, '') AS code_rule,
           coalesce(c.decision, '') AS code_decision,
           coalesce(p.name_sex, '') AS name_sex, p.birth_date IS NOT NULL AND strftime(p.birth_date, '%m%d') = '0101' AS new_year_birth,
           CASE WHEN p.birth_date IS NOT NULL THEN 'date' WHEN d.birth_year IS NOT NULL THEN 'year' WHEN d.age_value IS NOT NULL THEN 'age'
                ELSE 'none' END AS birth_kind,
           d.death_date - p.birth_date AS days_lived, date_diff('year', p.birth_date, d.death_date)
               - (strftime(d.death_date, '%m%d') < strftime(p.birth_date, '%m%d'))::INT AS years_lived, l.day_solar,
           median(epoch(d.death_date) / 86400) OVER book AS around_day, count(d.death_date) OVER book AS around_rows,
           p.death_id IS NOT NULL AS identified, coalesce(p.noted_work, false)
               OR coalesce(regexp_matches({_FOLD_CAUSE}, '{_WORK}'), false) AS work_accident
    FROM plain_death d LEFT JOIN file_day f USING (file_sha256) LEFT JOIN document_day o USING (death_id)
    LEFT JOIN coded c USING (death_id) LEFT JOIN death_person p USING (death_id)
    LEFT JOIN lunar_day l ON l.written = d.death_date
    WINDOW book AS (PARTITION BY d.file_sha256, d.sheet ORDER BY d.row_number ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING EXCLUDE CURRENT ROW)
"""


def death_records(context: CheckContext) -> str:
    """Make `death_record` where the run has not yet; its name."""
    con = context.con
    if con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [TABLE]).fetchone():
        return TABLE
    con.execute(f"CREATE OR REPLACE TABLE plain_death AS SELECT {_plain(context)} FROM death")
    _side(context, "received_file", "file_day", "file_sha256, CAST(left(received_at, 10) AS DATE) AS received_on",
          "file_sha256 VARCHAR, received_on DATE")  # fmt: skip
    _side(context, "death_document", "document_day", "death_id, min(CAST(document_date AS DATE)) AS document_date",
          "death_id VARCHAR, document_date DATE", "GROUP BY 1")  # fmt: skip
    _side(
        context,
        "death_code",
        "coded",
        "death_id, code, rule, decision",
        "death_id VARCHAR, code VARCHAR, rule VARCHAR, decision VARCHAR",
    )
    with identities(context) as relation:
        words = {"female": list(FEMALE_WORDS), "male": list(MALE_WORDS)}
        con.execute(_PERSON.format(relation=relation, **words) if relation else _NOBODY)
    _lunar_days(context)
    con.execute(_RECORD)
    _places(context)
    con.execute(
        "DROP TABLE death_person; DROP TABLE plain_death; DROP TABLE file_day; DROP TABLE document_day; DROP TABLE coded; DROP TABLE lunar_day"
    )
    return TABLE


def _plain(context: CheckContext) -> str:
    """The columns of `death`, typed, those that the table lacks as NULL."""
    there = {row[0] for row in context.con.execute("DESCRIBE death").fetchall()}
    return ", ".join(
        f'CAST({name if name in there else "NULL"} AS {kind}) AS "{name}"' for name, kind in _COLUMNS.items()
    )


def _side(context: CheckContext, relation: str, name: str, chosen: str, empty: str, more: str = "") -> None:
    made = f"AS SELECT {chosen} FROM {relation} {more}" if context.has(relation) else f"({empty})"
    context.con.execute(f"CREATE OR REPLACE TABLE {name} {made}")


def _lunar_days(context: CheckContext) -> None:
    """For each date of death the solar day if its day and month were lunar ones; each distinct date is read once."""
    from mortality.register_dates import lunar_to_solar

    days = context.query("SELECT DISTINCT death_date FROM plain_death WHERE death_date IS NOT NULL")["death_date"]
    days = pd.to_datetime(days)
    solar = [lunar_to_solar(one.day, one.month, one.year) for one in days]
    context.con.register("incoming", pd.DataFrame({"written": days, "day_solar": pd.to_datetime(pd.Series(solar))}))
    context.con.execute(
        "CREATE OR REPLACE TABLE lunar_day AS SELECT CAST(written AS DATE) AS written, CAST(day_solar AS DATE) AS day_solar FROM incoming"
    )
    context.con.unregister("incoming")


def _places(context: CheckContext) -> None:
    """Add the commune and province of 2025 of each record's home (an old commune's default target)."""
    offer_units(context.con)
    context.con.execute(
        "CREATE OR REPLACE TABLE death_record AS SELECT r.*, coalesce(u.home_2025, r.home) AS home_2025, "
        "coalesce(u.province_2025, '') AS province_2025 FROM death_record r LEFT JOIN unit_place u ON u.unit_id = r.home"
    )

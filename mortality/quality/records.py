"""Death records as the checks see them: one row each with what the dates, the name and the book say, no identifier.

`death_record` is made once per run in the scratch database. Columns beside those of `death`:
  home : commune of residence, else of registration; home_2025, province_2025 : on the units of 2025; period_id : month of death, "" unknown
  received_on, registered_on : days; registered_on from the document, or from the book's remark "ghi sổ ngày …"
  code, code_rule, code_decision : the code that counts (see `mortality.pipeline`), "" where there is none
  name_sex : the sex that the name speaks for (a word of it, weak evidence), "" none
  birth_kind : date | year | age | none (how the birth stands in the book); new_year_birth : a date of 1 January
  days_lived : from date of birth to date of death; day_solar, day_solar_leap : the date of death if what is written were a lunar date (of a leap month)
  work_accident : the words or the remark say that it was one
  id_state, id_sex_agrees, id_year, id_age : what the ID number says of itself (`validation.citizen_id`); id_others : persons of
      another name with the same number; name_state, given_sex, name_is_informant : of the name (`validation.names`)
  lunar_marked, lunar_impossible, lunar_only_day, lunar_leap_day, calendars_apart, death_short_year : of the date of death as written
      (`validation.lunar`); birth_short_year : the year of birth is written with two digits
  noted_stillborn, noted_facility, noted_home : words of a stillbirth, of a death in a facility, at home, in cause or remark
  sex_in_file : the file has a column for the sex (a foreign list may have none)
  hiv : its words, codes or remark concern HIV; admission_on : day of admission
  age_from_dates : the age in days says no more than two full dates (the doors work it out for infants), it is no written unit
  around_day, around_rows, around_spread : median date of death of the lines around it in the book, how many there are, and the
      days between their quartiles
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.quality.identities import identities
from mortality.quality.matching import FOLDED
from mortality.quality.places import offer_units
from mortality.validation import citizen_id, names
from mortality.validation.lunar import written_days
from tkyt_analysis.access.hiv import has_code, has_words

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.quality.context import CheckContext

TABLE = "death_record"
PARTS = ("person_said", "death_person", "plain_death", "file_day", "document_day", "coded", "lunar_day", "written_day", "line_hiv",
         "record_said")  # fmt: skip
FEMALE_WORDS, MALE_WORDS = ("thi",), ("van",)
_COLUMNS = {
    "death_id": "VARCHAR", "source": "VARCHAR", "unit_id": "VARCHAR", "residence_unit_id": "VARCHAR", "person_key": "VARCHAR",
    "death_date": "DATE", "death_date_as_written": "VARCHAR", "birth_year": "INTEGER", "age_value": "DOUBLE", "age_unit": "VARCHAR",
    "age_years": "DOUBLE", "sex": "VARCHAR", "place_of_death": "VARCHAR", "cause_text": "VARCHAR", "icd10_as_written": "VARCHAR",
    "underlying_cause_as_given": "VARCHAR", "maternal_death": "BOOLEAN", "file_sha256": "VARCHAR", "sheet": "VARCHAR",
    "row_number": "INTEGER", "occupation": "VARCHAR", "ethnic_group": "VARCHAR", "care_before_death": "VARCHAR", "death_time": "VARCHAR",
    "death_place_unit_id": "VARCHAR", "manner": "VARCHAR", "maternal_timing": "VARCHAR", "death_calendar": "VARCHAR",
    "birth_calendar": "VARCHAR", "external_place": "VARCHAR", "external_activity": "VARCHAR", "source_list": "VARCHAR",
}  # fmt: skip
_NOTED = r"ghi so(?: ngay)? (\d+/\d+/\d+)|dang ky(?: ngay)? (\d+/\d+/\d+)"
_WORK = r"\btnld\b|tai nan lao dong"
_STILLBORN = r"(chet|mat) luu|thai luu|thai chet|chet trong (bung|tu cung|da con)|(sinh|de) ra da (chet|mat)|"\
    r"say thai|nao (hut |pha )?thai|khong co dau hieu song|apgar 0\b"  # fmt: skip
# A child that did not cry was born dead, or alive with asphyxia: then the words say that too.
_SILENT, _ASPHYXIA = r"khong (he )?khoc", r"\bngat\b|suy ho hap"
_DIED = r"(tu vong|chet|mat) (luc [0-9a-z: ]*)?(tai|o|trong) "
_FACILITY = _DIED + r"(cac )?(benh vien|bv|khoa |vien |tram y te|tyt\b|ttyt\b|phong cap cuu)"
_HOME = _DIED + r"(tai )?(gia dinh|nha)\b|xin ve"
_SHORT_YEAR = r"[0-9]{1,2}[-/. ]+[0-9]{1,2}[-/. ]+[0-9]{2}"
_FOLD_NOTE = "replace(strip_accents(lower(CAST(i.note AS VARCHAR))), 'đ', 'd')"
_MIDDLE = "list_slice(string_split(" + FOLDED.format("CAST(i.full_name AS VARCHAR)") + ", ' '), 2, -2)"


def _stillborn(text: str) -> str:
    """Whether a folded text speaks of a stillbirth, NULL where there is no text."""
    silent = f"(regexp_matches({text}, '{_SILENT}') AND NOT regexp_matches({text}, '{_ASPHYXIA}'))"
    return f"(regexp_matches({text}, '{_STILLBORN}') OR {silent})"


def _doubled(pattern: str) -> str:
    """A pattern inside a text that is still to be formatted."""
    return pattern.replace("{", "{{").replace("}", "}}")


_SAID = f"(coalesce({_FOLD_NOTE}, '') || ' | ' || replace(strip_accents(lower(coalesce(d.cause_text, ''))), 'đ', 'd'))"
_PERSON = f"""
    CREATE OR REPLACE TABLE person_said AS
    SELECT i.death_id, CAST(i.birth_date AS DATE) AS birth_date,
           CASE WHEN list_has_any({_MIDDLE}, {{female}}) THEN 'female' WHEN list_has_any({_MIDDLE}, {{male}}) THEN 'male' ELSE '' END AS name_sex,
           try_strptime(coalesce(nullif(regexp_extract(i.noted, '{_NOTED}', 1), ''),
               nullif(regexp_extract(i.noted, '{_NOTED}', 2), '')), '%d/%m/%Y')::DATE AS noted_on,
           coalesce(regexp_matches(i.noted, '{_WORK}'), false) AS noted_work, coalesce({_doubled(_stillborn("i.said"))}, false) AS noted_stillborn,
           {_doubled(has_words("CAST(i.note AS VARCHAR)"))} AS noted_hiv,
           coalesce(regexp_matches(i.said, '{_doubled(_FACILITY)}'), false) AS noted_facility, coalesce(regexp_matches(i.said, '{_doubled(_HOME)}'), false) AS noted_home,
           coalesce(regexp_full_match(trim(CAST(i.birth_as_written AS VARCHAR)), '{_doubled(_SHORT_YEAR)}'), false) AS birth_short_year,
           {{id_state}} AS id_state, {{id_verdicts}}, {{name_state}} AS name_state, {{given_sex}} AS given_sex, {{informant}} AS name_is_informant
    FROM (
        SELECT i.*, {citizen_id.BARE} AS id_bare, {names.PLAIN} AS name_plain, {_FOLD_NOTE} AS noted, {_SAID} AS said
        FROM (SELECT *{{absent}} FROM {{relation}}) i LEFT JOIN plain_death d USING (death_id)
    ) i LEFT JOIN plain_death d USING (death_id)
"""
_NOBODY = """
    CREATE OR REPLACE TABLE death_person (death_id VARCHAR, birth_date DATE, name_sex VARCHAR, noted_on DATE, noted_work BOOLEAN, noted_stillborn BOOLEAN, noted_hiv BOOLEAN,
        noted_facility BOOLEAN, noted_home BOOLEAN, birth_short_year BOOLEAN, id_state VARCHAR, id_sex_agrees BOOLEAN, id_year VARCHAR,
        id_age VARCHAR, name_state VARCHAR, given_sex VARCHAR, name_is_informant BOOLEAN, id_others BIGINT)
"""
_PERSON_COLUMNS = ("full_name", "note", "birth_date", "birth_as_written", "id_number")
_FOLD_CAUSE = "replace(strip_accents(lower(d.cause_text)), 'đ', 'd')"
_HIV = f"(h.death_id IS NOT NULL OR coalesce(p.noted_hiv, false) OR {has_words('d.cause_text')} OR {has_code('d.icd10_as_written')} OR {has_code('c.code')})"
# A line whose wrong date lies before the reform is given to an old commune: it stays in the book of the new one where its neighbours stand.
_IN_BOOK = """(
        SELECT d.*, CASE WHEN u.home_2025 IN (lag(d.unit_id) OVER sheet, lead(d.unit_id) OVER sheet) THEN u.home_2025 ELSE d.unit_id END AS book_unit
        FROM plain_death d LEFT JOIN unit_place u USING (unit_id) WINDOW sheet AS (PARTITION BY d.file_sha256, d.sheet ORDER BY d.row_number)
    )"""
_RECORD = f"""
    CREATE OR REPLACE TABLE record_said AS
    SELECT d.* EXCLUDE (sex, book_unit), coalesce(d.sex, '') AS sex, coalesce(strftime(d.death_date, '%Y%m'), '') AS period_id,
           coalesce(CASE WHEN d.residence_unit_id LIKE 'VN20__:_____' THEN d.residence_unit_id END, d.unit_id) AS home,
           f.received_on, o.admission_on, coalesce(o.document_date, p.noted_on) AS registered_on, coalesce(c.code, '') AS code, coalesce(c.rule, '') AS code_rule,
           coalesce(c.decision, '') AS code_decision,
           coalesce(p.name_sex, '') AS name_sex, coalesce(p.given_sex, '') AS given_sex, coalesce(p.name_state, '') AS name_state,
           coalesce(p.name_is_informant, false) AS name_is_informant, coalesce(p.id_state, '') AS id_state, p.id_sex_agrees, coalesce(p.id_year, '') AS id_year,
           coalesce(p.id_age, '') AS id_age, coalesce(p.id_others, 0) AS id_others, coalesce(p.birth_short_year, false) AS birth_short_year,
           coalesce(p.noted_stillborn, {_stillborn(_FOLD_CAUSE)}, false) AS noted_stillborn,
           coalesce(p.noted_facility, false) AS noted_facility, coalesce(p.noted_home, false) AS noted_home,
           coalesce(w.marked, false) AS lunar_marked, coalesce(w.impossible, false) AS lunar_impossible,
           CASE WHEN w.only_lunar THEN w.solar END AS lunar_only_day, w.leap_solar AS lunar_leap_day, w.apart AS calendars_apart,
           coalesce(w.short_year, false) AS death_short_year, {_HIV} AS hiv, p.birth_date IS NOT NULL AND strftime(p.birth_date, '%m%d') = '0101' AS new_year_birth,
           CASE WHEN p.birth_date IS NOT NULL THEN 'date' WHEN d.birth_year IS NOT NULL THEN 'year' WHEN d.age_value IS NOT NULL THEN 'age'
                ELSE 'none' END AS birth_kind,
           d.death_date - p.birth_date AS days_lived, date_diff('year', p.birth_date, d.death_date)
               - (strftime(d.death_date, '%m%d') < strftime(p.birth_date, '%m%d'))::INT AS years_lived, l.day_solar, l.day_solar_leap,
           bool_or(coalesce(d.sex, '') <> '') OVER (PARTITION BY d.file_sha256) OR d.source <> 'list' AS sex_in_file,
           coalesce(d.age_unit = 'days' AND d.age_value = d.death_date - p.birth_date, false) AS age_from_dates,
           median(epoch(d.death_date) / 86400) OVER book AS around_day, count(d.death_date) OVER book AS around_rows,
           (quantile_cont(epoch(d.death_date), 0.75) OVER book - quantile_cont(epoch(d.death_date), 0.25) OVER book) / 86400 AS around_spread,
           p.death_id IS NOT NULL AS identified, coalesce(p.noted_work, false)
               OR coalesce(regexp_matches({_FOLD_CAUSE}, '{_WORK}'), false) AS work_accident
    FROM {_IN_BOOK} d LEFT JOIN file_day f USING (file_sha256) LEFT JOIN document_day o USING (death_id)
    LEFT JOIN coded c USING (death_id) LEFT JOIN death_person p USING (death_id)
    LEFT JOIN lunar_day l ON l.written = d.death_date
    LEFT JOIN written_day w ON w.written = d.death_date_as_written AND w.hint = coalesce(year(d.death_date), 0)
    LEFT JOIN line_hiv h USING (death_id)
    WINDOW book AS (PARTITION BY d.file_sha256, d.sheet, d.book_unit ORDER BY d.row_number ROWS BETWEEN 5 PRECEDING AND 5 FOLLOWING EXCLUDE CURRENT ROW)
"""


def death_records(context: CheckContext) -> str:
    """Make `death_record` where the run has not yet; its name."""
    if not context.con.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [TABLE]).fetchone():
        make_death_records(context)
        there = {row[0] for row in context.con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
        context.con.execute("; ".join(f"DROP TABLE {name}" for name in PARTS if name in there))
    return TABLE


def make_death_records(context: CheckContext) -> None:
    """Make `death_record`, and the tables PARTS on the way."""
    con = context.con
    con.execute(f"CREATE OR REPLACE TABLE plain_death AS SELECT {_plain(context)} FROM death")
    _side(context, "received_file", "file_day", "file_sha256, CAST(left(received_at, 10) AS DATE) AS received_on",
          "file_sha256 VARCHAR, received_on DATE")  # fmt: skip
    _documents(context)
    _hiv_lines(context)
    _side(context, "death_code", "coded", "death_id, code, rule, decision",
          "death_id VARCHAR, code VARCHAR, rule VARCHAR, decision VARCHAR")  # fmt: skip
    with identities(context) as relation:
        _persons(con, relation)
    _lunar_days(context)
    _written_days(context)
    offer_units(con)
    con.execute(_RECORD)
    _places(context)


def _persons(con: duckdb.DuckDBPyConnection, relation: str | None) -> None:
    """Make `death_person`: what names, numbers and remarks say, nothing of what they are."""
    if not relation:
        con.execute(_NOBODY)
        return
    there = frozenset(str(row[0]) for row in con.execute(f"DESCRIBE SELECT * FROM {relation}").fetchall())
    absent = "".join(f", NULL AS {name}" for name in _PERSON_COLUMNS if name not in there)
    con.execute(
        _PERSON.format(
            relation=relation, absent=absent, female=list(FEMALE_WORDS), male=list(MALE_WORDS), id_state=citizen_id.state_sql(),
            id_verdicts=citizen_id.verdicts_sql(), name_state=names.name_state_sql(), given_sex=names.given_sex_sql(),
            informant=names.same_as_informant_sql(there),
        )
    )  # fmt: skip
    shared = (
        f"({citizen_id.shared_sql(relation)})"
        if {"id_number", "full_name"} <= there
        else "(SELECT '' AS death_id, 0 AS other_people LIMIT 0)"
    )
    con.execute(
        f"CREATE OR REPLACE TABLE death_person AS SELECT p.*, s.other_people AS id_others FROM person_said p LEFT JOIN {shared} s USING (death_id)"
    )


def _columns_of(context: CheckContext, relation: str) -> set[str]:
    """The columns of a relation, none where it has no rows."""
    return (
        {str(row[0]) for row in context.con.execute(f"DESCRIBE {relation}").fetchall()}
        if context.has(relation)
        else set()
    )


def _hiv_lines(context: CheckContext) -> None:
    """Make `line_hiv`: death_id of the certificates one of whose lines concerns HIV."""
    there = _columns_of(context, "death_cause")
    told = [has_words("cause_text")] if "cause_text" in there else []
    told += [has_code(name) for name in ("icd10_as_written", "icd10_code") if name in there]
    chosen = f"DISTINCT death_id FROM death_cause WHERE {' OR '.join(told) or 'false'}"
    _side(context, "death_cause", "line_hiv", chosen, "death_id VARCHAR")


def _documents(context: CheckContext) -> None:
    """Make `document_day`: death_id, document_date, admission_on."""
    there = _columns_of(context, "death_document")
    admission = "min(CAST(admission_date AS DATE))" if "admission_date" in there else "CAST(NULL AS DATE)"
    _side(
        context, "death_document", "document_day", f"death_id, min(CAST(document_date AS DATE)) AS document_date, {admission} AS admission_on",
        "death_id VARCHAR, document_date DATE, admission_on DATE", "GROUP BY 1",
    )  # fmt: skip


def _plain(context: CheckContext) -> str:
    """The columns of `death`, typed, those that the table lacks as NULL."""
    there = {row[0] for row in context.con.execute("DESCRIBE death").fetchall()}
    return ", ".join(
        f'CAST({name if name in there else "NULL"} AS {kind}) AS "{name}"' for name, kind in _COLUMNS.items()
    )


def _side(context: CheckContext, relation: str, name: str, chosen: str, empty: str, more: str = "") -> None:
    source = "" if " FROM " in chosen else f"FROM {relation}"
    made = f"AS SELECT {chosen} {source} {more}" if context.has(relation) else f"({empty})"
    context.con.execute(f"CREATE OR REPLACE TABLE {name} {made}")


def _lunar_days(context: CheckContext) -> None:
    """For each date of death the solar day if its day and month were lunar ones; each distinct date is read once."""
    from mortality.register_dates import lunar_to_solar

    days = context.query("SELECT DISTINCT death_date FROM plain_death WHERE death_date IS NOT NULL")["death_date"]
    days = pd.to_datetime(days)
    solar = [lunar_to_solar(one.day, one.month, one.year) for one in days]
    leap = [lunar_to_solar(one.day, one.month, one.year, 1) for one in days]
    context.con.register(
        "incoming",
        pd.DataFrame(
            {
                "written": days,
                "day_solar": pd.to_datetime(pd.Series(solar)),
                "day_solar_leap": pd.to_datetime(pd.Series(leap)),
            }
        ),
    )
    context.con.execute(
        "CREATE OR REPLACE TABLE lunar_day AS SELECT CAST(written AS DATE) AS written, CAST(day_solar AS DATE) AS day_solar, "
        "CAST(day_solar_leap AS DATE) AS day_solar_leap FROM incoming"
    )
    context.con.unregister("incoming")


_WRITTEN_DAY = (
    "written VARCHAR, hint INTEGER, marked BOOLEAN, impossible BOOLEAN, solar DATE, leap_solar DATE, only_lunar BOOLEAN, "
    "apart INTEGER, short_year BOOLEAN"
)


def _written_days(context: CheckContext) -> None:
    """Make `written_day`: for each date of death as written, what it says of the lunar calendar (`validation.lunar`)."""
    rows = context.query(
        "SELECT DISTINCT death_date_as_written AS written, coalesce(year(death_date), 0) AS hint FROM plain_death "
        "WHERE coalesce(death_date_as_written, '') <> '' AND (death_date IS NULL OR NOT regexp_full_match(death_date_as_written, "
        "'[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9]+'))"
    )
    if rows.empty:
        context.con.execute(f"CREATE OR REPLACE TABLE written_day ({_WRITTEN_DAY})")
        return
    table = rows.join(written_days(rows["written"], rows["hint"]))
    context.con.register("incoming", table.astype({"written": "str"}))
    context.con.execute(
        "CREATE OR REPLACE TABLE written_day AS SELECT CAST(written AS VARCHAR) AS written, CAST(hint AS INTEGER) AS hint, CAST(marked AS BOOLEAN) AS marked, "
        "CAST(impossible AS BOOLEAN) AS impossible, CAST(solar AS DATE) AS solar, CAST(leap_solar AS DATE) AS leap_solar, "
        "CAST(only_lunar AS BOOLEAN) AS only_lunar, CAST(apart AS INTEGER) AS apart, CAST(short_year AS BOOLEAN) AS short_year FROM incoming"
    )
    context.con.unregister("incoming")


def _places(context: CheckContext) -> None:
    """Add the commune and province of 2025 of each record's home (an old commune's default target)."""
    context.con.execute(
        "CREATE OR REPLACE TABLE death_record AS SELECT r.*, coalesce(u.home_2025, r.home) AS home_2025, "
        "coalesce(u.province_2025, '') AS province_2025 FROM record_said r LEFT JOIN unit_place u ON u.unit_id = r.home"
    )

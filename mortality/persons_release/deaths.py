"""Release table `deaths`: one row per person who died, each field taken from the list that is believed first for it.

What the lists say differently is kept as marks. No name, no wording, no exact date; a cause of HIV is withheld as in `death`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.persons_release.records import TAKEN_HOME, person_records, precedence
from mortality.release_tables import AGE_BANDS, FETAL_DEATH, HIV, SOURCES, UNCODABLE

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

# place and time first: rows of a release lie in the order of their columns
COLUMNS = [
    "unit_id", "unit_2025", "year", "month", "sex", "age_group", "age_years", "underlying_cause", "place_of_death", "decision",
    "excluded", "in_book", "counted", "lists", "records", "duplicates", "taken_home", "date_from", "date_moved", "date_conflict", "date_lunar",
    "age_from", "age_approximate", "age_conflict", "sex_conflict", "residence_conflict", "cause_from", "cause_conflict", "cause_says_little",
    "link_probability", "open_findings", "person_id",
]  # fmt: skip
OLDEST = 100  # ages above are given as this one: the very old of a commune are few
LAST, PLACES = 99, 1_000_000_000
CONFLICTING_YEARS = 1
OPEN = "verdict NOT IN ('ok', 'not_assessable', 'shock', 'explained') AND severity <> 'note'"
FINDINGS = f"""
    SELECT json_extract_string(fields, '$.death_id') AS record_id, count(*) AS findings
    FROM lake.finding WHERE dataset_id = 'death' AND {OPEN} GROUP BY 1
"""
NO_FINDINGS = "SELECT CAST(NULL AS VARCHAR) AS record_id, 0 AS findings WHERE false"
LUNAR = "SELECT DISTINCT json_extract_string(fields, '$.death_id') AS record_id FROM lake.finding WHERE rule_id LIKE 'death_lunar_date%'"
# One row per person. {date} and its like order a person's records: the list believed first, then the first received.
PERSONS = """
    SELECT person_id, list(DISTINCT source) AS sources, count(*) AS records, count(*) FILTER (again) AS duplicates,
           bool_or(source = '{taken_home}') AS taken_home, bool_or(source = '{book}') AS in_book, bool_or(counts) AS counted,
           arg_min(home, {residence}) FILTER (home IS NOT NULL) AS home, arg_min(home_2025, {residence}) FILTER (home IS NOT NULL) AS home_2025,
           arg_min(unit_id, {residence}) AS any_unit, arg_min(unit_2025, {residence}) AS any_2025,
           count(DISTINCT home_2025) > 1 AS residence_conflict,
           arg_min(day, {date}) FILTER (dated) AS day, arg_min(source, {date}) FILTER (dated) AS date_from,
           arg_min(lunar_day, {date}) FILTER (dated) AS date_lunar, count(DISTINCT day) > 1 AS date_conflict,
           bool_or(in_future) AS any_future, bool_or(source = 'certificate') AS certified,
           min(strftime(day, '%Y%m')) FILTER (source = '{book}' AND NOT again) AS book_month,
           arg_min(sex, {sex}) FILTER (sex IS NOT NULL) AS sex, count(DISTINCT sex) > 1 AS sex_conflict,
           arg_min(age_years, {age}) FILTER (age_years IS NOT NULL) AS age_years, arg_min(source, {age}) FILTER (age_years IS NOT NULL) AS age_from,
           NOT coalesce(bool_or(birth IN ('days', 'date')), false) AS age_approximate,
           coalesce(max(age_years) - min(age_years) > {years}, false) AS age_conflict,
           arg_min(place_of_death, {place_of_death}) FILTER (place_of_death IS NOT NULL) AS place_of_death,
           arg_min(cause, {cause}) FILTER (cause IS NOT NULL) AS cause, arg_min(decision, {cause}) FILTER (cause IS NOT NULL) AS decision,
           arg_min(source, {cause}) FILTER (cause IS NOT NULL) AS cause_from, count(DISTINCT left(cause, 3)) FILTER (NOT useless) > 1 AS cause_conflict,
           coalesce(bool_or(left(cause, 3) IN {hiv}), false) AS withheld,
           CASE WHEN count(*) > 1 THEN min(probability) END AS link_probability, sum(findings) AS open_findings
    FROM ({records}) GROUP BY person_id HAVING bool_or(source <> '{taken_home}')
"""
PERSON_RECORDS = """
    SELECT r.*, r.day IS NOT NULL AND NOT coalesce(r.in_future, false) AS dated, r.excluded = '' AND r.source <> '{taken_home}' AS counts,
           coalesce(r.lunar, false) OR l.record_id IS NOT NULL AS lunar_day, coalesce(f.findings, 0) AS findings, u.code IS NOT NULL AS useless, {orders}
    FROM {relation} r LEFT JOIN useless_cause u ON u.code = r.cause LEFT JOIN ({findings}) f USING (record_id) LEFT JOIN ({lunar}) l USING (record_id) {places}
    WHERE NOT r.replaced AND (r.source <> '{taken_home}' OR r.excluded = '')
"""
TABLE = """
    SELECT coalesce(home, any_unit) AS unit_id, coalesce(home_2025, any_2025) AS unit_2025, year(day) AS year, month(day) AS month,
           coalesce(sex, 'unknown') AS sex, {age_group} AS age_group, CAST(least(floor(age_years), {oldest}) AS INTEGER) AS age_years,
           CASE WHEN withheld THEN '' ELSE coalesce(cause, '') END AS underlying_cause, place_of_death,
           CASE WHEN withheld THEN '{uncodable}' ELSE coalesce(decision, '{uncodable}') END AS decision,
           CASE WHEN left(cause, 3) = '{fetal}' THEN 'stillbirth' WHEN day IS NULL AND any_future THEN 'future_date'
                WHEN day IS NULL AND NOT certified THEN 'no_date' ELSE '' END AS excluded,
           in_book, counted, array_to_string(list_filter({order}, one -> list_contains(sources, one)) || list_sort(list_filter(sources,
               one -> NOT list_contains({order} || ['{taken_home}'], one))), ' ') AS lists,
           records, duplicates, taken_home, coalesce(date_from, '') AS date_from,
           in_book AND day IS NOT NULL AND coalesce(book_month, '') <> strftime(day, '%Y%m') AS date_moved, date_conflict,
           coalesce(date_lunar, false) AS date_lunar, coalesce(age_from, '') AS age_from, age_approximate, age_conflict, sex_conflict,
           residence_conflict, CASE WHEN withheld THEN '' ELSE coalesce(cause_from, '') END AS cause_from,
           cause_conflict AND NOT withheld AS cause_conflict, u.code IS NOT NULL AND NOT withheld AS cause_says_little,
           round(link_probability, 4) AS link_probability, CAST(open_findings AS INTEGER) AS open_findings, person_id
    FROM ({persons}) p LEFT JOIN useless_cause u ON u.code = p.cause
"""


def deaths(context: ReleaseContext) -> str:
    """The rows of `deaths` as a query: COLUMNS and scope; docs/deaths_table.md says what each column holds.

    excluded : "" | stillbirth | no_date | future_date; counted : whether the published figures (`death`) count the person
    """
    if "persons" not in context.kept:
        relation = person_records(context)
        offer_useless_causes(context)
        persons = PERSONS.format(
            records=_records(context, relation),
            hiv=str(HIV),
            book="a6",
            taken_home=TAKEN_HOME,
            years=CONFLICTING_YEARS,
            **{field: f"{field}_order" for field in precedence()["field"].unique()},
        )
        table = TABLE.format(
            persons=persons,
            age_group=age_group_sql("age_years"),
            oldest=OLDEST,
            uncodable=UNCODABLE,
            fetal=FETAL_DEATH,
            order=str(list(SOURCES)),
            taken_home=TAKEN_HOME,
        )
        context.keep("persons", _with_scope(context, f"SELECT {', '.join(COLUMNS)} FROM ({table})"))
    return "SELECT * FROM kept_persons"


def _records(context: ReleaseContext, relation: str) -> str:
    """The records that persons are made of, each with its place in the order of every field."""
    ranks = precedence()
    wide = ranks.pivot(index="source", columns="field", values="place").fillna(LAST).astype("int64").reset_index()
    context.keep("field_place", wide)
    orders = [
        f"coalesce(o.{field}, {LAST}) * {PLACES} + r.place AS {field}_order"
        for field in wide.columns[1:]
        if field != "age"
    ]
    exact = f"CASE WHEN r.birth IN ('days', 'date') THEN 0 ELSE {LAST + 1} END"
    orders.append(f"(coalesce(o.age, {LAST}) + {exact}) * {PLACES} + r.place AS age_order")
    found = context.warehouse.has("finding")
    return PERSON_RECORDS.format(
        relation=relation,
        orders=", ".join(orders),
        findings=FINDINGS if found else NO_FINDINGS,
        lunar=LUNAR if found else "SELECT CAST(NULL AS VARCHAR) AS record_id WHERE false",
        places="LEFT JOIN kept_field_place o ON o.source = r.source",
        taken_home=TAKEN_HOME,
    )


def _with_scope(context: ReleaseContext, table: str) -> str:
    """The query with the scope of each row's unit, as `add_scope` gives it."""
    from tkyt_analysis.warehouse.release import NATION

    context.keep("unit_scope", context.units[["unit_id", "scope"]].astype("str"))
    return f"SELECT t.*, coalesce(s.scope, '{NATION}') AS scope FROM ({table}) t LEFT JOIN kept_unit_scope s USING (unit_id)"


def age_group_sql(age: str) -> str:
    """SQL for the age group of completed or exact years, as `reference.ages.age_group` gives it."""
    from tkyt_analysis.reference.ages import OLDEST_AGE, UNKNOWN, parse_bands

    bands = parse_bands(AGE_BANDS).itertuples(index=False)
    cases = " ".join(
        f"WHEN {age} >= {row.low} AND {age} < {min(row.high, OLDEST_AGE) + 1} THEN '{row.age_group}'" for row in bands
    )
    return f"CASE {cases} ELSE '{UNKNOWN}' END"


def offer_useless_causes(context: ReleaseContext) -> None:
    """Make `useless_cause`: the codes of the deaths that say little about why a person died (code list `useless_causes`)."""
    from mortality.quality.cause_tests import in_ranges
    from tkyt_analysis.catalog import read_codelist

    ranges = ";".join(read_codelist("useless_causes")["icd10_ranges"])
    codes = context.query("SELECT DISTINCT code FROM lake.death_code WHERE coalesce(code, '') <> '' ORDER BY 1")["code"]
    rows = pd.DataFrame({"code": [code for code in codes if in_ranges(code, ranges)]}).astype("str")
    context.warehouse.con.register("incoming", rows)
    context.warehouse.con.execute("CREATE OR REPLACE TEMP TABLE useless_cause AS SELECT * FROM incoming")
    context.warehouse.con.unregister("incoming")

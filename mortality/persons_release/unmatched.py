"""Deaths that one list holds and another lacks, both ways between the book and civil registration: the lists to ask about.

A death of the book can be expected in civil registration only from the first registration received of its commune on, and only while
that register still ran `days_to_register` days after the death: the family has time, and lists come late. Other deaths are not asked about.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext

BOOK_ONLY, OTHER_ONLY = "not_registered", "not_in_book"
DAYS_TO_REGISTER = 30
# {records}: record_id, person_id, source, home, home_2025, province, day, registered_on – one row per record that counts.
COMPARED = """
    WITH record AS ({records}), covered AS (
        SELECT home_2025, min(registered_on) AS first_day, max(registered_on) AS last_day FROM record
        WHERE source = 'civil_registration' AND registered_on IS NOT NULL GROUP BY 1
    ), listed AS (
        SELECT person_id, bool_or(source = 'a6') AS in_book, bool_or(source = 'civil_registration') AS registered,
               string_agg(DISTINCT source, ' ' ORDER BY source) AS sources FROM record GROUP BY 1
    ), book AS (SELECT DISTINCT home_2025, year(day) AS year FROM record WHERE source = 'a6')
    SELECT r.*, l.sources, l.in_book, l.registered,
           coalesce(r.day BETWEEN c.first_day AND c.last_day - {days}, false) AS due, b.year IS NOT NULL AS has_book
    FROM record r JOIN listed l USING (person_id) LEFT JOIN covered c ON c.home_2025 = r.home_2025
    LEFT JOIN book b ON b.home_2025 = r.home_2025 AND b.year = year(r.day)
    WHERE r.source IN ('a6', 'civil_registration', 'death_notice', 'certificate') AND r.day IS NOT NULL
    QUALIFY row_number() OVER (PARTITION BY r.person_id ORDER BY r.source, r.record_id) = 1
"""
BY_COMMUNE = """
    SELECT home_2025 AS unit_id, strftime(day, '%Y') AS period_id, count(*) FILTER (NOT registered) AS missing, count(*) AS deaths
    FROM ({compared}) WHERE in_book AND due GROUP BY ALL ORDER BY ALL
"""
OF_CHECK = """
    SELECT r.death_id AS record_id, coalesce(m.person_id, r.death_id) AS person_id, r.source, r.home, r.home_2025,
           r.province_2025 AS province, r.death_date AS day, r.registered_on
    FROM death_record r LEFT JOIN death_match m ON m.record_id = r.death_id
"""


def check_not_registered(context: CheckContext, rule: Rule) -> CheckResult:
    """Deaths of the book that civil registration of the commune lacks: one finding per commune and year.

    parameters: days_to_register (how long after a death it may still be missing), least (missing deaths of which a commune is asked)
    """
    from mortality.quality.records import death_records

    death_records(context)
    days = int(rule.parameters.get("days_to_register", DAYS_TO_REGISTER))
    rows = context.query(BY_COMMUNE.format(compared=COMPARED.format(records=OF_CHECK, days=days)))
    found = rows[rows["missing"] >= int(rule.parameters.get("least", 1))].assign(
        dataset_id="death",
        verdict="missing",
        value=lambda one: one["deaths"] - one["missing"],
        expected=lambda one: one["deaths"],
        at_stake=lambda one: one["missing"].astype(float),
    )
    findings = make_findings(
        found, rule_id=rule.id, rule_version=rule.version, severity=rule.severity, fields=["missing", "deaths"]
    )
    return CheckResult(findings, len(rows), len(rows))


NOT_REGISTERED_CHECK = TableCheck(("death", "death_match"), check_not_registered)

# ------------------------------------------------------------------------------------- lists of a commune

OF_HOME = """
    SELECT k.record_id, k.person_id, k.source, k.home, k.home_2025, coalesce(u.province_2025, '') AS province, k.day,
           CAST(x.document_date AS DATE) AS registered_on, k.sex, k.age_years, k.place_of_death, k.file_sha256
    FROM {relation} k LEFT JOIN unit_place u ON u.unit_id = k.home
    LEFT JOIN (SELECT death_id, min(document_date) AS document_date FROM lake.death_document GROUP BY 1) x ON x.death_id = k.record_id
    WHERE NOT k.replaced AND k.source <> 'sent_home_dying'
"""
OF_PLACE = """
    SELECT CASE WHEN in_book THEN '{book_only}' ELSE '{other_only}' END AS list, c.record_id, c.home AS unit_id, c.source, c.sources,
           strftime(c.day, '%m/%Y') AS month, c.sex, CAST(floor(c.age_years) AS INTEGER) AS age, c.place_of_death,
           f.file_name, d.sheet, d.row_number
    FROM ({compared}) c JOIN lake.death d ON d.death_id = c.record_id JOIN lake.received_file f ON f.file_sha256 = d.file_sha256
    WHERE ? IN (c.home, c.home_2025, c.province) AND (in_book AND NOT registered AND due OR NOT in_book AND has_book)
      {year}
    ORDER BY list, c.day, c.record_id
"""
NAMES = ("full_name", "birth_as_written", "address")
COLUMNS = ["list", "unit_id", "month", "sex", "age", "place_of_death", "sources", "file_name", "sheet", "row_number", "record_id"]  # fmt: skip


def unmatched_deaths(
    home: Path, scope: str, *, year: int = 0, names: bool = False, days_to_register: int = DAYS_TO_REGISTER
) -> pd.DataFrame:
    """The deaths of a place that one list holds and the other lacks: COLUMNS, one row per person.

    list : "not_registered" (in the book, not in civil registration) | "not_in_book"; scope : a commune or province
    names : also full_name, birth_as_written and address; needs the right to identifiers, and the audit log says so. Deaths that
    concern HIV are then given only to who may know (attrs["left_out"]: how many were not).
    Raises InputError for a place outside the account's scope, or one that is no unit.
    """
    from tkyt_analysis.access import require
    from tkyt_analysis.access.warehouse_view import scoped_warehouse
    from tkyt_analysis.reference.places import places

    if scope not in set(pd.concat([places("VN2024"), places("VN2025")])["unit_id"]):
        raise InputError("error.unmatched_place", found=scope)
    account = require(home, "check", place=scope)
    if names:
        require(home, "read_identifiers", table="death_identity", place=scope)
    with scoped_warehouse(home, account) as view:
        rows = _rows(view.warehouse, scope, year, days_to_register)
    return with_names(home, rows) if names else rows


def _rows(warehouse: Any, scope: str, year: int, days: int) -> pd.DataFrame:
    from mortality.persons_release.records import person_records
    from tkyt_analysis.warehouse.release import ReleaseContext

    context = ReleaseContext(warehouse, practice=False)
    if not warehouse.has("death", "death_document", "death_match"):
        return pd.DataFrame(columns=COLUMNS, dtype="str")
    compared = COMPARED.format(records=OF_HOME.format(relation=person_records(context)), days=days)
    where = f"AND year(c.day) = {int(year)}" if year else ""
    sql = OF_PLACE.format(compared=compared, book_only=BOOK_ONLY, other_only=OTHER_ONLY, year=where)
    return context.query(sql, [scope])[COLUMNS]


def with_names(home: Path, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with the names of their persons; those that may not be given (HIV) are left out, not shown without a name."""
    from tkyt_analysis.access.identifiers import read_identities
    from tkyt_analysis.labels import label

    why = label("unmatched.why")
    people = read_identities(home, rows["record_id"].tolist(), why=why).set_index("death_id")
    known = people.reindex(columns=list(NAMES)).fillna("").astype("str")
    given = rows[rows["record_id"].isin(known.index)].join(known, on="record_id").reset_index(drop=True)
    given.attrs["left_out"] = len(rows) - len(given)
    return given

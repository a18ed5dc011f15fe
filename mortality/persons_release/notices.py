"""Deaths at health facilities and the death notices (giấy báo tử) about them: how many were notified, and which were not.

A death at a facility: a certificate or a notice was written there, or some list says that the person died in one. Notified: any
notice of the person was received; synchronised: one came as electronic data (the XML of the exchange), as the Department of Health of
Thanh Hóa counts them ("khai tử đồng bộ lên cổng", annex 1, 4.3 and 4.4). A month before the first notice of a province
cannot be judged: nobody sent any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mortality.persons_release.deaths import deaths
from mortality.persons_release.records import person_records
from tkyt_analysis.quality.checks import CheckResult, TableCheck
from tkyt_analysis.quality.findings import make_findings

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext
    from tkyt_analysis.warehouse.release import ReleaseContext

ELECTRONIC = "death_notice_xml"
OF_FACILITY = ("certificate", "death_notice")
OK, NOT_ASSESSABLE = "ok", "not_assessable"
COLUMNS = [
    "unit_id", "facility_id", "kind", "period_id", "facility_deaths", "notified", "synchronised",
    "notified_share", "notified_lower", "notified_upper", "notified_status",
    "synchronised_share", "synchronised_lower", "synchronised_upper", "synchronised_status",
]  # fmt: skip
# One row per person who died in a facility: which, in which province, and what was received about it.
AT_FACILITY = """
    SELECT r.person_id, arg_min(k.facility_id, r.source || r.record_id) FILTER (coalesce(k.facility_id, '') <> '') AS facility_id,
           coalesce(arg_min(u.province_2025, r.source || r.record_id) FILTER (r.source IN {papers} AND u.province_2025 IS NOT NULL),
               min(h.province_2025)) AS province, strftime(make_date(any_value(p.year)::INT, any_value(p.month)::INT, 1), '%Y%m') AS month,
           bool_or(r.source = 'death_notice') AS notified, bool_or(f.door = '{electronic}') AS synchronised
    FROM {records} r JOIN kept_persons p USING (person_id) JOIN lake.received_file f USING (file_sha256)
    LEFT JOIN ({documents}) k ON k.death_id = r.record_id
    LEFT JOIN unit_place u ON u.unit_id = r.unit_id LEFT JOIN unit_place h ON h.unit_id = r.home
    WHERE NOT r.replaced AND p.excluded = '' AND p.month IS NOT NULL
    GROUP BY r.person_id HAVING bool_or(r.source IN {papers} OR r.place_of_death = 'health_facility')
"""
COUNTS = """
    WITH one AS ({people}), channel AS (
        SELECT province, min(month) FILTER (notified) AS notices_since, min(month) FILTER (synchronised) AS electronic_since FROM one GROUP BY 1
    ), placed AS (
        SELECT o.*, c.* EXCLUDE (province), s.facility, s.kind, t.period_id
        FROM one o JOIN channel c USING (province),
             unnest([{{'facility': '', 'kind': 'province'}}, {{'facility': coalesce(o.facility_id, 'unknown'), 'kind': 'facility'}}]) AS s(s),
             unnest([o.month, left(o.month, 4)]) AS t(period_id)
    )
    SELECT province AS unit_id, facility AS facility_id, kind, period_id, count(*) AS facility_deaths,
           count(*) FILTER (notified) AS notified, count(*) FILTER (synchronised) AS synchronised,
           coalesce(bool_and(month >= notices_since), false) AS notices_known, coalesce(bool_and(month >= electronic_since), false) AS electronic_known
    FROM placed WHERE province IS NOT NULL AND province <> '' GROUP BY ALL ORDER BY ALL
"""
NO_DOCUMENTS = "SELECT CAST(NULL AS VARCHAR) AS death_id, CAST(NULL AS VARCHAR) AS facility_id WHERE false"


def facility_notice(context: ReleaseContext) -> pd.DataFrame:
    """Release table: deaths at facilities, those notified and those synchronised, per province and facility, month and year.

    COLUMNS; kind : "province" (facility_id "") or "facility" ("unknown" where no paper names it); shares 0–1 with Wilson limits;
    status not_assessable where the period (or a month of the year) lies before the province's first notice of the kind.
    """
    from tkyt_analysis.analysis.rates import wilson_limits

    deaths(context)
    documents = "lake.death_document" if context.warehouse.has("death_document") else f"({NO_DOCUMENTS})"
    people = AT_FACILITY.format(
        records=person_records(context),
        papers=OF_FACILITY,
        electronic=ELECTRONIC,
        documents=f"SELECT death_id, min(facility_id) AS facility_id FROM {documents} GROUP BY 1",
    )
    rows = context.query(COUNTS.format(people=people))
    for name, known in (("notified", "notices_known"), ("synchronised", "electronic_known")):
        limits = wilson_limits(rows[name], rows["facility_deaths"]).where(rows[known].astype(bool)).round(4)
        rows = rows.assign(**{f"{name}_{part}": limits[part] for part in ("share", "lower", "upper")})
        rows[f"{name}_status"] = rows[known].astype(bool).map({True: OK, False: NOT_ASSESSABLE}).astype("str")
    return context.add_scope(rows[COLUMNS])


# ------------------------------------------------------------------------------------------------ rule

# Asked are months from the province's first notice on; `sure`: the facility itself wrote a certificate.
WITHOUT_NOTICE = """
    WITH person AS (
        SELECT coalesce(m.person_id, r.death_id) AS person_id, min(r.province_2025) AS province, min(nullif(r.period_id, '')) AS period_id,
               min(r.death_id) AS death_id, arg_min(r.unit_id, r.source || r.death_id) AS unit_id, string_agg(DISTINCT r.source, ' ' ORDER BY r.source) AS sources,
               bool_or(r.source = 'death_notice') AS notified, bool_or(r.source = 'certificate') AS sure,
               bool_or(r.source IN {papers} OR r.place_of_death = 'health_facility') AS at_facility
        FROM death_record r LEFT JOIN {match} m ON m.record_id = r.death_id GROUP BY 1
    ), since AS (SELECT province, min(period_id) AS first_month FROM person WHERE notified GROUP BY 1)
    SELECT p.*, s.first_month IS NOT NULL AND p.period_id >= s.first_month AS judged FROM person p LEFT JOIN since s USING (province)
    WHERE p.at_facility AND p.period_id IS NOT NULL ORDER BY p.unit_id, p.period_id, p.death_id
"""


def check_without_notice(context: CheckContext, rule: Rule) -> CheckResult:
    """Deaths at a facility of which no notice was received: one finding per person. Not assessable before a province's first notice."""
    from mortality.quality.records import death_records

    death_records(context)
    rows = context.query(WITHOUT_NOTICE.format(match="death_match", papers=OF_FACILITY))
    judged = rows["judged"].astype(bool)
    found = rows[judged & ~rows["notified"].astype(bool)].assign(
        dataset_id="death",
        verdict="missing",
        at_stake=1.0,
        probability=lambda one: one["sure"].astype(bool).map({True: 0.9, False: 0.5}),
    )
    findings = make_findings(
        found,
        rule_id=rule.id,
        rule_version=rule.version,
        severity=rule.severity,
        fields=["death_id", "sources"],
        subject="death_id",
    )
    return CheckResult(findings, int(judged.sum()), len(rows))


WITHOUT_NOTICE_CHECK = TableCheck(("death", "death_match"), check_without_notice)

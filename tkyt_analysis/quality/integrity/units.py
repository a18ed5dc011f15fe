"""Integrity of units: names, codes, hierarchy, dates, the reform of July 2025, and who reports what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.integrity.prepare import REFORM
from tkyt_analysis.quality.integrity.registry import IntegrityCheck

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

_UNITS = "SELECT count(*) FROM integrity_unit"
_FOREIGN = "SELECT count(*) FROM integrity_unit WHERE NOT official"
_USED = "SELECT count(*) FROM integrity_used"
_NAME = "coalesce(nullif(name, ''), unit_id)"
_PAIRS = """
    SELECT a.unit_id, a.name AS subject, b.unit_id || ' ' || b.name AS detail FROM integrity_unit a JOIN integrity_unit b
    ON a.parent_unit_id = b.parent_unit_id AND a.folded = b.folded AND a.unit_id <> b.unit_id
    WHERE a.parent_unit_id <> '' AND a.folded <> '' AND {same} AND (b.official, b.unit_id) < (a.official, a.unit_id)
      AND coalesce(a.valid_from, DATE '0001-01-01') <= coalesce(b.valid_to, DATE '9999-12-31')
      AND coalesce(b.valid_from, DATE '0001-01-01') <= coalesce(a.valid_to, DATE '9999-12-31') ORDER BY 1, 3
"""
_REPORTED = """
    (SELECT dataset_id, unit_id, period_id, period_start, period_end FROM integrity_reported
     JOIN unit USING (unit_no) JOIN period USING (period_no))
"""


def _where(condition: str, detail: str = "''", *, judged: str = _UNITS, needs: tuple[str, ...] = ()) -> IntegrityCheck:
    """Units for which a condition holds."""
    find = (
        f"SELECT unit_id, {_NAME} AS subject, {detail} AS detail FROM integrity_unit WHERE {condition} ORDER BY unit_id"
    )
    return IntegrityCheck(("organisation_unit", *needs), judged, find)


def _cycles(context: CheckContext) -> pd.DataFrame:
    """Units that are their own ancestor: those whose way up does not end."""
    return context.query(f"""
        WITH RECURSIVE way AS (
            SELECT unit_id, parent_unit_id AS above, 1 AS steps FROM integrity_unit WHERE parent_unit_id <> ''
            UNION ALL
            SELECT w.unit_id, u.parent_unit_id, steps + 1 FROM way w JOIN integrity_unit u ON u.unit_id = w.above
            WHERE steps < 20 AND u.parent_unit_id <> '' AND w.above <> w.unit_id
        )
        SELECT DISTINCT w.unit_id, {_NAME} AS subject, parent_unit_id AS detail FROM way w JOIN integrity_unit USING (unit_id)
        WHERE above = w.unit_id ORDER BY 1
    """)


def _legacy_fonts(context: CheckContext) -> pd.DataFrame:
    from tkyt_analysis.quality.integrity.names import legacy_reading

    rows = context.query(
        "SELECT unit_id, name AS subject FROM integrity_unit WHERE name <> strip_accents(name) AND NOT official"
    )
    readings = rows["subject"].map(legacy_reading)
    return rows.assign(detail=readings)[readings != ""]


def _not_official(context: CheckContext) -> pd.DataFrame:
    """Ids of VN2024 and VN2025 that their list does not have, and five-digit codes of other systems that no list has."""
    from tkyt_analysis.reference.places import places

    known = pd.concat([places(system)[["unit_id", "code"]] for system in ("VN2024", "VN2025")])
    context.con.register("incoming", known.astype("str"))
    rows = context.query(f"""
        SELECT unit_id, {_NAME} AS subject, coalesce(code, '') AS detail FROM integrity_unit
        WHERE (official AND unit_id NOT IN (SELECT unit_id FROM incoming))
           OR (NOT official AND regexp_full_match(code, '[0-9]{{5}}') AND code NOT IN (SELECT code FROM incoming)) ORDER BY unit_id
    """)
    context.con.unregister("incoming")
    return rows


# A period in which an old unit and the new one that it became (whole) both report one data set would be counted twice.
_BOTH = f"""
    SELECT n.unit_id, n.dataset_id, n.period_id, coalesce(u.name, n.unit_id) AS subject, string_agg(o.unit_id, ', ' ORDER BY o.unit_id) AS detail
    FROM {_REPORTED} n JOIN integrity_link l ON l.new_unit_id = n.unit_id
    JOIN {_REPORTED} o ON o.unit_id = l.old_unit_id AND (o.dataset_id, o.period_id) = (n.dataset_id, n.period_id)
    LEFT JOIN integrity_unit u ON u.unit_id = n.unit_id GROUP BY ALL ORDER BY 1, 2, 3
"""
_AFTER = """
    SELECT r.unit_id, r.dataset_id, min(r.period_id) AS period_id, coalesce(u.name, r.unit_id) AS subject,
           count(*)::VARCHAR || ' (' || min(r.period_id) || '–' || max(r.period_id) || ')' AS detail
    FROM {reported} r LEFT JOIN integrity_unit u ON u.unit_id = r.unit_id WHERE {condition} GROUP BY r.unit_id, r.dataset_id, u.name ORDER BY 1, 2
"""
_NEEDS_UNITS = ("organisation_unit",)
_NEEDS_VALUES = ("cell", "unit", "period", "series")

CHECKS: dict[str, IntegrityCheck] = {
    "unit_orphaned": _where(
        "parent_unit_id <> '' AND parent_unit_id NOT IN (SELECT unit_id FROM integrity_unit)", "parent_unit_id"
    ),
    "unit_own_ancestor": IntegrityCheck(_NEEDS_UNITS, _UNITS, _cycles),
    "unit_several_roots": IntegrityCheck(
        _NEEDS_UNITS,
        "SELECT count(DISTINCT system) FROM integrity_unit",
        f"SELECT unit_id, {_NAME} AS subject, system AS detail FROM integrity_unit WHERE coalesce(parent_unit_id, '') = '' AND unit_id <> 'VN' "
        "QUALIFY count(*) OVER (PARTITION BY system) > 1 ORDER BY unit_id",
    ),
    "unit_same_name_and_parent": IntegrityCheck(
        _NEEDS_UNITS, _UNITS, _PAIRS.format(same="plain_name(a.name) = plain_name(b.name)")
    ),
    "unit_name_alike": IntegrityCheck(
        _NEEDS_UNITS,
        _UNITS,
        _PAIRS.format(same="plain_name(a.name) <> plain_name(b.name) AND NOT (a.official AND b.official)"),
    ),
    "unit_same_code": IntegrityCheck(
        _NEEDS_UNITS,
        _UNITS,
        f"SELECT unit_id, {_NAME} AS subject, code AS detail FROM integrity_unit WHERE code <> '' AND NOT official "
        "QUALIFY count(*) OVER (PARTITION BY system, code) > 1 ORDER BY code, unit_id",
    ),
    "unit_name_blanks": _where("has_odd_blanks(name)", "'“' || name || '”'"),
    "unit_name_decomposed": _where("nfc_normalize(name) <> name", "nfc_normalize(name)"),
    "unit_name_legacy_font": IntegrityCheck(_NEEDS_UNITS, _FOREIGN, _legacy_fonts),
    "unit_without_name": _where("coalesce(trim(name), '') = ''"),
    "unit_without_code": _where("coalesce(trim(code), '') = ''"),
    "unit_without_level": _where("level IS NULL"),
    "unit_level_jump": IntegrityCheck(
        _NEEDS_UNITS,
        _FOREIGN,
        "SELECT u.unit_id, coalesce(u.name, u.unit_id) AS subject, p.level || ' → ' || u.level AS detail, u.level AS value, p.level + 1 AS expected "
        "FROM integrity_unit u JOIN integrity_unit p ON p.unit_id = u.parent_unit_id "
        "WHERE NOT u.official AND u.level <> p.level + 1 ORDER BY 1",
    ),
    "unit_opens_after_closing": _where("valid_from > valid_to", "valid_from || ' > ' || valid_to"),
    "unit_closed_with_open_children": IntegrityCheck(
        _NEEDS_UNITS,
        _UNITS,
        "SELECT p.unit_id, coalesce(p.name, p.unit_id) AS subject, count(*) || ' > ' || p.valid_to AS detail, count(*) AS value FROM integrity_unit u "
        "JOIN integrity_unit p ON p.unit_id = u.parent_unit_id WHERE p.valid_to IS NOT NULL AND coalesce(u.valid_to, DATE '9999-12-31') > p.valid_to "
        "GROUP BY p.unit_id, p.name, p.valid_to ORDER BY 1",
    ),
    "unit_open_before_parent": IntegrityCheck(
        _NEEDS_UNITS,
        _UNITS,
        "SELECT u.unit_id, coalesce(u.name, u.unit_id) AS subject, u.valid_from || ' < ' || p.valid_from AS detail FROM integrity_unit u "
        "JOIN integrity_unit p ON p.unit_id = u.parent_unit_id WHERE u.valid_from < p.valid_from AND NOT u.official ORDER BY 1",
    ),
    "unit_code_not_official": IntegrityCheck(_NEEDS_UNITS, _UNITS, _not_official),
    "unit_old_still_reports": IntegrityCheck(
        _NEEDS_VALUES,
        "SELECT count(*) FROM unit WHERE unit_id LIKE 'VN2024:%'",
        _AFTER.format(reported=_REPORTED, condition=f"r.unit_id LIKE 'VN2024:%' AND r.period_start >= {REFORM}"),
    ),
    "unit_new_reports_before": IntegrityCheck(
        _NEEDS_VALUES,
        "SELECT count(*) FROM unit WHERE unit_id LIKE 'VN2025:%'",
        _AFTER.format(reported=_REPORTED, condition=f"r.unit_id LIKE 'VN2025:%' AND r.period_end < {REFORM}"),
    ),
    "unit_old_and_new_report": IntegrityCheck(
        _NEEDS_VALUES, "SELECT count(*) FROM unit WHERE unit_id LIKE 'VN2025:%'", _BOTH
    ),
    "unit_reports_outside_life": IntegrityCheck(
        (*_NEEDS_UNITS, *_NEEDS_VALUES),
        _USED,
        _AFTER.format(
            reported=_REPORTED,
            condition="r.unit_id NOT LIKE 'VN20__:%' AND (r.period_start > u.valid_to OR r.period_end < u.valid_from)",
        ),
    ),
    "unit_in_no_data_set": _where(
        "NOT official AND NOT used AND unit_id NOT IN (SELECT parent_unit_id FROM integrity_unit WHERE parent_unit_id <> '') AND coalesce(parent_unit_id, '') <> ''",
        judged=_FOREIGN,
        needs=("data_set_assignment",),
    ),
    "unit_assigned_never_reports": IntegrityCheck(
        ("data_set_assignment", *_NEEDS_VALUES),
        "SELECT count(*) FROM (SELECT DISTINCT dataset_id, unit_id FROM data_set_assignment)",
        f"SELECT a.unit_id, a.dataset_id, coalesce(u.name, a.unit_id) AS subject, a.dataset_id AS detail FROM (SELECT DISTINCT dataset_id, unit_id FROM data_set_assignment) a "
        f"LEFT JOIN integrity_unit u USING (unit_id) ANTI JOIN {_REPORTED} r ON (r.dataset_id, r.unit_id) = (a.dataset_id, a.unit_id) "
        "SEMI JOIN series s ON s.dataset_id = a.dataset_id ORDER BY 1, 2",
    ),
    "unit_reports_unassigned": IntegrityCheck(
        ("data_set_assignment", *_NEEDS_VALUES),
        f"SELECT count(*) FROM (SELECT DISTINCT dataset_id, unit_id FROM {_REPORTED} SEMI JOIN data_set_assignment USING (dataset_id))",
        _AFTER.format(
            reported=_REPORTED,
            condition="r.dataset_id IN (SELECT dataset_id FROM data_set_assignment) AND NOT EXISTS (SELECT 1 FROM data_set_assignment a "
            "WHERE (a.dataset_id, a.unit_id) = (r.dataset_id, r.unit_id))",
        ),
    ),
    "unit_unknown": IntegrityCheck(
        _NEEDS_UNITS,
        _USED,
        "SELECT DISTINCT unit_id, unit_id AS subject, '' AS detail FROM integrity_used ANTI JOIN integrity_unit USING (unit_id) "
        "WHERE unit_id NOT LIKE 'KCB:%' ORDER BY 1",
    ),
}

"""Integrity of denominators: jumps between years, parts against their parent, sexes and ages against the total, old lists against new."""

from __future__ import annotations

from tkyt_analysis.quality.integrity.registry import IntegrityCheck

# One total per unit, year and series: the stated total of both sexes and all ages, else the sum of the finest parts.
_TOTALS = """
    (SELECT unit_id, year, series, coalesce(max(persons) FILTER (sex = 'total' AND age_group = 'total'),
            nullif(sum(persons) FILTER (sex <> 'total' AND age_group = 'total'), 0),
            nullif(sum(persons) FILTER (sex = 'total' AND age_group <> 'total'), 0),
            nullif(sum(persons) FILTER (sex <> 'total' AND age_group <> 'total'), 0)) AS persons
     FROM (SELECT unit_id, year, series, lower(sex) AS sex, lower(age_group) AS age_group, max(persons) AS persons FROM population GROUP BY ALL)
     GROUP BY unit_id, year, series)
"""
_JUDGED = f"SELECT count(*) FROM {_TOTALS}"
_NAME = "coalesce(nullif(u.name, ''), {0})"
# Growth beyond 20 % a year more or less than is usual among the units of the series; several years are given their time.
_JUMP = f"""
    WITH steps AS (
        SELECT unit_id, series, year, persons, lag(persons) OVER w AS before, lag(year) OVER w AS year_before,
               ln(persons / nullif(lag(persons) OVER w, 0)) / (year - lag(year) OVER w) AS growth
        FROM {_TOTALS} WHERE persons > 0 WINDOW w AS (PARTITION BY unit_id, series ORDER BY year)
    )
    SELECT s.unit_id, s.year::VARCHAR AS period_id, {_NAME.format("s.unit_id")} AS subject, s.persons AS value,
           round(s.before * exp(usual * (s.year - s.year_before))) AS expected, s.year_before || ': ' || s.before::BIGINT || ' → ' || s.year || ': ' || s.persons::BIGINT AS detail
    FROM (SELECT *, median(growth) OVER (PARTITION BY series, year) AS usual FROM steps WHERE growth IS NOT NULL) s
    LEFT JOIN integrity_unit u USING (unit_id) WHERE abs(growth - usual) > ln(1.2) ORDER BY 1, 2
"""
_PARTS = f"""
    SELECT p.unit_id, p.year::VARCHAR AS period_id, {_NAME.format("p.unit_id")} AS subject, p.persons AS value, sum(c.persons) AS expected,
           count(c.persons) || ': ' || sum(c.persons)::BIGINT || ' ≠ ' || p.persons::BIGINT AS detail
    FROM {_TOTALS} p JOIN integrity_unit o ON o.parent_unit_id = p.unit_id AND o.official
         AND coalesce(o.valid_to, DATE '9999-12-31') >= make_date(p.year, 1, 1) AND coalesce(o.valid_from, DATE '0001-01-01') <= make_date(p.year, 12, 31)
    LEFT JOIN {_TOTALS} c ON c.unit_id = o.unit_id AND (c.year, c.series) = (p.year, p.series) LEFT JOIN integrity_unit u ON u.unit_id = p.unit_id
    GROUP BY p.unit_id, p.year, p.series, p.persons, u.name HAVING count(*) = count(c.persons) AND abs(sum(c.persons) - p.persons) > greatest(1, 0.005 * p.persons) ORDER BY 1, 2
"""
# A commune of 2025 against the old communes that became it, all of them whole and all with a figure.
_LINEAGE = f"""
    SELECT n.unit_id, n.year::VARCHAR AS period_id, {_NAME.format("n.unit_id")} AS subject, n.persons AS value, sum(o.persons) AS expected,
           string_agg(o.unit_id, ' + ' ORDER BY o.unit_id) AS detail
    FROM {_TOTALS} n JOIN integrity_link l ON l.new_unit_id = n.unit_id
    JOIN (SELECT new_unit_id, count(*) AS olds, bool_and(relation = 'whole') AS whole FROM integrity_link GROUP BY 1) k ON k.new_unit_id = n.unit_id
    JOIN {_TOTALS} o ON o.unit_id = l.old_unit_id AND (o.year, o.series) = (n.year, n.series) LEFT JOIN integrity_unit u ON u.unit_id = n.unit_id
    WHERE k.whole GROUP BY n.unit_id, n.year, n.series, n.persons, u.name
    HAVING count(*) = any_value(k.olds) AND abs(sum(o.persons) - n.persons) > greatest(1, 0.02 * n.persons) ORDER BY 1, 2
"""
_BY = """
    SELECT unit_id, year::VARCHAR AS period_id, unit_id AS subject, any_value(total) AS value, sum(persons) AS expected,
           any_value(series) || ': ' || sum(persons)::BIGINT || ' ≠ ' || any_value(total)::BIGINT AS detail
    FROM (SELECT *, max(persons) FILTER ({whole}) OVER (PARTITION BY unit_id, year, series, {other}) AS total FROM
            (SELECT unit_id, year, series, lower(sex) AS sex, lower(age_group) AS age_group, max(persons) AS persons FROM population GROUP BY ALL))
    WHERE {part} AND total IS NOT NULL GROUP BY unit_id, year, series, {other} HAVING count(*) > 1 AND abs(sum(persons) - any_value(total)) > greatest(1, 0.001 * any_value(total)) ORDER BY 1, 2
"""

CHECKS: dict[str, IntegrityCheck] = {
    "population_jump": IntegrityCheck(("population", "organisation_unit"), _JUDGED, _JUMP),
    "population_parts": IntegrityCheck(("population", "organisation_unit"), _JUDGED, _PARTS),
    "population_lineage": IntegrityCheck(
        ("population", "organisation_unit"),
        f"SELECT count(*) FROM {_TOTALS} WHERE unit_id IN (SELECT new_unit_id FROM integrity_link)",
        _LINEAGE,
    ),
    "population_sexes": IntegrityCheck(
        ("population",), _JUDGED, _BY.format(whole="sex = 'total'", part="sex <> 'total'", other="age_group")
    ),
    "population_ages": IntegrityCheck(
        ("population",), _JUDGED, _BY.format(whole="age_group = 'total'", part="age_group <> 'total'", other="sex")
    ),
    "population_impossible": IntegrityCheck(
        ("population",),
        "SELECT count(*) FROM population",
        "SELECT unit_id, year::VARCHAR AS period_id, unit_id AS subject, sex || ' ' || age_group AS detail, min(persons) AS value FROM population "
        "WHERE persons < 0 OR NOT isfinite(persons) GROUP BY ALL ORDER BY 1, 2, 4",
    ),
    "population_missing": IntegrityCheck(
        ("population", "cell", "unit", "organisation_unit"),
        "SELECT count(*) FROM unit WHERE unit_id LIKE 'VN20__:_____'",
        "SELECT u.unit_id, coalesce(u.name, u.unit_id) AS subject, '' AS detail FROM unit r JOIN integrity_unit u USING (unit_id) "
        "WHERE u.unit_id LIKE 'VN20__:_____' AND u.unit_id NOT IN (SELECT unit_id FROM population) ORDER BY 1",
    ),
}

"""What findings would change in the figures that are published: finding by finding, and in four scenarios.

Works on sums per province and on the findings, never on the reported values themselves, so its cost does not grow with
cells. Relations it reads (names are given by the caller):
  finding    the finding table                   place      unit_id, province (of 2025), level
  sums       dataset_id, element_id, category_id, level, period_id, province, value
  programme  dataset_id, indicator_id, unit_id, period_id, numerator, denominator, status
  report     dataset_id, period_id, province, expected, received
and two frames from the catalog: `elements` and `coefficients` (see `prepare`). A figure is a total of an element or a ratio.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.quality.frames import keep_frame

if TYPE_CHECKING:
    import duckdb

NATION = "VN"
# Verdicts whose `expected` is a value for the very cell; what others expect is a sum of further cells.
OF_ONE_CELL = ("error_high", "error_low", "missing_or_zero", "cumulative", "repeated")
NO_ERROR = ("ok", "not_assessable", "shock")
ELEMENT_COLUMNS = ["dataset_id", "element_id", "kind", "level", "whole", "flow", "never"]
COEFFICIENT_COLUMNS = [
    "dataset_id", "figure", "element_id", "numerator", "denominator", "per", "flow", "never", "programme",
]  # fmt: skip
_PLACES = f"unnest(CASE WHEN province IS NULL THEN ['{NATION}'] ELSE [province, '{NATION}'] END)"


@dataclass(frozen=True)
class Relations:
    """Names of the relations on the connection; "" where the caller has none."""

    finding: str = "finding"
    place: str = "place_of_unit"
    sums: str = "province_value"
    programme: str = ""
    report: str = ""


@dataclass(frozen=True)
class Settings:
    """k, floor : see `adjust.completeness_factor`; least_probability : a suggestion counts in the scenarios from here on
    (one without a probability counts)."""

    k: float = 0.25
    floor: float = 0.75
    least_probability: float = 0.5
    relations: Relations = field(default_factory=Relations)


def prepare(
    con: duckdb.DuckDBPyConnection, elements: pd.DataFrame, coefficients: pd.DataFrame, settings: Settings
) -> None:
    """Make the temporary tables `correction`, `figure` and `figure_change` that the two questions read.

    elements : dataset_id, element_id, kind and level of the values that are summed, whole (category that holds the
        whole of an element, "" = all are summed), flow (its periods add up to a year), never (is never adjusted)
    coefficients : ratios as linear sums of elements: dataset_id, figure, element_id, numerator, denominator (how often the
        element counts there), per, flow, never, programme (its sums are those of the relation `programme`)
    """
    keep_frame(con, "consequence_element", elements[ELEMENT_COLUMNS])
    keep_frame(con, "consequence_ratio", coefficients[COEFFICIENT_COLUMNS])
    keep_frame(con, "consequence_period", _periods(con, settings.relations))
    con.execute(_correction(settings))
    con.execute(_figure(settings.relations))
    con.execute(_figure_change(settings.relations))


def _periods(con: duckdb.DuckDBPyConnection, names: Relations) -> pd.DataFrame:
    """period_id, kind, year of every period there are sums of."""
    from tkyt_analysis.reference.periods import period_windows

    asked = [f"SELECT DISTINCT period_id FROM {name}" for name in (names.sums, names.programme) if name]
    ids = [row[0] for row in con.execute(" UNION ".join(asked) + " ORDER BY 1").fetchall() if row[0]]
    windows = period_windows(ids) if ids else pd.DataFrame({"period_id": [], "kind": []})
    rows = windows[["period_id", "kind"]].astype("str")
    return rows.assign(year=rows["period_id"].str[:4])


def _correction(settings: Settings) -> str:
    """One row per finding, notes apart, that says what its cell should hold; `counts`: the one that scenarios use for it."""
    names, cells = settings.relations, ", ".join(f"'{one}'" for one in OF_ONE_CELL)
    passed = ", ".join(f"'{one}'" for one in NO_ERROR)
    return f"""
        CREATE OR REPLACE TEMP TABLE correction AS
        WITH said AS (
            SELECT finding_id, dataset_id, element_id, coalesce(category_id, '') AS category_id, unit_id, period_id, value,
                   probability, (upper - lower) / 2 AS half,
                   coalesce(suggested, CASE WHEN verdict IN ({cells}) THEN expected END) AS suggestion, suggested IS NOT NULL AS own
            FROM {names.finding}
            WHERE severity <> 'note' AND verdict NOT IN ({passed}) AND element_id <> '' AND value IS NOT NULL
        )
        SELECT said.*, suggestion - value AS change, p.province, coalesce(p.level, 'other') AS level,
               coalesce(probability, 1) >= {settings.least_probability} AND row_number() OVER (
                   PARTITION BY dataset_id, element_id, category_id, unit_id, period_id
                   ORDER BY own DESC, probability DESC NULLS LAST, finding_id) = 1 AS counts
        FROM said LEFT JOIN {names.place} p USING (unit_id) WHERE suggestion IS NOT NULL
    """


_IN_THE_SUM = """{row}.level = e.level AND d.kind = e.kind AND (e.whole = '' OR {row}.category_id = e.whole)"""


def _figure(names: Relations) -> str:
    """Every figure by province and period: above (its total or numerator), below (its denominator; NULL: a total)."""
    programme = f"""
        UNION ALL SELECT 'ratio', r.dataset_id, r.indicator_id, q.per, q.flow, q.never, p.province, r.period_id,
               sum(r.numerator), sum(r.denominator)
        FROM {names.programme} r JOIN (SELECT DISTINCT dataset_id, figure, per, flow, never FROM consequence_ratio WHERE programme) q
             ON q.dataset_id = r.dataset_id AND q.figure = r.indicator_id LEFT JOIN {names.place} p USING (unit_id)
        WHERE r.status = 'ok' GROUP BY ALL
    """
    return f"""
        CREATE OR REPLACE TEMP TABLE figure AS
        WITH total AS (
            SELECT 'total' AS figure_kind, s.dataset_id, s.element_id AS figure, 1.0::DOUBLE AS per, e.flow, e.never, s.province,
                   s.period_id, sum(s.value) AS above, NULL::DOUBLE AS below
            FROM {names.sums} s JOIN consequence_element e USING (dataset_id, element_id) JOIN consequence_period d USING (period_id)
            WHERE {_IN_THE_SUM.format(row="s")} GROUP BY ALL
        )
        FROM total
        UNION ALL SELECT 'ratio', t.dataset_id, q.figure, q.per, q.flow, q.never, t.province, t.period_id,
               sum(t.above * q.numerator), sum(t.above * q.denominator)
        FROM total t JOIN consequence_ratio q ON q.dataset_id = t.dataset_id AND q.element_id = t.figure AND NOT q.programme
        GROUP BY ALL
        {programme if names.programme else ""}
    """


def _figure_change(names: Relations) -> str:
    """What each correction adds to the figures that its cell is part of."""
    known = (
        f"SELECT DISTINCT dataset_id, indicator_id AS figure, unit_id, period_id FROM {names.programme} WHERE status = 'ok'"
        if names.programme
        else "SELECT '' AS dataset_id, '' AS figure, '' AS unit_id, '' AS period_id WHERE false"
    )
    return f"""
        CREATE OR REPLACE TEMP TABLE figure_change AS
        WITH inside AS (
            SELECT c.* FROM correction c JOIN consequence_element e USING (dataset_id, element_id)
            JOIN consequence_period d USING (period_id) WHERE {_IN_THE_SUM.format(row="c")}
        ), known AS ({known})
        SELECT finding_id, counts, 'total' AS figure_kind, dataset_id, element_id AS figure, province, period_id,
               change AS above_change, 0.0::DOUBLE AS below_change, half
        FROM inside
        UNION ALL SELECT c.finding_id, c.counts, 'ratio', c.dataset_id, q.figure, c.province, c.period_id,
               c.change * q.numerator, c.change * q.denominator, NULL
        FROM inside c JOIN consequence_ratio q USING (dataset_id, element_id) WHERE NOT q.programme
        UNION ALL SELECT c.finding_id, c.counts, 'ratio', c.dataset_id, q.figure, c.province, c.period_id,
               c.change * q.numerator, c.change * q.denominator, NULL
        FROM correction c JOIN consequence_ratio q USING (dataset_id, element_id)
             SEMI JOIN known k ON k.dataset_id = c.dataset_id AND k.figure = q.figure AND k.unit_id = c.unit_id AND k.period_id = c.period_id
        WHERE q.programme
    """


FINDING_CONSEQUENCE = f"""
    WITH placed AS (
        SELECT figure.*, year, {_PLACES} AS place FROM figure JOIN consequence_period USING (period_id)
    ), figure_at AS (
        SELECT figure_kind, dataset_id, figure, per, place, above, below,
               unnest(CASE WHEN flow AND period_id <> year THEN [period_id, year] ELSE [period_id] END) AS shown
        FROM placed
    ), figures AS (
        SELECT figure_kind, dataset_id, figure, place, shown, any_value(per) AS per, sum(above) AS above, sum(below) AS below
        FROM figure_at GROUP BY ALL
    ), change_placed AS (
        SELECT figure_change.*, year, {_PLACES} AS place FROM figure_change JOIN consequence_period USING (period_id)
    ), change_at AS (
        SELECT finding_id, figure_kind, dataset_id, figure, place, unnest([period_id, year]) AS shown, above_change, below_change
        FROM change_placed
    ), changes AS (SELECT DISTINCT * FROM change_at), compared AS (
        SELECT finding_id, figure_kind, dataset_id, figure, place, shown AS period_id,
               CASE figure_kind WHEN 'total' THEN above ELSE per * above / nullif(greatest(below, 0), 0) END AS reported,
               CASE figure_kind WHEN 'total' THEN above + above_change
                   ELSE per * (above + above_change) / nullif(greatest(below + below_change, 0), 0) END AS with_suggestion
        FROM changes JOIN figures USING (figure_kind, dataset_id, figure, place, shown)
    )
    SELECT finding_id, figure_kind, dataset_id, figure, place, period_id, reported, with_suggestion, with_suggestion - reported AS change,
           (with_suggestion - reported) / nullif(abs(reported), 0) AS change_share, replace(place, ':', '-') AS scope
    FROM compared
"""


def _factor(settings: Settings) -> str:
    """Countdown 2030's factor by data set, province and period; NULL where no rate is usable."""
    report, k, floor = settings.relations.report, settings.k, settings.floor
    if not report:
        return "SELECT '' AS dataset_id, '' AS province, '' AS period_id, NULL::DOUBLE AS factor WHERE false"
    return f"""
        SELECT dataset_id, province, period_id, 1 + (1 / chosen - 1) * {k} AS factor FROM (
            SELECT *, CASE WHEN rate >= {floor} THEN least(rate, 1)
                      ELSE median(CASE WHEN rate BETWEEN {floor} AND 1 THEN rate END) OVER (PARTITION BY dataset_id, province) END AS chosen
            FROM (SELECT dataset_id, province, period_id, sum(received) / nullif(sum(expected), 0) AS rate FROM {report} GROUP BY ALL))
    """


def adjusted_sql(settings: Settings) -> str:
    """Every flow figure by place, year and scenario: value, reported, periods, share_adjusted, lower, upper, share_without_rate.

    share_adjusted : share of the value (of a ratio: of its numerator) that was put there or taken away
    lower, upper : value ± the root of the summed squares of the half-widths that the findings state (outliers, both)
    share_without_rate : share of what was reported for which no reporting rate is known (completeness, both)
    """
    return f"""
        WITH factor AS ({_factor(settings)}), counted AS (
            SELECT figure_kind, dataset_id, figure, province, period_id, sum(above_change) AS above_change, sum(below_change) AS below_change,
                   sum(abs(above_change)) AS touched, sum(half * half) AS squares
            FROM figure_change WHERE counts GROUP BY ALL
        ), cell AS (
            SELECT f.*, d.year, f.never OR factor IS NULL AS without, CASE WHEN f.never OR factor IS NULL THEN 1 ELSE factor END AS times,
                   CASE WHEN f.never THEN 0 ELSE coalesce(above_change, 0) END AS above_change,
                   CASE WHEN f.never THEN 0 ELSE coalesce(below_change, 0) END AS below_change,
                   CASE WHEN f.never THEN 0 ELSE coalesce(touched, 0) END AS touched, CASE WHEN NOT f.never THEN squares END AS squares
            FROM figure f JOIN consequence_period d USING (period_id)
            LEFT JOIN counted c ON c.figure_kind = f.figure_kind AND c.dataset_id = f.dataset_id AND c.figure = f.figure
                 AND c.province IS NOT DISTINCT FROM f.province AND c.period_id = f.period_id
            LEFT JOIN factor r ON r.dataset_id = f.dataset_id AND r.province IS NOT DISTINCT FROM f.province AND r.period_id = f.period_id
            WHERE f.flow
        ), scenario(scenario, o, k) AS (VALUES ('none', 0, 0), ('outliers', 1, 0), ('completeness', 0, 1), ('both', 1, 1)),
        part AS (
            SELECT figure_kind, dataset_id, figure, per, never, {_PLACES} AS place, period_id, year, scenario, above, below, o, k, without, squares,
                   (above + o * above_change) * CASE k WHEN 1 THEN times ELSE 1 END AS above_now,
                   (below + o * below_change) * CASE k WHEN 1 THEN times ELSE 1 END AS below_now,
                   o * touched + k * abs(above + o * above_change) * (times - 1) AS moved
            FROM cell, scenario
        ), summed AS (
            SELECT figure_kind, dataset_id, figure, any_value(per) AS per, bool_or(never) AS never, place, year, scenario,
                   count(DISTINCT period_id) AS periods, sum(above) AS above, sum(below) AS below, sum(above_now) AS above_now,
                   sum(below_now) AS below_now, sum(moved) AS moved, sqrt(sum(squares * o)) AS half,
                   sum(CASE WHEN k = 1 AND without THEN abs(above) ELSE 0 END) AS unknown
            FROM part GROUP BY ALL
        ), valued AS (
            SELECT *, CASE figure_kind WHEN 'total' THEN above_now ELSE per * above_now / nullif(greatest(below_now, 0), 0) END AS value,
                   CASE figure_kind WHEN 'total' THEN above ELSE per * above / nullif(greatest(below, 0), 0) END AS reported
            FROM summed
        )
        SELECT figure_kind, dataset_id, figure, place, year, scenario, value, reported, periods, CASE WHEN never THEN 'deaths' ELSE '' END AS excluded,
               coalesce(moved / nullif(abs(above_now), 0), 0) AS share_adjusted,
               CASE WHEN figure_kind = 'total' AND half > 0 THEN value - half END AS lower,
               CASE WHEN figure_kind = 'total' AND half > 0 THEN value + half END AS upper,
               coalesce(unknown / nullif(abs(above), 0), 0) AS share_without_rate,
               CASE figure_kind WHEN 'total' THEN sqrt(abs(value)) ELSE per * sqrt(abs(above_now)) / nullif(below_now, 0) END AS noise
        FROM valued ORDER BY figure_kind, dataset_id, figure, place, year, scenario
    """

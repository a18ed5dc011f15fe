"""The lists of deaths side by side, per place and period: counts, persons in common, and how many deaths no list holds.

Lists for the estimate: A = the book (A6), B = civil registration, C = hospital (death notices and certificates). Patients taken
home dying are shown, and counted among A or B where they are found again; they are not a list of deaths. Two lists
(A, B) give Chapman's estimate, three the log-linear one. Hospitals see only who came to them: dependence that the models
with interactions describe in part, and that no interval holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

LISTS = ("a6", "civil_registration", "hospital")
COUNTS = ("a6", "civil_registration", "death_notice", "certificate", "verbal_autopsy", "sent_home_dying")
COLUMNS = [
    "unit_id", "period_id", "kind", *COUNTS, "hospital", "persons", "a6_and_civil", "a6_and_hospital", "civil_and_hospital",
    "all_three", "sent_home_found", "estimate", "lower", "upper", "completeness", "status", "reason", "model", "lowest", "highest",
    "two_list_estimate", "two_list_lower", "two_list_upper", "two_list_status", "form_deaths",
]  # fmt: skip
# One row per person and place: on which lists, and the month of death that the best of them gives (the register of deaths first).
PERSONS = """
    CREATE OR REPLACE TEMP TABLE list_person AS
    WITH record AS (
        SELECT death_id AS record_id, source, person_key, CAST(death_date AS DATE) AS day,
               coalesce(CASE WHEN residence_unit_id LIKE 'VN20__:_____' THEN residence_unit_id END, unit_id) AS home FROM {death}
        UNION ALL
        SELECT event_id, 'sent_home_dying', NULL, CAST(discharge_date AS DATE), coalesce(residence_unit_id, unit_id) FROM {sent_home}
        WHERE coalesce(discharge_state, 'sent_home_dying') = 'sent_home_dying'
    ), once AS (
        SELECT * FROM record
        QUALIFY person_key IS NULL OR row_number() OVER (PARTITION BY source, person_key ORDER BY record_id) = 1
    )
    SELECT coalesce(m.person_id, o.record_id) AS person_id, list(DISTINCT o.source) AS sources,
           arg_min(strftime(o.day, '%Y%m'), list_position(['a6', 'civil_registration', 'death_notice', 'certificate', 'verbal_autopsy', 'sent_home_dying'], o.source)) AS month,
           arg_min(o.home, list_position(['a6', 'civil_registration', 'death_notice', 'certificate', 'verbal_autopsy', 'sent_home_dying'], o.source)) AS home
    FROM once o LEFT JOIN {match} m ON m.record_id = o.record_id
    WHERE o.day IS NOT NULL AND o.day <= {latest} GROUP BY 1
"""
# A place is the commune of 2025, its province, or (for deaths before July 2025) the old commune.
CELLS = """
    SELECT unit_id, period_id, kind, {counts},
           count(*) FILTER (hospital) AS hospital, count(*) FILTER (a OR b OR hospital OR list_contains(sources, 'verbal_autopsy')) AS persons,
           count(*) FILTER (a AND b) AS a6_and_civil, count(*) FILTER (a AND hospital) AS a6_and_hospital,
           count(*) FILTER (b AND hospital) AS civil_and_hospital, count(*) FILTER (a AND b AND hospital) AS all_three,
           count(*) FILTER (list_contains(sources, 'sent_home_dying') AND len(sources) > 1) AS sent_home_found,
           {histories}
    FROM (
        SELECT sources, list_contains(sources, 'a6') AS a, list_contains(sources, 'civil_registration') AS b,
               list_has_any(sources, ['death_notice', 'certificate']) AS hospital, t.p.unit_id AS unit_id, t.p.kind AS kind, s.period_id
        FROM list_person x JOIN unit_place u ON u.unit_id = x.home,
             unnest([{{'unit_id': u.home_2025, 'kind': 'commune'}}, {{'unit_id': u.province_2025, 'kind': 'province'}},
                     {{'unit_id': CASE WHEN x.home LIKE 'VN2024:%' THEN x.home END, 'kind': 'commune_2024'}}]) AS t(p),
             unnest([x.month, left(x.month, 4)]) AS s(period_id)
    ) WHERE unit_id IS NOT NULL GROUP BY unit_id, period_id, kind ORDER BY kind, unit_id, period_id
"""


def reconciled(
    con: duckdb.DuckDBPyConnection,
    *,
    death: str,
    sent_home: str,
    match: str,
    latest: str = "current_date",
    confidence: float = 0.95,
) -> pd.DataFrame:
    """One row per place (communes of 2025, provinces, communes of 2024) and month and year: COLUMNS.

    Estimates are made for years (months hold too few deaths in common and are "not_assessable"). status, reason, model as in
    `mortality.measures.completeness.capture_recapture`; completeness : the book's share of the estimate.
    latest : SQL for the day after which a date of death cannot be true
    """
    from mortality.quality.places import offer_units

    offer_units(con)
    con.execute(PERSONS.format(death=death, sent_home=sent_home, match=match, latest=latest))
    counts = ", ".join(f"count(*) FILTER (list_contains(sources, '{name}')) AS {name}" for name in COUNTS)
    histories = ", ".join(
        f"count(*) FILTER (a = {bool(place & 1)} AND b = {bool(place & 2)} AND hospital = {bool(place & 4)}) AS h{place}"
        for place in range(1, 8)
    )
    cells = con.execute(CELLS.format(counts=counts, histories=histories)).df()
    con.execute("DROP TABLE list_person")
    return _estimated(cells, confidence)


def _estimated(cells: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """The cells with their estimates of all deaths."""
    from mortality.measures.completeness import capture_recapture

    seen = cells[[f"h{place}" for place in range(1, 8)]].to_numpy(dtype=float)
    zero = np.zeros((len(cells), 1))
    of_year = cells["period_id"].str.len().to_numpy() == 4
    histories = np.where(of_year[:, None], np.hstack([zero, seen]), 0.0)
    only_a, only_b, both = (histories[:, [one, one + 4]].sum(axis=1) for one in (1, 2, 3))
    three = capture_recapture(histories, confidence=confidence, choice="average")
    two = capture_recapture(np.column_stack([zero, only_a, only_b, both]), confidence=confidence)
    month = np.where(of_year, three.reason, "too_few_in_common")
    return cells.assign(
        estimate=three.estimate.round(1),
        lower=three.lower.round(1),
        upper=three.upper.round(1),
        completeness=three.completeness[:, 0].round(4),
        status=three.status,
        reason=month,
        model=three.model,
        lowest=three.lowest.round(1),
        highest=three.highest.round(1),
        two_list_estimate=two.estimate.round(1),
        two_list_lower=two.lower.round(1),
        two_list_upper=two.upper.round(1),
        two_list_status=two.status,
        form_deaths=np.nan,
    )[COLUMNS]

"""Release tables of this room: the lists of deaths side by side, and the quality of ages. No record, no identifier."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.warehouse.release import NATION, ReleaseContext
from tkyt_analysis.warehouse.replaced import replaced_files_sql, replaced_records_sql

AGE_COLUMNS = ["unit_id", "whipple", "lower", "upper", "myers", "bachi", "spoorenberg", "events", "status", "reason"]


def death_reconciliation(context: ReleaseContext) -> pd.DataFrame:
    """Counts of each list, persons in common and the estimate of all deaths per place and period; see `reconcile.reconciled`.

    form_deaths : the total of form 16/BCH of the same place and period, where there is one
    """
    from mortality.quality.reconcile import reconciled

    if not context.warehouse.has("death", "death_match", "sent_home_dying"):
        return context.add_scope(pd.DataFrame({"unit_id": pd.Series(dtype="str")}))
    replaced, records = replaced_files_sql(context.warehouse), replaced_records_sql(context.warehouse)
    latest = "(SELECT max(CAST(left(received_at, 10) AS DATE)) FROM lake.received_file)"
    rows = reconciled(
        context.warehouse.con,
        death=f"(SELECT * FROM lake.death WHERE file_sha256 NOT IN ({replaced}) AND death_id NOT IN ({records}))",
        sent_home=f"(SELECT * FROM lake.sent_home_dying WHERE file_sha256 NOT IN ({replaced}))",
        match="lake.death_match",
        latest=latest,
    )
    return context.add_scope(_with_forms(context, rows))


def _with_forms(context: ReleaseContext, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of their own for the places and periods of form 16/BCH: the form's total and the book's deaths beside it."""
    if not context.warehouse.has("aggregate_value"):
        return rows
    forms = context.query(
        """
        SELECT v.unit_id, v.period_id, 'form16bch' AS kind, v.value AS form_deaths,
               (SELECT count(DISTINCT coalesce(m.person_id, d.death_id)) FROM lake.death d LEFT JOIN lake.death_match m ON m.record_id = d.death_id
                JOIN unit_place u ON u.unit_id = d.unit_id
                WHERE d.source = 'a6' AND v.unit_id IN (u.unit_id, u.parent, u.province, u.home_2025)
                  AND CAST(d.death_date AS DATE) BETWEEN CAST(v.period_start AS DATE) AND CAST(v.period_end AS DATE)) AS a6
        FROM lake.aggregate_value v WHERE v.dataset_id = 'form16bch' AND v.element_id = '16BCH/total' AND v.category_id = 'total'
        QUALIFY row_number() OVER (PARTITION BY v.unit_id, v.period_id ORDER BY v.file_sha256 DESC) = 1 ORDER BY 1, 2
        """
    )
    if forms.empty:
        return rows
    forms = forms.assign(status="not_assessable", reason="one_list", two_list_status="not_assessable")
    counts = {name: "Int64" for name in rows.columns if rows[name].dtype.kind == "i"}
    rows = rows.astype(counts)
    added = forms.reindex(columns=rows.columns).assign(model="").astype(rows.dtypes.to_dict())
    return pd.concat([rows, added], ignore_index=True)


def death_age_quality(context: ReleaseContext) -> pd.DataFrame:
    """Whipple with limits, Myers, Bachi and Spoorenberg of ages at death, per commune and province of 2025; see `age_heaping`."""
    from mortality.quality.age_heaping import OLDEST, heaping_table
    from mortality.quality.places import offer_units

    offer_units(context.warehouse.con)
    ages = context.query(
        f"""
        SELECT unit_id, age, count(*) AS deaths FROM (
            SELECT unnest([u.home_2025, u.province_2025]) AS unit_id, CAST(floor(d.age_years) AS INTEGER) AS age
            FROM lake.death d JOIN unit_place u USING (unit_id)
            WHERE d.source = 'a6' AND d.age_years BETWEEN 0 AND {OLDEST} AND (d.age_unit = 'years' OR d.birth_year IS NOT NULL)
              AND d.file_sha256 NOT IN ({replaced_files_sql(context.warehouse)})
              AND d.death_id NOT IN ({replaced_records_sql(context.warehouse)})
        ) GROUP BY unit_id, age ORDER BY unit_id, age
        """
    )
    if ages.empty:
        return pd.DataFrame(columns=[*AGE_COLUMNS, "scope"]).assign(scope=NATION)
    return context.add_scope(heaping_table(ages, minimum=100))

"""Live births of the communes that keep a death register: the denominator of infant and maternal mortality.

A commune and year counts only where every month of it was reported, by the commune or by all the old communes that went into
it; deaths over births are then counted in these communes only, so that both stand on the same places.
"""

from __future__ import annotations

import datetime

import pandas as pd

from mortality.release_tables import communes_of_registers, on_units_of_2025
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.warehouse.release import ReleaseContext

TYPES = {
    "unit_id": "str", "year": "int64", "live_births": "float64", "months_reported": "int64", "months_due": "int64", "complete": "bool",
}  # fmt: skip
COLUMNS = list(TYPES)
CHANGE = 202507  # first month that communes of 2025 report
_PATTERN = "regexp_full_match(period_id, '[0-9]{6}') AND regexp_full_match(unit_id, 'VN20[0-9]{2}:[0-9]{5}')"


def registered_birth(context: ReleaseContext) -> pd.DataFrame:
    """Live births per commune of 2025 and year: unit_id, year, live_births, months_reported, months_due, complete, scope.

    months count every commune that reports for the place (twelve old communes of a merged one: 12 × 12); live_births is missing where
    any month is.
    """
    return context.add_scope(births_of_registers(context))


def births_of_registers(context: ReleaseContext) -> pd.DataFrame:
    """COLUMNS of the communes whose registers were received."""
    if "births_of_registers" not in context.made:
        context.made["births_of_registers"] = _births(context)
    return context.made["births_of_registers"]


def _births(context: ReleaseContext) -> pd.DataFrame:
    rows = reported_births(context)
    return births_of_communes(rows[rows["commune"].isin(communes_of_registers(context))])


def reported_births(context: ReleaseContext, *, with_files: bool = False) -> pd.DataFrame:
    """Monthly live births as reported, the value received last: unit_id, commune (of 2025), month (YYYYMM), births; with_files adds
    file_name, sheet, row_number of each value."""
    from tkyt_analysis.warehouse.release_tables import aggregate_value

    if with_files:
        from tkyt_analysis.warehouse.replaced import replaced_files_sql

        rows = context.query(
            f"""SELECT unit_id, CAST(period_id AS INTEGER) AS month, v.value AS births, f.file_name, v.sheet, v.row_number
            FROM lake.aggregate_value v JOIN lake.received_file f USING (file_sha256)
            WHERE element_id = ? AND {_PATTERN} AND v.file_sha256 NOT IN ({replaced_files_sql(context.warehouse)})
            QUALIFY row_number() OVER (PARTITION BY unit_id, period_id, category_id
                ORDER BY f.received_at DESC, f.file_name DESC, v.row_number DESC) = 1 ORDER BY ALL""",
            [live_birth_element()],
        )
    else:
        rows = context.query(
            f"SELECT unit_id, CAST(period_id AS INTEGER) AS month, sum(value) AS births FROM ({aggregate_value(context)}) "
            f"WHERE element_id = ? AND {_PATTERN} GROUP BY ALL ORDER BY ALL",
            [live_birth_element()],
        )
    return rows.assign(commune=on_units_of_2025(rows["unit_id"]))


def births_of_communes(rows: pd.DataFrame) -> pd.DataFrame:
    """COLUMNS from reported months. rows : unit_id, commune (of 2025), month (YYYYMM), births; one row per unit and month."""
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS).astype(TYPES)
    rows = rows.assign(year=rows["month"] // 100)
    due = _months_due(rows)
    found = rows.groupby(["commune", "year"], as_index=False).agg(
        live_births=("births", "sum"), months_reported=("births", "count")
    )
    table = found.merge(due, on=["commune", "year"], how="left", validate="one_to_one")
    table["complete"] = table["months_reported"] == table["months_due"]
    table["live_births"] = table["live_births"].astype(float).where(table["complete"])
    table = table.rename(columns={"commune": "unit_id"})[COLUMNS].astype(TYPES)
    return table.sort_values(["unit_id", "year"], ignore_index=True)


def _months_due(rows: pd.DataFrame) -> pd.DataFrame:
    """Months that each commune and year should have: of every old commune known to report for it until June 2025, of the
    commune itself from July 2025 on."""
    years = rows[["commune", "year"]].drop_duplicates()
    units = rows[["commune", "unit_id"]].drop_duplicates()
    own = years[["commune"]].drop_duplicates().assign(unit_id=lambda table: table["commune"])
    each = years.merge(pd.concat([units, own]).drop_duplicates(), on="commune")
    change_year, change_month = divmod(CHANGE, 100)
    is_new = each["unit_id"].str.startswith("VN2025:")
    before = (each["year"] < change_year) * 12 + (each["year"] == change_year) * (change_month - 1)
    each["months_due"] = before.where(~is_new, 12 - before)
    return each.groupby(["commune", "year"], as_index=False)["months_due"].sum()


def live_birth_element() -> str:
    """The element that gives live births, as the catalog says (threshold `live_birth_element`)."""
    return str(load_entry("thresholds", "live_birth_element").at(datetime.date(2025, 1, 1)))

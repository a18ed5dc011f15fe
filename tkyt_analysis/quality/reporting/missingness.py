"""Are reports missing at random? Missingness against size and against the last quarter, unit by unit, per province."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import duckdb

LEAST_UNITS = 8
COLUMNS = ["province_id", "factor", "units", "effect", "lower", "upper", "p_value", "status"]
_UNITS = """
    SELECT u.unit_id, u.province_id, sum(due) AS due, sum(due - came) AS missing,
           sum(due) FILTER (quarter(period_end) = 4) AS due_q4, sum(due - came) FILTER (quarter(period_end) = 4) AS missing_q4,
           any_value(size) AS size
    FROM report_unit_month JOIN report_period USING (period_no) JOIN report_unit u USING (unit_no)
    LEFT JOIN (SELECT unit_id, sum(value) / count(DISTINCT period_no) AS size FROM cell JOIN unit USING (unit_no) WHERE value >= 0 GROUP BY 1) USING (unit_id)
    GROUP BY u.unit_id, u.province_id ORDER BY u.unit_id
"""


def unit_missingness(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """One row per unit: province_id, due, missing, due_q4, missing_q4 (October to December), size (usual sum of a period)."""
    return con.execute(_UNITS).df()


def missing_not_at_random(units: pd.DataFrame) -> pd.DataFrame:
    """Per province and factor: by how many percentage points more reports are missing, with 95 % limits.

    Reports of one unit hang together, so units are what is counted. Factors: `small` (units below the province's
    median size against the others, Welch's t), `last_quarter` (October to December against the rest of the year of
    the same unit, paired t). status: ok, or not_assessable below eight units or without variation.
    """
    rows = []
    for province, group in units.groupby("province_id", sort=True):
        rows.append([province, "small", *_small(group)])
        rows.append([province, "last_quarter", *_last_quarter(group)])
    return pd.DataFrame(rows, columns=COLUMNS)


def _small(units: pd.DataFrame) -> list[object]:
    known = units[units["size"].notna() & (units["due"] > 0)]
    share = 100 * known["missing"] / known["due"]
    small = known["size"] < known["size"].median()
    first, second = share[small].to_numpy(), share[~small].to_numpy()
    if min(len(first), len(second)) < LEAST_UNITS / 2:
        return _nothing(len(known))
    parts = [first.var(ddof=1) / len(first), second.var(ddof=1) / len(second)]
    if sum(parts) == 0:
        return _nothing(len(known))
    freedom = sum(parts) ** 2 / sum(part**2 / (n - 1) for part, n in zip(parts, (len(first), len(second))) if part > 0)
    return [len(known), *_limits(float(first.mean() - second.mean()), float(np.sqrt(sum(parts))), freedom)]


def _last_quarter(units: pd.DataFrame) -> list[object]:
    rest = units["due"] - units["due_q4"].fillna(0)
    known = units[(units["due_q4"].fillna(0) > 0) & (rest > 0)]
    rest = rest[known.index]
    more = 100 * (known["missing_q4"] / known["due_q4"] - (known["missing"] - known["missing_q4"]) / rest)
    if len(more) < LEAST_UNITS or more.std(ddof=1) == 0:
        return _nothing(len(known))
    return [len(known), *_limits(float(more.mean()), float(more.std(ddof=1) / np.sqrt(len(more))), len(more) - 1)]


def _limits(effect: float, error: float, freedom: float) -> list[object]:
    from scipy.stats import t

    reach = float(t.ppf(0.975, freedom)) * error
    p_value = 2 * float(t.sf(abs(effect) / error, freedom))
    return [effect, effect - reach, effect + reach, p_value, "ok"]


def _nothing(units: int) -> list[object]:
    return [units, np.nan, np.nan, np.nan, np.nan, "not_assessable"]

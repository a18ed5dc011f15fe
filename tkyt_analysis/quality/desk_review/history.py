"""What the years before let expect: their mean, or their straight line."""

from __future__ import annotations

import numpy as np
import pandas as pd


def earlier_years(rows: pd.DataFrame, keys: list[str], value: str, years_before: int) -> np.ndarray:
    """The value 1, 2, … years before each row: an array rows × years, missing where there is none.

    rows : `keys` and year name one row each
    """
    found = []
    own = rows[[*keys, "year"]]
    for back in range(1, years_before + 1):
        shifted = rows[[*keys, "year", value]].assign(year=rows["year"].astype(int) + back)
        one = own.assign(year=own["year"].astype(int)).merge(
            shifted, on=[*keys, "year"], how="left", validate="one_to_one"
        )
        found.append(one[value].to_numpy(float))
    return np.column_stack(found) if found else np.empty((len(rows), 0))


def expected_from(
    before: np.ndarray, trend: str, *, minimum: int = 1, forecast: int = 3, most: float = np.inf
) -> tuple[pd.Series, pd.Series]:
    """(expected, years used) from the values 1, 2, … years before (columns).

    trend : "constant": the mean of the years there are, at least `minimum`; "forecast": their least-squares line, at
    least `forecast` years, cut at 0 and `most`.
    """
    seen = ~np.isnan(before)
    years = seen.sum(axis=1)
    values = np.where(seen, before, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = values.sum(axis=1) / years
        if trend == "constant":
            expected = np.where(years >= max(minimum, 1), mean, np.nan)
        else:
            expected = np.where(years >= max(forecast, 2), np.clip(_line_at_zero(values, seen, mean), 0, most), np.nan)
    return pd.Series(expected), pd.Series(years)


def _line_at_zero(values: np.ndarray, seen: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The least-squares line through the years -1, -2, … at year 0."""
    at = -np.arange(1, values.shape[1] + 1, dtype=float)
    middle = (seen * at).sum(axis=1) / seen.sum(axis=1)
    off = np.where(seen, at - middle[:, None], 0.0)
    slope = (off * values).sum(axis=1) / (off**2).sum(axis=1)
    return mean - slope * middle

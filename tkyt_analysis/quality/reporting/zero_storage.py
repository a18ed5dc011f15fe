"""Does a data set store zeros at all? Chao's lower bound says how many zeros there should at least be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    import duckdb

# Counts that mix Poisson rates have at least f1² / (2 f2) zeros where f1 values are one and f2 are two
# (Chao A, Scand J Stat 1984;11:265-70), whatever the mixture: it needs no model of the units.
_STORAGE = """
    SELECT dataset_id, count(*) AS cells, count(*) FILTER (value = 0) AS zeros, count(*) FILTER (value = 1) AS ones,
           count(*) FILTER (value = 2) AS twos
    FROM cell JOIN series USING (series_no) WHERE value IS NOT NULL GROUP BY 1 ORDER BY 1
"""


def zero_storage(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """dataset_id, cells, zeros, ones, twos, zeros_expected (at least), stored (zeros / zeros_expected), status of `zeros_stored`."""
    return zeros_stored(con.execute(_STORAGE).df())


def zeros_stored(counts: pd.DataFrame, *, least_expected: float = 20, stored_below: float = 0.05) -> pd.DataFrame:
    """counts : cells, zeros, ones, twos. Adds zeros_expected, stored and status: stored | not_stored | not_assessable
    (fewer than `least_expected` zeros are to be expected). In a data set that stores none, a blank may be a zero."""
    expected = counts["ones"] ** 2 / (2 * counts["twos"].clip(lower=1))
    stored = counts["zeros"] / expected.where(expected > 0)
    status = pd.Series("stored", index=counts.index).mask(stored < stored_below, "not_stored")
    status = status.mask(expected < least_expected, "not_assessable").mask(counts["zeros"] >= least_expected, "stored")
    return counts.assign(zeros_expected=expected, stored=stored, status=status)

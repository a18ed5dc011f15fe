"""How every method of completeness answers: keys, figures, method, status, reason."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.analysis.rates import rate_table

Numbers = npt.NDArray[np.float64]
MODELLED = "modelled"


def result_table(
    keys: pd.DataFrame,
    columns: dict[str, Numbers],
    *,
    method: npt.ArrayLike,
    reason: npt.NDArray[np.str_],
    modelled: npt.ArrayLike = False,
) -> pd.DataFrame:
    """`keys`, `columns` (missing where there is a reason), method, status (ok | not_assessable | modelled), reason."""
    known = reason == ""
    figures = {name: np.where(known, np.asarray(part, dtype=float), np.nan) for name, part in columns.items()}
    table = rate_table(figures, method=method, reason=reason)
    table["status"] = table["status"].mask(known & np.broadcast_to(np.asarray(modelled), known.shape), MODELLED)
    return pd.concat([keys.reset_index(drop=True), table], axis=1)

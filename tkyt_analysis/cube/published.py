"""Figures that a release holds ready-made (a completeness, a corrected rate): looked up, never added up or recomputed.

They stand in `indicator_value` for one place, one year and one sex. A question that asks for anything else of them (a month, a
sum of provinces, several years together, the provinces of 2024) has no row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.cube.facts import quoted
from tkyt_analysis.cube.model import MODELLED, OK, TOTAL, Measure, View
from tkyt_analysis.cube.plan import Grouping, window_of

if TYPE_CHECKING:
    from tkyt_analysis.cube.session import Cube

TABLE = "indicator_value"
DIMENSIONS = frozenset({"province", "commune", "year", "sex"})
_DIGITS = {"province": 2, "commune": 5}
COLUMNS = ["numerator", "denominator", "value", "lower", "upper", "status"]


def published_rows(cube: Cube, measure: Measure, view: View, groupings: Sequence[Grouping]) -> pd.DataFrame:
    """The rows of `indicator_value` that answer a view: its dimensions, COLUMNS, modelled, moved."""
    found = [_of_grouping(cube, measure, view, one) for one in groupings]
    rows = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=[*view.by, *COLUMNS])
    modelled = rows["status"] == MODELLED
    return rows.assign(
        status=rows["status"].mask(modelled, OK), modelled=modelled, moved=pd.Series(np.nan, rows.index, dtype=float)
    )


def _of_grouping(cube: Cube, measure: Measure, view: View, grouping: Grouping) -> pd.DataFrame:
    conditions = _conditions(cube, measure, view, grouping)
    columns = {"province": "unit_id", "commune": "unit_id", "year": "period_id", "sex": "sex"}
    names = [f"{columns[name] if name in grouping else quoted(TOTAL)} AS {name}" for name in view.by]
    where = " AND ".join(conditions) if conditions is not None else "false"
    listed = ", ".join([*names, *COLUMNS])
    return cube.query(f"SELECT {listed} FROM {TABLE} WHERE {where} ORDER BY unit_id, period_id, sex")


def _conditions(cube: Cube, measure: Measure, view: View, grouping: Grouping) -> list[str] | None:
    """What a row must fulfil; None where no single row of the table can be the answer."""
    kept = dict(view.where)
    if view.geography != "VN2025" or {*grouping, *kept} - DIMENSIONS:
        return None
    places = _place(cube, view, grouping, kept)
    years = _years(view, grouping, kept)
    sexes = kept.get("sex")
    if places is None or years is None or ("sex" not in grouping and sexes is not None and len(sexes) > 1):
        return None
    if sexes is not None:
        sex = f"sex IN ({', '.join(quoted(one) for one in sexes)})"
    else:
        sex = "sex <> 'total'" if "sex" in grouping else "sex = 'total'"
    return [f"indicator_id = {quoted(measure.id)}", "cause = 'all'", *places, *years, sex]


def _place(cube: Cube, view: View, grouping: Grouping, kept: dict[str, tuple[str, ...]]) -> list[str] | None:
    level = next((name for name in ("commune", "province") if name in grouping), "")
    units = {one for name in _DIGITS for one in kept.get(name, ())}
    if not level:
        one = units or {view.place}
        return [f"unit_id = {quoted(one.pop())}"] if len(one) == 1 else None
    found = [f"regexp_full_match(unit_id, 'VN2025:[0-9]{{{_DIGITS[level]}}}')"]
    if view.place != "VN":
        found.append(f"unit_id IN ({', '.join(quoted(one) for one in [view.place, *cube.units_of(view.place)])})")
    wanted = kept.get(level)
    return [*found, f"unit_id IN ({', '.join(quoted(one) for one in wanted)})"] if wanted else found


def _years(view: View, grouping: Grouping, kept: dict[str, tuple[str, ...]]) -> list[str] | None:
    window, years = window_of(view.period), kept.get("year")
    if not window.whole_years:
        return None
    found = [f"period_id >= {quoted(window.first[:4])}"] if window.first else []
    found += [f"period_id <= {quoted(window.last[:4])}"] if window.last else []
    if years:
        found.append(f"period_id IN ({', '.join(quoted(one) for one in years)})")
    single = (years is not None and len(years) == 1) or (
        window.first is not None and window.last is not None and window.first[:4] == window.last[:4]
    )
    return found if "year" in grouping or single else None

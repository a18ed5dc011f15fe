"""The list of integrity checks: what each needs, what it asks, and how many subjects it judged.

The words, severities and kinds of defect stand in the code list `integrity_checks`; here is the question itself. A
check is a query of rows (or a function that makes them), with any of the columns unit_id, dataset_id, element_id,
category_id, period_id, value, expected, and always `subject` (the name to show) and `detail` (what was found).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

COLUMNS = ["unit_id", "dataset_id", "element_id", "category_id", "period_id", "value", "expected", "subject", "detail"]


@dataclass(frozen=True)
class IntegrityCheck:
    """needs : relations without which nothing can be judged; judged : query of the number of subjects;
    find : the query, or a function of the context"""

    needs: tuple[str, ...]
    judged: str
    find: str | Callable[[CheckContext], pd.DataFrame]


def integrity_checks() -> dict[str, IntegrityCheck]:
    """{id: check} of all integrity checks."""
    from tkyt_analysis.quality.integrity import denominators, elements, places, units

    return units.CHECKS | elements.CHECKS | places.CHECKS | denominators.CHECKS


def found_by(context: CheckContext, check: IntegrityCheck) -> tuple[pd.DataFrame, int]:
    """(rows with every column of COLUMNS, subjects judged)."""
    from tkyt_analysis.quality.integrity.prepare import prepare

    prepare(context)
    rows = context.query(check.find) if isinstance(check.find, str) else check.find(context)
    judged = int(context.con.execute(check.judged).fetchall()[0][0] or 0)
    return rows.reindex(columns=[*COLUMNS, *[name for name in rows if name not in COLUMNS]]), judged

"""How long and how much: one number per interview out of the fields of an ODK export, each in a unit of its own.

Which fields make an amount stands in the code list `verbal_autopsy_quantities`.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from mortality.verbal_autopsy.answers import AnswerTable
from tkyt_analysis.catalog import read_codelist

# A month of 30 days and a year of 365, as the questionnaire calculates.
DAYS = {"minutes": 1 / 1440, "hours": 1 / 24, "days": 1.0, "weeks": 7.0, "months": 30.0, "years": 365.0}
# What the questionnaire's own calculations multiply a field with; a don't-know code may come out of them so many times larger.
CALCULATED_FACTORS = (1.0, 24.0, 30.0, 365.0, 1 / 30)


@cache
def _fields() -> dict[str, pd.DataFrame]:
    return dict(iter(read_codelist("verbal_autopsy_quantities").groupby("quantity", sort=False)))


def fields_of(quantity: str) -> list[str]:
    """The fields that can hold an amount, the calculated one last."""
    fields = _fields().get(quantity)
    return [quantity] if fields is None else list(dict.fromkeys([*fields["field"], quantity]))


def amount(answers: AnswerTable, quantity: str) -> np.ndarray:
    """(interviews,) the amount in the quantity's unit, NaN where it is not known.

    The first field that is filled in and whose unit the unit field does not contradict; without any, the calculated one.
    """
    fields = _fields().get(quantity)
    if fields is None:
        return answers.number(quantity)
    unit = str(fields["unit"].iloc[0])
    result = np.full(len(answers), np.nan)
    settled = np.zeros(len(answers), dtype=bool)
    for row in fields.itertuples():
        if not answers.asked(str(row.field)):
            continue
        written = answers.written(str(row.field)) & _unit_fits(answers, str(row.unit_field), str(row.field_unit))
        rows = written & ~settled
        result[rows] = answers.number(str(row.field))[rows] * DAYS[str(row.field_unit)] / DAYS[unit]
        settled |= rows
    asked_in_parts = any(answers.asked(str(name)) for name in fields["field"] if name != quantity)
    if quantity in set(fields["field"]) or (asked_in_parts and _divided(quantity)):
        return result
    return np.where(settled, result, _calculated(answers, quantity))


def _unit_fits(answers: AnswerTable, unit_field: str, unit: str) -> np.ndarray:
    if not unit_field or not answers.asked(unit_field):
        return np.ones(len(answers), dtype=bool)
    said = answers.words(unit_field)
    result: np.ndarray = (said.eq(unit) | said.eq("")).to_numpy()
    return result


def _divided(quantity: str) -> bool:
    """Whether forms of 2016 calculate months under a question about days."""
    return quantity in ("Id10232", "Id10248", "Id10250", "Id10262", "Id10266")


def _calculated(answers: AnswerTable, quantity: str) -> np.ndarray:
    numbers = answers.number(quantity)
    for factor in CALCULATED_FACTORS:
        numbers = np.where(np.isnan(answers.number(quantity, factor=factor)), np.nan, numbers)
    return numbers

"""Answers of the decompositions as rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.decomposition_inputs import CauseRates, cause_rates
from mortality.measures.decrement_inputs import ByCause, index_columns, text_columns
from mortality.measures.life_table_core import OLDER_MISSING, LifeTables
from mortality.measures.life_table_inputs import MODELLED, NOT_ASSESSABLE, OK, Numbers, Words


def why_missing(first: LifeTables, second: LifeTables) -> tuple[Words, Words]:
    """Per series: why one of its two life tables is incomplete, and why one is modelled (label keys; "" if not)."""
    reasons = np.concatenate([first.reason, second.reason], axis=1)
    status = np.concatenate([first.status, second.status], axis=1)
    gone = status == NOT_ASSESSABLE
    own = _first_of(reasons, gone & (reasons != OLDER_MISSING))
    return np.where(own != "", own, _first_of(reasons, gone)), _first_of(reasons, status == MODELLED)


def _first_of(reasons: Words, rows: npt.NDArray[np.bool_]) -> Words:
    found = np.where(rows, reasons, "").astype(object)
    return found[np.arange(len(found)), (found != "").argmax(axis=1)]


def age_frame(first: LifeTables, second: LifeTables, effects: Numbers, method: str) -> pd.DataFrame:
    """Rows by age with the three effects (3, series, ages)."""
    frame = plain_frame(first, second, effects.sum(axis=0), method)
    place = list(frame.columns).index("contribution")
    for at, name in enumerate(("direct", "indirect", "interaction")):
        frame.insert(place + at, name, effects[at].ravel())
    return frame


def plain_frame(first: LifeTables, second: LifeTables, values: Numbers, method: str) -> pd.DataFrame:
    """Rows by age: [series,] age, n, mx_1, mx_2, contribution, method, status, reason."""
    values = _of_a_difference(values, first, second)
    status, why = _verdicts(values, *no_remarks(values), first, second)
    columns = index_columns(first) | {"mx_1": first.mx.ravel(), "mx_2": second.mx.ravel()}
    frame = pd.DataFrame(columns | {"contribution": values.ravel()})
    return text_columns(frame.assign(method=method, status=status.ravel(), reason=why.ravel()))


def general_frame(
    first: LifeTables,
    second: LifeTables,
    slope: Numbers,
    causes_1: ByCause | None,
    causes_2: ByCause | None,
    method: str,
) -> pd.DataFrame:
    """Slope times difference, by age or by age and cause, and residual: what the parts by age leave of e2 - e1."""
    by_age = slope * (second.mx - first.mx)
    residual = second.ex[:, 0] - first.ex[:, 0] - by_age.sum(axis=1)
    if causes_1 is None and causes_2 is None:
        frame = plain_frame(first, second, by_age, method)
    else:
        parts = cause_rates(first, second, causes_1, causes_2)
        values = slope[:, :, np.newaxis] * (parts.second - parts.first)
        frame = cause_frame(first, second, parts, values, method, *no_remarks(values))
    return frame.assign(residual=np.repeat(residual, len(frame) // len(residual)))


def no_remarks(values: Numbers) -> tuple[Words, Words]:
    """Status ok and no reason for every figure."""
    return np.full(values.shape, OK, dtype=object), np.full(values.shape, "", dtype=object)


def cause_frame(
    first: LifeTables,
    second: LifeTables,
    parts: CauseRates,
    values: Numbers,
    method: str,
    status: Words,
    why: Words,
) -> pd.DataFrame:
    """Rows by series, cause and age; the arrays are (series, ages, causes)."""
    values = _of_a_difference(values, first, second)
    status, why = _verdicts(values, status, why, first, second)
    columns = index_columns(first, parts.names)
    for name, array in (("mx_1", parts.first), ("mx_2", parts.second), ("contribution", values)):
        columns[name] = np.moveaxis(array, 2, 1).ravel()
    frame = pd.DataFrame(columns).assign(method=method)
    frame["status"], frame["reason"] = (np.moveaxis(part, 2, 1).ravel() for part in (status, why))
    return text_columns(frame)


def _of_a_difference(values: Numbers, first: LifeTables, second: LifeTables) -> Numbers:
    """Missing where one of the two life expectancies is: there is no difference to take apart."""
    difference = second.ex[:, 0] - first.ex[:, 0]
    return np.where(np.isnan(difference)[(slice(None),) + (np.newaxis,) * (values.ndim - 1)], np.nan, values)


def _verdicts(values: Numbers, status: Words, why: Words, first: LifeTables, second: LifeTables) -> tuple[Words, Words]:
    """What is missing says why (the life tables' reason, else the cause's); what rests on a modelled table says so."""
    shape = (slice(None),) + (np.newaxis,) * (values.ndim - 1)
    missing, modelled = (part[shape] for part in why_missing(first, second))
    gone = np.isnan(values) & (why == "")
    why = np.where(gone, np.where(missing != "", missing, "reason.cause_missing"), why)
    why = np.where(~gone & (why == ""), modelled, why)
    status = np.where(gone, NOT_ASSESSABLE, status)
    return np.where((status == OK) & (modelled != ""), MODELLED, status), why

"""Deaths or rates by cause as arrays (series, ages, causes), however the caller wrote them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.life_table import LifeTables, life_tables
from mortality.measures.life_table_inputs import MODELLED, NOT_ASSESSABLE, OK, Numbers, Words, as_floats
from tkyt_analysis.errors import InputError

ByCause: TypeAlias = Mapping[Any, Any] | pd.DataFrame | npt.ArrayLike
TOLERANCE = 1e-9  # a cause may exceed the total by this share of it: rounding, not an error


def table_of(
    nmx: LifeTables | npt.ArrayLike, age: Iterable[object] | None, sex: Any = "total", **options: Any
) -> LifeTables:
    """The life tables themselves, or those of the rates `nmx` with the options of `life_tables`."""
    if isinstance(nmx, LifeTables):
        return nmx
    if age is None:
        raise InputError("error.decrement_ages_missing")
    return life_tables(nmx, age, sex, **options)


def by_cause_array(values: ByCause, *, series: int, ages: int) -> tuple[Numbers, list[Hashable]]:
    """Figures as (series, ages, causes), and the names of the causes.

    values : {cause: vector of ages or matrix (series, ages)}; a DataFrame with a row per age and a column per cause (one
        series); an array (ages,), (ages, causes) of one series, or (series, ages), (series, ages, causes) of many
    Raises InputError where the shape does not fit the life tables.
    """
    names: list[Hashable]
    if isinstance(values, Mapping):
        names = list(values)
        parts = [_of_one_cause(part, series, ages) for part in values.values()]
        return np.stack(parts, axis=2) if parts else np.zeros((series, ages, 0)), names
    names = list(values.columns) if isinstance(values, pd.DataFrame) else []
    figures = as_floats(values)
    figures = _shaped(figures, series, ages)
    return figures, names if len(names) == figures.shape[2] else list(range(1, figures.shape[2] + 1))


def _of_one_cause(values: npt.ArrayLike, series: int, ages: int) -> Numbers:
    figures = np.atleast_2d(as_floats(values))
    if figures.shape[1] != ages or figures.shape[0] not in (1, series):
        raise InputError("error.decrement_shape", found=_size(figures), series=series, ages=ages)
    return np.broadcast_to(figures, (series, ages))


def _shaped(figures: Numbers, series: int, ages: int) -> Numbers:
    shape = figures.shape
    if figures.ndim == 3 and shape[:2] == (series, ages):
        return figures
    if figures.ndim == 2 and series == 1 and shape[0] == ages:
        return figures[np.newaxis, :, :]
    if figures.ndim == 2 and shape == (series, ages):
        return figures[:, :, np.newaxis]
    if figures.ndim == 1 and series == 1 and shape[0] == ages:
        return figures[np.newaxis, :, np.newaxis]
    raise InputError("error.decrement_shape", found=_size(figures), series=series, ages=ages)


def _size(figures: Numbers) -> str:
    return " × ".join(map(str, figures.shape))


def shares_of_causes(part: Numbers, total: Numbers) -> tuple[Numbers, Words]:
    """Share of each cause among all deaths of the age group, and why it has none (label key, "" where it has).

    part : (series, ages, causes); total : (series, ages), of the same kind (deaths with deaths, rates with rates).
    Without any death the share is 0: there is nothing to remove.
    """
    whole = np.broadcast_to(total[:, :, np.newaxis], part.shape)
    reason = np.select(
        [
            ~np.isfinite(part) | ~np.isfinite(whole),
            (part < 0) | (whole < 0),
            part > whole * (1 + TOLERANCE) + 1e-300,
        ],
        ["reason.cause_missing", "reason.cause_negative", "reason.cause_exceeds_total"],
        default="",
    ).astype(object)
    known = (reason == "") & (whole > 0)
    share = np.divide(part, whole, out=np.zeros(part.shape), where=known)
    return np.where(reason == "", np.minimum(share, 1.0), np.nan), reason


def first_reason(reason: Words) -> Words:
    """The first reason found from each age upwards (the last axis is age): an older gap spoils the younger ages."""
    out = np.array(reason, dtype=object)
    for at in range(out.shape[-1] - 2, -1, -1):
        out[..., at] = np.where(out[..., at] == "", out[..., at + 1], out[..., at])
    return out


def blocking(table: LifeTables) -> Words:
    """Why a row of the life table is missing (label key), "" where it is there or modelled."""
    return np.where(table.status == NOT_ASSESSABLE, table.reason, "").astype(object)


def younger_gap(table: LifeTables) -> Words:
    """A label key where the survivors are unknown because the rate of a younger age is missing, else ""."""
    return np.where(np.isnan(table.lx), "reason.younger_rate_missing", "").astype(object)


def modelled_from(table: LifeTables) -> Words:
    """Why an age rests on modelled rates, its own or those of an older age (label key), else ""."""
    return first_reason(np.where(table.status == MODELLED, table.reason, "").astype(object))


def marked(why: Words, modelled: Words) -> tuple[Words, Words]:
    """status and reason: not assessable where there is a reason, else modelled where the life table is, else ok."""
    status = np.where(why != "", NOT_ASSESSABLE, np.where(modelled != "", MODELLED, OK)).astype(object)
    return status, np.where(why != "", why, modelled).astype(object)


def status_of(reason: Words) -> Words:
    """ "ok" where there is no reason, else "not_assessable"."""
    return np.where(np.asarray(reason, dtype=object) == "", OK, NOT_ASSESSABLE).astype(object)


def index_columns(table: LifeTables, causes: list[Hashable] | None = None) -> dict[str, Any]:
    """[series,] [cause,] age, n: the columns that name a row of (series, causes, ages) or (series, ages)."""
    series, ages = table.mx.shape
    groups = len(causes) if causes is not None else 1
    columns: dict[str, Any] = {}
    if table.names is not None:
        columns["series"] = pd.Index(table.names, tupleize_cols=False).repeat(groups * ages)
    if causes is not None:
        columns["cause"] = np.tile(np.repeat(np.array(causes, dtype=object), ages), series)
    columns["age"] = np.tile(table.age.astype(int) if (table.age % 1 == 0).all() else table.age, series * groups)
    columns["n"] = np.tile(table.n, series * groups)
    return columns


def text_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """method, status and reason as text."""
    return frame.astype({name: "str" for name in ("method", "status", "reason") if name in frame})

"""A VSPI-like index of the performance of death registration: six dimensions, own documented mapping (not the VSPI itself).

The dimensions are those of the Vital Statistics Performance Index (Phillips DE et al., Popul Health Metr 2014;12:14). Its
mapping from figures to lost accuracy rests on simulations that are not public in what could be reached; ours stands in the
catalog (`thresholds/vspi_like`), dated and with a version. Index = 100 × product of the parts that each dimension keeps.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.tabulation.deaths_given import number_of_deaths
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.rates import OK, rate_table

Numbers = npt.NDArray[np.float64]
DIMENSIONS = ("garbage", "age_sex_unknown", "inconsistent", "completeness", "causes_in_list", "years_late")
WITHOUT_TIME = "years_late"
SHARES = ("garbage", "age_sex_unknown", "inconsistent")
INDEX = "index"
DAY = datetime.date(2026, 1, 1)
SEED = 20260101


def vspi_inputs(
    deaths: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    code: str = "underlying_cause",
    sex: str = "sex",
    age: str = "age_group",
    deaths_column: str | None = None,
    causes_in_list: float = 103,
    day: datetime.date = DAY,
) -> pd.DataFrame:
    """The figures of `vspi_like` that the deaths themselves tell: `by`, deaths, garbage, age_sex_unknown, inconsistent, causes_in_list.

    garbage : share of the information lost with garbage codes (shares by severity times the catalog's weights)
    inconsistent : share of deaths with a cause that this sex cannot have, or that never is an underlying cause
    causes_in_list : how many causes the figures are told by (103: WHO list 1)
    """
    by = names_of(by)
    from mortality.garbage.codes import garbage_types, wrong_codes

    types, rule = garbage_types(deaths[code].fillna("").astype("str")), mapping(day)
    kind = np.select([types["no_code"], types["impossible"]], ["no_code", "impossible"], types["severity"])
    lost = pd.Series(kind, index=deaths.index).map(rule["severity"]).astype(float).fillna(0.0)
    number = number_of_deaths(deaths, deaths_column).astype(float)
    unknown = _unknown(deaths, sex) | _unknown(deaths, age)
    wrong = wrong_codes(deaths[code].fillna("").astype("str"), deaths[sex] if sex in deaths else pd.Series("", index=deaths.index))  # fmt: skip
    parts = deaths[list(by)].assign(deaths=number, garbage=lost * number, age_sex_unknown=unknown * number, inconsistent=wrong * number)  # fmt: skip
    keys = list(by) or ["_all"]
    sums = (parts if by else parts.assign(_all="")).groupby(keys, sort=True, dropna=False)[["deaths", *SHARES]].sum()
    sums = sums if by else sums.reindex(pd.Index([""], name="_all"), fill_value=0.0)
    shares = sums[list(SHARES)].div(sums["deaths"].where(sums["deaths"] > 0), axis=0)
    table = pd.concat([sums[["deaths"]], shares], axis=1).assign(causes_in_list=float(causes_in_list))
    return table.reset_index().drop(columns="_all", errors="ignore")


def vspi_like(
    inputs: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    timeliness: bool = True,
    day: datetime.date = DAY,
    draws: int = 1000,
    seed: int = SEED,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """The index of every row and what each of its dimensions keeps.

    inputs : one row per `by` with deaths, garbage, age_sex_unknown, inconsistent (shares 0 to 1), completeness (0 to 1, with
        completeness_lower and completeness_upper where known), causes_in_list, years_late (years from the end of the period
        to the figures); `vspi_inputs` gives all but the last two kinds
    timeliness : False leaves years_late out (as ANACONDA's VSPI(Q) does)
    Limits by simulation: shares as Beta around what was found among the deaths, completeness normal on the logit scale,
    each side to its own limit (without limits it counts as known). Returns `by`, dimension (…, index), input, value (part kept, 0 to 1; the
    index 0 to 100), lower, upper, band (of the index), method, status, reason. A dimension without a figure makes the index
    not assessable; it is never taken as perfect.
    """
    by = names_of(by)
    rule = mapping(day)
    names = [name for name in DIMENSIONS if timeliness or name != WITHOUT_TIME]
    given = np.stack([_column(inputs, name) for name in names])
    kept = np.stack([_kept(rule, name, values) for name, values in zip(names, given, strict=True)])
    drawn = np.stack([_kept(rule, name, _draw(inputs, name, draws, seed + at)) for at, name in enumerate(names)])
    value = np.concatenate([kept, 100 * kept.prod(axis=0, keepdims=True)])
    ends = np.concatenate([drawn, 100 * drawn.prod(axis=0, keepdims=True)])
    lower, upper = _quantiles(ends, (1 - confidence) / 2)
    return _rows(inputs, list(by), [*names, INDEX], given, value, lower, upper, rule)


def _unknown(deaths: pd.DataFrame, column: str) -> pd.Series:
    """Where the sex or age is not known; everywhere, if the table does not have the column."""
    if column not in deaths:
        return pd.Series(True, index=deaths.index)
    return deaths[column].fillna("").astype("str").isin(["", "unknown", "outside"])


def mapping(day: datetime.date = DAY) -> Mapping[str, Any]:
    """The mapping in force on a day (catalog threshold `vspi_like`)."""
    from tkyt_analysis.catalog.loader import load_entry

    found: Mapping[str, Any] = load_entry("thresholds", "vspi_like").at(day)
    return found


def _kept(rule: Mapping[str, Any], name: str, values: Numbers) -> Numbers:
    """Part of the information that a dimension keeps; missing stays missing."""
    if name == "garbage":
        return np.clip(1 - values, 0, 1)
    x, y = np.array(rule[name], dtype=float).T
    return np.where(np.isnan(values), np.nan, np.interp(values, x, y))


def _draw(inputs: pd.DataFrame, name: str, draws: int, seed: int) -> Numbers:
    """(draws, rows) values of a dimension's figure."""
    random, values = np.random.default_rng(seed), _column(inputs, name)
    shape = (draws, len(values))
    if name in SHARES:
        deaths, safe = np.nan_to_num(_column(inputs, "deaths")), np.clip(np.nan_to_num(values), 0, 1)
        drawn = random.beta(deaths * safe + 0.5, deaths * (1 - safe) + 0.5, shape)
        return np.where(np.isnan(values), np.nan, drawn)
    if name == "completeness":
        return _completeness(inputs, values, random, shape)
    return np.broadcast_to(values, shape)


def _completeness(
    inputs: pd.DataFrame, values: Numbers, random: np.random.Generator, shape: tuple[int, int]
) -> Numbers:
    low, high = _column(inputs, "completeness_lower"), _column(inputs, "completeness_upper")
    known = ~np.isnan(low) & ~np.isnan(high) & (values > 0) & (values < 1)
    middle, draws = _logit(values), random.standard_normal(shape)
    reach = np.where(draws < 0, middle - _logit(low), _logit(high) - middle)  # each side to its own limit
    drawn = 1 / (1 + np.exp(-(middle + np.where(known, reach, 0.0) / 1.959963984540054 * draws)))
    return np.where(known, drawn, values)


def _logit(share: Numbers) -> Numbers:
    safe = np.clip(np.nan_to_num(share, nan=0.5), 1e-6, 1 - 1e-6)
    return np.log(safe / (1 - safe))


def _column(inputs: pd.DataFrame, name: str) -> Numbers:
    if name not in inputs:
        return np.full(len(inputs), np.nan)
    return pd.to_numeric(inputs[name], errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def _quantiles(drawn: Numbers, tail: float) -> tuple[Numbers, Numbers]:
    """Limits over the draws (axis 1); missing where the figure is."""
    missing = np.isnan(drawn).any(axis=1)
    ends = np.quantile(np.nan_to_num(drawn), [tail, 1 - tail], axis=1)
    return np.where(missing, np.nan, ends[0]), np.where(missing, np.nan, ends[1])


def _rows(
    inputs: pd.DataFrame, by: list[str], names: list[str], given: Numbers, value: Numbers, lower: Numbers, upper: Numbers,
    rule: Mapping[str, Any],
) -> pd.DataFrame:  # fmt: skip
    """Long rows, the dimensions of a row below each other."""
    shown = np.concatenate([given, np.full((1, given.shape[1]), np.nan)])
    place = np.repeat(np.arange(len(inputs)), len(names))
    flat = [one.T.ravel() for one in (shown, value, lower, upper)]
    reason = np.where(np.isnan(flat[1]), "reason.vspi_figure_missing", "")
    table = rate_table(dict(zip(("input", "value", "lower", "upper"), flat, strict=True)), method=f"VSPI-like {rule['version']}", reason=reason)  # fmt: skip
    dimension = np.tile(np.array(names, dtype=object), len(inputs))
    table.insert(0, "dimension", dimension)
    whole = (table["dimension"] == INDEX) & (table["status"] == OK)
    table.insert(5, "band", _bands(table["value"].where(whole), rule["bands"]))
    return pd.concat([inputs[by].iloc[place].reset_index(drop=True), table], axis=1)


def _bands(index: pd.Series, bands: Mapping[str, float]) -> npt.NDArray[np.object_]:
    """The band of each index; "" where there is none."""
    ordered = sorted(bands.items(), key=lambda one: one[1], reverse=True)
    known = index.fillna(-1.0)
    return np.select([known >= least for _, least in ordered], [name for name, _ in ordered], "").astype(object)

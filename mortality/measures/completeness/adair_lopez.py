"""Completeness of all deaths from the registered death rate itself: the regression of Adair and Lopez (2018), both models.

Rates per 1 000, shares 0–1, and under-five mortality as a PROBABILITY: 5q0 of 20 per 1 000 live births is 0.02.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.completeness.results import result_table
from mortality.measures.completeness.series import KEYS
from tkyt_analysis.analysis.groups import as_table
from tkyt_analysis.errors import InputError, UsageError

Numbers = npt.NDArray[np.float64]
Texts = npt.NDArray[np.str_]
MODELS_OF = ("1", "2")
SEXES = {"1": "male", "2": "female", "3": "both", "m": "male", "f": "female", "male": "male", "female": "female", "both": "both",
         "males": "male", "females": "female", "total": "both", "b": "both", "t": "both", "persons": "both", "nam": "male", "nữ": "female", "cả hai": "both",
         "": "both"}  # fmt: skip
OTHER_NAMES = {
    "reg_cdr": "crude_death_rate",
    "regcdr": "crude_death_rate",
    "cdr": "crude_death_rate",
    "u5mr": "under5_mortality",
    "5q0": "under5_mortality",
    "q5": "under5_mortality",
    "u5compl": "under5_completeness",
    "c_5q0": "under5_completeness",
    "c5q0": "under5_completeness",
    "pct65": "share_65_over",
    "p65": "share_65_over",
    "pop65": "share_65_over",
}
# Spread of the published models about their own data: standard deviation of logit(observed) − logit(predicted) over the 354 of
# 817 country-years of the authors' S1 data with observed completeness below 0.95 (above it the logit of a rounded 0.99… is noise).
RESIDUAL_SD = {"1": 0.398, "2": 0.389}


def adair_lopez(
    data: pd.DataFrame | Mapping[str, Any] | None = None,
    *,
    crude_death_rate: npt.ArrayLike | None = None,
    share_65_over: npt.ArrayLike | None = None,
    under5_mortality: npt.ArrayLike | None = None,
    under5_completeness: npt.ArrayLike | None = None,
    year: npt.ArrayLike | None = None,
    sex: npt.ArrayLike | None = None,
    model: int | str | Sequence[int | str] = (1, 2),
    country: npt.ArrayLike | None = None,
    effect: npt.ArrayLike | None = None,
    deaths: npt.ArrayLike | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Completeness of registration of all deaths, one row per input row and model.

    data : a table with columns of the names below (also reg_cdr, u5mr, u5compl, pct65); or give the arrays by name
    crude_death_rate : REGISTERED deaths per 1 000 persons and year
    share_65_over : persons of 65 and over, share 0–1
    under5_mortality : 5q0, true not registered, as a probability: 0.02, never 20 (refused)
    under5_completeness : registered over true 5q0, share; model 1 only (a row without it has no model 1)
    sex : male | female | both (default); each has coefficients of its own
    model : 1, 2 or both; country : a name of the list of country effects; effect : an effect on the logit scale instead. A
        country that is not in the list (Viet Nam) has effect 0
    deaths : registered deaths behind the rate; their Poisson variance then enters the interval

    Returns the columns that name a row, sex, year, model, completeness, lower, upper, effect, effect_lower, effect_upper,
    method, status, reason. effect_lower, effect_upper: completeness if the place lay as far from the model as the countries
    one standard deviation down and up. lower, upper: logit ± z · sd, where the variance is that of the country effects (none
    where an effect is given or found) + the residual of the model about its own data (RESIDUAL_SD) + chance in the deaths.
    Errors of 5q0 and of the population are not in it.

    Source: Adair & Lopez, PLoS ONE 13(5) (2018): e0197047; coefficients in the code list adair_lopez_coefficients.
    """
    given = {"crude_death_rate": crude_death_rate, "share_65_over": share_65_over, "under5_mortality": under5_mortality,
             "under5_completeness": under5_completeness, "year": year, "sex": sex, "country": country, "effect": effect,
             "deaths": deaths}  # fmt: skip
    rows = _rows(data, given)
    _require_units(rows)
    models = [
        _model_word(one) for one in (model if isinstance(model, Iterable) and not isinstance(model, str) else [model])
    ]
    if not models or set(models) - set(MODELS_OF):
        raise UsageError("error.completeness_option", option="model", found=", ".join(models), expected="1, 2")
    return pd.concat([_of_model(rows, one, confidence) for one in models], ignore_index=True)


def _rows(data: pd.DataFrame | Mapping[str, Any] | None, given: dict[str, npt.ArrayLike | None]) -> pd.DataFrame:
    table = pd.DataFrame() if data is None else as_table(data)
    table = table.rename(columns=lambda name: str(name).strip().lower())
    table = table.rename(columns={old: new for old, new in OTHER_NAMES.items() if new not in table})
    arrays = {name: _one_dimension(name, value) for name, value in given.items() if value is not None}
    length = max([len(table), *(len(one) for one in arrays.values())], default=0)
    table = table.reset_index(drop=True) if len(table) else pd.DataFrame(index=range(length))
    for name, value in arrays.items():
        if len(value) not in (1, length):
            raise InputError("error.completeness_lengths", field=name, found=len(value), expected=length)
        table[name] = np.broadcast_to(value, (length,))
    missing = [name for name in ("crude_death_rate", "share_65_over", "under5_mortality", "year") if name not in table]
    if missing:
        raise InputError(
            "error.completeness_columns", missing=", ".join(missing), found=", ".join(map(str, table.columns))
        )
    for name in (
        "crude_death_rate",
        "share_65_over",
        "under5_mortality",
        "under5_completeness",
        "year",
        "effect",
        "deaths",
    ):
        table[name] = pd.to_numeric(table.get(name, pd.Series(np.nan, index=table.index)), errors="coerce").astype(
            float
        )
    return table.assign(sex=_sexes(table))


def _one_dimension(name: str, value: npt.ArrayLike) -> npt.NDArray[Any]:
    """One value, or one per row; InputError for lists in lists and tables."""
    try:
        values = np.atleast_1d(np.asarray(value))
    except ValueError:
        values = np.empty((0, 0))
    if values.ndim != 1:
        raise InputError("error.lengths_differ", found=name)
    return values


def _model_word(model: object) -> str:
    """ "1" or "2" out of 1, "M1", "Model 1"; other words as they are (the caller refuses them)."""
    word = str(model).strip().casefold().replace(" ", "").replace("_", "")
    return word.removeprefix("model").removeprefix("m") or str(model)


def _sexes(table: pd.DataFrame) -> pd.Series:
    written = table["sex"] if "sex" in table else pd.Series("both", index=table.index)
    key = written.astype(str).str.strip().str.lower().str.replace(r"\.0$", "", regex=True)
    sex = key.map(SEXES)
    if sex.isna().any():
        raise InputError("error.completeness_sex", found=", ".join(map(str, key[sex.isna()].unique()[:3])))
    return sex


def _require_units(rows: pd.DataFrame) -> None:
    """Refuses a 5q0 that is no probability, shares in per cent, a rate per person."""
    wrong = rows["under5_mortality"][(rows["under5_mortality"] <= 0) | (rows["under5_mortality"] >= 1)]
    if len(wrong):
        raise InputError(
            "error.adair_lopez_probability",
            found=f"{wrong.iloc[0]:g}",
            number=len(wrong),
            example=f"{wrong.iloc[0] / 1000:g}",
        )
    for name, most in (("share_65_over", 1.0), ("under5_completeness", 2.0)):
        wrong = rows[name][(rows[name] < 0) | (rows[name] > most)]
        if len(wrong):
            raise InputError("error.adair_lopez_share", field=name, found=f"{wrong.iloc[0]:g}", number=len(wrong))
    rate = rows["crude_death_rate"]
    if (rate < 0).any() or (rate.max() < 0.1 and rate.max() > 0) or (rate > 200).any():
        raise InputError("error.adair_lopez_rate", found=f"{rate.min() if (rate < 0).any() else rate.max():g}")


def _of_model(rows: pd.DataFrame, model: str, confidence: float) -> pd.DataFrame:
    effect, known = _effects(rows, model)
    logit = _logit(rows, model) + effect
    spread = rows["sex"].map({one: effect_spread(model, one) for one in rows["sex"].unique()}).to_numpy(dtype=float)
    variance = np.where(known, 0.0, spread**2) + RESIDUAL_SD[model] ** 2 + _variance_of_chance(rows, model)
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * np.sqrt(variance)
    columns = {
        "completeness": _share(logit),
        "lower": _share(logit - half),
        "upper": _share(logit + half),
        "effect": effect,
        "effect_lower": _share(logit - effect - spread),
        "effect_upper": _share(logit - effect + spread),
    }
    names = [name for name in (*KEYS, "country", "sex", "year") if name in rows]
    keys = rows[list(dict.fromkeys(names))].assign(model=model)
    return result_table(keys, columns, method=f"adair_lopez_2018;model={model}", reason=_why_not(rows, model))


def _logit(rows: pd.DataFrame, model: str) -> Numbers:
    rate = rows["crude_death_rate"].to_numpy()
    values = {
        "crude_death_rate_squared": rate**2,
        "crude_death_rate": rate,
        "share_65_over": rows["share_65_over"].to_numpy(),
        "log_under5_mortality": np.log(rows["under5_mortality"].to_numpy()),
        "under5_completeness": rows["under5_completeness"].to_numpy(),
        "year": rows["year"].to_numpy(),
        "constant": np.ones(len(rows)),
    }
    terms = coefficients(model)
    weights = terms.reindex(rows["sex"])
    return np.asarray(sum(weights[term].to_numpy() * values[term] for term in terms.columns), dtype=float)


@cache
def coefficients(model: str) -> pd.DataFrame:
    """One row per sex, one column per term."""
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("adair_lopez_coefficients")
    rows = rows[rows["model"] == model].astype({"coefficient": float})
    return rows.pivot(index="sex", columns="term", values="coefficient")


@cache
def country_effects() -> pd.DataFrame:
    """country, model, sex, effect [logit], name (letters only, to look up by)."""
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("adair_lopez_country_effects").astype({"effect": float})
    return rows.assign(name=rows["country"].map(_letters))


def effect_spread(model: str, sex: str) -> float:
    """Standard deviation of the published country effects, on the logit scale."""
    rows = country_effects()
    return float(rows["effect"][(rows["model"] == model) & (rows["sex"] == sex)].std())


def _letters(name: object) -> str:
    return re.sub("[^a-z]", "", str(name).lower())


def _effects(rows: pd.DataFrame, model: str) -> tuple[Numbers, npt.NDArray[np.bool_]]:
    """The effect of each row, and whether it is known (given, or its country's)."""
    found = rows["effect"].to_numpy(dtype=float)
    if "country" in rows:
        listed = country_effects()
        listed = listed[listed["model"] == model].set_index(["name", "sex"])["effect"]
        asked = pd.MultiIndex.from_arrays([rows["country"].map(_letters), rows["sex"]])
        found = np.where(np.isnan(found), listed.reindex(asked).to_numpy(), found)
    return np.nan_to_num(found), ~np.isnan(found)


def _slope(rows: pd.DataFrame, model: str) -> Numbers:
    """How much the logit rises per death in 1 000."""
    weights = coefficients(model).reindex(rows["sex"])
    square, linear = weights["crude_death_rate_squared"].to_numpy(), weights["crude_death_rate"].to_numpy()
    return np.asarray(2 * square * rows["crude_death_rate"].to_numpy() + linear, dtype=float)


def _variance_of_chance(rows: pd.DataFrame, model: str) -> Numbers:
    """Variance of the logit from the Poisson variance of the registered deaths; 0 where the deaths are not given."""
    deaths, rate = rows["deaths"].to_numpy(), rows["crude_death_rate"].to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (_slope(rows, model) * rate) ** 2 / deaths
    return np.where(deaths > 0, variance, 0.0)


def _share(logit: Numbers) -> Numbers:
    return np.asarray(1 / (1 + np.exp(-logit)), dtype=float)


def _why_not(rows: pd.DataFrame, model: str) -> Texts:
    needed = rows[["crude_death_rate", "share_65_over", "under5_mortality", "year"]]
    return np.select(
        [
            needed.isna().any(axis=1),
            rows["under5_completeness"].isna() & (model == "1"),
            rows["crude_death_rate"] == 0,
            _slope(rows, model) <= 0,
        ],
        [
            "reason.adair_lopez_input",
            "reason.adair_lopez_under5",
            "reason.completeness_no_deaths",
            "reason.adair_lopez_rate_high",
        ],
        "",
    )

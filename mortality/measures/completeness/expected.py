"""Registered deaths against those expected: from published death rates by age, or from a published total."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.completeness.results import result_table
from tkyt_analysis.analysis.groups import as_table, names_of
from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]


def expected_deaths(
    data: pd.DataFrame,
    *,
    by: str | Sequence[str] = (),
    schedule: pd.DataFrame | None = None,
    match: Sequence[str] = ("age_group", "sex"),
    spread: float = 0.0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Completeness as registered deaths over expected ones.

    data : without a schedule one row per `by` with deaths, expected and, where published, expected_lower and expected_upper.
        With a schedule one row per `by` and age: deaths, person_years and the columns `match`
    schedule : rate (deaths per person-year) for each combination of `match` that it has; rate_lower, rate_upper optional
    spread : how far places truly lie about the expected deaths (standard deviation of the logarithm: 0.15 is about 15 %)

    Returns `by`, deaths, expected, completeness, lower, upper, method, status, reason. The limits hold chance in the
    registered deaths (Poisson), the published range of the expected ones (taken as its 95 % interval) and `spread`, on the log
    scale. With a schedule the status is "modelled": that the place dies as the schedule says is an assumption; how far it may
    be wrong is in the interval only as `spread`. A schedule without a rate for an age with people says so.

    Source: as in Karlinsky, Demographic Research 50(38) (2024): registered over expected deaths.
    """
    by = names_of(by)
    keys = list(by)
    data = as_table(data)
    for name in ("deaths", *([] if schedule is not None else ["expected"])):
        if name not in data:
            raise InputError("error.completeness_columns", missing=name, found=", ".join(map(str, data.columns)))
    rows = data if schedule is None else _with_schedule(data, keys, schedule, list(match))
    return _shares(
        rows.reset_index(drop=True), keys, "published_total" if schedule is None else "age_schedule", confidence, spread
    )


def _with_schedule(data: pd.DataFrame, keys: list[str], schedule: pd.DataFrame, match: list[str]) -> pd.DataFrame:
    on = [name for name in match if name in schedule and name in data]
    if schedule.duplicated(on).any():
        raise InputError("error.completeness_schedule", fields=", ".join(on), number=int(schedule.duplicated(on).sum()))
    rated = data.merge(schedule, on=on, how="left", validate="many_to_one")
    parts = {"expected": "rate", "expected_lower": "rate_lower", "expected_upper": "rate_upper"}
    for name, rate in parts.items():
        product = rated["person_years"] * rated.get(rate, np.nan)
        rated[name] = product.where(rated["person_years"] != 0, 0.0)
    rated = rated.assign(_all=0)
    columns = ["deaths", *parts]
    return (
        rated.groupby(keys or "_all", sort=False, dropna=False)[columns]
        .agg(lambda part: part.sum(skipna=False))
        .reset_index()
    )


def _shares(rows: pd.DataFrame, keys: list[str], method: str, confidence: float, spread: float = 0.0) -> pd.DataFrame:
    deaths = pd.to_numeric(rows["deaths"], errors="coerce").to_numpy(dtype=float)
    expected = pd.to_numeric(rows["expected"], errors="coerce").to_numpy(dtype=float)
    reason = np.select(
        [np.isnan(deaths) | (deaths < 0), np.isnan(expected), ~(expected > 0), deaths == 0],
        [
            "reason.completeness_deaths",
            "reason.completeness_no_rate",
            "reason.completeness_nobody",
            "reason.completeness_no_deaths",
        ],
        "",
    )
    half = NormalDist().inv_cdf(0.5 + confidence / 2)
    with np.errstate(all="ignore"):
        published = np.log(rows.get("expected_upper", expected) / rows.get("expected_lower", expected)) / (2 * 1.959964)
        variance = 1 / deaths + np.nan_to_num(np.asarray(published, dtype=float)) ** 2 + spread**2
        factor = np.exp(half * np.sqrt(variance))
        share = deaths / expected
        lower, upper = share / factor, share * factor
    columns = {
        "deaths": deaths,
        "expected": expected,
        "completeness": share,
        "lower": lower,
        "upper": upper,
    }
    return result_table(
        rows[keys], columns, method=f"expected_deaths;{method}", reason=reason, modelled=method == "age_schedule"
    )


def completeness_by_age(
    data: pd.DataFrame,
    *,
    by: str | Sequence[str] = (),
    age: str = "age_group",
    completeness: pd.DataFrame | float | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Completeness at each age, given the expected pattern of deaths by age.

    data : one row per `by` and age: deaths (registered) and expected (deaths by age of a published schedule, any scale)
    completeness : of all ages together, one number or one row per `by` with the column completeness. All deaths are then
        registered / completeness, laid over the ages as the expected ones are; without it `expected` is taken as it is

    Returns `by`, age, deaths, expected, completeness, lower, upper, share_missing (of all deaths not registered, the part of
    this age), method, status, reason. Limits: Poisson of the registered deaths. Ages without expected deaths are not
    assessable. Above 1: more registered than the pattern allows; the pattern, or the ages, do not fit.
    """
    by = names_of(by)
    keys = list(by)
    missing = [name for name in (age, "deaths", "expected", *keys) if name not in data]
    if missing:
        raise InputError(
            "error.completeness_columns", missing=", ".join(missing), found=", ".join(map(str, data.columns))
        )
    rows = data.reset_index(drop=True).assign(_all=0)
    rows = rows.assign(**{name: pd.to_numeric(rows[name], errors="coerce") for name in ("deaths", "expected")})
    if completeness is not None:
        groups = rows.groupby(keys or "_all", dropna=False)
        share = _overall(rows, keys, completeness)
        rows["expected"] = (
            rows["expected"] * groups["deaths"].transform("sum") / share / groups["expected"].transform("sum")
        )
    result = _shares(rows, [*keys, age], "by_age", confidence)
    known = result["deaths"].eq(0) | (result["reason"] == "reason.completeness_no_deaths")
    result.loc[known & (rows["expected"] > 0), ["completeness", "lower", "status", "reason"]] = [0.0, 0.0, "ok", ""]
    zero = (rows["deaths"] == 0) & (rows["expected"] > 0)
    result.loc[zero, ["deaths", "expected"]] = rows.loc[zero, ["deaths", "expected"]].astype(float)
    result.loc[zero, "upper"] = -np.log((1 - confidence) / 2) / rows.loc[zero, "expected"]
    unregistered = (result["expected"] - result["deaths"]).clip(lower=0)
    total = unregistered.groupby([rows[name] for name in keys] or rows["_all"], dropna=False).transform("sum")
    result.insert(result.columns.get_loc("method"), "share_missing", unregistered / total.where(total > 0))
    return result


def _overall(rows: pd.DataFrame, keys: list[str], completeness: pd.DataFrame | float) -> npt.ArrayLike:
    if isinstance(completeness, pd.DataFrame):
        joined = rows[keys].merge(completeness[[*keys, "completeness"]], on=keys, how="left", validate="many_to_one")
        return joined["completeness"].to_numpy(dtype=float)
    if not completeness > 0:
        raise InputError("error.completeness_share", found=f"{completeness:g}")
    return completeness


def published_deaths(place: str = "VN") -> pd.DataFrame:
    """year, expected, expected_lower, expected_upper, source: deaths of a place that others estimate (code list
    external_estimates, indicators deaths and expected_deaths); several sources may stand for one year. For `expected_deaths`,
    join your registered deaths by year."""
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("external_estimates")
    rows = rows[rows["indicator"].isin(["deaths", "expected_deaths"]) & (rows["place"] == place)]
    numbers = {
        new: pd.to_numeric(rows[old], errors="coerce").astype(float)
        for new, old in (("expected", "value"), ("expected_lower", "lower"), ("expected_upper", "upper"))
    }
    table = pd.DataFrame({"year": rows["year"].astype(int), **numbers, "source": rows["source"]})
    return table.sort_values(["year", "source"], ignore_index=True)

"""All methods side by side, one combined estimate for each place, and death rates adjusted with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.completeness.results import MODELLED, result_table
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.rates import OK, poisson_limits, same_length
from tkyt_analysis.errors import InputError, UsageError

Numbers = npt.NDArray[np.float64]
COMBINED = "combined"
# Methods that read the same facts count as one opinion.
FAMILIES = {
    "adair_lopez_1": "adair_lopez",
    "adair_lopez_2": "adair_lopez",
    "brass": "distribution",
    "ggb": "distribution",
    "seg": "distribution",
    "ggb_seg": "distribution",
    "capture_recapture_2": "lists",
    "capture_recapture_3": "lists",
}
COLUMNS = ["completeness", "lower", "upper", "method", "status", "reason"]


def completeness_panel(
    estimates: Mapping[str, pd.DataFrame],
    *,
    by: str | Sequence[str],
    combine: str = "random_effects",
    families: Mapping[str, str] = FAMILIES,
    leave_out: Sequence[str] = (),
    prefer_direct: bool = False,
) -> pd.DataFrame:
    """Every method's estimate for each place below each other, then the combined one.

    estimates : method id → table with `by`, completeness, lower, upper, method, status, reason (one row per `by`)
    combine : "random_effects": first the middle of the methods of one family (`families`: they read the same facts), then the
        mean of the families on the log scale, with the spread between them in the interval (DerSimonian & Laird 1986);
        "median": the median of the families, from the smallest lower to the largest upper limit
    leave_out : methods shown but not combined
    prefer_direct : modelled estimates (status "modelled": they borrow another place's level) are combined only where no other is

    Returns `by`, method_id, COLUMNS, methods (how many families were combined), spread (largest over
    smallest estimate of all that were assessed, combined or not). The interval of the combined row takes each method's own limits as its 95 % interval and the methods as errors about one truth:
    a bias that all share is in no interval.
    """
    by = names_of(by)
    if combine not in ("random_effects", "median"):
        raise UsageError(
            "error.completeness_option", option="combine", found=combine, expected="random_effects, median"
        )
    keys = list(by)
    shown = pd.concat([_rows(table, keys, name) for name, table in estimates.items()], ignore_index=True)
    if shown.duplicated([*keys, "method_id"]).any():
        raise InputError(
            "error.completeness_twice", fields=", ".join(keys), number=int(shown.duplicated([*keys, "method_id"]).sum())
        )
    usable = shown[
        shown["status"].isin([OK, MODELLED]) & (shown["completeness"] > 0) & ~shown["method_id"].isin(leave_out)
    ]
    assessed = usable
    if prefer_direct:
        direct = (usable["status"] == OK).groupby([usable[name] for name in keys], dropna=False).transform("any")
        usable = usable[(usable["status"] == OK) | ~direct]
    opinions = _of_families(usable, keys, families)
    places = shown[keys].drop_duplicates().reset_index(drop=True)
    combined = _combined(places, opinions, usable, keys, combine)
    combined = combined.assign(spread=_spread(places, assessed, keys))
    return pd.concat([shown, combined], ignore_index=True)


def _rows(table: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    missing = [column for column in [*keys, *COLUMNS] if column not in table]
    if missing:
        raise InputError(
            "error.completeness_columns", missing=", ".join(missing), found=", ".join(map(str, table.columns))
        )
    return table[[*keys, *COLUMNS]].assign(method_id=name)[[*keys, "method_id", *COLUMNS]]


def _of_families(usable: pd.DataFrame, keys: list[str], families: Mapping[str, str]) -> pd.DataFrame:
    """keys, family, middle, variance: of each family the median estimate on the log scale and its mean variance plus the spread within."""
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = np.log(usable["lower"].clip(lower=1e-9)), np.log(usable["upper"])
    rows = usable.assign(
        family=usable["method_id"].map(families).fillna(usable["method_id"]),
        middle=np.log(usable["completeness"]),
        variance=(((high - low) / (2 * 1.959964)) ** 2).clip(lower=1e-8),
    )
    grouped = rows.groupby([*keys, "family"], sort=True, dropna=False)
    return (
        grouped.agg(
            middle=("middle", "median"), within=("variance", "mean"), between=("middle", lambda part: part.var(ddof=0))
        )
        .assign(variance=lambda part: part["within"] + part["between"])
        .reset_index()
    )


def _combined(
    places: pd.DataFrame, opinions: pd.DataFrame, usable: pd.DataFrame, keys: list[str], combine: str
) -> pd.DataFrame:
    wide = {
        name: places.merge(_wide(opinions, keys, name), on=keys, how="left", validate="one_to_one")
        .drop(columns=keys)
        .to_numpy(dtype=float)
        for name in ("middle", "variance")
    }
    families = np.isfinite(wide["middle"]).sum(axis=1)
    middle, half = _random_effects(wide["middle"], wide["variance"]) if combine == "random_effects" else (None, None)
    ends = places.merge(
        usable.groupby(keys, dropna=False).agg(low=("lower", "min"), high=("upper", "max")).reset_index(),
        on=keys,
        how="left",
    )
    if middle is None or half is None:
        with np.errstate(all="ignore"):
            value = np.exp(
                np.array([np.nanmedian(row) if np.isfinite(row).any() else np.nan for row in wide["middle"]])
            )
        lower, upper = ends["low"].to_numpy(dtype=float), ends["high"].to_numpy(dtype=float)
    else:
        value, lower, upper = np.exp(middle), np.exp(middle - half), np.exp(middle + half)
    reason = np.where(families > 0, "", "reason.completeness_no_method")
    columns = {
        "completeness": value, "lower": lower, "upper": upper, "methods": families.astype(float),
    }  # fmt: skip
    modelled = _all_modelled(places, usable, keys)
    table = result_table(places, columns, method=f"combined;{combine}", reason=reason, modelled=modelled)
    return table.assign(method_id=COMBINED)[[*keys, "method_id", *COLUMNS, "methods"]]


def _spread(places: pd.DataFrame, assessed: pd.DataFrame, keys: list[str]) -> Numbers:
    """Largest over smallest estimate of each place."""
    ends = assessed.groupby(keys, dropna=False)["completeness"].agg(["min", "max"]).reset_index()
    joined = places.merge(ends, on=keys, how="left", validate="one_to_one")
    return (joined["max"] / joined["min"]).to_numpy(dtype=float)


def _wide(opinions: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    return opinions.pivot(index=keys, columns="family", values=name).reset_index()


def _all_modelled(places: pd.DataFrame, usable: pd.DataFrame, keys: list[str]) -> npt.NDArray[np.bool_]:
    """Whether nothing but modelled estimates stands behind a place."""
    firm = usable[usable["status"] == OK][keys].drop_duplicates().assign(firm=True)
    return places.merge(firm, on=keys, how="left")["firm"].isna().to_numpy()


def _random_effects(middle: Numbers, variance: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and 95 % half-width on the log scale of (places, families); missing cells are left out."""
    known = np.isfinite(middle)
    weight = np.where(known, 1 / np.where(known, variance, 1.0), 0.0)
    values = np.nan_to_num(middle)
    with np.errstate(all="ignore"):
        total = weight.sum(axis=1)
        mean = (weight * values).sum(axis=1) / total
        excess = (weight * (values - mean[:, None]) ** 2).sum(axis=1) - (known.sum(axis=1) - 1)
        scale = total - (weight**2).sum(axis=1) / total
        between = np.where(scale > 0, np.maximum(excess / scale, 0), 0.0)
        weight = np.where(known, 1 / (np.where(known, variance, 1.0) + between[:, None]), 0.0)
        total = weight.sum(axis=1)
        return (weight * values).sum(axis=1) / total, 1.959964 / np.sqrt(total)


def adjusted_rates(
    deaths: npt.ArrayLike,
    person_years: npt.ArrayLike,
    completeness: npt.ArrayLike,
    lower: npt.ArrayLike | None = None,
    upper: npt.ArrayLike | None = None,
    *,
    per: float = 1_000,
    confidence: float = 0.95,
    cap: bool = True,
) -> pd.DataFrame:
    """Deaths and rates as they would be if every death were registered.

    completeness, lower, upper : share registered, with its 95 % limits where they are known
    cap : a completeness above 1 counts as 1 (a register cannot hold more than all deaths; the excess is error of the method)

    Returns deaths, completeness, adjusted_deaths, adjusted_lower, adjusted_upper, rate, lower, upper [per `per`], method,
    status, reason. The interval holds chance in the deaths (Poisson) and that of the completeness, both on the log scale;
    `mortality.measures.uncertainty` simulates where more enters. 0 deaths stay 0, with the upper limit of a count of 0.
    """
    given = same_length(
        deaths=deaths, person_years=person_years, completeness=completeness,
        lower=np.nan if lower is None else lower, upper=np.nan if upper is None else upper,
    )  # fmt: skip
    count, persons, share, low, high = (part.ravel() for part in given)
    if cap:
        share, low, high = (np.minimum(one, 1.0) for one in (share, low, high))
    reason = np.select(
        [~(count >= 0) | np.isinf(count), ~(share > 0), ~(persons > 0)],
        ["reason.completeness_deaths", "reason.completeness_unknown", "reason.no_person_years"],
        "",
    )
    chance = poisson_limits(np.nan_to_num(count, posinf=0.0), confidence=confidence)[:2]
    half = NormalDist().inv_cdf(0.5 + confidence / 2) / 1.959964
    with np.errstate(all="ignore"):
        value = count / share
        down, up = (np.nan_to_num(np.log(one) - np.log(share)) * half for one in (low, high))
        parts = np.log(chance[0] / count), np.log(chance[1] / count)
        least = value * np.exp(-np.hypot(parts[0], up))
        most = value * np.exp(np.hypot(parts[1], down))
        zero = count == 0
        least, most = np.where(zero, 0.0, least), np.where(zero, chance[1] / share * np.exp(-down), most)
        scale = np.where(persons > 0, per / persons, np.nan)
    columns = {
        "deaths": count, "completeness": share, "adjusted_deaths": value, "adjusted_lower": least, "adjusted_upper": most,
        "rate": value * scale, "lower": least * scale, "upper": most * scale,
    }  # fmt: skip
    return result_table(
        pd.DataFrame(index=range(len(count))), columns, method="deaths_over_completeness", reason=reason
    )

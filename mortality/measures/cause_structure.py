"""Structure of the causes of death: broad groups, NCD:CD ratio, garbage by severity, leading causes, age pattern, accuracy.

Every function takes a table of deaths (one row per death, or per group with its number in `deaths_column`; fractions after
redistribution are welcome), answers for all groups of `by` at once, and gives value, limits, method, status and reason.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.cause_age_pattern import age_pattern, age_pattern_distance, expected_groups
from mortality.measures.cause_groups import (
    COMMUNICABLE,
    EXTERNAL,
    GROUPS,
    NONCOMMUNICABLE,
    UNDEFINED,
    group_counts,
    wide_counts,
)
from mortality.measures.cause_ranks import leading_causes
from mortality.measures.vspi_like import vspi_inputs, vspi_like
from mortality.tabulation.deaths_given import number_of_deaths, require_columns
from mortality.verbal_autopsy.agreement import chance_corrected_csmf_accuracy, csmf_accuracy
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.proportions import proportion
from tkyt_analysis.analysis.rates import rate_table
from tkyt_analysis.errors import InputError

__all__ = [
    "COMMUNICABLE", "EXTERNAL", "GROUPS", "NONCOMMUNICABLE", "UNDEFINED", "age_pattern", "age_pattern_distance",
    "broad_groups", "chance_corrected_csmf_accuracy", "csmf_accuracies", "csmf_accuracy", "expected_groups",
    "garbage_severity", "leading_causes", "ncd_cd_ratio", "vspi_inputs", "vspi_like",
]  # fmt: skip

SEVERITIES = ("very_high", "high", "medium", "low")
IMPOSSIBLE, NO_CODE, USABLE = "impossible", "no_code", "usable"
ALL_GARBAGE = "all_garbage"


def broad_groups(
    deaths: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Shares of the broad groups of causes among the deaths whose group is known.

    Returns `by`, group (communicable: group I with maternal, perinatal and nutritional causes | noncommunicable: II |
    external: III | undefined), deaths, total, share, lower, upper (Wilson), method, status, reason. The three shares add up to
    one; the share of `undefined` (ill-defined, without group, without code) is of all deaths.
    """
    by = names_of(by)
    counts = group_counts(deaths, list(by), code=code, deaths_column=deaths_column)
    known = counts[list(GROUPS)].sum(axis=1)
    total = pd.DataFrame({**dict.fromkeys(GROUPS, known), UNDEFINED: known + counts[UNDEFINED]})
    return _long(counts, total, "group", list(by), confidence)


def ncd_cd_ratio(
    deaths: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Deaths of noncommunicable causes for each death of a communicable, maternal, perinatal or nutritional one.

    Limits: Wilson limits of the share p of NCD in both, as p / (1 − p). Without communicable deaths there is no ratio, but a
    lower limit. Returns `by`, noncommunicable, communicable, ratio, lower, upper, method, status, reason.
    """
    by = names_of(by)
    counts = group_counts(deaths, list(by), code=code, deaths_column=deaths_column)
    ncd, cd = counts[NONCOMMUNICABLE].to_numpy(float), counts[COMMUNICABLE].to_numpy(float)
    share = proportion(ncd, ncd + cd, confidence=confidence)
    lower, upper = (_odds(share[name].to_numpy(float)) for name in ("lower", "upper"))
    reason = np.where(ncd + cd <= 0, "reason.no_deaths_of_groups", np.where(cd <= 0, "reason.no_communicable", ""))
    ratio = np.where(cd > 0, ncd / np.where(cd > 0, cd, 1.0), np.nan)
    columns = {NONCOMMUNICABLE: ncd, COMMUNICABLE: cd, "ratio": ratio, "lower": lower, "upper": upper}
    table = rate_table(columns, method="odds of the Wilson limits", reason=reason)
    return _named(counts.index, list(by), table)


def _odds(share: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """p / (1 − p); missing where p is one (no upper limit)."""
    return np.divide(share, 1 - share, out=np.full(share.shape, np.nan), where=share < 1)


def garbage_severity(
    deaths: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Shares of garbage codes by severity: how far the true cause may lie from the one given.

    Returns `by`, severity (very_high | high | medium | low of the code list `garbage_types`; impossible: codes that never are
    an underlying cause; no_code; usable; all_garbage: what is not usable), deaths, total (all deaths), share, lower, upper
    (Wilson), method, status, reason.
    """
    by = names_of(by)
    from mortality.garbage.codes import garbage_types

    require_columns(deaths.columns, [*by, code])
    types = garbage_types(deaths[code].fillna("").astype("str"))
    named = np.select(
        [types["no_code"], types["impossible"], types["garbage"]], [NO_CODE, IMPOSSIBLE, types["severity"]], USABLE
    )
    kinds = [*SEVERITIES, IMPOSSIBLE, NO_CODE, USABLE]
    counted = deaths[list(by)].assign(_kind=named, _deaths=number_of_deaths(deaths, deaths_column))
    counts = wide_counts(counted, list(by)).reindex(columns=kinds, fill_value=0.0)
    total = counts.sum(axis=1)
    counts[ALL_GARBAGE] = total - counts[USABLE]
    return _long(counts, pd.DataFrame(dict.fromkeys(counts.columns, total)), "severity", list(by), confidence)


def csmf_accuracies(true: npt.ArrayLike, predicted: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """CSMF accuracy of many populations at once: (…, causes) deaths or fractions, on the same causes.

    Each row is scaled to one. NaN where a row has no deaths. Raises InputError where the shapes differ.
    """
    try:
        known, found = np.asarray(true, dtype=float), np.asarray(predicted, dtype=float)
    except (TypeError, ValueError):
        raise InputError("error.csmf_values") from None
    if known.shape != found.shape or known.ndim < 1:
        raise InputError("error.csmf_shapes", found=str(found.shape), expected=str(known.shape))
    with np.errstate(divide="ignore", invalid="ignore"):
        known, found = known / known.sum(-1, keepdims=True), found / found.sum(-1, keepdims=True)
        return 1 - np.abs(known - found).sum(-1) / (2 * (1 - known.min(-1)))


# ---- tables


def _long(counts: pd.DataFrame, total: pd.DataFrame, name: str, by: list[str], confidence: float) -> pd.DataFrame:
    """One row per group and column of `counts`, in this order, with its share of `total`."""
    rows = np.repeat(np.arange(len(counts)), counts.shape[1])
    deaths, whole = counts.to_numpy(float).ravel(), total[counts.columns].to_numpy(float).ravel()
    table = proportion(deaths, whole, confidence=confidence).rename(columns={"events": "deaths"})
    table.insert(0, name, np.tile(counts.columns.astype("str"), len(counts)))
    return _named(counts.index[rows], by, table)


def _named(index: pd.Index, by: list[str], table: pd.DataFrame) -> pd.DataFrame:
    names = index.to_frame(index=False).reset_index(drop=True)[by] if by else pd.DataFrame(index=table.index)
    return pd.concat([names, table.reset_index(drop=True)], axis=1)

"""Age pattern of the broad groups against what is expected: infections and births early, injuries young, the rest late."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.cause_groups import GROUPS, group_counts
from mortality.tabulation.deaths_given import require_columns
from tkyt_analysis.analysis.groups import names_of
from tkyt_analysis.analysis.proportions import proportion
from tkyt_analysis.analysis.rates import rate_table

EXPECTED = "expected_broad_groups"
SEXES = ("male", "female")
UNKNOWN = "unknown"


@cache
def expected_groups(name: str = EXPECTED) -> pd.DataFrame:
    """Expected shares: sex, age_group, group, share, from the code list (its head says where they come from)."""
    from tkyt_analysis.catalog import read_codelist

    return read_codelist(name)[["sex", "age_group", "group", "share"]].astype({"share": float})


def age_pattern(
    deaths: pd.DataFrame,
    by: str | Sequence[str] = (),
    *,
    code: str = "underlying_cause",
    sex: str = "sex",
    age: str = "age_group",
    deaths_column: str | None = None,
    expected: pd.DataFrame | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Shares of the broad groups in each sex and age beside the expected ones.

    expected : sex, age_group, group, share; default: the catalog's, for Viet Nam (own synthesis, unverified). Its age groups
        are those of the answer: the deaths' age groups are put into the one that holds their first year.
    Returns `by`, sex, age_group, group, deaths, total, share, lower, upper (Wilson), expected, difference, method, status,
    reason. Deaths of unknown sex or age, and of no known group, take no part.
    """
    by = names_of(by)
    require_columns(deaths.columns, [*by, code, sex, age])
    standard = expected_groups() if expected is None else expected
    bands = list(dict.fromkeys(standard["age_group"]))
    keys = [*by, "sex", "age_group"]
    placed = deaths.assign(sex=deaths[sex], age_group=_in_bands(deaths[age], bands))
    placed = placed[placed["sex"].isin(standard["sex"].unique()) & placed["age_group"].isin(bands)]
    counts = group_counts(placed, keys, code=code, deaths_column=deaths_column)[list(GROUPS)]
    long = counts.rename_axis(columns="group").stack().rename("deaths").reset_index()
    long["total"] = np.repeat(counts.sum(axis=1).to_numpy(), len(GROUPS))
    long = long.merge(standard.rename(columns={"share": "expected"}), on=["sex", "age_group", "group"], how="left", validate="many_to_one")  # fmt: skip
    shares = proportion(long["deaths"], long["total"], confidence=confidence).drop(columns=["events", "total"])
    result = pd.concat([long, shares], axis=1).assign(difference=shares["share"] - long["expected"])
    order = {name: place for names in (bands, GROUPS) for place, name in enumerate(names)}
    result = result.sort_values([*keys, "group"], key=lambda c: c.map(order) if c.name in ("age_group", "group") else c, ignore_index=True)  # fmt: skip
    return result[[*keys, "group", "deaths", "total", "share", "lower", "upper", "expected", "difference", "method", "status", "reason"]]  # fmt: skip


def age_pattern_distance(pattern: pd.DataFrame, by: str | Sequence[str] = (), *, least: float = 50) -> pd.DataFrame:
    """How far the age pattern of each place lies from the expected one: the share of its deaths in another group than expected.

    pattern : rows of `age_pattern`. value = Σ deaths-weighted ½ Σ|share − expected|, 0 to 1. `chance` is what sampling alone
    would give on average (mean absolute deviation of a binomial share), so that few deaths are not mistaken for a strange
    pattern; excess = value − chance. Returns `by`, deaths, value, chance, excess, method, status, reason; not assessable with
    fewer than `least` deaths.
    """
    by = names_of(by)
    share, expected, total = (pattern[name].to_numpy(float) for name in ("share", "expected", "total"))
    deviation = 0.5 * np.abs(share - expected) * total
    by_chance = 0.5 * np.sqrt(2 / np.pi * expected * (1 - expected) * np.maximum(total, 1)) * (total > 0)
    parts = pattern[list(by)].assign(
        _deaths=pattern["deaths"], _value=np.nan_to_num(deviation), _chance=np.nan_to_num(by_chance)
    )
    keys = list(by) or ["_all"]
    sums = (parts if by else parts.assign(_all="")).groupby(keys, sort=True)[["_deaths", "_value", "_chance"]].sum()
    sums = sums if by else sums.reindex(pd.Index([""], name="_all"), fill_value=0.0)
    deaths = sums["_deaths"].to_numpy(float)
    enough = deaths >= least
    value, chance = (_ratio(sums[name].to_numpy(float), deaths, enough) for name in ("_value", "_chance"))
    reason = np.where(enough, "", "reason.too_few_deaths_for_pattern")
    columns = {"deaths": deaths, "value": value, "chance": chance, "excess": value - chance}
    table = rate_table(columns, method="dissimilarity to expected_broad_groups", reason=reason)
    names = sums.index.to_frame(index=False)[list(by)] if by else pd.DataFrame(index=table.index)
    return pd.concat([names, table], axis=1)


def _ratio(
    upper: npt.NDArray[np.float64], lower: npt.NDArray[np.float64], usable: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    return np.divide(upper, lower, out=np.full(upper.shape, np.nan), where=usable & (lower > 0))


def _in_bands(ages: pd.Series, bands: list[str]) -> pd.Series:
    """The expected age group that holds the first year of each age group; "unknown" for none."""
    from mortality.measures.redistribution_limits import age_span
    from tkyt_analysis.reference.ages import age_group

    number, distinct = pd.factorize(ages.fillna("").astype("str"))
    first = pd.Series([age_span(one)[0] for one in distinct], dtype=float)
    placed = age_group(first, bands).to_numpy(dtype=object)
    return pd.Series(placed[number] if len(distinct) else [], index=ages.index, dtype="str")

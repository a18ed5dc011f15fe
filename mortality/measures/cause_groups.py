"""Deaths by broad group of causes: I communicable, maternal, perinatal, nutritional; II noncommunicable; III injuries."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.tabulation.deaths_given import number_of_deaths, require_columns

COMMUNICABLE, NONCOMMUNICABLE, EXTERNAL = "communicable", "noncommunicable", "external"
GROUPS = (COMMUNICABLE, NONCOMMUNICABLE, EXTERNAL)
UNDEFINED = "undefined"


def group_of(codes: pd.Series) -> pd.Series:
    """The broad group of each code (code list `edit_broad_groups`); "undefined" for ill-defined codes, codes of none, no code."""
    from mortality.icd import normalise_code
    from mortality.validation.edit_summary import broad_group

    number, distinct = pd.factorize(codes.fillna("").astype("str"))
    groups = [broad_group(normalise_code(one) if one else "") for one in distinct]
    named = np.array([one if one in GROUPS else UNDEFINED for one in groups], dtype=object)
    return pd.Series(named[number] if len(distinct) else [], index=codes.index, dtype="str")


def group_counts(deaths: pd.DataFrame, by: list[str], *, code: str, deaths_column: str | None) -> pd.DataFrame:
    """One row per group of `by`, columns communicable, noncommunicable, external, undefined."""
    require_columns(deaths.columns, [*by, code])
    counted = deaths[by].assign(_kind=group_of(deaths[code]), _deaths=number_of_deaths(deaths, deaths_column))
    return wide_counts(counted, by).reindex(columns=[*GROUPS, UNDEFINED], fill_value=0.0)


def wide_counts(counted: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """`by`, _kind, _deaths → one row per group of `by` (one row without), a column of deaths per kind."""
    keys = by or ["_all"]
    named = counted if by else counted.assign(_all="")
    wide = named.groupby([*keys, "_kind"], dropna=False, observed=True)["_deaths"].sum().unstack("_kind", fill_value=0)
    return (wide if by else wide.reindex(pd.Index([""], name="_all"), fill_value=0)).astype(float)

"""Exact duplicates: one death written twice. Near duplicates are linkage (mortality); reports sent twice: `reporting.submissions`."""

from __future__ import annotations

import pandas as pd

from tkyt_analysis.quality.findings import make_findings

PLACE = ["file_sha256", "sheet", "row_number"]


def duplicate_deaths(
    deaths: pd.DataFrame,
    *,
    identity: tuple[str, ...] = ("person_key", "death_date"),
    rule_id: str = "duplicate_death",
    rule_version: int = 1,
    severity: str = "error",
) -> pd.DataFrame:
    """Deaths that agree exactly in every identity column: one finding for each record after the first.

    Parameters
    ----------
    deaths : death_id, unit_id and the identity columns (keyed pseudonyms do as well as clear text); optional
        period_id, dataset_id, and place columns, by which the first of a group is chosen
    identity : a record with one of these missing or empty cannot be judged and is counted by
        `duplicate_deaths_coverage`
    """
    names = list(identity)
    order = [name for name in [*names, *PLACE, "death_id"] if name in deaths]
    complete = deaths[_has_identity(deaths, identity)].sort_values(order, kind="stable")
    group = complete.groupby(names, observed=True, sort=False)["death_id"]
    complete = complete.assign(same_as=group.transform("first"), copies=group.transform("size"))
    extra = complete[complete.duplicated(names, keep="first")]
    return make_findings(
        extra.assign(verdict="duplicate_identical"),
        rule_id=rule_id,
        rule_version=rule_version,
        severity=severity,
        fields=["death_id", "same_as", "copies"],
        subject="death_id",
    )


def _has_identity(deaths: pd.DataFrame, identity: tuple[str, ...]) -> pd.Series:
    known = deaths[list(identity)]
    return (known.notna() & (known.astype("str") != "")).all(axis=1)


def duplicate_deaths_coverage(
    deaths: pd.DataFrame, *, identity: tuple[str, ...] = ("person_key", "death_date")
) -> tuple[int, int]:
    """(records that can be judged, records)."""
    return int(_has_identity(deaths, identity).sum()), len(deaths)

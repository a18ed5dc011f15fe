"""Completeness by wide age group for correcting a release: infants and the very old are missed more often than others.

One completeness for all ages would correct their rates too little and bias the life expectancy. The lists say by capture and
recapture how the ages differ; how complete the place is as a whole stays what all methods together say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.completeness_cells import HISTORIES, person_cells
from mortality.measures.completeness import averaged_models, capture_recapture
from mortality.measures.indicators_life import coarse_ages
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import nesting
from tkyt_analysis.warehouse.release import NATION

if TYPE_CHECKING:
    from tkyt_analysis.warehouse.release import ReleaseContext

WIDE_AGES = (
    ("0", "1-59", "60-79", "80+"),
    ("0", "1-59", "60+"),
    ("0-4", "5-59", "60+"),
)  # the first that the ages allow
LEAST_AT_AGE = 60  # persons on the lists; a release takes the number of its catalog (threshold completeness_estimate)
ONE_FOR_ALL = "one completeness for all ages"
_FIGURES = ["completeness", "lower", "upper"]
_PLACE = ["unit_id", "year"]
CELL_COLUMNS = [*_PLACE, "age_group", "deaths", *HISTORIES]


def list_cells(context: ReleaseContext) -> pd.DataFrame:
    """unit_id, year (both whole numbers and sexes), age_group, deaths, h1 … h7 of provinces of 2025 and the nation."""
    if "completeness_cells" not in context.made:
        cells = person_cells(context)
        kept = cells[
            (cells["sex"] == "both") & (cells["unit_id"].str.startswith("VN2025:") | (cells["unit_id"] == NATION))
        ]
        context.made["completeness_cells"] = kept[CELL_COLUMNS].reset_index(drop=True)
    return context.made["completeness_cells"]


def completeness_at_ages(
    whole: pd.DataFrame, cells: pd.DataFrame, bands: Sequence[str], *, least: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Completeness of every age group of `bands`, and (unit_id, year, ages) how it differs by age in words.

    whole : unit_id, year, completeness, lower, upper of all ages; cells : `list_cells`
    least : persons on the lists below which an age group has the mean of the place; with fewer than two groups that have
        them all ages have one completeness

    The deaths that `whole` implies are laid over the ages as the lists have them, so that their sum stays the same; the limits
    of an age are never nearer to its value, relatively, than those of the place.
    """
    groups = _wide_ages(bands)
    ages = pd.DataFrame({"age_group": list(bands), "wide": list(groups.values())}, dtype="str")
    by_age = whole.merge(ages, how="cross").astype({"unit_id": "str", "year": "int64", "wide": "str"})
    lists = _of_lists(cells, groups, least).astype({"unit_id": "str", "year": "int64", "wide": "str"})
    rows = by_age.merge(lists, on=[*_PLACE, "wide"], how="left", suffixes=("", "_list"), validate="many_to_one")
    rows = _scaled(rows)
    words = rows[rows["differs"]].groupby(_PLACE)["wide"].agg(lambda wide: ", ".join(dict.fromkeys(wide)))
    named = by_age[_PLACE].drop_duplicates().merge(words.rename("ages").reset_index(), on=_PLACE, how="left")
    said = ("completeness by age from lists (" + named["ages"] + ")").fillna(ONE_FOR_ALL)
    return rows[[*_PLACE, "age_group", *_FIGURES]], named.assign(ages=said)


def _wide_ages(bands: Sequence[str]) -> dict[str, str]:
    """The wide group of each age group; "" for all where none of WIDE_AGES fits."""
    for wide in WIDE_AGES:
        try:
            found = nesting(bands, wide)
        except InputError:
            continue
        if len(found) == len(bands):
            return {band: found[band] for band in bands}
    return dict.fromkeys(bands, "")


def _of_lists(cells: pd.DataFrame, groups: dict[str, str], least: int) -> pd.DataFrame:
    """unit_id, year, wide, completeness, lower, upper, deaths, of the groups with enough persons on lists that overlap."""
    wide = _wide_of(cells["age_group"], sorted(set(groups.values()) - {""}))
    rows = cells.assign(wide=wide).dropna(subset="wide")
    summed = rows.groupby([*_PLACE, "wide"], as_index=False)[["deaths", *HISTORIES]].sum()
    seen = summed[HISTORIES].to_numpy(dtype=float)
    if not len(summed):
        return summed.assign(**dict.fromkeys(_FIGURES, np.nan))[[*_PLACE, "wide", "deaths", *_FIGURES]]
    found = capture_recapture(np.hstack([np.zeros((len(seen), 1)), seen]))
    value, least_all, most = averaged_models(found)
    counted = summed["deaths"].to_numpy(dtype=float)
    usable = (found.status == "ok") & (seen.sum(axis=1) >= least) & (counted > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = {"completeness": counted / value, "lower": counted / most, "upper": counted / least_all}
    known = {name: np.where(usable, values, np.nan) for name, values in figures.items()}
    return summed.assign(**known)[[*_PLACE, "wide", "deaths", *_FIGURES]]


def _wide_of(ages: pd.Series, wide: list[str]) -> pd.Series:
    """The wide group that each age group begins in; missing where the age is not known, or there are no wide groups."""
    known = ages.astype("str").str.match(r"\d") & bool(wide)
    return (
        coarse_ages(ages[known], wide).reindex(ages.index) if known.any() else pd.Series(None, ages.index, dtype="str")
    )


def _scaled(rows: pd.DataFrame) -> pd.DataFrame:
    """completeness, lower, upper of each age of the place, and whether the lists gave it (`differs`)."""
    groups = rows.drop_duplicates([*_PLACE, "wide"])
    known = groups["completeness_list"].notna()
    enough = known.groupby([groups["unit_id"], groups["year"]]).transform("sum") >= 2
    groups = groups[known & enough]
    listed = groups.assign(missed=groups["deaths"] / groups["completeness_list"]).groupby(_PLACE, as_index=False)
    sums = listed[["deaths", "missed"]].sum().rename(columns={"deaths": "all_deaths", "missed": "all_expected"})
    rows = rows.merge(sums, on=_PLACE, how="left", validate="many_to_one")
    mean = (
        rows["all_deaths"] / rows["all_expected"]
    )  # of the ages that the lists give: they keep the place's completeness
    differs = rows["completeness_list"].notna() & mean.notna()
    value = (rows["completeness"] * rows["completeness_list"] / mean).where(differs, rows["completeness"])
    below = np.fmin(
        rows["lower"] / rows["completeness"], (rows["lower_list"] / rows["completeness_list"]).where(differs)
    )
    above = np.fmax(
        rows["upper"] / rows["completeness"], (rows["upper_list"] / rows["completeness_list"]).where(differs)
    )
    return rows.assign(completeness=value, lower=value * below, upper=value * above, differs=differs)

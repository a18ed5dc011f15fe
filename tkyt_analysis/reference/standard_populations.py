"""Standard populations for direct standardisation, from the catalog.

Weights are kept as printed (`data_catalog/codelists/standard_populations.csv`) and handed out as shares of the
whole standard, regrouped to the caller's age groups where bands nest.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.option_words import option_word
from tkyt_analysis.reference.ages import OUTSIDE, UNKNOWN, nesting, parse_bands


def standard_populations() -> pd.DataFrame:
    """The standards that the catalog has: standard, title_vi, title_en, source, checked."""
    return read_codelist("standard_population_titles")


def standard_population(standard: str, age_groups: Sequence[str] | None = None) -> pd.DataFrame:
    """The weights of a standard, as shares of its whole.

    Parameters
    ----------
    standard : id, e.g. "who_2000_2025", "esp_2013", "esp_1976", "segi_1960", "us_2000"
    age_groups : the caller's age groups; weights are added up to them, only where bands nest. They may cover
        part of the ages (a rate of ages 30-69); the shares then sum to less than 1.

    Returns
    -------
    age_group, standard_population: one row per age group, youngest first. Join by age_group.

    Raises InputError for an unknown standard, and where the standard's bands do not add up to `age_groups`
    (WHO 2000-2025 has no weight for "0" and "1-4").
    """
    printed = _printed(standard)
    if age_groups is None:
        return printed
    bands = parse_bands(dict.fromkeys(age_groups))["age_group"]
    try:
        holds = nesting(printed["age_group"], bands)
    except InputError as error:
        wanted, found = ", ".join(bands), ", ".join(printed["age_group"])
        raise InputError("error.standard_bands", standard=standard, wanted=wanted, found=found) from error
    weights = printed.groupby(printed["age_group"].map(holds))["standard_population"].sum()
    return pd.DataFrame({"age_group": bands, "standard_population": bands.map(weights)})


def with_standard_population(events_by_age: pd.DataFrame, standard: str) -> pd.DataFrame:
    """The table with the column standard_population, joined by age_group.

    Ages "unknown" and "outside" are no age group: exclude or spread them first, and say so. Raises InputError
    where such rows or bands that do not nest are found.
    """
    ages = events_by_age["age_group"]
    without = ages.isin([UNKNOWN, OUTSIDE])
    if without.any():
        raise InputError("error.standard_unknown_ages", rows=int(without.sum()))
    weights = standard_population(standard, list(ages.unique())).set_index("age_group")["standard_population"]
    return events_by_age.assign(standard_population=ages.map(weights).astype(float))


_OTHER_NAMES = {
    "who": "who_2000_2025", "who_2000": "who_2000_2025", "who2000": "who_2000_2025", "who_world": "who_2000_2025",
    "who_world_standard": "who_2000_2025", "world": "who_2000_2025", "seer": "who_2000_2025_seer", "esp2013": "esp_2013",
    "european_2013": "esp_2013", "european_standard_population_2013": "esp_2013", "esp1976": "esp_1976",
    "european_1976": "esp_1976", "segi": "segi_1960", "segi_doll": "segi_1960", "us2000": "us_2000", "us_standard_2000": "us_2000",
}  # fmt: skip


def _printed(standard: str) -> pd.DataFrame:
    everything = read_codelist("standard_populations")
    rows = everything[everything["standard"] == option_word(standard, set(everything["standard"]), _OTHER_NAMES)]
    if rows.empty:
        known = ", ".join(everything["standard"].unique())
        raise InputError("error.standard_unknown", value=standard, known=known)
    weight = rows["weight"].astype(float)
    return pd.DataFrame(
        {"age_group": rows["age_group"].to_numpy(), "standard_population": (weight / weight.sum()).to_numpy()}
    )


def bands_of_both(bands: Sequence[str], standard: str) -> list[str]:
    """The finest age groups that both the given bands and the standard add up to (their open end may differ)."""
    ours, theirs = parse_bands(bands), parse_bands(standard_population(standard)["age_group"])
    edges = sorted(set(ours["low"]) & set(theirs["low"]))
    return [f"{low}-{following - 1}" for low, following in zip(edges, edges[1:])] + [f"{edges[-1]}+"]


def on_standard_ages(table: pd.DataFrame, by: Sequence[str], standard: str) -> pd.DataFrame:
    """Events and person-years by `by` and age, added up to the ages of a standard, with its weights.

    table : `by`, age_group, events, person_years
    Returns `by`, age_group, events, person_years, standard_population: what `directly_standardised_rate` takes.
    """
    if table.empty:
        return table.assign(standard_population=pd.Series(dtype="float64"))
    bands = list(table["age_group"].unique())
    ages = bands_of_both(bands, standard)
    coarse = table.assign(age_group=table["age_group"].map(nesting(bands, ages)))
    summed = coarse.groupby([*by, "age_group"], as_index=False, observed=True)[["events", "person_years"]].sum(
        min_count=1
    )
    summed["events"] = summed["events"].fillna(0.0)
    return summed.merge(standard_population(standard, ages), on="age_group", validate="many_to_one")

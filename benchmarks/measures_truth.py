"""Practice deaths of known truth through the estimators: does the truth lie in the interval?

Completeness: capture–recapture of the book, civil registration and the hospital's list. Causes: codes of the book, garbage
codes redistributed by the packages of the catalog. Rates: both together. The truth is the generator's, and is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mortality.measures.completeness import capture_recapture
from mortality.measures.uncertainty import simulate_rates
from mortality.practice.measures_truth import capture_histories, practice_population, practice_year
from tkyt_analysis.reference.ages import ABRIDGED_85, age_group

CAUSE_LIST, PACKAGES = "who_mortality_list_1", "vn_2026"
LARGE = 0.005  # of all deaths: causes from this share on are looked at
CELL = ["unit_id", "sex", "age_group"]
COMPLETENESS_AGES = {"0": "0", **dict.fromkeys(ABRIDGED_85[1:-2], "1-79"), "80-84": "80+", "85+": "80+"}


@dataclass(frozen=True)
class Practice:
    """Deaths and population of a practice year: deaths as `measures_truth.known_deaths` with age_group; persons by CELL."""

    deaths: pd.DataFrame
    population: pd.DataFrame


def draw_practice(*, year: int, seed: int, provinces: Iterable[str] | None = None) -> Practice:
    """One practice year of all provinces, or of some."""
    chosen = None if provinces is None else tuple(provinces)
    deaths = pd.concat(practice_year(year, seed=seed, provinces=chosen), ignore_index=True)
    deaths = deaths.assign(age_group=age_group(deaths["age_years"], ABRIDGED_85))
    return Practice(deaths, practice_population(year, seed=seed, provinces=chosen))


# ------------------------------------------------------------------------------------------------ completeness


def completeness_found(deaths: pd.DataFrame, by: list[str], *, choice: str = "average", lists: int = 3) -> pd.DataFrame:
    """by, truth (share of all deaths that the book has), value, lower, upper, inside, status.

    lists : 3, or 2 for the book and civil registration alone (Chapman)
    """
    groups = list(deaths.groupby(by, observed=True))
    histories = np.stack([capture_histories(rows) for _, rows in groups])
    if lists == 2:
        histories = histories.reshape(-1, 2, 4).sum(axis=1)
    found = capture_recapture(histories, choice=choice)
    in_book = np.array([rows["in_book"].sum() for _, rows in groups])
    table = pd.DataFrame([key for key, _ in groups], columns=by).assign(
        truth=[rows["in_book"].mean() for _, rows in groups],
        value=in_book / found.estimate,
        lower=in_book / found.upper,
        upper=in_book / found.lower,
        status=found.status,
    )
    return table.assign(inside=table["truth"].between(table["lower"], table["upper"]))


# ------------------------------------------------------------------------------------------------------ causes


def causes_found(practice: Practice, *, draws: int, seed: int = 1, **options: object) -> pd.DataFrame:
    """unit_id, cause, truth, truth_usable, registered, value, lower, upper, inside, inside_usable of large causes.

    truth : fractions of the true codes of the registered deaths; truth_usable : the same after the packages have moved those
    whose true code is itself a garbage code (3 % in the practice data), which no redistribution can give back
    """
    deaths = practice.deaths[practice.deaths["in_book"]]
    true = _fractions(deaths, "true_code", practice.population, draws=2, seed=seed)
    found = _fractions(deaths, "book_code", practice.population, draws=draws, seed=seed, **options)
    true = true.rename(columns={"observed": "truth", "value": "truth_usable"})[
        ["unit_id", "cause", "truth", "truth_usable"]
    ]
    found = found.rename(columns={"observed": "registered"})[
        ["unit_id", "cause", "registered", "value", "lower", "upper"]
    ]
    both = found.merge(true, how="outer", on=["unit_id", "cause"]).fillna({"truth": 0.0, "truth_usable": 0.0})
    mean = both.groupby("cause")["truth"].transform("mean")
    rows = both[mean >= LARGE].reset_index(drop=True)
    return rows.assign(
        inside=rows["truth"].between(rows["lower"], rows["upper"]),
        inside_usable=rows["truth_usable"].between(rows["lower"], rows["upper"]),
    )


def _fractions(deaths: pd.DataFrame, code: str, population: pd.DataFrame, **options: Any) -> pd.DataFrame:
    rows = simulate_rates(
        _counts(deaths, code),
        population,
        redistribution=PACKAGES,
        cause_list=CAUSE_LIST,
        functionals=("cause_fraction",),
        **options,
    )
    return rows[(rows["sex"] == "total") & (rows["cause"] != "all")]


def _counts(deaths: pd.DataFrame, code: str) -> pd.DataFrame:
    counts = deaths.groupby([*CELL, code], observed=True).size().rename("deaths").reset_index()
    return counts.rename(columns={code: "cause"})


# ------------------------------------------------------------------------------------------------------- rates


def rates_found(practice: Practice, *, draws: int, seed: int = 1, by_age: bool = True) -> pd.DataFrame:
    """unit_id, quantity (crude_rate, asdr, e0), truth, registered, value, lower, upper, inside: corrected for completeness.

    by_age : completeness of under one, 1–79 and 80 and over apart (the place's own where an age has too few in common)
    """
    quantities = ("crude_rate", "asdr", "e0")
    deaths = practice.deaths.assign(code="all_deaths")
    completeness = completeness_found(deaths, ["unit_id"])[["unit_id", "value", "lower", "upper"]]
    if by_age:
        completeness = _by_age(deaths, completeness)
    known = _counts(deaths[deaths["in_book"]], "code")
    found = simulate_rates(
        known, practice.population, completeness=completeness, draws=draws, seed=seed, functionals=quantities
    )
    true = simulate_rates(_counts(deaths, "code"), practice.population, draws=2, functionals=quantities)
    keys = ["unit_id", "quantity"]
    found, true = (rows[(rows["sex"] == "total") & (rows["cause"] == "all")] for rows in (found, true))
    rows = found.rename(columns={"observed": "registered"})[[*keys, "registered", "value", "lower", "upper"]]
    rows = rows.merge(true[[*keys, "value"]].rename(columns={"value": "truth"}), on=keys, validate="one_to_one")
    return rows.assign(inside=rows["truth"].between(rows["lower"], rows["upper"]))


def _by_age(deaths: pd.DataFrame, of_place: pd.DataFrame) -> pd.DataFrame:
    """Completeness by unit_id and age_group."""
    broad = deaths.assign(broad=deaths["age_group"].map(COMPLETENESS_AGES))
    own = completeness_found(broad, ["unit_id", "broad"])
    own = own[own["status"] == "ok"][["unit_id", "broad", "value", "lower", "upper"]]
    ages = pd.DataFrame({"age_group": list(COMPLETENESS_AGES), "broad": list(COMPLETENESS_AGES.values())})
    rows = of_place[["unit_id"]].merge(ages, how="cross").merge(own, on=["unit_id", "broad"], how="left")
    rows = rows.merge(of_place, on="unit_id", suffixes=("", "_place"))
    for name in ("value", "lower", "upper"):
        rows[name] = rows[name].fillna(rows[f"{name}_place"])
    return rows[["unit_id", "age_group", "value", "lower", "upper"]]

"""Deaths and population → figures, one row each, as the catalog's indicator entries say.

What is counted, over what, per how many, from which level on and by which document stands in
`data_catalog/indicators/`; here is only the arithmetic, for all units, years, sexes and causes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd

from mortality.measures.indicator_figures import with_rate
from mortality.measures.indicator_frame import (
    ALL_AGES,
    ALL_CAUSES,
    GROUP,
    INDICATOR_VALUE_COLUMNS,
    LEVELS,
    MODELLED,
    NOT_ASSESSABLE,
    OK,
    TOTAL,
    counts,
    deaths_in_all_sexes,
    in_age_groups,
    person_years,
    population_in_all_sexes,
    unit_level,
)
from mortality.measures.indicators_births import maternal_ratio, neonatal, per_live_births, perinatal
from mortality.measures.indicators_causes import (
    cause_specific,
    defined_count,
    defined_rate,
    garbage_share,
    proportion,
)
from mortality.measures.indicators_life import (
    age_specific,
    life_expectancy,
    premature_mortality,
    probability_of_dying,
    years_of_life_lost_rate,
)
from tkyt_analysis.analysis.standardise import directly_standardised_rate
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import age_group, nesting
from tkyt_analysis.reference.standard_populations import bands_of_both, standard_population

__all__ = ["INDICATOR_VALUE_COLUMNS", "METHODS", "in_age_groups", "measure_indicators", "unit_level"]
NO_DENOMINATOR = "1"  # what an entry of a plain count names as its denominator
_FIGURE = ["indicator_id", "unit_id", "period_id", "sex", "age_group", "cause"]


def _crude(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, **_: Any) -> pd.DataFrame:
    return with_rate(frame, counts(deaths, frame, GROUP), frame["person_years"], per=entry.per)


def _standardised(
    entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, population: pd.DataFrame, **_: Any
) -> pd.DataFrame:
    """Directly standardised; deaths of unknown age are left out, and the method string says which share."""
    bands = [name for name in population["age_group"].unique() if name != TOTAL]
    if not bands:
        return frame.assign(
            numerator=counts(deaths, frame, GROUP),
            method="direct",
            status=NOT_ASSESSABLE,
            reason="reason.population_without_ages",
        )
    fine = population[population["age_group"].isin(bands)].merge(frame[GROUP], on=GROUP)
    ages = bands_of_both(bands, entry.standard_population)
    fine = fine.assign(age_group=fine["age_group"].map(nesting(bands, ages)))
    table = fine.groupby([*GROUP, "age_group"], as_index=False, observed=True)["persons"].sum()
    known = deaths.assign(age_group=age_group(deaths["age_years"], ages))
    table["events"] = counts(known, table, [*GROUP, "age_group"])
    table = table.rename(columns={"persons": "person_years"})
    table = table.merge(standard_population(entry.standard_population, ages), on="age_group", validate="many_to_one")
    rates = directly_standardised_rate(table, GROUP, per=entry.per)
    joined = frame.merge(rates.drop(columns="person_years"), on=GROUP, how="left", validate="one_to_one")
    without_age = 1 - joined["events"] / counts(deaths, frame, GROUP).where(lambda n: n > 0)
    note = without_age.fillna(0).map(lambda share: f";unknown_age={share:.1%}" if share > 0 else "")
    return joined.assign(
        numerator=joined["events"],
        denominator=joined["person_years"],
        value=joined["rate"],
        method="direct_" + joined["method"].fillna("dobson") + f";standard={entry.standard_population}" + note,
        status=joined["status"].fillna(NOT_ASSESSABLE),
        reason=joined["reason"].fillna("reason.no_person_years"),
    )


METHODS: dict[str, Callable[..., pd.DataFrame]] = {
    "crude": _crude,
    "direct": _standardised,
    "per_live_births": per_live_births,
    "neonatal": neonatal,
    "perinatal": perinatal,
    "maternal_ratio": maternal_ratio,
    "cause_specific": cause_specific,
    "proportion": proportion,
    "composition": proportion,
    "defined_rate": defined_rate,
    "defined_count": defined_count,
    "garbage_share": garbage_share,
    "age_specific": age_specific,
    "life_expectancy": life_expectancy,
    "probability_of_dying": probability_of_dying,
    "premature_mortality": premature_mortality,
    "years_of_life_lost": years_of_life_lost_rate,
}
# many rows, or none that a small unit could have: only at or above the entry's minimum level
LIFE = frozenset(
    {"life_expectancy", "probability_of_dying", "premature_mortality", "years_of_life_lost", "age_specific"}
)
ONLY_HIGH_ENOUGH = LIFE | {
    "cause_specific", "proportion", "composition", "defined_rate", "neonatal", "perinatal", "maternal_ratio",
}  # fmt: skip
OWN_AGES = LIFE | {"neonatal", "perinatal"}  # the method itself says which ages it counts


def measure_indicators(
    deaths: pd.DataFrame,
    population: pd.DataFrame,
    *,
    indicators: Iterable[Any] | None = None,
    live_births: pd.DataFrame | None = None,
    fetal_deaths: pd.DataFrame | None = None,
    places: pd.DataFrame | None = None,
    code: str = "underlying_cause",
) -> pd.DataFrame:
    """The mortality indicators of the catalog, for every unit, year and sex that has deaths.

    Parameters
    ----------
    deaths : one row per death: unit_id (of the level to measure), year, sex (male | female | other words count in
        the total only), age_years [years], and the ICD-10 `code`; age_days [completed days] for newborns
    population : unit_id, year, sex, age_group, persons, status, series (as `reference.population` returns)
    indicators : catalog entries; default: every entry whose method is known here
    live_births : unit_id, year, live_births and optionally sex; without it rates per live birth are not assessable
    fetal_deaths : unit_id, year, fetal_deaths (from 22 weeks) and optionally sex, for perinatal mortality
    places : unit_id, year to answer for; default: those that have deaths

    Returns
    -------
    Rows of `indicator_value` (docs/architecture.md). status: ok; modelled (the denominator is a model's, or unknown ages
    were shared out); not_assessable: no denominator, below the entry's minimum level or denominator; then value and limits
    are empty and `reason` (a label key) says why. Entries by cause or from a life table give rows only at or above their
    minimum level.
    """
    missing = [name for name in ("unit_id", "year", "sex", "age_years", code) if name not in deaths.columns]
    if missing:
        raise InputError("error.measure_columns", missing=", ".join(missing))
    if indicators is None:
        from tkyt_analysis.catalog.loader import load_entries

        indicators = [entry for entry in load_entries("indicators").values() if entry.method in METHODS]
    persons = population_in_all_sexes(population)
    both = deaths_in_all_sexes(deaths)
    frame = (both if places is None else places)[["unit_id", "year"]].drop_duplicates().sort_values(["unit_id", "year"])
    frame = frame.merge(pd.DataFrame({"sex": [TOTAL, "male", "female"]}), how="cross")
    frame = frame.merge(person_years(persons), on=GROUP, how="left", validate="one_to_one")
    tables = {"population": persons, "live_births": live_births, "fetal_deaths": fetal_deaths, "code": code}
    parts = [_measure_one(entry, both, frame, **tables) for entry in indicators]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=INDICATOR_VALUE_COLUMNS)
    return rows[INDICATOR_VALUE_COLUMNS]


def _measure_one(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, **tables: Any) -> pd.DataFrame:
    if entry.method in ONLY_HIGH_ENOUGH:
        frame = frame[_high_enough(entry, frame)].reset_index(drop=True)
    counted = deaths
    if entry.age_groups and entry.method not in OWN_AGES:
        counted = in_age_groups(deaths, entry.age_groups)
    rows = METHODS[entry.method](entry, counted, frame, **tables).reset_index(drop=True)
    if "cause" not in rows:
        rows["cause"] = ALL_CAUSES
    low = ~_high_enough(entry, rows)
    rows["status"] = rows["status"].mask(low, NOT_ASSESSABLE)
    rows["reason"] = rows["reason"].mask(low, "reason.below_minimum_level")
    return _finish(entry, rows)


def _high_enough(entry: Any, rows: pd.DataFrame) -> pd.Series:
    """Whether each row is of a unit at or above the entry's minimum level."""
    level = rows["unit_id"].map({unit: unit_level(unit) for unit in rows["unit_id"].unique()})
    return level.map(LEVELS.index).astype(int) <= LEVELS.index(entry.minimum_level)


def _finish(entry: Any, rows: pd.DataFrame) -> pd.DataFrame:
    """Names, periods and statuses; a figure that is not assessable has no value, and says why."""
    if entry.denominator != NO_DENOMINATOR:
        few = ~(rows["denominator"] >= max(entry.minimum_denominator, 1e-9))
        rows.loc[few, "status"] = NOT_ASSESSABLE
        rows["reason"] = rows["reason"].mask(few & (rows["reason"] == ""), "reason.small_denominator")
        modelled = (rows["status"] == OK) & (rows["population_status"] == MODELLED)
        rows["status"] = rows["status"].mask(modelled, MODELLED)
    figures = ["value", "lower", "upper"]
    rows[figures] = rows[figures].astype("float64").mask(rows["status"] == NOT_ASSESSABLE)
    year = rows["year"].astype(int).astype("str")
    ages = ALL_AGES if not entry.age_groups else "+".join(entry.age_groups)
    rows = rows.assign(
        indicator_id=entry.id,
        period_id=year,
        period_start=pd.to_datetime(year + "-01-01"),
        period_end=pd.to_datetime(year + "-12-31"),
        age_group=rows.get("age_group", ages),
        population_source=rows["population_source"].fillna(""),
    )
    rows["figure_id"] = rows[_FIGURE[0]].str.cat([rows[name].astype("str") for name in _FIGURE[1:]], sep="|")
    return rows.reindex(columns=INDICATOR_VALUE_COLUMNS)

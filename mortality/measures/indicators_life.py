"""Indicators of a life table, and rates by age: what comes from deaths and person-years of every age group.

`life_figures` answers from any table of events and person-years by age, so that a release and the cube give the same figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mortality.measures.indicator_figures import with_rate
from mortality.measures.indicator_frame import GROUP, NOT_ASSESSABLE, TOTAL, counts
from mortality.measures.indicators_causes import defined_deaths
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import age_group, parse_bands

Numbers = npt.NDArray[np.float64]
LIFE_EXPECTANCY, DYING, PREMATURE = "life_expectancy", "probability_of_dying", "premature_mortality"
YEARS_LOST = "years_of_life_lost"
FIGURES = ["numerator", "denominator", "value", "lower", "upper", "method", "status", "reason"]


def common_bands(bands: Sequence[str]) -> list[str]:
    """The finest age groups that all the given ones add up to: with "80+" and "80-84", "85+" there, "80+". Ages that none of
    them holds are a group of their own."""
    rows = pd.concat([parse_bands([name]) for name in dict.fromkeys(bands)])
    low, high = rows["low"].to_numpy(float), rows["high"].to_numpy(float)
    ends = [end + 1 for end in high if end < high.max()]
    edges = [at for at in np.unique([*low, *ends]) if not ((low < at) & (at <= high)).any()]
    last = [*(int(after) - 1 for after in edges[1:]), int(high.max()) if np.isfinite(high.max()) else None]
    return [_label(int(first), end) for first, end in zip(edges, last, strict=True)]


def _label(low: int, high: int | None) -> str:
    return f"{low}+" if high is None else str(low) if high == low else f"{low}-{high}"


def deaths_and_persons_by_age(
    deaths: pd.DataFrame, frame: pd.DataFrame, population: pd.DataFrame, *, keys: Sequence[str] = tuple(GROUP)
) -> pd.DataFrame:
    """keys, age_group, events, person_years for each row of `frame` that has a population by age.

    Deaths of unknown age are in no group.
    """
    by = list(keys)
    fine = population[population["age_group"] != TOTAL].merge(frame[by].drop_duplicates(), on=by)
    if fine.empty:
        return pd.DataFrame(columns=[*by, "age_group", "events", "person_years"])
    bands = common_bands(fine["age_group"].unique())
    coarse = coarse_ages(fine["age_group"], bands)
    table = fine.assign(age_group=coarse).groupby([*by, "age_group"], as_index=False, observed=True)["persons"].sum()
    known = deaths.assign(age_group=age_group(deaths["age_years"], bands))
    table["events"] = counts(known, table, [*by, "age_group"]).astype(float)
    return table.rename(columns={"persons": "person_years"})[[*by, "age_group", "events", "person_years"]]


def coarse_ages(ages: pd.Series, bands: Sequence[str]) -> pd.Series:
    """The one of `bands` that each age group lies in."""
    edges = parse_bands(bands)
    place = {name: edges["age_group"][_place(edges["low"].to_numpy(float), name)] for name in ages.unique()}
    return ages.map(place)


def _place(low: Numbers, name: str) -> int:
    return int(np.searchsorted(low, parse_bands([name])["low"].iloc[0], side="right")) - 1


def by_series(table: pd.DataFrame, keys: Sequence[str]) -> tuple[pd.DataFrame, list[str], Numbers, Numbers]:
    """(a row of keys per series, age groups, events, person-years), the last two (series, ages); an absent cell has no
    person-years (missing)."""
    bands = common_bands(table["age_group"].unique())
    coarse = table.assign(age_group=coarse_ages(table["age_group"], bands))
    sums = coarse.groupby([*keys, "age_group"], observed=True)[["events", "person_years"]].sum(min_count=1)
    wide = sums.unstack("age_group")
    events = wide["events"].reindex(columns=bands).to_numpy(float, na_value=np.nan)
    persons = wide["person_years"].reindex(columns=bands).to_numpy(float, na_value=np.nan)
    names = wide.index.to_frame(index=False)
    names.columns = list(keys)
    return names, bands, np.nan_to_num(events), persons


def life_figures(
    table: pd.DataFrame, keys: Sequence[str], *, kind: str, options: Mapping[str, float], per: float, sex: str = TOTAL
) -> pd.DataFrame:
    """One figure per series of a table: keys and FIGURES.

    table : keys, age_group, events, person_years. kind : life_expectancy (options at_age), probability_of_dying (from_age,
    to_age), premature_mortality (the same; events of the causes that count), years_of_life_lost (per person-year; the numerator is years).
    sex : of all series where "sex" is no key.
    numerator and denominator are those of the ages that the figure is about; value and limits are times `per`.
    """
    if table.empty:
        return pd.DataFrame(columns=[*keys, *FIGURES])
    names, bands, events, persons = by_series(table, keys)
    sexes = names["sex"].where(names["sex"].isin(["male", "female"]), TOTAL).tolist() if "sex" in names else sex
    first, last = options.get("from_age", options.get("at_age", 0.0)), options.get("to_age", np.inf)
    edges = parse_bands(bands)
    within = ((edges["low"] >= first) & (edges["high"] < last)).to_numpy() | (
        (edges["low"] >= first).to_numpy() & (last == np.inf)
    )
    found = _figure(kind, bands, events, persons, sexes, first, last)
    values = {name: per * found[name].to_numpy(float) for name in ("value", "lower", "upper")}
    return names.assign(
        numerator=found["yll"].to_numpy() if kind == YEARS_LOST else events[:, within].sum(axis=1),
        denominator=np.nansum(persons[:, within], axis=1),
        **values,
        **{name: found[name].to_numpy() for name in ("method", "status", "reason")},
    )


def possible_figures(table: pd.DataFrame, keys: Sequence[str], **asked: Any) -> pd.DataFrame:
    """`life_figures`; not assessable with the reason where the age groups do not allow the figure (no group begins at 65)."""
    try:
        return life_figures(table, keys, **asked)
    except InputError:
        whole = table.groupby(list(keys), as_index=False, observed=True)[["events", "person_years"]].sum()
        empty: dict[str, Any] = dict.fromkeys(("value", "lower", "upper"), np.nan)
        named = whole.rename(columns={"events": "numerator", "person_years": "denominator"})
        return named.assign(**empty, method="", status=NOT_ASSESSABLE, reason="reason.measures_ages")[[*keys, *FIGURES]]


def _figure(
    kind: str, bands: list[str], events: Numbers, persons: Numbers, sexes: Any, first: float, last: float
) -> pd.DataFrame:
    from mortality.measures.life_expectancy import life_expectancy as expectancies
    from mortality.measures.life_table import life_tables_from_counts, premature_mortality, probability_of_dying

    if kind == YEARS_LOST:
        from mortality.measures.years_of_life_lost import years_of_life_lost

        lost = years_of_life_lost(events, bands, population=persons, per=1.0).drop(columns=["lower", "upper"])
        return lost.rename(columns={"rate": "value", "rate_lower": "lower", "rate_upper": "upper"})
    if kind == PREMATURE:
        return premature_mortality(events, persons, bands, from_age=first, to_age=last)
    tables = life_tables_from_counts(events, persons, bands, sexes)
    if kind == DYING:
        return probability_of_dying(tables, first, last)
    return expectancies(tables, at=first)


# ------------------------------------------------------------------------------------------------- methods


def _life(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, population: pd.DataFrame, **_: Any) -> pd.DataFrame:
    table = deaths_and_persons_by_age(deaths, frame, population)
    found = possible_figures(table, GROUP, kind=entry.method, options=entry.options, per=entry.per)
    rows = frame.merge(found, on=GROUP, how="left", validate="one_to_one")
    return rows.assign(
        method=rows["method"].fillna(entry.method) + unknown_ages(deaths, rows),
        status=rows["status"].fillna(NOT_ASSESSABLE),
        reason=rows["reason"].fillna("reason.population_without_ages"),
    )


def unknown_ages(deaths: pd.DataFrame, frame: pd.DataFrame) -> pd.Series:
    """ ";unknown_age=2.0%" for each row of which deaths have no known age (they are in no age group), else ""."""
    every = counts(deaths, frame, GROUP)
    share = counts(deaths[~deaths["age_years"].between(0, 130)], frame, GROUP) / every.where(every > 0)
    return share.fillna(0).map(lambda part: f";unknown_age={part:.1%}" if part > 0 else "")


def life_expectancy(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, **tables: Any) -> pd.DataFrame:
    """Years still to live at an age (options at_age), from an abridged life table; limits of Chiang and Silcocks."""
    return _life(entry, deaths, frame, **tables)


def years_of_life_lost_rate(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, **tables: Any) -> pd.DataFrame:
    """Years of life lost (WHO's standard) over the population."""
    return _life(entry, deaths, frame, **tables)


def probability_of_dying(entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, **tables: Any) -> pd.DataFrame:
    """Probability of dying between two ages (options from_age, to_age), from an abridged life table."""
    return _life(entry, deaths, frame, **tables)


def premature_mortality(
    entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, code: str, **tables: Any
) -> pd.DataFrame:
    """SDG 3.4.1: probability of dying between two ages from the causes of the entry's definition."""
    return _life(entry, defined_deaths(entry, deaths, code=code), frame, **tables)


def age_specific(
    entry: Any, deaths: pd.DataFrame, frame: pd.DataFrame, *, population: pd.DataFrame, **_: Any
) -> pd.DataFrame:
    """Deaths of each age group over its population."""
    table = deaths_and_persons_by_age(deaths, frame, population)
    rows = frame.merge(table.drop(columns="person_years").assign(own=table["person_years"]), on=GROUP)
    return with_rate(rows, rows["events"], rows["own"], per=entry.per)


def cube_figures(known: pd.DataFrame, keys: list[str], measure: Any, view: Any) -> pd.DataFrame:
    """`life_figures` for a measure of the cube (options kind and its ages)."""
    kept = dict(view.where).get("sex", ())
    sex = kept[0] if len(kept) == 1 and kept[0] in ("male", "female") else TOTAL
    options = measure.options
    table = known[known["age_group"] != TOTAL]
    return possible_figures(table, keys, kind=options["kind"], options=options["ages"], per=measure.per, sex=sex).drop(
        columns=["method", "reason"]
    )

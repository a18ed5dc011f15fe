"""Release tables of estimates: causes after redistribution of garbage codes, rates corrected for deaths never registered.

They stand beside what was registered, never in its place: every row has both figures, and the names say which is which.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mortality.completeness_ages import CELL_COLUMNS, LEAST_AT_AGE, ONE_FOR_ALL, completeness_at_ages, list_cells
from mortality.completeness_release import completeness_estimate, limits_of
from mortality.measure_release import deaths_at_levels, large_units, population_at_levels, registered_indicators
from mortality.measures.indicators_life import coarse_ages, common_bands
from mortality.release_tables import AGE_BANDS
from mortality.tabulation.cause_lists import load_cause_list
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.ages import age_group, nesting
from tkyt_analysis.reference.standard_populations import bands_of_both
from tkyt_analysis.warehouse.release import NATION, ReleaseContext

if TYPE_CHECKING:
    from mortality.measures.redistribution import DeathArray, Redistributed
    from mortality.measures.redistribution_table import Rows

CAUSE_LIST = "who_mortality_list_1"
DRAWS, SEED = 200, 20260101
REDISTRIBUTED_COLUMNS = [
    "unit_id", "period_id", "sex", "cause_list", "cause", "deaths_registered", "deaths_redistributed", "lower", "upper",
    "moved_in", "moved_out", "left", "method", "status", "reason",
]  # fmt: skip
_FIGURES = ["deaths_registered", "deaths_redistributed", "lower", "upper", "moved_in", "moved_out", "left"]


def cause_redistributed(context: ReleaseContext) -> pd.DataFrame:
    """Deaths by cause as registered and after redistribution of garbage codes, per province (and nation), year and sex.

    Causes withheld by law count as deaths without a code, as everywhere in the release. lower and upper hold what is not known of
    the shares, not chance in the number of deaths.
    """
    deaths = province_deaths(context)
    if deaths.empty:
        return pd.DataFrame(columns=[*REDISTRIBUTED_COLUMNS, "scope"]).astype("str")
    rows = redistributed_causes(deaths)
    return context.add_scope(rows[REDISTRIBUTED_COLUMNS])


def province_deaths(context: ReleaseContext) -> pd.DataFrame:
    """The counted deaths of provinces: unit_id, year, sex, age_group, released_cause."""
    rows = large_units(deaths_at_levels(context))
    rows = rows[rows["unit_id"] != NATION]
    return rows.assign(age_group=age_group(rows["age_years"], AGE_BANDS))


def redistributed_causes(deaths: pd.DataFrame, *, draws: int = DRAWS, seed: int = SEED) -> pd.DataFrame:
    """REDISTRIBUTED_COLUMNS from deaths (unit_id of provinces, year, sex, age_group, released_cause)."""
    from mortality.measures.redistribution import DEFAULT_PACKAGES, death_array, redistribute_counts

    ordered = deaths.sort_values(["unit_id", "year", "sex", "age_group", "released_cause"], ignore_index=True)
    array = death_array(ordered, DEFAULT_PACKAGES, by=["unit_id", "year"], code="released_cause", cause_list=CAUSE_LIST)
    array = replace(array, places=array.places.assign(nation=NATION))
    found = redistribute_counts(array.counts, array.rules)
    units = ["unit_id"] if len(set(array.places["unit_id"])) == 1 else ["unit_id", "nation"]
    wanted = [[unit, "year", *sex] for unit in units for sex in (["sex"], [])]
    tables = _tables(found, array, wanted, draws=draws, seed=seed)
    rows = pd.concat([_named(table) for table in tables], ignore_index=True)
    rows = rows[rows["sex"].isin(["male", "female", "total"])]
    return rows.assign(cause_list=CAUSE_LIST, **{name: rows[name].round(6) for name in _FIGURES}).sort_values(
        ["unit_id", "period_id", "sex", "cause"], ignore_index=True
    )


def _tables(
    found: Redistributed, array: DeathArray, wanted: list[list[str]], *, draws: int, seed: int
) -> list[pd.DataFrame]:
    """A table of results for every grouping, all from the same draws."""
    from mortality.measures.redistribution import iterate_redistribution_draws
    from mortality.measures.redistribution_table import result_rows

    rows = [result_rows(found, array, by=by, sex="sex", age="age_group") for by in wanted]
    drawn: list[list[np.ndarray]] = [[] for _ in rows]
    for piece in iterate_redistribution_draws(array.counts, array.rules, draws=draws, seed=seed):
        for number, one in enumerate(rows):
            drawn[number].append(one.draws(piece))
    return [_with_limits(found, array, one, np.concatenate(values)) for one, values in zip(rows, drawn, strict=True)]


def _with_limits(found: Redistributed, array: DeathArray, rows: Rows, drawn: np.ndarray) -> pd.DataFrame:
    from mortality.measures.redistribution_table import result_table

    lower, upper = np.quantile(drawn, [0.025, 0.975], axis=0)
    return result_table(found, array, rows).assign(lower=lower, upper=upper)


def _named(table: pd.DataFrame) -> pd.DataFrame:
    named = table.rename(columns={"nation": "unit_id", "before": "deaths_registered", "after": "deaths_redistributed"})
    year = named["year"].astype(int).astype("str")
    return named.assign(period_id=year, sex=named.get("sex", "total"))


# ------------------------------------------------------------------------------------------------- corrected

CORRECTED_COLUMNS = [
    "unit_id", "period_id", "sex", "indicator_id", "cause", "registered", "corrected", "lower", "upper", "completeness",
    "completeness_lower", "completeness_upper", "share_counts", "share_completeness", "share_redistribution",
    "share_denominator", "method", "status", "reason",
]  # fmt: skip
NCD_LIST, REST = "sdg_3_4_1", "REST"
CORRECTED_DRAWS = 250
# quantity of the simulation: the indicator it is, and by how much its figure is multiplied to be in the indicator's unit
QUANTITIES = {
    "crude_rate": ("crude_death_rate", 1 / 100),
    "asdr": ("age_standardised_death_rate", 1.0),
    "e0": ("life_expectancy_at_birth", 1.0),
    "30q70": ("premature_ncd_mortality", 100.0),
    "yll_rate": ("years_of_life_lost_rate", 1.0),
}
_ROUNDED = [
    "registered", "corrected", "lower", "upper", "completeness", "completeness_lower", "completeness_upper", "share_counts",
    "share_completeness", "share_redistribution", "share_denominator",
]  # fmt: skip


def corrected_rate(context: ReleaseContext) -> pd.DataFrame:
    """Figures as registered, and corrected for deaths never registered and for garbage codes, with one interval.

    One row per province (and nation), year, sex, indicator and cause (all; the four groups of 30q70 for standardised rates).
    Units as the indicator's entry says. The interval holds chance, completeness and redistribution; share_… says which of them
    it comes from. Not assessable where the completeness is.
    """
    rows = corrected_rows(context)
    return context.add_scope(rows[CORRECTED_COLUMNS]) if len(rows) else _nothing([*CORRECTED_COLUMNS, "scope"])


def _nothing(columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=columns).astype("str")


def completeness_of(context: ReleaseContext) -> pd.DataFrame:
    """The combined completeness of each province of 2025 (and the nation), year and sex: unit_id, year, sex (total for both),
    completeness, lower, upper (1 at most), method, status, reason, registered."""
    if "completeness_of" not in context.made:
        rows = completeness_estimate(context)
        rows = rows[(rows["method_id"] == "combined") & ~rows["unit_id"].astype("str").str.startswith("VN2024")]
        named = rows.assign(sex=rows["sex"].replace({"both": "total"}), unit_id=rows["unit_id"].astype("str"))
        figures = ["completeness", "lower", "upper", "registered"]
        named[figures] = named[figures].astype("float64")
        context.made["completeness_of"] = named.reset_index(drop=True)
    return context.made["completeness_of"]


def corrected_rows(context: ReleaseContext) -> pd.DataFrame:
    """CORRECTED_COLUMNS, made once per release."""
    if "corrected_rows" not in context.made:
        deaths, population = large_units(deaths_at_levels(context)), large_units(population_at_levels(context))
        if deaths.empty or population.empty:
            context.made["corrected_rows"] = _nothing(CORRECTED_COLUMNS)
        else:
            least = int(limits_of(context)["least_at_age"])
            rows = corrected_figures(
                deaths, population, completeness_of(context), cells=list_cells(context), least_at_age=least
            )
            beside = (
                _beside_registered(rows, registered_indicators(context)) if len(rows) else _nothing(CORRECTED_COLUMNS)
            )
            context.made["corrected_rows"] = beside
    return context.made["corrected_rows"]


def corrected_figures(
    deaths: pd.DataFrame,
    population: pd.DataFrame,
    completeness: pd.DataFrame,
    *,
    cells: pd.DataFrame | None = None,
    least_at_age: int = LEAST_AT_AGE,
    draws: int = CORRECTED_DRAWS,
) -> pd.DataFrame:
    """CORRECTED_COLUMNS of deaths (unit_id, year, sex, age_years, released_cause), population (unit_id, year, sex, age_group,
    persons) and completeness (unit_id, year, sex "total", completeness, lower, upper).

    cells, least_at_age : of `completeness_at_ages`, by which the completeness differs by age; None: one for all ages
    """
    bands = common_bands(population["age_group"].unique())
    counts = known_counts(deaths, bands)
    persons = population.assign(age_group=coarse_ages(population["age_group"], bands))
    persons = persons.groupby(["unit_id", "year", "sex", "age_group"], as_index=False, observed=True)["persons"].sum()
    whole = completeness[completeness["sex"] == "total"]
    whole = whole[["unit_id", "year", "completeness", "lower", "upper"]].astype({"year": "int64"})
    lists = pd.DataFrame(columns=CELL_COLUMNS) if cells is None else cells
    by_age, words = completeness_at_ages(whole, lists, bands, least=least_at_age)
    nation = counts["unit_id"] == NATION
    parts = [
        _simulated(part, persons, by_age, bands, draws=draws) for part in (counts[~nation], counts[nation]) if len(part)
    ]
    if not parts:  # of no death are both sex and age known
        return pd.DataFrame(columns=CORRECTED_COLUMNS)
    rows = pd.concat(parts, ignore_index=True)
    limits = whole.rename(columns={"lower": "completeness_lower", "upper": "completeness_upper"})
    rows = rows.merge(
        limits.merge(words, on=["unit_id", "year"]), on=["unit_id", "year"], how="left", validate="many_to_one"
    )
    method = rows["method"] + "; " + rows["ages"].fillna(ONE_FOR_ALL)
    return rows.assign(period_id=rows["year"].astype("str"), method=method)


def known_counts(deaths: pd.DataFrame, bands: list[str]) -> pd.DataFrame:
    """unit_id, year, sex, age_group, cause, deaths: those of unknown sex or age are shared out over the others of their place
    and year, so that the sum is that of all deaths."""
    place = ["unit_id", "year"]
    rows = deaths.assign(age_group=age_group(deaths["age_years"], bands), cause=deaths["released_cause"])
    known = rows[rows["sex"].isin(["male", "female"]) & rows["age_group"].isin(bands)]
    cells = known.groupby([*place, "sex", "age_group", "cause"], as_index=False, observed=True, sort=True).size()
    factor = (rows.groupby(place).size() / known.groupby(place).size()).rename("factor").reset_index()
    cells = cells.merge(factor, on=place, how="left", validate="many_to_one")
    return cells.assign(deaths=cells["size"] * cells["factor"]).drop(columns=["size", "factor"])


def _simulated(
    counts: pd.DataFrame, persons: pd.DataFrame, completeness: pd.DataFrame, bands: list[str], *, draws: int
) -> pd.DataFrame:
    from mortality.measures.life_expectancy_standards import years_per_death
    from mortality.measures.redistribution import DEFAULT_PACKAGES
    from mortality.measures.uncertainty import simulate_rates

    groups = load_cause_list(NCD_LIST).items["item"]
    own = persons.merge(counts[["unit_id", "year"]].drop_duplicates(), on=["unit_id", "year"])
    capped = completeness.assign(
        **{name: completeness[name].clip(upper=1.0) for name in ("completeness", "lower", "upper")}
    )
    possible = _possible(bands)
    lost = dict(zip(bands, years_per_death(bands)[0].tolist(), strict=True)) if "yll_rate" in possible else None
    found = simulate_rates(
        counts, own, completeness=capped, redistribution=DEFAULT_PACKAGES, cause_list=NCD_LIST, draws=draws, seed=SEED,
        functionals=possible, ncd_causes=[one for one in groups if one != REST], years_lost=lost,
    )  # fmt: skip
    return _in_units(found)


def _possible(bands: list[str]) -> list[str]:
    """The quantities that the age groups allow."""
    starts = {band.partition("-")[0].rstrip("+") for band in bands}
    five = {str(low) for low in range(30, 75, 5)} <= starts
    lives = "0" in starts and bands[-1].endswith("+") and {"1", "5"} <= starts
    try:
        nesting(bands, bands_of_both(bands, "who_2000_2025"))
    except InputError:
        return ["crude_rate"]
    return ["crude_rate", "asdr", *(["e0", "yll_rate"] if lives else []), *(["30q70"] if five else [])]


def _in_units(found: pd.DataFrame) -> pd.DataFrame:
    """Rows of the simulation as the indicators count: all causes of each, and standardised rates of the four groups."""
    groups = (found["quantity"] == "asdr") & ~found["cause"].isin(["all", REST, "unknown", "gap"])
    rows = found[(found["cause"] == "all") | (found["quantity"] == "30q70") | groups]
    factor = rows["quantity"].map({name: one[1] for name, one in QUANTITIES.items()})
    figures = {
        "registered": rows["observed"],
        "corrected": rows["value"],
        "lower": rows["lower"],
        "upper": rows["upper"],
    }
    scaled = {name: values * factor for name, values in figures.items()}
    return rows.assign(
        **scaled,
        year=rows["year"].astype("int64"),
        cause=rows["cause"].replace({"ncd": "all"}),
        indicator_id=rows["quantity"].map({name: one[0] for name, one in QUANTITIES.items()}),
    ).drop(columns=["observed", "value", "quantity"])


def _beside_registered(rows: pd.DataFrame, indicators: pd.DataFrame) -> pd.DataFrame:
    """The registered figure of all causes is the indicator's own, to the last digit."""
    keys = ["unit_id", "period_id", "sex", "indicator_id", "cause"]
    published = indicators[indicators["indicator_id"].isin(rows["indicator_id"])][[*keys, "value"]]
    both = rows.merge(published, on=keys, how="left", validate="many_to_one")
    both["registered"] = both["value"].where(both["cause"] == "all", both["registered"])
    both[_ROUNDED] = both[_ROUNDED].astype("float64").round(6)
    return both[CORRECTED_COLUMNS].sort_values(keys, ignore_index=True)

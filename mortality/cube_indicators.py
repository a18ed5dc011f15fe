"""The catalog's mortality indicators as measures of the cube: which facts each divides, by what it can be broken down."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from mortality.tabulation.cause_lists import RESIDUAL
from mortality.tabulation.definitions import load_definition
from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.entries import Indicator, Text
from tkyt_analysis.catalog.loader import load_entries, load_entry
from tkyt_analysis.cube.core_measures import indicator_measure
from tkyt_analysis.cube.model import PERIODS, Measure

DEATHS, PERSONS, BIRTHS, DEATHS_OVER_BIRTHS = (
    "deaths",
    "registered_population",
    "registered_birth",
    "deaths_over_births",
)
PLACES = ("region", "province", "district", "commune")
OF_RATES = frozenset({*PLACES, *PERIODS, "sex", "age_group", "cause"})
Parts = dict[str, Any]


def mortality_indicators(group: Text, *, births: bool, figures: bool) -> Iterable[Measure]:
    """A measure for every indicator whose method stands in PARTS.

    births, figures : whether the release knows live births, and has a table of indicators to look figures up in
    """
    for entry in load_entries("indicators").values():
        if entry.method in PARTS:
            parts = PARTS[entry.method](entry)
            if parts["method"] == "published" and not figures:
                continue
            if entry.denominator == "live_births" and not births and parts["method"] != "published":
                parts = _unknown_births(entry)
            options = {
                "standard_population": entry.standard_population,
                "minimum_level": entry.minimum_level,
                "minimum_denominator": entry.minimum_denominator,
                "about_ages": entry.age_groups,
                "also": entry.also,
                **parts.pop("options", {}),
            }
            base = {"numerator": DEATHS, "denominator": PERSONS, "dimensions": OF_RATES}
            yield indicator_measure(
                entry, group=group, group_id="mortality", dataset="death", options=options, **{**base, **parts}
            )


def _crude(entry: Indicator) -> Parts:
    listed = {"cause_list": entry.cause_list} if entry.cause_list else {}
    return {"method": "crude", "options": {"where_age": entry.age_groups, **listed}}


def _direct(entry: Indicator) -> Parts:
    return {"method": "direct", "dimensions": OF_RATES - {"age_group"}}


def _proportion(entry: Indicator) -> Parts:
    options = {
        "where_age": entry.age_groups,
        "cause_list": entry.cause_list,
        "items": named_items(str(entry.cause_list)),
    }
    return {"method": "proportion", "denominator": DEATHS, "options": options}


def _composition(entry: Indicator) -> Parts:
    """Every cause of a list over all deaths: the parts make up the whole."""
    return {"method": "proportion", "denominator": DEATHS, "options": {"cause_list": entry.cause_list}}


def _share_of_list(entry: Indicator) -> Parts:
    return {**_proportion(entry), "dimensions": OF_RATES - {"cause"}}


def _over_births(entry: Indicator) -> Parts:
    """Births are not known by sex: a rate by sex is not assessable."""
    return {
        "method": "crude",
        "numerator": DEATHS_OVER_BIRTHS,
        "denominator": BIRTHS,
        "options": {"where_age": entry.age_groups, "undivided": ("sex",)},
    }


def _unknown_births(entry: Indicator) -> Parts:
    return {
        "method": "crude",
        "denominator": "",
        "options": {"where_age": entry.age_groups, "missing_denominator": True},
    }


def _defined(entry: Indicator) -> Parts:
    """Deaths of a measure of a cause definition: its parts are the items of a list of their own."""
    parts = load_definition(str(entry.cause_definition)).parts
    items = tuple(parts.loc[parts["measure"] == entry.cause_measure, "part"])
    sex = set(parts.loc[parts["measure"] == entry.cause_measure, "sex"]) - {""}
    options = {"cause_list": f"{entry.cause_definition}/{entry.cause_measure}", "items": items}
    kept = {"sex": sex.pop()} if len(sex) == 1 else {}
    dimensions = OF_RATES - {"cause"} - set(kept)
    return {"method": "crude", "dimensions": dimensions, "options": {**options, **kept}}


def _maternal_ratio(entry: Indicator) -> Parts:
    defined = _defined(entry)
    options = {**defined["options"], "limits": "exact"}
    return {**defined, "numerator": DEATHS_OVER_BIRTHS, "denominator": BIRTHS, "options": options}


def _defined_count(entry: Indicator) -> Parts:
    defined = _defined(entry)
    return {
        **defined,
        "method": "count",
        "denominator": "",
        "options": {**defined["options"], "zero_where_others": True},
    }


def _by_age(entry: Indicator) -> Parts:
    """What a life table makes of deaths and person-years by age; of 30q70, of the deaths of its causes."""
    defined = _defined(entry)["options"] if entry.cause_definition else {}
    own = {"function": "mortality.measures.indicators_life:cube_figures", "kind": entry.method, "ages": entry.options}
    return {"method": "by_age", "dimensions": OF_RATES - {"age_group", "cause"}, "options": {**defined, **own}}


def _published(entry: Indicator) -> Parts:
    """A figure of the release as it stands there, by province, year and sex."""
    return {"method": "published", "denominator": "", "dimensions": frozenset({"province", "year", "sex"})}


PARTS: dict[str, Callable[[Indicator], Parts]] = {
    "life_expectancy": _by_age,
    "probability_of_dying": _by_age,
    "premature_mortality": _by_age,
    "years_of_life_lost": _by_age,
    "corrected": _published,
    "completeness": _published,
    "neonatal": _published,
    "perinatal": _published,
    "crude": _crude,
    "age_specific": _crude,
    "cause_specific": _crude,
    "direct": _direct,
    "proportion": _proportion,
    "composition": _composition,
    "garbage_share": _share_of_list,
    "per_live_births": _over_births,
    "maternal_ratio": _maternal_ratio,
    "defined_rate": _defined,
    "defined_count": _defined_count,
}


def named_items(list_id: str) -> tuple[str, ...]:
    """The items of a list that name codes; not the one that takes all the others."""
    rows = read_codelist(load_entry("cause_lists", list_id).items)
    return tuple(rows.loc[(rows["icd10_ranges"].str.strip() != RESIDUAL) & (rows["heading"] == ""), "item"])

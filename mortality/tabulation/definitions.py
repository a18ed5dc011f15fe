"""Definitions of deaths by cause that are no partition: SDG indicators, avoidable deaths, maternal deaths.

A definition has measures; a measure has parts: code ranges with an age span, a sex and a weight. Within one measure a code
stands once (an overlap is an error); several measures may count the same death, and most deaths are in none.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from mortality.tabulation.cause_lists import GAP, UNKNOWN, CauseList, compile_cause_list
from mortality.tabulation.deaths_given import number_of_deaths, require_columns, require_total
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.catalog.loader import load_entry
from tkyt_analysis.errors import InputError

OUTSIDE = "outside"
OUTSIDE_AGE_OR_SEX = "outside_age_or_sex"
AGE_OR_SEX_UNKNOWN = "age_or_sex_unknown"
NOT_COUNTED = (OUTSIDE, OUTSIDE_AGE_OR_SEX, AGE_OR_SEX_UNKNOWN, UNKNOWN)


@dataclass(frozen=True)
class Definition:
    """parts : measure, part, label_vi, label_en, weight, age_from, age_to (completed years, inclusive), sex ("" both), status."""

    id: str
    edition: str
    parts: pd.DataFrame
    measures: dict[str, CauseList]


@cache
def load_definition(definition_id: str) -> Definition:
    """`data_catalog/cause_definitions/<id>.yaml` with its parts; InputError where a code stands twice in one measure."""
    entry = load_entry("cause_definitions", definition_id)
    return compile_definition(entry.id, read_codelist(entry.parts), edition=entry.edition)


def compile_definition(definition_id: str, rows: pd.DataFrame, *, edition: str) -> Definition:
    """A definition from rows: measure, part, label_vi, label_en, icd10_ranges, weight, age_from, age_to, sex, status."""
    wrong = rows[~rows["sex"].isin(["", "male", "female"])]
    weight = pd.to_numeric(rows["weight"], errors="coerce")
    bad = rows.loc[~weight.between(0, 1, inclusive="right"), "part"].tolist() + wrong["part"].tolist()
    if bad:
        raise InputError("error.cause_definition_part", definition=definition_id, parts=", ".join(bad))
    measures = {
        measure: compile_cause_list(
            f"{definition_id}/{measure}", group.rename(columns={"part": "item"}), edition=edition
        )
        for measure, group in rows.groupby("measure", sort=False)
    }
    parts = rows.drop(columns="icd10_ranges").assign(
        weight=weight,
        age_from=pd.to_numeric(rows["age_from"], errors="coerce"),
        age_to=pd.to_numeric(rows["age_to"], errors="coerce"),
    )
    return Definition(definition_id, edition, parts.reset_index(drop=True), measures)


def count_defined_deaths(
    deaths: pd.DataFrame,
    definition: Definition,
    by: list[str] | None = None,
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
) -> pd.DataFrame:
    """Deaths of each part of each measure.

    deaths : as for `tabulate_deaths`, with age_years (completed) and sex (male, female)
    by : columns that name one table
    Returns `by`, measure, part, deaths, weighted. Parts outside, outside_age_or_sex, age_or_sex_unknown and unknown (no valid
    code) hold what a measure does not count, with weight 0: the deaths of every measure add up to the deaths given.
    """
    by = list(by or [])
    require_columns(deaths.columns, [*by, code, "age_years", "sex"])
    number = number_of_deaths(deaths, deaths_column)
    tables = [_measure(deaths, definition, measure, number, by=by, code=code) for measure in definition.measures]
    for table in tables:
        require_total(number, table["deaths"])
    return pd.concat(tables, ignore_index=True)


def _measure(
    deaths: pd.DataFrame, definition: Definition, measure: str, number: pd.Series, *, by: list[str], code: str
) -> pd.DataFrame:
    parts = definition.parts[definition.parts["measure"] == measure].set_index("part")
    part = definition.measures[measure].item_of(deaths[code]).replace({GAP: OUTSIDE})
    part = _within_limits(part, parts, pd.to_numeric(deaths["age_years"], errors="coerce").astype(float), deaths["sex"])
    weight = part.map(parts["weight"]).astype(float).fillna(0.0)
    counted = deaths[by].assign(measure=measure, part=part, deaths=number, weighted=number * weight)
    table = counted.groupby([*by, "measure", "part"], observed=True, dropna=False, sort=False)[["deaths", "weighted"]]
    order = {name: rank for rank, name in enumerate([*parts.index, *NOT_COUNTED])}
    return (
        table.sum()
        .reset_index()
        .sort_values([*by, "part"], key=lambda c: c.map(order) if c.name == "part" else c, ignore_index=True)
    )


def counted_in(
    deaths: pd.DataFrame, definition: Definition, measure: str, *, code: str = "underlying_cause"
) -> pd.Series:
    """Whether each death is one that a measure of a definition counts whole (parts of weight 1), its age and sex included.

    deaths : with `code`, age_years (completed), sex; where `sex` says which table the row counts in, own_sex has the sex
    """
    parts = definition.parts[definition.parts["measure"] == measure].set_index("part")
    part = definition.measures[measure].item_of(deaths[code])
    known = part.isin(parts.index[parts["weight"] == 1])
    own = deaths[known]
    age = pd.to_numeric(own["age_years"], errors="coerce").astype(float)
    sex = own["own_sex"] if "own_sex" in own else own["sex"]
    known.loc[own.index] = ~_within_limits(part[known], parts, age, sex).isin(NOT_COUNTED)
    return known


def _within_limits(part: pd.Series, parts: pd.DataFrame, age: pd.Series, sex: pd.Series) -> pd.Series:
    """The part, or why a death of its codes is not counted: other age or sex, or one of them not known where it matters."""
    low, high = part.map(parts["age_from"]).astype(float), part.map(parts["age_to"]).astype(float)
    wanted = part.map(parts["sex"]).fillna("")
    limited = low.notna() | high.notna()
    known = age.between(0, 130)
    sexed = sex.isin(["male", "female"])
    outside = (limited & known & ((age < low) | (age >= high + 1))) | ((wanted != "") & sexed & (sex != wanted))
    unsure = (limited & ~known) | ((wanted != "") & ~sexed)
    named = np.select([outside, unsure], [OUTSIDE_AGE_OR_SEX, AGE_OR_SEX_UNKNOWN], default=part.to_numpy(dtype=object))
    return pd.Series(named, index=part.index, dtype="str")


def measure_totals(table: pd.DataFrame, by: list[str] | None = None) -> pd.DataFrame:
    """`by`, measure, deaths, weighted: what each measure counts (the parts that are not counted left out)."""
    counted = table[~table["part"].isin(NOT_COUNTED)]
    return (
        counted.groupby([*(by or []), "measure"], sort=False, observed=True)[["deaths", "weighted"]].sum().reset_index()
    )

"""Residence-register figures are no denominator: recognise them by word and by value, and refuse.

The merger dossiers of Resolution 202/2025/QH15 give 112.1 million people, 11 % above the average population of the
statistics office; many lists carry them as "dân số 2025".
"""

from __future__ import annotations

import re

import pandas as pd

from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.reference.population import population
from tkyt_analysis.reference.population_series import TOTAL
from tkyt_analysis.reference.vietnamese_text import fold

TOLERANCE = 0.03  # of the dossiers' sum; by so much they must also exceed the average population, or the two look alike
FIRST_YEAR, LAST_YEAR = 2023, 2030  # years for which such figures are handed round
_WORDS = re.compile(
    r"\bnq ?202\b|202/2025/qh15|ho so sap nhap|ho so sap xep|dang ky cu tru|dan so dang ky|sapnhap\.bando"
)


def refuse_register_figures(file_name: str, words: str, cells: pd.DataFrame) -> None:
    """Raise InputError where the file's words or its province totals show residence-register figures.

    words : all text of the file; cells : unit_id, year, sex, age_group, persons
    """
    said = _WORDS.search(fold(words))
    if said:
        raise _refusal(file_name, label("population.register_words", None, words=said[0]))
    for year, totals in _province_totals(cells).groupby("year"):
        evidence = _looks_like_the_dossiers(int(str(year)), totals.set_index("unit_id")["persons"])
        if evidence:
            raise _refusal(file_name, evidence)


def _refusal(file_name: str, evidence: str) -> InputError:
    return InputError("error.population_register", file=file_name, evidence=evidence)


def _province_totals(cells: pd.DataFrame) -> pd.DataFrame:
    """year, unit_id (VN2025), persons: totals of provinces; of the 63 only where all parts of a new one are there."""
    keys = ["unit_id", "year"]
    provinces = cells[cells["unit_id"].str.fullmatch(r"VN20\d\d:\d\d") & cells["year"].between(FIRST_YEAR, LAST_YEAR)]
    sexes = provinces.assign(rank=(provinces["sex"] != TOTAL) * 2 + (provinces["age_group"] != TOTAL))
    coarsest = sexes[sexes["rank"] == sexes.groupby(keys)["rank"].transform("min")]
    sums = coarsest.groupby(keys, as_index=False)["persons"].sum()
    merge = read_codelist("provinces_2024")
    new_of = dict(zip("VN2024:" + merge["code"], "VN2025:" + merge["code_2025"]))
    sums["new"] = sums["unit_id"].map(new_of).fillna(sums["unit_id"])
    parts = pd.Series(new_of).value_counts()
    grouped = sums.groupby(["year", "new"])
    complete = grouped["unit_id"].transform("size") == sums["new"].map(parts)
    kept = sums[complete | sums["unit_id"].str.startswith("VN2025:")]
    totals = kept.groupby(["year", "new"], as_index=False)["persons"].sum()
    return totals.rename(columns={"new": "unit_id"})


def _looks_like_the_dossiers(year: int, found: pd.Series) -> str:
    """The evidence in words; "" where the figures are not the dossiers', or the two cannot be told apart."""
    table = read_codelist("population_merger_dossier")
    dossier = 1000 * table["total"].astype(float).set_axis("VN2025:" + table["province_code_2025"])
    average = population("VN2025", year, by=(), series="MODEL").set_index("unit_id")["persons"]
    units = found.index.intersection(dossier.index)
    if units.empty:
        return ""
    sums = {
        name: values[units].sum() for name, values in (("found", found), ("dossier", dossier), ("average", average))
    }
    too_high = (sums["dossier"] - sums["average"]) / sums["dossier"]
    to_dossier, to_average = ((found[units] - other[units]).abs().sum() for other in (dossier, average))
    if too_high <= TOLERANCE or to_dossier > TOLERANCE * sums["dossier"] or to_dossier >= to_average:
        return ""
    shown = {name: format_number(total / 1000, 1) for name, total in sums.items()}
    return label("population.register_values", None, n=len(units), year=year, **shown)

"""The code lists of the practice deaths as arrays that can be drawn from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import read_codelist

BROAD_AGES = (
    "age_0_27_days",
    "age_1_11_months",
    "age_1_4",
    "age_5_14",
    "age_15_29",
    "age_30_44",
    "age_45_59",
    "age_60_69",
    "age_70_79",
    "age_80_plus",
)
REGIONS = ("north", "south", "highland")
STYLE_FACTOR = {"southern": (0.15, 3.0, 0.5), "highland": (0.05, 0.05, 6.0)}  # by REGIONS
GARBAGE = "garbage"


@dataclass(frozen=True)
class CauseCodes:
    """The codes that may be drawn; index = code number.

    code, cause : text; male, female : allowed for the sex; age_from, age_to : completed years; weight
    """

    code: np.ndarray
    cause: np.ndarray
    male: np.ndarray
    female: np.ndarray
    age_from: np.ndarray
    age_to: np.ndarray
    weight: np.ndarray

    def number(self, code: str) -> int:
        """The number of a code."""
        return int(np.flatnonzero(self.code == code)[0])

    def allowed(self, number: np.ndarray, sex: np.ndarray, age_years: np.ndarray) -> np.ndarray:
        """Whether each death (sex 0 male, 1 female; completed years) may have the code."""
        sex_fits = np.where(sex == 0, self.male[number], self.female[number])
        return sex_fits & (age_years >= self.age_from[number]) & (age_years <= self.age_to[number])


@cache
def cause_codes() -> CauseCodes:
    """The list `practice_cause_codes`."""
    rows = read_codelist("practice_cause_codes")
    return CauseCodes(
        code=rows["icd10"].to_numpy(object),
        cause=rows["cause"].to_numpy(object),
        male=(rows["sex"] != "female").to_numpy(),
        female=(rows["sex"] != "male").to_numpy(),
        age_from=rows["age_from"].astype(int).to_numpy(),
        age_to=rows["age_to"].astype(int).to_numpy(),
        weight=rows["weight"].astype(float).to_numpy(),
    )


@cache
def codes_of_cause(cause: str) -> tuple[np.ndarray, np.ndarray]:
    """Code numbers of a cause and their probabilities."""
    codes = cause_codes()
    number = np.flatnonzero(codes.cause == cause)
    return number, codes.weight[number] / codes.weight[number].sum()


@cache
def cause_shares(sex: str) -> tuple[np.ndarray, np.ndarray]:
    """Cause names, and their share (causes x BROAD_AGES) of the deaths of a sex; columns sum to 1."""
    rows = read_codelist("practice_cause_shares").query("sex == @sex")
    share = rows[list(BROAD_AGES)].astype(float).to_numpy()
    return rows["cause"].to_numpy(object), share / share.sum(axis=0)


@cache
def broad_group_of_cause() -> dict[str, str]:
    """{cause: ncd | cmpn | injury}; COVID-19 is cmpn."""
    rows = read_codelist("practice_cause_shares")
    return dict(zip(rows["cause"], rows["broad_group"])) | {"covid": "cmpn"}


@cache
def death_rates(year: int) -> pd.Series:
    """Deaths per person-year of a calendar year, by (sex, age_group)."""
    rows = read_codelist("practice_death_rates")
    inside = (rows["year_from"].astype(int) <= year) & (rows["year_to"].astype(int) >= year)
    return rows[inside].set_index(["sex", "age_group"])["deaths_per_1000"].astype(float) / 1000


@cache
def words(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Texts of one part of `practice_person_words`, and their probabilities."""
    rows = read_codelist("practice_person_words").query("part == @part")
    weight = rows["weight"].astype(float).to_numpy()
    return rows["text"].to_numpy(object), weight / weight.sum()


@cache
def header_texts(item: str, vintage: str) -> tuple[np.ndarray, np.ndarray]:
    """Texts for a header or title of a register of this vintage, and their probabilities."""
    rows = read_codelist("practice_a6_headers")
    rows = rows[(rows["item"] == item) & rows["vintage"].isin(["", vintage])]
    weight = rows["weight"].astype(float).to_numpy()
    return rows["text"].to_numpy(object), weight / weight.sum()


@cache
def wording() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Expressions, style of each, and the number of the code of each, ordered by code."""
    rows = read_codelist("practice_cause_wording")
    order = {code: number for number, code in enumerate(cause_codes().code)}
    number = rows["icd10"].map(order).astype(int)
    rows = rows.assign(number=number).sort_values("number", kind="stable")
    return rows["expression"].to_numpy(object), rows["style"].to_numpy(object), rows["number"].to_numpy()


@cache
def _wording_steps(region: int) -> tuple[np.ndarray, np.ndarray]:
    rows = read_codelist("practice_cause_wording")
    weight = {(c, e): float(w) for c, e, w in zip(rows["icd10"], rows["expression"], rows["weight"])}
    texts, style, number = wording()
    code = cause_codes().code
    factor = [STYLE_FACTOR.get(s, (1.0, 1.0, 1.0))[region] for s in style]
    step = np.array([weight[code[n], t] * f for n, t, f in zip(number, texts, factor)])
    upto = np.cumsum(step)
    end = upto[np.searchsorted(number, np.arange(len(code)), side="right") - 1]
    return upto, np.concatenate([[0.0], end])


def draw_expressions(rng: np.random.Generator, code: np.ndarray, region: np.ndarray) -> np.ndarray:
    """One expression for each code number, in the words of the region (number in REGIONS)."""
    texts, _, _ = wording()
    drawn = np.empty(len(code), object)
    luck = rng.random(len(code))
    for number in range(len(REGIONS)):
        here = np.flatnonzero(region == number)
        upto, edge = _wording_steps(number)
        start, end = edge[code[here]], edge[code[here] + 1]
        place = np.searchsorted(upto, start + luck[here] * (end - start), side="right")
        drawn[here] = texts[np.minimum(place, len(texts) - 1)]
    return drawn

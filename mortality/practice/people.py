"""Invented persons: names, addresses and numbers put together by chance."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.vocabulary import words
from tkyt_analysis.catalog import read_codelist

SERIAL_FROM = 900_000  # every invented personal number ends in 9xxxxx; why: docs/death_practice.md
BORN_ELSEWHERE = 0.15  # share of persons whose number was given in another province
INSURANCE_PREFIX = "GD400"  # province 00 does not exist
NO_NUMBER = 0.25  # share of lines whose number was not written down
SOUTH_FROM, NORTH_TO = "70", "38"  # VN2024 province codes


def draw_words(rng: np.random.Generator, part: str, count: int) -> np.ndarray:
    """`count` texts of one part of practice_person_words."""
    texts, share = words(part)
    return texts[rng.choice(len(texts), count, p=share)]


def draw_names(rng: np.random.Generator, sex: np.ndarray) -> np.ndarray:
    """Family, middle and given name for each person (sex 0 male, 1 female)."""
    count = len(sex)
    family = draw_words(rng, "family", count)
    middle = np.where(sex == 0, draw_words(rng, "middle_male", count), draw_words(rng, "middle_female", count))
    given = np.where(sex == 0, draw_words(rng, "given_male", count), draw_words(rng, "given_female", count))
    return np.array([f"{f} {m} {g}" if m else f"{f} {g}" for f, m, g in zip(family, middle, given)], object)


def draw_addresses(rng: np.random.Generator, province: str, count: int) -> np.ndarray:
    """Hamlets in the words of the region: "Thôn 3", "Ấp Phú Mỹ", "Xóm Đông"."""
    kind = draw_words(rng, f"hamlet_{region_of(province)}", count)
    name = draw_words(rng, "hamlet_name", count)
    number = rng.integers(1, 13, count)
    numbered = rng.random(count) < 0.6
    return np.array(
        [f"{k} {n if by_number else t}" for k, n, t, by_number in zip(kind, number, name, numbered)], object
    )


def region_of(province: str) -> str:
    """north, central or south, by VN2024 province code."""
    return "south" if province >= SOUTH_FROM else "north" if province <= NORTH_TO else "central"


def draw_ethnic_groups(rng: np.random.Generator, province: str, remoteness: np.ndarray) -> np.ndarray:
    """Ethnic group; minorities of the region mostly where communes are remote."""
    lowland = draw_words(rng, "ethnic_lowland", len(remoteness))
    highland = draw_words(rng, f"ethnic_{region_of(province)}", len(remoteness))
    return np.where(rng.random(len(remoteness)) < remoteness**2, highland, lowland)


def draw_id_numbers(rng: np.random.Generator, sex: np.ndarray, birth_day: np.ndarray, province: str) -> np.ndarray:
    """Invented personal numbers (`province`: VN2024 code of the batch); a quarter are blank."""
    home = np.full(len(sex), province, object)
    numbers = citizen_numbers(rng, sex, birth_day, home)
    return np.where(rng.random(len(sex)) >= NO_NUMBER, numbers, "")


def citizen_numbers(rng: np.random.Generator, sex: np.ndarray, birth_day: np.ndarray, home: np.ndarray) -> np.ndarray:
    """12 digits as Decree 137/2015 builds them: province of birth, century and sex, year, six digits from 900000 on.

    sex : 0 male, 1 female; home : VN2024 province code of each; no two of the numbers are equal.
    """
    year = dates.year_of(birth_day)
    digit = np.maximum(2 * (year // 100 - 19), 0) + sex
    elsewhere = rng.choice(_province_codes(), len(sex))
    province = np.where(rng.random(len(sex)) < BORN_ELSEWHERE, elsewhere, home)
    head = pd.Series([f"0{p}{d}{y % 100:02d}" for p, d, y in zip(province, digit, year, strict=True)], dtype=object)
    return (head + pd.Series(_serials(rng, head)).astype(str)).to_numpy(object)


def _serials(rng: np.random.Generator, head: pd.Series) -> np.ndarray:
    """Serial numbers that differ wherever `head` is the same."""
    serial = rng.integers(SERIAL_FROM, 1_000_000, len(head))
    for _ in range(50):
        again = pd.Series(serial).groupby([head, pd.Series(serial)]).cumcount().to_numpy() > 0
        if not again.any():
            break
        serial[again] = rng.integers(SERIAL_FROM, 1_000_000, again.sum())
    return serial


@cache
def _province_codes() -> np.ndarray:
    return read_codelist("provinces_2024")["code"].to_numpy(object)


def draw_insurance_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Health insurance card numbers of a province that does not exist; a quarter are blank."""
    serial = rng.integers(0, 10**10, count)
    written = rng.random(count) >= NO_NUMBER
    return np.array([f"{INSURANCE_PREFIX}{s:010d}" if w else "" for s, w in zip(serial, written)], object)

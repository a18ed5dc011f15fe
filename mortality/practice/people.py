"""Invented persons: names, addresses and numbers that cannot belong to anybody."""

from __future__ import annotations

import numpy as np

from mortality.practice import dates
from mortality.practice.vocabulary import words

ID_PROVINCE = "099"  # no province has it: real numbers begin with 001 to 096
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


def draw_id_numbers(rng: np.random.Generator, sex: np.ndarray, birth_day: np.ndarray) -> np.ndarray:
    """12 digits in the shape of a personal number, with a province that does not exist; a quarter are blank."""
    year = dates.year_of(birth_day)
    century_sex = 2 * (year // 100 - 19) + sex
    serial = rng.integers(0, 1_000_000, len(sex))
    written = rng.random(len(sex)) >= NO_NUMBER
    return np.array(
        [
            f"{ID_PROVINCE}{max(c, 0)}{y % 100:02d}{s:06d}" if w else ""
            for c, y, s, w in zip(century_sex, year, serial, written)
        ],
        object,
    )


def draw_insurance_numbers(rng: np.random.Generator, count: int) -> np.ndarray:
    """Health insurance card numbers of a province that does not exist; a quarter are blank."""
    serial = rng.integers(0, 10**10, count)
    written = rng.random(count) >= NO_NUMBER
    return np.array([f"{INSURANCE_PREFIX}{s:010d}" if w else "" for s, w in zip(serial, written)], object)

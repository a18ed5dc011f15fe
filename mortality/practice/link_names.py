"""Invented Vietnamese names for lists to be linked: family, middle and given name by group, sex and generation.

Drawn with the concentration of real names (practice_link_names): Nguyễn is shared by more than a third, a few given
names by very many, minority groups have few family names.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import read_codelist

GROUPS = ("kinh", "thai", "khmer", "mong", "ede", "giarai", "dao")
MIDDLE_OF = {"thai": ("Văn", "Thị"), "khmer": ("", "Thị"), "mong": ("A", "Thị"), "dao": ("Văn", "Thị")}
NO_MIDDLE = 0.25  # of Thai, Khmer, Mông and Dao men


@cache
def link_words(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Texts of one part of `practice_link_names`, and their probabilities."""
    rows = read_codelist("practice_link_names").query("part == @part")
    weight = rows["weight"].astype(float).to_numpy()
    return rows["text"].to_numpy(object), weight / weight.sum()


def draw_link_words(rng: np.random.Generator, part: str, count: int) -> np.ndarray:
    """`count` texts of one part."""
    texts, share = link_words(part)
    return texts[rng.choice(len(texts), count, p=share)]


def draw_groups(rng: np.random.Generator, count: int) -> np.ndarray:
    """The ethnic group of each family (GROUPS)."""
    return draw_link_words(rng, "group", count)


def draw_family_names(rng: np.random.Generator, group: np.ndarray) -> np.ndarray:
    """A family (or clan) name for each person of a group."""
    return _by_group(rng, group, "{}_family")


def draw_given_parts(
    rng: np.random.Generator, group: np.ndarray, sex: np.ndarray, old: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Middle name and given name; sex 0 male, 1 female; old: born before about 1965."""
    middle, given = np.full(len(sex), "", object), np.full(len(sex), "", object)
    for number, word in enumerate(("male", "female")):
        for is_old in (False, True):
            here = np.flatnonzero((sex == number) & (old == is_old))
            suffix = f"_{word}" + ("_old" if is_old else "")
            given[here] = _by_group(rng, group[here], "{}_given" + suffix, plain="{}_given_" + word)
        here = np.flatnonzero(sex == number)
        middle[here] = _middle_names(rng, group[here], number)
    return middle, given


def _middle_names(rng: np.random.Generator, group: np.ndarray, sex: int) -> np.ndarray:
    drawn = draw_link_words(rng, ("kinh_middle_male", "kinh_middle_female")[sex], len(group))
    left_out = (rng.random(len(group)) < NO_MIDDLE) & (sex == 0)
    own = np.array([MIDDLE_OF.get(g, ("", ""))[sex] for g in group], object)
    return np.where(group == "kinh", drawn, np.where(left_out, "", own))


def _by_group(rng: np.random.Generator, group: np.ndarray, part: str, *, plain: str = "") -> np.ndarray:
    drawn = np.full(len(group), "", object)
    for name in GROUPS:
        here = np.flatnonzero(group == name)
        pattern = part if name == "kinh" or not plain else plain
        if len(here):
            drawn[here] = draw_link_words(rng, pattern.format(name), len(here))
    return drawn


def full_names(parts: pd.DataFrame) -> np.ndarray:
    """The whole name as its group orders it; parts: group, sex, family, middle, given."""
    columns = (parts[name] for name in ("group", "sex", "family", "middle", "given"))
    return np.array([_full_name(*row) for row in zip(*columns, strict=True)], object)


def _full_name(group: str, sex: int, family: str, middle: str, given: str) -> str:
    if group == "ede":  # Y Bhim Niê; H'Hen Niê
        return f"Y {given} {family}" if sex == 0 else f"H'{given} {family}"
    if group == "giarai":  # Ksor Nham; Rơ Châm H'Phưn
        return f"{family} {given}" if sex == 0 else f"{family} H'{given}"
    return " ".join(part for part in (family, middle, given) if part)

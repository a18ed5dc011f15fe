"""The elements of the imagined monthly form: `elements.csv` beside this module, and its cells (element × category)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

TIER_OF_SCALE = {"commune": 1, "province": 2, "national": 3}
SEXES_OF_FORM = ("NAM", "NU")
AGES_OF_FORM = ("0_4", "5_14", "15_59", "60")
CATEGORIES: dict[str, tuple[str, ...]] = {
    "default": ("default",),
    "sex": SEXES_OF_FORM,
    "sex_age": tuple(f"{sex}_{age}" for sex in SEXES_OF_FORM for age in AGES_OF_FORM),
}
# Share of an element's events in each category; invented, the same for all elements.
_AGE_WEIGHTS = (0.28, 0.22, 0.36, 0.14)
WEIGHTS = {
    "default": (1.0,),
    "sex": (0.52, 0.48),
    "sex_age": tuple(sex * age for sex in (0.52, 0.48) for age in _AGE_WEIGHTS),
}
DEFAULT_OPTION_COMBO = "HllvX50cXC0"  # the built-in one of every DHIS2


@dataclass(frozen=True)
class Form:
    """The elements and cells of one scale.

    elements : rows of elements.csv, index 0…, with `first` (its first cell) and `width` (its cells)
    cells : one row per element × category: element_id, category, data_set, form (index of its data set),
        weight, code ("ELEMENT" or "ELEMENT.CATEGORY", as the truth table names it), element_uid, option_uid
    data_sets : ids in order
    """

    elements: pd.DataFrame
    cells: pd.DataFrame
    data_sets: list[str]

    def columns(self, element_id: str) -> slice:
        """The cells of one element."""
        row = self.elements.loc[self.elements["element_id"] == element_id].iloc[0]
        return slice(int(row["first"]), int(row["first"] + row["width"]))

    def has(self, element_id: str) -> bool:
        """Whether this scale's form asks for the element."""
        return bool((self.elements["element_id"] == element_id).any())


def uid(*names: object) -> str:
    """A DHIS2 identifier (11 characters, the first a letter) that is always the same for the same names."""
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    alphabet = letters + "0123456789"
    number = int.from_bytes(hashlib.sha256("\x1f".join(map(str, names)).encode()).digest()[:9], "big")
    number, first = divmod(number, len(letters))
    text = letters[first]
    for _ in range(10):
        number, digit = divmod(number, len(alphabet))
        text += alphabet[digit]
    return text


def option_uid(combo: str, category: str) -> str:
    """The categoryOptionCombo of a cell."""
    if combo == "default":
        return DEFAULT_OPTION_COMBO
    return uid("categoryOptionCombo", combo, category)


@cache
def practice_form(scale_id: str) -> Form:
    """The form of a scale: 18 elements (commune), 43 (province) or 106 (national)."""
    path = Path(__file__).with_name("elements.csv")
    elements = pd.read_csv(path, comment="#", dtype={"parent": str}, keep_default_na=False)
    elements = elements[elements["tier"].astype(int) <= TIER_OF_SCALE.get(scale_id, 3)].reset_index(drop=True)
    width = elements["combo"].map(lambda combo: len(CATEGORIES[combo]))
    elements = elements.assign(width=width, first=width.cumsum() - width)
    data_sets = list(dict.fromkeys(elements["data_set"]))
    return Form(elements, _cells(elements, data_sets), data_sets)


def _cells(elements: pd.DataFrame, data_sets: list[str]) -> pd.DataFrame:
    row = np.repeat(np.arange(len(elements)), elements["width"])
    cells = elements.iloc[row][["element_id", "data_set", "combo"]].reset_index(drop=True)
    categories = [name for combo in elements["combo"] for name in CATEGORIES[combo]]
    weights = [weight for combo in elements["combo"] for weight in WEIGHTS[combo]]
    code = [e if c == "default" else f"{e}.{c}" for e, c in zip(cells["element_id"], categories)]
    return cells.assign(
        element=row,
        category=categories,
        weight=weights,
        form=[data_sets.index(data_set) for data_set in cells["data_set"]],
        code=code,
        element_uid=[uid("dataElement", e) for e in cells["element_id"]],
        option_uid=[option_uid(combo, c) for combo, c in zip(cells["combo"], categories)],
    )

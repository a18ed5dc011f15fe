"""Personal ID numbers spoilt on purpose: each kind in the way offices spoil them."""

from __future__ import annotations

from functools import cache

import numpy as np

from tkyt_analysis.catalog import read_codelist

ID_KINDS = ("V_id_length", "V_id_province", "V_id_sex", "V_id_year", "V_id_shared", "V_id_placeholder")


def wrong_number(rng: np.random.Generator, kind: str, number: str) -> str:
    """A 12-digit number with the error of its kind (all ID_KINDS but V_id_shared)."""
    if kind == "V_id_length":
        return _wrong_length(rng, number)
    if kind == "V_id_province":
        return str(rng.choice(_words(kind))) + number[3:]
    if kind == "V_id_sex":
        return number[:3] + str(int(number[3]) ^ 1) + number[4:]
    if kind == "V_id_year":
        return number[:4] + f"{(int(number[4:6]) + int(rng.integers(8, 93))) % 100:02d}" + number[6:]
    return str(rng.choice(_words("V_id_placeholder")))


def _wrong_length(rng: np.random.Generator, number: str) -> str:
    """The zero in front lost, as spreadsheets lose it; a digit left out; a digit twice."""
    place, how = int(rng.integers(6, 11)), int(rng.integers(0, 3))
    if how == 0:
        return number.removeprefix("0")
    return number[:place] + number[place + 1 :] if how == 1 else number[:place] + number[place] + number[place:]


@cache
def _words(kind: str) -> np.ndarray:
    rows = read_codelist("practice_defect_words").query("kind == @kind")
    return np.where(rows["text"] != "", rows["text"], rows["icd10"]).astype(object)

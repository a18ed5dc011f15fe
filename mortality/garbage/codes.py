"""What a code says: broad group, whether it is of use, which type of garbage, how grave. One look per distinct code."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pandas as pd

COMMUNICABLE, NONCOMMUNICABLE, EXTERNAL = "communicable", "noncommunicable", "external"
GROUPS = (COMMUNICABLE, NONCOMMUNICABLE, EXTERNAL)
CATEGORIES = ("1", "2", "3", "4", "5")
SEVERITIES = ("very_high", "high", "medium", "low")
GRAVE = SEVERITIES[:2]
OF_USE = ""
TYPES = "garbage_types"
IMPOSSIBLE = ("2", "very_high")  # codes that never are an underlying cause (S–T, Z, asterisk)
DEFAULTS = {"UNKNOWN_ILL_DEFINED": ("1", "very_high"), "IMMEDIATE": ("3", "high"), "NONSPECIFIC": ("5", "medium")}


def _each(codes: pd.Series, look: Callable[[str], object]) -> pd.Series:
    """`look` of every code, asked once per distinct one."""
    number, distinct = pd.factorize(codes.astype("str"))
    answers = np.empty(len(distinct), dtype=object)  # filled one by one: equal tuples would become a table
    for place, code in enumerate(distinct):
        answers[place] = look(str(code))
    return pd.Series(answers[number] if len(distinct) else [], index=codes.index, dtype="object")


def without_code(codes: pd.Series) -> pd.Series:
    """Whether there is no code, or none that is valid (a cause withheld by law looks like that)."""
    return garbage_types(codes)["no_code"]


def broad_groups(codes: pd.Series) -> pd.Series:
    """communicable, noncommunicable, external, ill_defined, "other" or "unknown" (code list `edit_broad_groups`)."""
    from mortality.validation.edit_summary import broad_group

    return _each(codes, broad_group).astype("str")


def ill_defined(codes: pd.Series) -> pd.Series:
    """Whether a code is ill-defined by the formula of Mathers and others 2005 (its garbage list)."""
    from mortality.garbage.lists import NO_CODE, NOT_UNDERLYING, USABLE, load_garbage_list

    category = load_garbage_list("garbage_mathers_2005").category_of(codes)
    return ~category.isin([USABLE, NO_CODE, NOT_UNDERLYING])


def symptoms(codes: pd.Series) -> pd.Series:
    """Whether a code stands in chapter XVIII of ICD-10 (R00–R99 without R95)."""
    return _within(codes, "R00-R94;R96-R99")


def _within(codes: pd.Series, ranges: str) -> pd.Series:
    from mortality.validation.code_ranges import in_ranges

    return _each(codes, lambda code: bool(code) and in_ranges(code, ranges)).astype(bool)


def wrong_codes(codes: pd.Series, sex: pd.Series) -> pd.Series:
    """Whether a death has a code that never is an underlying cause, or one of the other sex (code list `edit_limits`)."""
    ranges = _ranges_of_one_sex()
    wrong = garbage_types(codes)["impossible"]
    for own, text in ranges.items():
        wrong = wrong | (_within(codes, text) & sex.isin(set(ranges) - {own}))
    return wrong


@cache
def _ranges_of_one_sex() -> dict[str, str]:
    from tkyt_analysis.catalog import read_codelist

    rows = read_codelist("edit_limits")
    rows = rows[rows["check"].isin(["SEX_F", "SEX_M"]) & (rows["country"] == "*")]
    return {sex: ";".join(part["icd10_ranges"]) for sex, part in rows.groupby("sex")}


def garbage_types(codes: pd.Series) -> pd.DataFrame:
    """no_code, impossible, garbage (bool), category ("1"–"5"; "" usable) and severity of each code.

    Garbage is what the list CDC/MITRE 2021 names (the figure of `tkyt deaths garbage`); type and severity of its codes are
    those of the code list `garbage_types`, else by the category of the list.
    """
    from mortality.garbage.lists import NO_CODE, NOT_UNDERLYING, load_garbage_list

    listed = load_garbage_list().category_of(codes.replace("", pd.NA))
    named = _each(codes, _named_type)
    kinds = [
        IMPOSSIBLE if one == NOT_UNDERLYING else (OF_USE, "") if one not in DEFAULTS else own or DEFAULTS[one]
        for one, own in zip(listed, named)
    ]
    table = pd.DataFrame(kinds, columns=["category", "severity"], index=codes.index)
    return table.assign(
        no_code=listed.eq(NO_CODE), impossible=listed.eq(NOT_UNDERLYING), garbage=table["category"] != OF_USE
    )


@cache
def _type_ranges() -> tuple[tuple[str, str, str], ...]:
    from tkyt_analysis.catalog import read_codelist

    return tuple(read_codelist(TYPES)[["category", "severity", "icd10_ranges"]].itertuples(index=False, name=None))


def _named_type(code: str) -> tuple[str, str] | None:
    from mortality.validation.code_ranges import in_ranges

    if not code:
        return None
    return next(((kind, grave) for kind, grave, ranges in _type_ranges() if in_ranges(code, ranges)), None)

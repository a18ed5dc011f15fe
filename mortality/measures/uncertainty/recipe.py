"""What the figures need besides deaths: the standard population, years lost, ages of 30q70, the life table's ax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mortality.measures.uncertainty.draws import Numbers
from mortality.measures.uncertainty.frame import Frame
from mortality.measures.uncertainty.functionals import FUNCTIONALS, Recipe
from tkyt_analysis.errors import InputError, UsageError
from tkyt_analysis.reference.ages import nesting, parse_bands
from tkyt_analysis.reference.standard_populations import bands_of_both, standard_population

PREMATURE = (30, 70)  # SDG 3.4.1


def recipe_of(
    frame: Frame,
    functionals: Sequence[str],
    *,
    shown: Sequence[str],
    per: float,
    standard: str,
    years_lost: Mapping[str, float] | None,
    ncd_causes: Sequence[str] | None,
) -> Recipe:
    """The recipe on the frame's axes, its causes shown as `shown`, without ax; UsageError or InputError where a functional lacks what it needs."""
    unknown = [name for name in functionals if name not in FUNCTIONALS]
    if unknown or not functionals:
        raise UsageError("error.uncertainty_functional", found=", ".join(unknown), known=", ".join(FUNCTIONALS))
    names = tuple(dict.fromkeys(functionals))
    parts: dict[str, Any] = {}
    if "asdr" in names:
        parts |= _standard(frame, standard)
    if {"yll", "yll_rate"} & set(names):
        parts["years_lost"] = _years_lost(frame, years_lost)
    if "30q70" in names:
        parts |= _premature(frame, shown, ncd_causes)
    if "e0" in names:
        parts["width"] = _widths(frame)
    return Recipe(names, frame.groups(), per=per, **parts)


def _standard(frame: Frame, standard: str) -> dict[str, Any]:
    bands = bands_of_both(frame.ages, standard)
    weights = standard_population(standard, bands).set_index("age_group")["standard_population"]
    holds = nesting(frame.ages, bands)
    return {"bands": np.array([bands.index(holds[age]) for age in frame.ages]), "weights": weights[bands].to_numpy()}


def _years_lost(frame: Frame, years_lost: Mapping[str, float] | None) -> Numbers:
    if years_lost is None:
        raise UsageError("error.uncertainty_needs", functional="yll", option="years_lost")
    missing = [age for age in frame.ages if age not in years_lost]
    if missing:
        known = ", ".join(map(str, years_lost))
        raise InputError("error.uncertainty_axis", axis="years_lost", found=", ".join(missing), known=known)
    return np.tile([float(years_lost[age]) for age in frame.ages], (len(frame.sexes), 1))


def _premature(frame: Frame, shown: Sequence[str], ncd_causes: Sequence[str] | None) -> dict[str, Any]:
    if not ncd_causes:
        raise UsageError("error.uncertainty_needs", functional="30q70", option="ncd_causes")
    bands = parse_bands(frame.ages)
    inside = ((bands["low"] >= PREMATURE[0]) & (bands["high"] < PREMATURE[1])).to_numpy()
    if bands.loc[inside, "low"].tolist() != list(range(*PREMATURE, 5)):
        raise InputError("error.uncertainty_axis", axis="30q70", found=", ".join(frame.ages), known="30-34, …, 65-69")
    return {"premature": inside, "ncd": np.flatnonzero(np.isin(list(shown), list(ncd_causes)))}


def _widths(frame: Frame) -> Numbers:
    """Years of each age group, 0 for the open one; InputError where life is not covered from birth without a gap."""
    bands = parse_bands(frame.ages)
    width = (bands["high"] - bands["low"] + 1).to_numpy()
    whole = bands["low"].iloc[0] == 0 and np.isinf(width[-1]) and (np.cumsum(width[:-1]) == bands["low"][1:]).all()
    if not whole:
        raise InputError("error.uncertainty_axis", axis="e0", found=", ".join(frame.ages), known="0, 1-4, 5-9, …, 85+")
    return np.where(np.isinf(width), 0.0, width)


def point_ax(recipe: Recipe, frame: Frame, deaths: Numbers, persons: Numbers) -> tuple[Numbers, str]:
    """(places, groups, ages) ax of the life tables of the point estimate, and how they were chosen.

    deaths : (places, sexes, ages) corrected for completeness; persons : (places, sexes, ages)
    """
    from mortality.measures.life_table import life_tables

    sums = [(deaths[:, list(g)].sum(axis=1) / persons[:, list(g)].sum(axis=1)) for g in recipe.groups]
    names = [name if name in ("male", "female") else "total" for name in frame.group_names()]
    tables = life_tables(np.concatenate(sums), frame.ages, np.repeat(names, len(deaths)))
    ax = tables.ax.reshape(len(recipe.groups), len(deaths), -1).transpose(1, 0, 2)
    return np.where(np.isfinite(ax), ax, _half(recipe.width)), tables.method


def _half(width: npt.NDArray[np.float64]) -> Numbers:
    return width / 2

"""Drawn denominators, and jumps planted into them (E5; synthetic – số liệu mô phỏng)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def draw_population(units: np.ndarray, size: np.ndarray, years: Sequence[int], seed: int) -> pd.DataFrame:
    """Persons of each unit and year, growing by about one per cent a year: unit_id, year, persons."""
    rng = np.random.default_rng([seed, 77])
    growth = rng.normal(0.01, 0.006, len(units))[:, None] * np.arange(len(years))
    persons = np.round(np.asarray(size)[:, None] * np.exp(growth + rng.normal(0, 0.003, growth.shape)))
    rows = pd.DataFrame({"unit_id": np.repeat(units, len(years)), "year": np.tile(list(years), len(units))})
    return rows.assign(persons=persons.ravel())


def plant_population(population: pd.DataFrame, rate: float = 0.01, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """E5: in some rows the number jumps by a quarter to a half, or doubles, for that year alone; (population, truth)."""
    rng = np.random.default_rng([seed, 78])
    chosen = np.flatnonzero(rng.random(len(population)) < rate)
    factor = rng.choice([0.5, 0.67, 1.3, 1.5, 2.0], len(chosen))
    shown = population["persons"].to_numpy(dtype=float).copy()
    shown[chosen] = np.round(shown[chosen] * factor)
    rows = population.iloc[chosen]
    truth = pd.DataFrame({"unit_id": rows["unit_id"], "period_id": rows["year"].astype(str), "kind": "E5"})
    truth = truth.assign(element_id="", category_id="", true_value=rows["persons"], shown_value=shown[chosen])
    return population.assign(persons=shown), truth.assign(id=[f"E5-{at}" for at in chosen]).reset_index(drop=True)

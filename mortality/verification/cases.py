"""The list of reference cases, and how one is run."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

TOPICS = ("rates", "life_tables", "completeness", "age_quality", "causes", "trends", "spatial")
# decrements: life tables by cause, decomposition, Sullivan, years of life lost; units_compared: funnel plots, slope index
MODULES = (
    *("rates", "life_tables", "completeness", "age_quality", "causes", "decrements", "units_compared"),
    *("joinpoint", "trend_models", "surveillance", "excess", "small_areas", "clusters", "suppression"),
)
COLUMNS = ["quantity", "ours", "theirs", "difference", "tolerance", "passes"]
_CASES: dict[str, Case] = {}


@dataclass(frozen=True)
class Case:
    """One folder of the collection and the function that compares it with ours."""

    id: str
    topic: str
    run: Callable[[Path], Iterable[pd.DataFrame]]


def reference_case(
    id: str, *, topic: str
) -> Callable[[Callable[[Path], Iterable[pd.DataFrame]]], Callable[[Path], Iterable[pd.DataFrame]]]:
    """Enter a function as case `id` (the folder's name). It gets the folder and yields tables of `compare`."""

    def enter(run: Callable[[Path], Iterable[pd.DataFrame]]) -> Callable[[Path], Iterable[pd.DataFrame]]:
        _CASES[id] = Case(id, topic, run)
        return run

    return enter


def reference_cases() -> dict[str, Case]:
    """All cases by id; the modules of this package enter them."""
    for module in MODULES:
        importlib.import_module(f"mortality.verification.{module}")
    return dict(_CASES)


def compare(
    quantity: npt.ArrayLike,
    ours: npt.ArrayLike,
    theirs: npt.ArrayLike,
    *,
    tolerance: float,
    relative: bool = False,
) -> pd.DataFrame:
    """quantity, ours, theirs, difference, tolerance, passes: one row per figure.

    quantity : what each figure is, one text or one per figure
    tolerance : largest difference allowed; `relative`: times the size of theirs
    A figure that both leave empty passes; one that only one side has does not.
    """
    mine, other = np.broadcast_arrays(np.asarray(ours, dtype=float).ravel(), np.asarray(theirs, dtype=float).ravel())
    difference = mine - other
    allowed = tolerance * np.abs(other) if relative else np.full(mine.shape, tolerance)
    both_empty = np.isnan(mine) & np.isnan(other)
    names = np.broadcast_to(np.asarray(quantity, dtype=object), mine.shape)
    passes = both_empty | (np.abs(difference) <= allowed) | (mine == other)
    columns = dict(zip(COLUMNS, (names, mine, other, difference, allowed, passes), strict=True))
    return pd.DataFrame(columns)


def reference_folder() -> Path:
    """Where the collection would lie; it need not be there."""
    return Path(os.environ.get("TKYT_REFERENCE", "../shared/reference"))


def run_case(id: str, *, folder: Path | None = None) -> pd.DataFrame:
    """The comparisons of one case, one row per figure; no row where its folder is absent."""
    case = reference_cases()[id]
    places = sorted((folder or reference_folder()).glob(f"methods/*/{id}"))
    tables = list(case.run(places[0])) if places else []
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COLUMNS)


def run_cases(*, topic: str | None = None, folder: Path | None = None) -> pd.DataFrame:
    """One row per case: case, topic, figures, passed, worst (largest difference over its tolerance), found."""
    chosen = [case for case in reference_cases().values() if topic in (None, case.topic)]
    return pd.DataFrame(
        [summary_of(case, run_case(case.id, folder=folder)) for case in chosen],
        columns=["case", "topic", "figures", "passed", "worst", "found"],
    )


def summary_of(case: Case, table: pd.DataFrame) -> dict[str, object]:
    """A row of `run_cases` from the comparisons of one case."""
    share = (table["difference"].abs() / table["tolerance"]).replace(np.inf, np.nan)
    return {
        "case": case.id,
        "topic": case.topic,
        "figures": len(table),
        "passed": int(table["passes"].astype(bool).sum()),
        "worst": share.max(),
        "found": bool(len(table)),
    }

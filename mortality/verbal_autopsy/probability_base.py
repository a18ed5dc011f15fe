"""The probability base of InterVA-5: how likely each indicator is given each cause, as grades that physicians agreed on.

It is not part of the product: it is read from the optional package `vacheck` (GPL-3) where that is installed, or from a
file that the settings name (TKYT_PROBBASE). Source of the method: Byass P et al., An integrated approach to processing
WHO-2016 verbal autopsy data: the InterVA-5 model, BMC Medicine 2019;17:102.
"""

from __future__ import annotations

import csv
import io
import os
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tkyt_analysis.errors import InputError, ProcessingError

SETTING = "TKYT_PROBBASE"
PACKAGE, PACKAGE_FILE = "vacheck", "data/probbaseV5.csv"
# The probabilities that the letters stand for (BMC Medicine 2019;17:102, table of grades).
GRADES = {
    "I": 1.0, "A+": 0.8, "A": 0.5, "A-": 0.2, "B+": 0.1, "B": 0.05, "B-": 0.02, "C+": 0.01, "C": 0.005, "C-": 0.002,
    "D+": 0.001, "D": 5e-4, "D-": 1e-4, "E": 1e-5, "N": 0.0, "": 0.0,
}  # fmt: skip
_DONT_ASK = [f"dontask{n}" for n in range(1, 9)]
_NEEDED = ["indic", "subst", *_DONT_ASK, "doaskif", "nnonly"]
MISSING = -1


@dataclass(frozen=True)
class ProbabilityBase:
    """
    indicators : names in order (i004a …)
    substantive : (indicators,) the answer that counts, 1 yes or 0 no
    never_with, only_with, newborn_only : per indicator, pairs (position of another indicator, its answer)
    groups : {"pregnancy" | "cause" | "circumstance": column positions}
    titles : (columns,) the causes' names as the base has them, without number
    prior : (columns,); given : (indicators, columns), probabilities
    """

    version: str
    indicators: tuple[str, ...]
    substantive: np.ndarray
    never_with: tuple[tuple[tuple[int, int], ...], ...]
    only_with: tuple[tuple[int, int] | None, ...]
    newborn_only: tuple[tuple[int, int] | None, ...]
    groups: dict[str, slice]
    codes: tuple[str, ...]
    titles: tuple[str, ...]
    prior: np.ndarray
    given: np.ndarray

    def position(self, indicator: str) -> int:
        """Where an indicator stands."""
        return self.indicators.index(indicator)


def find_probability_base() -> Path | None:
    """The file that TKYT_PROBBASE names, else the one of the optional package, else None."""
    named = os.environ.get(SETTING, "").strip()
    if named:
        return Path(named)
    package = find_spec(PACKAGE)
    if package is None or not package.submodule_search_locations:
        return None
    path = Path(next(iter(package.submodule_search_locations))) / PACKAGE_FILE
    return path if path.is_file() else None


def require_probability_base() -> ProbabilityBase:
    """The base, or a ProcessingError that says where to get it."""
    path = find_probability_base()
    if path is None:
        raise ProcessingError("error.probbase_absent", package=PACKAGE, setting=SETTING)
    return read_probability_base(path)


@cache
def read_probability_base(path: Path) -> ProbabilityBase:
    """Read the CSV of version 5 (355 rows × 87 columns). Raises InputError where it is another table."""
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as problem:
        raise InputError("error.probbase_unreadable", file=path, why=problem.strerror or str(problem)) from None
    rows = list(csv.reader(io.StringIO(text)))
    header = rows[0] if rows else []
    columns = [at for at, name in enumerate(header) if name[:2] in ("a_", "b_", "c_")]
    if any(name not in header for name in _NEEDED) or len(rows) < 4 or not columns:
        raise InputError("error.probbase_table", file=path, needed=", ".join(_NEEDED))
    unknown = sorted({row[at] for row in rows[2:] for at in columns} - set(GRADES))
    if unknown:
        raise InputError("error.probbase_grades", file=path, found=", ".join(unknown), expected=" ".join(GRADES))
    return _base(header, rows, columns)


def _base(header: list[str], rows: list[list[str]], columns: list[int]) -> ProbabilityBase:
    place = {name: at for at, name in enumerate(header)}
    titles, prior, *body = rows[1:]
    position = {row[place["indic"]]: at for at, row in enumerate(body)}
    letters = [header[at][0] for at in columns]
    return ProbabilityBase(
        version=prior[place["qdesc"] + 1].strip() or prior[place["qdesc"]].strip(),
        indicators=tuple(position),
        substantive=np.array([row[place["subst"]] == "Y" for row in body], dtype=np.int8),
        never_with=tuple(
            tuple(pair for name in _DONT_ASK if (pair := _answer(row[place[name]], position))) for row in body
        ),
        only_with=tuple(_answer(row[place["doaskif"]], position) for row in body),
        newborn_only=tuple(_answer(row[place["nnonly"]], position) for row in body),
        groups={
            group: slice(letters.index(letter), len(letters) - letters[::-1].index(letter))
            for group, letter in (("pregnancy", "a"), ("cause", "b"), ("circumstance", "c"))
        },
        codes=tuple(header[at] for at in columns),
        titles=tuple(_title(titles[at]) for at in columns),
        prior=np.array([GRADES[prior[at]] for at in columns]),
        given=np.array([[GRADES[row[at]] for at in columns] for row in body]),
    )


def _answer(text: str, position: dict[str, int]) -> tuple[int, int] | None:
    """ "i022gY" → (position of i022g, 1)."""
    name, answer = text.strip()[:-1], text.strip()[-1:]
    return (position[name], int(answer == "Y")) if name in position else None


def _title(text: str) -> str:
    """ "01.01 Sepsis (non-obstetric)" → "Sepsis (non-obstetric)"."""
    words = text.strip().split(" ")
    while len(words) > 1 and words[0][:1] in "0123456789&":
        words = words[1:]
    return " ".join(words)

"""The summary table of CoDEdit: findings by check, causes by broad group, the share of ill-defined causes by age and sex."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from mortality.validation.certificate_edits import Block
from mortality.validation.code_cells import CodeCells
from mortality.validation.code_ranges import CodeRanges, ranges_of
from tkyt_analysis.catalog import read_codelist

AGE_FROM = (0, 1, 5, 15, 30, 45, 60, 70, 80)
UNKNOWN = "unknown"
_AGE_NAMES = [
    *(f"{low}" if low + 1 == high else f"{low}-{high - 1}" for low, high in zip(AGE_FROM, AGE_FROM[1:])),
    "80+",
]
AGE_GROUPS = (*_AGE_NAMES, UNKNOWN)
SEXES = ("male", "female", UNKNOWN)


@dataclass(frozen=True)
class EditSummary:
    """Counts that add up over blocks of records.

    findings : check, severity → findings; groups : group → deaths; people : sex, age_group → deaths, coded, ill_defined
    """

    records: int
    findings: pd.DataFrame
    groups: pd.DataFrame
    people: pd.DataFrame

    def __add__(self, other: EditSummary) -> EditSummary:
        return EditSummary(
            self.records + other.records,
            _sum(self.findings, other.findings),
            _sum(self.groups, other.groups),
            _sum(self.people, other.people),
        )

    @property
    def coded(self) -> int:
        return int(self.people["coded"].sum())

    @property
    def ill_defined(self) -> int:
        return int(self.people["ill_defined"].sum())


def summarise_edits(
    frame: pd.DataFrame, findings: pd.DataFrame, *, country: str = "VN", edition: int = 2019
) -> EditSummary:
    """Counts of records (see `edit_certificates` for the columns) and of the findings on them.

    A record counts under its underlying cause (given, or its only code); ill-defined after WHO's list (`edit_ill_defined`),
    the groups after `edit_broad_groups`.
    """
    block = Block(frame.reset_index(drop=True), country, edition)
    code, ill_defined = _underlying(block.cells)
    sex = np.where(block.sex == "", UNKNOWN, block.sex)
    people = pd.DataFrame(
        {"sex": sex, "age_group": _age_groups(block.age["years"].to_numpy()), "deaths": 1, "coded": code != "", "ill_defined": ill_defined}
    )  # fmt: skip
    groups = pd.DataFrame({"group": _groups(code), "deaths": 1})
    return EditSummary(
        len(frame),
        _sum(findings.assign(findings=1)[["severity", "check", "findings"]]),
        _sum(groups),
        _sum(people),
    )


def _sum(*parts: pd.DataFrame) -> pd.DataFrame:
    """The parts added up: one row per combination of their columns of words."""
    rows = pd.concat(parts, ignore_index=True)
    keys = [name for name in rows if name in ("severity", "check", "group", "sex", "age_group")]
    return rows.groupby(keys, as_index=False, sort=True).sum()


def _underlying(cells: CodeCells) -> tuple[np.ndarray, np.ndarray]:
    """For each row its underlying cause ("" none) and whether it is ill-defined."""
    code, ill = np.full(cells.rows, "", dtype=object), np.zeros(cells.rows, dtype=bool)
    at = cells.row[cells.underlying]
    code[at], ill[at] = cells.of("code")[cells.underlying], cells.of("ill_defined")[cells.underlying]
    return code, ill


def _age_groups(years: np.ndarray) -> np.ndarray:
    place = np.searchsorted(AGE_FROM, years, side="right") - 1
    names = np.array(AGE_GROUPS, dtype=object)
    return np.where(np.isnan(years) | (years > 130), UNKNOWN, names[np.clip(place, 0, len(AGE_FROM) - 1)])


@cache
def _group_ranges() -> tuple[tuple[str, CodeRanges], ...]:
    rows = read_codelist("edit_broad_groups")
    return tuple((row.group, ranges_of(row.icd10_ranges)) for row in rows.itertuples())


def _groups(codes: np.ndarray) -> np.ndarray:
    number, distinct = pd.factorize(codes)
    return np.array([broad_group(code) for code in distinct] or [""], dtype=object)[number]


def broad_group(code: str) -> str:
    """communicable | noncommunicable | external | ill_defined, "other" for codes of none, "unknown" for no code."""
    if not code:
        return UNKNOWN
    return next((group for group, ranges in _group_ranges() if code in ranges), "other")

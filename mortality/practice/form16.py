"""Biểu 16/BCH: counts of registered deaths by district, cumulative over 3, 6, 9 and 12 months.

Counts are arrays of cause row (0 = TỔNG SỐ, 1-25) by column (COUNT_COLUMNS). They come from the registered
deaths as they truly were (true date, age and sex; duplicates counted once) and the cause in the book.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from mortality.practice import dates
from mortality.practice.vocabulary import cause_codes
from tkyt_analysis.catalog import read_codelist

COUNT_COLUMNS = ("total", "female", "age_0", "age_1_4", "age_5_14", "age_15_59", "age_60_plus", "maternal")
COLUMN_LETTERS = dict(zip(COUNT_COLUMNS, "CDEFGHIJ"))
CAUSE_ROWS = 25
WORK_ACCIDENT_ROW, MATERNAL_ROW, OTHER_ROW = 23, 18, 25
AGE_COLUMN = 2  # number of the first age column
NBSP = "\u00a0"
FORM_SHARE = {"F12": 0.06, "B4": 0.001, "B5": 0.03, "B9": 0.002}  # quality.md section 7


def form_rows() -> pd.DataFrame:
    """Rows of the form: row, label_vi, label_en, icd10_ranges, status."""
    return read_codelist("form16bch_rows")


def row_of_code(code: str) -> int:
    """The cause row that counts an ICD-10 code; a subcategory wins, then the lower row number.

    Raises ValueError for a code that no row claims.
    """
    claims = [(len(low), -row, row) for row, low, high in _ranges() if low <= code[: len(low)] <= high]
    if not claims:
        raise ValueError(f"Biểu 16/BCH: no row counts {code}")
    return max(claims)[2]


@cache
def _ranges() -> list[tuple[int, str, str]]:
    rows = form_rows()
    parts = [(int(r), part) for r, text in zip(rows["row"], rows["icd10_ranges"]) for part in text.split(";") if part]
    return [(row, part.partition("-")[0], part.partition("-")[2] or part) for row, part in parts]


@cache
def _row_of_number() -> np.ndarray:
    return np.array([row_of_code(code) for code in cause_codes().code])


def count_cells(deaths: pd.DataFrame, code_in_book: np.ndarray) -> pd.DataFrame:
    """Registered deaths as rows of the long count table: unit_id, district_id, month (1-12), row, column.

    One death makes one row per column it counts in (total, perhaps female, its age, perhaps maternal).
    """
    row = np.where(deaths["work_accident"], WORK_ACCIDENT_ROW, _row_of_number()[code_in_book])
    age = deaths["age_years"].to_numpy()
    age_column = AGE_COLUMN + np.searchsorted([1, 5, 15, 60], age, side="right")
    base = pd.DataFrame(
        {
            "unit_id": deaths["unit_id"].to_numpy(),
            "district_id": deaths["district_id"].to_numpy(),
            "month": dates.month_of(deaths["death_day"].to_numpy()),
            "row": row,
        }
    )
    female = (deaths["sex"] == 1).to_numpy()
    maternal = (row == MATERNAL_ROW) & female & (age >= 15) & (age < 60)
    parts = [
        base.assign(column=0),
        base[female].assign(column=1),
        base.assign(column=age_column),
        base[maternal].assign(column=len(COUNT_COLUMNS) - 1),
    ]
    return pd.concat(parts, ignore_index=True)


def monthly_counts(cells: pd.DataFrame, districts: list[str]) -> np.ndarray:
    """Counts by district x month x cause row (0 = all) x column."""
    counts = np.zeros((len(districts), 12, CAUSE_ROWS + 1, len(COUNT_COLUMNS)), np.int64)
    place = pd.Index(districts).get_indexer(cells["district_id"])
    index = (place, cells["month"].to_numpy() - 1, cells["row"].to_numpy(), cells["column"].to_numpy())
    np.add.at(counts, index, 1)
    counts[:, :, 0, :] = counts[:, :, 1:, :].sum(axis=2)
    return counts


def plant_list_differences(
    rng: np.random.Generator, cells: pd.DataFrame, counts: np.ndarray, districts: list[str], *, factor: float
) -> tuple[np.ndarray, pd.DataFrame]:
    """F12: in 6 % of commune-months one cause row of the form differs by one man of 60 or over.

    Returns the changed counts and what was planted: unit_id, district_id, month, row, true_value, shown_value
    (deaths of that commune, month and row).
    """
    totals = cells[cells["column"] == 0]
    groups = totals.groupby(["unit_id", "district_id", "month"], sort=True)["row"].agg(list).reset_index()
    chosen = groups[rng.random(len(groups)) < FORM_SHARE["F12"] * factor].copy()
    luck = rng.random(len(chosen))
    chosen["row_changed"] = [rows[int(u * len(rows))] for rows, u in zip(chosen["row"], luck)]
    chosen["true_value"] = [rows.count(row) for rows, row in zip(chosen["row"], chosen["row_changed"])]
    place = pd.Index(districts).get_indexer(chosen["district_id"])
    month, row = chosen["month"].to_numpy() - 1, chosen["row_changed"].to_numpy()
    old_men = counts[place, month, row, 6] - np.minimum(counts[place, month, row, 6], counts[place, month, row, 1])
    change = np.where((rng.random(len(chosen)) < 0.6) & (old_men > 0), -1, 1)
    changed = counts.copy()
    for column in (0, 6):
        for target in (row, np.zeros_like(row)):
            np.add.at(changed, (place, month, target, column), change)
    negative = changed[place, month].min(axis=(1, 2)) < 0
    return _without(changed, chosen, change, negative, place, month, row)


def _without(
    changed: np.ndarray,
    chosen: pd.DataFrame,
    change: np.ndarray,
    wrong: np.ndarray,
    place: np.ndarray,
    month: np.ndarray,
    row: np.ndarray,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Take back the changes that would have made a count negative."""
    for column in (0, 6):
        for target in (row, np.zeros_like(row)):
            np.add.at(changed, (place[wrong], month[wrong], target[wrong], column), -change[wrong])
    planted = chosen.assign(row=row, shown_value=chosen["true_value"] + change).drop(columns="row_changed")
    return changed, planted[~wrong].reset_index(drop=True)


def cumulative(counts: np.ndarray, months: int) -> np.ndarray:
    """Counts of the first `months` months, by district x cause row x column."""
    return counts[:, :months].sum(axis=1)


def plan_form_defects(
    rng: np.random.Generator, districts: int, periods: int, *, factor: float, at_least_one: bool
) -> dict[str, np.ndarray]:
    """Which forms (district x period) are spoilt as a whole: {"B5": …, "B4": …}; never both."""
    luck = rng.random((2, districts, periods))
    b5 = luck[0] < FORM_SHARE["B5"] * factor
    if at_least_one and periods > 1 and not b5[:, 1:].any():
        b5[rng.integers(districts), rng.integers(1, periods)] = True
    b5[:, 0] = False
    b4 = (luck[1] < FORM_SHARE["B4"] * factor) & ~b5
    if at_least_one and not b4.any():
        free = np.argwhere(~b5)
        b4[tuple(free[rng.integers(len(free))])] = True
    return {"B5": b5, "B4": b4}


def plant_form_defects(
    rng: np.random.Generator,
    true: np.ndarray,
    quarter: np.ndarray,
    planned: dict[str, np.ndarray],
    *,
    factor: float,
) -> tuple[np.ndarray, dict[tuple[int, int, int], str]]:
    """Defects of whole forms and of cells, for all districts of one period.

    B5: the last quarter alone stands where the running total belongs. B4: the age columns stand one column
    too far right. B9: separators, units and no-break spaces in cells. `planned`: by district, per kind.
    Returns shown values as text (district x row x column) and the kind of each changed cell.
    """
    shown = true.astype(str).astype(object)
    kinds: dict[tuple[int, int, int], str] = {}
    for place in np.flatnonzero(planned["B5"]).tolist():
        shown[place] = quarter[place].astype(str).astype(object)
        _note(kinds, "B5", place, true[place].astype(str) != shown[place])
    for place in np.flatnonzero(planned["B4"]).tolist():
        shown[place, :, AGE_COLUMN + 1 :] = shown[place, :, AGE_COLUMN:-1].copy()
        shown[place, :, AGE_COLUMN] = ""
        _note(kinds, "B4", place, true[place].astype(str) != shown[place])
    spoilt = planned["B5"] | planned["B4"]
    for place, row, column in np.argwhere(rng.random(true.shape) < FORM_SHARE["B9"] * factor).tolist():
        value = int(true[place, row, column])
        if not spoilt[place] and value > 0:
            shown[place, row, column] = _strange_number(value, int(rng.integers(2)))
            kinds[place, row, column] = "B9"
    return shown, kinds


def _note(kinds: dict[tuple[int, int, int], str], kind: str, place: int, changed: np.ndarray) -> None:
    for row, column in np.argwhere(changed).tolist():
        kinds[place, row, column] = kind


def _strange_number(value: int, how: int) -> str:
    if value >= 1000:
        return f"{value // 1000}.{value % 1000:03d}"
    return f"{value} ca" if how else f"{NBSP}{value}{NBSP}"


def book_codes(deaths: pd.DataFrame, lines: pd.DataFrame) -> np.ndarray:
    """The code in the book of each registered death (rows of `deaths` where registered, in order)."""
    own = lines.drop_duplicates("death_row").set_index("death_row")["code"]
    return own.loc[deaths.index[deaths["registered"]]].to_numpy()

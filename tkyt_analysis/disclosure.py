"""Small numbers, hidden once, where figures reach a person who may not see them or leave in a file.

Who gets what (docs/explorer_tables.md says the same to users):

=========  ========================================================================================================
purpose    rule
=========  ========================================================================================================
screen     An account sees the true counts of the places it may read: they are its own reports. Deaths by cause below
           the level of a province, fewer than k, are hidden from accounts without the grant "identifiers".
export     A file may travel further than its maker: every count below k and all that leads to it is hidden. The default.
internal   A file for work inside ("nội bộ"): as on the screen. Only for accounts that may read the records.
=========  ========================================================================================================

k is dated catalog data (data_catalog/thresholds/small_numbers.yaml). Zeros stay unless the catalog hides them too. What is
hidden: counts of events from 1 to k-1, rates with such a numerator, and as many further cells as it takes that no hidden one
follows from the totals shown (`tkyt_analysis.disclosure_cells`). Population, means of populations and reporting rates are no
confidential counts. Causes of HIV are withheld from releases before any figure is made.

A table is protected by itself: two tables that share cells, or the same table at two dates, are not compared.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from tkyt_analysis.cube.model import NATION, SUPPRESSED, TOTAL, Measure
from tkyt_analysis.disclosure_cells import complement, sums_of
from tkyt_analysis.errors import InputError
from tkyt_analysis.explorer.layout import Pivot
from tkyt_analysis.explorer.shows import earlier_places, running_sums
from tkyt_analysis.explorer.table_lines import MEASURE, without_subtotals

if TYPE_CHECKING:
    from tkyt_analysis.access.decision import Account
    from tkyt_analysis.cube.model import Figures

PURPOSES = ("screen", "export", "internal")
NOTHING, CAUSES, EVERYTHING = "nothing", "causes_below_province", "everything"
BELOW_PROVINCE = frozenset({"district", "commune", "facility_type", "facility"})
_PROVINCE = re.compile(r"VN\d{4}:\d{2}")


@dataclass(frozen=True)
class Rule:
    """What is hidden: `hides` nothing, deaths by cause below the province, or every small count; counts from 1 to
    least_count - 1, and zeros where `hide_zero`."""

    hides: str = NOTHING
    least_count: int = 5
    hide_zero: bool = False


def rule_for(account: Account | None, purpose: str = "screen", *, day: datetime.date | None = None) -> Rule:
    """The rule for an account (None: the public) and a purpose, with the numbers in force on `day` (default today).

    Raises InputError for "internal" without the right to read records, and for an unknown purpose.
    """
    from tkyt_analysis.access.decision import rights
    from tkyt_analysis.catalog import load_entry

    if purpose not in PURPOSES:
        raise InputError("error.disclosure_purpose", purpose=purpose, expected=", ".join(PURPOSES))
    held = rights(account) if account is not None and account.active else frozenset()
    numbers = load_entry("thresholds", "small_numbers").at(day or datetime.date.today())
    everything = Rule(EVERYTHING, int(numbers["least_count"]), bool(numbers["hide_zero"]))
    if purpose == "internal" and "read" not in held:
        raise InputError("error.disclosure_internal", account=account.name if account else "–")
    if purpose == "export" or "read" not in held:
        return everything
    return replace(everything, hides=NOTHING if "read_identifiers" in held else CAUSES)


def protect(pivot: Pivot, rule: Rule) -> Pivot:
    """The table without what the rule hides; hidden cells have the status "suppressed" and no number in any array.

    The rows of its figures keep what the table shows, and nothing else. A table with nothing to hide comes back as it is.
    """
    if rule.hides == NOTHING:
        return pivot
    plain = without_subtotals(pivot)
    hidden = hidden_cells(plain, rule)
    if hidden.any():
        pivot = plain  # a subtotal would be one more equation about what is hidden
    else:
        hidden = np.zeros(pivot.value.shape, dtype=bool)
    if not hidden.any():
        return replace(pivot, figures=_only_shown(pivot, hidden))
    return _without(pivot, hidden)


def hidden_cells(pivot: Pivot, rule: Rule) -> np.ndarray:
    """Which cells the rule hides: small ones, and those that would give them away."""
    rows, row_total = _groups(pivot.row_keys, pivot.layout.rows)
    columns, column_total = _groups(pivot.column_keys, pivot.layout.columns)
    shape = (int(rows.max(initial=-1)) + 1, int(columns.max(initial=-1)) + 1)
    place = rows[:, None] * shape[1] + columns[None, :]
    cause = _about_a_cause(pivot)
    found = np.zeros(pivot.value.shape, dtype=bool)
    for values, numerators, denominators in _counted(pivot, rule, place, shape):
        small = (values > 0) & (values < rule.least_count) | ((values == 0) & rule.hide_zero)
        if rule.hides == CAUSES:
            small &= _spread(np.where(cause, 1.0, np.nan), numerators, place, shape) == 1
        hidden = _complemented(small, values, row_total, column_total, rule=rule, shows=pivot.layout.shows)
        found |= (numerators | denominators) & hidden.ravel()[place]
    return _with_changes(pivot, found & (np.isfinite(pivot.numerator) | np.isfinite(pivot.value)))


def _counted(
    pivot: Pivot, rule: Rule, place: np.ndarray, shape: tuple[int, int]
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """The different confidential counts of the table: (what they are on the grid without measures, the cells that have
    them as numerator, the cells that have them as denominator). Measures with the same numerators share one."""
    measures = [one for one in pivot.figures.measures.values() if _covered(pivot, one, rule)]
    cells = [pivot.measure == one.id for one in measures]
    found: list[tuple[np.ndarray, np.ndarray]] = []
    for mine in cells:
        values = _spread(pivot.numerator, mine, place, shape)
        same = next((number for number, (known, _) in enumerate(found) if _agree(known, values)), None)
        if same is None:
            found.append((values, mine))
        else:
            found[same] = np.fmax(found[same][0], values), found[same][1] | mine
    under = [_spread(pivot.denominator, mine, place, shape) for mine in cells]
    none = np.zeros(pivot.value.shape, dtype=bool)
    return [
        (
            values,
            own,
            np.logical_or.reduce([none, *(mine for mine, below in zip(cells, under) if _agree(values, below))]),
        )
        for values, own in found
    ]


def _agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two counts are the same wherever both are known."""
    known = np.isfinite(one) & np.isfinite(other)
    return bool(known.any()) and bool(np.allclose(one[known], other[known]))


def _complemented(
    small: np.ndarray, values: np.ndarray, row_total: int, column_total: int, *, rule: Rule, shows: str
) -> np.ndarray:
    """The small cells and what must go with them, of one grid with its totals (-1: it shows none)."""
    number = np.arange(values.size).reshape(values.shape)
    costly = np.zeros(values.shape, dtype=bool)
    parts = []
    for grid, total, across in ((number, column_total, row_total), (number.T, row_total, column_total)):
        if total >= 0:
            sums, body = grid[:, total], np.delete(grid, total, axis=1)
            out = (np.arange(len(sums)) != across) == (grid is number)
            known = np.isfinite(values.flat[sums])
            parts += [
                (line[np.isfinite(values.flat[line])], int(one), bool(flows))
                for line, one, flows in zip(body[known], sums[known], out[known])
            ]
            costly.flat[sums] = True
    found = complement(
        small.ravel(),
        values.ravel(),
        sums_of(parts, values.size),
        costly=costly.ravel(),
        known=_hundreds(values.shape, row_total, column_total, shows).ravel(),
        least=0.0 if rule.hide_zero else 1.0,
    )
    return found.reshape(values.shape)


def _hundreds(shape: tuple[int, int], row_total: int, column_total: int, shows: str) -> np.ndarray:
    """The totals that are 100 % in a table of shares, hidden or not: of the columns, of the rows, or of all."""
    found = np.zeros(shape, dtype=bool)
    if shows == "share_column" and row_total >= 0:
        found[row_total] = True
    if shows == "share_row" and column_total >= 0:
        found[:, column_total] = True
    if shows == "share_all" and row_total >= 0 and column_total >= 0:
        found[row_total, column_total] = True
    return found


def _groups(keys: list[tuple[str, ...]], dimensions: tuple[str, ...]) -> tuple[np.ndarray, int]:
    """(number of each line's combination without its measure, number of the total or -1)."""
    places = [place for place, name in enumerate(dimensions) if name != MEASURE]
    combined = [tuple(key[place] for place in places) for key in keys]
    numbers = {one: number for number, one in enumerate(dict.fromkeys(combined))}
    total = numbers.get((TOTAL,) * len(places), -1) if places else -1
    return np.array([numbers[one] for one in combined], dtype=int), total


def _spread(values: np.ndarray, mine: np.ndarray, place: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The values of some cells on the grid without measures; where several measures stand, the largest known."""
    grid = np.full(shape[0] * shape[1], -np.inf)
    known = mine & np.isfinite(values)
    np.maximum.at(grid, place[known], values[known])
    return np.where(np.isfinite(grid), grid, np.nan).reshape(shape)


def _with_changes(pivot: Pivot, hidden: np.ndarray) -> np.ndarray:
    """In a table of changes also the cells that are compared with a hidden one, in a cumulative one those that hold it."""
    if pivot.layout.shows == "cumulative":
        return hidden | (running_sums(pivot, hidden.astype(float)) > 0) & np.isfinite(pivot.value)
    if not pivot.layout.shows.startswith("change_"):
        return hidden
    rows, columns = earlier_places(pivot, pivot.layout.shows.removeprefix("change_"))
    known = (rows >= 0)[:, None] & (columns >= 0)[None, :]
    return hidden | (known & hidden[np.ix_(rows, columns)] & np.isfinite(pivot.value))


def _covered(pivot: Pivot, measure: Measure, rule: Rule) -> bool:
    """Whether a rule is about a measure in this table."""
    confidential = measure.method != "average" and not measure.numerator.startswith("report:")
    if rule.hides == EVERYTHING or not confidential:
        return confidential
    return _below_province(pivot.figures) and "cause" in measure.dimensions


def _below_province(figures: Figures) -> bool:
    view = figures.view
    narrow = view.place != NATION and not _PROVINCE.fullmatch(view.place)
    filtered = {name for name, _ in view.where}
    return narrow or bool(BELOW_PROVINCE & {*view.by, *filtered})


def _about_a_cause(pivot: Pivot) -> np.ndarray:
    """Which cells count deaths of particular causes."""
    by_items = [one.id for one in pivot.figures.measures.values() if one.options.get("items")]
    found = np.isin(pivot.measure.astype(str), by_items)
    if any(name == "cause" for name, _ in pivot.figures.view.where):
        return np.ones_like(found)
    for keys, names, shape in (
        (pivot.row_keys, pivot.layout.rows, (-1, 1)),
        (pivot.column_keys, pivot.layout.columns, (1, -1)),
    ):
        if "cause" in names:
            place = names.index("cause")
            found = found | np.array([key[place] != TOTAL for key in keys]).reshape(shape)
    return found


def _without(pivot: Pivot, hidden: np.ndarray) -> Pivot:
    names = ("value", "lower", "upper", "numerator", "denominator", "shown")
    numbers = {name: np.where(hidden, np.nan, getattr(pivot, name)) for name in names}
    status = np.where(hidden, SUPPRESSED, pivot.status)
    return replace(pivot, figures=_only_shown(pivot, hidden), status=status, **numbers)  # type: ignore[arg-type]


def _only_shown(pivot: Pivot, hidden: np.ndarray) -> Figures:
    """The figures with the rows that the table shows, hidden ones without numbers."""
    frame = pivot.figures.rows
    rows = _places(frame, pivot.row_keys, pivot.layout.rows)
    columns = _places(frame, pivot.column_keys, pivot.layout.columns)
    shown = (rows >= 0) & (columns >= 0)
    kept = frame[shown]
    gone = hidden[rows[shown], columns[shown]]
    numbers = {name: kept[name].mask(gone) for name in ("numerator", "denominator", "value", "lower", "upper")}
    status = kept["status"].mask(gone, SUPPRESSED)
    return replace(pivot.figures, rows=kept.assign(**numbers, status=status))


def _places(frame: pd.DataFrame, keys: list[tuple[str, ...]], names: tuple[str, ...]) -> np.ndarray:
    if not names:
        return np.zeros(len(frame), dtype=int)
    known = pd.MultiIndex.from_tuples(keys, names=names)
    return known.get_indexer(pd.MultiIndex.from_frame(frame[list(names)]))

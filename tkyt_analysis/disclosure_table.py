"""A table with all its margins: which cells to hide at least cost, and what a reader can still work out about them.

Pure tables, any number of dimensions. Small counts are hidden first (primary); then further cells (secondary), so that the
sums leave every small count an interval of at least `margin` of its size on both sides. The cheapest pattern is found by
integer programming (Fischetti & Salazar-González, Manage Sci 2001;47:1008-27), larger tables one primary cell after another by
linear programming (Robertson 1993; Kelly, Golden & Assad, Networks 1992;22:397-417). Both use HiGHS through scipy. `audit_table`
solves for the smallest and the largest number that each hidden cell can hold; nothing is called safe without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from tkyt_analysis.disclosure_input import COSTS, METHODS, count_column, require_positive, table_option, with_counts
from tkyt_analysis.errors import InputError

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
SHOWN, PRIMARY, SECONDARY, ZERO = "shown", "primary", "secondary", "zero"
# The exact pattern is sought while (primary cells × all cells) is below this; it takes seconds there.
EXACT_SIZE = 6_000
_TINY = 1e-6


@dataclass(frozen=True, eq=False)
class Grid:
    """Cells with their margins: `sums @ value = 0`, one row of `sums` (sparse) per margin along one dimension."""

    cells: pd.DataFrame
    value: Numbers
    sums: Any


def suppress_table(
    counts: pd.DataFrame,
    dimensions: str | Sequence[str] | None = None,
    *,
    value: str | None = None,
    total: str = "Total",
    least: float = 5,
    margin: float = 0.10,
    cost: str = "value",
    method: str = "auto",
) -> pd.DataFrame:
    """Every cell and margin of the table with what becomes of it.

    Parameters
    ----------
    counts : one row per cell without margins: the dimensions and `value` (0 or more). Absent combinations are zeros.
        Without `value` and without a column of numbers beside the dimensions every row is one event, counted as n
    dimensions : default: every column but `value`; value : default: n, count …, else the one column of numbers
    total : word for "all" in the result; must be no member
    least : counts above 0 and below it are hidden; zeros are shown
    margin : least distance of both ends of a hidden small count's interval from the count, as a share of it
    cost : "value" (as few events hidden as possible) or "cells" (as few cells)
    method : "optimal", "one_by_one", or "auto" (optimal up to EXACT_SIZE)

    Returns the dimensions, `value`, status (shown, primary, secondary, zero), lower, upper (what a reader can work out
    about a hidden cell; the value where it is shown). `attrs["method"]` names the rule and the search.
    Raises UsageError for unknown options, InputError for absent columns, negative or absent counts, a repeated combination, or a member named as `total`.
    """
    method, cost = table_option("method", method, METHODS), table_option("cost", cost, COSTS)
    for option, number in (("least", least), ("margin", margin)):
        require_positive(option, number)
    counts, names, value = with_counts(counts, dimensions, value)
    grid = grid_of(counts, names, value=value, total=total)
    primary = (grid.value > 0) & (grid.value < least)
    price = np.where(grid.value > 0, grid.value if cost == "value" else 1.0, np.inf)
    exact = method == "optimal" or (method == "auto" and primary.sum() * len(grid.value) <= EXACT_SIZE)
    search = _optimal if exact else _one_by_one
    hidden = search(grid, primary, price, margin) if primary.any() else primary
    table = grid.cells.assign(status=np.select([primary, hidden, grid.value == 0], [PRIMARY, SECONDARY, ZERO], SHOWN))
    table[["lower", "upper"]] = np.column_stack(_bounds(grid, hidden))
    table.attrs["method"] = f"least={least:g}; margin={margin:g}; cost={cost}; {search.__name__.strip('_')}"
    return table


def audit_table(
    table: pd.DataFrame,
    dimensions: Sequence[str],
    *,
    value: str | None = None,
    total: str = "Total",
    margin: float = 0.10,
) -> pd.DataFrame:
    """Primary cells of a result of `suppress_table` (or of another program) that a reader can bound too closely.

    table : the dimensions, `value`, status; margins are the rows that have `total` in a dimension. What is neither
    "primary" nor "secondary" counts as shown.
    Returns the rows that are not protected, with lower and upper; none is the good answer.
    """
    value = value or count_column(table, [*dimensions, "lower", "upper"]) or "n"
    inner = table[(table[list(dimensions)] != total).all(axis=1)]
    grid = grid_of(inner, dimensions, value=value, total=total)
    states = grid.cells.merge(table[[*dimensions, "status"]], on=list(dimensions), how="left")["status"]
    hidden = states.isin([PRIMARY, SECONDARY]).to_numpy()
    lower, upper = _bounds(grid, hidden)
    near = (upper < grid.value * (1 + margin) - _TINY) | (lower > grid.value * (1 - margin) + _TINY)
    exposed = (states == PRIMARY).to_numpy() & near
    return grid.cells.assign(status=states, lower=lower, upper=upper)[exposed].reset_index(drop=True)


def grid_of(counts: pd.DataFrame, dimensions: Sequence[str], *, value: str = "n", total: str = "Total") -> Grid:
    """The cells of a table with every margin, and the sums that tie them together."""
    names = list(dimensions)
    _require_counts(counts, names, value, total)
    sums = counts.set_index(names)[value].astype(float)
    members = [[*sums.index.unique(name), total] for name in names]
    inner = sums.reindex(pd.MultiIndex.from_product([some[:-1] for some in members], names=names), fill_value=0.0)
    cube = inner.to_numpy().reshape([len(some) - 1 for some in members])
    for axis in range(len(names)):
        cube = np.concatenate([cube, cube.sum(axis=axis, keepdims=True)], axis=axis)
    cells = pd.MultiIndex.from_product(members, names=names).to_frame(index=False)
    return Grid(cells.assign(**{value: cube.ravel()}), cube.ravel(), _relations(cube.shape))


def _require_counts(counts: pd.DataFrame, names: list[str], value: str, total: str) -> None:
    absent = [name for name in (*names, value) if name not in counts]
    if absent or not names:
        raise InputError(
            "error.disclosure_columns", missing=", ".join(absent), found=", ".join(map(str, counts.columns))
        )
    numbers = pd.to_numeric(counts[value], errors="coerce")
    bad = ~((numbers >= 0) & (numbers < np.inf))
    if bad.any():
        raise InputError(
            "error.disclosure_count", column=value, rows=int(bad.sum()), found=str(counts.loc[bad, value].iloc[0])
        )
    if (counts[names] == total).any(axis=None):
        raise InputError("error.disclosure_total", total=total)
    again = counts.duplicated(names)
    if again.any():
        raise InputError("error.disclosure_repeated", found=" · ".join(map(str, counts.loc[again, names].iloc[0])))


def _relations(shape: tuple[int, ...]) -> Any:
    """One row per line of cells along a dimension: its cells +1, its margin −1."""
    from scipy.sparse import csr_array

    number = np.arange(np.prod(shape)).reshape(shape)
    lines = [np.moveaxis(number, axis, -1).reshape(-1, shape[axis]) for axis in range(len(shape))]
    row = np.concatenate([np.repeat(np.arange(len(some)), some.shape[1]) for some in lines])
    sign = np.concatenate([np.tile(np.append(np.ones(some.shape[1] - 1), -1.0), len(some)) for some in lines])
    offset = np.repeat(np.cumsum([0, *(len(some) for some in lines[:-1])]), [some.size for some in lines])
    cell = np.concatenate([some.ravel() for some in lines])
    return csr_array((sign, (row + offset, cell)), shape=(sum(map(len, lines)), number.size))


def _bounds(grid: Grid, hidden: Flags) -> tuple[Numbers, Numbers]:
    """Smallest and largest number of each cell, given the shown ones and the sums."""
    from scipy.optimize import linprog

    lower, upper = grid.value.copy(), grid.value.copy()
    cells = np.nonzero(hidden)[0]
    known = grid.sums @ np.where(hidden, 0.0, grid.value)
    solve = partial(linprog, A_eq=grid.sums[:, cells], b_eq=-known, bounds=(0, None), method="highs")
    for place, cell in enumerate(cells):
        aim = np.zeros(len(cells))
        aim[place] = 1.0
        least, most = solve(aim), solve(-aim)
        lower[cell] = least.fun if least.status == 0 else 0.0
        upper[cell] = -most.fun if most.status == 0 else np.inf
    return lower, upper


def _optimal(grid: Grid, primary: Flags, price: Numbers, margin: float) -> Flags:
    """The cheapest pattern: hide x; for every primary cell and both directions some change of the hidden cells exists."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import block_array, csr_array, eye_array

    usable = np.nonzero(np.isfinite(price))[0]
    sums, value, n = grid.sums[:, usable], grid.value[usable], len(usable)
    first = primary[usable]
    most = value.sum()
    blocks: list[list[Any]] = []
    ends: list[tuple[Numbers, Numbers]] = []
    moves = [(place, sign) for place in np.nonzero(first)[0] for sign in (1.0, -1.0)]
    for number, (place, sign) in enumerate(moves):
        one = csr_array(([sign], ([0], [place])), shape=(1, n))
        parts = [(None, sums), (-most * eye_array(n), eye_array(n)), (_diagonal(value), eye_array(n)), (None, one)]
        lows = (np.zeros(sums.shape[0]), np.full(n, -np.inf), np.zeros(n), np.array([margin * value[place]]))
        highs = (np.zeros(sums.shape[0]), np.zeros(n), np.full(n, np.inf), np.array([np.inf]))
        for (hide, move), low, high in zip(parts, lows, highs, strict=True):
            empty: list[Any] = [None] * len(moves)
            empty[number] = move
            blocks.append([hide if hide is not None else csr_array((move.shape[0], n)), *empty])
            ends.append((low, high))
    matrix = block_array(blocks, format="csr")
    free = np.full(n * len(moves), np.inf)
    limits = Bounds(np.append(first.astype(float), -free), np.append(np.ones(n), free))
    found = milp(
        np.append(np.where(first, 0.0, price[usable]), np.zeros(len(free))),
        constraints=LinearConstraint(matrix, *(np.concatenate(some) for some in zip(*ends, strict=True))),
        bounds=limits,
        integrality=np.append(np.ones(n), np.zeros(len(free))),
        options={"mip_rel_gap": 0.0},
    )
    if found.x is None:  # no pattern protects them all: everything goes
        return np.isfinite(price)
    hidden = primary.copy()
    hidden[usable] |= found.x[:n] > 0.5
    return hidden


def _diagonal(values: Numbers) -> Any:
    from scipy.sparse import diags_array

    return diags_array(values)


def _one_by_one(grid: Grid, primary: Flags, price: Numbers, margin: float) -> Flags:
    """For each primary cell, largest first and in both directions, the cheapest change that the sums allow; what it
    passes through is hidden, and free for those that follow."""
    hidden = primary.copy()
    for cell in sorted(np.nonzero(primary)[0].tolist(), key=lambda one: -grid.value[one]):
        for sign in (1.0, -1.0):
            way = _cheapest_change(grid, hidden, price, cell, sign * margin * grid.value[cell])
            hidden |= np.isfinite(price) if way is None else way
    return hidden


def _cheapest_change(grid: Grid, hidden: Flags, price: Numbers, cell: int, change: float) -> Flags | None:
    """Cells whose numbers change when `cell` changes so much, at the least price of newly hidden ones; None: impossible."""
    from scipy.optimize import linprog
    from scipy.sparse import hstack

    usable = np.nonzero(np.isfinite(price))[0]
    cost = np.where(hidden, _TINY * price, price)[usable]
    sums = grid.sums[:, usable]
    at = int(np.searchsorted(usable, cell))
    more = np.column_stack([np.zeros(len(usable)), np.full(len(usable), np.inf)])
    less = np.column_stack([np.zeros(len(usable)), grid.value[usable]])
    more[at] = max(change, 0.0)
    less[at] = max(-change, 0.0)
    found = linprog(
        np.append(cost, cost),
        A_eq=hstack([sums, -sums]),
        b_eq=np.zeros(sums.shape[0]),
        bounds=np.vstack([more, less]),
        method="highs",
    )
    if found.status != 0:
        return None
    moved = np.zeros(len(price), dtype=bool)
    moved[usable] = found.x.reshape(2, -1).sum(axis=0) > _TINY * abs(change)
    return moved


def information_loss(table: pd.DataFrame, *, value: str | None = None) -> pd.Series:
    """What hiding cost: secondary cells, their events, share of all events of the table's inner and margin cells."""
    value = value or count_column(table, ["lower", "upper"]) or "n"
    second = table["status"] == SECONDARY
    events = float(table.loc[second, value].sum())
    return pd.Series(
        {
            "primary_cells": int((table["status"] == PRIMARY).sum()),
            "secondary_cells": int(second.sum()),
            "secondary_events": events,
            "share_of_events": events / float(table[value].sum()) if table[value].sum() else 0.0,
        }
    )

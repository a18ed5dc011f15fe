"""Which drawn evidence each target of each package reads: one table of rows per place, drawn once per block of draws.

A row is the evidence of one cause in one group of cells (a sex and age, a broad age, the nation …), a sum of Gamma draws of
single cells. Only rows that some package of the place needs are there: most causes have no deaths at most ages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from mortality.measures.uncertainty.draws import Numbers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from mortality.measures.uncertainty.evidence import Group, Places, Pool

Index = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Pairs:
    """Where one package gives: pairs of a target and a cell (sex × age, counted through), sorted by cell.

    row : of the evidence table; start : first pair of each cell; cell_number : (pairs,) which of these cells
    """

    target: Index
    cell: Index
    row: Index
    start: Index
    cell_number: Index


@dataclass(frozen=True)
class EvidenceTable:
    """counts : deaths of the single cells; sums : (rows, cells) how the rows are made of them; pairs : of each package."""

    counts: Numbers
    sums: csr_array
    pairs: list[Pairs]

    def drawn(self, rng: np.random.Generator, draws: int) -> Numbers:
        """(rows, draws): the evidence, Gamma(count) in every cell."""
        return np.asarray(
            self.sums @ rng.standard_gamma(np.broadcast_to(self.counts[:, None], (len(self.counts), draws)))
        )


def evidence_table(pools: Sequence[Pool]) -> EvidenceTable:
    """The table of one place; packages without deaths to divide there have no pairs."""
    known = _known_cells(pools)
    table = _Rows({name: _numbered(counts) for name, counts in known.items()}, known)
    pairs = [_pairs_of(pool, table) for pool in pools]
    return EvidenceTable(_counts(known), table.sums(), pairs)


def busy_groups(pool: Pool) -> list[Group]:
    """The groups of a package, with those cells alone that have deaths to divide."""
    cut = [replace(group, here=group.here & pool.busy) for group in pool.groups]
    return [group for group in cut if group.here.any()]


def _known_cells(pools: Sequence[Pool]) -> dict[Places, Numbers]:
    """{places: (causes, sexes, ages)} deaths of the cells that are evidence somewhere, as the first package sees them."""
    known: dict[Places, Numbers] = {}
    size = 1 + max([int(pool.package.targets.max(initial=0)) for pool in pools], default=0)
    for pool in pools:
        for group in busy_groups(pool):
            whole = known.setdefault(group.name, np.zeros((size, *group.evidence.shape[1:])))
            at = whole[pool.package.targets]
            whole[pool.package.targets] = np.where(at > 0, at, group.evidence * group.used)
    return known


def _counts(known: dict[Places, Numbers]) -> Numbers:
    return np.concatenate([np.zeros(0), *(counts[counts > 0] for counts in known.values())])


def _numbered(counts: Numbers) -> Index:
    """(causes, cells): the place of each cell with deaths among them, −1 elsewhere."""
    flat = (counts > 0).reshape(len(counts), -1)
    number = np.full(flat.shape, -1)
    number[flat] = np.arange(int(flat.sum()))
    return number


@dataclass
class _Rows:
    """The rows found so far: for each kind of group the row of a cause and a group of cells."""

    numbered: dict[Places, Index]
    known: dict[Places, Numbers]
    of_kind: dict[tuple[Places, str, int], Index] = field(default_factory=dict)
    entries: list[tuple[Index, Index, Numbers]] = field(default_factory=list)
    size: int = 0

    def rows_of(self, group: Group, stage: int, causes: Index, targets: Index, cells: Index) -> Index:
        """The row of each pair (target, cell); rows not seen before are added."""
        if not len(targets):
            return np.zeros(0, dtype=np.intp)
        together = group.cells_together
        first = together.argmax(axis=0)[cells]  # a group of cells is named by its first cell
        kind = (group.name, group.level.name, stage)
        known = self.of_kind.setdefault(kind, np.full(self.numbered[group.name].shape, -1))
        at = np.unique(np.column_stack([targets, first])[known[causes[targets], first] < 0], axis=0)
        known[causes[at[:, 0]], at[:, 1]] = self.size + np.arange(len(at))
        inside = group.evidence.reshape(len(causes), -1)[at[:, 0]] * together[at[:, 1]]
        row, cell = np.nonzero(inside)
        cause = causes[at[row, 0]]
        counts = self.known[group.name].reshape(len(known), -1)[cause, cell]
        column = self._offset(group.name) + self.numbered[group.name][cause, cell]
        self.entries.append((self.size + row, column, inside[row, cell] / counts))
        self.size += len(at)
        return known[causes[targets], first]

    def _offset(self, name: Places) -> int:
        before = list(self.numbered)[: list(self.numbered).index(name)]
        return sum(int(self.numbered[one].max()) + 1 for one in before)

    def sums(self) -> csr_array:
        from scipy.sparse import csr_array

        columns = sum(int(one.max()) + 1 for one in self.numbered.values())
        if not self.entries:
            return csr_array((self.size, columns))
        row, column, value = (np.concatenate(part) for part in zip(*self.entries, strict=True))
        return csr_array((value, (row, column)), shape=(self.size, columns))


def _pairs_of(pool: Pool, table: _Rows) -> Pairs:
    found = [np.zeros((0, 3), dtype=np.intp)]
    for group in busy_groups(pool):
        there = pool.members & group.here & (group.pooled(group.evidence) > 0)
        targets, cells = np.nonzero(there.reshape(len(there), -1))
        rows = table.rows_of(group, pool.package.stage, pool.package.targets, targets, cells)
        found.append(np.column_stack([cells, targets, rows]))
    cell, target, row = _sorted(np.concatenate(found)).T
    _, start, number = np.unique(cell, return_index=True, return_inverse=True)
    return Pairs(target, cell, row, start, number)


def _sorted(rows: Index) -> Index:
    return rows[np.lexsort((rows[:, 1], rows[:, 0]))]

"""Which further cells of a table must be hidden so that no hidden one can be worked out from the sums that are shown.

Pure arrays. Cells are numbered; a relation is a sum that a reader knows: parts − total = 0. A table with one margin or two
is the case served here: a cell stands in at most two relations. Then the table is a network: relations are nodes, a cell is
an arc between its two (or to a node outside), its number a flow, and each sum says that what flows in flows out. Hidden
numbers can be otherwise exactly along closed ways of hidden cells: more on arcs passed forwards, less on those passed
backwards. Less is possible only above the least that a reader knows a hidden cell to hold: where zeros are shown that is 1
(two hidden cells that sum to 2 are 1 and 1). So a hidden cell has one possible value if and only if no closed way leads
through it: `exposed`. Linked tables, where a cell stands in more relations, need the solution of the system instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Sums:
    """The sums of a table: one entry per cell that stands in a relation.

    relation, cell : int arrays; out : bool, whether the cell's number flows out of the relation; a cell in two relations
    flows out of one and into the other ; cells : how many cells the table has
    """

    relation: np.ndarray
    cell: np.ndarray
    out: np.ndarray
    cells: int

    @property
    def relations(self) -> int:
        """How many sums there are."""
        return int(self.relation.max()) + 1 if len(self.relation) else 0

    def ends(self) -> np.ndarray:
        """(cells, 2): the relation that each cell flows out of and the one it flows into; the number of relations
        stands for the node outside."""
        ends = np.full((self.cells, 2), self.relations)
        ends[self.cell[self.out], 0] = self.relation[self.out]
        ends[self.cell[~self.out], 1] = self.relation[~self.out]
        return ends


def sums_of(parts: Sequence[tuple[np.ndarray, int, bool]], cells: int) -> Sums:
    """`Sums` from (cells of the parts, cell of their total, whether the parts flow out) for each sum.

    Of a table with margins the parts flow out of its rows and of the column of totals, and into its columns and the row
    of totals."""
    if not parts:
        return Sums(np.zeros(0, int), np.zeros(0, int), np.zeros(0, bool), cells)
    relation = [np.full(len(some) + 1, place) for place, (some, _, _) in enumerate(parts)]
    cell = [np.append(some, total) for some, total, _ in parts]
    out = [np.append(np.full(len(some), parts_out), not parts_out) for some, _, parts_out in parts]
    return Sums(np.concatenate(relation), np.concatenate(cell).astype(int), np.concatenate(out), cells)


def complement(
    primary: np.ndarray,
    values: np.ndarray,
    sums: Sums,
    *,
    costly: np.ndarray | None = None,
    known: np.ndarray | None = None,
    least: float = 1.0,
) -> np.ndarray:
    """The cells to hide: `primary` and as few and small further ones as a greedy choice finds.

    primary : bool per cell ; values : what the cells hold, NaN where there is no figure (never hidden)
    costly : cells to keep if others will do (totals) ; known : cells that a reader knows anyway, so that hiding them is no use
    least : what a reader knows a hidden cell to hold at least
    Returns a bool per cell. No primary cell can have one value only, and no other hidden one either, unless it is a zero
    that had to go because nothing else was left.
    """
    search = _Search(sums, primary & np.isfinite(values), _cost(values, costly, known))
    while True:
        search.fill_single_lines()
        found = np.nonzero(exposed(search.hidden, values, sums, least=least))[0]
        if not search.widen(found):
            return search.hidden


def exposed(hidden: np.ndarray, values: np.ndarray, sums: Sums, *, least: float = 1.0) -> np.ndarray:
    """Hidden cells that can have one value only, given the shown cells, the sums, and that a hidden cell is `least` or
    more (-inf: nothing is known about it; then these are the cells that solving the sums gives).

    A cell at its least can only grow, the others both ways. Such a network lets a cell change if and only if its ends lie
    in one strongly connected part and it is no bridge of that part."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    edges, nodes = np.nonzero(hidden)[0], sums.relations + 1
    ends = sums.ends()[edges]
    both = values[edges] > np.minimum(least, values[edges])
    start = np.append(ends[:, 0], ends[both, 1])
    stop = np.append(ends[:, 1], ends[both, 0])
    ways = coo_array((np.ones(len(start)), (start, stop)), shape=(nodes, nodes)).tocsr()
    _, part = connected_components(ways, directed=True, connection="strong")
    inside = part[ends[:, 0]] == part[ends[:, 1]]
    fixed = ~inside
    fixed[inside] = _bridges(ends[inside], nodes)
    free = (ends == sums.relations).all(axis=1)  # in no sum at all
    found = np.zeros(sums.cells, dtype=bool)
    found[edges[fixed & ~free]] = True
    return found


def _cost(values: np.ndarray, costly: np.ndarray | None, known: np.ndarray | None) -> np.ndarray:
    """What it costs to hide a cell: its size; more for a total; a zero (often known to be one) only at the last."""
    size = np.nan_to_num(values, nan=0.0)
    cost = 1.0 + np.abs(size)
    biggest = cost.max(initial=1.0)
    if costly is not None:
        cost = np.where(costly, cost + 10 * biggest, cost)
    cost = np.where(size > 0, cost, cost + 100 * biggest)
    never = ~np.isfinite(values) if known is None else ~np.isfinite(values) | known
    return np.where(never, np.inf, cost)


class _Search:
    """Hidden cells that grow one by one; `counts`: how many of each relation are hidden."""

    def __init__(self, sums: Sums, hidden: np.ndarray, cost: np.ndarray) -> None:
        self.sums, self.hidden, self.cost, self.ends = sums, hidden, cost, sums.ends()
        order = np.argsort(sums.relation, kind="stable")
        cuts = np.searchsorted(sums.relation[order], np.arange(1, sums.relations))
        self.cells = np.split(sums.cell[order], cuts)
        counted = np.bincount(sums.relation, hidden[sums.cell], minlength=sums.relations)
        self.counts = np.append(counted.astype(int), 0)  # the last: no relation

    def fill_single_lines(self) -> None:
        """Hide a second cell in every sum that has one hidden cell, until there is none such that can be served."""
        added = True
        while added:  # all of a round, then again
            single = np.nonzero(self.counts[:-1] == 1)[0].tolist()
            added = sum(self.hide_beside(relation) for relation in single if self.counts[relation] == 1) > 0

    def widen(self, cells: np.ndarray) -> bool:
        """Hide one more cell beside each of these, at most one per sum, or where their sums show none any more, one in the
        sums next to them; whether any was found."""
        done: set[int] = set()
        for cell in cells.tolist():
            own = self._own(self.ends[cell])
            if done.isdisjoint(own) and any(self.hide_beside(one) for one in own):
                done.update(own)
        if done:
            return True
        return any(self.hide_beside(one) for cell in cells.tolist() for one in self._next_to(cell))

    def _own(self, ends: np.ndarray) -> list[int]:
        return [one for one in np.unique(ends).tolist() if one < self.sums.relations]

    def _next_to(self, cell: int) -> list[int]:
        """Sums that share hidden cells with those of a cell, the ones with the cheapest cell first."""
        own = self._own(self.ends[cell])
        cells = np.concatenate([self.cells[one] for one in own]) if own else np.zeros(0, dtype=int)
        others = self._own(self.ends[cells[self.hidden[cells]]])
        cheapest = [self.cost[self.cells[one]][~self.hidden[self.cells[one]]].min(initial=np.inf) for one in others]
        return [others[place] for place in np.argsort(cheapest, kind="stable")]

    def hide_beside(self, relation: int) -> bool:
        """Hide the cheapest cell that a sum still shows; whether there was any. One whose other sum has hidden cells
        already, and so needs no further one, is preferred."""
        candidates = self.cells[relation]
        candidates = candidates[~self.hidden[candidates] & np.isfinite(self.cost[candidates])]
        if not len(candidates):
            return False
        ends = self.ends[candidates]
        other = np.where(ends[:, 0] == relation, ends[:, 1], ends[:, 0])
        cost = np.where(self.counts[other] > 0, 1, 3) * self.cost[candidates]
        chosen = candidates[np.argmin(cost)]
        self.hidden[chosen] = True
        self.counts[self.ends[chosen]] += 1
        self.counts[-1] = 0
        return True


def _bridges(ends: np.ndarray, nodes: int) -> np.ndarray:
    """Which edges of a graph (pairs of nodes, parallel ones allowed) are bridges. Depth-first search without recursion."""
    number = len(ends)
    bridge = np.zeros(number, dtype=bool)
    beside: list[list[tuple[int, int]]] = [[] for _ in range(nodes)]
    for edge, (one, other) in enumerate(ends.tolist()):
        beside[one].append((other, edge))
        beside[other].append((one, edge))
    seen, low = [-1] * nodes, [0] * nodes
    clock = 0
    for start in np.unique(ends).tolist():
        if seen[start] >= 0:
            continue
        seen[start] = low[start] = clock
        clock += 1
        path = [(start, -1, iter(beside[start]))]
        while path:
            node, through, rest = path[-1]
            step = next(rest, None)
            if step is None:
                path.pop()
                if path:
                    parent = path[-1][0]
                    low[parent] = min(low[parent], low[node])
                    bridge[through] = low[node] > seen[parent]
            elif step[1] != through and seen[step[0]] < 0:
                seen[step[0]] = low[step[0]] = clock
                clock += 1
                path.append((step[0], step[1], iter(beside[step[0]])))
            elif step[1] != through:
                low[node] = min(low[node], seen[step[0]])
    return bridge

"""The bookkeeping of planting: which cells are still free, what was changed and what was true before."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pandas as pd

from tkyt_analysis.quality.panel import FormBlock


class Planting:
    """Values being damaged. `free` : cells that nothing has touched; `values` : shape (units, periods, series)."""

    COLUMNS: ClassVar[list[str]] = [
        "id", "kind", "unit_id", "period_id", "element_id", "category_id", "true_value", "shown_value",
    ]  # fmt: skip

    def __init__(self, block: FormBlock, elements: pd.DataFrame | None) -> None:
        self.block, self.elements = block, elements
        self.values, self.free = block.values.copy(), np.isfinite(block.values)
        self.reported = block.reported
        self.free |= ~np.isfinite(block.values) & self.reported[:, :, None]  # an empty cell of a report is free too
        self._rows: list[pd.DataFrame] = []
        self._periods = np.array([one.period_id for one in block.periods], dtype=object)
        self._elements = np.array([one[0] for one in block.series], dtype=object)
        self._categories = np.array([one[1] for one in block.series], dtype=object)
        self._made = 0

    def pick_units(self, rng: np.random.Generator, rate: float) -> np.ndarray:
        """Some units with at least six reports, none of them touched."""
        whole = (self.free | ~self.reported[:, :, None]).all(axis=(1, 2)) & (self.reported.sum(axis=1) >= 6)
        untouched = np.flatnonzero(whole)
        return rng.permutation(untouched)[: int(np.ceil(rate * len(self.values)))]

    def pick_forms(self, rng: np.random.Generator, rate: float) -> np.ndarray:
        """Some (unit, period) with an untouched report that is not all zeros: shape (n, 2)."""
        whole = self.reported & self.free.all(axis=2)
        whole &= np.nansum(self.values, axis=2) >= 20
        forms = np.argwhere(whole)
        return forms[rng.permutation(len(forms))[: int(round(rate * self.reported.sum()))]]

    def pick_cells(self, rng: np.random.Generator, rate: float, minimum: float) -> tuple[np.ndarray, ...]:
        """Some untouched cells of at least `minimum`, never more than one in twenty of them: (unit, period, series) places."""
        found = np.flatnonzero(self.free & (self.values >= minimum))
        wanted = min(rate * np.isfinite(self.values).sum(), len(found) / 20)
        chosen = rng.permutation(found)[: int(round(wanted))]
        return np.unravel_index(np.sort(chosen), self.values.shape)

    def pick_forms_of(self, rng: np.random.Generator, rate: float, role: str) -> list[tuple[int, int, int]]:
        """Some (unit, period, place) of an element of this role that has a value, with everything that belongs to it untouched."""
        places = self._of_role(role)
        forms = self.pick_forms(rng, min(1.0, 3 * rate))
        chosen: list[tuple[int, int, int]] = []
        for unit, column in forms:
            if len(places) == 0 or len(chosen) >= rate * self.reported.sum():
                break
            place = int(rng.choice(places))
            if self.values[unit, column, place] >= 1:
                chosen.append((int(unit), int(column), place))
        return chosen

    def pick_windows(self, rng: np.random.Generator, rate: float, role: str) -> list[tuple[int, np.ndarray, int]]:
        """Some (unit, columns, place): six to twelve periods of an element that counts ten or more in them, untouched."""
        places, (units, periods, _) = self._of_role(role), self.values.shape
        wanted = int(np.ceil(rate * units * max(1, periods / 12))) if len(places) else 0
        chosen: list[tuple[int, np.ndarray, int]] = []
        used: set[tuple[int, int]] = set()
        for _ in range(30 * wanted):
            if len(chosen) >= wanted:
                break
            unit, place, length = int(rng.integers(units)), int(rng.choice(places)), int(rng.integers(6, 13))
            start = int(rng.integers(0, max(1, periods - length)))
            columns = np.arange(start, min(start + length, periods))
            values = self.values[unit, columns, place]
            ready = np.isfinite(values).sum() >= 5 and np.nanmean(values) >= 10 and (unit, place) not in used
            if ready and (self.free[unit, columns].all(axis=1) | ~self.reported[unit, columns]).all():
                chosen.append((unit, columns, place))
                used.add((unit, place))
        return chosen

    def _of_role(self, role: str) -> np.ndarray:
        return np.array([], dtype=int) if self.elements is None else np.flatnonzero(self.elements["role"] == role)

    def places(self, role: str, of: int) -> np.ndarray:
        """The places of the elements of a role that belong to the element at `of`."""
        if (table := self.elements) is None:
            return np.array([], dtype=int)
        return np.flatnonzero((table["role"] == role) & (table["of"] == table["of"].iloc[of]))

    def each_cell(
        self,
        kind: str,
        unit: np.ndarray,
        column: np.ndarray,
        place: np.ndarray,
        shown: np.ndarray,
        *,
        one: bool = False,
    ) -> None:
        """Change these cells; each is an error of its own unless `one`."""
        true = self.values[unit, column, place]
        changed = ~((true == shown) | (np.isnan(true) & np.isnan(shown)))
        unit, column, place, true, shown = (a[changed] for a in (unit, column, place, true, shown))
        self.values[unit, column, place] = shown
        self.free[unit, column, place] = False
        number = self._made + (np.zeros(len(unit), dtype=int) if one else np.arange(len(unit)))
        self._made += 1 if one else len(unit)
        names = (self.block.units[unit], self._periods[column], self._elements[place], self._categories[place])
        self._keep(kind, number, *names, true, shown)

    def _keep(self, kind: str, number: np.ndarray, *columns: np.ndarray) -> None:
        if len(number):
            ids = [f"{kind}-{one}" for one in number]
            self._rows.append(pd.DataFrame(dict(zip(self.COLUMNS, (ids, kind, *columns), strict=True))))

    def cells(self, kind: str, unit: int, column: int, places: np.ndarray, shown: np.ndarray) -> None:
        """Change some cells of one form: one error."""
        everywhere = np.full(len(places), unit), np.full(len(places), column)
        self.each_cell(kind, *everywhere, places, np.asarray(shown, dtype=float), one=True)

    def form(self, kind: str, unit: int, column: int, shown: np.ndarray) -> None:
        """Change a whole form: one error."""
        self.cells(kind, unit, column, np.arange(self.values.shape[2]), shown)
        self.free[unit, column] = False

    def two_forms(
        self, kind: str, unit: int, columns: tuple[int, int], first: np.ndarray, second: np.ndarray
    ) -> None:  # fmt: skip
        """Change two forms of a unit: one error."""
        self.rectangle(kind, unit, np.array(columns), np.arange(len(first)), np.stack([first, second]))
        self.free[unit, list(columns)] = False

    def exchange(self, kind: str, one: int, two: int, column: int) -> None:
        """Two units' forms of a period change places: one error."""
        n = self.values.shape[2]
        unit, place = np.repeat([one, two], n), np.tile(np.arange(n), 2)
        shown = self.values[[two, one], column].ravel()
        self.each_cell(kind, unit, np.full(2 * n, column), place, shown, one=True)
        self.free[[one, two], column] = False

    def rectangle(self, kind: str, unit: int, columns: np.ndarray, places: np.ndarray, shown: np.ndarray) -> None:
        """Change some elements in some periods of a unit where untouched: one error. shown : (columns, all series or places)."""
        if shown.shape[1] == self.values.shape[2] and len(places) < shown.shape[1]:
            shown = shown[:, places]
        at = [one.ravel() for one in np.meshgrid(columns, places, indexing="ij")]
        new = np.broadcast_to(shown, (len(columns), len(places))).ravel()
        unit_at = np.full(len(at[0]), unit)
        keep = self.free[unit_at, at[0], at[1]] & (np.isfinite(self.values[unit_at, at[0], at[1]]))
        self.each_cell(kind, unit_at[keep], at[0][keep], at[1][keep], new[keep], one=True)

    def second(self, kind: str, unit: int, column: int, other: np.ndarray) -> None:
        """Note a second submission without changing the values."""
        places = np.flatnonzero(np.isfinite(other))
        true, n = self.values[unit, column, places], len(places)
        self.free[unit, column] = False
        where = (np.full(n, self.block.units[unit]), np.full(n, self._periods[column]))
        names = (self._elements[places], self._categories[places])
        self._keep(kind, np.full(n, self._made), *where, *names, true, other[places])
        self._made += 1

    def whole_unit(self, kind: str, unit: int, shown: np.ndarray) -> None:
        """Change everything a unit reports: one error without period or element."""
        self.values[unit], self.free[unit] = shown, False
        name = np.array([self.block.units[unit]], dtype=object)
        empty, number = np.array([""], dtype=object), np.array([np.nan])
        self._keep(kind, np.array([self._made]), name, empty, empty, empty, number, number)
        self._made += 1

    def level(self, kind: str, group: str, place: int, first: int, factor: float) -> None:
        """Multiply an element of a whole province from a period on: one error, at the province and the first period."""
        rows = np.flatnonzero(self.block.groups == group)
        self.values[rows, first:, place] = np.round(self.values[rows, first:, place] * factor)
        where = (np.array([group], dtype=object), self._periods[[first]])
        names = (self._elements[[place]], self._categories[[place]])
        self._keep(kind, np.array([self._made]), *where, *names, np.array([1.0]), np.array([factor]))
        self._made += 1

    def truth(self) -> pd.DataFrame:
        """What was planted: one row per damaged cell (see `plant_defects`)."""
        rows = pd.concat(self._rows, ignore_index=True) if self._rows else pd.DataFrame(columns=self.COLUMNS)
        return rows.astype({"true_value": float, "shown_value": float})

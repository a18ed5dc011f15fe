"""Where the explorer's figures come from: one release through the cube, and a bounded memory of what was asked before."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.labels import current_language

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Figures, Measure, View
    from tkyt_analysis.explorer.layout import Layout, Pivot
    from tkyt_analysis.warehouse.release import Release

MOST_ROWS = 400_000  # rows of remembered figures together
MOST_FIGURES = 48
MOST_LISTS = 256
SIZES = {"age_group": 20, "sex": 3, "region": 6, "place_of_death": 5, "facility": 3000, "category": 12}
LEVELS = ("nation", "province", "district", "commune")


class Recent:
    """The answers asked for last, at most so many and of at most so much weight together."""

    def __init__(self, most: int, heaviest: int = 0) -> None:
        self.most, self.heaviest, self.weight = most, heaviest, 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable) -> Any:
        """The answer, now the newest; None where it is not kept."""
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def put(self, key: Hashable, answer: Any, weight: int = 0) -> None:
        """Keep an answer and let the oldest go."""
        if self.heaviest and weight > self.heaviest:
            return
        self._kept[key] = (answer, weight)
        self.weight += weight
        while len(self._kept) > self.most or self.weight > self.heaviest > 0:
            self.weight -= self._kept.popitem(last=False)[1][1]

    def __len__(self) -> int:
        return len(self._kept)


class Source:
    """Measures, members and protected pivots of one release as the current account sees it."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self._figures = Recent(MOST_FIGURES, MOST_ROWS)
        self._members = Recent(MOST_LISTS)

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        """What can be asked of this release."""
        from tkyt_analysis import cube

        return cube.measures(self.release)

    def members(self, view: View, dimension: str) -> Mapping[str, str]:
        """{code: name} of a dimension's members within a view, in their natural order."""
        from tkyt_analysis import cube

        key = (view, dimension, current_language())
        found = self._members.get(key)
        if found is None:
            found = dict(cube.members(self.release, view, dimension))
            self._members.put(key, found)
        return found

    def figures(self, view: View, layout: Layout) -> Figures:
        """The answer to a view with the totals that the layout needs."""
        from tkyt_analysis import cube
        from tkyt_analysis.explorer.pivot import needed_groupings

        groupings = needed_groupings(layout)
        key = (view, tuple(sorted(groupings)), current_language())
        found = self._figures.get(key)
        if found is None:
            found = cube.evaluate(self.release, view, groupings=groupings)
            self._figures.put(key, found, len(found.rows))
        return found

    def pivot(self, view: View, layout: Layout) -> Pivot:
        """The table of a view as the account may see it on its screen: small numbers are protected here."""
        from tkyt_analysis.disclosure import protect, rule_for

        return protect(self.unprotected(view, layout), rule_for(self.release.account))

    def unprotected(self, view: View, layout: Layout) -> Pivot:
        """The table before protection, for `export`, which protects by the purpose of the file."""
        from tkyt_analysis.explorer.pivot import axes, pivot

        rows, columns = axes(view, layout)
        placed = replace(layout, rows=rows, columns=columns)
        return pivot(self.figures(view, placed), placed)

    def count(self, view: View, dimension: str) -> int:
        """About how many members a dimension has within a view, without asking for figures (periods: asked once)."""
        from tkyt_analysis.cube.model import PERIODS
        from tkyt_analysis.explorer.state import is_relative

        kept = dict(view.where).get(dimension)
        if kept:
            return len(kept)
        if dimension in LEVELS:
            return len(self.units(view, view.place, dimension)) or 1
        if dimension in PERIODS:
            known = self.members(replace(plain(view), place=self.top_place), dimension)
            first, _, last = ("", "", "") if is_relative(view.period) else view.period.partition("..")
            return len([one for one in known if not first or first[:4] <= one[:4] <= (last or first)[:4]])
        if dimension == "cause":
            return _items_of(view.cause_list)
        return SIZES.get(dimension, 10)

    def units(self, view: View, parent: str, level: str) -> Mapping[str, str]:
        """{unit id: name} of the units of a level inside a unit, by name, as far as the account sees them."""
        from tkyt_analysis.cube.model import NATION
        from tkyt_analysis.reference.places import places
        from tkyt_analysis.reference.vietnamese_text import fold

        key = ("units", view.geography, parent, level)
        found = self._members.get(key)
        if found is None:
            units = places(view.geography)
            units = units[units["level"] == LEVELS.index(level)]
            if parent != NATION:
                above = "parent_unit_id" if self.level(parent) == "district" or level == "district" else "province_id"
                units = units[units[above] == parent]
            if not self.release.reads.nation:
                seen = self.release.seen_units
                holding = {top for one in seen for top in self.above(one).values()} if level != "commune" else seen
                units = units[units["unit_id"].isin(seen | set(holding))]
            order = units["name"].map(fold).sort_values(kind="stable").index
            found = dict(zip(units.loc[order, "unit_id"], units.loc[order, "full_name"]))
            self._members.put(key, found)
        return found

    def above(self, unit: str) -> Mapping[str, str]:
        """{level: unit id} of a unit and the units above it, the largest first; of the nation nothing."""
        from tkyt_analysis.cube.model import NATION
        from tkyt_analysis.errors import InputError
        from tkyt_analysis.reference.places import place

        key = ("above", unit)
        found = self._members.get(key)
        if found is None:
            chain = []
            while unit and unit != NATION:
                try:
                    here = place(unit)
                except InputError:
                    break
                chain.append((LEVELS[here.level], unit))
                unit = here.parent_unit_id
            found = dict(reversed(chain))
            self._members.put(key, found)
        return found

    def level(self, unit: str) -> str:
        """ "nation", "province", "district" or "commune"."""
        return list(self.above(unit))[-1] if self.above(unit) else "nation"

    @cached_property
    def top_place(self) -> str:
        """The largest place that the account sees."""
        from tkyt_analysis.cube.model import NATION

        if self.release.reads.nation:
            return NATION
        own = self.release.account.unit_id
        return own if own in self.release.seen_units else min(self.release.reads.units, key=len)

    @property
    def account(self) -> str:
        """Whose scope is shown."""
        return str(self.release.account.name)

    @property
    def home(self) -> Path:
        """The home of the release."""
        return self.release.home

    @property
    def is_current(self) -> bool:
        """Whether the release is the home's newest: then code need not name it."""
        from tkyt_analysis.warehouse.release import current_release

        return self.release.release_id == current_release(self.home)


def _items_of(list_id: str) -> int:
    """How many members the causes of a list have: its items, the gaps and the unknown."""
    from tkyt_analysis.catalog import load_entry, read_codelist

    rows = read_codelist(load_entry("cause_lists", list_id).items)
    return len(rows) + 2


def plain(view: View, *, period: bool = False) -> View:
    """A view without dimensions and filters (and period): the question behind a list of choices."""
    kept = replace(view, by=(), where=())
    return kept if period else replace(kept, period="")

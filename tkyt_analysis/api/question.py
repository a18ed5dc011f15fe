"""A question that has not been asked yet: nothing is computed until it is shown, iterated, or turned into a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tkyt_analysis.api import names
from tkyt_analysis.api.about import period_words
from tkyt_analysis.cube.model import DIMENSIONS, PLACES, View
from tkyt_analysis.labels import current_language, label

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.access import Account
    from tkyt_analysis.api.table import FigureTable
    from tkyt_analysis.api.workbench import Workbench
    from tkyt_analysis.cube.model import Figures


@dataclass(frozen=True, eq=False)
class Question:
    """What `tk.indicator(…)` and its like give back. Each change is a new question; the first stays as it was.

    workbench : whose release answers; written : the view as it was asked (members of `where` may still be names)
    """

    workbench: Workbench
    written: View

    # --- change the question ---

    def by(self, *dimensions: str | Sequence[str]) -> Question:
        """Broken down by these dimensions instead: `.by("province", "year")`; nothing: the total."""
        return self._with(by=names.find_dimensions(dimensions))

    def only(self, **kept: Any) -> Question:
        """Only these members: `.only(sex="female", year=["2024", "2025"])`; None lifts the restriction."""
        view = self.written
        for written, members in kept.items():
            dimension = names.find_dimensions([written])[0]
            values = [members] if isinstance(members, (str, int)) else list(members or ())
            view = view.keeping(dimension, [str(one) for one in values])
        return Question(self.workbench, view)

    def within(self, place: str) -> Question:
        """Within a place, by id or name: `.within("VN2025:51")`, `.within("Quảng Ngãi")`, `.within("Xã Trà Bồng, Quảng Ngãi")`."""
        return self._with(place=self.workbench.place(place, self.written.geography))

    def period(self, period: Any) -> Question:
        """In a period: "2025", "2024..2025", "202501..202506", "quý 1 năm 2025"; "" for all there is."""
        return self._with(period=names.find_period(period))

    def on(self, geography: str) -> Question:
        """On the units of "VN2025" (34 provinces) or "VN2024" (63)."""
        return self._with(geography=names.find_geography(geography))

    def _with(self, **changes: Any) -> Question:
        return Question(self.workbench, replace(self.written, **changes))

    # --- ask it ---

    @cached_property
    def view(self) -> View:
        """The question in codes: names of members have been looked up in the release."""
        from tkyt_analysis import cube

        view = self.written
        for dimension, written in self.written.where:
            if dimension in PLACES and all(":" in one for one in written):
                continue
            known = dict(cube.members(self.workbench.release, replace(self.written, where=()), dimension))
            if dimension in PLACES:
                codes = [one if one in known else names.find_place(one, view.geography) for one in written]
            else:
                codes = list(names.find_members(dimension, written, known))
            view = view.keeping(dimension, codes)
        return view

    @cached_property
    def figures(self) -> Figures:
        """The answer as the cube gives it; small numbers are hidden as on the explorer's screen."""
        from tkyt_analysis import cube

        return protected(cube.evaluate(self.workbench.release, self.view), self.workbench.release.account)

    def table(self) -> FigureTable:
        """The answer as a table with units, source, vintage and marks; asked once."""
        return self._table.copy()

    @cached_property
    def _table(self) -> FigureTable:
        from tkyt_analysis.api.table import figure_table

        return figure_table(self.figures, self, heading=self.heading())

    def heading(self) -> str:
        """Measures with their units, dimensions, place and period in words."""
        language = current_language()
        measures = self.workbench.measures
        titles = [f"{measures[one].title[language]} ({measures[one].unit[language]})" for one in self.written.measures]
        parts = ["; ".join(titles)]
        if self.written.by:
            by = ", ".join(label(f"chart.dimension.{name}", language) for name in self.written.by)
            parts.append(label("api.heading_by", language, by=by))
        parts.append(self.workbench.place_name(self.written.place))
        if self.written.period:
            parts.append(period_words(self.written.period, language))
        return ", ".join(parts)

    def to_pandas(self) -> pd.DataFrame:
        """A plain DataFrame of the same columns; the passport is in its `attrs`."""
        import pandas as pd

        plain = pd.DataFrame(self._table).copy()
        plain.attrs["tkyt"] = dict(self.figures.passport)
        return plain

    def explain(self, row: int = 0) -> Any:
        """How one figure of the answer (by its row number) was computed."""
        return self.workbench.explain(self._table.iloc[row])

    # --- see it ---

    def pivot(self, **layout: Any) -> Any:
        """In rows and columns as in the explorer: rows, columns, picture, shows, totals, intervals, sort, top."""
        from tkyt_analysis.api.pictures import laid_out

        return laid_out(self, **layout)

    def plot(self, kind: str = "", **layout: Any) -> Any:
        """A chart: kind "line", "bar", "pyramid", "small_multiples"; left out, what suits the dimensions."""
        from tkyt_analysis.api.pictures import draw

        return draw(self, kind, **layout)

    def map(self, **layout: Any) -> Any:
        """A map of the figures, by the place dimension of the question (default: province)."""
        from tkyt_analysis.api.pictures import draw

        places = [name for name in self.written.by if name in PLACES]
        return draw(self if places else self.by("province"), "map", **layout)

    def explore(self, **layout: Any) -> Any:
        """The explorer opened on this question."""
        from tkyt_analysis.api.pictures import explore

        return explore(self, **layout)

    def __iter__(self) -> Iterator[Any]:
        """Row by row, as named tuples."""
        return iter(self._table.itertuples(index=False))

    def __bool__(self) -> bool:
        """A question is there, whatever its answer; to ask `if question:` computes nothing."""
        return True

    def __len__(self) -> int:
        return len(self._table)

    def __getitem__(self, key: Any) -> Any:
        return self.table()[key]

    def _repr_html_(self) -> str:
        return self._table._repr_html_()

    def __repr__(self) -> str:
        return repr(self._table)


def protected(figures: Figures, account: Account) -> Figures:
    """The figures without the small numbers that an account may not see (tkyt_analysis.disclosure, rule of the screen)."""
    from tkyt_analysis.disclosure import NOTHING, protect, rule_for

    rule = rule_for(account, "screen")
    if rule.hides == NOTHING or figures.rows.empty:
        return figures
    from tkyt_analysis.explorer.layout import Layout
    from tkyt_analysis.explorer.pivot import pivot

    return protect(pivot(figures, Layout(rows=figures.view.by, totals=False)), rule).figures


def kept_members(where: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The `where` of a view from {"sex": "male", "year": ["2024"]}; names of dimensions in either language."""
    view = View(measures=())
    for written, members in dict(where or {}).items():
        dimension = written if written in DIMENSIONS else names.find_dimensions([written])[0]
        values = [members] if isinstance(members, (str, int)) else list(members)
        view = view.keeping(dimension, [str(one) for one in values])
    return view.where

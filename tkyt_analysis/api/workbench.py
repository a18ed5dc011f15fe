"""The open workbench: one release, seen with the rights of the account at work, and the questions that can be put to it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tkyt_analysis.api import names
from tkyt_analysis.api.about import day_text
from tkyt_analysis.api.question import Question, kept_members
from tkyt_analysis.cube.model import NATION, View
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.api.table import FigureTable
    from tkyt_analysis.cube.model import Measure
    from tkyt_analysis.warehouse.release import Release

REPORTING = ":reporting_rate"
ARGUMENTS = ("by", "period", "place", "where", "geography", "cause_list")


class Workbench:
    """What `tk.open()` gives back. The functions of `tk` are the methods of the workbench opened last.

    opened : the release, for what it says of itself; remark : what to know about the choice of the release
    """

    def __init__(self, release: Release, *, remark: str = "") -> None:
        self.opened = release
        self.remark = remark
        self._measures: dict[str, Measure] | None = None
        self._ahead: threading.Thread | None = None

    @property
    def release(self) -> Release:
        """The release that answers. One thread at a time asks it: what is read ahead comes to its end first."""
        if self._ahead is not None and threading.current_thread() is not self._ahead:
            self._ahead.join()
            self._ahead = None
        return self.opened

    def read_ahead(self) -> None:
        """Get ready for the first question while the next cell is being written."""
        self._ahead = threading.Thread(target=self._get_ready, daemon=True)
        self._ahead.start()

    def _get_ready(self) -> None:
        import scipy.special  # noqa: F401

        with contextlib.suppress(Exception):  # asked again, and told, by the first question
            self.measures  # noqa: B018

    # --- what can be asked ---

    @property
    def measures(self) -> dict[str, Measure]:
        """Everything that can be asked for, by id."""
        release = (
            self.release
        )  # first: what is read ahead comes to its end (a cached_property would hold its lock meanwhile)
        if self._measures is None:
            from tkyt_analysis import cube

            self._measures = dict(cube.measures(release))
        return self._measures

    def indicator(
        self, name: str | Sequence[str], *, by: str | Sequence[str] = (), geography: str = "VN2025", period: Any = "",
        place: str = "", where: Any = None, cause_list: str = "", **other: Any,
    ) -> Question:  # fmt: skip
        """A question about one measure or several, by id or name in Vietnamese or English."""
        _require_no_other(other)
        if not self.measures:
            raise InputError(
                "error.api.nothing_seen", release=self.release.release_id, account=self.release.account.name
            )
        called = names.measure_names(self.measures)
        written = [name] if isinstance(name, str) else list(name)
        found = tuple(dict.fromkeys(names.find_name(one, called, kind="measure") for one in written))
        return self._question(found, by, geography, period, place, where, cause_list)

    def deaths(self, **question: Any) -> Question:
        """Registered deaths, counted."""
        return self.indicator("deaths", **question)

    def population(self, **question: Any) -> Question:
        """Average population, the denominator of rates."""
        return self.indicator("population", **question)

    def values(self, element: str | Sequence[str], **question: Any) -> Question:
        """Reported values: "<data set>/<element>", or the element's code or name."""
        written = [element] if isinstance(element, str) else list(element)
        found = [names.find_name(one, self.element_names, kind="element") for one in written]
        return self.indicator(found, **question)

    def reporting(self, dataset: str | Sequence[str], **question: Any) -> Question:
        """The share of due reports that arrived, of one data set or several, by id or name."""
        rates = {one.removesuffix(REPORTING): one for one in self.measures if one.endswith(REPORTING)}
        known = {one: [self.measures[measure].title[current_language()]] for one, measure in rates.items()}
        for one, called in self._dataset_names.items():
            known.setdefault(one, []).extend(called) if one in rates else None
        written = [dataset] if isinstance(dataset, str) else list(dataset)
        found = [rates[names.find_name(one, known, kind="dataset")] for one in written]
        return self.indicator(found, **question)

    def _question(
        self, measures: tuple[str, ...], by: Any, geography: str, period: Any, place: str, where: Any, cause_list: str
    ) -> Question:
        geography = names.find_geography(geography)
        more = {"cause_list": names.find_name(cause_list, _cause_lists(), kind="cause_list")} if cause_list else {}
        view = View(
            measures=measures,
            by=names.find_dimensions([by] if isinstance(by, str) else by),
            place=self.place(place, geography),
            geography=geography,
            period=names.find_period(period),
            where=kept_members(where),
            **more,
        )
        return Question(self, view)

    @cached_property
    def element_names(self) -> dict[str, list[str]]:
        """{measure id: names} of the reported elements: the name, the code and the id of the element alone."""
        codes: dict[tuple[str, str], str] = {}
        if self.release.has("data_element"):
            rows = self.release.query("SELECT dataset_id, element_id, code FROM data_element")
            codes = {(one.dataset_id, one.element_id): one.code for one in rows.itertuples(index=False)}
        known = {}
        for one in self.measures.values():
            dataset, _, element = one.id.partition("/")
            if element:
                code = codes.get((dataset, element)) or codes.get((dataset, one.id)) or ""
                known[one.id] = [one.title[current_language()], element, *([code] if code else [])]
        return known

    @cached_property
    def _dataset_names(self) -> dict[str, list[str]]:
        if not self.release.has("data_set"):
            return {}
        rows = self.release.query("SELECT dataset_id, name FROM data_set")
        return rows.groupby("dataset_id")["name"].agg(list).to_dict()

    # --- places ---

    def place(self, written: str, geography: str = "VN2025") -> str:
        """The unit that a name or id means, if the account may see it; "" is all that it sees."""
        unit = names.find_place(written, geography) if written else self.source.top_place
        self.release.require_place(unit)
        return unit

    def place_name(self, unit: str) -> str:
        """ "Tỉnh Quảng Ngãi"; the id where the unit is of another system."""
        if unit == NATION:
            return label("api.nation")
        from tkyt_analysis.reference.places import place

        try:
            return place(unit).full_name
        except InputError:
            return unit

    # --- other ways in ---

    @cached_property
    def source(self) -> Any:
        """Where pivots, charts and maps of this release come from, as in the explorer."""
        from tkyt_analysis.explorer.source import Source

        return Source(self.release)

    def sql(self, query: str, **tables: pd.DataFrame) -> FigureTable:
        """Rows of a SELECT on the release's tables; further tables by name."""
        return self._sql_door.ask(query, tables)

    @cached_property
    def _sql_door(self) -> Any:
        from tkyt_analysis.api.sql import SqlDoor

        return SqlDoor(self.release)

    def tables(self) -> FigureTable:
        """The tables that SQL can ask, with their number of rows and what one row is."""
        from tkyt_analysis.api.sql import tables_of

        return tables_of(self.release)

    def columns(self, table: str) -> FigureTable:
        """The columns of a table: type, unit and meaning."""
        from tkyt_analysis.api.sql import columns_of

        return columns_of(self.release, table)

    def explain(self, figure: Any, *, rows: int = 10) -> Any:
        """How a figure was computed: a figure id, a row of a table, or a table of one row."""
        from tkyt_analysis.api.explaining import explain_figure

        return explain_figure(self, figure, most=rows)

    # --- itself ---

    @property
    def passport(self) -> dict[str, Any]:
        """release, snapshot, catalog_version, code_version, data_as_of, practice."""
        manifest = self.opened.manifest
        parts = ("snapshot", "catalog_version", "code_version", "data_as_of", "practice")
        return {"release": self.opened.release_id, **{name: manifest[name] for name in parts}}

    def sentences(self, language: str | None = None) -> list[str]:
        """Which release, of what date, seen by whom."""
        reads = self.opened.reads
        scope = "api.scope_nation" if reads.nation else "api.scope_units"
        lines = [
            label(
                "api.opened",
                language,
                release=self.opened.release_id,
                date=day_text(str(self.opened.manifest["data_as_of"]), language),
                home=self.opened.home,
            ),
            label(scope, language, account=self.opened.account.name, units=self._unit_names(sorted(reads.units))),
        ]
        if self.opened.practice:
            lines.append(label("practice.note", language))
        return [*lines, *([self.remark] if self.remark else [])]

    def _unit_names(self, units: list[str]) -> str:
        return ", ".join(self.place_name(unit) for unit in units[:5]) + (" …" if len(units) > 5 else "")

    def _repr_html_(self) -> str:
        from tkyt_analysis.api.display import lines_html

        return lines_html(self.sentences())

    def __repr__(self) -> str:
        return "\n".join(self.sentences())


def _require_no_other(given: dict[str, Any]) -> None:
    """InputError for arguments that a question does not have; a dimension among them means `where`."""
    for name, value in given.items():
        dimensions = [
            one for one, called in names.dimension_names().items() if names.key(name) in map(names.key, [one, *called])
        ]
        if dimensions:
            raise InputError("error.api.argument_is_dimension", name=name, dimension=dimensions[0], value=value)
        near = names.nearest(name, {one: [one] for one in ARGUMENTS})
        raise InputError("error.api.argument", name=name, nearest=", ".join(near or ARGUMENTS))


def _cause_lists() -> dict[str, list[str]]:
    from tkyt_analysis.catalog import load_entries

    return {one.id: [one.title.vi, one.title.en] for one in load_entries("cause_lists").values()}

"""What the cube keeps for one open release: its measures, its periods as a table, its lists as maps of codes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tkyt_analysis.access.scopes import whole_provinces
from tkyt_analysis.cube.facts import Fact, quoted
from tkyt_analysis.cube.model import NATION, Measure
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.modules import load_object, parts

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from tkyt_analysis.warehouse.release import Release

KEPT_ROWS, KEPT_ANSWERS = 400_000, 200  # of answers to queries: some tens of MB
# tables whose periods the cube knows: sums per province first, rows where an account sees no province as a whole
_PERIOD_TABLES = (("province_value", "aggregate_value"), ("province_report", "reporting"), ("programme_indicator",) * 2)


class Cube:
    """The cube of an open release; made once (`cube_of`)."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self._code_tables: dict[tuple[str, str], str] = {}
        self._facts: dict[str, Fact] = {}
        self._spans: dict[str, tuple[str, str]] = {}
        self._partitions: dict[str, list[str]] = {}
        self._units: dict[str, list[str]] = {}
        self._answers: OrderedDict[str, pd.DataFrame] = OrderedDict()
        self.use_sums = True  # False: every question is answered from rows (the figures are the same)

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        return self.release.con

    def query(self, sql: str) -> pd.DataFrame:
        """Rows of a query on the release, kept for when the same is asked again: a release does not change. What is kept is
        bounded (KEPT_ROWS in all, KEPT_ROWS // 8 of one); who asks gets a copy."""
        rows = self._answers.pop(sql, None)
        if rows is None:
            rows = self.release.query(sql)
        if len(rows) <= KEPT_ROWS // 8:
            self._answers[sql] = rows
            while sum(map(len, self._answers.values())) > KEPT_ROWS or len(self._answers) > KEPT_ANSWERS:
                self._answers.popitem(last=False)
        return rows.copy()

    @cached_property
    def measures(self) -> Mapping[str, Measure]:
        """{id: measure} of all that this release can answer, module by module."""
        if "place" not in self.release.tables():
            raise InputError("error.cube_old_release", release=self.release.release_id)
        found = [one for reference in parts("measures").values() for one in load_object(reference)(self.release)]
        return {one.id: one for one in found}

    def measure(self, measure_id: str) -> Measure:
        """One measure; InputError names the nearest right ids."""
        if measure_id not in self.measures:
            from difflib import get_close_matches

            near = get_close_matches(measure_id, list(self.measures), n=3, cutoff=0.3) or list(self.measures)[:3]
            raise InputError("error.cube_measure", measure=measure_id, near=", ".join(near))
        return self.measures[measure_id]

    def fact(self, fact_id: str) -> Fact:
        """The fact that a measure names."""
        if fact_id not in self._facts:
            for reference in parts("facts").values():
                found = load_object(reference)(fact_id, self.release)
                if found is not None:
                    self._facts[fact_id] = self.offered(found)
                    break
            else:
                raise ProcessingError("error.cube_fact", fact=fact_id)
        return self._facts[fact_id]

    def offered(self, fact: Fact) -> Fact:
        """The fact with the sums that this release has."""
        there = set(self.release.tables())
        return replace(fact, sums=tuple(one for one in fact.sums if one.table in there))

    @cached_property
    def period_table(self) -> str:
        """Name of a table of every period that values stand on: period_id, first, last, year, half, quarter, month."""
        from tkyt_analysis.reference.periods import month_range, period_windows

        ids = self._period_ids()
        years = sorted({one[:4] for one in ids})
        months = [str(one) for one in month_range(f"{years[0]}01", f"{years[-1]}12")] if years else []
        windows = period_windows(sorted({*ids, *months, *years}))
        self.con.register("incoming_periods", windows)
        self.con.execute(
            """
            CREATE OR REPLACE TEMP TABLE cube_period AS
            SELECT period_id, TRY_CAST(period_id AS INT) AS number, kind, CAST(period_start AS DATE) AS first, CAST(period_end AS DATE) AS last,
                   CASE WHEN kind <> 'week' THEN left(period_id, 4) END AS year,
                   CASE WHEN kind = 'half' THEN period_id WHEN kind IN ('month', 'administrative_month', 'quarter')
                        THEN left(period_id, 4) || 'S' || CASE WHEN month(period_end) <= 6 THEN 1 ELSE 2 END END AS half,
                   CASE WHEN kind IN ('month', 'administrative_month', 'quarter')
                        THEN left(period_id, 4) || 'Q' || quarter(period_end) END AS quarter,
                   CASE WHEN kind IN ('month', 'administrative_month') THEN left(period_id, 6) END AS month
            FROM incoming_periods
            """
        )
        self.con.unregister("incoming_periods")
        return "cube_period"

    def _period_ids(self) -> list[str]:
        whole, there = self.any_sums, set(self.release.tables())
        tables = [sums if whole else rows for sums, rows in _PERIOD_TABLES]
        selects = [f'SELECT DISTINCT period_id FROM "{one}"' for one in tables if one in there]
        if "death" in there:
            summed = whole and "province_death_cause" in there
            years = "period_id FROM province_death_cause" if summed else "CAST(year AS VARCHAR) FROM death"
            selects.append(
                f"SELECT DISTINCT {years} WHERE year IS NOT NULL" if not summed else f"SELECT DISTINCT {years}"
            )
        if not selects:
            return []
        rows = self.con.execute(f"SELECT DISTINCT period_id FROM ({' UNION ALL '.join(selects)}) ORDER BY 1").fetchall()
        return [row[0] for row in rows if row[0]]

    @cached_property
    def place_table(self) -> str:
        """Name of `place` in memory: every question joins it."""
        self.con.execute(
            "CREATE OR REPLACE TEMP TABLE cube_place AS SELECT DISTINCT ON (unit_id) * EXCLUDE (scope) FROM place"
        )
        return "cube_place"

    @cached_property
    def _whole(self) -> frozenset[str] | None:
        """The provinces of 2025 that the account sees as a whole; None: all."""
        return None if self.release.reads.nation else whole_provinces(self.release.reads.units)

    @property
    def any_sums(self) -> bool:
        """Whether sums per province hold all that the account sees."""
        return self.use_sums and (self._whole is None or self.release.reads.units <= self._whole)

    def sees_whole(self, place: str) -> bool:
        """Whether sums per province may answer for a place: it is the nation or a province, seen as a whole."""
        code = place.partition(":")[2]
        if not self.use_sums or (place != NATION and len(code) != 2):
            return False
        return self._whole is None or bool(set(self.partitions(place)) & {one.replace(":", "-") for one in self._whole})

    def partitions(self, place: str) -> list[str]:
        """The partitions of a release in which rows of units within a place lie."""
        if place not in self._partitions:
            found = self.con.execute(
                f"SELECT DISTINCT province FROM {self.place_table} WHERE unit_id = {quoted(place)}"
            )
            self._partitions[place] = [NATION, *(row[0].replace(":", "-") for row in found.fetchall() if row[0])]
        return self._partitions[place]

    def units_of(self, place: str) -> list[str]:
        """The units that lie in a place, itself included."""
        if place not in self._units:
            from tkyt_analysis.cube.plan import column_of

            rows = self.con.execute(
                f"SELECT unit_id FROM {self.place_table} WHERE {column_of(place)} = {quoted(place)} ORDER BY 1"
            )
            self._units[place] = [row[0] for row in rows.fetchall()] or [place]
        return self._units[place]

    def code_table(self, dimension: str, list_id: str, fact: Fact) -> str:
        """Name of a table (code, item) for a dimension that a list defines, over the codes that a fact holds."""
        key = (dimension, list_id)
        if key not in self._code_tables:
            import pandas as pd

            sums = [one.sql for one in fact.sums if dimension in one.dimensions and self.any_sums]
            codes = self.con.execute(f"SELECT DISTINCT {dimension}_code AS code FROM ({(sums or [fact.sql])[0]})").df()[
                "code"
            ]
            codes = codes.fillna("").astype("str")
            items = load_object(parts("code_maps")[dimension])(list_id, codes)
            self.con.register("incoming_codes", pd.DataFrame({"code": codes, "item": items}))
            name = f"cube_code_{len(self._code_tables)}"
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT DISTINCT code, item FROM incoming_codes")
            self.con.unregister("incoming_codes")
            self._code_tables[key] = name
        return self._code_tables[key]

    def span(self, fact: Fact) -> tuple[str, str]:
        """First and last year in which a fact holds anything ("" of nothing)."""
        if fact.id not in self._spans:
            relation = fact.sums[0].sql if fact.sums and self.any_sums else fact.sql
            row = self.con.execute(
                f"SELECT min(left(period_id, 4)), max(left(period_id, 4)) FROM ({relation})"
            ).fetchone()
            self._spans[fact.id] = (row[0] or "", row[1] or "") if row else ("", "")
        return self._spans[fact.id]

    def facility_types(self) -> list[str]:
        """The facility types of the release's units."""
        rows = self.con.execute(
            f"SELECT DISTINCT facility_type FROM {self.place_table} WHERE facility_type IS NOT NULL ORDER BY 1"
        )
        return [row[0] for row in rows.fetchall()]

    def exists(self, unit_id: str) -> bool:
        """Whether the release's places know a unit."""
        return bool(
            self.con.execute(f"SELECT 1 FROM {self.place_table} WHERE unit_id = {quoted(unit_id)} LIMIT 1").fetchone()
        )


def cube_of(release: Release) -> Cube:
    """The cube of a release, made once and kept with it."""
    kept = release.__dict__.get("_cube")
    if kept is None:
        kept = release.__dict__["_cube"] = Cube(release)
    return kept

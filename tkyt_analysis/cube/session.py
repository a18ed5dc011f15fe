"""What the cube keeps for one open release: its measures, its periods as a table, its lists as maps of codes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from tkyt_analysis.cube.facts import Fact, quoted
from tkyt_analysis.cube.model import Measure
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.modules import load_object, parts

if TYPE_CHECKING:
    import duckdb

    from tkyt_analysis.warehouse.release import Release

_PERIOD_TABLES = ("province_value", "province_report", "programme_indicator")


class Cube:
    """The cube of an open release; made once (`cube_of`)."""

    def __init__(self, release: Release) -> None:
        self.release = release
        self._code_tables: dict[tuple[str, str], str] = {}
        self._facts: dict[str, Fact] = {}

    @property
    def con(self) -> duckdb.DuckDBPyConnection:
        return self.release.con

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
                    self._facts[fact_id] = found
                    break
            else:
                raise ProcessingError("error.cube_fact", fact=fact_id)
        return self._facts[fact_id]

    @cached_property
    def period_table(self) -> str:
        """Name of a table of every period that values stand on: period_id, first, last, year, half, quarter, month."""
        from tkyt_analysis.reference.periods import month_range, period_windows

        ids = self._period_ids()
        windows = period_windows(ids)
        years = sorted({one[:4] for one in ids})
        if years:
            months = [str(one) for one in month_range(f"{years[0]}01", f"{years[-1]}12")]
            windows = period_windows(sorted({*ids, *months, *years}))
        self.con.register("incoming_periods", windows)
        self.con.execute(
            """
            CREATE OR REPLACE TEMP TABLE cube_period AS
            SELECT period_id, CAST(period_start AS DATE) AS first, CAST(period_end AS DATE) AS last,
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
        tables = [one for one in _PERIOD_TABLES if one in self.release.tables()]
        selects = [f'SELECT DISTINCT period_id FROM "{one}"' for one in tables]
        if "death" in self.release.tables():
            selects.append("SELECT DISTINCT CAST(year AS VARCHAR) FROM death WHERE year IS NOT NULL")
        if not selects:
            return []
        rows = self.con.execute(f"SELECT DISTINCT period_id FROM ({' UNION ALL '.join(selects)}) ORDER BY 1").fetchall()
        return [row[0] for row in rows if row[0]]

    def code_table(self, dimension: str, list_id: str, fact: Fact) -> str:
        """Name of a table (code, item) for a dimension that a list defines, over the codes that a fact holds."""
        key = (dimension, list_id)
        if key not in self._code_tables:
            import pandas as pd

            codes = self.con.execute(f"SELECT DISTINCT {dimension}_code AS code FROM ({fact.sql})").df()["code"]
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
        row = self.con.execute(
            f"SELECT min(left(period_id, 4)), max(left(period_id, 4)) FROM ({fact.province_sql or fact.sql})"
        ).fetchone()
        return (row[0] or "", row[1] or "") if row else ("", "")

    def facility_types(self) -> list[str]:
        """The facility types of the release's units."""
        rows = self.con.execute("SELECT DISTINCT facility_type FROM place WHERE facility_type IS NOT NULL ORDER BY 1")
        return [row[0] for row in rows.fetchall()]

    def exists(self, unit_id: str) -> bool:
        """Whether the release's places know a unit."""
        return bool(self.con.execute(f"SELECT 1 FROM place WHERE unit_id = {quoted(unit_id)} LIMIT 1").fetchone())


def cube_of(release: Release) -> Cube:
    """The cube of a release, made once and kept with it."""
    kept = release.__dict__.get("_cube")
    if kept is None:
        kept = release.__dict__["_cube"] = Cube(release)
    return kept

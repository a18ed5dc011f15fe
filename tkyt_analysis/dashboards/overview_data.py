"""What the overview shows, read from one release: places, periods, six figures and two tables. No text, no widgets."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.periods import Period, make_period, period, period_windows, shift
from tkyt_analysis.warehouse.release import NATION, Release

REFORM = pd.Timestamp("2025-07-01")
PERIOD_KINDS = ("year", "quarter", "month")
MAP_MEASURES = ("completeness", "crude_death_rate")


@dataclass(frozen=True)
class Figure:
    """One figure of a place in a period.

    status : ok | modelled | not_assessable (then there is no value and `reason` says why)
    reason : label key of what limits trust in it; "" where nothing does
    change : difference to the period before; None where they cannot be compared
    """

    id: str
    value: float | None
    lower: float | None = None
    upper: float | None = None
    status: str = "ok"
    trust: str | None = None
    reason: str = ""
    change: float | None = None
    events: float | None = None
    course: list[float | None] = field(default_factory=list)


class OverviewData:
    """Figures of one release. A place is VN, a province of 2025 or a commune of 2025.

    A province stands for every unit of the old provinces that went into it, a commune for the old communes that
    went there whole or by default. So a course runs through the reform of 1 July 2025 without a break.
    """

    def __init__(self, release: Release) -> None:
        self.release = release
        self._place = ""
        self._register_windows()

    def _register_windows(self) -> None:
        ids = [
            self.release.query(f"SELECT DISTINCT period_id FROM {table} WHERE period_id <> ''")["period_id"]
            for table in ("reporting", "finding")
            if self.release.has(table)
        ]
        known = pd.concat(ids).drop_duplicates() if ids else pd.Series(dtype="str")
        self.windows = period_windows(known.tolist())
        self.release.con.register("period_window", self.windows)

    @cached_property
    def units(self) -> pd.DataFrame:
        """unit_id, name, level, parent_unit_id, province_scope of every unit."""
        return self.release.query(
            "SELECT unit_id, name, level, parent_unit_id, province_scope, valid_to FROM organisation_unit ORDER BY unit_id"
        ).drop_duplicates("unit_id")

    @cached_property
    def names(self) -> dict[str, str]:
        """unit_id → name."""
        return dict(zip(self.units["unit_id"], self.units["name"]))

    @cached_property
    def provinces(self) -> pd.DataFrame:
        """unit_id, name of the provinces of 2025, by name."""
        rows = self.units[self.units["unit_id"].str.fullmatch(r"VN2025:\d{2}")]
        plain = rows["name"].str.replace(r"^(Tỉnh|Thành phố) ", "", regex=True)
        return rows.assign(plain=plain).sort_values("plain")[["unit_id", "name"]].reset_index(drop=True)

    @cached_property
    def offered_provinces(self) -> pd.DataFrame:
        """The provinces that the account may choose: those with a unit of 2025 that it sees."""
        if self.release.reads.nation:
            return self.provinces
        seen = self.units[self.units["unit_id"].isin(self.release.seen_units)]
        holding = seen.loc[seen["unit_id"].str.startswith("VN2025:"), "province_scope"].str.replace("-", ":")
        return self.provinces[self.provinces["unit_id"].isin(holding)].reset_index(drop=True)

    def may_see(self, place: str) -> bool:
        """Whether the account sees a place as a whole."""
        return self.release.reads.nation or place in self.release.seen_units

    @cached_property
    def in_2025(self) -> dict[str, str]:
        """Old unit → the commune of 2025 that it went to whole or by default."""
        from tkyt_analysis.reference.geography import crosswalk

        links = crosswalk()
        default = links[links["is_default"]].drop_duplicates("old_unit_id")
        return dict(zip(default["old_unit_id"], default["new_unit_id"]))

    @cached_property
    def with_data(self) -> set[str]:
        """Units, on the units of 2025, that reported, had to report, or registered a death."""
        found = [
            self.release.query(f"SELECT DISTINCT unit_id FROM {table}")["unit_id"]
            for table in ("reporting", "death", "aggregate_value")
            if self.release.has(table)
        ]
        return {self.in_2025.get(unit, unit) for units in found for unit in units}

    def communes(self, province: str) -> pd.DataFrame:
        """unit_id, name of the communes of 2025 in the province that have data, by name."""
        rows = self.units[
            (self.units["province_scope"] == province.replace(":", "-"))
            & self.units["unit_id"].str.fullmatch(r"VN2025:\d{5}")
            & (self.units["unit_id"].isin(self.with_data) | self.units["unit_id"].isin(self.release.seen_units))
        ]
        rows = rows[rows["unit_id"].map(self.may_see).astype(bool)]
        return rows.sort_values("name")[["unit_id", "name"]].reset_index(drop=True)

    @cached_property
    def periods(self) -> list[Period]:
        """Years and months with reports or deaths, the latest year first, each year before its months.

        Periods of findings alone are left out: a date that lies in the future is a finding, not a period to look at.
        """
        reported: set[str] = set()
        if self.release.has("reporting"):
            reported = set(self.release.query("SELECT DISTINCT period_id FROM reporting")["period_id"])
        of_kind = self.windows[self.windows["kind"].isin(PERIOD_KINDS) & self.windows["period_id"].isin(reported)]
        found = {period(one) for one in of_kind["period_id"]}
        found |= {make_period("year", one.year) for one in found}
        if self.release.has("death"):
            years = self.release.query(
                "SELECT DISTINCT year FROM death WHERE excluded = '' AND year BETWEEN 1900 AND 2200"
            )["year"]
            found |= {make_period("year", int(year)) for year in years}
        return sorted(found, key=lambda one: (-one.year, PERIOD_KINDS.index(one.kind), -one.number))

    def require_place(self, place: str) -> str:
        """The place, if it is VN or a province or commune of 2025 in this release; else InputError."""
        known = place == NATION or (re.fullmatch(r"VN2025:(\d{2}|\d{5})", str(place)) and place in self.names)
        if not known:
            raise InputError("error.overview_place", place=place, release=self.release.release_id)
        self.release.require_place(place)
        return place

    def require_period(self, period_id: str) -> Period:
        """The period, if the release has data of it; else InputError."""
        for one in self.periods:
            if one.period_id == period_id:
                return one
        raise InputError("error.overview_period", period=period_id, release=self.release.release_id)

    def old_units(self, place: str) -> list[str]:
        """Names of the old provinces or communes that went into a province or commune of 2025."""
        if re.fullmatch(r"VN2025:\d{2}", place):
            from tkyt_analysis.reference.geography import province_merge

            merge = province_merge()
            ids = merge.loc[merge["new_unit_id"] == place, "old_unit_id"].tolist()
        else:
            ids = sorted(old for old, new in self.in_2025.items() if new == place)
        return [self.names.get(unit, unit) for unit in ids]

    # -- which units count, and in which row of the table each stands

    def look_at(self, place: str, this: Period) -> None:
        """Make `unit_row` (unit_id, row_unit) of the place for the queries below."""
        self._place = place
        units = self._units_of(place)
        if place == NATION:
            row = units["province_scope"].str.replace("-", ":", regex=False)
        elif pd.Timestamp(this.end) >= REFORM:
            row = units["unit_id"].map(lambda unit: self.in_2025.get(unit, unit))
        else:
            row = units["unit_id"]
        self.release.con.register("unit_row", units[["unit_id"]].assign(row_unit=row))

    def _units_of(self, place: str) -> pd.DataFrame:
        if place == NATION:
            return self.units
        if re.fullmatch(r"VN2025:\d{2}", place):
            return self.units[self.units["province_scope"] == place.replace(":", "-")]
        own = {place} | {old for old, new in self.in_2025.items() if new == place}
        return self.units[self.units["unit_id"].isin(own) | self.units["parent_unit_id"].isin(own)]

    # -- reporting

    def reporting_by(self, column: str, this: Period) -> pd.DataFrame:
        """column, expected, received, missing, share [0–1, above 1 where more came than was due] in the period."""
        columns = [column, "expected", "received", "missing", "share"]
        if not self.release.has("reporting"):
            return pd.DataFrame(columns=columns)
        rows = self.release.query(
            f"""
            SELECT {column}, count(*) FILTER (expected) AS expected, count(*) FILTER (received) AS received,
                   count(*) FILTER (expected AND NOT received) AS missing
            FROM reporting JOIN period_window USING (period_id) JOIN unit_row USING (unit_id)
            WHERE period_start >= ? AND period_end <= ? GROUP BY 1 ORDER BY 1
            """,
            [this.start, this.end],
        )
        return rows.assign(share=rows["received"] / rows["expected"].where(rows["expected"] > 0))

    def reporting_course(self, this: Period, steps: int = 12) -> pd.DataFrame:
        """received, expected, missing per period of the same kind, oldest first, ending with this one."""
        rows = [self._reporting_total(one) for one in self._before(this, steps)]
        return pd.DataFrame(rows, columns=["expected", "received", "missing"], dtype="float64")

    def _before(self, this: Period, steps: int) -> list[Period]:
        known = {one.period_id for one in self.periods}
        return [one for step in range(1 - steps, 1) if (one := shift(this, step)).period_id in known]

    def _reporting_total(self, this: Period) -> list[float]:
        rows = self.reporting_by("dataset_id", this)
        return [float(rows[name].sum()) for name in ("expected", "received", "missing")]

    # -- deaths and questions

    def deaths_by(self, column: str, this: Period) -> pd.DataFrame:
        """column, deaths registered in the period: duplicates and undated records left out."""
        if not self.release.has("death"):
            return pd.DataFrame(columns=[column, "deaths"])
        inside = "year = ?" if this.kind == "year" else "make_date(year, month, 1) BETWEEN ? AND ?"
        bounds = [this.year] if this.kind == "year" else [this.start, this.end]
        return self.release.query(
            f"SELECT {column}, count(*) AS deaths FROM death JOIN unit_row USING (unit_id) "
            f"WHERE excluded = '' AND {inside} GROUP BY 1 ORDER BY 1",
            bounds,
        )

    def deaths(self, this: Period) -> int:
        """Deaths registered in the period at this place."""
        return int(self.deaths_by("year", this)["deaths"].sum())

    def questions_by(self, column: str, this: Period) -> pd.DataFrame:
        """column, questions: findings of the period other than missing reports."""
        if not self.release.has("finding"):
            return pd.DataFrame(columns=[column, "questions"])
        return self.release.query(
            f"""
            SELECT {column}, count(*) AS questions
            FROM finding JOIN period_window USING (period_id) JOIN unit_row USING (unit_id)
            WHERE rule_id <> 'report_missing' AND period_start >= ? AND period_end <= ? GROUP BY 1 ORDER BY 1
            """,
            [this.start, this.end],
        )

    def questions(self, this: Period) -> int:
        """Questions open on the period at this place."""
        return int(self.questions_by("rule_id", this)["questions"].sum())

    # -- indicators

    def indicator(self, indicator_id: str, unit_id: str | None = None) -> pd.DataFrame:
        """unit_id, year, numerator, denominator, value, lower, upper, status of both sexes; one row per unit and year.

        A share by cause is summed over the list's causes; it has no limits then.
        """
        columns = ["unit_id", "year", "numerator", "denominator", "value", "lower", "upper", "status"]
        if not self.release.has("indicator_value"):
            return pd.DataFrame(columns=columns)
        return self.release.query(
            """
            SELECT unit_id, CAST(period_id AS INTEGER) AS year, sum(numerator) AS numerator, max(denominator) AS denominator,
                   sum(value) AS value, if(count(*) = 1, max(lower), NULL) AS lower,
                   if(count(*) = 1, max(upper), NULL) AS upper, max(status) AS status
            FROM indicator_value
            WHERE indicator_id = ? AND sex = 'total' AND cause NOT IN ('gap', 'unknown', 'DEFINED') AND (? IS NULL OR unit_id = ?)
            GROUP BY unit_id, period_id ORDER BY unit_id, period_id
            """,
            [indicator_id, unit_id, unit_id],
        )

    # -- tables

    def table(self, this: Period) -> pd.DataFrame:
        """Units below the place (data sets, for a commune): expected, received, missing, share, questions, deaths."""
        if re.fullmatch(r"VN2025:\d{5}", self._place):
            return self._by_dataset(this)
        table = self.reporting_by("row_unit", this)
        for more in (self.questions_by("row_unit", this), self.deaths_by("row_unit", this)):
            table = table.merge(more, on="row_unit", how="outer", validate="one_to_one")
        counts = ["expected", "received", "missing", "questions", "deaths"]
        table[counts] = table[counts].astype("float64").fillna(0).astype("int64")
        name = [self.names.get(unit, unit) for unit in table["row_unit"]]
        return table.assign(name=name).sort_values(["share", "name"], ignore_index=True, na_position="last")

    def _by_dataset(self, this: Period) -> pd.DataFrame:
        table = self.reporting_by("dataset_id", this)
        names: dict[Any, Any] = {}
        if self.release.has("data_set"):
            rows = self.release.query("SELECT DISTINCT dataset_id, name FROM data_set")
            names = dict(zip(rows["dataset_id"], rows["name"]))
        return table.assign(name=[names.get(one, one) for one in table["dataset_id"]]).sort_values(
            ["share", "name"], ignore_index=True, na_position="last"
        )

    def map_values(self, measure: str, this: Period) -> pd.DataFrame:
        """unit_id, value, status of each province of 2025; provinces without data have no row."""
        if measure == "crude_death_rate":
            rows = self.indicator("crude_death_rate")
            rows = rows[(rows["year"] == this.year) & rows["unit_id"].isin(self.provinces["unit_id"])]
            return rows[["unit_id", "value", "status"]].reset_index(drop=True)
        place = self._place
        self.look_at(NATION, this)
        rows = self.reporting_by("row_unit", this)
        self.look_at(place, this)
        rows = rows[rows["row_unit"].isin(self.provinces["unit_id"]) & rows["share"].notna()]
        return pd.DataFrame({"unit_id": rows["row_unit"], "value": 100 * rows["share"], "status": "ok"})

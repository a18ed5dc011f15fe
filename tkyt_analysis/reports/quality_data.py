"""What the quality report and the quality dashboard show, read from one release: tables, no text, no pictures."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from tkyt_analysis.catalog import load_entries, load_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.reference.periods import as_period, period_windows
from tkyt_analysis.warehouse.release import NATION, Release

EVERYTHING = "ALL"  # all that was received, also records without a unit
QUESTION = ["finding_id", "rule_id", "severity", "dataset_id", "unit_id", "period_id", "element_id", "category_id"]
JUDGEMENT = ["explanation", "probability", "suggested", "at_stake"]


@dataclass(frozen=True)
class QualityView:
    """Quality of reporting of one place up to one period.

    place : unit_id of a nation, province, or any other unit; it stands for all units below it, and a province
        of 2025 also for the units of the old provinces that went into it. A code system ("KEN") stands for its units
    period_id : the month or quarter the report is about
    """

    release: Release
    place: str
    period_id: str

    @property
    def threshold(self) -> float:
        """Share of the reports due that must have arrived, at the end of the period."""
        return completeness_threshold(as_period(self.period_id).end)

    @cached_property
    def units(self) -> pd.DataFrame:
        """The units that the place stands for: unit_id, name, level, parent_unit_id, province_id, …"""
        self.release.require_place(self.place)
        units = self.release.query("SELECT * FROM organisation_unit")
        if self.place in (NATION, EVERYTHING):
            return units
        of_system = units[units["unit_id"].str.startswith(f"{self.place}:")]
        if len(of_system):
            return of_system
        if self.place not in set(units["unit_id"]):
            raise InputError("error.unknown_place_in_release", place=self.place, release=self.release.release_id)
        own = units[units["unit_id"] == self.place].iloc[0]
        if not isinstance(own["parent_unit_id"], str) or not own["parent_unit_id"]:
            return units
        if own["province_scope"] == self.place.replace(":", "-"):
            return units[units["province_scope"] == own["province_scope"]]
        return units[units["unit_id"].isin(descendants(units, self.place))]

    @cached_property
    def place_name(self) -> str:
        """Name of the place; of a whole code system its id."""
        if self.place == EVERYTHING:
            return label("report.everything")
        return str(self.names.get(self.place, self.place))

    @cached_property
    def names(self) -> pd.Series:
        """unit_id → name."""
        return self.units.drop_duplicates("unit_id").set_index("unit_id")["name"]

    @cached_property
    def words(self) -> dict[str, str]:
        """Names of units and elements by their ids, for the fields of a question."""
        return dict(self.elements) | dict(self.names)

    @cached_property
    def elements(self) -> pd.Series:
        """element_id → name."""
        if not self.release.has("data_element"):
            return pd.Series(dtype="str")
        rows = self.release.query("SELECT element_id, any_value(name) AS name FROM data_element GROUP BY 1")
        return rows.set_index("element_id")["name"]

    @cached_property
    def datasets(self) -> dict[str, str]:
        """dataset_id → name: of the form catalog, and as received with DHIS2 metadata."""
        kinds = ("datasets", "forms")
        names = {one.id: one.title[current_language()] for kind in kinds for one in load_entries(kind).values()}
        if self.release.has("data_set"):
            names |= dict(self.release.query("SELECT dataset_id, name FROM data_set").itertuples(index=False))
        return names

    def dataset_name(self, dataset_id: str) -> str:
        """Name of a data set; its id where the catalog has none."""
        return self.datasets.get(dataset_id, dataset_id)

    @cached_property
    def reports(self) -> pd.DataFrame:
        """Reports due or received by these units, with period_start; one row per data set, unit and period."""
        if not self.release.has("reporting"):
            return pd.DataFrame(columns=["dataset_id", "unit_id", "period_id", "expected", "received", "period_start"])
        rows = self.release.query(
            "SELECT dataset_id, unit_id, period_id, expected, received, marked_complete FROM reporting"
        )
        rows = rows[rows["unit_id"].isin(self.units["unit_id"])]
        rows = rows.assign(expected=rows["expected"].astype(bool), received=rows["received"].astype(bool))
        return rows.merge(period_windows(rows["period_id"].unique()), on="period_id")

    def course(self, periods: int = 12) -> pd.DataFrame:
        """Completeness per period of the report's kind, oldest first: period_id, expected, received, missing, share.

        `missing` counts reports that were due and did not come; a report that nobody expected does not make up for one.
        """
        kind = as_period(self.period_id).kind
        rows = self.reports[self.reports["kind"] == kind] if len(self.reports) else self.reports
        if rows.empty:
            return pd.DataFrame(columns=["period_id", "expected", "received", "missing", "share"])
        until = rows[rows["period_id"] <= self.period_id]
        until = until.assign(missing=until["expected"] & ~until["received"])
        sums = until.groupby("period_id", as_index=False)[["expected", "received", "missing"]].sum().tail(periods)
        return sums.assign(share=sums["received"] / sums["expected"].where(sums["expected"] > 0))

    def by_dataset(self) -> pd.DataFrame:
        """Completeness in the period per data set: dataset_id, expected, received, missing, share."""
        now = self._now()
        now = now.assign(missing=now["expected"] & ~now["received"])
        rows = now.groupby("dataset_id", as_index=False)[["expected", "received", "missing"]].sum()
        return rows.assign(share=rows["received"] / rows["expected"].where(rows["expected"] > 0))

    def by_unit(self, periods: int = 12) -> pd.DataFrame:
        """Reports received (1), missing (0) or not due (empty) per unit and period: a matrix, worst units first."""
        course = self.course(periods)["period_id"]
        rows = self.reports[self.reports["period_id"].isin(course)]
        if rows.empty:
            return pd.DataFrame()
        cells = rows.groupby(["unit_id", "period_id"])[["expected", "received"]].sum()
        share = (cells["received"] / cells["expected"].where(cells["expected"] > 0)).unstack("period_id")
        alive = share[share.notna().any(axis=1)]
        order = alive.mean(axis=1).sort_values(kind="stable").index
        return alive.loc[order]

    def _now(self) -> pd.DataFrame:
        return self.reports[self.reports["period_id"] == self.period_id]

    @cached_property
    def findings(self) -> pd.DataFrame:
        """Findings on these units in the period (and on units without a period), with what is at stake where known."""
        columns = [*QUESTION, "value", "expected", "verdict", *JUDGEMENT, "fields"]
        if not self.release.has("finding"):
            return pd.DataFrame(columns=columns)
        ids = self.release.query("SELECT DISTINCT period_id FROM finding WHERE period_id <> ''")["period_id"]
        rows = self.release.query(
            "SELECT * FROM finding WHERE unit_id IN (SELECT unnest(?)) AND period_id IN (SELECT unnest(?))",
            [self.units["unit_id"].tolist(), self._ending_inside(ids)],
        )
        absent = [name for name in JUDGEMENT if name not in rows]  # releases of before these were known
        return rows.assign(**{name: float("nan") if name != "explanation" else "" for name in absent})

    @cached_property
    def asked(self) -> pd.DataFrame:
        """The findings that are questions: no notes, no true events; missing reports are counted apart."""
        rows = self.findings
        return rows[(rows["rule_id"] != "report_missing") & (rows["severity"] != "note") & (rows["verdict"] != "shock")]

    def _ending_inside(self, period_ids: pd.Series) -> list[str]:
        """Those of the periods that end inside the report's."""
        window, windows = as_period(self.period_id), period_windows(period_ids.unique())
        ends = windows["period_end"].astype("datetime64[us]")
        inside = (ends >= pd.Timestamp(window.start)) & (ends <= pd.Timestamp(window.end))
        return windows.loc[inside, "period_id"].tolist()

    def questions(self, most: int = 20) -> pd.DataFrame:
        """The questions to ask first, by events at stake × probability within province and month; missing reports apart.

        Releases of before questions were ranked: severe ones first, then by events at stake.
        """
        rows = self.asked
        if not self.release.has("question_rank"):
            severity = rows["severity"].map({"error": 0, "warning": 1, "note": 2})
            order = rows.assign(severity_rank=severity).sort_values(
                ["severity_rank", "at_stake", "finding_id"], ascending=[True, False, True], na_position="last"
            )
            return order.drop(columns="severity_rank").head(most)
        ranked = self.release.query(
            "SELECT finding_id, rank, score, within_budget FROM question_rank WHERE finding_id IN (SELECT unnest(?))",
            [rows["finding_id"].tolist()],
        )
        found = rows.merge(ranked, on="finding_id", validate="one_to_one")
        return found.sort_values(["score", "finding_id"], ascending=[False, True], na_position="last").head(most)

    def coverage(self) -> pd.DataFrame:
        """How much of the warehouse each rule could judge."""
        return (
            self.release.query("SELECT * FROM rule_coverage ORDER BY rule_id")
            if self.release.has("rule_coverage")
            else pd.DataFrame()
        )

    def quarantine(self) -> pd.DataFrame:
        """Reasons of quarantine and repair over everything received: kind, key, rows."""
        if not self.release.has("quarantine_summary"):
            return pd.DataFrame(columns=["kind", "key", "rows"])
        return self.release.query("SELECT kind, key, rows FROM quarantine_summary ORDER BY kind DESC, rows DESC")

    def received(self) -> pd.DataFrame:
        """Files and rows received by door."""
        return (
            self.release.query("SELECT * EXCLUDE (scope) FROM received ORDER BY rows_received DESC")
            if self.release.has("received")
            else pd.DataFrame()
        )


def completeness_threshold(day: datetime.date) -> float:
    """Share of the reports due that must have arrived, in force on `day`: a dated catalog entry."""
    return float(load_entry("thresholds", "reporting_completeness").at(day))


def descendants(units: pd.DataFrame, root: str) -> set[str]:
    """The unit and all units below it."""
    found, level = {root}, {root}
    while level:
        level = set(units.loc[units["parent_unit_id"].isin(level), "unit_id"]) - found
        found |= level
    return found

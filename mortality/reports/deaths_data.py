"""What the report on registered deaths shows, read from one release: tables, no text, no pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from mortality.tabulation.cause_lists import GAP, UNKNOWN, CauseList, load_cause_list
from mortality.tabulation.tables import tabulate_deaths
from tkyt_analysis.errors import InputError
from tkyt_analysis.reports.quality_data import EVERYTHING, QualityView
from tkyt_analysis.warehouse.release import NATION, Release


@dataclass(frozen=True)
class DeathsView:
    """Registered deaths of one place in one year (0: all years, also deaths without a date)."""

    release: Release
    place: str
    year: int

    @cached_property
    def units(self) -> pd.DataFrame:
        """The units that the place stands for."""
        return self._where.units

    @cached_property
    def _where(self) -> QualityView:
        return QualityView(self.release, self.place, "")

    @cached_property
    def place_name(self) -> str:
        return self._where.place_name

    @cached_property
    def records(self) -> pd.DataFrame:
        """Every record of the place and year, excluded ones too, with its cause (empty where it is withheld)."""
        if not self.release.has("death"):
            raise InputError("error.no_deaths", release=self.release.release_id)
        rows = self.release.query("SELECT * FROM death")
        if self.place not in (NATION, EVERYTHING):
            units = set(self.units["unit_id"])
            rows = rows[rows["unit_id"].isin(units) | rows["unit_2025"].isin(units)]
        if self.year:
            rows = rows[rows["year"] == self.year]
        return rows.reset_index(drop=True)

    @cached_property
    def analysed(self) -> pd.DataFrame:
        """The records that count as deaths."""
        return self.records[self.records["excluded"] == ""].reset_index(drop=True)

    def flow(self) -> pd.DataFrame:
        """received, each reason of exclusion, analysed: step, deaths; the parts add up to received."""
        excluded = self.records.loc[self.records["excluded"] != "", "excluded"].value_counts().sort_index()
        steps = [("received", len(self.records)), *excluded.items(), ("analysed", len(self.analysed))]
        return pd.DataFrame(steps, columns=["step", "deaths"])

    @cached_property
    def way(self) -> pd.DataFrame | None:
        """Where every received row went on its way to the analysed deaths (see `flow_of`); None in an older release."""
        from mortality.persons_release.flow import flow_of

        if not self.release.has("deaths_flow"):
            return None
        whole = self.place in (NATION, EVERYTHING)
        scopes = set(self.units["province_scope"]) - {NATION} if not whole and "province_scope" in self.units else set()
        units = None if whole else set(self.units["unit_id"])
        return flow_of(self.release, units=units, scope=scopes.pop() if len(scopes) == 1 else None, year=self.year)

    def decisions(self) -> pd.DataFrame:
        """decision, deaths: how the causes of the analysed deaths were coded."""
        counts = self.analysed["decision"].value_counts().sort_index()
        return counts.rename_axis("decision").rename("deaths").reset_index()

    def by_cause(self, list_id: str) -> tuple[CauseList, pd.DataFrame]:
        """(list, table of item, male, female, unknown, total): every item with a death; gaps and unknown causes last.

        A cause that is withheld by law (HIV) is counted among the unknown: a row of its own would disclose it.
        """
        causes = load_cause_list(list_id)
        table = tabulate_deaths(self.analysed, causes, ["sex"])  # a withheld cause is empty here, and counts as unknown
        wide = table.pivot_table(index="item", columns="sex", values="deaths", aggfunc="sum", fill_value=0)
        wide = wide.reindex(columns=["male", "female", "unknown"], fill_value=0)
        order = {item: place for place, item in enumerate([*causes.items["item"], GAP, UNKNOWN])}
        wide = wide.sort_index(key=lambda items: items.map(order))
        return causes, wide.assign(total=wide.sum(axis=1)).reset_index()

    def by_age(self) -> pd.DataFrame:
        """age_group, male, female, unknown, total in the order of age."""
        order = {age: place for place, age in enumerate(sorted(self.analysed["age_group"].unique(), key=_first_age))}
        wide = self.analysed.groupby(["age_group", "sex"]).size().unstack("sex", fill_value=0)
        wide = wide.reindex(columns=["male", "female", "unknown"], fill_value=0)
        return wide.assign(total=wide.sum(axis=1)).sort_index(key=lambda ages: ages.map(order)).reset_index()

    def indicators(self) -> pd.DataFrame:
        """Figures of the place and year for both sexes and all causes, each with its id."""
        if not self.release.has("indicator_value") or not self.year:
            return pd.DataFrame(columns=["indicator_id", "sex", "cause", "value"])
        return self.release.query(
            "SELECT * FROM indicator_value WHERE unit_id = ? AND period_id = ? ORDER BY indicator_id, cause, sex",
            [self.place, str(self.year)],
        )


def _first_age(age: str) -> float:
    digits = age.rstrip("+").split("-")[0]
    return float(digits) if digits.isdigit() else float("inf")

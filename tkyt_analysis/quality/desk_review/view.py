"""The review of one place and year, read from a release."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from tkyt_analysis.catalog import load_entries
from tkyt_analysis.catalog.desk_review import DeskReview
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import current_language
from tkyt_analysis.quality.desk_review.review import METRICS
from tkyt_analysis.quality.desk_review.words import interpretation
from tkyt_analysis.reference.places import system_at
from tkyt_analysis.warehouse.release import NATION, Release


@dataclass(frozen=True)
class DeskReviewView:
    """Results of one catalog entry for a province (of 2025 or before) or the nation in one year.

    The nation is shown by the provinces of the end of the year: 34 from 2025 on, 63 before.
    """

    release: Release
    place: str
    year: int
    review: str = "routine"

    @property
    def geography(self) -> str:
        """The code system whose units the place is shown by."""
        return system_at(f"{self.year}-12-31") if self.place == NATION else self.place.partition(":")[0]

    @property
    def entry(self) -> DeskReview:
        entries = load_entries("desk_review")
        if self.review not in entries:
            raise InputError("error.desk_review_unknown", review=self.review, known=", ".join(entries))
        return entries[self.review]

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The results in the order of the metrics; InputError where the release has none for the place and year."""
        self.release.require_place(self.place)
        _ = self.entry
        if "desk_review" not in self.release.tables():
            raise InputError("error.desk_review_absent", release=self.release.release_id)
        found = self.release.query(
            "SELECT * FROM desk_review WHERE review = ? AND place = ? AND geography = ? AND year = ?",
            [self.review, self.place, self.geography, self.year],
        )
        if found.empty:
            raise InputError("error.desk_review_nothing", place=self.place, year=self.year, known=self._known())
        order = found["metric"].map({name: place for place, name in enumerate(METRICS)})
        return (
            found.assign(order=order)
            .sort_values(["order", "subject"], ignore_index=True)
            .drop(columns=["order", "scope"])
        )

    def _known(self) -> str:
        years = self.release.query(
            "SELECT DISTINCT place, year FROM desk_review WHERE review = ? ORDER BY ALL", [self.review]
        )
        listed = [f"{place} {year}" for place, year in years.itertuples(index=False)]
        return ", ".join(listed[:12]) + (" …" if len(listed) > 12 else "") or "–"

    @cached_property
    def place_name(self) -> str:
        """Name of the place."""
        found = self.release.query(
            "SELECT any_value(name) AS name FROM organisation_unit WHERE unit_id = ?", [self.place]
        )
        name = found["name"].iloc[0]
        return str(name) if isinstance(name, str) else self.place

    @cached_property
    def datasets(self) -> dict[str, str]:
        """dataset_id → name."""
        names = {form.id: form.title[current_language()] for form in load_entries("forms").values()}
        if self.release.has("data_set"):
            names |= dict(self.release.query("SELECT dataset_id, name FROM data_set").itertuples(index=False))
        return names

    def subject_name(self, metric: str, subject: str, language: str | None = None) -> str:
        """What a row is about: a data set, an indicator, a pair, an estimate; its id where nothing names it."""
        language = language or current_language()
        if metric in ("1a", "1b", "1d"):
            return self.datasets.get(subject, subject)
        kinds = {"2e": "pairs", "3a": "coverage", "4a": "population_groups", "4b": "denominators"}
        found = getattr(self.entry, kinds.get(metric, "indicators")).get(subject)
        return found.title[language] if found else subject

    def records(self, language: str | None = None) -> list[dict[str, Any]]:
        """The rows for machines: lists and facts as such, with the subject's name and the interpretation."""
        plain = self.rows.astype(object).where(self.rows.notna(), None).to_dict("records")
        return [
            row
            | {
                "subject_name": self.subject_name(row["metric"], row["subject"], language),
                "names": json.loads(row["names"]),
                "facts": json.loads(row["facts"]),
                "interpretation": interpretation(row, language),
            }
            for row in plain
        ]

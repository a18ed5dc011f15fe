"""What several template notebooks show: style, quarantine by reason, own reports, the view that the quality notebook opens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from tkyt_analysis.access import NATION, require
from tkyt_analysis.access.warehouse_view import scoped_warehouse
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import all_labels
from tkyt_analysis.settings import home_directory

if TYPE_CHECKING:
    from tkyt_analysis.reports.quality_data import QualityView
    from tkyt_analysis.warehouse.release import Release


def notebook_style() -> str:
    """The pages' style sheet for the outputs of a notebook; nothing outside them is touched."""
    from tkyt_analysis.assets import page_css

    rules = page_css().replace(":root", "&").replace("html {", "& {", 1)
    return f"<style>.jp-OutputArea-output {{ {rules} }}</style>"


def quarantine_by_reason(home: Path) -> pd.DataFrame:
    """reason (label key), rows, files, example (a file's name); most rows first."""
    with scoped_warehouse(home, require(home, "read")) as view:
        return view.warehouse.query(
            f"""
            SELECT reason, count(*) AS rows, count(DISTINCT file_sha256) AS files, min(file_name) AS example
            FROM lake.quarantine JOIN lake.received_file USING (file_sha256)
            WHERE {view.files()} GROUP BY 1 ORDER BY rows DESC, reason
            """
        )


def own_reports(home: Path) -> list[Path]:
    """The pages of reports on places that the current account reads, as their passports say."""
    account = require(home, "read")
    pages = list((home / "reports").glob("*.html"))
    if account.reads.nation:
        return pages
    return [page for page in pages if account.reads.covers(_place_of_report(page))]


def _place_of_report(page: Path) -> str:
    try:
        return str(json.loads(page.with_suffix(".json").read_text("utf-8"))["parameters"].get("place", NATION))
    except (OSError, ValueError, KeyError):
        return NATION


def reason_words(key: str, language: str) -> str:
    """The short name of a reason, else its sentence without the particulars, else the key."""
    from tkyt_analysis.reports.quality_report import reason_title

    return reason_title(key, language) if key in all_labels() or f"{key}.title" in all_labels() else key


def open_quality(home: str | Path = "", release: str = "", place: str = "", period: str = "") -> QualityView:
    """The quality view of a place; "" stands for TKYT_HOME, the current release, all that the account sees, the latest
    month with reports."""
    from tkyt_analysis.notebook_parts import place_or_own
    from tkyt_analysis.reports.quality_data import QualityView
    from tkyt_analysis.warehouse.release import Release

    opened = Release(Path(home) if home else home_directory(), release or None)
    return QualityView(opened, place_or_own(opened, place), period or latest_month(opened))


def desk_review_summary(view: QualityView, language: str) -> str:
    """WHO's desk review of the year and place of a quality view; of a smaller place, that of its province."""
    from tkyt_analysis.quality.desk_review import report
    from tkyt_analysis.quality.desk_review.view import DeskReviewView

    place = view.place
    if place != NATION:
        own = view.units[view.units["unit_id"] == place]
        place = str(own["province_id"].iloc[0]) if len(own) and own["province_id"].iloc[0] else place
    return report.summary_section(DeskReviewView(view.release, place, int(view.period_id[:4])), language)


def latest_month(release: Release) -> str:
    """The last month for which reports were due; InputError where there is none."""
    rows = (
        release.query("SELECT max(period_id) AS month FROM reporting WHERE regexp_full_match(period_id, '[0-9]{6}')")[
            "month"
        ]
        if release.has("reporting")
        else pd.Series(dtype="str")
    )
    if rows.dropna().empty:
        raise InputError("error.overview_empty", release=release.release_id)
    return str(rows.iloc[0])

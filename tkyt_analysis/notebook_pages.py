"""What the template notebooks show: the state of a home as HTML, and the view that the quality notebook opens."""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd

from tkyt_analysis.access import NATION, require
from tkyt_analysis.access.warehouse_view import scoped_warehouse
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import all_labels, label
from tkyt_analysis.pages import notice, paragraph, table_html
from tkyt_analysis.settings import home_directory

if TYPE_CHECKING:
    from tkyt_analysis.reports.quality_data import QualityView
    from tkyt_analysis.warehouse.release import Release


@dataclass(frozen=True)
class StartPage:
    """The sections of 00_start for one home."""

    home: Path
    language: str

    def status(self) -> str:
        """Files and rows received, quarantine, findings, release: the sentences of `tkyt status`."""
        from tkyt_analysis.status import home_status

        sentences = home_status(self.home)["sentences"]
        return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in sentences)}</ul>"

    def waiting(self) -> str:
        """Rows in quarantine by reason, with one file to look at."""
        rows = quarantine_by_reason(self.home)
        if rows.empty:
            return paragraph(label("start.nothing_waits", self.language))
        shown = rows.assign(reason=[reason_words(key, self.language) for key in rows["reason"]])
        headings = {
            name: label(f"start.column.{name}", self.language) for name in ("reason", "rows", "files", "example")
        }
        return table_html(
            shown, headings=headings, caption=label("start.waiting", self.language), language=self.language
        )

    def release(self) -> str:
        """The current release, and the tables readers find in it."""
        from tkyt_analysis.warehouse.release import Release

        try:
            release = Release(self.home)
        except InputError as error:
            return notice(error.sentence(self.language), kind="warning", language=self.language)
        fields = {
            "release": release.release_id,
            "date": release.manifest["data_as_of"],
            "tables": ", ".join(release.tables()),
        }
        return paragraph(label("start.release", self.language, **fields))

    def reports(self) -> str:
        """Links to the reports that were made, newest first; `reports` stands beside the notebook in JupyterLab."""
        pages = sorted(own_reports(self.home), key=lambda path: (-path.stat().st_mtime, path.name))
        if not pages:
            return paragraph(label("start.no_reports", self.language))
        items = "".join(
            f'<li><a href="reports/{quote(one.name)}" target="_blank">{escape(one.name)}</a></li>' for one in pages
        )
        return f"{paragraph(label('start.reports', self.language, directory=self.home / 'reports'))}<ul>{items}</ul>"


def notebook_style() -> str:
    """The pages' style sheet for the outputs of a notebook; nothing outside them is touched."""
    from tkyt_analysis.assets import page_css

    rules = page_css().replace(":root", "&").replace("html {", "& {", 1)
    return f"<style>.jp-OutputArea-output {{ {rules} }}</style>"


def start(home: str | Path = "", language: str = "vi") -> StartPage:
    """The start page of a home ("" is TKYT_HOME)."""
    from tkyt_analysis.labels import set_language

    set_language(language)
    return StartPage(Path(home) if home else home_directory(), language)


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


def open_quality(home: str | Path = "", release: str = "", place: str = "VN", period: str = "") -> QualityView:
    """The quality view of a place; "" stands for TKYT_HOME, the current release, the latest month with reports."""
    from tkyt_analysis.reports.quality_data import QualityView
    from tkyt_analysis.warehouse.release import Release

    opened = Release(Path(home) if home else home_directory(), release or None)
    return QualityView(opened, place, period or latest_month(opened))


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

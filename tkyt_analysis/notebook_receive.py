"""What 10_receive shows: a folder received into the warehouse, what landed, what is in quarantine and why, what to ask."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.access import require
from tkyt_analysis.access.warehouse_view import scoped_warehouse
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.pages import notice, paragraph, table_html
from tkyt_analysis.settings import home_directory


@dataclass(frozen=True)
class Reception:
    """Sections of 10_receive for one home; `files` are those of the run (none: nothing was received now)."""

    home: Path
    language: str
    files: list[dict[str, Any]] = field(default_factory=list)
    received_now: bool = False

    def outcome(self) -> str:
        """What this run did, or that no folder was chosen."""
        if not self.received_now:
            return notice(label("notebook.receive.waiting", self.language), language=self.language)
        read = [one for one in self.files if one["status"] == "read"]
        counts = {
            name: format_number(sum(one[name] or 0 for one in read)) for name in ("received", "landed", "quarantined")
        }
        again = format_number(len(self.files) - len(read))
        return paragraph(
            label("notebook.receive.done", self.language, files=format_number(len(read)), again=again, **counts)
        )

    def doors(self) -> str:
        """Files and rows of the whole home by kind of file."""
        from tkyt_analysis.ingest.summary import door_name

        with scoped_warehouse(self.home, require(self.home, "read")) as view:
            rows = view.warehouse.query(
                "SELECT door, count(*) AS files, sum(rows_received) AS received, sum(rows_landed) AS landed, "
                f"sum(rows_quarantined) AS quarantined FROM lake.received_file WHERE {view.files()} GROUP BY 1 ORDER BY 3 DESC"
            )
        shown = rows.astype(dict.fromkeys(("files", "received", "landed", "quarantined"), "int64"))
        shown["door"] = [door_name(one, self.language) for one in rows["door"]]
        headings = {
            name: label(f"column.{name}", self.language)
            for name in ("door", "files", "received", "landed", "quarantined")
        }
        return table_html(
            shown, headings=headings, caption=label("notebook.receive.doors", self.language), language=self.language
        )

    def quarantine(self) -> str:
        """Rows in quarantine by reason, most first, with the sentence of one example."""
        examples = quarantine_of(self.home)
        if not examples:
            return paragraph(label("notebook.receive.no_quarantine", self.language))
        table = pd.DataFrame(examples, columns=["rows", "example"])[["example", "rows"]]
        headings = {name: label(f"notebook.receive.column.{name}", self.language) for name in ("example", "rows")}
        return table_html(
            table,
            headings=headings,
            caption=label("notebook.receive.reasons", self.language),
            stacked=True,
            language=self.language,
        )

    def questions(self) -> str:
        """How many questions wait for an answer of the units, by unit where there are some."""
        from tkyt_analysis.status import home_status

        waiting = int(home_status(self.home)["findings"])
        if not waiting:
            return paragraph(label("notebook.receive.nothing_to_ask", self.language))
        return paragraph(label("notebook.receive.ask", self.language, count=format_number(waiting)))

    def cautions(self) -> str:
        """What to be careful about with what lies in the home: what is missing from it, and how old its release is."""
        lines = cautions_of(self.home, self.language)
        return f"<ul>{''.join(f'<li>{escape(one)}</li>' for one in lines)}</ul>"


def cautions_of(home: Path, language: str) -> list[str]:
    """Rows that wait in quarantine, files that nobody could read, and files received after the current release."""
    with scoped_warehouse(home, require(home, "read")) as view:
        received, waiting, empty = view.warehouse.one(
            "SELECT coalesce(sum(rows_received), 0), coalesce(sum(rows_quarantined), 0), "
            f"count(*) FILTER (WHERE rows_landed = 0 AND rows_received > 0) FROM lake.received_file WHERE {view.files()}"
        )
        snapshot = view.warehouse.snapshot_id()
    lines = []
    if waiting:
        share = format_number(100 * waiting / received, 2, language)
        lines.append(
            label("notebook.receive.caution.quarantine", language, rows=format_number(int(waiting)), share=share)
        )
    if empty:
        lines.append(label("notebook.receive.caution.empty", language, files=format_number(int(empty))))
    lines += _unpublished(home, snapshot, language)
    return lines or [label("notebook.receive.caution.none", language)]


def _unpublished(home: Path, snapshot: int, language: str) -> list[str]:
    """The current release is of an older state of the warehouse, or there is none."""
    from tkyt_analysis.errors import InputError
    from tkyt_analysis.warehouse.release import Release

    try:
        release = Release(home)
    except InputError:
        return [label("notebook.receive.caution.no_release", language)]
    if int(release.manifest["snapshot"]) >= snapshot:
        return []
    return [label("notebook.receive.caution.older_release", language, release=release.release_id)]


def receive_folder(folder: str | Path = "", home: str | Path = "", language: str = "vi") -> Reception:
    """Receive every file of a folder ("": receive nothing) and look at the home.

    The same bytes received again change nothing. Raises InputError for a folder that is not there.
    """
    from tkyt_analysis.labels import set_language

    set_language(language)
    place = Path(home) if home else home_directory()
    if not str(folder):
        return Reception(place, language)
    from tkyt_analysis.errors import InputError
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.pipeline import prepare_home

    if not Path(folder).expanduser().exists():
        raise InputError("error.notebook_no_folder", folder=folder)
    prepare_home(place)
    result = ingest(place, [Path(folder)], language=language)
    return Reception(place, language, result.files, True)


def quarantine_of(home: Path, *, most: int = 12) -> list[tuple[int, str]]:
    """(rows, sentence of one example) per reason, over the files that the account sees."""
    from tkyt_analysis.ingest.summary import quarantine_examples

    with scoped_warehouse(home, require(home, "read")) as view:
        files = view.warehouse.query(f"SELECT file_sha256 FROM lake.received_file WHERE {view.files()}")[
            "file_sha256"
        ].tolist()
    from tkyt_analysis.access import working_within

    with working_within():
        return quarantine_examples(home, files, most=most)

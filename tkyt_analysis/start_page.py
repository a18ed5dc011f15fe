"""The start page (notebook 00_start): what is here, what is new, what waits, and where to go on. HTML from words and counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote

from tkyt_analysis.errors import InputError
from tkyt_analysis.lab_folders import START, folder_name, templates, title_of
from tkyt_analysis.labels import format_date, format_number, label, set_language
from tkyt_analysis.notebook_pages import own_reports, quarantine_by_reason, reason_words
from tkyt_analysis.pages import FigureCard, figure_cards, notice, paragraph, table_html
from tkyt_analysis.settings import home_directory
from tkyt_analysis.start_tasks import Task, last_visit, news, waiting_tasks

SHOWN_REPORTS = 8


@dataclass(frozen=True)
class StartPage:
    """The sections of 00_start for one home and the account that looks."""

    home: Path
    language: str

    def here(self) -> str:
        """Cards: files, rows, findings, release; the sentences of `tkyt status` folded below."""
        from tkyt_analysis.status import home_status

        found = home_status(self.home)
        cards = [
            FigureCard(self._words("card.files"), found["files"]),
            FigureCard(self._words("card.rows"), found["landed"]),
            FigureCard(self._words("card.findings"), found["findings"]),
        ]
        practice = notice(label("practice.note", self.language), language=self.language) if found["practice"] else ""
        lines = "".join(f"<li>{escape(line)}</li>" for line in found["sentences"])
        more = f"<details><summary>{escape(self._words('more'))}</summary><ul>{lines}</ul></details>"
        return practice + figure_cards(cards, language=self.language) + more

    def new(self) -> str:
        """What came since the account's last visit."""
        since = last_visit(self.home)
        if not since:
            return paragraph(self._words("first_visit"))
        day = format_date(_date(since), self.language)
        tasks = news(self.home, since)
        if not tasks:
            return paragraph(self._words("nothing_new", since=day))
        return self._table(tasks, self._words("new", since=day))

    def waiting(self) -> str:
        """What waits, each line with its next step; the reasons of quarantined rows folded below."""
        tasks = waiting_tasks(self.home)
        if not tasks:
            return paragraph(self._words("nothing_waits"))
        return self._table(tasks) + self._reasons()

    def release(self) -> str:
        """The current release, and the tables readers find in it."""
        from tkyt_analysis.warehouse.release import Release

        try:
            release = Release(self.home)
        except InputError as error:
            return notice(error.sentence(self.language), kind="warning", language=self.language)
        tables = ", ".join(release.tables())
        return paragraph(
            self._words("release", release=release.release_id, date=release.manifest["data_as_of"], tables=tables)
        )

    def reports(self) -> str:
        """Links to the newest reports that the account may read."""
        pages = sorted(own_reports(self.home), key=lambda path: (-path.stat().st_mtime, path.name))
        if not pages:
            return paragraph(self._words("no_reports"))
        links = [_link(f"../{folder_name('reports')}/{one.name}", one.stem) for one in pages[:SHOWN_REPORTS]]
        return paragraph(self._words("reports", count=format_number(len(pages)))) + _listed(links)

    def notebooks(self) -> str:
        """Links to the templates by their titles, and to the documentation."""
        links = [
            f"{_link(_template(name), title_of(path))} <small>{escape(name)}</small>"
            for name, path in templates().items()
            if name != START
        ]
        guide = _link(f"../{folder_name('docs')}/workbench.md", self._words("docs"))
        return paragraph(self._words("notebooks")) + _listed([*links, guide])

    # -- parts

    def _words(self, key: str, **fields: object) -> str:
        return label(f"start.{key}", self.language, **fields)

    def _table(self, tasks: Sequence[Task], caption: str = "") -> str:
        head = "".join(
            f'<th scope="col"{kind}>{escape(self._words(f"column.{name}"))}</th>'
            for name, kind in (("number", ' class="number"'), ("task", ""), ("step", ""))
        )
        rows = "".join(self._row(task) for task in tasks)
        name = f"<caption>{escape(caption)}</caption>" if caption else ""
        return f'<table class="data tkyt-tasks">{name}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'

    def _row(self, task: Task) -> str:
        step = escape(self._words(f"{task.kind}.step"))
        if task.notebook in templates():
            step += f" {_link(_template(task.notebook), title_of(templates()[task.notebook]))}"
        if task.command:
            step += f" <code>{escape(task.command)}</code>"
        number = format_number(task.number, 0, self.language)
        words = escape(self._words(task.kind, **task.fields))
        return f'<tr><th scope="row" class="number">{number}</th><td>{words}</td><td>{step}</td></tr>'

    def _reasons(self) -> str:
        rows = quarantine_by_reason(self.home)
        if rows.empty:
            return ""
        shown = rows.assign(reason=[reason_words(key, self.language) for key in rows["reason"]])
        headings = {name: self._words(f"column.{name}") for name in ("reason", "rows", "files", "example")}
        table = table_html(shown, headings=headings, caption=self._words("reasons"), language=self.language)
        return f"<details><summary>{escape(self._words('reasons'))}</summary>{table}</details>"


def start(home: str | Path = "", language: str = "vi") -> StartPage:
    """The start page of a home ("" is TKYT_HOME)."""
    set_language(language)
    return StartPage(Path(home) if home else home_directory(), language)


def _date(text: str) -> object:
    import pandas as pd

    return pd.Timestamp(text)


def _template(name: str) -> str:
    return f"../{folder_name('templates')}/{name}"


def _link(address: str, text: str) -> str:
    return f'<a href="{quote(address)}" target="_blank">{escape(text)}</a>'


def _listed(items: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{item}</li>' for item in items)}</ul>"

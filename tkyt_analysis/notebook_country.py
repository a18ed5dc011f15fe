"""What the notebooks of trends, excess deaths, small areas and maps share: the release or the practice country, and how it is said.

A release of practice data often holds one province and two years: too little for a trend or a map of clusters. The notebook then
says what is missing and shows the same on the practice country, which is synthetic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.cube.model import NATION
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import format_number, label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from tkyt_analysis.api.question import Question
    from tkyt_analysis.api.workbench import Workbench
    from tkyt_analysis.warehouse.release import Release

AUTO, YES, NO = ("", "auto"), ("true", "yes", "1"), ("false", "no", "0")
PHONE = "40rem"  # narrower screens get the drawing made for them


@dataclass(frozen=True)
class Answer:
    """HTML for a notebook with the rows that it shows."""

    rows: pd.DataFrame
    html: str

    def _repr_html_(self) -> str:
        return self.html


@dataclass(frozen=True)
class Source:
    """Where the figures of a notebook come from.

    country : the practice country; missing : sentences, what the release lacks; place, name : the unit that is shown
    """

    question: Question
    place: str
    name: str
    country: bool
    missing: tuple[str, ...]
    language: str

    @property
    def release(self) -> Release:
        """The release that the notebook has open."""
        return self.question.workbench.release

    @property
    def practice(self) -> bool:
        """Whether the figures are not real."""
        return self.country or self.release.practice

    @property
    def note(self) -> str:
        """The line under a picture: not real, or from which release."""
        if self.practice:
            return label("page.practice", self.language)
        return label("page.release", self.language, release_id=self.release.release_id)

    def answer(self, rows: pd.DataFrame, html: str) -> Answer:
        """HTML with the band of practice data."""
        return Answer(rows, band(self.practice, self.language) + html)

    def nothing(self, key: str, **fields: object) -> Answer:
        """A sentence in place of figures."""
        from tkyt_analysis.pages import notice

        return Answer(pd.DataFrame(), notice(label(key, self.language, **fields), language=self.language))

    def said(self, found: str) -> str:
        """What is shown, what the release lacks, and that the country is synthetic."""
        from tkyt_analysis.pages import notice, paragraph

        lacks = " ".join(self.missing)
        html = notice(lacks, kind="warning", language=self.language) if lacks else ""
        if self.country:
            html += notice(label("notebook_country.synthetic", self.language), language=self.language)
        return band(self.practice, self.language) + html + paragraph(found)


def capital(text: str) -> str:
    """ "Cả nước" of "cả nước": for the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def band(practice: bool, language: str) -> str:
    """The band that every output made of practice data carries; nothing for real data."""
    from html import escape

    if not practice:
        return ""
    style = "background:#fff2cc;color:#5c3b00;font-weight:600;text-align:center;padding:4px 8px;max-width:44rem"
    return f'<div role="note" style="{style}">{escape(label("page.practice", language))}</div>'


def uses_country(release: Release, asked: str | bool, missing: Sequence[str]) -> bool:
    """Whether the practice country stands in: as asked; "auto": where a practice release lacks something.

    InputError for any other word.
    """
    wish = str(asked).strip().lower()
    if wish not in (*AUTO, *YES, *NO):
        raise InputError("error.notebook_country.word", value=asked)
    return wish in YES or (wish in AUTO and release.practice and bool(missing))


def own_province(workbench: Workbench, place: str) -> str:
    """ "VN", or the province of 2025 that a place lies in."""
    unit = workbench.place(place)
    if unit == NATION or (unit.startswith("VN2025:") and len(unit) == len("VN2025:51")):
        return unit
    if not workbench.release.has("place"):
        return NATION
    found = workbench.release.query("SELECT province FROM place WHERE unit_id = ?", [unit])["province"].dropna()
    return str(found.iloc[0]) if len(found) else NATION


def part_of(workbench: Workbench, place: str) -> str:
    """ "province" for the nation, "commune" for all else."""
    return "province" if workbench.place(place) == NATION else "commune"


def last_whole_year(release: Release) -> int:
    """The last year that had ended when the data came."""
    return int(str(release.manifest["data_as_of"])[:4] or 0) - 1


def kept_years(rows: pd.DataFrame, release: Release, period: str) -> pd.DataFrame:
    """Rows with `year` as a number, years that had not ended left out unless the period asks for them."""
    found = rows.assign(year=rows["year"].astype(int))
    return found if period else found[found["year"] <= last_whole_year(release)]


def province_names() -> dict[str, str]:
    """unit_id → name of the provinces of 2025."""
    from tkyt_analysis.reference.places import places

    table = places("VN2025")
    return dict(table.loc[table["level"] == 1, ["unit_id", "full_name"]].itertuples(index=False, name=None))


def two_sizes(draw: Callable[..., Figure], *, caption: str) -> str:
    """One picture for wide screens and paper and one for phones; the screen shows the one that fits.

    draw : called with size="print" and size="phone"
    """
    from tkyt_analysis.pages import figure
    from tkyt_analysis.reports.charts import svg_of

    def one(size: str) -> str:
        return f'<div class="tk-{size}">{figure(svg_of(draw(size=size)), caption=caption, alternative=caption)}</div>'

    style = (
        f"<style>.tk-phone{{display:none}}.tk-print svg{{width:100%;max-width:46rem;height:auto}}"
        f"@media screen and (max-width:{PHONE}){{.tk-print{{display:none}}.tk-phone{{display:block}}"
        ".tk-phone svg{width:100%;min-width:0;max-width:28rem;height:auto}}</style>"
    )
    return style + one("print") + one("phone")


def range_text(value: float, lower: float, upper: float, decimals: int, language: str) -> str:
    """ "2,3 (1,1–3,5)"; a range with a negative end is written with "đến"; "–" where there is no figure."""
    if pd.isna(value):
        return "–"
    figure = format_number(value, decimals, language)
    if pd.isna(lower) or pd.isna(upper):
        return figure
    low, high = format_number(lower, decimals, language), format_number(upper, decimals, language)
    key = "notebook_country.range" if lower >= 0 else "notebook_country.range_signed"
    return label(key, language, value=figure, low=low, high=high)


def map_of(kind: str, table: pd.DataFrame, source: Source, *, listing: bool = False, **options: Any) -> str:
    """A map of `maps.registry` for screens; `listing` adds the table of its values."""
    from tkyt_analysis.maps.registry import map_kind

    return map_kind(kind).html(table, table=listing, practice=source.practice, language=source.language, **options)

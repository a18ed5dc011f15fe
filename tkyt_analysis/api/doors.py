"""The functions that `import tkyt_analysis as tk` offers; each works on the workbench opened last."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.api.opening import current, open_workbench

if TYPE_CHECKING:
    import pandas as pd

    from tkyt_analysis.api.question import Question
    from tkyt_analysis.api.table import FigureTable
    from tkyt_analysis.api.workbench import Workbench


def open(  # noqa: A001 - people write tk.open
    home: str | Path = "", release: str | None = None, as_of: int | str | datetime.date | None = None,
    language: str | None = None,
) -> Workbench:  # fmt: skip
    """Mở kho số liệu. Open the latest release, a named one, or what was known `as_of` a date, moment or snapshot.

    tk.open()   tk.open(release="R000010")   tk.open(as_of="2026-10-01")   tk.open("/du/lieu/tkyt", language="en")
    """
    return open_workbench(home, release, as_of, language)


def indicator(
    name: str | Sequence[str], *, by: str | Sequence[str] = (), geography: str = "VN2025", period: Any = "",
    place: str = "", where: Any = None, cause_list: str = "", **other: Any,
) -> Question:  # fmt: skip
    """Một hay nhiều chỉ tiêu. One measure or several, by id or name; nothing is computed until it is shown.

    name : "crude_death_rate", "Tỷ suất chết thô", or a list of them
    by : dimensions: region, province, district, commune, year, half, quarter, month, sex, age_group, cause, …
    geography : "VN2025" (34 provinces) or "VN2024" (63)
    period : "2025", "2024..2025", "202501..202506", "quý 1 năm 2025"; "" for all there is
    place : "VN", "VN2025:51" or a name such as "Quảng Ngãi"; "" is all that the account sees
    where : only these members: {"sex": "female", "age_group": ["0", "1-4"]}
    cause_list : the list of causes that by="cause" uses

    tk.indicator("crude_death_rate", by=["province", "year"], period="2024..2025")
    """
    return current().indicator(
        name, by=by, geography=geography, period=period, place=place, where=where, cause_list=cause_list, **other
    )


def deaths(**question: Any) -> Question:
    """Số tử vong đã đăng ký. Registered deaths; arguments as of `tk.indicator`. tk.deaths(by=["sex", "age_group"])"""
    return current().deaths(**question)


def population(**question: Any) -> Question:
    """Dân số trung bình. Average population; arguments as of `tk.indicator`. tk.population(by=["province", "year"])"""
    return current().population(**question)


def values(element: str | Sequence[str], **question: Any) -> Question:
    """Số liệu báo cáo. Reported values by "<data set>/<element>", code or name: tk.values("BTN_TIEU_CHAY", by="month")"""
    return current().values(element, **question)


def reporting(dataset: str | Sequence[str], **question: Any) -> Question:
    """Tỷ lệ báo cáo đã nhận. The share of due reports received: tk.reporting("LPDEOq0JGwe", by=["commune", "month"])"""
    return current().reporting(dataset, **question)


def sql(query: str, **tables: pd.DataFrame) -> FigureTable:
    """Hỏi bằng SQL. A SELECT on the release's tables; own tables by name: tk.sql("SELECT * FROM mine", mine=frame)"""
    return current().sql(query, **tables)


def tables() -> FigureTable:
    """Các bảng hỏi được. The tables that `tk.sql` can ask."""
    return current().tables()


def columns(table: str) -> FigureTable:
    """Các cột của một bảng. The columns of a table: tk.columns("death")"""
    return current().columns(table)


def explain(figure: Any, *, rows: int = 10) -> Any:
    """Con số này từ đâu ra. How a figure was computed: its id, a row of a table (`table.iloc[0]`), or a table of one row."""
    return current().explain(figure, rows=rows)


def explore(question: Question | None = None, **layout: Any) -> Any:
    """Mở bảng khám phá. The explorer: pivot, chart and map without programming; on a question, or empty."""
    from tkyt_analysis.api.pictures import explore as opened

    return opened(question, **layout)


def run(function: Callable[[Any], Any], *, title: str = "", total: int = 0) -> Any:
    """Việc lâu, có tiến độ và nút huỷ. Long work with progress and a way to cancel: tk.run(lambda step: work(step))"""
    from tkyt_analysis.long_work import run as carried_out

    return carried_out(function, title=title, total=total)


def report(
    notebook: str | Path, *, place: str | Sequence[str] | None = None, period: Any = None, **options: Any
) -> Any:
    """Báo cáo từ sổ tay. The report of a notebook for a place, or for each of a list: tk.report("31_rates", place="VN2025:51")

    From the release that is open; further options as of `tkyt_analysis.notebook_runs.run_notebook`.
    """
    from tkyt_analysis.notebook_runs import report as made

    opened = current().release
    return made(notebook, place=place, period=period, **{"home": opened.home, "release": opened.release_id, **options})


def search(text: str, *, kind: str = "", most: int = 15) -> FigureTable:
    """Tìm trong danh mục. Find measures, elements, data sets, forms, rules and lists: tk.catalog.search("tử vong mẹ")"""
    from tkyt_analysis.api.search import search as found

    return found(text, kind=kind, most=most)

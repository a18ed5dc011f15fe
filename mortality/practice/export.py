"""The books and forms of a whole province as Parquet: what a ministry system would export at national scale.

Same columns and words as the workbooks, one file per province and half or whole year.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mortality.practice.a6_workbook import book_columns
from mortality.practice.book_layout import COLUMNS, SEX_WORDS, BookLayout
from mortality.practice.form16 import CAUSE_ROWS, COUNT_COLUMNS
from mortality.practice.vocabulary import header_texts
from tkyt_analysis.labels import label
from tkyt_analysis.practice.world import World
from tkyt_analysis.practice.writing import write_parquet


def export_layout(vintage: str) -> BookLayout:
    """The plain look of an export: the first (most usual) word for every column."""
    columns = COLUMNS[vintage]
    headers = {name: str(header_texts(name, vintage)[0][0]) for name in columns}
    return BookLayout(
        vintage=vintage, sheet="", guide_sheet="", titles=[], place_line=0, columns=columns, headers=headers,
        number_style="{}", total_line="", sign_line="", sex_words=SEX_WORDS[0], encoding="", encode=_same,
        shown_place="", true_place="",
    )  # fmt: skip


def _same(text: str) -> str:
    return text


def write_a6_lines(
    world: World, parts: tuple[str, ...], vintage: str, year: int, lines: pd.DataFrame, names: pd.Series
) -> str:
    """Write the lines of a province; returns the file, relative to received/.

    names : unit_id -> commune name. Row n of the file (from 1) is line n of `lines`.
    """
    layout = export_layout(vintage)
    values = book_columns(layout, lines)
    table = pd.DataFrame(
        {
            label("practice.deaths.a6.commune", "vi"): lines["unit_id"].str.partition(":")[2],
            label("practice.deaths.a6.commune_name", "vi"): lines["unit_id"].map(names),
            label("practice.deaths.a6.year", "vi"): str(year),
            **{layout.headers[name]: values[name] for name in layout.columns},
        }
    )
    write_parquet(table, world.received_path(*parts))
    return "/".join(parts)


def write_form_cells(world: World, parts: tuple[str, ...], rows: pd.DataFrame) -> str:
    """Write form cells: district code, period, cause row and the eight counts as written."""
    write_parquet(rows, world.received_path(*parts))
    return "/".join(parts)


def form_table(districts: list[str], period: str, shown: np.ndarray) -> pd.DataFrame:
    """One row per district and cause row, counts as text."""
    count = CAUSE_ROWS + 1
    head = pd.DataFrame(
        {
            "district": np.repeat([d.partition(":")[2] for d in districts], count),
            "period": period,
            "row": np.tile([str(r) if r else "" for r in range(count)], len(districts)),
        }
    )
    counts = pd.DataFrame(shown.reshape(-1, len(COUNT_COLUMNS)), columns=list(COUNT_COLUMNS))
    return pd.concat([head, counts], axis=1)


def inside_line(name: str) -> str:
    """A unit's name inside a line: "Huyện Trà Bồng" -> "huyện Trà Bồng"."""
    return name[:1].lower() + name[1:]

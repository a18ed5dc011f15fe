"""What reported elements and their categories are called, what they count, and how their months become a year."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.entries import FormColumn, Text
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.cube.facts import SUM
from tkyt_analysis.labels import all_labels


@dataclass(frozen=True)
class Wording:
    """title : of an element; unit : of its values (None: not known); over_time : sum | last | average"""

    title: Text
    unit: Text | None = None
    over_time: str = SUM


def element_wording(dataset_id: str, element_id: str, received: str | None = None) -> Wording:
    """By the catalog's data set or form; else by the name received with it, else by its id."""
    entry = load_entries("datasets").get(dataset_id)
    column = entry.columns.get(element_id.removeprefix(f"{dataset_id}/")) if entry else None
    if column is not None:
        title = column.title or Text(element_id, element_id)
        return Wording(title, unit_text(column.unit or ""), column.over_time)
    if element_id in form_rows(dataset_id):
        return form_rows(dataset_id)[element_id]
    name = received if isinstance(received, str) and received else element_id
    return Wording(Text(name, name))


def unit_text(unit: str) -> Text | None:
    """A unit of the catalog ("million VND") in both languages; None for one that no label names."""
    texts = all_labels().get(f"cube.counts.{re.sub('[^a-z0-9]+', '_', unit.lower())}")
    return Text(**texts) if texts else None


@cache
def form_rows(form_id: str) -> Mapping[str, Wording]:
    """{element id: wording} of the rows of a form, the newest version's words first; none for what is no form."""
    form = load_entries("forms").get(form_id)
    found: dict[str, Wording] = {}
    for _, version in sorted(form.versions.items(), reverse=True) if form else ():
        if not version.rows:
            continue
        rows = read_codelist(version.rows)
        english = rows["label_en"] if "label_en" in rows else rows["label_vi"]
        over_time = rows["over_time"] if "over_time" in rows else [SUM] * len(rows)
        titles = [Text(vi, en or vi) for vi, en in zip(rows["label_vi"], english)]
        of_row = dict(zip(rows["row"], zip(titles, over_time)))
        if version.total_row:
            of_row["total"] = (version.total_row, SUM)
        for row, (title, kind) in of_row.items():
            words = Wording(_numbered(form_id, row, title), version.unit_of_measure, kind or SUM)
            for code in {form_id, (version.code or form.code if form else form_id).replace("/", "")}:
                found.setdefault(f"{code}/{row}", words)
    return found


def _numbered(form_id: str, row: str, title: Text) -> Text:
    return title if row == "total" else Text(f"{row}. {title.vi}", f"{row}. {title.en}")


def form_title(form_id: str) -> Text | None:
    """ "Biểu 16/BCH: …" of a form of the catalog."""
    form = load_entries("forms").get(form_id)
    return Text(f"{form.code}: {form.title.vi}", f"{form.code}: {form.title.en}") if form else None


@cache
def form_categories() -> Mapping[str, Text]:
    """{column id: heading} of the columns of all forms whose cells a release holds as categories."""
    found: dict[str, Text] = {}
    for form in load_entries("forms").values():
        for version in form.versions.values():
            if version.rows:
                for column in version.columns:
                    found.setdefault(column.id, _heading(column))
    return found


def _heading(column: FormColumn) -> Text:
    """The heading with the one over it, where that says more."""
    over = column.groups[-1] if len(column.groups) > 1 else None
    if over is None:
        return column.title
    return Text(f"{over.vi}: {column.title.vi}", f"{over.en}: {column.title.en}")

"""`FigureTable`: a pandas table that keeps units, source, vintage and quality marks through what is done to it.

Filtering, copying, sorting, grouping, merging and concatenating keep `table.about`; so does a column of it. What goes
through plain NumPy, or starts from another table (`plain.merge(figures)`), loses it: begin with the FigureTable.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.typing import DataFrameGroupBy

from tkyt_analysis.api.about import About, about_from, combined
from tkyt_analysis.cube.model import MODELLED, NOT_ASSESSABLE, OK, SUPPRESSED
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    from tkyt_analysis.api.question import Question
    from tkyt_analysis.cube.model import Figures

INCOMPLETE, FINDINGS, MOVED = "incomplete", "findings", "moved"
MARKS = (MODELLED, INCOMPLETE, FINDINGS, MOVED, NOT_ASSESSABLE, SUPPRESSED)
_WEAKEST_FIRST = (SUPPRESSED, NOT_ASSESSABLE, MODELLED, OK)
_STORED = "tkyt"


class RateWarning(UserWarning):
    """A rate was summed or averaged as if it were a count."""


class FigureSeries(pd.Series):
    """A column or row of a FigureTable; it knows what its table knows (`.about`)."""

    about: About | None = None
    _metadata = ["about", "_name"]  # noqa: RUF012

    @property
    def _constructor(self) -> Any:
        return FigureSeries

    @property
    def _constructor_expanddim(self) -> Any:
        return FigureTable

    def _warn_of_rate(self) -> None:
        if self.name == "value" and self.about is not None and self.about.has_rates:
            warnings.warn(label("api.averaged_rates"), RateWarning, stacklevel=3)

    def mean(self, *args: Any, **options: Any) -> Any:
        self._warn_of_rate()
        return super().mean(*args, **options)

    def sum(self, *args: Any, **options: Any) -> Any:
        self._warn_of_rate()
        return super().sum(*args, **options)


class FigureGroups(DataFrameGroupBy):
    """A grouped FigureTable; named aggregation, too, keeps what the table knows."""

    def aggregate(self, *args: Any, **options: Any) -> Any:
        result = super().aggregate(*args, **options)
        about = getattr(self.obj, "about", None)
        if isinstance(result, FigureTable) and result.about is None and about is not None:
            result.about = about.after_pandas
        return result

    agg = aggregate


class FigureTable(pd.DataFrame):
    """Figures with everything that belongs to them; otherwise a DataFrame.

    Columns: `measure` (where there are several), each dimension with its code and `<dimension>_name`, value, lower, upper
    (95 % limits), numerator, denominator, status, marks, and what the marks rest on: expected, received, findings, moved.
    """

    about: About | None = None
    _metadata = ["about"]  # noqa: RUF012

    @property
    def _constructor(self) -> Any:
        return FigureTable

    @property
    def _constructor_sliced(self) -> Any:
        return FigureSeries

    def __finalize__(self, other: Any, method: str | None = None, **options: Any) -> FigureTable:
        super().__finalize__(other, method=method, **options)
        found = [one for one in _sources(other) if isinstance(one, About)]
        self.about = combined(found) or self.about
        if method == "groupby" and self.about is not None:
            self.about = self.about.after_pandas
            _tidy_texts(self)
        return self

    def groupby(self, *args: Any, **options: Any) -> Any:
        grouped = super().groupby(*args, **options)
        grouped.__class__ = FigureGroups
        return grouped

    def by(self, *dimensions: str | Sequence[str]) -> Question:
        """The same figures broken down by other dimensions, measured again: rates are never averaged.

        Rows that were filtered away stay away where what is left is told by members of dimensions; else InputError.
        """
        question = self.about.question if self.about else None
        if question is None:
            raise InputError("error.api.no_question")
        return _narrowed_to(question, self).by(*dimensions)

    @property
    def legend(self) -> dict[str, str]:
        """What each mark in the table means, in the session's language."""
        found = set(" ".join(map(str, self["marks"].dropna().unique())).split()) if "marks" in self else set()
        return {mark: label(f"api.mark.{mark}") for mark in MARKS if mark in found}

    def to_parquet(self, path: Any = None, *args: Any, **options: Any) -> Any:
        """As pandas does; units, source, vintage and remarks are kept in the file (`tk.read_table` brings them back)."""
        plain = pd.DataFrame(self)
        if self.about is not None:
            plain.attrs[_STORED] = json.loads(json.dumps(self.about.as_dict(), ensure_ascii=False, default=str))
        return plain.to_parquet(path, *args, **options)

    def _repr_html_(self) -> str:
        from tkyt_analysis.api.display import table_as_html

        return table_as_html(self)

    def __repr__(self) -> str:
        from tkyt_analysis.api.display import table_as_text

        return table_as_text(self)


def read_table(path: str | Path) -> FigureTable:
    """A table that `FigureTable.to_parquet` wrote, with all it knew but the open release (`.by` needs a new question)."""
    plain = pd.read_parquet(path)
    stored = plain.attrs.pop(_STORED, None)
    table = FigureTable(plain)
    table.about = about_from(stored) if stored else None
    return table


def figure_table(figures: Figures, question: Question | None, *, heading: str) -> FigureTable:
    """The answer of the cube as a table: readable names beside the codes, quality marks in one column."""
    rows, by = figures.rows, list(figures.view.by)
    columns: dict[Hashable, Any] = {}
    if len(figures.view.measures) > 1:
        columns["measure"] = rows["measure"]
    for dimension in by:
        names = {code: str(name) for code, name in figures.names.get(dimension, {}).items()}
        columns[dimension] = rows[dimension]
        shown = rows[dimension].map(names).fillna(rows[dimension])
        if not shown.equals(rows[dimension]):
            columns[f"{dimension}_name"] = shown
    for name in ("value", "lower", "upper", "numerator", "denominator", "status"):
        columns[name] = rows[name]
    columns["marks"] = marks_of(rows)
    for name in ("expected", "received", "findings", "moved"):
        columns[name] = rows[name]
    table = FigureTable(columns).reset_index(drop=True)
    table.about = About(
        heading=heading, measures=figures.measures, names=figures.names, passport=figures.passport,
        remarks=tuple(figures.remarks), view=figures.view, question=question,
    )  # fmt: skip
    return table


def marks_of(rows: pd.DataFrame) -> pd.Series:
    """The marks of each figure, blank-separated words of MARKS, "" where there is nothing to say."""
    tests = {
        MODELLED: rows["status"] == MODELLED,
        INCOMPLETE: rows["received"] < rows["expected"],
        FINDINGS: rows["findings"] > 0,
        MOVED: rows["moved"] > 0,
        NOT_ASSESSABLE: rows["status"] == NOT_ASSESSABLE,
        SUPPRESSED: rows["status"] == SUPPRESSED,
    }
    marks = np.full(len(rows), "", dtype=object)
    for mark, test in tests.items():
        marks = marks + np.where(test.fillna(False).to_numpy(bool), f"{mark} ", "").astype(object)
    return pd.Series(marks, index=rows.index).str.strip().astype("str")


def _sources(other: Any) -> list[Any]:
    """`about` of everything that a result was made of: one table, both sides of a merge, all parts of a concat."""
    parts = [getattr(other, side, None) for side in ("left", "right")]
    listed = getattr(other, "input_objs", None) or getattr(other, "objs", None) or []
    parts += list(listed.values() if isinstance(listed, dict) else listed)
    return [getattr(one, "about", None) for one in parts if isinstance(one, (pd.DataFrame, pd.Series))]


def _tidy_texts(table: FigureTable) -> None:
    """Texts that a sum strung together: marks become the union, status the weakest, names that are none any more empty."""
    about = table.about
    for name in [column for column in table.columns if isinstance(column, str)]:
        column = table[name]
        if not pd.api.types.is_string_dtype(column.dtype):
            continue
        if name == "marks":
            table[name] = column.map(lambda text: " ".join(mark for mark in MARKS if mark in text), na_action="ignore")
        elif name == "status":
            table[name] = column.map(_weakest, na_action="ignore")
        elif about and (known := about.names.get(name.removesuffix("_name"))):
            allowed = set(known.values()) if name.endswith("_name") else set(known)
            table[name] = column.where(column.isin(allowed | {""}), "")


def _weakest(text: str) -> str:
    return next((status for status in _WEAKEST_FIRST if status in text), text)


def _narrowed_to(question: Question, table: FigureTable) -> Question:
    """The question with only the members that are left in the table; InputError where members do not tell the rows."""
    whole = question.table()
    by = [dimension for dimension in question.view.by if dimension in table]
    left = {dimension: set(table[dimension].dropna()) for dimension in by}
    kept = whole
    for dimension, members in left.items():
        kept = kept[kept[dimension].isin(members)]
    if len(kept) != len(table) or len(by) < len(question.view.by):
        raise InputError("error.api.rows_not_members", found=len(table), expected=len(kept))
    for dimension, members in left.items():
        if members != set(whole[dimension].dropna()):
            question = question.only(**{dimension: sorted(members)})
    return question

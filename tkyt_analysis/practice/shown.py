"""A spoilt block as rows: reported values, completion marks, and the rows of the truth table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tkyt_analysis.practice.elements import DEFAULT_OPTION_COMBO, uid
from tkyt_analysis.practice.planting import DUE_DAYS, Spoilt
from tkyt_analysis.practice.world import TRUTH_COLUMNS

REVISION_MONTHS = 2


@dataclass(frozen=True)
class ShownRows:
    """Which cells stand in one file, in order: flat indexes, and the texts shown there.

    The last `extra` rows are second submissions of cells that already stand in the file.
    """

    flat: np.ndarray
    text: pa.DictionaryArray
    extra: int

    def place(self, cells: np.ndarray) -> np.ndarray:
        """Row number (from 0) of each cell in the file; -1 where it is not there."""
        order = self.flat[: len(self.flat) - self.extra]
        at = np.searchsorted(order, cells)
        found = (at < len(order)) & (order[np.minimum(at, len(order) - 1)] == cells) if len(order) else False
        return np.where(found, at, -1)


def shown_rows(work: Spoilt, months: slice) -> ShownRows:
    """The values of a block (or some of its months) in file order: unit, month, cell; then second submissions."""
    inside = np.zeros(work.present.shape, bool)
    inside[:, months] = work.present[:, months]
    flat = np.flatnonzero(inside)
    second, other = work.second
    kept = inside.ravel()[second]
    values = np.concatenate([work.shown.ravel()[flat], other[kept]])
    text = _as_text(values, flat, work.written)
    return ShownRows(np.concatenate([flat, second[kept]]), text, int(kept.sum()))


def _as_text(values: np.ndarray, flat: np.ndarray, written: dict[int, str]) -> pa.DictionaryArray:
    """Whole numbers as dictionary-coded text; cells in `written` get their own text."""
    seen = np.zeros(int(values.max(initial=0)) + 1, bool)
    seen[values] = True
    numbers = np.flatnonzero(seen)
    code = np.zeros(len(seen), np.int32)
    code[numbers] = np.arange(len(numbers), dtype=np.int32)
    codes = code[values]
    special = np.array(list(written), dtype=np.int64)
    at = np.searchsorted(flat, special)
    here = (
        (at < len(flat)) & (flat[np.minimum(at, len(flat) - 1)] == special)
        if len(flat)
        else np.zeros(len(special), bool)
    )
    code, texts = pd.factorize(np.array([written[cell] for cell in special[here].tolist()], dtype=object))
    codes[at[here]] = len(numbers) + code
    dictionary = pa.concat_arrays([pa.array(numbers).cast(pa.string()), pa.array(texts, pa.string())])
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), dictionary)


def value_table(work: Spoilt, rows: ShownRows) -> pa.Table:
    """DHIS2 dataValues: dataElement, period, orgUnit, categoryOptionCombo, attributeOptionCombo, value."""
    unit, month, cell = np.unravel_index(rows.flat, work.shown.shape)
    cells = work.block.form.cells
    constant = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(unit), np.int8)), pa.array([DEFAULT_OPTION_COMBO]))
    return pa.table(
        {
            "dataElement": _coded(cells["element_uid"], cell),
            "period": _coded(work.block.months, month),
            "orgUnit": _coded(work.block.units["org_uid"], unit),
            "categoryOptionCombo": _coded(cells["option_uid"], cell),
            "attributeOptionCombo": constant,
            "value": rows.text,
        }
    )


def _coded(names: Iterable[str], index: np.ndarray) -> pa.DictionaryArray:
    """A text column given as positions in a short list of names (repeated names are joined)."""
    names = pd.Series(list(names), dtype="str")
    codes, distinct = pd.factorize(names)
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32)[index]), pa.array(distinct.tolist(), pa.string())
    )


def revised_table(work: Spoilt) -> pa.Table:
    """The later export: the cells of E6 with their true values."""
    rows = ShownRows(work.revised, _as_text(work.block.true.ravel()[work.revised], work.revised, {}), 0)
    return value_table(work, rows)


def registration_cells(work: Spoilt, months: slice) -> np.ndarray:
    """Flat form indexes of the completion marks, in file order."""
    inside = np.zeros(work.marked.shape, bool)
    inside[:, months] = work.marked[:, months]
    return np.flatnonzero(inside)


def completion_dates(work: Spoilt, forms: np.ndarray) -> np.ndarray:
    """The day on which each form was marked complete (numpy days)."""
    month = np.unravel_index(forms, work.marked.shape)[1]
    return _month_ends(work)[month] + work.lag.ravel()[forms].astype("timedelta64[D]")


def _month_ends(work: Spoilt) -> np.ndarray:
    months = np.array([f"{m[:4]}-{m[4:]}" for m in work.block.months], dtype="datetime64[M]")
    return (months + 1).astype("datetime64[D]") - 1


def registration_table(work: Spoilt, forms: np.ndarray) -> pa.Table:
    """DHIS2 completeDataSetRegistrations: dataSet, period, organisationUnit, …, date, storedBy, completed."""
    unit, month, data_set = np.unravel_index(forms, work.marked.shape)
    days, code = np.unique(completion_dates(work, forms), return_inverse=True)
    zero = np.zeros(len(forms), np.int64)
    names = [uid("dataSet", data_set) for data_set in work.block.form.data_sets]
    return pa.table(
        {
            "dataSet": _coded(names, data_set),
            "period": _coded(work.block.months, month),
            "organisationUnit": _coded(work.block.units["org_uid"], unit),
            "attributeOptionCombo": _coded([DEFAULT_OPTION_COMBO], zero),
            "date": _coded([f"{day}T00:00:00.000" for day in days], code),
            "storedBy": _coded(["tram_y_te"], zero),
            "completed": pa.array(np.ones(len(forms), bool)),
        }
    )


# --- truth --------------------------------------------------------------------------------------------


def truth_of_cells(work: Spoilt, rows: ShownRows, months: slice, file: str, place: str) -> list[pa.Table]:
    """Truth rows of the cell-level defects that stand (or are missing) in the given rows."""
    tables = []
    true, shown = work.block.true.ravel(), work.shown.ravel()
    for kind, flat in sorted(work.cells.items()):
        mine = flat[_in_months(work, months, flat)]
        present = work.present.ravel()[mine]
        text = _numbers(shown[mine], present)
        if kind in ("B9", "B10"):
            text = pa.array([work.written[cell] for cell in mine.tolist()], pa.string())
        at = _places(place, rows.place(mine))
        tables.append(_truth(work, kind, mine, true[mine], text, file, at))
    cells, other = work.second
    kept = np.isin(cells, rows.flat[len(rows.flat) - rows.extra :])
    first = len(rows.flat) - rows.extra
    at = _places(place, first + np.arange(kept.sum()))
    tables.append(_truth(work, "B11", cells[kept], true[cells[kept]], _numbers(other[kept]), file, at))
    return [table for table in tables if len(table)]


def _in_months(work: Spoilt, months: slice, flat: np.ndarray) -> np.ndarray:
    """Which cells belong to the months of the file."""
    month = np.unravel_index(flat, work.shown.shape)[1]
    return (month >= months.start) & (month < months.stop)


def _numbers(values: np.ndarray, present: np.ndarray | None = None) -> pa.Array:
    text = pa.array(values).cast(pa.string())
    if present is None or present.all():
        return text
    return pc.if_else(pa.array(present), text, "")


def _places(place: str, number: np.ndarray) -> pa.Array:
    """ "dataValues[17]", or "" where the value does not stand in the file."""
    text = pc.binary_join_element_wise(f"{place}[", pa.array(number).cast(pa.string()), "]", "")
    return pc.if_else(pa.array(number >= 0), text, "")


def _truth(
    work: Spoilt, kind: str, flat: np.ndarray, true: np.ndarray, shown: pa.Array, file: str, place: pa.Array
) -> pa.Table:
    unit, month, cell = np.unravel_index(flat, work.shown.shape)
    return truth_table(
        kind,
        unit_id=_coded(work.block.units["unit_id"], unit),
        period_id=_coded(work.block.months, month),
        element=_coded(work.block.form.cells["code"], cell),
        true_value=pa.array(true).cast(pa.string()),
        shown_value=shown,
        file=file,
        place_in_file=place,
    )


def truth_of_forms(work: Spoilt, forms: np.ndarray, months: slice, value_file: str, mark_file: str) -> list[pa.Table]:
    """Truth rows of whole forms: missing (A1, A2, A3, B6), zeros (A6), marks (A5), late (A4)."""
    tables = []
    widths = np.bincount(work.block.form.cells["form"], minlength=work.marked.shape[2])
    for kind, chosen in sorted(work.forms.items()):
        month = np.unravel_index(chosen, work.marked.shape)[1]
        chosen = chosen[(month >= months.start) & (month < months.stop)]
        unit, month, data_set = np.unravel_index(chosen, work.marked.shape)
        true, shown = _numbers(widths[data_set]), pa.array([""] * len(chosen), pa.string())
        at = shown
        if kind == "A6_zero":
            shown = pa.array(["0"] * len(chosen), pa.string())
        elif kind == "A5_unmarked":
            true, shown = (pa.array([word] * len(chosen), pa.string()) for word in ("true", "false"))
        elif kind == "A4":
            due = _month_ends(work)[month] + np.timedelta64(DUE_DAYS, "D")
            true = pa.array(due).cast(pa.string())
            shown = pa.array(completion_dates(work, chosen)).cast(pa.string())
        marked = kind in ("A4", "A5_empty", "A5_unmarked")
        if kind in ("A4", "A5_empty"):
            at = _places("completeDataSetRegistrations", np.searchsorted(forms, chosen))
        tables.append(
            truth_table(
                kind,
                unit_id=_coded(work.block.units["unit_id"], unit),
                period_id=_coded(work.block.months, month),
                element=_coded(work.block.form.data_sets, data_set),
                true_value=true,
                shown_value=shown,
                file=mark_file if marked else value_file,
                place_in_file=at,
            )
        )
    return [table for table in tables if len(table)]


def truth_of_units(work: Spoilt, file: str) -> list[pa.Table]:
    """Truth rows of whole units: A3 (starts, stops), B8, B12; the period is a month, or the year."""
    if not work.units:
        return []
    kinds, units, months, elements, true, shown = (list(column) for column in zip(*work.units))
    names = work.block.units["unit_id"].to_numpy()
    columns = {
        "unit_id": [names[unit] for unit in units],
        "period_id": [month or str(work.block.year) for month in months],
        "element": elements,
        "true_value": true,
        "shown_value": shown,
    }
    arrays = {name: pa.array([str(v) for v in values], pa.string()) for name, values in columns.items()}
    table = truth_table("unit", **arrays, file=file, place_in_file=pa.array([""] * len(kinds), pa.string()))
    return [table.set_column(table.schema.get_field_index("kind"), "kind", pa.array(kinds, pa.string()))]


def truth_table(kind: str, *, file: str, **columns: pa.Array) -> pa.Table:
    """A piece of the truth table, all columns text; `kind` loses its detail after "_" (A5_empty → A5)."""
    rows = len(columns["unit_id"])
    columns = {name: _plain(values) for name, values in columns.items()}
    columns["kind"] = pa.array([kind.partition("_")[0]] * rows, pa.string())
    columns["file"] = pa.array([file] * rows, pa.string())
    return pa.table({name: columns[name] for name in TRUTH_COLUMNS if name in columns})


def _plain(values: pa.Array) -> pa.Array:
    return values.cast(pa.string()) if not pa.types.is_string(values.type) else values

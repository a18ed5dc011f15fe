"""Which series of the warehouse an operand means, and the query that brings all operands of a rule into one row per unit
and period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import pandas as pd

from tkyt_analysis.catalog.language import EACH, EVERY, Cells, Operand, Population

if TYPE_CHECKING:
    from tkyt_analysis.quality.context import CheckContext

_GAP = 3  # series numbers this near are read in one range


@dataclass(frozen=True)
class Series:
    """What there is: one row per series_no with dataset_id, element_id, category_id, row, column, code, category_code."""

    table: pd.DataFrame

    @property
    def datasets(self) -> frozenset[str]:
        """Data sets with values."""
        return frozenset(self.table["dataset_id"])

    def of(self, cells: Cells) -> pd.DataFrame:
        """The series that an operand names; of an element in several data sets those of its first one."""
        rows = self.table
        if cells.dataset:
            rows = rows[rows["dataset_id"] == cells.dataset]
            rows = _chosen(rows, cells.rows, ("element_id", "row"))
        else:
            rows = _chosen(rows, cells.rows, ("element_id", "code"))
            rows = rows[rows["dataset_id"] == rows.groupby("element_id")["dataset_id"].transform("min")]
        return _chosen(rows, cells.columns, ("category_id", "column", "category_code")) if cells.columns else rows


def _chosen(rows: pd.DataFrame, wanted: Sequence[str], names: Sequence[str]) -> pd.DataFrame:
    if wanted[0] in (EVERY, EACH):
        return rows
    hit = rows[names[0]].isin(wanted)
    for name in names[1:]:
        hit |= rows[name].isin(wanted)
    return rows[hit]


_SERIES = """
    SELECT series_no, dataset_id, element_id, category_id, regexp_extract(element_id, '[^/]*$') AS row,
           regexp_extract(category_id, '[^/]*$') AS "column", {code} AS code, {category_code} AS category_code
    FROM series {joins} ORDER BY series_no
"""


_KNOWN: WeakKeyDictionary[CheckContext, Series] = WeakKeyDictionary()


def read_series(context: CheckContext) -> Series:
    """The series of a context, with the codes of elements and categories where the metadata give them; read once."""
    if context not in _KNOWN:
        _KNOWN[context] = _read_series(context)
    return _KNOWN[context]


def _read_series(context: CheckContext) -> Series:
    joins, words = "", {"code": "''", "category_code": "''"}
    for name, table, key in (("code", "data_element", "element_id"), ("category_code", "category", "category_id")):
        if context.has(table) and "code" in context.query(f'SELECT * FROM "{table}" LIMIT 0').columns:
            joins += f" LEFT JOIN (SELECT {key}, any_value(code) AS {name}_ FROM {table} GROUP BY {key}) USING ({key})"
            words[name] = f"coalesce({name}_, '')"
    return Series(context.query(_SERIES.format(joins=joins, **words)).astype({"series_no": "int64"}))


def series_of_operands(series: Series, operands: Iterable[Operand], each: str) -> tuple[pd.DataFrame, dict[int, str]]:
    """(operand_no, each_no, series_no, row_no; one row per series and row or column at hand; {each_no: its id}).

    row_no tells the named rows of an operand apart where it adds up rows without naming columns.
    """
    axis = "element_id" if each == "row" else "category_id"
    found = {no: series.of(one) for no, one in enumerate(operands) if isinstance(one, Cells)}
    of_each = {no: _has_each(one, each) for no, one in enumerate(operands) if isinstance(one, Cells)}
    keys = sorted({key for no, rows in found.items() if of_each[no] for key in rows[axis]}) if each else [""]
    numbers = {key: no for no, key in enumerate(keys)}
    parts = []
    for no, rows in found.items():
        table = rows[["series_no"]].assign(operand_no=no)
        if of_each[no]:
            parts.append(table.assign(each_no=rows[axis].map(numbers)))
        else:
            parts.append(table.merge(pd.DataFrame({"each_no": list(numbers.values())}), how="cross"))
    columns = ["operand_no", "each_no", "series_no"]
    table = pd.concat([pd.DataFrame(columns=columns), *parts], ignore_index=True)[columns]
    return table.astype("int64"), {no: key for key, no in numbers.items()}


def _has_each(cells: Cells, each: str) -> bool:
    return bool(each) and EACH in (cells.rows if each == "row" else cells.columns)


def ranges(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Runs of series numbers, near ones together: what is read of the sorted cells."""
    found: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if found and number - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], number)
        else:
            found.append((number, number))
    return found


def values_sql(series_ranges: Sequence[tuple[int, int]], count: int) -> str:
    """One row per each_no, unit_no, period_no: v0, n0 (sum and number of the values of operand 0), v1, n1 …"""
    read = " UNION ALL ".join(
        f"SELECT * FROM cell WHERE series_no BETWEEN {int(first)} AND {int(last)} AND value IS NOT NULL"
        for first, last in series_ranges
    )
    columns = ", ".join(
        f"sum(value) FILTER (operand_no = {no}) AS v{no}, count(value) FILTER (operand_no = {no}) AS n{no}"
        for no in range(count)
    )
    more = f", {columns}" if columns else ""
    return f"""
        SELECT (place_ >> 48)::INTEGER AS each_no, ((place_ >> 20) & 268435455)::INTEGER AS unit_no,
               (place_ & 1048575)::INTEGER AS period_no, * EXCLUDE (place_)
        FROM (SELECT (each_no::BIGINT << 48) | (unit_no::BIGINT << 20) | period_no AS place_{more}
              FROM ({read}) JOIN rule_series USING (series_no) GROUP BY place_)
    """


POPULATION = """
    SELECT unit_no, year,
           CASE WHEN count(*) FILTER (sex IN (SELECT unnest(?))) = ? THEN sum(persons) FILTER (sex IN (SELECT unnest(?)))
                WHEN count(*) FILTER (sex = ?) = ? THEN sum(persons) FILTER (sex = ?) END AS persons
    FROM (SELECT unit_id, year, sex, age_group, arg_min(persons, series) AS persons FROM population GROUP BY ALL)
    JOIN unit USING (unit_id) WHERE age_group IN (SELECT unnest(?)) GROUP BY unit_no, year
"""


def population_parameters(one: Population) -> list[object]:
    """The parameters of POPULATION: both sexes where each is known, else their total; of several series the first."""
    ages = list(one.ages) or ["total"]
    sexes = [one.sex] if one.sex else ["male", "female"]
    whole = one.sex or "total"
    return [sexes, len(ages) * len(sexes), sexes, whole, len(ages), whole, ages]


def needs(operands: Mapping[int, Operand]) -> dict[Operand, tuple[str, int]]:
    """{operand: (column with its number of values, how many are needed)}."""
    return {one: (f"n{no}", one.needed if isinstance(one, Cells) else 1) for no, one in operands.items()}

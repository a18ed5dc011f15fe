"""From a figure to the rows of received files behind it, as far as the account may know the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.access.warehouse_view import ScopedWarehouse, scoped_warehouse
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.warehouse.explain import WITHHELD

if TYPE_CHECKING:
    from tkyt_analysis.cube.model import Measure, View
    from tkyt_analysis.warehouse.release import Release

COLUMNS = ["part", "file_name", "sheet", "row_number", "what"]
_RECEIVED_LAST = """
    SELECT v.unit_id, v.period_id, v.category_id, v.value, f.file_name, v.sheet, v.row_number
    FROM lake.aggregate_value v JOIN lake.received_file f USING (file_sha256)
    WHERE v.dataset_id = ? AND v.element_id = ? AND v.file_sha256 NOT IN ({replaced})
    QUALIFY row_number() OVER (
        PARTITION BY v.category_id, v.unit_id, v.period_id
        ORDER BY f.received_at DESC, f.file_name DESC, v.sheet DESC, v.row_number DESC) = 1
"""


def nothing() -> pd.DataFrame:
    """No rows."""
    return pd.DataFrame(columns=COLUMNS).astype("str")


def of_figure(release: Release, figure: Mapping[str, Any], measure: Measure) -> pd.DataFrame:
    """Received rows of numerator and denominator, by the explainers of the module that measures them."""
    explainers, found = parts("explainers"), []
    with _warehouse(release) as view:
        for part, fact in (("numerator", measure.numerator), ("denominator", measure.denominator)):
            reference = explainers.get({"registered_population": "population"}.get(fact, fact))
            if reference:
                found.append(load_object(reference)(view.warehouse, {**figure, "part": part}).assign(part=part))
        return _known_files(view, pd.concat(found, ignore_index=True)[COLUMNS] if found else nothing())


def of_element(release: Release, view: View, measure: Measure) -> pd.DataFrame:
    """Received cells of a reported element: of each unit, period and category the one received last, as the release has it."""
    from tkyt_analysis.warehouse.replaced import replaced_files_sql

    _, dataset, element = measure.numerator.split(":", 2)
    wanted = _cells(release, view, measure)
    with _warehouse(release) as scoped:
        con = scoped.warehouse.con
        con.register("wanted_cell", wanted)
        sql = _RECEIVED_LAST.format(replaced=replaced_files_sql(scoped.warehouse))
        rows = con.execute(
            f"SELECT * FROM ({sql}) JOIN wanted_cell USING (unit_id, period_id) ORDER BY period_id, unit_id, category_id",
            [dataset, element],
        ).df()
        con.unregister("wanted_cell")
        what = [
            label("api.explain.cell", None, unit=one.unit_id, period=one.period_id, value=format_number(one.value))
            for one in rows.itertuples(index=False)
        ]
        return _known_files(scoped, rows.assign(part="numerator", what=pd.Series(what, dtype="str"))[COLUMNS])


def _cells(release: Release, view: View, measure: Measure) -> pd.DataFrame:
    """unit_id, period_id of the reported values that the figure sums, by the cube's own conditions."""
    from tkyt_analysis.cube.plan import source_of
    from tkyt_analysis.cube.session import cube_of

    cube = cube_of(release)
    fact = cube.fact(measure.numerator)
    source = source_of(cube, fact, view, (), sums=False)
    return cube.con.execute(
        f"SELECT DISTINCT f.unit_id, f.period_id FROM {source.from_sql} WHERE {source.where_sql}"
    ).df()


def _warehouse(release: Release) -> Any:
    return scoped_warehouse(release.home, release.account, as_of=int(release.manifest["snapshot"]))


def _known_files(view: ScopedWarehouse, rows: pd.DataFrame) -> pd.DataFrame:
    """The rows, names of files that hold other units' rows too withheld."""
    known = view.own_file_names()
    if known is None:
        return rows
    return rows.assign(file_name=rows["file_name"].where(rows["file_name"].isin(known), WITHHELD))

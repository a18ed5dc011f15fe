"""A release made of drawn tables: what `publish` would write of them, without files, ingest and warehouse."""

from __future__ import annotations

from types import SimpleNamespace

import duckdb
import pandas as pd

from mortality import release_tables as mortality_tables
from tkyt_analysis.access.scopes import covered_units
from tkyt_analysis.cube import release_tables as cube_tables
from tkyt_analysis.reference.geography import crosswalk, province_merge
from tkyt_analysis.reference.periods import period_windows
from tkyt_analysis.reference.places import places
from tkyt_analysis.warehouse import release

LINKS = crosswalk()


def communes_with_a_divided_part() -> tuple[str, str, str]:
    """(new commune, old commune that went there whole, divided one that went there by default) in Quảng Ngãi (51)."""
    old = LINKS[LINKS["old_unit_id"].str.match("VN2024:2[12]")]
    divided = old[old["relation"] == "split"]
    for new in divided.loc[divided["is_default"], "new_unit_id"]:
        into = old[old["new_unit_id"] == new]
        whole = into.loc[into["relation"] == "whole", "old_unit_id"]
        mine = into.loc[(into["relation"] == "split") & into["is_default"], "old_unit_id"]
        if len(whole) and len(mine):
            return new, whole.iloc[0], mine.iloc[0]
    raise AssertionError("no such commune")


NEW, WHOLE, DIVIDED = communes_with_a_divided_part()
KON_TUM = "VN2024:23293"  # a commune of old Kon Tum, now in province 51
HANOI_OLD, HANOI = "VN2024:00001", "VN2025:00004"
FACILITY = "KCB:51001"


def write_release(home, release_id, *, values=None, deaths=None, persons=None, reports=None, findings=None, without=()):
    """Write the release and point to it. Tables as in a release, less what can be worked out:

    values : dataset_id, element_id, unit_id, period_id, value (category_id "" where absent)
    deaths : unit_id, year, month, sex, age_group (underlying_cause, place_of_death, excluded where wanted), count
    persons : unit_id, year, sex, age_group, persons (status "final") ; reports : dataset_id, unit_id, period_id, expected, received
    findings : dataset_id, element_id, unit_id, period_id ; without : tables that are left out
    """
    con = duckdb.connect()
    con.register("place_of_unit", _place())
    part = home / "releases" / release_id
    tables = {"organisation_unit": _units(), "place": _place().assign(scope="VN"), **_described(values)}
    if values is not None:
        tables["aggregate_value"] = _values(values)
        tables["province_value"] = _summed(con, cube_tables.province_value_sql, tables["aggregate_value"])
    if reports is not None:
        tables["reporting"] = _scoped(reports).assign(marked_complete=True)
        tables["province_report"] = _summed(con, cube_tables.province_report_sql, tables["reporting"])
    if findings is not None:
        tables["finding"] = _scoped(findings)
        tables["province_finding"] = _summed(con, cube_tables.province_finding_sql, tables["finding"])
    if deaths is not None:
        tables["death"] = _deaths(deaths)
        for table in ("province_death", "province_death_cause"):
            tables[table] = _summed(con, getattr(mortality_tables, f"{table}_sql"), tables["death"])
    if persons is not None:
        tables["registered_population"] = _scoped(persons).assign(status=persons.get("status", "final"), series="s")
        tables["province_person"] = _summed(con, mortality_tables.province_person_sql, tables["registered_population"])
    for table, rows in tables.items():
        if table not in without:
            release.write_table(con, rows, part / "tables" / table, table)
    passport = {
        "snapshot": 1,
        "catalog_version": "c",
        "code_version": "v",
        "practice": True,
        "data_as_of": "2026-01-01",
    }
    release.write_manifest(part, release_id, passport)
    release._point_to(home, release_id)
    return release.Release(home, release_id)


def _values(rows):
    windows = period_windows(rows["period_id"])
    rows = rows.assign(
        category_id=rows.get("category_id", ""), period_start=windows["period_start"], period_end=windows["period_end"]
    )
    return _scoped(rows.astype({"value": "float64"}))


def _deaths(rows):
    for name, value in (
        ("underlying_cause", "I64"),
        ("place_of_death", "home"),
        ("excluded", ""),
        ("source", "a6"),
        ("decision", "auto"),
    ):
        rows = rows.assign(**{name: rows.get(name, value)})
    each = rows.loc[rows.index.repeat(rows["count"])].drop(columns="count").reset_index(drop=True)
    return _scoped(each.assign(death_id=[f"d{n}" for n in range(len(each))], unit_2025=each["unit_id"]))


def _scoped(rows):
    """The rows with the scope that `publish` gives them: the unit list's province."""
    scope = _units().set_index("unit_id")["province_scope"]
    return rows.assign(scope=rows["unit_id"].map(scope).fillna("VN"))


def _summed(con, sql, rows):
    con.register("rows_to_sum", rows)
    return con.execute(sql("rows_to_sum")).df()


def _units():
    units = pd.concat([places("VN2024"), places("VN2025")]).drop_duplicates("unit_id")
    units = units[units["unit_id"].isin(_known())]
    merge = dict(province_merge()[["old_unit_id", "new_unit_id"]].itertuples(index=False))
    province = units["province_id"].map(lambda one: merge.get(one, one)).fillna("").replace("", "VN")
    columns = units[["unit_id", "code", "name", "level", "parent_unit_id", "province_id", "unit_type"]]
    return columns.assign(province_scope=province.str.replace(":", "-"), scope="VN")


def _known():
    return covered_units(frozenset({"VN2025:51", "VN2025:01"})) | {"VN"}


def _place():
    facility = pd.DataFrame(
        {"facility_id": [FACILITY], "facility_type": ["Trạm Y tế"], "unit_id": [NEW], "valid_from": ["2020"]}
    )
    context = SimpleNamespace(latest=lambda *_: facility, units=pd.DataFrame({"unit_id": [], "scope": []}, dtype="str"))
    rows = cube_tables.place(context)
    return rows[rows["unit_id"].isin({*_known(), FACILITY})].drop(columns="scope")


def _described(values):
    elements = (
        values[["dataset_id", "element_id"]].drop_duplicates()
        if values is not None
        else pd.DataFrame(columns=["dataset_id", "element_id"])
    )
    elements = elements.astype("str")
    return {
        "data_element": elements.assign(name=elements["element_id"], scope="VN"),
        "data_set": elements[["dataset_id"]].drop_duplicates().assign(name="Báo cáo", period_type="month", scope="VN"),
        "category": pd.DataFrame({"category_id": ["m", "f"], "code": ["m", "f"], "name": ["nam", "nữ"], "scope": "VN"}),
    }  # fmt: skip

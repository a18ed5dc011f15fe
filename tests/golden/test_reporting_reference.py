"""Reporting and integrity on reference data: found in panels of other countries without being told."""

import gzip
import json

import pandas as pd
import pytest

from tests.support import reference_path, rule_like
from tkyt_analysis.ingest.dhis2_metadata import unit_table
from tkyt_analysis.quality.context import context_of_tables
from tkyt_analysis.quality.integrity.checks import INTEGRITY
from tkyt_analysis.quality.integrity.names import name_problems, unmatched_names
from tkyt_analysis.quality.integrity.points import outside_their_parents, shape_problems
from tkyt_analysis.quality.reporting.completeness import more_received_than_expected
from tkyt_analysis.quality.reporting.zero_storage import zero_storage, zeros_stored
from tkyt_analysis.quality.run import results_of

KENYA = ("quality", "panels", "kenya_cd2030")


def kenya(sheet):
    return pd.read_csv(reference_path(*KENYA, f"{sheet}.csv"))


def test_kenya_the_trailing_blank_of_baringo_is_found_in_the_sheets_that_have_it():
    sheets = {
        name: name_problems(kenya(name)["district"]) for name in ("Service_data_1", "Service_data_2", "Service_data_3")
    }
    assert {name: len(rows) for name, rows in sheets.items() if name != "Service_data_3"} == {
        "Service_data_1": 0,
        "Service_data_2": 0,
    }
    third = sheets["Service_data_3"]
    assert third[third["name"] == "Baringo "][["problem", "suggestion", "rows"]].to_numpy().tolist() == [
        ["trailing_blank", "Baringo", 60]
    ]
    assert set(third["problem"]) == {"trailing_blank"}


def test_kenya_counties_that_a_join_would_lose_are_named():
    lost = unmatched_names(kenya("Service_data_3")["district"], kenya("Service_data_1")["district"])
    assert ("Baringo ", "Baringo") in set(lost.itertuples(index=False, name=None))
    assert (
        len(lost)
        == kenya("Service_data_3")
        .loc[lambda rows: rows["district"] != rows["district"].str.strip(), "district"]
        .nunique()
    )


@pytest.mark.parametrize("form", ["ANC", "Instdelivey", "Vacc"])
def test_kenya_more_reports_received_than_expected_stand_behind_a_rate_of_one_hundred(form):
    panel = kenya("Reporting_completeness")
    names = {
        f"{form}_reporting_received": "received",
        f"{form}_reporting_expected": "expected",
        f"{form}_reporting_rate": "rate",
    }
    rows = more_received_than_expected(panel.rename(columns=names), capped="rate")
    assert 369 <= len(rows) <= 628
    assert rows["share"].min() > 1
    assert rows["rate"].max() <= 100  # what the system showed


# --- Sierra Leone (DHIS2's public demo) --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def units():
    listed = json.loads(reference_path("quality", "dhis2_sl", "organisationUnits_play42.json").read_text("utf-8"))
    rows = unit_table([one | {"number": number} for number, one in enumerate(listed, 1)])
    ids = dict(zip(rows["uid"], rows["unit_id"]))
    return pd.DataFrame(
        {
            "unit_id": rows["unit_id"], "code": rows["code"], "name": rows["written"], "level": rows["level"],
            "parent_unit_id": [ids.get(one, "") for one in rows["parent"]], "province_id": "", "valid_from": rows["opened"],
            "valid_to": rows["closed"], "latitude": rows["latitude"], "longitude": rows["longitude"],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def shapes():
    with gzip.open(reference_path("quality", "dhis2_sl", "geometry_play42.geojson.gz")) as file:
        features = json.load(file)["features"]
    return pd.DataFrame(
        {
            "unit_id": [f"DHIS2:{one['id']}" for one in features],
            "shape": [one["geometry"]["type"] for one in features],
            "geometry": [json.dumps(one["geometry"]) for one in features],
        }
    )


@pytest.fixture(scope="module")
def leone(units, shapes):
    with gzip.open(reference_path("quality", "dhis2_sl", "metadata_complete_dataEntry.json.gz")) as file:
        metadata = json.load(file)
    elements = pd.DataFrame(metadata["dataElements"])[["id", "code", "name", "displayShortName"]]
    elements = elements.set_axis(["element_id", "code", "name", "short_name"], axis=1)
    held = {m["dataElement"]["id"]: one["id"] for one in metadata["dataSets"] for m in one["dataSetElements"]}
    sets = pd.DataFrame(metadata["dataSets"])[["id", "name", "periodType", "timelyDays"]]
    return context_of_tables(
        {
            "organisation_unit": units,
            "unit_geometry": shapes,
            "data_element": elements.assign(dataset_id=elements["element_id"].map(held).fillna("")),
            "data_set": sets.set_axis(["dataset_id", "name", "period_type", "timely_days"], axis=1),
        }
    )


def findings(context, check):
    (result,) = results_of(context, rule_like(id=check, parameters={"check": check}), INTEGRITY)
    return result.findings, result.judged


def test_sierra_leone_43_percent_of_the_units_have_no_geometry(leone):
    missing, judged = findings(leone, "geometry_missing")
    assert judged == 1332
    assert len(missing) == 1332 - 766
    assert len(missing) / judged == pytest.approx(0.43, abs=0.01)


def test_sierra_leone_the_tree_of_units_is_whole(leone):
    for check in ("unit_orphaned", "unit_own_ancestor", "unit_several_roots", "unit_level_jump", "unit_without_name"):
        rows, judged = findings(leone, check)
        assert (len(rows), judged > 0) == (0, True), check


def test_sierra_leone_names_agree_with_a_count_by_hand(leone, units):
    names = units.set_index("unit_id")["name"]
    by_hand = {unit for unit, name in names.items() if name != name.strip() or "  " in name}
    assert set(findings(leone, "unit_name_blanks")[0]["unit_id"]) == by_hand
    words = units["name"].str.split().str.join(" ").str.lower()
    repeated = words.groupby([units["parent_unit_id"], words]).transform("size") > 1
    same = findings(leone, "unit_same_name_and_parent")[0]
    assert set(same["unit_id"]) <= set(units.loc[repeated, "unit_id"])
    assert len(same) >= repeated.sum() - words[repeated].groupby([units["parent_unit_id"], words]).ngroups


def test_sierra_leone_elements_without_a_data_set_agree_with_a_count_by_hand(leone):
    elements = leone.query("SELECT * FROM data_element")
    assert len(findings(leone, "element_without_data_set")[0]) == (elements["dataset_id"] == "").sum()
    names = elements["name"].str.split().str.join(" ").str.lower()
    assert len(findings(leone, "element_same_name")[0]) == names.duplicated(keep=False).sum()


def test_sierra_leone_outlines_are_read_and_judged(leone, shapes, units):
    areas = shapes[shapes["shape"] != "Point"].rename(columns={"unit_id": "id"})
    said, read = shape_problems(areas)
    assert len(read) + (said["problem"] == "unreadable").sum() == 165
    children = units[["unit_id", "parent_unit_id"]].set_axis(["id", "parent_id"], axis=1)
    assert set(outside_their_parents(children, read)["id"]) <= set(areas["id"])


def test_sierra_leone_stores_no_zeros_and_a_count_says_how_many_are_not_there():
    with gzip.open(reference_path("quality", "dhis2_sl", "dataValueSets_play42_2025.json.gz")) as file:
        values = json.load(file)["dataValues"]
    numbers = pd.to_numeric(pd.Series([one["value"] for one in values]), errors="coerce").dropna()
    counts = pd.DataFrame(
        {
            "cells": [len(numbers)],
            "zeros": [(numbers == 0).sum()],
            "ones": [(numbers == 1).sum()],
            "twos": [(numbers == 2).sum()],
        }
    )
    (row,) = zeros_stored(counts).to_dict("records")
    assert row["status"] == "not_stored"
    assert row["zeros_expected"] > 1000
    some = pd.DataFrame(
        [("DS", one["dataElement"], one["categoryOptionCombo"], one["orgUnit"], one["period"], one["value"]) for one in values[:20_000]],
        columns=["dataset_id", "element_id", "category_id", "unit_id", "period_id", "value"],
    )  # fmt: skip
    some["value"] = pd.to_numeric(some["value"], errors="coerce")
    assert zero_storage(context_of_tables({"aggregate_value": some}).con)["status"].tolist() == ["not_stored"]

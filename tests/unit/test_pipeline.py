"""Preparing a home: unit lists once, and again when a list has been amended."""

import shutil

import pytest

from tkyt_analysis import settings
from tkyt_analysis.ingest.summary import sentence
from tkyt_analysis.labels import set_language
from tkyt_analysis.pipeline import load_units, prepare_home
from tkyt_analysis.warehouse.lake import Warehouse

COUNT = "SELECT count(*) FROM lake.organisation_unit"


def test_unit_lists_are_loaded_once_and_again_after_an_amendment(tmp_path, monkeypatch):
    home = tmp_path / "home"
    assert prepare_home(home)
    with Warehouse(home) as warehouse:
        units = warehouse.one(COUNT)[0]
    assert units == 1 + (63 + 696 + 10_035) + (34 + 3_321)
    assert load_units(home) == 0
    own = tmp_path / "own" / "codelists"
    own.mkdir(parents=True)
    shutil.copy(settings.REPOSITORY / "data_catalog" / "codelists" / "unit_types.csv", own / "unit_types.csv")
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(own.parent))
    assert load_units(home) == units
    with Warehouse(home) as warehouse:
        assert warehouse.one(COUNT)[0] == units  # replaced, not added


@pytest.mark.parametrize("fields", ["{}", '{"file": "a.csv"}'], ids=["named by its place", "named in the sentence"])
def test_a_sentence_says_its_place_once(fields):
    set_language("en")
    text = sentence("error.file_not_recognised", {"file": "a.csv", "row_number": 4, "fields": fields})
    set_language("vi")
    assert text.count("a.csv") == 1
    assert text.count("row 4") == 1

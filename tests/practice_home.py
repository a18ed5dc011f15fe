"""A home with practice data of a few communes, made once per test session by the product's own steps."""

import os

import pytest


@pytest.fixture(scope="session")
def practice_home(tmp_path_factory):
    """Folder of a home: practice data received, coded, checked, published. Read only: do not change it."""
    base = tmp_path_factory.mktemp("practice")
    before = os.environ.get("TKYT_KEY_FILE")
    os.environ["TKYT_KEY_FILE"] = str(base / "key")
    from tkyt_analysis.ingest.receive import ingest
    from tkyt_analysis.pipeline import check_warehouse, prepare_home, run_steps
    from tkyt_analysis.practice.generate import make_practice_data
    from tkyt_analysis.warehouse.release import publish

    make_practice_data("commune", base / "practice", seed=20261122)
    home = base / "home"
    prepare_home(home, practice=True)
    ingest(home, [base / "practice" / "received"])
    run_steps(home)
    check_warehouse(home)
    publish(home)
    yield home
    os.environ.pop("TKYT_KEY_FILE", None) if before is None else os.environ.update(TKYT_KEY_FILE=before)

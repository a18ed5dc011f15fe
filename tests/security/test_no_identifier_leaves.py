"""Names, ID numbers, addresses and birth dates of practice deaths are in the restricted store and nowhere else."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import Release


@pytest.fixture(scope="module")
def people(demo_home):
    """Identifiers that stand in the received books: whole names of three words or more, ID numbers, birth dates."""
    with Warehouse(demo_home) as warehouse:
        warehouse.attach_restricted()
        rows = warehouse.query(
            "SELECT full_name, id_number, CAST(birth_date AS VARCHAR) AS birth, address FROM restricted.death_identity"
        )
    names = set(rows.loc[rows["full_name"].fillna("").str.split().str.len() >= 3, "full_name"])
    numbers = set(rows["id_number"].dropna()) - {""}
    assert len(names) > 100
    assert len(numbers) > 20
    return names | numbers


def texts_of_release(home):
    release = Release(home)
    for table in release.tables():
        frame = release.query(f'SELECT * FROM "{table}"')
        for name in frame.columns[[pd.api.types.is_string_dtype(kind) for kind in frame.dtypes]]:
            yield f"{table}.{name}", " ".join(frame[name].dropna().astype(str).unique())


def test_no_release_table_has_a_name_or_a_number_of_a_person(demo_home, people):
    found = [(place, person) for place, text in texts_of_release(demo_home) for person in people if person in text]
    assert found == []


def test_no_report_page_notebook_or_portal_page_has_one(demo_home, people):
    pages = [path for folder in ("reports", "portal") for path in (demo_home / folder).rglob("*") if path.is_file()]
    assert len(pages) >= 7
    for path in pages:
        text = path.read_text("utf-8")
        assert [person for person in people if person in text] == [], path.name


def test_no_quarantine_row_note_or_finding_has_one(demo_home, people):
    with Warehouse(demo_home) as warehouse:
        for table, columns in (
            ("quarantine", "value || fields"),
            ("ingest_note", "value || became || fields"),
            ("finding", "fields"),
        ):
            text = " ".join(
                row[0] or "" for row in warehouse.con.execute(f"SELECT {columns} FROM lake.{table}").fetchall()
            )
            assert [person for person in people if person in text] == [], table


def test_no_column_of_the_analysis_tables_has_one(demo_home, people):
    with Warehouse(demo_home) as warehouse:
        rows = warehouse.query("SELECT * EXCLUDE (cause_text) FROM lake.death")
    text = "\n".join(" ".join(map(str, rows[name].dropna().unique())) for name in rows.columns)
    assert [person for person in people if person in text] == []


def test_what_explain_prints_has_none(demo_home, people):
    figure = "crude_death_rate|VN2025:51|2025|total|all|all"
    command = [
        sys.executable,
        "-m",
        "tkyt_analysis",
        "explain",
        figure,
        "--home",
        str(demo_home),
        "--rows",
        "1000",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    explained = json.loads(done.stdout)
    assert explained["counts"]["numerator"] == explained["figure"]["numerator"]
    assert [person for person in people if person in done.stdout] == []


def test_no_release_column_is_an_exact_date_or_a_wording(demo_home):
    release = Release(demo_home)
    columns = set(release.query("SELECT * FROM death LIMIT 1").columns)
    assert columns.isdisjoint(
        {"death_date", "birth_date", "birth_year", "cause_text", "person_key", "record_key", "full_name", "address"}
    )


def test_an_hiv_death_looks_like_an_uncodable_one_in_the_release_and_is_kept_in_the_warehouse(demo_home):
    with Warehouse(demo_home) as warehouse:
        hiv, uncodable = warehouse.one(
            "SELECT count(*) FILTER (code SIMILAR TO 'B2[0-4].*'), count(*) FILTER (decision = 'uncodable') FROM lake.death_code"
        )
    released = (
        Release(demo_home)
        .query(
            "SELECT count(*) FILTER (decision = 'uncodable' AND underlying_cause = '') AS uncodable, "
            "count(*) FILTER (underlying_cause SIMILAR TO 'B2[0-4].*') AS shown, "
            "count(*) FILTER (decision <> 'uncodable' AND coalesce(underlying_cause, '') = '') AS told_apart FROM death"
        )
        .iloc[0]
    )
    assert hiv > 0
    assert (released["uncodable"], released["shown"]) == (uncodable + hiv, 0)
    assert released["told_apart"] == 0

"""Real files through the whole flow: received, checked, released, reported; every row accounted for.

Sierra Leone: DHIS2's public demo (University of Oslo), 188,701 values of 2025. Kenya: Countdown 2030's county panel 2019-2023.
Deaths: 5,050 coded certificates (Brazil, DATASUS open data). See PROVENANCE.md of the reference data.
"""

import re
import shutil

import pytest
from support import REPOSITORY, reference_path

from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import check_warehouse, prepare_home, run_steps
from tkyt_analysis.reports.runner import run_report
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release import publish

pytestmark = pytest.mark.slow


def receive(tmp_path, monkeypatch, *files):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    (tmp_path / "in").mkdir()
    for file in files:
        shutil.copy(file, tmp_path / "in" / file.name)
    home = tmp_path / "home"
    prepare_home(home)
    result = ingest(home, [tmp_path / "in"])
    for row in result.files:
        assert row["received"] == row["landed"] + row["quarantined"], row
    return home, {row["name"]: row for row in result.files}


def ask(home, sql):
    with Warehouse(home) as warehouse:
        return warehouse.con.execute(sql).fetchall()


def test_sierra_leone_every_value_and_every_unit_lands(tmp_path, monkeypatch):
    folder = reference_path("quality", "dhis2_sl")
    names = ("metadata_play42.json", "organisationUnits_play42.json", "dataValueSets_play42_2025.json.gz")
    home, files = receive(tmp_path, monkeypatch, *(folder / name for name in names))
    assert files[names[2]]["received"] == files[names[2]]["landed"] == 188_701
    assert ask(home, "SELECT count(*) FROM lake.organisation_unit WHERE unit_id LIKE 'DHIS2:%'") == [(1_332,)]
    by_level = "SELECT level, count(*) FROM lake.organisation_unit WHERE unit_id LIKE 'DHIS2:%' GROUP BY 1 ORDER BY 1"
    assert ask(home, by_level) == [(0, 1), (1, 13), (2, 152), (3, 1_166)]
    # quality/PROVENANCE.md: reporters fall from 987 (July) to 739 (December); 18 values are not whole numbers
    reporters = "SELECT count(DISTINCT unit_id) FROM lake.aggregate_value WHERE period_id = '{}'"
    assert ask(home, reporters.format("202507")) == [(987,)]
    assert ask(home, reporters.format("202512")) == [(739,)]
    assert ask(home, "SELECT count(*) FROM lake.aggregate_value WHERE value <> floor(value)") == [(18,)]
    check_warehouse(home)
    publish(home)
    made = run_report(home, "data_quality_monthly", {"place": "DHIS2:ImspTQPwCqd", "period": "202510"})
    text = made.html.read_text("utf-8")
    assert "Sierra Leone" in text
    assert not re.search(r"(src|href)=[\"']?https?:|url\([\"']?https?:|@import", text)


def test_kenya_the_county_with_a_trailing_blank_joins_and_the_stray_sentence_is_asked_about(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(REPOSITORY / "tests" / "fixtures" / "catalog"))
    folder = reference_path("quality", "panels", "kenya_cd2030")
    home, files = receive(tmp_path, monkeypatch, *(folder / f"Service_data_{number}.csv" for number in (1, 2, 3)))
    assert ask(home, "SELECT count(DISTINCT unit_id), count(DISTINCT period_id) FROM lake.aggregate_value") == [
        (47, 60)
    ]
    assert files["Service_data_3.csv"]["quarantined"] == 2
    values = [value for (value,) in ask(home, "SELECT value FROM lake.quarantine")]
    assert any("data for December for EMBU" in value for value in values), values
    tidied = (
        "SELECT count(DISTINCT value) FROM lake.ingest_note WHERE note = 'note.unit_name_tidied' AND value LIKE '% '"
    )
    assert ask(home, tidied) == [(47,)]
    check_warehouse(home)
    publish(home)
    text = run_report(home, "data_quality_monthly", {"place": "KEN", "period": "202308"}).html.read_text("utf-8")
    assert "Kirinyaga" in text
    assert "không đánh giá được tính đầy đủ" in text  # nobody said who must report


def test_five_thousand_coded_deaths_are_tabulated_to_the_last_one(tmp_path, monkeypatch):
    home, files = receive(tmp_path, monkeypatch, reference_path("icd", "ucod_open.csv"))
    assert files["ucod_open.csv"]["landed"] == 5_050
    run_steps(home)
    release = publish(home)
    tables = release.query("SELECT sum(deaths) AS deaths FROM deaths_by_cause")
    assert tables["deaths"].iloc[0] == 5_050
    hidden = release.query("SELECT count(*) AS n FROM death WHERE underlying_cause SIMILAR TO 'B2[0-4].*'")
    assert hidden["n"].iloc[0] == 0
    text = run_report(home, "deaths_annual", {"place": "ALL", "year": 0}).html.read_text("utf-8")
    assert "5.050" in text

"""Every mistake in a catalog entry is one sentence with file and key; and the shipped catalog has none."""

import datetime

import pytest

from tkyt_analysis.catalog import catalog_problems, load_entry
from tkyt_analysis.catalog.loader import load_entries, read_entry
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import set_language

DATASET = """\
id: deaths_by_province
title:
  vi: "Số tử vong"
  en: "Deaths"
origin:
  producer: NSO
  document: Yearbook
access: internal
grain: [province_code, year]
columns:
  province_code:
    type: code
  year:
    type: integer
    unit: years
  deaths:
    type: number
    unit: deaths
"""

THRESHOLD = """\
id: minimum_cell
title:
  vi: "Ngưỡng"
  en: "Threshold"
unit: persons
values:
  2020-01-01:
    value: 5
    reference: "QĐ 1"
  2025-07-01:
    value: 10
    reference: "QĐ 2"
"""


@pytest.fixture(autouse=True)
def _english():
    set_language("en")
    yield
    set_language("vi")


def sentences(tmp_path, kind, text, name=None):
    identifier = text.split("\n")[0].partition(": ")[2]
    path = tmp_path / f"{name or identifier}.yaml"
    path.write_text(text, "utf-8")
    return read_entry(path, kind)[1]


def test_the_shipped_catalog_has_no_mistake():
    assert catalog_problems() == []


def test_no_table_has_columns_that_differ_in_capitals_only():
    for name, entry in load_entries("datasets").items():
        lowered = [column.lower() for column in entry.columns]
        assert sorted(set(lowered)) == sorted(lowered), name  # SQL would give one for the other without a word


def test_a_right_entry_has_no_problem(tmp_path):
    assert sentences(tmp_path, "datasets", DATASET) == []
    assert sentences(tmp_path, "thresholds", THRESHOLD) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("access: internal", "acess: internal", ["“acess” is unknown", "“access” is missing"]),
        ("    unit: deaths\n", "", ["number column has no unit at “columns.deaths.unit”"]),
        ("id: deaths_by_province", "id: deaths", ["“id” is “deaths” but the file is named"]),
        ("[province_code, year]", "[province, year]", ["names the column “province”"]),
        ("access: internal", "access: secret", ["“access” is 'secret', expected one of: public, internal, personal"]),
        ("producer: NSO", "producer: 01", ["“origin.producer” is 1 without quotes"]),
        ("  producer: NSO\n", "  producer: NSO\n  producer: GSO\n", ["line 7", "stands twice"]),
        ("columns:", "columns: none\nunused:", ["“columns” is 'none', expected a block"]),
        ('  vi: "Số tử vong"\n', "", ["“title.vi” is missing"]),
    ],
)
def test_each_mistake_is_a_sentence_with_file_and_key(tmp_path, old, new, said):
    text = DATASET.replace(old, new, 1)
    found = "\n".join(sentences(tmp_path, "datasets", text, "deaths_by_province"))
    assert "deaths_by_province.yaml" in found
    for part in said:
        assert part in found


def test_all_mistakes_of_an_entry_are_said_at_once(tmp_path):
    text = DATASET.replace("    unit: deaths\n", "", 1).replace("access: internal", "access: secret", 1)
    assert len(sentences(tmp_path, "datasets", text.replace("year, ", ""))) >= 1
    text = DATASET.replace("type: code", "type: colour").replace("access: internal", "access: secret")
    assert len(sentences(tmp_path, "datasets", text)) == 2


def test_overlapping_dates_are_a_mistake(tmp_path):
    text = THRESHOLD.replace('    reference: "QĐ 1"\n', '    reference: "QĐ 1"\n    to: 2025-07-01\n')
    [sentence] = sentences(tmp_path, "thresholds", text)
    assert "thresholds/minimum_cell.yaml" in sentence
    assert "2025-07-01" in sentence


def test_a_dated_value_is_asked_for_at_a_date(tmp_path):
    path = tmp_path / "minimum_cell.yaml"
    path.write_text(THRESHOLD, "utf-8")
    entry, _ = read_entry(path, "thresholds")
    assert entry.at(datetime.date(2025, 6, 30)) == 5
    assert entry.at(datetime.date(2025, 7, 1)) == 10
    with pytest.raises(InputError, match="no value on 2019-12-31"):
        entry.at(datetime.date(2019, 12, 31))


def test_an_unknown_entry_names_the_nearest_one():
    with pytest.raises(InputError, match="nearest is “population”"):
        load_entry("datasets", "popluation")


def test_a_folder_that_the_catalog_does_not_read_is_a_mistake(tmp_path, monkeypatch):
    (tmp_path / "corections").mkdir()
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(tmp_path))
    [sentence] = catalog_problems()
    assert "“corections”" in sentence


def test_an_entry_of_the_users_own_folder_joins_the_shipped_ones(tmp_path, monkeypatch):
    (tmp_path / "thresholds").mkdir()
    (tmp_path / "thresholds" / "minimum_cell.yaml").write_text(THRESHOLD, "utf-8")
    monkeypatch.setenv("TKYT_CATALOG_PATH", str(tmp_path))
    assert load_entry("thresholds", "minimum_cell").at(datetime.date(2026, 1, 1)) == 10
    assert load_entry("thresholds", "reporting_completeness").at(datetime.date(2026, 1, 1)) == 0.9

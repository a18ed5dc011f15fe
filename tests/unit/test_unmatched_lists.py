"""The lists to ask a commune about: in the book but not registered, registered but not in the book; with care, and without names unless asked."""

import openpyxl
import pytest
from click.testing import CliRunner
from deaths_support import COMMUNE, NEIGHBOUR, PROVINCE, drawn_home, record

from mortality.cli import deaths as command
from mortality.persons_release.unmatched import check_not_registered, unmatched_deaths, with_names
from mortality.persons_release.unmatched_workbook import HEADER_ROW, write_unmatched_workbook
from tkyt_analysis.catalog import load_entry
from tkyt_analysis.errors import InputError

# The register of the commune was received from 10 February to 10 September 2025.
RECORDS = [
    record("a1", day="2025-03-01"), record("c1", "civil_registration", day="2025-03-01", registered="2025-03-05"),
    record("a2", day="2025-04-01"),  # not registered
    record("a3", day="2025-08-11"),  # not registered: the 30 days are over on the last day of the register
    record("a4", day="2025-08-12"),  # a day later: may still be registered
    record("a5", day="2025-01-05"),  # before what the register covers
    record("a6", day="2025-04-02", home=NEIGHBOUR),  # no register of this commune was received
    record("c7", "civil_registration", day="2025-05-01", registered="2025-09-10"),  # not in the book
    record("c8", "civil_registration", day="2024-05-01", registered="2025-02-10"),  # no book of 2024: nothing to compare with
    record("n9", "death_notice", day="2025-06-01"),  # known to the hospital only
]  # fmt: skip


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return drawn_home(tmp_path_factory.mktemp("unmatched") / "home", RECORDS, persons=["a1 c1"])


def asked(rows):
    return {name: sorted(part["record_id"]) for name, part in rows.groupby("list")}


def test_a_death_is_asked_about_only_where_the_other_list_ought_to_hold_it(home):
    assert asked(unmatched_deaths(home, COMMUNE)) == {"not_registered": ["a2", "a3"], "not_in_book": ["c7", "n9"]}
    assert asked(unmatched_deaths(home, NEIGHBOUR)) == {}


def test_more_time_to_register_asks_about_fewer_deaths(home):
    assert asked(unmatched_deaths(home, COMMUNE, days_to_register=60))["not_registered"] == ["a2"]


def test_a_province_asks_about_all_its_communes_and_a_year_about_its_own_deaths(home):
    assert asked(unmatched_deaths(home, PROVINCE)) == asked(unmatched_deaths(home, COMMUNE))
    assert asked(unmatched_deaths(home, COMMUNE, year=2024)) == {}


def test_a_place_that_is_no_unit_is_refused_with_what_is_expected(home):
    with pytest.raises(InputError, match="VN2025:99999.*VN2025:21115"):
        unmatched_deaths(home, "VN2025:99999")


def test_the_rule_counts_per_commune_and_year_and_names_nobody(home):
    from tkyt_analysis.quality.lake_context import warehouse_context
    from tkyt_analysis.warehouse.lake import Warehouse

    with Warehouse(home) as warehouse, warehouse_context(warehouse) as context:
        result = check_not_registered(context, load_entry("rules", "death_not_registered"))
    (one,) = result.findings.to_dict("records")
    assert (one["unit_id"], one["period_id"], one["value"], one["expected"]) == (COMMUNE, "2025", 1, 3)
    assert one["fields"] == '{"deaths": 3, "missing": 2}'


def test_without_the_wish_for_names_the_workbook_holds_none(home, tmp_path):
    result = write_unmatched_workbook(home, COMMUNE, tmp_path / "xa.xlsx")
    assert (result["not_registered"], result["not_in_book"]) == (2, 2)
    sheet = openpyxl.load_workbook(tmp_path / "xa.xlsx").worksheets[0]
    headings = [cell.value for cell in sheet[HEADER_ROW]]
    assert "Họ và tên" not in headings
    assert sheet.max_row == HEADER_ROW + 2
    assert (tmp_path / "xa.xlsx").stat().st_mode & 0o077 == 0


def test_a_record_whose_name_may_not_be_given_is_left_out_not_shown_nameless(home, monkeypatch):
    import pandas as pd

    rows = unmatched_deaths(home, COMMUNE)
    people = pd.DataFrame(
        {"death_id": ["a2"], "full_name": ["Trần Thị Mẫu"], "birth_as_written": ["1950"], "address": [None]}
    )
    monkeypatch.setattr("tkyt_analysis.access.identifiers.read_identities", lambda *a, **k: people)
    given = with_names(home, rows)
    assert given["record_id"].tolist() == ["a2"]
    assert given.attrs["left_out"] == 3


def test_the_command_writes_the_file_that_was_named_and_says_how_many(home, tmp_path):
    target = tmp_path / "xa.xlsx"
    done = CliRunner().invoke(command, ["unmatched", "--scope", COMMUNE, "-o", str(target), "--home", str(home)])
    assert done.exit_code == 0, done.output
    assert "2 ca có trong sổ A6" in done.output
    assert target.exists()


def test_a_home_without_deaths_has_empty_lists_that_say_so(tmp_path):
    home = drawn_home(tmp_path / "home", [])
    write_unmatched_workbook(home, COMMUNE, tmp_path / "xa.xlsx")
    sheets = openpyxl.load_workbook(tmp_path / "xa.xlsx").worksheets
    assert [sheet.cell(HEADER_ROW + 1, 1).value for sheet in sheets] == ["Không có ca nào cần hỏi."] * 2

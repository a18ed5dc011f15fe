"""Books of deaths of every circular: their headings, in one row or two, month sections, several communes, old names."""

from itertools import groupby

import openpyxl
import pytest
from test_death_register import read

from mortality.register_layout import match_header
from tkyt_analysis.catalog import read_codelist

VINTAGES = read_codelist("a6_vintages")
NAMES = sorted(VINTAGES["vintage"].unique())
OLD = "Trạm Y tế xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi"
# What each column says of one and the same woman; ticks where the column is one of several.
SAYS = {
    "line_number": 1, "full_name": "Trần Thị Bé", "sex": "Nữ", "birth": "02/09/1950", "female": "02/09/1950", "male": None,
    "age": None, "ethnic_group": "Kinh", "occupation": "Làm ruộng", "address": "Thôn 3", "id_number": "000150000111",
    "insurance_number": "GD4000000000001", "death_date": "05/03/{year}", "place_of_death": "Tại nhà", "place_of_death:home": "x",
    "cause_text": "Tai biến mạch máu não", "icd10_as_written": "I64", "maternal_death": None, "care_before_death": "Có",
    "care_before_death:yes": "x", "note": "ghi muộn",
}  # fmt: skip


def book(tmp_path, vintage, *, title=OLD, sections=False, rows=1, year=None):
    """A book with the headings of a vintage as printed: groups merged over their columns, the column numbers below."""
    columns = VINTAGES[VINTAGES["vintage"] == vintage]
    year = year or int(columns["first_day"].iloc[0][:4]) + 1
    made = openpyxl.Workbook()
    page = made.active
    page["A1"], page["A2"], page["A3"] = title, "SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG", f"Năm {year}"
    place = 1
    for group, own in groupby(columns["heading"], key=lambda heading: heading.split(" | ")[0]):
        parts = [heading.split(" | ") for heading in own]
        last = place + len(parts) - 1
        page.cell(5, place, group)
        if len(parts) > 1:
            page.merge_cells(start_row=5, start_column=place, end_row=5, end_column=last)
            for at, part in enumerate(parts):
                page.cell(6, place + at, part[1])
        else:
            page.merge_cells(start_row=5, start_column=place, end_row=6, end_column=place)
        place = last + 1
    for at in range(1, len(columns) + 1):
        page.cell(7, at, at)
    row = 8
    for number in range(rows):
        if sections:
            page.cell(row, 1, f"Tháng {number + 1}")
            row += 1
        for at, field in enumerate(columns["field"], start=1):
            value = SAYS.get(field)
            page.cell(row, at, value.format(year=year) if isinstance(value, str) else value)
        row += 1
    made.save(tmp_path / "so_a6.xlsx")
    return tmp_path / "so_a6.xlsx", year


@pytest.mark.parametrize("row", VINTAGES.itertuples(), ids=lambda row: f"{row.vintage}-{row.heading}")
def test_every_heading_of_every_vintage_means_its_field(row):
    assert match_header(row.heading) == row.field


@pytest.mark.parametrize("vintage", NAMES)
def test_the_same_death_is_the_same_record_in_a_book_of_any_circular(tmp_path, vintage):
    new = vintage == "tt23_2025"
    title = "Trạm Y tế xã Bình Sơn, tỉnh Quảng Ngãi" if new else OLD
    path, year = book(tmp_path, vintage, title=title)
    deaths, identities, quarantined, _ = read(path)
    assert len(deaths) == 1
    assert len(quarantined) == 0
    death, person = deaths.iloc[0], identities.iloc[0]
    assert death["unit_id"].startswith("VN2025:" if new else "VN2024:")
    assert (death["sex"], death["birth_year"]) == ("female", 1950)
    assert death["age_years"] == year - 1950 - 1  # the birthday is in September, the death in March
    assert death["death_date"].strftime("%Y-%m-%d") == f"{year}-03-05"
    assert (death["place_of_death"], death["care_before_death"]) == ("home", "yes")
    assert (death["cause_text"], death["ethnic_group"]) == ("Tai biến mạch máu não", "Kinh")
    assert (person["full_name"], person["address"]) == ("Trần Thị Bé", "Thôn 3")


def test_the_identity_block_of_2025_goes_to_the_restricted_store_only(tmp_path):
    path, _ = book(tmp_path, "tt23_2025", title="Trạm Y tế xã Bình Sơn, tỉnh Quảng Ngãi")
    deaths, identities, _, notes = read(path)
    assert identities.iloc[0][["id_number", "insurance_number"]].tolist() == ["000150000111", "GD4000000000001"]
    everything_open = deaths.astype(str).to_csv() + notes.astype(str).to_csv()
    assert "000150000111" not in everything_open
    assert "GD4000000000001" not in everything_open


@pytest.mark.parametrize("vintage", NAMES)
def test_month_sections_inside_a_book_are_no_deaths(tmp_path, vintage):
    title = "Trạm Y tế xã Bình Sơn, tỉnh Quảng Ngãi" if vintage == "tt23_2025" else OLD
    path, _ = book(tmp_path, vintage, title=title, sections=True, rows=3)
    deaths, _, quarantined, notes = read(path)
    assert len(deaths) == 3
    assert len(quarantined) == 0
    assert notes.loc[notes["note"] == "note.register_lines.heading", "value"].tolist() == ["3"]


def test_one_workbook_may_hold_the_books_of_several_communes_each_under_its_own_heading(tmp_path):
    path, _ = book(tmp_path, "tt37_2019")
    made = openpyxl.load_workbook(path)
    second = made.copy_worksheet(made.active)
    second.title, second["A1"] = "Bình Hải", "Trạm Y tế xã Bình Hải, huyện Bình Sơn, tỉnh Quảng Ngãi"
    made.save(path)
    deaths, *_ = read(path)
    assert deaths["unit_id"].tolist() == ["VN2024:21112", "VN2024:21067"]


def test_a_book_that_goes_on_with_its_old_heading_after_the_merger_keeps_its_old_commune(tmp_path):
    # deaths of March 2025 in the book of the old commune: the old units were still in force
    path, _ = book(tmp_path, "tt37_2019", year=2025)
    deaths, *_ = read(path)
    assert deaths["unit_id"].tolist() == ["VN2024:21112"]

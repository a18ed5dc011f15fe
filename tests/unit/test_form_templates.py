"""Forms going out: every form makes a workbook that opens, checks its cells, adds up by formula and knows itself."""

import datetime
import json
import re

import openpyxl
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter, range_boundaries

from tkyt_analysis.cli.forms import form as form_command
from tkyt_analysis.errors import InputError
from tkyt_analysis.forms import find_form, form_at, list_forms, make_templates, write_filled, write_template
from tkyt_analysis.forms.arithmetic import blocked, breaches, evaluate, references, totals
from tkyt_analysis.forms.find import period_for
from tkyt_analysis.forms.heading import find_reporter, period_line
from tkyt_analysis.forms.plan import plan_sheet
from tkyt_analysis.forms.practice_values import broken_rules, draw_values
from tkyt_analysis.forms.sheet_head import column_widths, lines_needed
from tkyt_analysis.forms.template import units_of
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.form_workbook import DOOR
from tkyt_analysis.ingest.heading_unit import find_reporting_unit
from tkyt_analysis.ingest.report_heading import read_reporting_unit
from tkyt_analysis.reference.period_words import parse_period
from tkyt_analysis.reference.periods import period
from tkyt_analysis.reference.places import places

VERSIONS = list_forms()
each_version = pytest.mark.parametrize("found", VERSIONS, ids=[f"{one.form.id}-{one.start}" for one in VERSIONS])
UNITS = {
    "commune": ("VN2024:21019", "VN2025:21040"), "district": ("VN2024:524", ""), "province": ("VN2024:51", "VN2025:51"),
    "ministry": ("VN", "VN"), "facility": ("KCB:51Z01", "KCB:51Z01"),
}  # fmt: skip
FIRST = {
    "month": "{y}06",
    "administrative_month": "{y}07A",
    "quarter": "{y}Q3",
    "half": "{y}S2",
    "cumulative": "{y}C9",
    "year": "{y}",
}
FACILITY = "Bệnh viện Đa khoa khu vực Bà Rịa – Vũng Tàu"


def question(found):
    """A unit and period for which the version is in force."""
    year = found.start.year if found.version.to and found.version.to.year == found.start.year else found.start.year + 1
    when = period(FIRST[found.version.period_kinds[0]].format(y=year))
    if found.form.id == "thanhhoa_annex2":
        when = period("2023S1")
    unit = UNITS[found.form.level][when.end >= datetime.date(2025, 7, 1)]
    return unit, when


def sheets(path):
    """(form sheet, very hidden keys, workbook)"""
    book = openpyxl.load_workbook(path)
    keys = {row[0].value: row[1].value for row in book["_tkyt"].iter_rows(max_col=2)}
    return book.worksheets[0], keys, book


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """found → (form sheet, hidden keys, workbook) of its empty template, each written and opened once."""
    folder, made = tmp_path_factory.mktemp("templates"), {}

    def template(found):
        key = (found.form.id, found.start)
        if key not in made:
            unit, when = question(found)
            made[key] = sheets(write_template(found.form, unit, when, folder / f"{len(made)}.xlsx", name=FACILITY))
        return made[key]

    return template


def checked_cells(page):
    return {
        (row, column)
        for check in page.data_validations.dataValidation
        for span in check.sqref.ranges
        for row in range(span.min_row, span.max_row + 1)
        for column in range(span.min_col, span.max_col + 1)
    }


@each_version
def test_every_form_makes_a_template_that_knows_its_form_unit_and_period(found, empty):
    unit, when = question(found)
    page, keys, book = empty(found)
    assert (keys["form"], keys["version"], keys["unit_id"], keys["period_id"]) == (
        found.form.id, f"{found.start:%Y-%m-%d}", unit, when.period_id,
    )  # fmt: skip
    assert keys["kind"] == ("register" if found.version.layout == "list" else "form")
    assert book["_tkyt"].sheet_state == "veryHidden"
    assert "Hướng dẫn" in book.sheetnames
    plan = plan_sheet(found)
    numbering = [cell.value for cell in page[plan.numbering_row + 1]]
    assert numbering == list(range(1, plan.last_column + 2))
    assert page.protection.sheet
    assert page.page_setup.paperSize == 9
    assert page.sheet_properties.pageSetUpPr.fitToPage
    assert (page.page_setup.fitToWidth or 1, page.page_setup.fitToHeight) == (1, 0)
    assert page.print_title_rows
    assert page.freeze_panes
    title = page.cell(6, 1).value
    assert title == found.form.title.vi.upper()


@each_version
def test_input_cells_are_open_and_checked_and_everything_else_is_locked(found, empty):
    page, _, _ = empty(found)
    plan = plan_sheet(found)
    cells = {(row + 1, column + 1) for row, column, _, _ in plan.cells()}
    sums = {(row + 1, column + 1) for row, column in totals(plan)}
    closed = {(row + 1, column + 1) for row, column in blocked(plan)} - sums
    for row, column in cells:
        assert page.cell(row, column).protection.locked == ((row, column) in sums | closed)
    assert cells - sums <= checked_cells(page)
    assert not sums & checked_cells(page)
    assert page.cell(plan.numbering_row + 1, 1).protection.locked
    for check in page.data_validations.dataValidation:
        assert check.error
        assert check.errorTitle


WITH_TOTALS = [one for one in VERSIONS if any(rule.kind == "total" for rule in one.version.rules)]


@pytest.mark.parametrize("found", WITH_TOTALS, ids=[one.form.id for one in WITH_TOTALS])
def test_totals_are_formulas_over_the_cells_of_the_rule_and_show_their_sum(found, tmp_path):
    unit, when = question(found)
    plan, values = plan_sheet(found), draw_values(found, when, seed=7)
    path = write_filled(found.form, unit, when, tmp_path / "form.xlsx", values, name=FACILITY, practice=True)
    formulas = openpyxl.load_workbook(path).worksheets[0]
    shown = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    rows, columns = plan.row_at, plan.column_at
    for rule in found.version.rules:
        if rule.kind != "total" or rule.axis != "rows":
            continue
        column = next(iter(columns.values()))
        cell = formulas.cell(rows[rule.target] + 1, column + 1)
        spans = re.findall(r"[A-Z]+\d+(?::[A-Z]+\d+)?", cell.value.split("SUM(")[1])
        letter = get_column_letter(column + 1)
        assert [one for span in spans for one in cells_of(span)] == [f"{letter}{rows[part] + 1}" for part in rule.parts]
    for cell, total in totals(plan).items():
        parts = [shown.cell(row + 1, column + 1).value for row, column in total.parts]
        numbers = [part for part in parts if isinstance(part, int | float)]
        assert shown.cell(cell[0] + 1, cell[1] + 1).value == (sum(numbers) if numbers else None)
        assert formulas.cell(cell[0] + 1, cell[1] + 1).value == total.formula
    text = "\n".join(str(cell.value) for row in formulas.iter_rows(max_row=9) for cell in row if cell.value)
    assert "không phải số liệu thật" in text


def cells_of(span):
    left, top, right, bottom = range_boundaries(span)
    return [f"{get_column_letter(column)}{row}" for row in range(top, bottom + 1) for column in range(left, right + 1)]


@each_version
def test_practice_values_keep_every_rule_of_the_form(found):
    plan, values = plan_sheet(found), draw_values(found, question(found)[1], seed=11)
    given = {
        (plan.row_at[row], plan.column_at[column]): value
        for (row, column), value in values.items()
        if row in plan.row_at
    }
    assert list(broken_rules(plan, given)) == []
    assert all(given.get(cell, 0) == 0 for cell in blocked(plan))


# ------------------------------------------------------------------------------------------------- Biểu 16/BCH

JUNE_2024 = datetime.date(2024, 6, 30)


def form16(at=JUNE_2024):
    return form_at(find_form("16/BCH"), at)


def received(path):
    return ReceivedFile(path, path.name, "0" * 64, path.stat().st_size)


def read(path):
    return pd.concat([batch.rows for batch in DOOR.read(received(path), None)], ignore_index=True)


def test_an_empty_form_reports_no_zero(tmp_path):
    path = write_template("16/BCH", "VN2024:524", "2024C6", tmp_path)
    shown = openpyxl.load_workbook(path, data_only=True).worksheets[0]
    plan = plan_sheet(form16())
    total = shown.cell(plan.row_at["total"] + 1, plan.column_at["total"] + 1).value
    assert total in (None, "")
    batches = list(DOOR.read(received(path), None))
    assert sum(batch.received for batch in batches) == 0


ROWS = [str(number) for number in range(1, 26)]
AGES = ["age_0", "age_1_4", "age_5_14", "age_15_59", "age_60_plus"]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.dictionaries(st.tuples(st.sampled_from(ROWS), st.sampled_from(AGES)), st.integers(0, 9999), min_size=1)
)
def test_what_is_filled_in_is_what_the_door_reads_and_totals_are_sums(counts, tmp_path):
    counts = {cell: value for cell, value in counts.items() if cell[0] != "17"}
    path = write_filled("16/BCH", "VN2024:524", "2024C6", tmp_path / "form.xlsx", counts)
    if not counts:
        return
    values = read(path).set_index(["element_id", "category_id"])["value"]
    for (row, column), value in counts.items():
        assert values[f"16BCH/{row}", column] == value
    assert values["16BCH/total", "total"] == sum(counts.values())
    for row in {row for row, _ in counts}:
        assert values[f"16BCH/{row}", "total"] == sum(value for (one, _), value in counts.items() if one == row)


def test_a_form_with_the_cells_of_another_level_is_read_as_itself(tmp_path):
    path = write_filled("10/BCX", "VN2024:21019", "2024C6", tmp_path, {("1", "age_0"): 2})
    assert set(read(path)["dataset_id"]) == {"form10bcx"}


def test_a_part_above_its_total_is_coloured():
    plan = plan_sheet(form16())
    women = (plan.row_at["5"], plan.column_at["female"])
    conditions = {breach.rule.id: breach.condition for breach in breaches(plan) if breach.cell == women}
    # D20 women, C20 all deaths of row 5
    assert conditions == {"female_within_total": "=AND(ISNUMBER(D20),COUNT(C20)>0,N(D20)>SUM(C20))"}


def test_the_rule_of_row_18_lets_only_women_die_there():
    plan = plan_sheet(form16())
    row = plan.row_at["18"]
    found = [breach.rule.id for breach in breaches(plan) if breach.cell == (row, plan.column_at["total"])]
    assert found == ["row_18_only_women"]


def test_a_run_of_cells_becomes_a_range():
    assert references([(12, 2), (13, 2), (14, 2), (20, 2)]) == "C13:C15,C21"
    assert references([(0, 25), (0, 26), (0, 27)]) == "Z1:AB1"


def test_the_row_total_and_the_column_total_meet_in_one_number():
    plan = plan_sheet(form16())
    at = {(row, column): (plan.row_at[row], plan.column_at[column]) for row in plan.row_at for column in plan.column_at}
    given = {at["1", "age_0"]: 3, at["2", "age_60_plus"]: 4}
    assert evaluate(totals(plan), given)[at["total", "total"]] == 3 + 4


def test_a_total_that_is_not_the_sum_of_its_parts_is_refused(tmp_path):
    with pytest.raises(InputError, match="ages_sum_to_total"):
        write_filled("16/BCH", "VN2024:524", "2024C6", tmp_path, {("1", "age_0"): 2, ("1", "total"): 3})


def test_a_cell_that_the_form_does_not_have_is_refused(tmp_path):
    with pytest.raises(InputError, match="26"):
        write_filled("16/BCH", "VN2024:524", "2024C6", tmp_path, {("26", "age_0"): 2})


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "+84", "http://example.vn", "-", "00123"])
def test_words_never_become_formulas_links_or_numbers(text, tmp_path):
    path = write_filled("Phụ lục 2", "VN2024:38", "2023S1", tmp_path, {("6.1", "answer"): text})
    plan = plan_sheet(form_at(find_form("Phụ lục 2"), datetime.date(2023, 6, 30)))
    cell = openpyxl.load_workbook(path).worksheets[0].cell(plan.row_at["6.1"] + 1, plan.column_at["answer"] + 1)
    assert (cell.value, cell.data_type, cell.hyperlink) == (text, "s", None)


def test_the_level_of_the_medical_record_is_chosen_from_a_list(tmp_path):
    page, _, book = sheets(write_template("Phụ lục 2", "VN2024:38", "2023S1", tmp_path))
    plan = plan_sheet(form_at(find_form("Phụ lục 2"), datetime.date(2023, 6, 30)))
    cell = f"{get_column_letter(plan.column_at['answer'] + 1)}{plan.row_at['3.2'] + 1}"
    lists = [
        check for check in page.data_validations.dataValidation if check.type == "list" and cell in str(check.sqref)
    ]
    assert [check.formula1 for check in lists] == ["'_danh_muc'!$A$2:$A$8"]
    assert [book["_danh_muc"].cell(row, 1).value for row in range(2, 9)] == [f"Mức {level}" for level in range(1, 8)]


@pytest.mark.parametrize(
    ("unit", "year"), [("VN2024:21019", "2010"), ("VN2024:21019", "2016"), ("VN2025:21040", "2026")]
)
def test_a_filled_register_is_read_by_the_door_of_registers(unit, year, tmp_path):
    """The template of A6, of three vintages, with twelve simulated deaths."""
    from mortality.death_register import DOOR as REGISTER

    path = make_templates("A6", year, tmp_path, unit=unit, practice=True).files[0]
    assert REGISTER.recognise(received(path)) > 0.9
    deaths, identities, as_written = list(REGISTER.read(received(path), None))
    assert as_written.table == "death_as_written"
    assert (len(deaths.rows), len(deaths.quarantined), len(identities.rows)) == (12, 0, 12)
    assert set(deaths.rows["unit_id"]) == {unit}
    assert deaths.rows["death_date"].dt.year.eq(int(year)).all()
    assert deaths.rows["sex"].isin(["male", "female"]).all()
    assert deaths.rows["birth_year"].notna().all()
    assert deaths.rows["place_of_death"].ne("").all()


# ----------------------------------------------------------------------------------------------------- headings


def communes(count):
    tables = [places("VN2024", at="2024-06-30"), places("VN2025", at="2026-06-30")]
    units = pd.concat([table[table["level"] == 3] for table in tables])
    long_first = units.assign(length=units["full_name"].str.len()).sort_values("length", ascending=False)
    return [*long_first["unit_id"].head(20), *units["unit_id"].sample(count, random_state=3)]


def test_the_name_on_a_form_leads_back_to_the_unit():
    """The line "Đơn vị báo cáo" of communes of both systems, read as a form without its hidden sheet is read."""
    form = form_at(find_form("A6"), datetime.date(2024, 6, 30))
    wrong = []
    for unit_id in communes(60):
        day = datetime.date(2024, 6, 30) if unit_id.startswith("VN2024") else datetime.date(2026, 6, 30)
        line = f"Đơn vị báo cáo: {find_reporter(form, unit_id, day).name}"
        back = find_reporting_unit(read_reporting_unit([line]), [day])
        if back.unit_id != unit_id:
            wrong.append((line, back.unit_id, back.reason))
    assert wrong == []


@pytest.mark.parametrize("when", ["202506", "202307A", "2024Q2", "2024S1", "2024C9", "2025", "2025C12"])
def test_the_period_on_a_form_leads_back_to_the_period(when):
    assert parse_period(period_line(form16(), period(when))).period_id == when


def test_a_window_that_is_not_the_periods_own_is_said_and_kept(tmp_path):
    _, keys, book = sheets(write_template("Phụ lục 1", "VN2024:38", "2023S1", tmp_path))
    assert book.worksheets[0]["A7"].value == "Kỳ báo cáo: 6 tháng đầu năm 2023 (từ ngày 01/01/2023 đến ngày 14/06/2023)"
    assert (keys["window_start"], keys["window_end"]) == ("2023-01-01", "2023-06-14")


@pytest.mark.parametrize(
    ("code", "unit", "when", "said"),
    [
        ("16/BCH", "VN2024:51", "2024C6", "tuyến huyện"),  # a province does not fill in a district's form
        ("16/BCH", "VN2024:524", "202406", "lũy kế"),
        ("16/BCH", "VN2025:21040", "2026C6", "30/06/2025"),
        ("9/BCT", "Tỉnh Không Có", "202606", "Tỉnh Không Có"),
        ("99/BCT", "VN2025:51", "202606", "99/BCT"),
    ],
)
def test_a_form_that_cannot_be_made_ends_in_a_sentence(code, unit, when, said, tmp_path):
    with pytest.raises(InputError) as error:
        write_template(code, unit, when, tmp_path)
    assert said in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_certain_stands_on_the_form_and_in_its_guide(tmp_path):
    page, _, book = sheets(write_template("9/BCT", "VN2025:51", "202606", tmp_path))
    assert "CHƯA CÓ MẪU CHÍNH THỨC" in page["A8"].value
    guide = {row[0].value: row[1].value for row in book["Hướng dẫn"].iter_rows(max_col=2)}
    assert "Danh mục chưa có mẫu ô" in guide["Chưa đối chiếu"]
    assert "chưa đối chiếu" in guide["Hạn gửi"]


def test_a_form_of_known_cells_has_no_such_mark(tmp_path):
    page, _, book = sheets(write_template("Phụ lục 1", "VN2024:38", "202307A", tmp_path))
    assert page["A8"].value is None
    guide = {row[0].value: row[1].value for row in book["Hướng dẫn"].iter_rows(max_col=2)}
    assert "Chưa đối chiếu" not in guide
    assert guide["Hạn gửi"] == "15/07/2023"


def test_a_narrow_form_is_stretched_to_the_page_and_a_wide_one_lies():
    narrow, wide = form_at(find_form("4/YTTN"), datetime.date(2015, 6, 30)), form_at(find_form("A6"), JUNE_2024)
    assert sum(column_widths(plan_sheet(narrow))) == pytest.approx(92)
    assert sum(column_widths(plan_sheet(wide))) > 125


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("", 10, 1),
        ("Tổng số", 10, 1),
        ("Tử vong trước viện", 10, 2),
        ("a b c d", 3, 2),
        ("Chuyểnkhoảnquasốtàikhoản", 10, 3),
    ],
)
def test_lines_that_a_text_takes(text, width, lines):
    assert lines_needed(text, width) == lines


# --------------------------------------------------------------------------------------------- a whole place, CLI


def test_a_place_gets_the_form_of_each_of_its_communes(tmp_path):
    made = make_templates("10/BCX", "2024C6", tmp_path, place="VN2024:524", practice=True)
    inside = places("VN2024", at=JUNE_2024).query("level == 3 and parent_unit_id == 'VN2024:524'")["unit_id"]
    keys = [sheets(path)[1] for path in made.files[:2]]
    assert len(made.files) == len(inside) == 22
    assert [one["unit_id"] for one in keys] == sorted(inside)[:2]
    assert {one["practice"] for one in keys} == {"yes"}


def test_a_province_holds_all_its_communes_and_a_district_without_any_says_so():
    found = form_at(find_form("10/BCX"), JUNE_2024)
    assert len(units_of(found, "VN2024:51", JUNE_2024)) == len(
        places("VN2024", at=JUNE_2024).query("level == 3 and province_id == 'VN2024:51'")
    )
    with pytest.raises(InputError, match="Lý Sơn"):
        units_of(found, "VN2024:536", JUNE_2024)


def run(*arguments):
    return CliRunner().invoke(form_command, list(arguments), catch_exceptions=True)


def test_the_list_and_the_description_say_what_is_unverified():
    rows = json.loads(run("list", "--at", "2026-06-30", "--level", "province", "--json").output)
    assert {row["code"] for row in rows} >= {"1/BCT", "14/BCT"}
    assert all(row["unverified"] for row in rows if row["regime"] == "tt23_2025")
    shown = run("show", "16/BCH").output
    assert "Dòng chưa đối chiếu: 21, 22, 23, 24, 25" in shown
    assert "chưa có mẫu ô chính thức" in run("show", "1/BCT").output


def test_the_command_writes_one_file_and_names_it(tmp_path):
    result = run("template", "A6", "--unit", "VN2025:21040", "--period", "Năm 2026", "-o", str(tmp_path), "--json")
    files = json.loads(result.output)["files"]
    assert files == [str(tmp_path / "A6-CSYT_VN2025-21040_2026.xlsx")]


def test_the_command_wants_one_unit_or_one_place():
    assert "--unit" in str(run("template", "A6", "--period", "2026").exception)


def test_a_period_in_words_is_understood():
    assert period_for(form16(), parse_period("6 tháng đầu năm 2024")).period_id == "2024C6"

"""Error workbooks and their way back: what is wrong is marked, listed and asked; the mended file replaces the earlier
one, its answers are kept, and nothing is replaced by mistake."""

import shutil
import stat
import zipfile

import openpyxl
import pytest

from tkyt_analysis.correction.alignment import align_rows
from tkyt_analysis.correction.error_workbook import find_file, write_error_workbook, write_for_place
from tkyt_analysis.correction.status import question_counts, question_status
from tkyt_analysis.forms.template import write_filled
from tkyt_analysis.ingest.passport import read_passport
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.quality.warehouse import check
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.release_tables import CURRENT_VALUE

RULES = ("form16bch_rows_sum_to_total", "form16bch_female_within_total")
FIRST = 16  # sheet row of cause 1; TỔNG SỐ stands above it
CODES = ("522", "524", "525", "527", "528", "529", "530", "531", "532", "533", "534", "535", "536")
UNITS = iter([f"VN2024:{code}" for code in CODES])
DEATHS = ["Ung thư phổi", "Đột quỵ", "Già yếu", "Đuối nước", "Tai nạn giao thông", "Lao phổi", "Viêm phổi", "Suy tim"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("home") / "tkyt"
    prepare_home(place, practice=True)
    return place


def received_form(home, folder, change=None, *, unit=None, period="2024C6", name="bieu16.xlsx", checked=False):
    """A filled form 16 of a district of its own, changed, received and checked: (file, sha256, unit)."""
    unit = unit or next(UNITS)
    values = {(str(row), column): 2 if column == "total" else 1
              for row in range(1, 26) for column in ("female", "age_60_plus", "age_15_59")}  # fmt: skip
    path = write_filled("form16bch", unit, period, folder / name, values)
    return receive(home, resaved(path, path, change), checked=checked), unit


def resaved(source, target, change=None):
    book = openpyxl.load_workbook(source)
    if change:
        change(book)
    book.save(target)
    return target


def receive(home, path, *, checked=False):
    (file,) = [row for row in ingest(home, [path]).files if row["status"] == "read"]
    if checked:
        check(home, rules=RULES)
    return file["sha256"]


def form_sheet(book):
    return next(sheet for sheet in book.worksheets if sheet.title.startswith("Biểu") or "16" in sheet.title)


def spoil(book):
    sheet = form_sheet(book)
    sheet.cell(FIRST + 2, 4, "nhiều")
    sheet.cell(FIRST + 4, 5, "@nghi ngờ")
    sheet.cell(FIRST + 6, 4, 9)  # more women than deaths
    sheet.cell(FIRST + 8, 4, "-")


def replaced(home):
    with Warehouse(home) as warehouse:
        rows = warehouse.con.execute("SELECT file_sha256, replaces, matched_by FROM lake.file_replacement").fetchall()
    return {(new, old): how for new, old, how in rows}


def notes_of(home, sha256):
    with Warehouse(home) as warehouse:
        rows = warehouse.con.execute("SELECT note FROM lake.ingest_note WHERE file_sha256 = ?", [sha256]).fetchall()
    return {row[0] for row in rows}


def statuses(home, sha256):
    rows = question_status(home)
    return rows[rows["about_file"].eq(sha256)].set_index("cell")["status"].to_dict()


def test_the_bad_cells_are_marked_explained_and_listed(home, tmp_path):
    sha256, _ = received_form(home, tmp_path, spoil, checked=True)
    made = write_error_workbook(home, sha256, tmp_path / "loi.xlsx")
    assert (made.errors >= 3, made.notes >= 1) == (True, True)
    assert stat.S_IMODE((tmp_path / "loi.xlsx").stat().st_mode) == 0o600
    book = openpyxl.load_workbook(tmp_path / "loi.xlsx")
    listed, sheet = book.worksheets[0], form_sheet(book)
    assert listed.title == "Danh sách cần sửa"
    word, dash = sheet.cell(FIRST + 2, 4), sheet.cell(FIRST + 8, 4)
    assert (word.fill.fgColor.rgb[-6:], word.border.left.style) == ("FFC7CE", "thick")
    assert dash.border.left.style == "dotted"  # told apart without colour
    assert "✖ Lỗi" in word.comment.text
    assert "không phải là số" in word.comment.text
    lines = {row[3].value: row for row in listed.iter_rows(min_row=8)}
    assert lines[word.coordinate][4].value == "nhiều"
    assert lines[word.coordinate][3].hyperlink.location == f"'{sheet.title}'!{word.coordinate}"
    with Warehouse(home) as warehouse:
        assert warehouse.one("SELECT count(*) FROM lake.question WHERE about_file = ?", [sha256])[0] == (
            made.errors + made.warnings + made.notes
        )
    assert "error_workbook" in (home / "audit" / "log.jsonl").read_text("utf-8")


def test_a_date_that_cannot_be_read_is_a_warning_in_the_words_of_the_unit(home, tmp_path):
    wrong = "35/13/2025"
    book = openpyxl.Workbook()
    lines = [["Trạm Y tế xã Bình Sơn, tỉnh Quảng Ngãi"], ["SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG (A6/CSYT)"], [],
             ["TT", "Họ và tên người chết", "Năm sinh", "Giới tính", "Ngày tử vong", "Nơi tử vong", "Nguyên nhân chính gây tử vong"],
             [1, "Lê Văn Mẫu", 1950, "Nam", wrong, "Tại nhà", "Tuổi già"],
             [2, "Trần Thị Thử", 1960, "Nữ", "02/08/2025", "Tại nhà", "Đột quỵ"]]  # fmt: skip
    for line in lines:
        book.active.append(line)
    book.save(tmp_path / "A6.xlsx")
    sha256 = receive(home, tmp_path / "A6.xlsx")
    made = write_error_workbook(home, sha256, tmp_path / "loi.xlsx")
    listed = openpyxl.load_workbook(tmp_path / "loi.xlsx").worksheets[0]
    rows = {row[3].value: [cell.value for cell in row] for row in listed.iter_rows(min_row=8)}
    assert made.warnings >= 1
    assert rows["E5"][4] == wrong  # the open store holds "…" in its place


def test_what_a_unit_wrote_never_becomes_a_formula_and_its_own_formulas_stay(home, tmp_path):
    def inject(book):
        for at, text in enumerate(("=1+2", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3")):
            cell = form_sheet(book).cell(FIRST + at, 4)
            cell.value, cell.data_type = text, "s"

    sha256, _ = received_form(home, tmp_path, inject)
    write_error_workbook(home, sha256, tmp_path / "loi.xlsx")
    book = openpyxl.load_workbook(tmp_path / "loi.xlsx")
    listed = [cell for row in book.worksheets[0].iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in listed} <= {"s", "n"}
    assert any(cell.value == "=1+2" and cell.quotePrefix for cell in listed)
    assert form_sheet(book).cell(FIRST - 1, 3).data_type == "f"


def test_mended_cells_come_back_and_their_questions_are_answered(home, tmp_path):
    sha256, unit = received_form(home, tmp_path, spoil)
    write_error_workbook(home, sha256, tmp_path / "loi.xlsx")

    def mend(book):
        sheet, listed = form_sheet(book), book.worksheets[0]
        sheet.cell(FIRST + 2, 4, 1)  # mended
        for row in listed.iter_rows(min_row=8):
            if row[3].value == f"E{FIRST + 4}":
                row[7].value = "Chưa có số liệu của hai xã"
        sheet.insert_rows(2)  # everything moves down by one
        # openpyxl does not move the references of formulas
        for line in sheet.iter_rows(min_row=FIRST, max_row=FIRST + 30):
            for cell in line:
                if cell.data_type == "f":
                    cell.value = None

    mended = receive(home, resaved(tmp_path / "loi.xlsx", tmp_path / "sua.xlsx", mend))
    assert replaced(home)[mended, sha256] == "passport"
    found = statuses(home, sha256)
    assert found[f"D{FIRST + 2}"] == "mended"
    assert found[f"E{FIRST + 4}"] == "explained"
    counts = question_counts(home, place=unit).iloc[0]
    assert counts["asked"] == counts[["open", "mended", "unchanged", "explained"]].sum()
    assert counts["open"] == 0
    with Warehouse(home) as warehouse:
        files = warehouse.con.execute(
            f"SELECT count(*) FROM ({CURRENT_VALUE}) WHERE unit_id = ? AND element_id = '16BCH/total'", [unit]
        ).fetchone()
    assert files == (0,)  # the totals that the mended file left empty do not come back from the earlier one


def test_a_correction_of_a_correction_replaces_both_and_wears_no_old_marks(home, tmp_path):
    first, unit = received_form(home, tmp_path, spoil)
    write_error_workbook(home, first, tmp_path / "loi1.xlsx")
    second = receive(
        home, resaved(tmp_path / "loi1.xlsx", tmp_path / "sua1.xlsx", lambda b: form_sheet(b).cell(FIRST + 2, 4, 1))
    )
    write_error_workbook(home, second, tmp_path / "loi2.xlsx")
    book = openpyxl.load_workbook(tmp_path / "loi2.xlsx")
    assert [name for name in book.sheetnames if name.startswith("Danh sách")] == ["Danh sách cần sửa"]
    assert form_sheet(book).cell(FIRST + 2, 4).comment is None
    assert form_sheet(book).cell(FIRST + 2, 4).border.left.style == "thin"
    assert form_sheet(book).cell(FIRST + 4, 5).comment is not None
    third = receive(
        home, resaved(tmp_path / "loi2.xlsx", tmp_path / "sua2.xlsx", lambda b: form_sheet(b).cell(FIRST + 4, 5, 1))
    )
    late = receive(home, resaved(tmp_path / "sua1.xlsx", tmp_path / "sua1_lai.xlsx", lambda b: b.create_sheet("Thêm")))
    how = replaced(home)
    assert how[second, first] == how[third, second] == "passport"
    assert {(late, first): "passport", (late, second): "chain", (late, third): "chain"}.items() <= how.items()
    assert unit


def test_the_same_correction_sent_twice_changes_nothing(home, tmp_path):
    sha256, _ = received_form(home, tmp_path, spoil)
    write_error_workbook(home, sha256, tmp_path / "loi.xlsx")
    receive(home, resaved(tmp_path / "loi.xlsx", tmp_path / "sua.xlsx"))
    before = replaced(home)
    assert ingest(home, [shutil.copy(tmp_path / "sua.xlsx", tmp_path / "again.xlsx")]).files[0]["status"] == "known"
    assert replaced(home) == before
    ingest(home, [tmp_path / "bieu16.xlsx"], retry=True)  # the first file read again does not come back to life
    assert replaced(home) == before


def test_an_answer_to_the_wrong_file_replaces_nothing_and_says_so(home, tmp_path):
    first, _ = received_form(home, tmp_path, spoil, name="a.xlsx")
    write_error_workbook(home, first, tmp_path / "loi.xlsx")
    other, _ = received_form(home, tmp_path, name="b.xlsx")

    def exchange(book):  # the error workbook's hidden sheet in the file of another unit
        hidden = book["_tkyt"]
        hidden.append(["answers", first])

    wrong = receive(home, resaved(tmp_path / "b.xlsx", tmp_path / "nham.xlsx", exchange))
    assert not [pair for pair in replaced(home) if wrong in pair or first in pair]
    assert "note.correction_wrong_file" in notes_of(home, wrong)
    unknown = receive(
        home, resaved(tmp_path / "b.xlsx", tmp_path / "la.xlsx", lambda b: b["_tkyt"].append(["answers", "0" * 64]))
    )
    assert "note.correction_unknown_file" in notes_of(home, unknown)
    assert other


def test_without_the_hidden_sheet_mostly_the_same_cells_make_a_correction(home, tmp_path):
    first, unit = received_form(home, tmp_path, name="a.xlsx")

    def few(book):
        form_sheet(book).cell(FIRST + 1, 4, 0)

    def many(book):
        for row in range(FIRST, FIRST + 25):
            for column in range(4, 11):
                form_sheet(book).cell(row, column, row + column)

    mended = receive(home, resaved(tmp_path / "a.xlsx", tmp_path / "sua.xlsx", few))
    assert replaced(home)[mended, first] == "cells"
    another = receive(home, resaved(tmp_path / "a.xlsx", tmp_path / "khac.xlsx", many))
    assert not [pair for pair in replaced(home) if pair[0] == another]
    assert unit


def test_values_shifted_by_one_row_cannot_be_seen_by_the_reader_but_break_a_rule(home, tmp_path):
    """The labels stand, the numbers slipped: every cell lands, and only the form's own arithmetic says so."""

    def shift(book):
        sheet = form_sheet(book)
        values = [sheet.cell(row, 4).value for row in range(FIRST, FIRST + 25)]
        for row, value in zip(range(FIRST, FIRST + 25), [9, *values[:-1]]):
            sheet.cell(row, 4, value)
        sheet.cell(FIRST - 1, 4, sum(values))

    sha256, unit = received_form(home, tmp_path, shift, checked=True)
    with Warehouse(home) as warehouse:
        assert warehouse.one("SELECT rows_quarantined FROM lake.received_file WHERE file_sha256 = ?", [sha256]) == (0,)
        found = warehouse.query("SELECT rule_id FROM lake.finding WHERE unit_id = ?", [unit])
    assert "form16bch_rows_sum_to_total" in set(found["rule_id"])


def a6_book(path, names, *, spoilt=()):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "A6"
    sheet["A1"] = "Xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi – Năm 2024"
    sheet.append([])
    sheet.append(["TT", "Họ và tên", "Giới", "Năm sinh", "Ngày chết", "Nguyên nhân tử vong", "Ghi chú"])
    for number, name in enumerate(names, 1):
        day = "hôm qua" if name in spoilt else f"{number % 28 + 1:02}/03/2024"
        sheet.append([number, name, "Nam", 1940 + number, day, DEATHS[number % len(DEATHS)], ""])
    book.save(path)
    return path


def test_a_mended_book_of_deaths_counts_once(home, tmp_path):
    names = [f"Nguyễn Mô Phỏng {chr(65 + number)}" for number in range(20)]
    first = receive(home, a6_book(tmp_path / "a6.xlsx", names, spoilt=names[:2]))
    made = write_error_workbook(home, first, tmp_path / "loi.xlsx")
    assert made.warnings == 2  # dates of death that cannot be read
    mended = receive(home, a6_book(tmp_path / "a6_sua.xlsx", names))  # made anew, without the hidden sheet
    assert replaced(home)[mended, first] == "rows"
    other = receive(home, a6_book(tmp_path / "khac.xlsx", [f"Trần Khác {chr(65 + n)}" for n in range(20)]))
    assert not [pair for pair in replaced(home) if pair[0] == other]
    from mortality.release_tables import analysed_deaths
    from tkyt_analysis.warehouse.release import ReleaseContext

    with Warehouse(home) as warehouse:
        rows = analysed_deaths(ReleaseContext(warehouse, practice=True))
    of_book = rows[rows["file_name"].isin(["a6.xlsx", "a6_sua.xlsx"])]
    assert of_book.groupby("file_name")["excluded"].unique().map(list).to_dict() == {
        "a6.xlsx": ["replaced"],
        "a6_sua.xlsx": [""],
    }
    assert set(statuses(home, first).values()) == {"mended"}


def test_a_file_in_an_archive_gets_its_error_workbook_too(home, tmp_path):
    values = {(str(row), "female"): 1 for row in range(1, 26)}
    path = write_filled("form16bch", next(UNITS), "2024C6", tmp_path / "trong_zip.xlsx", values)
    resaved(path, path, spoil)
    with zipfile.ZipFile(tmp_path / "gui.zip", "w") as archive:
        archive.write(path, "trong_zip.xlsx")
    ingest(home, [tmp_path / "gui.zip"])
    sha256 = find_file(home, file="trong_zip.xlsx")
    assert write_error_workbook(home, sha256, tmp_path / "loi.xlsx").errors >= 2
    assert read_passport(tmp_path / "loi.xlsx")["answers"] == sha256


def test_a_province_gets_the_workbooks_of_all_its_units(home, tmp_path):
    sha256, unit = received_form(home, tmp_path, spoil)
    made = write_for_place(home, "VN2024:51", tmp_path / "tinh")
    assert sha256 in {one.file_sha256 for one in made}
    assert all((tmp_path / "tinh").joinpath(one.path.rsplit("/", 1)[-1]).exists() for one in made)
    assert not {one.file_sha256 for one in made} & {old for _, old in replaced(home)}


def test_rows_that_moved_are_found_again():
    old = ["đầu", "a", "b", "c", "d"]
    assert align_rows(old, ["đầu", "mới", "a", "B!", "c", "d"]) == {0: 0, 1: 2, 2: 3, 3: 4, 4: 5}
    assert align_rows(old, ["đầu", "a", "c", "d"]) == {0: 0, 1: 1, 3: 2, 4: 3}

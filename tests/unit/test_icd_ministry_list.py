"""The ministry's Excel list, drawn small with the headings, merged cells, flags and the known error of the real annex."""

from datetime import date

import pytest

from mortality.icd import edition, edition_at, title_with_source
from mortality.icd.ministry_list import read_ministry_list
from mortality.icd.ministry_store import load_ministry_file
from tkyt_analysis.errors import InputError

NAME = "VN-TT06-2026"
# The 29 columns of the annex: headings over three rows, the upper ones merged over several columns.
UPPER = {1: "STT", 2: "CHƯƠNG", 6: "KHỐI", 9: "TIỂU KHỐI 1", 12: "TIỂU KHỐI 2", 15: "NHÓM BỆNH 3 KÝ TỰ", 18: "BỆNH"}
UPPER |= {24: "QUY ĐỊNH SỬ DỤNG MÃ"}
LOWER = {2: "STT CHƯƠNG", 3: "MÃ CHƯƠNG", 4: "TÊN CHƯƠNG (TIẾNG ANH)", 5: "TÊN CHƯƠNG (TIẾNG VIỆT)", 15: "MÃ NHÓM"}
LOWER |= {16: "TÊN NHÓM (TIẾNG ANH)", 17: "TÊN NHÓM BỆNH", 18: "MÃ BỆNH", 19: "MÃ BỆNH KHÔNG DẤU"}
LOWER |= {20: "DISEASE NAME WHO 2019 (ENGLISH)", 21: "GUIDANCE", 22: "TÊN BỆNH", 23: "HƯỚNG DẪN"}
LOWER |= {24: "MÃ KHÔNG ĐƯỢC DÙNG LÀ BỆNH CHÍNH", 25: "MÃ KHÔNG KHUYẾN KHÍCH DÙNG LÀ BỆNH CHÍNH"}
LOWER |= {26: "MÃ KHÔNG ĐƯỢC SỬ DỤNG DO ĐÃ CÓ MÃ CỤ THỂ HƠN", 27: "CHỈ SỬ DỤNG MÃ HÓA NGUYÊN NHÂN TỬ VONG"}
LOWER |= {28: "CHỦ YẾU DÙNG CHO NỮ GIỚI", 29: "CHỦ YẾU DÙNG CHO NAM GIỚI"}
FLAG_COLUMN = dict(zip(["not_main", "discouraged", "more_specific", "death_only", "female", "male"], range(24, 30)))
DISEASES = [  # code as written, without dot, English, Vietnamese, flags
    ("A17", "A17", "Tuberculosis of nervous system", "Lao hệ thần kinh", ["more_specific"]),
    ("A17.0†", "A170", "Tuberculous meningitis", "Viêm màng não do lao", []),
    ("G01*", "G01", "Meningitis in bacterial diseases", "Viêm màng não trong bệnh vi khuẩn", ["not_main"]),
    ("O95", "O95", "Obstetric death", "Tử vong sản khoa", ["death_only", "female"]),
    ("M00", "M00", "Pyogenic arthritis", "Viêm khớp sinh mủ", ["more_specific"]),
    ("M00.0", "M000", "Staphylococcal arthritis", "Viêm khớp do tụ cầu", ["more_specific"]),
    ("M00.00", "M0000", "Staphylococcal arthritis, multiple sites", "Viêm khớp do tụ cầu, nhiều vị trí", []),
    ("C61", "C61", "Malignant neoplasm of prostate", "U ác tuyến tiền liệt", ["male"]),
    ("U13/9", "U139", "Vaccination, unspecified", "Tiêm chủng, không xác định", ["discouraged"]),
]


def list_rows(diseases):
    for number, (code, bare, english, vietnamese, flags) in enumerate(diseases, 1):
        cells = {1: number, 2: 1, 3: "A00-B99", 15: bare[:3], 16: english, 17: vietnamese}
        cells |= {18: code, 19: bare, 20: english, 22: vietnamese} | {FLAG_COLUMN[flag]: code for flag in flags}
        yield [cells.get(column) for column in range(1, 30)]


def draw_list(path, *, diseases=DISEASES, headings=LOWER, above=("PHỤ LỤC: DANH MỤC MÃ BỆNH ICD-10",), merge=True):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.title = "Ghi chú"
    book.active.append(["Tệp có hai trang tính; danh mục ở trang sau"])
    sheet = book.create_sheet("Danh mục")
    for text in above:
        sheet.append([text])
    first = sheet.max_row + 1 if above else 1
    for names in (UPPER, headings):
        sheet.append([names.get(column) for column in range(1, 30)])
    sheet.append([f"({column})" for column in range(1, 30)])
    if merge:
        sheet.merge_cells(start_row=first, end_row=first, start_column=24, end_column=29)
    for row in list_rows(diseases):
        sheet.append(row)
    book.save(path)
    return path


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    about = load_ministry_file(draw_list(home / "phu_luc.xlsx"), NAME, home=home)
    return home, about, edition(NAME, home=home)


def test_every_code_of_the_list_is_read_with_its_titles_and_marks(loaded):
    _, about, one = loaded
    assert about["counts"]["rows"] == len(DISEASES)
    assert one.title("A17.0") == "Viêm màng não do lao"
    assert one.title("A17.0", "en") == "Tuberculous meningitis"
    assert (one.mark("A17.0"), one.mark("G01"), one.mark("C61")) == ("†", "*", "")


def test_the_six_flags_stand_with_their_codes(loaded):
    _, about, one = loaded
    assert one.flags("O95") == {"only_cause_of_death", "female"}
    assert one.flags("G01") == {"not_main_disease"}
    assert one.flags("C61") == {"male"}
    assert one.flags("A17.0") == frozenset()
    assert about["counts"]["use_more_specific"] == 3  # A17, M00, M00.0
    assert about["counts"]["discouraged_main_disease"] == 1


def test_the_known_error_of_the_annex_is_repaired_and_named(loaded):
    _, about, one = loaded
    assert one.is_valid("U13.9")
    assert not one.is_valid("U13/9")
    assert {"row": 13, "kind": "icd.problem.repaired", "value": "U13/9 → U13.9"} in about["problems"]


def test_five_characters_hang_below_four_and_four_below_three(loaded):
    *_, one = loaded
    assert one.parent("M00.00") == "M00.0"
    assert one.parent("M00.0") == "M00"
    assert one.parent("M00") == ""
    assert one.children("M00") == ["M00.0"]
    assert one.children("M00.00") == []
    assert one.is_lowest_level("M00.00")
    assert not one.is_lowest_level("M00.0")


def test_the_list_is_dated_and_other_days_fall_to_who(loaded):
    home, *_ = loaded
    assert edition_at(date(2026, 7, 1), home=home).id == NAME
    assert edition_at(date(2026, 6, 30), home=home).id == "WHO-2019"


def test_figures_that_differ_from_the_published_ones_are_named(loaded):
    _, about, _ = loaded
    rows = next(one for one in about["differences"] if one["figure"] == "rows")
    assert (rows["expected"], rows["found"]) == (15_844, len(DISEASES))


def test_the_ministrys_title_comes_before_our_own(loaded):
    home, *_ = loaded
    assert title_with_source("C61", home=home).source == "ministry"
    assert title_with_source("C61", home=home).text == "U ác tuyến tiền liệt"
    assert title_with_source("I64", home=home).source == "own"  # not in this small list


def test_headings_in_one_row_with_the_columns_in_another_order_are_read(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["TÊN BỆNH", "MÃ BỆNH KHÔNG DẤU", "MÃ BỆNH", "DISEASE NAME", "Chỉ dùng cho Nam giới"])
    book.active.append(["Bệnh tả", "A00", "A00", "Cholera", None])
    book.active.append(["U ác tuyến tiền liệt", "C61", "c61 ", "Prostate", "x"])
    book.save(tmp_path / "qd4469.xlsx")
    about = load_ministry_file(tmp_path / "qd4469.xlsx", "VN-4469", home=tmp_path)
    one = edition("VN-4469", home=tmp_path)
    assert one.title("C61") == "U ác tuyến tiền liệt"
    assert one.flags("C61") == {"male"}
    assert (one.valid_from, one.valid_to) == (date(2020, 10, 28), date(2026, 6, 30))
    assert about["columns"]["code"] == 3
    assert edition_at(date(2026, 6, 30), home=tmp_path).id == "VN-4469"
    assert edition_at(date(2026, 7, 1), home=tmp_path).id == "WHO-2019"


def test_a_flag_without_heading_is_taken_by_its_place_only_where_its_cells_repeat_the_code(tmp_path):
    headings = LOWER | {26: "…", 25: "…"}
    read = read_ministry_list(draw_list(tmp_path / "a.xlsx", headings=headings))
    assert read.counts()["use_more_specific"] == 3
    assert (0, "icd.problem.flag_by_place", "use_more_specific") in read.problems
    wrong = [(code, bare, en, vi, flags) for code, bare, en, vi, flags in DISEASES]
    path = draw_list(tmp_path / "b.xlsx", headings=headings, diseases=wrong)
    import openpyxl

    book = openpyxl.load_workbook(path)
    book["Danh mục"].cell(row=5, column=26).value = "xem A17.0"
    book.save(path)
    assert read_ministry_list(path).counts()["use_more_specific"] == 0


def test_unreadable_and_doubled_codes_are_named_with_their_row_and_never_lost(tmp_path):
    diseases = [DISEASES[0], ("A00-A09", "A00A09", "Block", "Khối", []), DISEASES[0], DISEASES[3]]
    read = read_ministry_list(draw_list(tmp_path / "a.xlsx", diseases=diseases))
    kinds = [(row, kind) for row, kind, _ in read.problems]
    assert kinds == [(6, "icd.problem.unreadable"), (7, "icd.problem.doubled")]
    assert read.rows_received == 4 == len(read.rows) + len(kinds)


def test_a_workbook_that_is_no_list_is_refused_with_a_sentence(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["Tỉnh", "Số ca"])
    book.save(tmp_path / "other.xlsx")
    (tmp_path / "scan.xlsx").write_bytes(b"%PDF-1.7")
    for name, expected in (("other.xlsx", "MÃ BỆNH"), ("scan.xlsx", ".xlsx"), ("absent.xlsx", ".xlsx")):
        with pytest.raises(InputError, match=expected):
            load_ministry_file(tmp_path / name, NAME, home=tmp_path)


@pytest.mark.parametrize(("name", "expected"), [("icd", "VN-"), ("VN-NEW", "--valid-from")])
def test_an_edition_needs_a_name_and_a_first_day(tmp_path, name, expected):
    with pytest.raises(InputError, match=expected):
        load_ministry_file(tmp_path / "a.xlsx", name, home=tmp_path)


def test_an_edition_that_is_not_loaded_says_how_to_load_it(tmp_path):
    with pytest.raises(InputError, match="tkyt icd load"):
        edition(NAME, home=tmp_path)
    with pytest.raises(InputError, match="WHO-2019"):
        edition("ICD-9", home=tmp_path)


def test_a_folder_of_the_settings_serves_every_home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_ICD_LISTS", str(tmp_path / "shared"))
    load_ministry_file(draw_list(tmp_path / "a.xlsx"), NAME, home=tmp_path / "one")
    assert edition(NAME, home=tmp_path / "another").is_valid("C61")
    assert not (tmp_path / "one").exists()


def test_a_list_that_is_loaded_again_replaces_the_first(tmp_path):
    load_ministry_file(draw_list(tmp_path / "a.xlsx"), NAME, home=tmp_path)
    assert not edition(NAME, home=tmp_path).is_valid("I64")
    more = [*DISEASES, ("I64", "I64", "Stroke", "Đột quỵ", [])]
    load_ministry_file(draw_list(tmp_path / "b.xlsx", diseases=more), NAME, home=tmp_path)
    assert edition(NAME, home=tmp_path).is_valid("I64")

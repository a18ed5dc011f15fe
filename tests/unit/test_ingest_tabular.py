"""Tables that the catalog declares: any delimiter, encoding or container; each cell or row lands or has a reason."""

import csv
import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_support import Known, read_all, received
from support import REPOSITORY, reference_path

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.numbers import infer_decimal_hint, parse_numbers
from tkyt_analysis.ingest.supplied import DOOR as SUPPLIED
from tkyt_analysis.ingest.tabular import DOOR

PANEL = """\
id: clinic_panel
title:
  vi: "Bảng trạm × tháng"
  en: "Clinic × month panel"
origin:
  producer: tests
  document: tests/unit/test_ingest_tabular.py
access: public
grain: [unit_id, period_id, element_id]
table: aggregate_value
store: false
panel:
  unit: ["Trạm"]
  unit_system: TEST
  year: "Năm"
  month: "Tháng"
  elements:
    "Số ca": cases
    "Tỷ lệ": rate
columns:
  "Số ca":
    type: integer
    unit: cases
  "Tỷ lệ":
    type: number
    unit: percent
"""


@pytest.fixture(autouse=True)
def catalog(tmp_path, monkeypatch):
    folder = tmp_path / "catalog" / "datasets"
    folder.mkdir(parents=True)
    (folder / "clinic_panel.yaml").write_text(PANEL, encoding="utf-8")
    shipped = REPOSITORY / "tests" / "fixtures" / "catalog"
    monkeypatch.setenv("TKYT_CATALOG_PATH", f"{shipped}:{tmp_path / 'catalog'}")


def panel(*lines, delimiter=","):
    return "\n".join(["Trạm,Năm,Tháng,Số ca,Tỷ lệ", *lines]).replace(",", delimiter) + "\n"


def cells(answer):
    rows = answer.values[["unit_id", "period_id", "element_id", "value"]].values.tolist()
    return sorted(map(tuple, rows))


A_ROW = [("TEST:An Hải", "202501", "cases", 12.0), ("TEST:An Hải", "202501", "rate", 85.7)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("comma.csv", panel("An Hải,2025,1,12,85.7").encode()),
        ("semicolon.csv", panel("An Hải,2025,1,12,85.7", delimiter=";").encode()),
        ("tab.txt", panel("An Hải,2025,1,12,85.7", delimiter="\t").encode()),
        ("mark.csv", panel("An Hải,2025,1,12,85.7").encode("utf-8-sig")),
        ("utf16.csv", panel("An Hải,2025,1,12,85.7").encode("utf-16")),
        ("windows.csv", panel("An Hải,2025,January,12,85.7").replace("\n", "\r\n").encode()),
        ("packed.csv.gz", gzip.compress(panel("An Hải,2025,1,12,85.7").encode(), mtime=0)),
        ("titled.csv", ("Tiêu đề của bảng\n\n# số liệu mô phỏng\n" + panel("An Hải,2025,Tháng 1,12,85.7")).encode()),
    ],
)
def test_the_same_table_in_any_writing_gives_the_same_values(tmp_path, name, content):
    file = received(tmp_path / name, content)
    assert DOOR.recognise(file) >= 0.6
    answer = read_all(DOOR, file)
    assert cells(answer) == A_ROW
    assert answer.received == 2


TONES = "\u0300\u0301\u0303\u0309\u0323"


def windows_1258(text):
    """Text as an old Vietnamese Windows writes it: the letter, then its tone as a letter of its own."""
    import unicodedata

    letters = [unicodedata.normalize("NFD", letter) for letter in text]
    tones = ["".join(part for part in letter if part in TONES) for letter in letters]
    bases = ["".join(part for part in letter if part not in TONES) for letter in letters]
    return "".join(unicodedata.normalize("NFC", base) + tone for base, tone in zip(bases, tones, strict=True)).encode(
        "cp1258"
    )


def test_windows_1258_is_read_composed_and_said_so(tmp_path):
    answer = read_all(DOOR, received(tmp_path / "old.csv", windows_1258(panel("An Hải,2025,1,12,85.7"))))
    assert cells(answer) == A_ROW
    assert "note.file_encoding" in set(answer.notes["note"])


def test_a_workbook_with_a_title_above_the_header_gives_the_same_values(tmp_path):
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    sheet.title = "Biểu"
    rows = [
        ["BÁO CÁO"],
        [],
        ["Trạm", "Năm", "Tháng", "Số ca", "Tỷ lệ"],
        ["An Hải", 2025, 1, 12, 85.7],
        ["An Hải", 2025, 2, 1.184, "..."],
    ]
    for row in rows:
        sheet.append(row)
    book.create_sheet("Ghi chú").append(["không có số liệu"])
    book.save(tmp_path / "b.xlsx")
    answer = read_all(DOOR, received(tmp_path / "b.xlsx"))
    assert cells(answer) == A_ROW
    # A number cell 1.184 is a fraction, whatever its column; only a text "1.184" could be thousands.
    assert answer.quarantined[["sheet", "row_number", "column_name", "reason"]].values.tolist() == [
        ["Biểu", 5, "Số ca", "quarantine.number_not_whole"]
    ]


def test_parquet_gives_the_same_values(tmp_path):
    columns = {"Trạm": ["An Hải"], "Năm": [2025], "Tháng": [1], "Số ca": [12], "Tỷ lệ": [85.7]}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    assert cells(read_all(DOOR, received(tmp_path / "p.parquet"))) == A_ROW


def test_a_unit_name_with_a_blank_behind_it_joins_and_is_noted_once(tmp_path):
    lines = [f"An Hải ,2025,{month},1," for month in range(1, 13)]
    answer = read_all(DOOR, received(tmp_path / "p.csv", panel("An Hải,2024,12,1,", *lines)))
    assert answer.values["unit_id"].unique().tolist() == ["TEST:An Hải"]
    note = answer.notes[answer.notes["note"] == "note.unit_name_tidied"].to_dict("records")
    assert [(one["value"], one["became"], one["fields"]["rows"]) for one in note] == [("An Hải ", "An Hải", 12)]


def test_nfd_names_are_the_same_unit(tmp_path):
    import unicodedata

    other = unicodedata.normalize("NFD", "An Hải")
    answer = read_all(DOOR, received(tmp_path / "p.csv", panel("An Hải,2025,1,1,", f"{other},2025,2,1,")))
    assert answer.values["unit_id"].unique().tolist() == ["TEST:An Hải"]
    assert "note.unit_name_tidied" in set(answer.notes["note"])


def test_empty_and_not_available_cells_are_no_values_and_zero_is_one(tmp_path):
    answer = read_all(DOOR, received(tmp_path / "p.csv", panel("A,2025,1,,..", "A,2025,2,0,-", "A,2025,3,không,5")))
    assert cells(answer) == [("TEST:A", "202502", "cases", 0.0), ("TEST:A", "202503", "rate", 5.0)]
    assert (answer.received, len(answer.quarantined)) == (2, 0)
    assert sorted(answer.notes["note"]) == ["note.number_dash", "note.number_not_available", "note.number_word_none"]


def test_numbers_as_people_write_them_land_with_a_note_each(tmp_path):
    lines = ["A,2025,1,1.184,", "A,2025,2,12 ca,", "A,2025,3,1\u00a0184,", 'A,2025,4,"1,184",', "A,2025,5,１２,"]
    answer = read_all(DOOR, received(tmp_path / "p.csv", panel(*lines)))
    assert answer.values.sort_values("row_number")["value"].tolist() == [1184, 12, 1184, 1184, 12]
    assert answer.values.sort_values("row_number")["value_as_written"].tolist()[:2] == ["1.184", "12 ca"]
    assert len(answer.notes) == 5


def test_bad_cells_are_quarantined_with_row_column_and_value(tmp_path):
    lines = ["A,2025,1,#REF!,1", "A,2025,2,nhiều,2", "A,2025,13,3,3", ",2025,4,4,", "A,2025,5,1.5,5"]
    answer = read_all(DOOR, received(tmp_path / "p.csv", panel(*lines)))
    found = answer.quarantined.sort_values(["row_number", "column_name"])
    assert found[["row_number", "column_name", "value", "reason"]].values.tolist() == [
        [2, "Số ca", "#REF!", "quarantine.formula_error"],
        [3, "Số ca", "nhiều", "quarantine.not_a_number"],
        [4, "Số ca", "3", "quarantine.period_unknown"],
        [4, "Tỷ lệ", "3", "quarantine.period_unknown"],
        [5, "Số ca", "4", "places.unit_missing"],
        [6, "Số ca", "1.5", "quarantine.number_not_whole"],
    ]
    assert (answer.received, answer.landed) == (9, 3)


def test_a_repeated_row_is_kept_once_and_contradicting_rows_both(tmp_path):
    answer = read_all(
        DOOR, received(tmp_path / "p.csv", panel("A,2025,1,1,", "A,2025,1,1,", "A,2025,2,3,", "A,2025,2,4,"))
    )
    assert sorted(answer.values["value"]) == [1, 3, 4]
    assert answer.reasons == ["quarantine.repeated_cell"]
    assert answer.notes["note"].tolist() == ["note.contradicting_rows"] * 2


POPULATION = "Mã tỉnh,Năm,Giới tính,Nhóm tuổi,Dân số (nghìn người)\n"


def test_rows_of_a_declared_table_are_typed_scaled_and_placed_at_their_year(tmp_path):
    # 82 is Tiền Giang until 2025-06-30 and Đồng Tháp from then on.
    text = POPULATION + "82,2023,both,all,1790.7\n82,2026,both,all,4370.0\nHà Nội,2023,both,all,8587.1\n"
    answer = read_all(DOOR, received(tmp_path / "population_1.csv", text))
    rows = answer.tables["population"].sort_values("row_number")
    assert rows[["unit_id", "year", "persons"]].values.tolist() == [
        ["VN2024:82", 2023, 1790.7 * 1000], ["VN2025:82", 2026, 4370.0 * 1000], ["VN2024:01", 2023, 8587.1 * 1000],
    ]  # fmt: skip
    assert set(rows["series"]) == {"test"}


def test_rows_that_fail_name_their_first_bad_column_and_repeated_rows_are_kept_once(tmp_path):
    rows = [
        "82,2023,both,all,1790.7",
        "82,2023,both,all,1790.7",
        "999,2023,both,all,1.5",
        "82,năm nay,both,all,5.5",
        "82,2022,both,all,",
    ]
    answer = read_all(DOOR, received(tmp_path / "population_1.csv", POPULATION + "\n".join(rows)))
    found = answer.quarantined.sort_values("row_number")
    assert found[["row_number", "column_name", "reason"]].values.tolist() == [
        [3, "", "quarantine.repeated_row"],
        [4, "unit_id", "places.unknown_unit"],
        [5, "year", "quarantine.not_a_number"],
        [6, "persons", "quarantine.value_missing"],
    ]
    assert (answer.received, answer.landed) == (5, 1)


def test_statistics_office_tables_with_comment_lines_semicolons_and_dots_are_read(tmp_path):
    text = "# Nguồn: Cục Thống kê\n" + POPULATION.replace(",", ";") + "01;2023;both;all;8587,1\n48;2023;both;all;..\n"
    answer = read_all(DOOR, received(tmp_path / "population_1.csv", text))
    assert answer.tables["population"]["persons"].tolist() == [8587.1 * 1000]
    assert answer.notes["note"].tolist() == ["note.number_decimal_comma"]
    assert answer.quarantined[["row_number", "reason"]].values.tolist() == [[4, "quarantine.value_missing"]]


# ------------------------------------------------------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("written", "hint", "value", "note"),
    [
        ("1184", "count", 1184, None),
        ("1.184", "count", 1184, "note.number_thousands"),
        ("1.184", "point", 1.184, None),
        ("1.184", "comma", 1184, "note.number_thousands"),
        ("1,184", "comma", 1.184, "note.number_decimal_comma"),
        ("1.184.000", "unknown", 1184000, "note.number_thousands"),
        ("1.184,5", "unknown", 1184.5, "note.number_thousands"),
        ("1\u202f184", "count", 1184, "note.number_thousands"),
        ("12 ca", "count", 12, "note.number_word_dropped"),
        ("１２", "count", 12, "note.number_odd_characters"),
        ("−3", "count", -3, "note.number_odd_characters"),
        ("12.0", "count", 12, None),
        (1.5, "point", 1.5, None),
    ],
)
def test_a_written_number_is_read_by_its_columns_convention(written, hint, value, note):
    parsed = parse_numbers(pd.Series([written], dtype="object"), decimal_hint=hint)
    assert parsed.values.tolist() == [value]
    assert parsed.notes["note"].tolist() == ([note] if note else [])


@pytest.mark.parametrize(
    ("written", "hint", "reason"),
    [
        ("1.184", "unknown", "quarantine.number_ambiguous"),
        ("0.184", "count", "quarantine.number_ambiguous"),
        ("1.5", "count", "quarantine.number_not_whole"),
        ("12 con gà", "count", "quarantine.not_a_number"),
        ("2O24", "count", "quarantine.not_a_number"),
        ("45%", "count", "quarantine.not_a_number"),
        ("#DIV/0!", "point", "quarantine.formula_error"),
        ("1.18.4", "count", "quarantine.not_a_number"),
        (1.184, "count", "quarantine.number_not_whole"),
    ],
)
def test_what_is_no_number_or_could_be_two_is_never_guessed(written, hint, reason):
    parsed = parse_numbers(pd.Series([written], dtype="object"), decimal_hint=hint)
    assert parsed.values.isna().all()
    assert parsed.failures["reason"].tolist() == [reason]


def test_a_dash_is_no_data_unless_the_table_says_that_it_means_zero():
    dash = pd.Series(["-", "–"])
    assert parse_numbers(dash, decimal_hint="count").values.isna().all()
    zero = parse_numbers(dash, decimal_hint="count", dash_is_zero=True)
    assert zero.values.tolist() == [0, 0]
    assert set(zero.notes["note"]) == {"note.number_dash_zero"}


def test_a_column_gives_its_decimal_mark_away_or_says_nothing():
    assert infer_decimal_hint(pd.Series(["1.184", "2687.3"])) == "point"
    assert infer_decimal_hint(pd.Series(["1.184", "2687,3"])) == "comma"
    assert infer_decimal_hint(pd.Series(["1.184", "2.687"])) == "unknown"
    assert infer_decimal_hint(pd.Series(["1.5", "1,5"])) == "unknown"


@given(st.integers(-(10**12), 10**12), st.sampled_from(["count", "point", "comma", "unknown"]))
def test_a_plain_whole_number_is_itself_under_every_hint(number, hint):
    parsed = parse_numbers(pd.Series([str(number)]), decimal_hint=hint)
    assert parsed.values.tolist() == [number]
    assert parsed.notes.empty


@given(st.integers(1000, 10**9), st.sampled_from([".", ",", " ", "\u00a0"]))
def test_thousands_marks_change_nothing_but_leave_a_note(number, mark):
    parsed = parse_numbers(pd.Series([f"{number:,}".replace(",", mark)]), decimal_hint="count")
    assert parsed.values.tolist() == [number]
    assert parsed.notes["note"].tolist() == ["note.number_thousands"]


# ---------------------------------------------------------------------------------------------------------- properties


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_filled_cell_of_a_panel_lands_or_is_quarantined(tmp_path_factory, data):
    cell = st.sampled_from(["", "5", "1.184", "x y", "#N/A", "12 ca", "7,5", "0", "abc;d"])
    rows = data.draw(st.lists(st.tuples(st.sampled_from(["A", "B ", ""]), st.integers(0, 13), cell, cell), max_size=12))
    path = tmp_path_factory.mktemp("panel") / "p.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["Trạm", "Năm", "Tháng", "Số ca", "Tỷ lệ"])
        writer.writerows([unit, 2025, month, one, two] for unit, month, one, two in rows)
    answer = read_all(DOOR, received(path))
    assert answer.received == sum(bool(one) + bool(two) for _, _, one, two in rows)
    assert answer.received == answer.landed + len(answer.quarantined)


# ---------------------------------------------------------------------------------------------------------- real input


@pytest.mark.parametrize(("sheet", "filled", "remarks"), [(1, 42_943, 0), (2, 25_345, 0), (3, 26_672, 2)])
def test_the_kenya_panel_lands_and_its_remarks_in_number_cells_are_quarantined(sheet, filled, remarks):
    path = reference_path("quality", "panels", "kenya_cd2030", f"Service_data_{sheet}.csv")
    answer = read_all(DOOR, received(path))
    assert (answer.received, answer.landed, answer.reasons) == (
        filled,
        filled - remarks,
        ["quarantine.not_a_number"] * remarks,
    )
    assert answer.values["unit_id"].nunique() == 47
    assert answer.values["unit_id"].str.endswith(" ").sum() == 0
    tidied = (answer.notes["note"] == "note.unit_name_tidied").sum()
    assert tidied == (47 if sheet == 3 else 0)  # sheet 3 spells every county with a blank behind it
    sums = pd.read_csv(path)["ANC1"].sum() if sheet == 1 else None
    if sums is not None:
        assert answer.values.query("element_id == 'anc1'")["value"].sum() == sums


def test_a_large_csv_is_read_in_pieces(tmp_path):
    lines = [f"Trạm {n % 500},{2000 + n // 6000},{n // 500 % 12 + 1},{n},{n / 8}" for n in range(60_000)]
    lines[30_000] = "hỏng"
    answer_sizes = []
    file = received(tmp_path / "big.csv", panel(*lines))
    for batch in DOOR.read(file, Known()):
        answer_sizes.append(len(batch.rows))
    assert max(answer_sizes) <= 100_000
    assert sum(size for size in answer_sizes if size > 1_000) == 2 * 59_999


# ---------------------------------------------------------------------------------------------------- supplied lists


FACILITIES = """Danh sách cơ sở
STT,Mã cơ sở KCB,Tên cơ sở,Loại cơ sở,Mã đơn vị hành chính,Ngày bắt đầu,Ngày kết thúc,Sáp nhập vào
1,51Z01,Trạm Y tế A,Trạm Y tế,VN2024:21019,15/10/1985,30/06/2025,
2,51Z0,mã sai,Trạm Y tế,VN2024:21019,15/10/1985,,
"""


def test_a_facility_list_lands_by_its_headers_and_wrong_codes_are_quarantined(tmp_path):
    file = received(tmp_path / "ds.txt", FACILITIES)
    assert SUPPLIED.recognise(file) > DOOR.recognise(file)
    answer = read_all(SUPPLIED, file)
    assert answer.tables["facility"]["facility_id"].tolist() == ["KCB:51Z01"]
    assert (answer.received, answer.quarantined["row_number"].tolist()) == (2, [4])


def test_a_population_table_of_the_statistics_office_lands_in_persons(tmp_path):
    text = '"Dân số trung bình (Nghìn người)"\n\n"Địa phương";"2024 Tổng số";"2024 Nữ"\n"Hà Nội";"8685.6";".."\n'
    answer = read_all(SUPPLIED, received(tmp_path / "px.csv", text))
    rows = answer.tables["population"]
    assert rows[["unit_id", "year", "sex", "persons"]].values.tolist() == [["VN2024:01", 2024, "total", 8685600.0]]
    assert answer.reasons == ["population.missing_in_source"]


def test_registered_population_is_refused_as_a_denominator(tmp_path):
    text = '"Dân số theo hồ sơ sáp nhập (Nghị quyết 202/2025/QH15)"\nĐịa phương;2025 Dân số (nghìn người)\nVN2025:51;2161.8\n'
    with pytest.raises(InputError, match="hồ sơ sáp nhập"):
        read_all(SUPPLIED, received(tmp_path / "register.csv", text))


def test_a_population_table_in_our_own_columns_keeps_its_series_and_status(tmp_path):
    text = "# mô phỏng\nunit_id,year,sex,age_group,persons,series,status,source_id\nVN2024:525,2024,female,total,36083,PRACTICE,modelled,x\n"
    file = received(tmp_path / "own.csv", text)
    assert DOOR.recognise(file) > SUPPLIED.recognise(file)
    row = read_all(DOOR, file).tables["population"].iloc[0]
    assert (row["unit_id"], row["persons"], row["series"], row["status"]) == (
        "VN2024:525",
        36083,
        "PRACTICE",
        "modelled",
    )

"""The full record of a death: every field by its heading, times, calendars, places, causes a to d, and the line as written."""

import unicodedata

import pandas as pd
import pytest
from death_books import BOOK_UNIT, LINE, NEXT_COMMUNE, Home, book
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import read_all, received

from mortality.certificate_csv import DOOR as CERTIFICATE
from mortality.death_register import DOOR
from mortality.line_list import DOOR as LINE_LIST
from mortality.records.as_written import as_written_batches, written_of_frame
from mortality.records.times import read_time
from mortality.register_dates import read_date
from mortality.register_layout import match_header
from mortality.register_values import read_word
from tkyt_analysis.catalog import load_entries, read_codelist
from tkyt_analysis.ingest.legacy_fonts import encode
from tkyt_analysis.warehouse.lake import Warehouse


def read(tmp_path, *lines, **options):
    return read_all(DOOR, received(book(tmp_path / "so.xlsx", list(lines), **options)))


def death(tmp_path, **cells):
    return read(tmp_path, LINE | cells).tables["death"].iloc[0]


# ---------------------------------------------------------------------------------------------------- fields


@pytest.mark.parametrize(
    ("text", "clock", "day"),
    [
        ("14h30 ngày 5/6/2025", "14:30", "2025-06-05"),
        ("05/06/2025 14:30", "14:30", "2025-06-05"),
        ("lúc 14 giờ 30 phút, ngày 05/06/2025", "14:30", "2025-06-05"),
        ("2 giờ chiều 5/6/2025", "14:00", "2025-06-05"),
        ("23h 5/6/2025", "23:00", "2025-06-05"),
        ("12h đêm 5/6/2025", "00:00", "2025-06-05"),
        ("202506051430", "14:30", "2025-06-05"),
        ("9h sáng ngày 15/8/2024 âl", "09:00", "2024-09-17"),  # 15/8 of the lunar year 2024 was 17 September 2024
        ("2025-06-05T00:00:00", "", "2025-06-05"),  # midnight as a machine adds it is no time of death
        ("5/6/2025", "", "2025-06-05"),
    ],
)
def test_time_and_day_stand_in_one_cell_and_are_both_read(text, clock, day):
    assert (read_time(text), str(read_date(text).day)) == (clock, day)


@pytest.mark.parametrize(
    ("text", "clock"),
    [("1430", "14:30"), ("14.30", "14:30"), ("7", "07:00"), ("0.604166", "14:30"), ("25h", ""), ("chiều", "")],
)
def test_a_column_of_times_also_holds_bare_numbers(text, clock):
    assert read_time(text, True) == clock


@given(
    hour=st.integers(0, 23),
    minute=st.integers(0, 59),
    form=st.sampled_from(["{}h{:02d}", "{}:{:02d}", "{} giờ {:02d} phút"]),
)
def test_any_time_of_day_is_read_as_itself(hour, minute, form):
    assert read_time(form.format(hour, minute) + " ngày 5/6/2025") == f"{hour:02d}:{minute:02d}"


@pytest.mark.parametrize("row", read_codelist("a6_value_words").itertuples(), ids=lambda row: f"{row.field}-{row.code}")
def test_the_example_of_every_word_means_its_code(row):
    assert read_word(row.field, row.example) == row.code


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        ({"time": "14h30"}, "death_time", "14:30"),
        ({"death": "rằm tháng 7 năm 2024"}, "death_calendar", "lunar"),
        ({}, "death_calendar", "solar"),
        ({"birth": "15/8/1950 âm lịch"}, "birth_calendar", "lunar"),
        ({"manner": "Tự tử"}, "manner", "suicide"),
        ({"manner": "tai nan"}, "manner", "accident"),
        ({"manner": "Pending investigation"}, "manner", "pending"),
        ({"timing": "Trong vòng 42 ngày sau đẻ"}, "maternal_timing", "within_42_days"),
        ({"mother": "Có, sau đẻ 3 ngày"}, "maternal_timing", "within_42_days"),
        ({"mother": "Không"}, "maternal_timing", None),
        ({"where": "Đường quốc lộ 1"}, "external_place", "road"),
        ({"doing": "đang đi xe máy"}, "external_activity", "travelling"),
        ({"told": "Y tế thôn bản"}, "source_list", "village_health_worker"),
        ({"informant": "CTV dân số"}, "source_list", "population_collaborator"),
        ({"informant": "Nguyễn Thị Con"}, "source_list", None),  # a name, not a child
        ({"relation": "Con gái"}, "informant_relation", "child"),
        ({"ethnic": "Hrê", "job": "Làm nông"}, "ethnic_group", "Hrê"),
        ({"age": "5 giờ"}, "age_unit", "hours"),
    ],
)
def test_a_field_is_read_from_its_own_heading(tmp_path, cells, field, code):
    found = death(tmp_path, **cells)[field]
    assert (None if pd.isna(found) else found) == code


def test_fields_are_found_wherever_their_columns_stand(tmp_path):
    line = LINE | {"manner": "Tai nạn", "told": "Gia đình", "sex": "Nữ", "id": "051150000111", "insurance": "GD4515000"}
    first = read(tmp_path, line)
    import openpyxl

    workbook = openpyxl.load_workbook(tmp_path / "so.xlsx")
    page = workbook.active
    columns = [list(cells) for cells in zip(*page.iter_rows(min_row=5, max_row=6, values_only=True), strict=True)]
    for at, (heading, value) in enumerate(reversed(columns), 1):
        page.cell(5, at, heading), page.cell(6, at, value)
    workbook.save(tmp_path / "turned.xlsx")
    turned = read_all(DOOR, received(tmp_path / "turned.xlsx"))
    for table in ("death", "death_identity"):
        pd.testing.assert_frame_equal(first.tables[table], turned.tables[table])


def test_words_that_are_not_known_are_noted_and_left_empty_without_repeating_them(tmp_path):
    answer = read(tmp_path, LINE | {"relation": "bạn của ông Tèo B", "manner": "lạ lắm", "time": "sẩm tối"})
    found = answer.tables["death"].iloc[0]
    assert pd.isna(found[["manner", "death_time"]]).all()
    assert {"note.word_unknown", "note.time_unreadable"} <= set(answer.notes["note"])
    assert "Tèo" not in answer.notes.astype(str).to_csv()


def test_informant_and_writer_are_identifiers(tmp_path):
    answer = read(tmp_path, LINE | {"informant": "Lê Thị Khai", "by": "Trần Văn Ghi"})
    assert answer.tables["death_identity"].iloc[0][["informant", "signed_by"]].tolist() == [
        "Lê Thị Khai",
        "Trần Văn Ghi",
    ]
    assert not {"Lê Thị Khai", "Trần Văn Ghi"} & set(answer.tables["death"].astype(str).to_numpy().ravel())


def test_places_are_matched_with_the_units_of_the_day_of_death(tmp_path):
    found = death(tmp_path, address="Thôn 3, xã Bình Hải", death_place="Bình Hải")
    assert found[["unit_id", "residence_unit_id", "death_place_unit_id"]].tolist() == [
        BOOK_UNIT,
        NEXT_COMMUNE,
        NEXT_COMMUNE,
    ]


def test_a_hamlet_names_no_commune_and_an_unknown_place_of_death_is_noted(tmp_path):
    answer = read(tmp_path, LINE | {"address": "Thôn 3", "death_place": "xã Không Có Thật"})
    found = answer.tables["death"].iloc[0]
    assert pd.isna(found[["residence_unit_id", "death_place_unit_id"]]).all()
    assert "note.death_place_not_found" in set(answer.notes["note"])


def test_a_book_that_carries_the_certificate_lines_fills_the_chain_and_the_cause(tmp_path):
    line = {"name": "Nguyễn Văn A", "death": "05/03/2024", "a": "Suy tim", "a_for": "3 ngày", "a_icd": "I50",
            "b": "Tăng huyết áp", "b_for": "10 năm", "b_icd": "I10", "part2": "Đái tháo đường"}  # fmt: skip
    answer = read(tmp_path, line)
    causes = answer.tables["death_cause"].set_index("line")
    assert causes.loc["a", ["icd10_code", "interval_value", "interval_unit"]].tolist() == ["I50", 3.0, "days"]
    assert causes.loc["b", ["cause_text", "interval_unit"]].tolist() == ["Tăng huyết áp", "years"]
    assert causes.loc["part2", "cause_text"] == "Đái tháo đường"
    recorded = answer.tables["death"].iloc[0]
    assert (recorded["cause_text"], recorded["icd10_as_written"]) == ("Tăng huyết áp", "I10")  # the lowest used line


@pytest.mark.parametrize("heading", ["A", "B", "a", "(b)", "C"])
def test_a_lone_letter_over_a_column_of_a_book_is_no_line_of_a_certificate(heading):
    assert match_header(heading) == ""


@pytest.mark.parametrize(
    "row", read_codelist("a6_vintages").itertuples(), ids=lambda row: f"{row.vintage}-{row.heading}"
)
def test_the_headings_of_every_circular_mean_their_fields(row):
    assert match_header(row.heading) == row.field


# ------------------------------------------------------------------------------------------------- as written


def test_every_cell_of_a_landed_line_stands_as_it_was_under_its_own_heading(tmp_path):
    line = LINE | {"time": "14h30", "extra": "ghi riêng", "sex": "Nữ"}
    rows = read(tmp_path, line).tables["death_as_written"].sort_values("position")
    assert dict(zip(rows["column_name"], rows["text"], strict=True)) == {
        "TT": "1", "Họ và tên người chết": "Nguyễn Văn A", "Giới tính": "Nữ", "Ngày tháng năm tử vong": "05/03/2024",
        "Giờ tử vong": "14h30", "Nguyên nhân tử vong": "Già yếu", "Cột riêng của xã": "ghi riêng",
    }  # fmt: skip
    assert rows.set_index("column_name").loc["Cột riêng của xã", "field"] == ""
    assert set(rows["record_key"]) == set(read(tmp_path, line).tables["death"]["record_key"])


@pytest.mark.parametrize("store", [lambda t: unicodedata.normalize("NFD", t), lambda t: encode(t, "tcvn3")])
def test_what_was_repaired_stands_as_written_before_the_repair(tmp_path, store):
    name = "Nguyễn Thị Bưởi"
    lines = [
        LINE
        | {"name": store(name), "cause": store("Tai biến mạch máu não, nằm liệt"), "address": store("Xóm Đồng Ngược")}
    ] * 3
    answer = read(tmp_path, *lines)
    written = answer.tables["death_as_written"]
    assert answer.tables["death_identity"]["full_name"].iloc[0] == name
    assert store(name) != name
    assert written.loc[written["field"].eq("full_name"), "text"].iloc[0] == store(name)


def test_only_lines_that_landed_have_a_record_as_written(tmp_path):
    answer = read(
        tmp_path, LINE, {"cause": None, "job": "Làm nông", "ethnic": "Kinh", "sex": "Nam"}, LINE | {"death": "6/3/2024"}
    )
    assert len(answer.quarantined) == 1
    landed = set(answer.tables["death"]["record_key"])
    assert set(answer.tables["death_as_written"]["record_key"]) == landed
    assert len(landed) == 2


def test_a_line_list_and_a_certificate_keep_their_lines_too(tmp_path):
    text = "full_name,death_date,cause_text,unit_code,sex\nNguyễn Văn A,5/3/2024,Già yếu,21112,x y z\n"
    answer = read_all(LINE_LIST, received(tmp_path / "list.csv", text))
    assert answer.tables["death_as_written"]["text"].tolist() == [
        "Nguyễn Văn A",
        "5/3/2024",
        "Già yếu",
        "21112",
        "x y z",
    ]
    text = "id,sex,age_value,age_unit,line_a,line_b,line_c,line_d,part2\nX1,m,70,years,i50,,,,\n"
    answer = read_all(CERTIFICATE, received(tmp_path / "certificates.csv", text))
    rows = answer.tables["death_as_written"]
    assert dict(zip(rows["column_name"], rows["text"], strict=True))["line_a"] == "i50"
    assert "X1" not in answer.tables["death"].astype(str).to_csv()


@given(st.lists(st.lists(st.sampled_from(["", "a", "Ôi", "1"]), min_size=3, max_size=3), min_size=1, max_size=6))
def test_the_cells_of_a_table_come_back_whole(cells):
    frame = pd.DataFrame(cells, columns=["x", "y", "z"])
    where = pd.DataFrame({"record_key": [f"|{n}" for n in frame.index], "sheet": "", "row_number": frame.index})
    batches = list(as_written_batches(written_of_frame(frame, ["", "f", ""]), where))
    rows = pd.concat([batch.rows for batch in batches])
    back = rows.pivot(index="row_number", columns="column_name", values="text").reindex(
        index=frame.index, columns=["x", "y", "z"]
    )
    assert back.fillna("").to_numpy().tolist() == cells


def test_reading_the_same_bytes_again_gives_the_same_record_as_written(tmp_path):
    home = Home(tmp_path)
    lines = [
        LINE | {"extra": "riêng"},
        LINE | {"death": "7/3/2024"},
        {"death": None, "cause": None, "job": "Làm nông", "sex": "Nam", "ethnic": "Kinh"},
    ]
    assert home.receive(lines)["quarantined"] == 1
    first = home.as_written()
    from tkyt_analysis.ingest.receive import ingest

    ingest(home.path, [tmp_path / "so_a6.xlsx"], retry=True)
    pd.testing.assert_frame_equal(first, home.as_written())


# ------------------------------------------------------------------------------------------------- old homes


def test_a_home_of_an_earlier_version_gets_the_columns_and_its_old_snapshots_still_read(tmp_path):
    from mortality.records.replaced import replaced_records_sql
    from tkyt_analysis.warehouse.lake import create_home

    home = Home(tmp_path)
    home.receive([LINE])
    with Warehouse(home.path, write=True) as warehouse:
        warehouse.con.execute("ALTER TABLE lake.death DROP COLUMN manner; DROP TABLE lake.record_replacement")
        old = warehouse.snapshot_id()
    create_home(home.path)
    assert "manner" in home.deaths().columns
    assert len(home.deaths()) == 1
    with Warehouse(home.path, as_of=old) as warehouse:
        assert len(warehouse.query(replaced_records_sql(warehouse))) == 0
        assert "manner" not in warehouse.query("SELECT * FROM lake.death").columns


def test_the_record_as_written_is_personal_data():
    assert load_entries("datasets")["death_as_written"].access == "personal"

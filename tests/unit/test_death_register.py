"""The community death register (A6): columns by heading, village dates, identifiers apart, nothing lost."""

import datetime
import unicodedata
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from mortality.death_register import DOOR
from mortality.register_dates import lunar_to_solar, read_date
from mortality.register_layout import match_header
from mortality.register_values import read_age, read_birth_or_age, read_word
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.door import ReceivedFile
from tkyt_analysis.ingest.legacy_fonts import encode
from tkyt_analysis.ingest.summary import sentence

HEADERS = ["TT", "Họ và tên", "Nam", "Nữ", "Dân tộc", "Địa chỉ", "Ngày tử vong", "Nơi tử vong", "Nguyên nhân tử vong",
           "Mã ICD-10", "Tử vong mẹ", "Chăm sóc trước khi chết", "Ghi chú"]  # fmt: skip
TITLE = ["Trạm Y tế xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi", "SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG", "Năm 2024"]


def line(
    number=1,
    name="Nguyễn Văn A",
    male="1950",
    female=None,
    death="05/03/2024",
    place="Tại nhà",
    cause="Già yếu",
    **more,
):
    cells = {"TT": number, "Họ và tên": name, "Nam": male, "Nữ": female, "Ngày tử vong": death, "Nơi tử vong": place,
             "Nguyên nhân tử vong": cause}  # fmt: skip
    return cells | more


def book(
    tmp_path: Path, lines, *, title=TITLE, headers=HEADERS, at=5, sheet="A6", name="so_a6.xlsx", store=None
) -> Path:
    """A workbook with title lines, the headings in row `at`, then the lines; `store` encodes every text."""
    page_book = openpyxl.Workbook()
    page = page_book.active
    page.title = sheet
    write_register(page, lines, title=title, headers=headers, at=at, store=store)
    page_book.save(tmp_path / name)
    return tmp_path / name


def write_register(page, lines, *, title=TITLE, headers=HEADERS, at=5, store=None):
    store = store or (lambda text: text)
    rows = {at - len(title) - 1 + n: {headers[0]: text} for n, text in enumerate(title)}
    rows |= {at: dict(zip(headers, headers))} | {at + 1 + n: one for n, one in enumerate(lines)}
    for row, cells in rows.items():
        for heading, value in cells.items():
            if value is not None:
                cell = page.cell(row, headers.index(heading) + 1, store(value) if isinstance(value, str) else value)
                if isinstance(value, str) and value.startswith("#"):
                    cell.data_type = "e"


def received(path: Path) -> ReceivedFile:
    return ReceivedFile(path, path.name, "0" * 64, path.stat().st_size)


def read(path: Path):
    """deaths, identities, quarantined, notes of a file; checks the balance of every batch."""
    deaths, identities, quarantined, notes = [], [], [], []
    for batch in DOOR.read(received(path), None):
        if batch.table == "death":
            assert batch.received == len(batch.rows) + len(batch.quarantined)
            deaths.append(batch.rows)
            quarantined.append(batch.quarantined)
            notes.append(batch.notes)
        else:
            assert not batch.counts
            if batch.table == "death_identity":
                identities.append(batch.rows)
    return tuple(pd.concat(parts, ignore_index=True) for parts in (deaths, identities, quarantined, notes))


def kinds_of(notes: pd.DataFrame) -> set[str]:
    return set(notes["note"])


# --------------------------------------------------------------------------------------------------- landing


def test_a_line_becomes_a_record_with_its_place_in_the_file(tmp_path):
    deaths, identities, quarantined, _ = read(book(tmp_path, [line()]))
    death = deaths.iloc[0]
    assert (death["unit_id"], death["sheet"], death["row_number"], death["record_key"]) == (
        "VN2024:21112",
        "A6",
        6,
        "A6|6",
    )
    assert death["death_date"] == pd.Timestamp("2024-03-05")
    assert (death["sex"], death["birth_year"], death["age_years"]) == ("male", 1950, 2024 - 1950)
    assert (death["place_of_death"], death["cause_text"]) == ("home", "Già yếu")
    assert identities["full_name"].tolist() == ["Nguyễn Văn A"]
    assert len(quarantined) == 0


def test_identifiers_stand_only_in_the_identity_table_and_in_no_note(tmp_path):
    name = unicodedata.normalize("NFD", "Trần Thị Bưởi")
    lines = [
        line(
            name=name, male=None, female="12 tháng tám", **{"Địa chỉ": "Thôn\u00a0Đông", "Ghi chú": "con ông\u200b Tèo"}
        )
    ]
    deaths, identities, _, notes = read(book(tmp_path, lines))
    open_tables = deaths.drop(columns="person_key").astype(str).to_csv() + notes.astype(str).to_csv()
    assert {"note.text_composed", "note.date_unreadable"} <= kinds_of(notes)
    for secret in ("Trần", "Bưởi", "Thôn Đông", "Tèo", "12 tháng tám"):
        assert secret not in unicodedata.normalize("NFC", open_tables)
    assert identities.iloc[0][["full_name", "address", "note"]].tolist() == [
        "Trần Thị Bưởi",
        "Thôn Đông",
        "con ông Tèo",
    ]


def test_columns_are_found_by_their_headings_in_any_order(tmp_path):
    turned = [*HEADERS[6:], *HEADERS[:6]]
    usual, *_ = read(book(tmp_path, [line()]))
    other, *_ = read(book(tmp_path, [line()], headers=turned))
    pd.testing.assert_frame_equal(usual, other)


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Họ tên người chết", "full_name"), ("Họ tên người khai", "informant"), ("Ngày sinh/tuổi | Nam", "male"), ("Năm sinh", "birth"),
        ("NAM SINH", "birth"), ("Nữ", "female"), ("Giới tính", "sex"), ("Số CCCD", "id_number"), ("Số thẻ BHYT", "insurance_number"),
        ("Ngày, tháng, năm tử vong (dương lịch)", "death_date"), ("Nơi tử vong | Tại nhà", "place_of_death:home"),
        ("Được CBYT chăm sóc, điều trị trước khi chết", "care_before_death"), ("Tử vong mẹ", "maternal_death"),
        ("Chẩn đoán nguyên nhân tử vong", "cause_text"), ("Mã bệnh (ICD-10)", "icd10_as_written"), ("Tổ dân phố 6", ""),
    ],
)  # fmt: skip
def test_headings_are_understood(heading, field):
    assert match_header(heading) == field


def test_headings_of_two_merged_rows_in_row_seven_with_numbering(tmp_path):
    path = book(tmp_path, [line()], at=7)
    workbook = openpyxl.load_workbook(path)
    page = workbook.active
    page.insert_rows(8, 2)  # second header row and the row of column numbers
    page["C7"], page["C8"], page["D8"], page["D7"] = "Ngày sinh/tuổi", "Nam", "Nữ", None
    page.merge_cells("C7:D7")
    for column in (*"AB", *"EFGHIJKLM"):
        page.merge_cells(f"{column}7:{column}8")
    for column in range(1, 14):
        page.cell(9, column, column)
    workbook.save(path)
    deaths, *_ = read(path)
    assert deaths[["row_number", "sex", "birth_year"]].values.tolist() == [[10, "male", 1950]]


def test_two_registers_on_one_sheet_belong_to_their_own_communes(tmp_path):
    workbook = openpyxl.Workbook()
    page = workbook.active
    write_register(page, [line()])
    second = [text.replace("Bình Châu", "Bình Thuận") for text in TITLE]
    write_register(page, [line(name="Trần B"), line(2, name="Lê C")], title=second, at=14)
    workbook.save(tmp_path / "hai.xlsx")
    deaths, *_ = read(tmp_path / "hai.xlsx")
    assert deaths.groupby("unit_id").size().to_dict() == {"VN2024:21112": 1, "VN2024:21043": 2}


def test_blank_total_and_signature_lines_are_no_deaths_but_are_counted(tmp_path):
    lines = [
        line(), {"TT": 2}, {}, line(3, name=None, male=None, death=None, cause="Đuối nước"), {"Họ và tên": "Tổng cộng: 2 trường hợp"},
        {}, {"Nguyên nhân tử vong": "Ngày 31 tháng 12 năm 2024"}, {"Nguyên nhân tử vong": "Người lập"}, {"Nguyên nhân tử vong": "Lê Văn Z"},
    ]  # fmt: skip
    deaths, _, quarantined, notes = read(book(tmp_path, lines))
    assert deaths["cause_text"].tolist() == ["Già yếu", "Đuối nước"]  # no name, but a cause: it lands
    assert len(quarantined) == 0
    counts = (
        notes[notes["note"].str.startswith("note.register_lines.")].set_index("note")["value"].astype(int).to_dict()
    )
    assert counts == {
        "note.register_lines.blank": 3, "note.register_lines.total": 1, "note.register_lines.signature": 3,
    }  # fmt: skip


def test_a_run_on_line_is_joined_to_the_record_above_it(tmp_path):
    lines = [line(cause="Ung thư gan"), {"Nguyên nhân tử vong": "di căn phổi"}, line(2, name="Trần B")]
    deaths, _, _, notes = read(book(tmp_path, lines))
    assert deaths["cause_text"].tolist() == ["Ung thư gan di căn phổi", "Già yếu"]
    assert "note.register_lines.continuation" in kinds_of(notes)


def test_a_line_with_nothing_to_read_is_quarantined_with_a_sentence(tmp_path):
    lines = [line(), {"TT": 2, "Dân tộc": "Kinh", "Ngày tử vong": "không nhớ"}]
    _, _, quarantined, _ = read(book(tmp_path, lines))
    assert quarantined[["row_number", "reason"]].values.tolist() == [[7, "quarantine.death_line_unreadable"]]
    place = {"file": "so_a6.xlsx", "sheet": "A6", "row_number": 7, "fields": '{"row": 7}'}
    assert "dòng 7" in sentence("quarantine.death_line_unreadable", place)


def test_every_line_of_the_sheet_is_accounted_for(tmp_path):
    lines = [line(n, name=f"Người {n}") for n in range(1, 8)] + [{}, {"TT": 9}, {"Họ và tên": "Cộng"}]
    deaths, _, quarantined, notes = read(book(tmp_path, lines))
    left_out = notes.loc[notes["note"].str.startswith("note.register_lines."), "value"].astype(int).sum()
    assert len(deaths) + len(quarantined) + left_out == len(lines)


def test_a_formula_error_leaves_only_its_own_cell_empty(tmp_path):
    deaths, _, _, notes = read(book(tmp_path, [line(cause="#REF!"), line(2, death="#N/A")]))
    assert deaths["cause_text"].fillna("").tolist() == ["", "Già yếu"]
    assert notes.loc[notes["note"].eq("note.cell_error"), ["row_number", "column_name", "value"]].values.tolist() == [
        [6, "Nguyên nhân tử vong", "#REF!"], [7, "Ngày tử vong", "#N/A"],
    ]  # fmt: skip


def as_font(text: str, encoding: str) -> str:
    """A text as a legacy font stores it: TCVN3 has capitals with tone marks only as another font of small letters."""
    return encode(text.lower() if text.isupper() else text, encoding)


@pytest.mark.parametrize("encoding", ["tcvn3", "vni"])
def test_a_book_in_a_legacy_font_reads_like_the_unicode_one(tmp_path, encoding):
    lines = [
        line(),
        line(2, name="Trần Thị Hường", male=None, female="8 tháng", cause="Đuối nước", place="Bệnh viện huyện"),
    ]
    plain, plain_names, *_ = read(book(tmp_path, lines, name="moi.xlsx"))
    old, old_names, _, notes = read(book(tmp_path, lines, name="cu.xlsx", store=lambda text: as_font(text, encoding)))
    assert "note.legacy_font_converted" in kinds_of(notes)
    pd.testing.assert_frame_equal(plain, old)
    pd.testing.assert_frame_equal(plain_names, old_names)


def test_a_book_typed_on_a_mac_reads_the_same(tmp_path):
    plain, *_ = read(book(tmp_path, [line()], name="moi.xlsx"))
    nfd, _, _, notes = read(
        book(tmp_path, [line()], name="mac.xlsx", store=lambda text: unicodedata.normalize("NFD", text))
    )
    pd.testing.assert_frame_equal(plain, nfd)
    assert "note.text_composed" in kinds_of(notes)


def test_a_workbook_without_a_register_ends_in_a_sentence(tmp_path):
    path = book(tmp_path, [], headers=["STT", "Tên thuốc", "Số lượng"], title=[])
    assert DOOR.recognise(received(path)) == 0.0
    with pytest.raises(InputError) as error:
        read(path)
    assert "so_a6.xlsx" in error.value.sentence("vi")


@pytest.mark.parametrize("name", ["so.xlsx", "so.xls", "so.ods"])
def test_a_file_that_only_bears_the_name_of_a_workbook_is_refused(tmp_path, name):
    path = tmp_path / name
    path.write_text("Họ và tên,Ngày tử vong\nA,1/1/2024\n", "utf-8")
    assert DOOR.recognise(received(path)) == 0.0
    with pytest.raises(InputError) as error:
        read(path)
    assert name in error.value.sentence("vi")


# ----------------------------------------------------------------------------------------------------- units


@pytest.mark.parametrize(
    ("title", "unit_or_reason"),
    [
        (["TYT Bình Châu", "Huyện: Bình Sơn   Tỉnh: Quảng Ngãi", "Năm 2024"], "VN2024:21112"),
        (["Mã xã: 21112", "Năm 2024"], "VN2024:21112"),
        (["Xã Không Có Thật, huyện Bình Sơn, tỉnh Quảng Ngãi", "Năm 2024"], "places.unknown_unit"),
        (["Xã Hòa Bình", "Năm 2024"], "places.duplicate_name"),
        (["Đặc khu Lý Sơn, tỉnh Quảng Ngãi", "Năm 2023"], "places.unit_not_valid_at_date"),
        (["Xã Bình Châu, huyện Bình Sơn, tỉnh Quảng Ngãi", "Năm 2026"], "places.unit_not_valid_at_date"),
        (["Sổ theo dõi", "Năm 2024"], "quarantine.heading_unit_missing"),
    ],
)  # fmt: skip
def test_the_commune_of_the_book_is_told_or_the_reason_why_not(tmp_path, title, unit_or_reason):
    year = title[-1][-4:]
    deaths, _, quarantined, _ = read(book(tmp_path, [line(death=f"05/03/{year}")], title=title))
    found = [*deaths["unit_id"], *quarantined["reason"]]
    assert found == [unit_or_reason]
    for row in quarantined.itertuples():
        said = sentence(
            row.reason, {"file": "a.xlsx", "row_number": row.row_number, "fields": pd.io.json.ujson_dumps(row.fields)}
        )
        assert "places." not in said
        assert "quarantine." not in said


def test_a_column_of_communes_decides_line_by_line_and_the_rest_lands(tmp_path):
    headers = [*HEADERS, "Xã"]
    title = ["TTYT huyện Bình Sơn, tỉnh Quảng Ngãi", "Năm 2024"]
    lines = [line(Xã="Bình Châu"), line(2, Xã="Xã Bình Hải"), line(3, Xã="Xã Trên Trời")]
    deaths, identities, quarantined, _ = read(book(tmp_path, lines, title=title, headers=headers))
    assert len(identities) == 2
    assert deaths["unit_id"].tolist() == ["VN2024:21112", "VN2024:21067"]
    assert quarantined[["row_number", "reason"]].values.tolist() == [[8, "places.unknown_unit"]]


# ----------------------------------------------------------------------------------------------- dates, ages, words

TET = {1968: "1968-01-29", 1985: "1985-01-21", 2007: "2007-02-17", 2020: "2020-01-25", 2021: "2021-02-12",
       2022: "2022-02-01", 2023: "2023-01-22", 2024: "2024-02-10", 2025: "2025-01-29", 2026: "2026-02-17"}  # fmt: skip


@pytest.mark.parametrize(("year", "day"), TET.items())
def test_lunar_new_year_falls_on_the_published_days(year, day):
    assert lunar_to_solar(1, 1, year) == datetime.date.fromisoformat(day)


@pytest.mark.parametrize(
    ("written", "meant", "note"),
    [
        ("05/03/2024", "2024-03-05", ""), ("5.3.2024", "2024-03-05", ""), ("2024-03-05", "2024-03-05", ""),
        ("ngày 5 tháng 3 năm 2024", "2024-03-05", ""), ("10h30 ngày 5/3/2024", "2024-03-05", ""),
        ("5/3/24", "2024-03-05", "note.two_digit_year"), ("12/25/2023", "2023-12-25", "note.day_month_swapped"),
        ("45356", "2024-03-05", "note.excel_serial_date"), ("5/3", "2024-03-05", "note.year_from_book"),
        ("15/8 âl", "2024-09-17", "note.lunar_date_converted"), ("15/8/2023 (ÂL)", "2023-09-29", "note.lunar_date_converted"),
        ("rằm tháng 7 âm lịch", "2024-08-18", "note.lunar_date_converted"),
        ("mồng 3 tháng Giêng", "2024-02-12", "note.lunar_date_converted"), ("mùng 1 Tết", "2024-02-10", "note.lunar_date_converted"),
        ("23 tháng chạp", "2024-02-02", "note.lunar_date_converted"),  # of lunar 2023: it falls into the book's 2024
        ("10/6 nhuận 2025 âm lịch", "2025-08-03", "note.lunar_date_converted"),
        ("3/2024", None, "note.date_without_day"), ("2024", None, "note.date_year_only"),
        ("31/2/2024", None, "note.date_unreadable"), ("không rõ", None, "note.date_unreadable"), ("", None, ""),
    ],
)  # fmt: skip
def test_dates_are_read_as_villages_write_them(written, meant, note):
    found = read_date(written, 2024, 2025)
    assert (found.day and found.day.isoformat(), found.note) == (meant, note)


@pytest.mark.parametrize(
    ("written", "value", "unit"),
    [
        ("72", 72, "years"), ("72 tuổi", 72, "years"), ("8 tháng", 8, "months"), ("6/12", 6, "months"), ("3 ngày", 3, "days"),
        ("5 giờ", 5, "hours"), ("sơ sinh", None, "days"), ("140", None, ""), ("già", None, ""),
    ],
)  # fmt: skip
def test_ages_keep_their_unit(written, value, unit):
    found = read_age(written)
    assert (found.value, found.unit) == (value, unit)


def test_one_cell_for_birth_or_age_is_told_apart_by_its_size():
    assert read_birth_or_age("1950").year == 1950
    assert read_birth_or_age("74").age == 74
    assert read_birth_or_age("12/8/1945").birth == pd.Timestamp("1945-08-12")
    assert read_birth_or_age("x", ticks=True).note == ""


def test_an_infant_with_both_dates_gets_its_age_in_days(tmp_path):
    deaths, *_ = read(book(tmp_path, [line(male="01/03/2024", death="05/03/2024"), line(2, male="06/03/1950")]))
    assert deaths["age_value"].tolist()[0] == 4
    assert deaths["age_unit"].tolist()[0] == "days"
    assert deaths["age_years"].tolist() == [0, 2024 - 1950 - 1]  # the birthday was to come one day later


@pytest.mark.parametrize(
    ("field", "written", "code"),
    [
        ("sex", "Nữ", "female"), ("sex", "M", "male"), ("place_of_death", "BV tỉnh", "health_facility"),
        ("place_of_death", "nhà", "home"), ("place_of_death", "Trên đường đi cấp cứu", "on_the_way"), ("place_of_death", "sông", "other"),
        ("care_before_death", "không", "none"), ("care_before_death", "TTYT huyện", "district"), ("maternal_death", "x", "yes"),
        ("place_of_death", "???", ""), ("place_of_death", "home", "home"),
    ],
)  # fmt: skip
def test_words_become_codes(field, written, code):
    assert read_word(field, written) == code


def test_an_unknown_word_leaves_the_field_empty_and_says_so(tmp_path):
    deaths, _, _, notes = read(book(tmp_path, [line(place="qwerty")]))
    assert deaths["place_of_death"].isna().all()
    assert notes.loc[notes["note"].eq("note.word_unknown"), ["row_number", "value"]].values.tolist() == [[6, "qwerty"]]


def test_both_columns_of_sex_filled_leaves_the_sex_empty(tmp_path):
    deaths, _, _, notes = read(book(tmp_path, [line(male="1950", female="1950")]))
    assert deaths["sex"].isna().all()
    assert "note.both_sex_columns" in kinds_of(notes)


def test_the_same_person_twice_has_one_person_key_whatever_the_spelling(tmp_path):
    deaths, *_ = read(
        book(tmp_path, [line(name="Trần Thị Hòa"), line(2, name="TRẦN THỊ HOÀ "), line(3, name="Trần Thị Hoa B")])
    )
    first, second, third = deaths["person_key"]
    assert first == second != third


# ------------------------------------------------------------------------------------------ practice books


def test_every_line_of_the_practice_books_lands_where_the_truth_says(tmp_path):
    from mortality.practice.source import SOURCE
    from tkyt_analysis.practice.world import create_world

    SOURCE.make(create_world("commune", tmp_path), lambda *told: None)
    parts = []
    for path in sorted((tmp_path / "received" / "a6").rglob("*.xlsx")):
        deaths, identities, quarantined, _ = read(path)
        assert len(quarantined) == 0
        assert len(identities) == len(deaths)
        parts.append(deaths.assign(file=path.relative_to(tmp_path / "received").as_posix()))
    truth = pd.concat(map(pd.read_parquet, sorted((tmp_path / "truth" / "a6_lines").glob("*.parquet"))))
    both = truth.merge(
        pd.concat(parts), on=["file", "sheet", "row_number"], how="outer", indicator=True, suffixes=("_true", "")
    )
    assert both["_merge"].eq("both").all()
    assert (both["unit_id"] == both["unit_id_true"]).all()
    assert (both["cause_text"].fillna("") == both["cause_text_true"].fillna("")).all()

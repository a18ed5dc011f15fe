"""Certificates, notices, sent-home lists and civil registrations: lists and printed forms become the same records."""

import pandas as pd
import pytest
from document_files import (
    CERTIFICATE_FORM,
    HOME,
    NOTICE_FORM,
    ROWS,
    csv_file,
    form_file,
    list_file,
    list_rows,
    workbook,
)
from hypothesis import given
from hypothesis import strategies as st
from ingest_support import read_all, received

from mortality.documents.forms import CERTIFICATE_FORM_DOOR, NOTICE_FORM_DOOR
from mortality.documents.headers import codes_of_lines, kind_of_fields, match_document_header
from mortality.documents.lists import CERTIFICATE_DOOR, CIVIL_DOOR, NOTICE_DOOR, SENT_HOME_DOOR
from mortality.documents.words import read_interval, read_option, ticked_option
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.legacy_fonts import encode

DOORS = {door.kind.id: door for door in (CERTIFICATE_DOOR, CIVIL_DOOR, NOTICE_DOOR, SENT_HOME_DOOR)}
KINDS = sorted(DOORS)
SECRETS = (
    "Nguyễn Văn A",
    "NGUYỄN VĂN A",
    "Thôn 3",
    "Lê Thị Khai",
    "000150000111",
    "BN000123",
    "BA55",
    "Trần Lập Phiếu",
)
PERSONAL = ("death_identity", "death_as_written", "sent_home_identity", "verbal_autopsy_identity")


def main(answer):
    return answer.tables.get("death", answer.tables.get("sent_home_dying", pd.DataFrame()))


def person(answer):
    return answer.tables.get("death_identity", answer.tables.get("sent_home_identity")).iloc[0]


# ---------------------------------------------------------------------------------------------- headings


@pytest.mark.parametrize("row", read_codelist("death_document_headers").itertuples(), ids=lambda row: row.field)
def test_the_example_of_every_heading_means_its_field(row):
    assert match_document_header(row.example) == row.field


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("1a", "line_a"), ("Dòng b | Mã ICD-10", "line_b_icd10"), ("Dòng c | Khoảng thời gian", "line_c_interval"),
        ("Chẩn đoán dòng d", "line_d"), ("Phần II", "part2"), ("Số trích lục khai tử", "registration_number"),
        ("Số giấy báo tử", "notice_number"), ("Ngày cấp giấy báo tử", "document_date"), ("Ngày xin về", "discharge_date"),
        ("Họ và tên người chết", "full_name"), ("Ngày đăng ký khai tử", "registration_date"), ("Nơi tử vong", "place_of_death"),
        ("Họ tên người đi khai", "informant"), ("Tổ dân phố 6", ""), ("Nam", "male"),
    ],
)  # fmt: skip
def test_other_wordings_of_headings(heading, field):
    assert match_document_header(heading) == field


def test_repeated_bare_codes_belong_to_the_line_before_them_and_a_single_one_to_the_record():
    repeated = ["full_name", "line_a", "interval", "icd10_as_written", "line_b", "interval", "icd10_as_written"]
    assert codes_of_lines(repeated)[2:] == [
        "line_a_interval", "line_a_icd10", "line_b", "line_b_interval", "line_b_icd10",
    ]  # fmt: skip
    assert codes_of_lines(["line_a", "line_b", "icd10_as_written"]) == ["line_a", "line_b", "icd10_as_written"]


def test_a_book_of_deaths_is_no_other_document_whatever_columns_it_has():
    fields = {"full_name", "death_date", "notice_number", "cause_text"}
    assert kind_of_fields(fields, ("DANH SÁCH",)).id == "death_notice"
    assert kind_of_fields(fields, ("SỔ THEO DÕI NGUYÊN NHÂN TỬ VONG",)) is None


# ------------------------------------------------------------------------------------------------- lists


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_is_known_by_its_headings_and_every_row_lands_at_its_place(tmp_path, kind):
    file = list_file(tmp_path, kind, {}, {})
    assert {other: door.recognise(file) for other, door in DOORS.items()} == {k: 0.97 * (k == kind) for k in DOORS}
    answer = read_all(DOORS[kind], file)
    heading = len(list_rows(kind)) - 1
    assert (answer.received, answer.landed, len(answer.quarantined)) == (2, 2, 0)
    assert main(answer)["row_number"].tolist() == [heading + 1, heading + 2]
    assert main(answer)["residence_unit_id"].tolist() == ["VN2024:21112"] * 2
    assert main(answer).iloc[0][["sex", "birth_year"]].tolist() == ["male", 1950]


@pytest.mark.parametrize("kind", KINDS)
def test_a_csv_gives_the_same_records_as_the_workbook(tmp_path, kind):
    file = csv_file(tmp_path, kind)
    assert DOORS[kind].recognise(file) == 0.97
    of_workbook, of_csv = main(read_all(DOORS[kind], list_file(tmp_path, kind))), main(read_all(DOORS[kind], file))
    place = [
        "record_key",
        "sheet",
        "row_number",
        "unit_id",
        "facility_id",
        "facility_name",
    ]  # titles stand only in the workbook
    pd.testing.assert_frame_equal(
        *(t.drop(columns=place, errors="ignore") for t in (of_workbook, of_csv)), check_dtype=False
    )


@pytest.mark.parametrize("kind", KINDS)
def test_who_it_is_stands_in_the_restricted_store_and_nowhere_else(tmp_path, kind):
    answer = read_all(DOORS[kind], list_file(tmp_path, kind, {"Ghi chú": "nhà Lê Thị Khai"}))
    assert "Nguyễn" in person(answer)["full_name"].title()
    open_text = answer.notes.to_csv() + answer.quarantined.to_csv()
    for name, table in answer.tables.items():
        if name not in PERSONAL:
            open_text += table.drop(columns="person_key", errors="ignore").to_csv()
    assert [secret for secret in SECRETS if secret in open_text] == []


def test_civil_registration_keeps_number_dates_and_informant(tmp_path):
    answer = read_all(CIVIL_DOOR, list_file(tmp_path, "civil_registration"))
    death, document = main(answer).iloc[0], answer.tables["death_document"].iloc[0]
    assert death[["source", "unit_id", "cause_text", "place_of_death"]].tolist() == [
        "civil_registration", "VN2024:21112", "Già yếu", "home",
    ]  # fmt: skip
    assert document["document_date"] - death["death_date"] == pd.Timedelta(days=5)
    assert document[["registration_type", "informant_relation"]].tolist() == ["on_time", "Con"]
    assert person(answer)[["document_number", "informant"]].tolist() == ["12/2024", "Lê Thị Khai"]


def test_a_civil_registration_whose_commune_cannot_be_told_is_quarantined_with_its_row(tmp_path):
    file = list_file(tmp_path, "civil_registration", {"Nơi cư trú cuối cùng": "Thôn 3"}, titles=["DANH SÁCH KHAI TỬ"])
    answer = read_all(CIVIL_DOOR, file)
    assert (answer.received, answer.landed) == (1, 0)
    assert answer.quarantined.iloc[0][["sheet", "row_number"]].tolist() == ["DS", 4]


def test_the_place_of_registration_counts_before_the_heading_and_the_residence(tmp_path):
    change = {"Nơi đăng ký": "UBND xã Bình Hải, huyện Bình Sơn, tỉnh Quảng Ngãi"}
    answer = read_all(CIVIL_DOOR, list_file(tmp_path, "civil_registration", change))
    assert main(answer)[["unit_id", "residence_unit_id"]].values.tolist() == [["VN2024:21067", "VN2024:21112"]]


def test_a_notice_keeps_the_day_behind_the_hour_and_its_facility(tmp_path):
    answer = read_all(NOTICE_DOOR, list_file(tmp_path, "death_notice"))
    assert main(answer)["death_date"].tolist() == [pd.Timestamp("2024-03-05")]
    document = answer.tables["death_document"].iloc[0]
    assert document[["facility_id", "document_date"]].tolist() == ["KCB:51Z01", pd.Timestamp("2024-03-06")]
    assert main(answer)["unit_id"].tolist() == [
        "VN2024:51"
    ]  # of the heading, never the facility's code taken for a commune's


def test_a_patient_taken_home_dying_is_no_death(tmp_path):
    answer = read_all(SENT_HOME_DOOR, list_file(tmp_path, "sent_home"))
    assert set(answer.tables) == {"sent_home_dying", "sent_home_identity"}
    row = main(answer).iloc[0]
    assert row[["discharge_date", "discharge_state", "expected_outcome"]].tolist() == [
        pd.Timestamp("2024-03-04"), "sent_home_dying", "Tử vong",
    ]  # fmt: skip
    assert row[["diagnosis_text", "icd10_as_written", "age_years"]].tolist() == ["Nhồi máu não", "I63.9", 2024 - 1950]


def test_a_certificate_keeps_every_line_with_code_and_interval_as_written(tmp_path):
    answer = read_all(CERTIFICATE_DOOR, list_file(tmp_path, "certificate"))
    causes = answer.tables["death_cause"]
    assert causes[["line", "position", "icd10_code", "cause_text"]].values.tolist() == [
        ["a", 1, "J96.0", "Suy hô hấp"], ["b", 1, "J18.9", "Viêm phổi"], ["c", 1, "I63.9", "Nhồi máu não"],
        ["part2", 1, "I10", "Tăng huyết áp"], ["part2", 2, "E11.9", "Tăng huyết áp"],
    ]  # fmt: skip
    assert causes["icd10_as_written"].tolist()[-1] == "E119"
    assert causes[["interval_as_written", "interval_unit"]].values.tolist()[:2] == [
        ["2 giờ", "hours"],
        ["3 ngày", "days"],
    ]
    assert answer.notes["note"].tolist() == ["note.interval_not_a_number"]  # "vài tuần" stays as written
    part_b = answer.tables["certificate"].iloc[0]
    assert part_b[["surgery", "autopsy", "manner"]].tolist() == ["no", "no", "disease"]


def test_the_recorded_cause_is_the_lowest_used_line_unless_the_underlying_cause_is_given(tmp_path):
    plain = main(read_all(CERTIFICATE_DOOR, list_file(tmp_path, "certificate"))).iloc[0]
    assert plain[["cause_text", "icd10_as_written"]].tolist() == ["Nhồi máu não", "I63.9"]
    given = list_file(tmp_path, "certificate", {"Nguyên nhân gốc": "Tai biến", "Mã ICD-10 nguyên nhân gốc": "i64"})
    row = main(read_all(CERTIFICATE_DOOR, given)).iloc[0]
    assert row[["cause_text", "underlying_cause_as_given"]].tolist() == ["Tai biến", "I64"]


@pytest.mark.parametrize(
    ("written", "day", "note"),
    [
        ("5/3/24", "2024-03-05", "note.two_digit_year"), ("15/8 âl", "2024-09-17", "note.lunar_date_converted"),
        ("03/25/2024", "2024-03-25", "note.day_month_swapped"), ("20240305", "2024-03-05", ""),
        ("202403050930", "2024-03-05", ""), ("45356", "2024-03-05", "note.excel_serial_date"), ("hôm qua", None, "note.date_unreadable"),
    ],
)  # fmt: skip
def test_dates_of_death_as_offices_write_them(tmp_path, written, day, note):
    answer = read_all(CIVIL_DOOR, list_file(tmp_path, "civil_registration", {"Ngày chết": written}))
    found = main(answer)["death_date"].dt.strftime("%Y-%m-%d").iloc[0]
    assert (found if day else pd.isna(found)) == (day or True)
    assert [one for one in answer.notes["note"] if "date" in one or "day" in one or "year" in one] == (
        [note] if note else []
    )


@pytest.mark.parametrize("font", ["TCVN3", "VNI"])
def test_a_list_in_an_old_font_is_read_and_says_so_without_repeating_names(tmp_path, font):
    rows = [{}, *({"Họ, chữ đệm, tên người chết": f"Trần Thị Bưởi {n}"} for n in "BCDE")]
    file = list_file(tmp_path, "civil_registration", *rows, store=lambda text: encode(text, font))
    assert CIVIL_DOOR.recognise(file) == 0.97
    answer = read_all(CIVIL_DOOR, file)
    assert answer.tables["death_identity"]["full_name"].tolist()[1] == "Trần Thị Bưởi B"
    assert "note.legacy_font_converted" in set(answer.notes["note"])
    assert "Bưởi" not in answer.notes.to_csv()


def test_totals_signatures_and_numbering_rows_are_no_deaths(tmp_path):
    rows = list_rows("death_notice", {}, {})
    heading = next(at for at, row in enumerate(rows) if isinstance(row, list))
    width = len(rows[heading])
    rows.insert(heading + 1, list(range(1, width + 1)))
    rows += [
        ["Tổng cộng", None, 2],
        None,
        [None] * (width - 3) + ["Người lập bảng"],
        [None] * (width - 3) + ["Trần Lập Phiếu"],
    ]
    answer = read_all(NOTICE_DOOR, received(workbook(tmp_path / "x.xlsx", {"DS": rows})))
    assert (answer.received, answer.landed) == (2, 2)


def test_a_row_without_name_date_and_cause_is_quarantined_not_dropped(tmp_path):
    blank = dict.fromkeys(ROWS["death_notice"], None) | {"TT": 2, "Ngày cấp": "06/03/2024", "Giới tính": "Nam"}
    answer = read_all(NOTICE_DOOR, list_file(tmp_path, "death_notice", {}, blank))
    assert (answer.received, answer.landed) == (2, 1)
    assert answer.reasons == ["quarantine.death_line_unreadable"]


def test_names_of_before_the_merger_are_understood_after_it(tmp_path):
    changes = {"Ngày chết": "05/09/2025", "Ngày đăng ký": "06/09/2025"}
    title = ["UBND xã Bình Sơn, tỉnh Quảng Ngãi", "DANH SÁCH ĐĂNG KÝ KHAI TỬ", "Năm 2025"]
    answer = read_all(CIVIL_DOOR, list_file(tmp_path, "civil_registration", changes, titles=title))
    unit, home = main(answer).iloc[0][["unit_id", "residence_unit_id"]]
    assert unit.startswith("VN2025:")
    assert home == "VN2024:21112"


def test_a_workbook_cut_in_two_is_refused_with_a_sentence(tmp_path):
    file = list_file(tmp_path, "certificate")
    half = received(tmp_path / "half.xlsx", file.path.read_bytes()[:3000])
    assert CERTIFICATE_DOOR.recognise(half) == 0
    with pytest.raises(InputError, match="half.xlsx"):
        read_all(CERTIFICATE_DOOR, half)


@given(st.lists(st.sampled_from(["good", "blank", "no_place", "odd"]), min_size=1, max_size=8))
def test_whatever_the_rows_received_is_landed_plus_quarantined(tmp_path_factory, kinds):
    changes = {
        "good": {}, "blank": dict.fromkeys(ROWS["civil_registration"], None) | {"STT": 1, "Loại đăng ký": "Quá hạn", "Người đi khai": "X"},
        "no_place": {"Nơi cư trú cuối cùng": None}, "odd": {"Ngày chết": "??", "Giới tính": "bê đê", "Loại đăng ký": "lạ"},
    }  # fmt: skip
    file = list_file(tmp_path_factory.mktemp("rows"), "civil_registration", *(changes[kind] for kind in kinds))
    answer = read_all(CIVIL_DOOR, file)
    assert answer.received == answer.landed + len(answer.quarantined) == len(kinds)
    assert len(answer.quarantined) == kinds.count("blank")


# ------------------------------------------------------------------------------------------------- forms


def test_a_printed_certificate_becomes_the_record_of_the_list(tmp_path):
    form = read_all(CERTIFICATE_FORM_DOOR, form_file(tmp_path, CERTIFICATE_FORM))
    listed = read_all(CERTIFICATE_DOOR, list_file(tmp_path, "certificate"))
    same = [
        "source",
        "unit_id",
        "residence_unit_id",
        "death_date",
        "birth_year",
        "sex",
        "age_years",
        "cause_text",
        "icd10_as_written",
    ]
    assert main(form)[same].values.tolist() == main(listed)[same].values.tolist()
    columns = ["line", "position", "cause_text", "icd10_as_written", "interval_as_written", "interval_unit"]
    pd.testing.assert_frame_equal(form.tables["death_cause"][columns], listed.tables["death_cause"][columns])
    part_b = ["surgery", "autopsy", "manner"]
    assert form.tables["certificate"][part_b].values.tolist() == [["no", "no", "disease"]]
    assert person(form)[["patient_number", "signed_by", "id_number"]].tolist() == [
        "BA55",
        "Trần Lập Phiếu",
        "000150000111",
    ]


def test_a_printed_notice_becomes_the_record_of_the_list(tmp_path):
    form = read_all(NOTICE_FORM_DOOR, form_file(tmp_path, NOTICE_FORM))
    listed = read_all(NOTICE_DOOR, list_file(tmp_path, "death_notice"))
    same = ["source", "unit_id", "residence_unit_id", "death_date", "birth_year", "sex", "age_years", "cause_text"]
    assert main(form)[same].values.tolist() == main(listed)[same].values.tolist()
    assert person(form)["document_number"] == "77/GBT"


def test_every_sheet_and_every_form_of_a_sheet_is_one_record(tmp_path):
    second = [row.replace("NGUYỄN VĂN A", "LÊ B") if isinstance(row, str) else row for row in NOTICE_FORM]
    answer = read_all(NOTICE_FORM_DOOR, form_file(tmp_path, NOTICE_FORM, [*second, None, *NOTICE_FORM]))
    assert main(answer)[["sheet", "row_number"]].values.tolist() == [["P1", 4], ["P2", 4], ["P2", 4 + len(second) + 1]]
    assert answer.tables["death_identity"]["full_name"].tolist() == ["NGUYỄN VĂN A", "LÊ B", "NGUYỄN VĂN A"]
    assert main(answer)["record_key"].is_unique


def test_a_form_left_blank_is_quarantined_at_its_title(tmp_path):
    blank = [row.split(":")[0] + ": ………" if isinstance(row, str) and ":" in row else row for row in NOTICE_FORM]
    blank[9] = "Đã tử vong vào lúc …… giờ …… phút, ngày …… tháng …… năm ……"
    answer = read_all(NOTICE_FORM_DOOR, form_file(tmp_path, NOTICE_FORM, blank))
    assert (answer.received, answer.landed) == (2, 1)
    assert answer.quarantined.iloc[0][["reason", "sheet", "row_number"]].tolist() == [
        "quarantine.document_form_empty",
        "P2",
        4,
    ]


def test_a_note_on_a_form_names_the_cell(tmp_path):
    odd = [("Ngày cấp: hôm kia" if row == "Ngày cấp: 06/03/2024" else row) for row in NOTICE_FORM]
    notes = read_all(NOTICE_FORM_DOOR, form_file(tmp_path, odd)).notes
    assert notes[["column_name", "row_number", "note"]].values.tolist() == [["A12", 12, "note.date_unreadable"]]


def test_a_form_in_decomposed_letters_or_an_old_font_is_known(tmp_path):
    import unicodedata

    for store in (lambda text: unicodedata.normalize("NFD", text), lambda text: encode(text, "TCVN3")):
        file = form_file(tmp_path, CERTIFICATE_FORM, store=store)
        assert CERTIFICATE_FORM_DOOR.recognise(file) == 0.96
        assert main(read_all(CERTIFICATE_FORM_DOOR, file)).iloc[0][["sex", "cause_text"]].tolist() == [
            "male",
            "Nhồi máu não",
        ]


def test_a_workbook_without_the_form_says_so(tmp_path):
    file = form_file(tmp_path, ["Báo cáo", "GIẤY BÁO TỬ đã cấp trong năm: 12"])
    assert NOTICE_FORM_DOOR.recognise(file) == 0
    with pytest.raises(InputError, match="Giấy báo tử"):
        read_all(NOTICE_FORM_DOOR, file)


# ------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize(
    "row", read_codelist("death_document_words").itertuples(), ids=lambda row: f"{row.field}-{row.code}"
)
def test_the_example_of_every_word_has_its_code(row):
    assert read_option(row.field, row.example) == row.code


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("☐ Bệnh ☒ Tai nạn", "Tai nạn"), ("Bệnh [ ] Tai nạn [x]", "Tai nạn"), ("[x] Có [ ] Không", "Có"), ("☐ Có ☐ Không", ""),
        ("Tai nạn", "Tai nạn"), ("", ""),
    ],
)  # fmt: skip
def test_the_ticked_box_says_the_answer_whether_it_stands_before_or_behind(text, option):
    assert ticked_option(text) == option


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3 ngày", (3, "days")), ("1,5 tháng", (1.5, "months")), ("khoảng 2 giờ", (2, "hours")), ("10 năm nay", (10, "years")),
        ("3-5 ngày", (None, "")), ("không rõ", (None, "")), ("", (None, "")),
    ],
)  # fmt: skip
def test_an_interval_is_one_number_or_stays_as_written(text, found):
    assert read_interval(text) == found


def test_the_address_names_the_commune(tmp_path):
    answer = read_all(
        NOTICE_DOOR,
        list_file(tmp_path, "death_notice", {"Nơi thường trú": "xã Không Có, huyện Bình Sơn, tỉnh Quảng Ngãi"}),
    )
    assert main(answer)["residence_unit_id"].isna().all()
    assert "note.residence_not_found" in set(answer.notes["note"])
    assert HOME not in answer.notes.to_csv()

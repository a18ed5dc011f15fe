"""The workbook of questions and its way back: whatever a province does to the sheet, an answer finds its case or is named."""

import json
import random
import shutil
import stat

import openpyxl
import pytest
from case_support import COMMUNES, PROVINCE, checked, finding, forget, query
from ingest_support import Known, received

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.receive import doors, ingest
from tkyt_analysis.ingest.summary import sentence
from tkyt_analysis.labels import label
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.quality.cases.actions import accept_cases, list_cases, show_case
from tkyt_analysis.quality.cases.reply_door import DOOR, read_answer
from tkyt_analysis.quality.cases.reply_sheet import COLUMNS, HEADER_ROW, shown_id
from tkyt_analysis.quality.cases.workbook import write_case_workbook

AT = {name: at for at, name in enumerate(COLUMNS, 1)}
RIGHT, WRONG, UNCLEAR = (label(f"case_reply.answer.{one}", "vi") for one in ("right", "wrong", "unclear"))


@pytest.fixture(scope="module")
def whole_home(tmp_path_factory):
    place = tmp_path_factory.mktemp("home") / "tkyt"
    prepare_home(place, practice=True)
    return place


@pytest.fixture
def asked(whole_home, tmp_path):
    """A home with three questions (values 140, 200, 300), and the workbook that asks them, the largest first."""
    forget(whole_home)
    checked(whole_home, *drawn())
    made = write_case_workbook(whole_home, PROVINCE, tmp_path / "hoi.xlsx")
    assert (made.asked, made.waiting) == (3, 3)
    return whole_home, tmp_path / "hoi.xlsx"


@pytest.fixture(scope="module")
def sent(whole_home, tmp_path_factory):
    """The same workbook, made once: (its file, {case id: unit}). For tests that only read what comes back."""
    forget(whole_home)
    checked(whole_home, *drawn())
    path = tmp_path_factory.mktemp("sent") / "hoi.xlsx"
    write_case_workbook(whole_home, PROVINCE, path)
    rows = list_cases(whole_home)
    return path, dict(zip(rows["finding_id"], rows["unit_id"], strict=True))


def drawn():
    return [finding(unit, value=value, probability=0.9, suggested=14.0)
            for unit, value in zip(COMMUNES, (140.0, 200.0, 300.0), strict=True)]  # fmt: skip


def read_back(sent, change, folder):
    """({unit: answer}, [(reason, sentence)], notes) of the workbook changed by a unit, as the door reads it."""
    path, units = sent
    book = openpyxl.load_workbook(path)
    change(book)
    book.save(folder / "tra_loi.xlsx")
    (batch,) = DOOR.read(received(folder / "tra_loi.xlsx"), Known())
    assert batch.received == len(batch.rows) + len(batch.quarantined)
    landed = {units[row.finding_id]: row.answer for row in batch.rows.itertuples()} if len(batch.rows) else {}
    lost = [(one.reason, sentence(one.reason, vars(one) | {"fields": json.dumps(dict(one.fields))}))
            for one in batch.quarantined]  # fmt: skip
    return landed, lost, [note.note for note in batch.notes]


def questions(book):
    return next(sheet for sheet in book.worksheets if sheet.sheet_state == "visible")


def reply(home, path, change):
    """The workbook changed by a unit and received; (rows that landed, quarantined rows as sentences, notes)."""
    book = openpyxl.load_workbook(path)
    change(book)
    target = path.with_name(f"tra_loi_{random.random()}.xlsx")
    book.save(target)
    return receive(home, target)


def receive(home, target):
    (file,) = ingest(home, [target]).files
    assert file["status"] == "read"
    assert file["received"] == file["landed"] + file["quarantined"]
    where = f"WHERE file_sha256 = '{file['sha256']}'"
    landed = query(home, f"SELECT * FROM lake.case_event {where} ORDER BY event_number")
    lost = query(home, f"SELECT * FROM lake.quarantine {where} ORDER BY row_number").to_dict("records")
    notes = query(home, f"SELECT note FROM lake.ingest_note {where}")["note"].tolist()
    return landed, [(one["reason"], sentence(one["reason"], one)) for one in lost], notes


def fill(sheet, row, answer="", corrected=None, why="", who="Trạm trưởng"):
    for name, value in (("answer", answer), ("corrected", corrected), ("why", why), ("who", who)):
        sheet.cell(row, AT[name], value)


def answer_all(book):
    sheet = questions(book)
    fill(sheet, HEADER_ROW + 1, WRONG, 30)
    fill(sheet, HEADER_ROW + 2, RIGHT, why="Chiến dịch tiêm bù")
    fill(sheet, HEADER_ROW + 3, UNCLEAR)


def by_unit(landed):
    return dict(zip(landed["unit_id"], landed["answer"], strict=True))


ALL = {COMMUNES[2]: "wrong", COMMUNES[1]: "right", COMMUNES[0]: "unclear"}


def test_the_sheet_asks_in_words_the_largest_first_and_only_answers_may_be_written(asked):
    home, path = asked
    book = openpyxl.load_workbook(path)
    sheet = questions(book)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [sheet.cell(HEADER_ROW + at, AT["value"]).value for at in (1, 2, 3)] == [300, 200, 140]
    assert sheet.cell(HEADER_ROW + 1, AT["expected"]).value == "14 (8–21)"
    assert sheet.cell(HEADER_ROW + 1, AT["suggested"]).value == 14
    assert "−286" in sheet.cell(HEADER_ROW + 1, AT["change"]).value
    assert "300" in sheet.cell(HEADER_ROW + 1, AT["question"]).value
    assert sheet.protection.sheet
    unlocked = {name for name, at in AT.items() if not sheet.cell(HEADER_ROW + 1, at).protection.locked}
    assert unlocked == {"answer", "corrected", "why", "who"}
    assert sheet.data_validations.dataValidation[0].formula1 == f'"{RIGHT},{WRONG},{UNCLEAR}"'
    assert "mô phỏng" in str(sheet.cell(5, 1).value)
    assert set(list_cases(home)["state"]) == {"asked"}
    assert "case_workbook" in (home / "audit" / "log.jsonl").read_text("utf-8")


def test_no_more_questions_than_the_budget_and_the_rest_waits(asked, tmp_path):
    home, _ = asked
    made = write_case_workbook(home, PROVINCE, tmp_path / "mot.xlsx", most=1)
    assert (made.asked, made.waiting) == (1, 3)


def test_answers_become_events_and_change_no_data(asked):
    home, path = asked
    landed, lost, _ = reply(home, path, answer_all)
    assert (by_unit(landed), lost) == (ALL, [])
    rows = list_cases(home).set_index("unit_id")
    assert rows["state"].to_dict() == {COMMUNES[0]: "asked", COMMUNES[1]: "explained", COMMUNES[2]: "explained"}
    assert rows["reported_value"][COMMUNES[2]] == 30
    assert query(home, "SELECT value FROM lake.finding ORDER BY value")["value"].tolist() == [140.0, 200.0, 300.0]
    checked(home, *(finding(unit, value=value) for unit, value in zip(COMMUNES, (140.0, 200.0), strict=False)))
    assert list_cases(home).set_index("unit_id")["state"][COMMUNES[2]] == "mended"  # new data came without it


def sorted_rows(book):
    answer_all(book)
    sheet = questions(book)
    lines = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=HEADER_ROW + 1, max_row=HEADER_ROW + 3)]
    for at, line in enumerate(reversed(lines), HEADER_ROW + 1):
        for column, value in enumerate(line, 1):
            sheet.cell(at, column).value = value


def rows_inserted(book):
    answer_all(book)
    sheet = questions(book)
    sheet.insert_rows(1, 3)
    sheet.cell(1, 1, "SỞ Y TẾ TỈNH QUẢNG NGÃI")
    sheet.insert_rows(HEADER_ROW + 5)
    sheet.cell(HEADER_ROW + 5, 3, "ghi chú của phòng")


def renamed(book):
    answer_all(book)
    questions(book).title = "Trả lời của Sở"
    book.create_sheet("Bảng tính riêng")


def columns_moved(book):
    answer_all(book)
    sheet = questions(book)
    sheet.insert_cols(2)
    sheet.delete_cols(AT["dataset"] + 1)


def headings_without_accents(book):
    answer_all(book)
    sheet = questions(book)
    for name, text in (("answer", "TRA LOI"), ("corrected", "so dung"), ("why", "Giai thich"), ("id", "Ma cau hoi")):
        sheet.cell(HEADER_ROW, AT[name], text)


def without_hidden_sheet(book):
    answer_all(book)
    book.remove(next(sheet for sheet in book.worksheets if sheet.sheet_state != "visible"))


def ids_lost(book):
    answer_all(book)
    for at in (1, 2, 3):
        questions(book).cell(HEADER_ROW + at, AT["id"]).value = None


def typed_answers(book):
    answer_all(book)
    sheet = questions(book)
    for at, text in enumerate(("SAI", "dung, co giai thich", "chưa rõ lắm"), HEADER_ROW + 1):
        sheet.cell(at, AT["answer"], text)
    sheet.cell(HEADER_ROW + 1, AT["corrected"], "30 ")


@pytest.mark.parametrize(
    "damage",
    [
        sorted_rows,
        rows_inserted,
        renamed,
        columns_moved,
        headings_without_accents,
        without_hidden_sheet,
        ids_lost,
        typed_answers,
    ],
)
def test_a_damaged_sheet_is_still_understood(sent, damage, tmp_path):
    landed, lost, notes = read_back(sent, damage, tmp_path)
    assert (landed, lost) == (ALL, [])
    assert ("note.case_by_number" in notes) == (damage is ids_lost)


def test_rows_that_were_deleted_or_left_empty_wait(sent, tmp_path):

    def delete(book):
        sheet = questions(book)
        fill(sheet, HEADER_ROW + 2, RIGHT, why="đúng như sổ")
        sheet.delete_rows(HEADER_ROW + 1)

    assert read_back(sent, delete, tmp_path) == ({COMMUNES[1]: "right"}, [], ["note.case_unanswered"])


def broken(row, **said):
    return lambda book: fill(questions(book), HEADER_ROW + row, **said)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (broken(1, answer="để xem"), "quarantine.case_answer"),
        (broken(1, why="có giải thích mà không chọn"), "quarantine.case_answer"),
        (broken(1, answer=RIGHT), "quarantine.case_why"),
        (broken(1, answer=WRONG), "quarantine.case_corrected_missing"),
        (broken(1, answer=WRONG, corrected="khoảng ba mươi"), "quarantine.case_corrected_number"),
        (broken(1, answer=WRONG, corrected=-3), "quarantine.case_corrected_number"),
        (broken(1, answer=RIGHT, why="đủ", corrected=30), "quarantine.case_corrected_contradicts"),
    ],
)
def test_a_bad_answer_is_a_sentence_and_takes_no_other_with_it(sent, change, reason, tmp_path):

    def both(book):
        change(book)
        fill(questions(book), HEADER_ROW + 2, RIGHT, why="đã đối chiếu sổ tiêm")

    landed, lost, _ = read_back(sent, both, tmp_path)
    assert landed == {COMMUNES[1]: "right"}
    assert [one for one, _ in lost] == [reason]
    (said,) = [text for _, text in lost]
    assert str(HEADER_ROW + 1) in said
    assert "Hãy" in said or "hãy" in said
    assert "{" not in said


def test_an_id_of_another_place_and_two_answers_to_one_question_are_named(asked):
    home, path = asked

    def change(book):
        sheet = questions(book)
        fill(sheet, HEADER_ROW + 1, RIGHT, why="a")
        fill(sheet, HEADER_ROW + 2, RIGHT, why="b")
        sheet.cell(HEADER_ROW + 2, AT["id"], sheet.cell(HEADER_ROW + 1, AT["id"]).value)
        fill(sheet, HEADER_ROW + 3, RIGHT, why="c")
        sheet.cell(HEADER_ROW + 3, AT["id"], shown_id("0123456789abcdef"))

    landed, lost, _ = reply(home, path, change)
    assert by_unit(landed) == {COMMUNES[2]: "right"}
    assert [one for one, _ in lost] == ["quarantine.case_twice", "quarantine.case_unknown"]


def test_wrong_with_the_reported_number_is_named(asked):
    home, path = asked
    landed, lost, _ = reply(home, path, broken(1, answer=WRONG, corrected=300))
    assert (len(landed), [one for one, _ in lost]) == (0, ["quarantine.case_same_value"])
    assert "300" in lost[0][1]


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda book: None, "error.case_reply_empty"),
        (lambda book: questions(book).delete_rows(HEADER_ROW), "error.case_reply_no_table"),
    ],
)
def test_a_sheet_without_answers_or_headings_says_so(sent, change, key, tmp_path):
    with pytest.raises(InputError) as problem:
        read_back(sent, change, tmp_path)
    assert problem.value.key == key


def test_the_same_file_twice_is_one_answer_and_a_late_copy_does_not_undo_a_decision(asked):
    home, path = asked
    book = openpyxl.load_workbook(path)
    answer_all(book)
    book.save(path)
    receive(home, path)
    again = ingest(home, [shutil.copy(path, path.with_name("lai.xlsx"))]).files[0]
    assert again["status"] == "known"
    case = list_cases(home).set_index("unit_id")["finding_id"][COMMUNES[1]]
    accept_cases(home, [case])
    reply(home, path, lambda book: questions(book).cell(1, 1, "bản lưu lại"))
    assert show_case(home, case)[0]["state"] == "accepted"
    before = len(query(home, "SELECT * FROM lake.case_event"))
    ingest(home, [path], retry=True)
    assert len(query(home, "SELECT * FROM lake.case_event")) == before


def test_answers_of_another_province_do_not_land(asked, monkeypatch):
    from tkyt_analysis.access import Account, Scope
    from tkyt_analysis.access import door as access_door

    home, path = asked
    book = openpyxl.load_workbook(path)
    answer_all(book)
    book.save(path)
    other = Account("hue", "province", "VN2025:46", Scope(units=frozenset({"VN2025:46"})))
    monkeypatch.setattr(access_door, "current_account", lambda home: other)
    ingest(home, [path])
    monkeypatch.undo()
    assert query(home, "SELECT * FROM lake.case_event WHERE event = 'explained'").empty
    assert set(query(home, "SELECT reason FROM lake.quarantine")["reason"]) >= {"quarantine.outside_scope"}


def test_names_and_numbers_of_patients_do_not_enter_the_open_store(asked):
    home, path = asked
    why = "Bà Nguyễn Thị Mẫu, CCCD 079099000123, tiêm hai lần"
    landed, _, _ = reply(home, path, broken(1, answer=RIGHT, why=why))
    assert "Mẫu" not in landed["note"][0]
    assert "079099000123" not in landed["note"][0]
    assert "tiêm hai lần" in landed["note"][0]


def test_no_other_door_takes_the_sheet_for_its_own(sent):
    file = received(sent[0])
    assert DOOR.recognise(file) == max(door.recognise(file) for door in doors()) == 0.97


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("Đúng – giải thích", "right"), ("đúng", "right"), ("DUNG", "right"), ("Right", "right"), ("không đúng", "wrong"),
        ("Sai – số đúng là", "wrong"), ("sai", "wrong"), ("Sai số", "wrong"), ("Chưa rõ", "unclear"), ("không rõ", "unclear"),
        ("", None), ("để xem", None), ("30", None), ("dungeon", None),
    ],
)  # fmt: skip
def test_answers_are_understood_as_people_type_them(text, answer):
    assert read_answer(text) == answer

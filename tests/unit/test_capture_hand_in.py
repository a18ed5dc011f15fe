"""From the form to the warehouse: the workbook, the door, corrections, the queue, and whose places they are."""

import os
from dataclasses import replace

import pytest

from mortality.capture.fields import WITH_CHOICES, choices_of, form_fields
from mortality.capture.handin import LANDED, QUARANTINED, settle
from mortality.capture.place import find_workplaces, require_writing, workplace
from mortality.capture.queue import open_record, waiting_records
from mortality.capture.records import FINISHED
from mortality.capture.session import open_session
from mortality.capture.workbook import write_workbook
from tkyt_analysis.access import acting_as, current_account, working_within
from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.warehouse.lake import Warehouse, create_home

UNIT = "VN2025:21115"
EVIL = "<script>alert(1)</script>"
FORMULA = "=cmd|' /C calc'!A0"
FULL = {
    "full_name": "Nguyễn Thị Hoa", "sex": "female", "birth": "12/03/1985", "age": "40", "ethnic_group": "Hrê", "id_number": "051185000123",
    "insurance_number": "HN2512345678901", "occupation": "Làm nông", "address": "Thôn 2", "death_date": "05/09/2025", "death_time": "14:30",
    "place_of_death": "health_facility", "death_place": "", "care_before_death": "province", "cause_text": "băng huyết sau đẻ",
    "icd10_as_written": "O72.1", "line_a": "sốc mất máu", "line_a_interval": "2 giờ", "line_a_icd10": "R57.1", "line_b": "băng huyết sau đẻ",
    "line_b_interval": "5 giờ", "line_b_icd10": "O72.1", "part2": "thiếu máu", "part2_icd10": "D64.9", "maternal_death": "yes",
    "maternal_timing": "within_42_days", "manner": "disease", "external_place": "", "external_activity": "", "source_list": "family",
    "informant_relation": "chồng", "note": FORMULA,
}  # fmt: skip
PLAIN = {"full_name": "Đinh Văn Bảy", "sex": "male", "birth": "1950", "death_date": "06/09/2025", "place_of_death": "home",
         "cause_text": EVIL, "icd10_as_written": "I64"}  # fmt: skip


@pytest.fixture
def home(tmp_path):
    create_home(tmp_path / "home")
    return tmp_path / "home"


def entered(home, *records):
    """A session with finished records."""
    session = open_session(home, UNIT, 2025)
    for values in records:
        session.begin({name: value for name, value in values.items() if value})
        session.drafts[session.current] = replace(session.draft, state=FINISHED)
    session.keep()
    return session


def rows(home, sql):
    with working_within(), Warehouse(home) as warehouse:
        warehouse.attach_restricted()
        return warehouse.query(sql).to_dict("records")


def test_a_finished_record_lands_with_every_field_and_leaves_the_draft(home):
    session = entered(home, FULL)
    handed = session.hand_in()
    assert [one.status for one in handed.answers] == [LANDED]
    assert session.draft.is_empty
    assert len(session.drafts) == 1
    (death,) = rows(home, "SELECT * FROM lake.death")
    assert death["unit_id"] == UNIT
    for name in ("sex", "death_time", "place_of_death", "care_before_death", "cause_text", "icd10_as_written", "maternal_timing",
                 "manner", "source_list", "ethnic_group", "occupation"):  # fmt: skip
        assert death[name] == FULL[name], name
    assert f"{death['death_date']:%d/%m/%Y}" == FULL["death_date"]
    assert bool(death["maternal_death"]) is True
    assert death["informant_relation"] == "spouse"
    (person,) = rows(home, "SELECT * FROM restricted.death_identity")
    for name in ("full_name", "address", "id_number", "insurance_number", "note"):
        assert person[name] == FULL[name], name
    causes = {one["line"]: one for one in rows(home, "SELECT * FROM lake.death_cause")}
    assert (causes["a"]["cause_text"], causes["a"]["interval_as_written"]) == ("sốc mất máu", "2 giờ")
    assert {line: one["icd10_as_written"] for line, one in causes.items()} == {
        "a": "R57.1",
        "b": "O72.1",
        "part2": "D64.9",
    }


def test_markup_and_formulas_are_text_from_the_form_to_the_warehouse(home):
    entered(home, PLAIN | {"note": FORMULA}).hand_in()
    (death,) = rows(home, "SELECT cause_text FROM lake.death")
    assert death["cause_text"] == EVIL
    (person,) = rows(home, "SELECT note FROM restricted.death_identity")
    assert person["note"] == FORMULA


def test_the_workbook_holds_texts_only_and_the_template_reads_back_through_the_door(home, tmp_path):
    """The template, filled in by hand as a commune does, lands with the same values as the app's hand-in."""
    import openpyxl

    path = tmp_path / "TuVong.xlsx"
    place = workplace(UNIT)
    write_workbook(path, place, 2025)
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    head = next(row for row in range(1, 20) if sheet.cell(row, 2).value == form_fields()["full_name"].heading)
    columns = {sheet.cell(head, at).value: at for at in range(1, sheet.max_column + 1)}
    for name, field in form_fields().items():
        value = FULL.get(name, "")
        word = choices_of(field.choices)[value]["vi"] if field.kind in WITH_CHOICES and value else value
        sheet.cell(head + 2, columns[field.heading]).value = word or None
        sheet.cell(head + 2, columns[field.heading]).data_type = "s"
    book.save(path)
    result = ingest(home, [path])
    assert (result.total("received"), result.total("landed"), result.total("quarantined")) == (1, 1, 0)
    by_hand = rows(home, "SELECT * EXCLUDE (death_id, record_key, file_sha256, row_number, person_key) FROM lake.death")
    entered(home, FULL | {"full_name": "Nguyễn Thị Hoa B"}).hand_in()
    both = rows(
        home, "SELECT DISTINCT * EXCLUDE (death_id, record_key, file_sha256, row_number, person_key) FROM lake.death"
    )
    assert len(both) == 1
    assert str(both[0]) == str(by_hand[0])


def test_an_empty_template_is_a_book_of_no_deaths(home, tmp_path):
    import openpyxl

    path = tmp_path / "TuVong.xlsx"
    write_workbook(path, workplace(UNIT), 2025, practice=True)
    texts = [
        str(cell.value) for row in openpyxl.load_workbook(path).worksheets[0].iter_rows() for cell in row if cell.value
    ]
    assert "Số liệu mô phỏng – không phải số liệu thật" in texts
    result = ingest(home, [path])
    assert result.total("landed") == 0
    assert [one["reason"] for one in rows(home, "SELECT reason FROM lake.quarantine")] == ["error.file_without_rows"]
    write_workbook(path, workplace(UNIT), 2025)
    texts = [
        str(cell.value) for row in openpyxl.load_workbook(path).worksheets[0].iter_rows() for cell in row if cell.value
    ]
    assert not [text for text in texts if "mô phỏng" in text]


def test_only_finished_records_are_handed_in(home):
    session = open_session(home, UNIT, 2025)
    session.begin({"full_name": "Đinh Văn Bảy"})
    with pytest.raises(InputError):
        session.hand_in()
    assert [one.values for one in session.drafts.values()] == [{"full_name": "Đinh Văn Bảy"}]


def test_a_hand_in_that_fails_loses_nothing_and_can_be_done_again(home, monkeypatch):
    session = entered(home, PLAIN)

    def broken(*_, **__):
        raise InputError("error.file_changing", file="x")

    monkeypatch.setattr("tkyt_analysis.ingest.receive.ingest", broken)
    with pytest.raises(InputError):
        session.hand_in()
    monkeypatch.undo()
    session.close()
    again = open_session(home, UNIT, 2025)
    again.resume()
    assert [one.state for one in again.drafts.values() if not one.is_empty] == [FINISHED]
    assert again.hand_in().count(LANDED) == 1


def test_a_process_that_died_after_the_door_took_the_records_hands_in_nothing_twice(home, monkeypatch):
    session = entered(home, PLAIN)

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("mortality.capture.handin.settle", die)
        with pytest.raises(Killed):
            session.hand_in()
    assert session.journal.read(session.journal.window).handing
    session.close()
    again = open_session(home, UNIT, 2025)
    answers = again.resume().answers
    assert [one.status for one in answers] == [LANDED]
    assert all(one.is_empty for one in again.drafts.values())
    assert len(rows(home, "SELECT * FROM lake.death")) == 1


def test_a_record_that_the_door_refuses_stays_with_its_reason(home):
    session = entered(home, PLAIN, {"occupation": "Làm nông"})  # no name, no date, no cause: the door cannot read it
    handed = session.hand_in()
    assert sorted(one.status for one in handed.answers) == [LANDED, QUARANTINED]
    (left,) = [one for one in session.drafts.values() if not one.is_empty]
    assert left.values == {"occupation": "Làm nông"}
    assert "họ tên" in left.refused


def test_a_correction_lands_beside_the_first_record_which_stays(home):
    (first,) = entered(home, PLAIN).hand_in().answers
    opened = open_record(home, first.death_id, why="thử")
    assert {name: opened.values[name] for name in PLAIN} == PLAIN
    session = open_session(home, UNIT, 2025)
    session.correct(opened.values | {"cause_text": "đột quỵ", "correction_reason": "gia đình nói lại"})
    session.drafts[session.current] = replace(session.draft, state=FINISHED)
    assert session.hand_in().count(LANDED) == 1
    assert len(rows(home, "SELECT * FROM lake.death")) == 2
    (replaced,) = rows(home, "SELECT * FROM lake.record_replacement")
    assert replaced["record_id"] == first.death_id
    assert replaced["reason"] == "gia đình nói lại"
    with pytest.raises(InputError, match=first.death_id):
        open_record(home, first.death_id, why="thử")  # a corrected record is corrected no second time


def test_the_queue_and_the_form_keep_to_the_account_s_places(home):
    (first,) = entered(home, PLAIN).hand_in().answers
    make_accounts(home)
    with acting_as(home, "tram_khac"):
        assert waiting_records(home) == []
        with pytest.raises(InputError, match="tram_khac"):
            open_record(home, first.death_id, why="thử")
        with pytest.raises(InputError):
            require_writing(home, UNIT)
        assert [one.unit_id for one in find_workplaces(current_account(home), "")] != []
        assert UNIT not in [one.unit_id for one in find_workplaces(current_account(home), "")]
    with acting_as(home, "tram"):
        opened = open_record(home, first.death_id, why="thử")
        assert not opened.named
        assert "full_name" not in opened.values
        assert "birth" in opened.values  # the year of birth is no identifier


def make_accounts(home):
    """Two health stations, neither with the right to identifiers."""
    from tkyt_analysis.access.accounts import AccountRecord, changing

    with changing(home) as accounts:
        for name, unit in (("tram", UNIT), ("tram_khac", "VN2025:21040")):
            accounts[name] = AccountRecord(name, "province_unit", unit, since="2020-01-01")


def test_no_plain_workbook_is_left_behind(home):
    entered(home, PLAIN).hand_in()
    assert list(home.rglob("*.xlsx")) == []
    for path in home.rglob("*"):
        if path.is_file() and os.access(path, os.R_OK):
            assert PLAIN["full_name"].encode() not in path.read_bytes(), path


def test_a_settled_journal_is_left_as_it_is(home):
    session = entered(home, PLAIN)
    kept = session.kept()
    assert settle(home, kept).kept == kept

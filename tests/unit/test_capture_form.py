"""The form of a death: one list for the app and the Excel book, and what people type into it."""

import datetime
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from mortality.capture.checking import OTHER_UNIT, may_be_finished, remarks_on
from mortality.capture.fields import GROUPS, WITH_CHOICES, choices_of, form_fields, groups
from mortality.capture.icd import proposals
from mortality.capture.place import workplace
from mortality.capture.records import copied, new_draft
from mortality.capture.typed import clean, read_typed
from mortality.register_layout import is_register, match_header
from mortality.register_values import read_word
from mortality.validation.edit_relation import _FOUND
from mortality.validation.one_record import validate_record

TODAY = datetime.date(2026, 1, 10)


def typed(name, text, year=2025):
    return read_typed(form_fields()[name], text, book_year=year, today=TODAY)


@pytest.mark.parametrize("name", list(form_fields()))
def test_every_heading_of_the_book_is_known_to_the_register_s_door(name):
    assert match_header(form_fields()[name].heading) == name


def test_the_headings_together_are_those_of_a_death_register():
    assert is_register({match_header(field.heading) for field in form_fields().values()})


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (one.name, code)
        for one in form_fields().values()
        if one.kind in WITH_CHOICES
        for code in choices_of(one.choices)
    ],
)
def test_every_word_of_a_drop_down_is_read_back_as_its_code(name, code):
    assert read_word(name, choices_of(form_fields()[name].choices)[code]["vi"]) == code


def test_every_field_has_words_in_both_languages_and_stands_in_a_group():
    assert [group for group, _ in groups()] == list(GROUPS)
    for field in form_fields().values():
        assert all([*field.title.values(), *field.help.values(), field.heading]), field.name


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("death_date", "5/6/25", "05/06/2025"),
        ("death_date", "050625", "05/06/2025"),
        ("death_date", "5-6", "05/06/2025"),  # the year of the book
        ("death_date", "05062025", "05/06/2025"),
        ("death_date", "15/8 âl 2024", "15/8 âl 2024"),  # a lunar date stays as written, the door converts it
        ("birth", "1950", "1950"),
        ("birth", "5.6.50", "05/06/1950"),
        ("sex", "nữ", "female"),
        ("sex", "F", "female"),
        ("sex", "na", "male"),
        ("sex", "male", "male"),
        ("age", "78t", "78"),
        ("age", "3 ngày", "3 ngày"),
        ("age", "6/12", "6 tháng"),
        ("death_time", "14h30", "14:30"),
        ("death_time", "0705", "07:05"),
        ("id_number", "051 150 000 123", "051150000123"),
        ("icd10_as_written", "c349", "C34.9"),
        ("icd10_as_written", "i64; j18.9", "I64, J18.9"),
        ("place_of_death", "tại nhà", "home"),
        ("manner", "tai nan", "accident"),
        ("maternal_death", "k", "no"),
    ],
)
def test_what_people_type_is_understood(name, text, value):
    assert typed(name, text).value == value
    assert typed(name, text).unread == ""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("death_date", "31/2/2025"),
        ("death_date", "hôm qua"),
        ("death_time", "25:10"),
        ("age", "già"),
        ("sex", "n"),  # Nam or Nữ?
        ("icd10_as_written", "tai biến"),
        ("place_of_death", "ở đó"),
    ],
)
def test_what_cannot_be_read_stays_as_typed_and_is_said(name, text):
    assert typed(name, text).value == text
    assert typed(name, text).unread == f"capture.unread.{typed(name, text).unread.rpartition('.')[2]}"


def test_texts_lose_what_is_invisible_and_nothing_else():
    assert clean("  Nguyễn\u200b  Thị\tHoa\n") == "Nguyễn Thị Hoa"
    assert clean("<script>alert(1)</script>") == "<script>alert(1)</script>"
    assert clean("=cmd|' /C calc'!A0") == "=cmd|' /C calc'!A0"


WOMAN = {
    "full_name": "Nguyễn Thị Hoa", "sex": "male", "birth": "12/03/1950", "death_date": "05/06/2025", "place_of_death": "home",
    "cause_text": "tai biến mạch máu não", "icd10_as_written": "I64",
}  # fmt: skip


def remarks(draft, *, complete=False):
    return remarks_on(draft, place=None, book_year=2025, today=TODAY, complete=complete)


def test_a_warning_is_answered_as_written_and_asked_again_when_the_field_changes():
    draft = new_draft(WOMAN)
    (warning,) = [one for one in remarks(draft) if one.severity == "warning"]
    assert warning.field == "sex"
    assert not may_be_finished(remarks(draft, complete=True))
    from mortality.capture.checking import about

    answered = draft.with_confirmed(warning.rule_id, about(draft, warning.field))
    assert may_be_finished(remarks(answered, complete=True))
    assert all(one.confirmed for one in remarks(answered) if one.severity == "warning")
    assert not may_be_finished(remarks(answered.with_value("birth", "1951"), complete=True))


def test_nothing_is_asked_of_fields_that_nobody_came_to_yet():
    draft = new_draft({"full_name": "Nguyễn Thị Hoa"})
    assert [one for one in remarks(draft) if one.severity != "note"] == []
    missing = {one.field for one in remarks(draft, complete=True) if one.severity == "error"}
    assert missing == {"sex", "birth", "death_date", "place_of_death", "cause_text"}


def test_an_unreadable_date_is_an_error_beside_its_field():
    draft = new_draft(WOMAN | {"death_date": "31/2/2025", "sex": "female"})
    assert [(one.field, one.severity) for one in remarks(draft)][0] == ("death_date", "error")


def test_the_record_before_lends_place_and_source_never_the_person():
    before = new_draft(WOMAN | {"address": "Thôn 2", "source_list": "family"})
    after = copied(new_draft({"full_name": "Đinh Văn Bảy", "address": "Thôn 9"}), before)
    assert after.values == {
        "full_name": "Đinh Văn Bảy",
        "address": "Thôn 9",
        "place_of_death": "home",
        "source_list": "family",
    }


def test_codes_are_proposed_with_numbers_and_the_words_stay():
    found = proposals({"cause_text": "tai bien mach mau nao"}, "cause_text", today=TODAY)
    assert (found[0].number, found[0].code) == (1, "I64")
    assert proposals({"cause_text": ""}, "cause_text", today=TODAY) == []
    assert proposals({"full_name": "tai bien"}, "full_name", today=TODAY) == []


def test_a_day_on_which_the_commune_did_not_exist_is_an_error_as_it_is_at_the_door():
    former = workplace("VN2024:21115")  # a town of before July 2025

    def said(day):
        draft = new_draft({"full_name": "Lò Thị Mùi", "sex": "female", "birth": "1950", "death_date": day})
        found = remarks_on(draft, place=former, book_year=2025, today=TODAY, complete=False)
        return [(one.severity, one.field) for one in found if one.rule_id == OTHER_UNIT]

    assert said("30/06/2025") == []
    assert said("01/07/2025") == [("error", "death_date")]


def test_what_is_said_of_a_record_does_not_depend_on_the_records_typed_before_it():
    """The kept tables and answers of single records: any order of records gives each the same sentences."""
    texts = {
        "full_name": ["Lò Thị Mùi", "Lò Văn Hà", ""], "sex": ["female", "male", ""], "birth": ["1950", "2030", "05/06/1950"],
        "death_date": ["05/06/2025", "15/8 âl 2024", "31/2/2025", ""], "cause_text": ["tai biến mạch máu não", "già", "HIV", ""],
        "icd10_as_written": ["I64", "C61", "O95", "X99.9Z", ""], "line_a": ["", "Suy hô hấp"], "line_a_icd10": ["", "J96"],
        "line_a_interval": ["", "3 ngày"], "manner": ["", "suicide"], "id_number": ["", "001150000123", "12"], "age": ["", "200", "3 ngày"],
    }  # fmt: skip
    draw = random.Random(7)
    records = [{name: draw.choice(some) for name, some in texts.items()} for _ in range(25)]
    there = [validate_record(one, today=TODAY, restricted=True) for one in records]
    back = [validate_record(one, today=TODAY, restricted=True) for one in reversed(records)]
    assert there == back[::-1]
    assert len({one.rule_id for found in there for one in found}) > 10

    def alone(record):  # a thread has tables of its own: nothing was typed before
        with ThreadPoolExecutor(1) as pool:
            _FOUND.clear()
            return pool.submit(validate_record, record, today=TODAY, restricted=True).result()

    assert [alone(one) for one in records[:3]] == there[:3]

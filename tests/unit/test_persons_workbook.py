"""The review workbook goes out to the path that somebody named, and its answers come back as decisions."""

import stat

import openpyxl
import pytest
from persons_support import persons, put, query, record

from mortality.linkage.workbook import COLUMNS, HEADER_ROW, take_review_workbook, write_review_workbook
from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.lake import Warehouse

FIRST, SECOND, THIRD = ("a1______", "a2______"), ("b1______", "b2______"), ("c1______", "c2______")


@pytest.fixture
def home(tmp_path):
    """Three pairs wait, as if the engine had found them."""
    people = [("a", "Nguyễn Thị Hoà"), ("b", "Lê Văn Khoáng"), ("c", "Trương Quang Mỹ")]
    records = [
        record(f"{letter}{n}", who=who, source="a6" if n == 1 else "civil_registration")
        for letter, who in people
        for n in (1, 2)
    ]
    home = put(tmp_path / "home", *records)
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        for (a, b), probability in zip((FIRST, SECOND, THIRD), (0.7, 0.6, 0.5), strict=True):
            warehouse.con.execute(
                "INSERT INTO lake.death_link_pair (record_a, record_b, probability, weight, levels, reasons, discharge, contradiction, state, held_back) "
                "VALUES (?, ?, ?, 1.0, '{\"name\": 10}', 'linkage.reason.name.other_marks', '', '', 'review', '')",
                [a, b, probability],
            )
    return home


def answer(path, *, pair, said, why="", copy_to=None):
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    row = HEADER_ROW + 1 + 2 * (pair - 1)
    page.cell(row, list(COLUMNS).index("answer") + 1).value = said
    page.cell(row, list(COLUMNS).index("why") + 1).value = why
    book.save(copy_to or path)


def test_the_workbook_shows_each_pair_on_two_lines_and_only_its_owner_may_open_it(home, tmp_path):
    made = write_review_workbook(home, tmp_path / "out" / "ra_soat.xlsx")
    assert (made["pairs"], made["waiting"]) == (3, 3)
    assert stat.S_IMODE((tmp_path / "out" / "ra_soat.xlsx").stat().st_mode) == 0o600
    page = openpyxl.load_workbook(tmp_path / "out" / "ra_soat.xlsx").worksheets[0]
    name = list(COLUMNS).index("full_name") + 1
    shown = [page.cell(row, name).value for row in range(HEADER_ROW + 1, HEADER_ROW + 7)]
    assert shown == ["Nguyễn Thị Hoà"] * 2 + ["Lê Văn Khoáng"] * 2 + ["Trương Quang Mỹ"] * 2


def test_answers_become_decisions_and_a_workbook_taken_twice_says_nothing_new(home, tmp_path):
    path = tmp_path / "ra_soat.xlsx"
    write_review_workbook(home, path)
    answer(path, pair=1, said="Có", why="đã hỏi gia đình")
    answer(path, pair=2, said="khong")  # typed, not chosen
    taken = take_review_workbook(home, path)
    assert (taken["decided"], taken["blank"], taken["problems"]) == (2, 1, [])
    assert persons(home) == [["a1", "a2"]]
    rows = query(home, "SELECT decision, reason FROM lake.death_link_decision ORDER BY record_a")
    assert rows["decision"].tolist() == ["same", "different"]
    assert rows["reason"].tolist()[0] == "đã hỏi gia đình"
    assert take_review_workbook(home, path)["decided"] == 0
    assert len(query(home, "SELECT * FROM lake.death_link_decision")) == 2


def test_an_answer_that_nobody_understands_is_named_with_its_row(home, tmp_path):
    path = tmp_path / "ra_soat.xlsx"
    write_review_workbook(home, path)
    answer(path, pair=2, said="hình như thế")
    taken = take_review_workbook(home, path)
    assert taken["decided"] == 0
    assert f"dòng {HEADER_ROW + 3}" in taken["problems"][0]


def test_another_workbook_is_refused_in_words(home, tmp_path):
    openpyxl.Workbook().save(tmp_path / "khac.xlsx")
    with pytest.raises(InputError, match="khac.xlsx"):
        take_review_workbook(home, tmp_path / "khac.xlsx")


def test_when_nothing_waits_no_workbook_is_written(tmp_path):
    home = put(tmp_path / "home", record("a1"))
    with pytest.raises(InputError, match="chờ xem"):
        write_review_workbook(home, tmp_path / "x.xlsx")
    assert not (tmp_path / "x.xlsx").exists()


def test_without_the_right_to_identifiers_no_workbook_is_written(home, tmp_path, monkeypatch):
    from tkyt_analysis.access import door
    from tkyt_analysis.access.decision import Account, Scope

    plain = Account("đọc", "ministry", "VN", Scope(nation=True))
    monkeypatch.setattr(door, "_own_account", lambda home, records: plain)
    with pytest.raises(InputError):
        write_review_workbook(home, tmp_path / "x.xlsx")
    assert not (tmp_path / "x.xlsx").exists()


def test_a_workbook_among_received_files_is_refused_and_becomes_no_list_of_deaths(home, tmp_path):
    from tkyt_analysis.ingest.receive import ingest

    path = tmp_path / "ra_soat.xlsx"
    write_review_workbook(home, path)
    before = len(query(home, "SELECT * FROM lake.death"))
    ingest(home, [path])
    assert query(home, "SELECT reason FROM lake.quarantine")["reason"].tolist() == ["error.link_workbook_is_no_list"]
    assert len(query(home, "SELECT * FROM lake.death")) == before

"""Records of deaths in a home become persons: found by name, reviewed by people, split again, never deleted."""

import json

import pytest
from persons_support import COMMUNE, HOSPITAL, NEIGHBOUR, persons, put, query, record

from mortality.linkage.decisions import decide, history, split
from mortality.linkage.persons import link_home, match_deaths
from mortality.linkage.review import review_queue, side_by_side, similar_to
from tkyt_analysis.errors import InputError

SURNAMES = ["Trần", "Lê", "Phạm", "Võ", "Đặng", "Bùi", "Huỳnh", "Đinh", "Hồ", "Phan"]
GIVEN = [
    "Sương",
    "Cúc",
    "Lợi",
    "Đạt",
    "Thọ",
    "Lành",
    "Thành",
    "Diễm",
    "Nghĩa",
    "Hà",
    "Tâm",
    "Phượng",
    "Vân",
    "Tuấn",
    "Quế",
]


def others(count=60):
    """People whom nobody takes for each other: the names of a list are as rare as in a commune."""
    return [
        record(f"x{n:03}", who=f"{SURNAMES[n % 10]} {'Thị' if n % 2 else 'Văn'} {GIVEN[n % 15]} {GIVEN[(n * 7 + 3) % 15]}",
               sex="female" if n % 2 else "male", born=1930 + (n * 13) % 60, day=f"2025-{1 + n % 6:02}-{1 + (n * 11) % 27:02}",
               home=(COMMUNE, NEIGHBOUR)[n % 2], address=f"Thôn {n}")
        for n in range(count)
    ]  # fmt: skip


DRAWN = [
    record("a1", who="Nguyễn Thị Hoà", sex="female", born=1948, day="2025-08-10"),
    record("a2", "civil_registration", who="NGUYEN THI HOA", sex="female", born=1948, day="2025-08-11", file="f2"),
    record("b1", who="Lê Văn Khoáng", born=1951, day="2025-07-20", id_number="051051001234"),
    record("b2", "death_notice", who="Lê Khoáng", born=1951, day="2025-07-20", id_number="051051001234", home=HOSPITAL, file="f3"),
    record("c1", who="Trương Quang Mỹ", born=1960, day="2025-09-05"),
    record("c2", who="Trương Quang Mĩ", born=1961, day="2025-09-06", home=NEIGHBOUR, file="f4"),  # in the next commune's book
    record("d1", who="Cao Thị Ngà", sex="female", born=1955, day="2025-10-12"),
    record("d2", "sent_home_dying", who="Cao Thị Ngà", sex="female", born=1955, day="2025-10-08", file="f5"),
    record("e1", who="Mai Văn Sỹ", born=1940, day="2025-05-02", id_number="051040000011"),
    record("e2", "civil_registration", who="Mai Văn Sỹ", born=1940, day="2025-05-02", id_number="051040777766", file="f2"),
    record("g1", who="Tạ Đình Ngọ", born=1944, day="2025-04-02"),
    record("g2", "sent_home_dying", who="Tạ Đình Ngọ", born=1944, day="2025-06-30", file="f5"),  # discharged after that death
]  # fmt: skip


@pytest.fixture(scope="module")
def linked(tmp_path_factory):
    home = put(tmp_path_factory.mktemp("persons") / "home", *DRAWN, *others())
    return home, link_home(home)


@pytest.fixture
def home(linked, tmp_path):
    """A copy that a test may decide about."""
    import shutil

    return shutil.copytree(linked[0], tmp_path / "home")


def test_one_person_is_recognised_through_marks_capitals_a_day_a_commune_and_a_discharge(linked):
    assert persons(linked[0]) == [["a1", "a2"], ["b1", "b2"], ["c1", "c2"], ["d1", "d2"]]


def test_a_run_says_what_it_compared_and_what_waits(linked):
    summary = linked[1]
    assert (summary.records, summary.persons, summary.linked_records) == (len(DRAWN) + 60, 4, 8)
    assert summary.names
    assert summary.candidate_pairs > 6
    stored = query(linked[0], "SELECT * FROM lake.death_link_run").iloc[-1]
    assert (stored["records"], stored["persons"], stored["review_pairs"]) == (summary.records, 4, summary.review_pairs)


def test_each_record_carries_how_it_was_matched_and_why(linked):
    rows = query(linked[0], "SELECT record_id, matched_by, probability, reasons FROM lake.death_match")
    rows = rows.set_index(rows["record_id"].str.rstrip("_"))
    assert rows.loc["b1", "matched_by"] == "id_number"
    assert rows.loc["a1", "matched_by"] == "name"
    assert rows["probability"].between(0.8, 1).all()
    assert "linkage.reason.death.next_day" in rows.loc["a2", "reasons"].split()
    assert "persons.reason.discharge_soon" in rows.loc["d2", "reasons"].split()


def test_records_that_contradict_each_other_wait_for_a_person_and_say_why(linked):
    queue = review_queue(linked[0])
    why = {
        (a.rstrip("_"), b.rstrip("_")): held for a, b, held in queue[["record_a", "record_b", "held_back"]].to_numpy()
    }
    assert why[("e1", "e2")] == "hai số định danh 12 chữ số khác nhau"
    assert why[("g1", "g2")] == "ra viện sau ngày chết"
    sentence = queue.set_index("record_a").loc["e1______", "reasons"]
    assert "ngày chết" in sentence
    assert "linkage.reason" not in sentence


def test_a_second_run_changes_nothing(home):
    tables = ("death_match", "death_link_pair")
    before = [query(home, f"SELECT * FROM lake.{name} ORDER BY ALL").to_csv() for name in tables]
    match_deaths(home)
    assert [query(home, f"SELECT * FROM lake.{name} ORDER BY ALL").to_csv() for name in tables] == before
    assert len(query(home, "SELECT * FROM lake.death_link_run")) == 2


def test_what_people_decide_holds_at_once_and_through_the_next_run(home):
    decide(home, "e1____", "e2____", "same", "cùng một người: số cũ ghi nhầm")
    split(home, "a2____", "hai chị em")
    expected = [["b1", "b2"], ["c1", "c2"], ["d1", "d2"], ["e1", "e2"]]
    assert persons(home) == expected
    ids = query(home, "SELECT record_id, person_id FROM lake.death_match ORDER BY ALL").to_csv()
    link_home(home)
    assert persons(home) == expected
    assert query(home, "SELECT record_id, person_id FROM lake.death_match ORDER BY ALL").to_csv() == ids
    how = query(home, "SELECT matched_by FROM lake.death_match WHERE record_id = 'e1______'")["matched_by"]
    assert how.tolist() == ["decision"]


def test_a_decision_can_be_taken_back_and_every_word_stays_on_record(home):
    decide(home, "a1____", "a2____", "different", "ngày chết lệch nhau")
    assert ["a1", "a2"] not in persons(home)
    decide(home, "a2____", "a1____", "open", "xem lại")
    assert ["a1", "a2"] in persons(home)
    said = history(home, "a1____", "a2____")
    assert said["decision"].tolist() == ["different", "open"]
    assert said["decided_by"].ne("").all()


def test_a_decision_needs_two_records_a_reason_and_a_known_word(home):
    with pytest.raises(InputError, match="lý do"):
        decide(home, "a1____", "a2____", "same", " ")
    with pytest.raises(InputError, match="maybe"):
        decide(home, "a1____", "a2____", "maybe", "?")
    with pytest.raises(InputError, match="zzzzzz"):
        decide(home, "a1____", "zzzzzz", "same", "thử")
    with pytest.raises(InputError, match="đứng một mình"):
        split(home, "e1____", "thử")


def test_a_name_in_a_reason_is_masked(home):
    decide(home, "a1____", "a2____", "same", "con là Nguyễn Văn Tèo, số 051048001234 xác nhận")
    (reason,) = query(home, "SELECT reason FROM lake.death_link_decision")["reason"]
    assert "Tèo" not in reason
    assert "051048001234" not in reason
    assert "xác nhận" in reason


def test_a_corrected_record_takes_over_what_was_decided_about_the_first(home):
    from tkyt_analysis.warehouse.lake import Warehouse

    decide(home, "a1____", "a2____", "different", "hai người")
    put(home, record("a9", who="Nguyễn Thị Hoà", sex="female", born=1948, day="2025-08-10", file="f9"))
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute(
            "INSERT INTO lake.record_replacement (record_id, replaced_by, decided_at) VALUES ('a1______', 'a9______', '2026-01-01')"
        )
    link_home(home)
    assert not any("a2" in group for group in persons(home))


def test_records_stand_side_by_side_with_their_names_for_those_who_may_see_them(linked):
    from tkyt_analysis.access.audit import read_log

    rows = side_by_side(linked[0], ["a1____", "a2____"], why="kiểm thử")
    assert rows.attrs["identifiers"]
    shown = rows.set_index("field")
    assert shown.loc["full_name", ["a1______", "a2______"]].tolist() == ["Nguyễn Thị Hoà", "NGUYEN THI HOA"]
    assert shown.loc["day"].tolist()[1:] == ["10/08/2025", "11/08/2025"]
    assert [entry["why"] for entry in read_log(linked[0]) if entry["event"] == "identifiers_read"][-1] == "kiểm thử"


def test_without_the_right_to_identifiers_the_rest_is_shown_and_nobody_is_compared_by_name(linked, monkeypatch):
    from tkyt_analysis.access import door
    from tkyt_analysis.access.decision import Account, Scope

    plain = Account("đọc", "ministry", "VN", Scope(nation=True))
    monkeypatch.setattr(door, "_own_account", lambda home, records: plain)
    rows = side_by_side(linked[0], ["a1____", "a2____"])
    assert not rows.attrs["identifiers"]
    assert "full_name" not in set(rows["field"])
    found = similar_to(linked[0], {"full_name": "Nguyễn Thị Hoà", "death_date": "10/08/2025"})
    assert (len(found), found.attrs["names"]) == (0, False)


def test_an_account_of_another_province_sees_no_pair_and_no_record(linked, monkeypatch):
    from tkyt_analysis.access import door
    from tkyt_analysis.access.decision import Account, Scope

    other = Account("tỉnh", "province", "VN2025:01", Scope(units=frozenset({"VN2025:01"})), frozenset({"identifiers"}))
    monkeypatch.setattr(door, "_own_account", lambda home, records: other)
    assert len(review_queue(linked[0])) == 0
    with pytest.raises(InputError):
        side_by_side(linked[0], ["a1____", "a2____"])
    with pytest.raises(InputError):
        decide(linked[0], "a1____", "a2____", "same", "thử")


def test_while_a_death_is_typed_the_stored_record_of_the_person_is_offered(linked):
    typed = {"full_name": "Nguyen Thi Hoa", "sex": "Nữ", "birth": "1948", "death_date": "10/8/2025", "place_code": COMMUNE.partition(":")[2]}  # fmt: skip
    found = similar_to(linked[0], typed)
    assert set(found["record_id"].head(2)) == {"a1______", "a2______"}
    assert found["probability"].iloc[0] > 0.8
    assert found["reasons"].str.contains("ngày chết").any()
    stranger = similar_to(linked[0], {"full_name": "Khuất Duy Tiến", "death_date": "01/02/2020", "sex": "male"})
    assert stranger["probability"].max() < 0.5 or stranger.empty


def test_without_names_commune_sex_day_and_year_match_and_what_was_found_by_name_stays(home, monkeypatch):
    import mortality.quality.identities as rights

    monkeypatch.setattr(rights, "may_read_identifiers", lambda home: False)
    summary = link_home(home)
    assert not summary.names
    assert summary.ceiling is None
    by = query(home, "SELECT DISTINCT matched_by FROM lake.death_match")["matched_by"]
    assert "attributes" in set(by)


def test_a_home_without_a_death_has_no_person(tmp_path):
    from tkyt_analysis.warehouse.lake import create_home

    create_home(tmp_path / "home")
    assert match_deaths(tmp_path / "home")["records"] == 0
    assert len(review_queue(tmp_path / "home")) == 0
    assert persons(tmp_path / "home") == []


def test_an_older_home_gets_the_new_tables_and_columns(home):
    from tkyt_analysis.warehouse.lake import Warehouse

    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        for name in ("death_link_pair", "death_link_decision", "death_link_run", "death_match"):
            warehouse.con.execute(f"DROP TABLE lake.{name}")
        warehouse.con.execute(
            "CREATE TABLE lake.death_match (record_id VARCHAR, person_id VARCHAR, source VARCHAR, matched_by VARCHAR)"
        )
        warehouse.con.execute(
            "INSERT INTO lake.death_match VALUES ('a1______', 'a1______', 'a6', 'name'), ('a2______', 'a1______', 'civil_registration', 'name')"
        )
    match_deaths(home)
    rows = query(home, "SELECT * FROM lake.death_match")
    assert rows["probability"].notna().all()
    assert rows.loc[rows["record_id"] == "a1______", "person_id"].tolist() == ["a1______"]  # the id that the person had


def test_levels_of_a_pair_are_numbers_and_hold_no_words(linked):
    for text in query(linked[0], "SELECT levels FROM lake.death_link_pair")["levels"]:
        assert all(isinstance(value, int) for value in json.loads(text).values())

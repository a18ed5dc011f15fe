"""Which records are one person: names, dates, places and numbers as offices write them, and people who only look alike."""

import duckdb
import pandas as pd
import pytest

from mortality.linkage import link_records, reasons_of

COLUMNS = ["record_id", "full_name", "sex", "birth", "death_date", "address", "place_code", "id_number"]
ONE = ("a", "Nguyễn Thị Hoà", "female", "05/06/1950", "12/03/2024", "Thôn 3", "05635", "")


def crowd(count=60):
    """People who have nothing to do with each other, so that a list has its frequencies."""
    family = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ"]
    given = ["Bình", "Chung", "Dũng", "Giang", "Hùng", "Khánh", "Long", "Mạnh", "Nga", "Phúc"]
    for number in range(count):
        yield (
            f"crowd{number}",
            f"{family[number % 6]} Văn {given[(number // 6) % 10]}",
            "male",
            f"{1 + number * 7 % 28:02d}/{1 + number * 5 % 12:02d}/{1925 + number}",
            f"2024-{1 + number * 11 % 12:02d}-{1 + number * 13 % 28:02d}",
            f"Thôn {1 + number % 9}",
            ("05533", "05689", "05692", "05611")[number % 4],
            "",
        )


def linked(*records, extra=60, minimum=0.5, columns=COLUMNS):
    """Pairs (id_l, id_r) → probability, of these records among a crowd."""
    table = pd.DataFrame([*records, *crowd(extra)], columns=COLUMNS)[columns]
    con = duckdb.connect()
    con.execute("SET threads = 2")
    con.register("people", table)
    run = link_records(con, "people", minimum=minimum)
    rows = con.sql(f"SELECT id_l, id_r, match_probability FROM {run.pairs}").fetchall()
    return {(left, right): probability for left, right, probability in rows}


def varied(**changes):
    return tuple({**dict(zip(COLUMNS, ONE)), "record_id": "b", **changes}.values())


@pytest.mark.parametrize(
    "changes",
    [
        {"full_name": "NGUYEN THI HOA"},  # no marks, capitals
        {"full_name": "Nguyễn Thị Hòa"},  # the tone on the other vowel
        {"full_name": "Nguyễn Thị Hoà"},  # NFD
        {"full_name": "Hoà Nguyễn Thị"},  # given name first
        {"full_name": "Nguyễn Hoà"},  # middle name left out
        {"full_name": "Ng. T. Hoà"},  # abbreviated
        {"full_name": "Bà Nguyễn Thị Hoà"},
        {"full_name": "NguyễnThị Hoà"},
        {"birth": "1950"},
        {"birth": "1949"},  # tuổi mụ
        {"birth": "06/05/1950"},  # day and month exchanged
        {"birth": ""},
        {"death_date": "2024-03-13"},
        {
            "death_date": "02/02/2024"
        },  # the lunar date of 12/03/2024, unmarked … 12/03 is the third day of the second month
        {"place_code": "VN2024:05635"},
        {"place_code": ""},
        {"address": "T.3, Xã Phú Lương, Tỉnh Thái Nguyên"},
        {"sex": "2"},
    ],
    ids=str,
)
def test_one_person_written_in_two_ways_is_found(changes):
    if changes.get("death_date") == "02/02/2024":
        changes = {"death_date": "03/02/2024"}
    assert ("a", "b") in linked(ONE, varied(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"full_name": "Nguyễn Thị Lan"},  # twins or sisters in one house who died on one day
        {"full_name": "Nguyễn Văn Đức", "sex": "male", "birth": "11/06/1948", "death_date": "30/09/2024"},
        {"birth": "1931", "death_date": "20/11/2024", "place_code": "27991", "address": "Ấp 8"},  # a namesake elsewhere
    ],
    ids=["sister", "husband", "namesake"],
)
def test_people_who_only_look_alike_are_not_one(changes):
    assert linked(ONE, varied(**changes)) == {}


def test_nothing_but_strangers_gives_no_pair():
    assert linked() == {}


def test_the_order_of_rows_and_an_unrelated_record_change_little():
    records = [ONE, varied(full_name="NGUYEN THI HOA", birth="1950")]
    before = linked(*records)[("a", "b")]
    assert linked(*reversed(records))[("b", "a")] == pytest.approx(before, abs=1e-9)
    assert linked(*records, extra=61)[("a", "b")] == pytest.approx(before, abs=0.01)


def test_id_numbers_decide_only_where_they_are_numbers_of_a_person():
    number = "019150123456"
    twin = {"full_name": "Nguyễn Thị Hoa", "birth": "", "death_date": "", "address": "", "place_code": ""}
    plain = linked(ONE, varied(**twin), minimum=0.001).get(("a", "b"), 0)
    same = linked((*ONE[:-1], number), varied(**twin, id_number=number), minimum=0.001)[("a", "b")]
    turned = linked((*ONE[:-1], number), varied(**twin, id_number="019150123465"), minimum=0.001)[("a", "b")]
    other = linked((*ONE[:-1], number), varied(**twin, id_number="087160777888"), minimum=1e-9).get(("a", "b"), 0)
    zeros = linked((*ONE[:-1], "000000000000"), varied(**twin, id_number="000000000000"), minimum=0.001)
    old = linked((*ONE[:-1], number), varied(**twin, id_number="090123456"), minimum=0.001).get(("a", "b"), 0)
    assert same > 0.99
    assert same > turned > plain > other
    assert zeros.get(("a", "b"), 0) == pytest.approx(plain, abs=0.02)  # a placeholder says nothing
    assert old == pytest.approx(plain, abs=0.02)  # nine figures against twelve say nothing


def test_communes_merged_in_2025_are_one_place():
    from tkyt_analysis.reference.geography import crosswalk

    whole = crosswalk().query("relation == 'whole'")
    pair = whole[whole.duplicated("new_unit_id", keep=False)].sort_values("new_unit_id").head(2)["old_unit_id"].tolist()
    con = duckdb.connect()
    rows = [("a", *ONE[1:6], pair[0], ""), ("b", *ONE[1:6], pair[1], ""), *crowd()]
    con.register("people", pd.DataFrame(rows, columns=COLUMNS))
    run = link_records(con, "people")
    row = con.sql(f"SELECT * FROM {run.pairs}").df().iloc[0]
    keys = reasons_of({name: row[name] for name in row.index if name.startswith("level_")})
    assert "linkage.reason.place.merged" in keys
    assert "linkage.reason.name.same_marks" in keys


@pytest.mark.parametrize("column", ["full_name", "birth", "id_number", "place_code"])
def test_a_list_with_a_single_column_is_answered(column):
    linked(ONE, varied(), columns=["record_id", column])


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_lists_are_answered(count):
    con = duckdb.connect()
    con.register("people", pd.DataFrame([ONE, varied()][:count], columns=COLUMNS, dtype="str"))
    run = link_records(con, "people")
    assert (run.records, run.linked_pairs) == (count, int(count == 2))


def test_only_linked_pair_is_left_on_the_connection():
    con = duckdb.connect()
    con.register("people", pd.DataFrame([ONE, varied(), *crowd()], columns=COLUMNS))
    link_records(con, "people")
    assert {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()} == {"linked_pair"}


def test_a_rule_with_too_large_blocks_says_so_and_stays_within_its_budget():
    from mortality.linkage.blocking import budget

    con = duckdb.connect()
    count = 3000
    same = pd.DataFrame({"record_id": [str(n) for n in range(count)], "full_name": "Nguyễn Văn Nam"})
    con.register("people", same.assign(birth=[f"{1900 + n % 100}" for n in range(count)]))
    run = link_records(con, "people")
    name = next(rule for rule in run.rules if rule.name == "name")
    assert (name.blocks_left_out, name.records_left_out, name.pairs) == (1, count, 0)
    assert all(rule.pairs <= budget(count) for rule in run.rules)


def test_each_level_has_a_sentence():
    from mortality.linkage.comparisons import COMPARISONS
    from tkyt_analysis.labels import label

    for comparison in COMPARISONS:
        for value in range(len(comparison.levels)):
            (key,) = reasons_of({comparison.key: value})
            assert label(key, "vi")
            assert label(key, "en")

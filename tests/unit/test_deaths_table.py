"""Release table `deaths`: one row per person, each field from the list that is believed first, what differs kept as marks."""

import pandas as pd
import pytest
from deaths_support import COMMUNE, NEIGHBOUR, deaths_of, drawn_home, record, release_context

from mortality.persons_release.deaths import COLUMNS, age_group_sql
from mortality.persons_release.records import precedence
from mortality.release_tables import AGE_BANDS, ALL_LISTS, SOURCES, analysed_deaths, counted_source, death, other_lists
from tkyt_analysis.reference.ages import age_group

RECORDS = [
    # one person on three lists: the book says 31 August at 70, the civil register 2 September, with the full date of birth
    record("a1", day="2025-08-31", age=70, code="R54"),
    record("c1", "civil_registration", day="2025-09-02", age=69, sex="female", code=None, birth_known="date"),
    record("k1", "certificate", day="2025-09-02", age=69, code="I21.9", home=NEIGHBOUR, place_of_death="health_facility"),
    # written twice in the book, found by linkage (no common key)
    record("a2", age=40, code="C34.9"), record("a3", age=41, code="C34.9"),
    record("a4", age=105, age_unit="years", code="J18.9"),  # on the book alone, very old
    record("c5", "civil_registration", day="2025-07-01", code="X70"),  # on a reference list alone
    record("a6", day=None), record("c6", "civil_registration", day="2025-05-05"),  # the book has no date, the register has
    record("a7", day="2027-05-05"),  # after the book was received
    record("a8", age=0, code="P95", age_unit="days"),  # a fetal death
    record("a9", code="J18.9"), record("n9", "death_notice", code="B20.1"),  # the notice says HIV
    record("h1", "sent_home_dying"),  # taken home dying, on no list of deaths
    record("h2", "sent_home_dying"), record("a10", calendar="lunar"),
]  # fmt: skip
PERSONS = ["a1 c1 k1", "a2 a3", "a6 c6", "a9 n9", "h2 a10"]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    findings = [
        ("a1", "death_age_on_another_list"),
        ("c1", "death_sex_on_another_list"),
        ("a4", "death_age_impossible"),
    ]
    return drawn_home(tmp_path_factory.mktemp("deaths") / "home", RECORDS, persons=PERSONS, findings=findings)


@pytest.fixture(scope="module")
def table(home):
    return deaths_of(home)


@pytest.fixture(scope="module")
def person(table):
    rows = table.set_index("person_id")
    return lambda name: rows.loc[
        f"p{[name in one.split() for one in PERSONS].index(True)}"
        if any(name in one.split() for one in PERSONS)
        else name
    ]


def test_every_person_who_died_has_one_row_and_nobody_else_has(table):
    on_lists = {f"p{n}" for n in range(5)} | {"a4", "c5", "a7", "a8"}  # h1 is on no list of deaths
    assert sorted(table["person_id"]) == sorted(on_lists)


def test_each_field_comes_from_the_list_that_is_believed_first_for_it(person):
    one = person("a1")
    assert (one["year"], one["month"], one["date_from"]) == (2025, 9, "civil_registration")
    assert (one["unit_id"], one["sex"], one["age_years"]) == (COMMUNE, "female", 69)
    assert (one["underlying_cause"], one["cause_from"], one["place_of_death"]) == (
        "I21.9",
        "certificate",
        "health_facility",
    )
    assert one["lists"] == "a6 certificate civil_registration"


def test_what_the_lists_say_differently_stays_as_a_mark(person):
    one = person("a1")
    marks = ["date_moved", "date_conflict", "sex_conflict", "residence_conflict"]
    assert one[marks].tolist() == [True] * 4
    assert not one["age_conflict"]  # 70 and 69: a year apart, as by "tuổi mụ"
    assert not one["cause_conflict"]  # old age beside a heart attack says less, not something else
    assert one["open_findings"] == 2
    assert not one["age_approximate"]  # the civil register knows the date of birth
    assert person("a2")["age_approximate"]


def test_a_person_written_twice_in_one_list_counts_once_and_says_so(person):
    one = person("a2")
    assert (one["records"], one["duplicates"], one["counted"], one["age_years"]) == (2, 1, True, 40)
    assert one["link_probability"] == 0.95
    assert pd.isna(person("a4")["link_probability"])


def test_a_date_from_another_list_helps_a_person_without_one_in_the_book(person):
    one = person("a6")
    assert (one["excluded"], one["month"], one["counted"], one["date_moved"]) == ("", 5, False, True)


def test_who_did_not_die_as_a_person_or_has_no_usable_date_is_marked(person):
    assert person("a7")["excluded"] == "future_date"
    assert person("a8")["excluded"] == "stillbirth"
    assert person("c5")[["excluded", "counted", "in_book"]].tolist() == ["", False, False]


def test_very_old_ages_are_given_as_one_hundred(person):
    assert (person("a4")["age_years"], person("a4")["age_group"]) == (100, "85+")


def test_a_lunar_date_and_a_patient_taken_home_leave_their_marks(person):
    one = person("a10")
    assert one[["date_lunar", "taken_home"]].tolist() == [True, True]
    assert (one["lists"], one["duplicates"]) == ("a6", 0)


def test_hiv_on_any_list_withholds_the_cause_here_and_in_the_table_of_records(home, person):
    shown = ["underlying_cause", "decision", "cause_from", "cause_conflict", "cause_says_little"]
    assert person("a9")[shown].tolist() == ["", "uncodable", "", False, False]
    with release_context(home) as context:
        rows = death(context).set_index("death_id")
    assert rows.loc[["a9", "n9"], "underlying_cause"].tolist() == ["", ""]
    assert rows.loc["a4", "underlying_cause"] == "J18.9"


def test_no_exact_date_no_wording_no_name_is_in_the_table(table):
    assert list(table.columns) == [*COLUMNS, "scope"]
    assert not {"day", "death_date", "cause_text", "full_name", "birth_year"} & set(table.columns)
    assert set(table["scope"]) == {"VN2025-51"}


def test_figures_count_each_person_of_the_book_once(home, table):
    with release_context(home) as context:
        rows = analysed_deaths(context)
    counted = set(rows.loc[rows["excluded"] == "", "person_id"])
    assert rows.loc[rows["excluded"] == "", "person_id"].is_unique
    assert counted == set(table.loc[table["counted"], "person_id"])
    reasons = rows.set_index("death_id")["excluded"]
    assert reasons[["a3", "a6", "a7", "a8", "c1"]].tolist() == [
        "duplicate",
        "no_date",
        "future_date",
        "stillbirth",
        "reference_source",
    ]


def test_two_people_whom_somebody_set_apart_are_no_duplicate_though_name_and_date_agree(tmp_path):
    rows = [
        record("a1", key="an|1950"),
        record("a2", key="an|1950"),
        record("a3", key="ba|1950"),
        record("a4", key="ba|1950"),
    ]
    home = drawn_home(tmp_path / "home", rows)
    from tkyt_analysis.warehouse.lake import Warehouse

    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute(
            "INSERT INTO lake.death_link_decision BY NAME SELECT 'a1' AS record_a, 'a2' AS record_b, 'different' AS decision, '2026-01-02' AS decided_at"
        )
    with release_context(home) as context:
        again = analysed_deaths(context).set_index("death_id")["excluded"]
    assert again.to_dict() == {"a1": "", "a2": "", "a3": "", "a4": "duplicate"}


def test_a_home_without_deaths_gives_an_empty_table(tmp_path):
    table = deaths_of(drawn_home(tmp_path / "home", [], units=False))
    assert len(table) == 0
    assert list(table.columns) == [*COLUMNS, "scope"]


def test_where_nothing_was_linked_every_record_is_a_person(tmp_path):
    table = deaths_of(drawn_home(tmp_path / "home", [record("a1"), record("c1", "civil_registration")]))
    assert sorted(table["person_id"]) == ["a1", "c1"]


def test_the_same_lists_give_the_same_rows(home, table):
    pd.testing.assert_frame_equal(
        deaths_of(home).sort_values("person_id", ignore_index=True), table.sort_values("person_id", ignore_index=True)
    )


def test_ages_are_grouped_as_everywhere_else():
    import duckdb

    ages = pd.DataFrame({"age": [0, 0.5, 1, 4.9, 5, 84, 85, 130, 131, -1, None]})
    groups = duckdb.sql(f"SELECT {age_group_sql('age')} AS g FROM ages").df()["g"]
    assert groups.tolist() == age_group(ages["age"], AGE_BANDS).tolist()


def test_every_field_names_a_list_that_there_is_once():
    ranks = precedence()
    assert set(ranks["source"]) == {*SOURCES, "sent_home_dying"}
    assert not ranks.duplicated(["field", "source"]).any()
    assert not ranks.duplicated(["field", "place"]).any()


def test_with_all_lists_as_the_basis_each_person_counts_once_from_the_first_list_that_can_be_counted():
    rows = pd.DataFrame(
        {
            "person_id": ["p", "p", "q", "q", "q", "r"],
            "source": ["a6", "civil_registration", "a6", "civil_registration", "civil_registration", "death_notice"],
        }
    )
    excluded = pd.Series(["", "", "no_date", "", "duplicate", ""])
    left_out = excluded.mask(other_lists(rows, excluded, ALL_LISTS), "reference_source")
    assert left_out.tolist() == ["", "reference_source", "reference_source", "", "duplicate", ""]
    assert counted_source(rows["source"]) == "a6"

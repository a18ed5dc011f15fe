"""Release tables of deaths: one geography, nobody counted twice, nothing that identifies."""

import pandas as pd
import pytest
from support import table

from mortality.release_tables import COMMUNE_POPULATION, HIV, on_units_of_2025, one_population_per_commune
from tkyt_analysis.reference.geography import crosswalk


@pytest.fixture(scope="module")
def whole():
    """(an old commune that went whole into a new one, the new one)."""
    links = crosswalk()
    row = links[(links["relation"] == "whole") & links["old_unit_id"].str.fullmatch(r"VN2024:\d{5}")].iloc[0]
    return row["old_unit_id"], row["new_unit_id"]


def population(*rows):
    return pd.DataFrame(rows, columns=["unit_id", "year", "persons"])


def test_an_old_and_its_new_commune_in_one_year_are_not_added_up(whole):
    old, new = whole
    counted = one_population_per_commune(population((old, 2025, 800.0), (new, 2025, 3000.0)))
    assert counted["persons"].sum() == 3000
    assert set(counted["unit_id"]) == {new}


def test_old_communes_stand_for_their_new_one_in_a_year_without_figures_of_its_own(whole):
    old, new = whole
    counted = one_population_per_commune(population((old, 2024, 800.0), (new, 2025, 3000.0)))
    assert dict(zip(counted["year"], counted["persons"])) == {2024: 800.0, 2025: 3000.0}
    assert set(counted["unit_id"]) == {new}


def test_every_old_commune_finds_a_unit_of_2025():
    links = crosswalk()
    old = pd.Series(links["old_unit_id"].unique())
    assert on_units_of_2025(old).str.startswith("VN2025:").all()


def test_a_unit_of_2025_stays_itself():
    units = pd.Series(["VN2025:21040", "VN2025:51"])
    assert on_units_of_2025(units).tolist() == units.tolist()


def test_hiv_is_the_block_b20_to_b24():
    codes = table("""
        code | hiv
        B19  | no
        B20  | yes
        B24  | yes
        B25  | no
    """)
    assert [("yes" if code in HIV else "no") for code in codes["code"]] == codes["hiv"].tolist()


@pytest.fixture
def lake():
    """The two tables that the query reads, in memory."""
    import duckdb

    con = duckdb.connect()
    con.execute("ATTACH ':memory:' AS lake")
    con.execute("CREATE TABLE lake.received_file (file_sha256 VARCHAR, file_name VARCHAR, received_at VARCHAR)")
    con.execute(
        "CREATE TABLE lake.population (unit_id VARCHAR, year BIGINT, sex VARCHAR, age_group VARCHAR, persons DOUBLE, "
        "series VARCHAR, status VARCHAR, file_sha256 VARCHAR, sheet VARCHAR, row_number BIGINT)"
    )
    con.execute(
        "INSERT INTO lake.received_file VALUES ('a', 'first.csv', '2026-01-01'), ('b', 'second.csv', '2026-02-01')"
    )
    return con


def add(con, *rows):
    for unit, sex, age, persons, series, file in rows:
        con.execute(
            "INSERT INTO lake.population VALUES (?, 2025, ?, ?, ?, ?, 'final', ?, '', 1)",
            [unit, sex, age, persons, series, file],
        )


def test_a_population_file_sent_again_replaces_the_figures_and_is_not_added(lake):
    add(lake, ("VN2025:21040", "male", "0-4", 100, "S", "a"), ("VN2025:21040", "male", "0-4", 110, "S", "b"))
    assert lake.execute(COMMUNE_POPULATION).df()["persons"].tolist() == [110]


def test_two_series_of_one_commune_and_year_are_never_mixed(lake):
    add(
        lake,
        ("VN2025:21040", "male", "0-4", 100, "old", "a"),
        ("VN2025:21040", "male", "80+", 7, "old", "a"),
        ("VN2025:21040", "male", "0-4", 110, "new", "b"),
        ("VN2025:21040", "male", "80-84", 5, "new", "b"),
        ("VN2025:21040", "male", "85+", 3, "new", "b"),
    )
    rows = lake.execute(COMMUNE_POPULATION).df()
    assert set(rows["series"]) == {"new"}
    assert rows["persons"].sum() == 110 + 5 + 3


def test_totals_and_provinces_are_not_counted_beside_their_parts(lake):
    add(
        lake,
        ("VN2025:21040", "male", "0-4", 100, "S", "a"),
        ("VN2025:21040", "male", "total", 100, "S", "a"),
        ("VN2025:21040", "total", "0-4", 200, "S", "a"),
        ("VN2025:51", "male", "0-4", 9000, "S", "a"),
    )
    assert lake.execute(COMMUNE_POPULATION).df()["persons"].tolist() == [100]

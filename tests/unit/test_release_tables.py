"""Release tables of deaths: one geography, nobody counted twice, nothing that identifies."""

import pandas as pd
import pytest
from support import table

from mortality.release_tables import HIV, on_units_of_2025, one_population_per_commune
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

"""Population and facility files of the practice data, and the run as a whole."""

from __future__ import annotations

import pandas as pd
import pytest

from tkyt_analysis.errors import InputError
from tkyt_analysis.practice import NOTE, create_world
from tkyt_analysis.practice.facility_file import SOURCE as FACILITIES
from tkyt_analysis.practice.facility_file import facility_codes, facility_lives
from tkyt_analysis.practice.generate import make_practice_data, planted_counts
from tkyt_analysis.practice.population_files import SOURCE as POPULATION
from tkyt_analysis.reference.facilities import read_facilities
from tkyt_analysis.reference.population_file import read_population_file


@pytest.fixture(scope="module")
def commune(tmp_path_factory):
    world = create_world("commune", tmp_path_factory.mktemp("commune"))
    POPULATION.make(world, lambda step, share: None)
    FACILITIES.make(world, lambda step, share: None)
    return world


def read_population(world, file: str) -> pd.DataFrame:
    return pd.read_csv(world.directory / "received" / file, comment="#", dtype={"unit_id": str, "age_group": str})


def true_population(world, file: str) -> pd.Series:
    """Persons by unit with the planted jumps taken back."""
    persons = read_population(world, file).groupby("unit_id")["persons"].sum()
    truth = pd.read_parquet(world.directory / "truth/truth").query("kind == 'E5' and file == @file")
    persons.update(truth.set_index("unit_id")["true_value"].astype(int))
    return persons


def test_new_communes_have_the_people_of_their_old_ones(commune):
    old = true_population(commune, "population/commune_age_sex_2025.csv")
    new = true_population(commune, "population/commune_age_sex_2025_new.csv")
    successor = commune.communes.set_index("unit_id")["successor_id"]
    summed = old.groupby(successor.loc[old.index].to_numpy()).sum()
    assert summed.sort_index().to_dict() == new.sort_index().to_dict()


def test_a_population_jump_is_shown_in_the_file_and_known_to_the_truth(commune):
    truth = pd.read_parquet(commune.directory / "truth/truth").query("kind == 'E5'")
    assert len(truth) >= 2
    for row in truth.itertuples():
        people = read_population(commune, row.file)
        shown = people.loc[people["unit_id"] == row.unit_id, "persons"].sum()
        assert str(shown) == row.shown_value
        assert not 0.7 < shown / int(row.true_value) < 1.4


def test_the_px_web_table_is_in_thousands_and_has_gaps(commune):
    path = commune.directory / "received/population/nso_px_web_63_provinces.csv"
    lines = path.read_text("utf-8").splitlines()
    assert NOTE in lines[0]
    assert "(Nghìn người)" in lines[0]
    table = pd.read_csv(path, sep=";", skiprows=2, dtype=str)
    assert (table == "..").any().any()
    shown = float(table["2024 Tổng số"].iloc[0])
    assert shown == pytest.approx(commune.communes["persons"].sum() / 1000, abs=0.05)


def test_population_files_are_read_and_the_merger_dossier_is_refused(commune):
    root = commune.directory / "received"
    for name, units in (("63_provinces", "VN2024:51"), ("34_provinces", "VN2025:51")):
        file = read_population_file(root / f"population/nso_px_web_{name}.csv")
        assert set(file.rows["unit_id"]) == {units}
        assert len(file.rows) == 2  # total, male; female is ".."
    for name, units in (("2024", 12), ("2025", 12), ("2025_new", 4)):
        file = read_population_file(root / f"population/commune_age_sex_{name}.csv")
        assert len(file.rows) == units * 2 * 19
    (path,) = (root / "must_be_refused").iterdir()
    assert NOTE in path.read_text("utf-8")
    with pytest.raises(InputError, match="hồ sơ sáp nhập"):
        read_population_file(path)


def test_facility_codes_cannot_be_real_ones_and_are_unique(tmp_path):
    communes = create_world("national", tmp_path).communes
    codes = facility_codes(communes)
    assert codes.is_unique
    assert codes.str.fullmatch(r"[0-9]{2}Z[0-9A-Z]{2}").all()
    assert len(codes) == 10_035


def test_one_station_of_each_new_commune_lives_on_and_the_others_merge_into_it(commune):
    lives = facility_lives(commune)
    old, new = lives[lives["valid_to"] == "30/06/2025"], lives[lives["valid_to"] == ""]
    assert len(old) == 12
    assert len(new) == 4
    assert set(new["code"]) == set(old.loc[old["merged_into"] == "", "code"])
    assert set(old["merged_into"]) - {""} <= set(new["code"])


def test_the_facility_file_is_read_without_a_problem(commune):
    facilities, _ = read_facilities(commune.directory / "received/facilities/facilities.xlsx")
    assert len(facilities) == 12 + 4
    assert facilities["facility_id"].nunique() == 12


def test_a_whole_run_tells_what_it_made_and_repeats_byte_for_byte(tmp_path):
    steps = []
    first = make_practice_data("commune", tmp_path / "a", progress=lambda step, share: steps.append((step, share)))
    second = make_practice_data("commune", tmp_path / "b")
    assert first.planted == second.planted == planted_counts(tmp_path / "a")
    assert first.communes == 12
    assert ("10_dhis2", 1.0) in steps
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file())
    text = [f for f in files if f.suffix in (".csv", ".json", ".parquet", ".md")]
    assert len(text) > 50
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in text)
    assert NOTE in (tmp_path / "a" / "README.md").read_text("utf-8")


def test_at_commune_scale_every_kind_of_defect_is_there(tmp_path):
    planted = make_practice_data("commune", tmp_path / "x").planted
    kinds = "A1 A2 A3 A4 A5 A6 A7 B1 B2 B3 B5 B6 B7 B8 B9 B10 B11 B12 C1 C2 C3 C4 C5 D1 D2 D3 D4 E1 E2 E3 E5 E6"
    assert set(kinds.split()) <= set(planted)

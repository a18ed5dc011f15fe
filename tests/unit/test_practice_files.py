"""Population and facility files of the practice data, and the run as a whole."""

from __future__ import annotations

import pandas as pd
import pytest

from tkyt_analysis.practice import NOTE, create_world
from tkyt_analysis.practice.facility_file import SOURCE as FACILITIES
from tkyt_analysis.practice.facility_file import facility_codes, facility_lives
from tkyt_analysis.practice.generate import make_practice_data, planted_counts
from tkyt_analysis.practice.population_files import SOURCE as POPULATION


@pytest.fixture(scope="module")
def commune(tmp_path_factory):
    world = create_world("commune", tmp_path_factory.mktemp("commune"))
    POPULATION.make(world, lambda step, share: None)
    FACILITIES.make(world, lambda step, share: None)
    return world


def read_communes(world, year: int) -> pd.DataFrame:
    path = world.directory / f"received/population/commune_age_sex_{year}.csv"
    return pd.read_csv(path, comment="#", dtype={"unit_id": str, "age_group": str})


def test_new_communes_have_the_people_of_their_old_ones(commune):
    people = read_communes(commune, 2025)
    truth = pd.read_parquet(commune.directory / "truth/truth").query("kind == 'E5' and period_id == '2025'")
    true = people.groupby("unit_id")["persons"].sum()
    true.update(truth.set_index("unit_id")["true_value"].astype(int))
    successor = commune.communes.set_index("unit_id")["successor_id"]
    old = true[true.index.str.startswith("VN2024:")]
    summed = old.groupby(successor.loc[old.index].to_numpy()).sum()
    new = true[true.index.str.startswith("VN2025:")]
    assert summed.sort_index().tolist() == new.sort_index().tolist()


def test_a_population_jump_is_shown_in_the_file_and_known_to_the_truth(commune):
    truth = pd.read_parquet(commune.directory / "truth/truth").query("kind == 'E5'")
    assert len(truth) >= 2
    for row in truth.itertuples():
        people = read_communes(commune, int(row.period_id))
        shown = people.loc[people["unit_id"] == row.unit_id, "persons"].sum()
        assert str(shown) == row.shown_value
        assert not 0.7 < shown / int(row.true_value) < 1.4


def test_the_px_web_table_is_in_thousands_and_has_gaps(commune):
    path = commune.directory / "received/population/nso_px_web_province.csv"
    lines = path.read_text("utf-8").splitlines()
    assert NOTE in lines[0]
    assert "(Nghìn người)" in lines[0]
    table = pd.read_csv(path, sep=";", skiprows=2, dtype=str)
    assert (table == "..").any().any()
    shown = float(table["2024 Tổng số"].iloc[0])
    assert shown == pytest.approx(commune.communes["persons"].sum() / 1000, abs=0.05)


def test_the_merger_dossier_is_marked_as_residence_register(commune):
    (path,) = (commune.directory / "received/must_be_refused").iterdir()
    text = path.read_text("utf-8")
    assert NOTE in text
    assert "hồ sơ sáp nhập" in text


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
    from tkyt_analysis.reference.facilities import read_facilities

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

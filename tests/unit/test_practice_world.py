"""The practice world: places, people, random streams, calendar."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tkyt_analysis.errors import InputError
from tkyt_analysis.practice import SCALES, create_world, make_practice_data
from tkyt_analysis.practice.effects import month_factors, tet_share
from tkyt_analysis.practice.elements import practice_form, uid
from tkyt_analysis.practice.people import province_age_sex
from tkyt_analysis.practice.world import AGE_GROUPS


@pytest.fixture
def commune_world(tmp_path):
    return create_world("commune", tmp_path)


def test_the_commune_scale_is_four_whole_mergers_of_quang_ngai(commune_world):
    communes = commune_world.communes
    assert set(communes["province_id"]) == {"VN2024:51"}
    assert len(communes) == 12
    assert communes["successor_id"].nunique() == 4
    from tkyt_analysis.reference.geography import crosswalk

    edges = crosswalk()
    sources = edges[edges["new_unit_id"].isin(communes["successor_id"])]
    assert set(sources["old_unit_id"]) == set(communes["unit_id"])  # whole: nothing comes from elsewhere


def test_the_national_scale_has_every_old_commune_and_ten_years(tmp_path):
    world = create_world("national", tmp_path)
    assert len(world.communes) == 10_035
    assert world.communes["unit_id"].is_unique
    assert world.communes["province_id"].nunique() == 63
    assert world.communes["successor_province_id"].nunique() == 34
    assert world.communes["remoteness"].between(0, 1).all()
    assert len(SCALES["national"].months) == 10 * 12


def test_people_of_the_communes_sum_exactly_to_their_province(tmp_path):
    world = create_world("province", tmp_path)
    people = world.population(2023)
    assert len(people) == 170 * 2 * len(AGE_GROUPS)
    summed = people.groupby(["sex", "age_group"])["persons"].sum()
    province = province_age_sex("VN2024:51", 2023).set_index(["sex", "age_group"])["persons"]
    pd.testing.assert_series_equal(summed.sort_index(), province.sort_index())
    assert (people["persons"] >= 0).all()


def test_a_commune_has_the_same_people_at_every_scale(tmp_path, commune_world):
    province = create_world("province", tmp_path).population(2024)
    few = commune_world.population(2024)
    both = few.merge(province, on=["unit_id", "sex", "age_group"], suffixes=("", "_province"))
    assert len(both) == len(few)
    assert (both["persons"] == both["persons_province"]).all()


def test_a_stream_belongs_to_its_names_and_to_the_seed(tmp_path):
    world, other = create_world("commune", tmp_path), create_world("commune", tmp_path, seed=7)
    before = world.rng("deaths", 2024).random(3)
    world.rng("anything else").random(1000)
    np.testing.assert_array_equal(before, world.rng("deaths", 2024).random(3))
    assert not np.array_equal(before, world.rng("deaths", 2025).random(3))
    assert not np.array_equal(before, world.rng("deaths2024").random(3))
    assert not np.array_equal(before, other.rng("deaths", 2024).random(3))


def test_truth_rows_are_text_and_get_an_id(commune_world):
    rows = pd.DataFrame({"unit_id": ["VN2024:21115"] * 2, "true_value": [12, 1184], "shown_value": [12.5, None]})
    assert commune_world.write_truth("B10", rows) == 2
    assert commune_world.write_truth("B10", rows) == 2
    stored = pd.read_parquet(commune_world.directory / "truth" / "truth")
    assert len(stored) == 4
    assert stored["id"].is_unique
    assert set(stored["kind"]) == {"B10"}
    assert stored["shown_value"].tolist()[:2] == ["12.5", ""]


def test_tet_moves_with_the_moon():
    # First day of the lunar year: 10 February 2024, 29 January 2025. Days off: two before to six after.
    assert tet_share("202402") == pytest.approx(9 / 29)  # 8–16 February
    assert tet_share("202401") == 0
    assert tet_share("202501") == pytest.approx(5 / 31)  # 27–31 January
    assert tet_share("202502") == pytest.approx(4 / 28)  # 1–4 February


def test_the_wave_of_2021_lowers_visits_but_not_births():
    form = practice_form("commune")
    visits, births = (
        form.elements.index[form.elements["element_id"] == e][0] for e in ("KCB_LUOT_KHAM", "SKSS_DE_CSYT")
    )
    with_wave = month_factors(form, ["202108"], wave_strength=1.0)[0]
    without = month_factors(form, ["202108"], wave_strength=0.0)[0]
    assert with_wave[visits] == pytest.approx(0.45 * without[visits])
    assert with_wave[births] == pytest.approx(without[births])


def test_dhis2_identifiers_are_well_formed_and_stable():
    assert uid("unit", "VN2024:51") == uid("unit", "VN2024:51")
    assert uid("unit", "VN2024:51") != uid("unit", "VN2025:51")
    ids = [uid("x", n) for n in range(2000)]
    assert len(set(ids)) == 2000
    assert all(len(i) == 11 and i.isalnum() and i[0].isalpha() and i.isascii() for i in ids)


def test_an_unknown_scale_and_a_full_folder_are_refused_with_a_sentence(tmp_path):
    with pytest.raises(InputError, match="district"):
        create_world("district", tmp_path)
    (tmp_path / "something").write_text("x")
    with pytest.raises(InputError, match=str(tmp_path)):
        make_practice_data("commune", tmp_path)

"""The unit lists of 2024 and 2025: counts, dated types, and our corrections to the package."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest
from support import reference_path

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.reference import unit_sources
from tkyt_analysis.reference.places import place, places, regions, system_at, unit_type_at
from tkyt_analysis.reference.unit_list import CODE_WIDTH, PLACE_COLUMNS


@pytest.mark.parametrize(
    ("system", "level", "count"),
    [("VN2024", 1, 63), ("VN2024", 2, 696), ("VN2024", 3, 10_035), ("VN2025", 1, 34), ("VN2025", 3, 3_321)],
)
def test_each_level_has_its_official_number_of_units(system, level, count):
    assert (places(system)["level"] == level).sum() == count


@pytest.mark.parametrize("system", ["VN2024", "VN2025"])
def test_every_unit_has_one_id_a_code_of_its_level_and_a_parent_one_list_knows(system):
    units = places(system)
    assert list(units.columns) == PLACE_COLUMNS
    assert units["unit_id"].is_unique
    below = units[units["level"] > 0]
    assert (below["code"].str.len() == below["level"].map(CODE_WIDTH)).all()
    assert (below["unit_id"] == system + ":" + below["code"]).all()
    assert below["parent_unit_id"].isin(units["unit_id"]).all()
    parent_level = below["parent_unit_id"].map(units.set_index("unit_id")["level"])
    assert (parent_level < below["level"]).all()
    assert below["province_id"].isin(units.loc[units["level"] == 1, "unit_id"]).all()


def test_types_in_july_2025_and_after_the_changes_of_2026():
    def types(day):
        return places("VN2025", at=day).query("level > 0")["unit_type"].value_counts().to_dict()

    assert types("2025-07-01") == {"xã": 2621, "phường": 687, "đặc khu": 13, "tỉnh": 28, "thành phố": 6}
    assert types("2026-04-30") == {"xã": 2621 - 10, "phường": 687 + 10, "đặc khu": 13, "tỉnh": 27, "thành phố": 7}
    assert types("2026-11-22") == {"xã": 2611, "phường": 697, "đặc khu": 13, "tỉnh": 28 - 3, "thành phố": 6 + 3}


@pytest.mark.parametrize(
    ("unit_id", "last_day_before", "first_day", "before", "after"),
    [
        ("VN2025:75", "2026-04-29", "2026-04-30", "tỉnh", "thành phố"),
        ("VN2025:22", "2026-08-31", "2026-09-01", "tỉnh", "thành phố"),
        ("VN2025:24", "2026-09-19", "2026-09-20", "tỉnh", "thành phố"),
        ("VN2025:26248", "2026-04-29", "2026-04-30", "xã", "phường"),
    ],
)
def test_a_unit_changes_its_type_on_the_day_of_the_resolution(unit_id, last_day_before, first_day, before, after):
    assert unit_type_at(unit_id, last_day_before) == before
    assert unit_type_at(unit_id, first_day) == after


def test_the_full_name_follows_the_type():
    assert place("VN2025:75", at="2026-04-29").full_name == "Tỉnh Đồng Nai"
    assert place("VN2025:75", at="2026-04-30").full_name == "Thành phố Đồng Nai"


def test_one_code_names_different_provinces_before_and_after_july_2025():
    same_code = {
        "15": ("Yên Bái", "Lào Cai"), "24": ("Bắc Giang", "Bắc Ninh"), "44": ("Quảng Bình", "Quảng Trị"),
        "52": ("Bình Định", "Gia Lai"), "80": ("Long An", "Tây Ninh"), "82": ("Tiền Giang", "Đồng Tháp"),
        "91": ("Kiên Giang", "An Giang"),
    }  # fmt: skip
    for code, (old, new) in same_code.items():
        assert (place(f"VN2024:{code}").name, place(f"VN2025:{code}").name) == (old, new)


def test_the_system_changes_on_1_july_2025():
    assert system_at("2025-06-30") == "VN2024"
    assert system_at(datetime.date(2025, 7, 1)) == "VN2025"


def test_a_ward_known_by_a_number_keeps_its_type_as_name_and_points_lie_in_viet_nam():
    numbered = places("VN2024").query("name.str.fullmatch('Phường [0-9]+')")
    assert (numbered["full_name"] == numbered["name"]).all()
    assert not numbered.empty
    communes = places("VN2025").query("level == 3")
    assert communes["latitude"].between(6, 24).all()
    assert communes["longitude"].between(102, 118).all()


def test_an_id_that_is_not_in_the_list_is_a_sentence():
    with pytest.raises(InputError, match="VN2024:51"):
        place("51")
    with pytest.raises(InputError, match="VN2099"):
        places("VN2099")


def test_changing_what_one_got_does_not_change_the_list():
    units = places("VN2025")
    units.loc[0, "name"] = "changed"
    assert places("VN2025").loc[0, "name"] == "Việt Nam"


def test_each_province_lies_in_one_of_six_regions_of_its_time():
    for system, provinces in (("VN2024", 63), ("VN2025", 34)):
        members = regions(system)
        assert len(members) == provinces
        assert members["province_id"].is_unique
        assert members["region_id"].nunique() == 6
        assert members["name_vi"].notna().all()


def test_the_names_and_codes_are_those_of_the_official_list_of_2025():
    official = pd.read_csv(reference_path("vietnam", "communes_3321.csv"), dtype=str)
    ours = places("VN2025").query("level == 3").set_index("code")
    assert set(official["code"]) == set(ours.index)
    joined = official.set_index("code").join(ours, rsuffix="_ours")
    assert ("VN2025:" + joined["province_code"] == joined["province_id"]).all()
    assert (joined["type_2026"] == joined["unit_type"]).all()


def test_the_province_lists_agree_with_the_reference():
    official = pd.read_csv(reference_path("vietnam", "provinces_63_to_34.csv"), dtype=str).set_index("code")
    ours = read_codelist("provinces_2024").set_index("code")
    assert (official["name"] == ours["name"]).all()
    assert (official["iso_3166_2"] == ours["iso_3166_2"]).all()
    assert (official["code_34"] == ours["code_2025"]).all()
    final = places("VN2025").query("level == 1").set_index("code")["full_name"]
    assert (official["code_34"].map(final) == official["full_name_34_2026"]).all()


def test_every_row_of_the_overlay_is_still_needed():
    assert unit_sources.check_overlay().empty


def test_a_package_that_has_mended_an_edge_itself_makes_the_overlay_stale():
    edges = unit_sources.package_edges()
    wrong = (edges["old_code"] == "28252") & (edges["new_code"] == "29869")
    right = pd.DataFrame({"old_code": ["09013"], "new_code": ["09817"], "is_default": [False]})
    mended = pd.concat([edges[~wrong], right], ignore_index=True)
    mended.loc[(mended["old_code"] == "31379"), "is_default"] = mended["new_code"] == "31378"
    stale = unit_sources.check_overlay(edges=mended)
    assert set(stale["row"]) == {"28252>29869", "09013>09817", "31379>31378"}


def test_a_package_that_knows_the_new_types_islands_or_names_makes_the_overlay_stale():
    current = unit_sources.current_rows()
    current = current.assign(province=current["province"].replace("Tỉnh Đồng Nai", "Thành phố Đồng Nai"))
    assert {"75", "75 tỉnh Đồng Nai"} <= set(unit_sources.check_overlay(current=current)["row"])
    ward = current.assign(commune=current["commune"].replace("Xã Trảng Bom", "Phường Trảng Bom"))
    assert "26248" in set(unit_sources.check_overlay(current=ward)["row"])
    legacy = unit_sources.legacy_rows()
    with_commune = legacy.assign(commune_code=legacy["commune_code"].fillna("20333"))
    assert len(unit_sources.check_overlay(legacy=with_commune).query("codelist == 'island_districts'")) == 5


def test_a_stale_overlay_stops_the_unit_list_with_a_sentence(monkeypatch):
    edges = unit_sources.package_edges()
    monkeypatch.setattr(unit_sources, "package_edges", lambda: edges[edges["old_code"] != "28252"])
    with pytest.raises(ProcessingError, match="28252>29869"):
        unit_sources.require_overlay()


def test_an_unknown_type_word_is_not_passed_over():
    with pytest.raises(ProcessingError, match="Khu phố Mới"):
        unit_sources.split_full_name(pd.Series(["Khu phố Mới"]))


def test_the_unit_list_comes_from_memory_the_second_time(monkeypatch):
    first = places("VN2024")
    monkeypatch.setattr("tkyt_analysis.reference.places.base_units", lambda system: pytest.fail("read again"))
    pd.testing.assert_frame_equal(places("VN2024"), first)

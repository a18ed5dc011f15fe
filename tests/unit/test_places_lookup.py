"""From what people write to the unit that they mean, or to the reason why it cannot be told."""

from __future__ import annotations

import unicodedata

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tkyt_analysis.labels import label
from tkyt_analysis.reference.places import find_places, places
from tkyt_analysis.reference.unit_names import accented_key, written_names


def find(*values, **options):
    return find_places(pd.Series(values, dtype="str"), **options)


def found(*values, **options):
    return find(*values, **options)["unit_id"].tolist()


def reasons(*values, **options):
    return find(*values, **options)["reason"].str.removeprefix("places.").tolist()


@pytest.mark.parametrize(
    "written",
    [
        "21040", "VN2025:21040", "Xã Bình Sơn", "xã bình sơn ", "X. Bình Sơn", "XÃ  BÌNH SƠN", "Bình Sơn",
        "xa binh son", "X.Binh Son", unicodedata.normalize("NFD", "Xã Bình Sơn"),
    ],
)  # fmt: skip
def test_a_commune_is_found_however_it_is_written(written):
    assert found(written, level=3, at="2026-01-01", parent="VN2025:51") == ["VN2025:21040"]


@pytest.mark.parametrize(
    ("written", "unit_id"),
    [("TP. Quy Nhơn", "VN2024:540"), ("Qui Nhơn", "VN2024:540"), ("H. Bình Sơn", "VN2024:524"),
     ("TX Đức Phổ", "VN2024:534"), ("Thị Xã Đức Phổ", "VN2024:534")],
)  # fmt: skip
def test_a_district_is_found_by_its_short_forms_and_by_i_for_y(written, unit_id):
    assert found(written, level=2, at="2024-05-01") == [unit_id]


@pytest.mark.parametrize(
    ("written", "unit_id"),
    [("TP.HCM", "VN2024:79"), ("Sài Gòn", "VN2024:79"), ("Thừa Thiên - Huế", "VN2024:46"), ("Đắc Lắc", "VN2024:66"),
     ("Bà Rịa Vũng Tàu", "VN2024:77"), ("T. Quảng Ngãi", "VN2024:51"), ("Tỉnh Thanh Hoá", "VN2024:38")],
)  # fmt: skip
def test_a_province_is_found_by_its_usual_other_names(written, unit_id):
    assert found(written, level=1, at="2024-05-01") == [unit_id]


def test_the_tone_mark_may_stand_on_either_vowel_and_numbers_may_have_a_zero():
    assert accented_key("Hoà") == accented_key("Hòa")
    assert accented_key("Thuỷ") == accented_key("Thủy")
    assert accented_key("Quí Mỹ") == accented_key("Quý Mĩ")
    assert accented_key("Phường 04") == accented_key("Phường 4")
    assert accented_key("Ba Tơ") != accented_key("Ba Tô")


def test_wards_known_by_a_number_are_found_within_their_city():
    city = {"level": 3, "at": "2024-01-01", "parent": "VN2024:761"}
    assert len(set(found("Phường Thới An", "P. Thới An", "Thới An", **city))) == 1
    tan_an = {"level": 3, "at": "2024-01-01", "parent": "VN2024:794"}
    assert set(found("Phường 4", "P4", "P.4", "phường 04", "4", **tan_an)) == {"VN2024:27691"}


def test_a_type_word_within_a_name_is_not_taken_for_the_type():
    parent = {"level": 3, "at": "2024-01-01", "parent": "VN2024:93"}
    assert found("Xà Phiên", "xa phien", "Xã Xà Phiên", **parent) == ["VN2024:31495"] * 3
    assert [name.unit_type for name in written_names("Xà Phiên", 3)] == [""]
    assert [name.unit_type for name in written_names("Xã Phiên", 3)] == ["xã", ""]


def test_names_that_differ_by_accents_only_are_told_apart_and_without_accents_refused():
    two = places("VN2025").query("level == 3").assign(key=lambda d: d["name"].map(accented_key))
    assert {"Ba Tơ", "Ba Tô"} <= set(two["name"])
    in_province = {"level": 3, "at": "2026-01-01", "parent": "VN2025:51"}
    one, other = found("Xã Ba Tơ", "Xã Ba Tô", **in_province)
    assert one != other
    assert reasons("Xa Ba To", **in_province) == ["duplicate_name"]


def test_two_communes_of_one_name_in_the_parent_are_a_duplicate_until_the_type_tells_them_apart():
    district = places("VN2024").query("full_name == 'Huyện Mường Tè'")["unit_id"].item()
    options = {"level": 3, "at": "2024-01-01", "parent": district}
    assert reasons("Mường Tè", **options) == ["duplicate_name"]
    assert len(set(found("Thị trấn Mường Tè", "Xã Mường Tè", **options)) - {""}) == 2


def test_a_code_of_2025_in_a_file_of_2023_and_the_reverse_are_refused_by_name():
    assert reasons("VN2025:21040", level=3, at="2023-03-01") == ["unit_not_valid_at_date"]
    old_only = "21019"
    assert place_exists("VN2024", old_only)
    assert not place_exists("VN2025", old_only)
    assert reasons(old_only, level=3, at="2026-01-01") == ["unit_not_valid_at_date"]
    assert reasons("Tỉnh Hậu Giang", level=1, at="2026-01-01") == ["unit_not_valid_at_date"]


def place_exists(system, code):
    return code in set(places(system)["code"])


def test_a_code_that_means_another_unit_in_each_system_is_judged_by_the_day_and_by_the_name_beside_it():
    assert found("82", level=1, at="2023-01-01") == ["VN2024:82"]
    assert found("82", level=1, at="2026-01-01") == ["VN2025:82"]
    named = pd.Series(["Tiền Giang", "Đồng Tháp", "Hà Nội"])
    answer = find("82", "82", "82", level=1, at="2026-01-01", named=named)
    assert answer["unit_id"].tolist() == ["", "VN2025:82", ""]
    assert answer["reason"].tolist() == ["places.unit_not_valid_at_date", "", "places.unit_code_name_differ"]


def test_each_row_may_have_its_own_day_and_parent():
    days = pd.Series(["2025-06-30", "2025-07-01"])
    assert found("15", "15", level=1, at=days) == ["VN2024:15", "VN2025:15"]
    parents = pd.Series(["VN2025:51", "VN2025:01"])
    answer = find("21040", "21040", level=3, at="2026-01-01", parent=parents)
    assert answer["reason"].tolist() == ["", "places.unit_outside_parent"]


def test_a_code_without_its_leading_zeros_is_taken_with_a_note():
    answer = find("4", "00004", "1.0", level=3, at="2026-01-01")
    assert answer["unit_id"].tolist()[:2] == ["VN2025:00004", "VN2025:00004"]
    assert answer["note"].tolist()[:2] == ["places.note_code_zeros", ""]


def test_nothing_and_the_unknown_are_told_apart_and_a_near_name_is_offered():
    answer = find("", None, "99999", "Xã Bình Sơnn", level=3, at="2026-01-01", parent="VN2025:51")
    assert answer["reason"].tolist() == ["places.unit_missing"] * 2 + ["places.unknown_unit"] * 2
    assert answer["fields"].iloc[3]["nearest"] == "Xã Bình Sơn"


def test_the_answers_keep_the_index_of_the_values():
    values = pd.Series(["01", "01"], index=[7, 7])
    assert find_places(values, level=1, at="2026-01-01").index.tolist() == [7, 7]


@pytest.mark.parametrize("system", ["VN2024", "VN2025"])
def test_every_unit_is_found_by_its_own_code_and_full_name_within_its_parent(system):
    units = places(system).query("level == 3").reset_index(drop=True)
    options = {"level": 3, "system": system, "parent": units["parent_unit_id"]}
    assert (find_places(units["code"], **options)["unit_id"] == units["unit_id"]).all()
    by_name = find_places(units["full_name"], **options)
    assert (by_name["unit_id"] == units["unit_id"]).all()


@settings(max_examples=200, deadline=None)
@given(value=st.text(max_size=30))
def test_no_text_is_too_odd_for_an_answer_and_every_refusal_is_a_sentence_in_both_languages(value):
    answer = find(value, level=3, at="2026-01-01", parent="VN2025:51").iloc[0]
    assert (answer["unit_id"] == "") == (answer["reason"] != "")
    for key in (answer["reason"], answer["note"]):
        for language in ("vi", "en") if key else ():
            assert label(key, language, **answer["fields"])

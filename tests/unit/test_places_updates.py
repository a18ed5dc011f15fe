"""Changes of the unit list that the statistics office publishes after July 2025."""

from __future__ import annotations

import pytest

from tkyt_analysis.labels import label
from tkyt_analysis.reference.places import find_places, place, places
from tkyt_analysis.reference.unit_updates import read_unit_update

HEADER = "Mã;Tên;Loại;Mã cấp trên;Từ ngày;Thay đổi;Mã đơn vị nhận;Văn bản"
# An invented reform in Quảng Ngãi (51): no such resolution exists.
REFORM = """
99001;Trà Mới;xã;51;01/01/2027;Thành lập;;ví dụ
21040;Bình Sơn Mới;;;2027-01-01;Đổi tên;;ví dụ
21040;;Phường;;2027-06-01;Đổi loại;;ví dụ
21061;;;;2027-01-01;Nhập vào;21040;ví dụ
99001;;;;2028-01-01;Giải thể;;ví dụ
"""


def update(tmp_path, rows):
    path = tmp_path / "units.csv"
    path.write_text(f"{HEADER}\n{rows.strip()}\n", "utf-8-sig")
    changes, problems = read_unit_update(path)
    assert len(changes) + len(problems) == len(rows.strip().splitlines())
    for problem in problems.itertuples():
        for language in ("vi", "en"):
            assert label(problem.reason, language, **problem.fields)
    return changes, problems


def test_changes_apply_from_their_day(tmp_path):
    changes, problems = update(tmp_path, REFORM)
    assert problems.empty

    def unit(code, day):
        return places("VN2025", at=day, updates=changes).query("code == @code")

    assert unit("99001", "2026-12-31").empty
    assert unit("99001", "2027-01-01")["parent_unit_id"].tolist() == ["VN2025:51"]
    assert unit("99001", "2028-01-01").empty
    assert unit("21040", "2026-12-31")["full_name"].tolist() == ["Xã Bình Sơn"]
    assert unit("21040", "2027-01-01")["full_name"].tolist() == ["Xã Bình Sơn Mới"]
    assert unit("21040", "2027-06-01")["full_name"].tolist() == ["Phường Bình Sơn Mới"]
    assert len(unit("21061", "2026-12-31")) == 1
    assert unit("21061", "2027-01-01").empty


def test_without_a_day_all_units_ever_are_listed_with_their_lives(tmp_path):
    changes, _ = update(tmp_path, REFORM)
    units = places("VN2025", updates=changes).set_index("code")
    assert len(units) == 1 + 34 + 3321 + 1
    assert str(units.loc["99001", "valid_from"].date()) == "2027-01-01"
    assert str(units.loc["99001", "valid_to"].date()) == "2027-12-31"
    assert units["parent_unit_id"].dtype == places("VN2025")["parent_unit_id"].dtype


def test_the_shipped_list_is_not_touched(tmp_path):
    update(tmp_path, REFORM)
    assert place("VN2025:21040").full_name == "Xã Bình Sơn"


def test_old_and_new_names_are_found_and_a_merged_unit_is_not_valid_afterwards(tmp_path):
    import pandas as pd

    changes, _ = update(tmp_path, REFORM)
    written = pd.Series(["Xã Bình Sơn", "Phường Bình Sơn Mới", "21061", "21061", "99001", "99001"])
    days = pd.Series(["2027-07-01", "2027-07-01", "2026-12-31", "2027-01-01", "2026-12-31", "2027-01-01"])
    answer = find_places(written, level=3, at=days, parent="VN2025:51", updates=changes)
    late = "places.unit_not_valid_at_date"
    assert answer["reason"].tolist() == ["", "", "", late, late, ""]
    assert answer["unit_id"].tolist()[:3] == ["VN2025:21040", "VN2025:21040", "VN2025:21061"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("4;A;xã;51;2027-01-01;new;;", "code_format"),
        ("99001;A;xã;51;2027-01-01;dời đi;;", "action_unknown"),
        ("99001;A;xã;51;2027-13-01;new;;", "date_unreadable"),
        ("99001;A;xã;51;2024-01-01;new;;", "date_too_early"),
        ("21040;A;xã;51;2027-01-01;new;;", "code_reused"),
        ("99001;A;;;2027-01-01;rename;;", "code_unknown"),
        ("99001;;xã;51;2027-01-01;new;;", "value_missing"),
        ("21040;;;;2027-01-01;rename;;", "value_missing"),
        ("21040;;;;2027-01-01;merge;;", "value_missing"),
        ("99001;A;thị trấn lớn;51;2027-01-01;new;;", "type_unknown"),
        ("21040;;tỉnh;;2027-01-01;retype;;", "type_unknown"),
        ("99001;A;xã;99;2027-01-01;new;;", "parent_unknown"),
        ("99001;A;xã;02;2027-01-01;new;;", "parent_unknown"),
        ("21040;;;;2027-01-01;merge;99999;", "successor_unknown"),
        ("21040;;;;2027-01-01;merge;21040;", "successor_unknown"),
        ("21040;;;;2027-01-01;merge;51;", "successor_unknown"),
        ("51;;;;2027-01-01;close;;", "children_left"),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_the_reason(tmp_path, row, reason):
    changes, problems = update(tmp_path, row)
    assert changes.empty
    assert problems["reason"].tolist() == [f"places.update_{reason}"]
    assert problems["row_number"].tolist() == [2]


def test_a_refused_row_does_not_take_others_with_it_and_a_code_is_given_once(tmp_path):
    rows = """
99001;A;xã;51;2027-01-01;new;;
99001;B;xã;51;2027-02-01;new;;
21061;;;;2027-01-01;close;;
21061;C;;;2027-05-01;rename;;
21040;D;;;2027-05-01;rename;;
21040;E;;;2027-05-01;rename;;
"""
    changes, problems = update(tmp_path, rows)
    assert dict(zip(problems["row_number"], problems["reason"])) == {
        3: "places.update_code_reused",
        5: "places.update_unit_closed",
        7: "places.update_stated_twice",
    }
    assert changes["code"].tolist() == ["99001", "21061", "21040"]


def test_a_new_unit_may_be_renamed_after_it_was_created_but_not_before(tmp_path):
    created = "99001;A;xã;51;2027-03-01;new;;\n99001;B;;;{day};rename;;"
    assert update(tmp_path, created.format(day="2027-04-01"))[1].empty
    assert update(tmp_path, created.format(day="2027-02-01"))[1]["reason"].tolist() == ["places.update_code_unknown"]

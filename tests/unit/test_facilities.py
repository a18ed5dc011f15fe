"""Health facilities with dated lives, from the list that the ministry supplies."""

from __future__ import annotations

import datetime

import pandas as pd
import pytest

from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.reference.facilities import facilities_at, read_facilities, successor, successors

HEADER = "Mã cơ sở KCB,Tên cơ sở,Loại cơ sở,Mã xã,Ngày bắt đầu,Ngày kết thúc,Sáp nhập vào,Vĩ độ,Kinh độ"
# Practice facilities (third character Z): three stations of old communes became one in July 2025.
MERGER = """
51Z01,TYT Bình Sơn,TYT,21040,2025-07-01,,,15.30,108.76
51Z02,TYT Bình Long,TYT,21040,2010-01-01,30/06/2025,51Z01,,
51Z03,TYT Bình Hiệp,TYT,21040,2010-01-01,30/06/2025,51Z02,,
51Z04,TYT Bình Thanh,TYT,21040,,2015-12-31,,,
"""


def write(tmp_path, rows, header=HEADER):
    path = tmp_path / "facilities.csv"
    path.write_text(f"{header}\n{rows.strip()}\n", "utf-8")
    return path


def problems_of(tmp_path, rows):
    facilities, problems = read_facilities(write(tmp_path, rows))
    assert len(facilities) + len(problems) == len(rows.strip().splitlines())
    for problem in problems.itertuples():
        for language in ("vi", "en"):
            assert label(problem.reason, language, **problem.fields)
    return dict(zip(problems["row_number"], problems["reason"]))


def test_a_clean_list_lands_whole(tmp_path):
    facilities, problems = read_facilities(write(tmp_path, MERGER))
    assert problems.empty
    assert facilities["facility_id"].tolist() == ["KCB:51Z01", "KCB:51Z02", "KCB:51Z03", "KCB:51Z04"]
    assert facilities["merged_into"].tolist() == ["", "KCB:51Z01", "KCB:51Z02", ""]
    assert facilities.loc[0, ["latitude", "longitude"]].tolist() == [15.30, 108.76]
    assert facilities["valid_to"].isna().tolist() == [True, False, False, False]


def test_a_commune_code_is_read_in_the_list_of_the_last_day_of_the_life(tmp_path):
    facilities, _ = read_facilities(write(tmp_path, MERGER))
    assert facilities["unit_id"].tolist() == ["VN2025:21040"] + ["VN2024:21040"] * 3


@pytest.mark.parametrize(
    ("day", "alive"),
    [
        ("2015-12-31", ["51Z02", "51Z03", "51Z04"]),
        ("2016-01-01", ["51Z02", "51Z03"]),
        ("2025-06-30", ["51Z02", "51Z03"]),
        (datetime.date(2025, 7, 1), ["51Z01"]),
        ("2009-12-31", ["51Z04"]),
    ],
)
def test_a_facility_is_alive_from_its_first_to_its_last_day(tmp_path, day, alive):
    facilities, _ = read_facilities(write(tmp_path, MERGER))
    assert facilities_at(facilities, day)["facility_id"].str.removeprefix("KCB:").tolist() == alive


def test_the_line_of_mergers_is_followed_to_its_end(tmp_path):
    facilities, _ = read_facilities(write(tmp_path, MERGER))
    assert successor(facilities, "KCB:51Z03") == "KCB:51Z01"
    assert successors(facilities).to_dict() == {
        "KCB:51Z01": "KCB:51Z01",
        "KCB:51Z02": "KCB:51Z01",
        "KCB:51Z03": "KCB:51Z01",
        "KCB:51Z04": "KCB:51Z04",
    }
    with pytest.raises(InputError, match="KCB:99Z99"):
        successor(facilities, "KCB:99Z99")


def test_a_long_line_of_mergers_is_followed_too():
    ids = [f"KCB:51{number:03}" for number in range(100)]
    table = pd.DataFrame({"facility_id": ids, "merged_into": [*ids[1:], ""], "valid_from": pd.NaT})
    assert set(successors(table)) == {ids[-1]}


def test_two_lives_of_one_facility_may_follow_one_another_but_not_overlap(tmp_path):
    follow = """
51Z01,TYT A,TYT,21040,2010-01-01,2025-06-30,,,
51Z01,TYT A,TYT,21040,2025-07-01,,,,
"""
    assert problems_of(tmp_path, follow) == {}
    assert problems_of(tmp_path, follow.replace("2025-07-01", "2025-06-30")) == {3: "facilities.lives_overlap"}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("51z06,TYT A,TYT,21040,,,,,", "facilities.code_format"),
        ("1Z06,TYT A,TYT,21040,,,,,", "facilities.code_format"),
        ("51Z061,TYT A,TYT,21040,,,,,", "facilities.code_format"),
        ("51Z06,,TYT,21040,,,,,", "facilities.name_missing"),
        ("51Z06,TYT A,TYT,99999,,,,,", "places.unknown_unit"),
        ("51Z06,TYT A,TYT,21019,,,,,", "places.unit_not_valid_at_date"),
        ("51Z06,TYT A,TYT,,,,,,", "places.unit_missing"),
        ("51Z06,TYT A,TYT,21040,2014-02-30,,,,", "facilities.date_unreadable"),
        ("51Z06,TYT A,TYT,21040,,năm 2014,,,", "facilities.date_unreadable"),
        ("51Z06,TYT A,TYT,21040,2014-02-03,2013-01-01,,,", "facilities.ends_before_start"),
        ("51Z06,TYT A,TYT,21040,,,,108.8,15.1", "facilities.point_outside"),
        ("51Z06,TYT A,TYT,21040,,2014-01-01,51Z99,,", "facilities.merged_unknown"),
        ("51Z06,TYT A,TYT,21040,,,51Z01,,", "facilities.merged_without_end"),
        ("51Z06,TYT A,TYT,21040,,2019-01-01,51Z04,,", "facilities.merged_into_closed"),
        ("51Z06,TYT A,TYT,21040,,2019-01-01,51Z06,,", "facilities.merged_in_circle"),
    ],
)
def test_a_row_that_cannot_be_true_is_refused_and_nothing_else(tmp_path, row, reason):
    assert problems_of(tmp_path, MERGER + row) == {6: reason}


def test_mergers_that_come_back_to_the_start_are_refused_but_not_those_that_lead_there(tmp_path):
    circle = """
51Z01,TYT A,TYT,21040,,2019-12-31,51Z02,,
51Z02,TYT B,TYT,21040,,2019-12-31,51Z03,,
51Z03,TYT C,TYT,21040,,2019-12-31,51Z01,,
51Z04,TYT D,TYT,21040,,2015-12-31,51Z01,,
"""
    assert problems_of(tmp_path, circle) == dict.fromkeys((2, 3, 4), "facilities.merged_in_circle")


def test_an_excel_list_with_its_header_in_row_4_reads_like_a_csv(tmp_path):
    rows = [line.split(",") for line in MERGER.strip().splitlines()]
    rows[0][4] = datetime.datetime(2025, 7, 1)
    frame = pd.DataFrame([["Danh sách cơ sở"], [], [], HEADER.upper().split(","), *rows])
    path = tmp_path / "facilities.xlsx"
    frame.to_excel(path, header=False, index=False)
    from_excel, problems = read_facilities(path)
    from_csv, _ = read_facilities(write(tmp_path, MERGER))
    assert problems.empty
    pd.testing.assert_frame_equal(from_excel, from_csv)


def test_a_file_that_is_no_facility_list_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match="Mã cơ sở KCB"):
        read_facilities(write(tmp_path, "1,2", header="a,b"))
    with pytest.raises(InputError, match="không có"):
        read_facilities(write(tmp_path, "", header=""))
    with pytest.raises(InputError, match=r"absent\.csv"):
        read_facilities(tmp_path / "absent.csv")
    (tmp_path / "old.csv").write_bytes("Mã cơ sở".encode("utf-16"))
    with pytest.raises(InputError, match="UTF-8"):
        read_facilities(tmp_path / "old.csv")
    (tmp_path / "broken.xlsx").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match=r"broken\.xlsx"):
        read_facilities(tmp_path / "broken.xlsx")


def test_a_list_without_rows_is_an_empty_table(tmp_path):
    facilities, problems = read_facilities(write(tmp_path, ""))
    assert facilities.empty
    assert problems.empty

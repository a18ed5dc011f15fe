"""WHO module 3: recounted / reported from a sample of visited units."""

import math

import numpy as np
import pandas as pd
import pytest
from support import table

from tkyt_analysis.errors import InputError
from tkyt_analysis.quality.desk_review.verification import (
    accepted_band,
    read_verification_sample,
    unit_factors,
    verification_factors,
)

SAMPLE = table("""
    unit | period | element | reported | recounted
    a    | 202501 | penta   |      100 |        90
    a    | 202502 | penta   |      100 |        90
    b    | 202501 | penta   |       50 |        50
    c    | 202501 | penta   |      150 |       160
    a    | 202501 | anc     |       10 |        10
    b    | 202501 | deaths  |        0 |         2
    c    | 202501 | deaths  |        0 |         0
""")


def factor_of(element, sample=SAMPLE):
    (row,) = verification_factors(sample[sample["element"] == element]).to_dict("records")
    return row


def test_the_factor_divides_sums_and_its_interval_knows_that_rows_of_a_unit_belong_together():
    found = factor_of("penta")
    factor = (90 + 90 + 50 + 160) / (100 + 100 + 50 + 150)
    assert found["factor"] == pytest.approx(factor)
    off = np.array([180 - factor * 200, 50 - factor * 50, 160 - factor * 150])  # one per unit, not per row
    error = math.sqrt(3 / 2 * (off**2).sum()) / 400
    assert found["upper"] - found["factor"] == pytest.approx(4.30265 * error, rel=1e-4)  # t with 2 degrees of freedom
    assert (found["units"], found["rows"]) == (3, 4)


def test_one_unit_gives_no_interval_and_no_verdict():
    found = factor_of("anc")
    assert (found["verdict"], found["reason"]) == ("not_assessable", "one_unit")
    assert found["factor"] == 1.0


def test_nothing_reported_has_no_factor_but_the_unit_that_counted_some_is_named():
    assert factor_of("deaths")["reason"] == "zero_reported"
    units = unit_factors(SAMPLE[SAMPLE["element"] == "deaths"])
    assert list(units["verdict"]) == ["under_reported", "not_assessable"]


def test_the_verdict_follows_the_whole_interval():
    even = pd.DataFrame(
        {
            "unit": list("abcd"),
            "period": "202501",
            "element": "x",
            "reported": 1000,
            "recounted": [1001, 999, 1000, 1002],
        }
    )
    assert factor_of("x", even)["verdict"] == "accepted"
    assert factor_of("x", even.assign(recounted=even["recounted"] - 500))["verdict"] == "rejected"
    assert factor_of("x", even.assign(recounted=[1500, 600, 1000, 1002]))["verdict"] == "undecided"


def test_a_sample_in_which_all_units_agree_says_that_its_interval_knows_no_variation():
    alike = pd.DataFrame({"unit": list("abc"), "period": "1", "element": "x", "reported": 10, "recounted": 10})
    found = factor_of("x", alike)
    assert (found["lower"], found["upper"], found["reason"]) == (1.0, 1.0, "no_variation")


def test_units_are_listed_the_farthest_first():
    units = unit_factors(SAMPLE)
    assert units["unit"].iloc[0] == "b"
    assert units["element"].iloc[0] == "deaths"
    over = units[(units["unit"] == "a") & (units["element"] == "penta")]
    assert over["factor"].iloc[0] == pytest.approx(180 / 200)
    assert over["verdict"].iloc[0] == "accepted"  # 0.90 itself is accepted


def test_the_interval_holds_the_true_factor_as_often_as_it_says():
    draws, held = np.random.default_rng(3), []
    for _ in range(300):
        reported = draws.poisson(200, 30)
        recounted = np.rint(reported * draws.normal(0.95, 0.1, 30))
        rows = pd.DataFrame(
            {"unit": range(30), "period": "202501", "element": "x", "reported": reported, "recounted": recounted}
        )
        found = factor_of("x", rows)
        held.append(found["lower"] <= 0.95 <= found["upper"])
    assert 0.90 <= np.mean(held) <= 0.99


def test_the_band_is_that_of_the_catalog():
    assert accepted_band(2025) == (0.9, 1.1)


def test_a_sample_is_read_under_vietnamese_and_english_headings(tmp_path):
    path = tmp_path / "mau.csv"
    path.write_text("Đơn vị;Kỳ;Chỉ tiêu;Số báo cáo;Số đếm lại\n01;202501;penta;10;9\n02;202501;penta;;4\n", "utf-8-sig")
    sample = read_verification_sample(path)
    assert sample["unit"].tolist() == ["01", "02"]
    assert sample["reported"].isna().tolist() == [False, True]
    assert verification_factors(sample)["rows_left_out"].tolist() == [1]
    english = tmp_path / "sample.xlsx"
    SAMPLE.to_excel(english, index=False)
    assert read_verification_sample(english)["reported"].sum() == SAMPLE["reported"].sum()


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("unit,period,element,reported\na,1,x,3\n", "error.verification_columns", "đếm lại"),
        ("unit,period,element,reported,recounted\na,1,x,3,3\nb,1,x,l2,3\n", "error.verification_number", "l2"),
        ("unit,period,element,reported,recounted\na,1,x,-3,3\n", "error.verification_number", "-3"),
    ],
)
def test_a_wrong_sample_is_refused_with_the_place(tmp_path, text, key, said):
    path = tmp_path / "sample.csv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as error:
        read_verification_sample(path)
    assert error.value.key == key
    assert said in error.value.sentence("vi")
    if "l2" in said:
        assert "3" in error.value.sentence("vi")  # the row in the file


def test_a_sample_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(InputError):
        read_verification_sample(tmp_path / "absent.csv")
    broken = tmp_path / "broken.xlsx"
    broken.write_bytes(b"no workbook")
    with pytest.raises(InputError):
        read_verification_sample(broken)

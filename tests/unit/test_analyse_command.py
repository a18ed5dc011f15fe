"""`tkyt analyse`: a CSV file in, the table of an analysis out, a picture if wished; what cannot be done gets a sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tkyt_analysis.analysis.spatial import empirical_bayes_rate, moran, place_weights
from tkyt_analysis.analysis.trend import excess_deaths, joinpoint
from tkyt_analysis.cli.analyse import analyse
from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.places import places

YEARS = np.arange(2006, 2021)
RISING_THEN_FALLING = np.where(YEARS <= 2013, 1.05 ** (YEARS - 2013), 0.97 ** (YEARS - 2013))


@pytest.fixture
def work(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def ask(*arguments: object) -> str:
    return CliRunner().invoke(analyse, [str(part) for part in arguments], catch_exceptions=False).output


def refusal(*arguments: object) -> str:
    answer = CliRunner().invoke(analyse, [str(part) for part in arguments])
    assert isinstance(answer.exception, InputError)
    return answer.exception.sentence()


def two_provinces() -> pd.DataFrame:
    """Hà Nội turns in 2013 (+5 % then -3 % a year), Cao Bằng falls evenly by 2 % a year."""
    turning = 500 * RISING_THEN_FALLING
    falling = 600 * 0.98 ** (YEARS - 2006)
    frames = [
        pd.DataFrame({"unit_id": code, "nam": YEARS, "deaths": np.round(rate * 20), "people": 2_000_000})
        for code, rate in (("VN2025:01", turning), ("VN2025:04", falling))
    ]
    return pd.concat(frames)


def provinces() -> pd.DataFrame:
    """34 provinces with 10 deaths per 1,000, three neighbours in the north with 20."""
    units = places("VN2025").query("level == 1")[["unit_id"]].reset_index(drop=True)
    high = units["unit_id"].isin(["VN2025:04", "VN2025:08", "VN2025:19"])
    return units.assign(deaths=np.where(high, 200, 100) + np.arange(len(units)) % 3, population=10_000)


def test_joinpoints_of_a_file_are_those_of_the_function_with_the_name_of_the_place(work):
    two_provinces().to_csv("tinh.csv", index=False)
    said = ask(
        "joinpoint", "tinh.csv", "--by", "unit_id", "--population", "people", "-o", "out.csv", "--picture", "p.svg"
    )
    written = pd.read_csv("out.csv")
    assert written["name"].tolist() == ["Hà Nội", "Hà Nội", "Cao Bằng"]
    assert written["start"].tolist() == [2006, 2013, 2006]
    assert written["apc"].round(1).tolist() == [5.0, -3.0, -2.0]
    direct = joinpoint(two_provinces(), by="unit_id", population="people")
    assert written["aapc"].drop_duplicates().tolist() == pytest.approx(direct.aapc["aapc"].tolist())
    assert "2 chuỗi; 1 chuỗi có điểm gãy" in said
    assert "Hà Nội" in Path("p.svg").read_text(encoding="utf-8")


def test_only_keeps_the_rows_asked_for_and_json_tells_machines(work):
    two_provinces().to_csv("tinh.csv", index=False)
    arguments = ["--only", "unit_id=VN2025:04", "--population", "people", "-o", "out.csv", "--json"]
    found = json.loads(ask("joinpoint", "tinh.csv", *arguments))
    assert (found["series"], found["with_joinpoints"]) == (1, 0)
    assert "VN2025:99" in refusal("joinpoint", "tinh.csv", "--only", "unit_id=VN2025:99", "-o", "out.csv")


def monthly() -> pd.DataFrame:
    """100 deaths a month and a little more each winter; 160 in July 2021."""
    months = pd.period_range("2015-01", "2021-12", freq="M")
    deaths = 100 + 10 * np.cos(2 * np.pi * months.month / 12) + 60 * (months == pd.Period("2021-07"))
    return pd.DataFrame({"period_id": months.strftime("%Y%m"), "deaths": np.round(deaths)})


def test_excess_of_a_file_is_that_of_the_function_and_is_summed_on_the_screen(work):
    monthly().to_csv("thang.csv", index=False)
    ask(
        "excess", "thang.csv", "--baseline", "2015-2019", "--start", "2021-01-01", "-o", "out.csv", "--picture", "p.png"
    )
    written = pd.read_csv("out.csv", dtype={"period_id": "str"})
    direct = excess_deaths(monthly(), baseline=(2015, 2019), start="2021-01-01")
    assert written["excess"].tolist() == pytest.approx(direct["excess"].tolist(), rel=1e-6, abs=1e-6)
    july = written.set_index("period_id").loc["202107"]
    assert july["excess"] == pytest.approx(60, abs=5)
    assert Path("p.png").read_bytes().startswith(b"\x89PNG")


def test_a_time_under_study_must_be_named_and_a_picture_is_of_one_series(work):
    pd.concat([monthly().assign(tinh=code) for code in "ab"]).to_csv("thang.csv", index=False)
    assert "--start" in refusal("excess", "thang.csv", "--by", "tinh", "-o", "out.csv")
    arguments = ["--by", "tinh", "--baseline", "2015-2019", "-o", "out.csv", "--picture", "p.svg"]
    assert "--only" in refusal("excess", "thang.csv", *arguments)


def test_smoothed_rates_take_the_neighbours_of_the_catalog_and_bare_codes(work):
    rows = provinces().assign(unit_id=lambda table: table["unit_id"].str[7:])
    rows.to_csv("tinh.csv", index=False)
    ask("smooth", "tinh.csv", "--vintage", "VN2025", "--neighbours", "province", "-o", "out.csv", "--per", 1000)
    written = pd.read_csv("out.csv", dtype={"unit_id": "str"}).set_index("unit_id")
    assert written.index[0] == "01"
    assert written.loc["04", "name"] == "Cao Bằng"
    plain = provinces().set_index("unit_id")
    direct = empirical_bayes_rate(plain["deaths"], plain["population"], neighbours=place_weights(), per=1000)
    assert written["rate"].to_numpy() == pytest.approx(direct["rate"].to_numpy())


def test_neighbours_come_from_a_file_for_areas_of_any_kind(work):
    Path("xa.csv").write_text("area;cases;population\nA;5;100\nB;3;200\nC;3;200\n", encoding="utf-8")
    Path("pairs.csv").write_text("i,j\nA,B\nB,A\n", encoding="utf-8")
    ask("smooth", "xa.csv", "--neighbours", "pairs.csv", "-o", "out.csv")
    assert pd.read_csv("out.csv")["neighbours"].tolist() == [1, 1, 0]
    assert "--neighbours" in refusal("moran", "xa.csv", "-o", "out.csv")
    assert "x, y" in refusal("scan", "xa.csv", "-o", "out.csv")


def test_the_scan_knows_the_points_of_provinces_and_finds_the_planted_cluster(work):
    provinces().rename(columns={"deaths": "ca", "population": "dan"}).to_csv("tinh.csv", index=False)
    arguments = [
        "--count",
        "ca",
        "--population",
        "dan",
        "-o",
        "out.csv",
        "--replicates",
        99,
        "--max-population-share",
        0.1,
        "--picture",
        "p.svg",
    ]
    assert "1 cụm có ý nghĩa" in ask("scan", "tinh.csv", *arguments)
    first = pd.read_csv("out.csv").iloc[0]
    assert set(first["members"].split()) == {"VN2025:04", "VN2025:08", "VN2025:19"}
    assert "Hoàng Sa" in Path("p.svg").read_text(encoding="utf-8")


def test_moran_tells_of_the_whole_map_and_of_each_area(work):
    provinces().to_csv("tinh.csv", index=False)
    found = json.loads(ask("moran", "tinh.csv", "-o", "out.csv", "--json", "--permutations", 99))
    rows = provinces().assign(population=lambda table: 10_000 + 3_000 * (table.index % 2))  # rates, not counts
    rows.to_csv("lech.csv", index=False)
    uneven = json.loads(ask("moran", "lech.csv", "-o", "out2.csv", "--json", "--permutations", 99))
    named = rows.set_index("unit_id")
    direct = moran(named["deaths"], place_weights(), population=named["population"]).iloc[0]
    assert uneven["moran"]["statistic"] == pytest.approx(direct["statistic"])
    assert found["moran"]["statistic"] > 0.2
    assert found["moran"]["p_value"] == pytest.approx(1 / 100)
    kinds = pd.read_csv("out.csv").set_index("unit_id")["cluster"]
    assert set(kinds[kinds == "high_high"].index) >= {"VN2025:04", "VN2025:08"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["joinpoint", "tinh.csv", "--rate", "ty", "-o", "out.csv"], "không có cột ty"),
        (["smooth", "tinh.csv", "-o", "out.csv", "--population", "people"], "VN2025:01"),  # each area in 15 years
        (["smooth", "tinh.csv", "-o", "khong_co/out.csv"], "khong_co"),
        (["joinpoint", "tinh.csv", "-o", "out.csv", "--picture", "p.docx"], ".svg"),
        (["joinpoint", "tinh.csv", "-o", "./tinh.csv"], "số liệu vào"),
        (["moran", "tinh.csv", "-o", "out.csv", "--only", "nam"], "--only"),
        (["excess", "tinh.csv", "-o", "out.csv", "--baseline", "2015"], "2015-2019"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_a_sentence_and_leaves_no_file(work, arguments, sentence):
    two_provinces().to_csv("tinh.csv", index=False)
    assert sentence in refusal(*arguments)
    assert not Path("out.csv").exists()


def test_wrong_use_leaves_with_2_and_a_column_twice_is_noticed(work, capsys):
    Path("hai.csv").write_text("year,rate,rate\n2015,1,2\n", encoding="utf-8")
    assert run(["analyse", "joinpoint", "hai.csv", "-o", "out.csv"]) == 2
    assert "cột rate có hai lần" in capsys.readouterr().err


def test_a_series_too_short_says_so_in_words(work):
    Path("ngan.csv").write_text("year,rate\n2015,10\n2016,11\n", encoding="utf-8")
    assert "1 chuỗi không đánh giá được" in ask("joinpoint", "ngan.csv", "-o", "out.csv")
    assert "chưa đến 3 năm" in pd.read_csv("out.csv")["remark"].iloc[0]

"""`tkyt series`: a file in, one geography out, and a sentence for whatever cannot be read."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from tkyt_analysis.cli.series import series
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.series_file import read_counts_file, series_of_file

ROWS = """unit_id;period_id;deaths;people
VN2024:10;2024;40;700
VN2024:15;2024;60;800
VN2024:10;2025S1;20;710
VN2024:15;2025S1;30;810
VN2025:15;2025S2;55;1530
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tu_vong.csv"
    path.write_text("\ufeff" + ROWS, encoding="utf-8")
    return path


def test_a_file_of_old_and_new_provinces_becomes_one_series(file, tmp_path):
    output = tmp_path / "out.csv"
    asked = [str(file), "--on", "34", "--measure", "deaths", "--stock", "people", "-o", str(output)]
    said = CliRunner().invoke(series, asked, catch_exceptions=False)
    assert "34 tỉnh" in said.output
    written = pd.read_csv(output, dtype={"period_id": "str"}).set_index("period_id")
    assert written["deaths"].to_dict() == {"2024": 100, "2025": 105}
    machine = CliRunner().invoke(series, [*asked, "--json"], catch_exceptions=False)
    assert json.loads(machine.output)["cells"] == {"ok": 2}


def test_codes_stay_text_and_whole_numbers_stay_whole(file):
    rows = read_counts_file(file, ["deaths"])
    assert rows["period_id"].tolist()[2:] == ["2025S1", "2025S1", "2025S2"]
    assert rows["deaths"].tolist() == [40, 60, 20, 30, 55]
    assert str(rows["deaths"].dtype) == "int64"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (ROWS.replace(";30;", ";ba mươi;"), "dòng 5, cột deaths: “ba mươi”"),
        (ROWS.replace(";30;", ";30;1;"), "dòng 5: có 5 ô, cần 4"),
        (ROWS.replace("deaths", "chet"), "deaths"),
        (ROWS.replace("VN2024:15", "15"), "15"),
        ("", "không có dòng nào"),
    ],
)
def test_what_cannot_be_read_gets_a_sentence_with_its_line(tmp_path, text, sentence):
    path = tmp_path / "tu_vong.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=sentence):
        series_of_file(path, "34", ["deaths", "people"])


def test_an_empty_cell_is_missing_and_not_zero(tmp_path):
    path = tmp_path / "tu_vong.csv"
    path.write_text(ROWS.replace(";55;", ";;"), encoding="utf-8")
    found = series_of_file(path, "34", ["deaths"], stocks=["people"]).table
    assert found["status"].tolist() == ["ok", "not_assessable"]

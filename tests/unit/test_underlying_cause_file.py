"""`tkyt deaths underlying`: every row of the file gets a row of the result; what cannot be read is said, not dropped."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from mortality.cli.underlying import underlying
from mortality.underlying_cause import files
from mortality.underlying_cause.files import underlying_causes_of_file
from tkyt_analysis.errors import InputError

HEADER = "id,sex,age_value,age_unit,line_a,line_b,line_c,line_d,part2"


def written(folder, *rows, header=HEADER):
    path = folder / "in.csv"
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def worked(folder, *rows, header=HEADER, **options):
    summary = underlying_causes_of_file(written(folder, *rows, header=header), folder / "out.csv", **options)
    return summary, pd.read_csv(folder / "out.csv", dtype=str, keep_default_na=False)


def test_the_result_has_the_columns_of_the_contract_and_a_row_per_certificate(tmp_path):
    summary, result = worked(tmp_path, "1,M,70,years,J180,I639,,,", "2,F,30,years,C539,,,,")
    assert list(result) == ["id", "underlying_cause", "steps", "flags"]
    assert result.values.tolist() == [["1", "I63.9", "SP3", ""], ["2", "C53.9", "SP1", ""]]
    assert (summary.rows, summary.with_cause) == (2, 2)


def test_further_columns_and_their_order_and_case_do_not_matter(tmp_path):
    header = "extra,part2,LINE_A,line_b,line_c,line_d,age_unit,age_value,sex,id"
    _, result = worked(tmp_path, "x,,J18.0,I63.9,,,years,70,M,7", header=header)
    assert result.values.tolist() == [["7", "I63.9", "SP3", ""]]


def test_a_certificate_without_a_usable_code_keeps_its_row_with_an_empty_cause_and_a_flag(tmp_path):
    summary, result = worked(tmp_path, "1,M,70,years,,,,,", "2,M,70,years,XYZ,,,,")
    assert result["underlying_cause"].tolist() == ["", ""]
    assert "reject:no_code" in result["flags"][0]
    assert set(result["flags"][1].split()) >= {"reject:no_code"}
    assert (summary.rows, summary.with_cause) == (2, 0)


def test_codes_units_and_ages_that_cannot_be_read_are_named_with_their_row(tmp_path):
    summary, result = worked(
        tmp_path, "1,M,70,years,J18.0,I63.9 QQ1,,,", "2,M,7,moons,J18.0,,,,", "3,M,old,years,J18.0,,,,"
    )
    assert result["underlying_cause"].tolist() == ["I63.9", "J18.0", "J18.0"]
    assert summary.examples == {
        "reject:invalid_code": ["2: QQ1"],
        "check:age_unit": ["3: moons"],
        "check:age_value": ["4: old"],
    }


def test_a_missing_column_a_missing_file_and_a_broken_file_are_said(tmp_path):
    with pytest.raises(InputError, match="line_d"):
        worked(tmp_path, "1,M,70,years,J18.0,,,", header=HEADER.replace(",line_d", ""))
    with pytest.raises(InputError, match="nowhere.csv"):
        underlying_causes_of_file(tmp_path / "nowhere.csv", tmp_path / "out.csv")
    with pytest.raises(InputError, match="UTF-8"):
        worked(tmp_path, "1,M,70,years,J18.0,,,,", "2,M,70,years,J18.0,,,,,,,,,")
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="UTF-8"):
        underlying_causes_of_file(tmp_path / "bytes.csv", tmp_path / "out.csv")
    assert not list(tmp_path.glob("*.unfinished"))


def test_a_missing_decision_table_is_said_before_anything_is_read(tmp_path):
    with pytest.raises(InputError, match="table.csv"):
        worked(tmp_path, "1,M,70,years,J18.0,,,,", decision_table=tmp_path / "table.csv")


def test_the_result_does_not_depend_on_how_many_rows_are_read_at_once(tmp_path, monkeypatch):
    rows = [f"{n},M,70,years,J18.0,{code},,," for n, code in enumerate(["I63.9", "C34.9", "B24", "ZZ9", ""] * 3)]
    whole = worked(tmp_path, *rows)
    monkeypatch.setattr(files, "ROWS_AT_ONCE", 4)
    pieces = worked(tmp_path, *rows)
    assert whole[1].equals(pieces[1])
    assert whole[0] == pieces[0]


def test_explaining_adds_the_path_in_words(tmp_path):
    _, result = worked(tmp_path, "1,M,40,years,S065,W199,,,", explained=True)
    assert result["main_injury"].tolist() == ["S06.5"]
    assert result["explanation"][0].startswith("SP3: ")


def test_the_command_says_what_it_did_for_people_and_for_machines(tmp_path):
    source = written(tmp_path, "1,M,70,years,J18.0,I63.9 QQ1,,,", "2,M,70,years,,,,,")
    told = CliRunner().invoke(underlying, [str(source), "-o", str(tmp_path / "out.csv")])
    assert told.exit_code == 0, told.output
    assert "1 trong 2 phiếu" in told.output
    assert "2: QQ1" in told.output
    counted = CliRunner().invoke(underlying, [str(source), "-o", str(tmp_path / "out.csv"), "--json"])
    assert json.loads(counted.output)["flags"] == {"reject:invalid_code": 1, "reject:no_code": 1}


def test_an_unknown_profile_is_answered_with_those_that_exist(tmp_path):
    source = written(tmp_path, "1,M,70,years,J18.0,,,,")
    result = CliRunner().invoke(underlying, [str(source), "-o", str(tmp_path / "o.csv"), "--profile", "WHO-1893"])
    assert isinstance(result.exception, InputError)
    assert "WHO-2016" in str(result.exception)


def test_the_optional_fifth_character_of_hospital_lists_is_dropped_and_said(tmp_path):
    rows = ("1,M,70,years,S06.31,W19,,,", "2,M,70,years,S063,W19,,,", "3,M,70,years,S06.3X,W19,,,")
    summary, result = worked(tmp_path, *rows)
    assert result["underlying_cause"].tolist() == ["W19"] * 3
    assert result["flags"].tolist()[:2] == ["profile:fifth_character_dropped", ""]
    assert "reject:invalid_code" in result["flags"].tolist()[2]  # X is no character of WHO's
    assert summary.examples["reject:invalid_code"] == ["4: S06.3X"]

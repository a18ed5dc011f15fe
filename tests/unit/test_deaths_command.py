"""`tkyt deaths code`: a CSV in, a CSV out, sentences for what is wrong."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from mortality import cli
from mortality.cli import code
from tkyt_analysis.errors import InputError

CSV = "id,text,sex,age_years\n007,Tai biến mạch máu não,nữ,80\n008,qwerty,nam,\n"


def test_a_file_is_coded_and_codes_and_ids_stay_text(tmp_path):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("\ufeff" + CSV, encoding="utf-8")
    result = CliRunner().invoke(cli.deaths, ["code", str(source), "-o", str(target), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert {name: said[name] for name in ("rows", "auto", "review", "uncodable")} == {
        "rows": 2, "auto": 1, "review": 0, "uncodable": 1,
    }  # fmt: skip
    coded = pd.read_csv(target, dtype=str, keep_default_na=False)
    assert coded[["id", "decision", "code_1"]].to_numpy().tolist() == [["007", "auto", "I64"], ["008", "uncodable", ""]]


def test_blocks_join_without_loss(tmp_path, monkeypatch):
    monkeypatch.setattr(code, "ROWS_AT_ONCE", 7)
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_text("id,text\n" + "".join(f"{n},tai biến\n" for n in range(30)), encoding="utf-8")
    assert code.code_deaths_file(source, target)["rows"] == 30
    assert pd.read_csv(target)["id"].tolist() == list(range(30))


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", "id,text\n1,Tử vong".encode("utf-16"), b'id,text\n1,"open'])
def test_a_file_that_is_no_such_csv_ends_in_a_sentence_and_leaves_nothing(tmp_path, content):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(content)
    with pytest.raises(InputError):
        code.code_deaths_file(source, target)
    assert list(tmp_path.iterdir()) == [source]

"""`tkyt deaths edit`: a CSV in, findings out, errors first; sentences for what is wrong."""

import json

import pandas as pd
import pytest
from click.testing import CliRunner

from mortality.cli import deaths
from mortality.cli import edit as module
from tkyt_analysis.errors import InputError

CSV = "id,sex,age_value,age_unit,line_a,line_b,part2,ucod\n007,M,70,years,I469,R99,,R99\n008,F,40,years,S065,,,S065\n009,M,70,years,I469,I219,,I219\n"


def written(tmp_path, text=CSV):
    source = tmp_path / "in.csv"
    source.write_text("\ufeff" + text, encoding="utf-8")
    return source, tmp_path / "out.csv"


def test_a_file_is_edited_and_ids_stay_text(tmp_path):
    source, target = written(tmp_path)
    result = CliRunner().invoke(deaths, ["edit", str(source), "-o", str(target), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.output)
    assert {name: said[name] for name in ("rows", "error", "warning", "note", "ill_defined")} == {
        "rows": 3, "error": 1, "warning": 1, "note": 1, "ill_defined": 1,
    }  # fmt: skip
    found = pd.read_csv(target, dtype="str", keep_default_na=False)
    assert found[["id", "severity", "check"]].to_numpy().tolist() == [
        ["008", "error", "NEVER_UC"], ["008", "warning", "NATURE_NO_EXT"], ["007", "note", "ILL_DEFINED"],
    ]  # fmt: skip
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


def test_blocks_join_without_loss_and_errors_stay_first(tmp_path, monkeypatch):
    source, target = written(tmp_path)
    whole = module.edit_deaths_file(source, target)
    expected = target.read_text("utf-8")
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 1)
    parts = module.edit_deaths_file(source, target)
    assert target.read_text("utf-8") == expected
    assert (parts.records, parts.ill_defined) == (whole.records, whole.ill_defined) == (3, 1)


def test_the_summary_is_a_table_in_words(tmp_path):
    source, target = written(tmp_path)
    said = CliRunner().invoke(deaths, ["edit", str(source), "-o", str(target), "--country", "BR"]).output
    assert "NEVER_UC" in said
    assert "Mã không được là nguyên nhân chính" in said
    assert "1/3" in said


def test_a_file_with_a_heading_only_has_no_finding(tmp_path):
    source, target = written(tmp_path, "id,underlying_cause\n")
    assert module.edit_deaths_file(source, target).records == 0
    assert pd.read_csv(target).empty


@pytest.mark.parametrize(
    "content", [b"", b"id,text\n1,x\n", "id,ucod\n1,Tử vong".encode("utf-16"), b'id,ucod\n1,"open']
)
def test_a_file_that_is_no_such_csv_ends_in_a_sentence_and_leaves_nothing(tmp_path, content):
    source, target = tmp_path / "in.csv", tmp_path / "out.csv"
    source.write_bytes(content)
    with pytest.raises(InputError):
        module.edit_deaths_file(source, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_a_place_that_cannot_be_written_ends_in_a_sentence(tmp_path):
    source, _ = written(tmp_path)
    with pytest.raises(InputError, match="absent"):
        module.edit_deaths_file(source, tmp_path / "absent" / "out.csv")

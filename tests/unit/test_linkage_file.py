"""`tkyt deaths link IN.csv -o PAIRS.csv`: what goes in, what comes out, and what is said of a list that cannot be used."""

import csv
import json

import pytest
from click.testing import CliRunner

from mortality.cli.link import link
from mortality.linkage.file import link_file
from tkyt_analysis.errors import InputError

LIST = """id,full_name,sex,birth_date,death_date,address,place_code,id_number,note
z9,Nguyễn Thị Hoà,nữ,1950,12/03/2024,Thôn 3,05635,,first
a1,NGUYEN THI HOA,2,05/06/1950,2024-03-12,"thôn 3, xã Phú Lương",VN2024:05635,,second
c,Trần Văn Nam,nam,1/1/1961,01/02/2024,Ấp 5,05533,019060123456,
"""


def written(tmp_path, text=LIST, name="list.csv"):
    path = tmp_path / name
    path.write_text(text, "utf-8")
    return path


def test_pairs_stand_in_the_order_of_the_list_with_their_probability(tmp_path):
    target = tmp_path / "pairs.csv"
    result = link_file(written(tmp_path), target)
    rows = list(csv.reader(target.open(encoding="utf-8")))
    assert rows[0] == ["id_l", "id_r", "match_probability"]
    assert [row[:2] for row in rows[1:]] == [["z9", "a1"]]
    assert 0.5 <= float(rows[1][2]) <= 1
    assert (result["records"], result["linked_pairs"]) == (3, 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.csv", "pairs.csv"]


def test_a_semicolon_list_with_bom_and_other_spacing_is_read(tmp_path):
    text = "\ufeff" + LIST.replace(",", ";").replace("id;full_name", " ID; full_name").replace(
        '"thôn 3; xã', '"thôn 3, xã'
    )
    result = link_file(written(tmp_path, text), tmp_path / "pairs.csv")
    assert result["linked_pairs"] == 1


def test_without_ids_the_rows_are_numbered_and_that_is_said(tmp_path):
    text = "\n".join(line.split(",", 1)[1] for line in LIST.splitlines())
    target = tmp_path / "pairs.csv"
    assert link_file(written(tmp_path, text), target)["numbered"]
    assert target.read_text("utf-8").splitlines()[1].startswith("1,2,")


def test_a_list_with_headings_only_gives_an_empty_list_of_pairs(tmp_path):
    target = tmp_path / "pairs.csv"
    assert link_file(written(tmp_path, LIST.splitlines()[0] + "\n"), target)["records"] == 0
    assert target.read_text("utf-8").split() == ["id_l,id_r,match_probability"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("", "error.link_empty_file"),
        ("id,colour\n1,red\n", "error.link_columns"),
        (LIST.replace("a1,", "z9,"), "error.link_ids_twice"),
        (LIST.replace("a1,", ","), "error.link_ids_empty"),
    ],
    ids=["empty", "no column", "twice", "no id"],
)
def test_an_unusable_list_gets_a_sentence(tmp_path, text, key):
    with pytest.raises(InputError) as error:
        link_file(written(tmp_path, text), tmp_path / "pairs.csv")
    assert error.value.key == key
    assert "list.csv" in error.value.sentence("vi")
    assert not (tmp_path / "pairs.csv").exists()


def test_a_file_that_is_not_there_and_a_wrong_share_get_a_sentence(tmp_path):
    with pytest.raises(InputError, match="none.csv"):
        link_file(tmp_path / "none.csv", tmp_path / "pairs.csv")
    with pytest.raises(InputError, match="--min"):
        link_file(written(tmp_path), tmp_path / "pairs.csv", minimum=0)


def test_the_command_measures_against_true_pairs(tmp_path):
    truth = written(tmp_path, "id_l,id_r\na1,z9\nc,z9\n", "truth.csv")
    arguments = [str(written(tmp_path)), "-o", str(tmp_path / "pairs.csv"), "--truth", str(truth)]
    result = CliRunner().invoke(link, [*arguments, "--json"])
    found = json.loads(result.output)
    assert (found["true_pairs"], found["precision"], found["recall"]) == (2, 1.0, 1 / 2)
    said = CliRunner().invoke(link, arguments).output
    assert "Trần tìm cặp" in said
    assert "2 cặp đúng" in said

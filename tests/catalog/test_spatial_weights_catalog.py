"""Tables of neighbours in the catalog: what is wrong with one is said, file by file."""

import shutil

import pytest
from support import REPOSITORY

from tkyt_analysis.catalog.spatial_weights import spatial_weight_problems

FOLDER = REPOSITORY / "data_catalog" / "spatial_weights"


@pytest.fixture
def catalog(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "spatial_weights")
    return tmp_path


def changed(catalog, name, old, new):
    path = catalog / "spatial_weights" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return spatial_weight_problems(catalog)


def test_the_tables_of_the_catalog_are_without_fault():
    assert spatial_weight_problems(REPOSITORY / "data_catalog") == []


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("vn2025_provinces.yaml", "rows: 58", "rows: 59", "59"),
        ("vn2025_provinces.yaml", "kind: pairs", "kind: pears", "pears"),
        ("vn2025_provinces.yaml", "level: province", "level: province\ncolour: red", "colour"),
        ("vn2025_provinces.yaml", "id: vn2025_provinces", "id: other", "other"),
        ("vn2025_provinces.csv", "unit_id,neighbour_id,relation", "i,j,relation", "neighbour_id"),
        ("vn2025_provinces.csv", "VN2025:01,VN2025:19,land", "VN2025:19,VN2025:01,land", "VN2025:19 – VN2025:01"),
        ("vn2025_provinces.csv", "VN2025:01,VN2025:19,land", "VN2025:01,VN2025:19,tunnel", "tunnel"),
        ("vn2025_provinces.csv", "VN2025:01,VN2025:19,land", "VN2025:01,VN2025:99,land", "VN2025:99"),
        ("vn2025_islands.csv", "VN2025:21548,Lý Sơn,VN2025:21109", "VN2025:21548,Lý Sơn,VN2025:07192", "VN2025:21548"),
        ("vn2025_islands.csv", "VN2025:21548", "VN2024:21548", "VN2024:21548"),
    ],
)
def test_a_mistake_in_an_entry_or_its_table_is_one_sentence_that_names_it(catalog, name, old, new, words):
    problems = changed(catalog, name, old, new)
    assert any(words in problem and name.split(".")[0] in problem for problem in problems), problems


def test_a_lost_line_a_missing_file_and_a_stray_file_are_seen(catalog):
    folder = catalog / "spatial_weights"
    lines = (folder / "vn2024_provinces.csv").read_text("utf-8").splitlines()
    (folder / "vn2024_provinces.csv").write_text("\n".join(lines[:-1]) + "\n", "utf-8")
    (folder / "vn2025_provinces.yaml").unlink()
    (folder / "vn2025_islands.csv").unlink()
    (folder / "notes.txt").write_text("x", "utf-8")
    problems = "\n".join(spatial_weight_problems(catalog))
    for words in ("134", "vn2025_provinces.csv", "vn2025_islands.csv", "notes.txt"):
        assert words in problems

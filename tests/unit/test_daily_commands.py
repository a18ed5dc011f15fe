"""The daily commands one after the other: what `tkyt check` and `tkyt init` do for those who know nothing else."""

import pytest

from tkyt_analysis.cli.main import run
from tkyt_analysis.warehouse.lake import Warehouse, is_practice

HEADINGS = ["TT", "Họ tên người tử vong", "Ngày sinh", "Nam/Nữ", "Địa chỉ", "Ngày tháng năm chết", "Nguyên nhân chết"]
LINES = [
    [1, "Nguyễn Văn Thử", "06/03/1953", "Nam", "Thôn 1", "03/01/2024", "Tai biến mạch máu não"],
    [2, "Bùi Thị Thử", "25/06/1937", "Nữ", "Thôn 4", "22/01/2024", "Già yếu"],
]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    return tmp_path / "home"


def book(path):
    from openpyxl import Workbook

    workbook = Workbook()
    head = [["TRẠM Y TẾ XÃ TRÀ HIỆP"], ["HUYỆN TRÀ BỒNG, TỈNH QUẢNG NGÃI"], ["A6. SỔ THEO DÕI TỬ VONG"], ["Năm 2024"]]
    for row in [*head, HEADINGS, list(range(1, 8)), *LINES]:
        workbook.active.append(row)
    workbook.save(path)
    return path


def test_check_codes_the_registered_deaths_before_it_judges_them(home, tmp_path):
    assert run(["ingest", str(book(tmp_path / "a6.xlsx"))]) == 0
    assert run(["check"]) == 0
    with Warehouse(home) as warehouse:
        assert warehouse.one("SELECT count(*) FROM lake.death")[0] == 2
        coded = warehouse.query(
            "SELECT cause_text, code FROM lake.death JOIN lake.death_code USING (death_id) ORDER BY 1"
        )
    assert coded.to_numpy().tolist() == [["Già yếu", "R54"], ["Tai biến mạch máu não", "I64"]]


def test_a_home_made_for_practice_says_so_and_another_does_not(home, tmp_path):
    assert run(["init", "--practice"]) == 0
    assert is_practice(home)
    assert run(["init", "--home", str(tmp_path / "real")]) == 0
    assert not is_practice(tmp_path / "real")

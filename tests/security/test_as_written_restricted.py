"""The lines of a book as written stand in the restricted store and nowhere else on disk in plain text."""

import pytest
from death_books import LINE, Home

from tkyt_analysis.access import acting_as, changes
from tkyt_analysis.access.identifiers import read_identities
from tkyt_analysis.errors import InputError
from tkyt_analysis.warehouse.lake import Warehouse

SECRETS = ("Phạm Thị Rất Riêng", "thôn Không Ai Biết", "079150123456", "Người Khai Bí Mật", "cột lạ 778899")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    made = Home(tmp_path_factory.mktemp("home"))
    name, address, number, informant, extra = SECRETS
    made.receive([LINE | {"name": name, "address": address, "id": number, "informant": informant, "extra": extra},
                  LINE | {"name": "Hồ Thị Kín", "cause": "nhiễm HIV"}])  # fmt: skip
    (made.folder / "so_a6.xlsx").unlink()
    return made


def test_the_words_as_written_are_kept_whole_in_the_restricted_store(home):
    assert set(SECRETS) <= set(home.as_written()["text"])


def test_no_file_of_the_home_and_no_open_table_holds_them(home):
    for path in (one for one in home.path.rglob("*") if one.is_file()):
        content = path.read_bytes()
        assert not [secret for secret in SECRETS if secret.encode() in content], path
    with Warehouse(home.path) as warehouse:
        for table in warehouse.tables():
            text = warehouse.query(f'SELECT * FROM lake."{table}"').astype(str).to_csv()
            assert not [secret for secret in SECRETS if secret in text], table


def test_reading_them_needs_the_right_and_a_reason_and_hiv_a_right_of_its_own(home, monkeypatch):
    changes.add_account(home.path, "bo", role="ministry", unit_id="VN", why="kiểm thử")
    with acting_as(home.path, "bo"), pytest.raises(InputError):
        read_identities(home.path, why="xem", table="death_as_written")
    with pytest.raises(InputError):
        read_identities(home.path, why=" ", table="death_as_written")
    monkeypatch.setattr("tkyt_analysis.access.identifiers._may_know_hiv", lambda account: False)
    rows = read_identities(home.path, why="xem", table="death_as_written")
    assert set(SECRETS) <= set(rows["text"])
    assert "Hồ Thị Kín" not in set(rows["text"])

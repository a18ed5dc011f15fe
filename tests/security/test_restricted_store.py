"""Identifiers lie in the restricted store only, and nothing of it can be read without the key."""

import pandas as pd
import pytest

from tkyt_analysis.errors import InputError
from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.door import Batch
from tkyt_analysis.warehouse.lake import Warehouse, create_home

NAME = "Nguyễn Thị Mô Phỏng"
ID_NUMBER = "000199900001"


class BookDoor:
    id = "book"

    def recognise(self, file):
        return 1.0

    def read(self, file, context):
        keys = ["Sổ A6|2", "Sổ A6|3"]
        deaths = pd.DataFrame(
            {"record_key": keys, "person_key": [f"{NAME}|1999|f|2024-01-02"] * 2, "sex": ["female"] * 2}
        )
        yield Batch("death", deaths, received=2)
        people = pd.DataFrame({"record_key": keys, "full_name": [NAME] * 2, "id_number": [ID_NUMBER] * 2})
        yield Batch("death_identity", people, counts=False)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setattr(receive, "doors", lambda: [BookDoor()])
    create_home(tmp_path / "home")
    (tmp_path / "book.txt").write_text("a book", "utf-8")
    receive.ingest(tmp_path / "home", [tmp_path / "book.txt"])
    return tmp_path / "home"


def test_a_name_and_an_id_number_stand_in_no_file_of_either_lake(home):
    planted = [text.encode(code) for text in (NAME, ID_NUMBER) for code in ("utf-8", "utf-16-le")]
    written = [path for path in home.rglob("*") if path.is_file() and "received" not in path.parts]
    assert written
    found = [path for path in written if any(text in path.read_bytes() for text in planted)]
    assert found == []


def test_the_identity_is_found_through_the_key_and_joins_its_death(home):
    with Warehouse(home) as warehouse:
        warehouse.attach_restricted()
        rows = warehouse.query(
            "SELECT full_name, i.death_id = d.death_id AS same FROM restricted.death_identity i JOIN lake.death d USING (record_key)"
        )
    assert rows["full_name"].tolist() == [NAME, NAME]
    assert rows["same"].all()


def test_a_pseudonym_is_the_same_for_one_person_and_says_nothing(home):
    with Warehouse(home) as warehouse:
        rows = warehouse.query("SELECT death_id, person_key FROM lake.death ORDER BY record_key")
    assert len(set(rows["person_key"])) == 1
    assert rows["death_id"].nunique() == 2
    assert rows["person_key"].str.fullmatch("[0-9a-f]{20}").all()


def test_a_wrong_key_says_so(home, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.write_text("ab" * 32, "ascii")
    monkeypatch.setenv("TKYT_KEY_FILE", str(other))
    with Warehouse(home) as warehouse, pytest.raises(InputError) as caught:
        warehouse.attach_restricted()
    assert caught.value.key == "error.key_wrong"


def test_a_missing_and_a_broken_key_file_each_say_so(home, tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "absent"))
    with Warehouse(home) as warehouse, pytest.raises(InputError) as caught:
        warehouse.attach_restricted()
    assert caught.value.key == "error.key_missing"
    (tmp_path / "absent").write_text("not a key", "ascii")
    with Warehouse(home) as warehouse, pytest.raises(InputError) as caught:
        warehouse.attach_restricted()
    assert caught.value.key == "error.key_unreadable"


def test_files_of_the_home_can_be_read_by_their_owner_only(home):
    open_to_others = [
        path
        for path in home.rglob("*")
        if path.is_file() and path.suffix in (".sqlite", ".duckdb") and path.stat().st_mode & 0o077
    ]
    assert open_to_others == []


def test_rows_of_the_analysis_lake_are_not_kept_in_its_plain_catalog(home):
    """Only the smallest and largest text of a column stand there (docs/adr/0002): not the rows themselves."""
    with Warehouse(home, write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute(
            "INSERT INTO lake.death (cause_text) VALUES ('aaa'), ('mmm wording of a register'), ('zzz')"
        )
    catalog = b"".join(path.read_bytes() for path in (home / "warehouse").glob("catalog.sqlite*"))
    assert b"mmm wording of a register" not in catalog

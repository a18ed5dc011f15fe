"""A home whose catalog is on PostgreSQL is backed up and compacted like any other; the backup needs no PostgreSQL."""

import pytest
from custody_support import PersonDoor, count_rows, receive_people
from postgres_support import postgres_server

from tkyt_analysis.ingest import receive
from tkyt_analysis.verify import verify
from tkyt_analysis.warehouse.backup import backup
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import create_home
from tkyt_analysis.warehouse.release import Release, publish
from tkyt_analysis.warehouse.restore import restore
from tkyt_analysis.warehouse.retention import compact


@pytest.mark.slow
def test_a_home_on_postgresql_is_restored_as_one_that_holds_its_own_catalog(tmp_path, monkeypatch):
    home = tmp_path / "home"
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setattr(receive, "doors", lambda: [PersonDoor()])
    with postgres_server() as connection:
        monkeypatch.setenv("TKYT_CATALOG", f"postgres:{connection}")
        create_home(home)
        for name in ("a", "b", "c"):
            receive_people(home, tmp_path / "in", name, 10)
        publish(home)
        backup(home, tmp_path / "backups")
        assert compact(home, at_once=True)[0].after.files > 0
        backup(home, tmp_path / "backups")
        expected = warehouse_digest(home)
        assert [check.problems for check in verify(home) if not check.good] == []
    monkeypatch.delenv("TKYT_CATALOG")
    restore(tmp_path / "backups", tmp_path / "new")
    assert count_rows(tmp_path / "new") == (3, 30, 30)
    assert warehouse_digest(tmp_path / "new") == expected
    assert Release(tmp_path / "new").verify() == []
    receive_people(tmp_path / "new", tmp_path / "in", "d", 5)
    assert count_rows(tmp_path / "new") == (4, 35, 35)

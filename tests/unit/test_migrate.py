"""A home's catalog moves to PostgreSQL and back: rows, history and the way to write on are the same afterwards."""

import os

import pytest
from kill_support import TIMES, in_a_process
from postgres_support import postgres_server
from small_doors import one_file_per_commit, write_registers

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest import receive
from tkyt_analysis.warehouse import migrate as moving
from tkyt_analysis.warehouse.catalogs import place_of
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.migrate import migrate


@pytest.fixture(scope="module")
def server():
    with postgres_server() as connection:
        yield "postgres:" + connection


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.delenv("TKYT_CATALOG", raising=False)
    one_file_per_commit(monkeypatch)
    create_home(tmp_path / "home")
    receive.ingest(tmp_path / "home", [write_registers(tmp_path / "in", 2)])
    return tmp_path / "home"


def history(home):
    """Deaths at every snapshot, and when each was made."""
    with Warehouse(home) as warehouse:
        made = warehouse.con.execute(
            "SELECT snapshot_id, CAST(snapshot_time AS VARCHAR) FROM lake.snapshots() ORDER BY 1"
        ).fetchall()
    deaths = []
    for snapshot, _ in made[1:]:
        with Warehouse(home, as_of=snapshot) as warehouse:
            deaths.append(
                warehouse.one("SELECT count(*) FROM lake.death")[0] if "death" in warehouse.tables() else None
            )
    return made, deaths


def schemas(home, setting):
    """Schemas of homes that the database holds."""
    from tkyt_analysis.warehouse.catalogs import Place, attach_postgres, parse_setting
    from tkyt_analysis.warehouse.lake import connect

    connection = connect()
    attach_postgres(connection, Place("postgres", connection=parse_setting(setting)), "turn")
    sql = "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'tkyt_%'"
    found = [row[0] for row in connection.execute("SELECT * FROM postgres_query('turn', ?)", [sql]).fetchall()]
    identity = (home / "home_id").read_text("ascii").strip()
    return [name for name in found if identity in name]


def test_rows_and_history_travel_there_and_back_and_writing_goes_on(home, server, tmp_path, monkeypatch):
    before, past = warehouse_digest(home), history(home)
    assert past[1][-1] == 2 * 19
    assert set(past[1]) >= {0, 19, 38}
    files = sorted(path.name for path in (home / "warehouse" / "data").rglob("*.parquet"))
    moved = migrate(home, server)
    assert (moved.to, moved.snapshots) == ("postgres", len(past[0]))
    monkeypatch.setenv("TKYT_CATALOG", server)
    assert place_of(home).kind == "postgres"
    assert warehouse_digest(home) == before
    assert history(home) == past
    assert sorted(path.name for path in (home / "warehouse" / "data").rglob("*.parquet")) == files
    assert not list((home / "warehouse").glob("catalog*.sqlite*"))
    receive.ingest(home, [write_registers(tmp_path / "in", 3)])
    assert migrate(home, "sqlite").to == "sqlite"
    monkeypatch.delenv("TKYT_CATALOG")
    assert schemas(home, server) == []
    after = history(home)
    assert after[0][: len(past[0])] == past[0]
    assert after[1][-1] == 3 * 19
    receive.ingest(home, [write_registers(tmp_path / "in", 4)])
    assert warehouse_digest(home)["death"][0] == 4 * 19


def test_a_home_that_is_there_already_and_one_that_cannot_be_reached_say_so(home, server):
    for to, key in (
        ("sqlite", "error.catalog_is_there"),
        ("mysql:", "error.catalog_setting"),
        ("", "error.catalog_setting"),
    ):
        with pytest.raises(InputError) as caught:
            migrate(home, to)
        assert caught.value.key == key
    with pytest.raises(ProcessingError) as caught:
        migrate(home, "postgres:host=/nowhere")
    assert caught.value.key == "error.catalog_unreachable"
    assert place_of(home).kind == "sqlite"


def test_a_copy_that_differs_is_not_put_in_force(home, server, monkeypatch):
    before, real = warehouse_digest(home), moving.copy_catalog

    def lose_a_file(connection, source, target):
        real(connection, source, target)
        moving.attach_postgres(connection, target, "turn")
        moving.postgres_call(
            connection,
            "turn",
            f"DELETE FROM {target.schema}.ducklake_data_file WHERE data_file_id = "
            f"(SELECT max(data_file_id) FROM {target.schema}.ducklake_data_file)",
        )

    monkeypatch.setattr(moving, "copy_catalog", lose_a_file)
    with pytest.raises(ProcessingError) as caught:
        migrate(home, server)
    assert caught.value.key == "error.copy_differs"
    assert warehouse_digest(home) == before


def die_at(home, to, name, when):
    """Move, and die (without any clean-up) before or after a step."""
    real = getattr(moving, name)

    def last(*arguments, **options):
        if when == "after":
            real(*arguments, **options)
        os._exit(0)

    setattr(moving, name, last)
    migrate(home, to)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "when"),
    [("copy_catalog", "after"), ("record", "after"), ("copy_catalog", "before"), ("record", "before")][: 2 * TIMES],
)
def test_a_move_that_dies_leaves_one_catalog_in_force(home, server, name, when, monkeypatch):
    before, past = warehouse_digest(home), history(home)
    for to in (server, "sqlite"):
        in_a_process(die_at, home, to, name, when)
        moved = (name, when) == ("record", "after")
        in_force = "postgres" if (to == server) == moved else "sqlite"
        if in_force == "postgres":
            monkeypatch.setenv("TKYT_CATALOG", server)
        else:
            monkeypatch.delenv("TKYT_CATALOG", raising=False)
        assert place_of(home).kind == in_force
        assert warehouse_digest(home) == before
        assert history(home) == past
        if not moved:
            migrate(home, to)
            monkeypatch.setenv("TKYT_CATALOG", server) if to == server else monkeypatch.delenv("TKYT_CATALOG")
            assert warehouse_digest(home) == before
    if not moved:
        assert schemas(home, server) == []

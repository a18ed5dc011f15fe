"""The same home behaves the same with its catalog in SQLite and on PostgreSQL."""

import pytest
from postgres_support import postgres_server
from small_doors import one_file_per_commit, write_registers

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest import receive
from tkyt_analysis.status import home_status
from tkyt_analysis.warehouse.catalogs import parse_setting, place_of, without_password
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.release import publish

PASSWORD = "p4ss word-not-to-be-seen"


@pytest.fixture(scope="module")
def server():
    with postgres_server() as connection:
        yield connection


@pytest.fixture(params=["sqlite", "postgres"])
def home(request, tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    if request.param == "postgres":
        monkeypatch.setenv("TKYT_CATALOG", "postgres:" + request.getfixturevalue("server"))
    one_file_per_commit(monkeypatch)
    create_home(tmp_path / "home")
    assert place_of(tmp_path / "home").kind == request.param
    return tmp_path / "home"


def count(home, table, **options):
    with Warehouse(home, **options) as warehouse:
        if table.startswith("restricted"):
            warehouse.attach_restricted()
        return warehouse.one(f"SELECT count(*) FROM {table}")[0]


def test_received_files_are_stored_once_with_their_identities(home, tmp_path):
    folder = write_registers(tmp_path / "in", 2)
    first = receive.ingest(home, [folder])
    assert (first.total("received"), first.total("landed"), first.total("quarantined")) == (2 * 23, 2 * 22, 2 * 1)
    assert count(home, "lake.death") == count(home, "restricted.death_identity") == 2 * 19
    again = receive.ingest(home, [folder])
    assert {row["status"] for row in again.files} == {"known"}
    retried = receive.ingest(home, [folder], retry=True)
    assert retried.total("landed") == 2 * 22
    assert count(home, "lake.death") == count(home, "restricted.death_identity") == 2 * 19
    assert count(home, "lake.quarantine") == 2


def test_an_older_state_can_be_read_and_published(home, tmp_path):
    receive.ingest(home, [write_registers(tmp_path / "in", 1)])
    with Warehouse(home) as warehouse:
        before = warehouse.snapshot_id()
    receive.ingest(home, [write_registers(tmp_path / "in", 1, first=1)])
    assert count(home, "lake.death", as_of=before) == 19
    assert count(home, "lake.death") == 2 * 19
    assert home_status(home, as_of=before)["files"] == 1
    status = home_status(home)
    assert (status["files"], status["quarantined"]) == (2, 2)
    release = publish(home)
    assert release.manifest["snapshot"] == status["snapshot"]
    assert release.verify() == []
    assert release.query("SELECT sum(rows_landed) AS n FROM received")["n"].tolist() == [2 * 22]


def test_a_transaction_that_fails_leaves_nothing(home):
    def fail_in_the_middle():
        with Warehouse(home, write=True) as warehouse, warehouse.transaction():
            warehouse.con.execute("INSERT INTO lake.death (death_id) VALUES ('half')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_in_the_middle()
    assert count(home, "lake.death") == 0


def test_a_release_is_of_one_snapshot_whatever_is_written_meanwhile(home, tmp_path, monkeypatch):
    receive.ingest(home, [write_registers(tmp_path / "in", 1)])
    from tkyt_analysis.warehouse import release

    real, written = release.write_table, []

    def write_meanwhile(con, rows, directory, table):
        if not written:
            written.append(table)
            receive.ingest(home, [write_registers(tmp_path / "late", 1, first=7)])
        return real(con, rows, directory, table)

    monkeypatch.setattr(release, "write_table", write_meanwhile)
    made = publish(home)
    assert made.query("SELECT sum(files) AS n FROM received")["n"].tolist() == [1]
    assert count(home, "lake.received_file") == 2


def bounds(warehouse, column):
    """(smallest, largest) that the catalog itself notes of a column of `death`."""
    tables = "__ducklake_metadata_lake" + (f".{warehouse.place.schema}" if warehouse.place.schema else "")
    return warehouse.con.execute(
        f"SELECT min_value, max_value FROM {tables}.ducklake_file_column_stats JOIN "
        f"(SELECT table_id, column_id FROM {tables}.ducklake_column JOIN {tables}.ducklake_table USING (table_id) "
        "WHERE table_name = 'death' AND column_name = ?) USING (table_id, column_id)",
        [column],
    ).fetchall()


def test_wording_does_not_stand_in_the_catalog_but_codes_do(home):
    with Warehouse(home, write=True) as warehouse:
        for words in ("ngã xuống ao", "ốm lâu ngày"):
            with warehouse.transaction():
                warehouse.con.execute("INSERT INTO lake.death (cause_text, sex) VALUES (?, 'female')", [words])
    with Warehouse(home) as warehouse:
        assert bounds(warehouse, "cause_text") == [(None, None)] * 2
        assert bounds(warehouse, "sex") == [("female", "female")] * 2
        found = warehouse.query(
            "SELECT min(cause_text) AS a, max(cause_text) AS z FROM lake.death WHERE cause_text > 'n'"
        )
        assert found.values.tolist() == [["ngã xuống ao", "ốm lâu ngày"]]
        assert count(home, "lake.death WHERE cause_text = 'ốm lâu ngày'") == 1


def test_a_home_on_postgres_is_never_opened_as_another_one(server, tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    create_home(tmp_path / "embedded")
    monkeypatch.setenv("TKYT_CATALOG", "postgres:" + server)
    create_home(tmp_path / "home")
    for home, setting, key in (
        ("embedded", "postgres:" + server, "error.catalog_is_sqlite"),
        ("home", "", "error.catalog_is_postgres"),
        ("home", "mysql:host=x", "error.catalog_setting"),
    ):
        monkeypatch.setenv("TKYT_CATALOG", setting)
        for open_it in (lambda: Warehouse(tmp_path / home), lambda: create_home(tmp_path / home)):  # noqa: B023
            with pytest.raises(InputError) as caught:
                open_it()
            assert caught.value.key == key
    assert not (tmp_path / "home" / "warehouse" / "catalog.sqlite").exists()
    assert not (tmp_path / "embedded" / "warehouse" / "catalog.json").exists()


def test_two_homes_share_a_database_and_nothing_else(server, tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_CATALOG", "postgres:" + server)
    for name in ("one", "two"):
        create_home(tmp_path / name)
    with Warehouse(tmp_path / "one", write=True) as warehouse, warehouse.transaction():
        warehouse.con.execute("INSERT INTO lake.death (death_id) VALUES ('of one')")
    assert [count(tmp_path / name, "lake.death") for name in ("one", "two")] == [1, 0]


@pytest.mark.parametrize(
    "setting",
    [
        f"postgres:host=/nowhere user=tkyt password='{PASSWORD}'",
        f"postgres:password = '{PASSWORD}' host=/nowhere",
        "postgres://tkyt:p4ss%20word-not-to-be-seen@/tkyt?host=/nowhere",
        "postgres:postgresql://tkyt@/tkyt?password=p4ss%20word-not-to-be-seen&host=/nowhere",
    ],
)
def test_the_password_goes_to_postgres_and_into_no_message(tmp_path, monkeypatch, setting):
    monkeypatch.setenv("PGPASSWORD", "")
    import os

    assert "p4ss" not in parse_setting(setting)
    assert os.environ["PGPASSWORD"] == PASSWORD
    monkeypatch.setenv("TKYT_CATALOG", setting)
    with pytest.raises(ProcessingError) as caught:
        create_home(tmp_path / "home")
    assert caught.value.key == "error.catalog_unreachable"
    assert "p4ss" not in caught.value.sentence("vi") + caught.value.sentence("en") + str(caught.value.__cause__)
    assert "/nowhere" in caught.value.sentence("vi")
    assert "p4ss" not in without_password(f'Unable to connect to "{setting}"')


def test_a_server_that_is_away_is_said_and_then_works(server, tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_CATALOG", "postgres:" + server)
    create_home(tmp_path / "home")
    monkeypatch.setenv("TKYT_CATALOG", "postgres:host=/nowhere dbname=tkyt")
    with pytest.raises(ProcessingError) as caught, Warehouse(tmp_path / "home"):
        pass
    assert caught.value.key == "error.catalog_unreachable"
    monkeypatch.setenv("TKYT_CATALOG", "postgres:" + server)
    assert count(tmp_path / "home", "lake.death") == 0

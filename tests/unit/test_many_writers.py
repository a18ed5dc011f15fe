"""Eight processes write to one home on PostgreSQL at once, some are killed: nothing is lost, doubled or half there."""

import multiprocessing
import os
import random
import time

import pytest
from postgres_support import postgres_server
from small_doors import one_file_per_commit, write_registers

from tkyt_analysis.ingest import receive
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import Warehouse, create_home

WRITERS = 8
OWN_FILES, SHARED_FILES = 2, 2
ROWS_PER_FILE = {"death": 19, "death_identity": 19, "quarantine": 1, "ingest_note": 1, "aggregate_value": 3}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    with postgres_server() as connection:
        yield "postgres:" + connection


@pytest.fixture
def home(tmp_path, server, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("TKYT_CATALOG", server)
    one_file_per_commit(monkeypatch)
    create_home(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def folders(tmp_path):
    """For each writer: some files of its own, and the same shared files as all others."""
    shared = write_registers(tmp_path / "shared", SHARED_FILES, first=900)
    own = [write_registers(tmp_path / f"own{n}", OWN_FILES, first=100 * n) for n in range(WRITERS)]
    return [[folder, shared] if number % 2 else [shared, folder] for number, folder in enumerate(own)]


SERVER = multiprocessing.get_context(
    "forkserver"
)  # clean processes: DuckDB's PostgreSQL client does not outlive a fork
SERVER.set_forkserver_preload(["small_doors", "tkyt_analysis.ingest.receive", "tkyt_analysis.warehouse.new_catalog"])


def start(target, *arguments):
    settings = {name: value for name, value in os.environ.items() if name.startswith(("TKYT_", "XDG_"))}
    process = SERVER.Process(target=_prepared, args=(settings, target, arguments))
    process.start()
    return process


def _prepared(settings, target, arguments):
    os.environ.update(settings)
    one_file_per_commit(pytest.MonkeyPatch())
    target(*arguments)


def read_again_and_again(home, stop, failures):
    """A reader that must never fail and never see half a file."""
    while not stop.is_set():
        try:
            with Warehouse(home) as warehouse:
                odd = warehouse.one(
                    "SELECT count(*) FROM lake.received_file f FULL JOIN (SELECT file_sha256, count(*) n FROM lake.death GROUP BY 1) d "
                    "USING (file_sha256) WHERE d.n IS NULL OR d.n <> 19 OR f.rows_landed IS NULL OR f.rows_landed <> 22"
                )[0]
            if odd:
                failures.put(f"{odd} files half there")
        except Exception as problem:
            failures.put(repr(problem))


def require_every_row_once(home):
    files = WRITERS * OWN_FILES + SHARED_FILES
    digests = warehouse_digest(home)
    assert digests["received_file"][0] == files
    assert {table: digests[table][0] for table in ROWS_PER_FILE} == {
        table: files * rows for table, rows in ROWS_PER_FILE.items()
    }
    with Warehouse(home) as warehouse:
        assert warehouse.one("SELECT count(DISTINCT (file_sha256, record_key)) FROM lake.death")[0] == files * 19


def test_eight_writers_at_once_store_every_row_once_and_readers_never_fail(home, folders):
    stop, failures = SERVER.Event(), SERVER.Queue()
    reader = start(read_again_and_again, home, stop, failures)
    writers = [start(receive.ingest, home, folder) for folder in folders]
    for writer in writers:
        writer.join(300)
    stop.set()
    reader.join(300)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert failures.empty(), failures.get()
    require_every_row_once(home)


def test_writers_that_are_killed_and_run_again_lose_and_double_nothing(home, folders):
    moments = random.Random(20261122)
    stop, failures = SERVER.Event(), SERVER.Queue()
    reader = start(read_again_and_again, home, stop, failures)
    killed = 0
    for _ in range(3):
        writers = [start(receive.ingest, home, folder) for folder in folders]
        for writer in moments.sample(writers, 5):
            time.sleep(moments.uniform(0, 0.6))
            killed += writer.is_alive()
            writer.kill()
        for writer in writers:
            writer.join(300)
    writers = [start(receive.ingest, home, folder) for folder in folders]
    for writer in writers:
        writer.join(300)
    stop.set()
    reader.join(300)
    assert killed >= 5
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert failures.empty(), failures.get()
    require_every_row_once(home)


def hold_the_turn(home, taken):
    with Warehouse(home, write=True) as warehouse, warehouse.turn():
        taken.set()
        time.sleep(600)


def test_a_writer_that_is_killed_in_its_turn_gives_it_up(home, folders, monkeypatch):
    taken = SERVER.Event()
    holder = start(hold_the_turn, home, taken)
    assert taken.wait(300)
    monkeypatch.setenv("TKYT_WAIT_SECONDS", "0.3")
    with pytest.raises(Exception, match="TKYT|tiến trình"):
        receive.ingest(home, folders[0])
    holder.kill()
    holder.join()
    monkeypatch.setenv("TKYT_WAIT_SECONDS", "60")
    assert receive.ingest(home, folders[0]).total("landed") == (OWN_FILES + SHARED_FILES) * 22

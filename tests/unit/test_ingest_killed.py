"""An ingest that is killed at any moment and run again ends like one that was never disturbed."""

import multiprocessing
import os
import random
import shutil
import signal
import time

import pytest

from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice.generate import make_practice_data
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import Warehouse

KILLS = 50
FORK = multiprocessing.get_context("fork")


@pytest.fixture(scope="module")
def received(tmp_path_factory):
    """A folder with some files of each kind: small, so that fifty kills take minutes and not hours."""
    practice = tmp_path_factory.mktemp("practice") / "data"
    make_practice_data("commune", practice)
    folder = tmp_path_factory.mktemp("received")
    wanted = [
        "dhis2/metadata.json",
        "dhis2/dataValueSets_20240[12]*.json",
        "a6/2024/*_2111[58]_*.xlsx",
        "bieu16/2024/*C6.xlsx",
    ]
    for pattern in wanted:
        found = sorted((practice / "received").glob(pattern))
        assert found, pattern
        for path in found:
            shutil.copy(path, folder / path.name)
    return folder


@pytest.fixture(scope="module")
def empty_home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home") / "empty"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "key"))  # one key: the homes are compared
        prepare_home(home)
        warm_up()
        yield home


def warm_up():
    """Read the unit lists and import the doors once, before processes are forked: each run is then seconds shorter."""
    import pandas as pd

    from tkyt_analysis.reference.places import find_places

    receive.doors()
    for level in (1, 2, 3):
        for system in ("VN2024", "VN2025"):
            find_places(pd.Series(["Quảng Ngãi"]), level=level, system=system)


def run(home, folder, groups):
    os.setsid()
    receive.FILES_PER_TRANSACTION = groups
    ingest(home, [folder])


def in_a_process(home, folder, *, kill_after=None, groups=2):
    """Ingest in a process of its own; killed after some seconds if it still runs. True if it was killed."""
    process = FORK.Process(target=run, args=(home, folder, groups))
    process.start()
    process.join(kill_after)
    killed = process.is_alive()
    if killed:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    return killed


@pytest.fixture(scope="module")
def undisturbed(empty_home, received, tmp_path_factory):
    """(digest of an undisturbed run, seconds that it took)."""
    home = tmp_path_factory.mktemp("home") / "undisturbed"
    shutil.copytree(empty_home, home)
    started = time.monotonic()
    in_a_process(home, received)
    return warehouse_digest(home), time.monotonic() - started


@pytest.mark.slow
def test_fifty_kills_at_random_moments_leave_the_warehouse_of_an_undisturbed_run(
    empty_home, received, undisturbed, tmp_path
):
    expected, seconds = undisturbed
    assert expected["death"][0] > 0
    assert expected["death_identity"][0] == expected["death"][0]
    moments = random.Random(20261122)
    killed = 0
    for number in range(3 * KILLS):
        home = tmp_path / f"home{number}"
        shutil.copytree(empty_home, home)
        if in_a_process(home, received, kill_after=moments.uniform(0, seconds)):
            killed += 1
            require_whole_files(home)
            in_a_process(home, received)
            assert warehouse_digest(home) == expected, f"kill {number}"
        shutil.rmtree(home)
        if killed == KILLS:
            break
    assert killed == KILLS


def require_whole_files(home):
    """After a kill: what landed belongs to files that are on record with the same number of rows."""
    with Warehouse(home) as warehouse:
        sql = """
            SELECT f.file_name, f.rows_landed, v.n FROM lake.received_file f FULL JOIN (
                SELECT file_sha256, count(*) n FROM (
                    SELECT file_sha256 FROM lake.death UNION ALL SELECT file_sha256 FROM lake.aggregate_value) GROUP BY 1
            ) v USING (file_sha256)
            WHERE f.file_sha256 IS NULL OR (v.n IS NOT NULL AND v.n > f.rows_landed)
        """
        assert warehouse.con.execute(sql).fetchall() == []


@pytest.mark.slow
def test_the_same_home_killed_again_and_again_ends_the_same(empty_home, received, undisturbed, tmp_path):
    expected, seconds = undisturbed
    home = tmp_path / "home"
    shutil.copytree(empty_home, home)
    moments = random.Random(7)
    for _ in range(10):
        in_a_process(home, received, kill_after=moments.uniform(0, seconds), groups=1)
    in_a_process(home, received, groups=1)
    assert warehouse_digest(home) == expected

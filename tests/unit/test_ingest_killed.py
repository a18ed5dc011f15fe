"""Ingest and publish that are killed at any moment and run again end like ones that were never disturbed.

A part of the experiment runs with every check; `TKYT_KILLS=6 pytest tests/unit/test_ingest_killed.py tests/unit/test_backup.py
tests/unit/test_key_rotation.py tests/unit/test_migrate.py` is the whole of it: over 200 kills.
"""

import json
import shutil

import pytest
from kill_support import TIMES, in_a_process, killed_and_run_again, seconds_of
from postgres_support import postgres_server
from small_doors import one_file_per_commit, write_registers

from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import prepare_home
from tkyt_analysis.practice.generate import make_practice_data
from tkyt_analysis.warehouse import release
from tkyt_analysis.warehouse.digest import warehouse_digest
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.migrate import migrate
from tkyt_analysis.warehouse.release import Release, publish

KILLS_OF_REAL_FILES, KILLS_OF_SMALL_FILES, KILLS_OF_PUBLISH, KILLS_ON_POSTGRES = (
    3 * TIMES,
    10 * TIMES,
    10 * TIMES,
    5 * TIMES,
)
SMALL_TABLES = ("organisation_unit", "aggregate_value", "received", "quarantine_summary")
SEED = 20261122

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def one_key(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TKYT_KEY_FILE", str(tmp_path_factory.mktemp("key") / "key"))
        yield


def require_whole_files(home):
    """After a kill: what landed belongs to files that are on record with the same number of rows; CURRENT is whole."""
    with Warehouse(home) as warehouse:
        sql = """
            SELECT f.file_name, f.rows_landed, v.n FROM lake.received_file f FULL JOIN (
                SELECT file_sha256, count(*) n FROM (
                    SELECT file_sha256 FROM lake.death UNION ALL SELECT file_sha256 FROM lake.aggregate_value) GROUP BY 1
            ) v USING (file_sha256)
            WHERE f.file_sha256 IS NULL OR (v.n IS NOT NULL AND v.n > f.rows_landed)
        """
        assert warehouse.con.execute(sql).fetchall() == []
    if (home / "releases" / "CURRENT").exists():
        assert Release(home).verify() == []


def require_nothing_left_over(home):
    """No half-made release, no plain copy of a received file, no pieces."""
    left = [path for path in home.rglob("*") if path.name.endswith(".part") or ".next" in path.name]
    assert left == []
    assert [path for path in (home / "work" / "private").iterdir() if path.is_dir()] == []


# Real files: metadata, values, death registers and a form of the practice data.


def ingest_real_files(home):
    receive.FILES_PER_TRANSACTION = 2
    ingest(home, [home.parent / "received"])


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A folder with an empty home, some received files of each kind, and what an undisturbed run makes of them."""
    folder = tmp_path_factory.mktemp("real")
    make_practice_data("commune", folder / "practice")
    (folder / "received").mkdir()
    for pattern in (
        "dhis2/metadata.json",
        "dhis2/dataValueSets_202401_*.json",
        "a6/2024/*_2111[58]_*.xlsx",
        "bieu16/2024/*C6.xlsx",
    ):
        found = sorted((folder / "practice" / "received").glob(pattern))
        assert found, pattern
        for path in found:
            shutil.copy(path, folder / "received" / path.name)
    prepare_home(folder / "empty")
    warm_up()
    shutil.copytree(folder / "empty", folder / "undisturbed")
    return folder, seconds_of(ingest_real_files, folder / "undisturbed"), warehouse_digest(folder / "undisturbed")


def warm_up():
    """Read the unit lists and import the doors once, before processes are forked: each run is then seconds shorter."""
    import pandas as pd

    from tkyt_analysis.reference.places import find_places

    receive.doors()
    for level in (1, 2, 3):
        for system in ("VN2024", "VN2025"):
            find_places(pd.Series(["Quảng Ngãi"]), level=level, system=system)


def test_real_files_killed_at_random_moments_end_like_an_undisturbed_run(real):
    folder, seconds, expected = real
    assert expected["death"][0] == expected["death_identity"][0] > 0
    homes = killed_and_run_again(
        ingest_real_files,
        template=folder / "empty",
        folder=folder,
        seconds=seconds,
        kills=KILLS_OF_REAL_FILES,
        kills_per_home=5,
        seed=SEED,
        after_kill=require_whole_files,
    )
    for home in homes:
        assert warehouse_digest(home) == expected
        require_nothing_left_over(home)


# Small files: a commit each, so that a kill meets every place of it.


def receive_and_publish(home):
    ingest(home, [home.parent / "received"])
    publish(home)


def release_files(home):
    """{file: hash} of the tables of the current release."""
    manifest = home / "releases" / Release(home).release_id / "manifest.json"
    return {name: about["sha256"] for name, about in json.loads(manifest.read_text("utf-8"))["files"].items()}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """The same with three small files and a release of few tables."""
    folder = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        one_file_per_commit(patch)
        every_part = release.parts
        patch.setattr(
            release,
            "parts",
            lambda kind: {
                name: part
                for name, part in every_part(kind).items()
                if kind != "release_tables" or name in SMALL_TABLES
            },
        )
        create_home(folder / "empty")
        write_registers(folder / "received", 3)
        shutil.copytree(folder / "empty", folder / "undisturbed")
        seconds = seconds_of(receive_and_publish, folder / "undisturbed")
        yield folder, seconds, warehouse_digest(folder / "undisturbed"), release_files(folder / "undisturbed")


def test_small_files_killed_at_random_moments_end_like_an_undisturbed_run(small):
    folder, seconds, expected, released = small
    assert expected["death"][0] == 3 * 19
    homes = killed_and_run_again(
        receive_and_publish,
        template=folder / "empty",
        folder=folder,
        seconds=seconds,
        kills=KILLS_OF_SMALL_FILES,
        kills_per_home=10,
        seed=SEED,
        after_kill=require_whole_files,
    )
    for home in homes:
        assert warehouse_digest(home) == expected
        assert release_files(home) == released
        require_nothing_left_over(home)


def test_publish_killed_at_random_moments_leaves_the_last_release_or_the_new_one(small):
    folder, _, expected, released = small
    template = folder / "to_publish"
    shutil.copytree(folder / "undisturbed", template)
    with Warehouse(template, write=True) as warehouse, warehouse.transaction():  # a new snapshot: a new release is due
        warehouse.con.execute("INSERT INTO lake.finding (finding_id) VALUES ('new')")
    before = Release(template).release_id
    shutil.copytree(template, folder / "timed")
    seconds = seconds_of(publish, folder / "timed")
    after = Release(folder / "timed").release_id
    assert after != before

    def old_or_new(home):
        current = Release(home)
        assert current.release_id in (before, after)
        assert current.verify() == []

    homes = killed_and_run_again(
        publish,
        template=template,
        folder=folder,
        seconds=seconds,
        kills=KILLS_OF_PUBLISH,
        kills_per_home=8,
        seed=SEED,
        after_kill=old_or_new,
    )
    for home in homes:
        assert Release(home).release_id == after
        assert release_files(home) == released
        require_nothing_left_over(home)


def test_a_home_on_postgres_killed_again_and_again_ends_the_same(small, monkeypatch):
    folder, seconds, expected, released = small
    with postgres_server() as connection:
        home = folder / "on_postgres"
        shutil.copytree(folder / "empty", home)
        in_a_process(migrate, home, "postgres:" + connection)
        monkeypatch.setenv("TKYT_CATALOG", "postgres:" + connection)
        import random

        moments = random.Random(SEED)
        for _ in range(KILLS_ON_POSTGRES):
            in_a_process(receive_and_publish, home, kill_after=moments.uniform(0, seconds / 3))
            in_a_process(require_whole_files, home)
        in_a_process(receive_and_publish, home)
        assert warehouse_digest(home) == expected
        assert release_files(home) == released
        require_nothing_left_over(home)

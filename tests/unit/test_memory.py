"""A query that does not fit into memory goes to disk; one that does not fit there either ends in a sentence."""

import os
import stat
from pathlib import Path

import duckdb
import pytest

from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.memory import guarded, limit_memory, spill_folder

ROWS = 6_000_000
WIDE = f"SELECT count(*), sum(k) FROM (SELECT hash(i) AS h, any_value(i) AS k FROM range({ROWS}) t(i) GROUP BY h)"


@pytest.fixture
def con():
    with duckdb.connect(config={"threads": 2}) as connection:
        yield connection


def folder_of(con):
    return Path(con.execute("SELECT current_setting('temp_directory')").fetchone()[0])


def test_a_query_larger_than_memory_spills_and_gives_the_right_answer(con, tmp_path):
    limit_memory(con, tmp_path, megabytes=60, on_disk=2000)
    assert con.execute(WIDE).fetchone() == (ROWS, ROWS * (ROWS - 1) // 2)


def test_a_connection_closed_to_files_spills_too(con, tmp_path):
    limit_memory(con, tmp_path, megabytes=60, on_disk=2000)
    con.execute("SET enable_external_access = false; SET lock_configuration = true")
    assert con.execute(WIDE).fetchone() == (ROWS, ROWS * (ROWS - 1) // 2)


def test_a_query_beyond_the_disk_allowance_ends_in_a_sentence_and_the_connection_goes_on(con, tmp_path):
    limit_memory(con, tmp_path, megabytes=60, on_disk=10)
    with pytest.raises(ProcessingError) as caught, guarded(con):
        con.execute(WIDE).fetchone()
    assert caught.value.key == "error.memory"
    for words in ("ít kỳ hơn", "gộp theo nhóm", "TKYT_MEMORY_MB"):
        assert words in caught.value.sentence("vi")
    assert con.execute("SELECT 41 + 1").fetchone() == (42,)


def test_what_is_spilled_lies_in_the_private_folder_of_the_home_and_of_this_connection_alone(con, tmp_path):
    limit_memory(con, tmp_path, megabytes=60)
    other = duckdb.connect()
    limit_memory(other, tmp_path, megabytes=60)
    assert folder_of(con).parent == folder_of(other).parent == Path(spill_folder(tmp_path))
    assert folder_of(con) != folder_of(other)
    assert stat.S_IMODE(folder_of(con).parent.stat().st_mode) == 0o700
    assert tmp_path / "work" / "private" in folder_of(con).parents


def test_the_folder_of_a_process_that_was_killed_goes_with_the_next_one(tmp_path):
    import subprocess
    import sys

    code = (
        "import os, sys, signal; from pathlib import Path; from tkyt_analysis.memory import spill_folder; "
        "Path(spill_folder(Path(sys.argv[1])), 'left').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, os.fspath(tmp_path)], check=False)
    private = tmp_path / "work" / "private"
    assert len(list(private.rglob("left"))) == 1
    spill_folder(tmp_path)
    assert list(private.rglob("left")) == []


def test_a_home_that_cannot_be_written_to_spills_nowhere_and_still_reads(con, tmp_path, monkeypatch):
    (tmp_path / "work").write_text("no folder")
    limit_memory(con, tmp_path, megabytes=60)
    assert con.execute("SELECT current_setting('temp_directory')").fetchone()[0] == ""
    with pytest.raises(ProcessingError), guarded(con):
        con.execute(WIDE).fetchone()


def test_a_release_says_it_when_a_query_is_too_large(practice_home, monkeypatch):
    from tkyt_analysis.warehouse.release import Release

    monkeypatch.setenv("TKYT_MEMORY_MB", "100")
    monkeypatch.setenv("TKYT_SPILL_MB", "1")
    release = Release(practice_home)
    with pytest.raises(ProcessingError, match="TKYT_SPILL_MB"):
        release.query(WIDE.replace(str(ROWS), "30000000"))
    assert len(release.query("SELECT * FROM organisation_unit LIMIT 1")) == 1

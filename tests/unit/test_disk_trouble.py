"""A disk that is full or read-only: one sentence, nothing half-written, and it goes on once there is room again."""

import contextlib
import os
import subprocess

import pytest
from kill_support import in_a_process
from small_doors import one_file_per_commit, write_registers

from tkyt_analysis.cli.main import run
from tkyt_analysis.errors import ProcessingError
from tkyt_analysis.ingest import receive
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.warehouse.lake import Warehouse, create_home
from tkyt_analysis.warehouse.release import Release, publish

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small disk")


@contextlib.contextmanager
def small_disk(place, megabytes):
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place):
    """Take all the room that is left; the file that takes it."""
    ballast = place / "ballast"
    with contextlib.suppress(OSError), open(ballast, "wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    with contextlib.suppress(OSError), open(ballast, "ab", buffering=0) as file:
        while True:
            file.write(b"0")
    return ballast


def remount(place, mode):
    subprocess.run(["mount", "-o", f"remount,{mode}", str(place)], check=True)


@pytest.fixture(autouse=True)
def keys_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    one_file_per_commit(monkeypatch)


def said(work, *arguments):
    """The key of the sentence that the work ends with."""
    with pytest.raises(ProcessingError) as caught:
        work(*arguments)
    assert caught.value.exit_code == 3
    assert caught.value.sentence("vi") != caught.value.key
    return caught.value.key


def counts(home):
    with Warehouse(home) as warehouse:
        warehouse.attach_restricted()
        return warehouse.one(
            "SELECT (SELECT count(*) FROM lake.received_file), (SELECT count(*) FROM lake.death), "
            "(SELECT count(*) FROM lake.quarantine)"
        )


def pieces(home):
    return [path for path in home.rglob("*") if path.name.endswith(".part")]


@needs_root
def test_a_home_is_not_made_on_a_full_disk_and_is_once_there_is_room(tmp_path):
    with small_disk(tmp_path / "disk", 16) as disk:
        ballast = fill(disk)
        assert said(create_home, disk / "home") == "error.disk_full"
        ballast.unlink()
        create_home(disk / "home")
        assert counts(disk / "home") == (0, 0, 0)


@needs_root
def test_ingest_on_a_full_disk_stores_whole_files_or_none_and_blames_no_file(tmp_path):
    received = write_registers(tmp_path / "in", 3)
    with small_disk(tmp_path / "disk", 64) as disk:
        home = disk / "home"
        create_home(home)
        ballast = fill(disk)
        for spare in (0, 60_000, 200_000, 500_000):  # the disk fills up at later and later steps
            os.truncate(ballast, ballast.stat().st_size - spare)
            try:
                ingest(home, [received])
            except ProcessingError as problem:
                assert problem.key == "error.disk_full"  # noqa: PT017
            files, deaths, refused = counts_read_elsewhere(home, ballast)
            assert (deaths, refused) == (files * 19, files * 1)
        ballast.unlink()
        ingest(home, [received])
        assert counts(home) == (3, 3 * 19, 3)
        assert pieces(home) == []


def counts_read_elsewhere(home, ballast):
    """What stands there, read with room on the disk (and the room taken again)."""
    size = ballast.stat().st_size
    os.truncate(ballast, max(0, size - 8_000_000))
    found = counts(home)
    fill(ballast.parent)
    return found


@needs_root
def test_publish_on_a_full_disk_leaves_the_last_release_and_nothing_half_made(tmp_path):
    with small_disk(tmp_path / "disk", 40) as disk:
        home = disk / "home"
        create_home(home)
        ingest(home, [write_registers(tmp_path / "in", 1)])
        first = publish(home).release_id
        ingest(home, [write_registers(tmp_path / "in", 2)])
        ballast = fill(disk)
        os.truncate(ballast, max(0, ballast.stat().st_size - 20_000))
        assert said(publish, home) == "error.disk_full"
        assert Release(home).release_id == first
        assert sorted(path.name for path in (home / "releases").iterdir()) == sorted(["CURRENT", first])
        ballast.unlink()
        assert publish(home).release_id != first


@needs_root
def test_every_step_on_a_read_only_disk_says_so_and_works_again_afterwards(tmp_path, capsys):
    received = write_registers(tmp_path / "in", 1)
    with small_disk(tmp_path / "disk", 40) as disk:
        home = disk / "home"
        create_home(home)
        remount(disk, "ro")
        for work, arguments in (
            (create_home, (home,)),
            (create_home, (disk / "new",)),
            (ingest, (home, [received])),
            (publish, (home,)),
        ):
            assert said(work, *arguments) == "error.disk_not_writable"
        assert run(["publish", "--home", str(home)]) == 3
        assert "chỉ đọc" in capsys.readouterr().err
        remount(disk, "rw")
        ingest(home, [received])
        publish(home)
        assert counts(home) == (1, 19, 1)


def ingest_with_small_files(home, received, most_bytes):
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    assert said(ingest, home, [received]) == "error.disk_full"


def test_a_limit_on_file_sizes_is_said_like_a_full_disk(tmp_path):
    """The same without root: no file may grow beyond a limit."""
    create_home(tmp_path / "home")
    received = write_registers(tmp_path / "in", 2, lines=400)
    in_a_process(ingest_with_small_files, tmp_path / "home", received, 4096)
    assert counts(tmp_path / "home") == (0, 0, 0)
    assert receive.ingest(tmp_path / "home", [received]).total("quarantined") == 2
    assert counts(tmp_path / "home") == (2, 2 * 399, 2)

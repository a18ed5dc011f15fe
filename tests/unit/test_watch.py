"""The drop folder: complete files only, each read once, moved away, whatever happens in between."""

import multiprocessing
import os
import signal
import threading
import time

import pytest
from workflow_support import COMMUNE, ReportDoor, make_home, only_our_gate

from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest import receive, watch
from tkyt_analysis.ingest.door import Batch, Quarantined
from tkyt_analysis.warehouse.lake import Warehouse

FORK = multiprocessing.get_context("fork")
LINE = f"dept_x,{COMMUNE},202401,e,{{}}\n"


class DropDoor(ReportDoor):
    """As the reports' door; a file with the word "bad" leaves one row in quarantine."""

    def read(self, file, context):
        if "bad" in file.path.read_text("utf-8"):
            yield Batch(
                "aggregate_value",
                [],
                [Quarantined("error.file_not_recognised", fields={"file": file.name})],
                received=1,
            )
        else:
            yield from super().read(file, context)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TKYT_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setattr(receive, "doors", lambda: [DropDoor()])
    only_our_gate(monkeypatch)
    return make_home(tmp_path / "home")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "drop").mkdir()
    return tmp_path / "drop"


def values(home):
    with Warehouse(home) as warehouse:
        return warehouse.con.execute("SELECT count(*), sum(value) FROM lake.aggregate_value").fetchone()


def once(home, folder, **more):
    return watch.watch(home, folder, every=0.1, once=True, **more)


def moved(folder):
    return sorted(path.name for path in (folder / "done").rglob("*") if path.is_file())


def test_a_complete_file_is_received_and_moved_to_the_folder_of_the_day(home, folder):
    (folder / "a.reports").write_text(LINE.format(3))
    assert once(home, folder) == 1
    assert values(home) == (1, 3.0)
    assert moved(folder) == ["a.reports"]
    assert not (folder / "a.reports").exists()
    assert once(home, folder) == 0


def test_a_file_that_still_grows_waits_and_one_with_a_marker_does_not(folder):
    growing, marked = folder / "a.reports", folder / "b.reports"
    growing.write_text("dept")
    before = watch.look(folder)
    growing.write_text(LINE.format(1))
    marked.write_text(LINE.format(2))
    (folder / "b.reports.ok").touch()
    now = watch.look(folder)
    assert watch.complete(now, before) == [marked]
    assert watch.complete(watch.look(folder), now) == [growing, marked]


@pytest.mark.parametrize(
    "name", ["a.reports.part", "a.tmp", "~$a.xlsx", ".a.reports", "done/a.reports", "out/a.txt", "a.result.txt"]
)
def test_half_written_and_own_files_are_left_alone(folder, name):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    assert watch.look(folder) == {}


def test_a_file_written_over_while_it_was_received_is_not_moved_away_unread(home, folder, monkeypatch):
    path = folder / "a.reports"
    path.write_text(LINE.format(3))
    real = receive.ingest

    def slow(*given, **more):
        found = real(*given, **more)
        path.write_text(LINE.format(44))
        return found

    monkeypatch.setattr(receive, "ingest", slow)
    once(home, folder)
    assert path.exists()
    monkeypatch.setattr(receive, "ingest", real)
    once(home, folder)
    assert values(home) == (2, 47.0)


def test_a_file_with_rows_in_quarantine_gets_its_result_beside_in_both_languages(home, folder):
    (folder / "a.reports").write_text("bad")
    once(home, folder)
    text = (folder / "out" / "a.reports.result.txt").read_text("utf-8")
    assert "nhận 1 dòng, vào kho 0, cách ly 1" in text
    assert "1 rows received, 0 landed, 1 quarantined" in text


def test_two_files_of_one_name_are_both_kept_in_done(home, folder):
    for value in (1, 2):
        (folder / "a.reports").write_text(LINE.format(value))
        once(home, folder)
    assert moved(folder) == ["a (2).reports", "a.reports"]
    assert values(home) == (2, 3.0)


def test_killed_between_receiving_and_moving_nothing_is_lost_or_doubled(home, folder):
    """The process dies by SIGKILL right after the ingest; the next watcher finds the file known and moves it."""
    (folder / "a.reports").write_text(LINE.format(3))

    def die_before_moving():
        watch._put_all_away = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        once(home, folder)

    process = FORK.Process(target=die_before_moving)
    process.start()
    process.join(300)
    assert process.exitcode == -signal.SIGKILL
    assert values(home) == (1, 3.0)
    assert (folder / "a.reports").exists()
    assert once(home, folder) == 0  # known by its bytes: not read again
    assert values(home) == (1, 3.0)
    assert moved(folder) == ["a.reports"]


def test_a_full_disk_leaves_the_files_where_they_are_for_the_next_pass(home, folder, monkeypatch):
    (folder / "a.reports").write_text(LINE.format(3))

    def full(*given, **more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(receive, "ingest", full)
    with pytest.raises(ProcessingError, match="No space left"):
        once(home, folder)
    assert (folder / "a.reports").exists()
    monkeypatch.undo()


def test_a_done_folder_that_cannot_be_written_costs_no_data(home, folder, tmp_path):
    (tmp_path / "file").write_text("no folder")
    (folder / "a.reports").write_text(LINE.format(3))
    told = []
    once(home, folder, done=tmp_path / "file" / "done", say=told.append)
    assert "a.reports" in told[0].not_moved[0]
    assert (folder / "a.reports").exists()
    assert values(home) == (1, 3.0)
    once(home, folder)
    assert values(home) == (1, 3.0)


def test_a_file_that_cannot_be_read_stays_and_the_others_land(home, folder, monkeypatch):
    from tkyt_analysis.warehouse import custody

    (folder / "a.reports").write_text(LINE.format(3))
    (folder / "b.reports").write_text(LINE.format(4))
    real = custody.file_sha256

    def refuse(path):
        if path.name == "b.reports":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(custody, "file_sha256", refuse)
    told = []
    once(home, folder, say=told.append)
    assert told[0].unreadable == ["b.reports"]
    assert moved(folder) == ["a.reports"]
    assert (folder / "b.reports").exists()


def test_a_second_watcher_of_a_folder_is_refused(home, folder):
    with watch._one_watcher(folder), pytest.raises(ProcessingError, match="watch"):
        once(home, folder)
    with pytest.raises(InputError):
        once(home, folder / "none")


def test_it_stops_cleanly_when_the_system_asks(home, folder):
    process = FORK.Process(target=watch.watch, args=(home, folder), kwargs={"every": 0.1})
    process.start()
    (folder / "a.reports").write_text(LINE.format(3))
    waited = time.monotonic() + 300
    while not moved(folder) and time.monotonic() < waited:
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGTERM)
    process.join(30)
    assert process.exitcode == 0
    assert values(home) == (1, 3.0)


def test_a_stop_event_ends_it_from_another_thread(home, folder):
    stop = threading.Event()
    thread = threading.Thread(target=watch.watch, args=(home, folder), kwargs={"every": 0.1, "stop": stop})
    thread.start()
    stop.set()
    thread.join(20)
    assert not thread.is_alive()


def test_the_command_takes_paths_or_a_folder_to_watch_never_both(home, folder, capsys):
    from tkyt_analysis.cli.main import run

    assert run(["ingest", "--home", str(home)]) == 2
    assert run(["ingest", "x", "--watch", str(folder), "--home", str(home)]) == 2
    assert "--watch" in capsys.readouterr().err

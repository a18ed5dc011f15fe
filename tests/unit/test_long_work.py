"""Long work is cancelled without harm: nothing is half done, and finished work stays finished."""

import shutil
import threading
import time

import duckdb
import pytest

from tkyt_analysis.long_work import Cancelled, Stopped, run


class Watcher:
    """A display that may cancel: what a person at the screen does."""

    def __init__(self, when=lambda step: False):
        self.when, self.seen, self.closed = when, [], False

    def show(self, step, seconds):
        self.seen.append((step.done, step.total, step.what))
        if self.when(step):
            step.cancel()

    def close(self):
        self.closed = True


def test_the_result_of_the_work_comes_back_and_progress_was_shown():
    def work(step):
        for number in range(5):
            step(number + 1, 5, f"tỉnh {number}")
            time.sleep(0.06)
        return "xong"

    watcher = Watcher()
    assert run(work, title="Thử", display=watcher) == "xong"
    assert watcher.closed
    assert {total for _, total, _ in watcher.seen[1:]} == {5}


def test_an_error_of_the_work_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError):
        run(lambda step: 1 / 0, display=Watcher())


def test_cancelled_work_stops_at_its_next_step_with_a_sentence():
    steps = []

    def work(step):
        for number in range(10_000):
            steps.append(number)
            step(number, 10_000)
            time.sleep(0.01)

    with pytest.raises(Cancelled, match="Đã huỷ “Tổng hợp”: không có gì thay đổi"):
        run(work, title="Tổng hợp", display=Watcher(lambda step: step.done > 5))
    assert 5 < len(steps) < 1000


def test_a_running_query_ends_when_the_work_is_cancelled():
    con = duckdb.connect()

    def work(step):
        step.interrupts(con.interrupt)
        step(1, 1)
        return con.execute("SELECT sum(a.range * b.range) FROM range(3000000) a, range(3000000) b").fetchone()

    started = time.monotonic()
    with pytest.raises(Cancelled):
        run(work, title="Truy vấn", display=Watcher(lambda step: step.done == 1))
    assert time.monotonic() - started < 120  # it would run for hours
    assert con.execute("SELECT 1").fetchone() == (1,)


def test_an_interrupt_of_the_cell_cancels_as_the_button_does():
    import _thread
    import signal

    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a test run in the background ignores it

    def work(step):
        threading.Timer(0.2, _thread.interrupt_main).start()
        for number in range(10_000):
            step(number)
            time.sleep(0.01)

    try:
        with pytest.raises(Cancelled):
            run(work, display=Watcher())
    finally:
        signal.signal(signal.SIGINT, before)


def test_work_that_had_finished_before_it_noticed_gives_its_result():
    def work(step):
        time.sleep(0.4)
        return "đã ghi"

    assert run(work, display=Watcher(lambda step: True)) == "đã ghi"


def test_nothing_on_the_way_takes_a_cancel_for_a_fault_of_the_data():
    def work(step):
        step.cancel()
        try:
            step(1, 2)
        except Exception:
            return "swallowed"

    with pytest.raises(Cancelled):
        run(work, display=Watcher())
    assert issubclass(Stopped, KeyboardInterrupt)


def test_publishing_that_is_cancelled_leaves_no_release_behind(practice_home, tmp_path):
    from tkyt_analysis.warehouse.release import current_release, publish

    home = tmp_path / "home"
    shutil.copytree(practice_home, home, symlinks=True)
    before = current_release(home)
    shutil.rmtree(home / "releases" / before)  # so that it has to be made again
    others = {path.name for path in (home / "releases").iterdir()}
    seen = []

    def work(step):
        def progress(done, total, what):
            seen.append(what)
            if len(seen) == 3:
                step.cancel()
            step(done, total, what)

        return publish(home, progress=progress)

    with pytest.raises(Cancelled):
        run(work, title="Công bố", display=Watcher())
    assert len(seen) == 3
    assert {path.name for path in (home / "releases").iterdir()} == others
    assert current_release(home) == before  # the pointer has not moved
    made = run(lambda step: publish(home, progress=step), display=Watcher())
    assert made.verify() == []
    assert current_release(home) == made.release_id


def test_receiving_that_is_cancelled_leaves_the_warehouse_as_it_was(tmp_path):
    from tkyt_analysis.pipeline import prepare_home
    from tkyt_analysis.warehouse.lake import Warehouse

    home = tmp_path / "home"
    prepare_home(home, practice=True)

    def work(step):
        with Warehouse(home, write=True) as warehouse, warehouse.turn(), warehouse.transaction():
            warehouse.con.execute("INSERT INTO lake.quarantine (file_sha256, reason) VALUES ('x', 'error.memory')")
            step.cancel()
            step(1, 2, "giữa chừng")

    with pytest.raises(Cancelled):
        run(work, display=Watcher())
    with Warehouse(home) as warehouse:
        assert warehouse.one("SELECT count(*) FROM lake.quarantine") == (0,)

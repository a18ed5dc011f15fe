"""Work in a process of its own that is killed (SIGKILL) at a random instant, and run again.

`killed_and_run_again` is the experiment: a home is copied from a template, the work on it is killed some times at random
instants, then runs to its end; what it leaves is compared by the caller. The moments are drawn over the time that the
work still needs, so that late steps are hit as often as early ones.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

FORK = multiprocessing.get_context("fork")
PATIENCE = 300.0
TIMES = int(os.environ.get("TKYT_KILLS", "1"))  # how many times the kills of an ordinary run are wanted


def in_a_process(work: Callable[..., None], *arguments: object, kill_after: float | None = None) -> bool:
    """Run `work(*arguments)`; killed after some seconds if it still runs. True if killed; AssertionError if it failed."""
    gc.collect()  # a database left open would have threads, and a fork while they work may hang
    process = FORK.Process(target=_in_own_session, args=(work, arguments))
    process.start()
    process.join(PATIENCE if kill_after is None else kill_after)
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        assert kill_after is not None, "the work hangs"
        return True
    assert process.exitcode == 0, f"{work.__name__} failed with exit code {process.exitcode}"
    return False


def _in_own_session(work: Callable[..., None], arguments: tuple[object, ...]) -> None:
    os.setsid()
    work(*arguments)


def seconds_of(work: Callable[..., None], *arguments: object) -> float:
    """How long undisturbed work lasts."""
    started = time.monotonic()
    in_a_process(work, *arguments)
    return time.monotonic() - started


def killed_and_run_again(
    work: Callable[[Path], None],
    *,
    template: Path,
    folder: Path,
    seconds: float,
    kills: int,
    kills_per_home: int,
    seed: int,
    after_kill: Callable[[Path], None] = lambda home: None,
) -> Iterator[Path]:
    """Homes on which `work` was killed up to `kills_per_home` times and then ended; `kills` kills in all.

    after_kill : what must hold after each kill
    """
    moments = random.Random(seed)
    done = number = 0
    while done < kills:
        home = folder / f"{work.__name__}{number}"
        number += 1
        assert number < 5 * kills, "the work is over before it can be killed"
        shutil.copytree(template, home)
        for _ in range(min(kills_per_home, kills - done)):
            if not in_a_process(work, home, kill_after=moments.uniform(0, seconds)):
                seconds *= 0.8  # it was quicker than expected: aim earlier
                break
            done += 1
            in_a_process(after_kill, home)
        in_a_process(work, home)
        yield home
        shutil.rmtree(home)

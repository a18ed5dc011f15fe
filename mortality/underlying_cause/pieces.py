"""Long lists of work cut into pieces for worker processes; short lists are worked here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import get_context
from typing import Any

from tkyt_analysis.quality.workers import workers as cores

WORTH_PROCESSES = 60_000
PIECE = 10_000

Work = Callable[..., list[Any]]


def in_processes(work: Work, items: list[str], settings: tuple[Any, ...], *, workers: int | None = None) -> list[Any]:
    """`work(items, *settings)`, in pieces beside each other where there are many items; results in the order of the items.

    workers : None: the cores (TKYT_WORKERS says otherwise) from 60,000 items on, this process below that; 1: always here
    The items are worked here too where processes cannot be started (a script without a guarded main part).
    """
    many = (workers or cores()) if workers is not None or len(items) >= WORTH_PROCESSES else 1
    if many == 1 or len(items) <= PIECE:
        return work(items, *settings)
    try:
        return _beside_each_other(work, items, settings, many)
    except BrokenProcessPool:  # a process could not start or was ended; the answer does not depend on processes
        _pool.cache_clear()
        return work(items, *settings)


def _beside_each_other(work: Work, items: list[str], settings: tuple[Any, ...], many: int) -> list[Any]:
    pool, waiting, done = _pool(many), deque[Future[list[Any]]](), list[Any]()
    for start in range(0, len(items), PIECE):
        waiting.append(pool.submit(work, items[start : start + PIECE], *settings))
        if len(waiting) > many + 1:
            done += waiting.popleft().result()
    for future in waiting:
        done += future.result()
    return done


@lru_cache(maxsize=1)
def _pool(workers: int) -> ProcessPoolExecutor:
    """Processes that stay for the next block of a file and keep their answers; they end with this one."""
    return ProcessPoolExecutor(workers, mp_context=get_context("spawn"))

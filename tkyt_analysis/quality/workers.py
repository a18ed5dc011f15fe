"""Detectors run beside each other in worker processes; small work stays in this one."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import chain
from multiprocessing import get_context
from typing import Any

import pandas as pd

from tkyt_analysis.quality.panel import FormBlock, Panel

Judged = tuple[pd.DataFrame, int, int]
Judge = Callable[[Any, Mapping[str, Any]], Judged]
Asked = tuple[Judge, Mapping[str, Any]]
_CELLS_WORTH_A_PROCESS = 3_000_000
_MOST_WORKERS = 4


def workers() -> int:
    """How many processes judge at once: the cores of the machine, at most four; TKYT_WORKERS says otherwise."""
    given = os.environ.get("TKYT_WORKERS", "")
    return int(given) if given.isdigit() and int(given) > 0 else min(_MOST_WORKERS, os.cpu_count() or 1)


def each_judged(judges: list[Asked], blocks: Iterable[Panel | FormBlock]) -> Iterator[tuple[Any, list[Judged]]]:
    """(block without its numbers, what each of `judges` says of it) for every block, in order.

    judges : detectors with their settings. Work is handed to processes once more than about three million cells have
    passed; never more blocks wait than there are workers plus one, so memory does not grow with their number.
    """
    blocks, passed = iter(blocks), 0
    for block in blocks:
        if passed > _CELLS_WORTH_A_PROCESS and workers() > 1:
            yield from _beside_each_other(judges, chain([block], blocks))
            return
        passed += _cells(block)
        yield _named(block), _judged_by_all(judges, block)


def _judged_by_all(judges: list[Asked], block: Panel | FormBlock) -> list[Judged]:
    return [judge(block, settings) for judge, settings in judges]


def _beside_each_other(judges: list[Asked], blocks: Iterable[Panel | FormBlock]) -> Iterator[tuple[Any, list[Judged]]]:
    waiting: deque[tuple[Any, Future[list[Judged]]]] = deque()
    with ProcessPoolExecutor(workers(), mp_context=get_context("spawn"), initializer=_one_thread_each) as pool:
        for block in blocks:
            waiting.append((_named(block), pool.submit(_judged_by_all, judges, block)))
            if len(waiting) > workers():
                name, future = waiting.popleft()
                yield name, future.result()
        while waiting:
            name, future = waiting.popleft()
            yield name, future.result()


def _one_thread_each() -> None:
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"


def _cells(block: Panel | FormBlock) -> int:
    return block.counts.size if isinstance(block, Panel) else block.values.size


class _Named:
    """What findings need to know of a block after its numbers were let go."""

    def __init__(self, block: Panel | FormBlock) -> None:
        self.dataset_id = block.dataset_id
        self.element_id = getattr(block, "element_id", "")
        self.category_id = getattr(block, "category_id", "")


def _named(block: Panel | FormBlock) -> _Named:
    return _Named(block)

"""A long session on a real release: memory stays where it was, nothing fails, nothing is left behind."""

import ctypes
import gc
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from support import REPOSITORY

from tkyt_analysis.explorer.app import ExplorerApp


@pytest.fixture
def walk(monkeypatch):
    """The walk of the benchmark."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "benchmarks"))
    from explorer_walk import walk

    yield walk
    sys.modules.pop("explorer_walk", None)


def resident_megabytes():
    """What the process holds, after everything that it no longer uses was given back to the machine."""
    gc.collect()
    pa.default_memory_pool().release_unused()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * 4096 / 1e6


def comms():
    """Widgets of this process: each holds a channel to the page."""
    from ipywidgets.widgets.widget import _instances

    return len(_instances)


def test_memory_stays_flat_over_two_hundred_interactions(practice_home, walk):
    app = ExplorerApp(practice_home, language="vi")
    for _, step in walk(app, seed=1, steps=80):  # libraries are loaded, buffers filled
        step()
    before, widgets = resident_megabytes(), comms()
    failed = []
    for kind, step in walk(app, seed=2, steps=200):
        step()
        if "báo người quản trị" in app.error:
            failed.append((kind, app.state, app.error))
    assert failed == []
    assert comms() == widgets
    assert resident_megabytes() - before < 60
    app.close()

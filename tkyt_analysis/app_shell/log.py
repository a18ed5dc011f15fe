"""The log of the apps: what went wrong, for whoever runs the server; nothing that a person typed."""

from __future__ import annotations

import logging
import os

LOG_FILE = "TKYT_DASHBOARD_LOG"  # set by `tkyt dashboards`; what a viewer must not see goes there
log = logging.getLogger("tkyt_analysis.apps")
log.propagate = False
log.addHandler(
    logging.FileHandler(os.environ[LOG_FILE], delay=True) if LOG_FILE in os.environ else logging.NullHandler()
)


def where_it_broke(error: Exception) -> str:
    """Kind and lines of an error without its message: that may hold what was typed."""
    import traceback

    steps = traceback.extract_tb(error.__traceback__)
    lines = (f"{one.filename.rpartition('/')[2]}:{one.lineno}" for one in reversed(steps))
    return f"{type(error).__name__}: {' < '.join(lines)}"

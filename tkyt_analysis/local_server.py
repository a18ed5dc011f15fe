"""Run a server program as a child: its port checked before, and the child ended with us."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from types import FrameType

from tkyt_analysis.errors import UsageError


def require_free_port(port: int) -> None:
    """Raise UsageError where something on this machine listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise UsageError("error.port_in_use", port=port) from None


def run_server(arguments: list[str], environment: dict[str, str]) -> int:
    """Start the program and wait for it; a SIGTERM to us ends it too. Returns its exit code."""
    child = subprocess.Popen(arguments, env={**os.environ, **environment})

    def stop(_number: int, _frame: FrameType | None) -> None:
        child.terminate()

    before = signal.signal(signal.SIGTERM, stop)
    try:
        return child.wait()
    except KeyboardInterrupt:
        return child.wait()
    finally:
        signal.signal(signal.SIGTERM, before)
        if child.poll() is None:
            child.terminate()
            child.wait(timeout=10)

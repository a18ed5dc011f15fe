"""A kernel manager that talks over local sockets: no TCP ports to clash when reports run side by side."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from jupyter_client.manager import AsyncKernelManager


class LocalKernelManager(AsyncKernelManager):
    """AsyncKernelManager over IPC."""

    environment: Mapping[str, str] = {}
    folder: Path | None = None
    started: Callable[[int], None] | None = None

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.transport = "ipc"
        self.sockets = Path(tempfile.mkdtemp(prefix="tkyt-kernel-"))  # a short absolute path that both sides find
        self.ip = str(self.sockets / "k")

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The kernel's command line, told to keep its shutdown messages to itself."""
        return super().format_kernel_cmd([*(extra_arguments or []), "--log-level=50"])

    async def _async_start_kernel(self, **options: Any) -> None:
        options["env"] = {**os.environ, **options.get("env", {}), **self.environment}
        if self.folder is not None:
            options["cwd"] = str(self.folder)
        await super()._async_start_kernel(**options)
        process = getattr(self.provisioner, "pid", None)
        if self.started is not None and process:
            self.started(process)

    start_kernel = _async_start_kernel  # the name under which the parent offers the same coroutine

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        if not restart:
            shutil.rmtree(self.sockets, ignore_errors=True)

    cleanup_resources = _async_cleanup_resources


def kernel_manager(
    environment: Mapping[str, str], folder: Path, started: Callable[[int], None]
) -> type[LocalKernelManager]:
    """A manager whose kernels get this environment and folder, and whose process `started` is told.

    The process's own environment and folder stay as they are: other threads may be at work in it.
    """
    return type(
        "RunKernelManager",
        (LocalKernelManager,),
        {"environment": dict(environment), "folder": folder, "started": staticmethod(started)},
    )

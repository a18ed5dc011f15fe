"""Kernels of the Lab talk over local sockets of their owner: on TCP, every user of the machine could listen to the outputs."""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.kernelmanager import ServerKernelManager


class WorkKernel(ServerKernelManager):
    """A kernel manager over IPC, whose kernels keep their own messages to the terminal to themselves."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.transport = "ipc"

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The kernel's command line."""
        return super().format_kernel_cmd([*(extra_arguments or []), "--log-level=50"])

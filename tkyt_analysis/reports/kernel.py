"""A kernel manager that talks over local sockets: no TCP ports to clash when reports run side by side."""

from jupyter_client.manager import AsyncKernelManager


class LocalKernelManager(AsyncKernelManager):
    """AsyncKernelManager over IPC."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.transport = "ipc"

    def format_kernel_cmd(self, extra_arguments: list[str] | None = None) -> list[str]:
        """The kernel's command line, told to keep its shutdown messages to itself."""
        return super().format_kernel_cmd([*(extra_arguments or []), "--log-level=50"])

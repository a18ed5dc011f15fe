"""Serve the dashboards with Voilà: on this machine only, offline, listed notebooks only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tkyt_analysis.labels import label
from tkyt_analysis.settings import REPOSITORY
from tkyt_analysis.warehouse.release import current_release

TEMPLATES = Path(__file__).parent / "voila_template"
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"]


def voila_arguments(*, port: int, open_browser: bool) -> list[str]:
    """The command line of the server."""
    return [
        sys.executable,
        "-m",
        "voila",
        str(REPOSITORY / "voila_apps"),
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
        "--template=tkyt",
        "--VoilaConfiguration.strip_sources=True",
        "--VoilaConfiguration.show_tracebacks=False",
        "--VoilaConfiguration.allow_template_override=NO",
        "--VoilaConfiguration.allow_theme_override=NO",
        f"--VoilaConfiguration.extension_allowlist={EXTENSIONS}",
        "--VoilaExecutor.timeout=120",
        "--MappingKernelManager.cull_idle_timeout=600",
        "--MappingKernelManager.cull_interval=60",
        *([] if open_browser else ["--no-browser"]),
    ]


def voila_environment(home: Path) -> dict[str, str]:
    """Environment of the server: the home that its kernels read, and our template folder."""
    path = os.pathsep.join([str(TEMPLATES), *filter(None, [os.environ.get("JUPYTER_PATH")])])
    return {**os.environ, "TKYT_HOME": str(home), "JUPYTER_PATH": path, "JUPYTER_NO_CONFIG": "1"}


def links(port: int) -> list[str]:
    """Addresses of the apps."""
    names = sorted(path.name for path in (REPOSITORY / "voila_apps").glob("*.ipynb"))
    return [f"http://127.0.0.1:{port}/voila/render/{name}" for name in names]


def serve(home: Path, *, port: int = 8866, open_browser: bool = False) -> int:
    """Start Voilà and wait for it; prints the links. Raises InputError where the home has no release."""
    current_release(home)
    print(label("dashboards.links"), *links(port), label("dashboards.stop"), sep="\n  ", flush=True)
    return subprocess.call(voila_arguments(port=port, open_browser=open_browser), env=voila_environment(home))

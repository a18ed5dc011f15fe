"""Start JupyterLab for a statistician: this machine only, no news, no extension shop, Vietnamese menus."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tkyt_analysis.access import require
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.local_server import require_free_port, run_server
from tkyt_analysis.settings import REPOSITORY

LOCALES = {"vi": "vi_VN", "en": "en"}


def work_directory(home: Path) -> Path:
    """The user's notebooks, outside the repository, beside a link to the reports.

    Templates are copied there once and never overwritten.
    """
    directory = Path(home) / "work" / "notebooks"
    directory.mkdir(parents=True, exist_ok=True)
    for template in sorted((REPOSITORY / "notebooks").glob("*.ipynb")):
        if not (directory / template.name).exists():
            shutil.copy(template, directory / template.name)
    reports = directory / "reports"  # a browser opens no file:// link of a served page
    (Path(home) / "reports").mkdir(exist_ok=True)
    if not reports.exists():
        reports.symlink_to(Path("..") / ".." / "reports", target_is_directory=True)
    return directory


def lab_settings(language: str) -> Path:
    """A settings folder that JupyterLab reads: interface language, no announcements."""
    import json
    import tempfile

    directory = Path(tempfile.mkdtemp(prefix="tkyt-lab-"))
    overrides = {
        "@jupyterlab/translation-extension:plugin": {"locale": LOCALES[language]},
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    (directory / "overrides.json").write_text(json.dumps(overrides), "utf-8")
    return directory


def lab_arguments(home: Path, *, port: int, open_browser: bool) -> list[str]:
    """The command line of the server."""
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--port={port}",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port_retries=0",
        f"--ServerApp.root_dir={work_directory(home)}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--LabApp.app_settings_dir={lab_settings(current_language())}",
        *([] if open_browser else ["--no-browser"]),
        *(["--allow-root"] if os.geteuid() == 0 else []),  # in a container there is no other user
    ]


def lab_environment(home: Path) -> dict[str, str]:
    """Environment of the server and of the notebooks' kernels."""
    return {"TKYT_HOME": str(home), "JUPYTER_PREFER_ENV_PATH": "1"}


def start_lab(home: Path, *, port: int = 8888, open_browser: bool = True) -> int:
    """Start JupyterLab on a home and wait for it; the port must be free."""
    require(home, "read")
    require_free_port(port)
    print(label("lab.start", None, directory=work_directory(home), notebooks=REPOSITORY / "notebooks"), flush=True)
    return run_server(lab_arguments(home, port=port, open_browser=open_browser), lab_environment(home))

"""Serve the dashboards with Voilà: on this machine only, offline, listed notebooks only."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from html import escape
from pathlib import Path

from tkyt_analysis.access import require
from tkyt_analysis.access.door import acting_environment
from tkyt_analysis.app_shell.log import LOG_FILE
from tkyt_analysis.labels import current_language, label
from tkyt_analysis.local_server import require_free_port, run_server
from tkyt_analysis.settings import REPOSITORY
from tkyt_analysis.warehouse.release import current_release

TEMPLATES = Path(__file__).parent / "voila_template"
APPS = REPOSITORY / "voila_apps"
EXTENSIONS = ["@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8"]


def app_notebooks() -> list[Path]:
    """The notebooks of the dashboards."""
    return sorted(APPS.glob("*.ipynb"))


def template_directory(target: Path, language: str) -> Path:
    """Copy the template to `target`, its words filled in."""
    shutil.copytree(TEMPLATES, target, dirs_exist_ok=True)
    titles = {path.name: label(f"dashboards.app.{path.stem}", language) for path in app_notebooks()}
    words = {"language": language, "titles": json.dumps(titles, ensure_ascii=False)[1:-1]}
    words |= {
        key: escape(label(key, language))
        for key in (f"dashboards.{one}" for one in ("loading", "index", "problem", "not_found", "failed"))
    }
    for path in (target / "voila" / "templates" / "tkyt").iterdir():
        text = path.read_text("utf-8")
        for name, word in words.items():
            text = text.replace(f"[[{name}]]", word)
        path.write_text(text, "utf-8")
    return target


def voila_arguments(*, port: int, open_browser: bool) -> list[str]:
    """The command line of the server."""
    return [
        sys.executable,
        "-m",
        "voila",
        str(APPS),
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
        "--template=tkyt",
        "--VoilaConfiguration.strip_sources=True",
        "--VoilaConfiguration.show_tracebacks=False",
        "--VoilaConfiguration.allow_template_override=NO",
        "--VoilaConfiguration.allow_theme_override=NO",
        *(f"--VoilaConfiguration.extension_allowlist={name}" for name in EXTENSIONS),
        "--VoilaConfiguration.file_allowlist=nothing-is-served",
        "--Voila.port_retries=0",
        "--VoilaExecutor.timeout=120",
        f"--VoilaExecutor.cell_error_instruction={label('dashboards.failed')}",
        "--MappingKernelManager.cull_idle_timeout=600",
        "--MappingKernelManager.cull_interval=60",
        *([] if open_browser else ["--no-browser"]),
    ]


def voila_environment(home: Path, templates: Path) -> dict[str, str]:
    """Environment of the server: the home that its kernels read, our template, and where problems are written."""
    path = os.pathsep.join([str(templates), *filter(None, [os.environ.get("JUPYTER_PATH")])])
    log = Path(home) / "work" / "dashboards.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    return {
        **os.environ,
        "TKYT_HOME": str(home),
        LOG_FILE: str(log),
        "JUPYTER_PATH": path,
        "JUPYTER_NO_CONFIG": "1",
        **acting_environment(home),
    }


def links(port: int) -> list[str]:
    """Addresses of the apps."""
    return [f"http://127.0.0.1:{port}/voila/render/{path.name}" for path in app_notebooks()]


def serve(home: Path, *, port: int = 8866, open_browser: bool = False) -> int:
    """Start Voilà and wait for it; prints the links. Raises InputError where the home has no release."""
    require(home, "read")
    current_release(home)
    require_free_port(port)
    print(label("dashboards.links"), *links(port), label("dashboards.stop"), sep="\n  ", flush=True)
    with tempfile.TemporaryDirectory(prefix="tkyt-voila-") as directory:
        templates = template_directory(Path(directory), current_language())
        arguments = voila_arguments(port=port, open_browser=open_browser)
        return run_server(arguments, voila_environment(home, templates))

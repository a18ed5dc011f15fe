"""How JupyterLab is set up: a closed network, Vietnamese, this machine only, a token always, short autosave.

JUPYTER_NO_CONFIG keeps configuration of the machine or the user out; everything that holds is on the command line and in
two files (overrides.json, page_config.json) of a folder that the server reads.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tkyt_analysis.errors import UsageError
from tkyt_analysis.lab_folders import START, folder_name, prepare_folders
from tkyt_analysis.labels import all_labels, current_language, label
from tkyt_analysis.warehouse.whole_files import write_whole

LOCALES = {"vi": "vi_VN", "en": "en"}
AUTOSAVE_SECONDS = 10
SHORTEST_TOKEN = 16
EXTENSION = Path(__file__).parent / "lab_extension"

# Nothing is loaded from elsewhere, whatever a notebook's text or output asks for.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self' data: blob:",
        "worker-src 'self' blob:",
        "frame-src 'self' data: blob:",
        "frame-ancestors 'self'",
        "form-action 'self'",
    )
)

# Parts of JupyterLab that would ask the network, or lead there.
DISABLED = (
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/help-extension:jupyter-forum",
    "@jupyterlab/help-extension:resources",
    "@jupyterlab/help-extension:launch-classic",
    "@jupyterlab/filebrowser-extension:open-url",
    "@jupyterlab/hub-extension",
    "@jupyterlab/lsp-extension",
    "@jupyterlab/notebook-extension:language-server",
    "@jupyterlab/fileeditor-extension:language-server",
    "@voila-dashboards/jupyterlab-preview",
    "jupyterlab-jupytext",  # its menu offers other pairings than the one that is kept
)
SERVER_PARTS = {"jupyterlab": True, "jupyter_server_terminals": True}


def settings_overrides(language: str) -> dict[str, Any]:
    """Defaults of JupyterLab's settings, by plug-in."""
    return {
        "@jupyterlab/translation-extension:plugin": {"locale": LOCALES[language]},
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
        "@jupyterlab/docmanager-extension:plugin": {
            "autosaveInterval": AUTOSAVE_SECONDS,
            "defaultViewers": {"markdown": "Markdown Preview"},
        },
    }


def page_configuration(language: str) -> dict[str, Any]:
    """What the page is told: parts that stay away, and the words of our own extension."""
    templates, mine = folder_name("templates"), folder_name("mine")
    words: dict[str, object] = {
        "interface": interface_words(language),
        "mine": mine,
        "start": f"{templates}/{START}",
        "copy": label("lab.copy", language),
        "copyHint": label("lab.copy.hint", language),
        "copied": label("lab.copied", language, path="{path}"),
        "died": label("lab.kernel_died", language, name="{name}", seconds=AUTOSAVE_SECONDS),
    }
    return {
        "disabledExtensions": dict.fromkeys(DISABLED, True),
        "tkyt": json.dumps(words, ensure_ascii=False),
        "appName": label("lab.title", language),
    }


def interface_words(language: str) -> dict[str, str]:
    """{JupyterLab's own message: our words} for what the language pack leaves in English (labels/lab_interface.yaml)."""
    names = [key.rpartition(".")[2] for key in all_labels() if key.startswith("lab.interface.")]
    return {label(f"lab.interface.{name}", "en"): label(f"lab.interface.{name}", language) for name in names}


def write_settings(home: Path, language: str) -> Path:
    """The folder with both files, in the account's own part of the home."""
    directory = prepare_folders(home) / ".lab"
    directory.mkdir(exist_ok=True, mode=0o700)
    for name, content in (("overrides", settings_overrides(language)), ("page_config", page_configuration(language))):
        write_whole(directory / f"{name}.json", json.dumps(content, ensure_ascii=False, indent=1))
    return directory


def lab_arguments(home: Path, *, port: int, open_browser: bool) -> list[str]:
    """The command line of the server."""
    settings = write_settings(home, current_language())
    policy = {"headers": {"Content-Security-Policy": POLICY}}
    return [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--port={port}",
        "--Application.log_level=ERROR",
        "--ServerApp.ip=127.0.0.1",
        "--ServerApp.port_retries=0",
        "--ServerApp.answer_yes=True",  # Ctrl+C stops without a question
        f"--ServerApp.jpserver_extensions={SERVER_PARTS}",
        "--ServerApp.contents_manager_class=tkyt_analysis.lab_contents.WorkContents",
        "--AsyncMappingKernelManager.kernel_manager_class=tkyt_analysis.lab_kernel.WorkKernel",
        f"--ServerApp.root_dir={settings.parent}",
        f"--ServerApp.tornado_settings={policy}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
        f"--LabApp.default_url={start_address()}",
        f"--LabApp.extra_labextensions_path={EXTENSION}",
        f"--LabApp.app_settings_dir={settings}",
        f"--LabApp.user_settings_dir={settings / 'user'}",
        f"--LabApp.workspaces_dir={settings / 'workspaces'}",
        *([] if open_browser else ["--no-browser"]),
        *(["--allow-root"] if os.geteuid() == 0 else []),  # in a container there is no other user
    ]


def start_address() -> str:
    """The address of the start page below the server's root."""
    return "/lab/tree/" + quote(f"{folder_name('templates')}/{START}")


@contextmanager
def runtime_folder() -> Iterator[Path]:
    """A private folder with a short name (local sockets allow no long one) for as long as the server runs."""
    with tempfile.TemporaryDirectory(prefix="tkyt-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def lab_environment(home: Path, token: str, runtime: Path) -> dict[str, str]:
    """Environment of the server and of the notebooks' kernels; the token is not on the command line, where others see it."""
    return {
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "TKYT_HOME": str(home),
        "PATH": os.pathsep.join(
            (str(Path(sys.executable).parent), os.environ.get("PATH", ""))
        ),  # `tkyt` in its terminal
        "JUPYTER_NO_CONFIG": "1",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_TOKEN": token,
    }


def lab_token(given: str | None = None) -> str:
    """A new token, or the one given (JUPYTER_TOKEN); UsageError for an empty or short one: it would open the Lab to others."""
    given = os.environ.get("JUPYTER_TOKEN") if given is None else given
    if given is None:
        return secrets.token_urlsafe(24)
    if len(given.strip()) < SHORTEST_TOKEN:
        raise UsageError("error.lab_token", shortest=SHORTEST_TOKEN)
    return given.strip()

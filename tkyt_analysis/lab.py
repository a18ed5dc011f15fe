"""Start JupyterLab for a statistician: this machine only, no news, no extension shop, Vietnamese menus."""

from __future__ import annotations

from pathlib import Path

from tkyt_analysis.access import require
from tkyt_analysis.lab_clean import clean_folder
from tkyt_analysis.lab_folders import lab_directory, work_directory
from tkyt_analysis.lab_settings import lab_arguments, lab_environment, lab_token, runtime_folder, start_address
from tkyt_analysis.labels import format_number, label
from tkyt_analysis.local_server import require_free_port, run_server


def start_lab(home: Path, *, port: int = 8888, open_browser: bool = True) -> int:
    """Start JupyterLab on a home and wait for it; the port must be free. Returns the server's exit code."""
    home = Path(home)
    require(home, "read")
    require_free_port(port)
    token = lab_token()
    arguments = lab_arguments(home, port=port, open_browser=open_browser)
    swept = clean_folder(work_directory(home))
    if swept:
        print(label("lab.swept", None, count=format_number(len(swept))), flush=True)
    address = f"http://127.0.0.1:{port}{start_address()}?token={token}"
    print(label("lab.start", None, directory=work_directory(home), address=address), flush=True)
    with runtime_folder() as runtime:
        return run_server(arguments, lab_environment(home, token, runtime))


__all__ = ["lab_arguments", "lab_directory", "lab_environment", "start_lab", "work_directory"]

"""The folders that JupyterLab shows: templates to read, the user's own work, reports. All lie in the home.

`<home>/notebooks/<account>/` is the root of one account's Lab; backups of the home take it along.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from pathlib import Path

from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.settings import REPOSITORY, home_directory

START = "00_start.ipynb"


def folder_name(key: str) -> str:
    """The name on disk of "mine", "templates", "reports" or "docs": Vietnamese in every language, so that work stays where it is."""
    return label(f"lab.folder.{key}", "vi")


def lab_directory(home: Path) -> Path:
    """The root of the current account's Lab."""
    name = require(Path(home), "read").name
    return Path(home) / "notebooks" / name.replace("/", "_").replace("\\", "_").lstrip(".")


def work_directory(home: Path) -> Path:
    """Where the current account's own notebooks lie: outside the program, readable by its owner only."""
    return lab_directory(home) / folder_name("mine")


def templates() -> dict[str, Path]:
    """Name → path of the notebooks that come with the program."""
    return {path.name: path for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))}


def prepare_folders(home: Path) -> Path:
    """Make the folders of the current account, with the templates of this version; the root of its Lab."""
    root = lab_directory(home)
    work_directory(home).mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)
    _show_templates(root / folder_name("templates"))
    (Path(home) / "reports").mkdir(exist_ok=True)
    # a browser opens no file:// link of a served page, so reports and guides stand beside the notebooks
    _point(root / folder_name("reports"), os.path.relpath(Path(home) / "reports", root))
    _point(root / folder_name("docs"), REPOSITORY / "docs")
    return root


def _point(link: Path, target: str | Path) -> None:
    if link.is_symlink() and os.readlink(link) != str(target):
        link.unlink()
    if not link.is_symlink():
        link.symlink_to(target, target_is_directory=True)


def _show_templates(folder: Path) -> None:
    """The templates as files that nobody writes to; those of an older version go."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for old in folder.glob("*.ipynb"):
        if old.name not in templates():
            old.unlink()
    for name, path in templates().items():
        part = folder / f".{name}.{os.getpid()}.part"
        shutil.copyfile(path, part)
        part.chmod(0o444)
        os.replace(part, folder / name)
    folder.chmod(0o555)


def copy_to_work(name: str, home: str | Path = "") -> Path:
    """Copy a template to the current account's work under a name that is free; the copy's path.

    name : with or without ".ipynb"; InputError where there is no such template.
    """
    known = templates()
    path = known.get(name) or known.get(f"{name}.ipynb")
    if path is None:
        shown = ", ".join(one.removesuffix(".ipynb") for one in known)
        raise InputError("error.lab_no_template", name=name, known=shown)
    folder = work_directory(Path(home) if home else home_directory())
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _add(folder, path)


def _add(folder: Path, source: Path) -> Path:
    """The bytes of a file under the first free name; two that copy at once get two names."""
    part = folder / f".{source.name}.{os.getpid()}.part"
    shutil.copyfile(source, part)
    part.chmod(0o600)
    try:
        for name in free_names(source.name):
            try:
                os.link(part, folder / name)
                return folder / name
            except FileExistsError:
                continue
    finally:
        part.unlink(missing_ok=True)
    raise AssertionError("names never end")


def free_names(name: str) -> itertools.chain[str]:
    """ "20_quality.ipynb", then "20_quality (2).ipynb", "20_quality (3).ipynb", …"""
    stem, dot, ending = name.partition(".")
    return itertools.chain([name], (f"{stem} ({number}){dot}{ending}" for number in itertools.count(2)))


def title_of(notebook: Path) -> str:
    """The title that a notebook gives itself (metadata "title"), else its file's name."""
    try:
        return str(json.loads(notebook.read_text("utf-8"))["metadata"]["title"])
    except (OSError, ValueError, KeyError, TypeError):
        return notebook.stem

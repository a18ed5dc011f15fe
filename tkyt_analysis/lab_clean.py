"""What of a notebook goes to disk: its text. Outputs, counts and widget states may hold identifiers and stay on the screen.

Code cells are formatted with ruff; a cell that it cannot read, or would change in meaning, is kept as it was written.
"""

from __future__ import annotations

import ast
import base64
import binascii
import copy
import json
import subprocess
import time
from functools import cache
from pathlib import Path
from typing import Any

from tkyt_analysis.warehouse.whole_files import write_whole

LINE_LENGTH = 110
FORMAT_SECONDS = 10
LEFT_SECONDS = 3600
OF_A_RUN = ("widgets", "papermill", "signature")  # what running a notebook leaves in its metadata
OF_A_CELLS_RUN = ("execution", "ExecuteTime", "papermill", "outputId")


def cleaned(notebook: dict[str, Any]) -> dict[str, Any]:
    """A copy of a notebook (nbformat 4 as a dict) without anything that running it made, and with formatted code."""
    clean = stripped(notebook)
    cells = [cell for cell in clean["cells"] if cell.get("cell_type") == "code"]
    if is_python(clean):
        for cell, source in zip(cells, formatted([_text(cell) for cell in cells])):
            cell["source"] = source
    return clean


def stripped(notebook: dict[str, Any]) -> dict[str, Any]:
    """A copy of a notebook without outputs, execution counts, widget states and records of runs."""
    clean = copy.deepcopy(dict(notebook))
    for name in OF_A_RUN:
        clean.get("metadata", {}).pop(name, None)
    for cell in clean["cells"]:
        for name in OF_A_CELLS_RUN:
            cell.get("metadata", {}).pop(name, None)
        if cell.get("cell_type") == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return clean


def is_python(notebook: dict[str, Any]) -> bool:
    """Whether the notebook's language is Python (also where it names none yet)."""
    metadata = notebook.get("metadata", {})
    named = metadata.get("language_info", {}).get("name") or metadata.get("kernelspec", {}).get("language") or "python"
    return str(named).lower() == "python"


def formatted(sources: list[str]) -> list[str]:
    """Sources of cells, formatted; one that is no Python, or has another meaning afterwards, as it was."""
    if not any(source.strip() for source in sources):
        return sources
    found = _ruff(sources)
    if found is not None:
        return [new if _same(old, new) else old for old, new in zip(sources, found)]
    if len(sources) == 1:
        return sources
    middle = len(sources) // 2
    return formatted(sources[:middle]) + formatted(sources[middle:])


def _ruff(sources: list[str]) -> list[str] | None:
    """The cells as ruff writes them; None where it refuses."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": source}
        for source in sources
    ]
    notebook = {"cells": cells, "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 4}
    arguments = ["format", "--isolated", "--no-cache", "--quiet", f"--line-length={LINE_LENGTH}"]
    try:
        done = subprocess.run(
            [_ruff_program(), *arguments, "--stdin-filename=cell.ipynb", "-"],
            input=json.dumps(notebook),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=FORMAT_SECONDS,
            check=True,
        )
        found = [_text(cell) for cell in json.loads(done.stdout)["cells"]]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError):
        return None
    return found if len(found) == len(sources) else None


@cache
def _ruff_program() -> str:
    from ruff.__main__ import find_ruff_bin

    return str(find_ruff_bin())


def _same(old: str, new: str) -> bool:
    """Whether two sources mean the same to Python; where it cannot read the old one (magics), whether only white space differs."""
    try:
        return ast.dump(ast.parse(old)) == ast.dump(ast.parse(new))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "".join(old.split()) == "".join(new.split())


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def is_notebook(content: Any) -> bool:
    """Whether a JSON value is a notebook of nbformat 4."""
    return (
        isinstance(content, dict)
        and content.get("nbformat") == 4
        and isinstance(content.get("metadata"), dict)
        and isinstance(content.get("cells"), list)
        and all(isinstance(cell, dict) for cell in content["cells"])
    )


def cleaned_text(text: str) -> str:
    """The text of a notebook file, stripped; a text that is no notebook as it is."""
    try:
        content = json.loads(text)
    except ValueError:
        return text
    if not is_notebook(content) or stripped(content) == content:
        return text
    return json.dumps(stripped(content), ensure_ascii=False, indent=1) + "\n"


def cleaned_upload(content: str, form: str | None) -> str:
    """The same for the body of a file that is uploaded, as "text" or "base64"."""
    if form != "base64":
        return cleaned_text(content)
    try:
        text = base64.b64decode(content).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return content
    return base64.b64encode(cleaned_text(text).encode()).decode("ascii")


def clean_file(path: Path) -> bool:
    """Take the outputs out of a notebook file; whether there were any."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    clean = cleaned_text(text)
    if clean != text:
        write_whole(path, clean)
    return clean != text


def clean_folder(folder: Path) -> list[Path]:
    """Take the outputs out of all notebooks below a folder, checkpoints too; those that had some.

    What a save that was killed left beside its file goes too.
    """
    for left in folder.rglob(".*.part"):
        if left.is_file() and time.time() - left.stat().st_mtime > LEFT_SECONDS:
            left.unlink(missing_ok=True)
    found = sorted(path for path in folder.rglob("*.ipynb") if path.is_file() and not path.is_symlink())
    return [path for path in found if clean_file(path)]

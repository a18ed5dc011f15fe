"""Turn a `py:percent` text into a notebook without outputs: `write_notebook.py source.py target.ipynb`.

Notebooks are reviewed as text this way; cell ids are fixed by position, so that the same text gives the same file.
"""

from __future__ import annotations

import sys
from pathlib import Path


def write(source: Path, target: Path) -> None:
    """Write the notebook of one percent text."""
    import jupytext
    import nbformat

    notebook = jupytext.read(source, fmt="py:percent")
    title = {"title": notebook.metadata["title"]} if "title" in notebook.metadata else {}
    notebook.metadata = {
        **title,
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:02d}"
        cell["metadata"] = {name: value for name, value in cell["metadata"].items() if name == "tags"}
    nbformat.write(notebook, target)


if __name__ == "__main__":
    write(Path(sys.argv[1]), Path(sys.argv[2]))

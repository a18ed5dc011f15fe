"""A notebook as a template: which parameters its `parameters` cell declares, and the notebook that a run executes."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tkyt_analysis.errors import InputError
from tkyt_analysis.settings import REPOSITORY, home_directory

PARAMETERS = "parameters"  # papermill's tag of the cell with the parameters
NOT_IN_REPORT = "not-in-report"  # cells with this tag stay out of a run: buttons, exercises
GIVEN_BY_THE_RUN = ("home", "release")
FINISH = "from tkyt_analysis.reports.kernel_run import finish_report\n\nfinish_report({})"


@dataclass(frozen=True)
class NotebookTemplate:
    """One notebook on disk that can be run with other parameters.

    defaults : {parameter: value in the notebook}, in its order; `home` and `release` are given by the run
    """

    path: Path
    content: Mapping[str, Any] = field(repr=False)
    defaults: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.path.stem

    @property
    def parameters(self) -> dict[str, Any]:
        """{parameter: default} of what people choose."""
        return {name: value for name, value in self.defaults.items() if name not in GIVEN_BY_THE_RUN}

    @cached_property
    def title(self) -> str:
        """The notebook's first heading, else its name."""
        for cell in self.content["cells"]:
            found = re.search(r"^# +(.+)$", source_of(cell), re.MULTILINE) if cell["cell_type"] == "markdown" else None
            if found:
                return found[1].strip()
        return self.name

    @cached_property
    def sha256(self) -> str:
        """Of what the notebook says: its cells' sources and tags, whatever outputs it holds."""
        said = [[cell["cell_type"], source_of(cell), tags_of(cell)] for cell in self.content["cells"]]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()

    @property
    def is_shipped(self) -> bool:
        return self.path.resolve().is_relative_to(REPOSITORY)

    def to_run(self) -> Any:
        """The notebook (nbformat) as a run executes it: without outputs, buttons and title, with the last cell of a run."""
        import nbformat

        notebook = nbformat.from_dict(json.loads(json.dumps(self.content)))
        notebook.cells = [_bare(cell) for cell in notebook.cells if NOT_IN_REPORT not in tags_of(cell)]
        _take_title(notebook.cells)
        notebook.cells.append(nbformat.v4.new_code_cell(FINISH, metadata={"tags": ["finish"]}))
        return notebook

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        return {"name": self.name, "title": self.title, "path": str(self.path), "parameters": self.parameters}


def source_of(cell: Mapping[str, Any]) -> str:
    """The text of a cell, which nbformat stores whole or by lines."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def tags_of(cell: Mapping[str, Any]) -> list[str]:
    """The tags of a cell."""
    return list(cell.get("metadata", {}).get("tags", []))


def _bare(cell: Any) -> Any:
    if cell.cell_type == "code":
        cell.outputs, cell.execution_count = [], None
    return cell


def _take_title(cells: list[Any]) -> None:
    """The page has the title as its heading already."""
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"^# +.+\n*", "", source_of(cell), count=1, flags=re.MULTILINE)
            return


def shipped_notebooks() -> dict[str, Path]:
    """{name: path} of the notebooks that come with the program."""
    return {path.stem: path for path in sorted((REPOSITORY / "notebooks").glob("*.ipynb"))}


def own_notebooks(home: Path) -> dict[str, Path]:
    """{name: path} of the current account's own notebooks in a home."""
    from tkyt_analysis.lab_folders import work_directory

    return {path.stem: path for path in sorted(work_directory(home).glob("*.ipynb"))}


def runnable_notebooks(home: Path) -> list[NotebookTemplate]:
    """The shipped notebooks and the account's own that can be run as reports."""
    found = []
    for path in [*shipped_notebooks().values(), *own_notebooks(home).values()]:
        try:
            found.append(read_template(path))
        except InputError:  # one without parameters is no template
            continue
    return found


def notebook_template(notebook: str | Path, *, home: str | Path = "") -> NotebookTemplate:
    """A template by path, by the name of a shipped notebook, or by the name of one of the account's own.

    InputError where there is none (with those that there are), or where it cannot be run for other places.
    """
    path = Path(notebook).expanduser()
    if path.suffix == ".ipynb" and path.is_file():
        return read_template(path.absolute())
    name = path.name.removesuffix(".ipynb")
    shipped = shipped_notebooks()
    known = {**own_notebooks(Path(home) if home else home_directory()), **shipped}
    if name not in known:
        raise InputError("error.notebook_unknown", notebook=notebook, known=", ".join(sorted(known)))
    return read_template(known[name])


def read_template(path: Path) -> NotebookTemplate:
    """The template that a file holds."""
    try:
        content = json.loads(path.read_text("utf-8"))
        cells = content["cells"]
    except (ValueError, KeyError, OSError) as error:
        raise InputError("error.notebook_unreadable", notebook=path, problem=type(error).__name__) from None
    cell = next((one for one in cells if PARAMETERS in tags_of(one)), None)
    if cell is None:
        raise InputError("error.notebook_no_parameters", notebook=path.name)
    defaults = declared(source_of(cell))
    missing = [name for name in GIVEN_BY_THE_RUN if name not in defaults]
    if missing:
        raise InputError("error.notebook_unbound", notebook=path.name, missing=", ".join(missing))
    return NotebookTemplate(path, content, defaults)


def declared(source: str) -> dict[str, Any]:
    """{name: plain value} of the assignments in a parameters cell; what is no plain value is no parameter."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return {}
    found = {}
    for statement in statements:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
        value = getattr(statement, "value", None)
        if isinstance(target, ast.Name) and value is not None:
            try:
                found[target.id] = ast.literal_eval(value)
            except ValueError:
                continue
    return found

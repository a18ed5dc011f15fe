"""environment.yml from requirements.lock: the conda door to the same pins."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GROUPS = {
    "run": ["duckdb", "pyarrow", "pandas", "numpy", "click", "pyyaml", "tqdm", "ijson"],
    "statistics": ["scipy", "statsmodels"],
    "maps": ["geopandas", "shapely", "pyproj", "pyogrio", "matplotlib"],
    "notebooks and apps": ["jupyterlab", "jupytext", "voila", "ipywidgets", "papermill", "nbconvert", "ruff"],
    "received files and workbooks": ["openpyxl", "xlsxwriter"],
    "style and tests": ["mypy", "pytest", "pytest-xdist", "hypothesis"],
}


def pins() -> dict[str, str]:
    """{package: version} of the lock file."""
    text = (ROOT / "requirements.lock").read_text("utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^ \\]+)", text, re.MULTILINE))


def environment() -> str:
    """The text of environment.yml: conda packages by use, the rest of the lock through pip."""
    locked = pins()
    lines = [
        "# The conda door to the same pins as requirements.lock (kept equal by tests/catalog/test_environment.py).",
        "# Made by `make lock`; do not edit by hand.",
        "name: tkyt",
        "channels: [conda-forge, nodefaults]",
        "dependencies:",
        "  - python=3.11",
        "  - pip",
    ]
    named = set()
    for group, packages in GROUPS.items():
        lines.append(f"  # {group}")
        lines += [f"  - {package}={locked[package]}" for package in packages]
        named |= set(packages)
    lines.append("  # everything else of the lock")
    lines.append("  - pip:")
    lines += [f"      - {package}=={version}" for package, version in sorted(locked.items()) if package not in named]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(environment(), "utf-8")

"""A monthly quality report: `run_report` in one process beside the papermill and nbconvert commands.

The two commands are what one would put into a script: `papermill template.ipynb out.ipynb -p …`, then
`jupyter nbconvert --to html --no-input out.ipynb`. Neither notices a dead kernel, checks the parameters, or makes one
self-contained page with its passport.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from measuring import REPOSITORY, compare, options, present, scratch

from tkyt_analysis.demo import demo_reports
from tkyt_analysis.ingest.receive import ingest
from tkyt_analysis.pipeline import check_warehouse, prepare_home, run_steps
from tkyt_analysis.practice.generate import make_practice_data
from tkyt_analysis.reports.runner import run_report
from tkyt_analysis.warehouse.release import Release, publish

LOADED = '<script src="https:'
NAME = "data_quality_monthly"


def released_home(folder: Path) -> Path:
    """A home with a release of the commune-scale practice data."""
    home = folder / "home"
    make_practice_data("commune", folder / "practice", seed=20261122)
    prepare_home(home, practice=True)
    ingest(home, [folder / "practice" / "received"])
    run_steps(home)
    check_warehouse(home)
    publish(home)
    return home


def by_commands(home: Path, place: str, period: str, folder: Path) -> None:
    notebook = REPOSITORY / "reports_templates" / NAME / "template.ipynb"
    given = {"place": place, "home": str(home), "release": Release(home).release_id, "language": "vi"}
    settings = [part for name, value in given.items() for part in ("-p", name, value)]
    out = folder / f"by-command-{period}.ipynb"
    run = [sys.executable, "-m"]
    quiet = {"check": True, "capture_output": True}
    subprocess.run(
        [
            *run,
            "papermill",
            str(notebook),
            str(out),
            "-k",
            "python3",
            "--no-progress-bar",
            *settings,
            "-r",
            "period",
            period,
        ],
        **quiet,
    )
    subprocess.run([*run, "nbconvert", "--to", "html", "--no-input", str(out)], **quiet)


def main() -> None:
    chosen = options(__doc__)
    with scratch() as name:
        folder = Path(name)
        home = released_home(folder)
        place = demo_reports(Release(home))[0][1]["place"]

        def prepare(size: int) -> dict[str, Callable[[], object]]:
            months = [f"2025{number:02d}" for number in range(1, size + 1)]
            return {
                "run_report": lambda: [run_report(home, NAME, {"place": place, "period": one}) for one in months],
                "papermill and nbconvert commands": lambda: [by_commands(home, place, one, folder) for one in months],
            }

        sizes = [1, 2, 3, *([12] if chosen.large else [])]
        found = compare(sizes, prepare, repeats=min(chosen.repeats, 2), what="reports")
        size = {
            "run_report": max((home / "reports").glob("*.html"), key=lambda path: path.stat().st_size),
            "commands": max(folder.glob("*.html"), key=lambda path: path.stat().st_size),
        }
        kilobytes = ", ".join(f"{way} {path.stat().st_size / 1000:,.0f} kB" for way, path in size.items())
        scripts = ", ".join(f"{way} {path.read_text('utf-8').count(LOADED)}" for way, path in size.items())
        notes = [
            "One report after the other; both start a kernel for each. The first run_report also imports papermill.",
            f"Largest page: {kilobytes}. Scripts it loads from the network: {scripts}.",
        ]
        question = "Reports: run_report beside the papermill and nbconvert commands"
        present("bench_report", question, found, notes, repeats=min(chosen.repeats, 2), markdown=chosen.markdown)


if __name__ == "__main__":
    main()

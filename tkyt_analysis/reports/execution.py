"""From an executed notebook to a report in its place: page, notebook and passport, all three or none.

A failed run's notebook stays under `reports/failed/`; a cancelled one leaves nothing. Neither touches what stood
in the report's place before.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.access.audit import record
from tkyt_analysis.access.door import acting_environment
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.reports.kernel_run import Cancellation, Progress, RunCancelled, execute_notebook
from tkyt_analysis.warehouse.release import Release


@dataclass(frozen=True)
class ReportRun:
    """A finished report: its files and its passport."""

    report: str
    html: Path
    notebook: Path
    passport: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Job:
    """One run: which notebook, with which values, on which release, and where its page goes.

    name : what messages and passport call it; title : of the page; stem : of the files
    notebook : path, or a notebook in memory; its last cell must call `finish_report`
    values : the parameters that people chose; home and release are added
    about : further lines of the passport; folder : where the kernel works (default: a scratch folder)
    """

    name: str
    title: str
    stem: str
    notebook: Any
    values: Mapping[str, Any]
    release: Release
    directory: Path
    about: Mapping[str, Any] = field(default_factory=dict)
    show_code: bool = False
    folder: Path | None = None


def file_stem(name: str, *values: Any) -> str:
    """The name of a report's files: the notebook's and the values that tell this run from others."""
    shown = [re.sub(r"[^\w-]+", "-", str(value)) for value in values]
    return "_".join([name, *shown])[:150]


def produce(job: Job, *, progress: Progress | None = None, cancellation: Cancellation | None = None) -> ReportRun:
    """Run the job and write `<stem>.html`, `.ipynb` and `.json` (its passport).

    Raises ProcessingError (with cell and problem) for a failed run, RunCancelled for a stopped one.
    """
    started = time.monotonic()
    with _scratch(job) as work:
        executed = execute_notebook(
            job.notebook,
            work / "report.ipynb",
            name=job.name,
            parameters={**job.values, "home": str(job.release.home), "release": job.release.release_id},
            folder=job.folder or work,
            environment=acting_environment(job.release.home),
            progress=progress,
            cancellation=cancellation,
        )
        passport = run_passport(job, time.monotonic() - started)
        (work / "report.html").write_text(_html(job, executed, passport), "utf-8")
        (work / "report.json").write_text(json.dumps(passport, ensure_ascii=False, indent=1, default=str), "utf-8")
        targets = {kind: job.directory / f"{job.stem}.{kind}" for kind in ("ipynb", "json", "html")}
        for kind, target in targets.items():
            os.replace(work / f"report.{kind}", target)
    _record(job)
    return ReportRun(job.name, targets["html"], targets["ipynb"], passport)


def _record(job: Job) -> None:
    asked = ", ".join(f"{key}={value}" for key, value in job.values.items() if value)
    with suppress(InputError):  # who only has releases has no key; what stands in them names nobody
        record(job.release.home, "report", report=job.name, release=job.release.release_id, parameters=asked)


@contextmanager
def _scratch(job: Job) -> Iterator[Path]:
    """A folder beside the report's place; kept under failed/ if the run fails, gone if it is cancelled or done."""
    job.directory.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(job)
    work = job.directory / f".{job.stem}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    try:
        yield work
    except RunCancelled:
        raise
    except ProcessingError:
        _keep_failure(work, job)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _remove_unfinished(job: Job) -> None:
    """Take away what a killed run of the same report left."""
    for left in job.directory.glob(f".{job.stem}.*"):
        process = left.suffix[1:]
        if process.isdigit() and not _is_alive(int(process)):
            shutil.rmtree(left, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    return True


def _keep_failure(work: Path, job: Job) -> None:
    failed = job.directory / "failed" / f"{job.stem}-{datetime.now(UTC):%Y%m%d%H%M%S}"
    failed.parent.mkdir(exist_ok=True)
    shutil.rmtree(failed, ignore_errors=True)
    os.replace(work, failed)


def run_passport(job: Job, seconds: float) -> dict[str, Any]:
    """Where the figures of a run come from: report, parameters, release, versions, time."""
    manifest = job.release.manifest
    return {
        "report": job.name,
        "parameters": dict(job.values),
        **job.about,
        "release": job.release.release_id,
        **{name: manifest[name] for name in ("snapshot", "catalog_version", "code_version", "data_as_of", "practice")},
        "made_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "seconds": round(seconds, 1),
    }


def _html(job: Job, notebook: Any, passport: Mapping[str, Any]) -> str:
    """The notebook's texts and outputs (and its code, if asked for) as one self-contained page."""
    from tkyt_analysis.reports.html import notebook_body

    return finished_page(job, notebook_body(notebook, show_code=job.show_code), passport)


def finished_page(job: Job, body: str, passport: Mapping[str, Any]) -> str:
    """The page of a run around its body."""
    from tkyt_analysis.pages import page

    return page(
        job.title,
        body,
        language=str(job.values.get("language") or "vi"),
        practice=job.release.practice,
        release_id=job.release.release_id,
        data_as_of=job.release.manifest["data_as_of"],
        passport=passport,
    )

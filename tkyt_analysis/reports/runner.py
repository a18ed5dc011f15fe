"""Run a report: one notebook, declared parameters, one release; and never call a failed run a success.

papermill alone reports success after a killed kernel or `sys.exit(0)`. Here a run has succeeded only if papermill
returned, every code cell is `completed`, and the notebook's last cell wrote its result file. A failed run's
notebook stays under `reports/failed/`, and nothing is put in the report's place.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.access.audit import record
from tkyt_analysis.access.door import acting_environment
from tkyt_analysis.access.masking import mask_text
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.reports.templates import Template, report_template, typed_parameters
from tkyt_analysis.warehouse.release import Release

RESULT_FILE = "TKYT_RESULT_FILE"


@dataclass(frozen=True)
class ReportRun:
    """A finished report: its files and its passport."""

    report: str
    html: Path
    notebook: Path
    passport: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}


def run_report(
    home: Path,
    name: str,
    parameters: Mapping[str, Any],
    *,
    release_id: str | None = None,
    output: Path | None = None,
) -> ReportRun:
    """Run template `name` on a release (default: the current one) and write `<name>….html` and its notebook.

    Raises InputError for wrong parameters, ProcessingError (with cell and problem) for a failed run.
    """
    template = report_template(name)
    values = typed_parameters(template, parameters)
    require(home, "read")
    release = Release(home, release_id)
    _require_places(template, values, release)
    directory = Path(output) if output else Path(home) / "reports"
    directory.mkdir(parents=True, exist_ok=True)
    stem = "_".join([name, *(str(value).replace(":", "-") for key, value in values.items() if value and value != "vi")])
    work = directory / f".{stem}.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    started = time.monotonic()
    try:
        executed = _execute(template, {**values, "home": str(home), "release": release.release_id}, work)
        passport = _passport(template, values, release, time.monotonic() - started)
        html = work / "report.html"
        html.write_text(_html(executed, template, values, release, passport), "utf-8")
    except ProcessingError:
        _keep_failure(work, directory, stem)
        raise
    targets = directory / f"{stem}.html", directory / f"{stem}.ipynb"
    os.replace(work / "report.ipynb", targets[1])
    os.replace(html, targets[0])
    (directory / f"{stem}.json").write_text(json.dumps(passport, ensure_ascii=False, indent=1, default=str), "utf-8")
    shutil.rmtree(work)
    asked = ", ".join(f"{key}={value}" for key, value in values.items() if value)
    with contextlib.suppress(InputError):  # who only has releases has no key; what stands in them names nobody
        record(Path(home), "report", report=name, release=release.release_id, parameters=asked)
    return ReportRun(name, *targets, passport)


def _require_places(template: Template, values: dict[str, Any], release: Release) -> None:
    """Refuse a place that the release does not know, before anything runs."""
    from tkyt_analysis.reports.quality_data import QualityView

    for name, parameter in template.parameters.items():
        if parameter.type == "place" and values[name] and release.tables():
            _ = QualityView(release, values[name], "").units


def _execute(template: Template, values: dict[str, Any], work: Path) -> Any:
    """The executed notebook; raises ProcessingError where any of the three signs of success is missing."""
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # 2 s of import that nothing here uses
    import papermill
    from papermill.exceptions import PapermillExecutionError

    from tkyt_analysis.reports.kernel import LocalKernelManager

    result = work / "result.json"
    os.environ[RESULT_FILE] = str(result)
    acting = acting_environment(Path(values["home"]))
    os.environ.update(acting)
    try:
        notebook = papermill.execute_notebook(
            template.notebook,
            work / "report.ipynb",
            parameters=values,
            kernel_name="python3",
            kernel_manager_class=LocalKernelManager,
            progress_bar=False,
            cwd=str(work),
        )
    except PapermillExecutionError as error:
        raise ProcessingError(
            "error.report_cell",
            report=template.id,
            cell=(error.exec_count or 1) - 1,  # the injected parameters are not a cell of the template
            problem=mask_text(f"{error.ename}: {error.evalue}"),
        ) from None
    except RuntimeError as error:
        raise ProcessingError("error.report_kernel", report=template.id, problem=str(error).splitlines()[0]) from None
    finally:
        for name in (RESULT_FILE, *acting):
            os.environ.pop(name, None)
    _require_complete(template, notebook, result)
    return notebook


def _require_complete(template: Template, notebook: Any, result: Path) -> None:
    for number, cell in enumerate(notebook.cells, start=1):
        status = cell.get("metadata", {}).get("papermill", {}).get("status")
        if cell.cell_type == "code" and status != "completed":
            raise ProcessingError("error.report_unfinished", report=template.id, cell=number, status=status)
    if not result.exists():
        raise ProcessingError("error.report_no_result", report=template.id)


def finish_report(summary: Mapping[str, Any]) -> None:
    """The last cell of every template: write what the report found, the sign that it ran to its end."""
    target = os.environ.get(RESULT_FILE)
    if target:
        part = Path(target).with_suffix(".part")
        part.write_text(json.dumps(dict(summary), ensure_ascii=False, default=str), "utf-8")
        os.replace(part, target)


def _passport(template: Template, values: dict[str, Any], release: Release, seconds: float) -> dict[str, Any]:
    manifest = release.manifest
    return {
        "report": template.id,
        "parameters": values,
        "release": release.release_id,
        **{name: manifest[name] for name in ("snapshot", "catalog_version", "code_version", "data_as_of", "practice")},
        "made_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "seconds": round(seconds, 1),
    }


def _html(notebook: Any, template: Template, values: dict[str, Any], release: Release, passport: dict[str, Any]) -> str:
    """The notebook's texts and outputs, without code, as one self-contained page."""
    from tkyt_analysis.pages import page
    from tkyt_analysis.reports.html import notebook_body

    return page(
        template.title(values.get("language")),
        notebook_body(notebook),
        language=values.get("language") or "vi",
        practice=release.practice,
        release_id=release.release_id,
        data_as_of=release.manifest["data_as_of"],
        passport=passport,
    )


def _keep_failure(work: Path, directory: Path, stem: str) -> None:
    failed = directory / "failed" / f"{stem}-{datetime.now(UTC):%Y%m%d%H%M%S}"
    failed.parent.mkdir(exist_ok=True)
    shutil.rmtree(failed, ignore_errors=True)
    os.replace(work, failed)

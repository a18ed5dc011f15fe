"""Run a report: one notebook, declared parameters, one release; and never call a failed run a success."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.reports.execution import Job, ReportRun, produce
from tkyt_analysis.reports.kernel_run import Cancellation, Progress, finish_report
from tkyt_analysis.reports.templates import Template, report_template, typed_parameters
from tkyt_analysis.warehouse.release import Release

__all__ = ["ReportRun", "finish_report", "run_report"]


def run_report(
    home: Path,
    name: str,
    parameters: Mapping[str, Any],
    *,
    release_id: str | None = None,
    output: Path | None = None,
    progress: Progress | None = None,
    cancellation: Cancellation | None = None,
) -> ReportRun:
    """Run template `name` on a release (default: the current one) and write `<name>….html` and its notebook.

    progress : called before each cell with (cells done, cells, heading of the part that runs)
    Raises InputError for wrong parameters, ProcessingError (with cell and problem) for a failed run.
    """
    template = report_template(name)
    values = typed_parameters(template, parameters)
    require(home, "read")
    release = Release(home, release_id)
    _require_places(template, values, release)
    job = Job(
        name=name,
        title=template.title(values.get("language")),
        stem=report_stem(name, values),
        notebook=template.notebook,
        values=values,
        release=release,
        directory=Path(output) if output else Path(home) / "reports",
    )
    return produce(job, progress=progress, cancellation=cancellation)


def report_stem(name: str, values: Mapping[str, Any]) -> str:
    """The name of a report's files: the template and the values that tell this run from others."""
    return "_".join([name, *(str(one).replace(":", "-") for one in values.values() if one and one != "vi")])


def _require_places(template: Template, values: dict[str, Any], release: Release) -> None:
    """Refuse a place that the release does not know, before anything runs."""
    for name, parameter in template.parameters.items():
        if parameter.type == "place" and values[name]:
            require_place_in(release, values[name])


def require_place_in(release: Release, place: str) -> None:
    """Refuse a place that the release does not know or that the account does not see."""
    from tkyt_analysis.reports.quality_data import QualityView

    if release.tables():
        _ = QualityView(release, place, "").units

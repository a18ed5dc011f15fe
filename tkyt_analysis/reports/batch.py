"""One report for many places: a template's own pages from one reading of the release, else its notebook once per place."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError, TkytError
from tkyt_analysis.reports.execution import Job, finished_page, run_passport
from tkyt_analysis.reports.runner import report_stem, run_report
from tkyt_analysis.reports.templates import Template, report_template, typed_parameters
from tkyt_analysis.warehouse.release import NATION, Release

PROVINCES = "provinces"
Progress = Callable[[int, int, str], None]


@dataclass
class BatchRun:
    """What a batch made: place → page, and place → sentence of what went wrong."""

    report: str
    release: str
    made: dict[str, Path] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        made = {place: str(path) for place, path in self.made.items()}
        return {
            "report": self.report,
            "release": self.release,
            "made": made,
            "failed": self.failed,
            "seconds": self.seconds,
        }


def batch_report(
    home: Path,
    name: str,
    places: str | Sequence[str],
    parameters: Mapping[str, Any],
    *,
    release_id: str | None = None,
    output: Path | None = None,
    progress: Progress | None = None,
) -> BatchRun:
    """Template `name` for every place, into `output` (default: the home's reports).

    places : "provinces" (all provinces of 2025 that the account sees), or ids such as ["VN", "VN2025:51"] or "VN,VN2025:51"
    A place that fails does not stop the others: its sentence is in `failed`. Raises InputError for a template without a
    parameter `place`, for wrong parameters and for a place that the release does not know, before anything is made.
    """
    started = time.monotonic()
    template = report_template(name)
    if "place" not in template.parameters:
        raise InputError("error.report_batch_place", report=name)
    require(home, "read")
    release = Release(home, release_id)
    wanted = places_of(release, places)
    values = {place: typed_parameters(template, {**parameters, "place": place}) for place in wanted}
    run = BatchRun(name, release.release_id)
    directory = Path(output) if output else Path(home) / "reports"
    pages = _own_pages if template.pages else _notebooks
    for number, (place, made) in enumerate(pages(template, release, values, directory)):
        if progress:
            progress(number, len(wanted), place)
        if isinstance(made, Path):
            run.made[place] = made
        else:
            run.failed[place] = str(made)
    run.seconds = round(time.monotonic() - started, 1)
    return run


def places_of(release: Release, places: str | Sequence[str]) -> list[str]:
    """The places that are meant, each once; InputError for one that the release does not know, or for none."""
    rows = release.query("SELECT DISTINCT unit_id FROM organisation_unit ORDER BY 1")
    known = {*rows["unit_id"], NATION}
    if places == PROVINCES:
        wanted = [one for one in sorted(known) if len(one) == 9 and one.startswith("VN2025:")]
        wanted = [one for one in wanted if release.reads.nation or one in release.seen_units]
    else:
        wanted = list(dict.fromkeys(_split(places)))
    for place in wanted:
        release.require_place(place)
        if place not in known:
            raise InputError("error.unknown_place_in_release", place=place, release=release.release_id)
    if not wanted:
        raise InputError("error.report_batch_none", release=release.release_id)
    return wanted


def _split(places: str | Iterable[str]) -> list[str]:
    parts = places.split(",") if isinstance(places, str) else places
    return [part.strip() for part in parts if part.strip()]


Made = Iterator[tuple[str, "Path | TkytError"]]


def _notebooks(template: Template, release: Release, values: Mapping[str, dict[str, Any]], directory: Path) -> Made:
    """The notebook of the template, once per place."""
    for place, one in values.items():
        try:
            yield (
                place,
                run_report(release.home, template.id, one, release_id=release.release_id, output=directory).html,
            )
        except TkytError as error:
            yield place, error


def _own_pages(template: Template, release: Release, values: Mapping[str, dict[str, Any]], directory: Path) -> Made:
    """The template's own pages: one reading, then a page and a passport per place."""
    from tkyt_analysis.modules import load_object

    directory.mkdir(parents=True, exist_ok=True)
    first = next(iter(values.values()))
    began = time.monotonic()
    for place, body in load_object(template.pages)(release, list(values), first):
        job = _job(template, release, values[place], directory)
        _write(job, body, time.monotonic() - began)
        began = time.monotonic()
        yield place, directory / f"{job.stem}.html"


def _job(template: Template, release: Release, values: dict[str, Any], directory: Path) -> Job:
    return Job(
        name=template.id,
        title=template.title(values.get("language")),
        stem=report_stem(template.id, values),
        notebook=template.notebook,
        values=values,
        release=release,
        directory=directory,
    )


def _write(job: Job, body: str, seconds: float) -> None:
    """A page made without a notebook, and its passport; each is written whole."""
    passport = run_passport(job, seconds)
    text = {
        "json": json.dumps(passport, ensure_ascii=False, indent=1, default=str),
        "html": finished_page(job, body, passport),
    }
    for kind, written in text.items():
        target = job.directory / f"{job.stem}.{kind}"
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        part.write_text(written, "utf-8")
        os.replace(part, target)

"""From notebook to report: a parameterised notebook runs for another place or period and lands where reports land."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tkyt_analysis.access import require
from tkyt_analysis.errors import InputError, ProcessingError, TkytError
from tkyt_analysis.labels import LANGUAGES, label, set_language
from tkyt_analysis.notebook_parts import place_or_own
from tkyt_analysis.notebook_templates import GIVEN_BY_THE_RUN, NotebookTemplate, notebook_template
from tkyt_analysis.settings import home_directory

if TYPE_CHECKING:
    from tkyt_analysis.reports.execution import Job, ReportRun
    from tkyt_analysis.reports.kernel_run import Cancellation, Progress
    from tkyt_analysis.warehouse.release import Release

PLACE, PERIOD, YEAR, LANGUAGE = "place", "period", "year", "language"
ALWAYS_NAMED = (PLACE, PERIOD, YEAR)  # values that stand in the name of the files, also where they are the default


@dataclass(frozen=True)
class Batch:
    """What became of a list of reports.

    made, kept : runs that were made now, and those that were there already from the same notebook, values and release
    failed : {place: the sentence why not}
    """

    made: dict[str, ReportRun] = field(default_factory=dict)
    kept: dict[str, ReportRun] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def sentences(self, language: str | None = None) -> list[str]:
        """How many were made, kept, failed, and each failure."""
        counts = {"made": len(self.made), "kept": len(self.kept), "failed": len(self.failed)}
        lines = [label("notebook.batch", language, **counts)]
        return [
            *lines,
            *(label("notebook.failed", language, place=place, why=why) for place, why in self.failed.items()),
        ]

    def as_dict(self) -> dict[str, Any]:
        """For machines."""
        runs = {name: {place: run.as_dict() for place, run in getattr(self, name).items()} for name in ("made", "kept")}
        return {**runs, "failed": self.failed}

    def _repr_html_(self) -> str:
        from html import escape

        return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in self.sentences())}</ul>"

    def __repr__(self) -> str:
        return "\n".join(self.sentences())


def run_notebook(
    template: str | Path,
    *,
    home: str | Path = "",
    output: str | Path | None = None,
    release: str | Release | None = None,
    progress: Progress | None = None,
    cancellation: Cancellation | None = None,
    show_code: bool = False,
    **parameters: Any,
) -> ReportRun:
    """Run a notebook with other parameters; `<home>/reports/<name>….html`, `.ipynb` and `.json` (its passport).

    template : a path, the name of a shipped notebook ("31_rates"), or of one of the account's own
    parameters : only those that the notebook declares, each of the type of its default; `place` may be a name
    progress : called before each cell with (cells done, cells, heading of the part that runs)
    Raises InputError before anything runs for what is wrong with the request, ProcessingError for a failed run (which
    publishes nothing), RunCancelled for a stopped one (which leaves nothing).
    """
    from tkyt_analysis.reports.execution import produce

    job = prepared(notebook_template(template, home=home), parameters, home, release, output, show_code=show_code)
    return produce(job, progress=progress, cancellation=cancellation)


def report(
    notebook: str | Path,
    *,
    place: str | Sequence[str] | None = None,
    period: Any = None,
    progress: Callable[..., None] | None = None,
    resume: bool = True,
    **options: Any,
) -> ReportRun | Batch:
    """The report of a notebook for one place, or for each of a list of places (then a Batch).

    tk.report("31_rates", place="VN2025:48", period="2024")      options: as of `run_notebook`
    """
    given = {name: value for name, value in ((PERIOD, period),) if value is not None}
    if place is None or isinstance(place, str):
        given |= {} if place is None else {PLACE: place}
        return run_notebook(notebook, progress=progress, **given, **options)
    return run_batch(notebook, list(place), progress=progress, resume=resume, **given, **options)


def run_batch(
    notebook: str | Path,
    places: Sequence[str],
    *,
    home: str | Path = "",
    output: str | Path | None = None,
    release: str | Release | None = None,
    progress: Callable[[int, int, str], None] | None = None,
    cancellation: Cancellation | None = None,
    resume: bool = True,
    show_code: bool = False,
    **parameters: Any,
) -> Batch:
    """One report per place, one after the other; a place that fails does not stop the others.

    resume : keep reports that were made of the same notebook, values and release
    progress : called before each report with (reports done, reports, place)
    A wrong parameter is an InputError before anything runs; RunCancelled ends the batch, what was made stays.
    """
    from tkyt_analysis.reports.execution import produce
    from tkyt_analysis.reports.kernel_run import RunCancelled

    template = notebook_template(notebook, home=home)
    opened = _opened(home, release)
    typed_values(template, {**parameters, PLACE: "VN"})
    batch = Batch()
    for number, place in enumerate(dict.fromkeys(places)):
        if progress:
            progress(number, len(places), place)
        try:
            job = prepared(template, {**parameters, PLACE: place}, home, opened, output, show_code=show_code)
            before = made_before(job) if resume else None
            if before:
                batch.kept[place] = before
            else:
                batch.made[place] = produce(job, cancellation=cancellation)
        except RunCancelled:
            raise
        except TkytError as error:
            batch.failed[place] = error.sentence()
    return batch


def prepared(
    template: NotebookTemplate,
    parameters: Mapping[str, Any],
    home: str | Path = "",
    release: str | Release | None = None,
    output: str | Path | None = None,
    *,
    show_code: bool = False,
) -> Job:
    """The run of a template, after everything that can be wrong with the request was found right."""
    from tkyt_analysis.reports.execution import Job, file_stem
    from tkyt_analysis.reports.runner import require_place_in

    values = typed_values(template, parameters)
    opened = _opened(home, release)
    if PLACE in values:
        values[PLACE] = place_or_own(opened, values[PLACE])
        require_place_in(opened, values[PLACE])
    if values.get(LANGUAGE):
        set_language(values[LANGUAGE])
    named = [one for name, one in values.items() if one and (name in ALWAYS_NAMED or one != template.parameters[name])]
    return Job(
        name=template.name,
        title=_page_title(template, values, opened),
        stem=file_stem(template.name, *named),
        notebook=template.to_run(),
        values=values,
        release=opened,
        directory=Path(output) if output else opened.home / "reports",
        about={"notebook": _where(template), "notebook_sha256": template.sha256, "show_code": show_code},
        show_code=show_code,
        folder=None if template.is_shipped else template.path.parent,
    )


def _opened(home: str | Path, release: str | Release | None) -> Release:
    from tkyt_analysis.warehouse.release import Release as Opened

    if isinstance(release, Opened):
        return release
    folder = Path(home).expanduser().absolute() if home else home_directory()
    require(folder, "read")
    return Opened(folder, release or None)


def _where(template: NotebookTemplate) -> str:
    return f"notebooks/{template.path.name}" if template.is_shipped else template.path.name


def _page_title(template: NotebookTemplate, values: Mapping[str, Any], release: Release) -> str:
    """The notebook's title with place and period."""
    parts = [place_name(release, values[PLACE])] if values.get(PLACE) else []
    parts += [str(values[name]).replace("..", "–") for name in (PERIOD, YEAR) if values.get(name)]
    return f"{template.title} – {', '.join(parts)}" if parts else template.title


def place_name(release: Release, place: str) -> str:
    """The name of a place in the release's unit list; its id where it has none."""
    if place == "VN":
        return label("notebook.nation")
    rows = release.query("SELECT any_value(name) AS name FROM organisation_unit WHERE unit_id = ?", [place])
    return str(rows["name"].iloc[0]) if len(rows) and isinstance(rows["name"].iloc[0], str) else place


def made_before(job: Job) -> ReportRun | None:
    """The report of the same notebook, values and release, if it stands in its place whole."""
    from tkyt_analysis.reports.execution import ReportRun

    files = {kind: job.directory / f"{job.stem}.{kind}" for kind in ("html", "ipynb", "json")}
    if not all(path.is_file() for path in files.values()):
        return None
    try:
        passport = json.loads(files["json"].read_text("utf-8"))
    except ValueError:
        return None
    same = {"parameters": dict(job.values), "release": job.release.release_id, **job.about}
    if any(passport.get(name) != value for name, value in same.items()):
        return None
    return ReportRun(job.name, files["html"], files["ipynb"], passport)


def typed_values(template: NotebookTemplate, given: Mapping[str, Any], *, only_given: bool = False) -> dict[str, Any]:
    """The notebook's parameters with the given values, each of the type of its default; anything else is refused."""
    unknown = [name for name in given if name not in template.parameters]
    if unknown:
        own = [name for name in unknown if name in GIVEN_BY_THE_RUN]
        raise InputError(
            "error.notebook_given_by_run" if own else "error.notebook_parameter",
            notebook=template.path.name,
            parameter=(own or unknown)[0],
            known=", ".join(template.parameters),
        )
    typed = {name: _typed(name, template.parameters[name], value) for name, value in given.items()}
    return typed if only_given else {**template.parameters, **typed}


def _typed(name: str, default: Any, value: Any) -> Any:
    """The value as the notebook's cell would hold it; places by id or name, codes and periods as text."""
    try:
        return _reader(name, default)(value)
    except (ValueError, KeyError, TypeError):
        expected = label("notebook.type.language" if name == LANGUAGE else f"notebook.type.{type(default).__name__}")
        raise InputError("error.notebook_value", parameter=name, value=value, expected=expected) from None


def _reader(name: str, default: Any) -> Callable[[Any], Any]:
    from tkyt_analysis.api.names import find_period, find_place

    if name == PLACE:
        return lambda value: value if value == "" else find_place(str(value), "VN2025")
    if name in (PERIOD, YEAR) and isinstance(default, str):
        return find_period
    if name == LANGUAGE:
        return lambda value: {one: one for one in LANGUAGES}[value]
    return _READERS.get(type(default), lambda value: value)


def _whole(value: Any) -> int:
    if isinstance(value, float) and value != int(value):
        raise ValueError(value)
    return int(value)


def _truth(value: Any) -> bool:
    return {"true": True, "false": False, "1": True, "0": False}[str(value).lower()]


_READERS: dict[type, Callable[[Any], Any]] = {str: str, int: _whole, float: float, bool: _truth}


def places_named(words: str, *, home: str | Path = "", release: str | Release | None = None) -> list[str]:
    """Units from "VN2025:48,VN2025:51", or from "provinces" / "communes": all of that level that have reports or deaths."""
    if words not in _LEVELS:
        return [one.strip() for one in words.split(",") if one.strip()]
    found = places_with_data(_opened(home, release), words)
    if not found:
        raise ProcessingError("error.notebook_no_places", places=words)
    return [unit for unit, _ in found]


_LEVELS = {"provinces": "province", "communes": "commune"}


def places_with_data(release: Release, level: str) -> list[tuple[str, str]]:
    """(unit_id, name) of the provinces or communes of 2025 in whose area the release holds reports or deaths."""
    column = _LEVELS[level]
    tables = [one for one in ("province_report", "reporting", "death") if release.has(one)]
    if not release.has("place") or not tables:
        return []
    units = " UNION ".join(f'SELECT unit_id FROM "{one}"' for one in tables if one != "province_report")
    rows = release.query(
        f"SELECT DISTINCT u.unit_id, u.name FROM place p JOIN organisation_unit u ON u.unit_id = p.{column} "
        f"WHERE p.unit_id IN ({units}) ORDER BY 1"
    )
    return list(rows.itertuples(index=False, name=None))

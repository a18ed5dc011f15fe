"""How a module (mortality, later others) plugs into the core without the core knowing its name.

A module names one object in the entry-point group `tkyt.modules`: a `Module`, whose parts are
given as "package.module:attribute" strings, so that nothing heavy is imported before it is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any


@dataclass(frozen=True)
class Module:
    """What one plug-in module adds. Values are "package.module:attribute" strings.

    commands : CLI groups, {name: click command}
    doors : readers of received files, {door id: Door} (see tkyt_analysis.ingest.door)
    steps : pipeline steps, {step id: PipelineStep} (see tkyt_analysis.pipeline)
    practice : makers of practice data, {id: PracticeSource}
    reports : {report id: folder under reports_templates/}
    apps : {app id: dashboard class}
    release_tables : makers of release tables, {release table: function}
    explainers : {quantity ("deaths", "population"): function that lists the received rows behind a figure}
    checks : {function name that rules use: a TableCheck, PanelCheck or FormCheck} (see tkyt_analysis.quality.checks)
    gates : {name: function(warehouse, staging)} run on the staged rows of a group of files before they are stored;
        a gate may move rows from a staged table to the staged quarantine (`Staging.refuse`), mask or mark them
    measures : {name: function(release) -> measures that the release can answer} (see tkyt_analysis.cube)
    facts : {name: function(measure or fact id, release) -> Fact or None}
    code_maps : {dimension: function(list id, codes) -> the member of each code} for dimensions that a list defines
    code_names : {dimension: function(list id) -> {member: its name}, in the order of the list}
    gallery : {name: function() -> exhibits of the gallery (tkyt_analysis.gallery.model.Exhibit)}
    hiv_records : {table of identifiers: query (SQL text) of the keys of its records that concern HIV}
    """

    name: str
    package: str
    commands: Mapping[str, str] = field(default_factory=dict)
    doors: Mapping[str, str] = field(default_factory=dict)
    steps: Mapping[str, str] = field(default_factory=dict)
    practice: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, str] = field(default_factory=dict)
    apps: Mapping[str, str] = field(default_factory=dict)
    release_tables: Mapping[str, str] = field(default_factory=dict)
    explainers: Mapping[str, str] = field(default_factory=dict)
    checks: Mapping[str, str] = field(default_factory=dict)
    gates: Mapping[str, str] = field(default_factory=dict)
    measures: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    code_maps: Mapping[str, str] = field(default_factory=dict)
    code_names: Mapping[str, str] = field(default_factory=dict)
    gallery: Mapping[str, str] = field(default_factory=dict)
    hiv_records: Mapping[str, str] = field(default_factory=dict)


def load_object(reference: str) -> Any:
    """The object that "package.module:attribute" names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)


def module_packages() -> list[str]:
    """Package names of the installed modules, in the order of their names."""
    found = entry_points(group="tkyt.modules")
    return sorted({point.value.partition(":")[0].partition(".")[0] for point in found})


@cache
def modules() -> tuple[Module, ...]:
    """The core's own parts first, then every installed module."""
    from tkyt_analysis.plugin import MODULE as core

    points = sorted(entry_points(group="tkyt.modules"), key=lambda point: point.name)
    return (core, *(point.load() for point in points))


def parts(kind: str) -> dict[str, str]:
    """{id: reference} of one kind ("doors", "steps", ...) over all modules."""
    return {name: reference for module in modules() for name, reference in getattr(module, kind).items()}

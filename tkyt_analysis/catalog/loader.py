"""Folders of `data_catalog/` → entries. A catalog with a mistake does not load: it says every mistake."""

from __future__ import annotations

import dataclasses
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from tkyt_analysis.catalog.convert import Converter, read_yaml
from tkyt_analysis.catalog.dataset_rules import dataset_rules
from tkyt_analysis.catalog.desk_review import DeskReview
from tkyt_analysis.catalog.entries import KINDS as CORE_KINDS
from tkyt_analysis.catalog.form_rules import form_rules
from tkyt_analysis.catalog.integrity_rules import integrity_rules
from tkyt_analysis.catalog.redistribution import Redistribution
from tkyt_analysis.catalog.spatial_weights import spatial_weight_problems
from tkyt_analysis.errors import InputError
from tkyt_analysis.labels import label
from tkyt_analysis.settings import catalog_directories

KINDS: dict[str, type] = CORE_KINDS | {"desk_review": DeskReview, "redistribution": Redistribution}
OTHER_FOLDERS = ("codelists", "boundaries", "spatial_weights")


class CatalogError(InputError):
    """A catalog entry is wrong; `problems` has one sentence per mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("catalog.problems", count=len(problems), problems="\n".join(problems))
        self.problems = problems


def read_entry(path: Path, kind: str) -> tuple[Any, list[str]]:
    """(entry, problems) of one file of a kind folder ("datasets", "forms", …)."""
    data, problems = read_yaml(path)
    if problems:
        return None, problems
    converter = Converter(f"{kind}/{path.name}")
    entry = converter.convert(KINDS[kind], data, "")
    if entry is not None and entry.id != path.stem:
        converter.problem("id", "catalog.id_is_not_file", value=entry.id, expected=path.stem)
    return entry, converter.found


def load_entries(kind: str) -> dict[str, Any]:
    """{id: entry} of one kind over all catalog folders; raises CatalogError with every mistake."""
    return dict(_load_entries(kind, tuple(catalog_directories())))


@cache
def _load_entries(kind: str, directories: tuple[Path, ...]) -> dict[str, Any]:
    entries: dict[str, Any] = {}
    problems: list[str] = []
    for directory in directories:
        for path in sorted((directory / kind).glob("*.yaml")):
            entry, found = read_entry(path, kind)
            problems += found
            if entry is not None:
                entries[entry.id] = entry
    if kind == "forms":
        entries, found = forms_with_regimes(entries, _load_entries("regimes", directories))
        problems += found
    if problems:
        raise CatalogError(problems)
    if kind == "rules":
        entries |= dataset_rules(_load_entries("datasets", directories).values()) | integrity_rules()
        entries |= form_rules(_load_entries("forms", directories).values(), entries)
    return entries


def forms_with_regimes(forms: dict[str, Any], regimes: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The forms with each version ending when its circular ends, and a sentence per circular that no entry describes."""
    problems: list[str] = []
    ended = {}
    for form in forms.values():
        versions = {}
        for start, version in form.versions.items():
            if version.regime and version.regime not in regimes:
                where = f"versions.{start}.regime"
                problems.append(label("catalog.regime_unknown", file=form.id, key=where, value=version.regime))
            regime = regimes.get(version.regime or "")
            ends = regime.valid.to if regime and version.to is None else version.to
            versions[start] = dataclasses.replace(version, to=ends)
        ended[form.id] = dataclasses.replace(form, versions=versions)
    return ended, problems


def load_entry(kind: str, identifier: str) -> Any:
    """One entry; an unknown id is an InputError that names the nearest known one."""
    entries = load_entries(kind)
    if identifier in entries:
        return entries[identifier]
    from difflib import get_close_matches

    near = get_close_matches(identifier, entries, n=1) or ["–"]
    raise InputError("catalog.unknown_entry", kind=kind, entry=identifier, nearest=near[0])


def catalog_problems() -> list[str]:
    """Every mistake of every kind, and files and folders that stand where none is expected."""
    problems: list[str] = []
    for directory in catalog_directories():
        for folder in sorted(path for path in directory.glob("*") if path.is_dir()):
            if folder.name not in (*KINDS, *OTHER_FOLDERS):
                problems.append(
                    label("catalog.stray_folder", folder=folder.name, known=", ".join((*KINDS, *OTHER_FOLDERS)))
                )
        problems += spatial_weight_problems(directory)
        for kind in KINDS:
            for path in sorted((directory / kind).glob("*")):
                if path.suffix == ".yaml":
                    problems += read_entry(path, kind)[1]
                elif path.suffix != ".md":
                    problems.append(label("catalog.stray_file", file=f"{kind}/{path.name}"))
    return problems


def catalog_version() -> str:
    """Twelve hexadecimal digits over the content of every catalog file: part of each figure's passport."""
    return _catalog_version(tuple(catalog_directories()))


@cache
def _catalog_version(directories: tuple[Path, ...]) -> str:
    digest = hashlib.sha256()
    for directory in directories:
        for path in sorted(directory.rglob("*")):
            if path.is_file() and path.suffix in (".yaml", ".csv", ".gz", ".geojson"):
                digest.update(path.relative_to(directory).as_posix().encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:12]

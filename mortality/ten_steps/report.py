"""The report `ten_steps`: one place, or all places of a batch from one reading of the release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mortality.ten_steps.assess import Assessment, assess
from mortality.ten_steps.data import provinces_of
from mortality.ten_steps.page import place_page, verdicts_of
from mortality.ten_steps.summary import summary_section
from tkyt_analysis.warehouse.release import NATION, Release


def assessment(release: Release, place: str) -> Assessment:
    """What the page of a place needs: of the nation also every province."""
    return assess(release, [place, *(provinces_of(release) if place == NATION else [])])


def body(found: Assessment, release: Release, place: str, year: int, language: str) -> str:
    """The body of a page; that of the nation begins with the table of the provinces."""
    table = summary_section(found, provinces_of(release), year, language) if place == NATION else ""
    return place_page(found, place, year, language, before=table)


def place_bodies(release: Release, places: Sequence[str], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(place, body) of every place; all are assessed together, so that a batch reads the release once."""
    provinces = provinces_of(release) if NATION in places else []
    found = assess(release, list(dict.fromkeys([*places, *provinces])))
    for place in places:
        yield place, body(found, release, place, int(values["year"]), str(values["language"]))


def summary(found: Assessment, place: str, year: int) -> dict[str, object]:
    """What the run found, for its passport: the verdict of each step."""
    year = year or found.latest
    verdicts = {f"step_{step}": verdict for step, verdict in verdicts_of(found, place, year).items()}
    return {"place": found.data.names[place], "year": year, **verdicts}

"""Which column of a foreign list is which field of the death record: told by the user, or known from a profile of the catalog."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mortality.certificate_csv import LINES
from tkyt_analysis.catalog import read_codelist
from tkyt_analysis.errors import InputError
from tkyt_analysis.reference.vietnamese_text import fold

PROFILES = "death_list_profiles"
LIST_SOURCE = "line_list"
SOURCES = ("a6", "certificate", "civil_registration", "death_notice", LIST_SOURCE)
FIELDS = frozenset({
    "record_id", "full_name", "birth", "sex", "age", "ethnic_group", "occupation", "address", "id_number", "insurance_number",
    "note", "death_date", "death_time", "place_of_death", "death_place", "death_place_code", "cause_text", "icd10_as_written",
    "underlying_icd10", "care_before_death", "maternal_death", "maternal_timing", "manner", "external_place",
    "external_activity", "source_list", "informant", "informant_id", "informant_relation", "signed_by", "unit_code", "commune",
    "corrects", "correction_reason", "died",
    *(f"{line}{part}" for line in LINES for part in ("", "_icd10", "_interval")),
})  # fmt: skip
# A list is of deaths when a column says when or why somebody died.
OF_DEATH = frozenset(
    {"death_date", "cause_text", "icd10_as_written", "underlying_icd10", *LINES, *(f"{one}_icd10" for one in LINES)}
)


@dataclass(frozen=True)
class ColumnUse:
    """One field from one or more columns (joined by a blank), read as the profile says ("" = as it stands)."""

    field: str
    headings: tuple[str, ...]
    reading: str = ""


@dataclass(frozen=True)
class Mapping:
    """The columns of one kind of list; `needed`: headings that the list must have."""

    uses: tuple[ColumnUse, ...]
    source: str = LIST_SOURCE
    profile: str = ""
    needed: tuple[str, ...] = ()

    @property
    def fields(self) -> set[str]:
        return {use.field for use in self.uses}

    def missing(self, header: Iterable[str]) -> list[str]:
        """The needed headings that a list lacks."""
        known = {plain(name) for name in header}
        return [name for name in self.needed if plain(name) not in known]

    def text(self) -> str:
        """ "full_name=given_name+surname; sex=gender"."""
        return "; ".join(f"{use.field}={'+'.join(use.headings)}" for use in self.uses)


ACTIVE: ContextVar[tuple[bool, Mapping | None]] = ContextVar("ACTIVE", default=(False, None))


@contextlib.contextmanager
def importing(mapping: Mapping | None) -> Iterator[None]:
    """Inside, lists of deaths are looked for by this mapping, and what is no list of deaths gets a sentence that says why."""
    token = ACTIVE.set((True, mapping))
    try:
        yield
    finally:
        ACTIVE.reset(token)


def plain(heading: str) -> str:
    """A heading for comparison: no accents, no capitals, single blanks."""
    return " ".join(fold(heading).split())


def parse_columns(texts: Iterable[str], *, source: str = "") -> Mapping | None:
    """The mapping of `--columns`: each text is "field=heading[+heading]…", or the path of a YAML file of such pairs.

    A YAML file may say `source:` too. None without texts. Raises InputError for an unknown field or source, a text that is
    no pair, and a field that is named twice.
    """
    pairs: dict[str, tuple[str, ...]] = {}
    for text in texts:
        path = Path(text)
        said = _from_file(path) if path.suffix.lower() in (".yaml", ".yml") else [_pair(text)]
        for name, headings in said:
            if name == "source":
                source = source or headings[0]
                continue
            if name not in FIELDS:
                raise InputError("error.columns_unknown_field", field=name, known=", ".join(sorted(FIELDS)))
            if name in pairs:
                raise InputError("error.columns_twice", field=name)
            pairs[name] = headings
    if source and source not in SOURCES:
        raise InputError("error.columns_source", source=source, known=", ".join(SOURCES))
    uses = tuple(ColumnUse(name, headings) for name, headings in pairs.items())
    needed = tuple(dict.fromkeys(heading for use in uses for heading in use.headings))
    return Mapping(uses, source or LIST_SOURCE, needed=needed) if uses else None


def _pair(text: str) -> tuple[str, tuple[str, ...]]:
    name, mark, headings = text.partition("=")
    found = tuple(part.strip() for part in headings.split("+") if part.strip())
    if not mark or not name.strip() or not found:
        raise InputError("error.columns_not_a_pair", text=text)
    return name.strip(), found


def _from_file(path: Path) -> list[tuple[str, tuple[str, ...]]]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        raise InputError("error.columns_file", file=path) from None
    if not isinstance(found, dict) or not found:
        raise InputError("error.columns_file", file=path)
    pairs = []
    for name, value in found.items():
        parts = value if isinstance(value, list) else str(value).split("+")
        pairs.append((str(name), tuple(str(part).strip() for part in parts if str(part).strip())))
    if any(not headings for _, headings in pairs):
        raise InputError("error.columns_file", file=path)
    return pairs


@cache
def profiles() -> tuple[Mapping, ...]:
    """The foreign lists that the catalog knows."""
    rows = read_codelist(PROFILES)
    return tuple(
        Mapping(
            tuple(ColumnUse(r.field, (r.heading,), r.reading) for r in part.itertuples()),
            str(part["source"].iloc[0]),
            str(name),
            tuple(part.loc[part["needed"] == "yes", "heading"]),
        )
        for name, part in rows.groupby("profile", sort=True)
    )


def mapping_of(header: Iterable[str]) -> Mapping | None:
    """The mapping of a list: the user's where its headings are all there, else the first profile that fits."""
    names = list(header)
    _, own = ACTIVE.get()
    known = [*([own] if own else []), *profiles()]
    return next((one for one in known if not one.missing(names)), None)


def harmless_text(text: str) -> str:
    """Headings for a sentence: at most twelve, none of them long."""
    names = [re.sub(r"\s+", " ", name)[:30] for name in text.split("\x1f") if name.strip()]
    return ", ".join(names[:12]) + (" …" if len(names) > 12 else "")

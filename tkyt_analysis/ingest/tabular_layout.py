"""Which declared layout a table has: its header against the catalog's dataset entries, by folded names."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch
from functools import lru_cache

from tkyt_analysis.catalog.entries import Dataset
from tkyt_analysis.reference.vietnamese_text import fold

SURE = 0.6


@dataclass(frozen=True)
class Match:
    """A dataset entry and where its columns stand: {our name: position in the header}; `score` from 0 to 1."""

    entry: Dataset
    positions: dict[str, int]
    score: float


def receivable(entries: dict[str, Dataset]) -> list[Dataset]:
    """Entries that describe a table to be received: those with a panel or with headers of columns."""
    return [
        entry for entry in entries.values() if entry.panel or any(column.from_ for column in entry.columns.values())
    ]


def match_header(entry: Dataset, cells: list[str], name: str) -> Match | None:
    """How a header fits an entry, None where a column that must be there is not."""
    return _match(entry, _places(cells), name)


_heading = lru_cache(maxsize=50_000)(fold)  # headings of the catalog, looked up for every file


def _places(cells: list[str]) -> dict[str, int]:
    """{folded heading: where it stands first}."""
    return {key: at for at, cell in reversed(list(enumerate(cells))) if (key := fold(cell))}


def _match(entry: Dataset, place: dict[str, int], name: str) -> Match | None:
    positions = _panel_positions(entry, place) if entry.panel else _column_positions(entry, place)
    if positions is None:
        return None
    wanted = len(wanted_names(entry))
    if entry.panel:  # a column with several spellings is one column
        wanted += len(set(entry.panel.elements.values())) - len(entry.panel.elements)
    score = SURE + 0.35 * len(positions) / wanted
    if entry.file_pattern and fnmatch(name.rsplit("/", 1)[-1].lower(), entry.file_pattern.lower()):
        score += 0.05
    return Match(entry, positions, score)


def wanted_names(entry: Dataset) -> list[str]:
    """Our names for the columns that a received table may bring."""
    if entry.panel:
        time = [part for part in (entry.panel.year, entry.panel.month, entry.panel.period) if part]
        return [*entry.panel.unit, *time, *entry.panel.elements]
    return [name for name, column in entry.columns.items() if column.from_]


def _panel_positions(entry: Dataset, place: dict[str, int]) -> dict[str, int] | None:
    panel = entry.panel
    assert panel is not None
    found = {name: place[key] for name in wanted_names(entry) if (key := _heading(name)) in place}
    keys = [*panel.unit, *(part for part in (panel.year, panel.month, panel.period) if part)]
    if any(name not in found for name in keys) or not any(name in found for name in panel.elements):
        return None
    return found


def _column_positions(entry: Dataset, place: dict[str, int]) -> dict[str, int] | None:
    found = {}
    for name in wanted_names(entry):
        for header in (*entry.columns[name].from_, name):
            if _heading(header) in place:
                found[name] = place[_heading(header)]
                break
    required = [name for name in wanted_names(entry) if entry.columns[name].required or name in entry.grain]
    if not found or any(name not in found for name in required):
        return None
    return found


def best_match(entries: list[Dataset], cells: list[str], name: str) -> Match | None:
    """The entry that a header fits best."""
    place = _places(cells)
    matches = [match for entry in entries if (match := _match(entry, place, name))]
    return max(matches, key=lambda match: (match.score, len(match.positions)), default=None)

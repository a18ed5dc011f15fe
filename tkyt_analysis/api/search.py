"""Search over everything that can be asked for or looked up, with and without accents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from tkyt_analysis.api.names import key
from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.catalog.loader import load_entries
from tkyt_analysis.cube.model import Measure
from tkyt_analysis.errors import TkytError, UsageError
from tkyt_analysis.labels import LANGUAGES, current_language, label
from tkyt_analysis.settings import catalog_directories

if TYPE_CHECKING:
    from tkyt_analysis.api.table import FigureTable
    from tkyt_analysis.api.workbench import Workbench

KINDS = ("measure", "element", "indicator", "dataset", "form", "cause", "cause_list", "codelist", "rule")


@dataclass(frozen=True)
class Entry:
    """One thing that can be found. `words`: what it is searched by, folded: title first, then id, then the rest."""

    id: str
    name: str
    kind: str
    unit: str
    use: str
    title_key: str
    words: str


def search(text: str, *, kind: str = "", most: int = 15) -> FigureTable:
    """What fits a text, best first: id, name, kind, unit, and a line of code that uses it.

    kind : only one of KINDS ; most : rows at most
    """
    if kind and kind not in KINDS:
        raise UsageError("error.api.search_kind", found=kind, choices=", ".join(KINDS))
    workbench = _open_or_none()
    entries = _entries(workbench) if workbench else _catalog_entries(current_language())
    ranked = ranking(text, [one for one in entries if not kind or one.kind == kind])
    return _as_table(text, ranked[:most], len(ranked))


def _open_or_none() -> Workbench | None:
    from tkyt_analysis.api.opening import current

    try:
        return current()
    except TkytError:  # no home, no release, no rights: the catalog is for everybody
        return None


def _entries(workbench: Workbench) -> tuple[Entry, ...]:
    """Measures of the release, then the catalog; made once per workbench and language."""
    kept: dict[str, tuple[Entry, ...]] = workbench.__dict__.setdefault("_search_entries", {})
    language = current_language()
    if language not in kept:
        try:
            known = tuple(_measure_entries(workbench, language))
        except TkytError:  # a release made before measures could be asked
            known = ()
        there = {one.id for one in known}
        kept[language] = known + tuple(one for one in _catalog_entries(language) if one.id not in there)
    return kept[language]


def ranking(text: str, entries: Iterable[Entry]) -> list[Entry]:
    """Entries that hold every word of the text (as the beginning of a word), best first; else those most like it."""
    wanted = key(text)
    words = wanted.split()
    if not words:
        return []
    scored = [(score, place, one) for place, one in enumerate(entries) if (score := _score(wanted, words, one)) > 0]
    if scored:
        return [one for _, _, one in sorted(scored, key=lambda found: (-found[0], found[1]))]
    return _alike(wanted, words, list(entries))


def _score(wanted: str, words: list[str], one: Entry) -> float:
    text = f" {one.words} "
    if not all(f" {word}" in text for word in words):
        return 0.0
    title = f" {one.title_key} "
    whole = sum(f" {word} " in title for word in words) / len(words)
    phrase = 3.0 * (f" {wanted} " in title) + 1.0 * (f" {wanted} " in text)
    exact = 10.0 * (wanted in (one.title_key, key(one.id))) + 2.0 * title.startswith(f" {wanted}")
    short = len(words) / max(len(one.title_key.split()), 1)
    return 1.0 + whole + phrase + exact + short + 2.0 * (len(KINDS) - KINDS.index(one.kind)) / len(KINDS)


def _alike(wanted: str, words: list[str], entries: list[Entry]) -> list[Entry]:
    """Nothing holds every word: the titles most like the text, then those with most of its words."""
    from difflib import get_close_matches

    by_title = {one.title_key: one for one in reversed(entries)}
    close = [by_title[title] for title in get_close_matches(wanted, list(by_title), n=5, cutoff=0.7)]
    shares = [
        (sum(f" {word}" in f" {one.words} " for word in words) / len(words), place) for place, one in enumerate(entries)
    ]
    most = [entries[place] for share, place in sorted(shares, key=lambda one: (-one[0], one[1])) if share > 0.5]
    return list(dict.fromkeys([*close, *most]))


def _entry(id: str, name: str, kind: str, unit: str, use: str, *more: str) -> Entry:
    title = key(name)
    return Entry(id, name, kind, unit, use, title, " ".join(dict.fromkeys([title, key(id), *map(key, more)])))


def _measure_entries(workbench: Workbench, language: str) -> Iterator[Entry]:
    codes = workbench.element_names
    for one in workbench.measures.values():
        kind = "element" if "/" in one.id and one.method == "count" else "measure"
        more = [*_both(one.title), *_both(one.definition), *_both(one.group_title), *codes.get(one.id, ())]
        yield _entry(one.id, one.title[language], kind, one.unit[language], _use_of(one), *more)


def _use_of(measure: Measure) -> str:
    """The line of code that asks for a measure, broken down by what suits it."""
    by = "year" if "year" in measure.dimensions else ""
    if "province" in measure.dimensions:
        by = "province"
    asked = f', by="{by}"' if by else ""
    if measure.method == "published":  # one figure per province and year
        asked = ', by=["province", "year"]'
    if measure.id in ("deaths", "population"):
        return f"tk.{measure.id}({asked.removeprefix(', ')})"
    if measure.id.endswith(":reporting_rate"):
        return f'tk.reporting("{measure.dataset}"{asked})'
    if "/" in measure.id and measure.method == "count":
        return f'tk.values("{measure.id}"{asked})'
    return f'tk.indicator("{measure.id}"{asked})'


@cache
def _catalog_entries(language: str) -> tuple[Entry, ...]:
    return tuple(_catalog_items(language))


def _catalog_items(language: str) -> Iterator[Entry]:
    for one in load_entries("indicators").values():
        use = f'tk.indicator("{one.id}", by="province")'
        yield _entry(
            one.id,
            one.title[language],
            "indicator",
            one.unit[language],
            use,
            *_both(one.title),
            *_both(one.definition),
            *one.also,
        )
    for one in load_entries("datasets").values():
        more = [
            *_both(one.title),
            *_both(one.notes),
            *(word for column in one.columns.values() for word in _both(column.title)),
        ]
        yield _entry(one.id, one.title[language], "dataset", "", f'tk.columns("{one.target}")', *more)
    for one in load_entries("forms").values():
        yield _entry(
            one.id, one.title[language], "form", "", f"tkyt form template {one.id}", *_both(one.title), str(one.code)
        )
    for one in load_entries("rules").values():
        use = f"tk.sql(\"SELECT * FROM finding WHERE rule_id = '{one.id}'\")"
        yield _entry(one.id, one.title[language], "rule", "", use, *_both(one.title), *_both(one.question))
    for one in load_entries("cause_lists").values():
        use = f'tk.deaths(by="cause", cause_list="{one.id}")'
        yield _entry(one.id, one.title[language], "cause_list", "", use, *_both(one.title))
        yield from _causes(one, language)
    for directory in catalog_directories():
        for path in sorted((directory / "codelists").glob("*.csv*")):
            name = path.name.partition(".")[0]
            yield _entry(name, name.replace("_", " "), "codelist", "", f'tk.catalog.read_codelist("{name}")')


def _causes(entry: Any, language: str) -> Iterator[Entry]:
    """The items of a cause list, each as a filter of deaths."""
    rows = read_codelist(entry.items)
    columns = [
        name
        for name in rows.columns
        if name.startswith("label_") or name in ("title_vi", "title_en", "vi", "en", "name_vi", "name_en")
    ]
    code = next((name for name in ("item", "row", "code", "id") if name in rows), rows.columns[0])
    shown = next((name for name in columns if name.endswith(language)), columns[0] if columns else code)
    for row in rows.drop_duplicates(code).to_dict("records"):
        use = f'tk.deaths(where={{"cause": "{row[code]}"}}, cause_list="{entry.id}")'
        yield _entry(str(row[code]), str(row[shown]), "cause", "", use, *(str(row[name]) for name in columns))


def _both(text: Any) -> list[str]:
    return [text[language] for language in LANGUAGES] if text is not None else []


def _as_table(text: str, found: list[Entry], total: int) -> FigureTable:
    import pandas as pd

    from tkyt_analysis.api.about import About
    from tkyt_analysis.api.table import FigureTable

    rows = [(one.id, one.name, label(f"api.kind.{one.kind}"), one.unit, one.use) for one in found]
    table = FigureTable(pd.DataFrame(rows, columns=["id", "name", "kind", "unit", "use"], dtype="str"))
    remark = label("api.search_more", None, shown=len(found), total=total) if total > len(found) else ""
    heading = label("api.search_heading", None, text=text)
    table.about = About(heading=heading, remarks=(remark,) if remark else ())
    return table

"""Pages of the data catalog and of the tests in tests/spec, for tools/make_docs.py: (file, title, HTML, language)."""

from __future__ import annotations

import gzip
import importlib.util
import sys
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import yaml

from tkyt_analysis.catalog import catalog_version, load_entries, read_codelist
from tkyt_analysis.labels import LANGUAGES, format_number
from tkyt_analysis.pages import paragraph, table_html

REPOSITORY = Path(__file__).resolve().parents[1]
WORDS = yaml.safe_load((Path(__file__).parent / "docs_labels.yaml").read_text("utf-8"))
PRINTED_ROWS = 130
Page = tuple[str, str, str, str]


def word(key: str, language: str, **fields: object) -> str:
    return WORDS[key][language].format(**fields)


def known(name: str, language: str) -> str:
    """A level or quantity in words; its own name where there is none."""
    return word(f"name_{name}", language) if f"name_{name}" in WORDS else name


def catalog_pages() -> Iterator[Page]:
    """Every generated page in every language."""
    for language in LANGUAGES:
        counts = {}
        for kind, body_of in KINDS.items():
            body, total, unverified = body_of(language)
            counts[kind] = (total, unverified)
            back = f'<p><a href="{address("catalog", language)}">← {word("catalog", language)}</a></p>'
            yield finished(f"catalog_{kind}", word(kind, language), back + body, language)
        yield finished("catalog", word("catalog", language), contents(counts, language), language)


def address(name: str, language: str) -> str:
    return f"{name}.html" if language == "vi" else f"{name}_{language}.html"


def finished(name: str, title: str, body: str, language: str) -> Page:
    """A page with its heading and the link to the same page in the other language."""
    other = next(one for one in LANGUAGES if one != language)
    switch = (
        f'<p class="switch"><a lang="{other}" href="{address(name, other)}">{word("other_language", language)}</a></p>'
    )
    return address(name, language), title, f"{switch}<h1>{escape(title)}</h1>{body}", language


def contents(counts: dict[str, tuple[int, int]], language: str) -> str:
    items = []
    for kind, (total, unverified) in counts.items():
        said = word("entries", language, count=format_number(total, 0, language))
        said += f"; {word('unverified_count', language, count=unverified)}" if unverified else ""
        items.append(f'<li><a href="{address(f"catalog_{kind}", language)}">{word(kind, language)}</a>: {said}</li>')
    return paragraph(word("catalog_intro", language, version=catalog_version())) + f"<ul>{''.join(items)}</ul>"


def entry_head(entry: Any, facts: dict[str, str], language: str, *, unverified: bool = False) -> str:
    """Heading of an entry, its id, and its facts as a definition list."""
    mark = f' <span class="trust medium">{word("unverified", language)}</span>' if unverified else ""
    lines = "".join(f"<li><b>{escape(name)}:</b> {escape(text)}</li>" for name, text in facts.items() if text)
    return f'<h2 id="{escape(entry.id)}">{escape(entry.title[language])}{mark}</h2><p><code>{escape(entry.id)}</code></p><ul>{lines}</ul>'


def notes(entry: Any, language: str) -> str:
    return paragraph(entry.notes[language]) if entry.notes else ""


def shown(rows: list[dict[str, object]], language: str) -> str:
    """A table; columns in which nothing stands are left out."""
    if not rows:
        return ""
    table = pd.DataFrame(rows)
    return table_html(table.loc[:, (table != "–").any()], stacked=True, language=language)


def datasets(language: str) -> tuple[str, int, int]:
    entries = load_entries("datasets")
    parts, unverified = [], 0
    for entry in entries.values():
        facts = {
            word("access", language): word(f"access_{entry.access}", language),
            word("grain", language): ", ".join(entry.grain),
            word("origin", language): f"{entry.origin.producer}, {entry.origin.document}",
            word("goes_to", language): entry.target if entry.target != entry.id else "",
        }
        unverified += entry.origin.unverified
        rows = [column_row(name, column, language) for name, column in entry.columns.items()]
        parts.append(entry_head(entry, facts, language, unverified=entry.origin.unverified) + notes(entry, language))
        parts.append(shown(rows, language))
    return "".join(parts), len(entries), unverified


def column_row(name: str, column: Any, language: str) -> dict[str, object]:
    remarks = [
        word("required", language) if column.required else "",
        word("identifier", language) if column.identifier else "",
        word("pseudonym", language, columns=", ".join(column.pseudonym_of)) if column.pseudonym_of else "",
    ]
    return {
        word("column", language): name,
        word("meaning", language): column.title[language] if column.title else "–",
        word("type", language): column.type,
        word("unit", language): column.unit or "–",
        word("received_as", language): "; ".join(column.from_) or "–",
        word("remark", language): ", ".join(filter(None, remarks)) or "–",
    }


def forms(language: str) -> tuple[str, int, int]:
    entries = load_entries("forms")
    parts, unverified = [], 0
    for entry in entries.values():
        versions = sorted(entry.versions.items())
        unverified += any(one.unverified for _, one in versions)
        facts = {
            word("level", language): entry.level,
            word("access", language): word(f"access_{entry.access}", language),
        }
        parts.append(entry_head(entry, facts, language) + notes(entry, language))
        for start, one in versions:
            mark = f" ({word('unverified', language)})" if one.unverified else ""
            until = f"{word('to', language)} {one.to:%d/%m/%Y}" if one.to else word("in_force", language)
            parts.append(f"<h3>{escape(entry.code)}: {start:%d/%m/%Y} {escape(until)}</h3>")
            parts.append(paragraph(f"{word('legal_source', language)}: {one.reference}{mark}"))
            if one.deadline_days is not None:
                parts.append(paragraph(f"{word('deadline', language)}: {one.deadline_days}"))
            rows = [
                {
                    word("column", language): column.id,
                    word("meaning", language): column.title[language],
                    word("received_as", language): "; ".join(column.from_),
                }
                for column in one.columns
            ]
            parts.append(shown(rows, language))
    return "".join(parts), len(entries), unverified


def indicators(language: str) -> tuple[str, int, int]:
    entries = load_entries("indicators")
    parts, unverified = [], 0
    for entry in entries.values():
        marked = any(one.unverified for one in entry.sources.values())
        unverified += marked
        sources = "; ".join(f"{start:%d/%m/%Y}: {one.reference}" for start, one in sorted(entry.sources.items()))
        facts = {
            word("formula", language): entry.definition[language],
            word("unit", language): entry.unit[language],
            word(
                "fraction", language
            ): f"{known(entry.numerator, language)} / {known(entry.denominator, language)} × {format_number(entry.per, 0, language)}",
            word("minimum_level", language): known(entry.minimum_level, language),
            word("legal_source", language): sources,
        }
        parts.append(entry_head(entry, facts, language, unverified=marked) + notes(entry, language))
    return "".join(parts), len(entries), unverified


def rules(language: str) -> tuple[str, int, int]:
    entries = load_entries("rules")
    parts = []
    for entry in entries.values():
        facts = {
            word("question", language): entry.question[language],
            word("severity", language): word(f"severity_{entry.severity}", language),
            word("level", language): ", ".join(known(one, language) for one in entry.level),
            word("legal_source", language): entry.source,
            word("parameters", language): "; ".join(
                f"{name}: {as_text(value)}" for name, value in entry.parameters.items()
            ),
        }
        parts.append(entry_head(entry, facts, language, unverified=entry.unverified))
    return "".join(parts), len(entries), sum(entry.unverified for entry in entries.values())


def cause_lists(language: str) -> tuple[str, int, int]:
    entries = load_entries("cause_lists")
    parts = []
    for entry in entries.values():
        facts = {word("edition", language): entry.edition, word("legal_source", language): entry.source}
        rows = read_codelist(entry.items)
        parts.append(entry_head(entry, facts, language, unverified=entry.unverified) + folded_table(rows, language))
    definitions = load_entries("cause_definitions")
    for entry in definitions.values():
        facts = {word("edition", language): entry.edition, word("legal_source", language): entry.source}
        head = entry_head(entry, facts, language, unverified=entry.unverified)
        remark = paragraph(entry.remark[language]) if entry.remark else ""
        parts.append(head + remark + folded_table(read_codelist(entry.parts), language))
    both = [*entries.values(), *definitions.values()]
    return "".join(parts), len(both), sum(entry.unverified for entry in both)


def folded_table(rows: pd.DataFrame, language: str) -> str:
    """The rows of a list, closed until somebody asks."""
    summary = f"{word('show_rows', language)} ({word('rows', language, count=format_number(len(rows), 0, language))})"
    return f"<details><summary>{escape(summary)}</summary>{table_html(rows, language=language)}</details>"


def codelists(language: str) -> tuple[str, int, int]:
    files = sorted((REPOSITORY / "data_catalog" / "codelists").glob("*.csv*"))
    parts, unverified = [], 0
    for file in files:
        source = source_lines(file)
        marked = "unverified" in source.lower()
        unverified += marked
        mark = f' <span class="trust medium">{word("unverified", language)}</span>' if marked else ""
        rows = read_codelist(file.name.split(".csv")[0])
        parts.append(f'<h2 id="{file.name}"><code>{file.name}</code>{mark}</h2>')
        parts.append(paragraph(source or word("no_note", language)))
        count = word("rows", language, count=format_number(len(rows), 0, language))
        parts.append(paragraph(f"{count}: {', '.join(rows.columns)}"))
        short = len(rows) <= PRINTED_ROWS
        parts.append(folded_table(rows, language) if short else paragraph(word("too_many", language, file=file.name)))
    return "".join(parts), len(files), unverified


def source_lines(file: Path) -> str:
    """The `#` lines at the head of a code list."""
    lines = []
    with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as text:
        for line in text:
            if not line.startswith("#"):
                break
            lines.append(line.lstrip("# ").strip())
    return " ".join(lines)


def spec(language: str) -> tuple[str, int, int]:
    """Tests of tests/spec as sentences, with the cases of their tables."""
    sys.path.insert(0, str(REPOSITORY / "tests"))
    parts, count = [paragraph(word("spec_intro", language))], 0
    for file in sorted((REPOSITORY / "tests" / "spec").glob("test_*.py")):
        module = imported(file)
        parts.append(f"<h2>{escape((module.__doc__ or file.stem).strip().splitlines()[0])}</h2>")
        parts.append(f"<p><code>{file.relative_to(REPOSITORY)}</code></p>")
        for name, test in vars(module).items():
            if not name.startswith("test_"):
                continue
            count += 1
            parts.append(f"<h3>{escape(name.removeprefix('test_').replace('_', ' ').capitalize())}</h3>")
            parts += [shown(case_rows(mark), language) for mark in marks(test) if mark.name == "parametrize"]
    return "".join(parts), count, 0


def marks(test: Any) -> list[Any]:
    return getattr(test, "pytestmark", [])


def case_rows(mark: Any) -> list[dict[str, object]]:
    """One line per case of a parametrized test: its arguments as text."""
    names, cases = mark.args[:2]
    names = [one.strip() for one in names.split(",")] if isinstance(names, str) else list(names)
    lines = [case if len(names) > 1 else (case,) for case in (getattr(one, "values", one) for one in cases)]
    return [{name: as_text(value) for name, value in zip(names, line)} for line in lines]


def as_text(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} = {as_text(one)}" for name, one in value.items()) or "–"
    return " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def imported(file: Path) -> ModuleType:
    """A test module, imported by its path."""
    description = importlib.util.spec_from_file_location(f"spec_{file.stem}", file)
    assert description
    assert description.loader
    module = importlib.util.module_from_spec(description)
    description.loader.exec_module(module)
    return module


KINDS: dict[str, Callable[[str], tuple[str, int, int]]] = {
    "datasets": datasets,
    "forms": forms,
    "indicators": indicators,
    "rules": rules,
    "cause_lists": cause_lists,
    "codelists": codelists,
    "spec": spec,
}

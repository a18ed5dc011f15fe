"""One death record while it is typed: its texts read as the doors read them, every test that needs no other record in one query.

Everything stays in memory: the texts, and one kept DuckDB connection per thread with the SQL of the rules ready.
"""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from mortality.validation.kept_plans import KeptPlans
from mortality.validation.lines import ALIASES, SOURCES, tables_of_lines
from tkyt_analysis.labels import label

if TYPE_CHECKING:
    import duckdb

    from mortality.quality.record_checks import RecordTest
    from tkyt_analysis.catalog.entries import Rule

SEVERITIES = ("error", "warning", "note")
KEPT_TABLES = ("death", "death_identity", "death_cause", "death_document", "certificate", "death_code", "received_file")
# What was read otherwise than written is worth a word while typing only where the value was lost or changed.
READING = {
    "note.date_unreadable": "warning", "note.age_unreadable": "warning", "note.word_unknown": "warning", "note.both_sex_columns": "warning",
    "note.time_unreadable": "warning",
    "note.lunar_date_converted": "note", "note.day_month_swapped": "note", "note.two_digit_year": "note", "note.excel_serial_date": "note",
    "note.date_without_day": "note", "note.date_year_only": "note", "note.year_from_book": "note",
}  # fmt: skip
_NO_UNIT = "{unit}, {period}: "


@dataclass(frozen=True)
class Problem:
    """What is wrong or odd in a record: `field` is the key under which the record gave the text, `suggestion` "" for none."""

    rule_id: str
    severity: str
    field: str
    sentence: str
    suggestion: str = ""


def validate_record(
    record: Mapping[str, str], *, today: datetime.date | None = None, restricted: bool = False
) -> list[Problem]:
    """Problems of one record, the worst first; empty for an empty record.

    record : {field: text as typed}: fields of the death register (full_name, sex, birth, age, death_date, cause_text,
        icd10_as_written, place_of_death …) and of the certificate (line_a, line_a_icd10, line_a_interval … part2, manner …);
        `source` (a6, certificate, …), unit_id and book_year are taken as they stand
    today : the day of receipt, today by default: no death can be later
    restricted : also the problems that only people with the right to HIV records may see
    """
    said = {name: str(text or "").strip() for name, text in record.items()}
    given = {ALIASES.get(name, name): text for name, text in sorted(said.items(), key=lambda pair: pair[1] != "")}
    day = today or datetime.date.today()
    names = {ALIASES.get(name, name): name for name, _ in sorted(said.items(), key=lambda pair: pair[1] != "")}
    read = _tables(given, day)
    if read is None:
        return []
    tables, notes = read
    problems = _reading_problems(notes) + _bench().problems(tables, restricted=restricted)
    told = {one.field for one in problems if one.rule_id.startswith("death_")}
    kept = [one for one in problems if one.rule_id != "note.date_unreadable" or one.field not in told]
    shown = [Problem(p.rule_id, p.severity, names.get(p.field, p.field), p.sentence, p.suggestion) for p in kept]
    return sorted(shown, key=lambda one: SEVERITIES.index(one.severity))


def _tables(given: dict[str, str], day: datetime.date) -> tuple[dict[str, pd.DataFrame], pd.DataFrame] | None:
    source = given.pop("source", "") or next((s for s in SOURCES if s in given), "a6")
    year = given.pop("book_year", "")
    lines = pd.DataFrame([given], index=[1], dtype="str")
    return tables_of_lines(lines, source=source, day=day, book_year=int(year) if year.isdigit() else 0)


def _reading_problems(notes: pd.DataFrame) -> list[Problem]:
    """What the reading itself has to say: a date or a word that could not be read, a lunar date converted."""
    rows = notes[notes["note"].isin(list(READING))]
    return [
        Problem(note, READING[note], field, label(note, column_name=label_of_field(field), value=value))
        for note, field, value in rows[["note", "column_name", "value"]].itertuples(index=False)
    ]


def label_of_field(field: str) -> str:
    """The words for a field of the record."""
    from tkyt_analysis.labels import all_labels

    key = f"death_field.{field}"
    return label(key) if key in all_labels() else field


# --------------------------------------------------------------------------------------------- the kept connection

_HERE = threading.local()


def _bench() -> _Bench:
    """The kept connection of this thread."""
    if not hasattr(_HERE, "bench"):
        _HERE.bench = _Bench()
    bench: _Bench = _HERE.bench
    return bench


@cache
def typing_rules() -> tuple[tuple[Rule, RecordTest], ...]:
    """The rules whose test needs only the record itself; those asked only where named (`default: false`) stay out, but for restricted ones."""
    from mortality.quality.record_checks import test_of
    from tkyt_analysis.catalog import load_entries

    rules = [rule for rule in load_entries("rules").values() if rule.function == "check_death_record"]
    pairs = [(rule, test_of(rule)) for rule in rules]
    return tuple((rule, test) for rule, test in pairs if test.alone and (rule.default or test.restricted))


class _Bench:
    """An in-memory connection with the tables of a record, emptied and filled anew for each."""

    def __init__(self) -> None:
        import duckdb

        from tkyt_analysis.warehouse.schema import column_types, stored_datasets

        self.con = KeptPlans(duckdb.connect())
        self.con.execute("SET enable_progress_bar = false; SET threads = 1")
        # a kept plan must not rest on what the tables of the first record held
        self.con.execute("SET disabled_optimizers = 'statistics_propagation'")
        self.columns: dict[str, list[str]] = {}
        self.held: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        datasets = stored_datasets()
        for name in KEPT_TABLES:
            types = column_types(datasets[name])
            self.columns[name] = list(types)
            listed = ", ".join(f'"{column}" {kind}' for column, kind in types.items())
            self.con.execute(f'CREATE TABLE "{name}" ({listed})')
        self.rules = {rule.id: (rule, test) for rule, test in typing_rules()}
        self.query = " UNION ALL ".join(_one_test(rule, test) for rule, test in self.rules.values())

    def problems(self, tables: Mapping[str, pd.DataFrame], *, restricted: bool) -> list[Problem]:
        """What the tests find in the record that these tables hold."""
        self._fill(tables)
        self._prepare()
        found = self.con.execute(self.query).fetchall()
        names = ("rule_id", "value", "expected", "lower", "upper", "explanation", "fields")
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return [_problem(*self.rules[row["rule_id"]], row) for row in rows if restricted or not self._hidden(row)]

    def _fill(self, tables: Mapping[str, pd.DataFrame]) -> None:
        """The rows of the record in the kept tables; a table that holds them already is left as it is."""
        for name, columns in self.columns.items():
            wanted = _rows_of(tables.get(name), columns)
            if self.held.get(name, ([], [])) == wanted:
                continue
            self.held.pop(name, None)
            self.con.execute(f'DELETE FROM "{name}"')
            there, values = wanted
            if values:
                listed = ", ".join(f'"{column}"' for column in there)
                self.con.executemany(f'INSERT INTO "{name}" ({listed}) VALUES ({", ".join("?" * len(there))})', values)
            self.held[name] = wanted

    def _prepare(self) -> None:
        from mortality.quality.records import make_death_records
        from tkyt_analysis.quality.context import CheckContext

        # a context of its own for every record: tests keep what they have made of a context
        context = CheckContext(cast("duckdb.DuckDBPyConnection", self.con), frozenset(KEPT_TABLES))
        make_death_records(context)
        done = set()
        for rule, test in self.rules.values():
            if test.prepare and test.prepare not in done:
                done.add(test.prepare)
                test.prepare(context, rule)

    def _hidden(self, row: Mapping[str, Any]) -> bool:
        return self.rules[row["rule_id"]][1].restricted


def _rows_of(rows: pd.DataFrame | None, columns: list[str]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The columns of a frame that a table has, and its rows, missing values as None; ([], []) for no rows."""
    if rows is None or not len(rows):
        return [], []
    there = [column for column in columns if column in rows]
    cells = [[None if pd.isna(value) else value for value in rows[column].tolist()] for column in there]
    return there, list(zip(*cells, strict=True))


def _one_test(rule: Rule, test: RecordTest) -> str:
    """The query of one rule: its worst finding, as one row of the same seven columns for every rule."""
    from mortality.quality.record_checks import given
    from mortality.quality.records import TABLE

    fields = ", ".join(f"'{name}', {sql}" for name, sql in test.columns().items() if name not in ("death_id", "source"))
    worst_first = f"ORDER BY {test.probability} DESC" if test.joins and "CASE" in test.probability else ""
    query = f"""(
        SELECT '{rule.id}', CAST({test.value} AS DOUBLE), CAST({test.expected} AS DOUBLE), CAST({test.lower} AS DOUBLE),
               CAST({test.upper} AS DOUBLE), {test.explanation}, CAST(json_object({fields}) AS VARCHAR)
        FROM {TABLE} r {test.joins} WHERE ({test.judged}) AND ({test.breach}) {worst_first} LIMIT 1)"""
    return query.format(**given(rule))


def _problem(rule: Rule, test: RecordTest, row: dict[str, Any]) -> Problem:
    """The finding in words, without the unit and month that everybody who types it knows."""
    words = {**json.loads(row["fields"]), **{name: row[name] for name in ("value", "expected", "lower", "upper")}}
    sentence = record_sentence(rule, words)
    return Problem(rule.id, rule.severity, str(words.get("field") or test.field), sentence, suggestion(words))


def record_sentence(rule: Rule, words: Mapping[str, Any]) -> str:
    """The rule's question without unit and month, in the current language."""
    from tkyt_analysis.labels import current_language
    from tkyt_analysis.quality.findings import finding_question

    bare = _Question({current_language(): rule.question[current_language()].removeprefix(_NO_UNIT)})
    sentence = finding_question(bare, words, unit="")
    return sentence[:1].upper() + sentence[1:]


def suggestion(words: Mapping[str, Any]) -> str:
    """The suggestion that a finding carries, in words; "" where it has none."""
    key = str(words.get("suggestion") or "")
    return label(f"suggestion.{key}", **{name: value for name, value in words.items() if name != "key"}) if key else ""


@dataclass(frozen=True)
class _Question:
    """A rule's question alone, as `finding_question` asks for it."""

    question: Mapping[str, str]

"""SQL on a release: read-only, within the account's scope, bounded in memory; mistakes are answered with sentences."""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import duckdb
import pandas as pd

from tkyt_analysis.api.about import About
from tkyt_analysis.api.table import FigureTable
from tkyt_analysis.catalog import load_entries
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.labels import all_labels, current_language, format_number, label
from tkyt_analysis.settings import memory_megabytes
from tkyt_analysis.warehouse.release import Release

MOST_MEGABYTES = 512  # of one result in memory; a query itself may use what settings.memory_megabytes says, then spills
_ROWS = 50_000
_MISSING_TABLE = re.compile(r"Table with name \"?([^\s\"]+?)\"? does not exist")
_MISSING_COLUMN = re.compile(r"[Cc]olumn \"([^\"]+)\" not found")
_CLOSED = re.compile(r"disabled|[Cc]annot access|not allowed|locked", re.S)


class SqlDoor:
    """A connection of its own to a release: what a query does there touches no other question."""

    def __init__(self, release: Release) -> None:
        self._of = release

    @cached_property
    def release(self) -> Release:
        """The release opened again, its connection closed to every file but the release's own."""
        opened = Release(self._of.home, self._of.release_id, scope=self._of.reads)
        if opened.reads.nation:
            con = opened.con
            folder = opened.directory.as_posix().replace("'", "''")
            con.execute(f"SET allowed_directories = ['{folder}/']")
            con.execute("SET enable_external_access = false; SET lock_configuration = true")
        return opened

    def ask(self, query: str, tables: dict[str, pd.DataFrame] | None = None) -> FigureTable:
        """Rows of one SELECT. InputError for anything else, for unknown names and for results that are too large."""
        con = self.release.con.cursor()
        try:
            _require_select(con, query)
            for name, table in (tables or {}).items():
                con.register(name, pd.DataFrame(table))
            rows = _bounded(con.execute(query))
        except duckdb.Error as error:
            raise self._sentence(error, query) from None
        finally:
            con.close()
        return self._table(rows)

    def _table(self, rows: pd.DataFrame) -> FigureTable:
        table = FigureTable(rows)
        manifest = self.release.manifest
        parts = ("snapshot", "catalog_version", "code_version", "data_as_of", "practice")
        passport = {"release": self.release.release_id, **{name: manifest[name] for name in parts}}
        table.about = About(passport=passport, remarks=(label("api.sql_remark"),))
        return table

    def _sentence(self, error: duckdb.Error, query: str) -> InputError | ProcessingError:
        text = str(error)
        if isinstance(error, duckdb.OutOfMemoryException):
            return ProcessingError("error.api.sql_memory", megabytes=format_number(memory_megabytes()))
        if found := _MISSING_TABLE.search(text):
            near = get_close_matches(found[1].lower(), self.release.tables(), n=3, cutoff=0.4)
            known = ", ".join(near or self.release.tables()[:6])
            return InputError("error.api.sql_table", table=found[1], nearest=known)
        if found := _MISSING_COLUMN.search(text):
            near = get_close_matches(found[1].lower(), self._columns_of(query), n=3, cutoff=0.4)
            known = ", ".join(near or self._columns_of(query)) or "–"
            return InputError("error.api.sql_column", column=found[1], nearest=known)
        if isinstance(error, (duckdb.PermissionException, duckdb.InvalidInputException)) and _CLOSED.search(text):
            return InputError("error.api.sql_closed")
        return InputError("error.api.sql_wrong", problem=_first_line(text))

    def _columns_of(self, query: str) -> list[str]:
        """Columns of the release's tables that a query names."""
        named = [table for table in self.release.tables() if re.search(rf"\b{re.escape(table)}\b", query)]
        found: dict[str, None] = {}
        for table in named:
            if self.release.has(table):
                found |= dict.fromkeys(row[0] for row in self.release.con.execute(f'DESCRIBE "{table}"').fetchall())
        return list(found)


def _require_select(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Only one statement, and only one that reads."""
    statements = con.extract_statements(query)
    if len(statements) != 1:
        raise InputError("error.api.sql_one", found=len(statements))
    if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
        raise InputError("error.api.sql_select", found=statements[0].type.name)


def _bounded(result: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """All rows of a result, or an InputError once they would take more memory than is good for a notebook."""
    import pyarrow as pa

    reader = result.to_arrow_reader(_ROWS)
    batches: list[pa.RecordBatch] = []
    size = 0
    for batch in reader:
        size += batch.nbytes
        if size > MOST_MEGABYTES * 1_000_000:
            rows = sum(one.num_rows for one in batches)
            raise InputError("error.api.sql_large", rows=format_number(rows), megabytes=MOST_MEGABYTES)
        batches.append(batch)
    return pa.Table.from_batches(batches, schema=reader.schema).to_pandas()


def _first_line(text: str) -> str:
    """DuckDB's own words without the candidates and the picture of the line."""
    return text.split("\n\n")[0].split("\nLINE")[0].replace("\n", " ").strip()


def tables_of(release: Release) -> FigureTable:
    """name, rows (that the account sees), what one row is: of every table of the release."""
    rows = []
    for name in release.tables():
        counted = release.con.execute(f'SELECT count(*) FROM "{name}"').fetchone() if release.has(name) else (0,)
        rows.append((name, counted[0] if counted else 0, table_words(name)))
    return _listing(rows, ["table", "rows", "what"], label("api.tables_heading", None, release=release.release_id))


def table_words(name: str) -> str:
    """What a table holds, from its catalog entry, else from the labels."""
    language = current_language()
    if f"api.table.{name}" in all_labels():
        return label(f"api.table.{name}", language)
    entry = load_entries("datasets").get(name)
    return entry.title[language] if entry else "–"


def columns_of(release: Release, table: str) -> FigureTable:
    """column, type, unit and meaning of a table of the release; InputError names the nearest table."""
    from tkyt_analysis.api.names import find_name

    name = find_name(table, {one: [table_words(one)] for one in release.tables()}, kind="table")
    if not release.has(name):
        raise InputError("error.api.table_empty", table=name)
    language = current_language()
    entry = load_entries("datasets").get(name)
    known: dict[str, Any] = dict(entry.columns) if entry else {}
    rows = []
    for column, kind, *_ in release.con.execute(f'DESCRIBE "{name}"').fetchall():
        about = known.get(column)
        title = about.title[language] if about and about.title else _column_words(column)
        rows.append((column, kind.lower(), (about.unit or "") if about else "", title))
    return _listing(rows, ["column", "type", "unit", "what"], f"{name}: {table_words(name)}")


def _column_words(column: str) -> str:
    """The word of a column that other entries have too, else of our own list, else "–"."""
    language = current_language()
    if f"api.column.{column}" in all_labels():
        return label(f"api.column.{column}", language)
    titles = [entry.columns[column].title for entry in load_entries("datasets").values() if column in entry.columns]
    return next((title[language] for title in titles if title), "–")


def _listing(rows: list[tuple[Any, ...]], columns: list[str], heading: str) -> FigureTable:
    table = FigureTable(pd.DataFrame(rows, columns=columns))
    table.about = About(heading=heading)
    return table

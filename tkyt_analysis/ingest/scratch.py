"""A place on disk to sort a big file: rows go in as Parquet, are classified in SQL, and come out in pieces.

Memory stays flat however long the file is: DuckDB is held to half of `settings.memory_megabytes` and spills into the same folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tkyt_analysis.ingest.scratch_place import scratch_place
from tkyt_analysis.settings import memory_megabytes

BATCH_ROWS = 100_000
ROW_GROUP = 250_000
PART_ROWS = 3_000_000  # rows compared with one another at a time


class Scratch:
    """A DuckDB connection and a Parquet file in a folder of their own, both gone at the end. A context manager."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema
        self._folder = tempfile.TemporaryDirectory(prefix="tkyt-scratch-", dir=scratch_place())
        self.path = Path(self._folder.name) / "raw.parquet"
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(self.path, schema, compression="lz4")
        self._waiting: list[pa.Table] = []
        self.rows = 0
        self.con = duckdb.connect()
        self.con.execute(
            f"SET memory_limit = '{memory_megabytes() // 2}MB'; SET threads = 2; SET temp_directory = '{self._folder.name}/spill';"
            "SET preserve_insertion_order = false; SET enable_progress_bar = false"
        )

    def add(self, rows: pa.Table) -> None:
        """Append rows of the schema; they are written in row groups of at least ROW_GROUP rows."""
        self._waiting.append(rows.cast(self.schema))
        self.rows += rows.num_rows
        if sum(table.num_rows for table in self._waiting) >= ROW_GROUP:
            self._flush()

    def _flush(self) -> None:
        if self._writer and self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting = []

    def close_input(self, name: str = "raw") -> None:
        """No more rows come: the view `name` has them all."""
        self._flush()
        if self._writer:
            self._writer.close()
            self._writer = None
        self.con.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{self.path}')")

    def put(self, name: str, rows: pd.DataFrame | pa.Table) -> None:
        """A small look-up table for joins."""
        self.con.register("incoming", rows)
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM incoming")
        self.con.unregister("incoming")

    def find_shared_keys(self, rows: str) -> list[str]:
        """Which rows share their key with another row.

        rows : SQL that gives row_number and key (a hash)
        Makes the table `suspects` (row_number, key). Returns SQL conditions on it, one per part, that take in every row
        once, all rows of a key together, and PART_ROWS rows or so at a time; none where no key is shared.
        """
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE hashed AS {rows}")
        self.con.execute("CREATE OR REPLACE TEMP TABLE shared (key UBIGINT)")
        parts = -(-self.rows // PART_ROWS)
        for part in range(parts):
            self.con.execute(
                f"INSERT INTO shared SELECT key FROM hashed WHERE key % {parts} = {part} GROUP BY key HAVING count(*) > 1"
            )
        self.con.execute("CREATE OR REPLACE TEMP TABLE suspects AS FROM hashed SEMI JOIN shared USING (key)")
        self.con.execute("DROP TABLE hashed; DROP TABLE shared")
        found = self.con.execute("SELECT count(*) FROM suspects").fetchone()
        parts = -(-found[0] // PART_ROWS) if found else 0
        return [f"key % {parts} = {part}" for part in range(parts)]

    def frame(self, sql: str) -> pd.DataFrame:
        """A small result."""
        return self.con.execute(sql).df()

    def pieces(self, sql: str) -> Iterator[pa.Table]:
        """A large result in tables of at most BATCH_ROWS rows."""
        reader = self.con.execute(sql).to_arrow_reader(BATCH_ROWS)
        for batch in reader:
            if batch.num_rows:
                yield pa.Table.from_batches([batch])

    def __enter__(self) -> Scratch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.con.close()
        if self._writer:
            self._writer.close()
        self._folder.cleanup()

"""CSV read so that every record knows its line, and a damaged line costs nothing but itself.

The text is cut at line ends and parsed by Arrow in blocks. Lines whose quotes do not close are looked at one
by one: they may be records with a line break inside a quoted field; if they are not, they alone are broken and reading
goes on with the next line. Memory is one block, whatever the size of the file.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa

BLOCK = 8 << 20
MAX_LINE = 1 << 20
MAX_RECORD_LINES = 50
DELIMITERS = (",", ";", "\t", "|")


class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True)
class BrokenLine:
    """A line that is no record: its number, its text (shortened), why (label key) and what the sentence names."""

    row_number: int
    text: str
    reason: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Records:
    """A piece of a CSV: `table` has row_number and the text columns c0, c1, …; `broken` are lines that are no record."""

    table: pa.Table
    broken: list[BrokenLine]


@dataclass(frozen=True)
class Layout:
    """How a CSV is written: its delimiter, the header's cells, and the line it stands in (from 1)."""

    delimiter: str
    header: tuple[str, ...]
    header_line: int


def find_layout(head: bytes, score: Callable[[list[str]], float], *, lines: int = 60) -> Layout | None:
    """The delimiter and header line for which `score(cells)` is highest, None where it is never above 0.

    head : the first bytes of the text as UTF-8. Lines that start with "#" are comments.
    """
    texts = head.decode("utf-8", errors="replace").removeprefix("\ufeff").splitlines()[:lines]
    best: tuple[float, Layout] | None = None
    for number, text in enumerate(texts, start=1):
        if text.startswith("#") or not text.strip():
            continue
        for delimiter in DELIMITERS:
            cells = [cell.strip() for cell in _cells(text, delimiter)]
            found = score(cells)
            if found > 0 and (best is None or found > best[0]):
                best = (found, Layout(delimiter, tuple(cells), number))
    return best[1] if best else None


def _cells(text: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error:
        return text.split(delimiter)


def read_records(stream: Readable, layout: Layout, *, block_size: int = BLOCK) -> Iterator[Records]:
    """The records below the header line in bounded pieces.

    Blank lines and lines that start with "#" are no records. A record with too few or too many fields, an
    unclosed quote, bytes that are no text, or a line above MAX_LINE bytes is a BrokenLine.
    """
    reader = _Reader(layout)
    rest, line, ended = b"", 1, False
    while not ended:
        got = _fill(stream, block_size)
        ended = not got
        data = rest + (got or b"\n")
        cut = data.rfind(b"\n") + 1
        if not cut:
            rest = reader.skip_long_line(stream, data, line) if len(data) > MAX_LINE else data
            continue
        block, rest = data[:cut], data[cut:]
        if line <= layout.header_line:
            passed = _after_lines(block, layout.header_line - line + 1)
            line += block.count(b"\n", 0, passed)
            block = block[passed:]
        piece, used = reader.read_block(block, line, last=ended)
        yield piece
        line += block.count(b"\n", 0, used)
        rest = block[used:] + rest


def _fill(stream: Readable, size: int) -> bytes:
    """`size` bytes, fewer only at the end: packed streams give small pieces."""
    pieces, missing = [], size
    while missing > 0 and (piece := stream.read(missing)):
        pieces.append(piece)
        missing -= len(piece)
    return b"".join(pieces)


def _after_lines(block: bytes, count: int) -> int:
    """Where `count` lines of the block have passed; its end, if it has fewer."""
    position = 0
    for _ in range(count):
        position = block.find(b"\n", position) + 1
        if not position:
            return len(block)
    return position


class _Reader:
    """Parses blocks of whole lines; keeps what must wait for the next block."""

    def __init__(self, layout: Layout) -> None:
        self.layout, self.width = layout, len(layout.header)
        self.names = [f"c{number}" for number in range(self.width)]
        self.oversized: list[BrokenLine] = []

    def empty(self) -> pa.Table:
        return pa.table({"row_number": pa.array([], pa.int64()), **{n: pa.array([], pa.string()) for n in self.names}})

    def take_oversized(self) -> list[BrokenLine]:
        taken, self.oversized = self.oversized, []
        return taken

    def skip_long_line(self, stream: Readable, data: bytes, line: int) -> bytes:
        """Throw away a line that never ends, up to its end; it becomes one broken line. Returns what follows it."""
        self.oversized.append(_broken(line, data[:200], "quarantine.csv_line_too_long", limit=MAX_LINE))
        while block := stream.read(BLOCK):
            end = block.find(b"\n")
            if end >= 0:
                return b"\n" + block[end + 1 :]  # an empty line stands where the long one stood
        return b""

    def read_block(self, block: bytes, first_line: int, *, last: bool) -> tuple[Records, int]:
        """(records, bytes used): fewer than all where a quote is open near the end and more lines may come."""
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == 10)
        if not len(ends):
            return Records(self.empty(), self.take_oversized()), len(block)
        starts = np.concatenate(([0], ends[:-1] + 1))
        keep = np.ones(len(ends), dtype=bool)
        self._mask_no_records(block, starts, ends, keep)
        too_long = np.flatnonzero(keep & (ends - starts > MAX_LINE))
        keep[too_long] = False
        fields, numbers, broken, stop = self._odd_lines(block, starts, ends, keep, first_line, last)
        keep[stop:] = False
        for index in too_long[too_long < stop]:
            raw = block[starts[index] : starts[index] + 200]
            broken.append(_broken(int(first_line + index), raw, "quarantine.csv_line_too_long", limit=MAX_LINE))
        used = len(block) if stop == len(ends) else int(starts[stop])
        table, more = self._parse(block, starts, ends, np.flatnonzero(keep), first_line)
        if fields:
            table = pa.concat_tables([table, self._table(fields, numbers)])
        return Records(table, [*self.take_oversized(), *broken, *more]), used

    def _mask_no_records(self, block: bytes, starts: np.ndarray, ends: np.ndarray, keep: np.ndarray) -> None:
        """Blank lines and comment lines are not parsed."""
        data = np.frombuffer(block, np.uint8)
        lengths = ends - starts
        first = data[starts]
        keep &= ~((lengths == 0) | ((lengths == 1) & (first == 13)) | (first == ord("#")))

    def _odd_lines(
        self, block: bytes, starts: np.ndarray, ends: np.ndarray, keep: np.ndarray, first_line: int, last: bool
    ) -> tuple[list[list[str]], list[int], list[BrokenLine], int]:
        """Lines with an odd number of quotes: single lines, records over several lines, or broken."""
        fields: list[list[str]] = []
        numbers: list[int] = []
        broken: list[BrokenLine] = []
        next_free = 0
        for index in self._odd_indices(block, ends):
            if index < next_free or not keep[index]:
                continue
            found, count = self._record_at(block, starts, ends, index)
            few_lines_follow = index + MAX_RECORD_LINES >= len(ends)
            if found is None and not last and few_lines_follow and (index > 0 or len(block) < MAX_LINE):
                return fields, numbers, broken, int(index)
            keep[index : index + count] = False
            next_free = index + count
            number = int(first_line + index)
            if found is None:
                text = block[starts[index] : ends[index]]
                broken.append(_broken(number, text, "quarantine.csv_open_quote"))
            else:
                fields.append(found)
                numbers.append(number)
        return fields, numbers, broken, len(ends)

    def _odd_indices(self, block: bytes, ends: np.ndarray) -> np.ndarray:
        if b'"' not in block:
            return np.array([], dtype=int)
        quotes = np.flatnonzero(np.frombuffer(block, np.uint8) == ord('"'))
        per_line = np.bincount(np.searchsorted(ends, quotes), minlength=len(ends))
        return np.flatnonzero(per_line % 2)

    def _record_at(
        self, block: bytes, starts: np.ndarray, ends: np.ndarray, index: int
    ) -> tuple[list[str] | None, int]:
        """The record that begins in line `index`, over as few lines as close its quotes; (None, 1) if none does."""
        for count in range(1, min(MAX_RECORD_LINES, len(ends) - index) + 1):
            raw = block[starts[index] : ends[index + count - 1]]
            if count > 1 and raw.count(b'"') % 2:
                continue
            found = self._fields(raw)
            if found is not None:
                return found, count
            if count > 1:
                break
        return None, 1

    def _fields(self, raw: bytes) -> list[str] | None:
        """The fields of exactly one well-formed record of the right width, else None."""
        try:
            text = raw.rstrip(b"\r").decode("utf-8")
            rows = list(csv.reader(text.splitlines(keepends=True), delimiter=self.layout.delimiter, strict=True))
        except (UnicodeDecodeError, csv.Error):
            return None
        if len(rows) != 1:
            return None
        row = rows[0]
        if len(row) > self.width and not any(cell.strip() for cell in row[self.width :]):
            row = row[: self.width]  # delimiters at the end of the line, nothing behind them
        return row if len(row) == self.width else None

    def _parse(
        self, block: bytes, starts: np.ndarray, ends: np.ndarray, kept: np.ndarray, first_line: int
    ) -> tuple[pa.Table, list[BrokenLine]]:
        if not len(kept):
            return self.empty(), []
        text = block if len(kept) == len(ends) else b"".join(block[starts[i] : ends[i] + 1] for i in kept)
        if not text.isascii() and not _is_text(text):  # Arrow cannot show a wrong line whose bytes are no text
            is_good = [bool(_is_text(block[starts[i] : ends[i]])) for i in kept]
            bad_lines = [
                _broken(int(first_line + i), block[starts[i] : ends[i]], "quarantine.bad_encoding")
                for i, fine in zip(kept, is_good, strict=True)
                if not fine
            ]
            table, others = self._parse(block, starts, ends, kept[np.array(is_good)], first_line)
            return table, [*bad_lines, *others]
        numbers = kept + first_line
        parsed = self._arrow(text, len(kept))
        if parsed is None:
            return self._line_by_line(block, starts, ends, kept, first_line)
        raw, bad = parsed
        rescued, broken = self._wrong_width([(int(numbers[at]), text) for at, text in bad])
        good = np.delete(numbers, [at for at, _ in bad]) if bad else numbers
        table, undecodable = _decode(raw, good, self.names)
        if rescued:
            table = pa.concat_tables([table, self._table([f for _, f in rescued], [n for n, _ in rescued])])
        return table, [*broken, *undecodable]

    def _arrow(self, text: bytes, lines: int) -> tuple[pa.Table, list[tuple[int, str]]] | None:
        """Arrow's parse of single-line records; None where its count of records is not the count of lines."""
        from pyarrow import csv as arrow_csv

        bad: list[tuple[int, str]] = []

        def keep_invalid(row: arrow_csv.InvalidRow) -> str:
            bad.append((row.number - 1, row.text))
            return "skip"

        try:
            raw = arrow_csv.read_csv(
                pa.BufferReader(text),
                arrow_csv.ReadOptions(use_threads=False, column_names=self.names, block_size=len(text) + 1),
                arrow_csv.ParseOptions(
                    delimiter=self.layout.delimiter,
                    invalid_row_handler=keep_invalid,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                ),
                arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self.names, pa.binary()),
                    strings_can_be_null=False,
                    quoted_strings_can_be_null=False,
                ),
            )
        except (pa.ArrowInvalid, UnicodeDecodeError):
            return None
        return (raw, bad) if raw.num_rows + len(bad) == lines else None

    def _line_by_line(
        self, block: bytes, starts: np.ndarray, ends: np.ndarray, kept: np.ndarray, first_line: int
    ) -> tuple[pa.Table, list[BrokenLine]]:
        """The slow way, for a block whose quotes confuse Arrow."""
        lines = [(int(first_line + i), block[starts[i] : ends[i]]) for i in kept]
        undecodable = [_broken(number, raw, "quarantine.bad_encoding") for number, raw in lines if not _is_text(raw)]
        texts = [(number, raw) for number, raw in lines if _is_text(raw)]
        good = [(number, found) for number, raw in texts if (found := self._fields(raw)) is not None]
        known = {number for number, _ in good}
        rescued, broken = self._wrong_width([(n, raw.decode("utf-8")) for n, raw in texts if n not in known])
        good += rescued
        return self._table([f for _, f in good], [n for n, _ in good]), [*undecodable, *broken]

    def _wrong_width(self, lines: list[tuple[int, str]]) -> tuple[list[tuple[int, list[str]]], list[BrokenLine]]:
        """Lines of another width: taken where only empty fields stand too many, else broken."""
        rescued, broken = [], []
        for number, text in lines:
            found = self._fields(text.encode("utf-8", "surrogateescape"))
            if found is not None:
                rescued.append((number, found))
                continue
            count = len(_cells(text, self.layout.delimiter))
            raw = text.encode("utf-8", "replace")
            broken.append(
                _broken(number, raw, "quarantine.csv_field_count", found=count, expected=self.width)
                if count != self.width
                else _broken(number, raw, "quarantine.csv_open_quote")
            )
        return rescued, broken

    def _table(self, fields: list[list[str]], numbers: list[int]) -> pa.Table:
        columns = [[row[at] for row in fields] for at in range(self.width)]
        return pa.table(
            {
                "row_number": pa.array(numbers, pa.int64()),
                **{name: pa.array(cells, pa.string()) for name, cells in zip(self.names, columns, strict=True)},
            }
        )


def _decode(raw: pa.Table, numbers: np.ndarray, names: list[str]) -> tuple[pa.Table, list[BrokenLine]]:
    """Binary columns as text; a row with bytes that are no UTF-8 is broken."""
    broken: list[BrokenLine] = []
    try:
        columns = {name: raw[name].cast(pa.string()) for name in names}
    except pa.ArrowInvalid:
        bad = np.zeros(raw.num_rows, dtype=bool)
        for name in names:
            bad |= np.array([not _is_text(value) for value in raw[name].to_pylist()])
        for at in np.flatnonzero(bad):
            text = b" | ".join(raw[name][int(at)].as_py() or b"" for name in names)
            broken.append(_broken(int(numbers[at]), text, "quarantine.bad_encoding"))
        raw, numbers = raw.filter(pa.array(~bad)), numbers[~bad]
        columns = {name: raw[name].cast(pa.string()) for name in names}
    return pa.table({"row_number": pa.array(numbers, pa.int64()), **columns}), broken


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _broken(number: int, text: bytes, reason: str, **fields: object) -> BrokenLine:
    shown = text[:200].decode("utf-8", errors="replace").strip()
    return BrokenLine(number, shown, reason, {"text": shown[:80], **fields})

"""What was coded once is remembered: in the process, and in a file of the user's cache for the next one.

The file is keyed by the version of the dictionary, the titles and the calibration; its keys are hashes (a
register's words may hold names), and codes whose access is restricted (HIV) stay out of it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mortality.coding.library import Library

MOST = 5
WORTH_WRITING = 200
LARGEST = 500_000
VERSIONS_KEPT = 3  # libraries with different learnt entries take turns
_RESTRICTED = ("B20", "B21", "B22", "B23", "B24", "Z21", "R75", "F02.4", "O98.7")
_CODES = tuple(f"code_{number}" for number in range(1, MOST + 1))
_SCORES = tuple(f"score_{number}" for number in range(1, MOST + 1))


@dataclass(frozen=True)
class Remembered:
    """What a decision needs of the candidates: codes and scores in order, rule and certainty of the first."""

    codes: tuple[str, ...]
    scores: tuple[float, ...]
    rule: str
    certainty: str


_known: dict[str, dict[bytes, Remembered]] = {}


def cache_folder() -> Path:
    """Where remembered decisions lie: TKYT_CACHE, else the user's cache folder."""
    base = os.environ.get("TKYT_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "tkyt"
    )
    return Path(base) / "coding"


def memory_version(library: Library) -> str:
    """Changes with everything a decision depends on: dictionary with learnt entries, titles, and the engine."""
    return blake2b(f"{library.version} {engine_version()}".encode(), digest_size=8).hexdigest()


@cache
def engine_version() -> str:
    """Changes with the word lists, the tables, the calibration and the code of the engine."""
    from tkyt_analysis.catalog.codelists import codelist_path

    digest = blake2b(digest_size=8)
    lists = ("cause_text_words", "cause_word_synonyms", "cause_reading_words", "cause_readings", "cause_context")
    for name in (*lists, "coding_calibration"):
        digest.update(codelist_path(name).read_bytes())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _key(text: str, sex: str, age: float, maternal: str) -> bytes:
    return blake2b(f"{text}\x1f{sex}\x1f{age}\x1f{maternal}".encode(), digest_size=12).digest()


class Memory:
    """`with Memory() as memory: memory.look_up(text, sex, age, maternal)`; the file is written at the end."""

    def __init__(self, library: Library | None = None) -> None:
        from mortality.coding.library import load_library

        self.library = library or load_library()
        self.version = memory_version(self.library)
        self.new = 0
        self.path = cache_folder() / f"{self.version}.parquet"

    def __enter__(self) -> Memory:
        if self.version not in _known:
            for older in list(_known)[: -VERSIONS_KEPT + 1]:
                del _known[older]
            _known[self.version] = self._read()
        self.known = _known[self.version]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.new >= WORTH_WRITING:
            self._write()

    def look_up(self, text: str, sex: str, age: float, maternal: str) -> Remembered:
        """What is known of one distinct key, asked from the engine at its first time; age below 0 is unknown."""
        key = _key(text, sex, age, maternal)
        found = self.known.get(key)
        if found is None:
            found = _ask(self.library, text, sex, age, maternal)
            if len(self.known) < LARGEST:
                self.known[key] = found
            self.new += 1
        return found

    def _read(self) -> dict[bytes, Remembered]:
        """The remembered decisions; a file that cannot be read is as good as none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        if not self.path.is_file():
            return {}
        try:
            table = pq.read_table(self.path)
            columns = {name: table.column(name).to_pylist() for name in ("key", "size", *_CODES, "rule", "certainty")}
            scores = zip(*(table.column(name).to_numpy().tolist() for name in _SCORES))
        except (OSError, pa.ArrowInvalid, KeyError):
            return {}
        codes = zip(*(columns[name] for name in _CODES))
        rest = zip(columns["key"], columns["size"], columns["rule"], columns["certainty"])
        return {
            key: Remembered(of_codes[:size], of_scores[:size], rule, certainty)
            for (key, size, rule, certainty), of_codes, of_scores in zip(rest, codes, scores)
        }

    def _write(self) -> None:
        """The file anew, complete or not at all; older versions go. Without a place to write nothing is kept."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        kept = [pair for pair in self.known.items() if not "".join(pair[1].codes[:1]).startswith(_RESTRICTED)]
        columns: dict[str, list[object]] = {
            "key": [key for key, _ in kept],
            "size": [len(one.codes) for _, one in kept],
            "rule": [one.rule for _, one in kept],
            "certainty": [one.certainty for _, one in kept],
        }
        for place, (code, score) in enumerate(zip(_CODES, _SCORES)):
            columns[code] = [one.codes[place] if place < len(one.codes) else "" for _, one in kept]
            columns[score] = [one.scores[place] if place < len(one.scores) else 0.0 for _, one in kept]
        table = pa.table(columns)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            unfinished = self.path.with_suffix(f".{os.getpid()}")
            pq.write_table(table, unfinished)
            unfinished.replace(self.path)
            kept_files = sorted(self.path.parent.glob("*.parquet"), key=lambda one: one.stat().st_mtime)
            for older in kept_files[:-VERSIONS_KEPT]:
                older.unlink(missing_ok=True)
        except OSError:
            return


def _ask(library: Library, text: str, sex: str, age: float, maternal: str) -> Remembered:
    from mortality.coding.routes import Person
    from mortality.coding.suggest import candidates

    found = candidates(text, library, Person(sex or None, None if age < 0 else age, maternal), MOST)
    return Remembered(
        tuple(one.code for one in found),
        tuple(one.score for one in found),
        found[0].rule if found else "",
        found[0].certainty if found else "",
    )

"""What was coded once is remembered: in the process, and in a file of the user's cache for the next one.

The file is keyed by the version of the dictionary, the titles and the calibration; its keys are hashes (a
register's words may hold names), and codes whose access is restricted (HIV) stay out of it.
"""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mortality.coding.suggest import Candidate

MOST = 5
WORTH_WRITING = 200
LARGEST = 500_000
_RESTRICTED = ("B20", "B21", "B22", "B23", "B24", "Z21", "R75", "F02.4", "O98.7")
_COLUMNS = ("code", "score", "rule", "expression", "certainty")
_known: dict[str, dict[bytes, tuple[Candidate, ...]]] = {}


def cache_folder() -> Path:
    """Where remembered decisions lie: TKYT_CACHE, else the user's cache folder."""
    base = os.environ.get("TKYT_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "tkyt"
    )
    return Path(base) / "coding"


def memory_version() -> str:
    """Changes with everything a decision depends on: dictionary, titles, word lists, tables, calibration, the engine."""
    from mortality.coding.library import load_library
    from tkyt_analysis.catalog.codelists import codelist_path

    digest = blake2b(load_library().version.encode(), digest_size=8)
    lists = ("cause_text_words", "cause_word_synonyms", "cause_reading_words", "cause_readings", "cause_context")
    for name in (*lists, "coding_calibration"):
        digest.update(codelist_path(name).read_bytes())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    return digest.hexdigest()


def _key(text: str, sex: str, age: float, maternal: str) -> bytes:
    return blake2b(f"{text}\x1f{sex}\x1f{age}\x1f{maternal}".encode(), digest_size=12).digest()


class Memory:
    """`with Memory() as memory: memory.candidates(text, sex, age, maternal)`; the file is written at the end."""

    def __init__(self) -> None:
        self.version = memory_version()
        self.new = 0
        self.path = cache_folder() / f"{self.version}.parquet"

    def __enter__(self) -> Memory:
        if self.version not in _known:
            _known.clear()
            _known[self.version] = self._read()
        self.known = _known[self.version]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and self.new >= WORTH_WRITING:
            self._write()

    def candidates(self, text: str, sex: str, age: float, maternal: str) -> list[Candidate]:
        """The candidates of one distinct key; age below 0 is unknown."""
        from mortality.coding.suggest import suggest_codes

        key = _key(text, sex, age, maternal)
        found = self.known.get(key)
        if found is None:
            found = tuple(
                suggest_codes(
                    text, limit=MOST, sex=sex or None, age_years=None if age < 0 else age, maternal=maternal or None
                )
            )
            if len(self.known) < LARGEST:
                self.known[key] = found
            self.new += 1
        return list(found)

    def _read(self) -> dict[bytes, tuple[Candidate, ...]]:
        """The remembered decisions; a file that cannot be read is as good as none."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from mortality.coding.suggest import Candidate

        if not self.path.is_file():
            return {}
        try:
            table = pq.read_table(self.path).to_pydict()
        except (OSError, pa.ArrowInvalid):
            return {}
        found: dict[bytes, list[Candidate]] = {}
        for key, *values in zip(table["key"], *(table[name] for name in _COLUMNS)):
            group = found.setdefault(key, [])
            if values[0]:
                group.append(Candidate(*values))
        return {key: tuple(group) for key, group in found.items()}

    def _write(self) -> None:
        """The file anew, complete or not at all; older versions go. Without a place to write nothing is kept."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows: dict[str, list[object]] = {"key": [], **{name: [] for name in _COLUMNS}}
        for key, group in self.known.items():
            if any(one.code.startswith(_RESTRICTED) for one in group):
                continue
            for one in group or (None,):
                rows["key"].append(key)
                for name in _COLUMNS:
                    rows[name].append(getattr(one, name) if one else (0.0 if name == "score" else ""))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            unfinished = self.path.with_suffix(f".{os.getpid()}")
            pq.write_table(pa.table(rows), unfinished)
            unfinished.replace(self.path)
            for older in self.path.parent.glob("*.parquet"):
                if older != self.path:
                    older.unlink(missing_ok=True)
        except OSError:
            return

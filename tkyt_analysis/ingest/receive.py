"""Receive files: keep their bytes, find the door of each, store all its rows in one transaction.

Guarantees, each with a test: a file is whole in the warehouse or not at all; the same bytes received again
change nothing; received = landed + quarantined for every file; a killed run, run again, ends like an
undisturbed one. The restricted store is written first and the `received_file` row last, so that identifiers
of a file that was never finished are replaced by the next run and are not reachable from any death.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from tkyt_analysis.access import require, working_within
from tkyt_analysis.access.audit import record
from tkyt_analysis.access.masking import mask_text
from tkyt_analysis.catalog import catalog_version
from tkyt_analysis.errors import InputError, ProcessingError
from tkyt_analysis.ingest.door import Batch, Door, Quarantined, ReceivedFile
from tkyt_analysis.ingest.passport import read_passport
from tkyt_analysis.ingest.scratch_place import scratch_in
from tkyt_analysis.ingest.staging import Staging
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.version import code_version
from tkyt_analysis.warehouse.custody import has, keep, opened
from tkyt_analysis.warehouse.disk import raise_disk_trouble, says_disk_trouble
from tkyt_analysis.warehouse.keys import read_key
from tkyt_analysis.warehouse.lake import Warehouse
from tkyt_analysis.warehouse.work_folder import private_folder

FILES_PER_TRANSACTION = 32
ROWS_PER_TRANSACTION = 2_000_000
SURE_ENOUGH = 0.3
UNKNOWN, LAST = 9, 10  # ranks: after all that doors know; an archive after its members

Progress = Callable[[int, int, str], None]


class ArchiveDoor:
    """An archive itself: its members hold the rows; it is on record once they are, so that it is not unpacked again."""

    id = "archive"

    def recognise(self, file: ReceivedFile) -> float:
        return 0.0

    def read(self, file: ReceivedFile, context: Any) -> Iterator[Batch]:
        return iter(())


ARCHIVE = ArchiveDoor()


@dataclass
class IngestResult:
    """What one run did. `files` has one row per file: name, sha256, door, status, received, landed, quarantined, notes."""

    files: list[dict[str, Any]] = field(default_factory=list)

    def total(self, column: str) -> int:
        """Sum of a count over the files that were read in this run."""
        return sum(row.get(column) or 0 for row in self.files)


@dataclass(frozen=True)
class Context:
    """What doors may ask of what has landed so far (see `door.IngestContext`); one query per table and group."""

    warehouse: Warehouse
    language: str = "vi"
    cache: dict[str, pd.DataFrame] = field(default_factory=dict)

    def table(self, name: str) -> pd.DataFrame:
        """All rows of a reference table, read once per group of files."""
        if name not in self.cache:
            self.cache[name] = self.warehouse.query(
                f'SELECT * EXCLUDE (file_sha256, sheet, row_number) FROM lake."{name}"'
            )
        return self.cache[name]

    def units(self) -> pd.DataFrame:
        return self.table("organisation_unit")

    def unit_aliases(self) -> pd.DataFrame:
        return self.table("unit_alias")

    def data_elements(self) -> pd.DataFrame:
        return self.table("data_element")


@says_disk_trouble
def ingest(
    home: Path,
    paths: Iterable[Path],
    *,
    language: str = "vi",
    progress: Progress | None = None,
    retry: bool = False,
) -> IngestResult:
    """Receive files and folders into the warehouse of `home`.

    retry : read files again that left rows in quarantine (e.g. once the unit list has been mended)
    Returns what happened to each file. Raises InputError for a path that does not exist.
    """
    require(home, "receive")
    files = list(find_files(paths))
    result = IngestResult()
    with (
        working_within(),
        Warehouse(home, write=True) as warehouse,
        private_folder(home) as folder,
        scratch_in(folder),
    ):
        known = _known_files(warehouse, retry=retry)
        waiting = _recognised(home, files, known, result, progress)
        for number, group in enumerate(_groups(waiting)):
            _ingest_group(
                warehouse,
                group,
                result,
                language,
                progress,
                done=number * FILES_PER_TRANSACTION,
                total=len(waiting),
                retry=retry,
            )
    read = [row for row in result.files if row["status"] == "read"]
    record(home, "ingest", rows=result.total("received"), files=len(read), quarantined=result.total("quarantined"))
    return result


def find_files(paths: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """(path, name as received) of each file, folders walked in the order of names; hidden files are no data."""
    for given in paths:
        path = Path(given).expanduser()
        if path.is_file():
            yield path, path.name
        elif path.is_dir():
            for inner in sorted(path.rglob("*")):
                relative = inner.relative_to(path)
                if inner.is_file() and not any(part.startswith((".", "~$")) for part in relative.parts):
                    yield inner, relative.as_posix()
        else:
            raise InputError("error.path_missing", path=path)


def doors() -> list[Door]:
    """Every door of the core and of the installed modules."""
    return [load_object(reference) for reference in parts("doors").values()]


def best_door(file: ReceivedFile, candidates: list[Door]) -> Door | None:
    """The door that is surest of a file, None where none recognises it."""
    scored = [(_sureness(door, file), -number) for number, door in enumerate(candidates)]
    score, place = max(scored)
    return candidates[-place] if score >= SURE_ENOUGH else None


def _sureness(door: Door, file: ReceivedFile) -> float:
    """What a door says of a file; one that fails on a damaged file does not know it, and costs no other file."""
    try:
        return door.recognise(file)
    except Exception:  # whatever is wrong with the file, reading it will say so
        return 0.0


def _rank(door: Door, file: ReceivedFile) -> int:
    try:
        return getattr(door, "rank", _second)(file)
    except Exception:  # as in `_sureness`
        return _second(file)


def _known_files(warehouse: Warehouse, *, retry: bool) -> dict[str, str]:
    where = "WHERE rows_quarantined = 0" if retry else ""
    rows = warehouse.con.execute(f"SELECT file_sha256, file_name FROM lake.received_file {where}").fetchall()
    return dict(rows)


def _recognised(
    home: Path,
    files: list[tuple[Path, str]],
    known: dict[str, str],
    result: IngestResult,
    progress: Progress | None,
) -> list[tuple[int, str, ReceivedFile, Door | None]]:
    """(rank, name, file, door) of the files still to be read, reference data first."""
    candidates = doors()
    waiting: list[tuple[int, str, ReceivedFile, Door | None]] = []
    seen = dict(known)
    for number, (path, name) in enumerate(files):
        if progress:
            progress(number, len(files), name)
        if not _can_be_read(path):
            waiting.append((UNKNOWN, name, _no_access(path, name), None))
            continue
        sha256, _ = keep(home, path)
        if sha256 in seen:
            result.files.append(
                {"name": mask_text(name), "sha256": sha256, "status": "known", "first_name": seen[sha256]}
            )
            continue
        seen[sha256] = mask_text(name)
        file = ReceivedFile(path, name, sha256, path.stat().st_size)
        members = _members(home, file)
        if members != [file]:
            waiting.append((LAST, name, file, ARCHIVE))
        for member in members:
            if member is not file and member.sha256 in seen:
                known_as = seen[member.sha256]
                result.files.append(
                    {"name": mask_text(member.name), "sha256": member.sha256, "status": "known", "first_name": known_as}
                )
                continue
            seen[member.sha256] = mask_text(member.name)
            door = best_door(member, candidates)
            rank = _rank(door, member) if door else UNKNOWN
            waiting.append((rank, member.name, member, door))
    return sorted(waiting, key=lambda item: item[:2])


def _members(home: Path, file: ReceivedFile) -> list[ReceivedFile]:
    """The members of an archive as it lies in custody; of any other file the file itself."""
    from tkyt_analysis.ingest.safe_open import expand, file_kind

    if file_kind(file.path) != "zip":
        return [file]
    try:
        with opened(home, file.sha256) as plain:
            return list(expand(replace(file, path=plain))) or [file]
    except Exception as problem:  # an archive that cannot be opened: `_unknown_file` says why
        raise_disk_trouble(problem, home)
        return [file]


def _can_be_read(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError:
        return False
    return True


def _no_access(path: Path, name: str) -> ReceivedFile:
    """A file that may not be opened: one quarantined row under its name, as there are no bytes to keep."""
    import hashlib

    from tkyt_analysis.ingest.safe_open import RefusedMember

    sha256 = hashlib.sha256(f"no access/{name}".encode()).hexdigest()
    return RefusedMember(path, name, sha256, 0, "", "error.file_no_access")


def _second(file: ReceivedFile) -> int:
    return 1


def _groups(
    waiting: list[tuple[int, str, ReceivedFile, Door | None]],
) -> Iterator[list[tuple[ReceivedFile, Door | None]]]:
    """Files that share a transaction: of one rank, at most FILES_PER_TRANSACTION, big files alone."""
    group: list[tuple[ReceivedFile, Door | None]] = []
    current = None
    for rank, _, file, door in waiting:
        if group and (rank != current or len(group) >= FILES_PER_TRANSACTION or file.size > 50_000_000):
            yield group
            group = []
        current = rank
        group.append((file, door))
    if group:
        yield group


def _ingest_group(
    warehouse: Warehouse,
    group: list[tuple[ReceivedFile, Door | None]],
    result: IngestResult,
    language: str,
    progress: Progress | None,
    *,
    done: int,
    total: int,
    retry: bool,
) -> None:
    staging = Staging(warehouse.con, read_key(warehouse.home, "pseudonym"))
    context = Context(warehouse, language)
    try:
        for number, (file, door) in enumerate(group):
            if progress:
                progress(min(done + number, total), total, file.name)
            with _from_custody(warehouse.home, file, door) as readable:
                _stage_file(staging, readable, door, context)
        with warehouse.turn():
            if not retry:
                group = _without_stored_meanwhile(warehouse, staging, group, result)
            for _, gate in sorted(parts("gates").items()):
                load_object(gate)(warehouse, staging)
            rows = [_received_row(file, door, staging.counts[file.sha256]) for file, door in group]
            if rows:
                _store(warehouse, staging, pd.DataFrame(rows), replace=retry)
    finally:
        staging.clear()
    result.files += [
        {
            "name": row["file_name"],
            "sha256": row["file_sha256"],
            "door": row["door"],
            "status": "read",
            "received": row["rows_received"],
            "landed": row["rows_landed"],
            "quarantined": row["rows_quarantined"],
            "notes": row["notes"],
        }
        for row in rows
    ]


def _without_stored_meanwhile(
    warehouse: Warehouse, staging: Staging, group: list[tuple[ReceivedFile, Door | None]], result: IngestResult
) -> list[tuple[ReceivedFile, Door | None]]:
    """The group without files that another process has stored since this run began; called in the turn to commit."""
    listed = ", ".join(f"'{file.sha256}'" for file, _ in group)
    sql = f"SELECT file_sha256, file_name FROM lake.received_file WHERE file_sha256 IN ({listed})"
    stored = dict(warehouse.con.execute(sql).fetchall())
    for file, _ in group:
        if file.sha256 in stored:
            staging.forget(file.sha256)
            staging.files.remove(file.sha256)
            known_as = stored[file.sha256]
            result.files.append(
                {"name": mask_text(file.name), "sha256": file.sha256, "status": "known", "first_name": known_as}
            )
    return [(file, door) for file, door in group if file.sha256 not in stored]


@contextlib.contextmanager
def _from_custody(home: Path, file: ReceivedFile, door: Door | None) -> Iterator[ReceivedFile]:
    """The file with a path to its kept bytes. Members of archives are unpacked already; an archive is not read."""
    if file.member or door is ARCHIVE or not has(home, file.sha256):
        yield file
        return
    with opened(home, file.sha256) as plain:
        yield replace(file, path=plain)


def _stage_file(staging: Staging, file: ReceivedFile, door: Door | None, context: Context) -> None:
    """Every batch of a file; a file that no door knows or can read becomes one quarantined row."""
    staging.start(file.sha256)
    staging.passports[file.sha256], staging.paths[file.sha256] = read_passport(file.path), file.path
    try:
        _read_into(staging, file, door, context)
    except ProcessingError:
        raise
    except InputError as error:
        _refuse(staging, file, door, error)
    except Exception as problem:  # a fault of a door must not cost the other files; it is said, and kept
        raise_disk_trouble(problem, context.warehouse.home)
        said = _where_it_failed(problem)
        name = door.id if door else ""
        _refuse(staging, file, door, InputError("error.door_failed", file=file.name, door=name, problem=said))


def _where_it_failed(problem: Exception) -> str:
    """Kind of the fault and its place in the code; not its message, which may hold what stood in the file."""
    trace = problem.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" ({Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})" if trace else ""
    return f"{type(problem).__name__}{place}"


def _read_into(staging: Staging, file: ReceivedFile, door: Door | None, context: Context) -> None:
    if door is None:
        raise _unknown_file(file)
    for batch in door.read(file, context):
        staging.add(file.sha256, batch, door.id)
    if staging.counts[file.sha256][0] == 0 and door is not ARCHIVE:
        raise InputError("error.file_without_rows", file=file.name)


def _refuse(staging: Staging, file: ReceivedFile, door: Door | None, error: InputError) -> None:
    """The whole file becomes one quarantined row that says why."""
    staging.forget(file.sha256)
    fields = {name: mask_text(value) if isinstance(value, str) else value for name, value in error.fields.items()}
    refused = Quarantined(reason=error.key, value=mask_text(file.name), fields=fields)
    batch = Batch("received_file", pd.DataFrame(), [refused], received=1)
    staging.add(file.sha256, batch, door.id if door else "none")


def _unknown_file(file: ReceivedFile) -> InputError:
    """Why no door takes a file: what `safe_open` says of its bytes, else that its layout is unknown."""
    from tkyt_analysis.ingest.excel_grid import require_filled_workbook
    from tkyt_analysis.ingest.safe_open import file_kind, require_readable

    try:
        require_readable(file)
        if file_kind(file.path) in ("xlsx", "xls", "ods"):
            require_filled_workbook(file.path, name=file.name)
    except InputError as error:
        return error
    return InputError("error.file_not_recognised", file=file.name)


def _received_row(file: ReceivedFile, door: Door | None, counts: list[int]) -> dict[str, Any]:
    return {
        "file_sha256": file.sha256,
        "file_name": mask_text(file.name),
        "size_bytes": file.size,
        "received_at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "door": door.id if door else "",
        "rows_received": counts[0],
        "rows_landed": counts[1],
        "rows_quarantined": counts[2],
        "notes": counts[3],
        "code_version": code_version(),
        "catalog_version": catalog_version(),
    }


def _store(warehouse: Warehouse, staging: Staging, received: pd.DataFrame, *, replace: bool) -> None:
    """Identifiers first, then everything else together with the received_file rows, each lake in one transaction.

    replace : rows of these files may be in the lake already (they are read again). Identifiers may be there in any case.
    """
    con = warehouse.con
    if staging.tables("restricted"):
        with warehouse.restricted(), warehouse.transaction():
            staging.store("restricted")
    with warehouse.transaction():
        staging.store("lake", replace=replace)
        files = ", ".join(f"'{sha256}'" for sha256 in received["file_sha256"])
        if replace:
            con.execute(f"DELETE FROM lake.received_file WHERE file_sha256 IN ({files})")
        con.register("incoming", received)
        con.execute("INSERT INTO lake.received_file BY NAME SELECT * FROM incoming")
        con.unregister("incoming")
        require_balance(warehouse, files)


def require_balance(warehouse: Warehouse, files: str) -> None:
    """received = landed + quarantined, counted in the lake itself before the commit."""
    sql = f"""
        SELECT file_name, rows_received, rows_landed, rows_quarantined, coalesce(q.n, 0)
        FROM lake.received_file f
        LEFT JOIN (SELECT file_sha256, count(*) n FROM lake.quarantine WHERE file_sha256 IN ({files}) GROUP BY 1) q
        USING (file_sha256)
        WHERE file_sha256 IN ({files})
          AND (rows_received <> rows_landed + rows_quarantined OR rows_quarantined <> coalesce(q.n, 0))
    """
    wrong = warehouse.con.execute(sql).fetchone()
    if wrong:
        raise InputError(
            "error.ingest_balance", file=wrong[0], received=wrong[1], landed=wrong[2], quarantined=wrong[4]
        )

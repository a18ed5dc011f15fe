"""`make_practice_data`: run every maker of practice data and say what was made."""

from __future__ import annotations

import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tkyt_analysis.errors import InputError
from tkyt_analysis.modules import load_object, parts
from tkyt_analysis.practice.world import (
    DEFAULT_SEED,
    NOTE,
    NOTE_EN,
    PracticeSource,
    Progress,
    Scale,
    World,
    create_world,
)


@dataclass(frozen=True)
class PracticeSummary:
    """What one run made.

    received : {first folder under received/: [files, bytes]}
    planted : {kind of defect: rows of the truth table}
    seconds : {source id: wall seconds}
    """

    scale: str
    seed: int
    directory: str
    communes: int
    months: int
    received: dict[str, list[int]]
    planted: dict[str, int]
    seconds: dict[str, float]
    peak_memory_mb: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, e.g. for JSON."""
        return asdict(self)


def make_practice_data(
    scale: str | Scale,
    directory: Path | str,
    seed: int = DEFAULT_SEED,
    progress: Progress | None = None,
    *,
    provinces: tuple[str, ...] | None = None,
    profile: str = "light",
) -> PracticeSummary:
    """Write received/ and truth/ of a scale ("commune", "province", "national") into `directory`.

    The directory must be empty or absent. Same scale and seed give the same bytes. Raises InputError
    for an unknown scale or a directory that already holds something. `provinces` (VN2024 codes) narrows
    the scale; `profile` says how much is spoilt ("light" or "heavy").
    """
    directory = Path(directory)
    if directory.exists() and any(directory.iterdir()):
        raise InputError("error.practice_directory_not_empty", directory=directory)
    world = create_world(scale, directory, seed, provinces=provinces, profile=profile)
    _write_readme(world)
    seconds = {}
    for source in practice_sources():
        started = time.perf_counter()
        source.make(world, progress or _silent)
        seconds[source.id] = round(time.perf_counter() - started, 2)
    return PracticeSummary(
        scale=world.scale.id,
        seed=seed,
        directory=str(world.directory),
        communes=len(world.communes),
        months=len(world.scale.months),
        received=_folders(world.directory / "received"),
        planted=planted_counts(world.directory),
        seconds=seconds,
        peak_memory_mb=_peak_memory_mb(),
    )


def practice_sources() -> list[PracticeSource]:
    """The makers of every installed module, in the order of their ids."""
    found = sorted(parts("practice").items())
    return [load_object(reference) for _, reference in found]


def planted_counts(directory: Path | str) -> dict[str, int]:
    """{kind: rows} of the truth table under `directory`."""
    import duckdb

    files = str(Path(directory) / "truth" / "truth" / "*.parquet")
    if not list(Path(directory).glob("truth/truth/*.parquet")):
        return {}
    with duckdb.connect() as connection:
        query = "select kind, count(*) from read_parquet(?) group by kind order by kind"
        return dict(connection.execute(query, [files]).fetchall())


def _peak_memory_mb() -> float:
    """The largest resident size of this process plus, where workers ran, that of the largest worker."""
    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(used) / 1024, 1)


def _silent(step: str, share: float) -> None:
    pass


def _folders(root: Path) -> dict[str, list[int]]:
    totals: dict[str, list[int]] = {}
    for path in sorted(root.rglob("*")):
        if path.is_file():
            entry = totals.setdefault(path.relative_to(root).parts[0], [0, 0])
            entry[0] += 1
            entry[1] += path.stat().st_size
    return totals


def _write_readme(world: World) -> None:
    from tkyt_analysis.labels import label

    world.directory.mkdir(parents=True, exist_ok=True)
    texts = [label("practice.readme", language, scale=world.scale.id, seed=world.seed) for language in ("vi", "en")]
    text = f"# {NOTE}\n{NOTE_EN}\n\n" + "\n\n".join(texts) + "\n"
    (world.directory / "README.md").write_text(text, "utf-8")

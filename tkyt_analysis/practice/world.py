"""The imagined country of one practice run: its places, people, months, random streams and truth table.

Every maker of practice data (`PracticeSource`) gets one `World`. Two rules keep runs comparable: a
random stream belongs to (seed, names), so that adding a maker never changes what the others draw; and
everything that is made wrong on purpose is written to the truth table.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa

NOTE = "Số liệu mô phỏng – không phải số liệu thật"
NOTE_EN = "Synthetic data – not real figures"
DEFAULT_SEED = 20261122
MERGER_MONTH = "202507"  # first month of the two-tier government: VN2025 units report from here on
TRUTH_COLUMNS = [
    "id",
    "kind",
    "unit_id",
    "period_id",
    "element",
    "true_value",
    "shown_value",
    "file",
    "place_in_file",
]
AGE_GROUPS = ("0", "1-4", *(f"{age}-{age + 4}" for age in range(5, 85, 5)), "85+")
SEXES = ("male", "female")

Progress = Callable[[str, float], None]  # (what is being made, share done 0..1)


@dataclass(frozen=True)
class Scale:
    """How much is made: months from `first_month` to `last_month` ("YYYYMM", both included).

    provinces : VN2024 province codes, or None for all 63
    communes : at most about this many old communes, whole new communes only; None for all
    """

    id: str
    first_month: str
    last_month: str
    provinces: tuple[str, ...] | None = None
    communes: int | None = None

    @property
    def months(self) -> list[str]:
        """Every month as "YYYYMM", in order."""
        return [
            f"{month:%Y%m}"
            for month in pd.period_range(self._dash(self.first_month), self._dash(self.last_month), freq="M")
        ]

    @property
    def years(self) -> list[int]:
        """Every calendar year touched, in order."""
        return list(range(int(self.first_month[:4]), int(self.last_month[:4]) + 1))

    @staticmethod
    def _dash(month: str) -> str:
        return f"{month[:4]}-{month[4:]}"


SCALES = {
    "commune": Scale("commune", "202401", "202512", provinces=("51",), communes=12),
    "province": Scale("province", "202101", "202512", provinces=("51",)),
    "national": Scale("national", "201601", "202512"),
}


@dataclass(frozen=True)
class World:
    """One imagined country.

    directory : root of what is written: `received/` (what the ministry would receive) and `truth/`
    communes : one row per old commune: unit_id ("VN2024:…"), name, full_name, district_id, district_name,
        province_id, province_name, successor_id ("VN2025:…", the default target), successor_name,
        persons (2024), remoteness (0 town … 1 far village)
    profile : how much is spoilt: "light" (the rates of `tkyt_analysis.practice.rates`) or "heavy"
    """

    scale: Scale
    seed: int
    directory: Path
    communes: pd.DataFrame
    profile: str = "light"
    _truth_parts: Counter[str] = field(default_factory=Counter, repr=False, compare=False)

    def rng(self, *names: object) -> np.random.Generator:
        """The random stream of (seed, names); streams of other names never influence it."""
        text = "\x1f".join(str(name) for name in (self.seed, *names))
        words = np.frombuffer(hashlib.sha256(text.encode()).digest(), dtype=np.uint32)
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(words.tolist())))

    def population(self, year: int) -> pd.DataFrame:
        """Mid-year persons of `year`: unit_id, sex, age_group ("0", "1-4", "5-9", … "85+"), persons (whole).

        Over all communes of a province they sum exactly to the province's figure of that year.
        """
        from tkyt_analysis.practice.people import commune_population

        return commune_population(self.communes["unit_id"], year, self.seed)

    def received_path(self, *parts: str) -> Path:
        """A path under received/, its folder made."""
        return self._made("received", *parts)

    def truth_path(self, *parts: str) -> Path:
        """A path under truth/, its folder made."""
        return self._made("truth", *parts)

    def write_truth(self, kind: str, rows: pd.DataFrame | pa.Table, *, part: str = "") -> int:
        """Store what was planted: columns TRUTH_COLUMNS, all text; returns the number of rows.

        Where `id` or `kind` is absent it is filled in (a `kind` column in the rows wins: several kinds may
        come at once). `file` is the path below received/. Each call writes one file
        truth/truth/<kind>[-part]-<n>.parquet; makers that work in several processes name their `part`, so
        that file names and ids never meet.
        """
        from tkyt_analysis.practice.writing import truth_columns, write_parquet

        if len(rows) == 0:
            return 0
        stem = f"{kind}-{part}" if part else kind
        number = self._truth_parts[stem]
        self._truth_parts[stem] += 1
        path = self.truth_path("truth", f"{stem}-{number:05d}.parquet")
        write_parquet(truth_columns(rows, kind, f"{stem}-{number}"), path)
        return len(rows)

    def _made(self, *parts: str) -> Path:
        path = self.directory.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class PracticeSource(Protocol):
    """A maker of one kind of received file; found through `Module.practice`, run in the order of its id."""

    id: str

    def make(self, world: World, progress: Progress) -> None:
        """Write the files under received/ and what was planted to the truth table."""
        ...


def create_world(
    scale: str | Scale,
    directory: Path | str,
    seed: int = DEFAULT_SEED,
    *,
    provinces: tuple[str, ...] | None = None,
    profile: str = "light",
) -> World:
    """The world of a scale; `provinces` (VN2024 codes) narrows it, e.g. for benchmarks.

    Raises InputError for an unknown scale.
    """
    from dataclasses import replace

    from tkyt_analysis.errors import InputError
    from tkyt_analysis.practice.people import practice_communes

    if isinstance(scale, str):
        if scale not in SCALES:
            raise InputError("error.practice_scale", scale=scale, known=", ".join(SCALES))
        scale = SCALES[scale]
    if provinces is not None:
        scale = replace(scale, provinces=tuple(provinces))
    return World(scale, seed, Path(directory).absolute(), practice_communes(scale, seed), profile)

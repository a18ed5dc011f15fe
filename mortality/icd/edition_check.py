"""Which edition does a file speak? Share of its codes valid in WHO's edition only, the US one only, both or neither.

Codes that only the US edition knows are the quickest sign that hospital (ICD-10-CM) data were handed in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mortality.icd.cm import is_clinical_modification, map_clinical_modification
from mortality.icd.editions import FLAGS, Edition
from mortality.icd.who import has_code_shape, is_valid_code, normalise_code, replace_legacy, without_fifth_character
from tkyt_analysis.errors import InputError

CLASSES = ("both", "who_only", "legacy", "cm_only", "neither")
CM_SUSPECTED_FROM = 0.02  # share of codes that only CM knows; real death records (WHO) have 0, hospital files over half
ROWS_AT_ONCE = 200_000


@dataclass(frozen=True)
class EditionCheck:
    """Codes counted by class; `suggestions` maps each code of CM only to the WHO code ("" = a person decides).

    against : where a further edition was asked for: codes that it does not list, and codes under each of its flags
    """

    codes: int
    classes: dict[str, int]
    examples: dict[str, list[tuple[str, int]]]
    suggestions: dict[str, str] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    against: dict[str, int] = field(default_factory=dict)

    def share(self, name: str) -> float:
        """Share of codes in a class, 0–1; 0 where there are no codes."""
        return self.classes[name] / self.codes if self.codes else 0.0

    @property
    def looks_like_cm(self) -> bool:
        """True where codes that only the US edition knows are too many for slips of the pen."""
        return self.share("cm_only") >= CM_SUSPECTED_FROM


def classify_code(written: str) -> str:
    """both | who_only | legacy | cm_only | neither for one written code."""
    code = normalise_code(written)
    in_who, in_cm = is_valid_code(code) or bool(without_fifth_character(code)), is_clinical_modification(code)
    if in_who:
        return "both" if in_cm else "who_only"
    if replace_legacy(code):
        return "legacy"
    return "cm_only" if in_cm else "neither"


def check_edition(codes: Iterable[str], *, examples: int = 10, against: Edition | None = None) -> EditionCheck:
    """Count written codes (repeats count) by the editions that know them; empty ones are left out."""
    counted = Counter(code for code in map(normalise_code, codes) if code)
    return _summarise(counted, examples, (), against)


def _against(counted: Counter[str], against: Edition | None) -> dict[str, int]:
    """Codes that an edition does not list, and codes that bear its flags (a three-character code that must be finer)."""
    if against is None:
        return {}
    found = Counter({"not_listed": sum(times for code, times in counted.items() if not against.is_valid(code))})
    for code, times in counted.items():
        for flag in against.flags(code):
            found[flag] += times
    return {name: found[name] for name in ("not_listed", *FLAGS) if name == "not_listed" or found[name]}


def _summarise(counted: Counter[str], examples: int, columns: tuple[str, ...], against: Edition | None) -> EditionCheck:
    by_class: dict[str, Counter[str]] = {name: Counter() for name in CLASSES}
    for code, times in counted.items():
        by_class[classify_code(code)][code] = times
    shown = {
        name: sorted(found.items(), key=lambda item: (-item[1], item[0]))[:examples] for name, found in by_class.items()
    }
    return EditionCheck(
        codes=sum(counted.values()),
        classes={name: sum(found.values()) for name, found in by_class.items()},
        examples=shown,
        suggestions={code: map_clinical_modification(code) for code in sorted(by_class["cm_only"])},
        columns=columns,
        against=_against(counted, against),
    )


def check_edition_of_file(
    path: Path, *, columns: tuple[str, ...] = (), examples: int = 10, against: Edition | None = None
) -> EditionCheck:
    """The same for a CSV file, block by block; memory holds the distinct codes only.

    columns : the columns of codes, several codes in a cell apart by blanks (default: those in which most filled cells
    of the first block have the shape of codes). Raises InputError for a file that cannot be read or has no such column.
    """
    counted: Counter[str] = Counter()
    chosen = columns
    for block in _blocks(Path(path)):
        chosen = chosen or code_columns(block)
        missing = [column for column in chosen if column not in block]
        if missing or not chosen:
            raise InputError(
                "error.icd_check_columns", file=Path(path).name, missing=", ".join(missing) or "–",
                found=", ".join(map(str, block.columns)),
            )  # fmt: skip
        for column in chosen:
            for cell, times in block[column].value_counts().items():
                for code in str(cell).replace(",", " ").replace(";", " ").split():
                    counted[normalise_code(code)] += int(times)
    counted.pop("", None)
    return _summarise(counted, examples, tuple(chosen), against)


def code_columns(block: pd.DataFrame) -> tuple[str, ...]:
    """Columns in which at least 80 % of the filled cells hold codes only."""
    return tuple(str(name) for name in block.columns if _share_of_codes(block[name]) >= 0.8)


def _share_of_codes(cells: pd.Series) -> float:
    filled = cells[cells.str.strip() != ""].head(2_000)
    if filled.empty:
        return 0.0
    words = filled.str.split(r"[\s,;]+", regex=True)
    return float(words.map(lambda cell: all(has_code_shape(normalise_code(word)) for word in cell if word)).mean())


def _blocks(path: Path) -> Iterator[pd.DataFrame]:
    try:
        with pd.read_csv(
            path, dtype=str, keep_default_na=False, chunksize=ROWS_AT_ONCE, encoding="utf-8-sig", comment=None
        ) as blocks:
            yield from blocks
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError, OSError) as error:
        raise InputError("error.icd_check_file", file=path.name) from error

"""Names as people write them: blanks, decomposed letters, legacy fonts, and two spellings of one name. For any list of names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

import pandas as pd

from tkyt_analysis.reference.vietnamese_text import fold

_ODD_BLANK = re.compile("[\t\r\n\u00a0\u1680\u2000-\u200d\u202f\u205f\u2060\u3000\ufeff]")
PROBLEMS = (
    "leading_blank",
    "trailing_blank",
    "double_blank",
    "odd_blank",
    "decomposed",
    "legacy_font",
    "two_spellings",
)


@lru_cache(maxsize=20_000)
def legacy_reading(name: str) -> str:
    """The name as Unicode where it is plainly typed in a legacy font (TCVN3, VNI), else ""."""
    from tkyt_analysis.ingest.legacy_fonts import read_text

    reading = read_text(_ODD_BLANK.sub(" ", name))
    return reading.decoded if reading.state == "legacy" else ""


def tidy_name(name: str) -> str:
    """The name in Unicode NFC with single plain blanks, letters as they are."""
    text = legacy_reading(name) or name
    return " ".join(_ODD_BLANK.sub(" ", unicodedata.normalize("NFC", text)).split())


def name_problems(names: Iterable[object]) -> pd.DataFrame:
    """What is wrong with the spelling of names: one row per different name and problem.

    names : any list, repeats and missing values allowed
    Columns: name (as written), problem (of PROBLEMS), suggestion (the tidy name; of two spellings the commonest),
    rows (how often the name stands in the list). Sorted by name.
    """
    written = pd.Series([name for name in names if isinstance(name, str) and name], dtype="str")
    counts = written.value_counts(sort=False)
    found = [(name, problem, tidy_name(name)) for name in counts.index for problem in _own_problems(name)]
    found += _two_spellings(counts)
    rows = pd.DataFrame(found, columns=["name", "problem", "suggestion"], dtype="str")
    rows["rows"] = rows["name"].map(counts).astype("int64")
    return rows.sort_values(["name", "problem"], ignore_index=True)


def _own_problems(name: str) -> list[str]:
    tests = {
        "leading_blank": name != name.lstrip(),
        "trailing_blank": name != name.rstrip(),
        "double_blank": "  " in name.strip(),
        "odd_blank": bool(_ODD_BLANK.search(name)),
        "decomposed": unicodedata.normalize("NFC", name) != name,
        "legacy_font": legacy_reading(name) != "",
    }
    return [problem for problem, wrong in tests.items() if wrong]


def _two_spellings(counts: pd.Series) -> list[tuple[str, str, str]]:
    """Names that fold to one but differ once tidy (accents, case, đ): all but the commonest."""
    tidy = pd.DataFrame({"name": counts.index, "rows": counts.to_numpy()})
    tidy["tidy"], tidy["key"] = tidy["name"].map(tidy_name), tidy["name"].map(lambda name: fold(tidy_name(name)))
    sizes = tidy.groupby(["key", "tidy"], as_index=False)["rows"].sum()
    best = sizes.sort_values(["rows", "tidy"], ascending=[False, False]).drop_duplicates("key").set_index("key")["tidy"]
    tidy["best"] = tidy["key"].map(best)
    other = tidy[tidy["tidy"] != tidy["best"]]
    return list(zip(other["name"], ["two_spellings"] * len(other), other["best"]))


def unmatched_names(left: Iterable[object], right: Iterable[object]) -> pd.DataFrame:
    """Names of one list that no name of another equals, though one would once both are folded: lost in a join.

    Columns: name (of `left`), match (of `right`).
    """
    known = {name for name in right if isinstance(name, str)}
    by_key = {fold(name): name for name in sorted(known, reverse=True)}
    lost = sorted({name for name in left if isinstance(name, str) and name not in known and fold(name) in by_key})
    return pd.DataFrame({"name": lost, "match": [by_key[fold(name)] for name in lost]}, dtype="str")

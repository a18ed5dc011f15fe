"""Lists of garbage codes: those of the catalog, and others by file.

Shipped: `garbage_cdc_2021` (CDC/MITRE, Flagg 2021) and `garbage_mathers_2005`. They are cause lists whose item USABLE takes the
rest, so the partition check holds for them too. A list that may not be shipped (GBD) is read from a file of the user's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from mortality.icd import normalise_code
from mortality.tabulation.cause_lists import CauseList, compile_cause_list, load_cause_list
from tkyt_analysis.errors import InputError

DEFAULT_LIST = "garbage_cdc_2021"
SHIPPED = (DEFAULT_LIST, "garbage_mathers_2005")
USABLE = "USABLE"
NOT_UNDERLYING, NO_CODE = "not_underlying", "no_code"
CATEGORY_COLUMNS = ("category", "package", "cause")
SEVERITY_COLUMNS = ("severity", "level", "garbage_level")
_LEVELS = {"1": "very_high", "2": "high", "3": "medium", "4": "low"}
SEVERITIES = (*_LEVELS.values(), "")


@dataclass(frozen=True)
class GarbageList:
    """causes : code → category (item), USABLE for the rest; severity : category → very_high | high | medium | low, {} where the list gives none."""

    id: str
    causes: CauseList
    severity: Mapping[str, str] = field(default_factory=dict)

    @property
    def categories(self) -> list[str]:
        """The categories of the list, in its order."""
        return [item for item in self.causes.items["item"] if item != USABLE]

    def category_of(self, codes: pd.Series) -> pd.Series:
        """The category of each code: one of the list, USABLE, not_underlying (S–T, Z, asterisk …), no_code (no valid code)."""
        from mortality.tabulation.cause_lists import UNKNOWN

        number, distinct = pd.factorize(codes)
        written = pd.Series(distinct, dtype="str")
        found = self.causes.item_of(written).replace({UNKNOWN: NO_CODE})
        impossible = written.map(_is_never_underlying).astype(bool) & found.eq(USABLE)
        found = found.mask(impossible, NOT_UNDERLYING)
        values = pd.array([*found, NO_CODE], dtype="str")
        return pd.Series(values.take(number), index=codes.index)


def _is_never_underlying(written: str) -> bool:
    """A code of a chapter, or of WHO's lists, that is never an underlying cause."""
    from mortality.tabulation.partition import never_underlying

    code = normalise_code(written)
    return code[:1] in ("S", "T", "Z") or code in never_underlying()


def load_garbage_list(name: str | Path = DEFAULT_LIST) -> GarbageList:
    """A shipped list by its id, else a file by its path; InputError where it is neither."""
    if str(name) in SHIPPED:
        return GarbageList(str(name), load_cause_list(str(name)))
    if Path(name).is_file():
        return read_garbage_file(Path(name))
    raise InputError("error.garbage_list_unknown", found=name, known=", ".join(SHIPPED))


def read_garbage_file(path: Path) -> GarbageList:
    """A list from a CSV: column code (prefixes or ranges, dot optional) and level (1–4) or severity and/or category.

    Of two rows that hold one code, the longer (more precise) one wins. GBD levels 1 to 4 are very_high, high, medium, low.
    Raises InputError that names the first line that cannot be read.
    """
    rows = _read(path)
    names = {str(name).strip().lower(): name for name in rows.columns}
    category = next((names[name] for name in CATEGORY_COLUMNS if name in names), None)
    severity = next((names[name] for name in SEVERITY_COLUMNS if name in names), None)
    if "code" not in names or (category is None and severity is None):
        raise InputError("error.garbage_columns", file=path.name, found=", ".join(map(str, rows.columns)))
    given = pd.DataFrame(
        {
            "icd10_ranges": rows[names["code"]].map(_with_dots),
            "category": rows[category].str.strip() if category else "",
            "severity": _severities(rows[severity], path) if severity else "",
        }
    )
    return _compile(path.stem, given)


def _read(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig", comment="#")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise InputError("error.garbage_file", file=path) from error


def _with_dots(text: str) -> str:
    return "-".join(normalise_code(part) for part in str(text).split("-"))


def _severities(written: pd.Series, path: Path) -> pd.Series:
    text = written.str.strip().str.lower().str.replace(" ", "_").replace(_LEVELS)
    wrong = written[~text.isin(SEVERITIES)]
    if len(wrong):
        raise InputError("error.garbage_severity", file=path.name, row=int(wrong.index[0]) + 2, found=wrong.iloc[0])
    return text


def _compile(list_id: str, given: pd.DataFrame) -> GarbageList:
    """One item per category and severity and length of code; the longer the code, the earlier its turn."""
    length = given["icd10_ranges"].str.len()
    item = (
        given["category"]
        .where(given["category"] != "", given["severity"])
        .where(
            (given["category"] == "") | (given["severity"] == ""), given["category"] + " (" + given["severity"] + ")"
        )
    )
    groups = given.assign(item=item, precedence=(99 - length).astype(str)).drop_duplicates(["item", "icd10_ranges"])
    joined = groups.groupby(["item", "precedence"], sort=False)["icd10_ranges"].agg(";".join).reset_index()
    rows = pd.concat(
        [joined, pd.DataFrame([{"item": USABLE, "precedence": "", "icd10_ranges": "*"}])], ignore_index=True
    )
    rows = rows.assign(label_vi=rows["item"], label_en=rows["item"], heading="")
    severity = dict(zip(item, given["severity"]))
    return GarbageList(list_id, _one_row_per_item(compile_cause_list(list_id, rows, edition="WHO-2019")), severity)


def _one_row_per_item(causes: CauseList) -> CauseList:
    from dataclasses import replace

    return replace(causes, items=causes.items.drop_duplicates("item", ignore_index=True))

"""Findings of the edits as a table: gathered as arrays, then one frame with the most serious first."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from mortality.validation.code_cells import FIELDS, CodeCells
from mortality.validation.edit_lists import checks

COLUMNS = [
    "id", "row", "severity", "check", "rule_id", "field", "code", "value", "lower", "upper", "suggestion", "verdict",
]  # fmt: skip
SEVERITIES = ("error", "warning", "note")


class Gathered:
    """Findings so far. `entries` are those about one code each, `rows` those about a whole record."""

    def __init__(self, cells: CodeCells) -> None:
        self.cells = cells
        self.parts: list[pd.DataFrame] = []

    def entries(self, check: str, chosen: np.ndarray, **more: Any) -> None:
        """A finding for each chosen entry of the codes; more : suggestion, value, lower, upper (a value, or one per entry)."""
        at = np.flatnonzero(chosen)
        given = {name: one[at] if isinstance(one, np.ndarray) else one for name, one in more.items()}
        hiv = self.cells.of("hiv")[at]
        suggestion = np.where(hiv, "", given.pop("suggestion", np.full(at.size, "", dtype=object)))
        codes = np.where(hiv, "", self.cells.of("shown")[at])  # a code that concerns HIV is not repeated
        fields = np.array(FIELDS, dtype=object)[self.cells.line[at]]
        self._add(check, self.cells.row[at], field=fields, code=codes, suggestion=suggestion, **given)

    def rows(self, check: str, chosen: np.ndarray, *, field: str | np.ndarray, **more: Any) -> None:
        """A finding for each chosen row."""
        at = np.flatnonzero(chosen)
        given = {
            name: one[at] if isinstance(one, np.ndarray) else one for name, one in {"field": field, **more}.items()
        }
        self._add(check, at, code="", **given)

    def _add(self, check: str, row: np.ndarray, **columns: Any) -> None:
        if row.size:
            self.parts.append(pd.DataFrame({"row": row, "check": check, **columns}))

    def table(self, ids: pd.Series, *, country: str) -> pd.DataFrame:
        """COLUMNS, each check once per record and code, errors first."""
        if not self.parts:
            return no_edit_findings()
        known = checks(country)
        found = pd.concat(self.parts, ignore_index=True).drop_duplicates(["row", "check", "code"])
        names, row = found["check"], found["row"].to_numpy(dtype=int)
        absent = {name: np.nan for name in ("value", "lower", "upper") if name not in found}
        found = found.assign(
            **absent,
            id=ids.to_numpy()[row],
            severity=names.map({name: one.severity for name, one in known.items()}),
            rule_id=names.map({name: one.rule for name, one in known.items()}),
            verdict=names.map({name: one.verdict for name, one in known.items()}),
            suggestion=found["suggestion"].fillna("") if "suggestion" in found else "",
        )
        rank = found["severity"].map({name: number for number, name in enumerate(SEVERITIES)})
        found = found.assign(rank=rank).sort_values(["rank", "row"], kind="stable")
        numbers = dict.fromkeys(("value", "lower", "upper"), "float64")
        texts = dict.fromkeys(("severity", "check", "rule_id", "field", "code", "suggestion", "verdict"), "str")
        return found[COLUMNS].astype({**numbers, **texts}).reset_index(drop=True)


def no_edit_findings() -> pd.DataFrame:
    """An empty table of findings with every column."""
    kinds = {"row": "int64", "value": "float64", "lower": "float64", "upper": "float64"}
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "str")) for name in COLUMNS})

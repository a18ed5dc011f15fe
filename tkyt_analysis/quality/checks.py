"""What a check is: a function of the catalog's rule that answers with findings and with how much it could judge.

A module brings checks as `Module.checks`: {function name that rules use: "package.module:CHECK"}, where CHECK is one
of the classes below. Results come in blocks, so that memory stays flat as rows grow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from tkyt_analysis.quality.panel import FormBlock, Panel

if TYPE_CHECKING:
    from tkyt_analysis.catalog.entries import Rule
    from tkyt_analysis.quality.context import CheckContext


@dataclass(frozen=True)
class CheckResult:
    """Findings of one rule, or of one block of it, and how many of how many units of work (reports, values, records)
    it judged. What was not judged is "not assessable", never passed."""

    findings: pd.DataFrame
    judged: int
    total: int


@dataclass(frozen=True)
class TableCheck:
    """A check that asks the context for tables in SQL: `run(context, rule)` → one result or several, block by block.

    needs : relations without which nothing can be judged (see `CheckContext`)
    """

    needs: tuple[str, ...]
    run: Callable[[CheckContext, Rule], CheckResult | Iterable[CheckResult]]


@dataclass(frozen=True)
class PanelCheck:
    """A check on one element at a time: `run(panel, parameters)` → rows for `make_findings` and how many cells it judged.

    `run` must be importable by name (it runs in worker processes). It returns (rows, judged, total): rows with any of
    the columns of `make_findings` (unit_id, period_id, value, expected, …); data set, element and category are added.
    """

    run: Callable[[Panel, Mapping[str, Any]], tuple[pd.DataFrame, int, int]]
    kinds: tuple[str, ...] = ("month", "administrative_month", "quarter")
    needs: tuple[str, ...] = ("aggregate_value",)


@dataclass(frozen=True)
class FormCheck:
    """A check on whole forms, some hundred units at a time: as `PanelCheck`, with a `FormBlock`.

    Rows name their element_id and category_id themselves ("" for the whole form).
    """

    run: Callable[[FormBlock, Mapping[str, Any]], tuple[pd.DataFrame, int, int]]
    kinds: tuple[str, ...] = ("month", "administrative_month", "quarter")
    needs: tuple[str, ...] = ("aggregate_value",)


Check = TableCheck | PanelCheck | FormCheck

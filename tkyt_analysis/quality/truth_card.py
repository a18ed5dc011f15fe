"""How good our own checks are: measured on planted errors, kept in the catalog, shown beside the check.

The code list `truth_card` is written by `benchmarks/bench_truth_card.py` (`make bench`), never by hand. One row per
check, panel and kind of planted error: planted, found, recall, precision, false_alarms_per_1000 (series-months or other
units of work judged), coverage (share that could be judged), seeds, measured (day).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from tkyt_analysis.catalog import read_codelist

NUMBERS = ["planted", "found", "recall", "precision", "false_alarms_per_1000", "coverage"]
COLUMNS = ["check", "panel", "kind", *NUMBERS, "seeds", "measured"]


def truth_card(check: str | None = None) -> pd.DataFrame:
    """The measured quality of all checks, or of one: COLUMNS."""
    rows = read_codelist("truth_card").reindex(columns=COLUMNS)
    rows = rows.assign(**{name: pd.to_numeric(rows[name], errors="coerce") for name in NUMBERS})
    return rows if check is None else rows[rows["check"] == check].reset_index(drop=True)


def card_summary() -> pd.DataFrame:
    """One row per check: recall over all planted errors of all panels, precision and false alarms as the median of its
    panels, coverage as the smallest; planted : how many errors the figures rest on. Index: check."""
    rows = truth_card()
    per_panel = rows.groupby(["check", "panel"], as_index=False).agg(
        planted=("planted", "sum"), found=("found", "sum"), precision=("precision", "first"),
        false_alarms_per_1000=("false_alarms_per_1000", "first"), coverage=("coverage", "first"),
    )  # fmt: skip
    checks = per_panel.groupby("check")
    summary = checks.agg(
        planted=("planted", "sum"), found=("found", "sum"), precision=("precision", "median"),
        false_alarms_per_1000=("false_alarms_per_1000", "median"), coverage=("coverage", "min"),
    )  # fmt: skip
    return summary.assign(recall=summary["found"] / summary["planted"].where(summary["planted"] > 0))


def expected_false_alarms(findings: pd.DataFrame) -> pd.DataFrame:
    """How many of the findings are probably no errors: rule_id, findings, expected_false, basis.

    basis : probability (the sum of 1 − probability), precision (of the truth card, times the number of findings),
    or unknown (neither is known: expected_false is missing, never 0)
    """
    rows = findings[~findings["verdict"].isin(["ok", "not_assessable", "shock"])]
    precision = card_summary()["precision"]
    lines = []
    for rule_id, own in rows.groupby("rule_id", sort=True):
        known = own["probability"].notna()
        share = float(precision.get(rule_id, np.nan))
        if known.all():
            lines.append((rule_id, len(own), float((1 - own["probability"]).sum()), "probability"))
        elif share == share:
            lines.append((rule_id, len(own), len(own) * (1 - share), "precision"))
        else:
            lines.append((rule_id, len(own), float("nan"), "unknown"))
    return pd.DataFrame(lines, columns=["rule_id", "findings", "expected_false", "basis"])

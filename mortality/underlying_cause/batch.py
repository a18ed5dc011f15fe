"""Many certificates at once: each distinct certificate is worked once, in chunks, on several processes where it pays."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mortality.underlying_cause.certificate import Certificate
from mortality.underlying_cause.due_to import CausalTable, DecisionTable, WhoCausalTable
from mortality.underlying_cause.engine import rules_of, select
from mortality.underlying_cause.facts import facts
from mortality.underlying_cause.profile import DEFAULT, RuleProfile
from mortality.underlying_cause.steps import Selection

WORKED_ON = (
    "line_a", "line_b", "line_c", "line_d", "part2", "sex", "age_value", "age_unit", "manner",
    "interval_a", "interval_b", "interval_c", "interval_d", "pregnancy", "surgery",
)  # fmt: skip
RESULT = ("id", "underlying_cause", "steps", "flags", "main_injury")


def select_underlying_causes(
    frame: pd.DataFrame,
    *,
    profile: RuleProfile = DEFAULT,
    decision_table: Path | None = None,
    workers: int | None = None,
) -> pd.DataFrame:
    """The underlying cause of each row.

    frame : id, sex, age_value, age_unit, line_a … line_d, part2 (codes apart by blanks, the dot optional) and optionally
        manner, interval_a … interval_d, pregnancy, surgery (see `Certificate`); other columns are not looked at
    profile : which edition and which rules
    decision_table : file of the decision table of NCHS; WHO §4.2.3 without it
    workers : processes; None lets the number of distinct certificates decide

    Returns id, underlying_cause (with dot, "" where there is no code), steps ("SP3>SP7>M1"), flags (apart by blanks),
    main_injury, one row per row of `frame`, same order and index.
    """
    columns = [name for name in WORKED_ON if name in frame]
    rules = rules_of(profile, causal_table(decision_table, profile))
    keys = list(zip(*(frame[name] for name in columns), strict=True)) if columns else [()] * len(frame)
    worked: dict[tuple, Selection] = {}
    for key in keys:
        if key not in worked:
            worked[key] = select(Certificate.from_row(dict(zip(columns, key, strict=True))), rules)
    return _result(frame, [worked[key] for key in keys])


def causal_table(path: Path | None, profile: RuleProfile) -> CausalTable | None:
    """The table of a file, or None for WHO's list."""
    if path is None:
        return None
    return DecisionTable(Path(path), fallback=WhoCausalTable(facts().rejected), ambivalent=profile.ambivalent)


def _result(frame: pd.DataFrame, found: list[Selection]) -> pd.DataFrame:
    ids = frame["id"] if "id" in frame else pd.Series(range(len(frame)), index=frame.index).astype(str)
    return pd.DataFrame(
        {
            "id": ids,
            "underlying_cause": [selection.code for selection in found],
            "steps": [selection.path for selection in found],
            "flags": [" ".join(selection.flags) for selection in found],
            "main_injury": [selection.main_injury for selection in found],
        },
        index=frame.index,
    )

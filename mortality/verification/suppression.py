"""Suppressed tables beside the Tau-Argus engine (pytauargus)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.disclosure_table import PRIMARY, SECONDARY, audit_table, information_loss, suppress_table

THEIR_WORDS = {"S": "shown", "U": PRIMARY, "M": SECONDARY, "E": "zero"}
BY = ["county", "age"]


@reference_case("sdc_freq5_pa_lung_small", topic="spatial")
def counts_below_five(folder: Path) -> Iterator[pd.DataFrame]:
    """The same primary cells; no more hidden than theirs; every primary cell keeps its interval."""
    ours = suppress_table(pd.read_csv(folder / "input_counts.csv"), BY, value="cases", least=5, margin=0.10)
    theirs = pd.read_csv(folder / "expected_table.csv").rename(columns={"n": "cases"})
    theirs = theirs.assign(status=theirs["status"].map(THEIR_WORDS), **{one: theirs[one].str.strip() for one in BY})
    both = ours.merge(theirs, on=BY, suffixes=("", "_theirs"), validate="one_to_one")
    cell = both["county"] + " " + both["age"]
    yield compare(cell + ": count", both["cases"], both["cases_theirs"], tolerance=0)
    yield compare(cell + ": primary", both["status"] == PRIMARY, both["status_theirs"] == PRIMARY, tolerance=0)
    loss, their_loss = information_loss(ours, value="cases"), information_loss(theirs, value="cases")
    more = max(0.0, loss["secondary_events"] - their_loss["secondary_events"])
    yield compare("events hidden beyond theirs", more, 0, tolerance=0)
    yield compare("primary cells without their interval", len(audit_table(ours, BY, value="cases")), 0, tolerance=0)

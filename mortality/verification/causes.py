"""Cause-of-death structure beside published results."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verbal_autopsy.agreement import (
    chance_corrected_concordance,
    chance_corrected_csmf_accuracy,
    csmf_accuracy,
)
from mortality.verification.cases import compare, reference_case

_HAND = "csmf_accuracy_hand(0.2,0.3,0.5 vs 0.3,0.3,0.4)"
_BY_NUMBER = "expected_ccc_C"


@reference_case("csmf_accuracy_ccc", topic="causes")
def csmf_accuracy_and_concordance(folder: Path) -> Iterator[pd.DataFrame]:
    """openVA getCSMF_accuracy and getCCC: fractions, the same corrected for chance, concordance for several numbers of causes."""
    both = pd.read_csv(folder / "csmf.csv", index_col=0)
    theirs = pd.read_csv(folder / "expected.csv").set_index("measure")["value"]
    hand = (
        pd.Series([0.3, 0.3, 0.4]),
        pd.Series([0.2, 0.3, 0.5]),
    )  # true, predicted: the name says it the other way round
    ours = {
        "csmf_accuracy": csmf_accuracy(both["true"], both["predicted"]),
        "cccsmf_accuracy": chance_corrected_csmf_accuracy(both["true"], both["predicted"]),
        _HAND: csmf_accuracy(*hand),
    }
    yield compare(theirs.index, theirs.index.map(ours), theirs, tolerance=1e-12)
    yield from _concordance(folder)


def _concordance(folder: Path) -> Iterator[pd.DataFrame]:
    """Mean concordance for each number of causes; a file expected_ccc_C<number>.csv holds it for each cause, or nothing."""
    pairs = pd.read_csv(folder / "pairs.csv", dtype=str, keep_default_na=False)
    overall = pd.read_csv(folder / "expected_ccc.csv", dtype={"C": str}).set_index("C")["overall_ccc"]
    counts = {name: None if name == "auto" else int(name) for name in overall.index}
    ours = [chance_corrected_concordance(pairs, causes=count).mean() for count in counts.values()]
    yield compare([f"ccc, N = {name}" for name in overall.index], ours, overall, tolerance=1e-12)
    for path in sorted(folder.glob(f"{_BY_NUMBER}*.csv")):
        number = int(path.stem.removeprefix(_BY_NUMBER))
        table = pd.read_csv(path)
        found = chance_corrected_concordance(pairs, causes=number)
        if {"cause", "ccc"} <= set(table.columns):
            yield compare(table["cause"], table["cause"].map(found), table["ccc"], tolerance=1e-12)
        elif table.select_dtypes("number").shape[1] and len(table):
            values = table.select_dtypes("number").iloc[:, -1]
            mean = [found.mean()] if len(values) == 1 else found.sort_index().to_numpy()
            yield compare(f"ccc, N = {number}", mean, values, tolerance=1e-12)

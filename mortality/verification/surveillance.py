"""EuroMOMO and Farrington–Noufaily beside their own programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from mortality.verification.cases import compare, reference_case
from tkyt_analysis.analysis.trend import euromomo, farrington

COUNTS, SCORES, BOUNDS = 1e-3, 1e-4, 1e-4


@reference_case("euromomo_denmark_2008_2013", topic="trends")
def denmark(folder: Path) -> Iterator[pd.DataFrame]:
    """Official run of 31 December 2013; once with the weeks that it fitted, once with the weeks that our rule chooses."""
    weeks = pd.read_csv(folder / "input.csv")
    theirs = pd.read_csv(folder / "expected.csv").sort_values(["group", "wk2"], ignore_index=True)
    models = dict(zip(weeks["group"], weeks["Model"], strict=True))
    for words, table in (("given weeks", weeks), ("our weeks", weeks.drop(columns=["in_model", "Model"]))):
        ours = euromomo(table, model=models, aggregated_on="2013-12-31")
        for mine, their, tolerance in (
            ("expected", "Pnb", COUNTS), ("excess", "excess", COUNTS), ("upib2", "UPIb2", COUNTS),
            ("ucib", "UCIb", COUNTS), ("lcib", "LCIb", COUNTS), ("zscore", "zscore", SCORES),
        ):  # fmt: skip
            names = theirs["group"] + " " + theirs["wk2"] + f" {their} ({words})"
            yield compare(names, ours[mine], theirs[their], tolerance=tolerance)


@reference_case("farrington_noufaily_salmonella_newport", topic="trends")
def salmonella(folder: Path) -> Iterator[pd.DataFrame]:
    """surveillance::farringtonFlexible with the settings of Noufaily et al., 52 weeks."""
    theirs = pd.read_csv(folder / "expected.csv")
    ours = farrington(pd.read_csv(folder / "input.csv"), method="noufaily", b=4, range=theirs["index"].tolist())
    names = "week " + theirs["index"].astype(str)
    yield compare(names + " alarm", ours["alarm"].astype(int), theirs["alarm"], tolerance=0)
    for column in ("upperbound", "expected", "score", "pvalue"):
        yield compare(f"{column} " + names, ours[column], theirs[column], tolerance=BOUNDS, relative=True)

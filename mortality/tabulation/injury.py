"""The injury matrix: deaths by mechanism and intent, two lists that each are a partition."""

from __future__ import annotations

import pandas as pd

from mortality.tabulation.cause_lists import load_cause_list
from mortality.tabulation.tables import tabulate_deaths

MECHANISM, INTENT = "injury_mechanism", "injury_intent"
NO_INJURY = "NO_INJURY"


def injury_matrix(
    deaths: pd.DataFrame,
    by: list[str] | None = None,
    *,
    code: str = "underlying_cause",
    deaths_column: str | None = None,
) -> pd.DataFrame:
    """`by`, mechanism, intent, deaths. Deaths that are no injuries, gaps and unknown codes are rows too: nothing is lost."""
    crossed = deaths.assign(intent=load_cause_list(INTENT).item_of(deaths[code]))
    table = tabulate_deaths(
        crossed, load_cause_list(MECHANISM), [*(by or []), "intent"], code=code, deaths_column=deaths_column
    )
    return table.rename(columns={"item": "mechanism"})[[*(by or []), "mechanism", "intent", "deaths"]]

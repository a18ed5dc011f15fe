"""Garbage codes by coder: what each account chose, with the deaths that the choice codes."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mortality.garbage.lists import GarbageList
from mortality.garbage.share import garbage_share


def garbage_by_coder(home: Path, *, garbage: GarbageList | None = None) -> pd.DataFrame:
    """coder, category, … (see `garbage_share`) of the last word of each coder on each matter; a choice weighs its deaths.

    Choices that concern HIV count only for an account that may know. Differences between coders are differences of what they
    were given, too: compare them on a common sample (`tkyt deaths coder sample`).
    """
    from mortality.coder.choices import choices, latest

    return garbage_share(
        choices_as_deaths(latest(choices(home))), by=["coder"], garbage=garbage, deaths_column="deaths"
    )


def choices_as_deaths(said: pd.DataFrame) -> pd.DataFrame:
    """coder, underlying_cause ("" where the coder chose no code), deaths of rows of coder_choice."""
    coded = said["state"].eq("code")
    deaths = pd.to_numeric(said["deaths"], errors="coerce").fillna(1).astype("int64")
    return pd.DataFrame(
        {
            "coder": said["coder"],
            "underlying_cause": said["code"].fillna("").where(coded, ""),
            "deaths": deaths.clip(lower=1),
        }
    )

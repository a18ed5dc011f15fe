"""Part B of the certificate: surgery, autopsy, manner, external cause, newborns, women. One row per certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from mortality.documents.records import _Made

YES_NO = ("surgery", "autopsy", "autopsy_used", "multiple_pregnancy", "stillborn", "pregnancy_contributed")
NUMBERS = ("hours_lived", "birth_weight", "gestation_weeks", "mother_age")


def part_b(made: _Made) -> pd.DataFrame:
    """The columns of `certificate` (without its keys) for the lines of a piece; the index is that of the lines."""
    from mortality.documents.records import numbers_of

    answers = {name: made.option(name) for name in YES_NO}
    numbers = {name: numbers_of(made.text(name).fillna("")) for name in NUMBERS}
    return pd.DataFrame(
        {
            **answers,
            **numbers,
            "surgery_date": made.day("surgery_date"),
            "surgery_reason": made.text("surgery_reason"),
            "manner": made.option("manner", "manner"),
            "manner_as_written": made.text("manner"),
            "injury_date": made.day("injury_date"),
            "injury_description": made.text("injury_description"),
            "injury_place": made.option("injury_place", "injury_place"),
            "mother_condition": made.text("mother_condition"),
            "pregnancy_status": made.option("pregnancy_status", "pregnancy_status"),
        },
        index=made.lines.index,
    )

"""Codes with their titles, and candidates for what a coder typed: a code, or other words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mortality.coding.suggest import Candidate, suggest_codes

if TYPE_CHECKING:
    import pandas as pd

_CODE = re.compile(r"^[A-Za-z]\d{2}(\.?\d{1,2})?$")


def title_of(code: str, language: str) -> str:
    """The title of a code ("" where none is known in that language)."""
    from mortality.icd import title

    return title(code, language)


def candidates_for(
    words: str, *, sex: str = "", most: int = 5, learnt: pd.DataFrame | None = None
) -> tuple[Candidate, ...]:
    """A typed code (with its subdivisions where it is no lowest level), else the candidates of the typed words."""
    text = words.strip()
    if not _CODE.match(text):
        return tuple(suggest_codes(text, limit=most, sex=sex or None, learnt=learnt))
    from mortality.icd import code_universe, is_lowest_level, is_valid_code, normalise_code

    code = normalise_code(text)
    if is_valid_code(code) and is_lowest_level(code):
        return (Candidate(code, 1.0, "typed", code),)
    below = [one for one in code_universe() if one.startswith(code)]
    return tuple(Candidate(one, 1.0, "typed", one) for one in below[:most])

"""Names of methods and options as people write them: "Fay-Feuer", "PAS" or "extrapolated" in place of the exact word."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any


def option_word(value: Any, known: Collection[str], also: Mapping[str, str] | None = None) -> Any:
    """The word of `known` that is meant; the value itself where there is none (the caller then says what is known).

    known : the words that the caller knows; also : other usual names → word, in lower case with _ between parts.
    Capitals, spaces, hyphens and full stops do not matter. What is no text (numbers, arrays) comes back as it is.
    """
    if not isinstance(value, str) or value in known:
        return value
    word = re.sub(r"[\s\-–.&/]+", "_", value.strip().casefold()).strip("_")
    word = (also or {}).get(word, word)
    return word if word in known else value

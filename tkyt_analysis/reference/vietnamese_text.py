"""Vietnamese text as one key: written forms that a reader takes for the same word fold to the same text.

Two people write the same name as "Hòa", "Hoà", "HÒA " or, from a Mac, as letters followed by separate
accents (NFD). `fold` answers "is it the same word but for writing?"; it never replaces what is stored.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import pandas as pd

# Letters without a Unicode decomposition (eth often stands in for Đ), quotes, dashes, invisible marks.
_SAME_LETTER = str.maketrans(
    {
        **dict.fromkeys("đĐðÐɖƉ", "d"),
        **dict.fromkeys("’‘ʼ`´′ʹ", "'"),
        **dict.fromkeys("“”„«»", '"'),
        **dict.fromkeys("‐‑‒–—−", "-"),
        **dict.fromkeys("\u200b\u200c\u200d\ufeff\u00ad\u2060"),
    }
)
_MARKS = re.compile("[\u0300-\u036f]")


def fold(text: str) -> str:
    """`text` without accents, case, tone placement, đ and surplus blanks: "  Thuỷ  ĐÔNG" → "thuy dong".

    NFC and NFD give the same key; quotes and dashes become "'", '"' and "-"; other punctuation stays.
    i and y stay apart ("tai" ear, "tay" hand). Folding a folded text changes nothing.
    """
    text = text.translate(_SAME_LETTER)
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_SAME_LETTER)
    return " ".join(text.casefold().split())


def fold_series(texts: pd.Series) -> pd.Series:
    """`fold` of every text; each distinct text is folded once, missing values stay missing."""
    return _map_distinct(texts, fold)


def to_nfc(texts: pd.Series) -> pd.Series:
    """Every text in composed form (NFC); missing values stay missing."""
    return _map_distinct(texts, lambda text: unicodedata.normalize("NFC", text))


def _map_distinct(texts: pd.Series, function: Callable[[str], str]) -> pd.Series:
    codes, distinct = pd.factorize(texts)
    changed = pd.Series([function(str(text)) for text in distinct], dtype="str")
    values = changed.reindex(codes).array  # code -1, a missing text, is not in the index
    return pd.Series(values, index=texts.index, name=texts.name, dtype="str")

"""Text of received cells made comparable: legacy fonts to Unicode, composed letters (NFC), no invisible characters.

Nothing is mended silently: `repair_texts` says for every text what was done to it, and the doors write one note
per cell that landed so.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd

from tkyt_analysis.ingest.legacy_fonts import LegacyFont, detect_legacy_font, to_unicode

# No-break and other odd blanks become a space; marks without width go.
_BLANKS = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\t\r\n\v\f]")
_WITHOUT_WIDTH = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")
_SPACES = re.compile(" {2,}")

NOTE_LEGACY_FONT = "note.legacy_font_converted"
NOTE_COMPOSED = "note.text_composed"
NOTE_INVISIBLE = "note.invisible_characters_removed"
NOTE_SPACES = "note.spaces_trimmed"


def repair_text(text: str, font: LegacyFont) -> tuple[str, str]:
    """The repaired text and the label key of the most telling change ("" where nothing changed)."""
    unicode_text = to_unicode(text, font)
    composed = unicodedata.normalize("NFC", unicode_text)
    visible = _WITHOUT_WIDTH.sub("", _BLANKS.sub(" ", composed))
    tidy = _SPACES.sub(" ", visible).strip()
    if unicode_text != text:
        return tidy, NOTE_LEGACY_FONT
    if composed != unicode_text:
        return tidy, NOTE_COMPOSED
    if re.search("[\u00a0\u202f]", composed) or _WITHOUT_WIDTH.search(composed):
        return tidy, NOTE_INVISIBLE
    return tidy, NOTE_SPACES if tidy != text else ""


def repair_texts(values: np.ndarray | pd.Series) -> pd.DataFrame:
    """Repair texts that belong together (one sheet or one column); each distinct text is looked at once.

    values : str objects; anything else is left out of the work and comes back as it is
    Returns text, repaired, note (label key, "" = unchanged), one row per value in the order given.
    The attribute `attrs["font"]` holds the LegacyFont that was found.
    """
    flat = np.asarray(values, dtype=object).ravel()
    codes, distinct = pd.factorize(flat, use_na_sentinel=True)
    texts = [value for value in distinct if isinstance(value, str)]
    font = detect_legacy_font(texts)
    pairs = [repair_text(v, font) if isinstance(v, str) else (v, "") for v in distinct]
    repaired = np.empty(len(pairs) + 1, dtype=object)
    repaired[:-1] = [pair[0] for pair in pairs]
    repaired[-1] = None
    notes = np.array([pair[1] for pair in pairs] + [""], dtype=object)
    frame = pd.DataFrame({"text": flat, "repaired": repaired[codes], "note": notes[codes]}, dtype=object)
    frame.attrs["font"] = font
    return frame

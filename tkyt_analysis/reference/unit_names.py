"""Names of units as people write them, as keys: "X. Hoà Bình", "Xã Hòa Bình " and "xa hoa binh" meet.

A name has two keys. The accented key forgives case, blanks, punctuation, place of the tone mark, i/y and
leading zeros; the folded key forgives accents too and is used only where the accented key finds nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from tkyt_analysis.catalog.codelists import read_codelist
from tkyt_analysis.reference.vietnamese_text import fold

_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_FINAL_Y = re.compile(r"(?:(?<=[bcdđghklmnpqrstvx])|(?<=qu))y(?=$|\W)")
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)")


@dataclass(frozen=True)
class WrittenName:
    """A written name taken apart: type ("" where none is written) and the keys of what remains."""

    unit_type: str
    accented: str
    folded: str

    def search_keys(self) -> list[str]:
        """Keys from strict to loose."""
        if not self.unit_type:
            return [f"a:{self.accented}", f"f:{self.folded}"]
        return [
            f"a:{self.unit_type}:{self.accented}",
            f"a:{self.accented}",
            f"f:{self.unit_type}:{self.folded}",
            f"f:{self.folded}",
        ]


def accented_key(text: str) -> str:
    """Letters and digits of a name with its accents, tone marks moved to the end of their word."""
    words = unicodedata.normalize("NFC", text).casefold().translate(_ETH).split()
    return "".join(_plain(_tone_last(word)) for word in words)


def folded_key(text: str) -> str:
    """Letters and digits of a name without accents; i and y alike after a consonant."""
    return "".join(_plain(word) for word in fold(text).split())


_ETH = str.maketrans({"ð": "đ", "ɖ": "đ"})


def _tone_last(word: str) -> str:
    letters = unicodedata.normalize("NFD", word)
    bare = unicodedata.normalize("NFC", _TONES.sub("", letters))
    return _FINAL_Y.sub("i", bare) + "".join(_TONES.findall(letters))


def _plain(word: str) -> str:
    word = _LEADING_ZEROS.sub("", _FINAL_Y.sub("i", word))
    return "".join(letter for letter in word if letter.isalnum() or _TONES.match(letter))


def written_names(text: str, level: int) -> list[WrittenName]:
    """Readings of a written unit name at `level`, likeliest first: with its type taken off, then as a whole.

    "Xà Phiên" is not the commune (xã) Phiên: a type written with accents must carry its own.
    """
    text = " ".join(unicodedata.normalize("NFC", text).split())
    whole = WrittenName("", accented_key(text), folded_key(text))
    skeleton = "".join((fold(letter) or " ")[0] for letter in text)  # letter for letter as long as `text`
    found = _type_pattern(level).match(skeleton)
    if found is None or found.end() == len(text):
        return [whole]
    unit_type = _type_words(level)[found["full"] or found["short"]]
    word, rest = text[: len(found["full"] or "")], text[found.end() :]
    if not word.isascii() and accented_key(word) != accented_key(unit_type):
        return [whole]
    return [WrittenName(unit_type, accented_key(rest), folded_key(rest)), whole]


@cache
def _type_words(level: int) -> dict[str, str]:
    """Folded full and short words for the types of a level: {"xa": "xã", "x": "xã", …}."""
    types = read_codelist("unit_types")
    types = types[types["level"] == str(level)]
    short = {fold(word): name for word, name in zip(types["short_forms"], types["unit_type"])}
    return short | {fold(name): name for name in types["unit_type"]}


@cache
def _type_pattern(level: int) -> re.Pattern[str]:
    """A type word at the start of a folded name. Short forms need a dot or a digit behind ("X. Lộc", "P4");
    those of two letters may also stand before a blank ("TT Trà Xuân")."""
    full = [fold(name) for name in dict.fromkeys(_type_words(level).values())]
    short = [word for word in _type_words(level) if word not in full]
    single = "".join(word for word in short if len(word) == 1)
    double = "|".join(word for word in short if len(word) == 2)
    forms = [rf"(?P<full>{'|'.join(full)})\b[.:\s]*"]
    forms.append(rf"(?P<short>(?:{double or '(?!)'})(?=[.\s\d])|[{single}](?=\.|\s*\d+$))[.\s]*")
    return re.compile("|".join(forms))

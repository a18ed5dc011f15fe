"""What leads to a person is masked in free text: ID cards, insurance and telephone numbers, and what looks like a name.

Numbers are found by their length, names by the commonest surnames of Viet Nam with two further words or more written with
capitals, or with "văn", "thị" behind the surname (without accents only so: "Do", "Ngo", "Tran" begin many causes). Names of
communes ("xã Lê Hồng Phong") stay. A name of another shape is not found here; `tkyt_analysis.access.gates` also takes out
every text that repeats the name of its own row.
"""

from __future__ import annotations

import re
from functools import cache

from tkyt_analysis.reference.vietnamese_text import fold

MASK = "…"
# Nine digits or more in a row (ID cards of 9 and 12 digits, insurance, telephones), or three to five groups of three or
# four ("0912 345 678", "079.099.000.123"). Dates and codes of units are shorter. Syntax that DuckDB reads too.
NUMBER_PATTERN = r"\d{9,}|\d{3,4}(?:[ .\-]\d{3,4}){2,4}"
# The commonest surnames, from general knowledge (unverified). Those that also begin words of a diagnosis ("Hoàng đản",
# "Vàng da", "Lý do") count only before "văn" or "thị"; "cao", "tăng", "dương" and "đàm" are left out.
SURE_SURNAMES = frozenset(
    ["nguyễn", "trần", "lê", "phạm", "huỳnh", "phan", "vũ", "đặng", "bùi", "đỗ", "ngô", "trương", "đoàn", "trịnh"]
)
SURNAMES = SURE_SURNAMES | frozenset(
    [
        "hoàng",
        "võ",
        "hồ",
        "lý",
        "đinh",
        "lương",
        "phùng",
        "tạ",
        "tô",
        "triệu",
        "vương",
        "hứa",
        "giàng",
        "vàng",
        "lò",
        "hầu",
        "thào",
    ]
)
_FOLDED_SURNAMES = frozenset(fold(word) for word in SURNAMES)
MIDDLE = frozenset({"văn", "thị", "van", "thi"})
_NUMBER = re.compile(NUMBER_PATTERN)
_MOMENT = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?")
_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[ _.]+|-")
LONGEST = 5


def mask_text(text: str) -> str:
    """The text without numbers and names of persons, each replaced by "…"."""
    return mask_names(mask_numbers(text))


def mask_numbers(text: str) -> str:
    """The text with every number of a person replaced by "…"; a point in time (202501311200) stays."""
    return _NUMBER.sub(lambda found: found[0] if _MOMENT.fullmatch(found[0]) else MASK, text)


def mask_names(text: str) -> str:
    """The text with every run of words that looks like a Vietnamese name replaced by "…"."""
    words = list(_WORD.finditer(text))
    parts, done, place = [], 0, 0
    while place < len(words):
        length = _name_length(text, words, place)
        if length:
            parts += [text[done : words[place].start()], MASK]
            done = words[place + length - 1].end()
        place += max(length, 1)
    return "".join([*parts, text[done:]]) if parts else text


def _name_length(text: str, words: list[re.Match[str]], first: int) -> int:
    """How many words from here on are a name; 0 where none begins."""
    if not _is_surname(words[first].group(), text):
        return 0
    run = [words[first]]
    for word in words[first + 1 : first + LONGEST]:
        if not _BETWEEN.fullmatch(text, run[-1].end(), word.start()):
            break
        run.append(word)
    middle = len(run) > 2 and run[1].group().lower() in MIDDLE
    titled = 1
    while titled < len(run) and (_is_titled(run[titled].group()) or (middle and titled < 3)):
        titled += 1
    first_word = run[0].group()
    if titled < 3 or not (middle or (_is_titled(first_word) and first_word.lower() in SURE_SURNAMES)):
        return 0
    return 0 if fold(" ".join(word.group() for word in run[:titled])) in _place_names() else titled


def _is_surname(word: str, text: str) -> bool:
    return word.lower() in SURNAMES or (text.isascii() and word.lower() in _FOLDED_SURNAMES)


def _is_titled(word: str) -> bool:
    return word[0].isupper() and (len(word) == 1 or word[1:].islower())


@cache
def _place_names() -> frozenset[str]:
    from tkyt_analysis.reference.places import places

    return frozenset(fold(name) for system in ("VN2024", "VN2025") for name in places(system)["name"])

"""Unseen causes put together: a process (ung thư, viêm, vỡ) × what it concerns (gan, động mạch chủ) × modifiers.

Tables: data_catalog/codelists/cause_reading_words.csv (words) and cause_readings.csv (what they make).
The order of the words does not matter; what follows "di căn" is where a cancer went, not where it began.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from mortality.coding.letters import fold_word, has_accents
from mortality.coding.normalise import standard_words
from mortality.coding.words import Words
from tkyt_analysis.catalog import read_codelist

SPREAD = "di căn"
MALIGNANT, TUMOUR, CANCER = "ác", "u", "ung thư"
_FILLING = (
    "bệnh bị do ở của vùng bên phải trái tính khối ổ đường các một chỗ người rất nặng vào trong và với trên xuống từ"
    " khi đang đi bởi có cả thể hội chứng benh bi cua vung ben phai trai tinh khoi o mot cho nguoi rat nang vao trong"
    " va voi tren xuong tu khi dang di boi co ca the hoi chung chết chet mất mat lại lai"
)
FILLING = frozenset(_FILLING.split())
_KINDS = ("process", "object", "modifier")


@dataclass(frozen=True)
class Reading:
    """What the words were read as; unread is the share of words that no concept took."""

    code: str
    certainty: str
    expression: str
    concepts: int
    unread: float


@dataclass(frozen=True)
class _Row:
    process: str
    object: str
    modifiers: frozenset[str]
    code: str
    certainty: str


class _Concepts:
    """Phrases of the concept words, with marks or without; a phrase may stand for a process and a modifier."""

    def __init__(self, *, folded: bool) -> None:
        self.by_first: dict[str, list[tuple[Words, frozenset[tuple[str, str]]]]] = {}
        found: dict[Words, set[tuple[str, str]]] = {}
        for row in read_codelist("cause_reading_words").to_dict("records"):
            for text in row["words"].split("|"):
                for phrase in {tuple(text.split()), standard_words(text)}:
                    words = tuple(map(fold_word, phrase)) if folded else phrase
                    found.setdefault(words, set()).add((row["kind"], row["concept"]))
        for words, concepts in found.items():
            if words:
                self.by_first.setdefault(words[0], []).append((words, frozenset(concepts)))
        for group in self.by_first.values():
            group.sort(key=lambda pair: (-len(pair[0]), pair[0]))

    def read(self, words: Sequence[str]) -> tuple[list[tuple[int, frozenset[tuple[str, str]]]], int]:
        """Concepts in their order with the place of their first word, and how many words were taken."""
        result, taken, position = [], 0, 0
        while position < len(words):
            group = self.by_first.get(words[position], ())
            found = next((pair for pair in group if tuple(words[position : position + len(pair[0])]) == pair[0]), None)
            if found:
                result.append((position, found[1]))
                taken += len(found[0])
            elif words[position] in FILLING:
                taken += 1
            position += len(found[0]) if found else 1
        return result, taken


@cache
def _concepts(folded: bool) -> _Concepts:
    return _Concepts(folded=folded)


@cache
def _rows() -> dict[tuple[str, str], list[_Row]]:
    rows: dict[tuple[str, str], list[_Row]] = {}
    for row in read_codelist("cause_readings").to_dict("records"):
        modifiers = frozenset(filter(None, row["modifiers"].split("+")))
        one = _Row(row["process"], row["object"], modifiers, row["icd10"], row["certainty"])
        rows.setdefault((one.process, one.object), []).append(one)
    return rows


def _before_spread(found: list[tuple[int, frozenset[tuple[str, str]]]]) -> list[tuple[int, frozenset[tuple[str, str]]]]:
    """Objects after "di căn" are left out where one stands before it."""
    places = [place for place, concepts in found if ("modifier", SPREAD) in concepts]
    if not places:
        return found
    first = places[0]
    earlier = any(kind == "object" for place, concepts in found if place < first for kind, _ in concepts)
    return [pair for pair in found if pair[0] <= first] if earlier else found


def _names(found: Iterable[tuple[int, frozenset[tuple[str, str]]]], kind: str) -> list[str]:
    return list(dict.fromkeys(name for _, concepts in found for one, name in sorted(concepts) if one == kind))


def _strength(row: _Row, processes: list[str], objects: list[str], modifiers: list[str]) -> tuple[float, ...]:
    """More concepts explained first; then the first-named process and object."""
    return (
        2.0 * bool(row.object) + 1.2 * len(row.modifiers),
        -processes.index(row.process),
        -objects.index(row.object) if row.object else -len(objects),
    )


def compose(words: Sequence[str], *, most: int = 3) -> list[Reading]:
    """The readings of standard words that the tables know, strongest first; [] where no process is named."""
    folded = not has_accents(" ".join(words))
    found, taken = _concepts(folded).read(words)
    found = _before_spread(found)
    processes, objects, modifiers = (_names(found, kind) for kind in _KINDS)
    known = set(modifiers)
    if known & {MALIGNANT, SPREAD} and TUMOUR in processes:
        processes = [CANCER if name == TUMOUR else name for name in processes]
    rows = [
        row
        for process in processes
        for thing in [*objects, ""]
        for row in _rows().get((process, thing), ())
        if row.modifiers <= known
    ]
    rows.sort(key=lambda row: _strength(row, processes, objects, modifiers), reverse=True)
    result: dict[str, Reading] = {}
    for row in rows:
        lost = max(0, len(set(objects)) - bool(row.object)) + max(0, len(processes) - 1 - len(row.modifiers))
        unread = 1 - taken / max(1, len(words)) + 0.1 * lost
        name = " + ".join(filter(None, (row.process, row.object, *sorted(row.modifiers))))
        concepts = 1 + bool(row.object) + len(row.modifiers)
        result.setdefault(row.code, Reading(row.code, row.certainty, name, concepts, round(unread, 3)))
    return list(result.values())[:most]

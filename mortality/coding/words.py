"""The word lists that a register's text is read with: abbreviations, synonyms, noise, joining words.

Lists: data_catalog/codelists/cause_text_words.csv (kinds) and cause_word_synonyms.csv (word → standard word).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mortality.coding.letters import accented_letters, fold
from tkyt_analysis.catalog import read_codelist

if TYPE_CHECKING:
    import pandas as pd

Words = tuple[str, ...]
_WORD = re.compile(r"[^\W_]+")
HOSPITAL_ABBREVIATION = "viết tắt"
JOINTS = ("due_to", "leads_to", "listed")


class Phrases:
    """Phrases of words and what stands in their place; at each word the longest phrase wins."""

    def __init__(self, pairs: Iterable[tuple[Words, Words]]) -> None:
        self._by_first: dict[str, list[tuple[Words, Words]]] = {}
        for written, meaning in dict(pairs).items():
            if written:
                self._by_first.setdefault(written[0], []).append((written, meaning))
        for group in self._by_first.values():
            group.sort(key=lambda pair: -len(pair[0]))

    def at(self, words: Sequence[str], start: int) -> tuple[Words, Words] | None:
        """The longest phrase that begins at `start`, with its meaning."""
        for written, meaning in self._by_first.get(words[start], ()):
            if tuple(words[start : start + len(written)]) == written:
                return written, meaning
        return None

    def found(self, words: Sequence[str]) -> set[Words]:
        """The phrases that stand in the words."""
        starts = (self.at(words, place) for place in range(len(words)))
        return {one[0] for one in starts if one}

    def replace(self, words: Sequence[str]) -> Words:
        """The words with every phrase replaced once, from left to right."""
        if not any(word in self._by_first for word in words):
            return tuple(words)
        result: list[str] = []
        position = 0
        while position < len(words):
            found = self.at(words, position)
            result += found[1] if found else (words[position],)
            position += len(found[0]) if found else 1
        return tuple(result)


@dataclass(frozen=True)
class TextWords:
    """The rows of the code list cause_text_words by kind, as written."""

    abbreviations: dict[str, str]
    kinds: dict[str, tuple[str, ...]]

    def of(self, kind: str) -> tuple[str, ...]:
        return self.kinds.get(kind, ())


def key_words(text: str) -> Words:
    """The words of the unified letters without punctuation."""
    return tuple(_WORD.findall(accented_letters(text)))


@cache
def text_words() -> TextWords:
    """Abbreviations, noise and joining words; abbreviations of cause_word_synonyms join the others."""
    rows = read_codelist("cause_text_words")
    kinds = {str(kind): tuple(sorted(group["written"], key=len, reverse=True)) for kind, group in rows.groupby("kind")}
    short = rows[rows["kind"] == "abbreviation"]
    more = synonym_rows()
    more = more[more["region"] == HOSPITAL_ABBREVIATION]
    abbreviations = dict(zip(more["written"], more["standard"])) | dict(zip(short["written"], short["meaning"]))
    return TextWords(abbreviations=abbreviations, kinds=kinds)


@cache
def synonym_rows() -> pd.DataFrame:
    """The code list cause_word_synonyms: written, standard, region, note."""
    return read_codelist("cause_word_synonyms")


def _both(pairs: Iterable[tuple[str, str]], folded: bool) -> list[tuple[Words, Words]]:
    plain = [(key_words(written), key_words(meaning)) for written, meaning in pairs]
    if not folded:
        return plain
    return [(tuple(map(fold, written)), tuple(map(fold, meaning))) for written, meaning in plain]


@cache
def abbreviations(folded: bool) -> Phrases:
    """Short forms written out: "k gan" → "ung thư gan"; in folded text the letters have lost their marks."""
    return Phrases(_both(text_words().abbreviations.items(), folded))


@cache
def synonyms(folded: bool) -> Phrases:
    """Regional, older and loan words → the standard word. Without marks a single word stays where it may be another
    word of the dictionary: "té" is a fall, "te" may be "tê"; "xuồng" is a boat, "xuong" rather "xương"."""
    rows = synonym_rows()
    rows = rows[rows["region"] != HOSPITAL_ABBREVIATION]
    pairs = _both(zip(rows["written"], rows["standard"]), False)
    own = text_words().of("synonym")
    pairs += _both(((row.split("=")[0], row.split("=")[1]) for row in own if "=" in row), False)
    settled = _settle(dict(pairs))
    if not folded:
        return Phrases(settled.items())
    marked = _words_by_fold()
    safe = [(w, m) for w, m in settled.items() if len(w) > 1 or not marked.get(fold(w[0]), set()) - {w[0]}]
    return Phrases((tuple(map(fold, w)), tuple(map(fold, m))) for w, m in safe)


def _words_by_fold() -> dict[str, set[str]]:
    """Every word of the lay dictionaries and concept words, with marks, by the word without marks."""
    from mortality.coding.dictionary import dictionary_codelists

    texts = [text for name in dictionary_codelists() for text in read_codelist(name)["expression"]]
    texts += [text for cell in read_codelist("cause_reading_words")["words"] for text in cell.split("|")]
    found: dict[str, set[str]] = {}
    for text in texts:
        for word in key_words(text):
            found.setdefault(fold(word), set()).add(word)
    return found


def _settle(pairs: dict[Words, Words]) -> dict[Words, Words]:
    """Meanings that are themselves written otherwise are followed: đẻ ngạt → ngạt sơ sinh; no ring is followed twice."""
    phrases = Phrases(pairs.items())
    result = {}
    for written, meaning in pairs.items():
        further = phrases.replace(meaning)
        result[written] = further if len(further) <= len(meaning) + 2 and further != written else meaning
    return result


@cache
def changing_words(folded: bool) -> Phrases:
    """Words that change a code wherever they stand: "di chứng", "ác tính", "mạn", "tự tử"."""
    return Phrases(_both(((word, "") for word in text_words().of("changes")), folded))


@cache
def noise(kind: str) -> Phrases:
    """Phrases of one kind of noise with and without marks; they stand for nothing."""
    plain = [key_words(phrase) for phrase in text_words().of(kind)]
    return Phrases([(phrase, ()) for phrase in plain] + [(tuple(map(fold, phrase)), ()) for phrase in plain])

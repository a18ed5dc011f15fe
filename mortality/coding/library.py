"""Everything that a text is compared with, built once per process: look-up forms of the dictionary, the words it
uses, and the index for likeness over its expressions and the Vietnamese titles of ICD-10."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from mortality.coding.dictionary import (
    DictionaryEntry,
    LayDictionary,
    LearntRows,
    dictionary_codelists,
    dictionary_of,
    learnt_rows,
)
from mortality.coding.letters import fold_word
from mortality.coding.normalise import accented_words, standard_words
from mortality.coding.retrieve import TextIndex
from mortality.coding.spelling import Vocabulary, sound_key
from mortality.coding.words import Words

if TYPE_CHECKING:
    import pandas as pd

_MARKS_OF_TITLES = re.compile(r"\([A-Z]\d\d[^)]*\)|\[[^\]]*\*\]|[†*]")


def titles(source: Path | None = None) -> dict[str, str]:
    """Code → Vietnamese title: from a CSV (columns code, title_vi), else what the registry has loaded.

    The registry gives the ministry's words, the optional package's, or our own short titles (`mortality.icd`).
    """
    if source is not None:
        import pandas as pd

        rows = pd.read_csv(source, dtype=str, keep_default_na=False, usecols=["code", "title_vi"])
        return {code: text for code, text in zip(rows["code"], rows["title_vi"]) if text}
    from mortality.icd.titles import all_titles

    return {code: text for code, text in all_titles().items() if "(mục ." not in text}


def title_words(text: str) -> Words:
    """The standard words of a title without the codes and signs that stand in it."""
    return standard_words(_MARKS_OF_TITLES.sub(" ", text))


@dataclass(frozen=True)
class Document:
    """One text of the index with the codes it stands for; entries only for the dictionary."""

    words: Words
    code: str
    entries: tuple[DictionaryEntry, ...]
    text: str


class Library:
    """The dictionary and the titles in every form that the routes of `suggest_codes` ask for."""

    def __init__(self, dictionary: LayDictionary, title_of: dict[str, str]) -> None:
        self.dictionary = dictionary
        self._titles = title_of
        self.by_standard: dict[str, tuple[DictionaryEntry, ...]] = {}
        self._words: dict[Words, list[DictionaryEntry]] = defaultdict(list)
        for entries in dictionary.by_accented.values():
            for entry in entries:
                self._words[standard_words(entry.expression)].append(entry)
        grouped: dict[str, list[DictionaryEntry]] = defaultdict(list)
        for words, found in self._words.items():
            grouped[" ".join(map(fold_word, words))] += found
        self.by_standard = {key: tuple(entries) for key, entries in grouped.items()}

    @cached_property
    def by_sound(self) -> dict[str, tuple[DictionaryEntry, ...]]:
        """Entries by the sound of the whole expression; short sounds are left out, they meet too often."""
        grouped: dict[str, list[DictionaryEntry]] = defaultdict(list)
        for words, entries in self._words.items():
            for entry in entries:
                for form in (words, accented_words(entry.expression)):
                    for sound in {sound_key(form), sound_key(map(fold_word, form))}:
                        if len(sound) >= 5 and entry not in grouped[sound]:
                            grouped[sound].append(entry)
        return {key: tuple(entries) for key, entries in grouped.items()}

    @cached_property
    def by_first_word(self) -> dict[str, list[Words]]:
        """The folded standard keys by their first word, longest first: for expressions inside a longer text."""
        grouped: dict[str, list[Words]] = defaultdict(list)
        for key in self.by_standard:
            words = tuple(key.split())
            if words and (len(words) > 1 or len(key) > 3):
                grouped[words[0]].append(words)
        return {first: sorted(group, key=lambda words: (-len(words), words)) for first, group in grouped.items()}

    @cached_property
    def documents(self) -> list[Document]:
        found = [Document(words, "", tuple(entries), entries[0].expression) for words, entries in self._words.items()]
        return found + [Document(title_words(text), code, (), text) for code, text in sorted(self._titles.items())]

    @cached_property
    def index(self) -> TextIndex:
        return TextIndex([document.words for document in self.documents])

    @cached_property
    def vocabulary(self) -> Vocabulary:
        written = (accented_words(entry.expression) for entries in self._words.values() for entry in entries)
        return Vocabulary(chain((document.words for document in self.documents), written))

    @cached_property
    def by_letters(self) -> dict[str, tuple[DictionaryEntry, ...]]:
        """Entries by their letters alone, blanks and marks gone: for words glued together or cut."""
        grouped: dict[str, list[DictionaryEntry]] = defaultdict(list)
        for index in (self.by_standard, self.dictionary.by_folded):
            for key, entries in index.items():
                if len(key) >= 6:
                    grouped[key.replace(" ", "")] += [
                        one for one in entries if one not in grouped[key.replace(" ", "")]
                    ]
        return {key: tuple(entries) for key, entries in grouped.items()}

    @cached_property
    def version(self) -> str:
        """Changes with the dictionary and with the titles."""
        content = "\n".join(f"{code} {text}" for code, text in sorted(self._titles.items()))
        return f"{self.dictionary.version}-{sha256(content.encode()).hexdigest()[:8]}"

    def inside(self, words: Sequence[str]) -> list[tuple[str, int]]:
        """Dictionary keys that stand inside the folded words, the longest at each place, with their place."""
        found: list[tuple[str, int]] = []
        position = 0
        while position < len(words):
            group = self.by_first_word.get(words[position], ())
            key = next((one for one in group if tuple(words[position : position + len(one)]) == one), None)
            if key:
                found.append((" ".join(key), position))
            position += len(key) if key else 1
        return found


def load_library(source: Path | None = None, *, learnt: pd.DataFrame | None = None) -> Library:
    """The library of the shipped dictionaries, the titles of `source` (see `titles`) and what coders confirmed (`learnt`);
    built once per process for the same content."""
    return _library(source, learnt_rows(learnt))


@lru_cache(maxsize=3)
def _library(source: Path | None, learnt: LearntRows) -> Library:
    return Library(dictionary_of(tuple(dictionary_codelists()), learnt), titles(source))

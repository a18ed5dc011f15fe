"""What was chosen before for words like these: shared words count, rare ones more."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import pandas as pd

from mortality.coder.choices import Choice
from mortality.coding.normalise import folded_key

LEAST, SHOWN = 0.45, 3


@dataclass(frozen=True)
class Past:
    """One earlier choice: the words, the code ("" = no code), by how many coders; likeness 0–1."""

    text_key: str
    code: str
    coders: int
    likeness: float


class PastChoices:
    """Choices on words by their folded words; likeness = shared weight / all weight of both (weighted Jaccard)."""

    def __init__(self, last: pd.DataFrame | None = None) -> None:
        self._coders: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._words: dict[str, frozenset[str]] = {}
        self._by_word: dict[str, set[str]] = defaultdict(set)
        self._count: Counter[str] = Counter()
        if last is not None and len(last):
            for key, code, coder in last[["text_key", "code", "coder"]].itertuples(index=False):
                self._put(str(key), str(code), str(coder))

    def _put(self, key: str, code: str, coder: str) -> None:
        self._coders[key, code].add(coder)
        if key not in self._words:
            self._words[key] = frozenset(folded_key(key).split())
            self._count.update(self._words[key])
            for word in self._words[key]:
                self._by_word[word].add(key)

    def add(self, key: str, choice: Choice) -> None:
        """A choice of this window."""
        self._put(key, choice.code, "")

    def near(self, key: str) -> list[Past]:
        """The likest earlier choices, at most three."""
        words = frozenset(folded_key(key).split())
        # The rarest words lead to the few texts that share them; a word of every text says little.
        rare = sorted(words, key=lambda word: (self._count[word], word))[:3]
        keys = set().union(*(self._by_word.get(word, set()) for word in rare)) if rare else set()
        scored = sorted(
            ((self._likeness(words, self._words[one]), one) for one in keys), key=lambda pair: (-pair[0], pair[1])
        )
        found = [
            Past(one, code, len(coders), likeness)
            for likeness, one in scored[:SHOWN]
            if likeness >= LEAST
            for (text, code), coders in self._coders.items()
            if text == one
        ]
        return found[:SHOWN]

    def _likeness(self, a: frozenset[str], b: frozenset[str]) -> float:
        def weight(words: frozenset[str]) -> float:
            return sum(1 / math.log2(2 + self._count[word]) for word in words)

        return weight(a & b) / (weight(a | b) or 1)

"""Misspelt words: one sound key for spellings that sound alike, distance of letters, repair of single words.

Sounds follow the slips of Vietnamese registers: hỏi/ngã (gone with the marks), x/s, ch/tr, d/gi/r, n/l,
final n/ng and c/t, i/y; and letters missing, doubled, swapped; words glued together or cut.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

from mortality.coding.letters import fold_word, without_tone

_INITIALS = [
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"^(tr|ch)", "C"),
        (r"^(gi|d|r|z|j)(?=[aeiouy])", "D"),
        (r"^f", "ph"),
        (r"^(qu|hu)(?=[ye])", "W"),
        (r"^(gh|g)", "G"),
        (r"^(ngh|ng)", "Q"),
        (r"^(nh)", "H"),
        (r"^(s|x)", "X"),
        (r"^(l|n)", "N"),
        (r"^(c|k|q)", "K"),
    )
]
_DOUBLED = re.compile(r"([a-z])\1+")
_RHYMES = (("y", "i"), ("ao", "au"), ("ie", "i"), ("uo", "u"), ("ue", "e"), ("oe", "e"), ("oo", "o"))
_FINALS = [(re.compile(r"(ng|nh)$"), "n"), (re.compile(r"(ch|c)$"), "t")]


@lru_cache(maxsize=50_000)
def sound(word: str) -> str:
    """The sound key of one word without marks: "xuat" and "suac" → "Xuat"; digits stay."""
    if word.startswith("đ"):  # no slip leads from đ to d, gi, r
        return "đ" + sound(word[1:]) if len(word) > 1 else "đ"
    bare = _DOUBLED.sub(r"\1", fold_word(word))
    if bare == "gi":
        return "Di"
    for pattern, letter in _INITIALS:
        if pattern.match(bare):
            bare = pattern.sub(letter, bare, count=1)
            break
    for pattern, letter in _FINALS:
        bare = pattern.sub(letter, bare)
    for written, letters in _RHYMES:
        bare = bare.replace(written, letters)
    return bare


def sound_key(words: Iterable[str]) -> str:
    """The sound keys of all words, without blanks: glued and cut words meet."""
    return "".join(map(sound, words))


def distance(one: str, other: str, most: int) -> int:
    """Letters to insert, drop, change or swap with the neighbour (Damerau); `most` + 1 where it is more than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    line = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        older, before, line = before, line, [row] + [0] * len(other)
        for column, facing in enumerate(other, 1):
            best = min(before[column] + 1, line[column - 1] + 1, before[column - 1] + (letter != facing))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == facing:
                best = min(best, older[column - 2] + 1)
            line[column] = best
        if min(line) > most:
            return most + 1
    return line[-1]


def likeness(one: Sequence[str], other: Sequence[str]) -> float:
    """1 for the same words, less for every letter, mark or tone that differs; for texts already found alike."""
    plain_one, plain_other = "".join(map(fold_word, one)), "".join(map(fold_word, other))
    longest = max(len(plain_one), len(plain_other), 1)
    letters = distance(plain_one, plain_other, max(2, longest // 4)) / longest
    return max(0.0, 1.0 - letters - 0.5 * marks_that_differ(one, other))


def marks_that_differ(one: Sequence[str], other: Sequence[str]) -> float:
    """Share of words whose marks differ although both are written with marks; a tone counts less than a letter."""
    if len(one) != len(other):
        return 0.0
    cost = 0.0
    for mine, yours in zip(one, other):
        if mine == yours or mine.isascii() or fold_word(mine) != fold_word(yours):
            continue
        cost += 0.25 if without_tone(mine) == without_tone(yours) else 0.6
    return cost / max(1, len(one))


def other_marks(words: Sequence[str], found: Sequence[str]) -> float:
    """Share of the words that stand in `found` with other marks only ("ca", "cá"), in any order; a tone counts less."""
    have = set(found)
    strange = [word for word in words if word not in have]
    if not strange or all(word.isascii() for word in words):  # the same words, or a text without marks
        return 0.0
    there = {fold_word(word): word for word in found}
    cost = 0.0
    for word in strange:
        other = there.get(fold_word(word))
        if other is None:
            continue
        cost += 0.25 if without_tone(word) == without_tone(other) else 0.6
    return cost / max(1, len(words))


class Vocabulary:
    """The words that the dictionary and the titles use, and which word follows which."""

    def __init__(self, texts: Iterable[Sequence[str]]) -> None:
        self.counts: Counter[str] = Counter()
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.marked: set[str] = set()
        for words in texts:
            folded = [fold_word(word) for word in words]
            self.counts.update(folded)
            self.pairs.update(zip(folded, folded[1:]))
            self.marked.update(words)
        self._by_cut: dict[str, list[str]] = {}
        self._by_sound: dict[str, list[str]] = {}
        for word in self.counts:
            self._by_sound.setdefault(sound(word), []).append(word)
            for cut in _cuts(word):
                self._by_cut.setdefault(cut, []).append(word)

    def knows(self, word: str) -> bool:
        return fold_word(word) in self.counts or not word.isalpha()

    def repair(self, words: Sequence[str]) -> tuple[str, ...]:
        """Unknown words in the place of known ones: joined to the next, taken apart, or the likeliest spelling."""
        result: list[str] = []
        position = 0
        while position < len(words):
            word = words[position]
            if self.knows(word):
                result.append(word)
            elif position + 1 < len(words) and fold_word(word + words[position + 1]) in self.counts:
                position += 1
                result.append(fold_word(word + words[position]))
            else:
                after = words[position + 1] if position + 1 < len(words) else ""
                result += self._parts(fold_word(word)) or [self._spelling(word, result[-1] if result else "", after)]
            position += 1
        return tuple(result)

    def _parts(self, word: str) -> list[str]:
        """A glued word as two to five known words that follow one another in known texts; [] where it is none."""
        ways: dict[int, tuple[float, list[str]]] = {0: (0.0, [])}
        for end in range(2, len(word) + 1):
            for start in range(max(0, end - 7), end - 1):
                part = word[start:end]
                if start in ways and part in self.counts:
                    score, parts = ways[start]
                    follows = bool(parts) and (parts[-1], part) in self.pairs
                    score += (2.0 if follows else 0.0) - 1.0
                    if end not in ways or score > ways[end][0]:
                        ways[end] = (score, [*parts, part])
        score, parts = ways.get(len(word), (-9.0, []))
        if len(parts) == 2 and min(len(part) for part in parts) >= 2 and min(map(self.counts.__getitem__, parts)) >= 3:
            score += 1.0  # two common words that nobody wrote side by side yet
        return parts if 2 <= len(parts) <= 6 and score >= -1.0 and len(word) >= 5 else []

    def _spelling(self, word: str, before: str, after: str) -> str:
        bare = fold_word(word)
        near = set(self._by_sound.get(sound(word), ())) | {w for cut in _cuts(bare) for w in self._by_cut.get(cut, ())}
        near = {one for one in near if sound(one) == sound(word) or distance(bare, one, 1) <= 1}
        if len(bare) < 3 or not near:
            return word
        left, right = fold_word(before), fold_word(after)
        return max(
            sorted(near),
            key=lambda one: (
                (left, one) in self.pairs,
                (one, right) in self.pairs,
                sound(one) == sound(word),
                self.counts[one],
            ),
        )


def _cuts(word: str) -> list[str]:
    """The word and the word without one of its letters."""
    return [word, *(word[:place] + word[place + 1 :] for place in range(len(word)))]
